#include "verifier/report_history_page.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* More runs than this are drawn in so many columns, each of runs that follow one another. */
#define COLUMNS 36
#define LEFT 8.0   /* percent of the width, for the scale's figures */
#define RIGHT 99.0 /* percent */
#define BAND 120   /* pixels of one figure's scale */
#define RPO_TOP 40
#define RTO_TOP 200
#define RESULT_Y 348
#define HEIGHT 390
#define CHANGES_SHOWN 40

struct column {
	size_t from, to; /* runs of the series */
	double x, width; /* middle; percent */
};

struct plan {
	const struct history *h;
	const struct history_series *series;
	struct column columns[COLUMNS];
	size_t count;
};

struct value {
	bool known, at_least;
	int64_t ms, error_ms, limit_ms;
};

static const char *const shapes[] = {
    "M0-9a9 9 0 1 0 .01 0z", /* PASS: a disc */
    "M0-11 11 0 0 11-11 0z", /* FAIL: on its corner */
    "M0-11 11 8-11 8z",	     /* INCONCLUSIVE: a triangle */
    "M-9-9H9V9H-9z",	     /* ERROR: a square */
};

static const char *letter(enum verdict_result r)
{
	static const char *const letters[] = {"P", "F", "I", "E"};

	return letters[r];
}

static void shape(struct sink *s, enum verdict_result r)
{
	sink_fill(s, "<path class=\"r-{}\" d=\"{}\"/><text class=\"letter\" text-anchor=\"middle\" y=\"{}\">{}</text>",
	    verdict_result_text(r), shapes[r], r == VERDICT_INCONCLUSIVE ? "6" : "4", letter(r), NULL);
}

void history_mark(struct sink *s, enum verdict_result r)
{
	sink_raw(s, "<svg class=\"mark\" width=\"24\" height=\"24\" viewBox=\"-12 -12 24 24\" aria-hidden=\"true\">");
	shape(s, r);
	sink_raw(s, "</svg>");
}

static struct value value_of(const struct history_run *r, bool rto)
{
	return rto ? (struct value){r->has_rto, !r->rto_complete, r->rto_ms, r->rto_error_ms, r->max_rto_ms}
		   : (struct value){r->has_rpo, r->rpo_at_least, r->rpo_ms, r->rpo_error_ms, r->max_rpo_ms};
}

static const struct history_run *run_at(const struct plan *p, size_t i)
{
	return history_at(p->h, p->series, i);
}

static void make_plan(struct plan *p, const struct history *h, const struct history_series *series)
{
	*p = (struct plan){.h = h, .series = series, .count = series->count < COLUMNS ? series->count : COLUMNS};
	for (size_t c = 0; c < p->count; c++) {
		double width = (RIGHT - LEFT) / (double)p->count;

		p->columns[c] = (struct column){c * series->count / p->count, (c + 1) * series->count / p->count,
		    LEFT + width * ((double)c + .5), width};
	}
}

/* What a scale shows; a file's figures may be anything. */
struct span {
	double most;	   /* the scale's end, with some room above */
	double limit_most; /* the greatest limit that is above the scale; 0: none */
	bool any;	   /* a figure is known */
};

/* Limits belong to the scale unless they are so far off that the figures would lie flat on its ground. */
static struct span span_of(const struct plan *p, bool rto)
{
	struct span span = {0};
	double limit = 0;

	for (size_t i = 0; i < p->series->count; i++) {
		struct value v = value_of(run_at(p, i), rto);
		double end = (double)v.ms + (double)v.error_ms;

		span.any |= v.known;
		if (v.known && end > span.most)
			span.most = end;
		if ((double)v.limit_ms > limit)
			limit = (double)v.limit_ms;
	}
	if (limit > 3 * span.most && span.most > 0)
		span.limit_most = limit;
	else if (limit > span.most)
		span.most = limit;
	span.most = span.most > 0 ? span.most * 1.06 : 1000;
	return span;
}

static double y_of(double ms, double most, int top)
{
	double f = ms / most;

	return top + BAND * (1 - (f < 0 ? 0 : f > 1 ? 1 : f));
}

static void scale(struct sink *s, const char *name, double most, int top)
{
	struct words w;

	sink_fill(s, "<g class=\"axis\"><text x=\"0\" y=\"{}\" class=\"name\">{}</text>", words_count(&w, top - 12),
	    name, NULL);
	for (int i = 0; i <= 2; i++) {
		double ms = most / 1.06 * i / 2, y = y_of(ms, most, top);

		sink_printf(
		    s, "<line x1=\"0\" x2=\"100%%\" y1=\"%.1f\" y2=\"%.1f\"/><text x=\"0\" y=\"%.1f\">", y, y, y - 4);
		sink_fill(s, "{}</text>", i ? words_duration(&w, ms < 9e17 ? (int64_t)ms : (int64_t)9e17) : "0", NULL);
	}
	sink_raw(s, "</g>\n");
}

static void limits(struct sink *s, const struct plan *p, bool rto, double most, int top)
{
	for (size_t c = 0; c < p->count; c++) {
		const struct column *col = &p->columns[c];
		int64_t limit = value_of(run_at(p, col->to - 1), rto).limit_ms;

		if (limit >= 0 && (double)limit <= most)
			sink_printf(s, "<line class=\"limit\" x1=\"%.3f%%\" x2=\"%.3f%%\" y1=\"%.1f\" y2=\"%.1f\"/>\n",
			    col->x - col->width / 2, col->x + col->width / 2, y_of((double)limit, most, top),
			    y_of((double)limit, most, top));
	}
}

static int ascending(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x > y ? 1 : x < y ? -1 : 0;
}

static void vertical(struct sink *s, const char *class, double x, double y1, double y2)
{
	sink_fill(s, "<line class=\"{}\"", class, NULL);
	sink_printf(s, " x1=\"%.3f%%\" x2=\"%.3f%%\" y1=\"%.1f\" y2=\"%.1f\"/>", x, x, y1, y2);
}

/* Of several runs: from the least to the greatest of what was known, errors included, and the middle one. */
static void draw_column(struct sink *s, const struct plan *p, const struct column *col, bool rto, double most, int top)
{
	int64_t *values = calloc(col->to - col->from, sizeof *values);
	double least = 0, end = 0;
	bool open = false;
	size_t known = 0;

	if (!values) {
		err_nomem(&s->err);
		return;
	}
	for (size_t i = col->from; i < col->to; i++) {
		struct value v = value_of(run_at(p, i), rto);

		if (!v.known)
			continue;
		if (!known || (double)v.ms - (double)v.error_ms < least)
			least = (double)v.ms - (double)v.error_ms;
		if (!known || (double)v.ms + (double)v.error_ms > end)
			end = (double)v.ms + (double)v.error_ms;
		open |= v.at_least;
		values[known++] = v.ms;
	}
	if (known) {
		double middle;

		qsort(values, known, sizeof *values, ascending);
		middle = y_of((double)values[known / 2], most, top);
		vertical(s, known > 1 ? "spread" : "error", col->x, y_of(least, most, top), y_of(end, most, top));
		/* at least: it may reach to any height */
		if (open)
			vertical(s, "open", col->x, middle, top);
		sink_printf(s, "<circle class=\"dot-%s\" cx=\"%.3f%%\" cy=\"%.1f\" r=\"4\"/>\n",
		    open ? "open" : "known", col->x, middle);
	}
	free(values);
}

static void band(struct sink *s, const struct plan *p, bool rto)
{
	struct span span = span_of(p, rto);
	int top = rto ? RTO_TOP : RPO_TOP;
	struct words w;

	if (!span.any) {
		sink_printf(s, "<text class=\"none\" x=\"0\" y=\"%d\">", top + BAND / 2);
		sink_fill(s, "No run has an {}.</text>\n", rto ? "RTO" : "RPO", NULL);
		return;
	}
	scale(s, rto ? "RTO" : "RPO", span.most, top);
	limits(s, p, rto, span.most, top);
	if (span.limit_most > 0) {
		sink_printf(s, "<text class=\"above\" x=\"100%%\" text-anchor=\"end\" y=\"%d\">", top - 12);
		sink_fill(s, "the limit, {}, is above the scale</text>\n",
		    words_duration(&w, span.limit_most < 9e17 ? (int64_t)span.limit_most : (int64_t)9e17), NULL);
	}
	for (size_t c = 0; c < p->count; c++)
		draw_column(s, p, &p->columns[c], rto, span.most, top);
}

static enum verdict_result worst(const struct plan *p, const struct column *col, size_t count[static 4])
{
	static const enum verdict_result order[] = {VERDICT_FAIL, VERDICT_ERROR, VERDICT_INCONCLUSIVE};

	for (size_t i = col->from; i < col->to; i++)
		count[run_at(p, i)->result]++;
	for (size_t i = 0; i < sizeof order / sizeof *order; i++)
		if (count[order[i]])
			return order[i];
	return VERDICT_PASS;
}

static void column_title(struct sink *s, const struct plan *p, const struct column *col, const size_t count[static 4])
{
	const struct history_run *first = run_at(p, col->from), *last = run_at(p, col->to - 1);
	struct words a, b, c;

	if (col->to - col->from == 1) {
		sink_fill(s, "<title>{} {}: RPO {}, RTO {} ({})</title>", words_wall(&a, first->judged_at_ms),
		    verdict_result_text(first->result), history_rpo(first, &b), history_rto(first, &c), first->name,
		    NULL);
		return;
	}
	sink_fill(s, "<title>{} to {}:", words_wall(&a, first->judged_at_ms), words_wall(&b, last->judged_at_ms), NULL);
	for (int r = VERDICT_PASS; r <= VERDICT_ERROR; r++)
		if (count[r])
			sink_fill(s, " {} {}", words_count(&c, (int64_t)count[r]),
			    verdict_result_text((enum verdict_result)r), NULL);
	sink_raw(s, "</title>");
}

/* A target of the pointer over the whole height carries the column's figures; its mark below. */
static void results(struct sink *s, const struct plan *p)
{
	for (size_t c = 0; c < p->count; c++) {
		const struct column *col = &p->columns[c];
		size_t count[4] = {0};
		enum verdict_result r = worst(p, col, count);

		sink_printf(s, "<g><rect class=\"touch\" x=\"%.3f%%\" y=\"0\" width=\"%.3f%%\" height=\"%d\">",
		    col->x - col->width / 2, col->width, HEIGHT);
		column_title(s, p, col, count);
		sink_printf(s, "</rect><svg x=\"%.3f%%\" y=\"%d\" width=\"1\" height=\"1\" overflow=\"visible\">",
		    col->x, RESULT_Y);
		shape(s, r);
		sink_raw(s, "</svg></g>\n");
	}
}

static void date(struct sink *s, const struct plan *p, size_t c, const char *anchor)
{
	struct words w;

	words_wall(&w, run_at(p, p->columns[c].from)->judged_at_ms);
	w.text[10] = '\0';
	sink_fill(s, "<text class=\"date\" text-anchor=\"{}\"", anchor, NULL);
	sink_printf(s, " x=\"%.3f%%\" y=\"%d\">", p->columns[c].x, HEIGHT - 8);
	sink_fill(s, "{}</text>\n", w.text, NULL);
}

static void dates(struct sink *s, const struct plan *p)
{
	size_t last = p->count - 1;

	date(s, p, 0, last ? "start" : "middle");
	if (last >= 2 && p->count >= 12)
		date(s, p, last / 2, "middle");
	if (last)
		date(s, p, last, "end");
}

static size_t count_changes(const struct plan *p, size_t from, size_t to)
{
	char changes[1024];
	size_t count = 0;

	for (size_t i = from; i < to; i++)
		count += history_changes(p->h, run_at(p, i), changes)[0] != '\0';
	return count;
}

static void change_marks(struct sink *s, const struct plan *p)
{
	size_t number = 0;

	for (size_t c = 0; c < p->count; c++) {
		const struct column *col = &p->columns[c];
		size_t count = count_changes(p, col->from, col->to);
		double x = col->x - (col->to - col->from == 1 ? col->width / 2 : 0);

		if (!count)
			continue;
		vertical(s, "change", x, 8, RESULT_Y + 16);
		sink_printf(s, "<text class=\"change-number\" x=\"%.3f%%\" y=\"12\" dx=\"4\">%zu", x, number + 1);
		if (count > 1)
			sink_printf(s, "–%zu", number + count);
		sink_raw(s, "</text>\n");
		number += count;
	}
}

static void change_list(struct sink *s, const struct plan *p)
{
	size_t all = count_changes(p, 0, p->series->count), shown = 0;
	char changes[1024];
	struct words w;

	if (!all)
		return;
	sink_raw(s, "<h3>Versions that changed</h3>\n<ol class=\"changes\">\n");
	for (size_t i = 0; i < p->series->count && shown < CHANGES_SHOWN; i++) {
		if (!history_changes(p->h, run_at(p, i), changes)[0])
			continue;
		shown++;
		sink_fill(
		    s, "<li><time>{}</time> {}</li>\n", words_wall(&w, run_at(p, i)->judged_at_ms), changes, NULL);
	}
	sink_raw(s, "</ol>\n");
	if (all > shown)
		sink_fill(s, "<p class=\"note\">{} more are in the table.</p>\n",
		    words_of(&w, (int64_t)(all - shown), "change"), NULL);
}

static void legend(struct sink *s, const struct plan *p)
{
	sink_raw(s, "<ul class=\"legend\">\n");
	for (int r = VERDICT_PASS; r <= VERDICT_ERROR; r++) {
		sink_raw(s, "<li>");
		history_mark(s, (enum verdict_result)r);
		sink_fill(s, " {}</li>\n", verdict_result_text((enum verdict_result)r), NULL);
	}
	sink_raw(s,
	    "<li><svg class=\"mark\" width=\"24\" height=\"24\" aria-hidden=\"true\"><line class=\"error\" x1=\"12\" "
	    "x2=\"12\" y1=\"3\" y2=\"21\"/><circle class=\"dot-known\" cx=\"12\" cy=\"12\" r=\"4\"/></svg> figure ± "
	    "error</li>\n<li><svg class=\"mark\" width=\"24\" height=\"24\" aria-hidden=\"true\"><line class=\"open\" "
	    "x1=\"12\" x2=\"12\" y1=\"0\" y2=\"14\"/><circle class=\"dot-open\" cx=\"12\" cy=\"16\" r=\"4\"/></svg> at "
	    "least</li>\n<li><svg class=\"mark\" width=\"24\" height=\"24\" aria-hidden=\"true\"><line class=\"limit\" "
	    "x1=\"0\" x2=\"24\" y1=\"12\" y2=\"12\"/></svg> limit</li>\n<li><svg class=\"mark\" width=\"24\" "
	    "height=\"24\" aria-hidden=\"true\"><line class=\"change\" x1=\"12\" x2=\"12\" y1=\"0\" y2=\"24\"/></svg> "
	    "versions changed</li>\n");
	if (p->series->count > p->count)
		sink_raw(s,
		    "<li><svg class=\"mark\" width=\"24\" height=\"24\" aria-hidden=\"true\"><line class=\"spread\" "
		    "x1=\"12\" x2=\"12\" y1=\"2\" y2=\"22\"/></svg> least to greatest of several runs</li>\n");
	sink_raw(s, "</ul>\n");
}

static void description(struct sink *s, const struct plan *p, size_t number)
{
	size_t count[4] = {0};
	struct column all = {.to = p->series->count};
	struct words w;

	worst(p, &all, count);
	sink_printf(s, "<title id=\"trend-%zu-t\">", number);
	sink_fill(s, "RPO, RTO and result of {} of {}</title>", words_of(&w, (int64_t)p->series->count, "run"),
	    run_at(p, 0)->scenario[0] ? run_at(p, 0)->scenario : "no scenario", NULL);
	sink_printf(s, "<desc id=\"trend-%zu-d\">", number);
	for (int r = VERDICT_PASS; r <= VERDICT_ERROR; r++)
		sink_fill(s, "{} {}, ", words_count(&w, (int64_t)count[r]), verdict_result_text((enum verdict_result)r),
		    NULL);
	sink_raw(s, "over the time; each run is a row of the table below.</desc>\n");
}

void history_trend(struct sink *s, const struct history *h, const struct history_series *series, size_t number)
{
	struct plan p;
	struct words w, n;

	make_plan(&p, h, series);
	sink_fill(s, "<section><h2>{} <small>{}</small></h2>\n",
	    run_at(&p, 0)->scenario[0] ? run_at(&p, 0)->scenario : "no scenario",
	    words_of(&w, (int64_t)series->count, "run"), NULL);
	if (series->count > p.count)
		sink_fill(s,
		    "<p>Each column is about {} that follow one another: the middle figure, from the least to the "
		    "greatest, "
		    "and the worst result. Every run is in the table.</p>\n",
		    words_of(&n, (int64_t)((series->count + p.count / 2) / p.count), "run"), NULL);
	sink_fill(s, "<figure class=\"scroll\" tabindex=\"0\" role=\"group\" aria-label=\"trend of {}\">\n",
	    run_at(&p, 0)->scenario, NULL);
	sink_printf(s,
	    "<svg class=\"trend\" role=\"img\" aria-labelledby=\"trend-%zu-t trend-%zu-d\" width=\"100%%\" "
	    "height=\"%d\" "
	    "style=\"min-width:%zupx\">\n",
	    number, number, HEIGHT, p.count > 9 ? 88 + 24 * p.count : 300);
	description(s, &p, number);
	change_marks(s, &p);
	band(s, &p, false);
	band(s, &p, true);
	results(s, &p);
	dates(s, &p);
	sink_raw(s, "</svg>\n</figure>\n");
	legend(s, &p);
	change_list(s, &p);
	sink_raw(s, "</section>\n");
}
