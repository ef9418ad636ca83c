#include "verifier/report_history.h"
#include "verifier/report_screen.h"

#include <stdio.h>

#define ROWS_SHOWN 200
#define SKIPPED_SHOWN 50

static const char *minutes(struct words *w, int64_t wall_ms)
{
	words_wall(w, wall_ms);
	if (w->text[0] != 'u')
		w->text[16] = '\0'; /* "2026-11-23 06:05" */
	return w->text;
}

static const char *color_of(enum verdict_result r)
{
	return r == VERDICT_PASS ? "32" : r == VERDICT_FAIL ? "1;31" : "33";
}

static void totals(struct sink *s, const struct history *h)
{
	struct words w;

	sink_fill(s, "{}", words_of(&w, (int64_t)h->run_count, "run"), NULL);
	for (int r = VERDICT_PASS; r <= VERDICT_ERROR; r++) {
		size_t count = history_count(h, (enum verdict_result)r);

		if (count)
			sink_fill(s, ", {} {}", words_count(&w, (int64_t)count),
			    verdict_result_text((enum verdict_result)r), NULL);
	}
	if (h->skipped_count)
		sink_fill(s, "; {} skipped", words_count(&w, (int64_t)h->skipped_count), NULL);
	if (h->left_out)
		sink_fill(s, "; the oldest {} left out", words_count(&w, (int64_t)h->left_out), NULL);
}

static void text_row(struct screen *sc, const struct history_run *r)
{
	char line[1400], reasons[1024];
	struct words w;

	screen_cell(sc, minutes(&w, r->judged_at_ms), 16, false);
	screen_spaces(sc, 1);
	screen_style(sc, color_of(r->result));
	screen_cell(sc, verdict_result_text(r->result), 12, false);
	screen_plain(sc);
	screen_spaces(sc, 1);
	screen_cell(sc, r->scenario[0] ? r->scenario : "-", 16, false);
	screen_spaces(sc, 1);
	screen_cell(sc, history_rpo(r, &w), 27, false);
	screen_spaces(sc, 1);
	screen_wrap(sc, history_rto(r, &w), 75);
	snprintf(line, sizeof line, "%s%s%s", r->name, history_reasons(r, reasons)[0] ? "  " : "", reasons);
	screen_spaces(sc, 17);
	screen_style(sc, SCREEN_DIM);
	screen_wrap(sc, line, 17);
}

static void text_changes(struct screen *sc, const struct history *h, const struct history_run *r)
{
	char changes[1024];

	if (!history_changes(h, r, changes)[0])
		return;
	screen_spaces(sc, 17);
	screen_style(sc, "36");
	screen_wrap(sc, changes, 17);
}

bool report_history_text(const struct history *h, bool color, struct buf *out, struct err *err)
{
	size_t from = h->run_count > ROWS_SHOWN ? h->run_count - ROWS_SHOWN : 0;
	struct screen sc = {.color = color};
	struct words w;

	sink_init(&sc.s, out, escape_terminal);
	screen_style(&sc, SCREEN_BOLD);
	totals(&sc.s, h);
	screen_plain(&sc);
	sink_raw(&sc.s, "\n\n");
	if (from)
		sink_fill(&sc.s, "The newest {}; of {} before them only the counts (all of them: --output json).\n\n",
		    words_count(&w, ROWS_SHOWN), words_count(&(struct words){0}, (int64_t)from), NULL);
	screen_style(&sc, SCREEN_DIM);
	sink_raw(&sc.s, "judged (UTC)     result       scenario         RPO                         RTO");
	screen_plain(&sc);
	sink_raw(&sc.s, "\n");
	for (size_t i = from; i < h->run_count; i++) {
		text_changes(&sc, h, &h->runs[i]);
		text_row(&sc, &h->runs[i]);
	}
	if (h->skipped_count)
		screen_heading(&sc, "Skipped");
	for (size_t i = 0; i < h->skipped_count && i < SKIPPED_SHOWN; i++) {
		screen_spaces(&sc, 2);
		screen_wrap(&sc, h->skipped[i].name, 2);
		screen_spaces(&sc, 6);
		screen_style(&sc, SCREEN_DIM);
		screen_wrap(&sc, h->skipped[i].why, 6);
	}
	if (h->skipped_count > SKIPPED_SHOWN)
		sink_fill(
		    &sc.s, "  … and {} more\n", words_count(&w, (int64_t)(h->skipped_count - SKIPPED_SHOWN)), NULL);
	return sink_ok(&sc.s, err) || err_wrap(err, "text of the history");
}

bool report_history_markdown(const struct history *h, struct buf *out, struct err *err)
{
	size_t from = h->run_count > ROWS_SHOWN ? h->run_count - ROWS_SHOWN : 0;
	struct sink s;
	struct words w, a, b, c;

	sink_init(&s, out, escape_markdown);
	sink_raw(&s, "## Drills: ");
	totals(&s, h);
	sink_raw(&s, "\n\n");
	if (from)
		sink_fill(&s, "The newest {}; of {} before them only the counts.\n\n", words_count(&a, ROWS_SHOWN),
		    words_count(&b, (int64_t)from), NULL);
	sink_raw(&s, "| judged | result | scenario | RPO | RTO | failing ticks | reasons | versions changed | run |\n| "
		     "--- | --- "
		     "| --- | --- | --- | ---: | --- | --- | --- |\n");
	for (size_t i = h->run_count; i-- > from;) {
		const struct history_run *r = &h->runs[i];
		char reasons[1024], changes[1024];

		sink_fill(&s, "| {} | {} {} | {} | {} | {} | {} | {} | {} | {} |\n", words_wall(&w, r->judged_at_ms),
		    r->result == VERDICT_PASS	? "✅"
		    : r->result == VERDICT_FAIL ? "❌"
						: "⚠️",
		    verdict_result_text(r->result), r->scenario, history_rpo(r, &a), history_rto(r, &b),
		    words_count(&c, r->failing), history_reasons(r, reasons), history_changes(h, r, changes), r->name,
		    NULL);
	}
	if (h->skipped_count)
		sink_raw(&s, "\n### Skipped\n\n| | why |\n| --- | --- |\n");
	for (size_t i = 0; i < h->skipped_count && i < SKIPPED_SHOWN; i++)
		sink_fill(&s, "| {} | {} |\n", h->skipped[i].name, h->skipped[i].why, NULL);
	if (h->skipped_count > SKIPPED_SHOWN)
		sink_fill(&s, "\n{} more were skipped.\n", words_count(&w, (int64_t)(h->skipped_count - SKIPPED_SHOWN)),
		    NULL);
	return sink_ok(&s, err) || err_wrap(err, "Markdown of the history");
}
