#include "verifier/report.h"
#include "verifier/report_checks.h"
#include "verifier/report_sink.h"
#include "verifier/report_words.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define BAD_SHOWN 50
#define ROWS_SHOWN 50

static const char *result_mark(enum verdict_result r)
{
	return r == VERDICT_PASS ? "✅" : r == VERDICT_FAIL ? "❌" : "⚠️";
}

static void head(struct sink *s, const struct verdict *v)
{
	char uuid[UUID_TEXT_MAX];
	struct words w;

	sink_fill(s, "## {} ", result_mark(v->result), NULL);
	if (strncmp(v->title, verdict_result_text(v->result), strlen(verdict_result_text(v->result))) != 0)
		sink_fill(s, "{}: ", verdict_result_text(v->result), NULL);
	sink_fill(s, "{}\n\n", v->title, NULL);
	if (v->scenario[0])
		sink_fill(s, "{} · ", v->scenario, NULL);
	if (v->has_drill)
		sink_fill(s, "drill {} · ", uuid_format(&v->drill, uuid), NULL);
	sink_fill(s, "judged {} by {}\n\n", words_wall(&w, v->judged_at_ms), v->judge, NULL);
}

static void key_figures(struct sink *s, const struct verdict *v)
{
	struct words a, b, c, d, e;

	if (v->has_removal) {
		sink_fill(s,
		    "| left | looked at | kinds | kinds not read |\n| ---: | ---: | ---: | ---: |\n| {} | {} | {} | {} "
		    "|\n\n",
		    words_of(&a, v->removal_left, "object"), words_of(&b, v->removal_objects, "object"),
		    words_count(&c, v->removal_kinds), words_count(&d, v->removal_kinds_unread), NULL);
		return;
	}
	sink_raw(s, "| RPO | RTO | acknowledged | intact | expected loss | lost |\n| --- | --- | ---: | ---: | ---: | "
		    "---: |\n");
	sink_fill(s, "| {}", words_rpo(&a, v), NULL);
	if (v->max_rpo_ms >= 0)
		sink_fill(s, " (limit {})", words_duration(&a, v->max_rpo_ms), NULL);
	sink_fill(s, " | {}", words_rto(&a, v), NULL);
	if (v->max_rto_ms >= 0)
		sink_fill(s, " (limit {})", words_duration(&a, v->max_rto_ms), NULL);
	sink_fill(s, " | {} | {} | {} | {} |\n\n", words_count(&b, v->acked), words_count(&c, v->count[CLASS_OK]),
	    words_count(&d, v->count[CLASS_EXPECTED_LOSS]), words_count(&e, v->count[CLASS_LOST]), NULL);
}

static void reasons(struct sink *s, const struct verdict *v)
{
	if (!v->reason_count)
		return;
	sink_raw(s, "### Why\n\n| | reason | what was found | what to do next |\n| --- | --- | --- | --- |\n");
	for (size_t i = 0; i < v->reason_count && i < ROWS_SHOWN; i++) {
		const struct verdict_reason *r = &v->reasons[i];

		sink_fill(s, "| {} | **{}** | {} | {} |\n", verdict_severity_text(verdict_reason_severity(r->code)),
		    verdict_reason_text(r->code), r->message[0] ? r->message : verdict_reason_title(r->code), r->hint,
		    NULL);
	}
	sink_raw(s, "\n");
}

static void bad_ranges(struct sink *s, const struct verdict *v, const size_t *order)
{
	char writer[16];
	size_t shown = 0, all = 0;
	struct words w, n, c;

	for (size_t i = 0; i < v->stream_count; i++)
		all += v->streams[i].bad_count;
	if (!all)
		return;
	sink_raw(
	    s, "### Where\n\n| class | ticks | numbers | namespace | writer |\n| --- | ---: | --- | --- | ---: |\n");
	for (size_t i = 0; i < v->stream_count; i++) {
		const struct verdict_stream *st = &v->streams[order[i]];

		snprintf(writer, sizeof writer, "%" PRId32, st->writer);
		for (size_t k = 0; k < st->bad_count && shown < BAD_SHOWN; k++, shown++)
			sink_fill(s, "| {} | {} | {} | {} | {} |\n", words_class(&c, st->bad[k].class),
			    words_count(&n, range_ticks(&st->bad[k])), words_range(&w, &st->bad[k]), st->ns, writer,
			    NULL);
	}
	if (all > shown)
		sink_fill(
		    s, "\n{} more are in the other reports.\n", words_of(&n, (int64_t)(all - shown), "range"), NULL);
	sink_raw(s, "\n");
}

static void classes(struct sink *s, const struct verdict *v)
{
	struct words w, n;

	if (!v->stream_count && !v->issued)
		return;
	sink_raw(
	    s, "<details><summary>Ticks by class</summary>\n\n| class | ticks | meaning |\n| --- | ---: | --- |\n");
	sink_fill(s, "| issued | {} | sent, by the journal |\n", words_count(&n, v->issued), NULL);
	for (int c = 0; c < CLASS_COUNT; c++)
		if (v->count[c] || c == CLASS_OK || c == CLASS_EXPECTED_LOSS || c == CLASS_LOST)
			sink_fill(s, "| {} | {} | {} |\n", words_class(&w, (enum tick_class)c),
			    words_count(&n, v->count[c]), tick_class_meaning((enum tick_class)c), NULL);
	sink_raw(s, "\n</details>\n\n");
}

static void checks(struct sink *s, const struct verdict *v)
{
	sink_raw(s, "<details><summary>Checks</summary>\n\n| check | result | asks whether |\n| --- | --- | --- |\n");
	for (int c = 0; c < CHECK_COUNT; c++) {
		enum report_check check = (enum report_check)c;

		if (check_applies(v, check))
			sink_fill(s, "| {} | {} | {} |\n", check_text(check), check_status_text(check_status(v, check)),
			    check_asks(check), NULL);
	}
	sink_raw(s, "\n</details>\n\n");
}

static void restore_point(struct sink *s, const struct verdict *v)
{
	char b0[OPTIME_TEXT_MAX];
	struct words w, w2, w3;

	if (!v->has_bound && !v->has_restore)
		return;
	sink_raw(s, "<details><summary>Restore point and recovery</summary>\n\n| | |\n| --- | --- |\n");
	if (v->has_bound) {
		sink_fill(s, "| backup | {} |\n", v->backup_name, NULL);
		sink_fill(s, "| restore point | {}, operation time {} ({}, exact to the {}) |\n",
		    words_wall(&w, (int64_t)v->b0.t * 1000), optime_format(v->b0, b0), v->bound_source,
		    v->bound_precision, NULL);
	}
	for (size_t i = 0; i < v->set_count && i < ROWS_SHOWN; i++)
		sink_fill(s, "| replica set {} | {} |\n", v->sets[i].name,
		    v->sets[i].ticks < 0 ? "not known which ticks live there"
					 : words_of(&w, v->sets[i].ticks, "acknowledged tick"),
		    NULL);
	if (v->has_members)
		sink_fill(s, "| members beside the primaries | {}, {} read, {} equal |\n",
		    words_count(&w, v->members_asked), words_count(&w2, v->members_read),
		    words_count(&w3, v->members_equal), NULL);
	if (v->has_restore)
		sink_fill(s, "| restore | {}, says {}: {} {} |\n", v->restore_state, v->restore_reported_by,
		    v->restored_backup, v->restore_detail, NULL);
	for (size_t i = 0; i < v->phase_count; i++)
		sink_fill(s, "| {} | {} |\n", v->phases[i].name,
		    words_duration(&w, v->phases[i].to_ms - v->phases[i].from_ms), NULL);
	sink_raw(s, "\n</details>\n");
}

bool report_markdown(const struct verdict *v, struct buf *out, struct err *err)
{
	CLEANUP(free) size_t *order = stream_order(v);
	struct sink s;

	if (!order)
		return err_nomem(err);
	sink_init(&s, out, escape_markdown);
	head(&s, v);
	key_figures(&s, v);
	reasons(&s, v);
	bad_ranges(&s, v, order);
	classes(&s, v);
	checks(&s, v);
	restore_point(&s, v);
	return sink_ok(&s, err) || err_wrap(err, "Markdown report");
}

bool report_github(const struct verdict *v, struct buf *out, struct err *err)
{
	static const char *const commands[] = {
	    "::error title={}::{}", "::error title={}::{}", "::warning title={}::{}", "::notice title={}::{}"};
	struct sink s;

	sink_init(&s, out, escape_github);
	if (v->result == VERDICT_ERROR && !v->reason_count)
		sink_fill(&s, "::error title=ERROR::{}\n", v->title, NULL);
	for (size_t i = 0; i < v->reason_count; i++) {
		const struct verdict_reason *r = &v->reasons[i];

		sink_fill(&s, commands[verdict_reason_severity(r->code)], verdict_reason_text(r->code),
		    r->message[0] ? r->message : verdict_reason_title(r->code), NULL);
		if (r->hint[0])
			sink_fill(&s, " ({})", r->hint, NULL);
		sink_raw(&s, "\n");
	}
	return sink_ok(&s, err) || err_wrap(err, "annotations");
}
