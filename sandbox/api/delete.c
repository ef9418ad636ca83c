/* delete and deletecollection. */
#include "sandbox/api/call.h"

#include "base/num.h"
#include "sandbox/api/selector.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool bad_options(struct call *c, const char *why)
{
	return status_failure(c->response, 500, NULL, NULL, "%s", why);
}

static void copy(const char *text, char *ret, size_t size)
{
	if (text)
		snprintf(ret, size, "%s", text);
}

static bool policy_known(struct call *c, const char *policy)
{
	static const char *const known[] = {"", "Background", "Foreground", "Orphan"};
	struct status_cause cause = {"FieldValueNotSupported", NULL, "propagationPolicy"};
	const struct status_details details = {
	    .group = "meta.k8s.io", .kind = "DeleteOptions", .causes = &cause, .cause_count = 1};
	char message[200];

	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (!strcmp(policy, known[i]))
			return true;
	snprintf(message, sizeof message,
	    "Unsupported value: \"%.32s\": supported values: \"Foreground\", \"Background\", \"Orphan\", \"nil\"",
	    policy);
	cause.message = message;
	return status_failure(c->response, 422, "Invalid", &details,
	    "DeleteOptions.meta.k8s.io \"\" is invalid: propagationPolicy: %s", message);
}

static bool read_options(struct call *c, struct delete_options *ret)
{
	const char *grace = query_get(&c->query, "gracePeriodSeconds");
	const json_node *root;

	*ret = (struct delete_options){.grace_seconds = -1, .dry_run = c->dry_run};
	copy(query_get(&c->query, "propagationPolicy"), ret->policy, sizeof ret->policy);
	if (grace && !num_parse_i64(grace, strlen(grace), &ret->grace_seconds))
		return bad_options(c, "gracePeriodSeconds is no number");
	if (!c->request->body_len)
		return policy_known(c, ret->policy);
	if (!call_parse_body(c, true))
		return false;
	root = json_root(c->body);
	if (json_text_at(root, "kind") && !json_is_at(root, "kind", "DeleteOptions"))
		return bad_options(c, "the body is no DeleteOptions");
	copy(json_text_at(root, "propagationPolicy"), ret->policy, sizeof ret->policy);
	copy(json_text_at(root, "preconditions/uid"), ret->uid, sizeof ret->uid);
	copy(json_text_at(root, "preconditions/resourceVersion"), ret->version, sizeof ret->version);
	ret->grace_seconds = json_int_at(root, "gracePeriodSeconds", ret->grace_seconds);
	ret->dry_run = ret->dry_run || json_is_at(root, "dryRun/0", "All");
	return policy_known(c, ret->policy);
}

/* A pod that a kubelet has goes when the kubelet says so. */
static int64_t pod_grace(const struct object *pod, const struct delete_options *options)
{
	const json_node *root = object_root(pod);
	const char *phase = json_text_at(root, "status/phase");
	int64_t grace = options->grace_seconds;

	if (!json_text_at(root, "spec/nodeName") ||
	    (phase && (!strcmp(phase, "Succeeded") || !strcmp(phase, "Failed"))))
		return 0;
	return grace >= 0 ? grace : json_int_at(root, "spec/terminationGracePeriodSeconds", 30);
}

static bool has_children(struct store *s, const struct object *owner)
{
	for (size_t k = 0; k < db_kind_count(s); k++) {
		const struct store_kind *kind = db_kind_at(s, k);

		for (size_t i = 0; i < kind->count; i++)
			for (const json_node *o =
				 json_first(json_at(object_root(kind->items[i]), "metadata/ownerReferences"));
			     o; o = json_next(o))
				if (json_is_at(o, "uid", owner->uid))
					return true;
	}
	return false;
}

static bool mark(struct store *s, const struct resource *res, json_node *root, int64_t grace, struct err *err)
{
	char now[32];

	if (!root_deleting(root) &&
	    (!json_set_text(root, "metadata/deletionTimestamp", call_now(s, now), err) ||
		(res->generations &&
		    !json_set_int(root, "metadata/generation", json_int_at(root, "metadata/generation", 0) + 1, err))))
		return false;
	return json_set_int(root, "metadata/deletionGracePeriodSeconds", grace, err) &&
	       (strcmp(res->key, NAMESPACES_KEY) != 0 || json_set_text(root, "status/phase", "Terminating", err));
}

bool delete_may_go(const char *key, const json_node *root)
{
	if (!root_deleting(root) || json_first(json_at(root, "metadata/finalizers")))
		return false;
	if (!strcmp(key, NAMESPACES_KEY))
		return !json_first(json_at(root, "spec/finalizers"));
	return !!strcmp(key, "/pods") || json_int_at(root, "metadata/deletionGracePeriodSeconds", 0) == 0;
}

bool delete_object(struct store *s, const struct resource *res, struct object *object,
    const struct delete_options *options, struct object **ret_left, struct err *err)
{
	CLEANUP(json) struct json *doc = NULL;
	bool pod = !strcmp(res->key, "/pods"), ns = !strcmp(res->key, NAMESPACES_KEY);
	int64_t grace = pod ? pod_grace(object, options) : 0;
	struct object *left;

	*ret_left = NULL;
	if (!json_clone(object_root(object), &doc, err))
		return false;
	if (!strcmp(options->policy, "Foreground") && has_children(s, object) &&
	    !root_add_finalizer(json_edit(doc), "foregroundDeletion", err))
		return false;
	if (!strcmp(options->policy, "Orphan") && has_children(s, object) &&
	    !root_add_finalizer(json_edit(doc), "orphan", err))
		return false;
	if (!json_first(json_at(json_root(doc), "metadata/finalizers")) && !grace && !ns)
		return options->dry_run || db_remove(s, res->key, object->namespace_, object->name, err);
	/* said before, and nothing new */
	if (root_deleting(object_root(object)) &&
	    (!pod || grace >= json_int_at(object_root(object), "metadata/deletionGracePeriodSeconds", 0))) {
		*ret_left = object_ref(object);
		return true;
	}
	if (!mark(s, res, json_edit(doc), grace, err))
		return false;
	if (options->dry_run) {
		*ret_left = object_ref(object);
		return true;
	}
	if (!db_put(s, res->key, TAKE(doc), &left, err))
		return false;
	*ret_left = object_ref(left);
	return true;
}

static bool check(struct call *c, const struct object *object, const struct delete_options *o)
{
	const struct status_details details = {.name = object->name, .group = c->res.group, .kind = c->res.kind};
	char text[300];

	if (o->uid[0] && strcmp(o->uid, object->uid) != 0)
		return status_failure(c->response, 409, "Conflict", &details,
		    "Operation cannot be fulfilled on %s \"%s\": the UID in the precondition (%s) does not match the "
		    "UID in record (%s). "
		    "The object might have been deleted and then recreated",
		    status_resource_name(&c->res, text), object->name, o->uid, object->uid);
	if (o->version[0] && strtoull(o->version, NULL, 10) != object->version)
		return status_failure(c->response, 409, "Conflict", &details,
		    "Operation cannot be fulfilled on %s \"%s\": the ResourceVersion in the precondition (%s) does not "
		    "match the "
		    "ResourceVersion in record (%llu). The object might have been modified",
		    status_resource_name(&c->res, text), object->name, o->version, (unsigned long long)object->version);
	return true;
}

/* Namespaces that a cluster cannot be without. */
static bool may_go(struct call *c, const struct object *object)
{
	const struct status_details details = {.name = object->name, .kind = c->res.plural};

	if (strcmp(c->res.key, NAMESPACES_KEY) != 0 ||
	    (strcmp(object->name, "default") != 0 && strcmp(object->name, "kube-system") != 0))
		return true;
	return status_failure(c->response, 403, "Forbidden", &details,
	    "namespaces \"%s\" is forbidden: this namespace may not be deleted", object->name);
}

static bool delete_locked(struct call *c, const struct delete_options *options)
{
	CLEANUP(object) struct object *object = NULL, *left = NULL;
	struct err err = ERR_INIT;
	bool whole = !strcmp(c->res.key, "/pods") || !strcmp(c->res.key, "/serviceaccounts") ||
		     !strcmp(c->res.key, "/persistentvolumes") || !strcmp(c->res.key, "/persistentvolumeclaims");

	object = db_get(c->store, c->res.key, c->namespace_, c->name);
	if (!object)
		return status_not_found(c->response, &c->res, c->name);
	object_ref(object);
	if (!may_go(c, object) || !check(c, object, options))
		return false;
	if (!delete_object(c->store, &c->res, object, options, &left, &err))
		return status_internal(c->response, &err);
	if (left || whole)
		return call_answer_stored(c, 200, left ? left : object);
	return status_deleted(c->response, &c->res, object);
}

bool call_delete(struct call *c)
{
	struct delete_options options;
	bool ok;

	if (!read_options(c, &options))
		return false;
	db_lock(c->store);
	ok = delete_locked(c, &options);
	db_unlock(c->store);
	return ok;
}

/* All that match, by name, before the first is deleted. */
static bool delete_matching(struct call *c, const struct selector *selector, const struct delete_options *options)
{
	const struct store_kind *kind = db_kind_of(c->store, c->res.key);
	struct object **found = NULL;
	size_t count = 0;
	struct err err = ERR_INIT;
	bool ok = true;

	if (!kind || !kind->count)
		return true;
	found = calloc(kind->count, sizeof(struct object *));
	if (!found)
		return !err_nomem(&err) && status_internal(c->response, &err);
	for (size_t i = db_seek(kind, c->namespace_, ""); i < kind->count; i++) {
		if (*c->namespace_ && strcmp(kind->items[i]->namespace_, c->namespace_) != 0)
			break;
		if (selector_matches(selector, object_root(kind->items[i])))
			found[count++] = object_ref(kind->items[i]);
	}
	for (size_t i = 0; i < count; i++) {
		CLEANUP(object) struct object *left = NULL;

		ok = ok && delete_object(c->store, &c->res, found[i], options, &left, &err);
		object_unref(found[i]);
	}
	free(found);
	return ok || status_internal(c->response, &err);
}

bool call_delete_collection(struct call *c)
{
	SELECTOR_CLEANUP struct selector selector = {0};
	struct delete_options options;
	struct err err = ERR_INIT;
	bool ok;

	if (!read_options(c, &options))
		return false;
	if (!selector_parse(
		query_get(&c->query, "labelSelector"), query_get(&c->query, "fieldSelector"), &c->res, &selector, &err))
		return status_bad_request(c->response, "%s", err.msg);
	/* the answer is the list as it was */
	if (!call_list(c))
		return false;
	db_lock(c->store);
	ok = delete_matching(c, &selector, &options);
	db_unlock(c->store);
	return ok;
}
