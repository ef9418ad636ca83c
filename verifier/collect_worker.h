/*
 * A thread that checks one batch of documents while the next one is being fetched: the server and the check work at
 * the same time. One batch at a time; the tally belongs to the worker between worker_give and worker_wait, and to the
 * caller otherwise.
 */
#ifndef VERIFIER_COLLECT_WORKER_H
#define VERIFIER_COLLECT_WORKER_H

#include "verifier/collect_tally.h"

#include <bson/bson.h>

struct worker;

bool worker_new(struct tally *tally, struct worker **ret, struct err *err);
/* Waits for what it is doing; takes NULL. */
void worker_free(struct worker *w);
CLEANUP_PTR(worker, struct worker, worker_free)

/* documents: the elements of a batch; what it points into must live until worker_wait. */
void worker_give(struct worker *w, const bson_iter_t *documents);
/* false: the batch could not be tallied, or holds something that is no document. */
bool worker_wait(struct worker *w, struct err *err);

#endif
