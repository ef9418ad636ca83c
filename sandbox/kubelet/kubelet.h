/*
 * The kubelet of a sandbox, with the controllers that a cluster has beside it: StatefulSets, Deployments, Endpoints,
 * volumes, pods as processes, ClusterIPs, names. One thread, one poll loop; caches of the API server in threads of
 * their own.
 *
 * Level-triggered: each look compares what is there with what should be, so it can be killed at any moment. No process
 * outlives it; what the API server has as running is started again by the next one.
 */
#ifndef KUBELET_KUBELET_H
#define KUBELET_KUBELET_H

#include "base/clock.h"
#include "base/log.h"

struct kubelet_config {
	const char *dir; /* the sandbox's, absolute */
	const char *kubeconfig;
	int range;	   /* of addresses, as in parts/address.h */
	uint16_t log_port; /* 0: pods' logs are not served */
	const struct clock *clock;
	const struct log *log;
	const volatile int *stop; /* base/stop.h */
	int stop_fd;
};

/* Until stopped: true. Main thread only; blocks SIGCHLD for good. ERR_STATE: another one runs on this folder. */
bool kubelet_run(const struct kubelet_config *config, struct err *err);

#endif
