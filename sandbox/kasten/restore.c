/*
 * RestoreAction: the saved objects that the filters want, created again; then the workloads awaited; then the blueprints' "restore" on
 * what was restored. Objects that are there already are left alone unless overwriteExisting; a blueprint runs only
 * for what this action made or replaced.
 */
#include "sandbox/kasten/clean.h"
#include "sandbox/kasten/drive.h"
#include "sandbox/kasten/kasten.h"
#include "sandbox/kasten/names.h"
#include "sandbox/kasten/publish.h"
#include "sandbox/kasten/select.h"

#include <string.h>

#define BLUEPRINT_TIMEOUT_MS (INT64_C(600) * 60 * 1000) /* Kasten's default for restores */
#define RANKS 40

static bool fail(struct kasten *k, struct job *j, const char *message, const char *cause, struct err *err)
{
	return job_fail(j, kasten_now(k), message, cause, err);
}

/* --- what was asked for ---------------------------------------------------------------------------------------- */

/* NULL: all of it can be done. */
static const char *refusal(const struct job *j)
{
	const char *target = json_text_at(j->root, "spec/targetNamespace");
	const json_node *spec = json_get(j->root, "spec");

	if (!json_is_at(spec, "subject/kind", "RestorePoint") || !json_text_at(spec, "subject/name"))
		return "spec.subject does not name a RestorePoint";
	if (!target || strcmp(target, job_namespace(j)) != 0)
		return "spec.targetNamespace is not the action's namespace";
	for (const json_node *t = json_first(json_get(spec, "transforms")); t; t = json_next(t))
		if (json_get(t, "transformSetRef") || !json_is_array(json_get(t, "json")))
			return "a transform without \"json\" is not part of this sandbox";
	if (json_count(json_get(spec, "hooks")))
		return "spec.hooks is not part of this sandbox";
	if (json_bool_at(spec, "dataOnly", false) || json_bool_at(spec, "volumesOnly", false))
		return "spec.dataOnly and spec.volumesOnly are not part of this sandbox";
	return NULL;
}

static bool load_content(struct kasten *k, const struct job *j, struct json **ret, struct err *err)
{
	CLEANUP(json) struct json *point = NULL;
	const char *namespace_ = json_text_at(j->root, "spec/subject/namespace");

	return publish_content(k, namespace_ ? namespace_ : job_namespace(j),
	    json_text_at(j->root, "spec/subject/name"), json_at(j->root, "spec/profile"), &point, ret, err);
}

static bool is_wanted(const struct job *j, const json_node *entry)
{
	const struct filter_subject subject = {json_text_at(entry, "group"), json_text_at(entry, "version"),
	    json_text_at(entry, "resource"), json_get(entry, "object")};

	return subject.group && subject.version && subject.resource && !clean_is_managed(subject.object) &&
	       filter_wants(json_at(j->root, "spec/filters"), &subject);
}

/* Indices of the content's objects, in the order of creation. */
static bool plan(struct job *j, const json_node *content, struct err *err)
{
	if (!json_set_format(j->root, "plan", err, "[]") || !json_set_int(j->root, "made", 0, err))
		return false;
	for (int rank = 0; rank < RANKS; rank++) {
		int64_t index = 0;

		for (const json_node *e = json_first(json_get(content, "objects")); e; e = json_next(e), index++)
			if (is_wanted(j, e) &&
			    clean_rank(json_text_at(e, "group"), json_text_at(e, "resource")) == rank &&
			    !json_set_int(j->root, "plan/-", index, err))
				return false;
	}
	return true;
}

static bool check(struct kasten *k, struct job *j, struct err *err)
{
	CLEANUP(json) struct json *content = NULL;
	struct err why = ERR_INIT;

	if (refusal(j))
		return fail(k, j, "Cannot execute restore", refusal(j), err);
	if (json_get(j->root, "plan")) /* a later attempt goes on where the first came to */
		return job_set_step(j, "objects", err);
	if (!load_content(k, j, &content, &why))
		return kasten_refuse(k, j, "Failed to load the restore point", &why, err);
	return plan(j, json_root(content), err) &&
	       json_set_format(j->root, "restorePoint", err, "{'name':%s,'namespace':%s}",
		   json_text_at(j->root, "spec/subject/name"), job_namespace(j)) &&
	       job_set_step(j, "objects", err) && job_set_progress(j, 5, err);
}

/* --- objects --------------------------------------------------------------------------------------------------- */

static bool restored(struct job *j, const struct kube_kind *kind, const json_node *object, struct err *err)
{
	return drive_bind(j, "restored", kind, object, err);
}

static bool overwrite(struct kasten *k, struct job *j, const struct kube_kind *kind, const json_node *there,
    struct json *object, struct err *err)
{
	return json_set_text(json_edit(object), "metadata/resourceVersion", kube_version(there), err) &&
	       kube_replace(k->kube, kind, job_namespace(j), json_root(object), NULL, err) &&
	       restored(j, kind, json_root(object), err);
}

/* "making" was saved before the creation: an object that is found after a restart is this action's. */
static bool create(
    struct kasten *k, struct job *j, const struct kube_kind *kind, struct json *object, int64_t at, struct err *err)
{
	CLEANUP(json) struct json *there = NULL;
	struct err why = ERR_INIT;
	bool announced = json_int_at(j->root, "making", -1) == at;

	if (!announced) {
		if (kube_get(k->kube, kind, job_namespace(j), kube_name(json_root(object)), &there, &why)) {
			if (kube_deleting(json_root(there)))
				return err_set(err, ERR_STATE, "%s \"%s\" is still being deleted", kind->plural,
				    kube_name(json_root(object)));
			if (!json_bool_at(j->root, "spec/overwriteExisting", false))
				return true;
			return overwrite(k, j, kind, json_root(there), object, err);
		}
		if (why.code != ERR_NOT_FOUND) {
			if (err)
				*err = why;
			return false;
		}
		if (!json_set_int(j->root, "making", at, err) || !kasten_save(k, j, err))
			return false;
	}
	if (!kube_create(k->kube, kind, job_namespace(j), json_root(object), NULL, &why) && why.code != ERR_EXISTS) {
		if (err)
			*err = why;
		return false;
	}
	return restored(j, kind, json_root(object), err);
}

/* What a transform's subject leaves open fits everything. */
static bool transforms(const json_node *transform, const json_node *entry, const json_node *object)
{
	static const char *const keys[] = {"group", "version", "resource"};
	const json_node *subject = json_get(transform, "subject");
	const char *name = json_text_at(subject, "name");

	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
		const char *wanted = json_text_at(subject, keys[i]), *has = json_text_at(entry, keys[i]);

		if (wanted && *wanted && (!has || strcmp(wanted, has) != 0))
			return false;
	}
	return !name || !*name || (kube_name(object) && !strcmp(kube_name(object), name));
}

static bool transform(const struct job *j, const json_node *entry, struct json *object, struct err *err)
{
	for (const json_node *t = json_first(json_at(j->root, "spec/transforms")); t; t = json_next(t))
		if (transforms(t, entry, json_root(object)) && !json_patch(json_edit(object), json_get(t, "json"), err))
			return err_wrap(err, "transform \"%.64s\" of %s \"%s\"",
			    json_text_at(t, "name") ? json_text_at(t, "name") : "?", json_text_at(entry, "resource"),
			    kube_name(json_root(object)) ? kube_name(json_root(object)) : "?");
	return true;
}

/* One object of the plan. A kind that the cluster does not have any more fails the attempt. */
static bool make(struct kasten *k, struct job *j, const json_node *entry, int64_t at, struct err *err)
{
	CLEANUP(json) struct json *object = NULL;
	struct kube_kind kind;
	const json_node *saved = json_get(entry, "object");

	return kube_kind_of(k->kube, json_text_at(saved, "apiVersion"), json_text_at(saved, "kind"), &kind, err) &&
	       clean_for_restore(saved, job_namespace(j), &object, err) && transform(j, entry, object, err) &&
	       create(k, j, &kind, object, at, err) && json_set_int(j->root, "made", at + 1, err);
}

static const json_node *nth(const json_node *array, int64_t index)
{
	char path[32];

	snprintf(path, sizeof path, "%lld", (long long)index);
	return json_at(array, path);
}

static bool objects(struct kasten *k, struct job *j, struct err *err)
{
	CLEANUP(json) struct json *content = NULL;
	int64_t all = (int64_t)json_count(json_get(j->root, "plan"));

	if (!load_content(k, j, &content, err))
		return false;
	for (int64_t at = json_int_at(j->root, "made", 0); at < all; at++) {
		int64_t index = (int64_t)json_number(nth(json_get(j->root, "plan"), at), -1);

		if (!make(k, j, nth(json_get(json_root(content), "objects"), index), at, err) ||
		    !kasten_save(k, j, err))
			return false;
	}
	return job_set_step(j, "workloads", err) && job_set_progress(j, 40, err);
}

/* --- workloads and blueprints ---------------------------------------------------------------------------------- */

static bool is_ready(const json_node *workload)
{
	return json_int_at(workload, "status/readyReplicas", 0) >= json_int_at(workload, "spec/replicas", 1);
}

static bool workload_ready(struct kasten *k, struct job *j, const json_node *reference, bool *ret, struct err *err)
{
	CLEANUP(json) struct json *object = NULL;
	struct kube_kind kind;

	*ret = true;
	if (!json_is_at(reference, "group", "apps"))
		return true;
	kube_kind_set(&kind, "apps", json_text_at(reference, "apiVersion"), json_text_at(reference, "resource"),
	    json_text_at(reference, "kind"), true);
	if (!kube_get(k->kube, &kind, job_namespace(j), json_text_at(reference, "name"), &object, err))
		return false;
	*ret = is_ready(json_root(object));
	return true;
}

static bool workloads(struct kasten *k, struct job *j, struct err *err)
{
	bool skip = json_bool_at(j->root, "spec/skipWaitForWorkloadReady", false);

	for (const json_node *r = json_first(json_get(j->root, "restored")); r && !skip; r = json_next(r)) {
		bool ready;

		if (!workload_ready(k, j, r, &ready, err))
			return false;
		if (ready)
			continue;
		if (kasten_now(k) - json_int_at(j->root, "try/startedMs", 0) > BLUEPRINT_TIMEOUT_MS)
			return err_set(err, ERR_TIMEOUT, "workload \"%s\" is not ready", json_text_at(r, "name"));
		j->next_ms = kasten_now(k) + 250;
		return true;
	}
	return json_set_int(j->root, "try/target", 0, err) && job_set_step(j, "blueprints", err) &&
	       job_set_progress(j, 50, err);
}

/* What the backup's blueprint left behind about this object. */
static const json_node *artifacts_of(const json_node *content, const json_node *target)
{
	for (const json_node *a = json_first(json_get(content, "artifacts")); a; a = json_next(a))
		if (json_is_at(a, "object/name", json_text_at(target, "name")) &&
		    json_is_at(a, "object/resource", json_text_at(target, "resource")) &&
		    json_is_at(a, "object/group", json_text_at(target, "group")))
			return json_get(a, "artifacts");
	return NULL;
}

static bool drive_one(struct kasten *k, struct job *j, const json_node *target, struct err *err)
{
	CLEANUP(json) struct json *content = NULL;
	struct drive d = {.action = "restore",
	    .target = target,
	    .profile_ref = json_at(j->root, "spec/profile"),
	    .timeout_ms = BLUEPRINT_TIMEOUT_MS};
	enum drive_result result = DRIVE_NOTHING;
	struct err why = ERR_INIT;

	if (json_text_at(target, "blueprint")) {
		if (!json_at(j->root, "try/run") && !load_content(k, j, &content, err))
			return false;
		d.artifacts_in = content ? artifacts_of(json_root(content), target) : NULL;
		if (!drive_step(k, j, &d, &result, &why, err))
			return false;
	}
	if (result == DRIVE_FAILED)
		return job_fail_attempt(j, kasten_now(k), why.msg, NULL, err);
	if (result == DRIVE_AGAIN)
		return true;
	drive_end(j);
	return json_set_int(j->root, "try/target", json_int_at(j->root, "try/target", 0) + 1, err);
}

static bool blueprints(struct kasten *k, struct job *j, struct err *err)
{
	const json_node *target = nth(json_get(j->root, "restored"), json_int_at(j->root, "try/target", 0));

	return target ? drive_one(k, j, target, err) : job_complete(j, kasten_now(k), err);
}

bool restore_step(struct kasten *k, struct job *j, struct err *err)
{
	static const struct {
		const char *name;
		bool (*run)(struct kasten *, struct job *, struct err *);
	} steps[] = {{"check", check}, {"objects", objects}, {"workloads", workloads}, {"blueprints", blueprints}};

	for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
		if (!strcmp(job_step(j), steps[i].name))
			return steps[i].run(k, j, err);
	return fail(k, j, "The record of this action is damaged", NULL, err);
}
