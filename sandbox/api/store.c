#include "sandbox/api/store.h"

#include "sandbox/api/store_log.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define HISTORY_DEFAULT 5000
#define HISTORY_BYTES_DEFAULT ((size_t)128 << 20)
#define KINDS_MAX 1024

struct store {
	const struct clock *clock;
	pthread_mutex_t lock;
	struct store_log *log;
	struct store_kind *kinds[KINDS_MAX];
	size_t kind_count;
	size_t live_bytes;
	uint64_t version;
	struct store_event *events; /* a ring of `history`: those of the positions first to position */
	size_t history;
	size_t history_bytes, history_bytes_max;
	uint64_t first, position;
	uint64_t oldest; /* the version before the first event */
	pthread_mutex_t watchers_lock;
	struct store_watcher *watchers;
};

/* --- kinds and places -------------------------------------------------------------------------------------------- */

static struct store_kind *find_kind(const struct store *s, const char *key)
{
	for (size_t i = 0; i < s->kind_count; i++)
		if (!strcmp(s->kinds[i]->key, key))
			return s->kinds[i];
	return NULL;
}

static struct store_kind *make_kind(struct store *s, const char *key, struct err *err)
{
	struct store_kind *kind = find_kind(s, key);

	if (kind)
		return kind;
	if (s->kind_count == KINDS_MAX) {
		err_set(err, ERR_LIMIT, "more than %d kinds of objects", KINDS_MAX);
		return NULL;
	}
	kind = calloc(1, sizeof *kind);
	if (kind)
		kind->key = strdup(key);
	if (!kind || !kind->key) {
		free(kind);
		err_nomem(err);
		return NULL;
	}
	return s->kinds[s->kind_count++] = kind;
}

size_t db_seek(const struct store_kind *kind, const char *namespace_, const char *name)
{
	size_t low = 0, high = kind->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(kind->items[middle]->namespace_, namespace_);

		if (!order)
			order = strcmp(kind->items[middle]->name, name);
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool is_at(const struct store_kind *kind, size_t at, const char *namespace_, const char *name)
{
	return at < kind->count && !strcmp(kind->items[at]->namespace_, namespace_) &&
	       !strcmp(kind->items[at]->name, name);
}

struct object *db_get(const struct store *s, const char *key, const char *namespace_, const char *name)
{
	const struct store_kind *kind = find_kind(s, key);
	size_t at;

	if (!kind)
		return NULL;
	at = db_seek(kind, namespace_, name);
	return is_at(kind, at, namespace_, name) ? kind->items[at] : NULL;
}

const struct store_kind *db_kind_of(const struct store *s, const char *key)
{
	return find_kind(s, key);
}

size_t db_kind_count(const struct store *s)
{
	return s->kind_count;
}

const struct store_kind *db_kind_at(const struct store *s, size_t index)
{
	return s->kinds[index];
}

static bool reserve_one(struct store_kind *kind, struct err *err)
{
	struct object **items;
	size_t cap = kind->cap ? kind->cap * 2 : 16;

	if (kind->count < kind->cap)
		return true;
	items = realloc(kind->items, cap * sizeof(struct object *));
	if (!items)
		return err_nomem(err);
	kind->items = items;
	kind->cap = cap;
	return true;
}

/* Room was reserved. Takes the object; the one that was there is handed back. */
static struct object *place(struct store *s, struct store_kind *kind, struct object *object)
{
	size_t at = db_seek(kind, object->namespace_, object->name);
	struct object *before = NULL;

	if (is_at(kind, at, object->namespace_, object->name)) {
		before = kind->items[at];
		s->live_bytes -= before->len;
	} else {
		memmove(kind->items + at + 1, kind->items + at, (kind->count - at) * sizeof(struct object *));
		kind->count++;
	}
	kind->items[at] = object;
	s->live_bytes += object->len;
	return before;
}

static struct object *take_out(struct store *s, struct store_kind *kind, size_t at)
{
	struct object *object = kind->items[at];

	kind->count--;
	memmove(kind->items + at, kind->items + at + 1, (kind->count - at) * sizeof(struct object *));
	s->live_bytes -= object->len;
	return object;
}

/* --- opening ----------------------------------------------------------------------------------------------------- */

static bool replay_put(struct store *s, struct store_kind *kind, const struct store_record *record, struct err *err)
{
	struct json *doc = NULL;
	struct object *object;

	if (!json_clone(record->put, &doc, err))
		return false;
	if (!object_new(doc, record->version, &object, err)) {
		json_free(doc);
		return false;
	}
	if (!reserve_one(kind, err)) {
		object_unref(object);
		return false;
	}
	object_unref(place(s, kind, object));
	return true;
}

static bool replay(void *ctx, const struct store_record *record, struct err *err)
{
	struct store *s = ctx;
	struct store_kind *kind;

	if (record->version > s->version)
		s->version = record->version;
	if (!record->key)
		return true;
	kind = make_kind(s, record->key, err);
	if (!kind)
		return false;
	if (record->put)
		return replay_put(s, kind, record, err);

	size_t at = db_seek(kind, record->namespace_, record->name);

	if (is_at(kind, at, record->namespace_, record->name))
		object_unref(take_out(s, kind, at));
	return true;
}

static bool write_anew(struct store *s, struct err *err)
{
	if (!store_log_rewrite_begin(s->log, s->version, err))
		return false;
	for (size_t i = 0; i < s->kind_count; i++)
		for (size_t j = 0; j < s->kinds[i]->count; j++)
			if (!store_log_rewrite_put(s->log, s->kinds[i]->key, s->kinds[i]->items[j], err))
				return false;
	return store_log_rewrite_end(s->log, err);
}

/* If it cannot be written anew the old one goes on, and whoever fills the disk is told by the next change. */
static void rewrite_log(struct store *s)
{
	struct err ignored = ERR_INIT;

	if (!write_anew(s, &ignored))
		store_log_rewrite_drop(s->log);
}

bool db_new(const struct store_options *options, struct store **ret, struct err *err)
{
	struct store *s = calloc(1, sizeof *s);

	if (!s)
		return err_nomem(err);
	s->clock = options->clock ? options->clock : clock_system();
	s->history = options->history ? options->history : HISTORY_DEFAULT;
	s->history_bytes_max = options->history_bytes ? options->history_bytes : HISTORY_BYTES_DEFAULT;
	s->version = 1;
	pthread_mutex_init(&s->lock, NULL);
	pthread_mutex_init(&s->watchers_lock, NULL);
	s->events = calloc(s->history, sizeof *s->events);
	if (!s->events) {
		err_nomem(err);
		goto fail;
	}
	if (options->path && !store_log_open(options->path, replay, s, &s->log, err))
		goto fail;
	if (s->log)
		rewrite_log(s);
	s->oldest = s->version;
	*ret = s;
	return true;
fail:
	db_close(s);
	return false;
}

static void drop_event(struct store_event *event)
{
	object_unref(event->object);
	object_unref(event->before);
	*event = (struct store_event){0};
}

void db_close(struct store *s)
{
	if (!s)
		return;
	for (size_t i = 0; s->events && i < s->history; i++)
		drop_event(&s->events[i]);
	for (size_t i = 0; i < s->kind_count; i++) {
		for (size_t j = 0; j < s->kinds[i]->count; j++)
			object_unref(s->kinds[i]->items[j]);
		free(s->kinds[i]->items);
		free(s->kinds[i]->key);
		free(s->kinds[i]);
	}
	free(s->events);
	store_log_close(s->log);
	pthread_mutex_destroy(&s->watchers_lock);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

const struct clock *db_clock(const struct store *s)
{
	return s->clock;
}

void db_lock(struct store *s)
{
	pthread_mutex_lock(&s->lock);
}

void db_unlock(struct store *s)
{
	pthread_mutex_unlock(&s->lock);
}

uint64_t db_version(const struct store *s)
{
	return s->version;
}

/* --- changes ----------------------------------------------------------------------------------------------------- */

static void wake(struct store *s, const char *key)
{
	pthread_mutex_lock(&s->watchers_lock);
	for (struct store_watcher *w = s->watchers; w; w = w->next)
		if (!w->key || !strcmp(w->key, key))
			(void)eventfd_write(w->fd, 1);
	pthread_mutex_unlock(&s->watchers_lock);
}

/* Also of what it replaced, which may be in no other event any more. */
static size_t event_bytes(const struct store_event *event)
{
	return event->object->len + (event->before ? event->before->len : 0);
}

static void drop_oldest(struct store *s)
{
	struct store_event *event = &s->events[s->first++ % s->history];

	s->oldest = event->version;
	s->history_bytes -= event_bytes(event);
	drop_event(event);
}

static void record_event(struct store *s, struct store_event event)
{
	if (s->position - s->first == s->history)
		drop_oldest(s);
	s->events[s->position++ % s->history] = event;
	s->history_bytes += event_bytes(&event);
	while (s->history_bytes > s->history_bytes_max)
		drop_oldest(s);
	wake(s, event.key);
}

static void shorten_log(struct store *s)
{
	if (s->log && store_log_is_long(s->log, s->live_bytes))
		rewrite_log(s);
}

static bool stamp(struct json *doc, uint64_t version, struct err *err)
{
	char text[24];

	snprintf(text, sizeof text, "%llu", (unsigned long long)version);
	return json_set_text(json_edit(doc), "metadata/resourceVersion", text, err);
}

bool db_put(struct store *s, const char *key, struct json *doc, struct object **ret, struct err *err)
{
	struct store_kind *kind = make_kind(s, key, err);
	struct object *object, *before;

	if (!kind || !reserve_one(kind, err) || !stamp(doc, s->version + 1, err) ||
	    !object_new(doc, s->version + 1, &object, err)) {
		json_free(doc);
		return false;
	}
	if (s->log && !store_log_put(s->log, kind->key, object, err)) {
		object_unref(object);
		return false;
	}
	s->version++;
	before = place(s, kind, object);
	record_event(s, (struct store_event){s->version, kind->key, object_ref(object), before, false});
	shorten_log(s);
	if (ret)
		*ret = object;
	return true;
}

bool db_remove(struct store *s, const char *key, const char *namespace_, const char *name, struct err *err)
{
	struct store_kind *kind = find_kind(s, key);
	size_t at = kind ? db_seek(kind, namespace_, name) : 0;
	struct json *doc = NULL;
	struct object *last;

	if (!kind || !is_at(kind, at, namespace_, name))
		return err_set(err, ERR_NOT_FOUND, "%s \"%s/%s\" is not there", key, namespace_, name);
	if (!json_clone(object_root(kind->items[at]), &doc, err))
		return false;
	if (!stamp(doc, s->version + 1, err) || !object_new(doc, s->version + 1, &last, err)) {
		json_free(doc);
		return false;
	}
	if (s->log && !store_log_remove(s->log, kind->key, s->version + 1, last->namespace_, last->name, err)) {
		object_unref(last);
		return false;
	}
	s->version++;
	record_event(s, (struct store_event){s->version, kind->key, last, take_out(s, kind, at), true});
	shorten_log(s);
	return true;
}

uint64_t db_position(const struct store *s)
{
	return s->position;
}

bool db_position_of(const struct store *s, uint64_t version, uint64_t *ret)
{
	uint64_t low = s->first, high = s->position;

	if (version < db_oldest(s))
		return false;
	while (low < high) {
		uint64_t middle = low + (high - low) / 2;

		if (s->events[middle % s->history].version <= version)
			low = middle + 1;
		else
			high = middle;
	}
	*ret = low;
	return true;
}

const struct store_event *db_event_at(const struct store *s, uint64_t position, bool *ret_lost)
{
	*ret_lost = position < s->first;
	if (*ret_lost || position >= s->position)
		return NULL;
	return &s->events[position % s->history];
}

uint64_t db_oldest(const struct store *s)
{
	return s->oldest;
}

void db_watch(struct store *s, struct store_watcher *watcher)
{
	pthread_mutex_lock(&s->watchers_lock);
	watcher->next = s->watchers;
	watcher->link = &s->watchers;
	if (s->watchers)
		s->watchers->link = &watcher->next;
	s->watchers = watcher;
	pthread_mutex_unlock(&s->watchers_lock);
}

void db_unwatch(struct store *s, struct store_watcher *watcher)
{
	pthread_mutex_lock(&s->watchers_lock);
	if (watcher->link) {
		*watcher->link = watcher->next;
		if (watcher->next)
			watcher->next->link = watcher->link;
		watcher->link = NULL;
	}
	pthread_mutex_unlock(&s->watchers_lock);
}
