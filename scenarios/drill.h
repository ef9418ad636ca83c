/*
 * One run of a scenario: its directory and state, its clients, what it shows and writes down. Steps get it and ask for
 * what they need; they own nothing of it.
 */
#ifndef SCENARIOS_DRILL_H
#define SCENARIOS_DRILL_H

#include "base/clock.h"
#include "doc/json_edit.h"
#include "kube/watch.h"

struct drill;

/* --- where and with what ----------------------------------------------------------------------------------------- */

struct kube *drill_kube(struct drill *d);
/* Does the step that runs go to the other cluster (--to-context)? And its client, wherever the step goes; NULL: there is none. */
bool drill_is_elsewhere(struct drill *d);
struct kube *drill_kube_elsewhere(struct drill *d);
const char *drill_namespace(struct drill *d); /* of the cluster under test */
const struct clock *drill_clock(struct drill *d);
const volatile int *drill_stop(struct drill *d);
/* "DIR/name"; lives until the next call with the same name or the run's end. */
const char *drill_path(struct drill *d, const char *name);
/* A file that the scenario names: relative to the scenario, and only below its own folder or the shared one. */
bool drill_file(struct drill *d, const char *name, char ret[static PATH_MAX], struct err *err);

/* --- what it knows: parameters and values, kept in the state, seen by later steps as ${name} ----------------------- */

const char *drill_value(struct drill *d, const char *name); /* what was found out, else the parameter; NULL: neither */
/* Only what this run has found out or done: a parameter of the same name never passes for it. */
const char *drill_found(struct drill *d, const char *name);
bool drill_set_value(struct drill *d, const char *name, const char *text, struct err *err);
/* The uid of the namespace under test that this run itself has deleted: only then may it make it again, with its lock's label. */
#define DRILL_LOST_NAMESPACE "lost-namespace"
/* An option of the command line: "max-rpo", "max-rto", "operator" (NULL: not given), and the flags below. */
const char *drill_option(struct drill *d, const char *name);
bool drill_allows_faults(struct drill *d);
bool drill_pvc_confirmed(struct drill *d, const char *name);
/*
 * Does --confirm-delete name it, as KIND/NAME? KIND: plural or kind, with its group if it has one, since others may call theirs the
 * same; NAME "*": all that a step selects. drill_ask_to_confirm keeps what it would have to name, so that all of it can be told at once.
 */
bool drill_delete_confirmed(struct drill *d, const struct kube_kind *kind, const char *name);
bool drill_ask_to_confirm(struct drill *d, const struct kube_kind *kind, const char *name, struct err *err);
/* Known from the checks of the steps before: this one is deleted, too. Forgotten when the steps begin: then it is seen. */
bool drill_will_go(struct drill *d, const struct kube_kind *kind, const char *name, struct err *err);
bool drill_goes(struct drill *d, const struct kube_kind *kind, const char *name);

/* --- what it says ------------------------------------------------------------------------------------------------- */

/* A line of the story. */
void drill_say(struct drill *d, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* What is being waited for: a live line on a terminal; else a line when it changes. Texts are made harmless. */
void drill_progress(struct drill *d, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* An event in the timeline: pairs of const char *key, *value, ended by NULL. Synced when it returns. */
bool drill_event(struct drill *d, struct err *err, const char *name, ...) __attribute__((sentinel));
/* An event "x-state" when what is seen of an object differs from the last time: {object, from, to}. */
bool drill_saw(struct drill *d, const char *object, const char *state, struct err *err);
/* A known failure behind an error: event "x-signature" {code, cause, remedy}; the verdict ERROR names it. */
void drill_failure(struct drill *d, const char *code, const char *cause, const char *remedy);

/* --- what it has made --------------------------------------------------------------------------------------------- */

/* Records kind, namespace, name and uid of an object that this run created, before anything else can fail. */
bool drill_created(struct drill *d, const struct kube_kind *kind, const json_node *object, struct err *err);
bool drill_is_ours(struct drill *d, const char *uid);

/* --- waiting and children ----------------------------------------------------------------------------------------- */

/* kube_wait, interruptible; the caller's done() tells progress by drill_progress. */
bool drill_wait(struct drill *d, const struct kube_kind *kind, const char *namespace_, const char *name,
    const char *what, int64_t timeout_ms, kube_done done, void *ctx, struct json **ret_last, struct err *err);
/* One of this project's programs ("psmdb-verify"), its output shown as lines of the story if show; env_set may hold secrets.
 * ret_status: its exit status. */
bool drill_child(struct drill *d, const char *program, const char *const *args, const char *const *env_set, bool show,
    int64_t timeout_ms, int *ret_status, struct buf *out, struct err *err);

/* --- the journal's copy ------------------------------------------------------------------------------------------- */

/* Starts (or takes up again) following this pod's log into journal.jsonl, as a child that is started again when it dies. */
bool drill_follow(struct drill *d, const char *namespace_, const char *pod, const char *container, struct err *err);
/* Ends it; what was copied is synced. The pod's end is no error. */
bool drill_unfollow(struct drill *d, struct err *err);

#define DRILL_STREAMS_MAX 64 /* as many as a head has */
struct drill_heads {	     /* of the newest head in the timeline */
	bool known;
	int64_t at_ms; /* wall */
	uint64_t n;
	size_t streams, acked;		     /* streams of the journal; those with an acknowledged tick */
	struct optime least_hi;		     /* the smallest of the streams' newest acknowledged operation times */
	struct optime hi[DRILL_STREAMS_MAX]; /* each stream's newest acknowledged operation time, */
	int64_t seq[DRILL_STREAMS_MAX];	     /* and number */
	int64_t ticks;			     /* sum of the streams' newest acknowledged numbers */
};
bool drill_heads(struct drill *d, struct drill_heads *ret, struct err *err);

#endif
