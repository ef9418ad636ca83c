/*
 * One run: what its streams share, and how it ends. The first cause to end it wins: a signal, the last tick, or an
 * error that a stream reports with run_fail.
 */
#ifndef TICKER_RUN_H
#define TICKER_RUN_H

#include "base/clock.h"
#include "base/log.h"
#include "mongo/client.h"
#include "ticker/gate.h"
#include "ticker/link.h"
#include "ticker/metrics.h"
#include "ticker/options.h"

#include <pthread.h>
#include <stdatomic.h>

struct run {
	const struct options *options;
	const struct clock *clock;
	struct log log;
	struct uuid id;
	char id_text[UUID_TEXT_MAX];
	struct mongo_target target;
	struct mongo_identity cluster;
	struct link_plan plan;
	struct gate *gate;
	struct journal_open open;
	struct metrics metrics;
	int64_t start_ns;
	bool stuck; /* the main thread's */

	/* shared between threads */
	int stop; /* with __atomic_*: non-zero once no new tick may be issued; read by clock->sleep_until */
	_Atomic int64_t stop_ns; /* when that was */
	_Atomic bool journaling; /* gate and start_ns are there */
	_Atomic int64_t skipped; /* slots that were missed */
	pthread_mutex_t lock;
	struct err cause; /* why it had to end; ERR_NONE: it was asked to */
	int wake_fd;	  /* eventfd: a stream ended, or something failed */
	atomic_int streams_running;
};

/*
 * Does the whole run. On false err says why it could not start, or had to end. *ret_signal: the signal that ended it,
 * or 0. *ret_stuck: some thread is still inside a system call and owns memory, so the caller must leave the process
 * by _Exit.
 */
bool run_ticker(
    const struct options *options, const struct clock *clock, int *ret_signal, bool *ret_stuck, struct err *err);

/* For streams. */
void run_fail(struct run *run, const struct err *cause);
bool run_stopping(const struct run *run);
void run_stream_ended(struct run *run);

#endif
