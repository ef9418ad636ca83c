#include "sandbox/api/object.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX (16u << 20)

static const char *text_or_empty(const json_node *root, const char *path)
{
	const char *text = json_text_at(root, path);

	return text ? text : "";
}

bool object_new(struct json *doc, uint64_t version, struct object **ret, struct err *err)
{
	BUF_CLEANUP struct buf text = BUF_INIT(TEXT_MAX);
	struct object *object;

	if (!json_print(json_root(doc), false, &text, err))
		return false;
	object = calloc(1, sizeof *object);
	if (!object)
		return err_nomem(err);
	atomic_init(&object->refs, 1);
	object->doc = doc;
	object->len = text.len;
	object->text = TAKE(text.data);
	text.len = text.cap = 0;
	object->version = version;
	object->namespace_ = text_or_empty(json_root(doc), "metadata/namespace");
	object->name = text_or_empty(json_root(doc), "metadata/name");
	object->uid = text_or_empty(json_root(doc), "metadata/uid");
	*ret = object;
	return true;
}

struct object *object_ref(struct object *object)
{
	atomic_fetch_add(&object->refs, 1);
	return object;
}

void object_unref(struct object *object)
{
	if (!object || atomic_fetch_sub(&object->refs, 1) != 1)
		return;
	json_free(object->doc);
	free(object->text);
	free(object);
}

bool root_deleting(const json_node *root)
{
	return json_text_at(root, "metadata/deletionTimestamp") != NULL;
}

static int finalizer_index(const json_node *root, const char *finalizer)
{
	int index = 0;

	for (const json_node *f = json_first(json_at(root, "metadata/finalizers")); f; f = json_next(f), index++)
		if (json_string(f) && !strcmp(json_string(f), finalizer))
			return index;
	return -1;
}

bool root_has_finalizer(const json_node *root, const char *finalizer)
{
	return finalizer_index(root, finalizer) >= 0;
}

bool root_add_finalizer(json_node *root, const char *finalizer, struct err *err)
{
	if (root_has_finalizer(root, finalizer))
		return true;
	if (!json_is_array(json_at(root, "metadata/finalizers")) &&
	    !json_set_format(root, "metadata/finalizers", err, "[]"))
		return false;
	return json_set_text(root, "metadata/finalizers/-", finalizer, err);
}

bool root_remove_finalizer(json_node *root, const char *finalizer, struct err *err)
{
	char path[64];
	int index = finalizer_index(root, finalizer);

	(void)err;
	if (index < 0)
		return true;
	snprintf(path, sizeof path, "metadata/finalizers/%d", index);
	json_remove_at(root, path);
	if (!json_first(json_at(root, "metadata/finalizers")))
		json_remove_at(root, "metadata/finalizers");
	return true;
}
