/* Ticks that agree with themselves, but not with what was written. */
#include "story.h"

#include <criterion/criterion.h>
#include <string.h>

static struct story s;

static void setup(void)
{
	story_init(&s);
}

static void teardown(void)
{
	story_clear(&s);
}

TestSuite(digests, .init = setup, .fini = teardown);

/* One stream in commands of `batch` ticks; those up to `present` are before the restore point and there. */
static void tell_batches(int64_t batch, int64_t present, int64_t total)
{
	struct story_journal *j = &s.journals[0];
	uint32_t clock = 1;

	story_cut(j, 0);
	s.no_timeline = true;
	s.options.max_undecided = 1000000;
	j->open.batch = batch;
	for (int64_t first = 1, last; first <= total; first = last + 1, clock++) {
		last = first + batch - 1 < total ? first + batch - 1 : total;
		if (tick_block(first) != tick_block(last))
			last = (tick_block(first) + 1) * TICK_BLOCK;
		story_issued(j, 0, clock * 100, first, last, (struct optime){2000 + clock - 1, 1});
		story_acked(j, 0, clock * 100 + 50, first, last, (struct optime){2000 + clock, 1}, batch == 1);
		if (last <= present)
			s.bound.b0 = (struct optime){2000 + clock, 1};
	}
	s.bound.sets[0].b0 = s.bound.sets[0].b1 = s.bound.b0;
	if (present > 20)
		story_see(&s.observed.streams[0], 21, present);
}

Test(digests, one_altered_tick_is_found)
{
	story_alter(&s.observed.streams[0], 13);
	story_judge(&s);
	cr_expect_result(&s, VERDICT_FAIL);
	cr_expect_count(&s, CLASS_CORRUPTED, 1);
	cr_expect_count(&s, CLASS_OK, 19);
	cr_expect_eq(s.verdict.streams[0].bad_count, 1);
	cr_expect_eq(s.verdict.streams[0].bad[0].first, 13);
	cr_expect_eq(s.verdict.streams[0].bad[0].last, 13);
	cr_expect_reason(&s, REASON_CORRUPTED);
}

Test(digests, two_altered_ticks_spoil_their_block)
{
	story_alter(&s.observed.streams[0], 13);
	story_alter(&s.observed.streams[0], 14);
	story_judge(&s);
	cr_expect_result(&s, VERDICT_FAIL);
	cr_expect_count(&s, CLASS_CORRUPTED, 20);
	cr_expect_not_null(strstr(story_reasons(&s), "at least 2 ticks differ"), "%s", story_reasons(&s));
}

Test(digests, damage_stays_within_its_block)
{
	tell_batches(100, 3000, 3500);
	story_alter(&s.observed.streams[0], 1001);
	story_alter(&s.observed.streams[0], 2000);
	story_alter(&s.observed.streams[0], 3000);
	story_judge(&s);
	cr_expect_count(&s, CLASS_CORRUPTED, 1001);
	cr_expect_count(&s, CLASS_OK, 1999);
	cr_expect_eq(s.verdict.digest_checked, 3000);
	cr_expect_eq(s.verdict.streams[0].bad_count, 2);
	cr_expect_eq(s.verdict.streams[0].bad[0].first, 1001);
	cr_expect_eq(s.verdict.streams[0].bad[0].last, 2000);
	cr_expect_eq(s.verdict.streams[0].bad[1].first, 3000);
}

Test(digests, absent_ranges_leave_the_others_comparable)
{
	tell_batches(100, 1000, 1500);
	for (int64_t k = 301; k <= 400; k++)
		story_unsee(&s.observed.streams[0], k);
	story_alter(&s.observed.streams[0], 500);
	story_judge(&s);
	cr_expect_count(&s, CLASS_LOST, 100);
	cr_expect_count(&s, CLASS_CORRUPTED, 1);
	cr_expect_eq(s.verdict.digest_checked, 900);
	cr_expect_eq(s.verdict.digest_unchecked, 0);
}

Test(digests, a_partly_present_range_cannot_be_compared)
{
	tell_batches(100, 1000, 1500);
	story_unsee(&s.observed.streams[0], 350);
	story_alter(&s.observed.streams[0], 500);
	story_judge(&s);
	cr_expect_count(&s, CLASS_LOST, 1);
	cr_expect_count(&s, CLASS_CORRUPTED, 0);
	cr_expect_eq(s.verdict.digest_checked, 0);
	cr_expect_eq(s.verdict.digest_unchecked, 999);
	cr_expect_reason(&s, REASON_DIGEST_PARTIAL);
}

Test(digests, single_ticks_can_always_be_compared)
{
	for (int64_t k = 2; k <= 20; k += 2)
		story_unsee(&s.observed.streams[0], k);
	story_alter(&s.observed.streams[0], 19);
	story_judge(&s);
	cr_expect_count(&s, CLASS_CORRUPTED, 1);
	cr_expect_count(&s, CLASS_LOST, 10);
	cr_expect_eq(s.verdict.digest_checked, 10);
	/* 18 is lost, 19 altered, 20 lost */
	cr_expect_eq(s.verdict.streams[0].bad_count, 11);
	cr_expect_eq(s.verdict.streams[0].bad[9].first, 19);
	cr_expect_eq(s.verdict.streams[0].bad[9].class, CLASS_CORRUPTED);
}

Test(digests, never_issued_ticks_make_their_block_incomparable)
{
	story_see(&s.observed.streams[0], 41, 41);
	story_alter(&s.observed.streams[0], 13);
	story_judge(&s);
	cr_expect_count(&s, CLASS_UNEXPECTED, 1);
	cr_expect_count(&s, CLASS_OK, 20);
	cr_expect_eq(s.verdict.digest_unchecked, 20);
	cr_expect_result(&s, VERDICT_FAIL);
}

Test(digests, an_altered_tick_without_acknowledgement_is_corrupted_too)
{
	story_outcome_of(&s, 13)->type = JOURNAL_UNKNOWN;
	story_alter(&s.observed.streams[0], 13);
	story_judge(&s);
	cr_expect_count(&s, CLASS_CORRUPTED, 1);
	cr_expect_count(&s, CLASS_RECOVERED, 0);
}

Test(digests, each_replica_set_is_compared_for_itself)
{
	s.bound.sets[1] = s.bound.sets[0];
	strcpy(s.bound.sets[1].name, "rs1");
	s.bound.set_count = 2;
	for (int64_t k = 11; k <= 20; k++)
		story_unsee(&s.observed.streams[0], k);
	story_observe(&s, "drill.ticker", 0, 1, "rs1", 11, 20);
	story_judge(&s);
	cr_expect_result(&s, VERDICT_PASS);
	cr_expect_eq(s.verdict.digest_checked, 20);
	/* one in each: each is found */
	story_alter(&s.observed.streams[0], 3);
	story_alter(&s.observed.streams[1], 13);
	story_judge(&s);
	cr_expect_count(&s, CLASS_CORRUPTED, 2);
	cr_expect_count(&s, CLASS_OK, 18);
}

Test(digests, a_block_without_digest_is_not_called_checked)
{
	s.observed.streams[0].block_count = 0;
	story_judge(&s);
	cr_expect_eq(s.verdict.digest_checked, 0);
	cr_expect_eq(s.verdict.digest_unchecked, 20);
	cr_expect_reason(&s, REASON_DIGEST_PARTIAL);
}

Test(digests, a_difference_that_points_at_an_absent_tick_spoils_its_block)
{
	tick_digest_add(&s.observed.streams[0].blocks[0].digest, 30, story_sum(30));
	story_judge(&s);
	cr_expect_result(&s, VERDICT_FAIL);
	cr_expect_count(&s, CLASS_CORRUPTED, 20);
}
