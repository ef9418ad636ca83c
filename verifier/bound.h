/*
 * Pinning the restore point: from a backup in the bucket to a bound (evidence/bound.h), and looking again after the
 * restore.
 *
 * A drill that pins an incomplete backup would prove nothing, so findings (psmdb/check.h) and a bound exclude each
 * other.
 */
#ifndef VERIFIER_BOUND_H
#define VERIFIER_BOUND_H

#include "evidence/bound.h"
#include "psmdb/check.h"
#include "s3/s3.h"

/* --- pinning
 * -------------------------------------------------------------------------------------------------------------------
 */

struct bound_place {
	struct s3 *s3;
	const char *bucket;
	const char *prefix;
};

/* The newest backup by name under the prefix. ERR_NOT_FOUND if there is none. */
bool bound_latest_name(const struct bound_place *place, char name[static PBM_NAME_MAX], struct err *err);

/*
 * Reads NAME.pbm.json and lists the backup's files. True with *ret filled if ret_findings stays empty; true with
 * findings if the backup is incomplete, then *ret is not to be used. ERR_STATE if PBM itself says that the backup is
 * not done, ERR_NOT_FOUND if it is not there.
 */
bool bound_pin(const struct bound_place *place, const char *name, int64_t now_wall_ms, struct bound *ret,
    struct pbm_findings *ret_findings, struct err *err);
/* From a downloaded NAME.pbm.json; no file is looked at. */
bool bound_pin_file(
    const char *path, int64_t now_wall_ms, struct bound *ret, struct pbm_findings *ret_findings, struct err *err);

/* --- looking again
 * ------------------------------------------------------------------------------------------------------------- */

enum bound_change_kind { BOUND_MISSING, BOUND_CHANGED, BOUND_ADDED };

struct bound_change {
	enum bound_change_kind kind;
	const struct bound_file *pinned; /* NULL if added */
	const struct pbm_file *now;	 /* NULL if missing */
};

/* Both lists must outlive it. */
struct bound_changes {
	struct bound_change *items;
	size_t count;
	size_t missing, changed, added;
};

void bound_changes_clear(struct bound_changes *c);
#define BOUND_CHANGES_CLEANUP __attribute__((cleanup(bound_changes_clear)))

/* What the bucket holds of the pinned backup now. files: cleared by the caller. */
bool bound_list_now(const struct bound_place *place, const char *name, struct pbm_files *files, struct err *err);
/* Pure. Changed: another size or another ETag. files must be sorted. */
bool bound_compare(
    const struct bound *pinned, const struct pbm_files *files, struct bound_changes *ret, struct err *err);
/*
 * {"format":"psmdb-drill/recheck","version":1,"backup":NAME,"checkedAt":..., "missing":[F], "changed":[F],
 * "added":[F]}
 * with F =
 * {"key","kind","replicaSet","pinned":{"bytes","etag"},"now":{"bytes","etag"}}; bytes are decimal texts, "pinned" or
 * "now" is absent where there is none.
 */
bool bound_changes_json(
    const struct bound *pinned, const struct bound_changes *c, int64_t now_wall_ms, struct buf *out, struct err *err);

#endif
