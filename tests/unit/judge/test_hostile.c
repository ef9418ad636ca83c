/* Evidence that is forged, stale, absurd or of something else: never a PASS, and the right reason once. */
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

TestSuite(hostile, .init = setup, .fini = teardown);

static size_t reasons_of(enum verdict_reason_code code)
{
	size_t count = 0;

	for (size_t i = 0; i < s.verdict.reason_count; i++)
		count += s.verdict.reasons[i].code == code;
	return count;
}

static void expect_text(enum verdict_reason_code code, const char *text)
{
	const struct verdict_reason *reason = story_reason(&s, code);

	cr_expect(reason && strstr(reason->message, text), "\"%s\" is not said: %s", text, story_reasons(&s));
}

static void set_value(struct timeline_record *rec, const char *key, const char *value)
{
	for (size_t i = 0; i < rec->data_count; i++)
		if (!strcmp(rec->data[i].key, key))
			strcpy(rec->data[i].value, value);
}

/* --- the restore point
 * --------------------------------------------------------------------------------------------------------------- */

Test(hostile, a_restore_point_that_is_not_the_pinned_file_proves_nothing)
{
	struct timeline_record *rec = story_find_event(&s, "bound.pinned");

	strcpy(rec->data[0].key, "sha256");
	memset(rec->data[0].value, 'a', 64);
	rec->data_count = 1;
	memset(s.bound_sha256, 'a', 64);
	story_expect_pass(&s);
	s.bound_sha256[7] = 'b';
	story_expect(&s, REASON_NO_BOUND, VERDICT_INCONCLUSIVE);
	expect_text(REASON_NO_BOUND, "SHA-256");
}

Test(hostile, another_backup_than_the_timeline_says_was_pinned)
{
	struct timeline_record *rec = story_find_event(&s, "bound.pinned");

	strcpy(rec->data[0].key, "backup");
	strcpy(rec->data[0].value, "2026-01-01T00:00:10Z");
	rec->data_count = 1;
	story_expect(&s, REASON_NO_BOUND, VERDICT_INCONCLUSIVE);
	strcpy(rec->data[0].value, s.bound.backup_name);
	story_expect_pass(&s);
}

Test(hostile, a_restore_point_pinned_after_the_disaster_is_not_pinned)
{
	s.bound.pinned_at_ms = STORY_WALL + 25000;
	story_expect_pass(&s);
	s.bound.pinned_at_ms = STORY_WALL + 40500 + 61000;
	story_expect(&s, REASON_NO_BOUND, VERDICT_INCONCLUSIVE);
	expect_text(REASON_NO_BOUND, "61.0 s after the disaster");
}

Test(hostile, ticks_of_another_replica_set_do_not_cover_the_backups)
{
	strcpy(s.observed.streams[0].replica_set, "rs9");
	story_expect(&s, REASON_SHARD_UNCOVERED, VERDICT_INCONCLUSIVE);
	expect_text(REASON_SHARD_UNCOVERED, "\"rs9\"");
	s.observed.streams[0].replica_set[0] = '\0';
	story_expect_pass(&s);
}

Test(hostile, a_disaster_before_the_restore_point_is_none)
{
	struct timeline_record *disaster = story_find_event(&s, "disaster");

	/* noted too early, it would end liveness and make the RPO negative */
	s.options.max_rpo_ms = 1;
	disaster->at_ms = STORY_WALL + 10000;
	disaster->mono_ms = STORY_MONO + 10000;
	story_expect(&s, REASON_NO_DISASTER, VERDICT_INCONCLUSIVE);
	expect_text(REASON_NO_DISASTER, "before the restore point");
}

Test(hostile, a_request_after_the_disaster_is_no_anchor)
{
	story_forget(&s, "backup.requested");
	story_forget(&s, "backup.finished");
	story_forget(&s, "bound.pinned");
	story_event(&s, 41000, "backup.requested");
	story_expect(&s, REASON_NO_ANCHOR, VERDICT_INCONCLUSIVE);
	cr_expect_no_reason(&s, REASON_BOUND_BEFORE_ANCHOR);
}

/* --- the observation
 * --------------------------------------------------------------------------------------------------------------- */

Test(hostile, an_observation_from_before_the_restore_ended_shows_nothing)
{
	s.observed.open.at_ms = STORY_WALL + 100500 - 6000;
	story_expect(&s, REASON_NO_OBSERVATION, VERDICT_INCONCLUSIVE);
	expect_text(REASON_NO_OBSERVATION, "6.0 s before");
	s.observed.open.at_ms = STORY_WALL + 30000;
	story_forget(&s, "restore.finished");
	story_expect(&s, REASON_NO_OBSERVATION, VERDICT_INCONCLUSIVE);
	expect_text(REASON_NO_OBSERVATION, "disaster");
}

Test(hostile, an_observation_of_a_time_before_the_restore_point_shows_nothing)
{
	s.observed.open.read_after = (struct optime){1020, 0};
	story_expect(&s, REASON_NO_OBSERVATION, VERDICT_INCONCLUSIVE);
	s.observed.open.read_after = OPTIME_ZERO;
	story_expect(&s, REASON_NO_OBSERVATION, VERDICT_INCONCLUSIVE);
}

Test(hostile, ticks_of_a_namespace_that_was_not_read_are_not_lost)
{
	struct story_journal *j = &s.journals[0];
	uint32_t other = story_stream(j, "admin.ticker", 0);

	s.timeline_count = 0;
	story_event(&s, 60000, "disaster")->journal.known = false;
	for (uint32_t k = 1; k <= 40; k++) {
		story_issued(j, other, 1000 * k - 50, k, k, (struct optime){1000 + k - 1, 1});
		story_acked(j, other, 1000 * k + 50, k, k, (struct optime){1000 + k, 2}, true);
	}
	story_expect(&s, REASON_NO_OBSERVATION, VERDICT_INCONCLUSIVE);
	expect_text(REASON_NO_OBSERVATION, "admin.ticker");
	cr_expect_no_reason(&s, REASON_LOST);
	cr_expect_count(&s, CLASS_OK, 20);
}

Test(hostile, an_undated_or_older_restore_is_no_proof_of_identity)
{
	story_forget(&s, "restore.finished");
	story_expect_pass(&s);
	/* within the margin of two clocks it still counts against, but not for */
	s.observed.restores[0].start_ts = 1020;
	story_expect(&s, REASON_IDENTITY_UNKNOWN, VERDICT_INCONCLUSIVE);
	cr_expect_reason(&s, REASON_RESTORE_UNKNOWN);
	strcpy(s.observed.restores[0].backup, "2026-01-01T00:00:10Z");
	story_expect(&s, REASON_WRONG_BACKUP, VERDICT_FAIL);
	strcpy(s.observed.restores[0].backup, s.bound.backup_name);
	s.observed.restores[0].start_ts = 0;
	story_expect(&s, REASON_IDENTITY_UNKNOWN, VERDICT_INCONCLUSIVE);
}

Test(hostile, the_newest_restore_is_the_one_that_started_last)
{
	story_restore(&s, s.bound.backup_name, "done");
	s.observed.restores[0].start_ts = 1080;
	strcpy(s.observed.restores[0].backup, "2026-01-01T00:00:10Z");
	story_expect(&s, REASON_WRONG_BACKUP, VERDICT_FAIL);
}

Test(hostile, a_snapshot_restored_instead_of_a_point_in_time_is_the_wrong_one)
{
	strcpy(s.bound.source, "pitr");
	s.bound.b0 = s.bound.sets[0].b0 = s.bound.sets[0].b1 = (struct optime){1021, 0};
	story_expect(&s, REASON_WRONG_BACKUP, VERDICT_FAIL);
}

/* --- the journal
 * --------------------------------------------------------------------------------------------------------------- */

Test(hostile, a_reply_not_after_what_was_known_before_breaks_the_journal)
{
	/* lo hides it behind the restore point, hi says nothing */
	s.journals[0].records[60].lo = (struct optime){1031, 1};
	story_expect(&s, REASON_JOURNAL_BROKEN, VERDICT_INCONCLUSIVE);
}

Test(hostile, an_acknowledgement_back_in_time_breaks_the_journal)
{
	story_outcome_of(&s, 30)->ms = 3;
	story_expect(&s, REASON_JOURNAL_BROKEN, VERDICT_INCONCLUSIVE);
}

Test(hostile, an_empty_journal_covers_nothing)
{
	story_cut(&s.journals[0], 0);
	story_judge(&s);
	cr_expect_neq(s.verdict.result, VERDICT_PASS);
	cr_expect_reason(&s, REASON_NO_ANCHOR);
	cr_expect_reason(&s, REASON_NO_COVERAGE);
	cr_expect_eq(reasons_of(REASON_NO_COVERAGE), 1);
}

Test(hostile, a_clock_that_is_ahead_hides_no_stall)
{
	struct story_journal *j = &s.journals[0];

	/* no comparison of clocks, and the ticker's is an hour ahead: its gap seems to lie after the disaster */
	story_forget(&s, "clock");
	j->open.at_ms += 3600000;
	for (size_t i = 60; i < j->count; i++)
		j->records[i].ms += 20000;
	story_expect(&s, REASON_STALLED, VERDICT_INCONCLUSIVE);
}

Test(hostile, a_clock_that_is_ahead_hides_no_last_stall_where_heads_are_missing)
{
	struct timeline_record *disaster = story_find_event(&s, "disaster");

	story_forget(&s, "clock");
	story_forget_heads(&s, 17000);
	s.journals[0].open.at_ms += 3600000;
	disaster->at_ms += 20000;
	disaster->mono_ms += 20000;
	story_expect(&s, REASON_STALLED, VERDICT_INCONCLUSIVE);
	/* nor where the drill never followed it: a clock that cannot be right is no clock */
	for (size_t i = 0; i < s.timeline_count; i++)
		s.timeline[i].journal.known = false;
	story_expect(&s, REASON_STALLED, VERDICT_INCONCLUSIVE);
}

Test(hostile, overlapping_outages_explain_a_gap_once)
{
	struct story_journal *j = &s.journals[0];

	for (size_t i = 60; i < j->count; i++)
		j->records[i].ms += 20000;
	story_find_event(&s, "disaster")->at_ms += 20000;
	for (int64_t i = 0; i < 3; i++) {
		/* the same five seconds, after the wall clock was set back */
		story_event(&s, 31000 + i, "outage.start")->at_ms = STORY_WALL + 33000;
		story_event(&s, 31100 + i, "outage.end")->at_ms = STORY_WALL + 38000;
	}
	for (size_t i = 0; i < s.timeline_count; i++)
		s.timeline[i].mono_ms = STORY_MONO + (int64_t)i;
	story_judge(&s);
	cr_expect_reason(&s, REASON_STALLED);
	expect_text(REASON_STALLED, "no outage explains 16.0 s");
}

Test(hostile, a_ticker_on_another_machines_clock_keeps_its_place)
{
	struct story_journal *first = &s.journals[0], *second = story_journal(&s, 2);
	struct observed_stream *seen = story_observe(&s, "drill.ticker", 0, 2, "rs0", 1, 0);

	/* run 2 follows run 1, by a machine whose clock is an hour behind, and it knows */
	(void)seen;
	story_cut(first, 60);
	first->state = JOURNAL_UNSEALED;
	second->open.at_ms = STORY_WALL + 30000 - 3600000;
	second->open.clock_offset_ms = 3600000;
	story_stream(second, "drill.ticker", 0);
	for (uint32_t k = 1; k <= 10; k++) {
		story_issued(second, 0, 1000 * k - 100, k, k, (struct optime){1030 + k - 1, 1});
		story_acked(second, 0, 1000 * k, k, k, (struct optime){1030 + k, 1}, true);
	}
	for (size_t i = 0; i < s.timeline_count; i++)
		if (s.timeline[i].mono_ms > STORY_MONO + 30000)
			s.timeline[i].journal.known = false;
	story_forget_heads(&s, 30000);
	story_expect_pass(&s);
}

Test(hostile, a_ticker_that_began_after_a_restore_in_place_is_foreign)
{
	struct story_journal *later;

	later = story_journal(&s, 2);
	later->open.at_ms = STORY_WALL + 101000;
	story_stream(later, "drill.ticker", 0);
	for (uint32_t k = 1; k <= 3; k++) {
		story_issued(later, 0, 1000 * k - 100, k, k, (struct optime){1101 + k - 1, 1});
		story_acked(later, 0, 1000 * k, k, k, (struct optime){1101 + k, 1}, true);
	}
	story_observe(&s, "drill.ticker", 0, 2, "rs0", 1, 3);
	strcpy(s.observed.open.cluster_id, s.journals[0].open.cluster_id);
	story_expect_pass(&s);
	cr_expect_count(&s, CLASS_FOREIGN, 3);
	cr_expect_count(&s, CLASS_LATE, 0);
	/* one that began before the disaster is judged, whatever its cluster */
	later->open.at_ms = STORY_WALL + 30000;
	story_expect(&s, REASON_LATE, VERDICT_FAIL);
	cr_expect_count(&s, CLASS_LATE, 3);
}

Test(hostile, a_run_that_the_drill_followed_before_the_restore_did_not_begin_after_it)
{
	/* whatever its clock says */
	strcpy(s.observed.open.cluster_id, s.journals[0].open.cluster_id);
	s.journals[0].open.at_ms = STORY_WALL + 200000;
	story_forget(&s, "backup.requested");
	story_unsee(&s.observed.streams[0], 7);
	story_expect(&s, REASON_LOST, VERDICT_FAIL);
	cr_expect_count(&s, CLASS_LOST, 1);
}

Test(hostile, journals_of_which_none_is_judged_cover_nothing)
{
	story_forget(&s, "backup.requested");
	story_forget_heads(&s, 0);
	for (size_t i = 0; i < s.timeline_count; i++)
		s.timeline[i].journal.known = false;
	strcpy(s.bound.source, "pitr");
	s.bound.b0 = s.bound.sets[0].b0 = s.bound.sets[0].b1 = (struct optime){1021, 0};
	s.observed.restores[0].pitr = s.bound.b0;
	strcpy(s.observed.open.cluster_id, s.journals[0].open.cluster_id);
	s.journals[0].open.at_ms = STORY_WALL + 200000;
	story_expect(&s, REASON_NO_COVERAGE, VERDICT_INCONCLUSIVE);
	expect_text(REASON_NO_COVERAGE, "restored cluster");
}

/* --- absurd figures
 * --------------------------------------------------------------------------------------------------------------- */

Test(hostile, figures_at_the_edge_of_64_bits_do_no_harm)
{
	static const int64_t edges[] = {INT64_MIN, INT64_MIN + 1, -1, INT64_MAX - 1, INT64_MAX};

	for (size_t i = 0; i < sizeof edges / sizeof *edges; i++) {
		s.observed.newest[0].created_at_ms = edges[i];
		s.observed.restores[0].start_ts = edges[i];
		s.observed.restores[0].finish_ts = edges[i];
		s.observed.open.clock_offset_ms = edges[i];
		s.observed.probes[0].at_ms = edges[i];
		s.bound.pinned_at_ms = edges[i];
		s.journals[0].open.clock_offset_ms = edges[i];
		s.journals[0].open.interval_us = edges[i] < 0 ? 0 : edges[i];
		story_find_event(&s, "drill.start")->mono_ms = edges[i];
		story_find_event(&s, "disaster")->mono_ms = edges[i];
		story_find_event(&s, "volumes.gone")->at_ms = edges[i];
		story_judge(&s);
		cr_expect_neq(s.verdict.result, VERDICT_ERROR);
	}
}

Test(hostile, foreign_documents_beyond_counting_do_no_harm)
{
	struct observed_foreign foreign[2] = {{.documents = INT64_MAX}, {.documents = INT64_MAX}};

	s.observed.foreign = foreign;
	s.observed.foreign_count = 2;
	story_judge(&s);
	cr_expect_eq(s.verdict.count[CLASS_FOREIGN], INT64_MAX);
	s.observed.foreign = NULL;
	s.observed.foreign_count = 0;
}

Test(hostile, an_event_without_its_figures_breaks_the_timeline)
{
	static const struct {
		const char *event, *key, *value;
	} rows[] = {
	    {"clock", "offset_ms", "soon"},
	    {"clock", "error_ms", "-1000000"},
	    {"clock", "error_ms", ""},
	    {"clock", "offset_ms", "9223372036854775807"},
	    {"bucket.recheck", "missing", "none"},
	    {"bucket.recheck", "changed", "-1"},
	};
	struct timeline_record *rec = story_event_with(&s, 101000, "bucket.recheck", "missing", "0");

	strcpy(rec->data[1].key, "changed");
	strcpy(rec->data[1].value, "0");
	rec->data_count = 2;
	story_expect_pass(&s);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char kept[64];

		rec = story_find_event(&s, rows[i].event);
		for (size_t k = 0; k < rec->data_count; k++)
			if (!strcmp(rec->data[k].key, rows[i].key))
				strcpy(kept, rec->data[k].value);
		set_value(rec, rows[i].key, rows[i].value);
		story_expect(&s, REASON_TIMELINE_BROKEN, VERDICT_INCONCLUSIVE);
		expect_text(REASON_TIMELINE_BROKEN, rows[i].key);
		set_value(rec, rows[i].key, kept);
	}
}

/* --- one reason for one cause
 * --------------------------------------------------------------------------------------------------------------- */

Test(hostile, a_stall_of_many_streams_is_one_reason)
{
	struct story_journal *j = &s.journals[0];

	for (int32_t writer = 1; writer < 12; writer++) {
		uint32_t other = story_stream(j, "drill.ticker", writer);

		story_issued(j, other, 900, 1, 1, (struct optime){1000, 1});
		story_acked(j, other, 1000, 1, 1, (struct optime){1001, 1}, true);
		story_issued(j, other, 21900, 2, 2, (struct optime){1020, 1});
		story_acked(j, other, 22000, 2, 2, (struct optime){1022, 1}, true);
		story_observe(&s, "drill.ticker", writer, 1, "rs0", 1, 1);
	}
	s.timeline_count = 0;
	story_event(&s, 60000, "disaster")->journal.known = false;
	story_judge(&s);
	cr_expect_eq(reasons_of(REASON_STALLED), 1, "%s", story_reasons(&s));
	expect_text(REASON_STALLED, "12 of 12 streams");
	expect_text(REASON_STALLED, "drill.ticker writer 1: ");
	expect_text(REASON_STALLED, "more");
}

Test(hostile, one_wrong_backup_is_one_reason)
{
	strcpy(s.observed.restores[0].backup, "2026-01-01T00:00:10Z");
	strcpy(s.observed.backup.name, "2026-01-01T00:00:10Z");
	strcpy(s.observed.backup.opid, "65dddddddddddddddddddddd");
	set_value(story_find_event(&s, "restore.finished"), "backup", "2026-01-01T00:00:10Z");
	story_expect(&s, REASON_WRONG_BACKUP, VERDICT_FAIL);
	cr_expect_eq(reasons_of(REASON_WRONG_BACKUP), 1, "%s", story_reasons(&s));
	expect_text(REASON_WRONG_BACKUP, "65dddddddddddddddddddddd");
	expect_text(REASON_WRONG_BACKUP, "psmdb-restore/restore1");
}

Test(hostile, altered_ticks_are_one_reason)
{
	story_alter(&s.observed.streams[0], 3);
	story_alter(&s.observed.streams[0], 4);
	story_expect(&s, REASON_CORRUPTED, VERDICT_FAIL);
	cr_expect_eq(reasons_of(REASON_CORRUPTED), 1, "%s", story_reasons(&s));
}

Test(hostile, failed_probes_are_one_reason)
{
	s.observed.probes[1].ok = s.observed.probes[2].ok = false;
	strcpy(s.observed.probes[1].detail, "no primary");
	story_expect(&s, REASON_PROBE_FAILED, VERDICT_FAIL);
	cr_expect_eq(reasons_of(REASON_PROBE_FAILED), 1, "%s", story_reasons(&s));
	expect_text(REASON_PROBE_FAILED, "the write probe");
}
