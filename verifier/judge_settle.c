#include "verifier/judge_internal.h"

#include <string.h>

/* --- classes that need the whole evidence
 * ----------------------------------------------------------------------------------- */

/* The greatest lo of a present tick, per set of the bound. */
static void reach(const struct judge *j, struct optime ret[static BOUND_SETS_MAX])
{
	memset(ret, 0, BOUND_SETS_MAX * sizeof *ret);
	for (size_t i = 0; i < j->journal_count; i++) {
		const struct journal *journal = j->journals[i];

		for (size_t s = 0; !journal->excluded && s < journal->open.stream_count; s++)
			for (size_t l = 0; l < journal->streams[s].link_count; l++) {
				const struct link *link = &journal->streams[s].links[l];

				if (link->set)
					ret[link->set - j->bound->sets] =
					    optime_max(ret[link->set - j->bound->sets], link->max_lo);
			}
	}
}

/* Present ticks that are surely later, in every set where this one can have been: no single cut explains both. */
static bool cut_contradicts(
    const struct judge *j, const struct stream *s, const struct optime *reached, struct optime hi)
{
	for (size_t i = 0; i < j->bound->set_count; i++)
		if (judge_bound_may_hold(j, &j->bound->sets[i], s) && optime_cmp(reached[i], hi) < 0)
			return false;
	return j->bound->set_count > 0;
}

static bool apply_one_cut(const struct judge *j, struct stream *s, const struct optime *reached, struct err *err)
{
	for (size_t i = 0; i < s->astride_count; i++) {
		const struct astride *a = &s->astride[i];

		if (!cut_contradicts(j, s, reached, a->hi))
			continue;
		if (!lane_override(&s->lane, a->first, a->last, false, CLASS_LOST, err))
			return false;
		s->before_total += a->last - a->first + 1;
		stream_note_lost(s, a->first, a->last, a->hi);
	}
	return true;
}

static bool apply_altered(struct stream *s, struct err *err)
{
	for (size_t i = 0; i < s->altered_count; i++)
		if (!lane_override(&s->lane, s->altered[i].first, s->altered[i].last, true, CLASS_CORRUPTED, err))
			return false;
	return true;
}

static void count_lane(struct stream *s)
{
	for (size_t i = 0; i < s->lane.count; i++) {
		const struct lane_run *run = &s->lane.runs[i];
		int64_t ticks = run->last - run->first + 1;

		s->count[run->class] += ticks;
		if (run->class == CLASS_AT_BOUND || (run->class == CLASS_INDETERMINATE && !(run->flags & LANE_AFTER)))
			s->undecided += ticks;
	}
	for (size_t c = 0; c < CLASS_COUNT; c++)
		s->count[c] += s->loose[c];
}

/* --- the verdict's streams
 * ---------------------------------------------------------------------------------------------------- */

static bool add_range(struct verdict_range **list, size_t *count, size_t *cap, bool *truncated,
    const struct lane_run *run, struct err *err)
{
	struct verdict_range *tail = *count ? &(*list)[*count - 1] : NULL;

	if (!*truncated && tail && tail->last + 1 == run->first && tail->class == (enum tick_class)run->class) {
		tail->last = run->last;
		return true;
	}
	if (*count == VERDICT_RANGES_MAX) {
		*truncated = true;
		return true;
	}
	if (!GROW(*list, *cap, *count, err))
		return false;
	(*list)[(*count)++] = (struct verdict_range){run->first, run->last, (enum tick_class)run->class};
	return true;
}

static bool is_bad(const struct lane_run *run)
{
	switch (run->class) {
	case CLASS_AT_BOUND:
	case CLASS_UNJOURNALED:
		return true;
	case CLASS_INDETERMINATE:
		return !(run->flags & LANE_AFTER);
	default:
		return tick_class_fails((enum tick_class)run->class);
	}
}

static struct verdict_stream *add_stream(struct verdict *v, size_t *cap, struct err *err)
{
	if (!GROW(v->streams, *cap, v->stream_count, err))
		return NULL;
	v->streams[v->stream_count] = (struct verdict_stream){0};
	return &v->streams[v->stream_count++];
}

static bool fill_lane(struct verdict_stream *vs, const struct lane *lane, struct err *err)
{
	size_t ranges_cap = 0, bad_cap = 0;

	for (size_t i = 0; i < lane->count; i++) {
		const struct lane_run *run = &lane->runs[i];

		if (!add_range(&vs->ranges, &vs->range_count, &ranges_cap, &vs->ranges_truncated, run, err))
			return false;
		if (is_bad(run) && !add_range(&vs->bad, &vs->bad_count, &bad_cap, &vs->bad_truncated, run, err))
			return false;
	}
	if (lane->count) {
		vs->first = !vs->first || lane->runs[0].first < vs->first ? lane->runs[0].first : vs->first;
		if (lane->runs[lane->count - 1].last > vs->last)
			vs->last = lane->runs[lane->count - 1].last;
	}
	return true;
}

/* Of a ticker on the restored cluster: what is there is another run's, damage stays damage. */
static void count_excluded(struct stream *s, struct verdict *v)
{
	for (size_t i = 0; i < s->lane.count; i++) {
		const struct lane_run *run = &s->lane.runs[i];
		bool damaged = run->class == CLASS_CORRUPTED || run->class == CLASS_DUPLICATED;

		if (run->flags & LANE_PRESENT)
			v->count[damaged ? run->class : CLASS_FOREIGN] += run->last - run->first + 1;
	}
	v->count[CLASS_CORRUPTED] += s->loose[CLASS_CORRUPTED];
	v->count[CLASS_DUPLICATED] += s->loose[CLASS_DUPLICATED];
}

static bool settle_stream(const struct judge *j, const struct journal *journal, struct stream *s,
    const struct optime *reached, struct verdict *v, size_t *cap, struct err *err)
{
	struct verdict_stream *vs;

	if (!apply_altered(s, err))
		return false;
	if (journal->excluded) {
		count_excluded(s, v);
		return true;
	}
	if (!apply_one_cut(j, s, reached, err))
		return false;
	count_lane(s);
	v->issued += s->issued;
	v->acked += s->acked;
	v->undecided += s->undecided;
	v->digest_checked += s->digest_checked;
	v->digest_unchecked += s->digest_unchecked;
	v->rpo_ops += s->acked_gone;
	for (size_t c = 0; c < CLASS_COUNT; c++)
		v->count[c] += s->count[c];
	if (v->stream_count == VERDICT_STREAMS_MAX)
		return true;
	vs = add_stream(v, cap, err);
	if (!vs)
		return false;
	vs->run = journal->open.run;
	memcpy(vs->ns, s->id.ns, sizeof vs->ns);
	vs->writer = s->id.writer;
	if (s->link_count == 1)
		memcpy(vs->replica_set, s->links[0].stream->replica_set, sizeof vs->replica_set);
	memcpy(vs->count, s->count, sizeof vs->count);
	vs->issued = s->issued;
	vs->first = s->issued ? 1 : 0;
	vs->last = s->last_issued;
	return fill_lane(vs, &s->lane, err);
}

/* --- observed streams that no judged journal claims
 * ----------------------------------------------------------------------- */

static enum judge_claim claim_of(struct judge *j, const struct observed_stream *o)
{
	if (!j->journal_count)
		return CLAIM_BEYOND;
	for (size_t i = 0; i < j->journal_count; i++)
		if (uuid_equal(&j->journals[i]->open.run, &o->run))
			return j->journals[i]->excluded ? CLAIM_OTHER_RUN : CLAIM_NEVER;
	return timeline_run(&j->timeline, &o->run) ? CLAIM_BEYOND : CLAIM_OTHER_RUN;
}

static bool put_anomalies(struct judge *j, size_t at, struct lane *lane, struct verdict_stream *vs, struct err *err)
{
	for (size_t i = 0; i < j->observed->anomaly_count; i++) {
		const struct observed_anomaly *a = &j->observed->anomalies[i];
		enum tick_class class = a->kind == OBSERVED_CORRUPT ? CLASS_CORRUPTED : CLASS_DUPLICATED;

		if (a->stream < 0 || (size_t)a->stream != at)
			continue;
		j->anomaly_used[i] = true;
		if (a->seq < 1)
			vs->count[class]++;
		else if (lane_has(lane, a->seq)) {
			if (!lane_override(lane, a->seq, a->seq, true, class, err))
				return false;
		} else if (!lane_put(lane, a->seq, a->seq, class, LANE_PRESENT, err))
			return false;
	}
	return true;
}

static bool settle_unclaimed(struct judge *j, size_t at, struct verdict *v, size_t *cap, struct err *err)
{
	const struct observed_stream *o = &j->observed->streams[at];
	enum judge_claim claim = claim_of(j, o);
	enum tick_class class = judge_classify(claim, POSITION_ASTRIDE, PRESENCE_INTACT);
	struct lane lane = {0};
	struct verdict_stream *vs;
	bool good = true;

	if (claim == CLAIM_OTHER_RUN || v->stream_count >= VERDICT_STREAMS_MAX) {
		v->count[class] += o->intact.total;
		return true;
	}
	vs = add_stream(v, cap, err);
	if (!vs)
		return false;
	vs->run = o->run;
	memcpy(vs->ns, o->ns, sizeof vs->ns);
	vs->writer = o->writer;
	memcpy(vs->replica_set, o->replica_set, sizeof vs->replica_set);
	for (size_t i = 0; good && i < o->intact.count; i++)
		good = lane_put(&lane, o->intact.items[i].first, o->intact.items[i].last, class, LANE_PRESENT, err);
	good = good && put_anomalies(j, at, &lane, vs, err) && fill_lane(vs, &lane, err);
	for (size_t i = 0; i < lane.count; i++)
		vs->count[lane.runs[i].class] += lane.runs[i].last - lane.runs[i].first + 1;
	lane_clear(&lane);
	for (size_t c = 0; c < CLASS_COUNT; c++)
		v->count[c] += vs->count[c];
	return good;
}

static bool settle_observed(struct judge *j, struct verdict *v, size_t *cap, struct err *err)
{
	const struct observed *o = j->observed;

	if (!o || !o->ended)
		return true;
	for (size_t i = 0; i < o->stream_count; i++)
		if (!j->claimed[i] && j->has_data && !settle_unclaimed(j, i, v, cap, err))
			return false;
	for (size_t i = 0; i < o->anomaly_count; i++)
		if (!j->anomaly_used[i])
			v->count[o->anomalies[i].kind == OBSERVED_CORRUPT ? CLASS_CORRUPTED : CLASS_DUPLICATED]++;
	for (size_t i = 0; i < o->foreign_count; i++)
		if (__builtin_add_overflow(v->count[CLASS_FOREIGN], o->foreign[i].documents, &v->count[CLASS_FOREIGN]))
			v->count[CLASS_FOREIGN] = INT64_MAX;
	return true;
}

bool settle_classes(struct judge *j, struct verdict *v, struct err *err)
{
	struct optime reached[BOUND_SETS_MAX];
	size_t cap = 0;

	reach(j, reached);
	for (size_t i = 0; i < j->journal_count; i++)
		for (size_t s = 0; s < j->journals[i]->open.stream_count; s++)
			if (!settle_stream(j, j->journals[i], &j->journals[i]->streams[s], reached, v, &cap, err))
				return false;
	return settle_observed(j, v, &cap, err);
}
