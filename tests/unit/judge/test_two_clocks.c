/* Restored into another cluster, whose clock is 100 s behind the first one's. */
#include "story.h"

#include <criterion/criterion.h>
#include <string.h>

#define BEHIND_MS 100000

static struct story s;

static void setup(void)
{
	story_init(&s);
	s.observed.open.at_ms -= BEHIND_MS;
	s.observed.open.read_after.t -= BEHIND_MS / 1000;
	s.observed.open.clock_error_ms = 50;
	for (size_t i = 0; i < s.observed.probe_count; i++)
		s.observed.probes[i].at_ms -= BEHIND_MS;
	for (size_t i = 0; i < s.observed.restore_count; i++)
		s.observed.restores[i].start_ts -= BEHIND_MS / 1000;
}

static void teardown(void)
{
	story_clear(&s);
}

TestSuite(two_clocks, .init = setup, .fini = teardown);

static void compare(int64_t ms, const char *offset_ms)
{
	story_add(story_event_with(&s, ms, "clock.target", "offset_ms", offset_ms), "error_ms", "300");
}

Test(two_clocks, that_were_not_compared_make_the_observation_one_of_the_old_database)
{
	story_judge(&s);
	cr_expect_result(&s, VERDICT_INCONCLUSIVE);
	cr_expect_reason(&s, REASON_NO_OBSERVATION);
}

Test(two_clocks, that_were_compared_give_the_figures_of_one)
{
	compare(101000, "-100000");
	story_judge(&s);
	cr_expect_result(&s, VERDICT_PASS);
	cr_expect_eq(s.verdict.rto_ms, 63500);
	cr_expect_eq(s.verdict.rto_error_ms, 350);
	/* of one cluster alone */
	cr_expect_eq(s.verdict.rpo_ms, 20000);
	cr_expect_eq(s.verdict.rpo_error_ms, 600);
}

Test(two_clocks, the_last_comparison_counts)
{
	compare(30000, "5000");
	compare(101000, "-100000");
	story_judge(&s);
	cr_expect_result(&s, VERDICT_PASS);
	cr_expect_eq(s.verdict.rto_ms, 63500);
}

Test(two_clocks, the_rto_threshold_must_hold_with_the_error)
{
	compare(101000, "-100000");
	s.options.max_rto_ms = 63850;
	story_judge(&s);
	cr_expect_result(&s, VERDICT_PASS);
	s.options.max_rto_ms = 63849;
	story_judge(&s);
	cr_expect_result(&s, VERDICT_FAIL);
	cr_expect_reason(&s, REASON_RTO_EXCEEDED);
}

Test(two_clocks, an_observation_of_the_old_database_is_still_none)
{
	compare(101000, "-100000");
	/* read 90 s earlier: the restore had not ended, and its operation time is before the restore point */
	s.observed.open.at_ms -= 90000;
	s.observed.open.read_after.t -= 90;
	story_judge(&s);
	cr_expect_result(&s, VERDICT_INCONCLUSIVE);
	cr_expect_not_null(strstr(story_reason(&s, REASON_NO_OBSERVATION)->message, "before the restore ended"));
	cr_expect_not_null(strstr(story_reason(&s, REASON_NO_OBSERVATION)->message, "the restore point is"));
}

Test(two_clocks, a_restore_that_pbm_dates_before_the_disaster_by_its_own_clock_is_the_drills)
{
	compare(101000, "-100000");
	story_forget(&s, "restore.finished");
	story_judge(&s);
	cr_expect_result(&s, VERDICT_PASS);
}
