/* Does the evidence reach across the restore point without a hole: anchor, coverage, liveness, each met and not met. */
#include "story.h"

#include <criterion/criterion.h>
#include <stdlib.h>
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

TestSuite(continuity, .init = setup, .fini = teardown);

/* --- anchor
 * ------------------------------------------------------------------------------------------------------------------------
 */

Test(continuity, a_restore_point_before_the_anchor_fails)
{
	/* the last tick acknowledged before the request is 15, at (1015,1) */
	s.bound.b0 = s.bound.cluster_last_write = s.observed.backup.last_write = (struct optime){1015, 1};
	s.bound.sets[0].b0 = s.bound.sets[0].b1 = s.bound.b0;
	for (int64_t k = 16; k <= 20; k++)
		story_unsee(&s.observed.streams[0], k);
	story_expect_pass(&s);
	s.bound.b0 = s.bound.cluster_last_write = s.observed.backup.last_write = (struct optime){1015, 0};
	s.bound.sets[0].b0 = s.bound.sets[0].b1 = s.bound.b0;
	story_unsee(&s.observed.streams[0], 15);
	story_expect(&s, REASON_BOUND_BEFORE_ANCHOR, VERDICT_FAIL);
}

Test(continuity, the_anchor_belongs_to_the_request_that_the_backup_answers)
{
	/* another backup is requested and finished between the pinned one and the disaster */
	story_event(&s, 23500, "backup.requested");
	story_event_with(&s, 24500, "backup.finished", "backup", "2026-01-01T00:00:24Z");
	story_expect_pass(&s);
	/* the same, but the pinned backup is no answer to any request: the newest request counts */
	strcpy(story_find_event(&s, "backup.finished")->data[0].value, "2026-01-01T00:00:19Z");
	story_expect(&s, REASON_BOUND_BEFORE_ANCHOR, VERDICT_FAIL);
}

Test(continuity, without_a_request_there_is_no_anchor)
{
	story_forget(&s, "backup.requested");
	story_expect(&s, REASON_NO_ANCHOR, VERDICT_INCONCLUSIVE);
}

Test(continuity, a_request_without_a_followed_journal_is_no_anchor)
{
	story_find_event(&s, "backup.requested")->journal.known = false;
	story_expect(&s, REASON_NO_ANCHOR, VERDICT_INCONCLUSIVE);
}

Test(continuity, a_request_before_the_first_acknowledgement_is_no_anchor)
{
	story_find_event(&s, "backup.requested")->journal.n = 2;
	story_expect(&s, REASON_NO_ANCHOR, VERDICT_INCONCLUSIVE);
}

Test(continuity, a_request_long_after_the_last_acknowledgement_is_no_anchor)
{
	struct timeline_record *request = story_find_event(&s, "backup.requested");

	/* the ticker stood still before the request: its last tick says little of how old the backup may be */
	request->journal.n = 13;
	memcpy(request->journal.chain, story_head(&s.journals[0], 13).chain, RECORD_CHAIN_TEXT_MAX);
	for (size_t i = 0; i < s.timeline_count; i++)
		if (s.timeline[i].journal.n > 13 && s.timeline[i].mono_ms <= request->mono_ms)
			s.timeline[i].journal.known = false;
	story_expect_pass(&s);
	request->mono_ms += 1000;
	request->at_ms += 1000;
	story_expect(&s, REASON_NO_ANCHOR, VERDICT_INCONCLUSIVE);
}

Test(continuity, a_point_in_time_needs_no_request)
{
	story_forget(&s, "backup.requested");
	strcpy(s.bound.source, "pitr");
	s.bound.b0 = s.bound.sets[0].b0 = s.bound.sets[0].b1 = (struct optime){1021, 0};
	s.observed.restores[0].pitr = (struct optime){1021, 0};
	story_expect_pass(&s);
	s.observed.restores[0].pitr.t++;
	story_expect(&s, REASON_WRONG_BACKUP, VERDICT_FAIL);
}

Test(continuity, a_request_after_the_pin_is_not_the_anchor)
{
	story_forget(&s, "backup.finished");
	story_event(&s, 30500, "backup.requested");
	story_expect_pass(&s);
}

/* --- coverage
 * ----------------------------------------------------------------------------------------------------------------------
 */

Test(continuity, a_journal_that_ends_at_the_restore_point_does_not_cover_it)
{
	/* tick 21 has lo == b1 and proves that the journal goes on; tick 20 does not */
	s.no_timeline = true;
	story_cut(&s.journals[0], 42);
	story_judge(&s);
	cr_expect_no_reason(&s, REASON_NO_COVERAGE);
	story_cut(&s.journals[0], 40);
	story_judge(&s);
	cr_expect_reason(&s, REASON_NO_COVERAGE);
	cr_expect_result(&s, VERDICT_INCONCLUSIVE);
}

Test(continuity, a_journal_that_begins_after_the_restore_point_does_not_cover_it)
{
	s.bound.b0 = s.bound.sets[0].b0 = s.bound.sets[0].b1 = (struct optime){1000, 9};
	s.no_timeline = true;
	for (int64_t k = 1; k <= 20; k++)
		story_unsee(&s.observed.streams[0], k);
	story_expect(&s, REASON_NO_COVERAGE, VERDICT_INCONCLUSIVE);
}

Test(continuity, every_stream_must_cover)
{
	story_stream(&s.journals[0], "admin.ticker", 0);
	story_expect(&s, REASON_NO_COVERAGE, VERDICT_INCONCLUSIVE);
	cr_expect_not_null(strstr(story_reason(&s, REASON_NO_COVERAGE)->message, "admin.ticker"));
}

Test(continuity, a_shard_without_ticks_is_uncovered)
{
	story_shard(&s, "rs1", s.bound.b0);
	story_expect(&s, REASON_SHARD_UNCOVERED, VERDICT_INCONCLUSIVE);
	cr_expect_not_null(strstr(story_reason(&s, REASON_SHARD_UNCOVERED)->message, "\"rs1\""));
	story_unsee(&s.observed.streams[0], 7);
	story_observe(&s, "drill.ticker", 0, 1, "rs1", 7, 7);
	story_expect_pass(&s);
	cr_expect_eq(s.verdict.sets[0].ticks, 19);
	cr_expect_eq(s.verdict.sets[1].ticks, 1);
}

Test(continuity, behind_a_mongos_no_shard_is_known_to_be_covered)
{
	story_shard(&s, "rs1", s.bound.b0);
	s.observed.streams[0].replica_set[0] = '\0';
	story_expect(&s, REASON_SHARD_UNCOVERED, VERDICT_INCONCLUSIVE);
	cr_expect_eq(s.verdict.sets[0].ticks, -1);
}

Test(continuity, a_tick_in_two_shards_is_duplicated)
{
	story_shard(&s, "rs1", s.bound.b0);
	story_observe(&s, "drill.ticker", 0, 1, "rs1", 7, 8);
	story_expect(&s, REASON_DUPLICATED, VERDICT_FAIL);
	cr_expect_count(&s, CLASS_DUPLICATED, 2);
	cr_expect_count(&s, CLASS_OK, 18);
}

/* --- liveness
 * ----------------------------------------------------------------------------------------------------------------------
 */

/* Ticks from 28 on come by so much later. */
static void delay(int64_t ms)
{
	for (size_t i = 54; i < s.journals[0].count; i++)
		s.journals[0].records[i].ms += ms;
	story_find_event(&s, "disaster")->at_ms += ms;
	story_forget_heads(&s, 0);
}

Test(continuity, a_gap_of_the_limit_is_live_and_one_ms_more_is_a_stall)
{
	delay(9000);
	story_expect_pass(&s);
	delay(1);
	story_expect(&s, REASON_STALLED, VERDICT_INCONCLUSIVE);
}

Test(continuity, the_limit_grows_with_the_interval)
{
	s.journals[0].open.interval_us = 4000000;
	delay(19000);
	story_expect_pass(&s);
	delay(1);
	story_expect(&s, REASON_STALLED, VERDICT_INCONCLUSIVE);
}

Test(continuity, an_outage_explains_a_gap)
{
	delay(9001);
	story_event(&s, 28000, "outage.start");
	story_event(&s, 30000, "outage.end");
	story_expect_pass(&s);
}

Test(continuity, an_outage_at_another_time_explains_nothing)
{
	delay(9001);
	story_event(&s, 18000, "outage.start");
	story_event(&s, 20000, "outage.end");
	story_expect(&s, REASON_STALLED, VERDICT_INCONCLUSIVE);
}

Test(continuity, a_gap_before_the_anchor_is_nobodys_business)
{
	for (size_t i = 10; i < s.journals[0].count; i++)
		s.journals[0].records[i].ms += 100000;
	s.journals[0].open.at_ms -= 100000;
	story_expect_pass(&s);
}

Test(continuity, the_tail_before_the_disaster_is_measured_on_the_drills_clock)
{
	/* the ticker's clock is an hour off, and nobody compared it: the heads tell when its last record came */
	s.journals[0].open.at_ms -= 3600000;
	story_expect_pass(&s);
	story_find_event(&s, "disaster")->mono_ms += 10500;
	story_find_event(&s, "disaster")->at_ms += 10500;
	story_expect(&s, REASON_STALLED, VERDICT_INCONCLUSIVE);
}

Test(continuity, without_heads_the_tail_is_measured_by_the_wall)
{
	story_forget_heads(&s, 0);
	for (size_t i = 0; i < s.timeline_count; i++)
		if (s.timeline[i].mono_ms > STORY_MONO + 16000)
			s.timeline[i].journal.known = false;
	story_find_event(&s, "disaster")->at_ms = STORY_WALL + 50000;
	story_find_event(&s, "disaster")->mono_ms = STORY_MONO + 50000;
	story_expect_pass(&s);
	story_find_event(&s, "disaster")->at_ms++;
	story_expect(&s, REASON_STALLED, VERDICT_INCONCLUSIVE);
}

Test(continuity, one_stalled_stream_is_not_hidden_by_another)
{
	struct story_journal *j = &s.journals[0];
	uint32_t other = story_stream(j, "admin.ticker", 0);

	/* admin.ticker stops at its 21st tick; all its records lie before the other's, in time order or not */
	s.timeline_count = 0;
	story_event(&s, 0, "drill.start")->journal.known = false;
	story_event(&s, 60000, "disaster")->journal.known = false;
	for (uint32_t k = 1; k <= 21; k++) {
		story_issued(j, other, 1000 * k - 50, k, k, (struct optime){1000 + k - 1, 1});
		story_acked(j, other, 1000 * k + 50, k, k, (struct optime){1000 + k, 2}, true);
	}
	story_judge(&s);
	cr_expect_reason(&s, REASON_STALLED);
	cr_expect_eq(s.verdict.streams[1].issued, 21);
}

Test(continuity, without_a_disaster_nothing_passes)
{
	story_forget(&s, "disaster");
	story_expect(&s, REASON_NO_DISASTER, VERDICT_INCONCLUSIVE);
}
