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

TestSuite(figures, .init = setup, .fini = teardown);

static void set_b0(uint32_t t, uint32_t i)
{
	s.bound.b0 = s.bound.sets[0].b0 = s.bound.sets[0].b1 = (struct optime){t, i};
}

Test(figures, the_rpo_is_an_interval_of_cluster_time)
{
	/* disaster at 1040.5; (1020,1) lies within [1020, 1021); the clocks agree within 0.1 s */
	story_judge(&s);
	cr_expect(s.verdict.has_rpo);
	cr_expect_eq(s.verdict.rpo_ms, 20000);
	cr_expect_eq(s.verdict.rpo_error_ms, 600);
	cr_expect_eq(s.verdict.rpo_ops, 20);
	cr_expect_not(s.verdict.rpo_at_least);
	/* edges of a second are exact */
	set_b0(1020, 0);
	story_judge(&s);
	cr_expect_eq(s.verdict.rpo_ms, 20500);
	cr_expect_eq(s.verdict.rpo_error_ms, 100);
	set_b0(1020, UINT32_MAX);
	story_judge(&s);
	cr_expect_eq(s.verdict.rpo_ms, 19500);
	cr_expect_eq(s.verdict.rpo_error_ms, 100);
}

Test(figures, the_clusters_clock_counts_not_the_drills)
{
	strcpy(story_find_event(&s, "clock")->data[0].value, "-7000");
	story_judge(&s);
	cr_expect_eq(s.verdict.rpo_ms, 13000);
	/* the last comparison before the disaster, not one after it */
	story_add(story_event_with(&s, 30000, "clock", "offset_ms", "1000"), "error_ms", "0");
	story_add(story_event_with(&s, 90000, "clock", "offset_ms", "5000"), "error_ms", "0");
	story_judge(&s);
	cr_expect_eq(s.verdict.rpo_ms, 21000);
	cr_expect_eq(s.verdict.rpo_error_ms, 500);
}

Test(figures, without_a_clock_event_the_journals_comparison_is_used)
{
	story_forget(&s, "clock");
	s.journals[0].open.clock_offset_ms = 3000;
	s.journals[0].open.clock_error_ms = 40;
	story_judge(&s);
	cr_expect_eq(s.verdict.rpo_ms, 23000);
	cr_expect_eq(s.verdict.rpo_error_ms, 540);
}

Test(figures, the_rpo_threshold_must_hold_for_the_whole_interval)
{
	s.options.max_rpo_ms = 20600;
	story_judge(&s);
	cr_expect_result(&s, VERDICT_PASS);
	s.options.max_rpo_ms = 20599;
	story_judge(&s);
	cr_expect_result(&s, VERDICT_FAIL);
	cr_expect_reason(&s, REASON_RPO_EXCEEDED);
}

Test(figures, an_rpo_that_cannot_be_measured_does_not_meet_a_threshold)
{
	s.options.max_rpo_ms = 3600000;
	story_forget(&s, "disaster");
	story_judge(&s);
	cr_expect_not(s.verdict.has_rpo);
	cr_expect_result(&s, VERDICT_INCONCLUSIVE);
}

Test(figures, the_rto_is_a_waterfall_without_gaps)
{
	static const struct {
		const char *name;
		int64_t to_ms;
	} phases[] = {
	    {"volumes gone", 5000},
	    {"cluster requested", 6000},
	    {"cluster ready", 40000},
	    {"restore requested", 41000},
	    {"restore finished", 60000},
	    {"first login (wall clock)", 61500},
	    {"first majority read (wall clock)", 62500},
	    {"first majority write (wall clock)", 63500},
	};
	int64_t from_ms = 0;

	story_judge(&s);
	cr_assert_eq(s.verdict.phase_count, 8);
	for (size_t i = 0; i < 8; i++) {
		cr_expect_str_eq(s.verdict.phases[i].name, phases[i].name);
		cr_expect_eq(s.verdict.phases[i].from_ms, from_ms);
		cr_expect_eq(s.verdict.phases[i].to_ms, phases[i].to_ms, "%s ends at %lld", phases[i].name,
		    (long long)s.verdict.phases[i].to_ms);
		from_ms = phases[i].to_ms;
	}
	cr_expect_eq(s.verdict.rto_ms, 63500);
	cr_expect(s.verdict.rto_complete);
}

Test(figures, missing_phases_are_left_out)
{
	story_forget(&s, "volumes.gone");
	story_forget(&s, "cluster.requested");
	story_judge(&s);
	cr_assert_eq(s.verdict.phase_count, 6);
	cr_expect_str_eq(s.verdict.phases[0].name, "cluster ready");
	cr_expect_eq(s.verdict.phases[0].from_ms, 0);
}

Test(figures, a_probes_clock_is_brought_to_the_drills)
{
	/* the pod's clock is 2 s behind the cluster's, the drill's 5 s behind */
	s.observed.open.clock_offset_ms = 2000;
	strcpy(story_find_event(&s, "clock")->data[0].value, "5000");
	story_judge(&s);
	cr_expect_eq(s.verdict.rto_ms, 60500);
}

Test(figures, the_rto_threshold)
{
	s.options.max_rto_ms = 63500;
	story_judge(&s);
	cr_expect_result(&s, VERDICT_PASS);
	s.options.max_rto_ms = 63499;
	story_judge(&s);
	cr_expect_result(&s, VERDICT_FAIL);
	cr_expect_reason(&s, REASON_RTO_EXCEEDED);
}

Test(figures, an_rto_without_a_majority_write_does_not_meet_a_threshold)
{
	s.observed.probe_count = 2;
	story_judge(&s);
	cr_expect_result(&s, VERDICT_PASS);
	cr_expect_not(s.verdict.rto_complete);
	cr_expect_not_null(strstr(s.verdict.title, "RTO over 62.5 s"));
	s.options.max_rto_ms = 3600000;
	story_judge(&s);
	cr_expect_result(&s, VERDICT_INCONCLUSIVE);
	cr_expect_reason(&s, REASON_RESTORE_UNKNOWN);
}

Test(figures, the_verdict_carries_what_reports_show)
{
	struct verdict *v = &s.verdict;

	s.observed.namespaces[0].documents = 20;
	s.observed.namespaces[0].index_count = 2;
	story_judge(&s);
	cr_expect_str_eq(v->scenario, "case-1");
	cr_expect(v->has_drill && v->has_bound && v->has_restore);
	cr_expect_str_eq(v->backup_name, s.bound.backup_name);
	cr_expect_str_eq(v->restored_backup, s.bound.backup_name);
	cr_expect_str_eq(v->restored_opid, s.bound.opid);
	cr_expect_str_eq(v->restore_state, "done");
	cr_expect_str_eq(v->restore_reported_by, "psmdb-restore/restore1");
	cr_expect_str_eq(v->cluster_before, "replicaSet 65aaaaaaaaaaaaaaaaaaaaaa");
	cr_expect_str_eq(v->cluster_after, "replicaSet 65cccccccccccccccccccccc");
	cr_expect_str_eq(v->versions[0].value, "6.0.5");
	cr_expect_eq(v->event_count, 12);
	cr_expect_str_eq(v->events[4].text, "backup=2026-01-01T00:00:20Z");
	cr_expect_eq(v->newest_count, 1);
	cr_expect_eq(v->newest[0].seq, 20);
	cr_expect_eq(v->newest[0].age_at_backup_ms, 1100);
	cr_expect_eq(v->newest[0].age_at_disaster_ms, 20600);
	cr_expect_eq(v->namespaces[0].indexes, 2);
	cr_expect_eq(v->logins[0].ok, true);
	cr_expect_eq(v->sets[0].ticks, 20);
}

Test(figures, lanes_are_bounded_and_counts_are_not)
{
	struct story_journal *j = &s.journals[0];

	/* every second tick is lost: more runs than a lane lists */
	story_cut(j, 0);
	s.no_timeline = true;
	set_b0(9000, 1);
	for (uint32_t k = 1; k <= 5000; k++) {
		story_issued(j, 0, 1000 * k, k, k, (struct optime){1000 + k - 1, 1});
		story_acked(j, 0, 1000 * k, k, k, (struct optime){1000 + k, 1}, true);
	}
	for (int64_t k = 2; k <= 20; k += 2)
		story_unsee(&s.observed.streams[0], k);
	for (int64_t k = 21; k <= 5000; k += 2)
		story_see(&s.observed.streams[0], k, k);
	story_judge(&s);
	cr_expect_count(&s, CLASS_LOST, 2500);
	cr_expect_count(&s, CLASS_OK, 2500);
	cr_expect_eq(s.verdict.streams[0].range_count, VERDICT_RANGES_MAX);
	cr_expect(s.verdict.streams[0].ranges_truncated);
	cr_expect_eq(s.verdict.streams[0].bad_count, VERDICT_RANGES_MAX);
	cr_expect(s.verdict.streams[0].bad_truncated);
}
