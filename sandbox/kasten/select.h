/*
 * Which objects are meant: label selectors, policies' selectors of namespaces, and the filters of backup and restore.
 * Pure; what is malformed is treated as Kasten treats it, which is not always what its author meant.
 */
#ifndef SANDBOX_KASTEN_SELECT_H
#define SANDBOX_KASTEN_SELECT_H

#include "doc/json_edit.h"

/*
 * matchLabels and matchExpressions (In, NotIn, Exists, DoesNotExist), all of which must hold. NULL or {} selects everything; an
 * unknown operator nothing. labels may be NULL.
 */
bool select_labels(const json_node *selector, const json_node *labels);

/* A policy's selector: the namespace's own labels and k10.kasten.io/appNamespace, which is its name. NULL selects nothing. */
bool select_namespace(const json_node *selector, const json_node *namespace_);

struct filter_subject {
	const char *group, *version, *resource; /* the resource is the plural */
	const json_node *object;
};

/*
 * filters.includeResources and .excludeResources: entries are OR-ed, the fields of one entry (group, version, resource, name, matchLabels,
 * matchExpressions) AND-ed. A missing or empty field matches all. Unknown keys are ignored: with a misspelt
 * "includeResources" everything is wanted. NULL wants everything.
 */
bool filter_wants(const json_node *filters, const struct filter_subject *subject);

#endif
