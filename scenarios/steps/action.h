/*
 * What a run asks for once, whatever interrupts it: Kasten's actions, and the few other objects that mean an order. It is named
 * before it is sent, so that the same run finds it again.
 */
#ifndef SCENARIOS_STEPS_ACTION_H
#define SCENARIOS_STEPS_ACTION_H

#include "kasten/actions.h"
#include "scenarios/steps/parts.h"

/* made: the value that holds its name once it is known to be there; asked: the one that holds it before. */
struct action {
	struct kube_kind kind;
	const char *namespace_;
	const char *prefix, *asked, *made;
	const char *event; /* of the timeline, when it is sent; NULL: none */
};
struct action action_of(struct drill *d, const char *plural, const char *kind, const char *prefix, const char *asked,
    const char *made, const char *event); /* Kasten's, in the namespace where this kind lives */

/* One sent by an attempt that was interrupted; *ret_there: it is there. */
bool action_look(struct drill *d, const struct action *a, bool *ret_there, struct err *err);
/* Its name, made up at the first call. NULL: err. */
const char *action_name(struct drill *d, const struct action *a, struct err *err);
bool action_send(struct drill *d, const struct action *a, const json_node *object, struct err *err);
/* The next attempt asks anew. */
bool action_forget(struct drill *d, const struct action *a, struct err *err);

struct action_seen {
	enum kasten_state state;
	char text[64], error[900];
};
/* Its state now, which goes into the timeline when it differs from the last. */
bool action_see(struct drill *d, const struct action *a, struct action_seen *ret, struct err *err);
/* Until it has ended. If not well: ERR_STATE with the known cause; if it is gone: ERR_NOT_FOUND. Then the next attempt asks anew. */
bool action_wait(struct drill *d, const struct action *a, int64_t limit_ms, struct err *err);

#endif
