/* The follower's child, and what the timeline says of it. */
#include "base/place.h"
#include "base/proc.h"
#include "evidence/journal.h"
#include "scenarios/drill_run.h"
#include "scenarios/run_dir.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#define RESTART_PAUSE_MS 2000
#define STOP_LIMIT_MS 5000
#define SIGN_EVERY_MS 500
#define END_LIMIT_MS 8000 /* for the last lines of a pod that has ended */

static bool start(struct drill *d, struct err *err)
{
	struct proc_spec spec = PROC_SPEC_INIT;
	char program[PATH_MAX];
	const char *argv[20];
	size_t n = 0;

	if (!place_program("psmdb-drill", program, err))
		return false;
	argv[n++] = program;
	argv[n++] = "follow";
	argv[n++] = "--run";
	argv[n++] = d->dir;
	argv[n++] = "--namespace";
	argv[n++] = d->follow.namespace_;
	argv[n++] = "--pod";
	argv[n++] = d->follow.pod;
	if (d->follow.container[0]) {
		argv[n++] = "--container";
		argv[n++] = d->follow.container;
	}
	if (d->options->kubeconfig) {
		argv[n++] = "--kubeconfig";
		argv[n++] = d->options->kubeconfig;
	}
	if (d->options->context) {
		argv[n++] = "--context";
		argv[n++] = d->options->context;
	}
	argv[n] = NULL;
	spec.argv = argv;
	spec.log_path = drill_path(d, "logs/follow.log");
	d->follow.started_ms = clock_mono_ms(d->clock);
	return proc_start(&spec, &d->follow.pid, err);
}

bool drill_follow(struct drill *d, const char *namespace_, const char *pod, const char *container, struct err *err)
{
	snprintf(d->follow.namespace_, sizeof d->follow.namespace_, "%s", namespace_);
	snprintf(d->follow.pod, sizeof d->follow.pod, "%s", pod);
	snprintf(d->follow.container, sizeof d->follow.container, "%s", container ? container : "");
	/* kept for a run that is taken up again */
	if (!run_state_put(&d->state, "follow/namespace", namespace_, err) ||
	    !run_state_put(&d->state, "follow/pod", pod, err) ||
	    !run_state_put(&d->state, "follow/container", d->follow.container, err) || !run_state_save(&d->state, err))
		return false;
	d->follow.wanted = true;
	return d->follow.pid > 0 || start(d, err) || err_wrap(err, "follow the log of pod \"%s/%s\"", namespace_, pod);
}

/* It ends by itself when the journal is sealed or the pod is gone; anything else is a reason to start it again. */
void drill_mind_follower(struct drill *d)
{
	struct proc_exit ex;

	if (d->lock_fd > 0 && clock_mono_ms(d->clock) - d->signed_ms >= SIGN_EVERY_MS) {
		d->signed_ms = clock_mono_ms(d->clock);
		run_sign(d->lock_fd, clock_wall_ms(d->clock));
	}
	if (d->follow.pid > 0) {
		if (!proc_reap(d->follow.pid, &ex))
			return;
		d->follow.pid = 0;
		if (!ex.signaled && (ex.status == EXIT_PASS || ex.status == EXIT_INCONCLUSIVE))
			d->follow.wanted = false;
	}
	if (!d->follow.wanted || clock_mono_ms(d->clock) - d->follow.started_ms < RESTART_PAUSE_MS)
		return;
	d->follow.restarts++;
	start(d, NULL);
}

bool drill_unfollow(struct drill *d, struct err *err)
{
	int64_t until_ms = clock_mono_ms(d->clock) + END_LIMIT_MS;
	struct proc_exit ex;

	d->follow.wanted = false;
	if (d->state.doc && json_remove_at(json_edit(d->state.doc), "follow") && !run_state_save(&d->state, err))
		return false;
	/* it ends by itself when the pod is gone, and has the last of its log then */
	while (d->follow.pid > 0 && clock_mono_ms(d->clock) < until_ms) {
		if (proc_reap(d->follow.pid, &ex)) {
			d->follow.pid = 0;
			return true;
		}
		clock_sleep_until(d->clock, clock_mono_ns(d->clock) + INT64_C(50000000), NULL);
	}
	if (d->follow.pid <= 0)
		return true;
	if (!proc_stop(d->clock, d->follow.pid, STOP_LIMIT_MS, &ex, err))
		return false;
	d->follow.pid = 0;
	return true;
}

/* A head names the streams that have an acknowledged tick; how many there are, only the journal says. */
static size_t stream_count(struct drill *d)
{
	CLEANUP(record_reader) struct record_reader *records = NULL;
	CLEANUP(journal_reader) struct journal_reader *reader = NULL;

	if (!record_reader_open(drill_path(d, RUN_JOURNAL), false, &records, NULL) ||
	    !journal_reader_new(TAKE(records), &reader, NULL))
		return 0;
	return journal_reader_open_record(reader)->stream_count;
}

/* Reads the whole timeline: it is small, a line a second. */
bool drill_heads(struct drill *d, struct drill_heads *ret, struct err *err)
{
	CLEANUP(record_reader) struct record_reader *records = NULL;
	CLEANUP(timeline_reader) struct timeline_reader *reader = NULL;
	CLEANUP(free) struct timeline_record *rec = calloc(1, sizeof *rec), *last = calloc(1, sizeof *last);
	struct drill_heads h = {.known = false};
	enum record_state state;

	if (!rec || !last)
		return err_nomem(err);
	if (!record_reader_open(drill_path(d, RUN_TIMELINE), false, &records, err) ||
	    !timeline_reader_new(TAKE(records), &reader, err))
		return false;
	while ((state = timeline_next(reader, rec, err)) == RECORD_OK)
		if (rec->is_head) {
			*last = *rec;
			h.known = true;
		}
	if (state == RECORD_BROKEN || state == RECORD_FAILED)
		return false;
	h.at_ms = last->at_ms;
	h.n = last->journal.n;
	h.streams = h.known ? stream_count(d) : 0;
	for (size_t i = 0; h.known && i < last->acked_count; i++) {
		h.hi[i] = last->acked[i].hi;
		h.seq[i] = last->acked[i].seq;
		h.acked += last->acked[i].seq > 0;
		h.ticks += last->acked[i].seq;
		if (!i || optime_cmp(last->acked[i].hi, h.least_hi) < 0)
			h.least_hi = last->acked[i].hi;
	}
	*ret = h;
	return true;
}
