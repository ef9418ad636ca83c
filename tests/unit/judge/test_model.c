/*
 * Random small histories, judged by the streaming judge and by a model that holds every tick in an array and follows
 * the words of docs/architecture.md, in quadratic time. The seed is printed; JUDGE_SEED repeats one, JUDGE_HISTORIES
 * sets how many.
 */
#include "verifier/judge.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <string.h>

enum { SETS_MAX = 3, STREAMS_MAX = 3, TICKS_MAX = 1300 };
#define NOT_THERE CLASS_COUNT

struct tick {
	bool issued, acked, failed, exact;
	struct optime lo, hi;
	int64_t range; /* first tick of its issued record */
	uint64_t sum;
	/* the database */
	bool seen[SETS_MAX], altered[SETS_MAX];
	bool corrupt, duplicate;
	enum tick_class class;
};

struct history {
	uint64_t random;
	size_t set_count, stream_count;
	bool coarse, sealed, wild;
	struct bound bound;
	struct journal_open open;
	struct tick ticks[STREAMS_MAX][TICKS_MAX];
	int64_t issued[STREAMS_MAX];
	struct journal_record *records;
	size_t record_count, record_cap;
	uint32_t clock;
	struct observed observed;
};

static uint64_t next(struct history *h)
{
	h->random += 0x9e3779b97f4a7c15u;
	uint64_t z = h->random;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

static uint32_t below(struct history *h, uint32_t n)
{
	return (uint32_t)(next(h) % n);
}

static bool chance(struct history *h, uint32_t percent)
{
	return below(h, 100) < percent;
}

static struct optime at(uint32_t clock)
{
	return (struct optime){1000 + clock / 4, clock % 4 + 1};
}

/* --- telling
 * -----------------------------------------------------------------------------------------------------------------------
 */

static const char *const plain_names[] = {"rs0", "rs1", "rs2"}, *const cfg_names[] = {"rs0", "rs1", "cfg"};

static void tell_frame(struct history *h)
{
	bool cfg = chance(h, 25);

	h->coarse = chance(h, 30);
	h->set_count = 1 + (chance(h, 50) ? below(h, SETS_MAX) : 0);
	h->stream_count = 1 + below(h, STREAMS_MAX);
	h->sealed = chance(h, 50);
	h->wild = chance(h, 60);
	bound_init(&h->bound);
	strcpy(h->bound.source, h->coarse ? "customResource" : "bucket");
	strcpy(h->bound.backup_name, "b");
	h->bound.second_precision = h->coarse;
	h->bound.b0 = at(20 + below(h, 60));
	if (h->coarse)
		h->bound.b0 = (struct optime){h->bound.b0.t - 1, UINT32_MAX};
	h->bound.set_count = h->set_count;
	for (size_t i = 0; i < h->set_count; i++) {
		struct bound_set *set = &h->bound.sets[i];

		strcpy(set->name, cfg ? cfg_names[i] : plain_names[i]);
		set->b0 = set->b1 = h->bound.b0;
		if (h->coarse)
			set->b1.t++;
		else if (h->set_count > 1)
			set->b1 = optime_max(set->b0, at(20 + below(h, 80)));
	}
	h->open = (struct journal_open){.run = {{7}}, .at_ms = 1000000, .batch = 5, .stream_count = h->stream_count};
	for (size_t i = 0; i < h->stream_count; i++) {
		strcpy(h->open.streams[i].ns, chance(h, 30) ? "admin.ticker" : "drill.ticker");
		h->open.streams[i].writer = (int32_t)i;
	}
}

static void record(struct history *h, struct journal_record rec)
{
	if (h->record_count == h->record_cap) {
		h->record_cap = h->record_cap ? 2 * h->record_cap : 256;
		h->records = reallocarray(h->records, h->record_cap, sizeof *h->records);
		cr_assert_not_null(h->records);
	}
	rec.n = h->record_count + 2;
	rec.ms = (int64_t)h->clock * 250;
	h->records[h->record_count++] = rec;
}

static void ack(struct history *h, uint32_t s, int64_t first, int64_t last, bool exact)
{
	struct optime hi = at(h->clock);

	for (int64_t k = first; k <= last; k++) {
		h->ticks[s][k].acked = true;
		h->ticks[s][k].hi = hi;
		h->ticks[s][k].exact = exact;
	}
	record(h, (struct journal_record){
		      .type = JOURNAL_ACKED, .stream = s, .first = first, .last = last, .hi = hi, .exact = exact});
}

static void unknown(struct history *h, uint32_t s, int64_t first, int64_t last)
{
	record(h, (struct journal_record){.type = JOURNAL_UNKNOWN, .stream = s, .first = first, .last = last});
}

static void failed(struct history *h, uint32_t s, int64_t first, int64_t last)
{
	for (int64_t k = first; k <= last; k++)
		h->ticks[s][k].failed = true;
	record(h, (struct journal_record){.type = JOURNAL_FAILED, .stream = s, .first = first, .last = last});
}

static void outcome(struct history *h, uint32_t s, int64_t first, int64_t last)
{
	int64_t middle = first + below(h, (uint32_t)(last - first + 1));
	uint32_t kind = below(h, 100);

	if (kind < 70) {
		ack(h, s, first, last, first == last && chance(h, 80));
	} else if (kind < 76) {
		failed(h, s, first, last);
	} else if (kind < 82) {
		unknown(h, s, first, last);
	} else if (kind < 90) {
		unknown(h, s, first, last);
		h->clock += below(h, 6);
		ack(h, s, middle, last, false);
	} else if (kind < 95) {
		ack(h, s, first, middle, false);
		if (middle < last && chance(h, 50))
			failed(h, s, middle + 1, last);
	}
}

/* One command of one writer: when each tick happened, and in which sets the restored database has it. */
static void command(struct history *h, uint32_t s, int64_t ticks, struct optime lo, const struct optime *cut)
{
	int64_t first = h->issued[s] + 1, last = first + ticks - 1;
	struct journal_record rec = {.type = JOURNAL_ISSUED, .stream = s, .lo = lo};

	last = tick_block(first) == tick_block(last) ? last : (tick_block(first) + 1) * TICK_BLOCK;
	rec.first = first;
	rec.last = last;
	for (int64_t k = first; k <= last; k++) {
		struct tick *tick = &h->ticks[s][k];
		size_t set = below(h, (uint32_t)h->set_count);

		*tick = (struct tick){.issued = true, .lo = lo, .range = first, .sum = next(h)};
		tick_digest_add(&rec.digest, k, tick->sum);
		h->clock += ticks < 20;
		tick->seen[set] = !chance(h, 8) && optime_cmp(at(h->clock), cut[set]) <= 0;
		if (h->wild && chance(h, 3))
			tick->seen[set] = !tick->seen[set];
		if (h->wild && chance(h, 1) && h->set_count > 1)
			tick->seen[(set + 1) % h->set_count] = true;
	}
	h->issued[s] = last;
	record(h, rec);
	/* a reply is later than what was known before */
	h->clock += below(h, 2) + (ticks >= 20);
	outcome(h, s, first, last);
}

static void tell_ticks(struct history *h)
{
	struct optime cut[SETS_MAX], lo[STREAMS_MAX];
	uint32_t commands = 5 + below(h, 40);
	bool long_prelude = chance(h, 25);

	for (size_t i = 0; i < h->set_count; i++)
		cut[i] = chance(h, 50) ? h->bound.sets[i].b1 : h->bound.b0;
	for (uint32_t s = 0; s < h->stream_count; s++) {
		lo[s] = at(h->clock);
		if (long_prelude)
			command(h, s, 985 + below(h, 15), lo[s], cut);
	}
	while (commands--) {
		uint32_t s = below(h, (uint32_t)h->stream_count);

		h->clock++;
		command(h, s, chance(h, 60) ? 1 : 2 + below(h, 4), lo[s], cut);
		/* what the writer knows: the time in its last reply, had it one */
		if (chance(h, 90))
			lo[s] = at(h->clock);
		h->clock += below(h, 3);
	}
}

static void damage(struct history *h)
{
	for (size_t s = 0; s < h->stream_count; s++) {
		for (int64_t k = 1; k <= h->issued[s]; k++) {
			struct tick *tick = &h->ticks[s][k];
			uint32_t rare = h->issued[s] > 900 ? 1000 : 60;

			if (!h->wild)
				continue;
			for (size_t i = 0; i < h->set_count; i++)
				tick->altered[i] = tick->seen[i] && below(h, rare * 2) == 0;
			if (below(h, rare) == 0) {
				tick->corrupt = true;
				memset(tick->seen, 0, sizeof tick->seen);
			} else if (below(h, rare) == 0 && (tick->seen[0] || tick->seen[1] || tick->seen[2])) {
				tick->duplicate = true;
			}
		}
		/* present ticks that nobody issued */
		for (int64_t k = h->issued[s] + 1; h->wild && k < h->issued[s] + 4; k++)
			if (chance(h, 20)) {
				size_t set = below(h, (uint32_t)h->set_count);

				h->ticks[s][k] = (struct tick){.sum = next(h)};
				h->ticks[s][k].seen[set] = true;
			}
	}
}

/* --- the observation of it
 * --------------------------------------------------------------------------------------------------- */

static void observe_set(struct history *h, size_t s, size_t set, struct observed_stream *o)
{
	*o = (struct observed_stream){.run = h->open.run, .writer = h->open.streams[s].writer};
	strcpy(o->ns, h->open.streams[s].ns);
	strcpy(o->replica_set, h->bound.sets[set].name);
	intervals_init(&o->intact, 10000);
	o->blocks = calloc(2, sizeof *o->blocks);
	cr_assert_not_null(o->blocks);
	for (int64_t k = 1; k < TICKS_MAX; k++) {
		const struct tick *tick = &h->ticks[s][k];
		struct observed_block *block = &o->blocks[o->block_count ? o->block_count - 1 : 0];

		if (!tick->seen[set])
			continue;
		cr_assert(intervals_add(&o->intact, k, NULL, NULL));
		if (!o->block_count || block->block != tick_block(k)) {
			block = &o->blocks[o->block_count++];
			block->block = tick_block(k);
		}
		block->ticks++;
		tick_digest_add(&block->digest, k, tick->altered[set] ? tick->sum ^ 1 : tick->sum);
		h->observed.intact++;
	}
}

/* Is anything of the stream observed in the set? */
static bool lives_in(const struct history *h, size_t set, size_t s)
{
	for (int64_t k = 1; k < TICKS_MAX; k++)
		if (h->ticks[s][k].seen[set] || (set == 0 && h->ticks[s][k].corrupt))
			return true;
	return false;
}

static void observe(struct history *h)
{
	struct observed *o = &h->observed;

	observed_init(o);
	o->ended = true;
	strcpy(o->open.read_concern, "majority");
	o->streams = calloc(h->stream_count * h->set_count, sizeof *o->streams);
	o->anomalies = calloc(2 * STREAMS_MAX * TICKS_MAX, sizeof *o->anomalies);
	o->namespaces = calloc(h->stream_count, sizeof *o->namespaces);
	cr_assert(o->streams && o->anomalies && o->namespaces);
	for (size_t s = 0; s < h->stream_count; s++)
		strcpy(o->namespaces[o->namespace_count++].ns, h->open.streams[s].ns);
	for (size_t s = 0; s < h->stream_count; s++)
		for (size_t set = 0; set < h->set_count; set++) {
			int32_t stream = (int32_t)o->stream_count;

			if (!lives_in(h, set, s))
				continue;
			o->stream_count++;
			observe_set(h, s, set, &o->streams[stream]);
			for (int64_t k = 1; k < TICKS_MAX; k++) {
				const struct tick *tick = &h->ticks[s][k];

				if (tick->corrupt && set == 0)
					o->anomalies[o->anomaly_count++] = (struct observed_anomaly){
					    .kind = OBSERVED_CORRUPT, .stream = stream, .seq = k};
				if (tick->duplicate && tick->seen[set])
					o->anomalies[o->anomaly_count++] = (struct observed_anomaly){
					    .kind = OBSERVED_DUPLICATE, .stream = stream, .seq = k};
			}
		}
	o->anomalies_total = (int64_t)o->anomaly_count;
}

/* --- the model
 * ----------------------------------------------------------------------------------------------------------------------
 */

static bool may_hold(const struct history *h, size_t set, size_t s)
{
	bool has_cfg = false, is_admin = h->open.streams[s].ns[0] == 'a', is_cfg = h->bound.sets[set].name[0] == 'c';

	for (size_t i = 0; i < h->set_count; i++)
		has_cfg = has_cfg || h->bound.sets[i].name[0] == 'c';
	return h->set_count == 1 || !has_cfg || lives_in(h, set, s) || is_admin == is_cfg;
}

static int sets_of(const struct history *h, const struct tick *tick, size_t *ret_set)
{
	int count = 0;

	for (size_t i = h->set_count; i--;)
		if (tick->seen[i]) {
			count++;
			*ret_set = i;
		}
	return count;
}

static struct optime end_of(const struct history *h, size_t s, const struct tick *tick)
{
	struct optime b1 = h->bound.b0;
	size_t set;

	if (sets_of(h, tick, &set))
		return h->bound.sets[set].b1;
	for (size_t i = 0; i < h->set_count; i++)
		if (may_hold(h, i, s))
			b1 = optime_max(b1, h->bound.sets[i].b1);
	return b1;
}

/* A present tick of the same set, surely later than hi, in every set where the absent one can have been. */
static bool no_cut_explains(const struct history *h, size_t s, struct optime hi)
{
	for (size_t set = 0; set < h->set_count; set++) {
		bool later = false;

		for (size_t other = 0; other < h->stream_count; other++)
			for (int64_t k = 1; k <= h->issued[other]; k++) {
				const struct tick *t = &h->ticks[other][k];
				size_t first;

				if (t->seen[set] && !t->corrupt && sets_of(h, t, &first) && first == set &&
				    optime_cmp(t->lo, hi) >= 0)
					later = true;
			}
		if (may_hold(h, set, s) && !later)
			return false;
	}
	return true;
}

static enum tick_class model_class(const struct history *h, size_t s, int64_t k)
{
	const struct tick *t = &h->ticks[s][k];
	struct optime b0 = h->bound.b0, b1 = end_of(h, s, t), last_hi = OPTIME_ZERO;
	size_t set;
	int copies = sets_of(h, t, &set);
	bool before, after;

	if (t->corrupt)
		return CLASS_CORRUPTED;
	if (t->duplicate || copies > 1)
		return CLASS_DUPLICATED;
	if (!t->issued && !copies)
		return NOT_THERE;
	if (!t->issued) {
		for (int64_t i = 1; i <= h->issued[s]; i++)
			if (h->ticks[s][i].acked)
				last_hi = optime_max(last_hi, h->ticks[s][i].hi);
		if (h->sealed)
			return CLASS_UNEXPECTED;
		return optime_cmp(last_hi, b1) >= 0 ? CLASS_LATE : CLASS_UNJOURNALED;
	}
	if (t->failed)
		return copies ? CLASS_RESURRECTED : CLASS_REFUSED;
	before = t->acked && optime_cmp(t->hi, b0) <= 0;
	after = !before && (optime_cmp(t->lo, b1) >= 0 || (t->acked && t->exact && optime_cmp(t->hi, b1) > 0));
	if (!t->acked)
		return after && copies ? CLASS_LATE : copies ? CLASS_RECOVERED : CLASS_INDETERMINATE;
	if (before)
		return copies ? CLASS_OK : CLASS_LOST;
	if (after)
		return copies ? CLASS_LATE : CLASS_EXPECTED_LOSS;
	if (!copies && h->coarse && no_cut_explains(h, s, t->hi))
		return CLASS_LOST;
	return CLASS_AT_BOUND;
}

static bool comparable(const struct history *h, size_t s, size_t set, int64_t block)
{
	for (int64_t k = block * TICK_BLOCK + 1; k <= (block + 1) * TICK_BLOCK && k < TICKS_MAX; k++) {
		const struct tick *t = &h->ticks[s][k];

		if (t->seen[set] && !t->issued)
			return false;
		for (int64_t other = t->range;
		     t->issued && other <= h->issued[s] && h->ticks[s][other].range == t->range; other++)
			if (h->ticks[s][other].seen[set] != t->seen[set])
				return false;
	}
	return true;
}

static void model_digests(struct history *h, size_t s)
{
	for (size_t set = 0; set < h->set_count; set++)
		for (int64_t block = 0; block < 2; block++) {
			int altered = 0;

			if (!comparable(h, s, set, block))
				continue;
			for (int64_t k = block * TICK_BLOCK + 1; k <= (block + 1) * TICK_BLOCK && k < TICKS_MAX; k++)
				altered += h->ticks[s][k].altered[set];
			for (int64_t k = block * TICK_BLOCK + 1; k <= (block + 1) * TICK_BLOCK && k < TICKS_MAX; k++)
				if (h->ticks[s][k].seen[set] &&
				    (altered > 1 || (altered && h->ticks[s][k].altered[set])))
					h->ticks[s][k].class = CLASS_CORRUPTED;
		}
}

/* --- comparing
 * ----------------------------------------------------------------------------------------------------------------------
 */

static void judge_history(struct history *h, struct verdict *ret)
{
	struct judge_options options = JUDGE_OPTIONS_DEFAULT;
	struct record_head head;
	struct judge *judge = NULL;
	struct err err = ERR_INIT;

	record_head_init(&head);
	cr_assert(judge_new(&options, &h->bound, &h->observed, &judge, &err));
	cr_assert(judge_journal_begin(judge, &h->open, &err), "%s", err.msg);
	for (size_t i = 0; i < h->record_count; i++)
		cr_assert(judge_journal_record(judge, &h->records[i], NULL, &err), "%s", err.msg);
	head.n = h->record_count + 1;
	cr_assert(
	    judge_journal_end(judge, h->sealed ? JOURNAL_SEALED : JOURNAL_UNSEALED, NULL, &head, &err), "%s", err.msg);
	cr_assert(judge_finish(judge, ret, &err), "%s", err.msg);
	judge_free(judge);
}

static void compare_stream(const struct history *h, size_t s, const struct verdict_stream *vs, uint64_t seed)
{
	size_t at_range = 0;

	for (int64_t k = 1; k < TICKS_MAX; k++) {
		enum tick_class judged = NOT_THERE;

		while (at_range < vs->range_count && vs->ranges[at_range].last < k)
			at_range++;
		if (at_range < vs->range_count && vs->ranges[at_range].first <= k)
			judged = vs->ranges[at_range].class;
		cr_assert_eq(judged, h->ticks[s][k].class,
		    "seed %" PRIu64 ": stream %zu tick %" PRId64 " is %s, the model says %s", seed, s, k,
		    judged == NOT_THERE ? "nothing" : tick_class_text(judged),
		    h->ticks[s][k].class == NOT_THERE ? "nothing" : tick_class_text(h->ticks[s][k].class));
	}
}

static bool has_reason(const struct verdict *v, enum verdict_reason_code code)
{
	for (size_t i = 0; i < v->reason_count; i++)
		if (v->reasons[i].code == code)
			return true;
	return false;
}

static void compare(struct history *h, const struct verdict *v, uint64_t seed)
{
	int64_t count[CLASS_COUNT + 1] = {0}, undecided = 0, gone = 0;
	bool covered = true;

	for (size_t s = 0; s < h->stream_count; s++) {
		bool before = false, reached = false;

		for (int64_t k = 1; k < TICKS_MAX; k++)
			h->ticks[s][k].class = model_class(h, s, k);
		model_digests(h, s);
		for (int64_t k = 1; k < TICKS_MAX; k++) {
			const struct tick *t = &h->ticks[s][k];
			struct tick unseen = {0};
			size_t set;
			bool there = sets_of(h, t, &set) || t->corrupt;

			count[t->class]++;
			undecided += t->class == CLASS_AT_BOUND;
			undecided += t->class == CLASS_INDETERMINATE && optime_cmp(t->lo, end_of(h, s, t)) < 0;
			gone += t->acked && !there;
			before = before || (t->acked && optime_cmp(t->hi, h->bound.b0) <= 0);
			reached = reached || (t->acked && optime_cmp(t->lo, end_of(h, s, &unseen)) >= 0);
		}
		covered = covered && before && reached;
		cr_assert_eq(v->streams[s].issued, h->issued[s]);
		compare_stream(h, s, &v->streams[s], seed);
	}
	for (size_t c = 0; c < CLASS_COUNT; c++)
		cr_assert_eq(v->count[c], count[c], "seed %" PRIu64 ": %" PRId64 " %s, the model says %" PRId64, seed,
		    v->count[c], tick_class_text((enum tick_class)c), count[c]);
	cr_assert_eq(v->undecided, undecided, "seed %" PRIu64 ": undecided", seed);
	cr_assert_eq(v->rpo_ops, gone, "seed %" PRIu64 ": operations gone", seed);
	cr_assert_eq(has_reason(v, REASON_NO_COVERAGE), !covered, "seed %" PRIu64 ": coverage", seed);
	for (size_t c = 0; c < CLASS_COUNT; c++)
		cr_assert(!tick_class_fails((enum tick_class)c) || !count[c] || v->result == VERDICT_FAIL);
}

static void one(uint64_t seed, int64_t *classes)
{
	struct history *h = calloc(1, sizeof *h);
	struct verdict *v = calloc(1, sizeof *v);

	cr_assert(h && v);
	h->random = seed;
	verdict_init(v);
	tell_frame(h);
	tell_ticks(h);
	damage(h);
	observe(h);
	judge_history(h, v);
	compare(h, v, seed);
	for (size_t c = 0; c < CLASS_COUNT; c++)
		classes[c] += v->count[c];
	verdict_clear(v);
	observed_clear(&h->observed);
	bound_clear(&h->bound);
	free(h->records);
	free(v);
	free(h);
}

Test(model, random_histories_are_judged_as_an_obviously_right_model_does, .timeout = 110)
{
	const char *fixed = getenv("JUDGE_SEED"), *many = getenv("JUDGE_HISTORIES");
	uint64_t seed = fixed ? strtoull(fixed, NULL, 10) : 20261123,
		 histories = many ? strtoull(many, NULL, 10) : 10000;
	int64_t classes[CLASS_COUNT] = {0};

	fprintf(stderr, "judge/model: %" PRIu64 " histories from seed %" PRIu64 " on\n", histories, seed);
	for (uint64_t i = 0; i < histories; i++)
		one(seed + i, classes);
	/* a history that never shows a class tests nothing of it; foreign needs another run */
	for (size_t c = 0; c < CLASS_COUNT && histories > 100; c++)
		cr_assert(classes[c] > 0 || c == CLASS_FOREIGN, "no history had a tick that is %s",
		    tick_class_text((enum tick_class)c));
}
