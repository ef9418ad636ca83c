/* Go's duration texts, as in a blueprint's "timeout": 360s, 10m, 1h30m, 1.5h, 500ms. Pure. */
#ifndef SANDBOX_KASTEN_DURATION_H
#define SANDBOX_KASTEN_DURATION_H

#include "base/err.h"

#include <stdint.h>

#define DURATION_MAX_MS (INT64_C(366) * 24 * 3600 * 1000) /* a year: more is a mistake */

/* Never negative here: a wait with less than nothing has no meaning. Below a millisecond is nothing. */
bool duration_parse(const char *text, int64_t *ret_ms, struct err *err);

#endif
