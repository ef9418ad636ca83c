/* prove-removed: looks through every kind for what is left of an installation, and says so in a verdict. */
#include "evidence/verdict.h"
#include "kasten/actions.h"
#include "scenarios/steps/parts.h"

#include <string.h>

#define PROOF_LIMIT_MS 120000
#define POLL_MS 1000
#define UIDS_MAX ((size_t)1 << 20)

static const struct step_arg prove_args[] = {
    STEP_ARG("timeout", ARG_DURATION, .otherwise = "2m", .help = "until nothing must be left"),
    {0},
};

struct sweep {
	struct drill *d;
	int64_t kinds, unread, objects, left;
	bool seen, unseen;	     /* the kind that is looked through */
	bool operator_;		     /* was to be removed, too */
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
	const char *policy;

	/* also a policy that a drill of Case 2 has made, and that nobody has cleaned up */
	if (kube_label(o, KASTEN_DRILL_LABEL) && !strcmp(kube_label(o, KASTEN_DRILL_LABEL), drill_namespace(s->d)))
		return true;
	return !strcmp(kind->group, KASTEN_ACTIONS_GROUP) && s->records &&
	       part_is_record(s->d, json_root(s->records), o, &policy);
}

/* Every one whom the binding gives rights to: whoever makes the namespace again would have them. */
static bool binds_only(const json_node *binding, const char *ns)
{
	for (const json_node *u = json_first(json_get(binding, "subjects")); u; u = json_next(u))
		if (!json_is_at(u, "namespace", ns))
			return false;
	return json_count(json_get(binding, "subjects")) > 0;
}

static bool calls(const json_node *webhooks, const char *ns)
{
	for (const json_node *w = json_first(json_get(webhooks, "webhooks")); w; w = json_next(w))
		if (json_is_at(w, "clientConfig/service/namespace", ns))
			return true;
	return false;
}

/* What lies outside of it and is about it alone: of no use any more, or, as a webhook that nobody answers, harmful. */
static bool is_about_namespace(const struct kube_kind *kind, const json_node *o, const char *ns)
{
	if (kube_is_kind(kind, "", "persistentvolumes"))
		return json_is_at(o, "spec/claimRef/namespace", ns);
	if (kube_is_kind(kind, "snapshot.storage.k8s.io", "volumesnapshotcontents"))
		return json_is_at(o, "spec/volumeSnapshotRef/namespace", ns);
	if (kube_is_kind(kind, KASTEN_CONFIG_GROUP, "policies"))
		return kasten_policy_selects(o, ns) && kasten_policy_selects_only(o, ns);
	if (kube_is_kind(kind, "apiregistration.k8s.io", "apiservices"))
		return json_is_at(o, "spec/service/namespace", ns);
	if (!strcmp(kind->group, "rbac.authorization.k8s.io"))
		return binds_only(o, ns);
	return !strcmp(kind->group, "admissionregistration.k8s.io") && calls(o, ns);
}

static bool is_of_namespace(struct drill *d, const struct kube_kind *kind, const json_node *o)
{
	const char *ns = drill_namespace(d), *app = kube_label(o, KASTEN_APP_LABEL);

	return (app && !strcmp(app, ns)) || (kube_namespace(o) && !strcmp(kube_namespace(o), ns)) ||
	       (kube_is_kind(kind, "", "namespaces") && json_is_at(o, "metadata/name", ns)) ||
	       is_about_namespace(kind, o, ns);
}

/* Whatever version of the manifest was given. */
static bool is_of_operator(struct sweep *s, const struct kube_kind *kind, const json_node *o)
{
	return s->operator_ && kube_is_kind(kind, "apiextensions.k8s.io", "customresourcedefinitions") &&
	       json_is_at(o, "spec/group", PSMDB_GROUP);
}

static bool blind(struct sweep *s, const char *what, const struct err *why, struct err *err)
{
	/* without an answer at all nothing is known */
	if (why->code == ERR_INTERRUPTED || why->code == ERR_NET) {
		*err = *why;
		return false;
	}
	if (!s->blind[0])
		snprintf(s->blind, sizeof s->blind, "%s: %.380s", what, why->msg);
	s->unseen = true;
	return true;
}

static bool sweep_list(struct sweep *s, const struct kube_kind *kind, const char *namespace_, struct err *err)
{
	CLEANUP(json) struct json *list = NULL;
	struct err each = ERR_INIT;

	if (!part_list_known(s->d, kind, namespace_, &list, &each))
		return blind(s, kind->plural, &each, err);
	s->seen |= list != NULL;
	EACH_ITEM(o, list)
	{
		s->objects++;
		if ((is_of_namespace(s->d, kind, o) || is_of_operator(s, kind, o) || is_left_record(s, kind, o)) &&
		    !is_left(s, kind, o, err))
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
	struct err each = ERR_INIT;
	struct kube_kind kind;

	if (!drill_args(s->d, step, true, &args, err))
		return false;
	if (!part_selected(s->d, json_root(args), &kind, &list, &each)) {
		/* gone with its custom kind */
		if (each.code == ERR_UNSUPPORTED)
			return true;
		if (!blind(s, step_text(json_root(args), "kind", ""), &each, err))
			return false;
		s->unread++;
		return true;
	}
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

		if (!part_installed(s->d, json_root(docs.items[i]), &kind, &now, err) ||
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
	for (size_t i = 0; i < d->step; i++) {
		s->operator_ |= d->scenario.steps[i].def == &step_remove_operator;
		if (d->scenario.steps[i].def == &step_remove_records && !drill_args(d, i, true, &s->records, err))
			return false;
	}
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

/* As many as fit: a place that is cut short would be another one. */
static void places_of(const char *kept, char *ret, size_t size)
{
	size_t len = strlen(kept), more = 0;

	if (len < size) {
		strcpy(ret, kept);
		return;
	}
	for (len = size - 80; len && kept[len] != ' ';)
		len--;
	for (const char *p = kept + len; *p; p++)
		more += *p == ' ';
	snprintf(ret, size, "%.*s and %zu more: see \"kept-backups\" in state.json", (int)len, kept, more);
}

static bool give_reasons(struct sweep *s, struct verdict *v, struct err *err)
{
	const char *kept = drill_found(s->d, "kept-backups");
	char places[sizeof((struct verdict_reason *)0)->message];

	if (s->left && !verdict_add_reason(v, REASON_LEFT_BEHIND,
			   "see who holds or makes it (kubectl get -o yaml), delete it, and look again: run --resume",
			   err, "%lld left: %s", (long long)s->left, s->first))
		return false;
	if (s->unread &&
	    !verdict_add_reason(v, REASON_NOT_LOOKED_AT, "with the right to list every kind look again: run --resume",
		err, "%lld not listed; the first: %s", (long long)s->unread, s->blind))
		return false;
	if (!kept)
		return true;
	places_of(kept, places, sizeof places);
	return verdict_add_reason(v, REASON_BACKUPS_KEPT,
	    "they are the last copy of the data; whoever owns the bucket deletes them", err, "%s", places);
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
