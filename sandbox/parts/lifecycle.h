/*
 * The life of a part as a transition table: which state follows from which event, and that everything else is a
 * mistake.
 *
 *                start            probed           asked to end       ended
 *   stopped ───────────▶ starting ───────▶ ready ───────────▶ stopping ─────▶ stopped
 *   failed  ───────────▶    │  (ended unasked)│
 *      ▲────────────────────┴─────────────────┘
 *
 * "failed" is a process that ended without being asked to, or could not be executed. Freezing (SIGSTOP) is no state:
 * a
 * frozen part keeps its own.
 */
#ifndef PARTS_LIFECYCLE_H
#define PARTS_LIFECYCLE_H

#include <stdbool.h>

enum part_state { PART_STOPPED, PART_STARTING, PART_READY, PART_STOPPING, PART_FAILED, PART_STATES };

enum part_event {
	PART_START,  /* its process was spawned */
	PART_PROBED, /* the readiness probe said yes */
	PART_END,    /* somebody asked it to end (SIGTERM or SIGKILL), or to stay ended */
	PART_ENDED,  /* its process is gone */
	PART_REFUSE, /* its process could not be spawned */
	PART_EVENTS
};

const char *part_state_name(enum part_state state);
bool part_state_parse(const char *name, enum part_state *ret);
const char *part_event_name(enum part_event event);
/* False: this event cannot happen in this state. */
bool part_next(enum part_state state, enum part_event event, enum part_state *ret);
/* A process exists in this state. */
bool part_state_alive(enum part_state state);

#endif
