/*
 * A test program that prints TAP: for tests that share one costly fixture, which Criterion's process a test cannot.
 */
#ifndef TESTS_SUPPORT_TAP_H
#define TESTS_SUPPORT_TAP_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

struct tap {
	int count, failed;
};

/* The sentence, and what was seen if it does not hold. Returns whether it holds. */
static inline bool __attribute__((format(printf, 4, 5)))
tap_ok(struct tap *tap, bool holds, const char *sentence, const char *seen, ...)
{
	va_list ap;

	printf("%sok %d - %s\n", holds ? "" : "not ", ++tap->count, sentence);
	if (!holds) {
		tap->failed++;
		printf("# ");
		va_start(ap, seen);
		vprintf(seen, ap);
		va_end(ap);
		printf("\n");
	}
	fflush(stdout);
	return holds;
}

/* The last line; returns the exit status. */
static inline int tap_done(const struct tap *tap)
{
	printf("1..%d\n", tap->count);
	return tap->failed ? 1 : 0;
}

#endif
