#include "base/clock.h"
#include "verifier/judge_internal.h"

#include <inttypes.h>
#include <string.h>

#define SAME_REASON_MAX 8 /* then the first ones speak for the rest */

static bool enough(const struct verdict *v, enum verdict_reason_code code)
{
	size_t count = 0;

	for (size_t i = 0; i < v->reason_count; i++)
		count += v->reasons[i].code == code;
	return count >= SAME_REASON_MAX;
}

/* --- when was it seen
 * ------------------------------------------------------------------------------------------------------------ */

/* Milliseconds from an ack to a later moment of the drill, on the drill's own clock where its timeline decides, else by
 * wall clocks. */
static int64_t age(const struct judge *j, const struct journal *journal, const struct ack *ack,
    const struct moment *until, int64_t limit_ms)
{
	const struct drill_run *run = journal->known;
	int64_t least = INT64_MIN, most = INT64_MAX;

	for (size_t i = 0; run && i < run->count; i++) {
		const struct mention *m = &run->mentions[i];

		/* the drill saw the ack after the last record below it and before the first one that is not */
		if (m->n < ack->n) {
			most = until->mono_ms - m->mono_ms;
			continue;
		}
		least = until->mono_ms - m->mono_ms;
		break;
	}
	if (least != INT64_MIN && least > limit_ms)
		return least;
	if (most != INT64_MAX && most <= limit_ms)
		return most > 0 ? most : 0;
	return until->at_ms - journal_drill_wall_ms(j, journal, ack->ms);
}

/* The part of from..to that no outage explains. */
static int64_t unexplained(const struct judge *j, int64_t from_ms, int64_t to_ms)
{
	const struct timeline_facts *t = &j->timeline;
	int64_t left = to_ms - from_ms;

	for (size_t i = 0; i < t->outage_count; i++) {
		int64_t from = t->outages[i].from_ms > from_ms ? t->outages[i].from_ms : from_ms;
		int64_t to = t->outages[i].to_ms < to_ms ? t->outages[i].to_ms : to_ms;

		if (to > from)
			left -= to - from;
	}
	return left;
}

/* --- anchor
 * ----------------------------------------------------------------------------------------------------------------------
 */

static bool no_anchor(struct verdict *v, struct err *err, const char *why)
{
	return verdict_add_reason(v, REASON_NO_ANCHOR,
	    "let the ticker run, and its journal be followed, before the backup is requested", err, "%s", why);
}

static bool check_anchor_of(const struct judge *j, const struct journal *journal, const struct stream *s,
    const struct request *request, struct verdict *v, struct err *err)
{
	char name[STREAM_TEXT_MAX], hi[OPTIME_TEXT_MAX], b0[OPTIME_TEXT_MAX], why[768];
	int64_t old_ms;

	if (!s->anchor.known) {
		snprintf(why, sizeof why,
		    "%s has no acknowledged tick up to journal record %llu, the newest one when the backup was "
		    "requested",
		    stream_text(s, name), (unsigned long long)request->journal.n);
		return enough(v, REASON_NO_ANCHOR) || no_anchor(v, err, why);
	}
	if (optime_cmp(s->anchor.hi, j->b0) > 0) {
		/* within a coarse second nothing is proven */
		if (j->bound->second_precision && optime_cmp(s->anchor.hi, j->b1_all) <= 0) {
			snprintf(why, sizeof why,
			    "%s: the tick acknowledged at %s, before the backup was requested, lies within the restore "
			    "point's own second",
			    stream_text(s, name), optime_format(s->anchor.hi, hi));
			return enough(v, REASON_NO_ANCHOR) || no_anchor(v, err, why);
		}
		return enough(v, REASON_BOUND_BEFORE_ANCHOR) ||
		       verdict_add_reason(v, REASON_BOUND_BEFORE_ANCHOR,
			   "an older backup was pinned than the one that was requested, or the backup left its newest "
			   "operations out",
			   err,
			   "%s: tick %lld was acknowledged at %s before the backup was requested, but the restore "
			   "point is %s (backup \"%s\", source %s)",
			   stream_text(s, name), (long long)s->anchor.seq, optime_format(s->anchor.hi, hi),
			   optime_format(j->b0, b0), j->bound->backup_name, j->bound->source);
	}
	old_ms = age(j, journal, &s->anchor, &request->at, s->gap_limit_ms);
	if (old_ms <= s->gap_limit_ms || enough(v, REASON_NO_ANCHOR))
		return true;
	snprintf(why, sizeof why,
	    "%s: the last acknowledged tick (%lld) is %.1f s older than the request for the backup, %.1f s are "
	    "allowed: it does not pin down how old the backup may be",
	    stream_text(s, name), (long long)s->anchor.seq, (double)old_ms / 1000, (double)s->gap_limit_ms / 1000);
	return no_anchor(v, err, why);
}

static bool check_anchor(struct judge *j, struct verdict *v, struct err *err)
{
	const struct request *request = timeline_anchor(&j->timeline);
	const struct journal *journal = NULL;
	char why[256], run[UUID_TEXT_MAX];

	/* a point in time is chosen, not made: coverage asks for a tick before it */
	if (!j->timeline.known || !strcmp(j->bound->source, "pitr"))
		return true;
	if (!request->at.known)
		return no_anchor(
		    v, err, "the timeline has no event \"backup.requested\" before the restore point was pinned");
	if (!request->journal.known)
		return no_anchor(v, err, "the drill held no journal when it requested the backup");
	for (size_t i = 0; i < j->journal_count; i++)
		if (uuid_equal(&j->journals[i]->open.run, &request->journal.run))
			journal = j->journals[i];
	if (!journal) {
		snprintf(why, sizeof why,
		    "the journal of run %s, followed when the backup was requested, was not given",
		    uuid_format(&request->journal.run, run));
		return no_anchor(v, err, why);
	}
	for (size_t s = 0; s < journal->open.stream_count; s++)
		if (!check_anchor_of(j, journal, &journal->streams[s], request, v, err))
			return false;
	return journal->open.stream_count > 0 || no_anchor(v, err, "the journal names no stream");
}

/* --- one namespace and writer over all runs of the ticker
 * --------------------------------------------------------------- */

struct part {
	const struct journal *journal;
	const struct stream *stream;
};
struct chain {
	struct part parts[JUDGE_JOURNALS_MAX];
	size_t count;
};

static bool same(const struct stream *a, const struct stream *b)
{
	return a->id.writer == b->id.writer && !strcmp(a->id.ns, b->id.ns);
}

static bool is_first(const struct judge *j, size_t journal, size_t stream)
{
	const struct stream *s = &j->journals[journal]->streams[stream];

	for (size_t i = 0; i <= journal; i++)
		for (size_t k = 0; !j->journals[i]->excluded && k < j->journals[i]->open.stream_count; k++) {
			if (i == journal && k == stream)
				return true;
			if (same(&j->journals[i]->streams[k], s))
				return false;
		}
	return true;
}

/* By the time when the runs began. */
static void gather(const struct judge *j, const struct stream *s, struct chain *ret)
{
	ret->count = 0;
	for (size_t i = 0; i < j->journal_count; i++)
		for (size_t k = 0; !j->journals[i]->excluded && k < j->journals[i]->open.stream_count; k++) {
			struct part part = {j->journals[i], &j->journals[i]->streams[k]};
			size_t at = ret->count;

			if (!same(part.stream, s) || ret->count == JUDGE_JOURNALS_MAX)
				continue;
			for (; at && ret->parts[at - 1].journal->open.at_ms > part.journal->open.at_ms; at--)
				ret->parts[at] = ret->parts[at - 1];
			ret->parts[at] = part;
			ret->count++;
		}
}

static bool check_coverage(const struct judge *j, const struct chain *chain, struct verdict *v, struct err *err)
{
	static const char hint[] =
	    "let the ticker run from before the backup until it has replies from after it, and follow its journal";
	char name[STREAM_TEXT_MAX], b0[OPTIME_TEXT_MAX], b1[OPTIME_TEXT_MAX], last[OPTIME_TEXT_MAX];
	bool before = false, reached = false;
	struct optime last_hi = OPTIME_ZERO;

	for (size_t i = 0; i < chain->count; i++) {
		before = before || chain->parts[i].stream->acked_before;
		reached = reached || chain->parts[i].stream->reached;
		last_hi = optime_max(last_hi, chain->parts[i].stream->last_hi);
	}
	stream_text(chain->parts[0].stream, name);
	if (!before && !enough(v, REASON_NO_COVERAGE) &&
	    !verdict_add_reason(v, REASON_NO_COVERAGE, hint, err,
		"%s: no tick was acknowledged at or before the restore point %s", name, optime_format(j->b0, b0)))
		return false;
	return reached || enough(v, REASON_NO_COVERAGE) ||
	       verdict_add_reason(v, REASON_NO_COVERAGE, hint, err,
		   "%s: no acknowledged tick was surely written after the restore point's end %s; the journal's last "
		   "acknowledgement is from %s",
		   name, optime_format(chain->parts[0].stream->b1, b1), optime_format(last_hi, last));
}

static bool stalled(
    const struct judge *j, const struct stream *s, int64_t from_ms, int64_t to_ms, struct verdict *v, struct err *err)
{
	int64_t disaster_ms = j->timeline.disaster.known ? j->timeline.disaster.at_ms : INT64_MAX;
	char name[STREAM_TEXT_MAX], from[TIME_TEXT_MAX], to[TIME_TEXT_MAX];
	int64_t left_ms;

	to_ms = to_ms < disaster_ms ? to_ms : disaster_ms;
	left_ms = unexplained(j, from_ms, to_ms);
	if (left_ms <= s->gap_limit_ms || enough(v, REASON_STALLED))
		return true;
	return verdict_add_reason(v, REASON_STALLED,
	    "find out why the ticker stood still; if it was planned, let the timeline say so (outage.start, "
	    "outage.end)",
	    err,
	    "%s: no tick was acknowledged for %.1f s (%s to %s on the drill's clock), of which no outage explains %.1f "
	    "s; %.1f s are allowed",
	    stream_text(s, name), (double)(to_ms - from_ms) / 1000, time_format(from_ms, from), time_format(to_ms, to),
	    (double)left_ms / 1000, (double)s->gap_limit_ms / 1000);
}

/* Where liveness begins: the run that was followed when the backup was requested. */
static size_t anchored_part(const struct chain *chain)
{
	for (size_t i = 0; i < chain->count; i++)
		if (chain->parts[i].journal->anchor_n)
			return i;
	return 0;
}

static bool check_liveness(const struct judge *j, const struct chain *chain, struct verdict *v, struct err *err)
{
	const struct moment *disaster = &j->timeline.disaster;
	const struct part *last = NULL;

	for (size_t i = anchored_part(chain); i < chain->count; i++) {
		const struct part *p = &chain->parts[i];

		if (!p->stream->first_ack.known)
			continue;
		if (last && !stalled(j, p->stream, journal_drill_wall_ms(j, last->journal, last->stream->last_ack.ms),
				journal_drill_wall_ms(j, p->journal, p->stream->first_ack.ms), v, err))
			return false;
		for (size_t g = 0; g < p->stream->gap_count; g++)
			if (!stalled(j, p->stream, journal_drill_wall_ms(j, p->journal, p->stream->gaps[g].from_ms),
				journal_drill_wall_ms(j, p->journal, p->stream->gaps[g].to_ms), v, err))
				return false;
		last = p;
	}
	/* without any ack coverage has failed already */
	if (!last || !disaster->known)
		return true;
	return stalled(j, last->stream,
	    disaster->at_ms - age(j, last->journal, &last->stream->last_ack, disaster, last->stream->gap_limit_ms),
	    disaster->at_ms, v, err);
}

static bool check_chains(const struct judge *j, struct verdict *v, struct err *err)
{
	CLEANUP(free) struct chain *chain = malloc(sizeof *chain);

	if (!chain)
		return err_nomem(err);
	for (size_t i = 0; i < j->journal_count; i++)
		for (size_t s = 0; !j->journals[i]->excluded && s < j->journals[i]->open.stream_count; s++) {
			if (!is_first(j, i, s))
				continue;
			gather(j, &j->journals[i]->streams[s], chain);
			if ((j->bound && !check_coverage(j, chain, v, err)) ||
			    (j->timeline.known && !check_liveness(j, chain, v, err)))
				return false;
		}
	return true;
}

static bool check_sets(struct verdict *v, struct err *err)
{
	for (size_t i = 0; i < v->set_count; i++)
		if (v->sets[i].ticks <= 0 &&
		    !verdict_add_reason(v, REASON_SHARD_UNCOVERED,
			"shard the drill's namespace over all shards, and collect from each replica set", err,
			"replica set \"%s\" of the backup: %s, so nothing is known of what it lost", v->sets[i].name,
			v->sets[i].ticks < 0
			    ? "which ticks live there is not known"
			    : "no tick that was acknowledged before the restore point was found there"))
			return false;
	return true;
}

bool continuity_add(struct judge *j, struct verdict *v, struct err *err)
{
	if (!j->journal_count)
		return true;
	if (j->bound && !check_anchor(j, v, err))
		return false;
	return check_chains(j, v, err) && (!j->has_data || !j->bound || check_sets(v, err));
}
