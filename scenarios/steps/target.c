/*
 * check-target: is everything there that the restore needs, in the cluster that it goes to? What is first met behind the disaster is asked
 * for before it: by the step's check before the run begins, and by the step itself right before the disaster.
 */
#include "kasten/actions.h"
#include "kube/access.h"
#include "scenarios/steps/parts.h"

#include <string.h>

#define TEXT_MAX 900
#define STATE_MAX 64
#define POLL_MS 500
#define VALIDATED_LIMIT_MS 20000
#define NOBODY "psmdb-drill-asks"

static const struct step_arg target_args[] = {
    STEP_ARG("policy", ARG_TEXT, .help = "the policy that exports (default: the parameter policy)"),
    STEP_ARG("file", ARG_TEXT, .help = "the operator's manifest, as for install-operator"),
    {0},
};

static bool target_describe(struct drill *d, const json_node *args, struct buf *out, struct err *err)
{
	(void)args;
	return buf_printf(out, err,
	    "look whether %s has what the restore needs: Kasten's kinds and profile, storage class, room, rights",
	    drill_kube_elsewhere(d) ? "the cluster to restore into" : "this cluster");
}

struct target {
	struct drill *d;
	struct kube *kube;
	bool apart; /* another cluster than the one under test */
	const char *where;
};

static struct target target_of(struct drill *d)
{
	struct kube *elsewhere = drill_kube_elsewhere(d);

	return elsewhere ? (struct target){d, elsewhere, true, "the cluster to restore into"}
			 : (struct target){d, drill_kube(d), false, "the cluster"};
}

/* *ret NULL: nothing of this name. ERR_UNSUPPORTED: the server does not know the kind. */
static bool look(const struct target *t, const struct kube_kind *kind, const char *namespace_, const char *name,
    struct json **ret, struct err *err)
{
	struct err each = ERR_INIT;

	*ret = NULL;
	if (kube_get(t->kube, kind, kind->namespaced ? namespace_ : NULL, name, ret, &each) ||
	    each.code == ERR_NOT_FOUND)
		return true;
	*err = each;
	return false;
}

/* --- Kasten ------------------------------------------------------------------------------------------------------- */

static bool kasten_kinds(const struct target *t, struct err *err)
{
	static const struct {
		const char *group, *plural, *kind;
		bool in_kasten;
	} kinds[] = {
	    {KASTEN_CONFIG_GROUP, "policies", "Policy", true},
	    {KASTEN_ACTIONS_GROUP, "runactions", "RunAction", true},
	    {KASTEN_ACTIONS_GROUP, "restoreactions", "RestoreAction", false},
	    {KASTEN_APPS_GROUP, "restorepoints", "RestorePoint", false},
	};

	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		CLEANUP(json) struct json *nothing = NULL;
		struct err each = ERR_INIT;
		struct kube_kind kind;

		kind_kasten(&kind, kinds[i].group, kinds[i].plural, kinds[i].kind);
		/* a right that is missing is told with the others */
		if (look(t, &kind, kinds[i].in_kasten ? drill_kasten(t->d) : drill_namespace(t->d), NOBODY, &nothing,
			&each) ||
		    each.code == ERR_AUTH)
			continue;
		*err = each;
		if (each.code != ERR_UNSUPPORTED)
			return err_wrap(err, "%s", t->where);
		err_set(err, ERR_STATE, "refused: %s does not know Kasten's kind %s (%s)", t->where, kinds[i].kind,
		    kinds[i].group);
		return err_hint(err, "install Kasten there, or wait until its API services are available");
	}
	return true;
}

static const char *bucket_of(const json_node *profile)
{
	const char *name = json_text_at(profile, "spec/locationSpec/objectStore/name");

	return name ? name : "";
}

static bool read_profile(
    struct drill *d, const char *policy, char *ret, size_t size, struct json **ret_doc, struct err *err)
{
	CLEANUP(json) struct json *doc = NULL;
	struct kube_kind kind;

	kind_kasten(&kind, KASTEN_CONFIG_GROUP, "policies", "Policy");
	if (!kube_get(drill_kube(d), &kind, drill_kasten(d), policy, &doc, err))
		return false;
	kasten_export_profile(json_root(doc), ret, size);
	if (!ret[0])
		return err_set(
		    err, ERR_STATE, "policy \"%s/%s\" names no profile to export to", drill_kasten(d), policy);
	kind_kasten(&kind, KASTEN_CONFIG_GROUP, "profiles", "Profile");
	return kube_get(drill_kube(d), &kind, drill_kasten(d), ret, ret_doc, err);
}

/* One that was just made or changed is looked at by Kasten within seconds. *ret NULL: there is none. */
static bool profile_there(const struct target *t, const char *name, struct json **ret, char *state, char *why,
    size_t why_size, struct err *err)
{
	int64_t begun_ms = part_now_ms(t->d);
	struct kube_kind kind;

	kind_kasten(&kind, KASTEN_CONFIG_GROUP, "profiles", "Profile");
	for (;;) {
		CLEANUP(json) struct json *doc = NULL;

		state[0] = why[0] = '\0';
		if (!look(t, &kind, drill_kasten(t->d), name, &doc, err))
			return err_wrap(err, "%s", t->where);
		if (doc)
			kasten_validation(json_root(doc), state, STATE_MAX, why, why_size);
		if (!doc || state[0] || part_now_ms(t->d) - begun_ms > VALIDATED_LIMIT_MS) {
			*ret = TAKE(doc);
			return true;
		}
		if (!part_pause(t->d, POLL_MS, err))
			return false;
	}
}

/* The import goes through a profile of the name that the export has used, to the same bucket. */
static bool profile_fits(const struct target *t, const json_node *args, struct err *err)
{
	CLEANUP(json) struct json *here = NULL, *there = NULL;
	char name[PSMDB_NAME_MAX], state[STATE_MAX], why[512];

	if (!read_profile(t->d, part_policy(t->d, args), name, sizeof name, &here, err))
		return false;
	if (!profile_there(t, name, &there, state, why, sizeof why, err))
		return false;
	if (!there) {
		err_set(err, ERR_STATE, "refused: Kasten of %s has no profile \"%s/%s\", to which the policy exports",
		    t->where, drill_kasten(t->d), name);
		return err_hint(err, "make one of that name there that leads to bucket \"%s\" (manifests/profile.yaml)",
		    bucket_of(json_root(here)));
	}
	if (strcmp(state, "Success") != 0) {
		err_set(err, ERR_STATE, "refused: Kasten of %s has not validated profile \"%s/%s\": %s%s%s", t->where,
		    drill_kasten(t->d), name, state[0] ? state : "not looked at yet", why[0] ? ": " : "", why);
		return err_hint(err, "mend it, or wait until \"kubectl -n %s get profiles.%s %s\" says Success",
		    drill_kasten(t->d), KASTEN_CONFIG_GROUP, name);
	}
	if (!strcmp(bucket_of(json_root(here)), bucket_of(json_root(there))))
		return true;
	err_set(err, ERR_STATE, "refused: profile \"%s/%s\" of %s leads to bucket \"%s\", the export goes to \"%s\"",
	    drill_kasten(t->d), name, t->where, bucket_of(json_root(there)), bucket_of(json_root(here)));
	return err_hint(err, "let both profiles of that name lead to one bucket");
}

/* --- storage ------------------------------------------------------------------------------------------------------ */

static void kind_classes(struct kube_kind *ret)
{
	kube_kind_set(ret, "storage.k8s.io", "v1", "storageclasses", "StorageClass", false);
}

/* *ret_known false: it may not be asked for, or there is no such thing. */
static bool has_default(struct kube *k, bool *ret_known, bool *ret, struct err *err)
{
	CLEANUP(json) struct json *list = NULL;
	struct err each = ERR_INIT;
	struct kube_kind kind;

	kind_classes(&kind);
	*ret = false;
	*ret_known = kube_list(k, &kind, NULL, NULL, &list, &each);
	if (!*ret_known) {
		*err = each;
		return each.code == ERR_AUTH || each.code == ERR_UNSUPPORTED;
	}
	for (const json_node *o = json_first(json_at(json_root(list), "items")); o; o = json_next(o)) {
		const char *mark = kube_annotation(o, "storageclass.kubernetes.io/is-default-class");

		*ret = *ret || (mark && !strcmp(mark, "true"));
	}
	return true;
}

static bool default_there(const struct target *t, struct err *err)
{
	bool here, there, known_here, known_there;

	if (!t->apart)
		return true;
	if (!has_default(drill_kube(t->d), &known_here, &here, err) || !has_default(t->kube, &known_there, &there, err))
		return false;
	if (!known_here || !known_there || !here || there)
		return true;
	err_set(err, ERR_STATE,
	    "refused: psmdb \"%s\" names no storage class, and %s has no default one, as this cluster has",
	    part_cluster(t->d, NULL), t->where);
	return err_hint(err, "mark one there as the default, or name one in the psmdb");
}

static bool class_there(const struct target *t, const char *name, struct err *err)
{
	CLEANUP(json) struct json *class = NULL;
	struct err each = ERR_INIT;
	struct kube_kind kind;

	kind_classes(&kind);
	if (!look(t, &kind, NULL, name, &class, &each)) {
		*err = each;
		return each.code == ERR_AUTH || each.code == ERR_UNSUPPORTED;
	}
	if (class)
		return true;
	err_set(err, ERR_STATE, "refused: %s has no storage class \"%s\", which psmdb \"%s\" names", t->where, name,
	    part_cluster(t->d, NULL));
	return err_hint(err, "its volumes would stay Pending for ever: make one of that name there");
}

static bool storage_there(const struct target *t, struct err *err)
{
	static const char class[] = "volumeSpec/persistentVolumeClaim/storageClassName";
	CLEANUP(json) struct json *cluster = NULL;
	const char *config;
	bool unnamed = false;
	struct kube_kind kind;

	kind_clusters(&kind);
	if (!kube_get(drill_kube(t->d), &kind, drill_namespace(t->d), part_cluster(t->d, NULL), &cluster, err))
		return false;
	for (const json_node *r = json_first(json_at(json_root(cluster), "spec/replsets")); r; r = json_next(r)) {
		const char *name = json_text_at(r, class);

		unnamed = unnamed || !name;
		if (name && !class_there(t, name, err))
			return false;
	}
	config = json_text_at(
	    json_root(cluster), "spec/sharding/configsvrReplSet/volumeSpec/persistentVolumeClaim/storageClassName");
	return (!config || class_there(t, config, err)) && (!unnamed || default_there(t, err));
}

/* --- room --------------------------------------------------------------------------------------------------------- */

/* Kasten leaves a Secret alone that is there. */
static bool secrets_free(const struct target *t, struct err *err)
{
	static const char *const values[] = {"storage-secret", "users-secret"};
	struct kube_kind kind;

	kind_secrets(&kind);
	for (size_t i = 0; t->apart && i < sizeof values / sizeof *values; i++) {
		const char *name = t->d->state.doc ? drill_found(t->d, values[i]) : NULL;
		CLEANUP(json) struct json *secret = NULL;
		struct err each = ERR_INIT;

		if (name && !look(t, &kind, drill_namespace(t->d), name, &secret, &each) && each.code != ERR_AUTH) {
			*err = each;
			return false;
		}
		if (!secret)
			continue;
		err_set(err, ERR_EXISTS, "refused: %s has Secret \"%s/%s\" already, which is to be restored", t->where,
		    drill_namespace(t->d), name);
		return err_hint(err, "Kasten would leave it as it is; if it is nobody's, delete it");
	}
	return true;
}

/* Asked of the server, object by object, and not done: another field manager's fields, a webhook, a quota, a right. */
static bool operator_fits(const struct target *t, const struct yaml_docs *docs, struct err *err)
{
	for (size_t i = 0; t->apart && i < docs->count; i++) {
		const json_node *o = json_root(docs->items[i]);
		const char *version = json_text_at(o, "apiVersion"), *name = json_text_at(o, "kind");
		struct err each = ERR_INIT;
		struct kube_kind kind;

		if (!version || !name || !kube_name(o))
			return err_set(
			    err, ERR_PARSE, "an object of the operator's manifest has no apiVersion, kind or name");
		/* what belongs to the whole cluster and is there stays as it is; what is made needs a flag */
		if (!kube_kind_of(t->kube, version, name, &kind, err))
			return err_wrap(err, "%s", t->where);
		if (!kind.namespaced || kube_apply(t->kube, drill_namespace(t->d), o, false, true, NULL, &each))
			continue;
		*err = each;
		err_wrap(err, "%s would refuse the operator's manifest", t->where);
		return part_operator_refused(t->d, err);
	}
	return true;
}

/* --- rights ------------------------------------------------------------------------------------------------------- */

enum place { IN_NAMESPACE, IN_KASTEN, IN_CLUSTER };

struct need {
	struct kube_right right;
	enum place place;
	bool same_only; /* of a cluster whose namespace is lost */
	const char *step;
};

static const struct need needs[] = {
    {{"delete", "", "namespaces", NULL}, IN_CLUSTER, true, "lose-namespace"},
    {{"create", "", "namespaces", NULL}, IN_CLUSTER, true, "recreate-namespace"},
    {{"create", KASTEN_CONFIG_GROUP, "policies", NULL}, IN_KASTEN, false, "import-point"},
    {{"get", KASTEN_CONFIG_GROUP, "policies", NULL}, IN_KASTEN, false, "import-point"},
    {{"create", KASTEN_ACTIONS_GROUP, "runactions", NULL}, IN_KASTEN, false, "import-point"},
    {{"get", KASTEN_ACTIONS_GROUP, "runactions", NULL}, IN_KASTEN, false, "import-point"},
    {{"list", KASTEN_APPS_GROUP, "restorepointcontents", NULL}, IN_CLUSTER, false, "import-point"},
    {{"create", KASTEN_APPS_GROUP, "restorepoints", NULL}, IN_NAMESPACE, false, "import-point"},
    {{"create", KASTEN_ACTIONS_GROUP, "restoreactions", NULL}, IN_NAMESPACE, false, "restore-secrets"},
    {{"get", KASTEN_ACTIONS_GROUP, "restoreactions", NULL}, IN_NAMESPACE, false, "restore-secrets"},
    {{"get", PSMDB_GROUP, "perconaservermongodbs", NULL}, IN_NAMESPACE, false, "restore-cluster"},
    {{"create", PSMDB_GROUP, "perconaservermongodbrestores", NULL}, IN_NAMESPACE, false, "restore-data"},
    {{"list", PSMDB_GROUP, "perconaservermongodbrestores", NULL}, IN_NAMESPACE, false, "restore-data"},
    {{"patch", PSMDB_GROUP, "perconaservermongodbs", NULL}, IN_NAMESPACE, true, "annotate"},
    {{"create", "", "pods", NULL}, IN_NAMESPACE, false, "collect"},
    {{"delete", "", "pods", NULL}, IN_NAMESPACE, false, "collect"},
    {{"get", "", "pods/log", NULL}, IN_NAMESPACE, false, "collect"},
};

struct missing {
	char text[TEXT_MAX];
	size_t count, used;
};

static bool ask(
    const struct target *t, const struct need *n, const char *namespace_, struct missing *m, struct err *err)
{
	bool lost = n->same_only && n->place == IN_CLUSTER && !strcmp(n->right.verb, "delete");
	struct kube_right right = n->right;
	enum kube_may may;

	if (n->same_only && t->apart)
		return true;
	right.name = lost ? drill_namespace(t->d) : right.name;
	if (!kube_may(t->kube, &right, namespace_, &may, err))
		return err_wrap(err, "%s: ask for rights", t->where);
	if (may != KUBE_MAY_NOT || m->used + 200 > sizeof m->text)
		return true;
	m->count++;
	m->used += (size_t)snprintf(m->text + m->used, sizeof m->text - m->used, "%s%s %s%s%s (%s)",
	    m->count > 1 ? ", " : "", right.verb, right.resource, *right.group ? "." : "", right.group, n->step);
	return true;
}

static const char *place_of(const struct target *t, enum place place)
{
	return place == IN_CLUSTER ? NULL : place == IN_KASTEN ? drill_kasten(t->d) : drill_namespace(t->d);
}

/* Of the operator's manifest: server-side apply is a patch, and a create where nothing is there. */
static bool ask_operator(
    const struct target *t, const struct yaml_docs *docs, const char *namespace_, struct missing *m, struct err *err)
{
	static const char *const verbs[] = {"create", "patch"};

	for (size_t i = 0; i < docs->count; i++) {
		const char *version = json_text_at(json_root(docs->items[i]), "apiVersion"),
			   *name = json_text_at(json_root(docs->items[i]), "kind");
		struct kube_kind kind;

		if (!version || !name || !kube_kind_of(t->kube, version, name, &kind, NULL) || !kind.namespaced)
			continue;
		for (size_t v = 0; v < sizeof verbs / sizeof *verbs; v++) {
			const struct need n = {
			    {verbs[v], kind.group, kind.plural, NULL}, IN_NAMESPACE, false, "install-operator"};

			if (!ask(t, &n, namespace_, m, err))
				return false;
		}
	}
	return true;
}

/* What is granted in the namespace alone goes with it. */
static bool rights_outlive(const struct target *t, const struct yaml_docs *docs, struct err *err)
{
	struct missing m = {.count = 0};

	for (size_t i = 0; i < sizeof needs / sizeof *needs; i++)
		if (needs[i].place == IN_NAMESPACE && !ask(t, &needs[i], NOBODY, &m, err))
			return false;
	if (!ask_operator(t, docs, NOBODY, &m, err))
		return false;
	if (m.count)
		drill_say(t->d,
		    "mind: these rights are granted in namespace %s alone, and may go with it (manifests/rbac.yaml): "
		    "%s",
		    drill_namespace(t->d), m.text);
	return true;
}

static bool rights_there(const struct target *t, const struct yaml_docs *docs, struct err *err)
{
	struct missing m = {.count = 0};

	for (size_t i = 0; i < sizeof needs / sizeof *needs; i++)
		if (!ask(t, &needs[i], place_of(t, needs[i].place), &m, err))
			return false;
	if (!ask_operator(t, docs, drill_namespace(t->d), &m, err))
		return false;
	if (!m.count)
		return t->apart || rights_outlive(t, docs, err);
	err_set(err, ERR_AUTH, "refused: rights are missing in %s, which steps behind the disaster need: %s", t->where,
	    m.text);
	return err_hint(err, "grant them first (manifests/rbac.yaml, part CASE 2; namespaces \"%s\" and \"%s\")",
	    drill_namespace(t->d), drill_kasten(t->d));
}

/* --- the whole ---------------------------------------------------------------------------------------------------- */

static bool target_run(struct drill *d, const json_node *args, struct err *err)
{
	const struct target t = target_of(d);
	YAML_DOCS_CLEANUP struct yaml_docs docs = {0};

	return (!t.apart || kasten_kinds(&t, err)) && profile_fits(&t, args, err) && storage_there(&t, err) &&
	       secrets_free(&t, err) && part_read_operator(d, args, &docs, err) && rights_there(&t, &docs, err) &&
	       operator_fits(&t, &docs, err);
}

const struct step_def step_check_target = {"check-target",
    "looks, before anything is lost, whether the cluster that is restored into has what the steps behind the disaster "
    "need",
    target_args, 0, target_describe, target_run, target_run};
