/*
 * The environment of a container as Kubernetes makes it: service variables, envFrom, env with value and valueFrom,
 * $(VAR) of what came before.
 */
#ifndef KUBELET_ENVIRONMENT_H
#define KUBELET_ENVIRONMENT_H

#include "sandbox/kubelet/mounts.h"

/* What fieldRef can ask for beside the pod's own metadata. */
struct environment_facts {
	const char *pod_ip, *host_ip;
};

/*
 * Adds to ret. ERR_NOT_FOUND: a secret, config map or key is missing (and not optional); ERR_UNSUPPORTED: a valueFrom
 * that the sandbox does not have. Paths of plain values are translated, those of secrets and config maps are not.
 */
bool environment_make(const struct world *w, const json_node *pod, const json_node *container,
    const struct mounts *mounts, const struct environment_facts *facts, struct words *ret, struct err *err);

#endif
