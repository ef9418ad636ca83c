#include "tests/unit/report/samples.h"
#include "verifier/report_diff.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static const struct diff_limits no_limits = {-1, -1};

static struct diff *compare(const struct verdict *was, const struct verdict *is, const struct diff_limits *limits)
{
	struct diff *d = NULL;
	struct err err = ERR_INIT;

	cr_assert(diff_make(was, "first", is, "second", limits, &d, &err), "%s", err.msg);
	return d;
}

static int status_of(const struct verdict *was, const struct verdict *is, double rto_growth)
{
	const struct diff_limits limits = {-1, rto_growth};
	CLEANUP(diff) struct diff *d = compare(was, is, &limits);

	return diff_exit_status(d);
}

static const struct diff_row *find(const struct diff *d, enum diff_part part, const char *name)
{
	for (size_t i = 0; i < d->row_count; i++)
		if (d->rows[i].part == part && !strcmp(d->rows[i].name, name))
			return &d->rows[i];
	return NULL;
}

static bool says(const struct diff_sentences *list, const char *what)
{
	for (size_t i = 0; i < list->count; i++)
		if (!strcmp(list->items[i].what, what))
			return true;
	return false;
}

Test(diff, two_figures_differ_by_more_than_both_errors_only)
{
	static const struct {
		struct diff_figure was, is;
		enum diff_tone tone;
		int64_t delta, error;
	} cases[] = {
	    {{true, false, 100, 0}, {true, false, 100, 0}, DIFF_SAME, 0, 0},
	    {{true, false, 100, 0}, {true, false, 101, 0}, DIFF_WORSE, 1, 0},
	    {{true, false, 100, 0}, {true, false, 99, 0}, DIFF_BETTER, -1, 0},
	    {{true, false, 100, 10}, {true, false, 130, 20}, DIFF_NOT_MEASURABLE, 30, 30},
	    {{true, false, 100, 10}, {true, false, 131, 20}, DIFF_WORSE, 31, 30},
	    {{true, false, 100, 10}, {true, false, 70, 20}, DIFF_NOT_MEASURABLE, -30, 30},
	    {{true, false, 100, 10}, {true, false, 69, 20}, DIFF_BETTER, -31, 30},
	    {{true, false, 100, 5}, {true, false, 100, 0}, DIFF_NOT_MEASURABLE, 0, 5},
	    /* a lower limit */
	    {{true, false, 100, 0}, {true, true, 150, 0}, DIFF_WORSE, 50, 0},
	    {{true, false, 100, 0}, {true, true, 50, 0}, DIFF_NOT_KNOWN, -50, 0},
	    {{true, true, 100, 0}, {true, false, 50, 0}, DIFF_BETTER, -50, 0},
	    {{true, true, 100, 0}, {true, false, 150, 0}, DIFF_NOT_KNOWN, 50, 0},
	    {{true, true, 100, 0}, {true, true, 100, 0}, DIFF_NOT_KNOWN, 0, 0},
	    /* unknown */
	    {{false, false, 0, 0}, {true, false, 1, 0}, DIFF_NOT_KNOWN, -7, -7},
	    {{true, false, 1, 0}, {false, false, 0, 0}, DIFF_NOT_KNOWN, -7, -7},
	    {{false, false, 0, 0}, {false, false, 0, 0}, DIFF_SAME, -7, -7},
	    /* what a hostile file says does not overflow */
	    {{true, false, INT64_MIN, INT64_MAX}, {true, false, INT64_MAX, INT64_MAX}, DIFF_NOT_MEASURABLE, INT64_MAX,
		INT64_MAX},
	    {{true, false, INT64_MAX, -5}, {true, false, INT64_MIN, -5}, DIFF_BETTER, INT64_MIN, 0},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		int64_t delta = -7, error = -7;

		cr_expect_eq(diff_figures(&cases[i].was, &cases[i].is, &delta, &error), cases[i].tone, "case %zu", i);
		cr_expect_eq(delta, cases[i].delta, "case %zu", i);
		cr_expect_eq(error, cases[i].error, "case %zu", i);
	}
}

Test(diff, a_run_against_itself_has_not_changed)
{
	for (size_t i = 0; i < sample_count; i++) {
		VERDICT_CLEANUP struct verdict v;
		CLEANUP(diff) struct diff *d = NULL;

		sample_make(samples[i].name, &v);
		d = compare(&v, &v, &no_limits);
		cr_expect_eq(d->worse.count, 0, "%s", samples[i].name);
		cr_expect_eq(diff_exit_status(d), v.result == VERDICT_ERROR ? EXIT_INCONCLUSIVE : EXIT_PASS, "%s",
		    samples[i].name);
		for (size_t k = 0; k < d->row_count; k++)
			cr_expect(d->rows[k].tone == DIFF_SAME || d->rows[k].tone == DIFF_NOT_MEASURABLE ||
				      d->rows[k].was.at_least,
			    "%s: %s", samples[i].name, d->rows[k].name);
		if (v.has_drill)
			cr_expect(says(&d->notes, "same-drill"));
	}
}

Test(diff, the_exit_status_is_about_the_second_run)
{
	static const struct {
		const char *was, *is;
		int status;
	} cases[] = {
	    {"pass", "silent_loss", EXIT_FAIL},
	    {"silent_loss", "pass", EXIT_PASS},
	    {"pass", "inconclusive", EXIT_FAIL},
	    {"inconclusive", "pass", EXIT_PASS},
	    {"inconclusive", "silent_loss", EXIT_FAIL},
	    {"silent_loss", "inconclusive", EXIT_PASS},
	    /* the second has no data, and is worse all the same; a first one without data says nothing */
	    {"pass", "error", EXIT_FAIL},
	    {"error", "pass", EXIT_INCONCLUSIVE},
	    {"error", "silent_loss", EXIT_INCONCLUSIVE},
	    {"silent_loss", "error", EXIT_INCONCLUSIVE},
	    {"pass", "removal", EXIT_INCONCLUSIVE},
	    {"removal", "pass", EXIT_INCONCLUSIVE},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		VERDICT_CLEANUP struct verdict was, is;

		sample_make(cases[i].was, &was);
		sample_make(cases[i].is, &is);
		cr_expect_eq(status_of(&was, &is, -1), cases[i].status, "%s, %s", cases[i].was, cases[i].is);
	}
}

Test(diff, a_new_reason_to_fail_is_worse_though_the_result_is_not)
{
	VERDICT_CLEANUP struct verdict was, is;
	CLEANUP(diff) struct diff *d = NULL;
	struct err err = ERR_INIT;

	sample_make("silent_loss", &was);
	sample_make("silent_loss", &is);
	cr_assert(verdict_add_reason(&is, REASON_PROBE_FAILED, "", &err, "write"));
	d = compare(&was, &is, &no_limits);
	cr_expect_eq(diff_exit_status(d), EXIT_FAIL);
	cr_expect_eq(d->worse.count, 1);
	cr_expect(says(&d->worse, "reason"));
	cr_expect_eq(find(d, DIFF_REASONS, "PROBE_FAILED")->tone, DIFF_WORSE);
	cr_expect_eq(find(d, DIFF_CHECKS, "probes")->tone, DIFF_WORSE);
	/* a reason that decides nothing is none */
	cr_assert(verdict_add_reason(&was, REASON_PROBE_FAILED, "", &err, "write"));
	cr_assert(verdict_add_reason(&is, REASON_TORN, "", &err, "by 3 s"));
	cr_expect_eq(status_of(&was, &is, -1), EXIT_PASS);
}

Test(diff, more_ticks_of_a_failing_class_and_more_left_behind_are_worse)
{
	VERDICT_CLEANUP struct verdict was, is, before, after;

	sample_make("silent_loss", &was);
	sample_make("silent_loss", &is);
	is.count[CLASS_LOST]++;
	cr_expect_eq(status_of(&was, &is, -1), EXIT_FAIL);
	cr_expect_eq(status_of(&is, &was, -1), EXIT_PASS);
	is.count[CLASS_LOST]--;
	is.count[CLASS_EXPECTED_LOSS] += 100;
	cr_expect_eq(status_of(&was, &is, -1), EXIT_PASS);
	sample_make("removal", &before);
	sample_make("removal", &after);
	after.removal_left++;
	cr_expect_eq(status_of(&before, &after, -1), EXIT_FAIL);
	cr_expect_eq(status_of(&after, &before, -1), EXIT_PASS);
}

Test(diff, a_growth_counts_beyond_its_limit_and_both_errors)
{
	static const struct {
		int64_t was, was_error, is, is_error;
		bool was_open, is_open;
		double limit;
		int status;
	} cases[] = {
	    {1000, 0, 1100, 0, false, false, 10, EXIT_PASS},
	    {1000, 0, 1101, 0, false, false, 10, EXIT_FAIL},
	    {1000, 0, 1101, 0, false, false, -1, EXIT_PASS},
	    {1000, 0, 1001, 0, false, false, 0, EXIT_FAIL},
	    {1000, 0, 900, 0, false, false, 0, EXIT_PASS},
	    {1000, 0, 1150, 50, false, false, 10, EXIT_PASS},
	    {1000, 0, 1151, 50, false, false, 10, EXIT_FAIL},
	    {1000, 100, 1210, 0, false, false, 10, EXIT_PASS},
	    {1000, 100, 1211, 0, false, false, 10, EXIT_FAIL},
	    /* measured to no end: more than allowed is more than allowed, less is not known */
	    {1000, 0, 1200, 0, false, true, 10, EXIT_FAIL},
	    {1000, 0, 1050, 0, false, true, 10, EXIT_INCONCLUSIVE},
	    {1000, 0, 1200, 0, true, false, 10, EXIT_INCONCLUSIVE},
	    {INT64_MAX, INT64_MAX, INT64_MIN, INT64_MAX, false, false, 10, EXIT_PASS},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		VERDICT_CLEANUP struct verdict was, is;

		sample_make("pass", &was);
		sample_make("pass", &is);
		was.rto_ms = cases[i].was;
		was.rto_error_ms = cases[i].was_error;
		was.rto_complete = !cases[i].was_open;
		is.rto_ms = cases[i].is;
		is.rto_error_ms = cases[i].is_error;
		is.rto_complete = !cases[i].is_open;
		cr_expect_eq(status_of(&was, &is, cases[i].limit), cases[i].status, "case %zu: %d", i,
		    status_of(&was, &is, cases[i].limit));
	}
	{
		VERDICT_CLEANUP struct verdict was, is;
		const struct diff_limits limits = {5, -1};
		CLEANUP(diff) struct diff *d = NULL;

		sample_make("pass", &was);
		sample_make("pass", &is);
		is.has_rpo = false;
		d = compare(&was, &is, &limits);
		cr_expect(says(&d->incomparable, "rpo-growth"));
		cr_expect_eq(diff_exit_status(d), EXIT_INCONCLUSIVE);
	}
}

Test(diff, what_has_changed_is_a_row)
{
	VERDICT_CLEANUP struct verdict was, is;
	CLEANUP(diff) struct diff *d = NULL;

	sample_make("pass", &was);
	sample_make("pass", &is);
	snprintf(is.versions[0].value, sizeof is.versions[0].value, "7.0.14");
	snprintf(is.scenario, sizeof is.scenario, "case-2");
	snprintf(is.cluster_before, sizeof is.cluster_before, "replicaSet another");
	is.phases[2].to_ms += 5000;
	is.rto_error_ms = 300;
	is.phases[5].to_ms += 200;
	is.torn_width_s = 7;
	is.sets[0].ticks = 3;
	is.set_count = 2;
	snprintf(is.sets[1].name, sizeof is.sets[1].name, "rs1");
	is.namespaces[1].exists = false;
	is.judged_at_ms--;
	d = compare(&was, &is, &no_limits);
	cr_expect_eq(find(d, DIFF_VERSIONS, "mongod")->tone, DIFF_CHANGED);
	cr_expect_str_eq(find(d, DIFF_VERSIONS, "mongod")->after, "7.0.14");
	cr_expect_eq(find(d, DIFF_VERSIONS, "pbm")->tone, DIFF_SAME);
	cr_expect_eq(find(d, DIFF_PHASES, "cluster ready")->tone, DIFF_WORSE);
	cr_expect_eq(find(d, DIFF_PHASES, "volumes gone")->tone, DIFF_SAME);
	/* only where one clock hands over to another is an error */
	cr_expect_eq(find(d, DIFF_PHASES, "first login")->tone, DIFF_NOT_MEASURABLE);
	cr_expect_eq(find(d, DIFF_PHASES, "first majority read")->is.error, 0);
	cr_expect_eq(find(d, DIFF_RESTORE, "width of the restore point")->tone, DIFF_WORSE);
	cr_expect_eq(find(d, DIFF_RESTORE, "replica set rs0")->tone, DIFF_CHANGED);
	cr_expect_str_eq(find(d, DIFF_RESTORE, "replica set rs1")->before, "");
	cr_expect_eq(find(d, DIFF_DATABASE, "drill.ticker")->tone, DIFF_WORSE);
	cr_expect(says(&d->notes, "scenario"));
	cr_expect(says(&d->notes, "cluster"));
	cr_expect(says(&d->notes, "order"));
	cr_expect_eq(diff_exit_status(d), EXIT_PASS);
}

Test(diff, a_drill_on_what_the_last_one_restored_is_on_the_same_cluster)
{
	VERDICT_CLEANUP struct verdict was, is;
	CLEANUP(diff) struct diff *d = NULL;

	sample_make("pass", &was);
	sample_make("pass", &is);
	snprintf(is.cluster_before, sizeof is.cluster_before, "%s", was.cluster_after);
	d = compare(&was, &is, &no_limits);
	cr_expect(!says(&d->notes, "cluster"));
}
