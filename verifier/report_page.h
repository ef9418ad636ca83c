/* The parts of the HTML page (report_html.c puts them together). Each writes a complete, well-formed piece, or nothing
 * if the verdict has nothing to show there. */
#ifndef VERIFIER_REPORT_PAGE_H
#define VERIFIER_REPORT_PAGE_H

#include "evidence/verdict.h"
#include "verifier/report_sink.h"

extern const char report_style[]; /* the style sheet */

/* report_html.c: everything up to <body>; class is one of page_class, for the page's tone */
void page_open(struct sink *s, const char *result, const char *title, const char *class);
const char *page_class(enum verdict_result r);

/* report_svg.c: widths are percentages, so that text and marks keep their size on any screen */
void page_story(struct sink *s, const struct verdict *v);     /* events over time, the loss and the outage */
void page_waterfall(struct sink *s, const struct verdict *v); /* phases of the recovery */
/* report_lane.c */
void page_lanes(struct sink *s, const struct verdict *v,
    const size_t *order); /* classes over sequence numbers, one lane a stream */

/* report_tables.c */
void page_bad_ranges(struct sink *s, const struct verdict *v, const size_t *order);
void page_checks(struct sink *s, const struct verdict *v);
void page_restore_point(struct sink *s, const struct verdict *v);
void page_database(struct sink *s, const struct verdict *v); /* newest ticks, logins, collections */
void page_events(struct sink *s, const struct verdict *v);
void page_evidence(struct sink *s, const struct verdict *v); /* files, versions */
void page_glossary(struct sink *s);

#endif
