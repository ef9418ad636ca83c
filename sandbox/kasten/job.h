/*
 * One action that is under way: a JSON tree that says everything needed to go on after the process was killed, and from
 * which the action's status is derived. Pure but for the clock's values that it is given.
 *
 * States move as the table in job.c says, asserted on each move. An action's phase that fails is tried again with a new attempt
 * number and a new .Time, JOB_ATTEMPTS_MAX times in all, as Kasten does. Everything that belongs to one attempt lives below
 * "try" and is gone with it.
 */
#ifndef SANDBOX_KASTEN_JOB_H
#define SANDBOX_KASTEN_JOB_H

#include "doc/json_edit.h"

#define JOB_ATTEMPTS_MAX 3
#define JOB_RETRY_MS 2000 /* names made of seconds must differ between attempts */

enum job_kind { JOB_RUN, JOB_BACKUP, JOB_EXPORT, JOB_RESTORE, JOB_IMPORT, JOB_RETIRE, JOB_KINDS };
const char *job_kind_name(enum job_kind kind); /* "RunAction" ... */

enum job_state {
	JOB_PENDING,
	JOB_RUNNING,
	JOB_ATTEMPT_FAILED,
	JOB_COMPLETE,
	JOB_FAILED,
	JOB_SKIPPED,
	JOB_CANCELLED,
	JOB_STATES
};
const char *job_state_name(enum job_state state); /* "Running": as in status.state */
bool job_state_is_final(const char *name);	  /* of a status; NULL or anything unknown is not final */

struct job {
	enum job_kind kind;
	struct json *doc;
	json_node *root;    /* of doc */
	int64_t next_ms;    /* not stepped before */
	bool dirty;	    /* to be saved */
	bool seen;	    /* its object was in the last list */
	struct json *shown; /* the status that the object has from us; NULL: not known */
};

/* Of an action object that has no state yet. */
bool job_new(enum job_kind kind, const json_node *object, int64_t wall_ms, struct job **ret, struct err *err);
/* Takes the document over. */
bool job_load(struct json *doc, struct job **ret, struct err *err);
void job_free(struct job *j);
CLEANUP_PTR(job, struct job, job_free)

const char *job_uid(const struct job *j);
const char *job_name(const struct job *j);
const char *job_namespace(const struct job *j); /* NULL for none */
const char *job_label(const struct job *j, const char *key);
enum job_state job_state(const struct job *j);
bool job_is_final(const struct job *j);
int job_attempt(const struct job *j);
const char *job_step(const struct job *j);

/* step must be a constant */
bool job_set_step(struct job *j, const char *step, struct err *err);
bool job_set_progress(struct job *j, int percent, struct err *err);
/* Pending or AttemptFailed to Running: the next attempt, at its first step. */
bool job_begin_attempt(struct job *j, const char *first_step, int64_t wall_ms, struct err *err);
bool job_complete(struct job *j, int64_t wall_ms, struct err *err);
/* For good, whatever the attempt: what no repetition can mend. */
bool job_fail(struct job *j, int64_t wall_ms, const char *message, const char *cause, struct err *err);
/* This attempt: AttemptFailed, or Failed if it was the last. */
bool job_fail_attempt(struct job *j, int64_t wall_ms, const char *message, const char *cause, struct err *err);
bool job_cancel(struct job *j, int64_t wall_ms, struct err *err);

/* What status says of it: state, startTime, endTime, progress, error{message, cause}, restorePoint, policySpec. */
bool job_status(const struct job *j, struct json **ret, struct err *err);

#endif
