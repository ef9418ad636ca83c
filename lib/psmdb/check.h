/*
 * Is a backup complete? Judged from its metadata, a listing of the bucket and the sets' own metadata alone: no I/O
 * here.
 *
 * PBM does not look closely enough itself: with its oplog slices gone it restores, reports success, and leaves out
 * every write after the dump began.
 */
#ifndef PSMDB_CHECK_H
#define PSMDB_CHECK_H

#include "psmdb/backup.h"
#include "psmdb/files.h"

/* X(name, phrase). The names are stable: reports and scripts use them. */
#define PBM_FINDINGS(X)                                                                                                \
	X(BACKUP_NOT_DONE, "the backup did not end well")                                                              \
	X(BACKUP_EMPTY, "the backup has no replica set")                                                               \
	X(BACKUP_OTHER_NAME, "the metadata belongs to another backup")                                                 \
	X(SET_NOT_DONE, "a replica set's part did not end well")                                                       \
	X(LAST_WRITE_MISSING, "the metadata names no restore point")                                                   \
	X(LAST_WRITE_ODD, "the restore point is none of the replica sets' last writes")                                \
	X(METADATA_MISSING, "a metadata file is not in the bucket")                                                    \
	X(METADATA_BROKEN, "a replica set's metadata cannot be read")                                                  \
	X(DATA_MISSING, "a data file is not in the bucket")                                                            \
	X(FILE_EMPTY, "a file is empty")                                                                               \
	X(OPLOG_MISSING, "no oplog slice is in the bucket")                                                            \
	X(OPLOG_NAME, "an oplog slice has a name that tells no time")                                                  \
	X(OPLOG_STARTS_LATE, "the oplog slices begin after the dump's first write")                                    \
	X(OPLOG_GAP, "oplog slices are missing in between")                                                            \
	X(OPLOG_ENDS_EARLY, "the oplog slices end before the last write")

enum pbm_finding_code {
#define X(name, phrase) PBM_FINDING_##name,
	PBM_FINDINGS(X)
#undef X
};

struct pbm_finding {
	enum pbm_finding_code code;
	char set[64];	  /* "" if it is about the whole backup */
	char detail[512]; /* the file, the times; "" if the phrase says it all */
};

#define PBM_FINDINGS_MAX 1000 /* further ones are only counted */
struct pbm_findings {
	struct pbm_finding *items;
	size_t count;
	size_t dropped;
};

void pbm_findings_clear(struct pbm_findings *f);
#define PBM_FINDINGS_CLEANUP __attribute__((cleanup(pbm_findings_clear)))
const char *pbm_finding_name(enum pbm_finding_code code);   /* "OPLOG_MISSING" */
const char *pbm_finding_phrase(enum pbm_finding_code code); /* "no oplog slice is in the bucket" */
/* "OPLOG_MISSING rs0: no oplog slice is in the bucket (one/2026-11-23T06:22:13Z/rs0/oplog/)" */
bool pbm_finding_text(const struct pbm_finding *f, struct buf *out, struct err *err);

/* The metadata by itself. name: what the file was called. */
bool pbm_check_metadata(const struct pbm_backup *b, const char *name, struct pbm_findings *ret, struct err *err);
/* The listing (sorted) against the metadata. ERR_UNSUPPORTED for logical backups of PBM before 2.0. */
bool pbm_check_files(
    const struct pbm_backup *b, const struct pbm_files *files, struct pbm_findings *ret, struct err *err);
/* The text of a set's metadata.json against the listing: each collection that is not empty has its file. Only for
 * logical backups. */
bool pbm_check_collections(const struct pbm_backup *b, const struct pbm_set *set, const char *text, size_t len,
    const struct pbm_files *files, struct pbm_findings *ret, struct err *err);
/* Where that metadata.json is, below "PREFIX/NAME/". */
bool pbm_set_metadata_rest(const struct pbm_backup *b, const struct pbm_set *set, struct buf *out, struct err *err);

#endif
