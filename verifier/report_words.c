#include "verifier/report_words.h"

#include "base/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t magnitude(int64_t n)
{
	return n < 0 ? 0 - (uint64_t)n : (uint64_t)n;
}

const char *words_duration(struct words *w, int64_t ms)
{
	uint64_t t = magnitude(ms), s = (t + 500) / 1000, min = s / 60, h = min / 60;
	const char *sign = ms < 0 ? "-" : "";

	if (t < 1000)
		snprintf(w->text, sizeof w->text, "%s%" PRIu64 " ms", sign, t);
	else if (t < 9950)
		snprintf(w->text, sizeof w->text, "%s%.1f s", sign, (double)t / 1000);
	else if (s < 60)
		snprintf(w->text, sizeof w->text, "%s%" PRIu64 " s", sign, s);
	else if (min < 60 && s % 60)
		snprintf(w->text, sizeof w->text, "%s%" PRIu64 " min %" PRIu64 " s", sign, min, s % 60);
	else if (min < 60)
		snprintf(w->text, sizeof w->text, "%s%" PRIu64 " min", sign, min);
	else if (h < 48 && !(min % 60))
		snprintf(w->text, sizeof w->text, "%s%" PRIu64 " h", sign, h);
	else if (h < 48)
		snprintf(w->text, sizeof w->text, "%s%" PRIu64 " h %" PRIu64 " min", sign, h, min % 60);
	else
		snprintf(w->text, sizeof w->text, "%s%" PRIu64 " d %" PRIu64 " h", sign, h / 24, h % 24);
	return w->text;
}

const char *words_distance(struct words *w, int64_t ms)
{
	const char *text = words_duration(w, ms);

	return text + (*text == '-');
}

const char *words_count(struct words *w, int64_t n)
{
	char digits[24];
	size_t len = (size_t)snprintf(digits, sizeof digits, "%" PRIu64, magnitude(n)), used = 0;

	if (n < 0)
		w->text[used++] = '-';
	for (size_t i = 0; i < len; i++) {
		if (i && (len - i) % 3 == 0)
			w->text[used++] = ',';
		w->text[used++] = digits[i];
	}
	w->text[used] = '\0';
	return w->text;
}

const char *words_of(struct words *w, int64_t n, const char *noun)
{
	size_t used;

	words_count(w, n);
	used = strlen(w->text);
	snprintf(w->text + used, sizeof w->text - used, " %s%s", noun, n == 1 ? "" : "s");
	return w->text;
}

const char *words_bytes(struct words *w, int64_t bytes)
{
	static const char *const units[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
	double value = (double)bytes / 1024;
	size_t u = 0;

	if (bytes < 1024) {
		snprintf(w->text, sizeof w->text, "%" PRId64 " B", bytes);
		return w->text;
	}
	for (; value >= 1024 && u + 1 < sizeof units / sizeof *units; u++)
		value /= 1024;
	snprintf(w->text, sizeof w->text, "%.1f %s", value, units[u]);
	return w->text;
}

const char *words_wall(struct words *w, int64_t wall_ms)
{
	char text[TIME_TEXT_MAX];
	int64_t again;

	if (time_parse(time_format(wall_ms, text), &again))
		snprintf(w->text, sizeof w->text, "%.10s %.8s UTC", text, text + 11);
	else
		snprintf(w->text, sizeof w->text, "unknown");
	return w->text;
}

const char *words_clock(struct words *w, int64_t wall_ms)
{
	char text[TIME_TEXT_MAX];
	int64_t again;

	if (time_parse(time_format(wall_ms, text), &again))
		snprintf(w->text, sizeof w->text, "%.8s", text + 11);
	else
		snprintf(w->text, sizeof w->text, "unknown");
	return w->text;
}

const char *words_range(struct words *w, const struct verdict_range *r)
{
	if (r->first == r->last)
		snprintf(w->text, sizeof w->text, "%" PRId64, r->first);
	else
		snprintf(w->text, sizeof w->text, "%" PRId64 "-%" PRId64, r->first, r->last);
	return w->text;
}

const char *words_class(struct words *w, enum tick_class c)
{
	snprintf(w->text, sizeof w->text, "%s", tick_class_text(c));
	for (char *p = w->text; *p; p++)
		if (*p == '_')
			*p = ' ';
	return w->text;
}

const char *words_rpo(struct words *w, const struct verdict *v)
{
	struct words value, error;

	if (!v->has_rpo)
		snprintf(w->text, sizeof w->text, "unknown");
	else if (v->rpo_error_ms > 0)
		snprintf(w->text, sizeof w->text, "%s%.40s ± %.40s", v->rpo_at_least ? "at least " : "",
		    words_duration(&value, v->rpo_ms), words_duration(&error, v->rpo_error_ms));
	else
		snprintf(w->text, sizeof w->text, "%s%.40s", v->rpo_at_least ? "at least " : "",
		    words_duration(&value, v->rpo_ms));
	return w->text;
}

const char *words_rto(struct words *w, const struct verdict *v)
{
	struct words value, error;

	if (!v->has_rto)
		snprintf(w->text, sizeof w->text, "unknown");
	else if (v->rto_error_ms > 0)
		snprintf(w->text, sizeof w->text, "%s%.40s ± %.40s", v->rto_complete ? "" : "at least ",
		    words_duration(&value, v->rto_ms), words_duration(&error, v->rto_error_ms));
	else
		snprintf(w->text, sizeof w->text, "%s%.40s", v->rto_complete ? "" : "at least ",
		    words_duration(&value, v->rto_ms));
	return w->text;
}

static int64_t add(int64_t a, int64_t b)
{
	int64_t sum;

	return __builtin_add_overflow(a, b, &sum) ? INT64_MAX : sum;
}

int64_t range_ticks(const struct verdict_range *r)
{
	int64_t n;

	return __builtin_sub_overflow(r->last, r->first, &n) ? INT64_MAX : add(n, 1);
}

int64_t stream_failing(const struct verdict_stream *s)
{
	int64_t sum = 0;

	for (int c = 0; c < CLASS_COUNT; c++)
		if (tick_class_fails((enum tick_class)c))
			sum = add(sum, s->count[c]);
	return sum;
}

int64_t stream_other(const struct verdict_stream *s)
{
	int64_t sum = 0;

	for (int c = 0; c < CLASS_COUNT; c++)
		if (!tick_class_fails((enum tick_class)c) && c != CLASS_OK && c != CLASS_EXPECTED_LOSS)
			sum = add(sum, s->count[c]);
	return sum;
}

size_t *stream_order(const struct verdict *v)
{
	size_t *order = calloc(v->stream_count + 1, sizeof *order), used = 0;

	for (int failing = 1; order && failing >= 0; failing--)
		for (size_t i = 0; i < v->stream_count; i++)
			if ((stream_failing(&v->streams[i]) != 0) == failing)
				order[used++] = i;
	return order;
}
