/*
 * The stand-in for Percona's operator: psmdb, psmdb-backup and psmdb-restore of one namespace. Looks at what is and takes
 * what steps it can; nothing is remembered that another start could not find again in the API or in PBM.
 */
#ifndef OPERATOR_OPERATOR_H
#define OPERATOR_OPERATOR_H

#include "sandbox/operator/job.h"
#include "sandbox/operator/keeper.h"
#include "sandbox/operator/rules.h"
#include "sandbox/operator/space.h"

#define OPERATOR_CLUSTERS_MAX 4
#define OPERATOR_STORAGES_MAX 8 /* of one psmdb: the keys of more are not remembered */

/* A storage's keys, as PBM keeps them in the database. */
struct op_keys {
	char storage[OP_NAME_MAX]; /* its name in the psmdb; "": free */
	char access_key[256], secret_key[512];
};

/* One psmdb that is looked after. */
struct op_cluster {
	char uid[64]; /* "": free */
	char name[OP_NAME_MAX];
	bool here; /* it was there in this pass */
	struct keeper *keepers[CR_SETS_MAX];
	struct keeper_want wants[CR_SETS_MAX];
	struct keeper_seen seen[CR_SETS_MAX];
	int set_count;
	bool settled;	  /* all sets are */
	bool initialized; /* all sets are, or were */
	char told[400];	  /* the last trouble in the log */
	struct pbm_job job;
	struct op_keys keys[OPERATOR_STORAGES_MAX];
};

struct operator
{
	struct space space;
	const struct clock *clock;
	const struct log *log;
	const volatile int *stop;
	bool have_mongos;
	bool note_addresses; /* the API server refuses Endpoints of this machine's addresses, as a real one does */
	char pbm_binary[PATH_MAX]; /* "": none */
	char pbm_version[ANSWER_NAME_MAX];
	atomic_int keepers_running;
	struct op_cluster clusters[OPERATOR_CLUSTERS_MAX];
};

/* One pass each; errors are those of the API and are for the log. */
bool clusters_reconcile(struct operator* op, struct err *err);
bool backups_reconcile(struct operator* op, struct err *err);
bool restores_reconcile(struct operator* op, struct err *err);
/* Takes the jobs' next steps. True: something changed. */
bool jobs_tick(struct operator* op);

/* --- shared by the controllers ----------------------------------------------------------------------------------- */

struct op_cluster *operator_cluster(struct operator* op, const json_node *psmdb); /* NULL: not looked after yet */
void operator_cluster_free(struct op_cluster *c);
/* Is a restore of this cluster not over yet? */
bool operator_restoring(const struct operator* op, const char *cluster);
/* Another backup or restore of the cluster that was sent, or that holds the cluster's job. */
bool operator_busy(const struct operator* op, const char *cluster, const char *uid);
/* The S3 part of an order, credentials from the storage's Secret. ERR_NOT_FOUND with the API's words. */
bool operator_order_storage(
    const struct operator* op, const struct storage *storage, struct pbm_order *ret, struct err *err);
/* Remembers the keys of the psmdb's storages that can be read now; those that were known before stay. */
void operator_remember_keys(const struct operator* op, struct op_cluster *c, const json_node *psmdb);
/*
 * Where a backup is, by its own status, with the keys that are remembered for its storage (overwrite them after use).
 * ERR_NOT_FOUND: the status names no place, or no keys are known.
 */
bool operator_place_of_backup(
    const struct op_cluster *c, const json_node *backup, struct pbm_order *ret, struct err *err);
/* Puts the members of "more" (NULL: none) and the state over the status that there is, and writes it. */
bool operator_job_status(struct operator* op, enum space_kind kind, const json_node *object, enum job_state state,
    const json_node *more, struct err *err);
bool operator_job_error(
    struct operator* op, enum space_kind kind, const json_node *object, const char *text, struct err *err);
/* The object tells that something is being sent to PBM, and since when; 0: it does not. */
int64_t operator_sent_at(const json_node *object);
/* Makes it tell; then the job may send. */
bool operator_may_send(
    struct operator* op, enum space_kind kind, const json_node *object, struct pbm_job *job, struct err *err);

#endif
