#include "tests/unit/report/samples.h"
#include "verifier/report_history.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static struct history *begin(void)
{
	struct err err = ERR_INIT;
	struct history *h = history_new(&err);

	cr_assert(h);
	return h;
}

static void add(
    struct history *h, const char *name, uint64_t inode, struct verdict *v, const char *scenario, int64_t at)
{
	struct err err = ERR_INIT;

	snprintf(v->scenario, sizeof v->scenario, "%s", scenario);
	v->judged_at_ms = at;
	cr_assert(history_add(h, name, "", 1, inode, v, &err), "%s", err.msg);
}

Test(history, runs_are_in_order_of_time_and_scenarios_in_order_of_their_runs)
{
	CLEANUP(history) struct history *h = begin();
	VERDICT_CLEANUP struct verdict v;
	struct err err = ERR_INIT;

	sample_make("pass", &v);
	add(h, "c", 1, &v, "one", 3000);
	add(h, "a", 2, &v, "many", 2000);
	add(h, "b", 3, &v, "many", 1000);
	cr_assert(history_finish(h, &err));
	cr_expect_str_eq(h->runs[0].name, "b");
	cr_expect_str_eq(h->runs[2].name, "c");
	cr_expect_eq(h->series_count, 2);
	cr_expect_eq(h->series[0].count, 2);
	cr_expect_str_eq(history_at(h, &h->series[0], 0)->name, "b");
	cr_expect_str_eq(history_at(h, &h->series[1], 0)->name, "c");
	cr_expect(history_has(h, 1, 2));
	cr_expect(!history_has(h, 1, 4));
	cr_expect(!history_has(h, 2, 2));
}

Test(history, a_version_changes_against_the_last_run_that_knew_it)
{
	CLEANUP(history) struct history *h = begin();
	VERDICT_CLEANUP struct verdict known, unknown;
	struct err err = ERR_INIT;
	char text[1024];

	sample_make("pass", &known);
	sample_make("error", &unknown);
	unknown.version_count = 0;
	add(h, "a", 1, &known, "x", 1000);
	add(h, "b", 2, &unknown, "x", 2000);
	snprintf(known.versions[0].value, sizeof known.versions[0].value, "7.0.14");
	add(h, "other", 3, &known, "y", 2500);
	add(h, "c", 4, &known, "x", 3000);
	add(h, "d", 5, &known, "x", 4000);
	cr_assert(history_finish(h, &err));
	cr_expect_str_eq(history_changes(h, &h->runs[0], text), "");
	cr_expect_str_eq(history_changes(h, &h->runs[1], text), "");
	cr_expect_str_eq(history_changes(h, &h->runs[2], text), "");
	cr_expect_str_eq(history_changes(h, &h->runs[3], text), "mongod 6.0.5 → 7.0.14");
	cr_expect_str_eq(history_changes(h, &h->runs[4], text), "");
}

Test(history, the_newest_are_kept_and_the_others_counted)
{
	CLEANUP(history) struct history *h = begin();
	BUF_CLEANUP struct buf html = BUF_INIT(8u << 20);
	VERDICT_CLEANUP struct verdict v;
	struct err err = ERR_INIT;

	sample_make("error", &v);
	for (int i = 0; i < HISTORY_RUNS_MAX; i++)
		add(h, "kept", (uint64_t)i, &v, "x", 1000 + i);
	add(h, "older", 1, &v, "x", 1);
	add(h, "newer", 2, &v, "x", 1000000);
	cr_assert(history_finish(h, &err));
	cr_expect_eq(h->run_count, HISTORY_RUNS_MAX);
	cr_expect_eq(h->left_out, 2);
	cr_expect_eq(h->runs[0].judged_at_ms, 1001);
	cr_expect_str_eq(h->runs[h->run_count - 1].name, "newer");
	cr_assert(report_history_html(h, &html, &err), "%s", err.msg);
	cr_expect(strstr(buf_str(&html), "The oldest 2 runs are left out"));
	cr_expect(strstr(buf_str(&html), "These are 2,000 of them; 8,000 older are in the trends only"));
}

Test(history, many_that_are_skipped_are_counted_and_some_are_named)
{
	CLEANUP(history) struct history *h = begin();
	VERDICT_CLEANUP struct verdict v;
	BUF_CLEANUP struct buf html = BUF_INIT(1u << 20), text = BUF_INIT(1u << 20), json = BUF_INIT(1u << 20),
			       md = BUF_INIT(1u << 20);
	struct err err = ERR_INIT;
	char name[400] = "";

	sample_make("pass", &v);
	add(h, "a", 1, &v, "x", 1000);
	for (size_t i = 0; i < HISTORY_SKIPPED_MAX + 50; i++)
		history_skip(h, "foreign", "it is no run");
	memset(name, 'x', sizeof name - 5);
	strcat(name, "tail");
	add(h, name, 2, &v, "x", 2000);
	cr_assert(history_finish(h, &err));
	cr_expect(strstr(h->runs[1].name, "tail") && !strncmp(h->runs[1].name, "...", 3));
	cr_assert(report_history_html(h, &html, &err) && report_history_text(h, false, &text, &err) &&
		  report_history_json(h, &json, &err) && report_history_markdown(h, &md, &err));
	cr_expect(strstr(buf_str(&html), "150 more are not named."));
	cr_expect(strstr(buf_str(&text), "… and 200 more"));
	cr_expect(strstr(buf_str(&json), "\"skippedCount\":250"));
	cr_expect(strstr(buf_str(&md), "200 more were skipped."));
}

Test(history, figures_of_a_hostile_file_stay_on_the_page)
{
	static const int64_t values[] = {INT64_MIN, -1, 0, 1, INT64_MAX};

	for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
		CLEANUP(history) struct history *h = begin();
		BUF_CLEANUP struct buf html = BUF_INIT(1u << 20), prom = BUF_INIT(1u << 20);
		VERDICT_CLEANUP struct verdict v;
		struct err err = ERR_INIT;

		sample_make("pass", &v);
		v.rpo_ms = v.rto_ms = v.rpo_error_ms = v.max_rto_ms = v.count[CLASS_LOST] = v.count[CLASS_LATE] =
		    values[i];
		add(h, "a", 1, &v, "x", values[i]);
		v.rpo_ms = v.rto_ms = 1000;
		add(h, "b", 2, &v, "x", 1000);
		cr_assert(history_finish(h, &err));
		cr_assert(report_history_html(h, &html, &err), "%s", err.msg);
		cr_assert(report_history_metrics(h, &prom, &err), "%s", err.msg);
		cr_expect(!strstr(buf_str(&html), "\"nan") && !strstr(buf_str(&html), "inf%") &&
			  !strstr(buf_str(&html), "y1=\"-"));
	}
}
