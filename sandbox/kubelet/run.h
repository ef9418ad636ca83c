/*
 * One pod that this kubelet runs: its address, folder and containers. A value of pods.c.
 */
#ifndef KUBELET_RUN_H
#define KUBELET_RUN_H

#include "sandbox/kubelet/pods.h"

struct run {
	char ns[64], name[254], uid[64];
	char key[POD_KEY_MAX]; /* "ns/name" */
	char ip[16];
	char dir[PATH_MAX];			     /* DIR/pods/NS_NAME_UID */
	char policy[16];			     /* restartPolicy */
	int64_t start_ms;			     /* wall */
	struct container containers[CONTAINERS_MAX]; /* first the init containers that are run */
	size_t init_count, count;
	bool stopping;
	bool removed; /* the API server was told that nothing of it runs */
	int64_t remove_at_ms;
	struct json *written; /* the status written last */
	struct json *spec;    /* for the status */
	struct {	      /* what the events say of each container */
		bool runs;
		uint32_t restarts;
		char why[256];
	} told[CONTAINERS_MAX];
};

/* The folder of a pod; false: its names are not fit for one. */
bool run_dir(const char *dir, const json_node *pod, char ret[static PATH_MAX]);
/* What the pod is, and how far it had come under a kubelet before. ERR_UNSUPPORTED: more containers than can be. */
bool run_new(
    const json_node *pod, const char *dir, const char *ip, const struct moment *now, struct run **ret, struct err *err);
void run_free(struct run *run);

/* restartPolicy of one of its containers: an init container that ended well stays ended. */
const char *run_policy(const struct run *run, size_t container);
/* Starts the containers that are due. True: something changed. */
bool run_start(struct run *run, const struct world *w, const json_node *pod, const struct recipe_place *place,
    const char *const *env_unset, const struct clock *clock);
void run_stop(struct run *run, int64_t grace_ms, const struct moment *now);
/* No process is left. */
bool run_quiet(const struct run *run);
/* Every container is done. */
bool run_done(const struct run *run);

/* Events about what has changed since they were written last. */
void run_tell(struct run *run, struct events *events, const json_node *pod);

bool run_status(const struct run *run, const char *host_ip, int64_t wall_ms, struct json **ret, struct err *err);

#endif
