/* Watches: changes out of the store's history, one line an event. */
#include "sandbox/api/call.h"

#include "base/num.h"
#include "sandbox/api/selector.h"
#include "sandbox/api/table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define TIMEOUT_DEFAULT_S 1800
#define BOOKMARK_MS 60000
#define BOOKMARK_BEFORE_END_MS 2000 /* so that whoever watches again begins where this one ended */
#define FILL_MAX ((size_t)1 << 20)  /* events more come with the next call */
#define POLL_MS 500

struct watch {
	struct api_stream stream; /* first */
	struct store *store;
	struct store_watcher watcher;
	struct resource res;
	struct selector selector;
	char namespace_[NAME_LEN_MAX + 1];
	bool bookmarks, sent_any, ended, initial, table;
	uint64_t position, version;
	int64_t end_ms, bookmark_ms;
	bool gone;	       /* the version asked for is too old */
	struct object **first; /* synthetic ADDED events, referenced */
	size_t first_count, first_at;
};

static bool add_event(struct watch *w, const char *type, const struct object *object, struct buf *out)
{
	struct err err = ERR_INIT;
	size_t before = out->len;

	if (buf_printf(out, &err, "{\"type\":\"%s\",\"object\":", type) &&
	    (w->table ? table_print_event(&w->res, object, out, &err)
		      : call_print_object(&w->res, object, out, &err)) &&
	    buf_add_str(out, "}\n", &err))
		return true;
	out->len = before;
	return false;
}

static bool add_gone(struct watch *w, struct buf *out)
{
	struct err err = ERR_INIT;
	char message[128];

	snprintf(message, sizeof message, "too old resource version: %llu (%llu)", (unsigned long long)w->version,
	    (unsigned long long)db_oldest(w->store));
	return buf_add_str(out, "{\"type\":\"ERROR\",\"object\":", &err) &&
	       status_print(out, 410, "Expired", NULL, message, &err) && buf_add_str(out, "}\n", &err);
}

static void add_bookmark(struct watch *w, uint64_t version, struct buf *out)
{
	buf_printf(out, NULL,
	    "{\"type\":\"BOOKMARK\",\"object\":{\"kind\":\"%s\",\"apiVersion\":\"%s\",\"metadata\":{"
	    "\"resourceVersion\":\"%llu\","
	    "\"creationTimestamp\":null}}}\n",
	    w->res.kind, w->res.api_version, (unsigned long long)version);
}

static bool wanted(const struct watch *w, const struct object *object)
{
	return object && (!w->namespace_[0] || !strcmp(w->namespace_, object->namespace_)) &&
	       selector_matches(&w->selector, object_root(object));
}

/* What a change is to this watch: one that leaves the selector is a deletion. NULL: nothing. */
static const char *event_type(const struct watch *w, const struct store_event *e)
{
	bool now = !e->removed && wanted(w, e->object);
	bool before = wanted(w, e->removed ? e->object : e->before);

	if (now)
		return before ? "MODIFIED" : "ADDED";
	return before ? "DELETED" : NULL;
}

static bool fill_history(struct watch *w, struct buf *out)
{
	const struct store_event *e;
	bool lost;

	while (out->len < FILL_MAX && (e = db_event_at(w->store, w->position, &lost))) {
		const char *type;

		w->position++;
		w->version = e->version;
		if (strcmp(e->key, w->res.key) != 0)
			continue;
		type = event_type(w, e);
		if (type && !add_event(w, type, e->object, out))
			return false;
		w->sent_any |= type != NULL;
	}
	db_event_at(w->store, w->position, &lost);
	if (lost) {
		add_gone(w, out);
		return false;
	}
	return true;
}

static int64_t now_ms(const struct watch *w)
{
	return clock_mono_ms(db_clock(w->store));
}

/* INT64_MAX: none any more. */
static int64_t next_bookmark_ms(const struct watch *w)
{
	int64_t now = now_ms(w), last = w->end_ms - BOOKMARK_BEFORE_END_MS;

	if (last > now + BOOKMARK_MS)
		return now + BOOKMARK_MS;
	return last > now ? last : INT64_MAX;
}

static bool watch_fill(struct api_stream *stream, struct buf *out)
{
	struct watch *w = (struct watch *)stream;
	eventfd_t ignored;
	bool ok = true;

	if (w->ended)
		return false;
	while (w->first_at < w->first_count && out->len < FILL_MAX) {
		if (!add_event(w, "ADDED", w->first[w->first_at], out))
			return false;
		w->sent_any = true;
		object_unref(w->first[w->first_at]);
		w->first[w->first_at++] = NULL;
	}
	if (w->first_at < w->first_count)
		return true;
	(void)eventfd_read(w->watcher.fd, &ignored);
	db_lock(w->store);
	if (w->gone)
		add_gone(w, out);
	/* a definition that is gone takes its watches along */
	ok = !w->gone && fill_history(w, out) && resource_is_served(w->store, &w->res);
	if (ok && w->bookmarks && w->sent_any && now_ms(w) >= w->bookmark_ms) {
		add_bookmark(w, w->version, out);
		w->bookmark_ms = next_bookmark_ms(w);
	}
	db_unlock(w->store);
	if (out->len >= FILL_MAX)
		(void)eventfd_write(w->watcher.fd, 1);
	if (ok && now_ms(w) < w->end_ms)
		return true;
	w->ended = true;
	return false;
}

static void watch_free(struct api_stream *stream)
{
	struct watch *w = (struct watch *)stream;

	db_unwatch(w->store, &w->watcher);
	if (w->watcher.fd >= 0)
		close(w->watcher.fd);
	for (size_t i = w->first_at; i < w->first_count; i++)
		object_unref(w->first[i]);
	free(w->first);
	selector_clear(&w->selector);
	resource_clear(&w->res);
	free(w);
}

static bool add_first(struct watch *w, struct err *err)
{
	const struct store_kind *kind = db_kind_of(w->store, w->res.key);

	if (!kind || !kind->count)
		return true;
	w->first = calloc(kind->count, sizeof(struct object *));
	if (!w->first)
		return err_nomem(err);
	for (size_t i = 0; i < kind->count; i++)
		if (wanted(w, kind->items[i]))
			w->first[w->first_count++] = object_ref(kind->items[i]);
	return true;
}

/* Where it begins. The store is locked. */
static bool begin(struct call *c, struct watch *w, bool given, uint64_t version, struct err *err)
{
	w->version = db_version(w->store);
	w->position = db_position(w->store);
	db_watch(w->store, &w->watcher);
	if (!given || !version)
		return add_first(w, err);
	/* a version of the future: silence until it comes, as a real server has it */
	if (version >= w->version)
		return true;
	if (!db_position_of(w->store, version, &w->position)) {
		w->gone = true;
		w->version = version;
	}
	(void)c;
	return true;
}

static int64_t timeout_ms(const struct call *c)
{
	const char *text = query_get(&c->query, "timeoutSeconds");
	int64_t seconds;

	if (text && num_parse_i64(text, strlen(text), &seconds) && seconds > 0 && seconds < 86400)
		return seconds * 1000;
	return (int64_t)TIMEOUT_DEFAULT_S * 1000;
}

bool call_watch(struct call *c)
{
	struct watch *w;
	struct err err = ERR_INIT;
	uint64_t version;
	bool given, ok;

	if (query_get(&c->query, "sendInitialEvents"))
		return status_failure(c->response, 422, "Invalid", NULL,
		    "ListOptions.meta.k8s.io \"\" is invalid: sendInitialEvents: Forbidden: sendInitialEvents is "
		    "forbidden for watch "
		    "unless the WatchList feature gate is enabled");
	if (!call_parse_version(c, "resourceVersion", &given, &version))
		return false;
	w = calloc(1, sizeof *w);
	if (!w)
		return !err_nomem(&err) && status_internal(c->response, &err);
	w->store = c->store;
	w->watcher.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	w->watcher.key = NULL;
	w->stream = (struct api_stream){watch_fill, watch_free, w->watcher.fd, POLL_MS};
	snprintf(w->namespace_, sizeof w->namespace_, "%s", c->namespace_);
	w->bookmarks = query_flag(&c->query, "allowWatchBookmarks");
	w->table = table_is_wanted(c->request->accept);
	w->end_ms = now_ms(w) + timeout_ms(c);
	w->bookmark_ms = next_bookmark_ms(w);
	/* one object by its name is the same as the field selector */
	if (w->watcher.fd < 0 || !selector_parse(query_get(&c->query, "labelSelector"),
				     query_get(&c->query, "fieldSelector"), &c->res, &w->selector, &err)) {
		watch_free(&w->stream);
		return status_bad_request(c->response, "%s", err.msg[0] ? err.msg : "no descriptor is free");
	}
	db_lock(c->store);
	w->res = c->res;
	if (w->res.crd)
		object_ref(w->res.crd);
	w->watcher.key = NULL;
	ok = begin(c, w, given, version, &err);
	db_unlock(c->store);
	if (!ok) {
		watch_free(&w->stream);
		return status_internal(c->response, &err);
	}
	c->response->code = 200;
	c->response->stream = &w->stream;
	return true;
}
