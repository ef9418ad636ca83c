/*
 * A request and its answer as plain values: what the server's handler works on, without sockets.
 */
#ifndef API_HTTP_H
#define API_HTTP_H

#include "base/buf.h"

#include <stdint.h>

struct api_request {
	const char *method;
	const char *target;						/* as sent: path and query, still escaped */
	const char *authorization, *content_type, *accept, *user_agent; /* NULL: no such header */
	const char *body;
	size_t body_len;
	bool body_too_large; /* more than API_BODY_MAX was sent; it was thrown away */
};

#define API_BODY_MAX 3145728
#define API_BODY_DEPTH_MAX 60 /* levels */
#define API_ANSWER_MAX (64u << 20)

/* An answer that goes on: watches and followed logs. */
struct api_stream {
	/* Appends what there is now, possibly nothing. false: this was the end (what was appended is still sent). */
	bool (*fill)(struct api_stream *stream, struct buf *out);
	void (*free)(struct api_stream *stream);
	int fd;	     /* becomes readable when there may be more; -1: ask again after poll_ms */
	int poll_ms; /* ask at least so often */
};

struct api_response {
	int code;
	const char *content_type;
	struct buf body;
	char warnings[3][256]; /* texts of Warning headers */
	size_t warning_count;
	int retry_after_s;
	struct api_stream *stream; /* NULL: the body is all */
};

/* Once a request, by whoever answers it: 500 with an empty body. */
void api_response_init(struct api_response *r);
void api_response_clear(struct api_response *r);

#endif
