#include "sandbox/parts/part.h"

#include "base/file.h"
#include "sandbox/parts/diagnose.h"
#include "sandbox/parts/leftovers.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define PROBE_PERIOD_MS 20

void part_init(struct part *part, struct part_spec *spec)
{
	memset(part, 0, sizeof *part);
	part->spec = *spec;
	memset(spec, 0, sizeof *spec);
	part->probe = (struct probe)PROBE_INIT;
	part->restart_at_ms = PART_NEVER;
	part->backoff_ms = PART_BACKOFF_FIRST_MS;
}

void part_clear(struct part *part)
{
	probe_clear(&part->probe);
	part_spec_clear(&part->spec);
}

static void move(struct part *part, enum part_event event, int64_t now_ms)
{
	enum part_state next = part->state;
	bool allowed = part_next(part->state, event, &next);

	assert(allowed);
	if (!allowed)
		abort();
	if (next != part->state)
		part->since_ms = now_ms;
	part->state = next;
}

static void send_signal(const struct part *part, int signum)
{
	if (kill(-part->pid, signum))
		kill(part->pid, signum);
}

static void schedule_restart(struct part *part, int64_t now_ms)
{
	if (!part->spec.restart)
		return;
	part->restart_at_ms = now_ms + part->backoff_ms;
	part->backoff_ms = part->backoff_ms * 2 < PART_BACKOFF_MAX_MS ? part->backoff_ms * 2 : PART_BACKOFF_MAX_MS;
}

static bool spawn(struct part *part, struct err *err)
{
	struct proc_spec proc = PROC_SPEC_INIT;

	if (part->spec.data_dir[0] && !file_make_dirs(part->spec.data_dir, 0700, err))
		return false;
	proc.argv = (const char *const *)part->spec.argv.items;
	proc.env_set = (const char *const *)part->spec.env_set.items;
	proc.env_unset = (const char *const *)part->spec.env_unset.items;
	proc.dir = part->spec.dir;
	proc.log_path = part->spec.log_path;
	probe_restart(&part->probe, part->spec.log_path);
	part->log_start = part->probe.log_offset;
	return proc_start(&proc, &part->pid, err);
}

bool part_start(struct part *part, int64_t now_ms, struct err *err)
{
	if (part->state == PART_STARTING || part->state == PART_READY)
		return true;
	if (part->state == PART_STOPPING)
		return err_set(err, ERR_STATE, "\"%s\" is stopping", part->spec.name);
	part->restart_at_ms = PART_NEVER;
	part->error = (struct err)ERR_INIT;
	if (!spawn(part, &part->error)) {
		err_wrap(&part->error, "part \"%s\"", part->spec.name);
		part->pid = 0;
		move(part, PART_REFUSE, now_ms);
		*err = part->error;
		return false;
	}
	part->frozen = false;
	if (!process_start_ticks(part->pid, &part->start_ticks))
		part->start_ticks = 0;
	move(part, PART_START, now_ms);
	return true;
}

void part_end(struct part *part, bool at_once, int64_t now_ms)
{
	part->restart_at_ms = PART_NEVER;
	part->backoff_ms = PART_BACKOFF_FIRST_MS;
	if (part_state_alive(part->state)) {
		if (part->state != PART_STOPPING)
			part->kill_at_ms = now_ms + part->spec.stop_limit_ms;
		if (at_once)
			part->kill_at_ms = now_ms;
		send_signal(part, at_once ? SIGKILL : SIGTERM);
		if (part->frozen)
			send_signal(part, SIGCONT);
		part->frozen = false;
	}
	move(part, PART_END, now_ms);
}

static bool set_frozen(struct part *part, bool frozen, struct err *err)
{
	if (!part->pid)
		return err_set(
		    err, ERR_STATE, "\"%s\" has no process: it is %s", part->spec.name, part_state_name(part->state));
	send_signal(part, frozen ? SIGSTOP : SIGCONT);
	part->frozen = frozen;
	return true;
}

bool part_freeze(struct part *part, struct err *err)
{
	return set_frozen(part, true, err);
}

bool part_thaw(struct part *part, struct err *err)
{
	return set_frozen(part, false, err);
}

bool part_wipe(struct part *part, struct err *err)
{
	if (part->pid)
		return err_set(err, ERR_STATE, "\"%s\" is still %s", part->spec.name, part_state_name(part->state));
	return !part->spec.data_dir[0] || file_remove_tree(part->spec.data_dir, err);
}

bool part_reap(struct part *part, int64_t now_ms)
{
	bool asked = part->state == PART_STOPPING;

	if (!part->pid || !proc_reap(part->pid, &part->last_exit))
		return false;
	if (part->state == PART_READY && now_ms - part->since_ms >= PART_SETTLED_MS)
		part->backoff_ms = PART_BACKOFF_FIRST_MS;
	part->has_exit = true;
	part->pid = 0;
	part->frozen = false;
	probe_clear(&part->probe);
	move(part, PART_ENDED, now_ms);
	if (!asked) {
		diagnose_exit(part->spec.name, &part->last_exit, part->spec.log_path, part->log_start, &part->error);
		schedule_restart(part, now_ms);
	}
	return true;
}

bool part_tick(struct part *part, int64_t now_ms)
{
	struct err ignored = ERR_INIT; /* kept in part->error as well */

	switch (part->state) {
	case PART_STARTING:
		if (part->frozen || !probe_step(&part->probe, &part->spec.probe, part->spec.log_path, now_ms))
			return false;
		probe_clear(&part->probe);
		move(part, PART_PROBED, now_ms);
		return true;
	case PART_STOPPING:
		if (now_ms >= part->kill_at_ms) {
			send_signal(part, SIGKILL);
			part->kill_at_ms = now_ms + 1000;
		}
		return false;
	case PART_FAILED:
		if (now_ms < part->restart_at_ms)
			return false;
		part->restarts++;
		if (!part_start(part, now_ms, &ignored))
			schedule_restart(part, now_ms);
		return true;
	case PART_STOPPED:
	case PART_READY:
	case PART_STATES:
		break;
	}
	return false;
}

int64_t part_due_ms(const struct part *part, int64_t now_ms)
{
	switch (part->state) {
	case PART_STARTING:
		return now_ms + PROBE_PERIOD_MS;
	case PART_STOPPING:
		return part->kill_at_ms;
	case PART_FAILED:
		return part->restart_at_ms;
	case PART_STOPPED:
	case PART_READY:
	case PART_STATES:
		break;
	}
	return PART_NEVER;
}
