#include "ticker/run.h"

#include "base/file.h"
#include "base/stop.h"
#include "ticker/endpoint.h"
#include "ticker/stream.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

static const int64_t status_ms = 10000, select_most_ms = 10000, socket_margin_ms = 5000, connect_least_ms = 1000;
static const int64_t ms_ns = 1000000;

bool run_stopping(const struct run *run)
{
	return __atomic_load_n(&run->stop, __ATOMIC_ACQUIRE) != 0;
}

static void wake(struct run *run)
{
	uint64_t one = 1;
	ssize_t ignored = write(run->wake_fd, &one, sizeof one);

	(void)ignored;
}

static void stop(struct run *run)
{
	if (run_stopping(run))
		return;
	atomic_store(&run->stop_ns, clock_mono_ns(run->clock));
	__atomic_store_n(&run->stop, 1, __ATOMIC_RELEASE);
	wake(run);
}

void run_fail(struct run *run, const struct err *cause)
{
	pthread_mutex_lock(&run->lock);
	if (run->cause.code == ERR_NONE)
		run->cause = *cause;
	pthread_mutex_unlock(&run->lock);
	stop(run);
}

static struct err cause_of(struct run *run)
{
	struct err cause;

	pthread_mutex_lock(&run->lock);
	cause = run->cause;
	pthread_mutex_unlock(&run->lock);
	return cause;
}

void run_stream_ended(struct run *run)
{
	atomic_fetch_sub(&run->streams_running, 1);
	wake(run);
}

/* --- start --- */

struct team {
	struct stream *streams[JOURNAL_STREAMS_MAX];
	pthread_t threads[JOURNAL_STREAMS_MAX];
	struct endpoint *endpoint;
	size_t count, started;
};

static bool look_around(struct run *run, struct mongo_clock_offset *ret_offset, struct err *err)
{
	CLEANUP(mongoc_client) mongoc_client_t *client = NULL;

	return mongo_client_new(&run->target, &client, err) && mongo_identify(client, &run->cluster, err) &&
	       mongo_clock_offset(client, run->clock, ret_offset, err);
}

static void describe(const struct run *run, const struct mongo_clock_offset *offset, struct journal_open *open)
{
	const struct options *o = run->options;

	*open = (struct journal_open){.run = run->id, .batch = o->batch};
	snprintf(open->ticker, sizeof open->ticker, "%s", PSMDB_DRILL_VERSION);
	snprintf(open->cluster_kind, sizeof open->cluster_kind, "%s", run->cluster.kind);
	snprintf(open->cluster_id, sizeof open->cluster_id, "%s", run->cluster.id);
	snprintf(open->set_name, sizeof open->set_name, "%s", run->cluster.set_name);
	open->clock_offset_ms = offset->offset_ms;
	open->clock_error_ms = offset->error_ms;
	open->interval_us = o->rate > 0 ? (int64_t)llround(1e6 / o->rate) : 0;
	for (size_t i = 0; i < o->ns.count; i++) {
		for (int32_t writer = 0; writer < o->writers; writer++) {
			struct journal_stream *s = &open->streams[open->stream_count++];

			snprintf(s->ns, sizeof s->ns, "%s", o->ns.items[i]);
			s->writer = writer;
		}
	}
}

/* Connects every stream before the journal is begun: what cannot start leaves no journal behind. */
static bool gather(struct run *run, const struct journal_open *open, struct team *team, struct err *err)
{
	for (; team->count < open->stream_count; team->count++)
		if (!stream_new(run, (uint32_t)team->count, open->streams[team->count].ns,
			open->streams[team->count].writer, &team->streams[team->count], err))
			return false;
	return true;
}

static bool start(struct run *run, struct team *team, struct err *err)
{
	sigset_t all, before;

	/* signals are the main thread's business: its poll is to be interrupted, not a write */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	atomic_store(&run->streams_running, (int)team->count);
	for (; team->started < team->count; team->started++) {
		int error =
		    pthread_create(&team->threads[team->started], NULL, stream_main, team->streams[team->started]);

		if (error) {
			struct err cause = ERR_INIT;

			err_errno(&cause, ERR_NOMEM, error, "start a thread");
			atomic_fetch_sub(&run->streams_running, (int)(team->count - team->started));
			run_fail(run, &cause);
			break;
		}
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return team->started > 0 || err_set(err, ERR_NOMEM, "no thread could be started");
}

/* --- while it runs --- */

static void status(struct run *run, const char *message)
{
	struct gate_totals t = gate_totals(run->gate);
	char texts[5][24];
	const int64_t values[] = {t.issued, t.acked, t.failed, t.unknown, atomic_load(&run->skipped)};

	for (int i = 0; i < 5; i++)
		snprintf(texts[i], sizeof texts[i], "%" PRId64, values[i]);
	log_line(&run->log, LOG_INFO, message, "issued", texts[0], "acked", texts[1], "failed", texts[2], "unknown",
	    texts[3], "skipped", texts[4], NULL);
}

/* Sleeps until something happens or the time has come; clears what woke it. */
static void rest(struct run *run, int64_t until_ns)
{
	struct pollfd fds[] = {{.fd = stop_fd(), .events = POLLIN}, {.fd = run->wake_fd, .events = POLLIN}};
	int64_t wait_ms = (until_ns - clock_mono_ns(run->clock)) / ms_ns + 1;
	uint64_t drained;
	ssize_t ignored;

	/* the signal's pipe stays readable, so it is looked at only once */
	if (run_stopping(run))
		fds[0].fd = -1;
	if (poll(fds, 2, wait_ms < 0 ? 0 : (int)wait_ms) > 0 && fds[1].revents) {
		ignored = read(run->wake_fd, &drained, sizeof drained);
		(void)ignored;
	}
}

/* Until a signal, a failure, or the streams' own end. Returns the signal. */
static int watch(struct run *run)
{
	int64_t next_ns = run->start_ns + status_ms * ms_ns;

	while (!run_stopping(run) && atomic_load(&run->streams_running)) {
		int signum = __atomic_load_n(stop_flag(), __ATOMIC_RELAXED);

		if (signum) {
			stop(run);
			return signum;
		}
		rest(run, next_ns);
		if (clock_mono_ns(run->clock) >= next_ns) {
			status(run, "ticking");
			next_ns += status_ms * ms_ns;
		}
	}
	return 0;
}

/* Waits for the outstanding commands. False: some stream is stuck. */
static bool drain(struct run *run)
{
	/* a second over what the streams allow themselves */
	int64_t until_ns = clock_mono_ns(run->clock) + (run->options->give_up_ms + 1000) * ms_ns;

	stop(run);
	while (atomic_load(&run->streams_running) && clock_mono_ns(run->clock) < until_ns)
		rest(run, until_ns);
	return !atomic_load(&run->streams_running);
}

static const char *end_reason(const struct err *cause, int signum)
{
	if (cause->code != ERR_NONE)
		return cause->msg;
	return signum == SIGINT ? "interrupted" : signum ? "stopped" : "complete";
}

/* --- the whole --- */

static void tell(void *ctx, struct metrics_state *ret)
{
	struct run *run = ctx;
	bool journaling = atomic_load(&run->journaling);
	int64_t now_ns = clock_mono_ns(run->clock);

	*ret = (struct metrics_state){.metrics = &run->metrics,
	    .open = &run->open,
	    .totals = journaling ? gate_totals(run->gate) : (struct gate_totals){0},
	    .skipped = atomic_load(&run->skipped),
	    .start_ns = journaling ? run->start_ns : now_ns,
	    .now_ns = now_ns,
	    .stopping = run_stopping(run)};
}

static bool set_up(struct run *run, struct team *team, struct err *err)
{
	struct mongo_clock_offset offset;
	const char *journal = run->options->journal;

	if (strcmp(journal, "-") && file_exists(journal)) {
		err_set(err, ERR_EXISTS, "journal \"%s\" exists already", journal);
		return err_hint(
		    err, "a journal is never overwritten nor continued: give another --journal, or move the file away");
	}
	run->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (run->wake_fd < 0)
		return err_errno(err, ERR_IO, errno, "create an event file descriptor");
	if (!look_around(run, &offset, err))
		return false;
	run->plan = (struct link_plan){.target = &run->target,
	    .user_file = run->options->user_file,
	    .password_file = run->options->password_file,
	    .clock = run->clock,
	    .cluster = &run->cluster,
	    .write_timeout_ms = run->options->write_timeout_ms};
	describe(run, &offset, &run->open);
	if (!gather(run, &run->open, team, err))
		return false;
	run->open.at_ms = clock_wall_ms(run->clock);
	if ((run->options->listen && !endpoint_start(run->options->listen, tell, run, &team->endpoint, err)) ||
	    !gate_open(journal, run->clock, &run->open, &run->gate, err))
		return false;
	run->start_ns = clock_mono_ns(run->clock);
	atomic_store(&run->journaling, true);
	return start(run, team, err);
}

static bool play(struct run *run, int *ret_signal, struct err *err)
{
	bool drained, sealed;
	struct err cause;

	*ret_signal = watch(run);
	drained = drain(run);
	cause = cause_of(run);
	sealed = gate_seal(run->gate, end_reason(&cause, *ret_signal), run->options->give_up_ms,
	    cause.code == ERR_NONE ? &cause : NULL);
	status(run, "ended");
	run->stuck = !drained || (!sealed && cause.code == ERR_TIMEOUT);
	if (cause.code == ERR_NONE)
		return true;
	*err = cause;
	return false;
}

static int64_t least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* Several rounds over all members must fit into the time for a tick in doubt, though one of them is frozen. */
static int64_t connect_ms(int64_t give_up_ms)
{
	int64_t quarter_ms = least(give_up_ms / 4, select_most_ms / 4);

	return quarter_ms > connect_least_ms ? quarter_ms : least(give_up_ms, connect_least_ms);
}

static bool with_credentials(struct run *run, struct team *team, int *ret_signal, struct err *err)
{
	const struct options *o = run->options;
	struct mongo_credentials credentials = {0};
	bool ok;

	if (!mongo_credentials_load(o->user_file, o->password_file, &credentials, err))
		return false;
	run->target = (struct mongo_target){
	    .uri = o->uri,
	    .user = credentials.given ? credentials.user : NULL,
	    .password = credentials.given ? credentials.password : NULL,
	    .app_name = "psmdb-ticker",
	    .select_timeout_ms = least(o->give_up_ms, select_most_ms),
	    .connect_timeout_ms = connect_ms(o->give_up_ms),
	    .socket_timeout_ms = o->write_timeout_ms + socket_margin_ms,
	    .retry_writes = false, /* stream.c repeats by itself, once it knows whom it talks to */
	};
	ok = set_up(run, team, err);
	mongo_credentials_clear(&credentials);
	return ok && play(run, ret_signal, err);
}

bool run_ticker(
    const struct options *options, const struct clock *clock, int *ret_signal, bool *ret_stuck, struct err *err)
{
	struct run *run = calloc(1, sizeof *run);
	struct team *team = calloc(1, sizeof *team);
	bool ok = run && team;

	if (!ok || !uuid_random(&run->id, err)) {
		free(run);
		free(team);
		return ok ? false : err_nomem(err);
	}
	run->options = options;
	run->clock = clock;
	run->log = (struct log){
	    .least = options->log_level, .program = "psmdb-ticker", .run = uuid_format(&run->id, run->id_text)};
	run->wake_fd = -1;
	pthread_mutex_init(&run->lock, NULL);
	ok = with_credentials(run, team, ret_signal, err);
	*ret_stuck = run->stuck;
	endpoint_stop(team->endpoint);
	if (run->stuck)
		return ok;
	for (size_t i = 0; i < team->started; i++)
		pthread_join(team->threads[i], NULL);
	for (size_t i = 0; i < JOURNAL_STREAMS_MAX; i++)
		stream_free(team->streams[i]);
	gate_free(run->gate);
	if (run->wake_fd >= 0)
		close(run->wake_fd);
	pthread_mutex_destroy(&run->lock);
	free(run);
	free(team);
	return ok;
}
