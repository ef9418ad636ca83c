#include "verifier/collect_worker.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

struct worker {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct tally *tally;
	bson_iter_t documents;
	bool busy, quit; /* under the lock */
	bool ok;	 /* of the last batch */
	struct err err;
};

static bool add_batch(struct tally *tally, bson_iter_t *documents, struct err *err)
{
	const uint8_t *data;
	uint32_t len;

	while (bson_iter_next(documents)) {
		if (!BSON_ITER_HOLDS_DOCUMENT(documents))
			return err_set(err, ERR_REMOTE, "the server's batch holds something that is no document");
		bson_iter_document(documents, &len, &data);
		if (!tally_add(tally, data, len, err))
			return false;
	}
	/* the iterator stops at bytes that it cannot read, too */
	return !documents->err_off || err_set(err, ERR_REMOTE, "the server's batch cannot be read");
}

static void *work(void *arg)
{
	struct worker *w = arg;

	pthread_mutex_lock(&w->lock);
	for (;;) {
		while (!w->busy && !w->quit)
			pthread_cond_wait(&w->changed, &w->lock);
		if (!w->busy)
			break;
		pthread_mutex_unlock(&w->lock);
		w->err = (struct err)ERR_INIT;
		w->ok = add_batch(w->tally, &w->documents, &w->err);
		pthread_mutex_lock(&w->lock);
		w->busy = false;
		pthread_cond_broadcast(&w->changed);
	}
	pthread_mutex_unlock(&w->lock);
	return NULL;
}

bool worker_new(struct tally *tally, struct worker **ret, struct err *err)
{
	struct worker *w = calloc(1, sizeof *w);
	sigset_t all, before;
	int failed;

	if (!w)
		return err_nomem(err);
	w->tally = tally;
	w->ok = true;
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->changed, NULL);
	/* signals are the main thread's, whose waits they end */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	failed = pthread_create(&w->thread, NULL, work, w);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (failed) {
		pthread_cond_destroy(&w->changed);
		pthread_mutex_destroy(&w->lock);
		free(w);
		return err_errno(err, ERR_LIMIT, failed, "start a thread");
	}
	*ret = w;
	return true;
}

void worker_free(struct worker *w)
{
	if (!w)
		return;
	pthread_mutex_lock(&w->lock);
	w->quit = true;
	pthread_cond_broadcast(&w->changed);
	pthread_mutex_unlock(&w->lock);
	pthread_join(w->thread, NULL);
	pthread_cond_destroy(&w->changed);
	pthread_mutex_destroy(&w->lock);
	free(w);
}

void worker_give(struct worker *w, const bson_iter_t *documents)
{
	pthread_mutex_lock(&w->lock);
	w->documents = *documents;
	w->busy = true;
	pthread_cond_broadcast(&w->changed);
	pthread_mutex_unlock(&w->lock);
}

bool worker_wait(struct worker *w, struct err *err)
{
	bool ok;

	pthread_mutex_lock(&w->lock);
	while (w->busy)
		pthread_cond_wait(&w->changed, &w->lock);
	ok = w->ok;
	if (!ok && err)
		*err = w->err;
	pthread_mutex_unlock(&w->lock);
	return ok;
}
