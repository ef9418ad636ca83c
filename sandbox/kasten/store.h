/*
 * What the Kasten stand-in keeps on disk: the contents of restore points, and the jobs that are under way.
 *
 * DIR/contents/NAME.json and DIR/jobs/UID.json, folders 0700, files 0600 (contents hold the values of secrets), each written whole or
 * not at all. Names are those of the API server's objects; one that could lead elsewhere is refused.
 */
#ifndef SANDBOX_KASTEN_STORE_H
#define SANDBOX_KASTEN_STORE_H

#include "doc/json_edit.h"

#include <limits.h>

#define STORE_CONTENT_MAX (64 << 20)
#define STORE_JOB_MAX (8 << 20)

enum store_kind { STORE_CONTENTS, STORE_JOBS };

struct store {
	char dir[PATH_MAX];
};

/* Makes the folders. */
bool store_open(const char *dir, struct store *ret, struct err *err);
bool store_put(const struct store *s, enum store_kind kind, const char *name, const json_node *doc, struct err *err);
/* NOT_FOUND if there is none. */
bool store_get(const struct store *s, enum store_kind kind, const char *name, struct json **ret, struct err *err);
/* True if there is none. */
bool store_remove(const struct store *s, enum store_kind kind, const char *name, struct err *err);
/* Each name once; the callback's false ends it. */
bool store_each(const struct store *s, enum store_kind kind, bool (*each)(void *ctx, const char *name, struct err *err),
    void *ctx, struct err *err);

#endif
