/* remove-operator, remove-namespace, remove-records: an installation goes. */
#include "kasten/actions.h"
#include "scenarios/locks.h"
#include "scenarios/steps/parts.h"

#include <stdlib.h>
#include <string.h>

#define GONE_LIMIT_MS 300000
#define NAMESPACE_LIMIT_MS 900000
#define RUNS "runactions"
#define POLL_MS 1000

/* --- remove-operator ---------------------------------------------------------------------------------------------- */

static const struct step_arg operator_args[] = {
    STEP_ARG("file", ARG_TEXT, .help = "the operator's manifest, beside the scenario (default: the option --operator)"),
    STEP_ARG("timeout", ARG_DURATION, .otherwise = "5m", .help = "until each object must be gone"),
    {0},
};

static bool operator_describe(struct drill *d, const json_node *args, struct buf *out, struct err *err)
{
	const char *file = step_text(args, "file", drill_option(d, "operator"));

	return buf_printf(out, err, "delete what the operator in %s was installed with, its custom kinds among it: %s",
	    drill_namespace(d), file ? file : "the file that --operator names");
}

/* Of a manifest for another version of Kubernetes: the same kind in the version that there is. */
static bool find_kind(struct drill *d, const char *version, const char *kind, struct kube_kind *ret, struct err *err)
{
	const char *slash = strchr(version, '/');
	char name[300];
	struct err each = ERR_INIT;

	if (kube_kind_of(drill_kube(d), version, kind, ret, &each))
		return true;
	if (each.code == ERR_UNSUPPORTED && slash) {
		snprintf(name, sizeof name, "%.120s.%.*s", kind, (int)(slash - version < 150 ? slash - version : 150),
		    version);
		each = (struct err)ERR_INIT;
		if (kube_find_kind(drill_kube(d), name, ret, &each))
			return true;
	}
	*err = each;
	return false;
}

static bool whole(const json_node *object, struct err *err)
{
	if (json_is_array(json_get(object, "items"))) {
		err_set(err, ERR_PARSE, "the operator's manifest has a list of objects in it");
		return err_hint(err, "write them as documents of their own, with \"---\" between");
	}
	return (json_text_at(object, "apiVersion") && json_text_at(object, "kind") && kube_name(object)) ||
	       err_set(err, ERR_PARSE, "the operator's manifest has an object without apiVersion, kind or name");
}

bool part_installed(
    struct drill *d, const json_node *object, struct kube_kind *ret_kind, struct json **ret, struct err *err)
{
	const char *ns = kube_namespace(object) ? kube_namespace(object) : drill_namespace(d);
	CLEANUP(json) struct json *now = NULL;
	struct err each = ERR_INIT;

	*ret = NULL;
	if (!whole(object, err))
		return false;
	if (!find_kind(d, json_text_at(object, "apiVersion"), json_text_at(object, "kind"), ret_kind, &each)) {
		if (each.code == ERR_UNSUPPORTED)
			return true;
		*err = each;
		return false;
	}
	if (!part_look(d, ret_kind, ns, kube_name(object), &now, err))
		return false;
	if (!now || (kube_is_kind(ret_kind, "", "namespaces") && !strcmp(kube_name(object), drill_namespace(d))))
		return true;
	if (!lock_delete(ret_kind, ns, false, drill_namespace(d), drill_kasten(d), err))
		return err_wrap(err, "%s \"%s\" of the operator's manifest", ret_kind->kind, kube_name(object));
	*ret = TAKE(now);
	return true;
}

static bool operator_check(struct drill *d, const json_node *args, struct err *err)
{
	YAML_DOCS_CLEANUP struct yaml_docs docs = {0};

	if (!part_read_operator(d, args, &docs, err))
		return false;
	for (size_t i = 0; i < docs.count; i++) {
		CLEANUP(json) struct json *now = NULL;
		struct kube_kind kind;

		if (!part_installed(d, json_root(docs.items[i]), &kind, &now, err) ||
		    (now && !part_ask_delete(d, &kind, json_root(now), kube_name(json_root(now)), err)))
			return false;
	}
	return true;
}

/* Nobody would do what its finalizers wait for. */
static bool none_needs_it(struct drill *d, struct err *err)
{
	static void (*const kinds[])(struct kube_kind *) = {kind_clusters, kind_backups, kind_restores};

	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		CLEANUP(json) struct json *list = NULL;
		struct kube_kind kind;

		kinds[i](&kind);
		if (!part_list_known(d, &kind, drill_namespace(d), &list, err))
			return false;
		EACH_ITEM(o, list)
		{
			const char *finalizer = json_text_at(o, "metadata/finalizers/0");

			if (i && !finalizer)
				continue;
			err_set(err, ERR_STATE, "refused: %s \"%s/%s\" still needs its operator%s%s", kind.kind,
			    drill_namespace(d), kube_name(o), finalizer ? " for its finalizer " : "",
			    finalizer ? finalizer : "");
			return err_hint(
			    err, i ? "delete it first, or see step \"release-backups\"" : "delete every psmdb first");
		}
	}
	return true;
}

/* The last first: the custom kinds stand at the beginning of a bundle, and go when nothing works on them any more. */
static bool operator_run(struct drill *d, const json_node *args, struct err *err)
{
	YAML_DOCS_CLEANUP struct yaml_docs docs = {0};

	if (!part_read_operator(d, args, &docs, err) || !none_needs_it(d, err))
		return false;
	for (size_t i = docs.count; i-- > 0;) {
		CLEANUP(json) struct json *now = NULL;
		struct kube_kind kind;

		if (!part_installed(d, json_root(docs.items[i]), &kind, &now, err))
			return false;
		if (now &&
		    (!part_may_delete(d, &kind, json_root(now), kube_name(json_root(now)), err) ||
			!part_remove(d, &kind, json_root(now), step_duration_ms(args, "timeout", GONE_LIMIT_MS), err)))
			return err_wrap(err, "remove the operator");
	}
	return true;
}

const struct step_def step_remove_operator = {"remove-operator",
    "deletes what is in the operator's manifest, its custom kinds only if nobody else has an object of them",
    operator_args, STEP_DESTROYS | STEP_ONCE, operator_describe, operator_check, operator_run};

/* --- remove-namespace --------------------------------------------------------------------------------------------- */

static const struct step_arg namespace_args[] = {
    STEP_ARG("timeout", ARG_DURATION, .otherwise = "15m", .help = "until it must be gone"),
    {0},
};

static bool namespace_describe(struct drill *d, const json_node *args, struct buf *out, struct err *err)
{
	(void)args;
	return buf_printf(out, err, "delete namespace %s with everything in it", drill_namespace(d));
}

/* However the parameter kasten-namespace calls it. */
static bool is_kastens(struct drill *d, bool *ret, struct err *err)
{
	CLEANUP(json) struct json *profiles = NULL;
	struct kube_kind kind;

	kind_kasten(&kind, KASTEN_CONFIG_GROUP, "profiles", "Profile");
	if (!part_list_known(d, &kind, drill_namespace(d), &profiles, err))
		return err_wrap(err, "see whether namespace \"%s\" is Kasten's", drill_namespace(d));
	*ret = profiles && json_count(json_at(json_root(profiles), "items"));
	return true;
}

static bool namespace_check(struct drill *d, const json_node *args, struct err *err)
{
	bool kastens;

	(void)args;
	if (!strcmp(drill_namespace(d), "default")) {
		err_set(err, ERR_STATE, "refused: Kubernetes lets nobody delete namespace \"default\"");
		return err_hint(err, "take step \"remove-namespace\" out of a copy of the scenario");
	}
	if (!is_kastens(d, &kastens, err))
		return false;
	if (kastens) {
		err_set(err, ERR_STATE, "refused: namespace \"%s\" has profiles of Kasten: it is Kasten's",
		    drill_namespace(d));
		return err_hint(err, "see the parameters namespace and kasten-namespace");
	}
	return part_operator_unused(d, err) && part_volumes_agreed(d, NULL, NULL, NULL, err);
}

static bool namespace_run(struct drill *d, const json_node *args, struct err *err)
{
	return part_end_namespace(d, step_duration_ms(args, "timeout", NAMESPACE_LIMIT_MS), err);
}

const struct step_def step_remove_namespace = {"remove-namespace",
    "deletes the namespace under test, which must have no psmdb any more, and waits until it is gone", namespace_args,
    STEP_DESTROYS | STEP_ONCE, namespace_describe, namespace_check, namespace_run};

/* --- remove-records ----------------------------------------------------------------------------------------------- */

static const struct step_arg records_args[] = {
    STEP_ARG("policies", ARG_LIST, .help = "of which policies; those of the namespace itself in any case"),
    STEP_ARG("timeout", ARG_DURATION, .otherwise = "5m",
	.help = "until Kasten must have ended what it does, and they are gone"),
    {0},
};

static bool records_describe(struct drill *d, const json_node *args, struct buf *out, struct err *err)
{
	(void)args;
	return buf_printf(out, err, "delete what Kasten keeps in %s of its actions for namespace %s and its policies",
	    drill_kasten(d), drill_namespace(d));
}

/* Of a run of this policy; of which namespace's data a record is says its label. */
static bool is_of_policy(const json_node *o, const char *policy)
{
	return policy &&
	       (json_is_at(o, "metadata/labels/k10.kasten.io~1policyName", policy) ||
		   (json_is_at(o, "spec/subject/kind", "Policy") && json_is_at(o, "spec/subject/name", policy)));
}

static bool is_drills(struct drill *d, const json_node *o)
{
	const char *ns = kube_label(o, KASTEN_DRILL_LABEL);

	return ns && !strcmp(ns, drill_namespace(d));
}

/* What Kasten has made for a drill's run bears that run's name. */
static bool is_of_drills_run(struct drill *d, const json_node *o)
{
	const char *name = kube_label(o, KASTEN_RUN_LABEL);
	CLEANUP(json) struct json *run = NULL;
	struct err ignored = ERR_INIT;
	struct kube_kind runs;

	kind_kasten(&runs, KASTEN_ACTIONS_GROUP, RUNS, "RunAction");
	return name && part_look(d, &runs, drill_kasten(d), name, &run, &ignored) && run &&
	       is_drills(d, json_root(run));
}

bool part_is_record(struct drill *d, const json_node *args, const json_node *o, const char **ret_policy)
{
	const char *app = kube_label(o, KASTEN_APP_LABEL);

	*ret_policy = NULL;
	if (app)
		return !strcmp(app, drill_namespace(d));
	if (is_drills(d, o) || is_of_drills_run(d, o))
		return true;
	for (const json_node *p = json_first(step_node(args, "policies")); p; p = json_next(p))
		if (is_of_policy(o, json_string(p))) {
			*ret_policy = json_string(p);
			return true;
		}
	return false;
}

struct records {
	struct drill *d;
	const json_node *args;
	bool check, known;
	bool runs; /* the runs go last: what belongs to one is known by it */
	size_t left, others;
	char text[400]; /* what is waited for */
};

/* Whether the policy is there still, or was deleted by an earlier attempt: its name was a yes to these, too. */
static bool record_confirmed(
    struct records *r, const struct kube_kind *of, const json_node *o, const char *policy, struct err *err)
{
	struct kube_kind kind;

	kind_kasten(&kind, KASTEN_CONFIG_GROUP, "policies", "Policy");
	if (!policy || drill_delete_confirmed(r->d, &kind, policy))
		return true;
	if (r->check)
		return drill_ask_to_confirm(r->d, &kind, policy, err);
	err_set(err, ERR_STATE, "refused: %s \"%s\" is a record of policy \"%s\"", of->kind, kube_name(o), policy);
	return err_hint(err, "if it may go: --confirm-delete policies." KASTEN_CONFIG_GROUP "/%s", policy);
}

static bool remove_record(struct records *r, const struct kube_kind *kind, const json_node *o, struct err *err)
{
	const char *policy;
	char state[64];

	if (!part_is_record(r->d, r->args, o, &policy))
		return true;
	if (!record_confirmed(r, kind, o, policy, err))
		return false;
	r->left++;
	r->others += strcmp(kind->plural, RUNS) != 0;
	kasten_state_text(o, state, sizeof state);
	snprintf(r->text, sizeof r->text, "%s %s is %s", kind->kind, kube_name(o), state);
	return r->check || kube_deleting(o) || (!r->runs && !strcmp(kind->plural, RUNS)) ||
	       !kasten_state_final(kasten_state(o)) || part_remove(r->d, kind, o, 0, err);
}

static bool remove_records(void *ctx, const struct kube_kind *kind, struct err *err)
{
	struct records *r = ctx;
	CLEANUP(json) struct json *list = NULL;

	if (strcmp(kind->group, KASTEN_ACTIONS_GROUP) != 0)
		return true;
	r->known = true;
	if (!part_list_known(r->d, kind, kind->namespaced ? drill_kasten(r->d) : NULL, &list, err))
		return false;
	EACH_ITEM(o, list)
	{
		if (!remove_record(r, kind, o, err))
			return false;
	}
	return true;
}

static bool each_record(struct records *r, struct err *err)
{
	char unread[128];

	r->left = r->others = 0;
	r->known = false;
	if (!kube_each_kind(drill_kube(r->d), remove_records, r, unread, err))
		return false;
	if (r->known || !unread[0])
		return true;
	err_set(err, ERR_REMOTE, "the server does not tell the kinds of group %s", unread);
	return err_hint(err, "see its APIService (kubectl get apiservices); then go on with --resume");
}

static bool records_check(struct drill *d, const json_node *args, struct err *err)
{
	struct records r = {.d = d, .args = args, .check = true};

	return each_record(&r, err);
}

static bool records_run(struct drill *d, const json_node *args, struct err *err)
{
	int64_t begun_ms = part_now_ms(d), limit_ms = step_duration_ms(args, "timeout", GONE_LIMIT_MS);
	struct records r = {.d = d, .args = args};

	for (;;) {
		if (!each_record(&r, err))
			return false;
		if (!r.left)
			return true;
		r.runs = !r.others;
		drill_progress(d, "%s", r.text);
		if (part_now_ms(d) - begun_ms > limit_ms) {
			err_set(err, ERR_TIMEOUT, "waited %lld s for Kasten's records to be gone: %s",
			    (long long)limit_ms / 1000, r.text);
			return err_hint(err, "see why it does not end, then go on with --resume");
		}
		if (!part_pause(d, POLL_MS, err))
			return false;
	}
}

const struct step_def step_remove_records = {"remove-records",
    "deletes Kasten's records of what it did for the namespace and for policies that may be deleted", records_args,
    STEP_DESTROYS | STEP_ONCE, records_describe, records_check, records_run};
