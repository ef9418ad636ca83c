/* Small readers of BSON documents that came from outside: a wrong type or a missing key is false, never a crash. */
#ifndef MONGO_BSON_UTIL_H
#define MONGO_BSON_UTIL_H

#include "base/optime.h"

#include "base/cleanup.h"

#include <bson/bson.h>
#include <stdbool.h>

CLEANUP_PTR(bson, bson_t, bson_destroy)
#define BSON_CLEANUP __attribute__((cleanup(cleanup_bson_value)))
static inline void cleanup_bson_value(bson_t *b)
{
	bson_destroy(b);
}

/* path is dotted: "lastWrite.majorityOpTime.ts". */
bool bson_path(const bson_t *doc, const char *path, bson_iter_t *ret);
bool bson_path_optime(const bson_t *doc, const char *path, struct optime *ret);
bool bson_path_i64(const bson_t *doc, const char *path, int64_t *ret); /* int32, int64, and doubles that are whole */
bool bson_path_bool(const bson_t *doc, const char *path, bool *ret);
const char *bson_path_utf8(const bson_t *doc, const char *path, uint32_t *ret_len); /* NULL if absent or no string */
bool bson_path_date_ms(const bson_t *doc, const char *path, int64_t *ret);
bool bson_path_oid(const bson_t *doc, const char *path, bson_oid_t *ret);
bool bson_path_doc(
    const bson_t *doc, const char *path, bson_t *ret_view); /* document or array; a view, not to be destroyed */

#endif
