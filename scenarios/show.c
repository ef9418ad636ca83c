#include "scenarios/show.h"

#include "base/text.h"

#include <string.h>

#define PLAIN_EVERY_MS 10000 /* without a terminal, the same state is told again so often */
#define PLAIN_LEAST_MS 1000  /* and a new one not more often than this */

void show_init(struct show *s, FILE *out, const struct clock *clock, bool live, bool color, int width)
{
	*s = (struct show){.out = out,
	    .clock = clock,
	    .live = live,
	    .color = color,
	    .width = width > 40 ? width : 80,
	    .run_begun_ms = clock_mono_ms(clock)};
}

static void neutral(const char *text, char ret[static SHOW_LINE_MAX])
{
	text_copy(ret, SHOW_LINE_MAX, text);
}

/* Cuts behind so many characters, not bytes. */
static int bytes_of(const char *text, int characters)
{
	const char *p = text;

	while (*p && characters-- > 0) {
		uint32_t code;
		size_t len = text_utf8_len(p, strlen(p), &code);

		p += len ? len : 1;
	}
	return (int)(p - text);
}

void show_end_line(struct show *s)
{
	if (s->line_open)
		fputs("\r\033[K", s->out);
	s->line_open = false;
	fflush(s->out);
}

void show_step(struct show *s, size_t step, size_t steps, const char *title)
{
	char line[SHOW_LINE_MAX];

	show_end_line(s);
	neutral(title, line);
	s->step = step;
	s->steps = steps;
	s->step_begun_ms = clock_mono_ms(s->clock);
	s->told[0] = s->now[0] = '\0';
	s->told_ms = s->step_begun_ms;
	fprintf(s->out, "%s== %4lld s  [%zu/%zu]  %s%s\n", s->color ? "\033[1m" : "",
	    (long long)(s->step_begun_ms - s->run_begun_ms) / 1000, step, steps, line, s->color ? "\033[0m" : "");
	fflush(s->out);
}

void show_line(struct show *s, const char *text)
{
	char line[SHOW_LINE_MAX];

	show_end_line(s);
	neutral(text, line);
	fprintf(s->out, "   %s\n", line);
	fflush(s->out);
}

static void show_live(struct show *s)
{
	char head[64];
	int room, len = snprintf(
		      head, sizeof head, "   %lld s  ", (long long)(clock_mono_ms(s->clock) - s->step_begun_ms) / 1000);

	room = s->width - len - 1;
	fprintf(s->out, "\r\033[K%s%.*s", head, bytes_of(s->now, room > 10 ? room : 10), s->now);
	fflush(s->out);
	s->line_open = true;
}

void show_progress(struct show *s, const char *text)
{
	int64_t now = clock_mono_ms(s->clock);
	bool changed;

	neutral(text, s->now);
	if (s->live) {
		show_live(s);
		return;
	}
	changed = strcmp(s->now, s->told) != 0;
	if (now - s->told_ms < (changed ? PLAIN_LEAST_MS : PLAIN_EVERY_MS))
		return;
	s->told_ms = now;
	strcpy(s->told, s->now);
	fprintf(s->out, "   %lld s  %s\n", (long long)(now - s->step_begun_ms) / 1000, s->now);
	fflush(s->out);
}

void show_step_end(struct show *s, bool ok, const char *word)
{
	double seconds = (double)(clock_mono_ms(s->clock) - s->step_begun_ms) / 1000.0;

	show_end_line(s);
	if (!ok || seconds >= 2.0)
		fprintf(s->out, "   %s%s%s after %.1f s\n", s->color ? (ok ? "\033[32m" : "\033[31m") : "", word,
		    s->color ? "\033[0m" : "", seconds);
	fflush(s->out);
}
