#include "verifier/report_page.h"
#include "verifier/report_words.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Coordinates are per cent of the width, between MARGIN and 100 - MARGIN. */
#define MARGIN 2.0
#define ROW_GAP 8.0 /* two badges in one row are at least so far apart */
#define BADGE_ROWS 5
#define MOMENTS_MAX 24

/* What a reader wants to find again on the picture. Others are ticks on the bar. */
static const struct {
	const char *name, *label;
} moments[] = {
    {"drill.start", "drill started"},
    {"backup.requested", "backup requested"},
    {"backup.finished", "backup finished"},
    {"bound.pinned", "restore point pinned"},
    {"disaster", "disaster"},
    {"volumes.gone", "volumes gone"},
    {"cluster.requested", "cluster requested"},
    {"cluster.ready", "cluster ready"},
    {"restore.requested", "restore requested"},
    {"restore.finished", "restore finished"},
    {"outage.start", "outage started"},
    {"outage.end", "outage ended"},
    {"bucket.recheck", "bucket checked again"},
    {"run.resumed", "drill taken up again"},
};

struct story {
	int64_t from, to; /* wall, ms */
	int64_t knee;	  /* the disaster; where a second scale may begin */
	double knee_at;	  /* its place, 0 to 1 */
	bool has_disaster, has_point, has_up, two_scales;
	int64_t point, up; /* restore point and end of the recovery */
};

static const char *moment_label(const char *name)
{
	for (size_t i = 0; i < sizeof moments / sizeof *moments; i++)
		if (!strcmp(moments[i].name, name))
			return moments[i].label;
	return NULL;
}

static void stretch(struct story *st, int64_t at)
{
	if (at < st->from)
		st->from = at;
	if (at > st->to)
		st->to = at;
}

/* INT64_MIN is an unknown time; the rest of the calendar fits into differences without overflow. */
static bool usable(int64_t at_ms)
{
	return at_ms > -62167219200000 && at_ms < 253402300800000;
}

static bool story_plan(const struct verdict *v, struct story *st)
{
	bool any = false;

	*st = (struct story){.from = INT64_MAX, .to = INT64_MIN};
	for (size_t i = 0; i < v->event_count; i++) {
		const struct verdict_event *e = &v->events[i];

		if (!usable(e->at_ms) || !moment_label(e->name))
			continue;
		any = true;
		stretch(st, e->at_ms);
		if (!strcmp(e->name, "disaster")) {
			st->has_disaster = true;
			st->knee = e->at_ms;
		}
	}
	if (!any)
		return false;
	if (v->has_bound) {
		/* the RPO has the clocks' difference in it already */
		st->point = st->has_disaster && v->has_rpo && v->rpo_ms > -31536000000000 && v->rpo_ms < 31536000000000
				? st->knee - v->rpo_ms
				: (int64_t)v->b0.t * 1000;
		st->has_point = true;
		stretch(st, st->point);
	}
	if (st->has_disaster && v->has_rto && v->rto_complete && v->rto_ms >= 0 && v->rto_ms < 31536000000000) {
		st->has_up = true;
		st->up = st->knee + v->rto_ms;
		stretch(st, st->up + v->rto_ms / 8); /* so that one sees it serve again */
	}
	if (st->to <= st->from)
		st->to = st->from + 1;
	if (st->has_disaster && st->knee > st->from && st->knee < st->to) {
		double before = (double)(st->knee - st->from), after = (double)(st->to - st->knee);

		st->two_scales = before > 6 * after || after > 6 * before;
		st->knee_at = st->two_scales ? 0.5 : before / (before + after);
	} else {
		st->knee = st->from;
		st->knee_at = 0;
	}
	return true;
}

static double place(const struct story *st, int64_t at)
{
	double f;

	if (at <= st->knee && st->knee > st->from)
		f = st->knee_at * (double)(at - st->from) / (double)(st->knee - st->from);
	else
		f = st->knee_at + (1 - st->knee_at) * (double)(at - st->knee) / (double)(st->to - st->knee);
	f = f < 0 ? 0 : f > 1 ? 1 : f;
	return MARGIN + f * (100 - 2 * MARGIN);
}

static void span(
    struct sink *s, const struct story *st, const char *class, const char *title, int64_t from, int64_t to, int y)
{
	double x = place(st, from), width = place(st, to) - x;

	if (width <= 0)
		return;
	sink_fill(s, "<rect class=\"{}\"", class, NULL);
	sink_printf(s, " x=\"%.3f%%\" y=\"%d\" width=\"%.3f%%\" height=\"14\"", x, y, width);
	sink_fill(s, "><title>{}</title></rect>\n", title, NULL);
}

static void spans(struct sink *s, const struct story *st, int y)
{
	int64_t disaster = st->has_disaster ? st->knee : st->to;

	span(s, st, "safe", "in the backup", st->from, st->has_point ? st->point : disaster, y);
	if (st->has_point)
		span(s, st, "gone", "written after the restore point: gone with the disaster", st->point, disaster, y);
	if (!st->has_disaster)
		return;
	span(s, st, "down", "not serving", disaster, st->has_up ? st->up : st->to, y);
	if (st->has_up)
		span(s, st, "safe", "serving again", st->up, st->to, y);
}

/* A vertical line over the whole picture with its name beside it, on the side where there is room. */
static void flag(
    struct sink *s, const struct story *st, const char *class, const char *label, int64_t at, int y, int bottom)
{
	double x = place(st, at);

	sink_fill(s, "<g class=\"{}\">", class, NULL);
	sink_printf(s, "<line x1=\"%.3f%%\" x2=\"%.3f%%\" y1=\"%d\" y2=\"%d\"/>", x, x, y - 10, bottom);
	sink_printf(s, "<text x=\"%.3f%%\" y=\"%d\" dx=\"%d\" text-anchor=\"%s\">", x, y, x < 50 ? 6 : -6,
	    x < 50 ? "start" : "end");
	sink_text(s, label);
	sink_raw(s, "</text></g>\n");
}

static int64_t nice_step(double span_ms, int most)
{
	static const int64_t steps[] = {100, 200, 500, 1000, 2000, 5000, 10000, 15000, 30000, 60000, 120000, 300000,
	    600000, 900000, 1800000, 3600000, 7200000, 10800000, 21600000, 43200000, 86400000, 172800000, 604800000,
	    2592000000, 31536000000};

	for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
		if (span_ms / (double)steps[i] <= most)
			return steps[i];
	return (int64_t)(span_ms / most) + 1;
}

static void axis_label(struct sink *s, const struct story *st, int64_t offset, int y)
{
	double x = place(st, st->knee + offset);
	int64_t away = offset < 0 ? -offset : offset;
	struct words w;

	if (offset && offset % 86400000 == 0)
		snprintf(w.text, sizeof w.text, "%" PRId64 " d", away / 86400000);
	else if (offset % 3600000 == 0)
		snprintf(w.text, sizeof w.text, "%" PRId64 " h", away / 3600000);
	else if (offset % 60000 == 0)
		snprintf(w.text, sizeof w.text, "%" PRId64 " min", away / 60000);
	else
		words_duration(&w, away);
	sink_printf(s, "<line x1=\"%.3f%%\" x2=\"%.3f%%\" y1=\"%d\" y2=\"%d\"/>", x, x, y, y + 5);
	sink_printf(s, "<text x=\"%.3f%%\" y=\"%d\" text-anchor=\"%s\">", x, y + 18,
	    x < 6    ? "start"
	    : x > 94 ? "end"
		     : "middle");
	sink_fill(s, "{}{}</text>\n", offset < 0 ? "−" : offset > 0 ? "+" : "", offset ? w.text : "0", NULL);
}

static void axis(struct sink *s, const struct story *st, int y)
{
	int64_t left = st->knee - st->from, right = st->to - st->knee;
	int64_t step_left = nice_step((double)(st->two_scales ? left : left + right), st->two_scales ? 3 : 6);
	int64_t step_right = st->two_scales ? nice_step((double)right, 3) : step_left;

	sink_raw(s, "<g class=\"axis\">\n");
	for (int64_t at = step_left; at <= left; at += step_left)
		axis_label(s, st, -at, y);
	axis_label(s, st, 0, y);
	for (int64_t at = step_right; at <= right; at += step_right)
		axis_label(s, st, at, y);
	sink_raw(s, "</g>\n");
}

/* Numbered badges over the bar, in as many rows as keep them apart; the last row takes what is left. */
struct badges {
	struct {
		const struct verdict_event *event;
		double x;
		int row;
	} list[MOMENTS_MAX];
	size_t count;
	int rows;
};

static void badges_plan(const struct verdict *v, const struct story *st, struct badges *ret)
{
	double last[BADGE_ROWS];

	*ret = (struct badges){.rows = 1};
	for (size_t i = 0; i < BADGE_ROWS; i++)
		last[i] = -100;
	for (size_t i = 0; i < v->event_count && ret->count < MOMENTS_MAX; i++) {
		const struct verdict_event *e = &v->events[i];
		int row = 0;
		double x;

		if (!usable(e->at_ms) || !moment_label(e->name))
			continue;
		x = place(st, e->at_ms);
		while (row + 1 < BADGE_ROWS && x - last[row] < ROW_GAP)
			row++;
		last[row] = x;
		ret->list[ret->count].event = e;
		ret->list[ret->count].x = x;
		ret->list[ret->count++].row = row;
		if (row >= ret->rows)
			ret->rows = row + 1;
	}
}

static void badges_draw(struct sink *s, const struct badges *b, int bar)
{
	/* all stems first, so that none crosses a number */
	sink_raw(s, "<g class=\"badge\">\n");
	for (size_t i = 0; i < b->count; i++)
		sink_printf(s, "<line x1=\"%.3f%%\" x2=\"%.3f%%\" y1=\"%d\" y2=\"%d\"/>\n", b->list[i].x, b->list[i].x,
		    bar - 22 - 24 * b->list[i].row, bar);
	sink_raw(s, "</g>\n");
	for (size_t i = 0; i < b->count; i++) {
		const struct verdict_event *e = b->list[i].event;
		int y = bar - 22 - 24 * b->list[i].row;
		struct words w;

		sink_fill(s, "<g class=\"{}\"><title>{} {}</title>",
		    strcmp(e->name, "disaster") ? "badge" : "badge boom", moment_label(e->name),
		    words_clock(&w, e->at_ms), NULL);
		sink_printf(s,
		    "<circle cx=\"%.3f%%\" cy=\"%d\" r=\"10\"/><text x=\"%.3f%%\" y=\"%d\" "
		    "text-anchor=\"middle\">%zu</text></g>\n",
		    b->list[i].x, y, b->list[i].x, y + 4, i + 1);
	}
}

static void moment_list(struct sink *s, const struct badges *b)
{
	sink_raw(s, "<ol class=\"moments\">\n");
	for (size_t i = 0; i < b->count; i++) {
		const struct verdict_event *e = b->list[i].event;
		struct words at;

		sink_raw(s, strcmp(e->name, "disaster") ? "<li>" : "<li class=\"boom\">");
		sink_fill(s, "<time>{}</time> {}</li>\n", words_clock(&at, e->at_ms), moment_label(e->name), NULL);
	}
	sink_raw(s, "</ol>\n");
}

static void story_legend(struct sink *s, const struct verdict *v, const struct story *st)
{
	struct words w;

	sink_raw(s, "<ul class=\"legend\">\n<li><i class=\"safe\"></i>in the backup, or serving</li>\n");
	if (st->has_point && st->has_disaster)
		sink_fill(
		    s, "<li><i class=\"gone\"></i>written, not in the backup: RPO {}</li>\n", words_rpo(&w, v), NULL);
	if (st->has_disaster)
		sink_fill(s, "<li><i class=\"down\"></i>not serving: RTO {}</li>\n", words_rto(&w, v), NULL);
	sink_raw(s, "</ul>\n");
	if (st->two_scales)
		sink_raw(s, "<p class=\"note\">Before and after the disaster are drawn to different scales.</p>\n");
}

void page_story(struct sink *s, const struct verdict *v)
{
	struct badges marks;
	struct story st;
	struct words rpo, rto;
	int bar;

	if (!story_plan(v, &st))
		return;
	badges_plan(v, &st, &marks);
	bar = 56 + 24 * marks.rows;
	sink_raw(s, "<section><h2>What happened</h2>\n<figure>\n");
	sink_printf(s,
	    "<svg class=\"story\" role=\"img\" aria-labelledby=\"story-t story-d\" width=\"100%%\" height=\"%d\">\n",
	    bar + 42);
	sink_fill(s,
	    "<title id=\"story-t\">Timeline of the drill</title><desc id=\"story-d\">From the restore point to the "
	    "disaster: {}. From the disaster "
	    "until the database served again: {}. The numbered moments are listed below.</desc>\n",
	    words_rpo(&rpo, v), words_rto(&rto, v), NULL);
	spans(s, &st, bar);
	if (st.has_point)
		flag(s, &st, "flag point", "restore point", st.point, 14, bar + 18);
	if (st.has_disaster)
		flag(s, &st, "flag boom", "disaster", st.knee, 32, bar + 18);
	axis(s, &st, bar + 14);
	badges_draw(s, &marks, bar);
	sink_raw(s, "</svg>\n");
	story_legend(s, v, &st);
	moment_list(s, &marks);
	sink_raw(s, "</figure>\n</section>\n");
}

static void fall(struct sink *s, const struct verdict_phase *p, int64_t total, int64_t limit)
{
	double from = 100.0 * (double)(p->from_ms > 0 ? p->from_ms : 0) / (double)total;
	double width = 100.0 * (double)(p->to_ms - p->from_ms) / (double)total;
	struct words d, a, b;

	from = from > 100 ? 100 : from;
	width = width < 0 ? 0 : width > 100 - from ? 100 - from : width;
	sink_fill(s, "<li><span class=\"what\">{}</span><span class=\"num\">{}</span>", p->name,
	    words_duration(&d, p->to_ms - p->from_ms), NULL);
	sink_raw(s, "<svg role=\"img\" width=\"100%\" height=\"18\">");
	sink_fill(s, "<title>from {} to {} after the disaster</title>", words_duration(&a, p->from_ms),
	    words_duration(&b, p->to_ms), NULL);
	sink_raw(s, "<rect class=\"rail\" x=\"0\" y=\"8\" width=\"100%\" height=\"2\"/>");
	/* the stroke keeps a phase visible that is thinner than a pixel */
	sink_printf(
	    s, "<rect class=\"phase\" x=\"%.3f%%\" y=\"3\" width=\"%.3f%%\" height=\"12\" rx=\"2\"/>", from, width);
	if (limit >= 0 && limit < total)
		sink_printf(s, "<line class=\"limit\" x1=\"%.3f%%\" x2=\"%.3f%%\" y1=\"0\" y2=\"18\"/>",
		    100.0 * (double)limit / (double)total, 100.0 * (double)limit / (double)total);
	sink_raw(s, "</svg></li>\n");
}

void page_waterfall(struct sink *s, const struct verdict *v)
{
	int64_t total = 1;
	struct words w;

	if (!v->phase_count)
		return;
	for (size_t i = 0; i < v->phase_count; i++)
		if (v->phases[i].to_ms > total)
			total = v->phases[i].to_ms;
	sink_fill(s, "<section><h2>Recovery</h2>\n<p>{} from the disaster to {}.", words_rto(&w, v),
	    v->rto_until[0] ? v->rto_until : "the last known phase", NULL);
	if (v->max_rto_ms >= 0)
		sink_fill(s, " The limit is {}{}.", words_duration(&w, v->max_rto_ms),
		    v->max_rto_ms < total ? ": the red line" : "", NULL);
	sink_raw(s, "</p>\n<ul class=\"falls\">\n");
	for (size_t i = 0; i < v->phase_count; i++)
		fall(s, &v->phases[i], total, v->max_rto_ms);
	sink_raw(s, "</ul>\n</section>\n");
}
