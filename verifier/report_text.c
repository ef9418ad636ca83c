#include "verifier/report.h"
#include "verifier/report_checks.h"
#include "verifier/report_screen.h"
#include "verifier/report_words.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BAD_SHOWN 20
#define STREAMS_SHOWN 20
#define ROWS_SHOWN 20
#define BAR_WIDTH 40

static const char *result_color(enum verdict_result r)
{
	return r == VERDICT_PASS ? "1;32" : r == VERDICT_FAIL ? "1;31" : "1;33";
}

static const char *severity_color(enum verdict_severity s)
{
	return s == SEVERITY_FAIL ? "31" : s == SEVERITY_INFO ? SCREEN_DIM : "33";
}

static void head(struct screen *sc, const struct verdict *v)
{
	const char *result = verdict_result_text(v->result), *title = v->title;
	char uuid[UUID_TEXT_MAX], line[400];
	struct words at;

	/* the title begins with the result by custom; it is not said twice */
	if (!strncmp(title, result, strlen(result)) && !strncmp(title + strlen(result), ": ", 2))
		title += strlen(result) + 2;
	screen_style(sc, result_color(v->result));
	sink_raw(&sc->s, result);
	screen_plain(sc);
	screen_spaces(sc, 2);
	screen_style(sc, SCREEN_BOLD);
	screen_wrap(sc, title, (int)strlen(result) + 2);
	screen_plain(sc);
	snprintf(line, sizeof line, "%s%sjudged %s by %s", v->scenario, v->scenario[0] ? " · " : "",
	    words_wall(&at, v->judged_at_ms), v->judge);
	screen_style(sc, SCREEN_DIM);
	screen_wrap(sc, line, 0);
	if (v->has_drill) {
		snprintf(line, sizeof line, "drill %s", uuid_format(&v->drill, uuid));
		screen_style(sc, SCREEN_DIM);
		screen_wrap(sc, line, 0);
	}
}

static void reasons(struct screen *sc, const struct verdict *v)
{
	static const char *const labels[] = {"FAIL", "OPEN", "WARN", "INFO"};

	if (!v->reason_count)
		return;
	screen_heading(sc, v->result == VERDICT_PASS ? "To know" : "Why");
	for (size_t i = 0; i < v->reason_count; i++) {
		const struct verdict_reason *r = &v->reasons[i];
		enum verdict_severity severity = verdict_reason_severity(r->code);

		screen_spaces(sc, 2);
		screen_style(sc, severity_color(severity));
		sink_raw(&sc->s, labels[severity]);
		screen_plain(sc);
		screen_spaces(sc, 2);
		screen_style(sc, SCREEN_BOLD);
		sink_fill(&sc->s, "{}", verdict_reason_text(r->code), NULL);
		screen_plain(sc);
		sink_raw(&sc->s, "  ");
		screen_wrap(sc, verdict_reason_title(r->code), 10 + (int)strlen(verdict_reason_text(r->code)));
		if (r->message[0]) {
			screen_spaces(sc, 8);
			screen_wrap(sc, r->message, 8);
		}
		if (r->hint[0]) {
			sink_raw(&sc->s, "     -> ");
			screen_wrap(sc, r->hint, 8);
		}
	}
}

static const char *stream_name(const struct verdict_stream *s, char text[static 300])
{
	snprintf(text, 300, "%s writer %" PRId32, s->ns, s->writer);
	return text;
}

static void bad_ranges(struct screen *sc, const struct verdict *v, const size_t *order)
{
	size_t shown = 0, all = 0;
	bool truncated = false;
	char name[300];
	struct words w;

	for (size_t i = 0; i < v->stream_count; i++) {
		all += v->streams[i].bad_count;
		truncated |= v->streams[i].bad_truncated;
	}
	if (!all)
		return;
	screen_heading(sc, "Where");
	for (size_t i = 0; i < v->stream_count; i++) {
		const struct verdict_stream *s = &v->streams[order[i]];

		for (size_t k = 0; k < s->bad_count && shown < BAD_SHOWN; k++, shown++) {
			const struct verdict_range *r = &s->bad[k];

			screen_spaces(sc, 2);
			screen_style(sc, tick_class_fails(r->class) ? "31" : "33");
			screen_cell(sc, words_class(&w, r->class), 14, false);
			screen_plain(sc);
			screen_cell(sc, words_of(&w, range_ticks(r), "tick"), 14, true);
			sink_raw(&sc->s, "  number ");
			screen_cell(sc, words_range(&w, r), 26, false);
			sink_raw(&sc->s, " ");
			screen_wrap(sc, stream_name(s, name), 66);
		}
	}
	if (all > shown || truncated) {
		sink_printf(&sc->s, "  … and %s", truncated ? "at least " : "");
		sink_fill(&sc->s, "{} more\n", words_of(&w, (int64_t)(all - shown), "range"), NULL);
	}
}

static void figure(struct screen *sc, const char *label, const char *value, const char *what, int64_t limit_ms)
{
	struct words w;
	char text[200];

	screen_spaces(sc, 2);
	screen_style(sc, SCREEN_DIM);
	screen_cell(sc, label, 14, false);
	screen_plain(sc);
	screen_style(sc, SCREEN_BOLD);
	screen_cell(sc, value, 28, false);
	screen_plain(sc);
	if (limit_ms >= 0)
		snprintf(text, sizeof text, "%s (limit %.40s)", what, words_duration(&w, limit_ms));
	else
		snprintf(text, sizeof text, "%s", what);
	screen_spaces(sc, 2);
	screen_wrap(sc, text, 46);
}

static void figures(struct screen *sc, const struct verdict *v)
{
	char what[160];
	struct words w, n;

	screen_heading(sc, "Figures");
	if (v->has_removal) {
		screen_field(sc, "left", words_of(&w, v->removal_left, "object"));
		snprintf(what, sizeof what, "%s of ", words_of(&w, v->removal_objects, "object"));
		snprintf(what + strlen(what), sizeof what - strlen(what), "%s", words_of(&n, v->removal_kinds, "kind"));
		screen_field(sc, "looked at", what);
		return;
	}
	snprintf(what, sizeof what, "%s gone", words_of(&n, v->rpo_ops, "acknowledged operation"));
	figure(sc, "RPO", words_rpo(&w, v), v->has_rpo ? what : "the disaster or the restore point is not known",
	    v->max_rpo_ms);
	snprintf(what, sizeof what, "from the disaster to %s", v->rto_until[0] ? v->rto_until : "the last known phase");
	figure(sc, "RTO", words_rto(&w, v), v->has_rto ? what : "the timeline does not say", v->max_rto_ms);
}

static void class_row(struct screen *sc, const char *name, int64_t n, const char *meaning, const char *color)
{
	struct words w;

	screen_spaces(sc, 2);
	screen_style(sc, n ? color : SCREEN_DIM);
	screen_cell(sc, name, 14, false);
	screen_cell(sc, words_count(&w, n), 14, true);
	screen_plain(sc);
	screen_spaces(sc, 3);
	screen_style(sc, SCREEN_DIM);
	screen_wrap(sc, meaning, 33);
	screen_plain(sc);
}

static void ticks(struct screen *sc, const struct verdict *v)
{
	struct words w;

	screen_heading(sc, "Ticks");
	class_row(sc, "issued", v->issued, "sent, by the journal", "0");
	class_row(sc, "acknowledged", v->acked, "of these the database confirmed", "0");
	for (int c = 0; c < CLASS_COUNT; c++) {
		enum tick_class class = (enum tick_class)c;

		if (v->count[c] || c == CLASS_OK || c == CLASS_EXPECTED_LOSS || c == CLASS_LOST)
			class_row(sc, words_class(&w, class), v->count[c], tick_class_meaning(class),
			    tick_class_fails(class)  ? "1;31"
			    : c == CLASS_OK	     ? "32"
			    : c == CLASS_UNJOURNALED ? "33"
						     : "0");
	}
}

static void streams(struct screen *sc, const struct verdict *v, const size_t *order)
{
	struct words w;
	char name[300];

	if (v->stream_count < 2)
		return;
	screen_heading(sc, "Streams");
	screen_style(sc, SCREEN_DIM);
	sink_printf(
	    &sc->s, "  %-34s%-12s%12s%12s%14s%8s\n", "", "replica set", "issued", "ok", "expected loss", "failing");
	screen_plain(sc);
	for (size_t i = 0; i < v->stream_count && i < STREAMS_SHOWN; i++) {
		const struct verdict_stream *s = &v->streams[order[i]];
		int64_t failing = stream_failing(s);

		screen_spaces(sc, 2);
		screen_cell(sc, stream_name(s, name), 33, false);
		screen_spaces(sc, 1);
		screen_cell(sc, s->replica_set[0] ? s->replica_set : "-", 11, false);
		screen_spaces(sc, 1);
		screen_cell(sc, words_count(&w, s->issued), 12, true);
		screen_cell(sc, words_count(&w, s->count[CLASS_OK]), 12, true);
		screen_cell(sc, words_count(&w, s->count[CLASS_EXPECTED_LOSS]), 14, true);
		screen_style(sc, failing ? "1;31" : SCREEN_DIM);
		screen_cell(sc, words_count(&w, failing), 8, true);
		screen_plain(sc);
		sink_raw(&sc->s, "\n");
	}
	if (v->stream_count > STREAMS_SHOWN)
		sink_fill(&sc->s, "  … and {} more\n", words_of(&w, (int64_t)v->stream_count - STREAMS_SHOWN, "stream"),
		    NULL);
}

static void sets(struct screen *sc, const struct verdict *v)
{
	char text[200], b0[OPTIME_TEXT_MAX], b1[OPTIME_TEXT_MAX];
	struct words w;

	for (size_t i = 0; i < v->set_count; i++) {
		const struct verdict_set *set = &v->sets[i];
		const char *evidence = set->ticks < 0	 ? "the journal does not say which ticks live there"
				       : set->ticks == 0 ? "NO TICK: nothing proves this replica set"
							 : words_of(&w, set->ticks, "acknowledged tick");

		if (optime_cmp(set->b0, set->b1))
			snprintf(text, sizeof text, "between %s and %s, %s", optime_format(set->b0, b0),
			    optime_format(set->b1, b1), evidence);
		else
			snprintf(text, sizeof text, "up to %s, %s", optime_format(set->b0, b0), evidence);
		screen_field(sc, set->name, text);
	}
}

static void restore_point(struct screen *sc, const struct verdict *v)
{
	char text[1000], b0[OPTIME_TEXT_MAX];
	struct words w;

	if (!v->has_bound && !v->has_restore)
		return;
	screen_heading(sc, "Restore point");
	if (v->has_bound) {
		snprintf(
		    text, sizeof text, "%s%s%s", v->backup_name, v->backup_opid[0] ? ", opid " : "", v->backup_opid);
		screen_field(sc, "backup", text);
		snprintf(text, sizeof text, "%s, operation time %s", words_wall(&w, (int64_t)v->b0.t * 1000),
		    optime_format(v->b0, b0));
		screen_field(sc, "time", text);
		snprintf(text, sizeof text, "%s, exact to the %s%s%s%s%s", v->bound_source, v->bound_precision,
		    v->pbm_version[0] ? "; PBM " : "", v->pbm_version, v->mongodb_version[0] ? ", MongoDB " : "",
		    v->mongodb_version);
		screen_field(sc, "source", text);
		sets(sc, v);
	}
	if (v->has_restore) {
		snprintf(text, sizeof text, "\"%s\", says %s%s%s%s%s", v->restore_state, v->restore_reported_by,
		    v->restored_backup[0] ? ", of " : "", v->restored_backup, v->restore_detail[0] ? ": " : "",
		    v->restore_detail);
		screen_field(sc, "restore", text);
	}
}

static void waterfall(struct screen *sc, const struct verdict *v)
{
	int64_t total = 1;
	struct words w;

	if (!v->phase_count)
		return;
	for (size_t i = 0; i < v->phase_count; i++)
		if (v->phases[i].to_ms > total)
			total = v->phases[i].to_ms;
	screen_heading(sc, "Recovery");
	for (size_t i = 0; i < v->phase_count; i++) {
		const struct verdict_phase *p = &v->phases[i];
		double from = (double)(p->from_ms > 0 ? p->from_ms : 0) / (double)total;
		double length = (double)(p->to_ms - p->from_ms) / (double)total;
		int start = from < 1 ? (int)(from * BAR_WIDTH) : BAR_WIDTH - 1;
		int cells = length <= 0 ? 0 : length < 1 ? (int)(length * BAR_WIDTH + 0.5) : BAR_WIDTH;

		if (cells > BAR_WIDTH - start)
			cells = BAR_WIDTH - start;
		screen_spaces(sc, 2);
		screen_cell(sc, p->name, 32, false);
		screen_cell(sc, words_duration(&w, p->to_ms - p->from_ms), 14, true);
		screen_spaces(sc, 3 + start);
		screen_style(sc, "36");
		if (cells <= 0)
			sink_raw(&sc->s, "▏");
		for (int k = 0; k < cells; k++)
			sink_raw(&sc->s, "█");
		screen_plain(sc);
		sink_raw(&sc->s, "\n");
	}
}

static void age(char *text, size_t size, bool known, int64_t ms, const char *what)
{
	size_t used = strlen(text);
	struct words w;

	if (known)
		snprintf(
		    text + used, size - used, ", %s %s %s", words_distance(&w, ms), ms < 0 ? "after" : "before", what);
}

static void newest(struct screen *sc, const struct verdict *v)
{
	char text[400];
	struct words w;

	if (!v->newest_count)
		return;
	screen_heading(sc, "Newest tick");
	for (size_t i = 0; i < v->newest_count && i < ROWS_SHOWN; i++) {
		const struct verdict_newest *n = &v->newest[i];
		size_t used = (size_t)snprintf(text, sizeof text, "%s", words_wall(&w, n->created_at_ms));

		if (n->seq)
			snprintf(text + used, sizeof text - used, ", number %" PRId64, n->seq);
		age(text, sizeof text, n->has_age_at_backup, n->age_at_backup_ms, "the restore point's second ended");
		age(text, sizeof text, n->has_age_at_disaster, n->age_at_disaster_ms, "the disaster");
		screen_field(sc, n->ns, text);
	}
}

static void members(struct screen *sc, const struct verdict *v)
{
	char text[200];
	struct words w;

	if (!v->has_members)
		return;
	screen_heading(sc, "Members");
	snprintf(text, sizeof text, "%s beside the primaries: %" PRId64 " read, %" PRId64 " equal",
	    words_of(&w, v->members_asked, "member"), v->members_read, v->members_equal);
	screen_field(sc, "compared", text);
}

static void logins(struct screen *sc, const struct verdict *v)
{
	struct words w;
	size_t good = 0;

	if (!v->login_count)
		return;
	screen_heading(sc, "Logins");
	for (size_t i = 0; i < v->login_count; i++) {
		good += v->logins[i].ok;
		if (!v->logins[i].ok)
			screen_field(
			    sc, v->logins[i].user, v->logins[i].detail[0] ? v->logins[i].detail : "cannot log in");
	}
	if (good)
		screen_field(sc, good == v->login_count ? "all" : "others", words_of(&w, (int64_t)good, "user"));
}

static void check_list(struct screen *sc, const struct verdict *v)
{
	static const char *const marks[] = {"✓", "✗", "?", "-"};
	static const char *const colors[] = {"32", "1;31", "33", SCREEN_DIM};
	int column = 0;

	screen_heading(sc, "Checks");
	for (int c = 0; c < CHECK_COUNT; c++) {
		enum report_check check = (enum report_check)c;
		enum check_status status = check_status(v, check);
		int need = 4 + (int)strlen(check_text(check));

		if (!check_applies(v, check))
			continue;
		if (column && column + need > SCREEN_WIDTH) {
			sink_raw(&sc->s, "\n");
			column = 0;
		}
		screen_spaces(sc, 2);
		screen_style(sc, colors[status]);
		sink_raw(&sc->s, marks[status]);
		screen_plain(sc);
		sink_raw(&sc->s, " ");
		sink_raw(&sc->s, check_text(check));
		column += need;
	}
	sink_raw(&sc->s, "\n");
	if (check_applies(v, CHECK_SCHEMA) && check_is_optional(v, CHECK_SCHEMA))
		screen_field(
		    sc, "not judged", "indexes, options, users and roles: nothing tells what they were before");
	else if (check_applies(v, CHECK_ROLES) && check_is_optional(v, CHECK_ROLES))
		screen_field(sc, "not judged", "users and roles: they could not be read");
}

bool report_text(const struct verdict *v, bool color, const char *html_path, struct buf *out, struct err *err)
{
	CLEANUP(free) size_t *order = stream_order(v);
	struct screen sc = {.color = color};

	if (!order)
		return err_nomem(err);
	sink_init(&sc.s, out, escape_terminal);
	head(&sc, v);
	reasons(&sc, v);
	bad_ranges(&sc, v, order);
	figures(&sc, v);
	if (v->stream_count || v->issued)
		ticks(&sc, v);
	streams(&sc, v, order);
	restore_point(&sc, v);
	waterfall(&sc, v);
	newest(&sc, v);
	members(&sc, v);
	logins(&sc, v);
	check_list(&sc, v);
	if (html_path) {
		sink_raw(&sc.s, "\n");
		sink_fill(&sc.s, "Report: {}\n", html_path, NULL);
	}
	return sink_ok(&sc.s, err) || err_wrap(err, "text report");
}
