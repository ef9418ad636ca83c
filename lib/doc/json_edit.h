/*
 * JSON trees that are built and changed: what Kubernetes objects are to a client, a controller and a server.
 *
 * A tree is the same as that of doc/json.h and is read with its functions; here are places by path, building from a
 * pattern, changing, comparing, merging and printing. A path is a JSON pointer without its first slash:
 * "metadata/labels/app.kubernetes.io~1name" (~1 is '/', ~0 is '~'), "spec/containers/0/image"; "" is the tree itself.
 * "-" as the last step of a put appends to an array.
 *
 * Whole numbers within 64 bits are exact, any others are doubles.
 * Reading functions take NULL for a tree and answer as for a missing place. Changing functions leave the tree as it
 * was on failure (ERR_NOMEM, ERR_PARSE for a path that leads through something that is no object or array, ERR_LIMIT
 * for more than 64 levels). After a change, nodes that were at or below the changed place are gone; json_patch and
 * json_merge_patch change the place of everything below their root.
 */
#ifndef DOC_JSON_EDIT_H
#define DOC_JSON_EDIT_H

#include "base/buf.h"
#include "doc/json.h"

#include <stdarg.h>

/* The root, to change. */
json_node *json_edit(struct json *doc);

/* --- places ------------------------------------------------------------------------------------------------------ */

const json_node *json_at(const json_node *root, const char *path);		 /* NULL: not there */
const char *json_text_at(const json_node *root, const char *path);		 /* NULL: not there, or no string */
int64_t json_int_at(const json_node *root, const char *path, int64_t otherwise); /* a whole number within 64 bits */
bool json_bool_at(const json_node *root, const char *path, bool otherwise);
/* true: the place is a string equal to text */
bool json_is_at(const json_node *root, const char *path, const char *text);

/* --- building ---------------------------------------------------------------------------------------------------- */

/*
 * A document from a pattern: JSON in which ' stands for ", and
 *   %s  a JSON string from const char * (NULL: null), never for an object's key
 *   %d  a whole number from int (not int64_t)      %l  one from int64_t
 *   %b  true or false from int (bool)              %j  a copy of a const json_node * (NULL: null)
 *   %%  a per cent sign
 * json_format(&doc, err, "{'kind':'Pod','metadata':{'name':%s},'spec':%j}", name, spec)
 * Inside quotes %s, %d and %l are put in as text ('rs0-%d'), escapes are \\ \n \r \t \b \f \" \' \/ ; a text that is not
 * UTF-8 gets U+FFFD in place of what is not. A wrong pattern is ERR_PARSE.
 */
bool json_format(struct json **ret, struct err *err, const char *pattern, ...);
bool json_format_va(struct json **ret, struct err *err, const char *pattern, va_list args);
bool json_clone(const json_node *from, struct json **ret, struct err *err);

/* --- changing ---------------------------------------------------------------------------------------------------- */

/* Objects on the way are made where they are missing (or null); what was at the place is replaced. NULL: null. */
bool json_set_text(json_node *root, const char *path, const char *text, struct err *err);
bool json_set_int(json_node *root, const char *path, int64_t value, struct err *err);
bool json_set_bool(json_node *root, const char *path, bool value, struct err *err);
bool json_set_copy(json_node *root, const char *path, const json_node *value, struct err *err);
bool json_set_format(json_node *root, const char *path, struct err *err, const char *pattern, ...);
/* false: it was not there */
bool json_remove_at(json_node *root, const char *path);

/* RFC 7386. The patch is not changed. */
bool json_merge_patch(json_node *root, const json_node *patch, struct err *err);
/* RFC 6902: add, remove, replace, move, copy, test. ERR_STATE for a failing test or a place that is not there; the
 * tree is unchanged on any failure. */
bool json_patch(json_node *root, const json_node *operations, struct err *err);

/* --- comparing, printing ----------------------------------------------------------------------------------------- */

/* Deep; the order of an object's members does not matter, that of arrays does. */
bool json_equal(const json_node *a, const json_node *b);
/* Appended to out: compact, or indented by two blanks. Members in the tree's order. */
bool json_print(const json_node *node, bool pretty, struct buf *out, struct err *err);

#endif
