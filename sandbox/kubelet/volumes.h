/*
 * Claims and what stands behind them: a PersistentVolumeClaim is bound at once to a PersistentVolume of its own, which
 * is a directory. When the claim is gone, so is the directory: this is how data is lost.
 *
 * The finalizer kubernetes.io/pvc-protection is on each claim and comes off when the claim is being deleted and no pod uses it.
 */
#ifndef KUBELET_VOLUMES_H
#define KUBELET_VOLUMES_H

#include "sandbox/kubelet/remote.h"

#define CLAIM_FINALIZER "kubernetes.io/pvc-protection"
#define STORAGE_CLASS "sandbox"

/* A pod with an address that has not finished, or whose processes still run, mounts the claim. */
struct claim_users {
	bool (*runs)(void *ctx, const char *pod_uid); /* processes of this pod may be alive */
	void *ctx;
};
/* The first such pod; NULL: none. */
const json_node *claim_user(const struct world *w, const json_node *claim, const struct claim_users *users);

/* dir: DIR/volumes. */
void volumes_sync(struct remote *r, const struct world *w, const char *dir, const struct claim_users *users);
/* Directories that no PersistentVolume stands for: left behind by a kubelet that was killed. Before anything else. */
void volumes_sweep(struct remote *r, const struct world *w, const char *dir);

/* The PersistentVolume of a claim. */
bool volume_make(const json_node *claim, struct json **ret, struct err *err);

#endif
