#include "ticker/gate.h"

#include "base/file.h"

#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

struct gate {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	const struct clock *clock;
	int64_t start_ns;
	struct record_file *file; /* NULL: stdout */
	struct record_sink sink;
	struct journal_writer *journal;
	uint64_t written, synced; /* records */
	bool syncing, sealed;
	struct err failed;

	/* a lock of their own: who counts must not wait for who writes */
	pthread_mutex_t totals_lock;
	struct gate_totals totals;
};

static bool write_stdout(void *ctx, const char *line, size_t len, struct err *err)
{
	char text[sizeof RECORD_LOG_PREFIX - 1 + RECORD_LINE_MAX];

	(void)ctx;
	if (len > RECORD_LINE_MAX)
		return err_set(err, ERR_LIMIT, "a journal record has %zu bytes, more than %d", len, RECORD_LINE_MAX);
	/* one write, so that lines of stderr in the same pod log do not come between */
	memcpy(text, RECORD_LOG_PREFIX, sizeof RECORD_LOG_PREFIX - 1);
	memcpy(text + sizeof RECORD_LOG_PREFIX - 1, line, len);
	if (!fd_write_all(STDOUT_FILENO, text, sizeof RECORD_LOG_PREFIX - 1 + len, err))
		return err_wrap(err, "write the journal to stdout");
	return true;
}

bool gate_open(
    const char *path, const struct clock *clock, const struct journal_open *open, struct gate **ret, struct err *err)
{
	struct gate *gate = calloc(1, sizeof *gate);

	if (!gate)
		return err_nomem(err);
	pthread_mutex_init(&gate->lock, NULL);
	pthread_mutex_init(&gate->totals_lock, NULL);
	pthread_cond_init(&gate->changed, NULL);
	gate->clock = clock;
	gate->start_ns = clock_mono_ns(clock);
	if (!strcmp(path, "-")) {
		gate->sink = (struct record_sink){.write = write_stdout};
	} else {
		if (!record_file_create(path, &gate->file, err)) {
			gate_free(gate);
			return false;
		}
		gate->sink = record_file_sink(gate->file);
	}
	if (!journal_writer_new(&gate->sink, open, &gate->journal, err)) {
		gate_free(gate);
		return err_wrap(err, "begin the journal");
	}
	*ret = gate;
	return true;
}

void gate_free(struct gate *gate)
{
	if (!gate)
		return;
	journal_writer_free(gate->journal);
	record_file_close(gate->file, NULL);
	pthread_cond_destroy(&gate->changed);
	pthread_mutex_destroy(&gate->totals_lock);
	pthread_mutex_destroy(&gate->lock);
	free(gate);
}

static void count(struct gate *gate, const struct journal_record *rec, bool was_unknown)
{
	int64_t ticks = rec->last - rec->first + 1;
	struct gate_totals *t = &gate->totals;

	pthread_mutex_lock(&gate->totals_lock);
	switch (rec->type) {
	case JOURNAL_ISSUED:
		t->issued += ticks;
		break;
	case JOURNAL_ACKED:
		t->acked += ticks;
		break;
	case JOURNAL_FAILED:
		t->failed += ticks;
		break;
	case JOURNAL_UNKNOWN:
		t->unknown += ticks;
		break;
	default:
		break;
	}
	if (was_unknown)
		t->unknown -= ticks;
	pthread_mutex_unlock(&gate->totals_lock);
}

static bool fail(struct gate *gate, const struct err *cause, struct err *err)
{
	if (gate->failed.code == ERR_NONE)
		gate->failed = *cause;
	pthread_cond_broadcast(&gate->changed);
	if (err)
		*err = gate->failed;
	return false;
}

static bool append(struct gate *gate, struct journal_record *rec, struct err *err)
{
	struct err inner = ERR_INIT;

	if (gate->failed.code != ERR_NONE)
		return fail(gate, &gate->failed, err);
	if (gate->sealed)
		return err_set(err, ERR_INTERRUPTED, "the journal is sealed");
	rec->ms = (clock_mono_ns(gate->clock) - gate->start_ns) / 1000000;
	if (!journal_write(gate->journal, rec, &inner)) {
		err_hint(&inner, "no tick is sent that is not journaled: make room, or give another --journal");
		return fail(gate, &inner, err);
	}
	gate->written++;
	return true;
}

/* With the lock held; gives it up while the disk works. One thread syncs for all that have written by then. */
static bool make_safe(struct gate *gate, uint64_t mine, struct err *err)
{
	while (gate->synced < mine && gate->failed.code == ERR_NONE) {
		struct err inner = ERR_INIT;
		uint64_t target = gate->written;
		bool ok;

		if (gate->syncing) {
			pthread_cond_wait(&gate->changed, &gate->lock);
			continue;
		}
		gate->syncing = true;
		pthread_mutex_unlock(&gate->lock);
		ok = record_file_sync(gate->file, &inner);
		pthread_mutex_lock(&gate->lock);
		gate->syncing = false;
		if (!ok)
			return fail(gate, &inner, err);
		gate->synced = target;
		pthread_cond_broadcast(&gate->changed);
	}
	return gate->synced >= mine || fail(gate, &gate->failed, err);
}

bool gate_issue(struct gate *gate, struct journal_record *rec, struct err *err)
{
	bool ok;

	pthread_mutex_lock(&gate->lock);
	ok = append(gate, rec, err);
	if (ok)
		count(gate, rec, false);
	if (ok && gate->file)
		ok = make_safe(gate, gate->written, err);
	pthread_mutex_unlock(&gate->lock);
	return ok;
}

bool gate_note(struct gate *gate, struct journal_record *rec, bool was_unknown, struct err *err)
{
	bool ok;

	pthread_mutex_lock(&gate->lock);
	ok = append(gate, rec, err);
	if (ok)
		count(gate, rec, was_unknown);
	pthread_mutex_unlock(&gate->lock);
	return ok;
}

static void deadline(clockid_t clock, int64_t timeout_ms, struct timespec *ret)
{
	clock_gettime(clock, ret);
	ret->tv_sec += timeout_ms / 1000;
	ret->tv_nsec += timeout_ms % 1000 * 1000000;
	if (ret->tv_nsec >= 1000000000) {
		ret->tv_sec++;
		ret->tv_nsec -= 1000000000;
	}
}

static bool stuck(int64_t timeout_ms, struct err *err)
{
	err_set(err, ERR_TIMEOUT, "the journal could not be sealed within %.1f s: a write to it is stuck",
	    (double)timeout_ms / 1000);
	return err_hint(err, "look whether somebody reads stdout, and at the journal's disk");
}

bool gate_seal(struct gate *gate, const char *reason, int64_t timeout_ms, struct err *err)
{
	struct journal_record end = {.type = JOURNAL_END};
	struct pollfd out = {.fd = STDOUT_FILENO, .events = POLLOUT};
	struct timespec until;
	bool ok;

	if (!gate->file && poll(&out, 1, timeout_ms > INT_MAX ? INT_MAX : (int)timeout_ms) == 0)
		return stuck(timeout_ms, err);
	/* by the wall, the only clock that it knows everywhere; who holds it only writes one line, so a jump that cuts
	 * this short says nothing */
	deadline(CLOCK_REALTIME, timeout_ms, &until);
	if (pthread_mutex_timedlock(&gate->lock, &until))
		return stuck(timeout_ms, err);
	deadline(CLOCK_MONOTONIC, timeout_ms, &until);
	while (gate->syncing) {
		if (pthread_cond_clockwait(&gate->changed, &gate->lock, CLOCK_MONOTONIC, &until)) {
			pthread_mutex_unlock(&gate->lock);
			return stuck(timeout_ms, err);
		}
	}
	snprintf(end.reason, sizeof end.reason, "%s", reason);
	ok = append(gate, &end, err);
	if (ok && gate->file)
		ok = make_safe(gate, gate->written, err);
	gate->sealed = true;
	pthread_mutex_unlock(&gate->lock);
	return ok;
}

struct gate_totals gate_totals(struct gate *gate)
{
	struct gate_totals totals;

	pthread_mutex_lock(&gate->totals_lock);
	totals = gate->totals;
	pthread_mutex_unlock(&gate->totals_lock);
	return totals;
}
