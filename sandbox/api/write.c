/* create, replace and patch. */
#include "sandbox/api/call.h"

#include "base/uuid.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- create ------------------------------------------------------------------------------------------------------- */

static bool namespace_takes(struct call *c, const char *name)
{
	const struct object *ns = db_get(c->store, NAMESPACES_KEY, "", c->namespace_);
	struct resource namespaces = {.plural = "namespaces", .kind = "Namespace"};

	if (!*c->namespace_)
		return true;
	if (!ns)
		return status_not_found(c->response, &namespaces, c->namespace_);
	if (root_deleting(object_root(ns))) {
		char message[700], field[300];
		const struct status_cause cause = {"NamespaceTerminating", message, "metadata.namespace"};
		const struct status_details details = {
		    .name = name, .group = c->res.group, .kind = c->res.plural, .causes = &cause, .cause_count = 1};

		snprintf(message, sizeof message, "namespace %s is being terminated", c->namespace_);
		return status_failure(c->response, 403, "Forbidden", &details,
		    "%s \"%.253s\" is forbidden: unable to create new content in namespace %.253s because it is being "
		    "terminated",
		    status_resource_name(&c->res, field), name, c->namespace_);
	}
	return true;
}

static bool already_there(struct call *c, const struct object *object, const char *name)
{
	const struct status_details details = {.name = name, .group = c->res.group, .kind = c->res.plural};
	char text[300];

	return status_failure(c->response, 409, "AlreadyExists", &details, "%s%s \"%.253s\" already exists",
	    root_deleting(object_root(object)) ? "object is being deleted: " : "", status_resource_name(&c->res, text),
	    name);
}

static bool new_metadata(struct call *c, json_node *root, struct err *err)
{
	char uid[UUID_TEXT_MAX], now[32];
	struct uuid id;

	json_remove_at(root, "metadata/selfLink");
	json_remove_at(root, "metadata/deletionTimestamp");
	json_remove_at(root, "metadata/deletionGracePeriodSeconds");
	if (c->res.has_status)
		json_remove_at(root, "status");
	if (!uuid_random(&id, err))
		return false;
	uuid_format(&id, uid);
	json_remove_at(root, "metadata/generation");
	return json_set_text(root, "metadata/uid", uid, err) &&
	       json_set_text(root, "metadata/creationTimestamp", call_now(c->store, now), err) &&
	       (!c->res.generations || json_set_int(root, "metadata/generation", 1, err));
}

/* The store is locked. Takes doc. */
bool write_create(struct call *c, struct json *taken)
{
	CLEANUP(json) struct json *doc = taken;
	json_node *root = json_edit(doc);
	struct object *stored, *there;
	struct err err = ERR_INIT;
	const char *name, *version = json_text_at(root, "metadata/resourceVersion");

	if (version && *version && strcmp(version, "0") != 0)
		return status_failure(
		    c->response, 500, NULL, NULL, "resourceVersion should not be set on objects to be created");
	/* the definition may have gone since it was looked up; nothing would ever take this object away */
	if (!resource_is_served(c->store, &c->res))
		return status_page_not_found(c->response);
	if (!admit_identity(c, root, c->name))
		return false;
	name = json_text_at(root, "metadata/name");
	there = db_get(c->store, c->res.key, c->namespace_, name);
	if (there)
		return already_there(c, there, name);
	if (!namespace_takes(c, name))
		return false;
	if (!new_metadata(c, root, &err))
		return status_internal(c->response, &err);
	if (!admit_validate(c, root, NULL) || !admit_defaults(c, root, NULL))
		return false;
	if (!fields_track(c, NULL, root, &err))
		return status_internal(c->response, &err);
	if (c->dry_run)
		return call_answer_object(c, 201, root);
	if (!db_put(c->store, c->res.key, TAKE(doc), &stored, &err))
		return status_internal(c->response, &err);
	return call_answer_stored(c, 201, stored);
}

bool call_create(struct call *c)
{
	bool ok;

	if (!call_parse_body(c, false))
		return false;
	db_lock(c->store);
	ok = write_create(c, TAKE(c->body));
	db_unlock(c->store);
	return ok;
}

/* --- update ------------------------------------------------------------------------------------------------------- */

static bool keep(json_node *root, const json_node *before, const char *path, struct err *err)
{
	const json_node *value = json_at(before, path);

	if (value)
		return json_set_copy(root, path, value, err);
	json_remove_at(root, path);
	return true;
}

static bool keep_metadata(json_node *root, const json_node *before, struct err *err)
{
	static const char *const paths[] = {"metadata/name", "metadata/namespace", "metadata/uid",
	    "metadata/creationTimestamp", "metadata/generation", "metadata/deletionTimestamp",
	    "metadata/deletionGracePeriodSeconds", "metadata/generateName"};

	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
		if (!keep(root, before, paths[i], err))
			return false;
	json_remove_at(root, "metadata/selfLink");
	return true;
}

/* Equal but for versions and who owns which field. */
static bool same(const json_node *a, const json_node *b, struct err *err)
{
	CLEANUP(json) struct json *one = NULL, *other = NULL;
	static const char *const paths[] = {
	    "metadata/resourceVersion", "metadata/managedFields", "metadata/generation"};

	if (!json_clone(a, &one, err) || !json_clone(b, &other, err))
		return false;
	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
		json_remove_at(json_edit(one), paths[i]);
		json_remove_at(json_edit(other), paths[i]);
	}
	return json_equal(json_root(one), json_root(other));
}

static bool same_spec(const json_node *a, const json_node *b, bool without_status, struct err *err)
{
	CLEANUP(json) struct json *one = NULL, *other = NULL;

	if (!json_clone(a, &one, err) || !json_clone(b, &other, err))
		return false;
	json_remove_at(json_edit(one), "metadata");
	json_remove_at(json_edit(other), "metadata");
	if (without_status) {
		json_remove_at(json_edit(one), "status");
		json_remove_at(json_edit(other), "status");
	}
	return json_equal(json_root(one), json_root(other));
}

static bool preconditions(struct call *c, const json_node *root, const struct object *before)
{
	const char *version = json_text_at(root, "metadata/resourceVersion"), *uid = json_text_at(root, "metadata/uid");
	const struct status_details details = {.name = before->name, .group = c->res.group, .kind = c->res.plural};
	char text[300];

	if (version && *version && strtoull(version, NULL, 10) != before->version)
		return status_stale(c->response, &c->res, before->name);
	if (uid && *uid && strcmp(uid, before->uid) != 0)
		return status_failure(c->response, 409, "Conflict", &details,
		    "Operation cannot be fulfilled on %s \"%s\": Precondition failed: UID in precondition: %.64s, UID "
		    "in object meta: %s",
		    status_resource_name(&c->res, text), before->name, uid, before->uid);
	return true;
}

/* Status alone, or all but status. */
static bool mind_status(struct call *c, struct json **doc, const json_node *before, struct err *err)
{
	CLEANUP(json) struct json *merged = NULL;

	if (c->sub && !strcmp(c->sub, "status")) {
		if (!json_clone(before, &merged, err) || !keep(json_edit(merged), json_root(*doc), "status", err))
			return false;
		json_free(*doc);
		*doc = TAKE(merged);
		return true;
	}
	return !c->res.has_status || keep(json_edit(*doc), before, "status", err);
}

bool write_update(struct call *c, struct object *before, struct json *taken)
{
	CLEANUP(json) struct json *doc = taken;
	const json_node *old = object_root(before);
	struct object *stored;
	struct err err = ERR_INIT;

	if (!admit_identity(c, json_edit(doc), c->name) || !preconditions(c, json_root(doc), before))
		return false;
	if (!mind_status(c, &doc, old, &err) || !keep_metadata(json_edit(doc), old, &err))
		return status_internal(c->response, &err);
	if (!admit_validate(c, json_edit(doc), old) || !admit_defaults(c, json_edit(doc), old))
		return false;
	if (same(json_root(doc), old, &err) && !delete_may_go(c->res.key, json_root(doc)))
		return call_answer_stored(c, 200, before);
	if (c->res.generations && !same_spec(json_root(doc), old, c->res.has_status, &err) &&
	    !json_set_int(json_edit(doc), "metadata/generation", json_int_at(old, "metadata/generation", 0) + 1, &err))
		return status_internal(c->response, &err);
	if (!fields_track(c, old, json_edit(doc), &err))
		return status_internal(c->response, &err);
	if (c->dry_run)
		return call_answer_object(c, 200, json_root(doc));
	if (!db_put(c->store, c->res.key, TAKE(doc), &stored, &err))
		return status_internal(c->response, &err);
	if (!call_answer_stored(c, 200, stored))
		return false;
	if (delete_may_go(c->res.key, object_root(stored)) &&
	    !db_remove(c->store, c->res.key, stored->namespace_, stored->name, &err))
		return status_internal(c->response, &err);
	return true;
}

static bool replace_locked(struct call *c)
{
	struct object *before = db_get(c->store, c->res.key, c->namespace_, c->name);
	const char *version = json_text_at(json_root(c->body), "metadata/resourceVersion");

	if (!before)
		return status_not_found(c->response, &c->res, c->name);
	if (c->res.custom && (!version || !*version))
		return status_invalid(c->response, &c->res, c->name, "FieldValueInvalid", "metadata.resourceVersion",
		    "Invalid value: 0x0: must be specified for an update");
	return write_update(c, before, TAKE(c->body));
}

bool call_replace(struct call *c)
{
	bool ok;

	if (!call_parse_body(c, false))
		return false;
	db_lock(c->store);
	ok = replace_locked(c);
	db_unlock(c->store);
	return ok;
}

/* --- patch -------------------------------------------------------------------------------------------------------- */

enum patch_type { PATCH_UNKNOWN, PATCH_MERGE, PATCH_JSON, PATCH_STRATEGIC, PATCH_APPLY };

static enum patch_type patch_type(const struct call *c)
{
	char type[128];

	call_media_type(c->request->content_type, type, sizeof type);
	if (!strcmp(type, "application/merge-patch+json"))
		return PATCH_MERGE;
	if (!strcmp(type, "application/json-patch+json"))
		return PATCH_JSON;
	if (!strcmp(type, "application/strategic-merge-patch+json") && !c->res.custom)
		return PATCH_STRATEGIC;
	return !strcmp(type, "application/apply-patch+yaml") ? PATCH_APPLY : PATCH_UNKNOWN;
}

static bool apply_locked(struct call *c, struct object *before)
{
	static const struct status_cause manager = {
	    "FieldValueRequired", "Required value: is required for apply patch", "fieldManager"};
	static const struct status_details options = {
	    .group = "meta.k8s.io", .kind = "PatchOptions", .causes = &manager, .cause_count = 1};
	struct json *merged = NULL;

	if (!query_get(&c->query, "fieldManager") || !*query_get(&c->query, "fieldManager"))
		return status_failure(c->response, 422, "Invalid", &options,
		    "PatchOptions.meta.k8s.io \"\" is invalid: fieldManager: Required value: is required for apply "
		    "patch");
	if (json_at(json_root(c->body), "metadata/managedFields"))
		return status_bad_request(c->response, "metadata.managedFields must be nil");
	if (!admit_identity(c, json_edit(c->body), c->name))
		return false;
	if (!apply_merge(c, before ? object_root(before) : NULL, json_root(c->body), &merged))
		return false;
	return before ? write_update(c, before, merged) : write_create(c, merged);
}

static bool patch_locked(struct call *c, enum patch_type type)
{
	struct object *before = db_get(c->store, c->res.key, c->namespace_, c->name);
	CLEANUP(json) struct json *doc = NULL;
	struct err err = ERR_INIT;
	bool ok;

	if (type == PATCH_APPLY && (before || !c->sub))
		return apply_locked(c, before);
	if (!before)
		return status_not_found(c->response, &c->res, c->name);
	if (!json_clone(object_root(before), &doc, &err))
		return status_internal(c->response, &err);
	/* the stored version is there to be read and replaced by a patch: another one is the precondition of that patch */
	ok = type == PATCH_MERGE  ? json_merge_patch(json_edit(doc), json_root(c->body), &err)
	     : type == PATCH_JSON ? json_patch(json_edit(doc), json_root(c->body), &err)
				  : strategic_merge(json_edit(doc), json_root(c->body), &err);
	if (!ok)
		return err.code == ERR_STATE
			   ? status_failure(c->response, 422, "Invalid", NULL,
				 "the server rejected our request due to an error in our request: %s", err.msg)
			   : status_bad_request(c->response, "%s", err.msg);
	return write_update(c, before, TAKE(doc));
}

bool call_patch(struct call *c)
{
	enum patch_type type = patch_type(c);
	bool ok;

	if (type == PATCH_UNKNOWN)
		return call_unknown_format(c, true);
	if (type == PATCH_APPLY ? !call_parse_yaml(c) : !call_parse_body(c, true))
		return false;
	db_lock(c->store);
	ok = patch_locked(c, type);
	db_unlock(c->store);
	return ok;
}
