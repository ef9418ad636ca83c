/*
 * What the kubelet sees of the cluster at one moment: a snapshot of each kind that it follows. Plain trees, so that
 * whatever decides from them can be tested without a server.
 */
#ifndef KUBELET_WORLD_H
#define KUBELET_WORLD_H

#include "base/cleanup.h"
#include "doc/json_edit.h"

enum world_kind {
	WORLD_PODS,
	WORLD_SERVICES,
	WORLD_ENDPOINTS,
	WORLD_SECRETS,
	WORLD_CONFIGMAPS,
	WORLD_CLAIMS,
	WORLD_VOLUMES,
	WORLD_STATEFULSETS,
	WORLD_DEPLOYMENTS,
	WORLD_KINDS
};

/* The kind's place in the API. */
struct world_row {
	const char *group, *version, *plural, *kind;
	bool namespaced;
};
extern const struct world_row world_rows[WORLD_KINDS];

struct world {
	struct json *lists[WORLD_KINDS]; /* {"items": [...]}; NULL: none */
};

void world_clear(struct world *w);
#define WORLD_CLEANUP __attribute__((cleanup(world_clear)))

/* Its objects: for (o = world_first(...); o; o = json_next(o)). */
const json_node *world_first(const struct world *w, enum world_kind kind);
/* NULL: not there. namespace_ is NULL for kinds without. */
const json_node *world_find(const struct world *w, enum world_kind kind, const char *namespace_, const char *name);

/* --- what is asked of objects everywhere ------------------------------------------------------------------------- */

/* metadata/name, "" if there is none. */
const char *object_name(const json_node *object);
const char *object_namespace(const json_node *object);
const char *object_uid(const json_node *object);
bool object_deleting(const json_node *object);
bool object_has_finalizer(const json_node *object, const char *finalizer);
/* The ownerReference with controller: true names this uid. */
bool object_controlled_by(const json_node *object, const char *uid);
/* Every pair of match is among labels; an empty match: false. */
bool labels_match(const json_node *match, const json_node *labels);

/* Its phase is Succeeded or Failed. */
bool pod_finished(const json_node *pod);
bool pod_ready(const json_node *pod);

#endif
