/*
 * state.json of a run: which scenario, with which values, how far it is, and what it has made. Written as a whole after
 * each change, so that a run that was killed can be taken up again or cleaned up. Format "psmdb-drill/state", version 1,
 * described in docs/formats.md. It holds no secret.
 */
#ifndef SCENARIOS_RUN_STATE_H
#define SCENARIOS_RUN_STATE_H

#include "doc/json_edit.h"
#include "kube/client.h"

#define STATE_SCENARIO "scenario.yaml"

struct run_state {
	char path[PATH_MAX];
	struct json *doc;
};

/* A new one: scenario's name, its folder (files are looked for there), its text's hash, the options that a resume keeps. */
bool run_state_new(struct run_state *s, const char *dir, const char *scenario, const char *folder, const char *sha256,
    size_t steps, struct err *err);
bool run_state_load(struct run_state *s, const char *dir, struct err *err);
/* Without a path: it cannot be saved. */
bool run_state_parse(struct run_state *s, const char *text, size_t len, struct err *err);
bool run_state_save(struct run_state *s, struct err *err);
void run_state_clear(struct run_state *s);

/* One value by path, as in doc/json_edit.h; saved by the caller. */
const char *run_state_text(const struct run_state *s, const char *path);
bool run_state_put(struct run_state *s, const char *path, const char *text, struct err *err);

/* Steps: "pending", "running", "done", "failed". */
const char *run_state_step(const struct run_state *s, size_t step);
bool run_state_step_set(
    struct run_state *s, size_t step, const char *state, const char *error, int64_t now_wall_ms, struct err *err);
/* The first that is not done; the number of steps if all are. */
size_t run_state_next(const struct run_state *s);

/* An object that the run made. step: of which step; elsewhere: in the other cluster. */
bool run_state_created(struct run_state *s, const struct kube_kind *kind, const json_node *object, size_t step,
    bool elsewhere, struct err *err);
const json_node *run_state_objects(const struct run_state
	*s); /* a list of {group, version, plural, kind, namespaced, namespace, name, uid, step, elsewhere} */
void run_state_kind(const json_node *object, struct kube_kind *ret);

#endif
