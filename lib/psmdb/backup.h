/*
 * The metadata of one backup of Percona Backup for MongoDB, as the file NAME.pbm.json in the bucket tells it.
 *
 * Read from files of PBM 1.6 to 2.12. Unknown keys are ignored; what the judgement rests on (name, status, replica
 * sets, last write) must be there. Numbers may be JSON numbers, or MongoDB's extended JSON ({"$numberLong": "7"}).
 * Texts from the file are checked for control characters: they go into keys and messages.
 *
 * The cluster-wide last write is the restore point: PBM replays every set's oplog up to it. Which figure it is: the
 * latest of the sets' in physical backups and up to PBM 2.3, the earliest in logical backups from PBM 2.4 on. On one
 * replica set it is that set's own.
 */
#ifndef PSMDB_BACKUP_H
#define PSMDB_BACKUP_H

#include "base/cleanup.h"
#include "base/err.h"
#include "base/optime.h"

#include <stddef.h>
#include <stdint.h>

#define PBM_METADATA_SUFFIX ".pbm.json"
#define PBM_METADATA_MAX (16 << 20)
#define PBM_SETS_MAX 64
#define PBM_NAME_MAX 128

struct pbm_set {
	char name[64];
	char status[32];
	char node[256];
	char metadata_name[512]; /* key of the set's own metadata, below the prefix ("backup_name" in the file) */
	char oplog_name[512];	 /* folder of the oplog slices; before PBM 2.4 the only slice itself */
	char error[512];
	struct optime first_write, last_write;
	int64_t start_ts, last_transition_ts; /* unix seconds; 0: not told */
};

struct pbm_backup {
	char name[PBM_NAME_MAX];
	char opid[64];
	char type[32];	      /* "logical", "physical", "incremental", "external" */
	char compression[16]; /* "none", "gzip", "pgzip", "snappy", "lz4", "s2", "zstd" */
	char status[32]; /* "done" is the only good end; else "starting", "running", "dumpDone", "canceled", "error",
			    ... */
	char error[512];
	char pbm_version[32], mongodb_version[32], fcv[16];
	char store_type[16], bucket[256], prefix[1024], endpoint[512]; /* where PBM says that it wrote to */
	int64_t size_bytes;
	int64_t start_ts, last_transition_ts; /* unix seconds */
	struct optime first_write, last_write;
	struct pbm_set *sets;
	size_t set_count;
};

bool pbm_backup_parse(const char *text, size_t len, struct pbm_backup *ret, struct err *err);
void pbm_backup_clear(struct pbm_backup *b);
#define PBM_BACKUP_CLEANUP __attribute__((cleanup(pbm_backup_clear)))
const struct pbm_set *pbm_backup_set(const struct pbm_backup *b, const char *name);
bool pbm_backup_is_done(const struct pbm_backup *b);

/* Version comparison on the first two numbers: "2.10.0" is not before (2, 4). An unreadable version counts as new. */
bool pbm_version_before(const char *version, unsigned major, unsigned minor);

enum pbm_figure { PBM_FIGURE_ONLY, PBM_FIGURE_MIN, PBM_FIGURE_MAX };
/* Which of the sets' last writes the cluster-wide one is, by type and version. */
enum pbm_figure pbm_backup_figure(const struct pbm_backup *b);
const char *pbm_figure_text(enum pbm_figure figure); /* "only", "min", "max" */

/* "", ".gz", ".lz4", ".snappy", ".s2", ".zst" */
const char *pbm_compression_suffix(const char *compression);

#endif
