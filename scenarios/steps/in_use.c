/* What others use is not deleted, whoever says yes to it. */
#include "kasten/actions.h"
#include "scenarios/steps/parts.h"

#include <string.h>

static bool used(
    const struct kube_kind *kind, const char *name, const char *by_kind, const json_node *by, struct err *err)
{
	const char *ns = kube_namespace(by);

	err_set(err, ERR_STATE, "refused: %s \"%s\" is used by %s \"%s%s%s\"", kind->kind, name, by_kind, ns ? ns : "",
	    ns ? "/" : "", kube_name(by));
	return err_hint(
	    err, "it stays: take that step out of a copy of the scenario, or ask whoever owns the %s", by_kind);
}

static bool elsewhere(struct drill *d, const json_node *object)
{
	return !kube_namespace(object) || strcmp(kube_namespace(object), drill_namespace(d)) != 0;
}

/* What is deleted before does not count. That --confirm-delete names it is not enough: no step may be about it. */
static bool goes(struct drill *d, const struct kube_kind *kind, const json_node *object)
{
	return kube_deleting(object) || drill_goes(d, kind, kube_name(object));
}

static bool policy_unused(struct drill *d, const struct kube_kind *kind, const json_node *policy, struct err *err)
{
	if (kasten_policy_selects_only(policy, drill_namespace(d)))
		return true;
	err_set(err, ERR_STATE, "refused: %s \"%s\" backs up more than namespace \"%s\"", kind->kind, kube_name(policy),
	    drill_namespace(d));
	return err_hint(err, "take the namespace out of its selector, and leave the policy to the others");
}

/* Of a kind of Kasten's, which stand in its own namespace: does one that stays refer to it (kasten_refers)? */
static bool not_referred_to(struct drill *d, const struct kube_kind *kind, const char *name, enum kasten_reference what,
    const char *plural, const char *by, struct err *err)
{
	CLEANUP(json) struct json *list = NULL;
	struct kube_kind users;

	kind_kasten(&users, KASTEN_CONFIG_GROUP, plural, by);
	if (!part_list_known(d, &users, drill_kasten(d), &list, err))
		return err_wrap(err, "see who uses %s \"%s\"", kind->kind, name);
	EACH_ITEM(o, list)
	{
		if (kasten_refers(json_get(o, "spec"), what, name) && !goes(d, &users, o))
			return used(kind, name, by, o, err);
	}
	return true;
}

static bool profile_unused(struct drill *d, const struct kube_kind *kind, const char *name, struct err *err)
{
	return not_referred_to(d, kind, name, KASTEN_PROFILE, "policies", "Policy", err) &&
	       not_referred_to(d, kind, name, KASTEN_PROFILE, "policypresets", "PolicyPreset", err);
}

static bool keys_unused(struct drill *d, const struct kube_kind *kind, const char *name, struct err *err)
{
	return not_referred_to(d, kind, name, KASTEN_SECRET, "profiles", "Profile", err) &&
	       not_referred_to(d, kind, name, KASTEN_SECRET, "policies", "Policy", err);
}

static bool not_annotated(
    struct drill *d, const struct kube_kind *kind, const char *name, const struct kube_kind *users, struct err *err)
{
	CLEANUP(json) struct json *list = NULL;

	if (!part_list_known(d, users, NULL, &list, err))
		return err_wrap(err, "see who uses %s \"%s\"", kind->kind, name);
	EACH_ITEM(o, list)
	{
		const char *blueprint = kube_annotation(o, PSMDB_BLUEPRINT_ANNOTATION);

		if (blueprint && !strcmp(blueprint, name) && elsewhere(d, o))
			return used(kind, name, users->kind, o, err);
	}
	return true;
}

/* Whatever Kasten backs up may name it; a policy's hooks do, and a BlueprintBinding names it for many. */
static bool blueprint_unused(struct drill *d, const struct kube_kind *kind, const char *name, struct err *err)
{
	struct kube_kind clusters, deployments, sets;

	kind_clusters(&clusters);
	kube_kind_set(&deployments, "apps", "v1", "deployments", "Deployment", true);
	kube_kind_set(&sets, "apps", "v1", "statefulsets", "StatefulSet", true);
	return not_annotated(d, kind, name, &clusters, err) && not_annotated(d, kind, name, &deployments, err) &&
	       not_annotated(d, kind, name, &sets, err) &&
	       not_referred_to(d, kind, name, KASTEN_BLUEPRINT, "blueprintbindings", "BlueprintBinding", err) &&
	       not_referred_to(d, kind, name, KASTEN_BLUEPRINT, "policies", "Policy", err);
}

static const char *served_version(const json_node *definition)
{
	for (const json_node *v = json_first(json_at(definition, "spec/versions")); v; v = json_next(v))
		if (json_bool_at(v, "served", false) && json_text_at(v, "name"))
			return json_text_at(v, "name");
	return NULL;
}

/* With a custom kind every object of it goes, of every team. */
static bool definition_unused(
    struct drill *d, const struct kube_kind *kind, const json_node *definition, struct err *err)
{
	const char *group = json_text_at(definition, "spec/group"),
		   *plural = json_text_at(definition, "spec/names/plural"),
		   *of = json_text_at(definition, "spec/names/kind"), *version = served_version(definition);
	CLEANUP(json) struct json *list = NULL;
	struct kube_kind users;

	if (!group || !plural || !of || !version)
		return err_set(err, ERR_STATE, "refused: what %s \"%s\" defines cannot be seen", kind->kind,
		    kube_name(definition));
	kube_kind_set(&users, group, version, plural, of, json_is_at(definition, "spec/scope", "Namespaced"));
	/* whatever the answer: a kind that the server does not tell of (yet) may have objects all the same */
	if (!kube_list(drill_kube(d), &users, NULL, NULL, &list, err))
		return err_wrap(err, "see who uses %s \"%s\"", kind->kind, kube_name(definition));
	EACH_ITEM(o, list)
	{
		if (elsewhere(d, o))
			return used(kind, kube_name(definition), of, o, err);
	}
	return true;
}

/* Its own namespace alone (from the pod's metadata, or by name), or others, too? */
static bool watches_others(const json_node *deployment, const char *ns)
{
	for (const json_node *c = json_first(json_at(deployment, "spec/template/spec/containers")); c; c = json_next(c))
		for (const json_node *e = json_first(json_get(c, "env")); e; e = json_next(e)) {
			const char *value = json_text_at(e, "value");

			if (json_is_at(e, "name", "WATCH_NAMESPACE") && !json_get(e, "valueFrom") &&
			    strcmp(value ? value : "", ns) != 0)
				return true;
		}
	return false;
}

bool part_operator_unused(struct drill *d, struct err *err)
{
	CLEANUP(json) struct json *clusters = NULL, *deployments = NULL;
	const json_node *theirs = NULL;
	struct kube_kind users, kind;

	kind_clusters(&users);
	kube_kind_set(&kind, "apps", "v1", "deployments", "Deployment", true);
	if (!part_list_known(d, &users, NULL, &clusters, err))
		return err_wrap(err, "see whether an operator in \"%s\" is used elsewhere", drill_namespace(d));
	EACH_ITEM(o, clusters)
	{
		if (elsewhere(d, o))
			theirs = o;
	}
	if (!theirs)
		return true;
	if (!kube_list(drill_kube(d), &kind, drill_namespace(d), NULL, &deployments, err))
		return false;
	EACH_ITEM(o, deployments)
	{
		if (watches_others(o, drill_namespace(d)))
			return used(&kind, kube_name(o), users.kind, theirs, err);
	}
	return true;
}

static bool content_unused(struct drill *d, const struct kube_kind *kind, const json_node *content, struct err *err)
{
	const char *app = kube_label(content, KASTEN_APP_LABEL);

	if (app && !strcmp(app, drill_namespace(d)))
		return true;
	err_set(err, ERR_STATE, "refused: %s \"%s\" is a backup of %s%s, not of \"%s\"", kind->kind, kube_name(content),
	    app ? "namespace " : "an unknown namespace", app ? app : "", drill_namespace(d));
	return err_hint(err, "select by the label " KASTEN_APP_LABEL);
}

static bool volume_unused(struct drill *d, const struct kube_kind *kind, const json_node *volume, struct err *err)
{
	const char *ns = json_text_at(volume, "spec/claimRef/namespace");

	if (ns && !strcmp(ns, drill_namespace(d)))
		return true;
	err_set(err, ERR_STATE, "refused: %s \"%s\" is claimed in %s%s, not in \"%s\"", kind->kind, kube_name(volume),
	    ns ? "namespace " : "no namespace", ns ? ns : "", drill_namespace(d));
	return err_hint(err, "whose data it holds cannot be seen: delete it by hand");
}

bool part_unused(struct drill *d, const struct kube_kind *kind, const json_node *object, struct err *err)
{
	const char *name = kube_name(object);

	if (!name || !kube_uid(object))
		return err_set(err, ERR_REMOTE, "the API server has answered a %s without name or uid", kind->kind);
	if (kube_is_kind(kind, KASTEN_CONFIG_GROUP, "policies"))
		return policy_unused(d, kind, object, err);
	if (kube_is_kind(kind, KASTEN_CONFIG_GROUP, "profiles"))
		return profile_unused(d, kind, name, err);
	if (kube_is_kind(kind, KASTEN_APPS_GROUP, "restorepointcontents"))
		return content_unused(d, kind, object, err);
	if (kube_is_kind(kind, "cr.kanister.io", "blueprints"))
		return blueprint_unused(d, kind, name, err);
	if (kube_is_kind(kind, "", "persistentvolumes"))
		return volume_unused(d, kind, object, err);
	if (kube_is_kind(kind, "apiextensions.k8s.io", "customresourcedefinitions"))
		return definition_unused(d, kind, object, err);
	return !kube_is_kind(kind, "", "secrets") || keys_unused(d, kind, name, err);
}
