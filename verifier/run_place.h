/* Runs by the names that a person gives: a run's folder, or its verdict.json. */
#ifndef VERIFIER_RUN_PLACE_H
#define VERIFIER_RUN_PLACE_H

#include "base/buf.h"
#include "evidence/verdict.h"

#include <limits.h>

/* DIR/name, with one slash between. */
bool run_path(const char *dir, const char *name, char path[static PATH_MAX], struct err *err);
/* path: RUN/verdict.json for a folder, RUN itself otherwise. Only a regular file is opened: a pipe would never end. */
bool run_read(const char *run, char path[static PATH_MAX], struct verdict *ret, struct err *err);
/* The report.html beside this verdict.json as seen from a folder: a relative path, percent-encoded, that begins with
 * "./" or "../". "" if there is none. */
void run_link(const char *from_dir, const char *verdict_path, char link[static PATH_MAX]);
/* To a file in one step, or to standard output for "-". */
bool run_put(const char *path, const struct buf *text, struct err *err);

#endif
