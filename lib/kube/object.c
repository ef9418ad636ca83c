#include "kube/client.h"

#include <string.h>

const char *kube_name(const json_node *object)
{
	return json_text_at(object, "metadata/name");
}

const char *kube_namespace(const json_node *object)
{
	return json_text_at(object, "metadata/namespace");
}

const char *kube_uid(const json_node *object)
{
	return json_text_at(object, "metadata/uid");
}

const char *kube_version(const json_node *object)
{
	return json_text_at(object, "metadata/resourceVersion");
}

bool kube_deleting(const json_node *object)
{
	return json_text_at(object, "metadata/deletionTimestamp") != NULL;
}

/* Keys hold slashes, so they are looked up as they are. */
const char *kube_label(const json_node *object, const char *key)
{
	return json_string(json_get(json_at(object, "metadata/labels"), key));
}

const char *kube_annotation(const json_node *object, const char *key)
{
	return json_string(json_get(json_at(object, "metadata/annotations"), key));
}

bool kube_has_finalizer(const json_node *object, const char *finalizer)
{
	for (const json_node *f = json_first(json_at(object, "metadata/finalizers")); f; f = json_next(f)) {
		const char *text = json_string(f);

		if (text && !strcmp(text, finalizer))
			return true;
	}
	return false;
}
