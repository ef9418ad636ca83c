/*
 * GET /containerLogs/NAMESPACE/POD/CONTAINER over HTTPS, as a real kubelet serves it: what an API server that runs
 * elsewhere answers pods/log with. Threads of its own; only clients with a certificate of the sandbox's authority are
 * answered.
 */
#ifndef KUBELET_CONTAINER_LOGS_H
#define KUBELET_CONTAINER_LOGS_H

#include "kube/watch.h"
#include "sandbox/kubelet/kubelet.h"

struct container_logs;

/* On the node's address and config->log_port. config and pods (a cache of them) must outlive it. */
bool container_logs_start(
    const struct kubelet_config *config, struct kube_cache *pods, struct container_logs **ret, struct err *err);
void container_logs_stop(struct container_logs *logs);

#endif
