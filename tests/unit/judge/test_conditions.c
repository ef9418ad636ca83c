/* What must hold before a PASS: each condition of data, identity and restore met and not met. */
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

TestSuite(conditions, .init = setup, .fini = teardown);

/* --- ticks
 * -------------------------------------------------------------------------------------------------------------------------
 */

Test(conditions, a_gap_after_an_acknowledgement_is_data_loss)
{
	story_unsee(&s.observed.streams[0], 7);
	story_unsee(&s.observed.streams[0], 8);
	story_expect(&s, REASON_LOST, VERDICT_FAIL);
	cr_expect_count(&s, CLASS_LOST, 2);
	cr_expect_reason(&s, REASON_SILENT_LOSS);
	cr_expect_not_null(
	    strstr(story_reason(&s, REASON_LOST)->message, "drill.ticker writer 0: 7-8"), "%s", story_reasons(&s));
	cr_expect_not_null(
	    strstr(story_reason(&s, REASON_SILENT_LOSS)->message, "1007,1 (tick 7)"), "%s", story_reasons(&s));
	cr_expect_not_null(
	    strstr(story_reason(&s, REASON_SILENT_LOSS)->message, "1008,1 (tick 8)"), "%s", story_reasons(&s));
	cr_expect_not_null(strstr(story_reason(&s, REASON_SILENT_LOSS)->message, "psmdb-restore/restore1"));
	cr_expect_not_null(
	    strstr(s.verdict.title, "FAIL: 2 of 20 acknowledged operations before the restore point are missing"));
	cr_expect_eq(s.verdict.streams[0].bad_count, 1);
	cr_expect_eq(s.verdict.rpo_ops, 22);
}

Test(conditions, an_empty_database_is_data_loss)
{
	for (int64_t k = 1; k <= 20; k++)
		story_unsee(&s.observed.streams[0], k);
	story_expect(&s, REASON_LOST, VERDICT_FAIL);
	cr_expect_count(&s, CLASS_LOST, 20);
	/* and so is one without even the collection */
	intervals_clear(&s.observed.streams[0].intact);
	free(s.observed.streams[0].blocks);
	s.observed.stream_count = 0;
	s.observed.newest_count = 0;
	s.observed.namespaces[0].exists = false;
	story_expect(&s, REASON_LOST, VERDICT_FAIL);
	cr_expect_count(&s, CLASS_LOST, 20);
}

Test(conditions, loss_without_a_reported_success_is_not_silent)
{
	story_unsee(&s.observed.streams[0], 7);
	strcpy(s.observed.restores[0].status, "error");
	strcpy(story_find_event(&s, "restore.finished")->data[1].value, "error");
	story_expect(&s, REASON_RESTORE_FAILED, VERDICT_FAIL);
	cr_expect_reason(&s, REASON_LOST);
	cr_expect_no_reason(&s, REASON_SILENT_LOSS);
}

Test(conditions, a_tick_from_after_the_restore_point_is_late)
{
	story_see(&s.observed.streams[0], 25, 25);
	story_expect(&s, REASON_LATE, VERDICT_FAIL);
	cr_expect_count(&s, CLASS_LATE, 1);
}

Test(conditions, an_unknown_tick_from_after_the_restore_point_is_late_if_present)
{
	story_outcome_of(&s, 25)->type = JOURNAL_UNKNOWN;
	story_expect_pass(&s);
	cr_expect_count(&s, CLASS_INDETERMINATE, 1);
	story_see(&s.observed.streams[0], 25, 25);
	story_expect(&s, REASON_LATE, VERDICT_FAIL);
}

Test(conditions, a_refused_tick_that_is_there_is_resurrected)
{
	story_outcome_of(&s, 7)->type = JOURNAL_FAILED;
	story_expect(&s, REASON_RESURRECTED, VERDICT_FAIL);
	story_unsee(&s.observed.streams[0], 7);
	story_expect_pass(&s);
	cr_expect_count(&s, CLASS_REFUSED, 1);
}

Test(conditions, an_unknown_tick_from_before_is_undecided_if_absent)
{
	story_outcome_of(&s, 7)->type = JOURNAL_UNKNOWN;
	story_expect_pass(&s);
	cr_expect_count(&s, CLASS_RECOVERED, 1);
	story_unsee(&s.observed.streams[0], 7);
	story_expect(&s, REASON_UNDECIDED, VERDICT_INCONCLUSIVE);
	cr_expect_eq(s.verdict.undecided, 1);
	s.options.max_undecided = 1;
	story_expect_pass(&s);
}

Test(conditions, an_unknown_tick_that_was_acknowledged_later_keeps_its_first_lo)
{
	struct story_journal *j = &s.journals[0];

	/* tick 20, unknown at first, is acknowledged after tick 21: it may have been executed before the restore point
	 */
	story_outcome_of(&s, 20)->type = JOURNAL_UNKNOWN;
	memmove(&j->records[43], &j->records[42], (j->count - 42) * sizeof *j->records);
	j->records[42] =
	    (struct journal_record){.type = JOURNAL_ACKED, .ms = 21500, .first = 20, .last = 20, .hi = {1021, 5}};
	j->count--;
	j->state = JOURNAL_UNSEALED;
	story_forget_heads(&s, 0);
	for (size_t i = 0; i < s.timeline_count; i++)
		s.timeline[i].journal.n -= s.timeline[i].journal.n > 80;
	s.options.max_undecided = 1;
	story_judge(&s);
	cr_expect_count(&s, CLASS_AT_BOUND, 1);
	cr_expect_count(&s, CLASS_OK, 19);
}

Test(conditions, corrupted_comes_before_duplicated_comes_before_the_table)
{
	/* 7 is claimed by both; 8 is a duplicate of a lost, 30 of an expected loss */
	story_unsee(&s.observed.streams[0], 7);
	story_anomaly(&s, OBSERVED_DUPLICATE, 0, 7);
	story_anomaly(&s, OBSERVED_CORRUPT, 0, 7);
	story_anomaly(&s, OBSERVED_DUPLICATE, 0, 8);
	story_anomaly(&s, OBSERVED_DUPLICATE, 0, 8);
	story_anomaly(&s, OBSERVED_CORRUPT, 0, 30);
	story_judge(&s);
	cr_expect_result(&s, VERDICT_FAIL);
	cr_expect_count(&s, CLASS_CORRUPTED, 2);
	cr_expect_count(&s, CLASS_DUPLICATED, 1);
	cr_expect_count(&s, CLASS_OK, 18);
	cr_expect_count(&s, CLASS_LOST, 0);
	cr_expect_count(&s, CLASS_EXPECTED_LOSS, 19);
	cr_expect_reason(&s, REASON_CORRUPTED);
	cr_expect_reason(&s, REASON_DUPLICATED);
}

Test(conditions, damage_that_names_no_tick_still_fails)
{
	story_anomaly(&s, OBSERVED_CORRUPT, -1, 0);
	story_expect(&s, REASON_CORRUPTED, VERDICT_FAIL);
	s.observed.anomalies[0].stream = 0;
	s.observed.anomalies[0].kind = OBSERVED_DUPLICATE;
	story_expect(&s, REASON_DUPLICATED, VERDICT_FAIL);
	cr_expect_count(&s, CLASS_OK, 20);
}

/* --- identity
 * ----------------------------------------------------------------------------------------------------------------------
 */

Test(conditions, another_backup_in_any_record_is_the_wrong_one)
{
	struct {
		char *field;
		const char *value;
	} fields[] = {
	    {s.observed.restores[0].backup, "2026-01-01T00:00:10Z"},
	    {s.observed.backup.name, "2026-01-01T00:00:10Z"},
	    {s.observed.backup.opid, "65dddddddddddddddddddddd"},
	    {story_find_event(&s, "restore.finished")->data[0].value, "2026-01-01T00:00:10Z"},
	};

	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
		char kept[128];

		strcpy(kept, fields[i].field);
		strcpy(fields[i].field, fields[i].value);
		story_expect(&s, REASON_WRONG_BACKUP, VERDICT_FAIL);
		strcpy(fields[i].field, kept);
	}
	s.observed.backup.last_write.i++;
	story_expect(&s, REASON_WRONG_BACKUP, VERDICT_FAIL);
	s.observed.backup.last_write.i--;
	s.observed.restores[0].pitr = (struct optime){1025, 0};
	story_expect(&s, REASON_WRONG_BACKUP, VERDICT_FAIL);
	s.observed.restores[0].pitr = OPTIME_ZERO;
	story_expect_pass(&s);
}

Test(conditions, only_the_newest_restore_counts)
{
	story_restore(&s, "2026-01-01T00:00:10Z", "done");
	story_expect(&s, REASON_WRONG_BACKUP, VERDICT_FAIL);
	story_restore(&s, s.bound.backup_name, "done");
	story_expect_pass(&s);
}

Test(conditions, an_identity_that_nobody_records_is_unknown)
{
	story_find_event(&s, "restore.finished")->data[0].value[0] = '\0';
	story_expect_pass(&s);
	s.observed.restore_count = 0;
	story_expect(&s, REASON_IDENTITY_UNKNOWN, VERDICT_INCONCLUSIVE);
}

Test(conditions, a_restore_from_before_the_disaster_proves_nothing)
{
	story_forget(&s, "restore.finished");
	story_expect_pass(&s);
	s.observed.restores[0].start_ts = 900;
	story_expect(&s, REASON_IDENTITY_UNKNOWN, VERDICT_INCONCLUSIVE);
	cr_expect_reason(&s, REASON_RESTORE_UNKNOWN);
}

Test(conditions, a_restore_that_did_not_end_is_unknown)
{
	strcpy(s.observed.restores[0].status, "running");
	story_expect(&s, REASON_RESTORE_UNKNOWN, VERDICT_INCONCLUSIVE);
}

Test(conditions, a_failed_restore_fails_whoever_says_so)
{
	strcpy(s.observed.restores[0].status, "error");
	story_expect(&s, REASON_RESTORE_FAILED, VERDICT_FAIL);
	strcpy(s.observed.restores[0].status, "done");
	strcpy(story_find_event(&s, "restore.finished")->data[1].value, "error");
	story_expect(&s, REASON_RESTORE_FAILED, VERDICT_FAIL);
}

/* --- width
 * -------------------------------------------------------------------------------------------------------------------------
 */

Test(conditions, between_two_shards_figures_a_tick_may_be_there_or_not)
{
	story_shard(&s, "rs1", (struct optime){1024, 1});
	story_unsee(&s.observed.streams[0], 7);
	story_observe(&s, "drill.ticker", 0, 1, "rs1", 7, 7);
	story_see(&s.observed.streams[1], 22, 22);
	story_expect_pass(&s);
	cr_expect_reason(&s, REASON_TORN);
	/* 22 is there, 21, 23, 24 are not; (1024,1) itself is within */
	cr_expect_count(&s, CLASS_AT_BOUND, 4);
	cr_expect_eq(s.verdict.torn_width_s, 4);
	cr_expect_eq(s.verdict.max_undecided, 5);
	s.options.max_undecided = 3;
	story_expect(&s, REASON_UNDECIDED, VERDICT_INCONCLUSIVE);
	s.options.max_undecided = -1;
	/* on the shard that ends at b0 it is late */
	story_unsee(&s.observed.streams[1], 22);
	story_see(&s.observed.streams[0], 22, 22);
	story_expect(&s, REASON_LATE, VERDICT_FAIL);
}

static void make_coarse(void)
{
	/* from the custom resource: second 1020 */
	s.bound.second_precision = true;
	s.bound.cluster_last_write = (struct optime){1020, 1};
	s.bound.b0 = s.bound.sets[0].b0 = (struct optime){1019, UINT32_MAX};
	s.bound.sets[0].b1 = (struct optime){1020, UINT32_MAX};
}

Test(conditions, within_a_coarse_second_either_is_possible)
{
	make_coarse();
	story_expect_pass(&s);
	cr_expect_count(&s, CLASS_AT_BOUND, 1);
	cr_expect_eq(s.verdict.undecided, 1);
	cr_expect_no_reason(&s, REASON_TORN);
	story_unsee(&s.observed.streams[0], 20);
	story_expect_pass(&s);
	cr_expect_count(&s, CLASS_AT_BOUND, 1);
	cr_expect_count(&s, CLASS_LOST, 0);
}

Test(conditions, one_cut_must_explain_a_coarse_second)
{
	struct story_journal *j = &s.journals[0];

	/* 19 and 20 both fall into the second; 19 is absent and 20, sent after the reply to it, is there */
	make_coarse();
	story_outcome_of(&s, 19)->hi = (struct optime){1020, 1};
	j->records[38].lo = (struct optime){1020, 1};
	story_outcome_of(&s, 20)->hi = (struct optime){1020, 2};
	story_unsee(&s.observed.streams[0], 19);
	story_expect(&s, REASON_LOST, VERDICT_FAIL);
	cr_expect_count(&s, CLASS_LOST, 1);
	cr_expect_count(&s, CLASS_AT_BOUND, 1);
	/* were 20 sent before that reply, the cut could lie between them */
	j->records[38].lo = (struct optime){1020, 0};
	story_judge(&s);
	cr_expect_no_reason(&s, REASON_LOST);
	cr_expect_count(&s, CLASS_AT_BOUND, 2);
}

Test(conditions, a_batch_in_flight_at_the_restore_point_is_allowed)
{
	struct story_journal *j = &s.journals[0];

	story_cut(j, 0);
	j->open.batch = 10;
	j->open.interval_us = 0;
	s.no_timeline = true;
	for (uint32_t k = 0; k < 4; k++) {
		story_issued(j, 0, 10000 * k, 10 * k + 1, 10 * k + 10, (struct optime){1000 + 9 * k, 1});
		story_acked(
		    j, 0, 10000 * k + 500, 10 * k + 1, 10 * k + 10, (struct optime){1000 + 9 * k + 9, 1}, false);
	}
	/* 21 to 30 were written from (1018,1) to (1027,1) */
	story_see(&s.observed.streams[0], 21, 22);
	story_judge(&s);
	cr_expect_count(&s, CLASS_OK, 20);
	cr_expect_count(&s, CLASS_AT_BOUND, 10);
	cr_expect_count(&s, CLASS_EXPECTED_LOSS, 10);
	cr_expect_eq(s.verdict.max_undecided, 10);
	cr_expect_no_reason(&s, REASON_UNDECIDED);
	cr_expect_reason(&s, REASON_DIGEST_PARTIAL);
}

/* --- the rest
 * ----------------------------------------------------------------------------------------------------------------------
 */

Test(conditions, a_probe_that_failed_fails)
{
	s.observed.probes[2].ok = false;
	story_expect(&s, REASON_PROBE_FAILED, VERDICT_FAIL);
}

Test(conditions, a_user_that_cannot_log_in_is_drift)
{
	s.observed.logins[0].ok = false;
	s.observed.logins[0].code = 18;
	story_expect(&s, REASON_LOGIN_DRIFT, VERDICT_FAIL);
	cr_expect_not_null(strstr(story_reason(&s, REASON_LOGIN_DRIFT)->message, "databaseAdmin"));
}

Test(conditions, files_that_left_the_bucket_fail)
{
	struct timeline_record *rec = story_event_with(&s, 101000, "bucket.recheck", "missing", "0");

	strcpy(rec->data[1].key, "changed");
	strcpy(rec->data[1].value, "0");
	rec->data_count = 2;
	story_expect_pass(&s);
	strcpy(rec->data[0].value, "2");
	story_expect(&s, REASON_BACKUP_FILES_CHANGED, VERDICT_FAIL);
	strcpy(rec->data[0].value, "0");
	strcpy(rec->data[1].value, "1");
	story_expect(&s, REASON_BACKUP_FILES_CHANGED, VERDICT_FAIL);
}

Test(conditions, a_stand_in_is_named_and_does_not_fail)
{
	story_event_with(&s, 300, "versions", "note_topology", "no mongos: the service leads to the primary");
	story_expect_pass(&s);
	cr_expect_reason(&s, REASON_ENVIRONMENT);
	cr_expect_eq(s.verdict.version_count, 1);
}

Test(conditions, the_config_servers_end_is_none_of_a_shards_absent_ticks_business)
{
	/* an absent tick of drill.ticker cannot have lived on the config servers, one of admin.ticker can only have
	 * lived there */
	story_shard(&s, "cfg", (struct optime){1024, 1});
	story_judge(&s);
	cr_expect_count(&s, CLASS_AT_BOUND, 0);
	cr_expect_count(&s, CLASS_EXPECTED_LOSS, 20);
	strcpy(s.journals[0].open.streams[0].ns, "admin.ticker");
	strcpy(s.observed.streams[0].ns, "admin.ticker");
	strcpy(s.observed.streams[0].replica_set, "cfg");
	story_judge(&s);
	cr_expect_count(&s, CLASS_AT_BOUND, 4);
	cr_expect_count(&s, CLASS_EXPECTED_LOSS, 16);
}
