#include "sandbox/kubelet/world.h"

#include <string.h>

const struct world_row world_rows[WORLD_KINDS] = {
    [WORLD_PODS] = {"", "v1", "pods", "Pod", true},
    [WORLD_SERVICES] = {"", "v1", "services", "Service", true},
    [WORLD_ENDPOINTS] = {"", "v1", "endpoints", "Endpoints", true},
    [WORLD_SECRETS] = {"", "v1", "secrets", "Secret", true},
    [WORLD_CONFIGMAPS] = {"", "v1", "configmaps", "ConfigMap", true},
    [WORLD_CLAIMS] = {"", "v1", "persistentvolumeclaims", "PersistentVolumeClaim", true},
    [WORLD_VOLUMES] = {"", "v1", "persistentvolumes", "PersistentVolume", false},
    [WORLD_STATEFULSETS] = {"apps", "v1", "statefulsets", "StatefulSet", true},
    [WORLD_DEPLOYMENTS] = {"apps", "v1", "deployments", "Deployment", true},
};

void world_clear(struct world *w)
{
	for (int i = 0; i < WORLD_KINDS; i++)
		json_free(w->lists[i]);
	*w = (struct world){0};
}

const json_node *world_first(const struct world *w, enum world_kind kind)
{
	return w->lists[kind] ? json_first(json_get(json_root(w->lists[kind]), "items")) : NULL;
}

const json_node *world_find(const struct world *w, enum world_kind kind, const char *namespace_, const char *name)
{
	for (const json_node *o = world_first(w, kind); o; o = json_next(o))
		if (!strcmp(object_name(o), name) && (!namespace_ || !strcmp(object_namespace(o), namespace_)))
			return o;
	return NULL;
}

static const char *text_or_empty(const json_node *object, const char *path)
{
	const char *text = json_text_at(object, path);

	return text ? text : "";
}

const char *object_name(const json_node *object)
{
	return text_or_empty(object, "metadata/name");
}

const char *object_namespace(const json_node *object)
{
	return text_or_empty(object, "metadata/namespace");
}

const char *object_uid(const json_node *object)
{
	return text_or_empty(object, "metadata/uid");
}

bool object_deleting(const json_node *object)
{
	return json_text_at(object, "metadata/deletionTimestamp") != NULL;
}

bool object_has_finalizer(const json_node *object, const char *finalizer)
{
	for (const json_node *f = json_first(json_at(object, "metadata/finalizers")); f; f = json_next(f))
		if (json_string(f) && !strcmp(json_string(f), finalizer))
			return true;
	return false;
}

bool object_controlled_by(const json_node *object, const char *uid)
{
	for (const json_node *o = json_first(json_at(object, "metadata/ownerReferences")); o; o = json_next(o))
		if (json_bool(json_get(o, "controller"), false) && json_is_at(o, "uid", uid))
			return true;
	return false;
}

bool labels_match(const json_node *match, const json_node *labels)
{
	if (!json_first(match))
		return false;
	for (const json_node *m = json_first(match); m; m = json_next(m)) {
		const char *have = json_string(json_get(labels, json_key(m)));

		if (!have || !json_string(m) || strcmp(have, json_string(m)) != 0)
			return false;
	}
	return true;
}

bool pod_finished(const json_node *pod)
{
	return json_is_at(pod, "status/phase", "Succeeded") || json_is_at(pod, "status/phase", "Failed");
}

bool pod_ready(const json_node *pod)
{
	for (const json_node *c = json_first(json_at(pod, "status/conditions")); c; c = json_next(c))
		if (json_is_at(c, "type", "Ready"))
			return json_is_at(c, "status", "True");
	return false;
}
