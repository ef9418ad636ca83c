/*
 * A PerconaServerMongoDB (psmdb) as a client reads it: what was asked for, and how far the operator is.
 */
#ifndef PSMDB_CLUSTER_H
#define PSMDB_CLUSTER_H

#include "doc/json.h"
#include "psmdb/objects.h"

#define PSMDB_SETS_MAX 65 /* 64 shards and cfg */
#define PSMDB_STORAGES_MAX 32
#define PSMDB_FINALIZERS_MAX 16

struct psmdb_set {
	char name[64];
	int64_t size, ready;
	bool initialized;
	char status[32], message[256];
};

struct psmdb_cluster {
	char namespace_[PSMDB_NAME_MAX], name[PSMDB_NAME_MAX], uid[PSMDB_UID_MAX];
	char blueprint[PSMDB_NAME_MAX]; /* the annotation; "" if there is none */
	char note[512];			/* likewise */
	bool deleting;
	char finalizers[PSMDB_FINALIZERS_MAX][64];
	size_t finalizer_count;

	/* spec */
	char version[32]; /* crVersion: the operator's behaviour; "" if the operator has not filled it in yet */
	char image[256], backup_image[256];
	char users_secret[PSMDB_NAME_MAX]; /* the operator's default if the spec names none */
	bool sharded, paused, unmanaged, backups_enabled, pitr_enabled, has_tasks;
	char storages[PSMDB_STORAGES_MAX][64];
	size_t storage_count;
	size_t sets_wanted; /* replica sets of the spec, cfg among them */

	/* status */
	enum psmdb_cluster_state state;
	char state_text[32], message[1024], host[300];
	int64_t size, ready; /* pods, of all sets and mongos */
	bool up_to_date;     /* the status is about this spec (observedGeneration) */
	char mongod_version[64];
	struct psmdb_set sets[PSMDB_SETS_MAX];
	size_t set_count;
	int64_t mongos_size, mongos_ready;
};

bool psmdb_cluster_read(const json_node *object, struct psmdb_cluster *ret, struct err *err);
bool psmdb_cluster_has_storage(const struct psmdb_cluster *c, const char *name);
/*
 * Usable by clients: ready, about this spec, and its mongos (or first replica set's) Service has a name. "ready" alone
 * is not enough: up to operator 1.14 a cluster in the middle of a restore has no mongos, and only the empty host tells.
 */
bool psmdb_cluster_usable(const struct psmdb_cluster *c);
/* "initializing, rs0 2 of 3, cfg 3 of 3, mongos 0 of 0" for people */
void psmdb_cluster_progress(const struct psmdb_cluster *c, char *ret, size_t size);

/* Does this PVC belong to the cluster of this name: by the operator's labels, else by the names that it gives? */
bool psmdb_owns_volume(const json_node *pvc, const char *cluster);
/* Is this pod one of the cluster's database pods (mongod, config server, mongos)? */
bool psmdb_owns_pod(const json_node *pod, const char *cluster);

#endif
