#include "tick/tick.h"

#include "base/clock.h"
#include "base/num.h"

#include <bson/bson.h>
#include <criterion/criterion.h>
#include <string.h>

static const char ns[] = "admin.ticker";

static struct tick_stream some_stream(void)
{
	struct uuid run;
	struct tick_stream s = {0};

	cr_assert(uuid_parse("0f1e2d3c-4b5a-4968-8776-655443322110", &run));
	tick_stream_init(&s, &run, ns, 3);
	return s;
}

static enum tick_fault check(const void *bytes, size_t len, struct tick_view *view)
{
	struct tick_stream cache = {0};

	return tick_check(bytes, len, ns, &cache, view);
}

/* A copy on the heap of exactly len bytes, so that a read past its end is seen by the address sanitizer. */
static enum tick_fault check_exact(const void *bytes, size_t len)
{
	unsigned char *copy = malloc(len ? len : 1);
	struct tick_view view;
	enum tick_fault fault;

	memcpy(copy, bytes, len);
	fault = check(copy, len, &view);
	free(copy);
	return fault;
}

Test(tick, libbson_reads_what_we_built_by_hand)
{
	struct tick_stream s = some_stream();
	unsigned char bytes[TICK_BSON_BYTES];
	uint64_t sum = tick_build(&s, 7, 1700000000123, bytes);
	static const char *const keys[] = {"_id", "createdAt", "randomdata", "run", "writer", "seq", "sum"};
	const uint8_t *binary;
	bson_subtype_t subtype;
	uint32_t len;
	bson_iter_t it;
	bson_t doc;

	cr_assert(bson_init_static(&doc, bytes, sizeof bytes));
	cr_assert(bson_validate(&doc, BSON_VALIDATE_UTF8, NULL));
	cr_assert_eq(bson_count_keys(&doc), 7);
	bson_iter_init(&it, &doc);
	for (size_t i = 0; i < 7; i++) {
		cr_assert(bson_iter_next(&it));
		cr_assert_str_eq(bson_iter_key(&it), keys[i]);
	}
	cr_assert(bson_iter_init_find(&it, &doc, "_id") && BSON_ITER_HOLDS_OID(&it));
	cr_assert_eq(tick_id_seq(&s, bson_iter_oid(&it)->bytes), 7);
	cr_assert(bson_iter_init_find(&it, &doc, "createdAt") && BSON_ITER_HOLDS_DATE_TIME(&it));
	cr_assert_eq(bson_iter_date_time(&it), 1700000000123);
	cr_assert(bson_iter_init_find(&it, &doc, "randomdata") && BSON_ITER_HOLDS_UTF8(&it));
	cr_assert_eq(strlen(bson_iter_utf8(&it, NULL)), 32);
	cr_assert(bson_iter_init_find(&it, &doc, "run"));
	bson_iter_binary(&it, &subtype, &len, &binary);
	cr_assert(subtype == BSON_SUBTYPE_UUID && len == 16 && !memcmp(binary, s.run.bytes, 16));
	cr_assert(bson_iter_init_find(&it, &doc, "writer") && BSON_ITER_HOLDS_INT32(&it) && bson_iter_int32(&it) == 3);
	cr_assert(bson_iter_init_find(&it, &doc, "seq") && BSON_ITER_HOLDS_INT64(&it) && bson_iter_int64(&it) == 7);
	cr_assert(bson_iter_init_find(&it, &doc, "sum") && BSON_ITER_HOLDS_INT64(&it));
	cr_assert_eq((uint64_t)bson_iter_int64(&it), sum);
}

Test(tick, vectors_for_other_implementations_hold)
{
	FILE *f = fopen(TICK_VECTORS, "r");
	char run_text[64], name[256], expected[2 * TICK_BSON_BYTES + 1], text[2 * TICK_BSON_BYTES + 1];
	long long seq, created;
	int writer, count = 0;

	cr_assert(f);
	while (fscanf(f, "%63s %255s %d %lld %lld %308s", run_text, name, &writer, &seq, &created, expected) == 6) {
		unsigned char bytes[TICK_BSON_BYTES];
		struct tick_stream s;
		struct uuid run;

		cr_assert(uuid_parse(run_text, &run));
		tick_stream_init(&s, &run, name, writer);
		tick_build(&s, seq, created, bytes);
		hex_encode(bytes, sizeof bytes, text);
		cr_assert_str_eq(text, expected);
		count++;
	}
	fclose(f);
	cr_assert_geq(count, 5);
}

Test(tick, what_was_built_is_intact)
{
	struct tick_stream s = some_stream(), cache = {0};
	static const int64_t seqs[] = {1, 2, 1000, 1001, (int64_t)1 << 40, TICK_SEQ_MAX};

	for (size_t i = 0; i < sizeof seqs / sizeof *seqs; i++) {
		unsigned char bytes[TICK_BSON_BYTES];
		uint64_t sum = tick_build(&s, seqs[i], -5, bytes);
		struct tick_view view;

		cr_assert_eq(tick_check(bytes, sizeof bytes, ns, &cache, &view), TICK_INTACT);
		cr_assert(view.has_id && view.seq == seqs[i] && view.writer == 3 && view.sum == sum);
		cr_assert_eq(view.created_at_ms, -5);
		cr_assert(uuid_equal(&view.run, &s.run));
		cr_assert_eq(tick_id_seq(&s, view.id), seqs[i]);
	}
}

Test(tick, the_stream_cache_follows_run_writer_and_namespace)
{
	struct tick_stream a = some_stream(), b = a, cache = {0};
	unsigned char bytes[TICK_BSON_BYTES];
	struct tick_view view;

	tick_stream_init(&b, &a.run, ns, 4);
	for (int i = 0; i < 2; i++) {
		tick_build(&a, 1, 0, bytes);
		cr_assert_eq(tick_check(bytes, sizeof bytes, ns, &cache, &view), TICK_INTACT);
		tick_build(&b, 1, 0, bytes);
		cr_assert_eq(tick_check(bytes, sizeof bytes, ns, &cache, &view), TICK_INTACT);
		cr_assert_eq(tick_check(bytes, sizeof bytes, "drill.ticker", &cache, &view), TICK_BAD_ID);
	}
}

Test(tick, each_flipped_bit_is_seen)
{
	struct tick_stream s = some_stream();
	unsigned char bytes[TICK_BSON_BYTES];

	tick_build(&s, 123456, 1700000000000, bytes);
	for (size_t bit = 0; bit < 8 * sizeof bytes; bit++) {
		bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
		cr_assert_neq(check_exact(bytes, sizeof bytes), TICK_INTACT, "bit %zu", bit);
		bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
	}
	cr_assert_eq(check_exact(bytes, sizeof bytes), TICK_INTACT);
}

Test(tick, damage_to_a_value_is_a_bad_sum_and_leaves_the_cache_alone)
{
	struct tick_stream s = some_stream(), cache = {0};
	unsigned char bytes[TICK_BSON_BYTES];
	struct tick_view view;

	tick_build(&s, 5, 1700000000000, bytes);
	cr_assert_eq(tick_check(bytes, sizeof bytes, ns, &cache, &view), TICK_INTACT);
	bytes[100] ^= 1; /* the run */
	cr_assert_eq(tick_check(bytes, sizeof bytes, ns, &cache, &view), TICK_BAD_SUM);
	cr_assert_eq(view.seq, 5);
	cr_assert(uuid_equal(&cache.run, &s.run));
}

/* Ticks whose sum agrees with their bytes although a derived field is wrong: built under another name, checked under
 * ours. */
Test(tick, a_resealed_tick_with_another_id_or_randomdata_is_told_apart)
{
	struct tick_stream s = some_stream(), foreign = s;
	unsigned char bytes[TICK_BSON_BYTES];
	struct tick_view view;

	foreign.prefix[0] ^= 1;
	tick_build(&foreign, 9, 0, bytes);
	cr_assert_eq(check(bytes, sizeof bytes, &view), TICK_BAD_ID);
	foreign = s;
	snprintf(foreign.ns, sizeof foreign.ns, "drill.ticker"); /* the prefix stays ours */
	tick_build(&foreign, 9, 0, bytes);
	cr_assert_eq(check(bytes, sizeof bytes, &view), TICK_BAD_RANDOM);
	tick_build(&s, 0, 0, bytes);
	cr_assert_eq(check(bytes, sizeof bytes, &view), TICK_BAD_ID);
	tick_build(&s, -1, 0, bytes);
	cr_assert_eq(check(bytes, sizeof bytes, &view), TICK_BAD_ID);
	tick_build(&s, TICK_SEQ_MAX + 1, 0, bytes);
	cr_assert_eq(check(bytes, sizeof bytes, &view), TICK_BAD_ID);
}

Test(tick, no_cut_is_read_past_its_end)
{
	struct tick_stream s = some_stream();
	unsigned char bytes[TICK_BSON_BYTES];

	tick_build(&s, 5, 1700000000000, bytes);
	for (size_t len = 0; len < sizeof bytes; len++) {
		enum tick_fault fault = check_exact(bytes, len);

		/* seq ends at byte 140: what is shorter cannot be recognised */
		cr_assert_eq(
		    fault, len < 140 ? TICK_NOT_A_TICK : TICK_BAD_SHAPE, "%zu bytes: %s", len, tick_fault_text(fault));
	}
}

static void append_tick_fields(bson_t *doc, int64_t seq)
{
	struct tick_stream s = some_stream();

	bson_append_binary(doc, "run", -1, BSON_SUBTYPE_UUID, s.run.bytes, 16);
	BSON_APPEND_INT32(doc, "writer", 3);
	BSON_APPEND_INT64(doc, "seq", seq);
}

static void every_type(bson_t *doc)
{
	bson_decimal128_t dec = {0};
	bson_oid_t oid;
	bson_t child = BSON_INITIALIZER;

	bson_oid_init(&oid, NULL);
	BSON_APPEND_UTF8(&child, "seq", "inner");
	BSON_APPEND_DOUBLE(doc, "1", 1.5);
	BSON_APPEND_UTF8(doc, "2", "text");
	BSON_APPEND_DOCUMENT(doc, "3", &child);
	BSON_APPEND_ARRAY(doc, "4", &child);
	BSON_APPEND_BINARY(doc, "5", BSON_SUBTYPE_BINARY, (const uint8_t *)"abc", 3);
	BSON_APPEND_UNDEFINED(doc, "6");
	BSON_APPEND_OID(doc, "7", &oid);
	BSON_APPEND_BOOL(doc, "8", true);
	BSON_APPEND_NULL(doc, "9");
	BSON_APPEND_REGEX(doc, "10", "a.*", "i");
	BSON_APPEND_DBPOINTER(doc, "11", "db.coll", &oid);
	BSON_APPEND_CODE(doc, "12", "f()");
	BSON_APPEND_SYMBOL(doc, "13", "sym");
	BSON_APPEND_CODE_WITH_SCOPE(doc, "14", "f()", &child);
	BSON_APPEND_TIMESTAMP(doc, "15", 1, 2);
	BSON_APPEND_DECIMAL128(doc, "16", &dec);
	BSON_APPEND_MAXKEY(doc, "17");
	BSON_APPEND_MINKEY(doc, "18");
	bson_destroy(&child);
}

Test(tick, a_tick_among_fields_of_every_type_is_recognised_but_has_no_shape)
{
	bson_t doc = BSON_INITIALIZER;
	struct tick_view view;

	every_type(&doc);
	append_tick_fields(&doc, 77);
	cr_assert_eq(check(bson_get_data(&doc), doc.len, &view), TICK_BAD_SHAPE);
	cr_assert_eq(view.seq, 77);
	cr_assert_eq(view.writer, 3);
	cr_assert_not(view.has_id);
	cr_assert_eq(view.created_at_ms, INT64_MIN);
	for (size_t len = 0; len < doc.len; len++)
		check_exact(bson_get_data(&doc), len);
	bson_destroy(&doc);
}

Test(tick, documents_without_run_writer_and_seq_of_the_right_types_are_no_ticks)
{
	struct tick_view view;
	bson_oid_t oid;

	bson_oid_init_from_string(&oid, "0123456789abcdef01234567");
	for (int variant = 0; variant < 5; variant++) {
		bson_t doc = BSON_INITIALIZER;

		BSON_APPEND_OID(&doc, "_id", &oid);
		BSON_APPEND_DATE_TIME(&doc, "createdAt", 42);
		BSON_APPEND_UTF8(&doc, "randomdata", "f81d4fae");
		bson_append_binary(&doc, "run", -1, variant == 1 ? BSON_SUBTYPE_BINARY : BSON_SUBTYPE_UUID,
		    (const uint8_t *)"0123456789abcdef", variant == 2 ? 15 : 16);
		if (variant == 3)
			BSON_APPEND_INT64(&doc, "writer", 1);
		else
			BSON_APPEND_INT32(&doc, "writer", 1);
		if (variant == 4)
			BSON_APPEND_DOUBLE(&doc, "seq", 1);
		else if (variant != 0)
			BSON_APPEND_INT64(&doc, "seq", 1);
		cr_assert_eq(check(bson_get_data(&doc), doc.len, &view), TICK_NOT_A_TICK, "variant %d", variant);
		cr_assert(view.has_id && !memcmp(view.id, oid.bytes, 12) && view.created_at_ms == 42);
		cr_assert(view.seq == 0 && view.writer == 0 && view.sum == 0);
		bson_destroy(&doc);
	}
}

Test(tick, another_field_order_is_a_bad_shape)
{
	struct tick_stream s = some_stream();
	unsigned char bytes[TICK_BSON_BYTES];
	bson_t whole, doc = BSON_INITIALIZER;
	struct tick_view view;

	tick_build(&s, 8, 0, bytes);
	bson_init_static(&whole, bytes, sizeof bytes);
	bson_copy_to_excluding_noinit(&whole, &doc, "sum", "_id", NULL);
	cr_assert_eq(check(bson_get_data(&doc), doc.len, &view), TICK_BAD_SHAPE);
	cr_assert_not(view.has_id);
	bson_destroy(&doc);
}

Test(tick, ids_of_other_streams_have_no_sequence_number)
{
	struct tick_stream s = some_stream();
	unsigned char id[12];

	memcpy(id, s.prefix, 6);
	memset(id + 6, 0xff, 6);
	cr_assert_eq(tick_id_seq(&s, id), 0);
	memset(id + 6, 0, 6);
	id[11] = 9;
	cr_assert_eq(tick_id_seq(&s, id), 9);
	id[0] ^= 1;
	cr_assert_eq(tick_id_seq(&s, id), 0);
}

Test(tick, a_million_checks_take_a_fraction_of_a_second)
{
	struct tick_stream s = some_stream(), cache = {0};
	enum { COUNT = 1000 };
	static unsigned char bytes[COUNT][TICK_BSON_BYTES];
	struct tick_view view;
	int64_t started;
	int intact = 0;

	for (int i = 0; i < COUNT; i++)
		tick_build(&s, i + 1, 1700000000000 + i, bytes[i]);
	started = clock_mono_ns(clock_system());
	for (int i = 0; i < 1000000; i++)
		intact += tick_check(bytes[i % COUNT], TICK_BSON_BYTES, ns, &cache, &view) == TICK_INTACT;
	cr_assert_eq(intact, 1000000);
	/*
	 * wide enough for an unoptimised build with sanitizers on a busy machine; the figure itself goes to the log
	 */
	cr_log_info("1,000,000 checks: %lld ms", (long long)(clock_mono_ns(clock_system()) - started) / 1000000);
	cr_assert_lt(clock_mono_ns(clock_system()) - started, 5000000000);
}
