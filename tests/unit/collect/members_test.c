#include "verifier/collect_members.h"

#include <criterion/criterion.h>
#include <string.h>

static struct tick_stream stream_of(unsigned char run)
{
	struct uuid uuid = {{run, 0, 0, 0, 0, 0, 0x40, 0, 0x80}};
	struct tick_stream stream;

	tick_stream_init(&stream, &uuid, "drill.ticker", 3);
	return stream;
}

static struct tally *make(void)
{
	struct tally_limits limits = TALLY_LIMITS_DEFAULT;
	struct tally *t;

	cr_assert(tally_new("drill.ticker", "rs0", &limits, &t, NULL));
	return t;
}

static void add(struct tally *t, unsigned char run, int64_t first, int64_t last, int64_t created_ms)
{
	struct tick_stream stream = stream_of(run);
	unsigned char bytes[TICK_BSON_BYTES];

	for (int64_t seq = first; seq <= last; seq++) {
		tick_build(&stream, seq, created_ms, bytes);
		cr_assert(tally_add(t, bytes, sizeof bytes, NULL));
	}
}

static void spoil(struct tally *t, unsigned char run, int64_t seq)
{
	struct tick_stream stream = stream_of(run);
	unsigned char bytes[TICK_BSON_BYTES];

	tick_build(&stream, seq, 5, bytes);
	bytes[TICK_BSON_BYTES - 3] ^= 1;
	cr_assert(tally_add(t, bytes, sizeof bytes, NULL));
}

/* primary and member begin with ticks 1 to 2500 of run 1; what comes on top differs. */
static struct tally *primary, *member;
static char text[300];

static void set_up(void)
{
	primary = make();
	member = make();
}

static void tear_down(void)
{
	tally_free(primary);
	tally_free(member);
}

TestSuite(members, .init = set_up, .fini = tear_down);

static bool equal(void)
{
	cr_assert(tally_finish(primary, NULL) && tally_finish(member, NULL));
	return members_compare(primary, member, text, sizeof text);
}
#define DIFFERS(says)                                                                                                  \
	do {                                                                                                           \
		cr_expect_not(equal());                                                                                \
		cr_expect_not_null(strstr(text, says), "%s", text);                                                    \
	} while (0)

Test(members, the_same_ticks_in_another_order_are_equal)
{
	add(primary, 1, 1, 2500, 5);
	add(member, 1, 1200, 2500, 5);
	add(member, 1, 1, 1199, 5);
	cr_expect(equal(), "%s", text);
}

Test(members, two_empty_ones_are_equal)
{
	cr_expect(equal(), "%s", text);
}

Test(members, the_first_hole_is_named)
{
	add(primary, 1, 1, 2500, 5);
	add(member, 1, 1, 99, 5);
	add(member, 1, 105, 1999, 5);
	add(member, 1, 2001, 2500, 5);
	DIFFERS("ticks 100 to 104 are not there");
}

Test(members, a_tail_that_is_missing_is_named)
{
	add(primary, 1, 1, 2500, 5);
	add(member, 1, 1, 2400, 5);
	DIFFERS("ticks 2401 to 2500 are not there");
}

Test(members, so_is_what_the_primary_does_not_have)
{
	add(primary, 1, 1, 10, 5);
	add(primary, 1, 12, 20, 5);
	add(member, 1, 1, 20, 5);
	DIFFERS("ticks 11 to 11 are intact there, and not on the primary");
}

Test(members, of_two_differences_the_first_one_is_named)
{
	add(primary, 1, 2, 20, 5);
	add(member, 1, 1, 19, 5);
	DIFFERS("ticks 1 to 1 are intact there");
}

Test(members, a_damaged_tick_is_not_intact)
{
	add(primary, 1, 1, 20, 5);
	add(member, 1, 1, 6, 5);
	spoil(member, 1, 7);
	add(member, 1, 8, 20, 5);
	DIFFERS("ticks 7 to 7 are not there, or not intact");
}

Test(members, intact_with_other_bytes_differs_by_its_digest)
{
	add(primary, 1, 1, 2500, 5);
	add(member, 1, 1, 1500, 5);
	add(member, 1, 1501, 1501, 6);
	add(member, 1, 1502, 2500, 5);
	DIFFERS("ticks 1001 to 2000 are intact in both, and one of them differs");
}

Test(members, a_whole_stream_that_is_missing_is_named)
{
	add(primary, 1, 1, 20, 5);
	add(primary, 2, 1, 20, 5);
	add(member, 2, 1, 20, 5);
	DIFFERS("ticks 1 to 20 are not there, nor anything else of this stream");
}

Test(members, so_is_one_that_is_only_there)
{
	add(primary, 1, 1, 20, 5);
	add(member, 1, 1, 20, 5);
	add(member, 3, 4, 9, 5);
	DIFFERS("ticks 4 to 9 are there, and nothing of this stream on the primary");
}

Test(members, the_same_damage_on_both_is_no_difference)
{
	add(primary, 1, 1, 20, 5);
	spoil(primary, 1, 21);
	add(member, 1, 1, 20, 5);
	spoil(member, 1, 21);
	cr_expect(equal(), "%s", text);
}

Test(members, documents_beside_the_ticks_are_counted)
{
	add(primary, 1, 1, 20, 5);
	add(member, 1, 1, 20, 5);
	cr_assert(tally_add(member, "\x05\0\0\0\0", 5, NULL));
	DIFFERS("21 documents, 0 of them anomalies and 1 no ticks; on the primary 20, 0 and 0");
}

Test(members, an_address_keeps_what_is_about_connecting)
{
	static const struct {
		const char *uri, *want;
	} cases[] = {
	    {"mongodb://a:1,b:2/?replicaSet=rs0", "mongodb://m:3/?directConnection=true&authSource=admin"},
	    {"mongodb://a:1/?replicaSet=rs0&tls=true&tlsCAFile=/x%20y/"
	     "ca.pem&readPreference=secondary&w=2&socketTimeoutMS=9000",
		"mongodb://m:3/"
		"?directConnection=true&authSource=admin&tls=true&tlscafile=%2Fx%20y%2Fca.pem&sockettimeoutms=9000"},
	    {"mongodb://a:1/?authSource=other&directConnection=true",
		"mongodb://m:3/?directConnection=true&authSource=other"},
	};
	char uri[400];

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct err err = ERR_INIT;

		cr_assert(members_uri(cases[i].uri, "m:3", uri, sizeof uri, &err), "%s", err.msg);
		cr_expect_str_eq(uri, cases[i].want);
	}
	cr_expect_not(members_uri(cases[1].uri, "m:3", uri, 40, NULL));
}
