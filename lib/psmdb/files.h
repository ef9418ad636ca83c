/*
 * Which files make up a backup of PBM, told by their names (logical backups from PBM 2.0 on; older ones and physical
 * ones are recognised as far as they go):
 *
 *   PREFIX/NAME.pbm.json                      the backup's metadata
 *   PREFIX/NAME/RS/metadata.json, meta.pbm, filelist.pbm       a replica set's own metadata
 *   PREFIX/NAME/RS/<db>.<collection>.s2       data (.gz, .lz4, .snappy, .zst, or nothing, by compression)
 *   PREFIX/NAME/RS/oplog/<from>.<to>.s2       oplog slices; from and to are YYYYMMDDhhmmss-I
 */
#ifndef PSMDB_FILES_H
#define PSMDB_FILES_H

#include "base/buf.h"
#include "base/err.h"
#include "base/optime.h"

#include <stddef.h>
#include <stdint.h>

#define PBM_FILES_MAX 100000

enum pbm_file_kind { PBM_FILE_METADATA, PBM_FILE_DATA, PBM_FILE_OPLOG, PBM_FILE_OTHER };
const char *pbm_file_kind_text(enum pbm_file_kind kind); /* "metadata", "data", "oplog", "other" */

struct pbm_file {
	char *key;	  /* the whole key in the bucket */
	const char *rest; /* within key: behind "PREFIX/NAME/"; "" for the backup's metadata */
	uint64_t size_bytes;
	char etag[80];
	enum pbm_file_kind kind;
	char set[64];		/* replica set, "" for the backup's metadata */
	bool has_span;		/* an oplog slice with a name as PBM gives it */
	struct optime from, to; /* with has_span */
};

struct pbm_files {
	struct pbm_file *items; /* sorted by key once pbm_files_sort was called */
	size_t count, cap;
};

void pbm_files_clear(struct pbm_files *f);
#define PBM_FILES_CLEANUP __attribute__((cleanup(pbm_files_clear)))
/* Adds a key of the listing if it belongs to the backup; others are ignored. prefix as in the storage's configuration.
 */
bool pbm_files_add(struct pbm_files *f, const char *prefix, const char *name, const char *key, uint64_t size_bytes,
    const char *etag, struct err *err);
void pbm_files_sort(struct pbm_files *f);
/* By the text behind "PREFIX/NAME/"; needs the sorted list. */
const struct pbm_file *pbm_files_find(const struct pbm_files *f, const char *rest);

/* "<from>.<to>" with an optional ending, as in "20261123062220-8.20261123062225-19.s2". */
bool pbm_slice_parse(const char *file_name, struct optime *ret_from, struct optime *ret_to);

/* PREFIX joined with the rest as PBM does: slashes around the prefix do not matter, an empty prefix is none. */
bool pbm_key(struct buf *out, const char *prefix, const char *rest, struct err *err);
/* The backup's name if key is PREFIX/NAME.pbm.json, NAME being a time in UTC; name is at least PBM_NAME_MAX bytes. */
bool pbm_name_of_key(const char *key, const char *prefix, char *name);

#endif
