/*
 * URLs: percent-encoding, the little parsing that a client needs, and a form that may stand in messages.
 *
 * Accepted are http and https URLs with a host, an optional port, a path and a query. User names in URLs, fragments,
 * blanks, control characters and bytes above 127 are refused.
 */
#ifndef NET_URL_H
#define NET_URL_H

#include "base/buf.h"
#include "base/err.h"

#define URL_MAX 16384
#define URL_AUTHORITY_MAX 300

struct url {
	bool tls;
	char authority[URL_AUTHORITY_MAX]; /* "host", "host:port" or "[v6]:port" as written: the Host header's value */
	const char *path;		   /* points into the text; "" if there is none */
	size_t path_len;		   /* without the query */
};

bool url_parse(const char *text, struct url *ret, struct err *err);

/* RFC 3986: everything but A-Z a-z 0-9 - . _ ~ becomes %XX in capitals; keep_slash leaves '/' alone. */
bool url_encode(struct buf *out, const char *text, size_t len, bool keep_slash, struct err *err);
/* The reverse. plus_is_blank: '+' means a blank, as in forms. ERR_PARSE for a broken escape or one of a NUL. */
bool url_decode(struct buf *out, const char *text, size_t len, bool plus_is_blank, struct err *err);

#define URL_SUBJECT_MAX 256
/* "host:port/path" without scheme and query, cut to fit: what messages may name. */
const char *url_subject(const char *text, char subject[static URL_SUBJECT_MAX]);

#endif
