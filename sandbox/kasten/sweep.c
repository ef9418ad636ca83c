/* What is looked at as a whole, again and again: profiles, policies, restore points and their contents. */
#include "base/uuid.h"
#include "sandbox/kasten/check.h"
#include "sandbox/kasten/depot.h"
#include "sandbox/kasten/kasten.h"
#include "sandbox/kasten/names.h"

#include <string.h>

static bool all_known(const struct kasten *k, const enum kasten_kind *kinds, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!k->known[kinds[i]])
			return false;
	return true;
}

static bool list_kind(struct kasten *k, enum kasten_kind kind, struct json **ret, struct err *err)
{
	return kube_list(k->kube, &k->kinds[kind], NULL, NULL, ret, err);
}

/* Somebody who changed or deleted it meanwhile is met at the next round. */
static bool tolerate(const struct err *why, bool ok, struct err *err)
{
	if (ok || why->code == ERR_CONFLICT || why->code == ERR_NOT_FOUND)
		return true;
	if (err)
		*err = *why;
	return false;
}

/* --- validation ------------------------------------------------------------------------------------------------ */

static bool show_validation(
    struct kasten *k, enum kasten_kind kind, const json_node *object, const json_node *errors, struct err *err)
{
	CLEANUP(json) struct json *status = NULL;
	bool valid = json_count(errors) == 0;
	struct err why = ERR_INIT;

	if (!json_format(&status, err, "{'validation':%s}", valid ? VALIDATION_SUCCESS : VALIDATION_FAILED) ||
	    (!valid && !json_set_copy(json_edit(status), "error", errors, err)))
		return false;
	if (json_equal(json_get(object, "status"), json_root(status)))
		return true;
	log_line(k->log, valid ? LOG_INFO : LOG_WARN, "validation", "kind", k->kinds[kind].kind, "name",
	    kube_name(object), "validation", json_text_at(json_root(status), "validation"), "error",
	    valid ? "" : json_text_at(errors, "0"), NULL);
	return tolerate(&why, kasten_put_status(k, kind, object, json_root(status), &why), err);
}

static bool validate_profile(struct kasten *k, const json_node *profile, struct err *err)
{
	CLEANUP(json) struct json *secret = NULL;
	CLEANUP(json) struct json *errors = NULL;
	const char *namespace_, *name;
	struct err why = ERR_INIT;

	if (profile_secret(profile, &namespace_, &name) &&
	    !kube_get(k->kube, &k->kinds[KIND_SECRET], namespace_, name, &secret, &why) && why.code != ERR_NOT_FOUND) {
		if (err)
			*err = why;
		return false;
	}
	return check_profile(profile, secret ? json_root(secret) : NULL, &errors, err) &&
	       show_validation(k, KIND_PROFILE, profile, json_root(errors), err);
}

/* --- what Kasten writes into an export ------------------------------------------------------------------------- */

#define TOKEN_LETTERS 192

/* Opaque, and worth as much as a password: it is in no message. */
static bool random_text(char ret[static TOKEN_LETTERS + 1], struct err *err)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	unsigned char bytes[TOKEN_LETTERS];

	if (!random_bytes(bytes, sizeof bytes, err))
		return false;
	for (size_t i = 0; i < sizeof bytes; i++)
		ret[i] = letters[bytes[i] % 64];
	ret[sizeof bytes] = '\0';
	return true;
}

/* The secret first: a policy never names one that is not there. */
static bool make_token(struct kasten *k, const json_node *policy, char name[static 254], struct err *err)
{
	CLEANUP(json) struct json *secret = NULL;
	char token[TOKEN_LETTERS + 1];

	snprintf(name, 254, "%.200s-migration-token", kube_name(policy));
	return random_text(token, err) &&
	       json_format(&secret, err,
		   "{'apiVersion':'v1','kind':'Secret','metadata':{'name':%s,'namespace':%s},'type':'Opaque',"
		   "'data':{'migrationToken':%s}}",
		   name, kube_namespace(policy), token) &&
	       kasten_ensure(k, KIND_SECRET, kube_namespace(policy), json_root(secret), err);
}

static bool fill_export(struct kasten *k, const json_node *policy, const json_node *profiles, const json_node *action,
    size_t index, struct err *err)
{
	const json_node *ref = json_at(action, "exportParameters/profile");
	const char *name = json_text_at(ref, "name");
	BUF_CLEANUP struct buf receive = BUF_INIT(RECEIVE_TEXT_MAX);
	CLEANUP(json) struct json *copy = NULL;
	char path[96], token[254];

	if (!depot_receive(find_item(profiles, reference_namespace(ref), name ? name : ""), &receive, err) ||
	    !make_token(k, policy, token, err) || !json_clone(policy, &copy, err))
		return false;
	snprintf(path, sizeof path, "spec/actions/%zu/exportParameters/receiveString", index);
	if (!json_set_text(json_edit(copy), path, buf_str(&receive), err))
		return false;
	snprintf(path, sizeof path, "spec/actions/%zu/exportParameters/migrationToken", index);
	return json_set_format(
		   json_edit(copy), path, err, "{'name':%s,'namespace':%s}", token, kube_namespace(policy)) &&
	       kube_replace(k->kube, &k->kinds[KIND_POLICY], kube_namespace(policy), json_root(copy), NULL, err);
}

static bool fill_exports(struct kasten *k, const json_node *policy, const json_node *profiles, struct err *err)
{
	size_t index = 0;

	for (const json_node *a = json_first(json_at(policy, "spec/actions")); a; a = json_next(a), index++) {
		const char *receive = json_text_at(a, "exportParameters/receiveString");
		struct err why = ERR_INIT;

		if (json_is_at(a, "action", "export") && (!receive || !*receive))
			return tolerate(&why, fill_export(k, policy, profiles, a, index, &why), err);
	}
	return true;
}

static bool validate_policy(struct kasten *k, const json_node *policy, const json_node *profiles, struct err *err)
{
	CLEANUP(json) struct json *errors = NULL;

	return check_policy(policy, profiles, &errors, err) &&
	       show_validation(k, KIND_POLICY, policy, json_root(errors), err) &&
	       (json_count(json_root(errors)) || fill_exports(k, policy, profiles, err));
}

static bool validate_profiles(struct kasten *k, struct err *err)
{
	CLEANUP(json) struct json *profiles = NULL;

	if (!list_kind(k, KIND_PROFILE, &profiles, err))
		return false;
	for (const json_node *p = json_first(json_get(json_root(profiles), "items")); p; p = json_next(p))
		if (!kube_deleting(p) && !validate_profile(k, p, err))
			return false;
	return true;
}

/* The policies are listed before the profiles that they are judged by: one may be as new as the other. */
static bool validate(struct kasten *k, struct err *err)
{
	static const enum kasten_kind needed[] = {KIND_PROFILE, KIND_POLICY, KIND_SECRET};
	CLEANUP(json) struct json *profiles = NULL;
	CLEANUP(json) struct json *policies = NULL;

	if (!all_known(k, needed, 3))
		return true;
	if (!list_kind(k, KIND_POLICY, &policies, err) || !validate_profiles(k, err) ||
	    !list_kind(k, KIND_PROFILE, &profiles, err))
		return false;
	for (const json_node *p = json_first(json_get(json_root(policies), "items")); p; p = json_next(p))
		if (!kube_deleting(p) && !validate_policy(k, p, json_root(profiles), err))
			return false;
	return true;
}

/* --- restore points and their contents ------------------------------------------------------------------------- */

static const json_node *point_of(const json_node *points, const char *content)
{
	for (const json_node *p = json_first(json_get(points, "items")); p; p = json_next(p))
		if (!kube_deleting(p) && json_is_at(p, "spec/restorePointContentRef/name", content))
			return p;
	return NULL;
}

static bool bind_content(struct kasten *k, const json_node *content, const json_node *point, struct err *err)
{
	CLEANUP(json) struct json *status = NULL;
	struct err why = ERR_INIT;

	if (!json_clone(json_get(content, "status"), &status, err) ||
	    !json_set_text(json_edit(status), "state", point ? "Bound" : "Unbound", err))
		return false;
	if (!point)
		json_remove_at(json_edit(status), "restorePointRef");
	else if (!json_set_format(json_edit(status), "restorePointRef", err, "{'name':%s,'namespace':%s}",
		     kube_name(point), kube_namespace(point)))
		return false;
	if (json_equal(json_get(content, "status"), json_root(status)))
		return true;
	return tolerate(&why, kasten_put_status(k, KIND_CONTENT, content, json_root(status), &why), err);
}

/* One that a person made by hand shows what its content knows. */
static bool complete_point(struct kasten *k, const json_node *point, const json_node *content, struct err *err)
{
	CLEANUP(json) struct json *status = NULL;
	CLEANUP(json) struct json *patch = NULL;
	struct err why = ERR_INIT;

	if (json_text_at(point, "status/actionTime") || !json_text_at(content, "status/actionTime"))
		return true;
	if (!json_format(&status, err,
		"{'actionTime':%j,'scheduledTime':%j,'logicalSizeBytes':0,'physicalSizeBytes':0}",
		json_at(content, "status/actionTime"), json_at(content, "status/scheduledTime")) ||
	    !json_format(&patch, err, "{'metadata':{'labels':%j}}", json_at(content, "metadata/labels")))
		return false;
	return tolerate(&why,
	    kube_patch(k->kube, &k->kinds[KIND_POINT], kube_namespace(point), kube_name(point), NULL, KUBE_PATCH_MERGE,
		json_root(patch), NULL, &why) &&
		kasten_put_status(k, KIND_POINT, point, json_root(status), &why),
	    err);
}

/* The RetireAction's name comes from the content's uid, so that it is made once. */
static bool retire(struct kasten *k, const json_node *content, struct err *err)
{
	CLEANUP(json) struct json *action = NULL;
	const char *uid = kube_uid(content);

	if (!uid || !kube_has_finalizer(content, CONTENT_FINALIZER))
		return true;
	return json_format(&action, err,
		   "{'apiVersion':'" KASTEN_ACTIONS_VERSION "','kind':'RetireAction','metadata':{'name':'retire-%s',"
		   "'namespace':'" KASTEN_NAMESPACE
		   "','labels':%j},'spec':{'subject':{'apiVersion':'" KASTEN_APPS_VERSION
		   "','kind':'RestorePointContent','name':%s}}}",
		   uid, json_at(content, "metadata/labels"), kube_name(content)) &&
	       kasten_ensure(k, KIND_RETIRE, KASTEN_NAMESPACE, json_root(action), err);
}

static bool restore_points(struct kasten *k, struct err *err)
{
	static const enum kasten_kind needed[] = {KIND_POINT, KIND_CONTENT, KIND_RETIRE};
	CLEANUP(json) struct json *contents = NULL;
	CLEANUP(json) struct json *points = NULL;

	if (!all_known(k, needed, 3))
		return true;
	/* Contents first: a point that appears between the two lists must not make its content Unbound. */
	if (!list_kind(k, KIND_CONTENT, &contents, err) || !list_kind(k, KIND_POINT, &points, err))
		return false;
	for (const json_node *c = json_first(json_get(json_root(contents), "items")); c; c = json_next(c)) {
		const json_node *point = point_of(json_root(points), kube_name(c));

		if (kube_deleting(c) ? !retire(k, c, err) : !bind_content(k, c, point, err))
			return false;
		if (point && !complete_point(k, point, c, err))
			return false;
	}
	return true;
}

bool kasten_sweep(struct kasten *k, struct err *err)
{
	struct err why = ERR_INIT;
	bool points = restore_points(k, &why), ok = validate(k, err);

	if (ok && !points && err)
		*err = why;
	return ok && points;
}
