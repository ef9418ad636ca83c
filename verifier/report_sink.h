/*
 * A report being written: a buffer, the escape function of its format, and the first failure (which sticks; ask
 * sink_ok once at the end).
 *
 * Everything that came from a verdict goes through sink_text or sink_fill, which escape; only numbers and the
 * report's own words go through sink_raw and sink_printf.
 */
#ifndef VERIFIER_REPORT_SINK_H
#define VERIFIER_REPORT_SINK_H

#include "verifier/report_escape.h"

struct sink {
	struct buf *out;
	escape_fn *escape;
	struct err err;
};

void sink_init(struct sink *s, struct buf *out, escape_fn *escape);
bool sink_ok(const struct sink *s, struct err *err);
void sink_raw(struct sink *s, const char *markup);
void sink_printf(struct sink *s, const char *fmt, ...)
    __attribute__((format(printf, 2, 3))); /* numbers only: nothing is escaped */
void sink_text(struct sink *s, const char *text);
/* The markup with each "{}" replaced by the next text, escaped; texts end with NULL: sink_fill(s, "<td>{}</td>", name,
 * NULL). */
void sink_fill(struct sink *s, const char *markup, ...) __attribute__((sentinel));

#endif
