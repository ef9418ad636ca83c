/* Figures as people read them. Every function writes into the caller's array and returns it, so that calls can stand in
 * argument lists. */
#ifndef VERIFIER_REPORT_WORDS_H
#define VERIFIER_REPORT_WORDS_H

#include "evidence/verdict.h"

#define WORDS_MAX 96
struct words {
	char text[WORDS_MAX];
};

/* "340 ms", "4.2 s", "1 min 42 s", "2 h 5 min", "3 d 4 h"; negative with a minus in front. */
const char *words_duration(struct words *w, int64_t ms);
/* The same without a minus: how far away. */
const char *words_distance(struct words *w, int64_t ms);
/* "12,345" */
const char *words_count(struct words *w, int64_t n);
/* "1 tick", "12,345 ticks": noun in the singular, an s is added */
const char *words_of(struct words *w, int64_t n, const char *noun);
/* "18.4 MiB" */
const char *words_bytes(struct words *w, int64_t bytes);
/* "2026-11-23 06:20:11 UTC"; "unknown" for what is no time of this calendar */
const char *words_wall(struct words *w, int64_t wall_ms);
/* "06:20:11" */
const char *words_clock(struct words *w, int64_t wall_ms);
/* "501-502", "7" */
const char *words_range(struct words *w, const struct verdict_range *r);
/* "expected loss" from "expected_loss" */
const char *words_class(struct words *w, enum tick_class c);
/* the RPO with its uncertainty: "at least 4 min 12 s ± 20 ms"; "unknown" */
const char *words_rpo(struct words *w, const struct verdict *v);
const char *words_rto(struct words *w, const struct verdict *v);

/* How many ticks a run has; INT64_MAX for more. A verdict may come from elsewhere: its figures are not trusted to add
 * up. */
int64_t range_ticks(const struct verdict_range *r);
/* What is to be looked at in a stream: ticks of failing classes. */
int64_t stream_failing(const struct verdict_stream *s);
/* What is neither intact, nor expected, nor failing. */
int64_t stream_other(const struct verdict_stream *s);
/* Indexes of the streams, those with failing ticks first, else in their order. NULL: out of memory. The caller frees
 * it. */
size_t *stream_order(const struct verdict *v);

#endif
