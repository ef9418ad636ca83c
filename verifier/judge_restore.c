#include "verifier/judge_internal.h"

#include <string.h>

/* Clocks of two machines: a restore that PBM dates this long before the disaster belongs to an earlier one. */
#define STALE_MARGIN_MS 60000

/*
 * Milliseconds from the disaster to PBM's start of it, in the wall clock of the cluster restored into; false: one of them is not known.
 */
static bool since_disaster(
    const struct judge *j, const struct observed_restore *r, int64_t *ret_ms, int64_t *ret_error_ms)
{
	const struct moment *disaster = &j->timeline.disaster;
	int64_t offset_ms;

	if (r->start_ts <= 0 || !disaster->known || !judge_target_clock(j, &offset_ms, ret_error_ms))
		return false;
	/* to the end of PBM's second */
	*ret_ms = (r->start_ts < JUDGE_MS_MAX / 1000 ? r->start_ts * 1000 + 999 : JUDGE_MS_MAX) -
		  (disaster->at_ms + offset_ms);
	return true;
}

const struct observed_restore *judge_newest_restore(const struct judge *j)
{
	const struct observed_restore *newest = NULL;
	int64_t since_ms, error_ms;

	for (size_t i = 0; j->observed && j->observed->ended && i < j->observed->restore_count; i++)
		if (!newest || j->observed->restores[i].start_ts >= newest->start_ts)
			newest = &j->observed->restores[i];
	if (newest && since_disaster(j, newest, &since_ms, &error_ms) && since_ms + STALE_MARGIN_MS + error_ms < 0)
		return NULL;
	return newest;
}

/* Did it start after the disaster? Without a disaster there is no earlier restore to take it for. */
static bool is_proof(const struct judge *j, const struct observed_restore *r)
{
	int64_t since_ms, error_ms;

	if (!r || !j->timeline.disaster.known)
		return r != NULL;
	return since_disaster(j, r, &since_ms, &error_ms) && since_ms + error_ms >= 0;
}

bool judge_restore_done(const struct judge *j, char *ret_who, size_t size)
{
	const struct timeline_facts *t = &j->timeline;
	const struct observed_restore *r = judge_newest_restore(j);
	bool pbm = is_proof(j, r) && !strcmp(r->status, "done");
	bool drill = t->restore_finished.known && !strcmp(t->restore_state, "done");

	ret_who[0] = '\0';
	if (drill && pbm)
		snprintf(ret_who, size, "%s and PBM's own record (restore \"%s\")",
		    t->reported_by[0] ? t->reported_by : "the timeline", r->name);
	else if (drill)
		snprintf(ret_who, size, "%s", t->reported_by[0] ? t->reported_by : "the timeline");
	else if (pbm)
		snprintf(ret_who, size, "PBM's own record (restore \"%s\")", r->name);
	return pbm || drill;
}

/* --- was it what was pinned
 * ------------------------------------------------------------------------------------------------------ */

static void wrong(struct cause *c, const char *what, const char *who, const char *got, const char *pinned)
{
	cause_add(c, "%s: %s says \"%s\", the pinned one (bound.json) is \"%s\"", what, who, got, pinned);
}

static bool differs(const char *got, const char *pinned)
{
	return got[0] && pinned[0] && strcmp(got, pinned) != 0;
}

static void check_restore_record(const struct bound *b, const struct observed_restore *r, struct cause *c)
{
	static const char who[] = "PBM's newest restore";
	char got[OPTIME_TEXT_MAX], pinned[OPTIME_TEXT_MAX];
	bool by_time = !strcmp(b->source, "pitr");

	if (differs(r->backup, b->backup_name))
		wrong(c, "another backup was restored", who, r->backup, b->backup_name);
	if (by_time && r->pitr.t != b->b0.t)
		wrong(c,
		    optime_is_zero(r->pitr) ? "no point in time was restored" : "another point in time was restored",
		    who, optime_format(r->pitr, got), optime_format(b->b0, pinned));
	if (!by_time && !optime_is_zero(r->pitr))
		wrong(c, "the restore went on to a point in time", who, optime_format(r->pitr, got), b->backup_name);
}

static void check_backup_record(const struct bound *b, const struct observed_backup *o, struct cause *c)
{
	static const char who[] = "PBM's record of the restored backup";
	char got[OPTIME_TEXT_MAX], pinned[OPTIME_TEXT_MAX];

	if (differs(o->name, b->backup_name))
		wrong(c, "another backup was restored", who, o->name, b->backup_name);
	if (differs(o->opid, b->opid))
		wrong(c, "the backup is of another operation (opid)", who, o->opid, b->opid);
	if (optime_is_zero(o->last_write) || optime_is_zero(b->cluster_last_write))
		return;
	if (b->second_precision ? o->last_write.t != b->cluster_last_write.t
				: optime_cmp(o->last_write, b->cluster_last_write) != 0)
		wrong(c, "the backup has another last write", who, optime_format(o->last_write, got),
		    optime_format(b->cluster_last_write, pinned));
}

static bool check_identity(struct judge *j, struct verdict *v, struct err *err)
{
	const struct observed_restore *r = judge_newest_restore(j);
	const struct timeline_facts *t = &j->timeline;
	bool told = t->restore_finished.known && t->restored_backup[0];
	struct cause different = {0};

	if (!j->bound)
		return true;
	if (r)
		check_restore_record(j->bound, r, &different);
	if (r && j->observed->has_backup)
		check_backup_record(j->bound, &j->observed->backup, &different);
	if (told && differs(t->restored_backup, j->bound->backup_name))
		wrong(&different, "another backup was restored", t->reported_by[0] ? t->reported_by : "the timeline",
		    t->restored_backup, j->bound->backup_name);
	if (!cause_end(&different, v, REASON_WRONG_BACKUP,
		"find out who started another restore, or pin the backup that will be restored, and run the drill "
		"again",
		"", err))
		return false;
	if (!j->bound->backup_name[0] && !(r && !optime_is_zero(r->pitr)))
		return verdict_add_reason(v, REASON_IDENTITY_UNKNOWN,
		    "pin the restore point from the backup's metadata", err,
		    "the pinned restore point names no backup, so nothing can be compared with it");
	if (told || (is_proof(j, r) && (r->backup[0] || !optime_is_zero(r->pitr))))
		return true;
	return verdict_add_reason(v, REASON_IDENTITY_UNKNOWN,
	    "let collect read admin.pbmRestores, and let the timeline's restore.finished name the backup", err,
	    "%s, and the timeline names no restored backup; pinned is \"%s\"",
	    j->observed && j->observed->restore_count
		? "PBM's newest restore is not from after the disaster, or names no backup"
		: "PBM's records of restores were not observed",
	    j->bound->backup_name);
}

/* --- did it succeed
 * -------------------------------------------------------------------------------------------------------------- */

static bool check_outcome(struct judge *j, struct verdict *v, struct err *err)
{
	static const char hint[] = "read the restore's error and the log of the agents; a restore that failed after it "
				   "started leaves a mixed database";
	const struct observed_restore *r = judge_newest_restore(j);
	const struct timeline_facts *t = &j->timeline;
	bool told = t->restore_finished.known && t->restore_state[0];

	if (told && !strcmp(t->restore_state, "error"))
		return verdict_add_reason(v, REASON_RESTORE_FAILED, hint, err, "%s reported the restore as failed: %s",
		    t->reported_by[0] ? t->reported_by : "the timeline",
		    t->restore_detail[0] ? t->restore_detail : "no detail was given");
	if (r && !strcmp(r->status, "error"))
		return verdict_add_reason(v, REASON_RESTORE_FAILED, hint, err,
		    "PBM recorded its newest restore \"%s\" as failed: %s", r->name,
		    r->error[0] ? r->error : "no detail was given");
	if (r && strcmp(r->status, "done") != 0)
		return verdict_add_reason(v, REASON_RESTORE_UNKNOWN, "collect after the restore has ended", err,
		    "PBM's newest restore \"%s\" has the status \"%s\", not \"done\"", r->name, r->status);
	if (told && strcmp(t->restore_state, "done") != 0)
		return verdict_add_reason(v, REASON_RESTORE_UNKNOWN, "collect after the restore has ended", err,
		    "the timeline gives the restore the state \"%s\", neither done nor error", t->restore_state);
	if (is_proof(j, r) || told)
		return true;
	return verdict_add_reason(v, REASON_RESTORE_UNKNOWN,
	    "let the runner write restore.finished, and let collect read admin.pbmRestores", err,
	    "neither the timeline (restore.finished) nor PBM's records say how the restore ended");
}

static bool check_silent_loss(struct judge *j, struct verdict *v, struct err *err)
{
	struct ack first = {0}, last = {0};
	char who[400], from[OPTIME_TEXT_MAX], to[OPTIME_TEXT_MAX];

	if (!v->count[CLASS_LOST] || !judge_restore_done(j, who, sizeof who))
		return true;
	for (size_t i = 0; i < j->journal_count; i++)
		for (size_t s = 0; !j->journals[i]->excluded && s < j->journals[i]->open.stream_count; s++) {
			const struct stream *stream = &j->journals[i]->streams[s];

			if (stream->lost_first.known &&
			    (!first.known || optime_cmp(stream->lost_first.hi, first.hi) < 0))
				first = stream->lost_first;
			if (stream->lost_last.known && (!last.known || optime_cmp(stream->lost_last.hi, last.hi) > 0))
				last = stream->lost_last;
		}
	return verdict_add_reason(v, REASON_SILENT_LOSS,
	    "do not trust the restore's own status; look for missing or damaged oplog files of the backup in the "
	    "bucket",
	    err,
	    "%s reported success, yet %lld operations that were acknowledged before the restore point are missing: the "
	    "first one acknowledged at %s (tick %lld), the last one at %s (tick %lld)",
	    who, (long long)v->count[CLASS_LOST], optime_format(first.hi, from), (long long)first.seq,
	    optime_format(last.hi, to), (long long)last.seq);
}

/* --- can it be used
 * ------------------------------------------------------------------------------------------------------------ */

static bool check_use(struct judge *j, struct verdict *v, struct err *err)
{
	const struct observed *o = j->observed;
	struct cause failed = {0};
	char names[256] = "";
	size_t used = 0, refused = 0;

	for (size_t i = 0; o && i < o->probe_count; i++) {
		const struct observed_probe *p = &o->probes[i];

		if (!p->ok)
			cause_add(&failed, "the %s probe%s%s failed %lld times in %.1f s: %s", p->name,
			    p->replica_set[0] ? " on " : "", p->replica_set, (long long)p->attempts,
			    (double)p->elapsed_ms / 1000, p->detail[0] ? p->detail : "no detail was given");
	}
	if (!cause_end(&failed, v, REASON_PROBE_FAILED,
		"look at the database's own log and at the driver's message above", "", err))
		return false;
	for (size_t i = 0; o && i < o->login_count; i++) {
		if (o->logins[i].ok)
			continue;
		refused++;
		if (used < sizeof names)
			used += (size_t)snprintf(names + used, sizeof names - used, "%s\"%s\" (code %d)",
			    used ? ", " : "", o->logins[i].user, (int)o->logins[i].code);
	}
	if (!refused)
		return true;
	return verdict_add_reason(v, REASON_LOGIN_DRIFT,
	    "the backup brought its own users: restore the secret of the same time, or set the passwords again", err,
	    "%zu of %zu users of the secrets cannot log in to the restored database: %s", refused, o->login_count,
	    names);
}

static bool check_files(const struct judge *j, struct verdict *v, struct err *err)
{
	const struct timeline_facts *t = &j->timeline;

	if (!t->rechecked || (t->files_missing <= 0 && t->files_changed <= 0))
		return true;
	return verdict_add_reason(v, REASON_BACKUP_FILES_CHANGED,
	    "find out who writes to the bucket: life-cycle rules, another cluster with the same prefix, delete "
	    "finalizers",
	    err, "%lld files of the pinned backup are missing and %lld were changed since it was pinned%s%s",
	    (long long)t->files_missing, (long long)t->files_changed, t->recheck_detail[0] ? ": " : "",
	    t->recheck_detail);
}

bool restore_add(struct judge *j, struct verdict *v, struct err *err)
{
	return check_identity(j, v, err) && check_outcome(j, v, err) && check_silent_loss(j, v, err) &&
	       check_use(j, v, err) && check_files(j, v, err);
}
