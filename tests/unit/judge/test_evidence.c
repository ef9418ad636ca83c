/* Files that are missing, open, cut, edited, damaged; several runs of the ticker. */
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

TestSuite(evidence, .init = setup, .fini = teardown);

Test(evidence, a_flawless_drill_passes)
{
	story_judge(&s);
	cr_expect_result(&s, VERDICT_PASS);
	cr_expect_eq(s.verdict.reason_count, 0, "%s", story_reasons(&s));
	cr_expect_count(&s, CLASS_OK, 20);
	cr_expect_count(&s, CLASS_EXPECTED_LOSS, 20);
	cr_expect_eq(s.verdict.digest_checked, 20);
	cr_expect_eq(s.verdict.digest_unchecked, 0);
	cr_expect_eq(s.verdict.acked, 40);
	cr_expect_eq(s.verdict.undecided, 0);
	cr_expect_str_eq(s.verdict.title, "PASS: 20 of 20 acknowledged operations before the restore point are there; "
					  "RPO 20.0 s +- 0.6 s; RTO 63.5 s");
	cr_expect_eq(s.verdict.stream_count, 1);
	cr_expect_eq(s.verdict.streams[0].range_count, 2);
	cr_expect_eq(s.verdict.streams[0].ranges[1].first, 21);
	cr_expect_eq(s.verdict.streams[0].ranges[1].last, 40);
	cr_expect_eq(s.verdict.streams[0].bad_count, 0);
}

Test(evidence, each_missing_file_is_inconclusive_and_named)
{
	static const struct {
		size_t at; /* of the flag in the story */
		enum verdict_reason_code code;
	} files[] = {
	    {offsetof(struct story, no_bound), REASON_NO_BOUND},
	    {offsetof(struct story, no_observed), REASON_NO_OBSERVATION},
	    {offsetof(struct story, no_timeline), REASON_NO_TIMELINE},
	};

	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		bool *flag = (bool *)((char *)&s + files[i].at);

		*flag = true;
		story_judge(&s);
		cr_expect_result(&s, VERDICT_INCONCLUSIVE);
		cr_expect_reason(&s, files[i].code);
		*flag = false;
	}
	story_judge(&s);
	cr_expect_result(&s, VERDICT_PASS);
}

Test(evidence, nothing_at_all_is_inconclusive)
{
	struct judge_options options = JUDGE_OPTIONS_DEFAULT;
	struct judge *judge = NULL;
	struct err err = ERR_INIT;

	cr_assert(judge_new(&options, NULL, NULL, &judge, &err));
	cr_assert(judge_finish(judge, &s.verdict, &err));
	judge_free(judge);
	cr_expect_result(&s, VERDICT_INCONCLUSIVE);
	cr_expect_reason(&s, REASON_NO_JOURNAL);
	cr_expect_reason(&s, REASON_NO_BOUND);
	cr_expect_reason(&s, REASON_NO_TIMELINE);
	cr_expect_reason(&s, REASON_NO_OBSERVATION);
}

Test(evidence, without_a_journal_the_database_alone_is_described)
{
	size_t count = s.journal_count;

	s.journal_count = 0;
	story_unsee(&s.observed.streams[0], 7);
	story_anomaly(&s, OBSERVED_DUPLICATE, 0, 8);
	story_judge(&s);
	cr_expect_result(&s, VERDICT_FAIL);
	cr_expect_reason(&s, REASON_DUPLICATED);
	cr_expect_reason(&s, REASON_NO_JOURNAL);
	cr_expect_no_reason(&s, REASON_LOST);
	cr_expect_no_reason(&s, REASON_UNJOURNALED);
	cr_expect_count(&s, CLASS_UNJOURNALED, 18);
	cr_expect_count(&s, CLASS_DUPLICATED, 1);
	cr_expect_not_null(strstr(story_reason(&s, REASON_NO_JOURNAL)->message, "19 intact ticks, 1 missing"), "%s",
	    story_reasons(&s));
	s.journal_count = count;
}

Test(evidence, an_open_journal_that_reaches_past_the_restore_point_can_pass)
{
	s.journals[0].state = JOURNAL_UNSEALED;
	story_judge(&s);
	cr_expect_result(&s, VERDICT_PASS);
	cr_expect_reason(&s, REASON_OPEN_JOURNAL);
	cr_expect(s.verdict.rpo_at_least);
}

Test(evidence, the_tick_outstanding_at_the_disaster_does_not_spoil_the_run)
{
	story_cut(&s.journals[0], 79);
	s.journals[0].state = JOURNAL_UNSEALED;
	story_forget_heads(&s, 40000);
	story_find_event(&s, "disaster")->journal.known = false;
	for (size_t i = 0; i < s.timeline_count; i++)
		if (s.timeline[i].mono_ms > STORY_MONO + 40000)
			s.timeline[i].journal.known = false;
	story_judge(&s);
	cr_expect_count(&s, CLASS_INDETERMINATE, 1);
	cr_expect_eq(s.verdict.undecided, 0);
	cr_expect_result(&s, VERDICT_PASS);
}

Test(evidence, ticks_beyond_an_open_journal_are_late_once_it_reached_the_restore_point)
{
	s.journals[0].state = JOURNAL_UNSEALED;
	story_see(&s.observed.streams[0], 41, 42);
	story_judge(&s);
	cr_expect_result(&s, VERDICT_FAIL);
	cr_expect_count(&s, CLASS_LATE, 2);
}

Test(evidence, ticks_beyond_an_open_journal_that_stops_earlier_are_unjournaled)
{
	/* the last acknowledgement is tick 18's: the restore point is not reached */
	story_cut(&s.journals[0], 36);
	s.journals[0].state = JOURNAL_UNSEALED;
	story_judge(&s);
	cr_expect_result(&s, VERDICT_INCONCLUSIVE);
	cr_expect_count(&s, CLASS_UNJOURNALED, 2);
	cr_expect_reason(&s, REASON_UNJOURNALED);
	cr_expect_reason(&s, REASON_NO_COVERAGE);
	cr_expect_reason(&s, REASON_JOURNAL_CUT);
	cr_expect_eq(s.verdict.digest_checked, 0, "other ticks share the block");
	cr_expect_eq(s.verdict.digest_unchecked, 18);
}

Test(evidence, ticks_beyond_a_sealed_journal_were_never_issued)
{
	story_see(&s.observed.streams[0], 41, 42);
	story_judge(&s);
	cr_expect_result(&s, VERDICT_FAIL);
	cr_expect_count(&s, CLASS_UNEXPECTED, 2);
	cr_expect_reason(&s, REASON_UNEXPECTED);
}

Test(evidence, a_stream_that_the_journal_does_not_name_was_never_issued)
{
	story_observe(&s, "drill.ticker", 5, 1, "rs0", 1, 3);
	story_judge(&s);
	cr_expect_result(&s, VERDICT_FAIL);
	cr_expect_count(&s, CLASS_UNEXPECTED, 3);
}

Test(evidence, another_run_is_foreign_and_only_counted)
{
	story_observe(&s, "drill.ticker", 0, 9, "rs0", 1, 3);
	s.observed.foreign = calloc(1, sizeof *s.observed.foreign);
	s.observed.foreign[0].documents = 4;
	s.observed.foreign_count = 1;
	story_judge(&s);
	cr_expect_result(&s, VERDICT_PASS);
	cr_expect_count(&s, CLASS_FOREIGN, 7);
	cr_expect_reason(&s, REASON_FOREIGN);
	cr_expect_eq(s.verdict.stream_count, 1);
}

Test(evidence, a_cut_journal_shows_against_the_timeline)
{
	/* sealed, as if somebody had written an end: still shorter than what the drill saw */
	story_cut(&s.journals[0], 60);
	story_judge(&s);
	cr_expect_result(&s, VERDICT_INCONCLUSIVE);
	cr_expect_reason(&s, REASON_JOURNAL_CUT);
}

Test(evidence, one_record_less_than_the_timeline_saw_is_a_cut)
{
	s.journals[0].state = JOURNAL_UNSEALED;
	story_judge(&s);
	cr_expect_no_reason(&s, REASON_JOURNAL_CUT);
	story_cut(&s.journals[0], 79);
	story_judge(&s);
	cr_expect_reason(&s, REASON_JOURNAL_CUT);
}

Test(evidence, an_edited_journal_has_other_chain_values_than_the_timeline_noted)
{
	s.journals[0].salt = 99;
	story_judge(&s);
	cr_expect_result(&s, VERDICT_INCONCLUSIVE);
	cr_expect_reason(&s, REASON_JOURNAL_CUT);
}

Test(evidence, a_journal_that_only_the_timeline_knows_is_missed)
{
	struct timeline_record *rec = story_event(&s, 39000, "head");

	rec->journal.run = story_run(3);
	story_observe(&s, "drill.ticker", 0, 3, "rs0", 1, 2);
	story_judge(&s);
	cr_expect_result(&s, VERDICT_INCONCLUSIVE);
	cr_expect_reason(&s, REASON_JOURNAL_CUT);
	cr_expect_count(&s, CLASS_UNJOURNALED, 2);
}

Test(evidence, a_broken_journal_is_believed_up_to_the_damage)
{
	story_cut(&s.journals[0], 70);
	s.journals[0].state = JOURNAL_BROKEN;
	err_set(&s.journals[0].why, ERR_BROKEN, "line 71: the chain is broken");
	story_judge(&s);
	cr_expect_result(&s, VERDICT_INCONCLUSIVE);
	cr_expect_reason(&s, REASON_JOURNAL_BROKEN);
	cr_expect_not_null(strstr(story_reason(&s, REASON_JOURNAL_BROKEN)->message, "line 71"));
	cr_expect_count(&s, CLASS_OK, 20);
	cr_expect_count(&s, CLASS_EXPECTED_LOSS, 15);
}

Test(evidence, records_in_another_order_break_the_journal)
{
	struct journal_record first = s.journals[0].records[40];

	/* the reply before the question */
	s.journals[0].records[40] = s.journals[0].records[41];
	s.journals[0].records[41] = first;
	story_judge(&s);
	cr_expect_result(&s, VERDICT_INCONCLUSIVE);
	cr_expect_reason(&s, REASON_JOURNAL_BROKEN);
}

Test(evidence, two_outcomes_of_one_tick_break_the_journal)
{
	story_acked(&s.journals[0], 0, 41000, 40, 40, (struct optime){1041, 1}, true);
	story_judge(&s);
	cr_expect_reason(&s, REASON_JOURNAL_BROKEN);
}

Test(evidence, a_journal_given_twice_is_not_counted_twice)
{
	s.journals[1] = s.journals[0];
	s.journal_count = 2;
	story_judge(&s);
	cr_expect_result(&s, VERDICT_INCONCLUSIVE);
	cr_expect_reason(&s, REASON_JOURNAL_BROKEN);
	cr_expect_count(&s, CLASS_OK, 20);
	s.journal_count = 1;
}

Test(evidence, a_gap_in_what_was_issued_makes_present_ticks_unexpected)
{
	struct story_journal *j = &s.journals[0];

	/* tick 7 vanishes from the journal, not from the database */
	memmove(&j->records[12], &j->records[14], (j->count - 14) * sizeof *j->records);
	j->count -= 2;
	story_forget_heads(&s, 0);
	for (size_t i = 0; i < s.timeline_count; i++)
		s.timeline[i].journal.n = s.timeline[i].journal.n > 3 ? 3 : s.timeline[i].journal.n;
	story_judge(&s);
	cr_expect_result(&s, VERDICT_FAIL);
	cr_expect_count(&s, CLASS_UNEXPECTED, 1);
	cr_expect_count(&s, CLASS_OK, 19);
}

Test(evidence, an_observation_without_end_judges_nothing)
{
	s.observed.ended = false;
	story_unsee(&s.observed.streams[0], 7);
	story_judge(&s);
	cr_expect_result(&s, VERDICT_INCONCLUSIVE);
	cr_expect_reason(&s, REASON_NO_OBSERVATION);
	cr_expect_count(&s, CLASS_LOST, 0);
	cr_expect_count(&s, CLASS_OK, 0);
}

Test(evidence, a_read_concern_other_than_majority_is_inconclusive)
{
	strcpy(s.observed.open.read_concern, "local");
	story_judge(&s);
	cr_expect_result(&s, VERDICT_INCONCLUSIVE);
	cr_expect_reason(&s, REASON_NO_OBSERVATION);
}

Test(evidence, a_truncated_observation_is_inconclusive)
{
	s.observed.truncated = true;
	story_judge(&s);
	cr_expect_result(&s, VERDICT_INCONCLUSIVE);
	cr_expect_reason(&s, REASON_DETAILS_TRUNCATED);
	cr_expect_count(&s, CLASS_OK, 20);
}

Test(evidence, a_broken_timeline_is_inconclusive_and_a_torn_one_is_not)
{
	s.timeline_state = RECORD_TORN;
	story_judge(&s);
	cr_expect_result(&s, VERDICT_PASS);
	s.timeline_state = RECORD_BROKEN;
	story_judge(&s);
	cr_expect_result(&s, VERDICT_INCONCLUSIVE);
	cr_expect_reason(&s, REASON_TIMELINE_BROKEN);
}

/* --- several runs
 * ------------------------------------------------------------------------------------------------------------------ */

/* The ticker dies after tick 30 and begins again pause_ms later, with a run of its own: 10 ticks. */
static struct story_journal *restart(int64_t pause_ms)
{
	struct story_journal *j = story_journal(&s, 2);

	story_cut(&s.journals[0], 60);
	s.journals[0].state = JOURNAL_UNSEALED;
	j->open.at_ms = STORY_WALL + 30000 + pause_ms - 1000;
	story_stream(j, "drill.ticker", 0);
	for (uint32_t k = 1; k <= 10; k++) {
		story_issued(j, 0, 1000 * k - 100, k, k, (struct optime){1030 + k - 1, 1});
		story_acked(j, 0, 1000 * k, k, k, (struct optime){1030 + k, 1}, true);
	}
	for (size_t i = 0; i < s.timeline_count; i++) {
		struct timeline_record *rec = &s.timeline[i];
		int64_t n = (rec->mono_ms - STORY_MONO - 30000 - pause_ms + 1000) / 1000 * 2 + 1;

		if (!rec->journal.known || rec->journal.n <= 61)
			continue;
		rec->journal.known = n > 0;
		rec->journal.run = j->open.run;
		rec->journal.n = (uint64_t)(n > 21 ? 21 : n);
		memcpy(rec->journal.chain, story_head(j, rec->journal.n).chain, RECORD_CHAIN_TEXT_MAX);
	}
	return j;
}

Test(evidence, a_restarted_ticker_is_judged_over_both_its_runs)
{
	restart(1000);
	story_judge(&s);
	cr_expect_result(&s, VERDICT_PASS);
	cr_expect_count(&s, CLASS_OK, 20);
	cr_expect_count(&s, CLASS_EXPECTED_LOSS, 20);
	cr_expect_eq(s.verdict.stream_count, 2);
}

Test(evidence, the_pause_between_two_runs_is_a_stall_if_it_is_long)
{
	restart(10000);
	story_judge(&s);
	cr_expect_no_reason(&s, REASON_STALLED);
	s.journals[1].open.at_ms += 1;
	story_judge(&s);
	cr_expect_reason(&s, REASON_STALLED);
	cr_expect_result(&s, VERDICT_INCONCLUSIVE);
}

Test(evidence, ticks_of_a_ticker_on_the_restored_cluster_are_foreign)
{
	struct story_journal *j = story_journal(&s, 2);

	j->open.at_ms = STORY_WALL + 110000;
	strcpy(j->open.cluster_id, s.observed.open.cluster_id);
	story_stream(j, "drill.ticker", 0);
	for (uint32_t k = 1; k <= 5; k++) {
		story_issued(j, 0, 1000 * k - 100, k, k, (struct optime){1110 + k - 1, 1});
		story_acked(j, 0, 1000 * k, k, k, (struct optime){1110 + k, 1}, true);
	}
	story_observe(&s, "drill.ticker", 0, 2, "rs0", 1, 5);
	story_judge(&s);
	cr_expect_result(&s, VERDICT_PASS);
	cr_expect_count(&s, CLASS_FOREIGN, 5);
	/* the same on the old cluster would be late */
	strcpy(j->open.cluster_id, s.journals[0].open.cluster_id);
	story_judge(&s);
	cr_expect_count(&s, CLASS_LATE, 5);
}

Test(evidence, calls_out_of_order_are_refused)
{
	struct judge_options options = JUDGE_OPTIONS_DEFAULT;
	struct timeline_open open = {0};
	struct judge *judge = NULL;
	struct err err = ERR_INIT;

	cr_assert(judge_new(&options, &s.bound, &s.observed, &judge, &err));
	cr_expect_not(judge_journal_record(judge, &s.journals[0].records[0], NULL, &err));
	cr_assert(judge_journal_begin(judge, &s.journals[0].open, &err));
	cr_expect_not(judge_timeline_open(judge, &open, &err));
	cr_expect_not(judge_finish(judge, &s.verdict, &err));
	cr_expect_eq(err.code, ERR_STATE);
	judge_free(judge);
}

Test(evidence, holes_that_are_not_listed_are_no_loss)
{
	s.observed.truncated = true;
	s.unlisted = 1;
	story_unsee(&s.observed.streams[0], 7);
	story_judge(&s);
	cr_expect_result(&s, VERDICT_INCONCLUSIVE);
	cr_expect_count(&s, CLASS_LOST, 0);
}
