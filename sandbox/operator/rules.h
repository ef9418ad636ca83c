/*
 * What a backup or a restore object is due to become: pure decisions and texts, as operator 1.14 makes them. Doing is
 * elsewhere (job.h, backups.h, restores.h).
 */
#ifndef OPERATOR_RULES_H
#define OPERATOR_RULES_H

#include "sandbox/operator/answer.h"
#include "sandbox/operator/cr.h"

/* X(id, text, final) */
#define JOB_STATES(X)                                                                                                  \
	X(NONE, "", false)                                                                                             \
	X(WAITING, "waiting", false)                                                                                   \
	X(REQUESTED, "requested", false)                                                                               \
	X(RUNNING, "running", false)                                                                                   \
	X(READY, "ready", true)                                                                                        \
	X(ERROR, "error", true)
enum job_state {
#define X(id, text, final) JOB_##id,
	JOB_STATES(X)
#undef X
	    JOB_STATE_COUNT
};
const char *job_state_text(enum job_state state);
/* Of an object's status.state; an unknown text is ERROR: nothing is done to such an object. */
enum job_state job_state_of(const json_node *object);
bool job_state_final(enum job_state state);
bool job_may_become(enum job_state from, enum job_state to);

/* --- where a backup is ------------------------------------------------------------------------------------------- */

/* An S3 storage as a psmdb, a backup's status or a backupSource has it; points into the object. */
struct storage {
	const json_node *s3;
	const char *bucket, *prefix, *region, *endpoint, *secret; /* "" where not given */
	bool insecure;
};
/* false: no S3 storage there */
bool storage_read(const json_node *s3, struct storage *ret);
/* spec.backup.storages.NAME.s3; ERR_NOT_FOUND "unable to get storage 'NAME'" */
bool storage_of(const json_node *psmdb, const char *name, struct storage *ret, struct err *err);
/* As version 1.14 writes it: PREFIX/NAME or NAME, without scheme and bucket. */
void storage_destination(const struct storage *s, const char *pbm_name, char *ret, size_t size);
/* PBM's name in "s3://bucket/prefix/NAME": the last element. false: it is no name of PBM's. */
bool destination_name(const char *destination, char ret[static ANSWER_NAME_MAX]);

/* --- backups ----------------------------------------------------------------------------------------------------- */

/* Before anything is sent: the reason to fail in err (ERR_STATE), with exactly the operator's text. */
bool backup_check(const json_node *backup, const json_node *psmdb, struct err *err);
/* clusterName, or its old name psmdbCluster; NULL */
const char *job_cluster(const json_node *object);

/* What a restore is made from. */
struct restore_source {
	char backup[ANSWER_NAME_MAX]; /* PBM's name */
	struct storage storage;
	char point[24]; /* "2026-11-28T05:47:00" of a point in time; "": the backup alone */
	bool latest;
};
/*
 * ret_later: nothing is wrong, and nothing can be done yet (the backup object is not ready: the operator says so in
 * its log only). backup: the object of spec.backupName; NULL if there is none.
 */
bool restore_check(const json_node *restore, const json_node *psmdb, const json_node *backup,
    struct restore_source *ret, bool *ret_later, struct err *err);

/* --- progress ---------------------------------------------------------------------------------------------------- */

#define JOB_START_LIMIT_MS 120000

/* The state after an answer of PBM about a job that was sent in_state_ms ago; text: of an error. */
enum job_state job_after(enum job_state state, const struct answer *answer, int64_t sent_ms_ago, const char **ret_text);

#endif
