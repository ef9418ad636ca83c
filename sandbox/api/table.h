/* Answers as tables, for kubectl: columns of built-in kinds, and those that definitions print. */
#ifndef API_TABLE_H
#define API_TABLE_H

#include "sandbox/api/call.h"

/* The Accept header asks for a table before anything else. */
bool table_is_wanted(const char *accept);
/* Of these objects; meta: the inside of the list's metadata as JSON, with its name. */
bool table_print(const struct resource *res, struct object *const *items, size_t count, const char *meta,
    struct buf *out, struct err *err);
/* One event's object. */
bool table_print_event(const struct resource *res, const struct object *object, struct buf *out, struct err *err);

#endif
