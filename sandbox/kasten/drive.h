/*
 * A blueprint's action driven through the API for a job: the run lives in the job, at "try/run".
 */
#ifndef SANDBOX_KASTEN_DRIVE_H
#define SANDBOX_KASTEN_DRIVE_H

#include "sandbox/kasten/kasten.h"

/*
 * What is bound to a blueprint by annotation, {"apiVersion","group","resource","kind","namespace","name","blueprint"}: appended to the
 * job's array at this path.
 */
bool drive_bind(
    struct job *j, const char *path, const struct kube_kind *kind, const json_node *object, struct err *err);

enum drive_result { DRIVE_AGAIN, DRIVE_DONE, DRIVE_NOTHING, DRIVE_FAILED };

struct drive {
	const char *action;	       /* "backup" */
	const json_node *target;       /* as made by drive_bind; inside the job */
	const json_node *artifacts_in; /* may be NULL */
	const json_node *saved;	       /* the object if it is gone meanwhile; NULL: it must exist */
	const json_node *profile_ref;  /* {name, namespace} or NULL */
	int64_t timeout_ms;	       /* Kasten's own, over the whole action */
};

/*
 * Begins or goes on. AGAIN: the job's next_ms is set. DONE: the artifacts are at "try/run/artifacts" of the job; call drive_end. NOTHING:
 * the blueprint has no such action. FAILED: ret_why says so.
 */
bool drive_step(struct kasten *k, struct job *j, const struct drive *d, enum drive_result *ret, struct err *ret_why,
    struct err *err);
void drive_end(struct job *j);

#endif
