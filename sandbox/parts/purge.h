/* Removes what a sandbox's folder holds: the names that a sandbox makes and nothing else, so that a wrong --dir cannot
 * cost anybody his home. */
#ifndef PARTS_PURGE_H
#define PARTS_PURGE_H

#include "base/err.h"

/* True if the folder holds nothing, or only things that a sandbox makes. ERR_EXISTS names the first stranger. */
bool purge_check(const char *dir, struct err *err);
/* Removes them, the lock last, and the folder itself if it is empty then. The caller holds the lock. */
bool purge(const char *dir, struct err *err);

#endif
