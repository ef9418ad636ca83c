#include "kube/stream.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>

#define WATCH_MS 290000
#define LIST_MS 30000
#define POLL_MS 1000
#define DELAY_MS_FIRST 20 /* a server that starts beside its clients is there soon */
#define DELAY_MS_MAX 5000

struct kube_cache {
	/* of the thread alone */
	struct kube *k;
	struct kube_kind kind;
	char *namespace_, *labels, *fields;
	char version[64]; /* to watch on from; "": list first */
	int64_t delay_ms;
	bool heard; /* something in this round */
	/* of both */
	int notify_fd;
	int stop_fd;
	volatile int stop; /* atomic */
	pthread_t thread;
	bool started;
	pthread_mutex_t lock; /* guards what follows */
	struct json **items;  /* in order of namespace and name */
	size_t count, cap;
	bool synced;
	struct err failure; /* of the last round; NONE: it went well */
};

/* --- the store --------------------------------------------------------------------------------------------------- */

static int compare(const char *namespace_, const char *name, const json_node *item)
{
	const char *of = kube_namespace(item), *called = kube_name(item);
	int order = strcmp(namespace_ ? namespace_ : "", of ? of : "");

	return order ? order : strcmp(name ? name : "", called ? called : "");
}

/* Where it is, or where it would be. */
static bool find(const struct kube_cache *c, const char *namespace_, const char *name, size_t *ret)
{
	size_t low = 0, high = c->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = compare(namespace_, name, json_root(c->items[middle]));

		if (!order) {
			*ret = middle;
			return true;
		}
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	*ret = low;
	return false;
}

static bool reserve(struct kube_cache *c, struct err *err)
{
	size_t cap = c->cap ? c->cap * 2 : 32;
	struct json **more;

	if (c->count < c->cap)
		return true;
	more = reallocarray(c->items, cap, sizeof *more);
	if (!more)
		return err_nomem(err);
	c->items = more;
	c->cap = cap;
	return true;
}

static bool put(struct kube_cache *c, const json_node *object, struct err *err)
{
	struct json *copy;
	size_t at;

	if (!kube_name(object))
		return err_set(err, ERR_PARSE, "%s: an object without a name", c->kind.plural);
	if (!json_clone(object, &copy, err))
		return false;
	if (find(c, kube_namespace(object), kube_name(object), &at)) {
		json_free(c->items[at]);
		c->items[at] = copy;
		return true;
	}
	if (!reserve(c, err)) {
		json_free(copy);
		return false;
	}
	memmove(c->items + at + 1, c->items + at, (c->count - at) * sizeof *c->items);
	c->items[at] = copy;
	c->count++;
	return true;
}

static void drop(struct kube_cache *c, const json_node *object)
{
	size_t at;

	if (!find(c, kube_namespace(object), kube_name(object), &at))
		return;
	json_free(c->items[at]);
	c->count--;
	memmove(c->items + at, c->items + at + 1, (c->count - at) * sizeof *c->items);
}

static void empty(struct kube_cache *c)
{
	for (size_t i = 0; i < c->count; i++)
		json_free(c->items[i]);
	c->count = 0;
}

static void notify(const struct kube_cache *c)
{
	uint64_t one = 1;

	/* a full counter is as good as one more */
	if (c->notify_fd >= 0 && write(c->notify_fd, &one, sizeof one) < 0)
		return;
}

/* --- the thread -------------------------------------------------------------------------------------------------- */

static void note_version(struct kube_cache *c, const json_node *object)
{
	const char *version = kube_version(object);

	if (version && strlen(version) < sizeof c->version)
		strcpy(c->version, version);
}

static bool on_event(void *ctx, enum kube_event event, const json_node *object, struct err *err)
{
	struct kube_cache *c = ctx;
	bool ok = true;

	c->heard = true;
	c->delay_ms = 0;
	if (event != KUBE_BOOKMARK) {
		pthread_mutex_lock(&c->lock);
		if (event == KUBE_DELETED)
			drop(c, object);
		else
			ok = put(c, object, err);
		pthread_mutex_unlock(&c->lock);
		notify(c);
	}
	note_version(c, object);
	return ok;
}

static bool take_list(struct kube_cache *c, const json_node *list, struct err *err)
{
	bool ok = true;

	pthread_mutex_lock(&c->lock);
	empty(c);
	for (const json_node *item = json_first(json_get(list, "items")); item && ok; item = json_next(item))
		ok = put(c, item, err);
	c->synced = c->synced || ok;
	pthread_mutex_unlock(&c->lock);
	if (ok)
		note_version(c, list);
	notify(c);
	return ok;
}

static bool follow(struct kube_cache *c, struct err *err)
{
	struct kube_select select = {.labels = c->labels, .fields = c->fields};

	if (!*c->version) {
		CLEANUP(json) struct json *list = NULL;

		if (!kube_list_within(c->k, &c->kind, c->namespace_, &select, 1, LIST_MS, &list, err) ||
		    !take_list(c, json_root(list), err))
			return false;
	}
	if (!(c->kind.verbs & KUBE_WATCH)) {
		*c->version = '\0';
		return true;
	}
	return kube_watch(c->k, &c->kind, c->namespace_, &select, c->version, WATCH_MS, on_event, c, err);
}

static bool stopped(const struct kube_cache *c)
{
	return __atomic_load_n(&c->stop, __ATOMIC_ACQUIRE) != 0;
}

/* A watch that was cut goes on where it was; anything else that went wrong begins anew. */
static void settle(struct kube_cache *c, bool ok, const struct err *why)
{
	if (!ok && !kube_is_away(c->k, why))
		*c->version = '\0';
	pthread_mutex_lock(&c->lock);
	c->failure = ok || why->code == ERR_GONE ? (struct err)ERR_INIT : *why;
	pthread_mutex_unlock(&c->lock);
	if (ok)
		c->delay_ms = 0;
	else
		c->delay_ms = !c->delay_ms		       ? DELAY_MS_FIRST
			      : c->delay_ms < DELAY_MS_MAX / 2 ? c->delay_ms * 2
							       : DELAY_MS_MAX;
}

static void *run(void *ctx)
{
	struct kube_cache *c = ctx;
	const struct clock *clock = c->k->clock;

	while (!stopped(c)) {
		struct err why = ERR_INIT;
		int64_t began_ms = clock_mono_ms(clock), next_ms;
		bool ok;

		c->heard = false;
		ok = follow(c, &why);
		if (stopped(c))
			break;
		settle(c, ok, &why);
		if (ok && c->heard)
			continue;
		/* rounds that end well but with nothing new are a second apart, too */
		next_ms = ok ? began_ms + POLL_MS : clock_mono_ms(clock) + c->delay_ms;
		clock_sleep_until(clock, next_ms * 1000000, &c->stop);
	}
	return NULL;
}

/* --- for its owner ----------------------------------------------------------------------------------------------- */

int kube_notify_new(void)
{
	return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
}

void kube_notify_drain(int fd)
{
	uint64_t count;

	if (read(fd, &count, sizeof count) < 0)
		return;
}

static bool copy(const char *from, char **ret)
{
	*ret = from ? strdup(from) : NULL;
	return !from || *ret;
}

bool kube_cache_new(const struct kube_config *config, const struct kube_options *options, const struct kube_kind *kind,
    const char *namespace_, const struct kube_select *select, int notify_fd, struct kube_cache **ret, struct err *err)
{
	struct kube_options own = options ? *options : (struct kube_options){0};
	CLEANUP(kube_cache) struct kube_cache *c = calloc(1, sizeof *c);
	int failed;

	if (!c)
		return err_nomem(err);
	c->stop_fd = -1;
	pthread_mutex_init(&c->lock, NULL);
	c->kind = *kind;
	c->notify_fd = notify_fd;
	if (!copy(namespace_, &c->namespace_) || !copy(select ? select->labels : NULL, &c->labels) ||
	    !copy(select ? select->fields : NULL, &c->fields))
		return err_nomem(err);
	c->stop_fd = kube_notify_new();
	if (c->stop_fd < 0)
		return err_errno(err, ERR_IO, errno, "cache of %s: eventfd", kind->plural);
	/* it is kube_cache_free that ends the thread, so that what it knows can be read to the last */
	own.stop = &c->stop;
	own.stop_fd = c->stop_fd;
	if (!kube_new(config, &own, &c->k, err))
		return false;
	failed = pthread_create(&c->thread, NULL, run, c);
	if (failed)
		return err_errno(err, ERR_IO, failed, "cache of %s: thread", kind->plural);
	c->started = true;
	*ret = TAKE(c);
	return true;
}

void kube_cache_free(struct kube_cache *c)
{
	uint64_t one = 1;

	if (!c)
		return;
	if (c->started) {
		__atomic_store_n(&c->stop, 1, __ATOMIC_RELEASE);
		if (write(c->stop_fd, &one, sizeof one) < 0)
			c->started = true; /* it is seen within 100 ms all the same */
		pthread_join(c->thread, NULL);
	}
	kube_free(c->k);
	if (c->stop_fd >= 0)
		close(c->stop_fd);
	empty(c);
	free(c->items);
	free(c->namespace_);
	free(c->labels);
	free(c->fields);
	pthread_mutex_destroy(&c->lock);
	free(c);
}

bool kube_cache_synced(struct kube_cache *c)
{
	bool synced;

	pthread_mutex_lock(&c->lock);
	synced = c->synced;
	pthread_mutex_unlock(&c->lock);
	return synced;
}

bool kube_cache_healthy(struct kube_cache *c, struct err *err)
{
	struct err failure;

	pthread_mutex_lock(&c->lock);
	failure = c->failure;
	pthread_mutex_unlock(&c->lock);
	if (failure.code == ERR_NONE)
		return true;
	if (err)
		*err = failure;
	return false;
}

bool kube_cache_list(struct kube_cache *c, struct json **ret, struct err *err)
{
	CLEANUP(json) struct json *list = NULL;
	bool ok;

	if (!json_format(&list, err, "{'items':[]}"))
		return false;
	pthread_mutex_lock(&c->lock);
	ok = true;
	for (size_t i = 0; i < c->count && ok; i++)
		ok = json_set_copy(json_edit(list), "items/-", json_root(c->items[i]), err);
	pthread_mutex_unlock(&c->lock);
	if (!ok)
		return false;
	*ret = TAKE(list);
	return true;
}

bool kube_cache_get(struct kube_cache *c, const char *namespace_, const char *name, struct json **ret, struct err *err)
{
	bool found, ok = false;
	size_t at;

	pthread_mutex_lock(&c->lock);
	found = find(c, c->kind.namespaced ? namespace_ : NULL, name, &at);
	if (found)
		ok = json_clone(json_root(c->items[at]), ret, err);
	pthread_mutex_unlock(&c->lock);
	if (found)
		return ok;
	return err_set(err, ERR_NOT_FOUND, "%s \"%s%s%s\": not found", c->kind.plural, namespace_ ? namespace_ : "",
	    namespace_ ? "/" : "", name);
}
