/*
 * What the operator sees of its namespace, and its hands in it: a cache a kind, a snapshot of all of them for each pass,
 * and writes that come to the same when they are done twice.
 */
#ifndef OPERATOR_SPACE_H
#define OPERATOR_SPACE_H

#include "base/log.h"
#include "kube/watch.h"
#include "sandbox/operator/cr.h"

/* X(id, group, version, plural, kind) */
#define SPACE_KINDS(X)                                                                                                 \
	X(PSMDB, "psmdb.percona.com", "v1", "perconaservermongodbs", "PerconaServerMongoDB")                           \
	X(BACKUP, "psmdb.percona.com", "v1", "perconaservermongodbbackups", "PerconaServerMongoDBBackup")              \
	X(RESTORE, "psmdb.percona.com", "v1", "perconaservermongodbrestores", "PerconaServerMongoDBRestore")           \
	X(POD, "", "v1", "pods", "Pod")                                                                                \
	X(SERVICE, "", "v1", "services", "Service")                                                                    \
	X(ENDPOINTS, "", "v1", "endpoints", "Endpoints")                                                               \
	X(SECRET, "", "v1", "secrets", "Secret")                                                                       \
	X(CLAIM, "", "v1", "persistentvolumeclaims", "PersistentVolumeClaim")                                          \
	X(SET, "apps", "v1", "statefulsets", "StatefulSet")                                                            \
	X(BUDGET, "policy", "v1", "poddisruptionbudgets", "PodDisruptionBudget")
enum space_kind {
#define X(id, group, version, plural, kind) SPACE_##id,
	SPACE_KINDS(X)
#undef X
	    SPACE_KIND_COUNT
};

struct space {
	struct kube *kube;
	const char *namespace_;
	const struct clock *clock;
	const struct log *log;
	int notify_fd;
	struct kube_kind kinds[SPACE_KIND_COUNT];
	struct kube_cache *caches[SPACE_KIND_COUNT];
	struct json *lists[SPACE_KIND_COUNT]; /* the snapshot */
	bool again;			      /* something was stale in this pass: look again soon */
};

bool space_open(struct space *w, const struct kube_config *config, const struct kube_options *options,
    const char *namespace_, const struct log *log, struct err *err);
void space_close(struct space *w);
bool space_synced(const struct space *w);
/* Renews the snapshot; what it handed out before is gone. */
bool space_look(struct space *w, struct err *err);

/* Iterate: for (o = space_first(w, kind); o; o = json_next(o)) */
const json_node *space_first(const struct space *w, enum space_kind kind);
const json_node *space_get(const struct space *w, enum space_kind kind, const char *name);

/*
 * Makes the object, or changes it if its digest (OP_DESIRED_ANNOTATION) is another. One that is being deleted, or is of
 * another owner, is waited for: true with *ret_there false. What somebody else changed meanwhile is looked at again in the
 * next pass. ret_there may be NULL.
 */
bool space_ensure(struct space *w, enum space_kind kind, const json_node *desired, bool *ret_there, struct err *err);
/* Deletes it if it is there and not going already. */
bool space_remove(struct space *w, enum space_kind kind, const char *name, struct err *err);
/* Writes the status if it differs from the object's. Stale: again in the next pass. */
bool space_status(
    struct space *w, enum space_kind kind, const json_node *object, const json_node *status, struct err *err);
/* A merge patch of the object as it is in the snapshot; ret_stale may be NULL. */
bool space_patch(struct space *w, enum space_kind kind, const json_node *object, const json_node *patch,
    bool *ret_stale, struct err *err);
bool space_drop_finalizer(
    struct space *w, enum space_kind kind, const json_node *object, const char *bare, struct err *err);

#endif
