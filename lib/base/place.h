/*
 * Where this project's own programs and files are, seen from the running program: in a build tree
 * (BUILD/<room>/psmdb-x, BUILD/share/psmdb-drill) or installed (PREFIX/bin, PREFIX/share/psmdb-drill).
 */
#ifndef BASE_PLACE_H
#define BASE_PLACE_H

#include "base/err.h"

#include <limits.h>

/* "psmdb-verify": beside the running program, else in the build tree's rooms, else on PATH. ERR_NOT_FOUND tells where it was
 * looked for. */
bool place_program(const char *name, char ret[static PATH_MAX], struct err *err);
/* "manifests/cr.yaml": below $PSMDB_DRILL_SHARE if that is set, else the share folder beside the running program. */
bool place_share(const char *rest, char ret[static PATH_MAX], struct err *err);

#endif
