/*
 * What a StatefulSet or Deployment needs next, decided from what is there. Pure: the doing is in workloads.h.
 *
 * StatefulSet: pods NAME-0 to NAME-(n-1) in order; with OrderedReady one at a time, each when all before it are ready;
 * going down from the highest; a finished pod is made anew. A changed template replaces pods from the highest
 * (RollingUpdate), or when they are deleted (OnDelete).
 */
#ifndef KUBELET_WORKLOAD_H
#define KUBELET_WORKLOAD_H

#include "sandbox/kubelet/world.h"

#define REPLICAS_MAX 64
#define OBJECT_NAME_MAX 254
#define REVISION_MAX 16

enum workload_do {
	WORKLOAD_CREATE, /* the pod of this ordinal (with its claims) */
	WORKLOAD_CLAIMS, /* make the missing claims of the pod of this ordinal, which waits for them */
	WORKLOAD_DELETE, /* the pod of this name and uid */
};

struct workload_action {
	enum workload_do what;
	int ordinal;
	char pod[OBJECT_NAME_MAX];
	char uid[64];
};

struct workload_plan {
	struct workload_action actions[2 * REPLICAS_MAX];
	size_t count;
	/* for the status */
	int replicas, ready, updated;
};

/* Hash of a pod template: 10 characters fit for a label. */
bool template_revision(const json_node *template_, char ret[static REVISION_MAX], struct err *err);

/* ERR_UNSUPPORTED: more than REPLICAS_MAX replicas. */
bool statefulset_plan(
    const struct world *w, const json_node *set, const char *revision, struct workload_plan *ret, struct err *err);
/* The ordinal of NAME-N; -1: it is no pod's name of this set. */
int statefulset_ordinal(const char *set, const char *pod);

/* The pod of an ordinal, ready to be created; and the claim of one template for it ("TEMPLATE-SET-N"). */
bool statefulset_pod(const json_node *set, int ordinal, const char *revision, struct json **ret, struct err *err);
bool statefulset_claim(
    const json_node *set, const json_node *template_, int ordinal, struct json **ret, struct err *err);

/* A Deployment's pods, made directly: NAME-REVISION-xxxxx. A changed template replaces them all at once. */
bool deployment_plan(const struct world *w, const json_node *deployment, const char *revision,
    struct workload_plan *ret, struct err *err);
/* The name of slot n. */
void deployment_pod_name(const json_node *deployment, const char *revision, int slot, char ret[static OBJECT_NAME_MAX]);
bool deployment_pod(const json_node *deployment, int slot, const char *revision, struct json **ret, struct err *err);

#endif
