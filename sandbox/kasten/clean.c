#include "sandbox/kasten/clean.h"

#include "sandbox/kasten/names.h"

#include <string.h>

struct kind_name {
	const char *group, *resource; /* resource "*": all of the group */
};

static bool listed(const struct kind_name *names, size_t count, const char *group, const char *resource)
{
	for (size_t i = 0; i < count; i++)
		if (!strcmp(names[i].group, group) &&
		    (*names[i].resource == '*' || !strcmp(names[i].resource, resource)))
			return true;
	return false;
}

bool clean_kind_is_saved(const char *group, const char *resource)
{
	static const struct kind_name left_out[] = {
	    {"", "events"},
	    {"", "endpoints"},
	    {"", "pods"},
	    {"", "bindings"},
	    {"events.k8s.io", "*"},
	    {"discovery.k8s.io", "*"},
	    {"coordination.k8s.io", "*"},
	    {"metrics.k8s.io", "*"},
	    {"authorization.k8s.io", "*"},
	    {KASTEN_ACTIONS_GROUP, "*"},
	    {KASTEN_APPS_GROUP, "*"},
	};

	return !listed(left_out, sizeof left_out / sizeof *left_out, group, resource);
}

bool clean_is_managed(const json_node *object)
{
	return json_count(json_at(object, "metadata/ownerReferences")) > 0;
}

/* Annotations that a controller wrote about one particular life of the object. */
static const char *const stale_annotations[] = {
    "metadata/annotations/pv.kubernetes.io~1bind-completed",
    "metadata/annotations/pv.kubernetes.io~1bound-by-controller",
    "metadata/annotations/volume.kubernetes.io~1storage-provisioner",
    "metadata/annotations/volume.beta.kubernetes.io~1storage-provisioner",
    "metadata/annotations/volume.kubernetes.io~1selected-node",
    "metadata/annotations/deployment.kubernetes.io~1revision",
};

static const char *const identity[] = {
    "status",
    "metadata/uid",
    "metadata/resourceVersion",
    "metadata/generation",
    "metadata/creationTimestamp",
    "metadata/deletionTimestamp",
    "metadata/deletionGracePeriodSeconds",
    "metadata/managedFields",
    "metadata/ownerReferences",
    "metadata/selfLink",
};

static void clean_claim(json_node *root)
{
	json_remove_at(root, "spec/volumeName");
	json_remove_at(root, "metadata/finalizers"); /* the storage controller's own */
}

static void clean_service(json_node *root)
{
	if (json_is_at(root, "spec/clusterIP", "None"))
		return;
	json_remove_at(root, "spec/clusterIP");
	json_remove_at(root, "spec/clusterIPs");
}

bool clean_for_restore(const json_node *object, const char *namespace_, struct json **ret, struct err *err)
{
	CLEANUP(json) struct json *copy = NULL;
	json_node *root;

	if (!json_clone(object, &copy, err))
		return false;
	root = json_edit(copy);
	for (size_t i = 0; i < sizeof identity / sizeof *identity; i++)
		json_remove_at(root, identity[i]);
	for (size_t i = 0; i < sizeof stale_annotations / sizeof *stale_annotations; i++)
		json_remove_at(root, stale_annotations[i]);
	if (json_is_at(root, "kind", "PersistentVolumeClaim"))
		clean_claim(root);
	if (json_is_at(root, "kind", "Service") && json_is_at(root, "apiVersion", "v1"))
		clean_service(root);
	if (!json_set_text(root, "metadata/namespace", namespace_, err))
		return false;
	*ret = TAKE(copy);
	return true;
}

int clean_rank(const char *group, const char *resource)
{
	static const struct kind_name order[] = {
	    {"", "serviceaccounts"},
	    {"", "secrets"},
	    {"", "configmaps"},
	    {"rbac.authorization.k8s.io", "*"},
	    {"", "persistentvolumeclaims"},
	    {"", "services"},
	    {"policy", "*"},
	};
	enum { CUSTOM = 20, WORKLOAD = 30 };

	for (int i = 0; i < (int)(sizeof order / sizeof *order); i++)
		if (listed(&order[i], 1, group, resource))
			return i;
	return !strcmp(group, "apps") || !strcmp(group, "batch") ? WORKLOAD : CUSTOM;
}
