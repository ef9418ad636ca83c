/* What reaches across the restore point: a batch, an acknowledgement that came after a doubt, runs that follow each other in one collection. */
#include "story.h"

#include <criterion/criterion.h>

static struct story s;

static void setup(void)
{
	story_init(&s);
	s.no_timeline = true;
	story_cut(&s.journals[0], 0);
}

static void teardown(void)
{
	story_clear(&s);
}

TestSuite(across, .init = setup, .fini = teardown);

static void tick(int64_t seq, struct optime lo, struct optime hi, bool doubted)
{
	struct story_journal *j = &s.journals[0];
	int64_t ms = 1000 * seq;

	story_issued(j, 0, ms - 100, seq, seq, lo);
	if (doubted)
		story_outcome(j, JOURNAL_UNKNOWN, 0, ms - 50, seq, seq);
	story_acked(j, 0, ms, seq, seq, hi, !doubted);
}

/* Ticks 1 to 40, of which 20 was in doubt and was acknowledged when it was sent again: somewhere in (lo, hi]. */
static void retried(struct optime lo, struct optime hi)
{
	for (int64_t k = 1; k <= STORY_TICKS; k++) {
		if (k == 20)
			tick(k, lo, hi, true);
		else
			tick(k, (struct optime){(uint32_t)(1000 + k - 1), 1}, (struct optime){(uint32_t)(1000 + k), 1},
			    false);
	}
}

Test(across, an_acknowledgement_after_a_doubt_may_be_of_either_side)
{
	retried((struct optime){1019, 1}, (struct optime){1020, 5});
	story_judge(&s);
	cr_expect_count(&s, CLASS_OK, 19);
	cr_expect_count(&s, CLASS_AT_BOUND, 1);
	cr_expect_count(&s, CLASS_EXPECTED_LOSS, 20);
	story_unsee(&s.observed.streams[0], 20);
	story_judge(&s);
	cr_expect_count(&s, CLASS_AT_BOUND, 1);
	cr_expect_count(&s, CLASS_LOST, 0);
}

Test(across, an_acknowledgement_after_a_doubt_is_of_one_side_at_the_very_edge)
{
	/* its reply's time is the restore point's: it was written by then */
	retried((struct optime){1019, 1}, (struct optime){1020, 1});
	story_unsee(&s.observed.streams[0], 20);
	story_judge(&s);
	cr_expect_count(&s, CLASS_LOST, 1);
	teardown();
	setup();
	/* it was sent after a reply of the restore point's time: it was written later */
	retried((struct optime){1020, 1}, (struct optime){1020, 5});
	story_judge(&s);
	cr_expect_count(&s, CLASS_LATE, 1);
	story_unsee(&s.observed.streams[0], 20);
	story_judge(&s);
	cr_expect_count(&s, CLASS_LATE, 0);
	cr_expect_count(&s, CLASS_EXPECTED_LOSS, 21);
}

Test(across, a_batch_that_is_acknowledged_in_part_is_judged_part_by_part)
{
	struct story_journal *j = &s.journals[0];

	/* 1 to 10 before; of 11 to 40, across the restore point, 11 to 20 were written, 21 refused the rest */
	story_issued(j, 0, 900, 1, 10, (struct optime){1000, 1});
	story_acked(j, 0, 1000, 1, 10, (struct optime){1010, 1}, false);
	story_issued(j, 0, 1900, 11, 40, (struct optime){1010, 1});
	story_acked(j, 0, 2000, 11, 20, (struct optime){1030, 1}, false);
	story_outcome(j, JOURNAL_FAILED, 0, 2000, 21, 40);
	story_unsee(&s.observed.streams[0], 16);
	story_unsee(&s.observed.streams[0], 20);
	story_judge(&s);
	cr_expect_count(&s, CLASS_OK, 10);
	cr_expect_count(&s, CLASS_AT_BOUND, 10);
	cr_expect_count(&s, CLASS_REFUSED, 20);
	story_see(&s.observed.streams[0], 30, 30);
	story_judge(&s);
	cr_expect_count(&s, CLASS_RESURRECTED, 1);
	cr_expect_result(&s, VERDICT_FAIL);
}

/* A run of five ticks of the same namespace and writer, one a second from `at`. */
static void run_of_five(int run, uint32_t at)
{
	struct story_journal *j = story_journal(&s, run);

	story_stream(j, "drill.ticker", 0);
	for (uint32_t k = 1; k <= 5; k++) {
		story_issued(j, 0, 1000 * k - 100, k, k, (struct optime){at + k - 1, 1});
		story_acked(j, 0, 1000 * k, k, k, (struct optime){at + k, 1}, true);
	}
}

Test(across, runs_in_one_collection_are_each_judged_by_their_own_journal)
{
	retried((struct optime){1019, 1}, (struct optime){1019, 5});
	run_of_five(2, 1015); /* all before; its third is gone */
	run_of_five(3, 1017); /* three before; the fourth is there */
	story_observe(&s, "drill.ticker", 0, 2, "rs0", 1, 5);
	story_unsee(&s.observed.streams[1], 3);
	story_observe(&s, "drill.ticker", 0, 3, "rs0", 1, 4);
	story_observe(&s, "drill.ticker", 0, 4, "rs0", 1, 7); /* nobody's */
	story_judge(&s);
	cr_expect_count(&s, CLASS_OK, 20 + 4 + 3);
	cr_expect_count(&s, CLASS_LOST, 1);
	cr_expect_count(&s, CLASS_LATE, 1);
	cr_expect_count(&s, CLASS_EXPECTED_LOSS, 20 + 1);
	cr_expect_count(&s, CLASS_FOREIGN, 7);
}
