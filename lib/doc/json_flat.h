/*
 * One flat JSON object read in place: no tree, no copy, no allocation. For lines by the million, where a tree costs
 * more than all the rest.
 *
 * It understands what this project's own writers put into simple lines: one object without blanks, with at most
 * JSON_FLAT_MAX members of different names, whose values are strings of printable ASCII without escapes, whole
 * numbers of at most 15 digits, true or false. For anything else, well-formed or not, it says false, and the caller
 * asks json_parse, which is the authority: whatever is accepted here is accepted there, with the same content.
 */
#ifndef DOC_JSON_FLAT_H
#define DOC_JSON_FLAT_H

#include "base/optime.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JSON_FLAT_MAX 16

enum json_flat_kind { JSON_FLAT_STRING, JSON_FLAT_NUMBER, JSON_FLAT_BOOL };

struct json_flat_member {
	const char *key, *value; /* into the text; a string's value is without its quotes; no NUL behind */
	size_t key_len, value_len;
	enum json_flat_kind kind;
};

struct json_flat {
	struct json_flat_member members[JSON_FLAT_MAX];
	size_t count;
};

/* The text must outlive ret. */
bool json_flat_parse(const char *text, size_t len, struct json_flat *ret);

/* false: no such member, or not of that form (text forms: doc/json.h). */
const struct json_flat_member *json_flat_get(const struct json_flat *flat, const char *key);
bool json_flat_int(const struct json_flat *flat, const char *key, int64_t min, int64_t max, int64_t *ret);
bool json_flat_i64(const struct json_flat *flat, const char *key, int64_t *ret);
bool json_flat_u64_hex(const struct json_flat *flat, const char *key, uint64_t *ret);
bool json_flat_bool(const struct json_flat *flat, const char *key, bool *ret);
bool json_flat_optime(const struct json_flat *flat, const char *key, struct optime *ret);
bool json_flat_time(const struct json_flat *flat, const char *key, int64_t *ret_wall_ms);
/* Copies a string with a NUL behind it. */
bool json_flat_copy(const struct json_flat *flat, const char *key, char *ret, size_t size);

#endif
