/*
 * A client of one Kubernetes API server: discovery and REST verbs on JSON trees. Knows Kubernetes, not Percona or
 * Kasten.
 *
 * Guarantees: every call has a deadline; nothing that is not idempotent is sent twice (a create with a fixed name whose answer was lost is looked up
 * instead: ERR_EXISTS may then be one's own object); 429 and 5xx are retried with Retry-After and jittered
 * back-off where that is harmless; no redirect is followed; a rotated token is read again after a 401, once.
 * Errors name verb, kind, namespace/name and the server's own reason and message (made harmless), and carry a hint:
 * AUTH (401, 403), NOT_FOUND (404 of an object), EXISTS, CONFLICT (stale or precondition), GONE (410), NET, TIMEOUT,
 * UNSUPPORTED (the server has no such kind), REMOTE for anything else that it refuses (422, 400, 500).
 * A client belongs to one thread at a time.
 */
#ifndef KUBE_CLIENT_H
#define KUBE_CLIENT_H

#include "base/cleanup.h"
#include "base/clock.h"
#include "doc/json_edit.h"
#include "kube/config.h"

struct kube;

struct kube_options {
	const struct clock *clock; /* NULL: the system's */
	const volatile int *stop;  /* base/stop.h; may be NULL */
	int stop_fd;		   /* 0: none */
	int64_t timeout_ms;	   /* of each call with its retries; 0: 30 s */
	/* What the server warns of: unknown fields that it left out, deprecated versions. The text is made harmless. */
	void (*on_warning)(void *ctx, const char *text);
	void *on_warning_ctx;
	const char *manager; /* field manager and user agent; NULL: "psmdb-drill" */
};

/* The config is copied. Connects lazily. */
bool kube_new(const struct kube_config *config, const struct kube_options *options, struct kube **ret, struct err *err);
void kube_free(struct kube *k);
/*
 * From now on GET and DELETE are asked again for ms while the server is away or overloaded, longer than the few retries of
 * every call: a control plane that changes its leader takes that long. on_away (may be NULL) is told each time, about once in
 * a second or more. Not for kube_wait, which has a limit of its own. 0 ends it.
 */
void kube_be_patient(
    struct kube *k, int64_t ms, void (*on_away)(void *ctx, int64_t away_ms, const char *why), void *ctx);
CLEANUP_PTR(kube, struct kube, kube_free)
const struct kube_config *kube_config_of(const struct kube *k);

/* --- kinds ------------------------------------------------------------------------------------------------------- */

enum kube_verb {
	KUBE_GET = 1,
	KUBE_LIST = 2,
	KUBE_WATCH = 4,
	KUBE_CREATE = 8,
	KUBE_UPDATE = 16,
	KUBE_PATCH = 32,
	KUBE_DELETE = 64,
	KUBE_DELETECOLLECTION = 128
};

struct kube_kind {
	char group[128]; /* "" is the core group */
	char version[64];
	char plural[128];
	char kind[128];
	bool namespaced;
	bool has_status; /* the status subresource */
	unsigned verbs;	 /* what discovery lists, of enum kube_verb */
};

/*
 * By what people type: a plural, singular, short name or kind, with an optional group behind dots ("psmdb",
 * "perconaservermongodbs.psmdb.percona.com", "Pod"). Discovery is asked once and again when a name is unknown.
 */
bool kube_find_kind(struct kube *k, const char *name, struct kube_kind *ret, struct err *err);
/* By what an object says: apiVersion and kind. */
bool kube_kind_of(struct kube *k, const char *api_version, const char *kind, struct kube_kind *ret, struct err *err);
/*
 * Every kind that can be listed, in its group's preferred version, asked anew. ret_unread: a group that the server did not
 * tell of; "" if there is none.
 */
bool kube_each_kind(struct kube *k, bool (*each)(void *ctx, const struct kube_kind *kind, struct err *err), void *ctx,
    char ret_unread[static 128], struct err *err);
bool kube_is_kind(const struct kube_kind *kind, const char *group, const char *plural);
/* Without discovery, for kinds that are known to be there (core, or one's own CRDs). */
void kube_kind_set(struct kube_kind *ret, const char *group, const char *version, const char *plural, const char *kind,
    bool namespaced);

/* --- verbs ------------------------------------------------------------------------------------------------------- */

/* namespace_: NULL for cluster-scoped kinds, and for all namespaces in lists. ret may be NULL where the answer is not wanted. */
struct kube_select {
	const char *labels; /* "a=b,c,!d" or NULL */
	const char *fields; /* "metadata.name=x" or NULL */
};

bool kube_get(struct kube *k, const struct kube_kind *kind, const char *namespace_, const char *name, struct json **ret,
    struct err *err);
/* GET of a subresource such as "details". */
bool kube_get_sub(struct kube *k, const struct kube_kind *kind, const char *namespace_, const char *name,
    const char *sub, struct json **ret, struct err *err);
/* The whole list, page by page; an expired continue token begins anew. select may be NULL. At most 100,000 items. */
bool kube_list(struct kube *k, const struct kube_kind *kind, const char *namespace_, const struct kube_select *select,
    struct json **ret, struct err *err);
bool kube_create(struct kube *k, const struct kube_kind *kind, const char *namespace_, const json_node *object,
    struct json **ret, struct err *err);
/* PUT with the object's resourceVersion: CONFLICT if it is stale. */
bool kube_replace(struct kube *k, const struct kube_kind *kind, const char *namespace_, const json_node *object,
    struct json **ret, struct err *err);
bool kube_replace_status(struct kube *k, const struct kube_kind *kind, const char *namespace_, const json_node *object,
    struct json **ret, struct err *err);

enum kube_patch_type { KUBE_PATCH_MERGE, KUBE_PATCH_JSON, KUBE_PATCH_APPLY, KUBE_PATCH_APPLY_FORCE };
/* sub: "status", or NULL. */
bool kube_patch(struct kube *k, const struct kube_kind *kind, const char *namespace_, const char *name, const char *sub,
    enum kube_patch_type type, const json_node *patch, struct json **ret, struct err *err);
/*
 * Server-side apply of a whole object: its apiVersion and kind (by discovery), its own namespace or else namespace_.
 * dry_run: asked, not done.
 */
bool kube_apply(struct kube *k, const char *namespace_, const json_node *object, bool force, bool dry_run,
    struct json **ret, struct err *err);

struct kube_delete {
	const char *propagation; /* "Background" (NULL), "Foreground", "Orphan" */
	const char *uid;	 /* precondition, or NULL */
	int64_t grace_seconds;	 /* -1: the kind's default */
	bool dry_run;
};
/* options may be NULL. NOT_FOUND if it is not there; but true if an earlier attempt's answer was lost and it is gone now. */
bool kube_delete(struct kube *k, const struct kube_kind *kind, const char *namespace_, const char *name,
    const struct kube_delete *options, struct err *err);

/* All that the selector (NULL: everything) fits in one namespace, in one request; those with finalizers stay until these are off. */
bool kube_delete_all(struct kube *k, const struct kube_kind *kind, const char *namespace_,
    const struct kube_select *select, const struct kube_delete *options, struct err *err);

/* GET of any path, parsed; for /version and the like. */
bool kube_get_raw(struct kube *k, const char *path, struct json **ret, struct err *err);

/* --- the parts of an object that everybody reads ----------------------------------------------------------------- */

const char *kube_name(const json_node *object);
const char *kube_namespace(const json_node *object);
const char *kube_uid(const json_node *object);
const char *kube_version(const json_node *object); /* resourceVersion */
bool kube_deleting(const json_node *object);
const char *kube_label(const json_node *object, const char *key);
const char *kube_annotation(const json_node *object, const char *key);
bool kube_has_finalizer(const json_node *object, const char *finalizer);

#endif
