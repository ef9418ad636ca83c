/*
 * Who is connected, and since when the server waits for a whole request of theirs: head and body. Who takes too long is
 * cut off by a thread of this module, however busily they send; in a crowd sooner, so that idle connections keep nobody
 * out. Nobody is cut off while they are answered.
 */
#ifndef API_WAITING_H
#define API_WAITING_H

#include "base/cleanup.h"
#include "base/err.h"

struct waiting;
struct visitor;

struct waiting_limits {
	int64_t request_ms; /* from the end of the last answer, or from the connection, to the end of a request */
	size_t crowd;	    /* connections */
	int64_t crowd_ms;   /* in place of request_ms while there are more */
};

bool waiting_new(const struct waiting_limits *limits, struct waiting **ret, struct err *err);
/* All visitors have left. */
void waiting_free(struct waiting *w);
CLEANUP_PTR(waiting, struct waiting, waiting_free)

/* The socket stays open until the visitor has left. NULL: no memory. */
struct visitor *waiting_enter(struct waiting *w, int socket);
void waiting_leave(struct waiting *w, struct visitor *v);
/* A whole request is there: it has all the time it needs. */
void waiting_serve(struct waiting *w, struct visitor *v);
/* It was answered: the next one is waited for. */
void waiting_again(struct waiting *w, struct visitor *v);

#endif
