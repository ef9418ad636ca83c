/*
 * What a run counts beside its journal, for those who watch it: OpenMetrics text, and whether it is well. The journal decides, these
 * figures inform. All calls may come from any thread.
 */
#ifndef TICKER_METRICS_H
#define TICKER_METRICS_H

#include "base/buf.h"
#include "evidence/journal.h"
#include "ticker/gate.h"

#include <stdatomic.h>

/* Upper bounds in seconds: X(number as text, nanoseconds) */
#define METRICS_BOUNDS(X)                                                                                              \
	X("0.001", 1000000)                                                                                            \
	X("0.0025", 2500000)                                                                                           \
	X("0.005", 5000000)                                                                                            \
	X("0.01", 10000000)                                                                                            \
	X("0.025", 25000000)                                                                                           \
	X("0.05", 50000000)                                                                                            \
	X("0.1", 100000000)                                                                                            \
	X("0.25", 250000000)                                                                                           \
	X("0.5", 500000000)                                                                                            \
	X("1.0", 1000000000)                                                                                           \
	X("2.5", 2500000000)                                                                                           \
	X("5.0", 5000000000)                                                                                           \
	X("10.0", 10000000000)
enum {
#define X(text, ns) +1
	METRICS_BUCKETS = 1 METRICS_BOUNDS(X) /* the last one is for all that is longer */
#undef X
};

struct histogram {
	_Atomic uint64_t bucket[METRICS_BUCKETS];
	_Atomic int64_t sum_ns;
};
void histogram_add(struct histogram *h, int64_t ns); /* what is negative counts as 0 */

struct metrics {
	struct histogram command;		       /* from sending a command to its reply */
	struct histogram late;			       /* from when a command was due to when it was sent */
	_Atomic int64_t acked_ns[JOURNAL_STREAMS_MAX]; /* monotonic; of each stream's newest acknowledgement */
	_Atomic int64_t acked_wall_ms;		       /* of the newest of all; 0: none */
};
void metrics_acked(struct metrics *m, uint32_t stream, int64_t mono_ns, int64_t wall_ms);

/* What else is shown. */
struct metrics_state {
	const struct metrics *metrics;
	const struct journal_open *open; /* run, cluster, clock, streams */
	struct gate_totals totals;
	int64_t skipped;
	int64_t start_ns, now_ns; /* monotonic */
	bool stopping;
};
bool metrics_text(const struct metrics_state *s, struct buf *out, struct err *err);
/*
 * Are the ticks of every stream acknowledged? As the judge's liveness: not if one has had none for longer than 5 intervals and 10 s.
 * why (when not): one line.
 */
bool metrics_healthy(const struct metrics_state *s, char *why, size_t size);

#endif
