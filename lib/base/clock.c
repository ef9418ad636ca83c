#include "base/clock.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static int64_t system_mono_ns(void *ctx)
{
	struct timespec ts;

	(void)ctx;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static int64_t system_wall_ms(void *ctx)
{
	struct timespec ts;

	(void)ctx;
	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* Sleeps in slices of at most 100 ms, so that a stop flag set by another thread is seen without a signal. */
static bool system_sleep_until(void *ctx, int64_t deadline_ns, const volatile int *stop)
{
	const int64_t slice_ns = 100000000;

	for (;;) {
		int64_t now = system_mono_ns(ctx);
		int64_t until = deadline_ns;
		struct timespec ts;

		/* the flag is set by a signal handler or another thread */
		if (stop && __atomic_load_n(stop, __ATOMIC_RELAXED))
			return false;
		if (now >= deadline_ns)
			return true;
		if (stop && until - now > slice_ns)
			until = now + slice_ns;
		ts.tv_sec = (time_t)(until / 1000000000);
		ts.tv_nsec = (long)(until % 1000000000);
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL);
	}
}

const struct clock *clock_system(void)
{
	static const struct clock system_clock = {
	    .mono_ns = system_mono_ns,
	    .wall_ms = system_wall_ms,
	    .sleep_until = system_sleep_until,
	};
	return &system_clock;
}

bool wait_for(const struct clock *c, const char *what, int64_t timeout_ms, int64_t poll_ms, const volatile int *stop,
    bool (*pred)(void *arg, struct err *err), void *arg, struct err *err)
{
	int64_t deadline = clock_mono_ns(c) + timeout_ms * 1000000;

	for (;;) {
		struct err inner = ERR_INIT;
		int64_t now, next;

		if (stop && *stop)
			return err_set(err, ERR_INTERRUPTED, "interrupted while waiting for %s", what);
		if (pred(arg, &inner))
			return true;
		if (inner.code != ERR_NONE) {
			if (err)
				*err = inner;
			return false;
		}
		now = clock_mono_ns(c);
		if (now >= deadline)
			return err_set(err, ERR_TIMEOUT, "waited %.1f s for %s", (double)timeout_ms / 1000.0, what);
		next = now + poll_ms * 1000000;
		if (next > deadline)
			next = deadline;
		clock_sleep_until(c, next, stop);
	}
}

const char *time_format(int64_t wall_ms, char text[static TIME_TEXT_MAX])
{
	int64_t seconds = wall_ms / 1000, ms = wall_ms % 1000;
	time_t t;
	struct tm tm;

	if (ms < 0) {
		ms += 1000;
		seconds--;
	}
	t = (time_t)seconds;
	if (seconds < -62167219200 || seconds > 253402300799 || !gmtime_r(&t, &tm)) {
		snprintf(text, TIME_TEXT_MAX, "invalid");
		return text;
	}
	/* the remainders only tell the compiler what gmtime_r guarantees */
	snprintf(text, TIME_TEXT_MAX, "%04u-%02u-%02uT%02u:%02u:%02u.%03uZ", (unsigned)(tm.tm_year + 1900) % 10000,
	    (unsigned)(tm.tm_mon + 1) % 100, (unsigned)tm.tm_mday % 100, (unsigned)tm.tm_hour % 100,
	    (unsigned)tm.tm_min % 100, (unsigned)tm.tm_sec % 100, (unsigned)ms % 1000);
	return text;
}

static bool digits(const char **p, int count, int *ret)
{
	int value = 0;

	for (int i = 0; i < count; i++) {
		char c = (*p)[i];

		if (c < '0' || c > '9')
			return false;
		value = value * 10 + (c - '0');
	}
	*p += count;
	*ret = value;
	return true;
}

static bool literal(const char **p, const char *any)
{
	if (!**p || !strchr(any, **p))
		return false;
	(*p)++;
	return true;
}

static bool parse_offset(const char **p, int64_t *ret_seconds)
{
	int sign = **p == '-' ? -1 : 1, hours, minutes;

	if (literal(p, "Zz")) {
		*ret_seconds = 0;
		return true;
	}
	if (!literal(p, "+-") || !digits(p, 2, &hours) || !literal(p, ":") || !digits(p, 2, &minutes) || hours > 23 ||
	    minutes > 59)
		return false;
	*ret_seconds = (int64_t)sign * (hours * 3600 + minutes * 60);
	return true;
}

/* Days from 1970-01-01 in the Gregorian calendar (H. Hinnant, "chrono-compatible low-level date algorithms"). timegm()
 * would ask for the time zone first. */
static int64_t days_of(int year, int month, int day)
{
	int y = month <= 2 ? year - 1 : year, era = (y >= 0 ? y : y - 399) / 400, of_era = y - era * 400;
	int of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;

	return (int64_t)era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

bool time_parse(const char *text, int64_t *ret_wall_ms)
{
	static const int days_in[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	const char *p = text;
	int year, month, day, hour, minute, second, ms = 0;
	int64_t offset;
	bool leap;

	if (!digits(&p, 4, &year) || !literal(&p, "-") || !digits(&p, 2, &month) || !literal(&p, "-") ||
	    !digits(&p, 2, &day) || !literal(&p, "Tt ") || !digits(&p, 2, &hour) || !literal(&p, ":") ||
	    !digits(&p, 2, &minute) || !literal(&p, ":") || !digits(&p, 2, &second))
		return false;
	if (literal(&p, ".")) {
		int scale = 100, count = 0;

		for (; *p >= '0' && *p <= '9'; p++, count++, scale /= 10)
			ms += (*p - '0') * scale;
		if (!count || count > 9)
			return false;
	}
	if (!parse_offset(&p, &offset) || *p)
		return false;
	leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
	if (month < 1 || month > 12 || day < 1 || day > days_in[month - 1] + (month == 2 && leap) || hour > 23 ||
	    minute > 59 || second > 60)
		return false;
	*ret_wall_ms = (days_of(year, month, day) * 86400 + hour * 3600 + minute * 60 + second - offset) * 1000 + ms;
	return true;
}
