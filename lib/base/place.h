/*
 * Where this project's own programs and files are, seen from the running program: in a build tree
 * (BUILD/<room>/psmdb-x, BUILD/share/psmdb-drill) or installed (PREFIX/bin, PREFIX/share/psmdb-drill).
 *
 * The folders above the running program are tried, PLACE_LEVELS of them at most, and none from the first one on that
 * everybody may write to: what lies there may be anybody's.
 */
#ifndef BASE_PLACE_H
#define BASE_PLACE_H

#include "base/err.h"

#include <limits.h>

#define PLACE_LEVELS 6

/* "psmdb-verify": beside the running program, else in the build tree's rooms, else on PATH. ERR_NOT_FOUND tells where
 * it was looked for. */
bool place_program(const char *name, char ret[static PATH_MAX], struct err *err);
/* "manifests/cr.yaml": below $PSMDB_DRILL_SHARE if that is set, else the share folder of the tree that the running
 * program is in. ERR_NOT_FOUND tells where it was looked for; a path that leads out of the folder is ERR_PARSE. */
bool place_share(const char *rest, char ret[static PATH_MAX], struct err *err);

/* The same as seen from the program at this absolute path. */
bool place_program_from(const char *self, const char *name, char ret[static PATH_MAX], struct err *err);
bool place_share_from(const char *self, const char *rest, char ret[static PATH_MAX], struct err *err);

#endif
