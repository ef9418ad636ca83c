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

TestSuite(pauses, .init = setup, .fini = teardown);

/* Interrupted from ms 31000 to 40000, within the outage; nothing was acknowledged behind tick 30. */
static void interrupt_disaster(void)
{
	story_cut(&s.journals[0], 60);
	s.journals[0].state = JOURNAL_UNSEALED;
	story_forget_heads(&s, 31000);
	story_event(&s, 29500, "outage.start");
	story_event_with(&s, 40000, "run.resumed", "paused_ms", "9000");
	/* the records that are cut were never on the drill's disk */
	for (size_t i = 0; i < s.timeline_count; i++)
		if (s.timeline[i].at_ms > STORY_WALL + 31000)
			s.timeline[i].journal.known = false;
}

Test(pauses, between_outage_and_disaster_one_without_ticks_is_no_part_of_the_rpo)
{
	interrupt_disaster();
	story_judge(&s);
	cr_expect_result(&s, VERDICT_PASS);
	cr_expect_eq(s.verdict.rpo_ms, 11000);
	cr_expect_eq(s.verdict.rto_ms, 63500);
	cr_expect_reason(&s, REASON_PAUSED);
	cr_expect_not_null(strstr(story_reason(&s, REASON_PAUSED)->message, "9.0 s of the disaster, of which 9.0 s"));
}

Test(pauses, while_ticks_are_acknowledged_the_database_lives_and_the_loss_grows)
{
	/* found in the ticker's log when the run was taken up again */
	story_forget_heads(&s, 31000);
	story_event(&s, 29500, "outage.start");
	story_event_with(&s, 40000, "run.resumed", "paused_ms", "9000");
	story_judge(&s);
	cr_expect_eq(s.verdict.rpo_ms, 20000);
	cr_expect_no_reason(&s, REASON_PAUSED);
	/* until it died */
	story_cut(&s.journals[0], 70);
	s.journals[0].state = JOURNAL_UNSEALED;
	story_judge(&s);
	cr_expect_eq(s.verdict.rpo_ms, 15000);
}

Test(pauses, before_the_outage_one_is_no_excuse_for_a_stalled_ticker)
{
	interrupt_disaster();
	story_forget(&s, "outage.start");
	story_judge(&s);
	cr_expect_eq(s.verdict.rpo_ms, 20000);
	cr_expect_no_reason(&s, REASON_PAUSED);
	story_event(&s, 36000, "outage.start");
	story_judge(&s);
	cr_expect_eq(s.verdict.rpo_ms, 16000);
}

Test(pauses, in_the_recovery_one_is_no_part_of_the_rto)
{
	story_event_with(&s, 75500, "run.resumed", "paused_ms", "20000");
	story_judge(&s);
	cr_expect_result(&s, VERDICT_PASS);
	cr_expect_eq(s.verdict.rto_ms, 43500);
	cr_expect_eq(s.verdict.rpo_ms, 20000);
	for (size_t i = 0; i < s.verdict.phase_count; i++)
		if (!strcmp(s.verdict.phases[i].name, "cluster ready")) {
			cr_expect_eq(s.verdict.phases[i].from_ms, 6000);
			cr_expect_eq(s.verdict.phases[i].to_ms, 20000);
		}
	cr_expect_not_null(strstr(story_reason(&s, REASON_PAUSED)->message, "20.0 s of the recovery"));
}

Test(pauses, what_was_recorded_meanwhile_was_no_rest)
{
	/* newer than the drill's own sign of life: "cluster.requested" of ms 46500 */
	story_event_with(&s, 75500, "run.resumed", "paused_ms", "74000");
	story_judge(&s);
	cr_expect_eq(s.verdict.rto_ms, 63500 - 29000);
}

Test(pauses, behind_the_last_phase_one_is_in_no_figure)
{
	story_event_with(&s, 200000, "run.resumed", "paused_ms", "90000");
	story_judge(&s);
	cr_expect_eq(s.verdict.rto_ms, 63500);
	cr_expect_no_reason(&s, REASON_PAUSED);
}

Test(pauses, a_limit_between_the_figure_with_and_without_it_is_not_decided)
{
	static const struct {
		int64_t max_ms;
		enum verdict_result result;
	} cases[] = {
	    {63500, VERDICT_PASS}, {63499, VERDICT_INCONCLUSIVE}, {43500, VERDICT_INCONCLUSIVE}, {43499, VERDICT_FAIL}};

	story_event_with(&s, 75500, "run.resumed", "paused_ms", "20000");
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		s.options.max_rto_ms = cases[i].max_ms;
		story_judge(&s);
		cr_expect_result(&s, cases[i].result);
		cr_expect_eq(story_reason(&s, REASON_RTO_PAUSED) != NULL, cases[i].result == VERDICT_INCONCLUSIVE);
	}
}

Test(pauses, so_it_is_with_the_loss)
{
	static const struct {
		int64_t max_ms;
		enum verdict_result result;
	} cases[] = {
	    {20600, VERDICT_PASS}, {20599, VERDICT_INCONCLUSIVE}, {11600, VERDICT_INCONCLUSIVE}, {11599, VERDICT_FAIL}};

	interrupt_disaster();
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		s.options.max_rpo_ms = cases[i].max_ms;
		story_judge(&s);
		cr_expect_result(&s, cases[i].result);
		cr_expect_eq(story_reason(&s, REASON_RPO_PAUSED) != NULL, cases[i].result == VERDICT_INCONCLUSIVE);
	}
}

Test(pauses, one_without_its_figure_is_a_broken_timeline)
{
	story_event(&s, 75500, "run.resumed");
	story_judge(&s);
	cr_expect_eq(s.verdict.rto_ms, 63500);
	cr_expect_reason(&s, REASON_TIMELINE_BROKEN);
}
