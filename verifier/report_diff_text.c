#include "verifier/report_diff.h"
#include "verifier/report_screen.h"
#include "verifier/report_words.h"

#include <stdio.h>

#define ROWS_SHOWN 100 /* of one part */

static const char *headline(int status)
{
	return status == EXIT_FAIL ? "WORSE" : status == EXIT_PASS ? "NOT WORSE" : "NOT COMPARABLE";
}

static const char *summary(int status)
{
	return status == EXIT_FAIL   ? "something got worse from the first run to the second"
	       : status == EXIT_PASS ? "nothing got worse from the first run to the second"
				     : "whether something got worse cannot be said";
}

/* What a reader wants to see though nothing has changed: the result and the two figures. */
static bool shown(const struct diff_row *r)
{
	return r->tone != DIFF_SAME || r->part == DIFF_RESULT || r->part == DIFF_FIGURES;
}

static size_t count_shown(const struct diff *d, enum diff_part part)
{
	size_t count = 0;

	for (size_t i = 0; i < d->row_count; i++)
		count += d->rows[i].part == part && shown(&d->rows[i]);
	return count;
}

static const char *tone_color(enum diff_tone t)
{
	return t == DIFF_WORSE ? "1;31" : t == DIFF_BETTER ? "32" : t == DIFF_NOT_KNOWN ? "33" : SCREEN_DIM;
}

static void name_run(struct screen *sc, const char *label, const char *name, const struct verdict *v)
{
	char text[400];
	struct words at;

	screen_field(sc, label, name);
	snprintf(text, sizeof text, "%s%s%s · judged %s by %s", verdict_result_text(v->result),
	    v->scenario[0] ? " · " : "", v->scenario, words_wall(&at, v->judged_at_ms), v->judge);
	screen_spaces(sc, 16);
	screen_style(sc, SCREEN_DIM);
	screen_wrap(sc, text, 16);
}

static void sentences(struct screen *sc, const char *heading, const struct diff_sentences *list)
{
	if (!list->count)
		return;
	screen_heading(sc, heading);
	for (size_t i = 0; i < list->count; i++) {
		sink_raw(&sc->s, "  - ");
		screen_wrap(sc, list->items[i].text, 4);
	}
}

static void text_row(struct screen *sc, const struct diff_row *r)
{
	char what[256];

	screen_spaces(sc, 2);
	screen_cell(sc, r->name, 26, false);
	screen_spaces(sc, 1);
	screen_cell(sc, r->before[0] ? r->before : "-", 21, false);
	screen_spaces(sc, 1);
	screen_cell(sc, r->after[0] ? r->after : "-", 21, false);
	screen_spaces(sc, 1);
	snprintf(what, sizeof what, "%s%s%s", diff_tone_text(r->tone), r->note[0] ? ": " : "", r->note);
	screen_style(sc, tone_color(r->tone));
	screen_wrap(sc, what, 73);
}

bool report_diff_text(const struct diff *d, bool color, struct buf *out, struct err *err)
{
	int status = diff_exit_status(d);
	struct screen sc = {.color = color};
	size_t same = 0;
	struct words w;

	sink_init(&sc.s, out, escape_terminal);
	screen_style(&sc, status == EXIT_FAIL ? "1;31" : status == EXIT_PASS ? "1;32" : "1;33");
	sink_raw(&sc.s, headline(status));
	screen_plain(&sc);
	sink_fill(&sc.s, "  {}\n", summary(status), NULL);
	name_run(&sc, "first", d->before_name, d->before);
	name_run(&sc, "second", d->after_name, d->after);
	sentences(&sc, "Worse, because", &d->worse);
	sentences(&sc, "What cannot be compared", &d->incomparable);
	sentences(&sc, "To know", &d->notes);
	for (int p = 0; p < DIFF_PART_COUNT; p++) {
		size_t rows = count_shown(d, (enum diff_part)p), left = ROWS_SHOWN;

		if (rows)
			screen_heading(&sc, diff_part_heading((enum diff_part)p));
		for (size_t i = 0; i < d->row_count && left; i++)
			if (d->rows[i].part == (enum diff_part)p && shown(&d->rows[i])) {
				text_row(&sc, &d->rows[i]);
				left--;
			}
		if (rows > ROWS_SHOWN)
			sink_fill(&sc.s, "  … and {} more: --output json\n",
			    words_count(&w, (int64_t)(rows - ROWS_SHOWN)), NULL);
	}
	for (size_t i = 0; i < d->row_count; i++)
		same += !shown(&d->rows[i]);
	if (same)
		sink_fill(&sc.s, "\n{} did not change (all of them: --output json).\n",
		    words_of(&w, (int64_t)same, "row"), NULL);
	return sink_ok(&sc.s, err) || err_wrap(err, "text of the comparison");
}

static void markdown_sentences(struct sink *s, const char *heading, const struct diff_sentences *list)
{
	if (!list->count)
		return;
	sink_fill(s, "### {}\n\n", heading, NULL);
	for (size_t i = 0; i < list->count; i++)
		sink_fill(s, "- {}\n", list->items[i].text, NULL);
	sink_raw(s, "\n");
}

static void markdown_run(struct sink *s, const char *label, const char *name, const struct verdict *v)
{
	struct words at;

	sink_fill(s, "| {} | {} | {} | {} | {} |\n", label, name, verdict_result_text(v->result), v->scenario,
	    words_wall(&at, v->judged_at_ms), NULL);
}

bool report_diff_markdown(const struct diff *d, struct buf *out, struct err *err)
{
	int status = diff_exit_status(d);
	struct sink s;
	struct words w;

	sink_init(&s, out, escape_markdown);
	sink_fill(&s, "## {} {}: {}\n\n",
	    status == EXIT_FAIL	  ? "❌"
	    : status == EXIT_PASS ? "✅"
				  : "⚠️",
	    headline(status), summary(status), NULL);
	sink_raw(&s, "| | run | result | scenario | judged |\n| --- | --- | --- | --- | --- |\n");
	markdown_run(&s, "first", d->before_name, d->before);
	markdown_run(&s, "second", d->after_name, d->after);
	sink_raw(&s, "\n");
	markdown_sentences(&s, "Worse, because", &d->worse);
	markdown_sentences(&s, "What cannot be compared", &d->incomparable);
	markdown_sentences(&s, "To know", &d->notes);
	for (int p = 0; p < DIFF_PART_COUNT; p++) {
		size_t rows = count_shown(d, (enum diff_part)p), left = ROWS_SHOWN;

		if (rows)
			sink_fill(&s, "### {}\n\n| | first | second | | |\n| --- | --- | --- | --- | --- |\n",
			    diff_part_heading((enum diff_part)p), NULL);
		for (size_t i = 0; i < d->row_count && left; i++) {
			const struct diff_row *r = &d->rows[i];

			if (r->part != (enum diff_part)p || !shown(r))
				continue;
			left--;
			sink_fill(&s, "| {} | {} | {} | {} | {} |\n", r->name, r->before[0] ? r->before : "-",
			    r->after[0] ? r->after : "-", diff_tone_text(r->tone), r->note, NULL);
		}
		if (rows > ROWS_SHOWN)
			sink_fill(
			    &s, "\n{} more are not shown.\n", words_count(&w, (int64_t)(rows - ROWS_SHOWN)), NULL);
		if (rows)
			sink_raw(&s, "\n");
	}
	return sink_ok(&s, err) || err_wrap(err, "Markdown of the comparison");
}
