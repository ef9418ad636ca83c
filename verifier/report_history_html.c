#include "verifier/report_history.h"
#include "verifier/report_history_page.h"
#include "verifier/report_page.h"

#include <stdio.h>

#define ROWS_SHOWN 2000
#define TRENDS_SHOWN 12
#define SKIPPED_SHOWN 100

static void tile(struct sink *s, const char *tone, const char *name, const char *value, const char *note)
{
	sink_fill(
	    s, "<div class=\"{}\"><dt>{}</dt><dd>{}<small>{}</small></dd></div>\n", tone, name, value, note, NULL);
}

static void count_tile(struct sink *s, const struct history *h, enum verdict_result r, const char *note)
{
	size_t count = history_count(h, r);
	struct words w;

	tile(s, count && r != VERDICT_PASS ? "bad" : "", verdict_result_text(r), words_count(&w, (int64_t)count), note);
}

static void head(struct sink *s, const struct history *h)
{
	const struct history_run *last = &h->runs[h->run_count - 1];
	char title[128];
	struct words a, b;

	snprintf(title, sizeof title, "the newest of %s", words_of(&a, (int64_t)h->run_count, "drill"));
	page_open(s, verdict_result_text(last->result), title, page_class(last->result));
	sink_fill(s,
	    "<header>\n<p class=\"kicker\">psmdb-drill · history</p>\n<h1><span class=\"result\">{}</span> {}</h1>\n"
	    "<p class=\"meta\">judged from {} to {}</p>\n<dl class=\"tiles\">\n",
	    verdict_result_text(last->result), title, words_wall(&a, h->runs[0].judged_at_ms),
	    words_wall(&b, last->judged_at_ms), NULL);
	tile(s, "", "runs", words_count(&a, (int64_t)h->run_count), "that were read");
	count_tile(s, h, VERDICT_PASS, "everything was there");
	count_tile(s, h, VERDICT_FAIL, "data wrong, or a limit exceeded");
	count_tile(s, h, VERDICT_INCONCLUSIVE, "not enough evidence");
	count_tile(s, h, VERDICT_ERROR, "could not go on");
	tile(s, h->skipped_count ? "bad" : "", "skipped", words_count(&b, (int64_t)h->skipped_count),
	    "no run, or not to be read");
	sink_raw(s, "</dl>\n</header>\n<main>\n");
	if (h->left_out)
		sink_fill(s, "<p class=\"note\">The oldest {} are left out: a page takes {}.</p>\n",
		    words_of(&a, (int64_t)h->left_out, "run"), words_count(&b, HISTORY_RUNS_MAX), NULL);
}

static void table_row(struct sink *s, const struct history *h, const struct history_run *r)
{
	char reasons[1024], changes[1024];
	struct words at, rpo, rto, failing;

	history_changes(h, r, changes);
	sink_fill(s, "<tr><th scope=\"row\">", NULL);
	if (r->link[0])
		sink_fill(s, "<a class=\"nowrap\" href=\"{}\">{}</a>", r->link, words_wall(&at, r->judged_at_ms), NULL);
	else
		sink_fill(s, "<span class=\"nowrap\">{}</span>", words_wall(&at, r->judged_at_ms), NULL);
	sink_fill(s, "<small class=\"mono\">{}</small></th><td>", r->name, NULL);
	history_mark(s, r->result);
	sink_fill(s, " {}", verdict_result_text(r->result), NULL);
	if (history_reasons(r, reasons)[0])
		sink_fill(s, "<small>{}</small>", reasons, NULL);
	if (changes[0])
		sink_fill(s, "<small>{}</small>", changes, NULL);
	sink_fill(s,
	    "</td><td class=\"scenario\">{}</td><td class=\"figure\">{}</td><td class=\"figure\">{}</td><td "
	    "class=\"num{}\">{}</td></tr>\n",
	    r->scenario[0] ? r->scenario : "–", history_rpo(r, &rpo), history_rto(r, &rto), r->failing ? " bad" : "",
	    words_count(&failing, r->failing), NULL);
}

static void table(struct sink *s, const struct history *h)
{
	size_t from = h->run_count > ROWS_SHOWN ? h->run_count - ROWS_SHOWN : 0;
	struct words a, b;

	sink_raw(s, "<section><h2 id=\"runs\">Runs</h2>\n<p>The newest first.");
	if (from)
		sink_fill(s, " These are {} of them; {} older are in the trends only, and in --output json.",
		    words_count(&a, ROWS_SHOWN), words_count(&b, (int64_t)from), NULL);
	sink_raw(s, "</p>\n<div class=\"scroll tall\" tabindex=\"0\" role=\"region\" aria-labelledby=\"runs\">"
		    "<table class=\"runs\">\n<thead><tr><th scope=\"col\">judged; report</th><th scope=\"col\">result, "
		    "reasons, versions that changed</th><th "
		    "scope=\"col\">scenario</th><th scope=\"col\">RPO</th><th scope=\"col\">RTO</th><th scope=\"col\" "
		    "class=\"num\">failing ticks</th></tr></thead>\n<tbody>\n");
	for (size_t i = h->run_count; i-- > from;)
		table_row(s, h, &h->runs[i]);
	sink_raw(s, "</tbody></table></div>\n</section>\n");
}

static void skipped(struct sink *s, const struct history *h)
{
	struct words w;

	if (!h->skipped_count)
		return;
	sink_raw(s,
	    "<section><h2 id=\"skipped\">Skipped</h2>\n<div class=\"scroll tall\" tabindex=\"0\" role=\"region\" "
	    "aria-labelledby=\"skipped\"><table>\n<thead><tr><th "
	    "scope=\"col\">folder or file</th><th scope=\"col\">why</th></tr></thead>\n<tbody>\n");
	for (size_t i = 0; i < h->skipped_count && i < SKIPPED_SHOWN; i++)
		sink_fill(s, "<tr><th scope=\"row\" class=\"mono\">{}</th><td>{}</td></tr>\n", h->skipped[i].name,
		    h->skipped[i].why, NULL);
	sink_raw(s, "</tbody></table></div>\n");
	if (h->skipped_count > SKIPPED_SHOWN)
		sink_fill(s, "<p class=\"note\">{} more are not named.</p>\n",
		    words_count(&w, (int64_t)(h->skipped_count - SKIPPED_SHOWN)), NULL);
	sink_raw(s, "</section>\n");
}

bool report_history_html(const struct history *h, struct buf *out, struct err *err)
{
	struct sink s;
	struct words w;

	if (!h->run_count)
		return err_set(err, ERR_STATE, "a page of no run");
	sink_init(&s, out, escape_xml);
	head(&s, h);
	for (size_t i = 0; i < h->series_count && i < TRENDS_SHOWN; i++)
		history_trend(&s, h, &h->series[i], i);
	if (h->series_count > TRENDS_SHOWN)
		sink_fill(&s, "<p class=\"note\">{} with fewer runs have no trend here.</p>\n",
		    words_of(&w, (int64_t)(h->series_count - TRENDS_SHOWN), "scenario"), NULL);
	table(&s, h);
	skipped(&s, h);
	sink_raw(&s, "</main>\n<footer>this page is drawn from verdict.json files alone and needs no "
		     "network</footer>\n</body>\n</html>\n");
	return sink_ok(&s, err) || err_wrap(err, "HTML of the history");
}
