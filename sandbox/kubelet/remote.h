/*
 * The API server as the kubelet's controllers use it: what they see (caches of all kinds of world.h) and what they do.
 *
 * A failure is never fatal here. "Changed meanwhile" and "already there" mean that the next snapshot will tell;
 * a server that is away means the same, later; anything else is logged, once as long as it stays the same.
 */
#ifndef KUBELET_REMOTE_H
#define KUBELET_REMOTE_H

#include "base/log.h"
#include "kube/watch.h"
#include "sandbox/kubelet/world.h"

struct remote {
	struct kube *kube;
	struct kube_kind kinds[WORLD_KINDS];
	struct kube_cache *caches[WORLD_KINDS];
	int notify_fd; /* readable when a cache has changed */
	const struct log *log;
	bool again; /* something failed since this was last set to false: look again soon */
	bool no_loopback; /* it refuses Endpoints with addresses of this machine, as a real API server does */
	bool down;  /* the server did not answer: do not ask it again in this round */
	char said[512];
};

bool remote_open(struct remote *r, const char *kubeconfig, const struct log *log, struct err *err);
void remote_close(struct remote *r);
/* A new round: forgets what failed in the last one, and finds out without waiting whether the server is there at all. */
void remote_begin(struct remote *r);
/* Every cache has its first list. */
bool remote_synced(struct remote *r);
bool remote_look(struct remote *r, struct world *ret, struct err *err);

/* All return false on failure, with again (and perhaps down) set; while down they fail at once. */
bool remote_create(struct remote *r, enum world_kind kind, const json_node *object);
/* What a scheduler says: this pod is on this node. */
bool remote_bind(struct remote *r, const json_node *pod, const char *node);
bool remote_replace(struct remote *r, enum world_kind kind, const json_node *object);
/* A merge patch. sub: "status" or NULL. */
bool remote_patch(
    struct remote *r, enum world_kind kind, const json_node *object, const char *sub, const json_node *patch);
/* Exactly this object, by its uid. grace_seconds: -1 for the default. */
bool remote_delete(struct remote *r, enum world_kind kind, const json_node *object, int64_t grace_seconds);
/* Asks the server itself, not the cache. True: no object of this name is there, or one of another uid ("": any uid is the one). */
bool remote_is_gone(struct remote *r, enum world_kind kind, const char *namespace_, const char *name, const char *uid);
/* For the other kinds: what became of a call. True: it succeeded. */
bool remote_result(struct remote *r, bool ok, const char *what, const struct err *err);

#endif
