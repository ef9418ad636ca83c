/*
 * What takes several steps: objects whose owners are gone, namespaces and definitions that end. One pass looks at
 * everything; it is called again until it has nothing to do.
 *
 * An object that cannot be moved on or written makes the pass fail, and holds up none of the others: each loop goes on
 * behind it, and only what waits for that very object (its owner, its namespace, its definition) waits.
 */
#include "sandbox/api/call.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CRD_FINALIZER "customresourcecleanup.apiextensions.k8s.io"

struct sweep {
	struct api *api;
	struct store *store;
	struct object **all; /* everything, referenced, by uid */
	size_t all_count;
	bool changed;
	struct err err;
};

static int by_uid(const void *a, const void *b)
{
	return strcmp((*(struct object *const *)a)->uid, (*(struct object *const *)b)->uid);
}

static int uid_to_object(const void *uid, const void *object)
{
	return strcmp(uid, (*(struct object *const *)object)->uid);
}

static void forget(struct sweep *s)
{
	for (size_t i = 0; i < s->all_count; i++)
		object_unref(s->all[i]);
	free(s->all);
	s->all = NULL;
	s->all_count = 0;
}

static bool gather(struct sweep *s)
{
	size_t count = 0;

	for (size_t k = 0; k < db_kind_count(s->store); k++)
		count += db_kind_at(s->store, k)->count;
	s->all = calloc(count + 1, sizeof(struct object *));
	if (!s->all)
		return err_nomem(&s->err);
	for (size_t k = 0; k < db_kind_count(s->store); k++)
		for (size_t i = 0; i < db_kind_at(s->store, k)->count; i++)
			s->all[s->all_count++] = object_ref(db_kind_at(s->store, k)->items[i]);
	qsort(s->all, s->all_count, sizeof *s->all, by_uid);
	return true;
}

static bool exists(const struct sweep *s, const char *uid)
{
	return bsearch(uid, s->all, s->all_count, sizeof *s->all, uid_to_object) != NULL;
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
	bool ok = true;

	while ((object = at(s, &p, &key))) {
		size_t before = db_kind_at(s->store, p.kind)->count;

		if (root_deleting(object_root(object)) || !orphaned(s, object_root(object)))
			continue;
		ok = delete_it(s, key, object) && ok;
		if (db_kind_at(s->store, p.kind)->count < before)
			p.item--;
	}
	return ok;
}

static bool drop_finalizer(struct sweep *s, const char *key, struct object *object, const char *finalizer)
{
	CLEANUP(json) struct json *doc = NULL;

	if (!json_clone(object_root(object), &doc, &s->err) ||
	    !root_remove_finalizer(json_edit(doc), finalizer, &s->err))
		return false;
	return delete_may_go(key, json_root(doc)) ? remove_it(s, key, object) : put(s, key, TAKE(doc));
}

/* Children of one that is deleted in the foreground are deleted; it goes when the last is gone. */
static bool finish_foreground(struct sweep *s, const char *key, struct object *owner)
{
	struct place p = {0, 0};
	struct object *child;
	const char *child_key;
	size_t left = 0;
	bool ok = true;

	while ((child = at(s, &p, &child_key))) {
		size_t before = db_kind_at(s->store, p.kind)->count;

		if (!owned_by(object_root(child), owner->uid))
			continue;
		if (!root_deleting(object_root(child)))
			ok = delete_it(s, child_key, child) && ok;
		if (db_kind_at(s->store, p.kind)->count < before)
			p.item--;
		else
			left++;
	}
	return ok && (left || drop_finalizer(s, key, owner, "foregroundDeletion"));
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
	struct place p = {0, 0};
	struct object *child;
	const char *child_key;
	bool ok = true;

	while ((child = at(s, &p, &child_key)))
		if (owned_by(object_root(child), owner->uid))
			ok = let_go(s, child_key, child, owner->uid) && ok;
	return ok && drop_finalizer(s, key, owner, "orphan");
}

/* What may go is here only if a server was killed between two writes. */
static bool finish_deletion(struct sweep *s, const char *key, struct object *object)
{
	CLEANUP(object) struct object *keep = object_ref(object);
	const json_node *root = object_root(keep);

	if (!root_deleting(root))
		return true;
	if (root_has_finalizer(root, "foregroundDeletion"))
		return finish_foreground(s, key, keep);
	if (root_has_finalizer(root, "orphan"))
		return finish_orphan(s, key, keep);
	return !delete_may_go(key, root) || remove_it(s, key, keep);
}

static bool finish_deletions(struct sweep *s)
{
	struct place p = {0, 0};
	struct object *object;
	const char *key;
	bool ok = true;

	while ((object = at(s, &p, &key))) {
		size_t before = db_kind_at(s->store, p.kind)->count;

		ok = finish_deletion(s, key, object) && ok;
		/* others of this kind may have gone, too: those that are passed over now are seen by the next sweep */
		if (db_kind_at(s->store, p.kind)->count < before)
			p.item = 0;
	}
	return ok;
}

/* --- namespaces --------------------------------------------------------------------------------------------------- */

#define TALLY_MAX 32

/* How many there are of each name; more names than it holds are not counted. */
struct tally {
	struct {
		char name[300];
		size_t count;
	} items[TALLY_MAX];
	size_t count;
};

static void tally_add(struct tally *t, const char *name)
{
	size_t i = 0;

	while (i < t->count && strcmp(t->items[i].name, name) != 0)
		i++;
	if (i == TALLY_MAX)
		return;
	if (i == t->count) {
		snprintf(t->items[i].name, sizeof t->items[i].name, "%s", name);
		t->items[t->count++].count = 0;
	}
	t->items[i].count++;
}

static void tally_print(const struct tally *t, const char *before, const char *verb, struct buf *out)
{
	buf_add_str(out, before, NULL);
	for (size_t i = 0; i < t->count; i++)
		buf_printf(out, NULL, "%s%s %s %zu resource instances", i ? ", " : "", t->items[i].name, verb,
		    t->items[i].count);
}

struct remains {
	size_t left;
	struct tally kinds, finalizers;
};

static bool set_remaining(struct sweep *s, struct object *ns, const struct remains *r)
{
	CLEANUP(json) struct json *doc = NULL;
	BUF_CLEANUP struct buf kinds = BUF_INIT(16384), finalizers = BUF_INIT(16384);
	const json_node *root = object_root(ns);
	char now[32];

	if (r->kinds.count)
		tally_print(&r->kinds, "Some resources are remaining: ", "has", &kinds);
	else
		buf_add_str(&kinds, "All content successfully removed", NULL);
	if (r->finalizers.count)
		tally_print(
		    &r->finalizers, "Some content in the namespace has finalizers remaining: ", "in", &finalizers);
	else
		buf_add_str(&finalizers, "All content-preserving finalizers finished", NULL);
	if (json_is_at(root, "status/conditions/3/message", buf_str(&kinds)) &&
	    json_is_at(root, "status/conditions/4/message", buf_str(&finalizers)))
		return true;
	call_now(s->store, now);
	return json_clone(root, &doc, &s->err) &&
	       json_set_format(json_edit(doc), "status/conditions", &s->err,
		   "[{'type':'NamespaceDeletionDiscoveryFailure','status':'False','reason':'ResourcesDiscovered',"
		   "'message':'All resources successfully discovered','lastTransitionTime':%s},"
		   "{'type':'NamespaceDeletionGroupVersionParsingFailure','status':'False','reason':"
		   "'ParsedGroupVersions','message':'All legacy kube types successfully "
		   "parsed','lastTransitionTime':%s},"
		   "{'type':'NamespaceDeletionContentFailure','status':'False','reason':'ContentDeleted',"
		   "'message':'All content successfully deleted, may be waiting on finalization',"
		   "'lastTransitionTime':%s},"
		   "{'type':'NamespaceContentRemaining','status':%s,'reason':%s,'message':%s,'lastTransitionTime':%s},"
		   "{'type':'NamespaceFinalizersRemaining','status':%s,'reason':%s,'message':%s,"
		   "'lastTransitionTime':%s}]",
		   now, now, now, r->kinds.count ? "True" : "False",
		   r->kinds.count ? "SomeResourcesRemain" : "ContentRemoved", buf_str(&kinds), now,
		   r->finalizers.count ? "True" : "False",
		   r->finalizers.count ? "SomeFinalizersRemain" : "ContentHasNoFinalizers", buf_str(&finalizers),
		   now) &&
	       put(s, NAMESPACES_KEY, TAKE(doc));
}

/* As a real server names it: "pods." and "policies.config.kio.kasten.io" */
static void count_left(const char *key, const struct object *object, struct remains *ret)
{
	const char *slash = strrchr(key, '/');
	char name[300];

	ret->left++;
	snprintf(name, sizeof name, "%s.%.*s", slash ? slash + 1 : key, slash ? (int)(slash - key) : 0, key);
	tally_add(&ret->kinds, name);
	for (const json_node *f = json_first(json_at(object_root(object), "metadata/finalizers")); f; f = json_next(f))
		if (json_string(f))
			tally_add(&ret->finalizers, json_string(f));
}

/* What could not be deleted is left, too. */
static bool empty_namespace(struct sweep *s, struct object *ns, struct remains *ret)
{
	struct place p = {0, 0};
	struct object *object;
	const char *key;
	bool ok = true;

	while ((object = at(s, &p, &key))) {
		size_t before = db_kind_at(s->store, p.kind)->count;

		if (strcmp(object->namespace_, ns->name) != 0)
			continue;
		if (!root_deleting(object_root(object)))
			ok = delete_it(s, key, object) && ok;
		if (db_kind_at(s->store, p.kind)->count < before)
			p.item--;
		else
			count_left(key, db_kind_at(s->store, p.kind)->items[p.item - 1], ret);
	}
	return ok;
}

static bool end_namespace(struct sweep *s, struct object *ns)
{
	CLEANUP(object) struct object *keep = object_ref(ns);
	CLEANUP(free) struct remains *r = calloc(1, sizeof *r);
	bool ok;

	if (!r)
		return err_nomem(&s->err);
	ok = empty_namespace(s, keep, r);
	if (r->left || json_first(json_at(object_root(keep), "metadata/finalizers")))
		return set_remaining(s, keep, r) && ok;
	return ok && remove_it(s, NAMESPACES_KEY, keep);
}

static bool end_namespaces(struct sweep *s)
{
	const struct store_kind *kind = db_kind_of(s->store, NAMESPACES_KEY);
	bool ok = true;

	for (size_t i = 0; kind && i < kind->count;) {
		size_t before = kind->count;

		if (root_deleting(object_root(kind->items[i])))
			ok = end_namespace(s, kind->items[i]) && ok;
		i += kind->count == before;
	}
	return ok;
}

/* --- definitions -------------------------------------------------------------------------------------------------- */

static bool end_definition(struct sweep *s, struct object *crd)
{
	CLEANUP(object) struct object *keep = object_ref(crd);
	CLEANUP(json) struct json *doc = NULL;
	const struct store_kind *kind;
	char key[300];
	bool ok = true;

	snprintf(key, sizeof key, "%s/%s", json_text_at(object_root(keep), "spec/group"),
	    json_text_at(object_root(keep), "spec/names/plural"));
	kind = db_kind_of(s->store, key);
	for (size_t i = 0; kind && i < kind->count;) {
		size_t before = kind->count;

		if (!root_deleting(object_root(kind->items[i])))
			ok = delete_it(s, key, kind->items[i]) && ok;
		i += kind->count == before;
	}
	if (!ok || (kind && kind->count))
		return ok;
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
	bool ok = true;

	for (size_t i = 0; kind && i < kind->count;) {
		const json_node *root = object_root(kind->items[i]);
		size_t before = kind->count;

		if (root_deleting(root) && root_has_finalizer(root, CRD_FINALIZER))
			ok = end_definition(s, kind->items[i]) && ok;
		i += kind->count == before;
	}
	return ok;
}

bool api_sweep(struct api *api, bool *ret_changed, struct err *err)
{
	static bool (*const steps[])(struct sweep * s) = {
	    collect_orphans, finish_deletions, end_namespaces, end_definitions};
	struct sweep s = {.api = api, .store = api->store, .err = ERR_INIT};
	bool ok;

	db_lock(api->store);
	ok = gather(&s);
	for (size_t i = 0; s.all && i < sizeof steps / sizeof *steps; i++)
		ok = steps[i](&s) && ok;
	db_unlock(api->store);
	forget(&s);
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
