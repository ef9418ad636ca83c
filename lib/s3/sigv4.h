/*
 * AWS Signature Version 4, the Authorization header form (docs.aws.amazon.com: "Authenticating Requests (AWS
 * Signature Version 4)").
 *
 * Pure: everything that goes into a signature, the time too, is an argument. Nothing here normalises a path: S3 signs
 * and serves keys as they are, so "a/../b" and "a//b" are keys of their own.
 */
#ifndef S3_SIGV4_H
#define S3_SIGV4_H

#include "base/buf.h"
#include "base/err.h"
#include "net/headers.h"

#include <stddef.h>
#include <stdint.h>

#define SIGV4_EMPTY_SHA256 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define SIGV4_DATE_TEXT_MAX 17 /* "20150830T123600Z" */

struct sigv4_pair {
	const char *name;
	const char *value;
};

struct sigv4_request {
	const char *method;
	const char *path;		/* not encoded, begins with '/' */
	const struct sigv4_pair *query; /* not encoded, in any order */
	size_t query_count;
	const struct http_headers *headers; /* all of them are signed; must hold Host and X-Amz-Date */
	const char *payload_sha256;	    /* 64 hex digits, or "UNSIGNED-PAYLOAD" */
};

struct sigv4_scope {
	const char *access_key;
	const char *secret_key;
	const char *region;
	const char *service;
};

/* "20150830T123600Z" of a wall clock between 1970 and 9999. */
const char *sigv4_date(int64_t wall_ms, char text[static SIGV4_DATE_TEXT_MAX]);
/* The query as it is signed and as it must be sent: encoded, sorted, each name with '='. "" for none. */
bool sigv4_query(const struct sigv4_pair *query, size_t count, struct buf *out, struct err *err);
bool sigv4_canonical_request(const struct sigv4_request *req, struct buf *out, struct err *err);
/* The value of the Authorization header. */
bool sigv4_authorization(
    const struct sigv4_request *req, const struct sigv4_scope *scope, struct buf *out, struct err *err);

#endif
