#include "verifier/report.h"
#include "verifier/report_checks.h"
#include "verifier/report_page.h"
#include "verifier/report_words.h"

#include <stdio.h>
#include <string.h>

const char *page_class(enum verdict_result r)
{
	return r == VERDICT_PASS	   ? "pass"
	       : r == VERDICT_FAIL	   ? "fail"
	       : r == VERDICT_INCONCLUSIVE ? "inconclusive"
					   : "error";
}

static const char *bare_title(const struct verdict *v)
{
	size_t len = strlen(verdict_result_text(v->result));

	return !strncmp(v->title, verdict_result_text(v->result), len) && !strncmp(v->title + len, ": ", 2)
		   ? v->title + len + 2
		   : v->title;
}

void page_open(struct sink *s, const char *result, const char *title, const char *class)
{
	sink_raw(s,
	    "<!DOCTYPE html>\n<html lang=\"en\" xmlns=\"http://www.w3.org/1999/xhtml\">\n<head>\n<meta "
	    "charset=\"utf-8\"/>\n"
	    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n"
	    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\"/>\n"
	    "<meta name=\"referrer\" content=\"no-referrer\"/>\n<meta name=\"color-scheme\" content=\"light "
	    "dark\"/>\n");
	sink_fill(s, "<title>{}: {}</title>\n", result, title, NULL);
	sink_raw(s, "<style>\n");
	sink_raw(s, report_style);
	sink_raw(s, "</style>\n</head>\n");
	sink_fill(s, "<body class=\"{}\">\n", class, NULL);
}

static void hero(struct sink *s, const struct verdict *v)
{
	char uuid[UUID_TEXT_MAX];
	struct words w;

	sink_fill(
	    s, "<header>\n<p class=\"kicker\">psmdb-drill{}{}</p>\n", v->scenario[0] ? " · " : "", v->scenario, NULL);
	sink_fill(
	    s, "<h1><span class=\"result\">{}</span> {}</h1>\n", verdict_result_text(v->result), bare_title(v), NULL);
	sink_fill(s, "<p class=\"meta\">judged {} by {}", words_wall(&w, v->judged_at_ms), v->judge, NULL);
	if (v->has_drill)
		sink_fill(s, " · drill <span class=\"mono\">{}</span>", uuid_format(&v->drill, uuid), NULL);
	sink_raw(s, "</p>\n");
}

static void tile(struct sink *s, const char *tone, const char *name, const char *value, const char *note)
{
	sink_fill(
	    s, "<div class=\"{}\"><dt>{}</dt><dd>{}<small>{}</small></dd></div>\n", tone, name, value, note, NULL);
}

static void limit_note(char *text, size_t size, int64_t limit_ms)
{
	size_t used = strlen(text);
	struct words w;

	if (limit_ms >= 0)
		snprintf(text + used, size - used, "%slimit %s", used ? " · " : "", words_duration(&w, limit_ms));
}

static bool has_reason(const struct verdict *v, enum verdict_reason_code code)
{
	for (size_t i = 0; i < v->reason_count; i++)
		if (v->reasons[i].code == code)
			return true;
	return false;
}

static void tiles(struct sink *s, const struct verdict *v)
{
	char note[200] = "", value[64] = "unknown";
	struct words w, n;

	sink_raw(s, "<dl class=\"tiles\">\n");
	if (v->has_removal) {
		snprintf(note, sizeof note, "of %s", words_of(&n, v->removal_kinds, "kind"));
		tile(s, v->removal_left ? "bad" : "", "left", words_count(&w, v->removal_left), "of the installation");
		tile(s, "", "looked at", words_of(&w, v->removal_objects, "object"), note);
		tile(s, "", "not read", words_of(&w, v->removal_kinds_unread, "kind"), "that the server did not show");
		sink_raw(s, "</dl>\n</header>\n<main>\n");
		return;
	}
	if (v->has_rpo) {
		snprintf(note, sizeof note, "± %s · %s gone", words_duration(&w, v->rpo_error_ms),
		    words_of(&n, v->rpo_ops, "operation"));
		snprintf(
		    value, sizeof value, "%s%.40s", v->rpo_at_least ? "at least " : "", words_duration(&w, v->rpo_ms));
	}
	limit_note(note, sizeof note, v->max_rpo_ms);
	tile(s, has_reason(v, REASON_RPO_EXCEEDED) ? "bad" : "", "RPO", value, note);
	snprintf(note, sizeof note, "%s%s", v->has_rto && v->rto_until[0] ? "to " : "", v->has_rto ? v->rto_until : "");
	limit_note(note, sizeof note, v->max_rto_ms);
	tile(s, has_reason(v, REASON_RTO_EXCEEDED) ? "bad" : "", "RTO", words_rto(&w, v), note);
	/* a 0 would be a good figure */
	if (check_status(v, CHECK_DATA) == CHECK_NOT_JUDGED) {
		tile(s, "", "acknowledged", "–", "ticks were not judged");
		tile(s, "", "intact", "–", "not judged");
		tile(s, "", "lost", "–", "not judged");
		tile(s, "", "expected loss", "–", "not judged");
		sink_raw(s, "</dl>\n</header>\n<main>\n");
		return;
	}
	snprintf(note, sizeof note, "of %s issued", words_count(&n, v->issued));
	tile(s, "", "acknowledged", words_count(&w, v->acked), note);
	tile(s, "", "intact", words_count(&w, v->count[CLASS_OK]), "acknowledged before the restore point");
	tile(s, v->count[CLASS_LOST] ? "bad" : "", "lost", words_count(&w, v->count[CLASS_LOST]), "of those, missing");
	tile(s, "", "expected loss", words_count(&w, v->count[CLASS_EXPECTED_LOSS]), "written after the restore point");
	sink_raw(s, "</dl>\n</header>\n<main>\n");
}

static void reasons(struct sink *s, const struct verdict *v)
{
	if (!v->reason_count)
		return;
	sink_fill(
	    s, "<section><h2>{}</h2>\n<ul class=\"reasons\">\n", v->result == VERDICT_PASS ? "To know" : "Why", NULL);
	for (size_t i = 0; i < v->reason_count; i++) {
		const struct verdict_reason *r = &v->reasons[i];
		const char *severity = verdict_severity_text(verdict_reason_severity(r->code));

		sink_fill(s, "<li class=\"{}\"><h3>{} <small><span class=\"mono\">{}</span> · {}</small></h3>",
		    severity, verdict_reason_title(r->code), verdict_reason_text(r->code), severity, NULL);
		if (r->message[0])
			sink_fill(s, "<p>{}</p>", r->message, NULL);
		if (r->hint[0])
			sink_fill(s, "<p class=\"hint\">{}</p>", r->hint, NULL);
		sink_raw(s, "</li>\n");
	}
	sink_raw(s, "</ul>\n</section>\n");
}

bool report_html(const struct verdict *v, struct buf *out, struct err *err)
{
	CLEANUP(free) size_t *order = stream_order(v);
	struct sink s;

	if (!order)
		return err_nomem(err);
	sink_init(&s, out, escape_xml);
	page_open(&s, verdict_result_text(v->result), bare_title(v), page_class(v->result));
	hero(&s, v);
	tiles(&s, v);
	reasons(&s, v);
	page_story(&s, v);
	page_waterfall(&s, v);
	page_lanes(&s, v, order);
	page_bad_ranges(&s, v, order);
	page_checks(&s, v);
	page_restore_point(&s, v);
	page_database(&s, v);
	page_events(&s, v);
	page_evidence(&s, v);
	/* its words are about ticks */
	if (!v->has_removal)
		page_glossary(&s);
	sink_fill(&s,
	    "</main>\n<footer>{} · this page is drawn from verdict.json alone and needs no "
	    "network</footer>\n</body>\n</html>\n",
	    v->judge, NULL);
	return sink_ok(&s, err) || err_wrap(err, "HTML report");
}
