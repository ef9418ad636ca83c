/*
 * Kanister's executor: one action of a blueprint on one object, as a state machine that is stepped by the caller's loop
 * and lives in a JSON tree, so that it can be saved and go on after the process was killed.
 *
 * A run is one attempt: it has one .Time, from which the names of what it creates derive. Before an object is created the run says
 * so and saves itself; when it finds the object there after a restart, it is its own. So one attempt never creates twice.
 * Waits are measured on the wall clock from their saved beginning, and go on through a restart.
 *
 * A Wait knows no failure: it ends when a condition holds or when its timeout has passed, whatever the state of the
 * object. Errors while it looks are swallowed and looked up again.
 */
#ifndef SANDBOX_KASTEN_EXECUTOR_H
#define SANDBOX_KASTEN_EXECUTOR_H

#include "doc/json_edit.h"

/* An object as a blueprint refers to it: bare version, group apart, plural. namespace_ "" is cluster-scoped. */
struct object_ref {
	const char *group, *version, *resource, *namespace_, *name;
};

/* What the executor needs of an API server. Errors as those of kube/client.h. */
struct executor_api {
	void *ctx;
	bool (*get)(void *ctx, const struct object_ref *ref, struct json **ret, struct err *err);
	bool (*create)(void *ctx, const char *namespace_, const json_node *object, struct err *err);
	bool (*remove)(void *ctx, const struct object_ref *ref, struct err *err);
	/* The reference of an object by what it says of itself. {"apiVersion": bare version, "group", "resource"} */
	bool (*refer)(void *ctx, const json_node *object, struct json **ret, struct err *err);
	/* Makes the run's tree permanent. */
	bool (*save)(void *ctx, struct err *err);
};

struct executor_start {
	const char *blueprint_name, *action;
	const json_node *blueprint;
	const json_node *object;       /* as it is now: .Object */
	const json_node *artifacts_in; /* {"cloudObjects": {"keyValue": {...}}}, NULL: none */
	const json_node *profile;      /* the Kanister profile's object, NULL: none */
	const char *time;	       /* .Time */
};

/* ERR_NOT_FOUND if the blueprint has no such action; NOT_FOUND also for an input artifact that is not there. */
bool executor_new(const struct executor_start *start, struct json **ret_run, struct err *err);

enum executor_result { EXECUTOR_AGAIN, EXECUTOR_DONE, EXECUTOR_FAILED };

/*
 * One step at time now_ms. AGAIN: step again at *ret_next_ms (never later than poll_max_ms from now). FAILED: why, from Kanister's side,
 * is in the run ("failure", and "failedPhase"). DONE: the output artifacts are in it ("artifacts"). False is an error of
 * this process (memory, disk): nothing has happened, step again.
 */
bool executor_step(json_node *run, const struct executor_api *api, int64_t now_ms, int64_t poll_max_ms,
    enum executor_result *ret, int64_t *ret_next_ms, struct err *err);

/* For progress: phases done of all. */
void executor_progress(const json_node *run, size_t *ret_done, size_t *ret_all);

#endif
