/*
 * Names of the operator's things: kinds, objects, labels, finalizers, and times as Kubernetes writes them. The writing
 * side of the sandbox; version 1.14 of Percona's operator is what it follows.
 */
#ifndef OPERATOR_NAMES_H
#define OPERATOR_NAMES_H

#include "base/err.h"
#include "doc/json_edit.h"

#include <stdint.h>

#define OP_GROUP "psmdb.percona.com"
#define OP_VERSION "1.14.0"
#define OP_NAME_MAX 254 /* a DNS subdomain and a NUL */
#define OP_PORT 27017
#define OP_MANAGER "percona-server-mongodb-operator"

#define OP_NOTE_ANNOTATION "psmdb-drill/note"
#define OP_SENT_ANNOTATION "psmdb-drill/sent"	    /* when a command was given to PBM whose name is not known yet */
#define OP_DESIRED_ANNOTATION "psmdb-drill/desired" /* digest of what the operator asked for */

#define OP_FINALIZER_IN_ORDER "delete-psmdb-pods-in-order"
#define OP_FINALIZER_PVC "delete-psmdb-pvc"
#define OP_FINALIZER_BACKUP "delete-backup"

struct op_name {
	char text[OP_NAME_MAX];
};
/* As a value: op_name("%s-%s", cluster, set).text lives to the end of the full expression. */
struct op_name op_name(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Fit for an object's name, a path and a command line: lower-case letters, digits, '-' and '.', not at the ends. */
bool op_name_valid(const char *name);

/* The object's finalizer, in its old (bare) or new ("percona.com/...") spelling; NULL if it has none. */
const char *op_finalizer(const json_node *object, const char *bare);
/* The object's finalizers without the bare one, as an array. */
bool op_finalizers_without(const json_node *object, const char *bare, struct json **ret, struct err *err);

/* component: "mongod", "cfg", "mongos"; set: NULL for mongos. */
bool op_labels(const char *cluster, const char *component, const char *set, struct json **ret, struct err *err);

#define OP_TIME_MAX 24
/* "2023-04-03T07:46:17Z" */
const char *op_time(int64_t wall_ms, char text[static OP_TIME_MAX]);

#endif
