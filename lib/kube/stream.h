/*
 * Inside of this room: a watch's stream of bytes, cut into events. Bounded: an event of more than EVENT_BYTES_MAX is
 * refused.
 */
#ifndef KUBE_STREAM_H
#define KUBE_STREAM_H

#include "kube/request.h"
#include "kube/watch.h"

#define EVENT_BYTES_MAX (8 << 20)

struct event_stream {
	struct buf line; /* what came since the last newline */
	kube_on_event on_event;
	void *ctx;
	const struct call *call; /* for messages */
};

void event_stream_init(struct event_stream *s, const struct call *call, kube_on_event on_event, void *ctx);
void event_stream_clear(struct event_stream *s);
#define EVENT_STREAM_CLEANUP __attribute__((cleanup(event_stream_clear)))
/* false with err->code NONE: on_event ended it. */
bool event_stream_feed(struct event_stream *s, const char *bytes, size_t len, struct err *err);
/* The stream is at its end: half an event is an error. */
bool event_stream_end(const struct event_stream *s, struct err *err);

/* kube_watch with something to call while it waits. on_wait ends it by returning false with err->code NONE. */
bool kube_watch_while(struct kube *k, const struct kube_kind *kind, const char *namespace_,
    const struct kube_select *select, const char *from, int64_t timeout_ms, kube_on_event on_event,
    bool (*on_wait)(void *ctx, struct err *err), void *ctx, struct err *err);

#endif
