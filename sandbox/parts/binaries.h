/* Where the real parts' programs are: an environment variable that names it, PATH, the cache of scripts/setup. */
#ifndef PARTS_BINARIES_H
#define PARTS_BINARIES_H

#include "base/err.h"

#include <limits.h>

enum binary { BINARY_MONGOD, BINARY_WEED, BINARY_PBM, BINARY_PBM_AGENT, BINARIES };

const char *binary_name(enum binary binary);     /* "pbm-agent" */
const char *binary_variable(enum binary binary); /* "PSMDB_DRILL_PBM_AGENT" */
/* ERR_NOT_FOUND names the part and scripts/setup. An environment variable that names something that cannot be executed
 * is an error, not a reason to look further. */
bool binary_find(enum binary binary, char ret_path[static PATH_MAX], struct err *err);

#endif
