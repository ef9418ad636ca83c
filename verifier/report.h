/*
 * The reports: each takes a verdict and adds one format to a buffer. They lay out, and compute nothing; they open no
 * file, ask no clock, and know no secret. All text of the verdict is escaped for its format (report_escape.h).
 */
#ifndef VERIFIER_REPORT_H
#define VERIFIER_REPORT_H

#include "base/buf.h"
#include "evidence/verdict.h"

#define REPORT_MARKDOWN_MAX (900 * 1024) /* GitHub takes a job summary of at most 1 MiB a step */
#define REPORT_BYTES_MAX (64u << 20)

/* For people at a terminal, and for a chat: at most 100 columns. html_path: named in the last line, or NULL. */
bool report_text(const struct verdict *v, bool color, const char *html_path, struct buf *out, struct err *err);
/* JUnit XML in the dialect that GitHub, GitLab and Jenkins share (tests/support/junit.xsd). */
bool report_junit(const struct verdict *v, struct buf *out, struct err *err);
/* A job summary in GitHub's Markdown. out->max should be REPORT_MARKDOWN_MAX; lists are cut far below it. */
bool report_markdown(const struct verdict *v, struct buf *out, struct err *err);
/* One GitHub workflow command a cause: "::error title=LOST::message". */
bool report_github(const struct verdict *v, struct buf *out, struct err *err);
/* OpenMetrics text, for a text file collector. */
bool report_metrics(const struct verdict *v, struct buf *out, struct err *err);
/* One page without script and without any other file; well-formed XML. */
bool report_html(const struct verdict *v, struct buf *out, struct err *err);

#endif
