/*
 * What takes several steps: objects whose owners are gone, namespaces and definitions that end. One pass looks at
 * everything; it is called again until it has nothing to do.
 */
#include "sandbox/api/call.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CRD_FINALIZER "customresourcecleanup.apiextensions.k8s.io"

struct sweep {
	struct api *api;
	struct store *store;
	const char **uids; /* of everything, sorted */
	size_t uid_count;
	bool changed;
	struct err err;
};

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool gather(struct sweep *s)
{
	size_t count = 0;

	for (size_t k = 0; k < db_kind_count(s->store); k++)
		count += db_kind_at(s->store, k)->count;
	free(s->uids);
	s->uids = calloc(count + 1, sizeof *s->uids);
	if (!s->uids)
		return err_nomem(&s->err);
	s->uid_count = 0;
	for (size_t k = 0; k < db_kind_count(s->store); k++)
		for (size_t i = 0; i < db_kind_at(s->store, k)->count; i++)
			s->uids[s->uid_count++] = db_kind_at(s->store, k)->items[i]->uid;
	qsort(s->uids, s->uid_count, sizeof *s->uids, by_text);
	return true;
}

static bool exists(const struct sweep *s, const char *uid)
{
	return bsearch(&uid, s->uids, s->uid_count, sizeof *s->uids, by_text) != NULL;
}

static bool put(struct sweep *s, const char *key, struct json *doc)
{
	s->changed = true;
	return db_put(s->store, key, doc, NULL, &s->err);
}

static bool remove_it(struct sweep *s, const char *key, const struct object *object)
{
	s->changed = true;
	return db_remove(s->store, key, object->namespace_, object->name, &s->err);
}

static bool delete_it(struct sweep *s, const char *key, struct object *object)
{
	const struct delete_options options = {.policy = "Background", .grace_seconds = -1};
	CLEANUP(object) struct object *keep = object_ref(object), *left = NULL;
	RESOURCE_CLEANUP struct resource res = {0};
	uint64_t before = db_version(s->store);

	if (!resource_of_key(s->store, key, &res))
		return remove_it(s, key, object);
	if (!delete_object(s->store, &res, keep, &options, &left, &s->err))
		return false;
	s->changed |= db_version(s->store) != before;
	return true;
}

/* --- owners ------------------------------------------------------------------------------------------------------- */

static bool orphaned(const struct sweep *s, const json_node *root)
{
	const json_node *owners = json_at(root, "metadata/ownerReferences");

	if (!json_first(owners))
		return false;
	for (const json_node *o = json_first(owners); o; o = json_next(o))
		if (json_text_at(o, "uid") && exists(s, json_text_at(o, "uid")))
			return false;
	return true;
}

static bool owned_by(const json_node *root, const char *uid)
{
	for (const json_node *o = json_first(json_at(root, "metadata/ownerReferences")); o; o = json_next(o))
		if (json_is_at(o, "uid", uid))
			return true;
	return false;
}

/* The n-th object of everything; NULL behind the last. Every change begins the count anew. */
struct place {
	size_t kind, item;
};

static struct object *at(const struct sweep *s, struct place *p, const char **ret_key)
{
	while (p->kind < db_kind_count(s->store)) {
		const struct store_kind *kind = db_kind_at(s->store, p->kind);

		if (p->item < kind->count) {
			*ret_key = kind->key;
			return kind->items[p->item++];
		}
		p->kind++;
		p->item = 0;
	}
	return NULL;
}

static bool collect_orphans(struct sweep *s)
{
	struct place p = {0, 0};
	struct object *object;
	const char *key;

	while ((object = at(s, &p, &key))) {
		size_t before = db_kind_at(s->store, p.kind)->count;

		if (root_deleting(object_root(object)) || !orphaned(s, object_root(object)))
			continue;
		if (!delete_it(s, key, object))
			return false;
		if (db_kind_at(s->store, p.kind)->count < before)
			p.item--;
	}
	return true;
}

/* Children of one that is deleted in the foreground are deleted; it goes when the last is gone. */
static bool finish_foreground(struct sweep *s, const char *key, struct object *owner)
{
	CLEANUP(object) struct object *keep = object_ref(owner);
	CLEANUP(json) struct json *doc = NULL;
	struct place p = {0, 0};
	struct object *child;
	const char *child_key;

	while ((child = at(s, &p, &child_key)))
		if (owned_by(object_root(child), keep->uid))
			return root_deleting(object_root(child)) || delete_it(s, child_key, child);
	if (!json_clone(object_root(keep), &doc, &s->err) ||
	    !root_remove_finalizer(json_edit(doc), "foregroundDeletion", &s->err))
		return false;
	if (json_first(json_at(json_root(doc), "metadata/finalizers")))
		return put(s, key, TAKE(doc));
	return remove_it(s, key, keep);
}

static bool let_go(struct sweep *s, const char *key, struct object *child, const char *uid)
{
	CLEANUP(json) struct json *doc = NULL;
	char path[64];
	size_t i = 0;

	if (!json_clone(object_root(child), &doc, &s->err))
		return false;
	for (const json_node *o = json_first(json_at(json_root(doc), "metadata/ownerReferences")); o;
	     o = json_next(o), i++)
		if (json_is_at(o, "uid", uid))
			break;
	snprintf(path, sizeof path, "metadata/ownerReferences/%zu", i);
	json_remove_at(json_edit(doc), path);
	if (!json_first(json_at(json_root(doc), "metadata/ownerReferences")))
		json_remove_at(json_edit(doc), "metadata/ownerReferences");
	return put(s, key, TAKE(doc));
}

static bool finish_orphan(struct sweep *s, const char *key, struct object *owner)
{
	CLEANUP(object) struct object *keep = object_ref(owner);
	CLEANUP(json) struct json *doc = NULL;
	struct place p = {0, 0};
	struct object *child;
	const char *child_key;

	while ((child = at(s, &p, &child_key)))
		if (owned_by(object_root(child), keep->uid))
			return let_go(s, child_key, child, keep->uid);
	if (!json_clone(object_root(keep), &doc, &s->err) || !root_remove_finalizer(json_edit(doc), "orphan", &s->err))
		return false;
	if (json_first(json_at(json_root(doc), "metadata/finalizers")))
		return put(s, key, TAKE(doc));
	return remove_it(s, key, keep);
}

static bool finish_deletions(struct sweep *s)
{
	struct place p = {0, 0};
	struct object *object;
	const char *key;

	while ((object = at(s, &p, &key))) {
		const json_node *root = object_root(object);

		if (!root_deleting(root))
			continue;
		if (root_has_finalizer(root, "foregroundDeletion"))
			return finish_foreground(s, key, object);
		if (root_has_finalizer(root, "orphan"))
			return finish_orphan(s, key, object);
	}
	return true;
}

/* --- namespaces --------------------------------------------------------------------------------------------------- */

static bool set_remaining(struct sweep *s, struct object *ns, size_t left, const char *held)
{
	CLEANUP(json) struct json *doc = NULL;
	char message[600], now[32];

	snprintf(message, sizeof message,
	    left ? "Some resources are remaining: %zu objects%s%s" : "All content successfully removed", left,
	    held[0] ? "; held by finalizers: " : "", held);
	if (json_is_at(object_root(ns), "status/conditions/0/message", message))
		return true;
	return json_clone(object_root(ns), &doc, &s->err) &&
	       json_set_format(json_edit(doc), "status/conditions", &s->err,
		   "[{'type':'NamespaceContentRemaining','status':%s,'reason':%s,'message':%s,'lastTransitionTime':%s}"
		   "]",
		   left ? "True" : "False", left ? "SomeResourcesRemain" : "ContentRemoved", message,
		   call_now(s->store, now)) &&
	       put(s, NAMESPACES_KEY, TAKE(doc));
}

static bool empty_namespace(struct sweep *s, struct object *ns, size_t *ret_left, char held[static 300])
{
	struct place p = {0, 0};
	struct object *object;
	const char *key;

	*ret_left = 0;
	held[0] = '\0';
	while ((object = at(s, &p, &key))) {
		size_t before = db_kind_at(s->store, p.kind)->count;
		const char *finalizer;

		if (strcmp(object->namespace_, ns->name) != 0)
			continue;
		finalizer = json_text_at(object_root(object), "metadata/finalizers/0");
		if (finalizer && !held[0])
			snprintf(held, 300, "%.60s/%.100s: %.100s", key, object->name, finalizer);
		if (!root_deleting(object_root(object)) && !delete_it(s, key, object))
			return false;
		if (db_kind_at(s->store, p.kind)->count < before)
			p.item--;
		else
			++*ret_left;
	}
	return true;
}

static bool end_namespaces(struct sweep *s)
{
	const struct store_kind *kind = db_kind_of(s->store, NAMESPACES_KEY);

	for (size_t i = 0; kind && i < kind->count; i++) {
		CLEANUP(object) struct object *ns = object_ref(kind->items[i]);
		char held[300];
		size_t left;

		if (!root_deleting(object_root(ns)))
			continue;
		if (!empty_namespace(s, ns, &left, held))
			return false;
		if (left || json_first(json_at(object_root(ns), "metadata/finalizers"))) {
			if (!set_remaining(s, ns, left, held))
				return false;
		} else {
			return remove_it(s, NAMESPACES_KEY, ns);
		}
	}
	return true;
}

/* --- definitions -------------------------------------------------------------------------------------------------- */

static bool end_definition(struct sweep *s, struct object *crd)
{
	CLEANUP(object) struct object *keep = object_ref(crd);
	CLEANUP(json) struct json *doc = NULL;
	const struct store_kind *kind;
	char key[300];

	snprintf(key, sizeof key, "%s/%s", json_text_at(object_root(keep), "spec/group"),
	    json_text_at(object_root(keep), "spec/names/plural"));
	kind = db_kind_of(s->store, key);
	for (size_t i = 0; kind && i < kind->count;) {
		size_t before = kind->count;

		if (!root_deleting(object_root(kind->items[i])) && !delete_it(s, key, kind->items[i]))
			return false;
		i += kind->count == before;
	}
	if (kind && kind->count)
		return true;
	if (!json_clone(object_root(keep), &doc, &s->err) ||
	    !root_remove_finalizer(json_edit(doc), CRD_FINALIZER, &s->err))
		return false;
	if (json_first(json_at(json_root(doc), "metadata/finalizers")))
		return put(s, CRD_KEY, TAKE(doc));
	return remove_it(s, CRD_KEY, keep);
}

static bool end_definitions(struct sweep *s)
{
	const struct store_kind *kind = db_kind_of(s->store, CRD_KEY);

	for (size_t i = 0; kind && i < kind->count; i++)
		if (root_deleting(object_root(kind->items[i])) &&
		    root_has_finalizer(object_root(kind->items[i]), CRD_FINALIZER))
			return end_definition(s, kind->items[i]);
	return true;
}

bool api_sweep(struct api *api, bool *ret_changed, struct err *err)
{
	struct sweep s = {.api = api, .store = api->store, .err = ERR_INIT};
	bool ok;

	db_lock(api->store);
	ok = gather(&s) && collect_orphans(&s) && finish_deletions(&s) && end_namespaces(&s) && end_definitions(&s);
	db_unlock(api->store);
	free(s.uids);
	*ret_changed = s.changed;
	if (!ok)
		*err = s.err;
	return ok;
}

static bool make(struct api *api, const char *name)
{
	const struct api_request request = {.method = "POST",
	    .target = "/api/v1/namespaces",
	    .content_type = "application/json",
	    .authorization = NULL};
	struct api no_auth = *api;
	struct api_request with = request;
	struct api_response response;
	char body[200];

	no_auth.auth = NULL;
	snprintf(
	    body, sizeof body, "{\"apiVersion\":\"v1\",\"kind\":\"Namespace\",\"metadata\":{\"name\":\"%s\"}}", name);
	with.body = body;
	with.body_len = strlen(body);
	api_handle(&no_auth, &with, &response);
	body[0] = (char)(response.code == 201 || response.code == 409);
	api_response_clear(&response);
	return body[0];
}

bool api_prepare(struct api *api, struct err *err)
{
	static const char *const names[] = {"default", "kube-system"};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (!make(api, names[i]))
			return err_set(err, ERR_IO, "namespace \"%s\" cannot be made", names[i]);
	return true;
}
