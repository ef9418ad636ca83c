/*
 * A bounded subset of Go's text/template with some of Sprig's functions, as Kanister renders blueprints: option
 * missingkey=error, times in UTC.
 *
 * Understood: text; {{ pipeline }} with trimming ({{- and -}}) and comments; if, else if, else, end; fields
 * (.a.b, $.a, $x.a, (pipeline).a) over JSON data; "text", `text`, numbers, true, false, nil; variables ($x := and $x =);
 * pipelines and parentheses; and, or (both stop early), not, eq, ne, lt, le, gt, ge, len, index, printf (%s %d %v %q %%),
 * toString, quote, default, lower, upper (both ASCII alone), trim, toDate, date, fail.
 * The syntax, names of functions and numbers of their arguments are checked in branches that are not taken, too.
 * Anything else (range, with, define, other functions) is ERR_UNSUPPORTED or ERR_PARSE with the line.
 *
 * Unlike Sprig, toDate fails on a text that its layout does not fit, instead of going on with the year 1, and date takes
 * nothing but a time or Unix seconds, and printf refuses what Go would print as %!d(...).
 *
 * Bounds: TEMPLATE_LEN_MAX bytes, TEMPLATE_DEPTH_MAX levels of if and parentheses, TEMPLATE_STEPS_MAX
 * values, out->max bytes of output, TEMPLATE_MEMORY_MAX bytes of texts in between.
 */
#ifndef DOC_TEMPLATE_H
#define DOC_TEMPLATE_H

#include "base/buf.h"
#include "doc/json.h"

#define TEMPLATE_LEN_MAX (1 << 20)
#define TEMPLATE_DEPTH_MAX 32
#define TEMPLATE_STEPS_MAX 10000
#define TEMPLATE_MEMORY_MAX (4 << 20)

/*
 * Appends to out; on failure out is as it was. data is '.', and NULL is nil. A key that is not there is ERR_NOT_FOUND
 * with Kanister's own message: Failed to render template: "X" not found
 */
bool template_render(const char *text, size_t len, const json_node *data, struct buf *out, struct err *err);

#endif
