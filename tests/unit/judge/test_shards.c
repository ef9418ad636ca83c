/* Replica sets that are written to and read directly, without a mongos. */
#include "story.h"

#include <criterion/criterion.h>
#include <string.h>

static struct story s;

static void set_up(void)
{
	story_init(&s);
	strcpy(s.journals[0].open.cluster_kind, "replicaSet");
	strcpy(s.journals[0].open.set_name, "rs0");
	story_shard(&s, "rs1", (struct optime){1024, 1});
}

static void tear_down(void)
{
	story_clear(&s);
}

TestSuite(shards, .init = set_up, .fini = tear_down);

/* A set that was read, beside the first one. */
static struct observed_set *was_read(const char *name, const char *id)
{
	struct observed_set *set = &s.observed.sets[s.observed.set_count++];

	strcpy(set->name, name);
	strcpy(set->id, id);
	set->read_after = s.observed.open.read_after;
	return set;
}

/* A second ticker, on that set: its tick k is acknowledged at (1000 + k, 2), and 1 to 19 came back. */
static void another_ticker(const char *set)
{
	struct story_journal *j = story_journal(&s, 2);

	j->open = s.journals[0].open;
	j->open.run = story_run(2);
	strcpy(j->open.cluster_id, "65dddddddddddddddddddddd");
	strcpy(j->open.set_name, set);
	j->open.stream_count = 0;
	story_stream(j, "drill.ticker", 0);
	for (int64_t k = 1; k <= 40; k++) {
		story_issued(j, 0, 1000 * k - 100, k, k, (struct optime){(uint32_t)(999 + k), 2});
		story_acked(j, 0, 1000 * k, k, k, (struct optime){(uint32_t)(1000 + k), 2}, true);
	}
	story_observe(&s, "drill.ticker", 0, 2, set, 1, 19);
}

Test(shards, each_with_its_own_ticker_and_reading_is_a_pass)
{
	another_ticker("rs1");
	was_read("rs0", "65cccccccccccccccccccccc");
	was_read("rs1", "65eeeeeeeeeeeeeeeeeeeeee");
	story_judge(&s);
	cr_expect_reason(&s, REASON_TORN);
	cr_expect_result(&s, VERDICT_PASS);
	/* rs0 ends at b0: what it lost from after it is no case of doubt, though rs1 ends later */
	cr_expect_count(&s, CLASS_EXPECTED_LOSS, 20 + 17);
	cr_expect_count(&s, CLASS_AT_BOUND, 4);
}

Test(shards, absence_on_a_set_that_was_not_read_is_not_judged)
{
	another_ticker("rs1");
	s.observed.stream_count--;
	intervals_clear(&s.observed.streams[1].intact);
	free(s.observed.streams[1].blocks);
	strcpy(s.observed.open.set_name, "rs0");
	story_expect(&s, REASON_NO_OBSERVATION, VERDICT_INCONCLUSIVE);
	cr_expect_not_null(strstr(story_reason(&s, REASON_NO_OBSERVATION)->message, "drill.ticker writer 0 on rs1"));
	cr_expect_reason(&s, REASON_SHARD_UNCOVERED);
	cr_expect_not_null(
	    strstr(story_reason(&s, REASON_SHARD_UNCOVERED)->message, "\"rs1\" of the backup: it was not read"));
	cr_expect_count(&s, CLASS_LOST, 0);
	cr_expect_count(&s, CLASS_OK, 20);
}

Test(shards, coverage_of_one_set_is_none_of_another)
{
	another_ticker("rs1");
	story_cut(&s.journals[1], 2 * 15);
	s.journals[1].state = JOURNAL_UNSEALED;
	story_judge(&s);
	cr_expect_reason(&s, REASON_NO_COVERAGE);
	cr_expect_not_null(strstr(story_reason(&s, REASON_NO_COVERAGE)->message, "on rs1"));
	cr_expect_null(strstr(story_reason(&s, REASON_NO_COVERAGE)->message, "on rs0"));
}

Test(shards, a_set_restored_in_place_keeps_its_tickers)
{
	another_ticker("rs1");
	was_read("rs0", s.journals[0].open.cluster_id);
	was_read("rs1", "65dddddddddddddddddddddd");
	story_judge(&s);
	cr_expect_count(&s, CLASS_FOREIGN, 0);
	cr_expect_result(&s, VERDICT_PASS);
}

Test(shards, the_set_that_was_read_earliest_decides)
{
	was_read("rs0", "65cccccccccccccccccccccc");
	was_read("rs1", "65eeeeeeeeeeeeeeeeeeeeee")->read_after = (struct optime){1010, 1};
	story_expect(&s, REASON_NO_OBSERVATION, VERDICT_INCONCLUSIVE);
	cr_expect_not_null(strstr(story_reason(&s, REASON_NO_OBSERVATION)->message, "1010,1"));
}

Test(shards, a_probe_must_succeed_on_each)
{
	another_ticker("rs1");
	strcpy(s.observed.probes[2].replica_set, "rs0");
	s.observed.probes[3] = s.observed.probes[2];
	strcpy(s.observed.probes[3].replica_set, "rs1");
	s.observed.probes[3].at_ms += 7000;
	s.observed.probe_count = 4;
	story_judge(&s);
	cr_expect(s.verdict.rto_complete);
	cr_expect_eq(
	    s.verdict.phases[s.verdict.phase_count - 1].to_ms, s.observed.probes[3].at_ms - STORY_WALL - 40500);
	s.observed.probes[3].ok = false;
	story_expect(&s, REASON_PROBE_FAILED, VERDICT_FAIL);
	cr_expect_not_null(strstr(story_reason(&s, REASON_PROBE_FAILED)->message, "on rs1"));
	cr_expect_not(s.verdict.rto_complete);
}

Test(shards, orphans_are_told_and_do_not_fail)
{
	another_ticker("rs1");
	strcpy(s.observed.namespaces[0].replica_set, "rs0");
	s.observed.namespaces[0].orphans = 12;
	story_judge(&s);
	cr_expect_reason(&s, REASON_ORPHANS);
	cr_expect_not_null(strstr(story_reason(&s, REASON_ORPHANS)->message, "12 documents"));
	cr_expect_result(&s, VERDICT_PASS);
}
