/*
 * Time as a parameter, so that a test can own it.
 *
 * Three kinds of time exist in this project and are never mixed: the monotonic clock (waits, durations; ns), the wall
 * clock (records; ms since 1970 UTC) and cluster time (judgement; base/optime.h).
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include "base/err.h"

#include <stdint.h>

struct clock {
	int64_t (*mono_ns)(void *ctx);
	int64_t (*wall_ms)(void *ctx);
	/*
	 * Sleeps until mono_ns() >= deadline_ns or *stop becomes non-zero (stop may be NULL). Returns false if
	 * stopped.
	 */
	bool (*sleep_until)(void *ctx, int64_t deadline_ns, const volatile int *stop);
	void *ctx;
};

const struct clock *clock_system(void);

static inline int64_t clock_mono_ns(const struct clock *c)
{
	return c->mono_ns(c->ctx);
}
static inline int64_t clock_mono_ms(const struct clock *c)
{
	return c->mono_ns(c->ctx) / 1000000;
}
static inline int64_t clock_wall_ms(const struct clock *c)
{
	return c->wall_ms(c->ctx);
}
static inline bool clock_sleep_until(const struct clock *c, int64_t deadline_ns, const volatile int *stop)
{
	return c->sleep_until(c->ctx, deadline_ns, stop);
}

/*
 * Waits until pred(arg) is true, asking every poll_ms. pred returns false and sets err with a code other than NONE to
 * give up early; leaving err->code NONE means "not yet". On the deadline: ERR_TIMEOUT "waited N s for WHAT". Stopped:
 * ERR_INTERRUPTED.
 */
bool wait_for(const struct clock *c, const char *what, int64_t timeout_ms, int64_t poll_ms, const volatile int *stop,
    bool (*pred)(void *arg, struct err *err), void *arg, struct err *err);

#define TIME_TEXT_MAX 32
/*
 * RFC 3339 in UTC with milliseconds, "2026-11-23T06:00:00.123Z". Valid for years 0000 to 9999; outside, the text
 * "invalid".
 */
const char *time_format(int64_t wall_ms, char text[static TIME_TEXT_MAX]);
/* Accepts RFC 3339 with or without a fraction, "Z" or an offset. */
bool time_parse(const char *text, int64_t *ret_wall_ms);

#endif
