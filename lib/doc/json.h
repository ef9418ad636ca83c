/*
 * Bounded JSON trees, on cJSON: the only place that parses JSON.
 *
 * What is refused, with one error that names the place: more than max_bytes, nesting over max_depth, anything behind
 * the value, a NUL (raw or \u0000), invalid UTF-8, a number beyond a double, and a repeated key in one object. Keys are case-sensitive.
 * Whole numbers within 64 bits keep their digits; json_need_int refuses them beyond 2^53 all the same: this project's
 * formats carry such as strings.
 */
#ifndef DOC_JSON_H
#define DOC_JSON_H

#include "base/cleanup.h"
#include "base/err.h"
#include "base/optime.h"
#include "base/uuid.h"

#include <stddef.h>
#include <stdint.h>

struct json; /* a parsed document; owns its tree */
typedef struct cJSON
    json_node; /* a place in a tree; lives as long as the document; fields are not touched outside this room */

struct json_limits {
	size_t max_bytes;
	int max_depth; /* at most 64 */
	bool
	    unique_keys; /* look for repeated keys (quadratic in the keys of one object, so objects are limited to 1,000 keys then) */
};
#define JSON_LIMITS_DEFAULT                                                                                            \
	{                                                                                                              \
		.max_bytes = 16 << 20, .max_depth = 32, .unique_keys = true                                            \
	}

bool json_parse(const char *text, size_t len, const struct json_limits *limits, struct json **ret, struct err *err);
void json_free(struct json *doc);
const json_node *json_root(const struct json *doc);
CLEANUP_PTR(json, struct json, json_free)

/* Lookups: NULL for a missing key, a node that is no object/array, or a NULL node, so that paths can be chained. */
const json_node *json_get(const json_node *node, const char *key);
const json_node *json_first(const json_node *node); /* first element of an array or member of an object */
const json_node *json_next(const json_node *node);
const char *json_key(const json_node *member);
size_t json_count(const json_node *node);
bool json_is_object(const json_node *node);
bool json_is_array(const json_node *node);
bool json_is_string(const json_node *node);
bool json_is_number(const json_node *node);
bool json_is_bool(const json_node *node);
bool json_is_null(const json_node *node);	/* an explicit null; false for NULL */
const char *json_string(const json_node *node); /* NULL if it is no string */
bool json_bool(const json_node *node, bool otherwise);
double json_number(const json_node *node, double otherwise);

/* Needed members: false and ERR_PARSE naming the key and what was wanted. */
bool json_need_string(const json_node *node, const char *key, const char **ret, struct err *err);
bool json_need_copy(
    const json_node *node, const char *key, char *ret, size_t size, struct err *err); /* ERR_LIMIT if it does not fit */
bool json_need_int(const json_node *node, const char *key, int64_t min, int64_t max, int64_t *ret,
    struct err *err);									   /* a JSON number */
bool json_need_i64(const json_node *node, const char *key, int64_t *ret, struct err *err); /* a decimal string */
bool json_need_u64_hex(
    const json_node *node, const char *key, uint64_t *ret, struct err *err); /* 16 hex digits in a string */
bool json_need_bool(const json_node *node, const char *key, bool *ret, struct err *err);
bool json_need_optime(const json_node *node, const char *key, struct optime *ret, struct err *err); /* "T,I" */
bool json_need_uuid(const json_node *node, const char *key, struct uuid *ret, struct err *err);
bool json_need_time(const json_node *node, const char *key, int64_t *ret_wall_ms, struct err *err); /* RFC 3339 */
bool json_need_object(const json_node *node, const char *key, const json_node **ret, struct err *err);
bool json_need_array(const json_node *node, const char *key, const json_node **ret, struct err *err);

#endif
