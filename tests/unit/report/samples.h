/* Verdicts for tests and for pictures in the documentation. All of it is fixed: no clock, no chance. */
#ifndef TESTS_REPORT_SAMPLES_H
#define TESTS_REPORT_SAMPLES_H

#include "evidence/verdict.h"

/* X(name, what it shows) */
#define SAMPLES(X)                                                                                                     \
	X(pass, "a restore that brought back everything")                                                              \
	X(silent_loss, "PBM reports success, and acknowledged ticks are missing")                                      \
	X(inconclusive, "an open journal and a shard without a tick")                                                  \
	X(error, "a drill that could not go on")                                                                       \
	X(removal, "an installation of which something is left")                                                       \
	X(huge, "2,000 runs of ticks in each of 8 streams, and 500 events")                                            \
	X(hostile, "every text tries to break out of its report")

struct sample {
	const char *name;
	void (*make)(struct verdict *ret); /* into an initialised verdict */
};
extern const struct sample samples[];
extern const size_t sample_count;

void sample_make(const char *name, struct verdict *ret); /* initialises; aborts for a name that is none */

#endif
