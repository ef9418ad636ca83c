/* Waiting for one object: list it, watch it from there, list again; or get it each second where it cannot be watched. */
#include "kube/stream.h"

#include <stdio.h>
#include <string.h>

#define TICK_MS 1000
/* A watch that hears nothing may be one of a server that is gone; a look now and then tells. */
#define WATCH_MS 30000
#define CALL_MS 10000

struct waiting {
	struct kube *k;
	const struct kube_kind *kind;
	const char *namespace_, *name;
	const struct kube_wait *wait;
	struct json *last;
	bool finished;
	struct err gave_up; /* of done */
	int64_t deadline_ms, ask_ms;
	int64_t away_ms, away_wall_ms; /* since when; -1: it is not away */
	int64_t back_ms;
	struct err away; /* the last one */
	bool poll;
};

static int64_t now_ms(const struct waiting *w)
{
	return clock_mono_ms(w->k->clock);
}

/* false: no more waiting */
static bool ask(struct waiting *w)
{
	w->ask_ms = now_ms(w) + TICK_MS;
	w->finished = w->wait->done(w->wait->ctx, w->last ? json_root(w->last) : NULL, &w->gave_up);
	return !w->finished && w->gave_up.code == ERR_NONE;
}

static bool take(struct waiting *w, const json_node *object, struct err *err)
{
	struct json *copy = NULL;

	if (object && !json_clone(object, &copy, err))
		return false;
	json_free(w->last);
	w->last = copy;
	return true;
}

static int64_t call_ms(const struct waiting *w)
{
	int64_t left = w->deadline_ms - now_ms(w);

	return left < 1 ? 1 : left < CALL_MS ? left : CALL_MS;
}

/* --- looking ----------------------------------------------------------------------------------------------------- */

static bool look_by_get(struct waiting *w, struct err *err)
{
	BUF_CLEANUP struct buf path = BUF_INIT(KUBE_PATH_MAX);
	CLEANUP(json) struct json *object = NULL;
	struct err why = ERR_INIT;
	struct call call = {.verb = "get",
	    .method = "GET",
	    .kind = w->kind,
	    .namespace_ = w->kind->namespaced ? w->namespace_ : NULL,
	    .name = w->name,
	    .max_attempts = 1,
	    .timeout_ms = call_ms(w)};

	if (!kube_path(&path, w->kind, w->namespace_, w->name, NULL, err))
		return false;
	call.path = buf_str(&path);
	if (kube_call(w->k, &call, &object, &why) || why.code == ERR_NOT_FOUND)
		return take(w, object ? json_root(object) : NULL, err);
	if (err)
		*err = why;
	return false;
}

static bool look_by_list(
    struct waiting *w, const struct kube_select *select, char *ret_version, size_t size, struct err *err)
{
	CLEANUP(json) struct json *list = NULL;
	const json_node *found = NULL;
	const char *version;

	if (!kube_list_within(w->k, w->kind, w->namespace_, select, 1, call_ms(w), &list, err))
		return false;
	for (const json_node *item = json_first(json_get(json_root(list), "items")); item; item = json_next(item))
		if (json_is_at(item, "metadata/name", w->name))
			found = item;
	version = kube_version(json_root(list));
	if (!version || strlen(version) >= size)
		return err_set(err, ERR_PARSE, "list %s: no resourceVersion", w->kind->plural);
	strcpy(ret_version, version);
	return take(w, found, err);
}

static bool on_event(void *ctx, enum kube_event event, const json_node *object, struct err *err)
{
	struct waiting *w = ctx;

	if (event == KUBE_BOOKMARK || !json_is_at(object, "metadata/name", w->name))
		return true;
	return take(w, event == KUBE_DELETED ? NULL : object, err) && ask(w);
}

static bool on_wait(void *ctx, struct err *err)
{
	struct waiting *w = ctx;

	(void)err;
	return now_ms(w) < w->ask_ms || ask(w);
}

static bool is_settled(const struct waiting *w)
{
	return w->finished || w->gave_up.code != ERR_NONE;
}

/* One round: what is there now, and what happens to it for a while. */
static bool look(struct waiting *w, struct err *err)
{
	char fields[KUBE_NAME_MAX + 16], version[64];
	struct kube_select select = {.fields = fields};
	int64_t left;

	snprintf(fields, sizeof fields, "metadata.name=%s", w->name);
	if (w->poll ? !look_by_get(w, err) : !look_by_list(w, &select, version, sizeof version, err))
		return false;
	if (w->away_ms >= 0)
		w->back_ms = now_ms(w);
	w->away_ms = -1;
	left = w->deadline_ms - now_ms(w);
	if (!ask(w) || w->poll || left <= 0)
		return true;
	return kube_watch_while(w->k, w->kind, w->namespace_, &select, version, left < WATCH_MS ? left : WATCH_MS,
	    on_event, on_wait, w, err);
}

/* --- the whole --------------------------------------------------------------------------------------------------- */

/* Whether to go on after this error. */
static bool survive(struct waiting *w, const struct err *why, struct err *err)
{
	int64_t limit_ms = w->wait->unreachable_ms ? w->wait->unreachable_ms : 60000;
	char since[TIME_TEXT_MAX];

	if (why->code == ERR_GONE)
		return true;
	/* the right to list may be missing where that to get is there */
	if (why->code == ERR_AUTH && w->k->status == 403 && !w->poll) {
		w->poll = true;
		return true;
	}
	if (!kube_is_away(w->k, why) &&
	    !(why->code == ERR_AUTH && w->back_ms && now_ms(w) - w->back_ms < KUBE_SETTLE_MS)) {
		if (err)
			*err = *why;
		return err_wrap(err, "wait for %s", w->wait->what);
	}
	w->away = *why;
	if (w->away_ms < 0) {
		w->away_ms = now_ms(w);
		w->away_wall_ms = clock_wall_ms(w->k->clock);
	}
	w->back_ms = now_ms(w);
	if (now_ms(w) - w->away_ms < limit_ms)
		return true;
	err_set(err, ERR_NET, "wait for %s: the API server is away since %s (limit %.0f s): %.600s", w->wait->what,
	    time_format(w->away_wall_ms, since), (double)limit_ms / 1000.0, why->msg);
	return err_hint(err, "%s", *why->hint ? why->hint : "see whether the API server is running");
}

static bool timed_out(struct waiting *w, struct err *err)
{
	char since[TIME_TEXT_MAX];

	err_set(err, ERR_TIMEOUT, "waited %.1f s for %s", (double)w->wait->timeout_ms / 1000.0, w->wait->what);
	if (w->away_ms >= 0 && err) {
		size_t len = strlen(err->msg);

		snprintf(err->msg + len, sizeof err->msg - len, "; the API server is away since %s: %.400s",
		    time_format(w->away_wall_ms, since), w->away.msg);
	}
	return false;
}

static bool wait_through(struct waiting *w, struct err *err)
{
	for (;;) {
		struct err why = ERR_INIT;
		int64_t began_ms = now_ms(w), next_ms;

		if (!look(w, &why) && !is_settled(w) && !survive(w, &why, err))
			return false;
		if (w->finished)
			return true;
		if (w->gave_up.code != ERR_NONE) {
			if (err)
				*err = w->gave_up;
			return false;
		}
		if (now_ms(w) >= w->deadline_ms)
			return timed_out(w, err);
		/* rounds are a second apart at least */
		next_ms = began_ms + TICK_MS < w->deadline_ms ? began_ms + TICK_MS : w->deadline_ms;
		if (!clock_sleep_until(w->k->clock, next_ms * 1000000, w->k->stop))
			return err_set(err, ERR_INTERRUPTED, "interrupted while waiting for %s", w->wait->what);
	}
}

bool kube_wait(struct kube *k, const struct kube_kind *kind, const char *namespace_, const char *name,
    const struct kube_wait *wait, struct json **ret_last, struct err *err)
{
	struct waiting w = {
	    .k = k,
	    .kind = kind,
	    .namespace_ = namespace_,
	    .name = name,
	    .wait = wait,
	    .gave_up = ERR_INIT,
	    .deadline_ms = clock_mono_ms(k->clock) + wait->timeout_ms,
	    .away_ms = -1,
	    .poll = !(kind->verbs & KUBE_WATCH) || !(kind->verbs & KUBE_LIST),
	};
	bool ok = wait_through(&w, err);

	if (ret_last)
		*ret_last = TAKE(w.last);
	json_free(w.last);
	return ok;
}
