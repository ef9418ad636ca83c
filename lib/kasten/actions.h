/*
 * Kasten's objects as a client reads and makes them: policies, profiles, runs, restore points, restores.
 *
 * From Kasten's documentation, 5.5 to 9.0 (v1alpha1 throughout). The actions come from an aggregated API server without watch: they are
 * polled. Final states are Complete, Failed, Cancelled and Skipped; an unknown state is not final.
 */
#ifndef KASTEN_ACTIONS_H
#define KASTEN_ACTIONS_H

#include "doc/json_edit.h"

#define KASTEN_CONFIG_GROUP "config.kio.kasten.io"
#define KASTEN_ACTIONS_GROUP "actions.kio.kasten.io"
#define KASTEN_APPS_GROUP "apps.kio.kasten.io"
#define KASTEN_RUN_LABEL "k10.kasten.io/runActionName"
#define KASTEN_EXPORT_LABEL "k10.kasten.io/exportProfile"
#define KASTEN_EXPORT_TYPE_LABEL "k10.kasten.io/exportType"
#define KASTEN_APP_LABEL "k10.kasten.io/appNamespace"
#define KASTEN_POLICY_LABEL "k10.kasten.io/policyName"

/* X(name, text, final, good) */
#define KASTEN_STATES(X)                                                                                               \
	X(NONE, "", false, false)                                                                                      \
	X(PENDING, "Pending", false, false)                                                                            \
	X(RUNNING, "Running", false, false)                                                                            \
	X(ATTEMPT_FAILED, "AttemptFailed", false, false)                                                               \
	X(COMPLETE, "Complete", true, true)                                                                            \
	X(FAILED, "Failed", true, false)                                                                               \
	X(SKIPPED, "Skipped", true, false)                                                                             \
	X(CANCELLED, "Cancelled", true, false)                                                                         \
	X(DELETING, "Deleting", false, false)                                                                          \
	X(OTHER, NULL, false, false)
enum kasten_state {
#define X(name, text, final, good) KASTEN_##name,
	KASTEN_STATES(X)
#undef X
};
enum kasten_state kasten_state(const json_node *action);
bool kasten_state_final(enum kasten_state state);
bool kasten_state_good(enum kasten_state state);
/* status.state as it is, made harmless; "Pending" for none. */
void kasten_state_text(const json_node *action, char *ret, size_t size);
/*
 * Why it failed: status.error's message, and behind it the innermost message of its cause, which is a JSON document in a
 * text, nested. On one line, cut to fit; "" if there is none.
 */
void kasten_error(const json_node *action, char *ret, size_t size);

/* "Success", "Failed", or "" while it was not looked at yet; of policies and profiles. why: status.error, joined. */
void kasten_validation(const json_node *object, char *ret, size_t size, char *why, size_t why_size);
/* Does the policy back up this namespace, and export? */
bool kasten_policy_selects(const json_node *policy, const char *namespace_);
/* Does it back up nothing but this namespace? One that imports backs up none. */
bool kasten_policy_selects_only(const json_node *policy, const char *namespace_);
/*
 * Does a spec of Kasten's name it, however deep: a policy, a preset, a profile, a binding? What it does not say in the ways that are
 * known (profile, imageRepoProfile, secret, migrationToken, blueprintRef, a hook's blueprint) is not seen.
 */
enum kasten_reference { KASTEN_PROFILE, KASTEN_SECRET, KASTEN_BLUEPRINT };
bool kasten_refers(const json_node *spec, enum kasten_reference what, const char *name);
bool kasten_policy_has(const json_node *policy, const char *action);
/* The profile that its backup action names; "" if none: Kasten then refuses blueprints. */
void kasten_policy_profile(const json_node *policy, char *ret, size_t size);

/* Of what a drill makes in Kasten's namespace: for which namespace. Kasten's own labels say it of what has data alone. */
#define KASTEN_DRILL_LABEL "psmdb-drill/namespace"
/* name: the action's; app: the namespace that it is for. */
bool kasten_make_run(
    const char *namespace_, const char *name, const char *policy, const char *app, struct json **ret, struct err *err);
/*
 * What a restore takes out of a restore point: the psmdb of this name (NULL: none), and Secrets (a JSON list of names; NULL: none).
 * Nothing of both is refused, since an empty filter means everything. plain: the psmdb comes without the annotation that names
 * its blueprint, so that Kasten calls none.
 */
struct kasten_restore {
	const char *namespace_, *name; /* of the action */
	const char *restore_point;
	const char *profile,
	    *kasten; /* where an imported one's data are, and Kasten's namespace; NULL: as the restore point says */
	const char *cluster;
	const json_node *secrets;
	bool plain;
	bool
	    apart; /* in another cluster, beside the one that it was taken from: no point-in-time backup, no task, no finalizer */
};
bool kasten_make_restore(const struct kasten_restore *r, struct json **ret, struct err *err);

/* What an import on any cluster needs of a policy that exports: "" until Kasten has filled it in. It is a secret. */
bool kasten_receive_string(const json_node *policy, struct buf *ret, struct err *err);
void kasten_export_profile(const json_node *policy, char *ret, size_t size);
/* A policy that imports what the receive string leads to. */
bool kasten_make_import(const char *namespace_, const char *name, const char *app, const char *profile,
    const char *receive_string, struct json **ret, struct err *err);
/* A restore point that leads to a content. */
bool kasten_make_point(
    const char *namespace_, const char *name, const char *content, struct json **ret, struct err *err);

#endif
