#include "base/file.h"
#include "tests/unit/report/samples.h"
#include "verifier/report.h"
#include "verifier/report_checks.h"
#include "verifier/report_words.h"

#include <criterion/criterion.h>
#include <string.h>

static void text_of(const char *sample, bool color, const char *html, struct buf *ret)
{
	VERDICT_CLEANUP struct verdict v;
	struct err err = ERR_INIT;

	sample_make(sample, &v);
	cr_assert(report_text(&v, color, html, ret, &err), "%s", err.msg);
}

/* To renew them after a look at the difference: sample_verdicts DIR, and copy DIR/NAME.txt here. */
Test(report, the_text_is_the_expected_one)
{
	for (size_t i = 0; i < sample_count; i++) {
		BUF_CLEANUP struct buf got = BUF_INIT(1u << 20), wanted = BUF_INIT(1u << 20);
		struct err err = ERR_INIT;
		char path[512];

		snprintf(path, sizeof path, EXPECTED_DIR "/%s.txt", samples[i].name);
		cr_assert(file_read(path, &wanted, &err), "%s", err.msg);
		text_of(samples[i].name, false, NULL, &got);
		cr_expect_str_eq(buf_str(&got), buf_str(&wanted), "%s: got\n%s", samples[i].name, buf_str(&got));
	}
}

Test(report, colour_changes_nothing_but_colour)
{
	for (size_t i = 0; i < sample_count; i++) {
		BUF_CLEANUP struct buf plain = BUF_INIT(1u << 20), color = BUF_INIT(1u << 20),
				       stripped = BUF_INIT(1u << 20);
		struct err err = ERR_INIT;

		text_of(samples[i].name, false, "out/report.html", &plain);
		text_of(samples[i].name, true, "out/report.html", &color);
		for (const char *p = buf_str(&color); *p; p++) {
			if (*p == '\x1b')
				p = strchr(p, 'm');
			else
				cr_assert(buf_add_char(&stripped, *p, &err));
		}
		cr_expect_str_eq(buf_str(&plain), buf_str(&stripped));
		cr_expect(color.len > plain.len);
		cr_expect(!strchr(buf_str(&plain), '\x1b'));
		cr_expect(strstr(buf_str(&plain), "\nReport: out/report.html\n"));
	}
}

Test(report, every_reason_that_decides_belongs_to_a_check_and_no_other_does)
{
	for (int c = 0; c < REASON_COUNT; c++) {
		enum verdict_severity severity = verdict_reason_severity((enum verdict_reason_code)c);
		bool decides = severity == SEVERITY_FAIL || severity == SEVERITY_INCONCLUSIVE;

		cr_expect_eq(check_of((enum verdict_reason_code)c) != CHECK_COUNT, decides, "%s",
		    verdict_reason_text((enum verdict_reason_code)c));
	}
}

/* One reason alone must show in the result of its check, in JUnit and in the metrics: none may be swallowed. */
Test(report, each_reason_alone_reaches_every_report)
{
	for (int c = 0; c < REASON_COUNT; c++) {
		VERDICT_CLEANUP struct verdict v;
		BUF_CLEANUP struct buf xml = BUF_INIT(1u << 20), prom = BUF_INIT(1u << 20), md = BUF_INIT(1u << 20),
				       html = BUF_INIT(1u << 20);
		BUF_CLEANUP struct buf github = BUF_INIT(1u << 20), text = BUF_INIT(1u << 20);
		enum verdict_reason_code code = (enum verdict_reason_code)c;
		const char *name = verdict_reason_text(code);
		struct err err = ERR_INIT;
		char line[64], element[32];

		verdict_init(&v);
		cr_assert(verdict_add_reason(&v, code, "do something", &err, "seen 7"));
		verdict_settle(&v);
		cr_assert(report_junit(&v, &xml, &err) && report_metrics(&v, &prom, &err) &&
			  report_markdown(&v, &md, &err) && report_html(&v, &html, &err) &&
			  report_github(&v, &github, &err) && report_text(&v, false, NULL, &text, &err));
		snprintf(
		    element, sizeof element, verdict_reason_severity(code) == SEVERITY_FAIL ? "<failure " : "<error ");
		cr_expect_eq(
		    strstr(buf_str(&xml), element) != NULL, v.result != VERDICT_PASS, "%s: %s", name, buf_str(&xml));
		snprintf(line, sizeof line, "code=\"%s\"", name);
		cr_expect(strstr(buf_str(&prom), line), "%s", name);
		snprintf(line, sizeof line, " title=%s::seen 7 (do something)\n", name);
		cr_expect(strstr(buf_str(&github), line), "%s: %s", name, buf_str(&github));
		cr_expect(strstr(buf_str(&text), name));
		cr_expect(strstr(buf_str(&html), name));
		cr_expect(strstr(buf_str(&md), "seen 7"));
	}
}

static enum check_status status_of(const char *sample, enum report_check check)
{
	VERDICT_CLEANUP struct verdict v;

	sample_make(sample, &v);
	return check_status(&v, check);
}

Test(report, a_check_without_its_evidence_is_not_judged_and_never_passed)
{
	VERDICT_CLEANUP struct verdict v;
	struct err err = ERR_INIT;

	verdict_init(&v);
	cr_assert(verdict_add_reason(&v, REASON_NO_JOURNAL, "", &err, "none"));
	verdict_settle(&v);
	cr_expect_eq(check_status(&v, CHECK_JOURNAL), CHECK_INCONCLUSIVE);
	cr_expect_eq(check_status(&v, CHECK_DATA), CHECK_NOT_JUDGED);
	cr_expect_eq(check_status(&v, CHECK_LIVENESS), CHECK_NOT_JUDGED);
	cr_expect_eq(check_status(&v, CHECK_PROBES), CHECK_PASSED);
	for (int c = 0; c < CHECK_COUNT; c++) {
		cr_expect_eq(status_of("error", (enum report_check)c), CHECK_NOT_JUDGED);
		cr_expect_eq(status_of("pass", (enum report_check)c), CHECK_PASSED);
	}
	cr_expect_eq(status_of("inconclusive", CHECK_SCHEMA), CHECK_NOT_JUDGED);
	cr_expect_eq(status_of("hostile", CHECK_SCHEMA), CHECK_FAILED);
	cr_expect_eq(status_of("hostile", CHECK_ROLES), CHECK_NOT_JUDGED);
	cr_expect_eq(status_of("silent_loss", CHECK_RESTORE), CHECK_FAILED);
	cr_expect_eq(status_of("silent_loss", CHECK_RTO), CHECK_PASSED);
	cr_expect_eq(status_of("inconclusive", CHECK_RTO), CHECK_NOT_JUDGED);
	cr_expect_eq(status_of("inconclusive", CHECK_COVERAGE), CHECK_INCONCLUSIVE);
}

Test(report, github_annotations_are_one_line_each)
{
	VERDICT_CLEANUP struct verdict v;
	BUF_CLEANUP struct buf out = BUF_INIT(1u << 20);
	struct err err = ERR_INIT;
	size_t lines = 0;

	sample_make("hostile", &v);
	cr_assert(report_github(&v, &out, &err));
	for (const char *p = buf_str(&out), *end; *p; p = end + 1, lines++) {
		end = strchr(p, '\n');
		cr_assert(end);
		cr_expect(!strncmp(p, "::error title=", 14));
		cr_expect(!memchr(p, '\r', (size_t)(end - p)));
	}
	cr_expect_eq(lines, v.reason_count);
}

Test(report, an_error_without_reasons_is_annotated_with_its_title)
{
	VERDICT_CLEANUP struct verdict v;
	BUF_CLEANUP struct buf out = BUF_INIT(4096);
	struct err err = ERR_INIT;

	sample_make("error", &v);
	cr_assert(report_github(&v, &out, &err));
	cr_expect_str_eq(buf_str(&out), "::error title=ERROR::ERROR%3A the backup did not finish within 10 min\n");
}

Test(report, figures_that_are_not_known_are_no_metrics)
{
	VERDICT_CLEANUP struct verdict v;
	BUF_CLEANUP struct buf out = BUF_INIT(1u << 20);
	struct err err = ERR_INIT;

	sample_make("error", &v);
	cr_assert(report_metrics(&v, &out, &err));
	cr_expect(!strstr(buf_str(&out), "rpo_seconds"));
	cr_expect(!strstr(buf_str(&out), "rto_seconds"));
	cr_expect(strstr(buf_str(&out), "psmdb_drill_verdict{scenario=\"case-1\",result=\"ERROR\"} 1\n"));
	cr_expect(strstr(buf_str(&out), "psmdb_drill_verdict{scenario=\"case-1\",result=\"PASS\"} 0\n"));
}

static size_t count(const char *text, const char *what)
{
	size_t n = 0;

	for (const char *p = text; (p = strstr(p, what)); p += strlen(what))
		n++;
	return n;
}

Test(report, a_page_about_a_removal_explains_no_ticks)
{
	VERDICT_CLEANUP struct verdict v;
	BUF_CLEANUP struct buf html = BUF_INIT(1u << 22);
	struct err err = ERR_INIT;

	sample_make("removal", &v);
	cr_assert(report_html(&v, &html, &err));
	cr_expect(strstr(buf_str(&html), "LEFT_BEHIND"));
	cr_expect_null(strstr(buf_str(&html), "acknowledged"));
}

Test(report, one_failing_tick_among_a_billion_is_drawn)
{
	VERDICT_CLEANUP struct verdict v;
	BUF_CLEANUP struct buf html = BUF_INIT(1u << 22);
	struct err err = ERR_INIT;
	struct verdict_stream *s;

	sample_make("pass", &v);
	s = &v.streams[0];
	s->ranges[0] = (struct verdict_range){1, 499999999, CLASS_OK};
	s->ranges[1] = (struct verdict_range){500000000, 500000000, CLASS_LOST};
	s->ranges[2] = (struct verdict_range){500000001, 1000000000, CLASS_OK};
	s->range_count = 3;
	s->last = 1000000000;
	cr_assert(report_html(&v, &html, &err));
	/* its stroke gives it a width */
	cr_expect_eq(count(buf_str(&html), "<rect class=\"k-lost\" x=\"50.000%\" y=\"2\" width=\"0.000%\""), 1);
	cr_expect(strstr(buf_str(&html), "rect.k-lost,"));
}

Test(report, more_runs_than_columns_keep_the_gravest_of_each_column)
{
	VERDICT_CLEANUP struct verdict v;
	BUF_CLEANUP struct buf html = BUF_INIT(1u << 22);
	struct err err = ERR_INIT;
	struct verdict_stream *s;

	sample_make("pass", &v);
	s = &v.streams[0];
	for (int64_t i = 0; i < VERDICT_RANGES_MAX; i++)
		s->ranges[i] = (struct verdict_range){i * 1000, i * 1000 + 999,
		    i == 1234 ? CLASS_CORRUPTED
		    : i % 2   ? CLASS_OK
			      : CLASS_RECOVERED};
	s->range_count = VERDICT_RANGES_MAX;
	s->first = 0;
	s->last = VERDICT_RANGES_MAX * 1000 - 1;
	cr_assert(report_html(&v, &html, &err));
	cr_expect_eq(count(buf_str(&html), "<rect class=\"many k-corrupted\""), 1);
	cr_expect(count(buf_str(&html), "k-") < 600);
}

/* A hole in each column: what is between them is seen all the same, as what it is. */
Test(report, a_thousand_holes_hide_nothing_of_what_is_intact)
{
	VERDICT_CLEANUP struct verdict v;
	BUF_CLEANUP struct buf html = BUF_INIT(1u << 22);
	struct err err = ERR_INIT;
	struct verdict_stream *s;

	sample_make("pass", &v);
	s = &v.streams[0];
	for (int64_t i = 0; i < 1000; i++) {
		s->ranges[2 * i] = (struct verdict_range){i * 1000, i * 1000 + 998, CLASS_OK};
		s->ranges[2 * i + 1] =
		    (struct verdict_range){i * 1000 + 999, i * 1000 + 999, i % 2 ? CLASS_LOST : CLASS_REFUSED};
	}
	s->range_count = 2000;
	s->first = 0;
	s->last = 999999;
	cr_assert(report_html(&v, &html, &err));
	cr_expect_eq(count(buf_str(&html), "<rect class=\"many k-ok\" x=\"0.000%\" y=\"16\" width=\"100.000%\""), 1);
	cr_expect_eq(count(buf_str(&html), "many k-refused"), 0);
	cr_expect_gt(count(buf_str(&html), "<rect class=\"many k-lost\""), 0);
	cr_expect(strstr(buf_str(&html), "of about 2,083 ticks at least one fails"));
}

Test(report, what_was_not_judged_is_no_zero)
{
	VERDICT_CLEANUP struct verdict v;
	BUF_CLEANUP struct buf html = BUF_INIT(1u << 22);
	struct err err = ERR_INIT;

	sample_make("error", &v);
	cr_assert(report_html(&v, &html, &err));
	cr_expect(strstr(buf_str(&html), "<dt>lost</dt><dd>–<small>not judged</small>"));
	cr_expect(!strstr(buf_str(&html), "<dd>0<"));
}

Test(report, the_largest_verdict_stays_within_the_limits_of_its_readers)
{
	VERDICT_CLEANUP struct verdict v;
	BUF_CLEANUP struct buf md = BUF_INIT(REPORT_MARKDOWN_MAX), html = BUF_INIT(4u << 20);
	struct err err = ERR_INIT;
	size_t streams = VERDICT_STREAMS_MAX;
	struct verdict_stream *list = calloc(streams, sizeof *list);

	cr_assert(list);
	sample_make("huge", &v);
	for (size_t i = 0; i < streams; i++) {
		list[i] = v.streams[i % 8];
		list[i].ranges = calloc(VERDICT_RANGES_MAX, sizeof *list[i].ranges);
		list[i].bad = calloc(VERDICT_RANGES_MAX, sizeof *list[i].bad);
		cr_assert(list[i].ranges && list[i].bad);
		memcpy(list[i].ranges, v.streams[i % 8].ranges, list[i].range_count * sizeof *list[i].ranges);
		memcpy(list[i].bad, v.streams[i % 8].bad, list[i].bad_count * sizeof *list[i].bad);
	}
	for (size_t i = 0; i < v.stream_count; i++) {
		free(v.streams[i].ranges);
		free(v.streams[i].bad);
	}
	free(v.streams);
	v.streams = list;
	v.stream_count = streams;
	cr_expect(report_markdown(&v, &md, &err), "%s", err.msg);
	cr_expect(report_html(&v, &html, &err), "%s", err.msg);
}

Test(report, a_full_buffer_is_an_error_in_every_format)
{
	static bool (*const all[])(const struct verdict *, struct buf *, struct err *) = {
	    report_junit, report_markdown, report_github, report_metrics, report_html};
	VERDICT_CLEANUP struct verdict v;

	sample_make("silent_loss", &v);
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		BUF_CLEANUP struct buf out = BUF_INIT(500);
		struct err err = ERR_INIT;

		cr_expect(!all[i](&v, &out, &err));
		cr_expect_eq(err.code, ERR_LIMIT);
	}
}

Test(words, durations_counts_and_sizes_read_well)
{
	static const struct {
		int64_t ms;
		const char *wanted;
	} durations[] = {
	    {0, "0 ms"},
	    {999, "999 ms"},
	    {1000, "1.0 s"},
	    {9949, "9.9 s"},
	    {9950, "10 s"},
	    {59499, "59 s"},
	    {59999, "1 min"},
	    {60000, "1 min"},
	    {102000, "1 min 42 s"},
	    {3600000, "1 h"},
	    {7500000, "2 h 5 min"},
	    {172800000, "2 d 0 h"},
	    {-1500, "-1.5 s"},
	    {INT64_MIN, "-106751991167 d 7 h"},
	};
	struct words w;

	for (size_t i = 0; i < sizeof durations / sizeof *durations; i++)
		cr_expect_str_eq(words_duration(&w, durations[i].ms), durations[i].wanted);
	cr_expect_str_eq(words_count(&w, 0), "0");
	cr_expect_str_eq(words_count(&w, 999), "999");
	cr_expect_str_eq(words_count(&w, 1000), "1,000");
	cr_expect_str_eq(words_count(&w, INT64_MIN), "-9,223,372,036,854,775,808");
	cr_expect_str_eq(words_of(&w, 1, "tick"), "1 tick");
	cr_expect_str_eq(words_of(&w, 0, "tick"), "0 ticks");
	cr_expect_str_eq(words_bytes(&w, 1023), "1023 B");
	cr_expect_str_eq(words_bytes(&w, 19293798), "18.4 MiB");
	cr_expect_str_eq(words_wall(&w, INT64_MIN), "unknown");
	cr_expect_str_eq(words_wall(&w, 1795413480000), "2026-11-23 05:58:00 UTC");
}

/* GitLab shows the text of a problem, not its message. */
Test(report, a_problem_without_ranges_and_without_a_title_still_says_something)
{
	VERDICT_CLEANUP struct verdict v, e;
	BUF_CLEANUP struct buf xml = BUF_INIT(1u << 20), other = BUF_INIT(1u << 20);
	struct err err = ERR_INIT;

	sample_make("silent_loss", &v);
	v.streams[0].bad_count = v.streams[1].bad_count = 0;
	cr_assert(report_junit(&v, &xml, &err));
	cr_expect(strstr(buf_str(&xml), "type=\"INTEGRITY\">38 failing ticks\n</failure>"));
	sample_make("error", &e);
	e.title[0] = '\0';
	cr_assert(report_junit(&e, &other, &err));
	cr_expect(strstr(buf_str(&other), "type=\"NOT_JUDGED\">not judged: the drill ended in an error\n"));
}
