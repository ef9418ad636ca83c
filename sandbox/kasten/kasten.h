/*
 * The stand-in for Kasten K10 with Kanister inside: one loop that looks at policies, actions and restore points and acts on what is
 * there, through lib/kube like any other client.
 *
 * What it does as Kasten does: validates profiles and policies; runs policies (backup, export, import); calls the blueprints that
 * objects name by annotation; keeps the application's objects as restore points; writes them sealed into the profile's
 * bucket, from which any cluster that has the receive string can import them; restores them through filters and transforms; retires
 * what is deleted. Every action is a job (job.h) that is saved before it acts and goes on after a SIGKILL.
 *
 * What it does not: volume snapshots (an application without a blueprint is backed up without its data, and the action is Complete all
 * the same), restores by policy, transform sets, hooks, schedules, cluster-scoped resources. What is asked of it and missing
 * fails by name.
 */
#ifndef SANDBOX_KASTEN_KASTEN_H
#define SANDBOX_KASTEN_KASTEN_H

#include "base/clock.h"
#include "base/log.h"
#include "kube/client.h"
#include "sandbox/kasten/job.h"
#include "sandbox/kasten/store.h"

#define KASTEN_JOBS_MAX 256

enum kasten_kind {
	KIND_POLICY,
	KIND_PROFILE,
	KIND_RUN,
	KIND_BACKUP,
	KIND_EXPORT,
	KIND_RESTORE,
	KIND_IMPORT,
	KIND_RETIRE,
	KIND_POINT,
	KIND_CONTENT,
	KIND_BLUEPRINT,
	KIND_NAMESPACE,
	KIND_SECRET,
	KINDS
};

struct kasten {
	struct kube *kube;
	const struct clock *clock;
	const struct log *log;
	struct store store;
	int64_t poll_max_ms;	  /* between two looks of a Wait */
	const volatile int *stop; /* base/stop.h; may be NULL */
	int stop_fd;		  /* 0: none */
	struct kube_kind kinds[KINDS];
	bool known[KINDS]; /* discovery has them */
	struct job *jobs[KASTEN_JOBS_MAX];
	size_t count;
	int64_t next_look_ms, next_sweep_ms, next_kinds_ms;
	bool away;  /* the API server: said once */
	bool moved; /* in this round: an action has been made, or has another state */
};

/* Opens the store and loads what was under way. */
bool kasten_open(struct kasten *k, const char *store_dir, struct err *err);
void kasten_close(struct kasten *k);
/* One round; *ret_next_ms (wall clock) is when the next is due. What fails is logged and done again. */
void kasten_tick(struct kasten *k, int64_t *ret_next_ms);

/* --- what the parts of this room share ------------------------------------------------------------------------- */

int64_t kasten_now(const struct kasten *k); /* wall clock, ms */
/* KASTEN_SUFFIX random characters that a name may hold. */
#define KASTEN_SUFFIX 6
bool kasten_suffix(char ret[static KASTEN_SUFFIX + 1], struct err *err);
bool kasten_save(struct kasten *k, struct job *j, struct err *err);
/* The status of an object, through the subresource if the kind has it. Missing parts of it are taken away. */
bool kasten_put_status(
    struct kasten *k, enum kasten_kind kind, const json_node *object, const json_node *status, struct err *err);
/* Creates; an object that is there already is no error. */
bool kasten_ensure(
    struct kasten *k, enum kasten_kind kind, const char *namespace_, const json_node *object, struct err *err);
/* An error of the surroundings (server away, disk): the step is done again later. Otherwise it is the action's. */
bool kasten_is_passing(const struct err *err);
/*
 * What a step failed with: an error of the surroundings is handed on (false), and the step is done again; what a server or
 * a bucket refused or could not answer (REMOTE) fails the attempt; anything else does not get better, and fails the action.
 */
bool kasten_refuse(struct kasten *k, struct job *j, const char *message, const struct err *why, struct err *err);
/* The profile that a reference {name, namespace} speaks of. STATE: it names none. */
bool kasten_profile(struct kasten *k, const json_node *reference, struct json **ret, struct err *err);

/* One step of each kind of action: run.c, backup.c, export.c, restore.c, import.c, retire.c. */
bool run_step(struct kasten *k, struct job *j, struct err *err);
bool backup_step(struct kasten *k, struct job *j, struct err *err);
bool export_step(struct kasten *k, struct job *j, struct err *err);
bool restore_step(struct kasten *k, struct job *j, struct err *err);
bool import_step(struct kasten *k, struct job *j, struct err *err);
bool retire_step(struct kasten *k, struct job *j, struct err *err);

/* Profiles and policies validated, restore points bound, contents that are being deleted handed to RetireActions: sweep.c. */
bool kasten_sweep(struct kasten *k, struct err *err);

#endif
