/* What the files of the comparison share. */
#ifndef VERIFIER_REPORT_DIFF_INTERNAL_H
#define VERIFIER_REPORT_DIFF_INTERNAL_H

#include "verifier/report_diff.h"

/* report_diff_figures.c: sums and differences stop at the ends of 64 bits */
int64_t diff_subtract(int64_t a, int64_t b);
int64_t diff_least(const struct diff_figure *f); /* value less error */
int64_t diff_most(const struct diff_figure *f);	 /* value and error, not below 0 */
void diff_figure_text(char text[static 288], const struct diff_figure *f, enum diff_unit unit);
struct diff_figure diff_rpo(const struct verdict *v);
struct diff_figure diff_rto(const struct verdict *v);

/* report_diff_worse.c */
int diff_rank(enum verdict_result r); /* greater: worse */
size_t diff_count_reason(const struct verdict *v, enum verdict_reason_code code);
void diff_weigh(struct diff *d, const struct diff_limits *limits); /* fills worse, incomparable and notes */

#endif
