/*
 * JSON written straight into a buffer, compact. Commas and quotes are the writer's business; nesting is the caller's
 * and is checked by an assertion. Strings are escaped, and invalid UTF-8 is replaced by U+FFFD, so that the result
 * always parses again. The first failure (the buffer's maximum, memory) sticks: ask json_writer_ok once at the end.
 */
#ifndef DOC_JSON_WRITER_H
#define DOC_JSON_WRITER_H

#include "base/buf.h"
#include "base/optime.h"
#include "base/uuid.h"

struct json_writer {
	struct buf *out;
	struct err err;
	int depth;
	bool comma;
};

void json_writer_init(struct json_writer *w, struct buf *out);
bool json_writer_ok(const struct json_writer *w, struct err *err);

/* key is NULL inside arrays and for the root. */
void json_object(struct json_writer *w, const char *key);
void json_array(struct json_writer *w, const char *key);
void json_end_object(struct json_writer *w);
void json_end_array(struct json_writer *w);
void json_put_string(struct json_writer *w, const char *key, const char *value);
void json_put_string_n(struct json_writer *w, const char *key, const char *value, size_t len);
void json_put_bool(struct json_writer *w, const char *key, bool value);
void json_put_null(struct json_writer *w, const char *key);
void json_put_int(struct json_writer *w, const char *key, int64_t value); /* a JSON number; |value| <= 2^53 */
void json_put_double(
    struct json_writer *w, const char *key, double value, int decimals);       /* a JSON number; not finite: null */
void json_put_i64(struct json_writer *w, const char *key, int64_t value);      /* a decimal string */
void json_put_u64_hex(struct json_writer *w, const char *key, uint64_t value); /* 16 hex digits in a string */
void json_put_optime(struct json_writer *w, const char *key, struct optime value);
void json_put_uuid(struct json_writer *w, const char *key, const struct uuid *value);
void json_put_time(struct json_writer *w, const char *key, int64_t wall_ms);

#endif
