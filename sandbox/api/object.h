/*
 * One stored object: a JSON tree that nobody changes any more, with its printed text. Counted references, safe between
 * threads: a watch can go on reading an object that the store has long replaced.
 */
#ifndef API_OBJECT_H
#define API_OBJECT_H

#include "doc/json_edit.h"

#include <stdatomic.h>

struct object {
	atomic_uint refs;
	struct json *doc;
	char *text; /* compact JSON, apiVersion and kind included */
	size_t len;
	uint64_t version;
	const char *namespace_; /* "" for cluster-scoped objects; these point into the tree */
	const char *name;
	const char *uid;
};

/* Takes the tree, which must hold metadata.name. On failure the tree stays the caller's. */
bool object_new(struct json *doc, uint64_t version, struct object **ret, struct err *err);
struct object *object_ref(struct object *object);
void object_unref(struct object *object);
CLEANUP_PTR(object, struct object, object_unref)

static inline const json_node *object_root(const struct object *object)
{
	return json_root(object->doc);
}

/* metadata.deletionTimestamp is set */
bool root_deleting(const json_node *root);
bool root_has_finalizer(const json_node *root, const char *finalizer);
/* Both take the list away when it becomes empty, and do nothing if there is nothing to do. */
bool root_add_finalizer(json_node *root, const char *finalizer, struct err *err);
bool root_remove_finalizer(json_node *root, const char *finalizer, struct err *err);

#endif
