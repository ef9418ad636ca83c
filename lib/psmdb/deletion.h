/*
 * What a deletion will do beside deleting: Percona's finalizers, and what the operator makes of them. Asked before a
 * disaster, so that the disaster does not erase the very backup that it is about to need.
 *
 * From the operator's code, 1.14 to 1.22. Finalizers have two spellings: bare, and from 1.17 with "percona.com/" in front;
 * both act in all versions known here.
 */
#ifndef PSMDB_DELETION_H
#define PSMDB_DELETION_H

#include "psmdb/cluster.h"
#include "psmdb/job.h"

/* X(name, text without the domain) */
#define PSMDB_FINALIZERS(X)                                                                                            \
	X(PODS_IN_ORDER, "delete-psmdb-pods-in-order")                                                                 \
	X(PVC, "delete-psmdb-pvc")                                                                                     \
	X(PITR_CHUNKS, "delete-pitr-chunks")                                                                           \
	X(BACKUP, "delete-backup")
enum psmdb_finalizer {
#define X(name, text) PSMDB_FINALIZER_##name,
	PSMDB_FINALIZERS(X)
#undef X
	    PSMDB_FINALIZER_OTHER,
};
enum psmdb_finalizer psmdb_finalizer(const char *text);

/* X(name, forbids the disaster, phrase) */
#define PSMDB_EFFECTS(X)                                                                                               \
	X(ERASES_BACKUP, true, "erases the backup in the bucket")                                                      \
	X(ERASES_PITR, true, "erases the point-in-time oplog chunks in the bucket")                                    \
	X(ERASES_SECRETS, true,                                                                                        \
	    "erases the users' passwords and the encryption key: the restored users could not log in")                 \
	X(LOSES_OBJECT, true, "goes, and the blueprint's restore finds a backup by its object")                        \
	X(HOLDS, false, "keeps the object until somebody takes the finalizer off")                                     \
	X(ORDERS, false, "scales the cluster down before it goes")                                                     \
	X(NOTHING, false, "does nothing to the backup")
enum psmdb_effect {
#define X(name, forbids, phrase) PSMDB_EFFECT_##name,
	PSMDB_EFFECTS(X)
#undef X
};
bool psmdb_effect_forbids(enum psmdb_effect effect);
const char *psmdb_effect_phrase(enum psmdb_effect effect);

/* What is going to be deleted. */
struct psmdb_deletion {
	bool clusters, backups, namespace_; /* a namespace takes everything in it along */
	bool needs_pitr;		    /* the restore will be to a point in time */
};

struct psmdb_consequence {
	enum psmdb_effect effect;
	char kind[8];		     /* "psmdb" or "backup" */
	char object[PSMDB_NAME_MAX]; /* its name */
	char finalizer[64];	     /* "" where it is not a finalizer's doing */
	char text[256];		     /* the whole, for people */
};
#define PSMDB_CONSEQUENCES_MAX 64 /* further ones are dropped, forbidding ones are not */

struct psmdb_consequences {
	struct psmdb_consequence items[PSMDB_CONSEQUENCES_MAX];
	size_t count;
};

/* Adds what the deletion does through this cluster. */
void psmdb_deletion_of_cluster(
    const struct psmdb_deletion *d, const struct psmdb_cluster *c, struct psmdb_consequences *ret);
/* Adds what the deletion does to this backup. */
void psmdb_deletion_of_backup(
    const struct psmdb_deletion *d, const struct psmdb_job *backup, struct psmdb_consequences *ret);
/* The first that forbids the disaster; NULL: none. */
const struct psmdb_consequence *psmdb_deletion_forbids(const struct psmdb_consequences *c);

#endif
