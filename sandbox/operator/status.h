/* status of a psmdb from what is seen: pure, with the rules of the operator's status.go. */
#ifndef OPERATOR_STATUS_H
#define OPERATOR_STATUS_H

#include "sandbox/operator/cr.h"

#define STATUS_CONDITIONS_MAX 20

struct set_seen {
	int pods, ready;  /* all containers ready */
	bool initialized; /* has a configuration and users */
	bool added_as_shard;
	bool settled; /* a primary is known and the system users can log in there */
};

struct cluster_seen {
	struct set_seen sets[CR_SETS_MAX]; /* in the order of the psmdb */
	int mongos_pods, mongos_ready;
	bool host;				    /* the Service that clients use exists */
	bool rollout;				    /* a StatefulSet is not as it should be */
	const char *error;			    /* what a reconcile ended with; NULL: it ended well */
	const char *mongo_version, *backup_version; /* "": not known */
};

/* X(id, text) */
#define CLUSTER_STATES(X)                                                                                              \
	X(INITIALIZING, "initializing")                                                                                \
	X(STOPPING, "stopping")                                                                                        \
	X(PAUSED, "paused")                                                                                            \
	X(READY, "ready")                                                                                              \
	X(ERROR, "error")
enum cluster_state {
#define X(id, text) CLUSTER_##id,
	CLUSTER_STATES(X)
#undef X
};
const char *cluster_state_text(enum cluster_state state);
enum cluster_state status_state(const struct cr *cr, const struct cluster_seen *seen);

/* The new status: on an error the old one with state, message and condition changed, else made anew but for conditions. */
bool status_make(const struct cr *cr, const struct cluster_seen *seen, const json_node *old, int64_t wall_ms,
    struct json **ret, struct err *err);
/* For an object that cannot be read at all. */
bool status_of_error(const char *message, const json_node *old, int64_t wall_ms, struct json **ret, struct err *err);

#endif
