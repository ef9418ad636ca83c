/* Why did it end? The exit status, and the one line of its log that says more than the others. */
#ifndef PARTS_DIAGNOSE_H
#define PARTS_DIAGNOSE_H

#include "base/proc.h"

#define DIAGNOSE_LINE_MAX 400

/*
 * The line that matters in the end of a log: of mongod's JSON lines the last fatal one (else the last error) as
 * "message: cause"; of other logs the last one that speaks of an error; else the last one. Control characters are
 * made
 * harmless. "" if there is none.
 */
void diagnose_log(const char *text, size_t len, char ret_line[static DIAGNOSE_LINE_MAX]);
/* ERR_CHILD: part, exit status, that line of what stands behind log_start in the log, and in the hint the log's path.
 */
void diagnose_exit(
    const char *part, const struct proc_exit *ex, const char *log_path, int64_t log_start, struct err *err);

#endif
