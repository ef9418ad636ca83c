/*
 * A PerconaServerMongoDBBackup or PerconaServerMongoDBRestore as a client reads it.
 */
#ifndef PSMDB_JOB_H
#define PSMDB_JOB_H

#include "doc/json.h"
#include "psmdb/backup.h"
#include "psmdb/destination.h"
#include "psmdb/objects.h"
#include "psmdb/storage.h"

#define PSMDB_JOB_FINALIZERS_MAX 8

struct psmdb_job {
	char namespace_[PSMDB_NAME_MAX], name[PSMDB_NAME_MAX], uid[PSMDB_UID_MAX];
	bool deleting, has_owner; /* an owner reference: it dies with the owner */
	char owner_kind[64], owner_name[PSMDB_NAME_MAX];
	char finalizers[PSMDB_JOB_FINALIZERS_MAX][64];
	size_t finalizer_count;
	int64_t created_at_ms; /* -1: not told */

	/* spec */
	char cluster[PSMDB_NAME_MAX], storage[64];
	char backup[PSMDB_NAME_MAX]; /* of a restore: backupName; "" with backupSource */

	/* status */
	enum psmdb_job_state state;
	char state_text[32], error[1024];
	char pbm_name[PBM_NAME_MAX]; /* PBM's own name of the backup or the restore; "" before it was requested */
	char type[32];
	char destination[1500];	 /* of a backup; of a restore with backupSource: that one's */
	struct psmdb_storage s3; /* of a backup: where the operator says it went; has_s3 */
	bool has_s3;
	int64_t completed_at_ms; /* -1: not told */
};

bool psmdb_job_read(const json_node *object, struct psmdb_job *ret, struct err *err);
/*
 * Where a backup is, with its bucket filled in. ERR_STATE if the object does not tell (it was not requested yet) or
 * tells two different things.
 */
bool psmdb_job_place(const struct psmdb_job *backup, struct pbm_destination *ret, struct err *err);

#endif
