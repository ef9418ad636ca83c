#include "base/clock.h"
#include "verifier/judge_internal.h"

#include <inttypes.h>
#include <string.h>

/* --- when was it seen
 * ------------------------------------------------------------------------------------------------------------ */

/* Milliseconds from an ack to a later moment of the drill, on the drill's own clock where its timeline decides, else by
 * wall clocks. */
static int64_t age(const struct judge *j, const struct journal *journal, const struct ack *ack,
    const struct moment *until, int64_t limit_ms)
{
	const struct drill_run *run = journal->known;
	int64_t least = INT64_MIN, most = INT64_MAX, wall;

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
	wall = until->at_ms - journal_drill_wall_ms(j, journal, ack->ms);
	if (wall >= -limit_ms)
		return wall;
	/* that far in the future it cannot have been seen: the clocks disagree, and only the worst is known */
	return most != INT64_MAX ? most : -wall;
}

/* The part of from..to that no outage explains. */
static int64_t unexplained(const struct judge *j, int64_t from_ms, int64_t to_ms)
{
	const struct timeline_facts *t = &j->timeline;
	int64_t left = to_ms - from_ms;

	for (size_t i = 0; i < t->outage_count; i++) {
		int64_t from = t->outages[i].from_ms > from_ms ? t->outages[i].from_ms : from_ms;
		int64_t to = t->outages[i].to_ms < to_ms ? t->outages[i].to_ms : to_ms;

		if (to <= from)
			continue;
		left -= to - from;
		/* a wall clock that was set back must not explain the same time twice */
		from_ms = to;
	}
	return left;
}

/* --- anchor
 * ----------------------------------------------------------------------------------------------------------------------
 */

struct anchor_causes {
	struct cause none, early;
};

static void check_anchor_of(const struct judge *j, const struct journal *journal, const struct stream *s,
    const struct request *request, struct anchor_causes *c)
{
	char name[STREAM_TEXT_MAX], hi[OPTIME_TEXT_MAX];
	int64_t old_ms;

	stream_text(s, name);
	if (!s->anchor.known) {
		cause_add(&c->none,
		    "%s has no acknowledged tick up to journal record %llu, the newest one when the backup was "
		    "requested",
		    name, (unsigned long long)request->journal.n);
		return;
	}
	optime_format(s->anchor.hi, hi);
	if (optime_cmp(s->anchor.hi, j->b0) > 0) {
		/* within a coarse second nothing is proven */
		if (j->bound->second_precision && optime_cmp(s->anchor.hi, j->b1_all) <= 0)
			cause_add(&c->none,
			    "%s: the tick acknowledged at %s, before the backup was requested, lies within the restore "
			    "point's own second",
			    name, hi);
		else
			cause_add(&c->early, "%s: tick %lld was acknowledged at %s before the backup was requested",
			    name, (long long)s->anchor.seq, hi);
		return;
	}
	old_ms = age(j, journal, &s->anchor, &request->at, s->gap_limit_ms);
	if (old_ms > s->gap_limit_ms)
		cause_add(&c->none,
		    "%s: the last acknowledged tick (%lld) is %.1f s older than the request for the backup, %.1f s are "
		    "allowed: it does not pin down how old the backup may be",
		    name, (long long)s->anchor.seq, (double)old_ms / 1000, (double)s->gap_limit_ms / 1000);
}

static void find_anchor(const struct judge *j, struct anchor_causes *c)
{
	const struct request *request = timeline_anchor(&j->timeline);
	const struct journal *journal = NULL;
	char run[UUID_TEXT_MAX];

	if (!request->at.known) {
		cause_add(
		    &c->none, "the timeline has no event \"backup.requested\" before the restore point was pinned");
		return;
	}
	if (!request->journal.known) {
		cause_add(&c->none, "the drill held no journal when it requested the backup");
		return;
	}
	for (size_t i = 0; i < j->journal_count; i++)
		if (uuid_equal(&j->journals[i]->open.run, &request->journal.run))
			journal = j->journals[i];
	if (!journal) {
		cause_add(&c->none, "the journal of run %s, followed when the backup was requested, was not given",
		    uuid_format(&request->journal.run, run));
		return;
	}
	for (size_t s = 0; s < journal->open.stream_count; s++)
		check_anchor_of(j, journal, &journal->streams[s], request, c);
	if (!journal->open.stream_count)
		cause_add(&c->none, "the journal names no stream");
}

static bool check_anchor(struct judge *j, struct verdict *v, struct err *err)
{
	struct anchor_causes c = {0};
	char b0[OPTIME_TEXT_MAX], intro[320];

	/* a point in time is chosen, not made: coverage asks for a tick before it */
	if (!j->timeline.known || !strcmp(j->bound->source, "pitr"))
		return true;
	find_anchor(j, &c);
	snprintf(intro, sizeof intro, "the restore point is %s (backup \"%s\", source %s), but ",
	    optime_format(j->b0, b0), j->bound->backup_name, j->bound->source);
	return cause_end(&c.early, v, REASON_BOUND_BEFORE_ANCHOR,
		   "an older backup was pinned than the one that was requested, or the backup left its newest "
		   "operations "
		   "out",
		   intro, err) &&
	       cause_end(&c.none, v, REASON_NO_ANCHOR,
		   "let the ticker run, and its journal be followed, before the backup is requested", "", err);
}

/* --- one namespace and writer (of one replica set, if it was written to directly) over all runs of the ticker
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
	return a->id.writer == b->id.writer && a->home == b->home && !strcmp(a->id.ns, b->id.ns);
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

/* By the time when the runs began, on one clock: the tickers may have run on different machines. */
static void gather(const struct judge *j, const struct stream *s, struct chain *ret)
{
	ret->count = 0;
	for (size_t i = 0; i < j->journal_count; i++)
		for (size_t k = 0; !j->journals[i]->excluded && k < j->journals[i]->open.stream_count; k++) {
			struct part part = {j->journals[i], &j->journals[i]->streams[k]};
			size_t at = ret->count;

			if (!same(part.stream, s) || ret->count == JUDGE_JOURNALS_MAX)
				continue;
			for (; at && journal_drill_wall_ms(j, ret->parts[at - 1].journal, 0) >
					 journal_drill_wall_ms(j, part.journal, 0);
			     at--)
				ret->parts[at] = ret->parts[at - 1];
			ret->parts[at] = part;
			ret->count++;
		}
}

static void check_coverage(const struct judge *j, const struct chain *chain, struct cause *c)
{
	char name[STREAM_TEXT_MAX], b0[OPTIME_TEXT_MAX], b1[OPTIME_TEXT_MAX], last[OPTIME_TEXT_MAX];
	bool before = false, reached = false;
	struct optime last_hi = OPTIME_ZERO;

	for (size_t i = 0; i < chain->count; i++) {
		before = before || chain->parts[i].stream->acked_before;
		reached = reached || chain->parts[i].stream->reached;
		last_hi = optime_max(last_hi, chain->parts[i].stream->last_hi);
	}
	stream_text(chain->parts[0].stream, name);
	if (optime_is_zero(last_hi))
		cause_add(c, "%s: no tick was acknowledged at all", name);
	else if (!before)
		cause_add(c, "%s: no tick was acknowledged at or before the restore point %s", name,
		    optime_format(j->b0, b0));
	else if (!reached)
		cause_add(c,
		    "%s: no acknowledged tick was surely written after the restore point's end %s; the journal's last "
		    "acknowledgement is from %s",
		    name, optime_format(chain->parts[0].stream->b1, b1), optime_format(last_hi, last));
}

/* The longest stall of one namespace and writer. */
struct stall {
	int64_t from_ms, to_ms, left_ms, limit_ms;
	size_t count;
};

/* Did the drill hold the record already when the disaster came? Then no clock is needed to know what was first. */
static bool surely_before(const struct judge *j, const struct journal *journal, uint64_t n)
{
	const struct timeline_journal *held = &j->timeline.disaster_journal;

	return held->known && uuid_equal(&held->run, &journal->open.run) && n <= held->n;
}

static void note_stall(
    const struct judge *j, const struct stream *s, int64_t from_ms, int64_t to_ms, bool before, struct stall *ret)
{
	int64_t disaster_ms = j->timeline.disaster.known && !before ? j->timeline.disaster.at_ms : INT64_MAX;
	int64_t left_ms;

	to_ms = to_ms < disaster_ms ? to_ms : disaster_ms;
	left_ms = unexplained(j, from_ms, to_ms);
	if (left_ms <= s->gap_limit_ms)
		return;
	if (left_ms > ret->left_ms)
		*ret = (struct stall){from_ms, to_ms, left_ms, s->gap_limit_ms, ret->count};
	ret->count++;
}

static void describe(const struct stream *s, const struct stall *stall, struct cause *c)
{
	char name[STREAM_TEXT_MAX], from[TIME_TEXT_MAX], to[TIME_TEXT_MAX], more[48] = "";

	if (!stall->count)
		return;
	if (stall->count > 1)
		snprintf(more, sizeof more, ", the longest of %zu such gaps", stall->count);
	cause_add(c,
	    "%s: no tick was acknowledged for %.1f s (%s to %s on the drill's clock), of which no outage explains %.1f "
	    "s; %.1f s are allowed%s",
	    stream_text(s, name), (double)(stall->to_ms - stall->from_ms) / 1000, time_format(stall->from_ms, from),
	    time_format(stall->to_ms, to), (double)stall->left_ms / 1000, (double)stall->limit_ms / 1000, more);
}

/* Where liveness begins: the run that was followed when the backup was requested. */
static size_t anchored_part(const struct chain *chain)
{
	for (size_t i = 0; i < chain->count; i++)
		if (chain->parts[i].journal->anchor_n)
			return i;
	return 0;
}

static void check_liveness(const struct judge *j, const struct chain *chain, struct cause *c)
{
	const struct moment *disaster = &j->timeline.disaster;
	const struct part *last = NULL;
	struct stall stall = {0};

	for (size_t i = anchored_part(chain); i < chain->count; i++) {
		const struct part *p = &chain->parts[i];

		if (!p->stream->first_ack.known)
			continue;
		if (last)
			note_stall(j, p->stream, journal_drill_wall_ms(j, last->journal, last->stream->last_ack.ms),
			    journal_drill_wall_ms(j, p->journal, p->stream->first_ack.ms),
			    surely_before(j, p->journal, p->stream->first_ack.n), &stall);
		for (size_t g = 0; g < p->stream->gap_count; g++)
			note_stall(j, p->stream, journal_drill_wall_ms(j, p->journal, p->stream->gaps[g].from_ms),
			    journal_drill_wall_ms(j, p->journal, p->stream->gaps[g].to_ms),
			    surely_before(j, p->journal, p->stream->gaps[g].to_n), &stall);
		last = p;
	}
	/* without any ack coverage has failed already */
	if (last && disaster->known)
		note_stall(j, last->stream,
		    disaster->at_ms -
			age(j, last->journal, &last->stream->last_ack, disaster, last->stream->gap_limit_ms),
		    disaster->at_ms, true, &stall);
	describe(chain->parts[0].stream, &stall, c);
}

static bool check_chains(const struct judge *j, struct verdict *v, struct err *err)
{
	CLEANUP(free) struct chain *chain = malloc(sizeof *chain);
	struct cause uncovered = {0}, stalled = {0};
	char intro[96];
	size_t chains = 0;

	if (!chain)
		return err_nomem(err);
	for (size_t i = 0; i < j->journal_count; i++)
		for (size_t s = 0; !j->journals[i]->excluded && s < j->journals[i]->open.stream_count; s++) {
			if (!is_first(j, i, s))
				continue;
			chains++;
			gather(j, &j->journals[i]->streams[s], chain);
			if (j->bound)
				check_coverage(j, chain, &uncovered);
			if (j->timeline.known)
				check_liveness(j, chain, &stalled);
		}
	if (!chains && j->bound)
		cause_add(&uncovered, "every journal is of a ticker on the restored cluster");
	if (!cause_end(&uncovered, v, REASON_NO_COVERAGE,
		"let the ticker run from before the backup until it has replies from after it, and follow its journal",
		"", err))
		return false;
	snprintf(intro, sizeof intro, "%zu of %zu streams stood still; ", stalled.count, chains);
	return cause_end(&stalled, v, REASON_STALLED,
	    "find out why the ticker stood still; if it was planned, let the timeline say so (outage.start, "
	    "outage.end)",
	    chains > 1 ? intro : "", err);
}

/* The only set's ticks, where collect read them in one of another name. */
static const char *read_elsewhere(const struct judge *j)
{
	const struct bound *b = j->bound;

	for (size_t i = 0; b->set_count == 1 && i < j->journal_count; i++)
		for (size_t s = 0; !j->journals[i]->excluded && s < j->journals[i]->open.stream_count; s++)
			for (size_t l = 0; l < j->journals[i]->streams[s].link_count; l++) {
				const char *set = j->journals[i]->streams[s].links[l].stream->replica_set;

				if (set[0] && strcmp(set, b->sets[0].name) != 0)
					return set;
			}
	return NULL;
}

static bool check_sets(const struct judge *j, struct verdict *v, struct err *err)
{
	const char *elsewhere = read_elsewhere(j);
	struct cause uncovered = {0};

	for (size_t i = 0; i < v->set_count; i++)
		if (v->sets[i].ticks <= 0)
			cause_add(&uncovered, "replica set \"%s\" of the backup: %s", v->sets[i].name,
			    !judge_set_was_read(j->observed, v->sets[i].name) ? "it was not read"
			    : v->sets[i].ticks < 0
				? "which ticks live there is not known"
				: "no tick that was acknowledged before the restore point was found there");
	if (elsewhere)
		cause_add(&uncovered, "the backup is of replica set \"%s\", and ticks were read in replica set \"%s\"",
		    v->sets[0].name, elsewhere);
	return cause_end(&uncovered, v, REASON_SHARD_UNCOVERED,
	    "shard the drill's namespace over all shards, and collect from each replica set, or through a mongos as "
	    "a user with clusterMonitor",
	    "nothing is known of what some replica sets lost: ", err);
}

bool continuity_add(struct judge *j, struct verdict *v, struct err *err)
{
	if (!j->journal_count)
		return true;
	if (j->bound && !check_anchor(j, v, err))
		return false;
	return check_chains(j, v, err) && (!j->has_data || !j->bound || check_sets(j, v, err));
}
