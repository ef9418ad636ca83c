/* recreate-namespace, install-operator, restore-secrets, restore-cluster: what the cluster's data need before they can come back. */
#include "base/uuid.h"
#include "scenarios/steps/action.h"

#include <stdlib.h>
#include <string.h>

#define ACTION_LIMIT_MS 900000
#define OPERATOR_LIMIT_MS 600000
#define LIKE_MAX 65536
#define MADE_BY "psmdb-drill/made-by"

/* --- recreate-namespace ------------------------------------------------------------------------------------------- */

static const struct step_arg recreate_args[] = {{0}};

static bool recreate_describe(struct drill *d, const json_node *args, struct buf *out, struct err *err)
{
	(void)args;
	return buf_printf(out, err, "make namespace %s again, with the labels that it had", drill_namespace(d));
}

static bool namespace_again(struct drill *d, struct json **ret, struct err *err)
{
	const struct json_limits limits = {.max_bytes = LIKE_MAX, .max_depth = 8, .unique_keys = true};
	const char *like = drill_found(d, "namespace-like");
	CLEANUP(json) struct json *was = NULL, *doc = NULL;

	if (!like || !drill_found(d, DRILL_LOST_NAMESPACE) || drill_is_elsewhere(d)) {
		err_set(err, ERR_STATE, "refused: this run has not deleted namespace \"%s\"", drill_namespace(d));
		return err_hint(err, "step \"create-namespace\" makes one that was never there");
	}
	if (!json_parse(like, strlen(like), &limits, &was, err) ||
	    !json_format(
		&doc, err, "{'apiVersion':'v1','kind':'Namespace','metadata':{'name':%s}}", drill_namespace(d)))
		return false;
	for (const json_node *m = json_first(json_root(was)); m; m = json_next(m)) {
		char path[64];

		snprintf(path, sizeof path, "metadata/%.40s", json_key(m));
		if (json_is_object(m) && !json_set_copy(json_edit(doc), path, m, err))
			return false;
	}
	if (!json_set_text(
		json_edit(doc), "metadata/annotations/psmdb-drill~1made-by", drill_found(d, "namespace-mark"), err))
		return false;
	*ret = TAKE(doc);
	return true;
}

/* By which the run knows its own: kept before it is made. */
static bool mark(struct drill *d, struct err *err)
{
	char text[UUID_TEXT_MAX];
	struct uuid id;

	if (drill_found(d, "namespace-mark"))
		return true;
	return uuid_random(&id, err) && drill_set_value(d, "namespace-mark", uuid_format(&id, text), err);
}

/* One that is there already is another's, unless this run has made it. */
static bool recreate_run(struct drill *d, const json_node *args, struct err *err)
{
	CLEANUP(json) struct json *object = NULL, *now = NULL, *made = NULL;
	struct kube_kind kind;

	(void)args;
	kind_namespaces(&kind);
	if (!mark(d, err) || !namespace_again(d, &object, err) ||
	    !part_look(d, &kind, NULL, drill_namespace(d), &now, err))
		return false;
	if (now && drill_is_ours(d, kube_uid(json_root(now))))
		return true;
	/* made by an attempt that was killed before it could write that down */
	if (now && kube_annotation(json_root(now), MADE_BY) &&
	    !strcmp(kube_annotation(json_root(now), MADE_BY), drill_found(d, "namespace-mark")))
		return drill_created(d, &kind, json_root(now), err);
	if (now) {
		err_set(err, ERR_EXISTS, "namespace \"%s\" is there again, and this run has not made it",
		    drill_namespace(d));
		return err_hint(err, "somebody else needs the name: clean up, and begin a new run");
	}
	return kube_create(drill_kube(d), &kind, NULL, json_root(object), &made, err) &&
	       drill_created(d, &kind, json_root(made), err);
}

const struct step_def step_recreate_namespace = {"recreate-namespace",
    "makes the namespace again that this run has deleted, with its labels, the lock's among them", recreate_args,
    STEP_ONCE, recreate_describe, NULL, recreate_run};

/* --- install-operator --------------------------------------------------------------------------------------------- */

static const struct step_arg operator_args[] = {
    STEP_ARG("file", ARG_TEXT, .help = "the operator's manifest, beside the scenario (default: the option --operator)"),
    STEP_ARG("timeout", ARG_DURATION, .otherwise = "10m", .help = "until its Deployment must be available"),
    {0},
};

static bool operator_describe(struct drill *d, const json_node *args, struct buf *out, struct err *err)
{
	const char *file = step_text(args, "file", NULL);

	return buf_printf(out, err, "install the operator in %s from %s", drill_namespace(d),
	    file			  ? file
	    : drill_option(d, "operator") ? drill_option(d, "operator")
					  : "the file that --operator names");
}

bool part_read_operator(struct drill *d, const json_node *args, struct yaml_docs *docs, struct err *err)
{
	struct yaml_limits limits = YAML_LIMITS_DEFAULT;
	const char *file = step_text(args, "file", NULL), *given = drill_option(d, "operator");
	char path[PATH_MAX];

	limits.max_bytes = 16u << 20;
	limits.max_nodes = 1000000;
	if (file)
		return drill_file(d, file, path, err) && yaml_read(path, &limits, docs, err);
	if (given)
		return yaml_read(given, &limits, docs, err);
	err_set(err, ERR_USAGE, "the operator's manifest is not known");
	return err_hint(err, "give --operator FILE, the bundle that it was installed from");
}

bool part_operator_refused(struct drill *d, struct err *err)
{
	/* its hint is the one that the run shows */
	if (err->code == ERR_CONFLICT)
		drill_failure(d, "OPERATOR_CONFLICT",
		    "fields of an object of the operator's manifest belong to another field manager",
		    "delete that object if it is nobody's, or give its fields away: kubectl apply --server-side "
		    "--force-conflicts --field-manager=psmdb-drill -f FILE, in the namespace; then go on");
	return false;
}

/* Rules as for apply. What belongs to the whole cluster and is there already (the custom kinds) stays as it is. */
static bool install_one(struct drill *d, const json_node *object, bool dry, struct err *err)
{
	CLEANUP(json) struct json *made = NULL;
	const char *ns = kube_namespace(object);
	enum part_apply how;
	struct kube_kind kind;

	if (!part_may_apply(d, object, true, &kind, &how, err))
		return false;
	if (dry || how == PART_LEAVE)
		return true;
	if (!kube_apply(drill_kube(d), drill_namespace(d), object, false, false, &made, err))
		return false;
	/* what is in the namespace stays with it: a cleanup must not take the operator from the psmdb that came back */
	return how == PART_CHANGE || (kind.namespaced && (!ns || !strcmp(ns, drill_namespace(d)))) ||
	       drill_created(d, &kind, json_root(made), err);
}

static bool operator_check(struct drill *d, const json_node *args, struct err *err)
{
	YAML_DOCS_CLEANUP struct yaml_docs docs = {0};

	if (!part_read_operator(d, args, &docs, err))
		return false;
	for (size_t i = 0; i < docs.count; i++)
		if (!install_one(d, json_root(docs.items[i]), true, err))
			return false;
	return true;
}

static bool is_available(void *ctx, const json_node *object, struct err *err)
{
	struct drill *d = ctx;

	(void)err;
	drill_progress(d, "Deployment %s: %lld available", object && kube_name(object) ? kube_name(object) : "?",
	    (long long)json_int_at(object, "status/availableReplicas", 0));
	return object && json_int_at(object, "status/availableReplicas", 0) >= 1;
}

static bool operator_run(struct drill *d, const json_node *args, struct err *err)
{
	YAML_DOCS_CLEANUP struct yaml_docs docs = {0};
	struct kube_kind kind;

	kube_kind_set(&kind, "apps", "v1", "deployments", "Deployment", true);
	kind.verbs = KUBE_GET | KUBE_LIST | KUBE_WATCH;
	if (!part_read_operator(d, args, &docs, err))
		return false;
	for (size_t i = 0; i < docs.count; i++)
		if (!install_one(d, json_root(docs.items[i]), false, err)) {
			err_wrap(err, "install the operator");
			return part_operator_refused(d, err);
		}
	for (size_t i = 0; i < docs.count; i++) {
		const json_node *o = json_root(docs.items[i]);
		char what[400];

		if (!json_is_at(o, "kind", "Deployment"))
			continue;
		snprintf(
		    what, sizeof what, "Deployment \"%s/%.253s\" to be available", drill_namespace(d), kube_name(o));
		if (!drill_wait(d, &kind, drill_namespace(d), kube_name(o), what,
			step_duration_ms(args, "timeout", OPERATOR_LIMIT_MS), is_available, d, NULL, err))
			return false;
	}
	return true;
}

const struct step_def step_install_operator = {"install-operator",
    "applies the operator's manifest in the namespace, and waits until its Deployment is available", operator_args, 0,
    operator_describe, operator_check, operator_run};

/* --- restore-secrets, restore-cluster ----------------------------------------------------------------------------- */

static const struct step_arg secrets_args[] = {
    STEP_ARG("names", ARG_LIST, .required = true, .help = "Secrets of the restore point, before the psmdb is there"),
    STEP_ARG("timeout", ARG_DURATION, .otherwise = "15m", .help = "how long"),
    {0},
};

static const struct step_arg cluster_args[] = {
    STEP_ARG("timeout", ARG_DURATION, .otherwise = "15m", .help = "until the psmdb must be there"),
    {0},
};

static bool secrets_describe(struct drill *d, const json_node *args, struct buf *out, struct err *err)
{
	if (!buf_printf(out, err, "restore these Secrets of %s from the restore point:", drill_namespace(d)))
		return false;
	for (const json_node *n = json_first(step_node(args, "names")); n; n = json_next(n))
		if (!buf_printf(out, err, " %s", json_string(n) ? json_string(n) : "?"))
			return false;
	return true;
}

static bool cluster_describe(struct drill *d, const json_node *args, struct buf *out, struct err *err)
{
	(void)args;
	return buf_printf(out, err,
	    "restore psmdb %s from the restore point, without its blueprint: the data come by hand",
	    part_cluster(d, NULL));
}

static bool not_there(struct drill *d, const struct kube_kind *kind, const char *name, struct err *err)
{
	CLEANUP(json) struct json *object = NULL;

	if (!part_look(d, kind, drill_namespace(d), name, &object, err))
		return false;
	if (!object)
		return true;
	err_set(err, ERR_EXISTS, "refused: %s \"%s/%s\" is there already", kind->kind, drill_namespace(d), name);
	return err_hint(err, "Kasten would leave it as it is; if it is nobody's, delete it, and go on with --resume");
}

static bool nothing_there(struct drill *d, const struct kasten_restore *what, struct err *err)
{
	struct kube_kind clusters, secrets;

	kind_clusters(&clusters);
	kind_secrets(&secrets);
	if (what->cluster && !not_there(d, &clusters, what->cluster, err))
		return false;
	for (const json_node *n = json_first(what->secrets); n; n = json_next(n))
		if (json_string(n) && !not_there(d, &secrets, json_string(n), err))
			return false;
	return true;
}

/* A RestoreAction, asked for once, until it has ended well. */
static bool take_out(
    struct drill *d, const struct action *a, const struct kasten_restore *what, int64_t limit_ms, struct err *err)
{
	struct kasten_restore r = *what;
	CLEANUP(json) struct json *object = NULL;
	bool there = drill_found(d, a->made) != NULL;

	r.namespace_ = a->namespace_;
	r.restore_point = drill_found(d, "restore-point");
	r.profile = drill_found(d, "import-profile");
	r.kasten = drill_kasten(d);
	if (!r.restore_point)
		return err_set(err, ERR_STATE, "no restore point is known to this run yet");
	if (!there && !action_look(d, a, &there, err))
		return false;
	/* Kasten leaves alone what is there, and is Complete */
	if (!there && (!nothing_there(d, what, err) || !(r.name = action_name(d, a, err)) ||
			  !kasten_make_restore(&r, &object, err) || !action_send(d, a, json_root(object), err)))
		return false;
	return action_wait(d, a, limit_ms, err);
}

/* A filter that matches nothing is no error to Kasten. */
static bool came(struct drill *d, const struct kube_kind *kind, const char *name, struct json **ret, struct err *err)
{
	if (!part_look(d, kind, drill_namespace(d), name, ret, err))
		return false;
	if (*ret)
		return true;
	drill_failure(d, "FILTER_MATCHED_NOTHING",
	    "the restore is Complete and has not restored what was asked for: the filter matches no object of the "
	    "restore point",
	    "see what the restore point holds");
	err_set(err, ERR_STATE, "the RestoreAction is Complete, but %s \"%s/%s\" is not there", kind->kind,
	    drill_namespace(d), name);
	return err_hint(err, "a filter that matches nothing is no error to Kasten: does the restore point hold it?");
}

static bool secrets_run(struct drill *d, const json_node *args, struct err *err)
{
	const struct action a =
	    action_of(d, "restoreactions", "RestoreAction", "secrets-drill", "secrets-asked", "secrets-action", NULL);
	const struct kasten_restore what = {.secrets = step_node(args, "names")};
	struct kube_kind kind;

	kind_secrets(&kind);
	if (!take_out(d, &a, &what, step_duration_ms(args, "timeout", ACTION_LIMIT_MS), err))
		return false;
	for (const json_node *n = json_first(what.secrets); n; n = json_next(n)) {
		CLEANUP(json) struct json *secret = NULL;

		if (!came(d, &kind, json_string(n) ? json_string(n) : "", &secret, err))
			return false;
	}
	return true;
}

static bool cluster_run(struct drill *d, const json_node *args, struct err *err)
{
	const struct action a = action_of(d, "restoreactions", "RestoreAction", "restore-drill", "cluster-asked",
	    "cluster-action", "cluster.requested");
	const struct kasten_restore what = {
	    .cluster = part_cluster(d, NULL), .plain = true, .apart = drill_is_elsewhere(d)};
	CLEANUP(json) struct json *cluster = NULL;
	struct kube_kind kind;

	kind_clusters(&kind);
	return take_out(d, &a, &what, step_duration_ms(args, "timeout", ACTION_LIMIT_MS), err) &&
	       came(d, &kind, what.cluster, &cluster, err) &&
	       /* into this one the data go, and into no other */
	       drill_set_value(d, "restored-uid", kube_uid(json_root(cluster)), err);
}

const struct step_def step_restore_secrets = {"restore-secrets",
    "restores Secrets alone from the restore point: those that the psmdb needs before it is there", secrets_args,
    STEP_DESTROYS | STEP_ONCE, secrets_describe, NULL, secrets_run};

const struct step_def step_restore_cluster = {"restore-cluster",
    "restores the psmdb alone from the restore point, without the annotation that calls its blueprint", cluster_args,
    STEP_DESTROYS | STEP_ONCE, cluster_describe, NULL, cluster_run};
