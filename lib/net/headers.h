/*
 * HTTP header fields, of a request or a response: an ordered, bounded list. Names are compared without regard to
 * case.
 *
 * Names are tokens, and values hold no CR, LF or NUL: nothing that came from outside can start a second header.
 */
#ifndef NET_HEADERS_H
#define NET_HEADERS_H

#include "base/err.h"

#include <stddef.h>

#define HTTP_HEADERS_MAX 128
#define HTTP_HEADERS_BYTES_MAX (256 * 1024)

struct http_header {
	char *name;
	char *value;
};

struct http_headers {
	struct http_header *items;
	size_t count;
	size_t bytes;
};

#define HTTP_HEADERS_INIT                                                                                              \
	{                                                                                                              \
		0                                                                                                      \
	}

void http_headers_clear(struct http_headers *h); /* values are wiped: some are credentials */
/* Adds a field; blanks around the value are taken off. */
bool http_headers_add(struct http_headers *h, const char *name, const char *value, struct err *err);
/* Replaces all fields of that name by one. */
bool http_headers_set(struct http_headers *h, const char *name, const char *value, struct err *err);
bool http_headers_copy(struct http_headers *h, const struct http_headers *from, struct err *err);
/* The first field of that name; NULL if there is none. */
const char *http_headers_get(const struct http_headers *h, const char *name);

#define HTTP_HEADERS_CLEANUP __attribute__((cleanup(http_headers_clear)))

#endif
