#include "scenarios/coverage.h"

#include "base/file.h"
#include "sample.h"

#include <unistd.h>

static const struct optime b0 = {1700000100, 5}, b1 = {1700000100, 9};
static char why[COVERAGE_WHY_MAX];

struct line {
	enum journal_type type;
	uint32_t stream;
	int64_t first, last;
	struct optime at; /* lo or hi */
};

#define ISSUED(s, seq, i)                                                                                              \
	{                                                                                                              \
		JOURNAL_ISSUED, s, seq, seq,                                                                           \
		{                                                                                                      \
			1700000100, i                                                                                  \
		}                                                                                                      \
	}
#define ACKED(s, seq, i)                                                                                               \
	{                                                                                                              \
		JOURNAL_ACKED, s, seq, seq,                                                                            \
		{                                                                                                      \
			1700000100, i                                                                                  \
		}                                                                                                      \
	}

static bool covered(size_t streams, const struct line *lines, size_t count)
{
	static struct coverage c;
	struct journal_open open = sample_open(streams);

	coverage_init(&c, &open, b0, b1);
	for (size_t i = 0; i < count; i++) {
		const struct journal_record rec = {.type = lines[i].type,
		    .stream = lines[i].stream,
		    .first = lines[i].first,
		    .last = lines[i].last,
		    .lo = lines[i].at,
		    .hi = lines[i].at};

		coverage_take(&c, &rec);
	}
	why[0] = '\0';
	return coverage_reached(&c, why);
}

#define COVERED(streams, ...)                                                                                          \
	covered(streams, (const struct line[]){__VA_ARGS__},                                                           \
	    sizeof((const struct line[]){__VA_ARGS__}) / sizeof(struct line))

Test(coverage, a_tick_sent_after_a_reply_from_the_bound_covers)
{
	cr_assert(COVERED(1, ISSUED(0, 1, 1), ACKED(0, 1, 5), ISSUED(0, 2, 9), ACKED(0, 2, 10)));
}

Test(coverage, an_acknowledgement_beyond_the_bound_of_a_tick_sent_before_it_does_not)
{
	cr_assert_not(COVERED(1, ISSUED(0, 1, 1), ACKED(0, 1, 5), ISSUED(0, 2, 8), ACKED(0, 2, 900)));
	cr_assert(strstr(why, "surely written after"), "%s", why);
}

Test(coverage, a_tick_beyond_the_bound_that_is_not_acknowledged_does_not)
{
	cr_assert_not(COVERED(1, ISSUED(0, 1, 1), ACKED(0, 1, 5), ISSUED(0, 2, 9)));
}

Test(coverage, an_older_tick_resolved_late_does_not_stand_for_a_newer_one)
{
	cr_assert_not(COVERED(1, ISSUED(0, 1, 1), ACKED(0, 1, 5), ISSUED(0, 2, 6), ISSUED(0, 3, 9), ACKED(0, 2, 12)));
	cr_assert(COVERED(
	    1, ISSUED(0, 1, 1), ACKED(0, 1, 5), ISSUED(0, 2, 6), ISSUED(0, 3, 9), ACKED(0, 2, 12), ACKED(0, 3, 13)));
}

Test(coverage, every_stream_counts)
{
	cr_assert_not(COVERED(
	    2, ISSUED(0, 1, 1), ACKED(0, 1, 5), ISSUED(1, 1, 1), ACKED(1, 1, 4), ISSUED(0, 2, 9), ACKED(0, 2, 10)));
	cr_assert(strstr(why, "drill.ticker"), "%s", why);
}

Test(coverage, a_stream_without_a_tick_before_the_bound_is_not_covered)
{
	cr_assert_not(COVERED(1, ISSUED(0, 1, 9), ACKED(0, 1, 10)));
	cr_assert(strstr(why, "at or before the restore point 1700000100,5"), "%s", why);
}

Test(coverage, a_lo_that_goes_back_below_the_bound_is_not_believed)
{
	cr_assert_not(COVERED(1, ISSUED(0, 1, 1), ACKED(0, 1, 5), ISSUED(0, 2, 9), ISSUED(0, 3, 2), ACKED(0, 3, 9)));
}

Test(coverage, a_journal_without_streams_covers_nothing)
{
	cr_assert_not(covered(0, NULL, 0));
}

Test(coverage, heads_say_no_until_the_last_stream_has_passed_the_bound)
{
	struct drill_heads h = {.known = true, .streams = 2, .acked = 2, .least_hi = {1700000100, 10}};

	cr_assert(coverage_may_be(&h, b1, why));
	h.least_hi = b1;
	cr_assert_not(coverage_may_be(&h, b1, why), "lo < hi, so lo >= b1 needs hi > b1");
	cr_assert_str_eq(why, "the last acknowledged tick is from 1700000100,9, the restore point from 1700000100,9");
	h = (struct drill_heads){.known = true, .streams = 2, .acked = 1, .least_hi = {1800000000, 1}};
	cr_assert_not(coverage_may_be(&h, b1, why));
	h.known = false;
	cr_assert_not(coverage_may_be(&h, b1, why));
}

Test(coverage, the_greatest_bound_of_the_sets_is_asked_for)
{
	struct bound b;

	bound_init(&b);
	b.b0 = b0;
	b.set_count = 2;
	b.sets[0].b1 = b1;
	b.sets[1].b1 = b0;
	cr_assert_eq(optime_cmp(coverage_b1(&b), b1), 0);
	bound_clear(&b);
}

/* A journal of one stream, tick n with lo (T,n) and hi (T,n+1), as a file. */
static void write_journal(char *path, int64_t ticks)
{
	static struct memory_sink m;
	struct record_sink sink = memory_sink_init(&m);
	CLEANUP(journal_writer) struct journal_writer *w = NULL;
	struct journal_open open = sample_open(1);

	cr_assert(journal_writer_new(&sink, &open, &w, NULL));
	for (int64_t seq = 1; seq <= ticks; seq++) {
		struct journal_record a = issued(0, seq, seq), b = acked(0, seq, seq);

		a.lo = (struct optime){1700000100, (uint32_t)seq};
		b.hi = (struct optime){1700000100, (uint32_t)seq + 1};
		cr_assert(journal_write(w, &a, NULL) && journal_write(w, &b, NULL));
	}
	cr_assert(mkstemp(path) >= 0);
	cr_assert(file_write_atomic(path, m.text.data, m.text.len, 0600, NULL));
	buf_clear(&m.text);
}

Test(coverage, only_what_a_head_says_is_on_the_disk_counts)
{
	char path[] = "/tmp/psmdb-drill-coverage-XXXXXX";
	struct err err = ERR_INIT;
	struct bound b;
	bool reached;

	bound_init(&b);
	b.b0 = b0;
	b.set_count = 1;
	b.sets[0].b1 = b1;
	write_journal(path, 12);
	/* tick 9 is the first with lo >= b1: records 18 (issued) and 19 (acked), behind open and 2 for each before it */
	cr_assert(coverage_read(path, 19, &b, &reached, why, &err), "%s", err.msg);
	cr_assert(reached, "%s", why);
	cr_assert(coverage_read(path, 18, &b, &reached, why, &err));
	cr_assert_not(reached);
	unlink(path);
	cr_assert_not(coverage_read(path, 18, &b, &reached, why, &err));
	bound_clear(&b);
}
