/*
 * When the next tick is due: an absolute schedule on the monotonic clock. Slot k belongs to start + k / rate,
 * computed anew from k each time, so that nothing adds up over hours. After a stall the slots that were missed are
 * skipped, never sent in a burst. Pure: no clock is read here.
 */
#ifndef TICKER_SCHEDULE_H
#define TICKER_SCHEDULE_H

#include <stdint.h>

struct schedule {
	int64_t start_ns;
	double rate;	 /* ticks a second; 0: flat out, each slot is due at once */
	int64_t next;	 /* the next slot's number, from 0 */
	int64_t skipped; /* slots that were missed */
};

void schedule_init(struct schedule *s, int64_t start_ns, double rate);
/*
 * Takes the next `count` slots, which are sent together, and returns when the first of them is due (it may lie in the
 * past by less than the time to the following group). Groups whose successor is due already are skipped.
 */
int64_t schedule_take(struct schedule *s, int64_t now_ns, int count);

/* How many ticks go into one command so that no more than 200 commands a second are needed; between 1 and 1,000. */
int schedule_batch(double rate);
/* The size of a batch that starts at seq: at most `batch`, never across a block of 1,000 sequence numbers. */
int schedule_batch_at(int64_t seq, int batch);

#endif
