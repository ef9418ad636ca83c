/*
 * One stream of ticks: one namespace and writer with a client, a session and one outstanding command of its own.
 *
 * Each command is journaled before it is sent. A command in doubt is sent again with the same documents until its
 * fate is known, --give-up is over, or the stop has lasted that long; before anything goes to a server that may have
 * changed, the stream makes sure that it is still the cluster of the journal's first record.
 */
#ifndef TICKER_STREAM_H
#define TICKER_STREAM_H

#include "ticker/run.h"

struct stream;

/* index: its place in the journal's list of streams. */
bool stream_new(struct run *run, uint32_t index, const char *ns, int32_t writer, struct stream **ret, struct err *err);
/* Connects, then ticks until the run stops; ends with run_stream_ended. A thread's function. */
void *stream_main(void *stream);
void stream_free(struct stream *stream);

#endif
