/* The programs that containers are made of, found once: real parts as parts/binaries.h finds them, this project's own
 * beside the running program. */
#ifndef KUBELET_PROGRAMS_H
#define KUBELET_PROGRAMS_H

#include "base/err.h"

#include <limits.h>

/* "mongod", "mongos", "pbm-agent", "psmdb-ticker", "psmdb-sandbox", ... For struct pods_config; ctx is not used. */
bool program_find(void *ctx, const char *name, char ret[static PATH_MAX], struct err *err);

#endif
