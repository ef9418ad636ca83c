/* delete: objects of the namespace under test; of Kasten's and of the whole cluster only those that were named. */
#include "scenarios/locks.h"
#include "scenarios/steps/parts.h"

#include <string.h>

#define GONE_LIMIT_MS 300000

static const struct step_arg delete_args[] = {
    STEP_ARG("kind", ARG_TEXT, .required = true, .help = "as kubectl takes it: psmdb, pod, pvc, ..."),
    STEP_ARG("namespace", ARG_TEXT, .help = "Kasten's (default: the one under test)"),
    STEP_ARG("name", ARG_TEXT, .help = "one object"),
    STEP_ARG("labels", ARG_TEXT, .help = "those with these labels"),
    STEP_ARG("all", ARG_BOOL, .help = "all of the kind in the namespace"),
    STEP_ARG("required", ARG_BOOL, .otherwise = "true", .help = "false: the server need not know the kind"),
    STEP_ARG("wait", ARG_BOOL, .otherwise = "true", .help = "until they are gone"),
    STEP_ARG("timeout", ARG_DURATION, .otherwise = "5m", .help = "how long"),
    {0},
};

static bool delete_describe(struct drill *d, const json_node *args, struct buf *out, struct err *err)
{
	const char *name = step_text(args, "name", NULL), *labels = step_text(args, "labels", NULL);
	struct kube_kind kind = {.namespaced = true};

	/* without a server (explain) its scope is not known */
	if (d->kube)
		kube_find_kind(drill_kube(d), step_text(args, "kind", ""), &kind, NULL);
	return buf_printf(out, err, "delete %s%s%s%s%s%s", name ? "" : "every ", step_text(args, "kind", ""),
	    name     ? " "
	    : labels ? " with labels "
		     : "",
	    name     ? name
	    : labels ? labels
		     : "",
	    kind.namespaced ? ", in " : "", kind.namespaced ? step_text(args, "namespace", drill_namespace(d)) : "");
}

static bool is_outside(struct drill *d, const struct kube_kind *kind, const char *namespace_)
{
	return !kind->namespaced || (namespace_ && strcmp(namespace_, drill_namespace(d)) != 0);
}

/* --- what is outside of the namespace under test ------------------------------------------------------------------ */

static bool is_ours(struct drill *d, const json_node *object)
{
	return d->state.doc && drill_is_ours(d, kube_uid(object));
}

bool part_ask_delete(
    struct drill *d, const struct kube_kind *kind, const json_node *object, const char *name, struct err *err)
{
	if (!is_outside(d, kind, kube_namespace(object)) || is_ours(d, object))
		return true;
	return part_unused(d, kind, object, err) && drill_will_go(d, kind, kube_name(object), err) &&
	       (drill_delete_confirmed(d, kind, name) || drill_ask_to_confirm(d, kind, name, err));
}

bool part_may_delete(
    struct drill *d, const struct kube_kind *kind, const json_node *object, const char *name, struct err *err)
{
	const char *ns = kube_namespace(object);

	if (!is_outside(d, kind, ns) || is_ours(d, object))
		return true;
	/* one that is going already is not held up by what can be seen no more: a custom kind's objects */
	if (!kube_deleting(object) && !part_unused(d, kind, object, err))
		return false;
	if (drill_delete_confirmed(d, kind, kube_name(object)))
		return true;
	err_set(err, ERR_STATE,
	    "refused: %s \"%s%s%s\" is not in the namespace under test, and this run has not made it", kind->kind,
	    ns ? ns : "", ns ? "/" : "", kube_name(object));
	return err_hint(err, "if it may go: --confirm-delete %s%s%s/%s", kind->plural, kind->group[0] ? "." : "",
	    kind->group, name);
}

/* --- one ---------------------------------------------------------------------------------------------------------- */

struct gone {
	struct drill *d;
	const char *kind, *name, *uid;
};

static bool is_gone(void *ctx, const json_node *object, struct err *err)
{
	struct gone *g = ctx;
	const char *finalizer = json_text_at(object, "metadata/finalizers/0");

	(void)err;
	/* a controller may have made another of the same name */
	if (object && g->uid && kube_uid(object) && strcmp(kube_uid(object), g->uid) != 0)
		return true;
	if (object)
		drill_progress(g->d, "%s %s is being deleted%s%s", g->kind, g->name,
		    finalizer ? ", held by finalizer " : "", finalizer ? finalizer : "");
	return !object;
}

bool part_remove(
    struct drill *d, const struct kube_kind *kind, const json_node *object, int64_t limit_ms, struct err *err)
{
	const char *name = kube_name(object), *ns = kube_namespace(object);
	struct gone gone = {d, kind->kind, name, kube_uid(object)};
	struct err each = ERR_INIT;
	char what[640], place[512];

	ns = !kind->namespaced ? NULL : ns ? ns : drill_namespace(d);
	snprintf(place, sizeof place, "%.250s%s%.250s", ns ? ns : "", ns ? "/" : "", name);
	snprintf(what, sizeof what, "%.100s \"%s\" to be gone", kind->kind, place);
	if (!part_delete(d, kind, object, err) ||
	    !drill_event(d, err, "x-deleted", "kind", kind->kind, "object", place, NULL))
		return false;
	if (!limit_ms || drill_wait(d, kind, ns, name, what, limit_ms, is_gone, &gone, NULL, &each))
		return true;
	*err = each;
	if (each.code != ERR_TIMEOUT)
		return false;
	drill_failure(d, "DELETION_STUCK", each.msg,
	    "see its finalizers (kubectl get -o yaml), and why who set them does not take them off");
	return err_hint(err, "see who holds it (kubectl get -o yaml, its finalizers); then go on with --resume");
}

/* --- the step ----------------------------------------------------------------------------------------------------- */

static bool find(struct drill *d, const json_node *args, struct kube_kind *ret, bool *ret_known, struct err *err)
{
	struct err each = ERR_INIT;

	*ret_known = kube_find_kind(drill_kube(d), step_text(args, "kind", ""), ret, &each);
	if (*ret_known || (each.code == ERR_UNSUPPORTED && !step_bool(args, "required", true)))
		return true;
	*err = each;
	return false;
}

/* One object as a list. */
static bool look(
    struct drill *d, const struct kube_kind *kind, const char *ns, const char *name, struct json **ret, struct err *err)
{
	CLEANUP(json) struct json *object = NULL;

	return part_look(d, kind, ns, name, &object, err) &&
	       (object ? json_format(ret, err, "{'items':[%j]}", json_root(object))
		       : json_format(ret, err, "{'items':[]}"));
}

/* Whether the step may select at all; what it selects is of this kind. */
static bool resolve(
    struct drill *d, const json_node *args, struct kube_kind *ret_kind, bool *ret_known, struct err *err)
{
	const char *name = step_text(args, "name", NULL), *labels = step_text(args, "labels", NULL);

	if ((name != NULL) + (labels != NULL) + step_bool(args, "all", false) != 1)
		return err_set(err, ERR_USAGE, "delete takes one of name, labels and all");
	/* a parameter that was left empty */
	if ((name && !*name) || (labels && !*labels)) {
		err_set(err, ERR_USAGE, "%s is empty", name ? "name" : "labels");
		return err_hint(err, "give the parameter a value, or take the step out of a copy of the scenario");
	}
	return find(d, args, ret_kind, ret_known, err) &&
	       (!*ret_known || lock_delete(ret_kind, step_text(args, "namespace", drill_namespace(d)), !name,
				   drill_namespace(d), drill_kasten(d), err));
}

static bool list_selected(
    struct drill *d, const json_node *args, const struct kube_kind *kind, struct json **ret, struct err *err)
{
	const struct kube_select select = {.labels = step_text(args, "labels", NULL)};
	const char *name = step_text(args, "name", NULL), *ns = step_text(args, "namespace", drill_namespace(d));

	if (name)
		return look(d, kind, ns, name, ret, err);
	return kube_list(drill_kube(d), kind, kind->namespaced ? ns : NULL, &select, ret, err);
}

bool part_selected(
    struct drill *d, const json_node *args, struct kube_kind *ret_kind, struct json **ret, struct err *err)
{
	bool known;

	*ret = NULL;
	return resolve(d, args, ret_kind, &known, err) && (!known || list_selected(d, args, ret_kind, ret, err));
}

static bool claims_agreed(struct drill *d, const struct kube_kind *kind, const json_node *args, struct err *err)
{
	const struct kube_select select = {.labels = step_text(args, "labels", NULL)};

	return !kube_is_kind(kind, "", "persistentvolumeclaims") ||
	       part_volumes_agreed(d, step_text(args, "name", NULL), &select, NULL, err);
}

/* What is selected outside may be others by the time it is deleted: all of it is named at once. */
static bool delete_check(struct drill *d, const json_node *args, struct err *err)
{
	const char *name = step_text(args, "name", NULL);
	CLEANUP(json) struct json *list = NULL;
	struct kube_kind kind;
	bool known;

	if (!resolve(d, args, &kind, &known, err))
		return false;
	if (!known || !is_outside(d, &kind, step_text(args, "namespace", NULL)))
		return !known || claims_agreed(d, &kind, args, err);
	if (!list_selected(d, args, &kind, &list, err))
		return false;
	for (const json_node *o = json_first(json_at(json_root(list), "items")); o; o = json_next(o))
		if (!part_ask_delete(d, &kind, o, name ? name : "*", err))
			return false;
	return name || drill_delete_confirmed(d, &kind, "*") || drill_ask_to_confirm(d, &kind, "*", err);
}

static bool delete_run(struct drill *d, const json_node *args, struct err *err)
{
	const char *name = step_text(args, "name", NULL);
	int64_t limit_ms = step_bool(args, "wait", true) ? step_duration_ms(args, "timeout", GONE_LIMIT_MS) : 0;
	CLEANUP(json) struct json *list = NULL;
	struct kube_kind kind;

	if (!part_selected(d, args, &kind, &list, err))
		return false;
	if (!list || !json_first(json_at(json_root(list), "items"))) {
		drill_say(d, "there is none");
		return true;
	}
	if (!is_outside(d, &kind, step_text(args, "namespace", NULL)) &&
	    (!claims_agreed(d, &kind, args, err) ||
		(kube_is_kind(&kind, PSMDB_GROUP, "perconaservermongodbs") && !part_keep_claims(d, err))))
		return false;
	for (const json_node *o = json_first(json_at(json_root(list), "items")); o; o = json_next(o))
		if (!part_may_delete(d, &kind, o, name ? name : "*", err) || !part_remove(d, &kind, o, limit_ms, err))
			return false;
	return true;
}

const struct step_def step_delete = {"delete", "deletes objects and waits until they are gone", delete_args,
    STEP_DESTROYS, delete_describe, delete_check, delete_run};
