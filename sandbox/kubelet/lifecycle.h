/*
 * The life of a container as a transition table, and what a pod looks like from the states of its containers.
 *
 *              started          asked to stop        ended
 *   waiting ───────────▶ running ───────────▶ stopping ─────▶ done
 *      │  ▲                 │ ended, comes back                ▲
 *      │  │  back-off ◀─────┴── ended, stays ended ────────────┤
 *      │  └─ (started: running again)                          │
 *      └───────────────── asked to stop ───────────────────────┘
 */
#ifndef KUBELET_LIFECYCLE_H
#define KUBELET_LIFECYCLE_H

#include "doc/json_edit.h"

enum container_state {
	CONTAINER_WAITING, /* never started, or not since this kubelet began */
	CONTAINER_RUNNING,
	CONTAINER_STOPPING,
	CONTAINER_BACKOFF,
	CONTAINER_DONE,
	CONTAINER_STATES
};

enum container_event {
	CONTAINER_STARTED,
	CONTAINER_REFUSED, /* could not be started */
	CONTAINER_STOP,	   /* the pod is to end */
	CONTAINER_RETURNS, /* ended, and its restart policy wants it again */
	CONTAINER_ENDED,   /* ended, and stays so */
	CONTAINER_EVENTS
};

const char *container_state_name(enum container_state state);
/* False: this event cannot happen in this state. */
bool container_next(enum container_state state, enum container_event event, enum container_state *ret);

/* A run that is over. */
struct container_end {
	bool known;
	int exit_code; /* 128 + signal for one that was killed */
	int signal;
	int64_t started_ms, finished_ms; /* wall */
	char message[256];
};

struct container_view {
	char name[64];
	char image[512];
	enum container_state state;
	char reason[64], message[1024]; /* of waiting */
	bool ready;
	bool was_started; /* at some time, perhaps by another kubelet */
	uint32_t restarts;
	int64_t started_ms;
	struct container_end end;  /* of the run that made it done or wait */
	struct container_end last; /* of the run before the present one */
};

/* What follows from an exit: Always, OnFailure, Never. */
bool restart_wanted(const char *policy, int exit_code);

struct pod_view {
	const struct container_view *containers;
	size_t count;
	/* init containers that are run; those of the spec that are not are said to be done at once, with a note */
	const struct container_view *inits;
	size_t init_count;
	const char *pod_ip, *host_ip;
	int64_t start_ms, now_ms;
	const json_node *spec;	 /* for the names of init containers */
	const json_node *before; /* the status written last, for the times of its conditions; may be NULL */
};

/* "Pending", "Running", "Succeeded", "Failed" */
const char *pod_phase(const struct pod_view *v);
/* The init containers that are run have all ended well. */
bool pod_initialized(const struct pod_view *v);
/* The whole status. */
bool pod_status(const struct pod_view *v, struct json **ret, struct err *err);
/* What a restarted kubelet goes on from: the container as a status written by the one before has it, its process gone
 * with that one. policy as above. */
void container_view_resume(
    struct container_view *view, const json_node *container_status, const char *policy, int64_t now_ms);

/* "2026-11-28T05:43:00Z" */
#define SECONDS_TEXT_MAX 32
const char *seconds_text(int64_t wall_ms, char text[static SECONDS_TEXT_MAX]);

#endif
