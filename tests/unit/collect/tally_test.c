#include "finish.h"
#include "tests/support/tick_damage.h"
#include "verifier/collect_tally.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static const char ns[] = "drill.ticker";
static const struct tally_limits usual = TALLY_LIMITS_DEFAULT;

static struct tick_stream stream_of(unsigned char run, int32_t writer, const char *where)
{
	struct uuid uuid = {{run, 0, 0, 0, 0, 0, 0x40, 0, 0x80}};
	struct tick_stream stream;

	tick_stream_init(&stream, &uuid, where, writer);
	return stream;
}

static struct tally *tally_with(const struct tally_limits *limits)
{
	struct err err = ERR_INIT;
	struct tally *t;

	cr_assert(tally_new(ns, "rs0", limits, &t, &err), "%s", err.msg);
	return t;
}

static void add_bytes(struct tally *t, const void *bytes, size_t len)
{
	/* exactly as long as it is, so that a sanitizer sees a read past its end */
	void *copy = malloc(len);
	struct err err = ERR_INIT;

	memcpy(copy, bytes, len);
	cr_assert(tally_add(t, copy, len, &err), "%s", err.msg);
	free(copy);
}

static void add_tick(struct tally *t, const struct tick_stream *stream, int64_t seq)
{
	unsigned char bytes[TICK_BSON_BYTES];

	tick_build(stream, seq, 1000 * seq, bytes);
	add_bytes(t, bytes, sizeof bytes);
}

static void add_ticks(struct tally *t, const struct tick_stream *stream, int64_t first, int64_t last)
{
	for (int64_t seq = first; seq <= last; seq++)
		add_tick(t, stream, seq);
}

static void add_damaged(struct tally *t, const struct tick_stream *stream, int64_t seq, enum damage how)
{
	unsigned char bytes[TICK_BSON_BYTES];
	bson_t doc;

	tick_build(stream, seq, 1000 * seq, bytes);
	damage_tick(how, bytes, &doc);
	add_bytes(t, bson_get_data(&doc), doc.len);
	bson_destroy(&doc);
}

/* A document as the demo writes it. */
static void add_demo(struct tally *t, uint32_t number, int64_t created_at_ms)
{
	bson_t doc = BSON_INITIALIZER;
	bson_oid_t oid = {{0x65, 1, (uint8_t)(number >> 16), (uint8_t)(number >> 8), (uint8_t)number}};

	BSON_APPEND_OID(&doc, "_id", &oid);
	BSON_APPEND_DATE_TIME(&doc, "createdAt", created_at_ms);
	BSON_APPEND_UTF8(&doc, "randomdata", "xyz");
	add_bytes(t, bson_get_data(&doc), doc.len);
	bson_destroy(&doc);
}

static void expect_ranges(const struct observed_stream *s, size_t count, const int64_t *ranges)
{
	cr_assert_eq(s->intact.count, count, "%zu intervals, not %zu", s->intact.count, count);
	for (size_t i = 0; i < count; i++) {
		cr_assert_eq(s->intact.items[i].first, ranges[2 * i]);
		cr_assert_eq(s->intact.items[i].last, ranges[2 * i + 1]);
	}
}

Test(tally, intact_ticks_are_intervals_and_block_digests)
{
	CLEANUP(tally) struct tally *t = tally_with(&usual);
	struct tick_stream one = stream_of(1, 1, ns), two = stream_of(1, 2, ns);
	struct tick_digest want = {0};
	unsigned char bytes[TICK_BSON_BYTES];
	const struct observed_stream *s;

	add_ticks(t, &two, 1, 10);
	add_ticks(t, &one, 999, 1002);
	add_tick(t, &one, 1004);
	finish(t);
	cr_assert_eq(tally_streams(t), 2);
	s = tally_stream(t, 0);
	cr_assert_eq(s->writer, 1);
	cr_assert_str_eq(s->ns, ns);
	cr_assert_str_eq(s->replica_set, "rs0");
	expect_ranges(s, 2, (int64_t[]){999, 1002, 1004, 1004});
	cr_assert_eq(s->block_count, 2);
	cr_assert(s->blocks[0].block == 0 && s->blocks[0].ticks == 2);
	cr_assert(s->blocks[1].block == 1 && s->blocks[1].ticks == 3);
	for (int64_t seq = 999; seq <= 1000; seq++)
		tick_digest_add(&want, seq, tick_build(&one, seq, 1000 * seq, bytes));
	cr_assert(tick_digest_equal(&want, &s->blocks[0].digest));
	expect_ranges(tally_stream(t, 1), 1, (int64_t[]){1, 10});
}

struct expectation {
	enum damage how;
	enum tick_fault fault;
	bool foreign; /* two things would have to be guessed: it cannot be told whose it is */
};

static const struct expectation expectations[] = {
    {SEQ_EDITED, TICK_BAD_SUM, false},
    {SEQ_OF_ANOTHER_TYPE, TICK_NOT_A_TICK, false},
    {WRITER_EDITED, TICK_BAD_SUM, false},
    {RUN_EDITED, TICK_BAD_SUM, false},
    {RUN_MISSING, TICK_NOT_A_TICK, false},
    {ID_REPLACED, TICK_BAD_SUM, false},
    {ID_REPLACED_SUM_MENDED, TICK_BAD_ID, false},
    {ID_OF_A_LATER_TICK, TICK_BAD_SUM, false},
    {ID_IS_A_NUMBER, TICK_BAD_SHAPE, false},
    {CREATED_AT_EDITED, TICK_BAD_SUM, false},
    {CREATED_AT_OF_ANOTHER_TYPE, TICK_BAD_SHAPE, false},
    {RANDOM_EDITED, TICK_BAD_SUM, false},
    {RANDOM_EDITED_SUM_MENDED, TICK_BAD_RANDOM, false},
    {RANDOM_IS_SHORT, TICK_BAD_SHAPE, false},
    {EXTRA_FIELD, TICK_BAD_SHAPE, false},
    {SUM_MISSING, TICK_BAD_SHAPE, false},
    {SUM_EDITED, TICK_BAD_SUM, false},
};

/* order: whether the damaged document comes before its stream is known. */
static void damage_is_one_anomaly(const struct expectation *e, bool early, bool copy)
{
	CLEANUP(tally) struct tally *t = tally_with(&usual);
	struct tick_stream one = stream_of(1, 1, ns), two = stream_of(1, 2, ns);
	struct observed_anomaly a;

	if (early)
		add_damaged(t, &one, 5, e->how);
	add_ticks(t, &two, 1, 9);
	add_ticks(t, &one, 1, 4);
	add_ticks(t, &one, 6, 9);
	if (copy)
		add_tick(t, &one, 5);
	if (!early)
		add_damaged(t, &one, 5, e->how);
	finish(t);
	cr_assert_eq(tally_anomalies(t), 1, "damage %d", e->how);
	cr_assert_eq(tally_streams(t), 2, "damage %d", e->how);
	tally_anomaly(t, 0, 100, &a);
	cr_assert_eq(a.kind, copy ? OBSERVED_DUPLICATE : OBSERVED_CORRUPT, "damage %d", e->how);
	cr_assert_eq(a.stream, 100, "damage %d: stream %d", e->how, a.stream);
	cr_assert_eq(a.seq, 5, "damage %d: seq %lld", e->how, (long long)a.seq);
	cr_assert_eq(a.fault, e->fault, "damage %d: %s", e->how, tick_fault_text(a.fault));
	cr_assert(a.id[0] && a.detail[0], "damage %d", e->how);
	cr_assert_eq(tally_counts(t).intact, copy ? 18 : 17);
}

Test(tally, each_single_edit_is_one_anomaly_that_names_the_tick)
{
	cr_assert_eq(sizeof expectations / sizeof *expectations, DAMAGES);
	for (size_t i = 0; i < DAMAGES; i++) {
		damage_is_one_anomaly(&expectations[i], false, false);
		damage_is_one_anomaly(&expectations[i], true, false);
	}
}

Test(tally, a_damaged_copy_beside_the_intact_tick_is_a_duplicate)
{
	static const struct expectation copies[] = {{ID_REPLACED, TICK_BAD_SUM, false},
	    {ID_REPLACED_SUM_MENDED, TICK_BAD_ID, false}, {ID_IS_A_NUMBER, TICK_BAD_SHAPE, false}};

	for (size_t i = 0; i < sizeof copies / sizeof *copies; i++) {
		damage_is_one_anomaly(&copies[i], false, true);
		damage_is_one_anomaly(&copies[i], true, true);
	}
}

Test(tally, an_intact_tick_met_twice_is_counted_once_and_a_duplicate)
{
	CLEANUP(tally) struct tally *t = tally_with(&usual);
	struct tick_stream one = stream_of(1, 1, ns);
	struct observed_anomaly a;

	add_ticks(t, &one, 1, 3);
	add_tick(t, &one, 2);
	finish(t);
	cr_assert_eq(tally_counts(t).intact, 3);
	cr_assert_eq(tally_stream(t, 0)->blocks[0].ticks, 3);
	cr_assert_eq(tally_anomalies(t), 1);
	tally_anomaly(t, 0, 0, &a);
	cr_assert(a.kind == OBSERVED_DUPLICATE && a.seq == 2 && a.fault == TICK_INTACT);
}

Test(tally, garbage_makes_no_stream)
{
	CLEANUP(tally) struct tally *t = tally_with(&usual);
	struct tick_stream one = stream_of(1, 1, ns);
	struct observed_anomaly a;

	add_ticks(t, &one, 1, 3);
	add_damaged(t, &one, 4, WRITER_EDITED);
	add_damaged(t, &one, 5, RUN_EDITED);
	finish(t);
	cr_assert_eq(tally_streams(t), 1);
	tally_anomaly(t, 1, 0, &a);
	cr_assert_eq(a.seq, 5);
}

Test(tally, a_stream_all_of_whose_ticks_are_damaged_is_still_told)
{
	CLEANUP(tally) struct tally *t = tally_with(&usual);
	struct tick_stream one = stream_of(1, 1, ns);
	struct observed_anomaly a;

	add_damaged(t, &one, 1, CREATED_AT_EDITED);
	add_damaged(t, &one, 2, RANDOM_EDITED);
	add_damaged(t, &one, 3, SUM_MISSING);
	add_damaged(t, &one, 4, SEQ_OF_ANOTHER_TYPE);
	finish(t);
	cr_assert_eq(tally_streams(t), 1);
	cr_assert_eq(tally_stream(t, 0)->intact.count, 0);
	cr_assert_eq(tally_anomalies(t), 4);
	for (size_t i = 0; i < 4; i++) {
		tally_anomaly(t, i, 0, &a);
		cr_assert(a.stream == 0 && a.seq == (int64_t)i + 1 && a.kind == OBSERVED_CORRUPT);
	}
}

Test(tally, a_tick_of_another_namespace_is_no_tick_of_this_one)
{
	CLEANUP(tally) struct tally *t = tally_with(&usual);
	struct tick_stream here = stream_of(1, 1, ns), there = stream_of(1, 1, "admin.ticker"),
			   unknown = stream_of(7, 1, "admin.ticker");
	struct observed_anomaly a;

	add_ticks(t, &here, 1, 3);
	add_tick(t, &there, 2);
	add_tick(t, &there, 8);
	add_tick(t, &unknown, 1);
	finish(t);
	cr_assert_eq(tally_streams(t), 1);
	cr_assert_eq(tally_anomalies(t), 3);
	tally_anomaly(t, 0, 0, &a);
	cr_assert(a.kind == OBSERVED_CORRUPT && a.stream == -1 && a.seq == 1 && a.fault == TICK_BAD_ID);
	cr_assert(strstr(a.detail, "07000000-"), "%s", a.detail);
	tally_anomaly(t, 1, 0, &a);
	cr_assert(a.kind == OBSERVED_DUPLICATE && a.stream == 0 && a.seq == 2);
	tally_anomaly(t, 2, 0, &a);
	cr_assert(a.kind == OBSERVED_CORRUPT && a.stream == 0 && a.seq == 8);
}

Test(tally, demo_documents_are_foreign_and_may_be_the_newest)
{
	CLEANUP(tally) struct tally *t = tally_with(&usual);
	struct tick_stream one = stream_of(1, 1, ns);
	struct observed_newest newest;

	add_demo(t, 1, 500);
	add_ticks(t, &one, 1, 3);
	finish(t);
	cr_assert_eq(tally_counts(t).not_ticks, 1);
	cr_assert(tally_newest(t, 10, &newest));
	cr_assert(newest.created_at_ms == 3000 && newest.stream == 10 && newest.seq == 3);
	tally_restart(t);
	add_ticks(t, &one, 1, 3);
	add_demo(t, 2, 9000);
	finish(t);
	cr_assert(tally_newest(t, 10, &newest));
	cr_assert(newest.created_at_ms == 9000 && newest.stream == -1 && newest.seq == 0);
}

Test(tally, times_that_no_record_can_hold_are_left_out)
{
	CLEANUP(tally) struct tally *t = tally_with(&usual);
	struct observed_newest newest;

	add_demo(t, 1, INT64_MAX);
	add_demo(t, 2, INT64_MIN + 1);
	finish(t);
	cr_assert_not(tally_newest(t, 0, &newest));
	tally_restart(t);
	add_demo(t, 3, 253402300799999);
	finish(t);
	cr_assert(tally_newest(t, 0, &newest));
}

Test(tally, documents_of_any_shape_are_counted_as_foreign)
{
	CLEANUP(tally) struct tally *t = tally_with(&usual);
	bson_t doc = BSON_INITIALIZER;

	add_bytes(t, bson_get_data(&doc), doc.len);
	BSON_APPEND_UTF8(&doc, "_id", "text");
	add_bytes(t, bson_get_data(&doc), doc.len);
	bson_destroy(&doc);
	finish(t);
	cr_assert_eq(tally_counts(t).not_ticks, 2);
	cr_assert_eq(tally_anomalies(t), 0);
}

Test(tally, ticks_of_too_many_streams_are_foreign)
{
	struct tally_limits few = usual;
	CLEANUP(tally) struct tally *t = NULL;

	few.streams = 2;
	t = tally_with(&few);
	for (int32_t writer = 1; writer <= 4; writer++) {
		struct tick_stream stream = stream_of(1, writer, ns);

		add_ticks(t, &stream, 1, 5);
	}
	finish(t);
	cr_assert_eq(tally_streams(t), 2);
	cr_assert_eq(tally_counts(t).beyond_streams, 10);
	cr_assert_eq(tally_counts(t).intact, 10);
}

Test(tally, a_thousand_streams_are_kept_apart)
{
	CLEANUP(tally) struct tally *t = tally_with(&usual);

	for (int64_t seq = 1; seq <= 3; seq++) {
		for (int32_t writer = 0; writer < OBSERVED_STREAMS_MAX; writer++) {
			struct tick_stream stream = stream_of(3, writer, ns);

			add_tick(t, &stream, seq);
		}
	}
	finish(t);
	cr_assert_eq(tally_streams(t), OBSERVED_STREAMS_MAX);
	for (size_t i = 0; i < OBSERVED_STREAMS_MAX; i++) {
		cr_assert_eq(tally_stream(t, i)->writer, (int32_t)i);
		expect_ranges(tally_stream(t, i), 1, (int64_t[]){1, 3});
	}
}

Test(tally, beyond_the_limit_anomalies_are_counted_without_details)
{
	struct tally_limits few = usual;
	CLEANUP(tally) struct tally *t = NULL;
	struct tick_stream one = stream_of(1, 1, ns);

	few.anomalies = 3;
	t = tally_with(&few);
	add_ticks(t, &one, 1, 5);
	for (int64_t seq = 6; seq <= 25; seq++)
		add_damaged(t, &one, seq, seq % 2 ? SUM_EDITED : SEQ_OF_ANOTHER_TYPE);
	finish(t);
	cr_assert_eq(tally_anomalies(t), 3);
	cr_assert_eq(tally_counts(t).anomalies, 20);
	cr_assert(tally_counts(t).truncated);
}

Test(tally, beyond_the_limit_of_holes_ticks_are_counted_and_it_is_said)
{
	struct tally_limits few = usual;
	CLEANUP(tally) struct tally *t = NULL;
	struct tick_stream one = stream_of(1, 1, ns);
	const struct observed_stream *s;

	few.intervals = 2;
	t = tally_with(&few);
	for (int64_t seq = 1; seq <= 9; seq += 2)
		add_tick(t, &one, seq);
	add_tick(t, &one, 5000);
	finish(t);
	s = tally_stream(t, 0);
	cr_assert(tally_counts(t).truncated);
	cr_assert_eq(tally_counts(t).documents, 6);
	cr_assert_eq(s->intact.total, 2);
	cr_assert(s->block_count == 1 && s->blocks[0].ticks == 2, "no block without a listed tick");
}

Test(tally, strangers_that_were_not_remembered_ask_for_a_second_pass)
{
	struct tally_limits few = usual;
	CLEANUP(tally) struct tally *t = NULL;
	struct tick_stream one = stream_of(1, 1, ns);
	struct observed_anomaly a;

	few.strangers = 2;
	t = tally_with(&few);
	for (int pass = 1; pass <= 2; pass++) {
		tally_restart(t);
		add_demo(t, 1, 1);
		add_demo(t, 2, 2);
		add_damaged(t, &one, 4, RUN_MISSING);
		add_ticks(t, &one, 1, 3);
		cr_assert_eq(tally_incomplete(t), pass == 1);
	}
	finish(t);
	cr_assert_eq(tally_counts(t).not_ticks, 2);
	cr_assert_eq(tally_anomalies(t), 1);
	tally_anomaly(t, 0, 0, &a);
	cr_assert(a.seq == 4 && a.stream == 0 && a.fault == TICK_NOT_A_TICK);
}

Test(tally, nothing_is_left_of_a_pass_that_was_given_up)
{
	CLEANUP(tally) struct tally *t = tally_with(&usual);
	struct tick_stream gone = stream_of(1, 1, ns), here = stream_of(2, 1, ns);

	add_ticks(t, &gone, 1, 50);
	add_damaged(t, &gone, 51, SUM_EDITED);
	add_ticks(t, &here, 1, 50);
	tally_restart(t);
	add_ticks(t, &here, 1, 20);
	finish(t);
	cr_assert_eq(tally_counts(t).documents, 20);
	cr_assert_eq(tally_streams(t), 1);
	cr_assert_eq(tally_stream(t, 0)->intact.total, 20);
	cr_assert_eq(tally_stream(t, 0)->blocks[0].ticks, 20);
	cr_assert_eq(tally_anomalies(t), 0);
}

/* --- the order of the documents
 * ---------------------------------------------------------------------------------------------------- */

struct item {
	int stream;
	int64_t seq;
	int damage; /* -1: intact */
};

static void add_item(struct tally *t, const struct tick_stream *streams, const struct item *item)
{
	if (item->damage < 0)
		add_tick(t, &streams[item->stream], item->seq);
	else
		add_damaged(t, &streams[item->stream], item->seq, (enum damage)item->damage);
}

static struct tally *tally_of(const struct tick_stream *streams, const struct item *items, size_t count)
{
	struct tally *t = tally_with(&usual);

	for (size_t i = 0; i < count; i++)
		add_item(t, streams, &items[i]);
	finish(t);
	return t;
}

static void expect_same(const struct tally *a, const struct tally *b)
{
	struct tally_counts x = tally_counts(a), y = tally_counts(b);

	cr_assert(x.documents == y.documents && x.intact == y.intact && x.anomalies == y.anomalies &&
		  x.not_ticks == y.not_ticks);
	cr_assert_eq(tally_streams(a), tally_streams(b));
	cr_assert_eq(tally_anomalies(a), tally_anomalies(b));
	for (size_t i = 0; i < tally_streams(a); i++) {
		const struct observed_stream *s = tally_stream(a, i), *r = tally_stream(b, i);

		cr_assert(s->writer == r->writer && uuid_equal(&s->run, &r->run) && s->intact.count == r->intact.count);
		cr_assert(!s->intact.count ||
			  !memcmp(s->intact.items, r->intact.items, s->intact.count * sizeof *s->intact.items));
		cr_assert_eq(s->block_count, r->block_count);
		cr_assert(!s->block_count || !memcmp(s->blocks, r->blocks, s->block_count * sizeof *s->blocks));
	}
	for (size_t i = 0; i < tally_anomalies(a); i++) {
		struct observed_anomaly s, r;

		tally_anomaly(a, i, 0, &s);
		tally_anomaly(b, i, 0, &r);
		cr_assert(s.kind == r.kind && s.stream == r.stream && s.seq == r.seq && s.fault == r.fault &&
			  s.created_at_ms == r.created_at_ms);
		cr_assert_str_eq(s.id, r.id);
		cr_assert_str_eq(s.detail, r.detail);
	}
}

Test(tally, the_order_of_the_documents_does_not_matter)
{
	struct tick_stream streams[] = {stream_of(1, 1, ns), stream_of(1, 2, ns), stream_of(2, 1, ns)};
	struct item items[300];
	CLEANUP(tally) struct tally *forward = NULL;
	uint32_t random = 1;

	for (size_t i = 0; i < 300; i++) {
		int damage = i % 7 ? -1 : (int)(i / 7) % DAMAGES;

		items[i] = (struct item){(int)(i % 3), (int64_t)(1 + i / 3 * 37), damage};
	}
	forward = tally_of(streams, items, 300);
	cr_assert(tally_anomalies(forward) > 30);
	for (int round = 0; round < 20; round++) {
		struct tally *shuffled;

		for (size_t i = 299; i > 0; i--) {
			struct item swap = items[i];
			size_t j;

			random = random * 1664525 + 1013904223;
			j = (random >> 8) % (i + 1);
			items[i] = items[j];
			items[j] = swap;
		}
		shuffled = tally_of(streams, items, 300);
		expect_same(forward, shuffled);
		tally_free(shuffled);
	}
}
