/*
 * bound.json: the restore point, pinned before the disaster from the backup that will be restored (format
 * "psmdb-drill/bound", version 1): one JSON object
 *
 *   format, version, pinnedAt, source ("bucket" | "file" | "customResource" | "pitr"), precision ("operation" |
 *   "second")
 *   backup {name, opid, type, pbmVersion, mongodbVersion, fcv, startTs, lastTransitionTs, metadataSha256,
 *   metadataBytes, destination}
 *   clusterLastWriteTs "T,I", clusterFigure ("max" | "min" | "only": which of the sets' figures the cluster-wide one
 *   is; "only": one set)
 *   b0 "T,I"           every operation at or before it is in the backup
 *   replicaSets [{name, lastWriteTs, b0, b1}]     operations after b1 are not in the backup; between b0 and b1 either
 *   files [{key, bytes, etag, kind ("metadata" | "data" | "oplog" | "other"), replicaSet}]
 *
 * b0 = clusterLastWriteTs, b1 = max(b0, lastWriteTs of the set). precision "second" (custom resource only), T =
 * clusterLastWriteTs in seconds: b0 = (T-1, 2^32-1), b1 = (T, 2^32-1), i.e. anything within second T is undecided.
 * PITR by date: b0 = b1 = (T,0). Other figures are refused.
 */
#ifndef EVIDENCE_BOUND_H
#define EVIDENCE_BOUND_H

#include "base/cleanup.h"
#include "base/err.h"
#include "base/optime.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BOUND_FORMAT "psmdb-drill/bound"
#define BOUND_VERSION 1
#define BOUND_SETS_MAX 64
#define BOUND_FILES_MAX 100000

struct bound_set {
	char name[64];
	struct optime last_write, b0, b1;
};

struct bound_file {
	char *key;
	int64_t bytes;
	char etag[80];
	char kind[16];
	char replica_set[64];
};

struct bound {
	int64_t pinned_at_ms;
	char source[24];
	bool second_precision;
	char backup_name[128], opid[64], type[32], pbm_version[32], mongodb_version[32], fcv[16];
	int64_t start_ts, last_transition_ts; /* unix seconds */
	char metadata_sha256[65];
	int64_t metadata_bytes;
	char destination[512];
	struct optime cluster_last_write;
	char cluster_figure[8];
	struct optime b0;
	struct bound_set sets[BOUND_SETS_MAX];
	size_t set_count;
	struct bound_file *files;
	size_t file_count;
};

void bound_init(struct bound *b);
void bound_clear(struct bound *b);
bool bound_add_file(struct bound *b, const char *key, int64_t bytes, const char *etag, const char *kind,
    const char *replica_set, struct err *err);
/*
 * Checks the invariants (b0 <= b1, b0 of each set == cluster's b0, at least one set, names unique, figures as above)
 * on writing and on reading.
 */
bool bound_write(const struct bound *b, const char *path, struct err *err); /* "-": stdout */
bool bound_read(const char *path, struct bound *ret, struct err *err);
bool bound_parse(const char *text, size_t len, struct bound *ret, struct err *err);
const struct bound_set *bound_find_set(const struct bound *b, const char *name);
#define BOUND_CLEANUP __attribute__((cleanup(bound_clear)))

#endif
