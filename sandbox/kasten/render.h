/*
 * Texts of a blueprint with their templates filled in, as Kanister fills them. Pure.
 */
#ifndef SANDBOX_KASTEN_RENDER_H
#define SANDBOX_KASTEN_RENDER_H

#include "doc/json_edit.h"

#define RENDER_MAX (1 << 20) /* of one text */

/*
 * A copy of a tree in which every text is rendered with the parameters (.Object, .ArtifactsIn, .Time ...). The texts under the key
 * "condition" stay as they are: a Wait evaluates them against the object it waits for.
 */
bool render_tree(const json_node *tree, const json_node *params, struct json **ret, struct err *err);

/*
 * One condition of a Wait: each { $.path } is replaced by the JSONPath's value as text, then the whole is run as a template without
 * parameters. True if the trimmed output is exactly "true". An error (no such place, a template that does not parse) is
 * the caller's to swallow, as Kanister does.
 */
bool render_condition(const char *condition, const json_node *object, bool *ret_true, struct err *err);

#endif
