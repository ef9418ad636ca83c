/* The drawn parts of the history page (report_history_trend.c). */
#ifndef VERIFIER_REPORT_HISTORY_PAGE_H
#define VERIFIER_REPORT_HISTORY_PAGE_H

#include "verifier/report_history.h"
#include "verifier/report_sink.h"

/* A result as colour, shape and letter, for a line of text. */
void history_mark(struct sink *s, enum verdict_result r);
/* RPO, RTO and results of one scenario over its runs. */
void history_trend(struct sink *s, const struct history *h, const struct history_series *series, size_t number);

#endif
