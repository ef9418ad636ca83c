#include "scenarios/locks.h"

#include <string.h>

static bool refuse(struct err *err, const char *hint, const char *fmt, const char *a, const char *b)
{
	err_set(err, ERR_STATE, fmt, a, b);
	return err_hint(err, hint, a, b);
}

static const char *named(const char *name)
{
	return name ? name : "?";
}

bool lock_namespace(struct kube *k, const char *namespace_, const char *confirmed, bool gone_is_ours, struct err *err)
{
	CLEANUP(json) struct json *ns = NULL;
	struct err each = ERR_INIT;
	struct kube_kind kind;
	const char *label;

	if (!confirmed || strcmp(confirmed, namespace_) != 0)
		return refuse(err, "give --confirm-destroy %s if everything in this namespace may be lost%.0s",
		    "refused: namespace \"%s\" is not confirmed by --confirm-destroy%.0s", namespace_, "");
	kube_kind_set(&kind, "", "v1", "namespaces", "Namespace", false);
	if (!kube_get(k, &kind, NULL, namespace_, &ns, &each)) {
		if (each.code == ERR_NOT_FOUND && gone_is_ours)
			return true;
		*err = each;
		if (each.code == ERR_NOT_FOUND)
			err_hint(err, "if a run has deleted it, take that one up again with --resume");
		return err_wrap(err, "look at the lock of the namespace");
	}
	label = kube_label(json_root(ns), LOCK_LABEL);
	if (label && !strcmp(label, "true"))
		return true;
	return refuse(err,
	    "whoever owns the namespace opens it with: kubectl label namespace %s " LOCK_LABEL "=true%.0s",
	    label ? "refused: namespace \"%s\" has the label " LOCK_LABEL " with the value \"%.40s\", not \"true\""
		  : "refused: namespace \"%s\" has no label " LOCK_LABEL "=true%.0s",
	    namespace_, label ? label : "");
}

bool lock_under_test(const char *namespace_, const char *kasten, struct err *err)
{
	static const char *const own[] = {"kube-system", "kube-public", "kube-node-lease"};
	static const char *const hint = "a drill is for a namespace that holds a psmdb, and that may be lost%.0s%.0s";

	if (!strcmp(namespace_, kasten))
		return refuse(err, hint, "refused: namespace \"%s\" is Kasten's%.0s", namespace_, "");
	for (size_t i = 0; i < sizeof own / sizeof *own; i++)
		if (!strcmp(namespace_, own[i]))
			return refuse(err, hint, "refused: namespace \"%s\" is Kubernetes' own%.0s", namespace_, "");
	return true;
}

static bool is_core(const struct kube_kind *kind, const char *plural)
{
	return !kind->group[0] && !strcmp(kind->plural, plural);
}

static bool is_kastens(const struct kube_kind *kind)
{
	static const char end[] = ".kio.kasten.io";
	size_t len = strlen(kind->group);

	return !strcmp(kind->group, "cr.kanister.io") ||
	       (len >= sizeof end && !strcmp(kind->group + len - (sizeof end - 1), end));
}

bool lock_delete(const struct kube_kind *kind, const char *namespace_, bool several, const char *under_test,
    const char *kasten, struct err *err)
{
	if (is_core(kind, "namespaces"))
		return refuse(err, "step \"remove-namespace\" ends the one under test%.0s%.0s",
		    "refused: a namespace is not deleted as an object%.0s%.0s", "", "");
	if (kind->namespaced && !strcmp(namespace_, under_test))
		return true;
	if (kind->namespaced && strcmp(namespace_, kasten) != 0)
		return refuse(err, "delete it by hand%.0s%.0s",
		    "refused: namespace \"%s\" is neither the one under test nor Kasten's%.0s", namespace_, "");
	if (kind->namespaced && !is_kastens(kind) && !is_core(kind, "secrets"))
		return refuse(err, "delete it by hand%.0s%.0s",
		    "refused: in Kasten's namespace \"%s\" only its own kinds are deleted, and a Secret, not %s",
		    namespace_, kind->plural);
	if (several && !(is_kastens(kind) && !strcmp(kind->plural, "restorepointcontents")))
		return refuse(err, "name each in a step of its own%.0s%.0s",
		    "refused: outside of namespace \"%s\" %s are deleted by name alone", under_test, kind->plural);
	return true;
}

static bool has_label(const json_node *object)
{
	return json_get(json_at(object, "metadata/labels"), LOCK_LABEL) != NULL;
}

bool lock_object(const json_node *object, const struct kube_kind *kind, bool allow_cluster, struct err *err)
{
	for (const json_node *o = json_first(json_get(object, "items")); o; o = json_next(o))
		if (!lock_object(o, kind, allow_cluster, err))
			return false;
	if (has_label(object) || json_get(json_at(object, "spec/template/metadata/labels"), LOCK_LABEL))
		return refuse(err, "the label is set by whoever owns the namespace, by hand%.0s%.0s",
		    "refused: no step may set the label " LOCK_LABEL " (%s \"%s\")", kind->kind,
		    named(kube_name(object)));
	if (!kind->namespaced && !allow_cluster)
		return refuse(err, "give --allow-cluster-changes if a drill may make %s \"%s\"",
		    "refused: %s \"%s\" belongs to the whole cluster", kind->kind, named(kube_name(object)));
	return true;
}

bool lock_existing(const json_node *existing, const struct kube_kind *kind, const char *under_test, const char *kasten,
    bool ours, struct err *err)
{
	const char *ns = kube_namespace(existing);
	bool kastens = kind->namespaced && ns && !strcmp(ns, kasten);

	if (!existing || ours || (kind->namespaced && ns && !kastens && !strcmp(ns, under_test)))
		return true;
	return refuse(err, "change %s \"%s\" by hand, or let the scenario make one with another name",
	    kastens	       ? "refused: %s \"%s\" is Kasten's, and this run has not made it"
	    : kind->namespaced ? "refused: %s \"%s\" is not in the namespace under test, and this run has not made it"
			       : "refused: %s \"%s\" belongs to the whole cluster, and this run has not made it",
	    kind->kind, named(kube_name(existing)));
}

bool lock_place(const json_node *object, const struct kube_kind *kind, const char *under_test, const char *kasten,
    bool allow_cluster, struct err *err)
{
	const char *ns = kube_namespace(object);

	if (!kind->namespaced || !ns || !strcmp(ns, under_test) || !strcmp(ns, kasten) || allow_cluster)
		return true;
	return refuse(err,
	    "a scenario writes into the namespace under test and Kasten's; give --allow-cluster-changes for "
	    "more%.0s%.0s",
	    "refused: %s would be made in namespace \"%s\"", kind->kind, ns);
}

bool lock_overwrites(const struct kube_kind *kind)
{
	return !strcmp(kind->plural, "perconaservermongodbrestores") || !strcmp(kind->plural, "restoreactions");
}
