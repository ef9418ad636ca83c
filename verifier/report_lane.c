#include "verifier/report_page.h"
#include "verifier/report_words.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define LANES_MAX 24 /* the other streams are in the table */
#define COLUMNS 480  /* a lane with more runs than this is drawn in so many columns */
#define STREAMS_MAX 200

struct scale {
	int64_t first;
	double ticks;
};

static bool is_undecided(enum tick_class c)
{
	return c == CLASS_AT_BOUND || c == CLASS_INDETERMINATE || c == CLASS_UNJOURNALED;
}

/* Which class is drawn where several fall into one column. */
static int gravity(int class)
{
	if (class < 0)
		return -1;
	if (tick_class_fails((enum tick_class) class))
		return 3;
	return is_undecided((enum tick_class) class) ? 2 : class == CLASS_OK ? 0 : 1;
}

static void run_rect(struct sink *s, enum tick_class class, double x, double width)
{
	bool fails = tick_class_fails(class), open = is_undecided(class);

	sink_fill(s, "<rect class=\"k-{}\"", tick_class_text(class), NULL);
	sink_printf(s, " x=\"%.3f%%\" y=\"%d\" width=\"%.3f%%\" height=\"%d\"/>\n", x,
	    fails  ? 2
	    : open ? 8
		   : 12,
	    width,
	    fails  ? 32
	    : open ? 20
		   : 12);
}

static double at(const struct scale *sc, double seq)
{
	double f = (seq - (double)sc->first) / sc->ticks;

	return 100 * (f < 0 ? 0 : f > 1 ? 1 : f);
}

static void draw_ranges(
    struct sink *s, const struct scale *sc, const struct verdict_range *ranges, size_t count, bool failing)
{
	for (size_t i = 0; i < count; i++) {
		double x = at(sc, (double)ranges[i].first);

		if ((gravity((int)ranges[i].class) >= 2) == failing)
			run_rect(s, ranges[i].class, x, at(sc, (double)ranges[i].last + 1) - x);
	}
}

/* Which columns a run touches: from *ret_from up to, without, *ret_to; at least one. */
static void columns_of(const struct scale *sc, const struct verdict_range *r, size_t *ret_from, size_t *ret_to)
{
	size_t from = (size_t)(at(sc, (double)r->first) * COLUMNS / 100),
	       to = (size_t)(at(sc, (double)r->last + 1) * COLUMNS / 100);

	*ret_from = from < COLUMNS ? from : COLUMNS - 1;
	*ret_to = to > *ret_from ? to : *ret_from + 1;
}

/* Of what fails or is undecided: the gravest. */
static void gravest(
    int column[static COLUMNS], const struct scale *sc, const struct verdict_range *ranges, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		size_t from, to;

		columns_of(sc, &ranges[i], &from, &to);
		for (size_t c = from; gravity((int)ranges[i].class) >= 2 && c < to; c++)
			if (gravity((int)ranges[i].class) > gravity(column[c]))
				column[c] = (int)ranges[i].class;
	}
}

/* Of the rest: what most of the column is. */
static void most(int column[static COLUMNS], const struct scale *sc, const struct verdict_range *ranges, size_t count)
{
	double share[COLUMNS] = {0}, part[CLASS_COUNT] = {0};
	size_t now = 0;

	for (size_t i = 0; i < count; i++) {
		double begin = at(sc, (double)ranges[i].first) * COLUMNS / 100,
		       end = at(sc, (double)ranges[i].last + 1) * COLUMNS / 100;
		size_t from, to;

		columns_of(sc, &ranges[i], &from, &to);
		for (size_t c = from; gravity((int)ranges[i].class) < 2 && c <= to && c < COLUMNS; c++) {
			double left = begin > (double)c ? begin : (double)c,
			       right = end < (double)c + 1 ? end : (double)c + 1;

			/* ranges ascend: a column that was left is not met again */
			if (c != now)
				memset(part, 0, sizeof part);
			now = c;
			part[ranges[i].class] += right > left ? right - left : 0;
			if (right > left && part[ranges[i].class] > share[c]) {
				share[c] = part[ranges[i].class];
				column[c] = (int)ranges[i].class;
			}
		}
	}
}

/*
 * What is intact keeps its place in the lane: a column with one hole in a thousand ticks is no lost column. Marks of
 * what fails stand above, of what is undecided below.
 */
static void draw_columns(
    struct sink *s, const struct scale *sc, const struct verdict_range *ranges, size_t count, bool failing)
{
	int column[COLUMNS];

	for (size_t i = 0; i < COLUMNS; i++)
		column[i] = -1;
	(failing ? gravest : most)(column, sc, ranges, count);
	for (size_t from = 0, to; from < COLUMNS; from = to) {
		for (to = from + 1; to < COLUMNS && column[to] == column[from]; to++)
			;
		if (column[from] < 0)
			continue;
		sink_fill(s, "<rect class=\"many k-{}\"", tick_class_text((enum tick_class)column[from]), NULL);
		sink_printf(s, " x=\"%.3f%%\" y=\"%d\" width=\"%.3f%%\" height=\"%d\"/>\n",
		    100.0 * (double)from / COLUMNS,
		    !failing					      ? 16
		    : tick_class_fails((enum tick_class)column[from]) ? 2
								      : 30,
		    100.0 * (double)(to - from) / COLUMNS, 12);
	}
}

static bool in_columns(const struct verdict_stream *st)
{
	return st->range_count > COLUMNS || (st->ranges_truncated && st->bad_count > COLUMNS);
}

/* The first run that lies behind the restore point. */
static const struct verdict_range *behind_bound(const struct verdict_stream *st)
{
	for (size_t i = 0; i < st->range_count; i++)
		if (st->ranges[i].class == CLASS_EXPECTED_LOSS || st->ranges[i].class == CLASS_AT_BOUND ||
		    st->ranges[i].class == CLASS_LATE)
			return &st->ranges[i];
	return NULL;
}

static void lane_svg(struct sink *s, const struct verdict_stream *st, size_t number)
{
	const struct verdict_range *bound = behind_bound(st);
	struct scale sc = {.first = st->first, .ticks = (double)st->last - (double)st->first + 1};
	struct words ok, gone, bad;

	if (!(sc.ticks >= 1))
		sc.ticks = 1;
	sink_printf(s,
	    "<svg class=\"lane\" role=\"img\" aria-labelledby=\"lane-%zu-t lane-%zu-d\" width=\"100%%\" "
	    "height=\"44\">\n",
	    number, number);
	sink_printf(s, "<title id=\"lane-%zu-t\">", number);
	sink_fill(s, "Ticks of {}</title>", st->ns, NULL);
	sink_printf(s, "<desc id=\"lane-%zu-d\">", number);
	sink_fill(s, "{} intact, {} of expected loss, {} failing, over the sequence numbers.</desc>\n",
	    words_count(&ok, st->count[CLASS_OK]), words_count(&gone, st->count[CLASS_EXPECTED_LOSS]),
	    words_count(&bad, stream_failing(st)), NULL);
	sink_raw(s, "<rect class=\"rail\" x=\"0\" y=\"17\" width=\"100%\" height=\"2\"/>\n");
	if (in_columns(st)) {
		draw_columns(s, &sc, st->ranges, st->range_count, false);
		draw_columns(s, &sc, st->ranges, st->range_count, true);
	} else {
		draw_ranges(s, &sc, st->ranges, st->range_count, false);
		draw_ranges(s, &sc, st->ranges, st->range_count, true);
	}
	if (st->ranges_truncated) { /* what fails behind the listed part */
		if (in_columns(st))
			draw_columns(s, &sc, st->bad, st->bad_count, true);
		else
			draw_ranges(s, &sc, st->bad, st->bad_count, true);
	}
	if (bound) {
		double x = at(&sc, (double)bound->first);

		sink_printf(s,
		    "<line class=\"point\" x1=\"%.3f%%\" x2=\"%.3f%%\" y1=\"0\" y2=\"44\"><title>restore "
		    "point</title></line>\n",
		    x, x);
	}
	sink_raw(s, "</svg>\n");
}

static void lane(struct sink *s, const struct verdict_stream *st, size_t number)
{
	int64_t failing = stream_failing(st);
	char writer[16];
	struct words a, b;

	snprintf(writer, sizeof writer, "%" PRId32, st->writer);
	sink_fill(s,
	    "<div class=\"stream\">\n<h3><span class=\"mono\">{}</span> <small>writer {}{}{} · {} issued</small>",
	    st->ns, writer, st->replica_set[0] ? " · " : "", st->replica_set, words_count(&a, st->issued), NULL);
	if (failing)
		sink_fill(s, " <strong class=\"bad\">{}</strong>", words_of(&a, failing, "failing tick"), NULL);
	sink_raw(s, "</h3>\n");
	lane_svg(s, st, number);
	sink_fill(s, "<p class=\"ends\"><span>{}</span><span>{}</span></p>\n", words_count(&a, st->first),
	    words_count(&b, st->last), NULL);
	if (in_columns(st)) {
		double ticks = ((double)st->last - (double)st->first + 1) / COLUMNS;

		sink_fill(s,
		    "<p class=\"note\">Above the lane: of about {} at least one fails; below: at least one is "
		    "undecided.</p>\n",
		    words_of(&a,
			ticks < 1      ? 1
			: ticks < 9e17 ? (int64_t)ticks
				       : (int64_t)9e17,
			"tick"),
		    NULL);
	}
	if (st->ranges_truncated)
		sink_raw(s, "<p class=\"note\">Only the first runs are listed; behind them, only what fails or is "
			    "undecided is drawn.</p>\n");
	sink_raw(s, "</div>\n");
}

static void legend(struct sink *s, const struct verdict *v)
{
	struct words w, n;

	sink_raw(s, "<ul class=\"legend\">\n");
	for (int c = 0; c < CLASS_COUNT; c++)
		if (v->count[c] && c != CLASS_FOREIGN)
			sink_fill(s, "<li><i class=\"k-{}\"></i>{} <b>{}</b></li>\n",
			    tick_class_text((enum tick_class)c), words_class(&w, (enum tick_class)c),
			    words_count(&n, v->count[c]), NULL);
	sink_raw(s, "<li><i class=\"point\"></i>restore point</li>\n</ul>\n");
}

static void stream_table(struct sink *s, const struct verdict *v, const size_t *order)
{
	sink_raw(s, "<div class=\"scroll\" tabindex=\"0\" role=\"group\" "
		    "aria-label=\"streams\"><table>\n<thead><tr><th scope=\"col\">stream</th><th scope=\"col\">replica "
		    "set</th><th scope=\"col\" class=\"num\">issued</th>"
		    "<th scope=\"col\" class=\"num\">ok</th><th scope=\"col\" class=\"num\">expected loss</th><th "
		    "scope=\"col\" class=\"num\">other</th>"
		    "<th scope=\"col\" class=\"num\">failing</th></tr></thead>\n<tbody>\n");
	for (size_t i = 0; i < v->stream_count && i < STREAMS_MAX; i++) {
		const struct verdict_stream *st = &v->streams[order[i]];
		struct words w[5];
		char writer[16];

		snprintf(writer, sizeof writer, "%" PRId32, st->writer);
		sink_fill(s,
		    "<tr><th scope=\"row\"><span class=\"mono\">{}</span> writer {}</th><td>{}</td><td "
		    "class=\"num\">{}</td><td class=\"num\">{}</td>",
		    st->ns, writer, st->replica_set[0] ? st->replica_set : "–", words_count(&w[0], st->issued),
		    words_count(&w[1], st->count[CLASS_OK]), NULL);
		sink_fill(s, "<td class=\"num\">{}</td><td class=\"num\">{}</td><td class=\"num{}\">{}</td></tr>\n",
		    words_count(&w[2], st->count[CLASS_EXPECTED_LOSS]), words_count(&w[3], stream_other(st)),
		    stream_failing(st) ? " bad" : "", words_count(&w[4], stream_failing(st)), NULL);
	}
	sink_raw(s, "</tbody></table></div>\n");
	if (v->stream_count > STREAMS_MAX) {
		struct words w;

		sink_fill(s, "<p class=\"note\">{} more are in verdict.json.</p>\n",
		    words_of(&w, (int64_t)(v->stream_count - STREAMS_MAX), "stream"), NULL);
	}
}

void page_lanes(struct sink *s, const struct verdict *v, const size_t *order)
{
	if (!v->stream_count)
		return;
	sink_raw(s, "<section><h2>Ticks</h2>\n<p>Each lane is one stream of ticks, from its first sequence number to "
		    "its last. What fails stands out of the lane.</p>\n");
	legend(s, v);
	for (size_t i = 0; i < v->stream_count && i < LANES_MAX; i++)
		lane(s, &v->streams[order[i]], i);
	if (v->stream_count > 1)
		stream_table(s, v, order);
	sink_raw(s, "</section>\n");
}
