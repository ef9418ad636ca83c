#include "kube/watch.h"

#include "kube/stream.h"

#include <stdio.h>
#include <string.h>

void event_stream_init(struct event_stream *s, const struct call *call, kube_on_event on_event, void *ctx)
{
	*s = (struct event_stream){.line = BUF_INIT(EVENT_BYTES_MAX), .on_event = on_event, .ctx = ctx, .call = call};
}

void event_stream_clear(struct event_stream *s)
{
	buf_clear(&s->line);
}

static bool type_of(const char *text, enum kube_event *ret)
{
	static const char *const types[] = {[KUBE_ADDED] = "ADDED",
	    [KUBE_MODIFIED] = "MODIFIED",
	    [KUBE_DELETED] = "DELETED",
	    [KUBE_BOOKMARK] = "BOOKMARK"};

	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		if (text && !strcmp(text, types[i])) {
			*ret = (enum kube_event)i;
			return true;
		}
	return false;
}

static bool take_event(struct event_stream *s, const char *line, size_t len, struct err *err)
{
	CLEANUP(json) struct json *doc = NULL;
	enum kube_event event;
	const json_node *object;
	char subject[KUBE_SUBJECT_MAX];

	if (!kube_parse(line, len, &doc, err))
		return err_wrap(err, "%s: an event", kube_subject(s->call, subject));
	object = json_get(json_root(doc), "object");
	if (json_is_at(json_root(doc), "type", "ERROR"))
		return kube_refused_status(s->call, object, err);
	if (!json_is_object(object))
		return err_set(err, ERR_PARSE, "%s: an event without an object", kube_subject(s->call, subject));
	/* a type that this program does not know yet says nothing about objects */
	return !type_of(json_text_at(json_root(doc), "type"), &event) || s->on_event(s->ctx, event, object, err);
}

bool event_stream_feed(struct event_stream *s, const char *bytes, size_t len, struct err *err)
{
	while (len) {
		const char *newline = memchr(bytes, '\n', len);
		size_t part = newline ? (size_t)(newline - bytes) : len;
		char subject[KUBE_SUBJECT_MAX];

		if (!buf_add(&s->line, bytes, part, err))
			return err_wrap(err, "%s: an event", kube_subject(s->call, subject));
		if (!newline)
			return true;
		if (s->line.len && !take_event(s, buf_str(&s->line), s->line.len, err))
			return false;
		buf_reset(&s->line);
		bytes += part + 1;
		len -= part + 1;
	}
	return true;
}

bool event_stream_end(const struct event_stream *s, struct err *err)
{
	char subject[KUBE_SUBJECT_MAX];

	return !s->line.len ||
	       err_set(err, ERR_NET, "%s: the stream ended within an event", kube_subject(s->call, subject));
}

/* --- one request ------------------------------------------------------------------------------------------------- */

struct watching {
	struct event_stream events;
	bool (*on_wait)(void *ctx, struct err *err);
};

static bool on_bytes(void *ctx, const char *bytes, size_t len, struct err *err)
{
	struct watching *w = ctx;

	return event_stream_feed(&w->events, bytes, len, err);
}

static bool on_wait(void *ctx, struct err *err)
{
	struct watching *w = ctx;

	return w->on_wait(w->events.ctx, err);
}

/* The server is asked to end it in time, which keeps the connection; the client does if that does not come. */
static bool watch_path(const struct kube_kind *kind, const char *namespace_, const struct kube_select *select,
    const char *from, int64_t timeout_ms, struct buf *path, struct err *err)
{
	char seconds[24];

	snprintf(seconds, sizeof seconds, "%lld", (long long)(timeout_ms < 1000 ? 1 : timeout_ms / 1000));
	return kube_path(path, kind, namespace_, NULL, NULL, err) && kube_query(path, "watch", "1", err) &&
	       kube_query(path, "allowWatchBookmarks", "true", err) &&
	       kube_query(path, "timeoutSeconds", seconds, err) &&
	       (!from || kube_query(path, "resourceVersion", from, err)) && kube_add_select(path, select, err);
}

bool kube_watch_while(struct kube *k, const struct kube_kind *kind, const char *namespace_,
    const struct kube_select *select, const char *from, int64_t timeout_ms, kube_on_event on_event,
    bool (*wait)(void *ctx, struct err *err), void *ctx, struct err *err)
{
	BUF_CLEANUP struct buf path = BUF_INIT(KUBE_PATH_MAX);
	struct watching w = {.on_wait = wait};
	struct call call = {
	    .verb = "watch", .method = "GET", .kind = kind, .namespace_ = kind->namespaced ? namespace_ : NULL};
	struct stream stream = {.on_bytes = on_bytes,
	    .on_wait = wait ? on_wait : NULL,
	    .ctx = &w,
	    .timeout_ms = timeout_ms < 1000 ? timeout_ms : timeout_ms + 1000};
	int64_t until_ms = clock_mono_ms(k->clock) + stream.timeout_ms;
	struct err why = ERR_INIT;
	bool ok;

	if (!watch_path(kind, namespace_, select, from, timeout_ms, &path, err))
		return err_wrap(err, "watch");
	call.path = buf_str(&path);
	event_stream_init(&w.events, &call, on_event, ctx);
	ok = kube_stream(k, &call, &stream, &why) && (stream.ended || event_stream_end(&w.events, &why));
	event_stream_clear(&w.events);
	/* our own limit */
	if (ok || (why.code == ERR_TIMEOUT && clock_mono_ms(k->clock) >= until_ms))
		return true;
	if (err)
		*err = why;
	return false;
}

bool kube_watch(struct kube *k, const struct kube_kind *kind, const char *namespace_, const struct kube_select *select,
    const char *from, int64_t timeout_ms, kube_on_event on_event, void *ctx, struct err *err)
{
	return kube_watch_while(k, kind, namespace_, select, from, timeout_ms, on_event, NULL, ctx, err);
}
