/*
 * How a container of a pod is run on this machine: pod, secrets, services and image table in, command line and
 * environment out. Pure but for programs that are looked up through a callback.
 */
#ifndef KUBELET_RECIPE_H
#define KUBELET_RECIPE_H

#include "sandbox/kubelet/images.h"
#include "sandbox/kubelet/mounts.h"

struct recipe_place {
	const char *dir;	/* the sandbox's */
	const char *kubeconfig; /* what controllers use */
	const char *hosts;	/* for nss_wrapper */
	const char *pod_ip, *host_ip;
	struct mount_place mounts;
	/* "mongod", "pbm-agent", "psmdb-ticker", ... ERR_NOT_FOUND says how to get it. */
	bool (*find_program)(void *ctx, const char *name, char ret[static PATH_MAX], struct err *err);
	void *ctx;
};

struct recipe {
	enum image_kind image;
	struct words argv, env; /* the whole environment that the image gives, beside PATH and the like */
	char dir[PATH_MAX];
	uint16_t probe_port; /* ready when this port of the pod accepts connections; 0: when it runs */
};

/* On failure *ret_reason is what Kubernetes calls it: ErrImagePull, CreateContainerConfigError, CreateContainerError. */
bool recipe_make(const struct world *w, const json_node *pod, const json_node *container,
    const struct recipe_place *place, struct recipe *ret, const char **ret_reason, struct err *err);
void recipe_clear(struct recipe *r);
#define RECIPE_CLEANUP __attribute__((cleanup(recipe_clear)))

/*
 * mongod's and mongos' own arguments made fit for this machine: on the pod's address alone, small, quick to end, and
 * without what Percona's build alone has. program is "mongod" or "mongos"; arguments may begin with it.
 */
bool mongo_arguments(
    const char *program, const struct words *arguments, const char *pod_ip, struct words *ret, struct err *err);

#endif
