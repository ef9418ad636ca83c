/*
 * Seeing changes: one watch request, waiting for a condition, a cache that follows a kind, and pod logs.
 *
 * What is called back from a watch, a wait or a log may use the verbs of the same client, but neither watch, wait nor
 * read logs with it (ERR_STATE).
 */
#ifndef KUBE_WATCH_H
#define KUBE_WATCH_H

#include "kube/client.h"

/* --- one watch --------------------------------------------------------------------------------------------------- */

enum kube_event { KUBE_ADDED, KUBE_MODIFIED, KUBE_DELETED, KUBE_BOOKMARK };
/* Returning false ends the watch; with err->code NONE that is no error. */
typedef bool (*kube_on_event)(void *ctx, enum kube_event event, const json_node *object, struct err *err);
/* One request, until the server ends it, timeout_ms passed, or on_event ends it: all true. ERR_GONE: from is too old. */
bool kube_watch(struct kube *k, const struct kube_kind *kind, const char *namespace_, const struct kube_select *select,
    const char *from, int64_t timeout_ms, kube_on_event on_event, void *ctx, struct err *err);

/* --- waiting ----------------------------------------------------------------------------------------------------- */

/*
 * Waits until done says yes about one object: by watch where discovery lists it, else by a GET a second. Survives
 * watches that end, 410, and a server that is away for less than unreachable_ms.
 * done: object is NULL while there is none. Return true when finished; set err (code not NONE) to give up with it. It is
 * called at first, on each change, and each second with the last state, so that it can tell progress; not while the
 * server is away.
 * ERR_TIMEOUT names what. The last state (may be NULL) goes to *ret_last also on failure, if ret_last is given.
 */
typedef bool (*kube_done)(void *ctx, const json_node *object, struct err *err);
struct kube_wait {
	const char *what; /* "restore \"ns/x\" to be ready" */
	int64_t timeout_ms;
	int64_t unreachable_ms; /* 0: 60 s */
	kube_done done;
	void *ctx;
};
bool kube_wait(struct kube *k, const struct kube_kind *kind, const char *namespace_, const char *name,
    const struct kube_wait *wait, struct json **ret_last, struct err *err);

/* --- a cache ----------------------------------------------------------------------------------------------------- */

/*
 * Follows all objects of a kind (and namespace, selector) in a thread with a client of its own: list, watch, list
 * again after a gap. For controllers: wait on the fd, look at snapshots, act on what is, not on what happened.
 */
struct kube_cache;
bool kube_cache_new(const struct kube_config *config, const struct kube_options *options, const struct kube_kind *kind,
    const char *namespace_, const struct kube_select *select, int notify_fd, struct kube_cache **ret, struct err *err);
void kube_cache_free(struct kube_cache *c); /* ends the thread within a second */
CLEANUP_PTR(kube_cache, struct kube_cache, kube_cache_free)
/* An eventfd that several caches may share (kube_cache_new adds 1 to it on each change). -1 on failure. */
int kube_notify_new(void);
void kube_notify_drain(int fd);
/* The first list is in. */
bool kube_cache_synced(struct kube_cache *c);
/* false: the last round of it failed with *err, and what it holds may be old. It goes on trying. */
bool kube_cache_healthy(struct kube_cache *c, struct err *err);
/* {"items": [...]}: copies, in order of namespace and name. */
bool kube_cache_list(struct kube_cache *c, struct json **ret, struct err *err);
/* One copy; ERR_NOT_FOUND. */
bool kube_cache_get(struct kube_cache *c, const char *namespace_, const char *name, struct json **ret, struct err *err);

/* --- pod logs ---------------------------------------------------------------------------------------------------- */

struct kube_log_options {
	const char *container; /* NULL: the only one */
	bool follow, previous;
	const char *since_time; /* RFC 3339, or NULL */
	int64_t tail_lines;	/* -1: all */
	int64_t idle_ms;	/* following: end with true after so long without a byte; 0: 30 s */
};
/* on_bytes as in net/http.h. Ends with true when the server ends the stream. */
bool kube_logs(struct kube *k, const char *namespace_, const char *pod, const struct kube_log_options *options,
    bool (*on_bytes)(void *ctx, const char *bytes, size_t len, struct err *err), void *ctx, struct err *err);

#endif
