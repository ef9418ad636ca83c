#include "base/clock.h"
#include "verifier/judge_internal.h"

#include <string.h>
#include <strings.h>

#define RANGES_SHOWN 6
#define WHERE_MAX 640
#define OBSERVATION_MARGIN_MS 5000 /* two clocks that were compared */
#define PIN_MARGIN_MS 60000	   /* two clocks that were not */

bool judge_clock(const struct judge *j, int64_t *ret_offset_ms, int64_t *ret_error_ms)
{
	if (j->timeline.clock_known) {
		*ret_offset_ms = j->timeline.clock_offset_ms;
		*ret_error_ms = j->timeline.clock_error_ms;
	} else if (j->journal_count) {
		const struct journal *journal = j->journals[0];

		/* the one of the old cluster, in whatever order they were given */
		for (size_t i = 0; i < j->journal_count; i++)
			if (j->journals[i]->anchor_n)
				journal = j->journals[i];
		*ret_offset_ms = journal->open.clock_offset_ms;
		*ret_error_ms = journal->open.clock_error_ms;
	} else if (j->observed) {
		*ret_offset_ms = judge_ms(j->observed->open.clock_offset_ms);
		*ret_error_ms = judge_ms(j->observed->open.clock_error_ms);
	} else {
		return false;
	}
	return true;
}

bool judge_target_clock(const struct judge *j, int64_t *ret_offset_ms, int64_t *ret_error_ms)
{
	const struct timeline_facts *t = &j->timeline;

	if (!t->target_known)
		return judge_clock(j, ret_offset_ms, ret_error_ms);
	*ret_offset_ms = t->target_offset_ms;
	*ret_error_ms = t->target_error_ms;
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
	char text[WHERE_MAX], more[192] = "";
	size_t located = 0, blocks = 0;

	if (!v->count[CLASS_CORRUPTED])
		return true;
	for (size_t i = 0; i < j->journal_count; i++)
		for (size_t s = 0; s < j->journals[i]->open.stream_count; s++)
			for (size_t a = 0; a < j->journals[i]->streams[s].altered_count; a++)
				*(j->journals[i]->streams[s].altered[a].located ? &located : &blocks) += 1;
	if (blocks)
		snprintf(more, sizeof more,
		    "; in %zu blocks of %d at least 2 ticks differ from the journal's digest, and all present ticks of "
		    "these "
		    "blocks are counted",
		    blocks, TICK_BLOCK);
	return verdict_add_reason(v, REASON_CORRUPTED,
	    "compare the named documents with a copy; a data file or the restore changed them", err,
	    "%lld ticks are corrupted: their bytes are not what was written; %zu of them agree with their own sum and "
	    "differ from the journal's digest%s: %s",
	    (long long)v->count[CLASS_CORRUPTED], located, more, where(v, CLASS_CORRUPTED, text));
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
	struct cause cut = {0};
	size_t missing = 0;
	char text[UUID_TEXT_MAX];

	for (size_t i = 0; i < j->journal_count; i++) {
		const struct journal *journal = j->journals[i];
		const struct drill_run *known = journal->known;
		uint64_t last = known && known->count ? known->mentions[known->count - 1].n : 0;

		uuid_format(&journal->open.run, text);
		if (journal->contradicted_n)
			cause_add(&cut,
			    "record %llu of journal %s has another chain value than the timeline noted: it is not the "
			    "journal that the drill followed",
			    (unsigned long long)journal->contradicted_n, text);
		else if (known && known->contradicted)
			cause_add(&cut, "the timeline noted two chain values for one record of journal %s", text);
		else if (last > journal->head.n && journal->state != JOURNAL_BROKEN)
			cause_add(&cut, "journal %s ends at record %llu, the timeline saw record %llu", text,
			    (unsigned long long)journal->head.n, (unsigned long long)last);
	}
	for (size_t i = 0; i < j->timeline.run_count; i++)
		missing += !j->timeline.runs[i].given;
	if (missing && j->journal_count)
		cause_add(
		    &cut, "%zu of %zu journals that the timeline names were not given", missing, j->timeline.run_count);
	return cause_end(&cut, v, REASON_JOURNAL_CUT,
	    "judge with the copy that the drill followed, complete and unchanged", "", err);
}

static bool add_journals(struct judge *j, struct verdict *v, struct err *err)
{
	struct cause damage = {0};
	char text[UUID_TEXT_MAX];
	size_t open = 0;

	for (size_t i = 0; i < j->journal_count; i++) {
		const struct journal *journal = j->journals[i];

		open += journal->state == JOURNAL_UNSEALED;
		if (journal->state == JOURNAL_BROKEN)
			cause_add(&damage, "journal %s is broken behind record %llu: %s",
			    uuid_format(&journal->open.run, text), (unsigned long long)journal->head.n, journal->why);
	}
	if (!cause_end(&damage, v, REASON_JOURNAL_BROKEN,
		"use the copy that the drill followed; what comes after the damage is not believed", "", err))
		return false;
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

/* When was it read, against a moment of the drill? Both clocks were compared with the cluster's, or are taken as one.
 */
static int64_t read_since_ms(const struct judge *j, const struct moment *m)
{
	const struct observed_open *open = &j->observed->open;
	int64_t since = judge_ms(open->at_ms) - m->at_ms;

	if (j->timeline.target_known)
		return since + judge_ms(open->clock_offset_ms) - j->timeline.target_offset_ms;
	return j->timeline.clock_known ? since + judge_ms(open->clock_offset_ms) - j->timeline.clock_offset_ms : since;
}

/* Of the replica set that was read earliest. */
static struct optime read_after(const struct judge *j)
{
	struct optime least = j->observed->open.read_after;

	for (size_t i = 0; i < j->observed->set_count; i++)
		least = optime_min(least, j->observed->sets[i].read_after);
	return least;
}

/*
 * Operation times of two clusters are of two clocks: then what was read counts as so much later as the other clock is behind, and
 * both errors are allowed for. In one cluster they are compared as they are.
 */
static bool read_before_point(const struct judge *j)
{
	const struct timeline_facts *t = &j->timeline;
	int64_t offset_ms, error_ms, behind_ms;

	if (!t->target_known || !judge_clock(j, &offset_ms, &error_ms))
		return optime_cmp(read_after(j), j->b0) < 0;
	behind_ms = (int64_t)j->b0.t * 1000 - (int64_t)read_after(j).t * 1000;
	return behind_ms > offset_ms - t->target_offset_ms + error_ms + t->target_error_ms + 1000;
}

static void check_moment(const struct judge *j, struct cause *stale)
{
	const struct timeline_facts *t = &j->timeline;
	const struct observed_open *open = &j->observed->open;
	const struct moment *m = t->restore_finished.known ? &t->restore_finished : &t->disaster;
	const char *what = t->restore_finished.known ? "the restore ended" : "the disaster";
	char after[OPTIME_TEXT_MAX], b0[OPTIME_TEXT_MAX];
	int64_t margin_ms = OBSERVATION_MARGIN_MS + judge_ms(open->clock_error_ms) +
			    (t->target_known ? t->target_error_ms : t->clock_error_ms);

	if (m->known && read_since_ms(j, m) + margin_ms < 0)
		cause_add(
		    stale, "it was read %.1f s before %s (wall clocks)", (double)-read_since_ms(j, m) / 1000, what);
	if (j->bound && read_before_point(j))
		cause_add(stale, "it was read at or after operation time %s, and the restore point is %s",
		    optime_format(read_after(j), after), optime_format(j->b0, b0));
}

static void check_read(const struct judge *j, struct cause *unread)
{
	char name[STREAM_TEXT_MAX];

	for (size_t i = 0; i < j->journal_count; i++)
		for (size_t s = 0; !j->journals[i]->excluded && s < j->journals[i]->open.stream_count; s++)
			if (j->journals[i]->streams[s].unread)
				cause_add(unread, "%s", stream_text(&j->journals[i]->streams[s], name));
}

static bool check_reading(const struct judge *j, struct verdict *v, struct err *err)
{
	const struct observed *o = j->observed;
	struct cause stale = {0}, unread = {0};

	check_moment(j, &stale);
	check_read(j, &unread);
	if (!cause_end(&stale, v, REASON_NO_OBSERVATION, "run collect against the restored database, after the restore",
		"the observation is not of the restored database: ", err) ||
	    !cause_end(&unread, v, REASON_NO_OBSERVATION,
		"run collect with --ns for each namespace of the journal, and with --uri for each replica set, or "
		"through a "
		"mongos",
		"the observation did not read the namespaces, or not each replica set, of these streams, whose ticks "
		"were not judged: ",
		err))
		return false;
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

static bool add_observation(const struct judge *j, struct verdict *v, struct err *err)
{
	if (!j->observed)
		return judge_has_fault(j, REASON_OBSERVATION_BROKEN) || judge_has_fault(j, REASON_NO_OBSERVATION) ||
		       verdict_add_reason(v, REASON_NO_OBSERVATION, "run collect against the restored database", err,
			   "no observation was given: no tick can be judged");
	if (!j->observed->ended)
		return verdict_add_reason(v, REASON_NO_OBSERVATION, "run collect again and let it end", err,
		    "the observation has no end record: it was cut, and absence cannot be told from it");
	if (j->observed->open.describes)
		return verdict_add_reason(v, REASON_NO_OBSERVATION,
		    "run collect without --describe against the restored database", err,
		    "the observation is a description: it has read no document");
	return check_reading(j, v, err);
}

/* Is bound.json what was pinned, and was it pinned in time? */
static bool add_bound(const struct judge *j, struct verdict *v, struct err *err)
{
	const struct timeline_facts *t = &j->timeline;
	const struct bound *b = j->bound;
	struct cause other = {0};
	int64_t late_ms;

	if (!b)
		return judge_has_fault(j, REASON_NO_BOUND) ||
		       verdict_add_reason(v, REASON_NO_BOUND,
			   "pin the restore point before the disaster (psmdb-verify bound)", err,
			   "no pinned restore point was given: before and after cannot be told apart");
	late_ms = judge_ms(b->pinned_at_ms) - t->disaster.at_ms;
	if (t->disaster.known && late_ms > PIN_MARGIN_MS)
		cause_add(&other, "it was pinned %.1f s after the disaster", (double)late_ms / 1000);
	if (t->pinned_backup[0] && b->backup_name[0] && strcmp(t->pinned_backup, b->backup_name) != 0)
		cause_add(&other, "it names backup \"%s\", the timeline (bound.pinned) \"%s\"", b->backup_name,
		    t->pinned_backup);
	if (t->pinned_sha256[0] && j->bound_sha256[0] && strcasecmp(t->pinned_sha256, j->bound_sha256) != 0)
		cause_add(&other, "its SHA-256 is %s, the timeline (bound.pinned) noted %s", j->bound_sha256,
		    t->pinned_sha256);
	return cause_end(&other, v, REASON_NO_BOUND,
	    "judge with the bound.json that was pinned before the disaster, unchanged",
	    "bound.json is not what was pinned before the disaster: ", err);
}

static bool add_timeline(const struct judge *j, struct verdict *v, struct err *err)
{
	const struct timeline_facts *t = &j->timeline;

	if (!t->known && !judge_has_fault(j, REASON_TIMELINE_BROKEN) &&
	    !verdict_add_reason(v, REASON_NO_TIMELINE, "let psmdb-drill run the scenario, or write a timeline", err,
		"no timeline was given: anchor, liveness and cut journals cannot be checked"))
		return false;
	if (t->broken && !verdict_add_reason(v, REASON_TIMELINE_BROKEN, "use the file as the drill wrote it", err,
			     "the timeline is broken and was read up to there: %s", t->broken_why))
		return false;
	if (!cause_end(&t->malformed, v, REASON_TIMELINE_BROKEN,
		"give the event's figures, as docs/formats.md names them",
		"events of the timeline lack their figures: ", err))
		return false;
	if (!t->known)
		return true;
	if (!t->disaster.known)
		return verdict_add_reason(v, REASON_NO_DISASTER,
		    "let the scenario write the event \"disaster\" before it destroys", err,
		    "the timeline has no event \"disaster\": RPO, RTO and liveness cannot be measured");
	return !v->has_rpo || v->rpo_ms + v->rpo_error_ms >= 0 ||
	       verdict_add_reason(v, REASON_NO_DISASTER,
		   "let the first event \"disaster\" be the one that the restore answers, and compare the clocks", err,
		   "the timeline's disaster is %.3f s before the restore point (+- %.3f s): it cannot be what "
		   "destroyed the "
		   "database",
		   (double)-v->rpo_ms / 1000, (double)v->rpo_error_ms / 1000);
}

static bool add_files(struct judge *j, struct verdict *v, struct err *err)
{
	return add_bound(j, v, err) && add_timeline(j, v, err) && add_observation(j, v, err) &&
	       add_journals(j, v, err) && add_no_journal(j, v, err);
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
	struct cause orphans = {0};

	for (size_t i = 0; j->observed && i < j->observed->namespace_count; i++) {
		const struct observed_namespace *n = &j->observed->namespaces[i];

		if (n->orphans)
			cause_add(&orphans, "%lld documents of \"%s\" on \"%s\"", (long long)n->orphans, n->ns,
			    n->replica_set);
	}

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
	if (!cause_end(&orphans, v, REASON_ORPHANS,
		"nothing to do; with cleanupOrphaned they go, and no client sees them",
		"a shard holds what is another's, which was left out: ", err))
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
