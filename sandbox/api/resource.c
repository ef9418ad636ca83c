#include "sandbox/api/resource.h"

#include <stdio.h>
#include <string.h>

struct built_in {
	const char *group, *version, *kind, *plural, *singular, *short_name, *category;
	bool namespaced, has_status, generations;
};

/* group, version, kind, plural, singular, short name, category, namespaced, status subresource, generation */
static const struct built_in built_ins[] = {
    {"", "v1", "Binding", "bindings", "binding", "", "", true, false, false},
    {"", "v1", "ConfigMap", "configmaps", "configmap", "cm", "", true, false, false},
    {"", "v1", "Endpoints", "endpoints", "endpoints", "ep", "", true, false, false},
    {"", "v1", "Event", "events", "event", "ev", "", true, false, false},
    {"", "v1", "Namespace", "namespaces", "namespace", "ns", "", false, true, false},
    {"", "v1", "Node", "nodes", "node", "no", "", false, true, false},
    {"", "v1", "PersistentVolume", "persistentvolumes", "persistentvolume", "pv", "", false, true, false},
    {"", "v1", "PersistentVolumeClaim", "persistentvolumeclaims", "persistentvolumeclaim", "pvc", "", true, true,
	false},
    {"", "v1", "Pod", "pods", "pod", "po", "all", true, true, false},
    {"", "v1", "Secret", "secrets", "secret", "", "", true, false, false},
    {"", "v1", "ServiceAccount", "serviceaccounts", "serviceaccount", "sa", "", true, false, false},
    {"", "v1", "Service", "services", "service", "svc", "all", true, true, false},
    {"apps", "v1", "Deployment", "deployments", "deployment", "deploy", "all", true, true, true},
    {"apps", "v1", "StatefulSet", "statefulsets", "statefulset", "sts", "all", true, true, true},
    {"policy", "v1", "PodDisruptionBudget", "poddisruptionbudgets", "poddisruptionbudget", "pdb", "", true, true, true},
    {"rbac.authorization.k8s.io", "v1", "ClusterRole", "clusterroles", "clusterrole", "", "", false, false, false},
    {"rbac.authorization.k8s.io", "v1", "ClusterRoleBinding", "clusterrolebindings", "clusterrolebinding", "", "",
	false, false, false},
    {"rbac.authorization.k8s.io", "v1", "Role", "roles", "role", "", "", true, false, false},
    {"rbac.authorization.k8s.io", "v1", "RoleBinding", "rolebindings", "rolebinding", "", "", true, false, false},
    {"apiextensions.k8s.io", "v1", "CustomResourceDefinition", "customresourcedefinitions", "customresourcedefinition",
	"crd", "api-extensions", false, true, true},
    {"apiregistration.k8s.io", "v1", "APIService", "apiservices", "apiservice", "", "api-extensions", false, true,
	false},
    {"storage.k8s.io", "v1", "StorageClass", "storageclasses", "storageclass", "sc", "", false, false, false},
    {"coordination.k8s.io", "v1", "Lease", "leases", "lease", "", "", true, false, false},
};
#define BUILT_INS (sizeof built_ins / sizeof *built_ins)

static const struct {
	const char *name;
	unsigned verb;
} verbs[] = {
    {"create", VERB_CREATE},
    {"delete", VERB_DELETE},
    {"deletecollection", VERB_DELETECOLLECTION},
    {"get", VERB_GET},
    {"list", VERB_LIST},
    {"patch", VERB_PATCH},
    {"update", VERB_UPDATE},
    {"watch", VERB_WATCH},
};

const char *resource_verb_name(unsigned index, unsigned *ret_verb)
{
	if (index >= sizeof verbs / sizeof *verbs)
		return NULL;
	*ret_verb = verbs[index].verb;
	return verbs[index].name;
}

void resource_clear(struct resource *r)
{
	object_unref(r->crd);
	r->crd = NULL;
}

static void complete(struct resource *r)
{
	snprintf(r->key, sizeof r->key, "%s/%s", r->group, r->plural);
	if (*r->group)
		snprintf(r->api_version, sizeof r->api_version, "%s/%s", r->group, r->version);
	else
		snprintf(r->api_version, sizeof r->api_version, "%s", r->version);
}

static void from_built_in(const struct built_in *b, struct resource *r)
{
	*r = (struct resource){
	    .verbs = VERB_ALL, .namespaced = b->namespaced, .has_status = b->has_status, .generations = b->generations};
	snprintf(r->group, sizeof r->group, "%s", b->group);
	snprintf(r->version, sizeof r->version, "%s", b->version);
	snprintf(r->kind, sizeof r->kind, "%s", b->kind);
	snprintf(r->list_kind, sizeof r->list_kind, "%sList", b->kind);
	snprintf(r->plural, sizeof r->plural, "%s", b->plural);
	snprintf(r->singular, sizeof r->singular, "%s", b->singular);
	snprintf(r->short_names[0], sizeof r->short_names[0], "%s", b->short_name);
	snprintf(r->category, sizeof r->category, "%s", b->category);
	complete(r);
	if (!strcmp(r->key, BINDINGS_KEY))
		r->verbs = VERB_CREATE;
	if (!strcmp(r->key, NAMESPACES_KEY))
		r->verbs &= ~(unsigned)VERB_DELETECOLLECTION;
}

/* --- from definitions -------------------------------------------------------------------------------------------- */

static void copy_at(const json_node *root, const char *path, char *ret, size_t size)
{
	const char *text = json_text_at(root, path);

	snprintf(ret, size, "%s", text ? text : "");
}

/* "create,get,list": what an annotation leaves of the verbs, for kinds whose real server has fewer. */
static unsigned verbs_of(const json_node *crd)
{
	const char *list = json_text_at(crd, "metadata/annotations/psmdb-drill~1verbs");
	unsigned found = 0;

	if (!list)
		return VERB_ALL;
	for (const char *p = list; *p;) {
		size_t len = strcspn(p, ", ");

		for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
			if (strlen(verbs[i].name) == len && !strncmp(verbs[i].name, p, len))
				found |= verbs[i].verb;
		p += len;
		p += strspn(p, ", ");
	}
	return found;
}

static void from_definition(struct object *crd, const json_node *version, struct resource *r)
{
	const json_node *root = object_root(crd), *names = json_at(root, "spec/names");
	int count = 0;

	*r = (struct resource){.custom = true, .generations = true, .crd = object_ref(crd), .verbs = verbs_of(root)};
	copy_at(root, "spec/group", r->group, sizeof r->group);
	copy_at(version, "name", r->version, sizeof r->version);
	copy_at(names, "kind", r->kind, sizeof r->kind);
	copy_at(names, "listKind", r->list_kind, sizeof r->list_kind);
	if (!*r->list_kind)
		snprintf(r->list_kind, sizeof r->list_kind, "%sList", r->kind);
	copy_at(names, "plural", r->plural, sizeof r->plural);
	copy_at(names, "singular", r->singular, sizeof r->singular);
	if (!*r->singular)
		for (size_t i = 0; r->kind[i]; i++)
			r->singular[i] = (char)(r->kind[i] >= 'A' && r->kind[i] <= 'Z' ? r->kind[i] + 32 : r->kind[i]);
	for (const json_node *n = json_first(json_get(names, "shortNames")); n && count < RESOURCE_SHORT_MAX;
	     n = json_next(n))
		if (json_string(n))
			snprintf(r->short_names[count++], sizeof r->short_names[0], "%s", json_string(n));
	copy_at(names, "categories/0", r->category, sizeof r->category);
	r->namespaced = json_is_at(root, "spec/scope", "Namespaced");
	r->has_status = json_is_object(json_at(version, "subresources/status"));
	complete(r);
}

static const json_node *served_version(const json_node *crd, const char *name)
{
	for (const json_node *v = json_first(json_at(crd, "spec/versions")); v; v = json_next(v))
		if (json_is_at(v, "name", name) && json_bool_at(v, "served", false))
			return v;
	return NULL;
}

static const json_node *storage_version(const json_node *crd)
{
	for (const json_node *v = json_first(json_at(crd, "spec/versions")); v; v = json_next(v))
		if (json_bool_at(v, "storage", false))
			return v;
	return NULL;
}

static struct object *definition(struct store *s, const char *group, const char *plural)
{
	char name[260];

	snprintf(name, sizeof name, "%s.%s", plural, group);
	return db_get(s, CRD_KEY, "", name);
}

bool resource_find(struct store *s, const char *group, const char *version, const char *plural, struct resource *ret)
{
	const json_node *served;
	struct object *crd;

	for (size_t i = 0; i < BUILT_INS; i++) {
		const struct built_in *b = &built_ins[i];

		if (!strcmp(b->group, group) && !strcmp(b->version, version) && !strcmp(b->plural, plural)) {
			from_built_in(b, ret);
			return true;
		}
	}
	crd = definition(s, group, plural);
	served = crd ? served_version(object_root(crd), version) : NULL;
	if (!served)
		return false;
	from_definition(crd, served, ret);
	return true;
}

bool resource_is_served(struct store *s, const struct resource *r)
{
	RESOURCE_CLEANUP struct resource now = {0};

	return resource_find(s, r->group, r->version, r->plural, &now);
}

bool resource_of_key(struct store *s, const char *key, struct resource *ret)
{
	const char *slash = strchr(key, '/');
	const json_node *stored;
	struct object *crd;
	char group[128];

	for (size_t i = 0; i < BUILT_INS; i++) {
		const struct built_in *b = &built_ins[i];
		size_t len = strlen(b->group);

		if (!strncmp(key, b->group, len) && key[len] == '/' && !strcmp(key + len + 1, b->plural)) {
			from_built_in(b, ret);
			return true;
		}
	}
	if (!slash)
		return false;
	snprintf(group, sizeof group, "%.*s", (int)(slash - key), key);
	crd = definition(s, group, slash + 1);
	stored = crd ? storage_version(object_root(crd)) : NULL;
	if (!stored)
		return false;
	from_definition(crd, stored, ret);
	return true;
}

bool resource_group_exists(struct store *s, const char *group, const char *version, bool *ret_built_in)
{
	const struct store_kind *crds = db_kind_of(s, CRD_KEY);

	for (size_t i = 0; i < BUILT_INS; i++)
		if (!strcmp(built_ins[i].group, group) && !strcmp(built_ins[i].version, version)) {
			*ret_built_in = true;
			return true;
		}
	*ret_built_in = false;
	for (size_t i = 0; crds && i < crds->count; i++)
		if (json_is_at(object_root(crds->items[i]), "spec/group", group) &&
		    served_version(object_root(crds->items[i]), version))
			return true;
	return false;
}

void resource_each(struct store *s, bool (*each)(void *ctx, const struct resource *r), void *ctx)
{
	const struct store_kind *crds = db_kind_of(s, CRD_KEY);

	for (size_t i = 0; i < BUILT_INS; i++) {
		struct resource r;

		from_built_in(&built_ins[i], &r);
		if (!each(ctx, &r))
			return;
	}
	for (size_t i = 0; crds && i < crds->count; i++) {
		const json_node *root = object_root(crds->items[i]);

		for (const json_node *v = json_first(json_at(root, "spec/versions")); v; v = json_next(v)) {
			RESOURCE_CLEANUP struct resource r = {0};

			if (!json_bool_at(v, "served", false))
				continue;
			from_definition(crds->items[i], v, &r);
			if (!each(ctx, &r))
				return;
		}
	}
}
