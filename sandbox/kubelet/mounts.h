/*
 * The volumes of a pod on this machine: claims are the directories of their PersistentVolumes, the others live below
 * the pod's own folder (0700, files 0400) and go with it.
 *
 * Understood: persistentVolumeClaim, emptyDir, secret, configMap; projected and downwardAPI are empty folders. Names,
 * keys and paths from the API are checked: nothing is made outside of these folders.
 */
#ifndef KUBELET_MOUNTS_H
#define KUBELET_MOUNTS_H

#include "sandbox/kubelet/words.h"
#include "sandbox/kubelet/world.h"

#include <limits.h>

#define MOUNTS_MAX 32

struct mount_place {
	const char *pod_dir;	 /* DIR/pods/NAMESPACE_NAME_UID */
	const char *volumes_dir; /* DIR/volumes */
};

/* Makes what is missing. On failure it says which volume waits for what (ERR_NOT_FOUND, ERR_STATE), or why it cannot be
 * (ERR_UNSUPPORTED, ERR_PARSE). */
bool mounts_make(const struct world *w, const json_node *pod, const struct mount_place *place, struct err *err);

/* The pairs for words_translate. */
struct mounts {
	struct path_pair pairs[MOUNTS_MAX];
	size_t count;
	struct words strings; /* what the pairs point to */
};
bool mounts_of_container(const struct world *w, const json_node *pod, const json_node *container,
    const struct mount_place *place, struct mounts *ret, struct err *err);
void mounts_clear(struct mounts *m);
#define MOUNTS_CLEANUP __attribute__((cleanup(mounts_clear)))

/* One part of a path: not empty, no slash, not "." or "..", at most 255 bytes. */
bool is_file_name(const char *name);

#endif
