/*
 * From saved objects to objects that can be created again: what is kept, what is left out, and in which order. Pure.
 */
#ifndef SANDBOX_KASTEN_CLEAN_H
#define SANDBOX_KASTEN_CLEAN_H

#include "doc/json_edit.h"

/*
 * Kinds that are no part of an application: events, leases, endpoints and metrics (which others derive), pods (their
 * workloads make them), and Kasten's own actions and restore points.
 */
bool clean_kind_is_saved(const char *group, const char *resource);

/* Somebody else's: it has an owner that would make it anew. */
bool clean_is_managed(const json_node *object);

/*
 * A copy for another creation in namespace_: without status, identity (uid, resourceVersion, times, managedFields) and
 * owners; a claim without its volume, a Service without its address.
 */
bool clean_for_restore(const json_node *object, const char *namespace_, struct json **ret, struct err *err);

/* Lower is created earlier: what others need before the others. */
int clean_rank(const char *group, const char *resource);

#endif
