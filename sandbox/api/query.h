/* The target of a request: path segments and query parameters, unescaped, within bounds. */
#ifndef API_QUERY_H
#define API_QUERY_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define QUERY_SEGMENTS_MAX 12
#define QUERY_PARAMS_MAX 32

struct query {
	char *text; /* owned: what the pointers below lead into */
	const char *segments[QUERY_SEGMENTS_MAX];
	size_t segment_count;
	struct {
		const char *key, *value;
	} params[QUERY_PARAMS_MAX];
	size_t param_count;
	bool odd; /* an empty segment, a NUL, too many segments: no path of this server */
};

/* ERR_PARSE: a query string that cannot be unescaped, or too many parameters. */
bool query_parse(const char *target, struct query *ret, struct err *err);
void query_clear(struct query *q);
#define QUERY_CLEANUP __attribute__((cleanup(query_clear)))

/* NULL: not there. The first one counts. */
const char *query_get(const struct query *q, const char *key);
/* "1", "true" and an empty value are true; missing and "false", "0" false. Anything else is true. */
bool query_flag(const struct query *q, const char *key);

#endif
