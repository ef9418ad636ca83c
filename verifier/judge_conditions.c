#include "base/clock.h"
#include "verifier/judge_internal.h"

#include <string.h>

#define RANGES_SHOWN 6
#define WHERE_MAX 640

bool judge_clock(const struct judge *j, int64_t *ret_offset_ms, int64_t *ret_error_ms)
{
	if (j->timeline.clock_known) {
		*ret_offset_ms = j->timeline.clock_offset_ms;
		*ret_error_ms = j->timeline.clock_error_ms;
	} else if (j->journal_count) {
		*ret_offset_ms = j->journals[0]->open.clock_offset_ms;
		*ret_error_ms = j->journals[0]->open.clock_error_ms;
	} else if (j->observed) {
		*ret_offset_ms = j->observed->open.clock_offset_ms;
		*ret_error_ms = j->observed->open.clock_error_ms;
	} else {
		return false;
	}
	return true;
}

/* "drill.ticker writer 0: 473-512, 514; admin.ticker writer 0: 7 and 3 more runs" */
static const char *where(const struct verdict *v, enum tick_class class, char text[static WHERE_MAX])
{
	size_t used = 0, shown = 0, more = 0;
	bool cut = false;

	text[0] = '\0';
	for (size_t s = 0; s < v->stream_count; s++) {
		const struct verdict_stream *vs = &v->streams[s];
		bool named = false;

		cut = cut || vs->bad_truncated;
		for (size_t i = 0; i < vs->bad_count; i++) {
			if (vs->bad[i].class != class)
				continue;
			if (shown == RANGES_SHOWN || used > WHERE_MAX - 2 * TICK_NS_MAX / 3) {
				more++;
				continue;
			}
			shown++;
			if (!named)
				used += (size_t)snprintf(text + used, WHERE_MAX - used,
				    "%s%.120s writer %d: ", used ? "; " : "", vs->ns, (int)vs->writer);
			used += (size_t)snprintf(
			    text + used, WHERE_MAX - used, "%s%lld", named ? ", " : "", (long long)vs->bad[i].first);
			if (vs->bad[i].last > vs->bad[i].first)
				used += (size_t)snprintf(
				    text + used, WHERE_MAX - used, "-%lld", (long long)vs->bad[i].last);
			named = true;
		}
	}
	if (more)
		snprintf(text + used, WHERE_MAX - used, " and %zu more runs%s", more, cut ? " at least" : "");
	else if (!shown)
		snprintf(text, WHERE_MAX, "no sequence number is known");
	return text;
}

static bool add_class(
    struct verdict *v, enum tick_class class, enum verdict_reason_code code, const char *hint, struct err *err)
{
	char text[WHERE_MAX], b0[OPTIME_TEXT_MAX];

	if (!v->count[class])
		return true;
	return verdict_add_reason(v, code, hint, err, "%lld ticks are %s (%s); restore point %s from %s: %s",
	    (long long)v->count[class], tick_class_text(class), tick_class_meaning(class),
	    v->has_bound ? optime_format(v->b0, b0) : "unknown", v->has_bound ? v->bound_source : "no file",
	    where(v, class, text));
}

static bool add_corrupted(const struct judge *j, struct verdict *v, struct err *err)
{
	char text[WHERE_MAX];
	size_t located = 0, blocks = 0;

	if (!v->count[CLASS_CORRUPTED])
		return true;
	for (size_t i = 0; i < j->journal_count; i++)
		for (size_t s = 0; s < j->journals[i]->open.stream_count; s++)
			for (size_t a = 0; a < j->journals[i]->streams[s].altered_count; a++)
				*(j->journals[i]->streams[s].altered[a].located ? &located : &blocks) += 1;
	if (!verdict_add_reason(v, REASON_CORRUPTED,
		"compare the named documents with a copy; a data file or the restore changed them", err,
		"%lld ticks are corrupted: their bytes are not what was written; %zu of them agree with their own sum "
		"and "
		"differ from the journal's digest: %s",
		(long long)v->count[CLASS_CORRUPTED], located, where(v, CLASS_CORRUPTED, text)))
		return false;
	return !blocks ||
	       verdict_add_reason(v, REASON_CORRUPTED,
		   "the digests cannot name them: read the ticks of these blocks one by one", err,
		   "in %zu blocks of %d at least 2 ticks differ from the journal's digest; all present ticks of "
		   "these blocks are counted as corrupted",
		   blocks, TICK_BLOCK);
}

static bool add_classes(const struct judge *j, struct verdict *v, struct err *err)
{
	return add_class(v, CLASS_LOST, REASON_LOST,
		   "the backup, or its restore, left out what it must hold: look at the backup's files and at PBM's "
		   "log",
		   err) &&
	       add_corrupted(j, v, err) &&
	       add_class(v, CLASS_DUPLICATED, REASON_DUPLICATED,
		   "look for orphaned documents on the shards, and for an index that was not unique while restoring",
		   err) &&
	       add_class(v, CLASS_LATE, REASON_LATE,
		   "check that the database was empty before the restore, and that this restore point is what was "
		   "restored",
		   err) &&
	       add_class(v, CLASS_RESURRECTED, REASON_RESURRECTED,
		   "the database refused these and has them all the same: keep the data and report it", err) &&
	       add_class(v, CLASS_UNEXPECTED, REASON_UNEXPECTED,
		   "something else writes ticks with this run's identity, or the journal is not the whole one", err);
}

/* --- the files
 * -----------------------------------------------------------------------------------------------------------------------
 */

static bool add_faults(const struct judge *j, struct verdict *v, struct err *err)
{
	for (size_t i = 0; i < j->fault_count; i++)
		if (!verdict_add_reason(v, j->faults[i].code,
			j->faults[i].hint[0] ? j->faults[i].hint
					     : "take the file from the place where it was written, and judge again",
			err, "%s", j->faults[i].message))
			return false;
	return true;
}

static bool add_cut(struct judge *j, struct verdict *v, struct err *err)
{
	static const char hint[] = "judge with the copy that the drill followed, complete and unchanged";
	size_t missing = 0;
	char text[UUID_TEXT_MAX];

	for (size_t i = 0; i < j->journal_count; i++) {
		const struct journal *journal = j->journals[i];
		const struct drill_run *known = journal->known;
		uint64_t last = known && known->count ? known->mentions[known->count - 1].n : 0;
		bool good = true;

		if (journal->contradicted_n || (known && known->contradicted))
			good = verdict_add_reason(v, REASON_JOURNAL_CUT, hint, err,
			    "record %llu of journal %s has another chain value than the timeline noted: it is not the "
			    "journal "
			    "that the drill followed",
			    (unsigned long long)journal->contradicted_n, uuid_format(&journal->open.run, text));
		else if (last > journal->head.n && journal->state != JOURNAL_BROKEN)
			good = verdict_add_reason(v, REASON_JOURNAL_CUT, hint, err,
			    "journal %s ends at record %llu, the timeline saw record %llu",
			    uuid_format(&journal->open.run, text), (unsigned long long)journal->head.n,
			    (unsigned long long)last);
		if (!good)
			return false;
	}
	for (size_t i = 0; i < j->timeline.run_count; i++)
		missing += !j->timeline.runs[i].given;
	if (!missing || !j->journal_count)
		return true;
	return verdict_add_reason(v, REASON_JOURNAL_CUT, hint, err,
	    "%zu of %zu journals that the timeline names were not given", missing, j->timeline.run_count);
}

static bool add_journals(struct judge *j, struct verdict *v, struct err *err)
{
	char text[UUID_TEXT_MAX];
	size_t open = 0;

	for (size_t i = 0; i < j->journal_count && i < 32; i++) {
		const struct journal *journal = j->journals[i];

		open += journal->state == JOURNAL_UNSEALED;
		if (journal->state == JOURNAL_BROKEN &&
		    !verdict_add_reason(v, REASON_JOURNAL_BROKEN,
			"use the copy that the drill followed; what comes after the damage is not believed", err,
			"journal %s is broken behind record %llu: %s", uuid_format(&journal->open.run, text),
			(unsigned long long)journal->head.n, journal->why))
			return false;
	}
	if (j->repeated_count &&
	    !verdict_add_reason(v, REASON_JOURNAL_BROKEN, "give each journal once", err,
		"%zu more journals claim a run that another journal claims already; they were not judged",
		j->repeated_count))
		return false;
	if (open &&
	    !verdict_add_reason(v, REASON_OPEN_JOURNAL,
		"nothing to do if the ticker died with the database; what it wrote after its last record is not known",
		err, "%zu of %zu journals have no end record, so the loss is at least what is shown", open,
		j->journal_count))
		return false;
	return add_cut(j, v, err);
}

/* What the database alone can tell: the demo's own way. */
static bool add_no_journal(const struct judge *j, struct verdict *v, struct err *err)
{
	const struct observed *o = j->observed;
	int64_t holes = 0, intact = 0;
	char newest[TIME_TEXT_MAX] = "none";
	int64_t newest_ms = INT64_MIN;

	if (j->journal_count || judge_has_fault(j, REASON_JOURNAL_BROKEN))
		return true;
	for (size_t i = 0; o && i < o->stream_count; i++) {
		const struct intervals *set = &o->streams[i].intact;

		intact += set->total;
		if (set->count)
			holes += set->items[set->count - 1].last - set->total;
	}
	for (size_t i = 0; o && i < o->newest_count; i++)
		if (o->newest[i].created_at_ms > newest_ms)
			newest_ms = o->newest[i].created_at_ms;
	if (newest_ms != INT64_MIN)
		time_format(newest_ms, newest);
	return verdict_add_reason(v, REASON_NO_JOURNAL,
	    "run the ticker with a journal, and follow it to a disk that the disaster spares", err,
	    "no journal was given: whether ticks are ok, lost, late or refused cannot be judged; the database alone "
	    "shows %lld "
	    "intact ticks, %lld missing sequence numbers before the last one of each stream, %lld duplicated, %lld "
	    "corrupted, and "
	    "the newest document of %s",
	    (long long)intact, (long long)holes, (long long)v->count[CLASS_DUPLICATED],
	    (long long)v->count[CLASS_CORRUPTED], newest);
}

static bool add_observation(const struct judge *j, struct verdict *v, struct err *err)
{
	const struct observed *o = j->observed;

	if (!o)
		return judge_has_fault(j, REASON_OBSERVATION_BROKEN) || judge_has_fault(j, REASON_NO_OBSERVATION) ||
		       verdict_add_reason(v, REASON_NO_OBSERVATION, "run collect against the restored database", err,
			   "no observation was given: no tick can be judged");
	if (!o->ended)
		return verdict_add_reason(v, REASON_NO_OBSERVATION, "run collect again and let it end", err,
		    "the observation has no end record: it was cut, and absence cannot be told from it");
	if (strcmp(o->open.read_concern, "majority") != 0 &&
	    !verdict_add_reason(v, REASON_NO_OBSERVATION, "collect with read concern majority", err,
		"the database was read with read concern \"%s\", not \"majority\": what was seen may be rolled back",
		o->open.read_concern))
		return false;
	return !o->truncated ||
	       verdict_add_reason(v, REASON_DETAILS_TRUNCATED,
		   "look at the database itself: there is more damage than the observation's limits hold", err,
		   "the observation counted %lld anomalies and lists %zu%s", (long long)o->anomalies_total,
		   o->anomaly_count, j->has_data ? "" : "; not all intact ticks are listed, so absence is not judged");
}

static bool add_files(struct judge *j, struct verdict *v, struct err *err)
{
	const struct timeline_facts *t = &j->timeline;

	if (!j->bound && !judge_has_fault(j, REASON_NO_BOUND) &&
	    !verdict_add_reason(v, REASON_NO_BOUND, "pin the restore point before the disaster (psmdb-verify bound)",
		err, "no pinned restore point was given: before and after cannot be told apart"))
		return false;
	if (!t->known && !judge_has_fault(j, REASON_TIMELINE_BROKEN) &&
	    !verdict_add_reason(v, REASON_NO_TIMELINE, "let psmdb-drill run the scenario, or write a timeline", err,
		"no timeline was given: anchor, liveness and cut journals cannot be checked"))
		return false;
	if (t->broken && !verdict_add_reason(v, REASON_TIMELINE_BROKEN, "use the file as the drill wrote it", err,
			     "the timeline is broken and was read up to there: %s", t->broken_why))
		return false;
	if (t->known && !t->disaster.known &&
	    !verdict_add_reason(v, REASON_NO_DISASTER,
		"let the scenario write the event \"disaster\" before it destroys", err,
		"the timeline has no event \"disaster\": RPO, RTO and liveness cannot be measured"))
		return false;
	return add_observation(j, v, err) && add_journals(j, v, err) && add_no_journal(j, v, err);
}

/* --- the rest
 * ------------------------------------------------------------------------------------------------------------------------
 */

static bool add_undecided(const struct judge *j, struct verdict *v, struct err *err)
{
	if (v->count[CLASS_UNJOURNALED] && j->journal_count &&
	    !add_class(v, CLASS_UNJOURNALED, REASON_UNJOURNALED,
		"let the ticker go on until it has a reply from after the restore point, and follow its journal", err))
		return false;
	/* without a bound everything is undecided, and NO_BOUND says why */
	if (!j->bound || v->undecided <= v->max_undecided)
		return true;
	return verdict_add_reason(v, REASON_UNDECIDED,
	    "look at the named ticks; if a planned fault explains them, allow them with --max-undecided", err,
	    "%lld ticks are undecided (%lld at_bound, %lld indeterminate of which those after the restore point do not "
	    "count), "
	    "%lld are allowed",
	    (long long)v->undecided, (long long)v->count[CLASS_AT_BOUND], (long long)v->count[CLASS_INDETERMINATE],
	    (long long)v->max_undecided);
}

static bool add_notes(const struct judge *j, struct verdict *v, struct err *err)
{
	char b0[OPTIME_TEXT_MAX], b1[OPTIME_TEXT_MAX];
	bool torn = j->bound && optime_cmp(j->b0, j->b1_all) != 0 && !j->bound->second_precision;

	if (torn && !verdict_add_reason(v, REASON_TORN,
			"shards are dumped one by one: treat documents of different shards as not of one instant", err,
			"the replica sets of the backup end between %s and %s, %lld s apart; in between a tick may be "
			"there or not "
			"(%lld at_bound)",
			optime_format(j->b0, b0), optime_format(j->b1_all, b1), (long long)v->torn_width_s,
			(long long)v->count[CLASS_AT_BOUND]))
		return false;
	for (size_t i = 0; i < j->timeline.note_count; i++)
		if (!verdict_add_reason(v, REASON_ENVIRONMENT,
			"repeat the drill where the part is real before relying on it", err, "%s",
			j->timeline.notes[i].value))
			return false;
	if (v->count[CLASS_FOREIGN] && !verdict_add_reason(v, REASON_FOREIGN, "nothing to do", err,
					   "%lld documents are of other runs or no ticks; they were not judged",
					   (long long)v->count[CLASS_FOREIGN]))
		return false;
	return !v->digest_unchecked || verdict_add_reason(v, REASON_DIGEST_PARTIAL,
					   "their own sums were right; only forgery would pass unseen", err,
					   "%lld present ticks could not be compared with the journal's digests (parts "
					   "of their range are absent, or "
					   "others are in their block), %lld were",
					   (long long)v->digest_unchecked, (long long)v->digest_checked);
}

bool conditions_add(struct judge *j, struct verdict *v, struct err *err)
{
	return add_classes(j, v, err) && add_faults(j, v, err) && add_files(j, v, err) && add_undecided(j, v, err) &&
	       add_notes(j, v, err);
}
