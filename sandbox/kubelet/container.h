/*
 * One container: a supervised process, its output, its readiness. A value in the hands of one single-threaded loop
 * that calls container_reap() after SIGCHLD and container_tick() when container_due_ms() says so; nothing blocks.
 * The kubelet's death kills the process (base/proc.h).
 */
#ifndef KUBELET_CONTAINER_H
#define KUBELET_CONTAINER_H

#include "base/proc.h"
#include "sandbox/kubelet/lifecycle.h"
#include "sandbox/kubelet/output.h"
#include "sandbox/kubelet/recipe.h"

#define CONTAINER_NEVER INT64_MAX
#define CONTAINER_BACKOFF_FIRST_MS 250
#define CONTAINER_BACKOFF_MAX_MS 8000
#define CONTAINER_SETTLED_MS 10000 /* up for this long: the back-off starts anew */

/* Both clocks at one moment. */
struct moment {
	int64_t mono_ms, wall_ms;
};
struct moment moment_now(const struct clock *clock);

struct container {
	struct container_view view;
	pid_t pid; /* 0: no process */
	struct output output;
	char probe_ip[16];
	uint16_t probe_port; /* 0: ready when it runs */
	int64_t started_mono_ms;
	int64_t kill_at_ms;    /* stopping: when SIGTERM becomes SIGKILL */
	int64_t restart_at_ms; /* waiting or back-off: not started before */
	int64_t backoff_ms;
};

void container_init(struct container *c, const json_node *spec);
void container_clear(struct container *c);

/* What to start. log and previous: files of its output; env_unset: what the process shall not inherit. */
struct container_start {
	const struct recipe *recipe;
	const char *const *env_unset;
	const char *log, *previous, *pod_ip;
};
bool container_start(
    struct container *c, const struct container_start *start, const struct moment *now, struct err *err);
/* It could not be started: why, and that it is tried again after a growing pause. */
void container_refuse(struct container *c, const char *reason, const char *message, const struct moment *now);
/* Wants to be started now. */
bool container_wants_start(const struct container *c, const struct moment *now);
/* SIGTERM, and SIGKILL after grace_ms (0: at once). One that waits is done. */
void container_stop(struct container *c, int64_t grace_ms, const struct moment *now);
/* Both return true if anything that shows in the status has changed. */
bool container_reap(struct container *c, const char *policy, const struct moment *now);
bool container_tick(struct container *c, const struct moment *now);
/* When container_tick or container_start wants to be called next. */
int64_t container_due_ms(const struct container *c, const struct moment *now);

#endif
