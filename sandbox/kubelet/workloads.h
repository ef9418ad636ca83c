/* The StatefulSet, Deployment and Endpoints controllers: look, decide (workload.h, services.h), do. */
#ifndef KUBELET_WORKLOADS_H
#define KUBELET_WORKLOADS_H

#include "sandbox/kubelet/remote.h"

void workloads_sync(struct remote *r, const struct world *w);
void endpoints_sync(struct remote *r, const struct world *w);

#endif
