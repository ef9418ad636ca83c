/*
 * The objects of Percona's operator as a client reads them: names of kinds and things, states and what they mean.
 *
 * Operators 1.14 to 1.22. Unknown states are kept as text and are never final, so that a newer operator makes a
 * reader wait, not lie. Texts of a status are made harmless (no control characters) and cut to their field; names that
 * would have to be cut are refused, since they go back into requests.
 */
#ifndef PSMDB_OBJECTS_H
#define PSMDB_OBJECTS_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PSMDB_GROUP "psmdb.percona.com"
#define PSMDB_VERSION "v1"
#define PSMDB_CLUSTERS "perconaservermongodbs"
#define PSMDB_BACKUPS "perconaservermongodbbackups"
#define PSMDB_RESTORES "perconaservermongodbrestores"
#define PSMDB_CLUSTER_KIND "PerconaServerMongoDB"
#define PSMDB_BACKUP_KIND "PerconaServerMongoDBBackup"
#define PSMDB_RESTORE_KIND "PerconaServerMongoDBRestore"

#define PSMDB_BLUEPRINT_ANNOTATION "kanister.kasten.io/blueprint"
/* a sentence about a part that is a stand-in, for the report; only this project's sandbox writes it */
#define PSMDB_NOTE_ANNOTATION "psmdb-drill/note"

#define PSMDB_NAME_MAX 254 /* a DNS subdomain and a NUL */
#define PSMDB_UID_MAX 64

/* X(name, text, phrase): states of a cluster */
#define PSMDB_CLUSTER_STATES(X)                                                                                        \
	X(NONE, "", "not looked at by the operator yet")                                                               \
	X(INITIALIZING, "initializing", "initializing")                                                                \
	X(SHARDING, "sharding", "adding shards")                                                                       \
	X(STOPPING, "stopping", "stopping")                                                                            \
	X(PAUSED, "paused", "paused")                                                                                  \
	X(READY, "ready", "ready")                                                                                     \
	X(ERROR, "error", "in error")                                                                                  \
	X(OTHER, NULL, "in a state that is not known here")
enum psmdb_cluster_state {
#define X(name, text, phrase) PSMDB_CLUSTER_##name,
	PSMDB_CLUSTER_STATES(X)
#undef X
};
enum psmdb_cluster_state psmdb_cluster_state(const char *text); /* NULL is "" */
const char *psmdb_cluster_phrase(enum psmdb_cluster_state state);

/*
 * X(name, text, final, good, phrase): states of a backup or a restore. Final states are never left. The phrase says
 * what is waited for.
 */
#define PSMDB_JOB_STATES(X)                                                                                            \
	X(NONE, "", false, false, "not looked at by the operator yet")                                                 \
	X(WAITING, "waiting", false, false, "waiting: another backup or restore of the cluster is active")             \
	X(REQUESTED, "requested", false, false, "requested: the agents have the command and did not begin")            \
	X(RUNNING, "running", false, false, "running")                                                                 \
	X(READY, "ready", true, true, "ready")                                                                         \
	X(ERROR, "error", true, false, "error")                                                                        \
	X(REJECTED, "rejected", true, false, "rejected")                                                               \
	X(OTHER, NULL, false, false, "in a state that is not known here")
enum psmdb_job_state {
#define X(name, text, final, good, phrase) PSMDB_JOB_##name,
	PSMDB_JOB_STATES(X)
#undef X
};
enum psmdb_job_state psmdb_job_state(const char *text); /* NULL is "" */
bool psmdb_job_final(enum psmdb_job_state state);
bool psmdb_job_good(enum psmdb_job_state state);
const char *psmdb_job_phrase(enum psmdb_job_state state);
/*
 * Is a job that has been in this state for so long stuck rather than slow? The operator has no time-out of its own for
 * these: "" (it is not running, or gave up without a word: "backup is not ready" goes to its log only) and "requested" (no
 * agent took the command, or the agents do not know the backup). "waiting" and "running" can rightly take long and are
 * never stuck by time alone.
 */
bool psmdb_job_stuck(enum psmdb_job_state state, int64_t in_state_ms, int64_t limit_ms);

/* --- names ------------------------------------------------------------------------------------------------------- */

/* CLUSTER-mongos: the Service that clients use of a sharded cluster */
void psmdb_mongos_service(const char *cluster, char ret[static PSMDB_NAME_MAX]);
/* internal-CLUSTER-users: the copy of the users secret that the operator and the pods really use */
void psmdb_internal_users(const char *cluster, char ret[static PSMDB_NAME_MAX]);
/* "1.14.0" is not before (1, 14). An unreadable or empty version counts as new. */
bool psmdb_version_before(const char *version, unsigned major, unsigned minor);

#endif
