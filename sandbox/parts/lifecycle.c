#include "sandbox/parts/lifecycle.h"

#include <stddef.h>
#include <string.h>

static const char *const state_names[PART_STATES] = {"stopped", "starting", "ready", "stopping", "failed"};
static const char *const event_names[PART_EVENTS] = {"start", "probed", "end", "ended", "refuse"};

#define NEVER PART_STATES

static const enum part_state table[PART_STATES][PART_EVENTS] = {
    /*                  start          probed      end            ended         refuse */
    [PART_STOPPED] = {PART_STARTING, NEVER, PART_STOPPED, NEVER, PART_FAILED},
    [PART_STARTING] = {NEVER, PART_READY, PART_STOPPING, PART_FAILED, NEVER},
    [PART_READY] = {NEVER, NEVER, PART_STOPPING, PART_FAILED, NEVER},
    [PART_STOPPING] = {NEVER, NEVER, PART_STOPPING, PART_STOPPED, NEVER},
    [PART_FAILED] = {PART_STARTING, NEVER, PART_STOPPED, NEVER, PART_FAILED},
};

const char *part_state_name(enum part_state state)
{
	return state < PART_STATES ? state_names[state] : "invalid";
}

const char *part_event_name(enum part_event event)
{
	return event < PART_EVENTS ? event_names[event] : "invalid";
}

bool part_state_parse(const char *name, enum part_state *ret)
{
	for (size_t i = 0; i < PART_STATES; i++) {
		if (!strcmp(state_names[i], name)) {
			*ret = (enum part_state)i;
			return true;
		}
	}
	return false;
}

bool part_next(enum part_state state, enum part_event event, enum part_state *ret)
{
	if (state >= PART_STATES || event >= PART_EVENTS || table[state][event] == NEVER)
		return false;
	*ret = table[state][event];
	return true;
}

bool part_state_alive(enum part_state state)
{
	return state == PART_STARTING || state == PART_READY || state == PART_STOPPING;
}
