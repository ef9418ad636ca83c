/*
 * Text for people at a terminal: at most SCREEN_WIDTH columns, styles only where colour is wanted. All texts are
 * escaped (escape_terminal).
 */
#ifndef VERIFIER_REPORT_SCREEN_H
#define VERIFIER_REPORT_SCREEN_H

#include "verifier/report_sink.h"

#define SCREEN_WIDTH 100
#define SCREEN_BOLD "1"
#define SCREEN_DIM "2"

struct screen {
	struct sink s;
	bool color;
	bool styled; /* since the last screen_plain() */
};

void screen_style(struct screen *sc, const char *code);
void screen_plain(struct screen *sc);
void screen_spaces(struct screen *sc, int n);
/* Wraps at SCREEN_WIDTH; the first line starts at the present column, which is indent. Ends the style and the line. */
void screen_wrap(struct screen *sc, const char *text, int indent);
/* A table's cell: padded to columns, or cut with an ellipsis. right: numbers. */
void screen_cell(struct screen *sc, const char *text, int columns, bool right);
void screen_heading(struct screen *sc, const char *text); /* the report's own words */
void screen_field(struct screen *sc, const char *label, const char *text);

/* "auto", "always" or "never". auto: standard output is a terminal that is not dumb, and NO_COLOR is not set. */
bool screen_knows_color(const char *when);
bool screen_wants_color(const char *when, bool to_stdout);

#endif
