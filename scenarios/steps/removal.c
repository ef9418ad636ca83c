/* remove-operator, remove-namespace, remove-records, prove-removed: an installation goes, and nothing of it is left. */
#include "evidence/verdict.h"
#include "kasten/actions.h"
#include "scenarios/steps/parts.h"

#include <stdlib.h>
#include <string.h>

#define GONE_LIMIT_MS 300000
#define NAMESPACE_LIMIT_MS 900000
#define PROOF_LIMIT_MS 120000
#define POLL_MS 1000
#define UIDS_MAX ((size_t)1 << 20)

#define EACH_ITEM(o, doc)                                                                                              \
	for (const json_node *o = (doc) ? json_first(json_at(json_root(doc), "items")) : NULL; o; o = json_next(o))

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

/* One object of the manifest as it is in the cluster; *ret NULL: it is not there. */
static bool installed(
    struct drill *d, const json_node *object, struct kube_kind *ret_kind, struct json **ret, struct err *err)
{
	const char *version = json_text_at(object, "apiVersion"), *kind = json_text_at(object, "kind"),
		   *ns = kube_namespace(object);
	struct err each = ERR_INIT;

	*ret = NULL;
	if (!version || !kind || !kube_name(object))
		return err_set(
		    err, ERR_PARSE, "the operator's manifest has an object without apiVersion, kind or name");
	if (kube_kind_of(drill_kube(d), version, kind, ret_kind, &each))
		return part_look(d, ret_kind, ns ? ns : drill_namespace(d), kube_name(object), ret, err);
	if (each.code == ERR_UNSUPPORTED)
		return true;
	*err = each;
	return false;
}

static bool operator_check(struct drill *d, const json_node *args, struct err *err)
{
	YAML_DOCS_CLEANUP struct yaml_docs docs = {0};

	if (!part_read_operator(d, args, &docs, err))
		return false;
	for (size_t i = 0; i < docs.count; i++) {
		CLEANUP(json) struct json *now = NULL;
		struct kube_kind kind;

		if (!installed(d, json_root(docs.items[i]), &kind, &now, err) ||
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

		if (!installed(d, json_root(docs.items[i]), &kind, &now, err))
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

static bool namespace_check(struct drill *d, const json_node *args, struct err *err)
{
	(void)args;
	return part_volumes_agreed(d, NULL, NULL, NULL, err);
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

/* With a policy that may go the records of its runs go, and with the namespace those of its backups. */
static bool is_record_of_policy(struct drill *d, const json_node *o, const char *policy)
{
	struct kube_kind kind;

	kind_kasten(&kind, KASTEN_CONFIG_GROUP, "policies", "Policy");
	return policy && drill_delete_confirmed(d, &kind, policy) &&
	       (json_is_at(o, "metadata/labels/k10.kasten.io~1policyName", policy) ||
		   (json_is_at(o, "spec/subject/kind", "Policy") && json_is_at(o, "spec/subject/name", policy)));
}

static bool is_record(struct drill *d, const json_node *args, const json_node *o)
{
	const char *app = kube_label(o, KASTEN_APP_LABEL);

	if (app)
		return !strcmp(app, drill_namespace(d));
	for (const json_node *p = json_first(step_node(args, "policies")); p; p = json_next(p))
		if (is_record_of_policy(d, o, json_string(p)))
			return true;
	return false;
}

struct records {
	struct drill *d;
	const json_node *args;
	size_t left;
	char text[400]; /* what is waited for */
};

static bool remove_records(void *ctx, const struct kube_kind *kind, struct err *err)
{
	struct records *r = ctx;
	CLEANUP(json) struct json *list = NULL;

	if (strcmp(kind->group, KASTEN_ACTIONS_GROUP) != 0)
		return true;
	if (!part_list_known(r->d, kind, kind->namespaced ? drill_kasten(r->d) : NULL, &list, err))
		return false;
	EACH_ITEM(o, list)
	{
		char state[64];

		if (!is_record(r->d, r->args, o))
			continue;
		r->left++;
		kasten_state_text(o, state, sizeof state);
		snprintf(r->text, sizeof r->text, "%s %s is %s", kind->kind, kube_name(o), state);
		if (kasten_state_final(kasten_state(o)) && !part_remove(r->d, kind, o, 0, err))
			return false;
	}
	return true;
}

static bool records_run(struct drill *d, const json_node *args, struct err *err)
{
	int64_t begun_ms = part_now_ms(d), limit_ms = step_duration_ms(args, "timeout", GONE_LIMIT_MS);
	struct records r = {.d = d, .args = args};
	char unread[128];

	for (;;) {
		r.left = 0;
		if (!kube_each_kind(drill_kube(d), remove_records, &r, unread, err))
			return false;
		if (!r.left)
			return true;
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
    STEP_DESTROYS | STEP_ONCE, records_describe, NULL, records_run};

/* --- prove-removed ------------------------------------------------------------------------------------------------ */

static const struct step_arg prove_args[] = {
    STEP_ARG("timeout", ARG_DURATION, .otherwise = "2m", .help = "until nothing must be left"),
    {0},
};

struct sweep {
	struct drill *d;
	int64_t kinds, unread, objects, left;
	bool seen, unseen;	     /* the kind that is looked through */
	struct json *records;	     /* the arguments of remove-records */
	struct buf uids;	     /* of what is left, each between blanks */
	char first[512], blind[512]; /* what is left; what could not be listed: the first of it, with the reason */
};

static void sweep_clear(struct sweep *s)
{
	buf_clear(&s->uids);
	json_free(s->records);
	s->records = NULL;
}
#define SWEEP_CLEANUP __attribute__((cleanup(sweep_clear)))

static bool is_left(struct sweep *s, const struct kube_kind *kind, const json_node *o, struct err *err)
{
	const char *ns = kube_namespace(o), *finalizer = json_text_at(o, "metadata/finalizers/0");
	size_t used = strlen(s->first);

	if (part_is_named(buf_str(&s->uids), kube_uid(o)))
		return true;
	if (used < sizeof s->first - 1)
		snprintf(s->first + used, sizeof s->first - used, "%s%s %s%s%s%s%s", used ? ", " : "", kind->kind,
		    ns ? ns : "", ns ? "/" : "", kube_name(o), finalizer ? ", held by finalizer " : "",
		    finalizer ? finalizer : "");
	s->left++;
	return buf_printf(&s->uids, err, "%s ", kube_uid(o) ? kube_uid(o) : "?");
}

/* As the scenario's remove-records has them; without such a step, those of the namespace alone. */
static bool is_left_record(struct sweep *s, const struct kube_kind *kind, const json_node *o)
{
	return !strcmp(kind->group, KASTEN_ACTIONS_GROUP) && s->records && is_record(s->d, json_root(s->records), o);
}

static bool is_of_namespace(struct drill *d, const struct kube_kind *kind, const json_node *o)
{
	const char *ns = drill_namespace(d), *app = kube_label(o, KASTEN_APP_LABEL);

	return (app && !strcmp(app, ns)) || (kube_namespace(o) && !strcmp(kube_namespace(o), ns)) ||
	       (!kind->group[0] && !strcmp(kind->plural, "namespaces") && json_is_at(o, "metadata/name", ns)) ||
	       (!kind->group[0] && !strcmp(kind->plural, "persistentvolumes") &&
		   json_is_at(o, "spec/claimRef/namespace", ns));
}

static bool sweep_list(struct sweep *s, const struct kube_kind *kind, const char *namespace_, struct err *err)
{
	CLEANUP(json) struct json *list = NULL;
	struct err each = ERR_INIT;

	if (!part_list_known(s->d, kind, namespace_, &list, &each)) {
		/* without an answer at all nothing is known */
		if (each.code == ERR_INTERRUPTED || each.code == ERR_NET) {
			*err = each;
			return false;
		}
		if (!s->unread)
			snprintf(s->blind, sizeof s->blind, "%s: %.380s", kind->plural, each.msg);
		s->unseen = true;
		return true;
	}
	s->seen |= list != NULL;
	EACH_ITEM(o, list)
	{
		s->objects++;
		if ((is_of_namespace(s->d, kind, o) || is_left_record(s, kind, o)) && !is_left(s, kind, o, err))
			return false;
	}
	return true;
}

/* Other teams' namespaces are not looked into: nothing of the installation can be there. */
static bool sweep_kind(void *ctx, const struct kube_kind *kind, struct err *err)
{
	struct sweep *s = ctx;

	bool ok;

	drill_progress(s->d, "looking through %s", kind->plural);
	s->seen = s->unseen = false;
	ok = kind->namespaced
		 ? sweep_list(s, kind, drill_namespace(s->d), err) && sweep_list(s, kind, drill_kasten(s->d), err)
		 : sweep_list(s, kind, NULL, err);
	s->kinds += s->seen && !s->unseen;
	s->unread += s->unseen;
	return ok;
}

/* What this run has deleted may have been made again: by a GitOps controller, say. */
static bool sweep_deleted(struct sweep *s, size_t step, struct err *err)
{
	CLEANUP(json) struct json *args = NULL, *list = NULL;
	struct kube_kind kind;

	if (!drill_args(s->d, step, true, &args, err) || !part_selected(s->d, json_root(args), &kind, &list, err))
		return false;
	EACH_ITEM(o, list)
	{
		if (!is_left(s, &kind, o, err))
			return false;
	}
	return true;
}

static bool sweep_operator(struct sweep *s, size_t step, struct err *err)
{
	YAML_DOCS_CLEANUP struct yaml_docs docs = {0};
	CLEANUP(json) struct json *args = NULL;

	if (!drill_args(s->d, step, true, &args, err) || !part_read_operator(s->d, json_root(args), &docs, err))
		return false;
	for (size_t i = 0; i < docs.count; i++) {
		CLEANUP(json) struct json *now = NULL;
		struct kube_kind kind;

		if (!installed(s->d, json_root(docs.items[i]), &kind, &now, err) ||
		    (now && !is_left(s, &kind, json_root(now), err)))
			return false;
	}
	return true;
}

static bool sweep_all(struct sweep *s, struct err *err)
{
	struct drill *d = s->d;
	char unread[128];

	*s = (struct sweep){.d = d, .uids = BUF_INIT(UIDS_MAX)};
	for (size_t i = 0; i < d->step; i++)
		if (d->scenario.steps[i].def == &step_remove_records && !drill_args(d, i, true, &s->records, err))
			return false;
	if (!buf_add_char(&s->uids, ' ', err) || !kube_each_kind(drill_kube(d), sweep_kind, s, unread, err))
		return false;
	if (unread[0] && !s->unread++)
		snprintf(s->blind, sizeof s->blind, "the server does not tell the kinds of group %s", unread);
	for (size_t i = 0; i < d->step; i++) {
		const struct step_def *def = d->scenario.steps[i].def;

		if ((def == &step_delete && !sweep_deleted(s, i, err)) ||
		    (def == &step_remove_operator && !sweep_operator(s, i, err)))
			return false;
	}
	return true;
}

/* Some of it ends behind the last deletion: volumes are erased, Kasten writes down what it has done. */
static bool sweep_until(struct sweep *s, int64_t limit_ms, struct err *err)
{
	int64_t begun_ms = part_now_ms(s->d);

	for (;;) {
		if (!sweep_all(s, err))
			return false;
		if (!s->left || part_now_ms(s->d) - begun_ms > limit_ms)
			return true;
		drill_progress(s->d, "left: %s", s->first);
		sweep_clear(s);
		if (!part_pause(s->d, POLL_MS, err))
			return false;
	}
}

static bool give_reasons(struct sweep *s, struct verdict *v, struct err *err)
{
	const char *kept = drill_found(s->d, "kept-backups");

	if (s->left && !verdict_add_reason(v, REASON_LEFT_BEHIND,
			   "see who holds or makes it (kubectl get -o yaml), delete it, and look again: run --resume",
			   err, "%lld left: %s", (long long)s->left, s->first))
		return false;
	if (s->unread &&
	    !verdict_add_reason(v, REASON_NOT_LOOKED_AT, "with the right to list every kind look again: run --resume",
		err, "%lld not listed; the first: %s", (long long)s->unread, s->blind))
		return false;
	return !kept ||
	       verdict_add_reason(v, REASON_BACKUPS_KEPT,
		   "they are the last copy of the data; whoever owns the bucket deletes them", err, "%s", kept);
}

static bool write_verdict(struct sweep *s, struct err *err)
{
	VERDICT_CLEANUP struct verdict v;
	char status[16];

	verdict_init(&v);
	v.has_removal = true;
	v.removal_kinds = s->kinds;
	v.removal_kinds_unread = s->unread;
	v.removal_objects = s->objects;
	v.removal_left = s->left;
	if (!give_reasons(s, &v, err))
		return false;
	verdict_settle(&v);
	if (s->left)
		snprintf(v.title, sizeof v.title, "%s: %lld of the objects of \"%.100s\" are left",
		    verdict_result_text(v.result), (long long)s->left, drill_namespace(s->d));
	else
		snprintf(v.title, sizeof v.title, "%s: nothing of \"%.100s\" is left%s", verdict_result_text(v.result),
		    drill_namespace(s->d), s->unread ? " where it could be looked for" : "");
	snprintf(status, sizeof status, "%d", verdict_exit_status(v.result));
	return drill_write_verdict(s->d, &v, true, err) && drill_set_value(s->d, "verdict-status", status, err);
}

static bool prove_describe(struct drill *d, const json_node *args, struct buf *out, struct err *err)
{
	(void)args;
	return buf_printf(
	    out, err, "look through every kind for what is left of %s, and write the reports", drill_namespace(d));
}

static bool prove_run(struct drill *d, const json_node *args, struct err *err)
{
	SWEEP_CLEANUP struct sweep s = {.d = d};

	return sweep_until(&s, step_duration_ms(args, "timeout", PROOF_LIMIT_MS), err) && write_verdict(&s, err);
}

const struct step_def step_prove_removed = {"prove-removed",
    "looks through every kind for what is left: the run's exit status is the verdict's", prove_args,
    STEP_ONCE | STEP_AGAIN, prove_describe, NULL, prove_run};
