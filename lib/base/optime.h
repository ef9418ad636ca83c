/*
 * Operation time: MongoDB's cluster time of one operation, (T,I) = seconds since 1970 and an increment within that
 * second.
 * It is the time that decides in every judgement. Text form: "T,I" in decimal, as in "1700000000,3".
 */
#ifndef BASE_OPTIME_H
#define BASE_OPTIME_H

#include <stdbool.h>
#include <stdint.h>

struct optime {
	uint32_t t;
	uint32_t i;
};

#define OPTIME_TEXT_MAX 24
#define OPTIME_ZERO ((struct optime){0, 0})
#define OPTIME_MAX ((struct optime){UINT32_MAX, UINT32_MAX})

int optime_cmp(struct optime a, struct optime b);
bool optime_is_zero(struct optime a);
struct optime optime_max(struct optime a, struct optime b);
struct optime optime_min(struct optime a, struct optime b);
const char *optime_format(struct optime op, char text[static OPTIME_TEXT_MAX]);
/* Strict: two decimal numbers below 2^32 without sign or leading zeros, one comma, nothing else. */
bool optime_parse(const char *text, struct optime *ret);

#endif
