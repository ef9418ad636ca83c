/*
 * Inside this room only: times by Go's layouts ("2006-01-02T15:04:05.999999999Z07:00"), in UTC. What is no field of a
 * layout is copied as it stands: "z07-00" is such a text. Not parsed: the day of the year (002, __2).
 */
#ifndef DOC_GO_TIME_H
#define DOC_GO_TIME_H

#include "base/buf.h"

#include <stdint.h>

struct go_time {
	int64_t s; /* since 1970; years 0 to 9999 */
	int32_t ns;
};

bool go_time_parse(const char *layout, const char *text, struct go_time *ret, struct err *err);
bool go_time_format(const char *layout, struct go_time time, struct buf *out, struct err *err);

#endif
