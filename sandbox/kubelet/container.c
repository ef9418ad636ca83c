#include "sandbox/kubelet/container.h"

#include "sandbox/kubelet/reach.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PROBE_PERIOD_MS 50
#define REFUSED_PAUSE_MS 1000

struct moment moment_now(const struct clock *clock)
{
	return (struct moment){clock_mono_ms(clock), clock_wall_ms(clock)};
}

void container_init(struct container *c, const json_node *spec)
{
	const char *name = json_text_at(spec, "name"), *image = json_text_at(spec, "image");

	*c = (struct container){.backoff_ms = CONTAINER_BACKOFF_FIRST_MS};
	output_init(&c->output);
	snprintf(c->view.name, sizeof c->view.name, "%s", name ? name : "");
	snprintf(c->view.image, sizeof c->view.image, "%s", image ? image : "");
}

void container_clear(struct container *c)
{
	output_close(&c->output, 0);
}

static void move(struct container *c, enum container_event event)
{
	enum container_state next = c->view.state;
	bool allowed = container_next(c->view.state, event, &next);

	assert(allowed);
	if (!allowed)
		abort();
	c->view.state = next;
}

static void send_signal(const struct container *c, int signum)
{
	if (c->pid && kill(-c->pid, signum))
		kill(c->pid, signum);
}

static bool spawn(struct container *c, const struct container_start *start, struct err *err)
{
	struct proc_spec proc = PROC_SPEC_INIT;
	int fds[2];
	bool ok;

	if (!output_open(&c->output, start->log, start->previous, fds, err))
		return false;
	proc.argv = (const char *const *)start->recipe->argv.items;
	proc.env_set = (const char *const *)start->recipe->env.items;
	proc.env_unset = start->env_unset;
	proc.dir = start->recipe->dir;
	proc.stdout_fd = fds[0];
	proc.stderr_fd = fds[1];
	ok = proc_start(&proc, &c->pid, err);
	close(fds[0]);
	close(fds[1]);
	if (!ok)
		c->pid = 0;
	return ok;
}

bool container_start(
    struct container *c, const struct container_start *start, const struct moment *now, struct err *err)
{
	if (!spawn(c, start, err)) {
		output_close(&c->output, now->wall_ms * 1000000);
		return false;
	}
	move(c, CONTAINER_STARTED);
	if (c->view.was_started) {
		c->view.restarts++;
		c->view.last = c->view.end;
	}
	c->view.end = (struct container_end){0};
	c->view.was_started = true;
	c->view.reason[0] = c->view.message[0] = '\0';
	c->view.started_ms = now->wall_ms;
	c->started_mono_ms = now->mono_ms;
	c->restart_at_ms = 0;
	c->probe_port = start->recipe->probe_port;
	snprintf(c->probe_ip, sizeof c->probe_ip, "%s", start->pod_ip);
	c->view.ready = !c->probe_port;
	return true;
}

static void back_off(struct container *c, const struct moment *now)
{
	c->restart_at_ms = now->mono_ms + c->backoff_ms;
	c->backoff_ms = 2 * c->backoff_ms < CONTAINER_BACKOFF_MAX_MS ? 2 * c->backoff_ms : CONTAINER_BACKOFF_MAX_MS;
}

void container_refuse(struct container *c, const char *reason, const char *message, const struct moment *now)
{
	move(c, CONTAINER_REFUSED);
	snprintf(c->view.reason, sizeof c->view.reason, "%s", reason);
	snprintf(c->view.message, sizeof c->view.message, "%s", message);
	back_off(c, now);
	/* nothing has failed yet: what it waits for may come at any moment */
	if (c->restart_at_ms > now->mono_ms + REFUSED_PAUSE_MS)
		c->restart_at_ms = now->mono_ms + REFUSED_PAUSE_MS;
}

bool container_wants_start(const struct container *c, const struct moment *now)
{
	return (c->view.state == CONTAINER_WAITING || c->view.state == CONTAINER_BACKOFF) &&
	       now->mono_ms >= c->restart_at_ms;
}

void container_stop(struct container *c, int64_t grace_ms, const struct moment *now)
{
	bool alive = c->view.state == CONTAINER_RUNNING || c->view.state == CONTAINER_STOPPING;
	bool again = c->view.state == CONTAINER_STOPPING;

	move(c, CONTAINER_STOP);
	if (!alive)
		return;
	c->view.ready = false;
	if (!again || c->kill_at_ms > now->mono_ms + grace_ms)
		c->kill_at_ms = now->mono_ms + grace_ms;
	if (!again || !grace_ms)
		send_signal(c, grace_ms ? SIGTERM : SIGKILL);
}

static void note_end(struct container *c, const struct proc_exit *ex, const struct moment *now)
{
	c->view.end = (struct container_end){
	    .known = true,
	    .exit_code = ex->signaled ? 128 + ex->status : ex->status,
	    .signal = ex->signaled ? ex->status : 0,
	    .started_ms = c->view.started_ms,
	    .finished_ms = now->wall_ms,
	};
}

bool container_reap(struct container *c, const char *policy, const struct moment *now)
{
	struct proc_exit ex;

	if (!c->pid || !proc_reap(c->pid, &ex))
		return false;
	/* what it left behind in its process group */
	kill(-c->pid, SIGKILL);
	c->pid = 0;
	c->view.ready = false;
	output_close(&c->output, now->wall_ms * 1000000);
	note_end(c, &ex, now);
	if (now->mono_ms - c->started_mono_ms >= CONTAINER_SETTLED_MS)
		c->backoff_ms = CONTAINER_BACKOFF_FIRST_MS;
	if (c->view.state == CONTAINER_STOPPING || !restart_wanted(policy, c->view.end.exit_code)) {
		move(c, CONTAINER_ENDED);
		return true;
	}
	move(c, CONTAINER_RETURNS);
	snprintf(c->view.reason, sizeof c->view.reason, "CrashLoopBackOff");
	snprintf(c->view.message, sizeof c->view.message, "back-off %d ms restarting failed container=%s",
	    (int)c->backoff_ms, c->view.name);
	back_off(c, now);
	return true;
}

bool container_tick(struct container *c, const struct moment *now)
{
	if (c->view.state == CONTAINER_STOPPING && now->mono_ms >= c->kill_at_ms) {
		send_signal(c, SIGKILL);
		c->kill_at_ms = now->mono_ms + 1000;
	}
	if (c->view.state != CONTAINER_RUNNING || c->view.ready || !reach_port(c->probe_ip, c->probe_port))
		return false;
	c->view.ready = true;
	return true;
}

int64_t container_due_ms(const struct container *c, const struct moment *now)
{
	switch (c->view.state) {
	case CONTAINER_RUNNING:
		return c->view.ready ? CONTAINER_NEVER : now->mono_ms + PROBE_PERIOD_MS;
	case CONTAINER_STOPPING:
		return c->kill_at_ms;
	case CONTAINER_WAITING:
	case CONTAINER_BACKOFF:
		return c->restart_at_ms;
	case CONTAINER_DONE:
	case CONTAINER_STATES:
		break;
	}
	return CONTAINER_NEVER;
}
