/*
 * The ticker's journal out of a pod's log, through the API: read again from its beginning whenever the stream ends (a
 * rotated log, a lost connection), repeats dropped by number, until the journal is sealed or the pod is gone.
 */
#ifndef SCENARIOS_FOLLOW_POD_H
#define SCENARIOS_FOLLOW_POD_H

#include "kube/watch.h"
#include "scenarios/follower.h"

struct follow_pod {
	struct kube *kube;
	const char *namespace_, *pod, *container; /* container NULL: the only one */
	const struct clock *clock;
	const volatile int *stop;
	int64_t unreachable_ms; /* how long the API server may be away */
};

/* True: sealed, the pod is gone, or stopped. A fault of the journal (ERR_BROKEN, ERR_IO) is final. */
bool follow_pod_run(const struct follow_pod *p, struct follower *f, struct err *err);

#endif
