/*
 * Inside this room only: fields of objects into fields of structs.
 */
#ifndef PSMDB_OBJECT_READ_H
#define PSMDB_OBJECT_READ_H

#include "doc/json_edit.h"

/* A text made harmless and cut to fit; "" if it is not there. */
void object_text(const json_node *object, const char *path, char *ret, size_t size);
/* A name that goes back into requests: ERR_LIMIT if it does not fit, ERR_PARSE if it holds what no name holds. "" if it
 * is not there. */
bool object_name(const json_node *object, const char *path, char *ret, size_t size, struct err *err);
/* metadata.name and .namespace and .uid; ERR_PARSE without a name. */
bool object_identity(const json_node *object, char *ret_namespace, char *ret_name, size_t name_size, char *ret_uid,
    size_t uid_size, struct err *err);
/* An RFC 3339 text; -1 if it is not there or none. */
int64_t object_time(const json_node *object, const char *path);
/* The finalizers, at most max; further ones, and too long ones, are left out. */
size_t object_finalizers(const json_node *object, char (*ret)[64], size_t max);

#endif
