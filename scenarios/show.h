/*
 * What a run shows while it goes on: the story on standard output, a live line on a terminal, plain lines without one.
 * Colours only on a terminal and without NO_COLOR. Texts are made harmless on their way out.
 */
#ifndef SCENARIOS_SHOW_H
#define SCENARIOS_SHOW_H

#include "base/buf.h"
#include "base/clock.h"

#include <stdarg.h>
#include <stdio.h>

#define SHOW_LINE_MAX 400

struct show {
	FILE *out;
	const struct clock *clock;
	bool live; /* a terminal: one line that is rewritten */
	bool color;
	int width;
	size_t step, steps;
	int64_t run_begun_ms, step_begun_ms; /* monotonic */
	int64_t told_ms;		     /* last plain progress line */
	char told[SHOW_LINE_MAX], now[SHOW_LINE_MAX];
	bool line_open; /* a live line stands without its newline */
};

void show_init(struct show *s, FILE *out, const struct clock *clock, bool live, bool color, int width);
void show_step(struct show *s, size_t step, size_t steps, const char *title);
void show_line(struct show *s, const char *text);
void show_progress(struct show *s, const char *text);
/* "done", "failed", "skipped": ends the step. */
void show_step_end(struct show *s, bool ok, const char *word);
void show_end_line(struct show *s);

#endif
