/*
 * The pods of this node: admitted, run, watched, ended, reported. Processes are started here alone, so the caller must
 * be the main thread.
 *
 * pods_sync() makes what runs agree with what the API server has, and the server's statuses with what runs;
 * pods_reap/pods_read/pods_tick serve the processes in between. pods_end() ends them all (the kubelet's own end) and
 * leaves the API as it is: a pod that is Running there is started again by the next kubelet.
 */
#ifndef KUBELET_PODS_H
#define KUBELET_PODS_H

#include "base/clock.h"
#include "sandbox/kubelet/addresses.h"
#include "sandbox/kubelet/container.h"
#include "sandbox/kubelet/events.h"
#include "sandbox/kubelet/remote.h"

#include <poll.h>

#define NODE_NAME "sandbox"
#define PODS_MAX POD_HOSTS
#define CONTAINERS_MAX 8
#define PODS_FDS_MAX (PODS_MAX * CONTAINERS_MAX * 2)

struct pods_config {
	const char *dir; /* the sandbox's, absolute */
	const char *kubeconfig;
	int range; /* of addresses, as in parts/address.h */
	const struct clock *clock;
	const struct log *log;
	bool (*find_program)(void *ctx, const char *name, char ret[static PATH_MAX], struct err *err);
	void *ctx;
};

struct pods;

bool pods_new(const struct pods_config *config, struct pods **ret, struct err *err);
void pods_free(struct pods *p); /* SIGKILL to what still runs */
CLEANUP_PTR(pods, struct pods, pods_free)

/* events may be NULL. */
void pods_sync(struct pods *p, struct remote *r, const struct world *w, struct events *events);
/* Folders of pods that are not there any more: left behind by a kubelet that was killed. Before anything else. */
void pods_sweep(struct pods *p, const struct world *w);
/* After SIGCHLD, and when pods_due_ms() says so. True: pods_sync has something to report. */
bool pods_reap(struct pods *p);
bool pods_tick(struct pods *p);
int64_t pods_due_ms(const struct pods *p);
size_t pods_poll(const struct pods *p, struct pollfd *fds, size_t max);
void pods_read(struct pods *p);

/* Processes of this pod may be alive, or come back. */
bool pods_runs(const struct pods *p, const char *uid);
/* SIGTERM to all, SIGKILL after grace_ms (0: at once). True: no process is left; call again until then. */
bool pods_end(struct pods *p, int64_t grace_ms);

#endif
