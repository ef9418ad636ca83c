/*
 * RetireAction: a restore point content is being deleted. The blueprints' "delete" runs for what its backup left
 * behind, then the content goes. A "delete" that fails (the object is gone already) ends the RetireAction as Failed; the content goes
 * nevertheless, because nothing here would ever try again.
 *
 * What is to be deleted is read from the content once, and kept in the job beside "try": a content may lie in a bucket, which need not
 * answer all the time that a delete runs. What is deleted stays so: a later attempt goes on behind it.
 */
#include "sandbox/kasten/drive.h"
#include "sandbox/kasten/kasten.h"
#include "sandbox/kasten/names.h"
#include "sandbox/kasten/publish.h"

#include <string.h>

#define BLUEPRINT_TIMEOUT_MS (INT64_C(45) * 60 * 1000)

static const char *content_name(const struct job *j)
{
	const char *name = json_text_at(j->root, "spec/subject/name");

	return name ? name : "";
}

static bool release(struct kasten *k, struct job *j, struct err *err)
{
	CLEANUP(json) struct json *content = NULL;
	CLEANUP(json) struct json *patch = NULL;
	struct err why = ERR_INIT;

	if (kube_get(k->kube, &k->kinds[KIND_CONTENT], NULL, content_name(j), &content, &why)) {
		if (!json_format(&patch, err, "{'metadata':{'finalizers':null}}") ||
		    (kube_has_finalizer(json_root(content), CONTENT_FINALIZER) &&
			!kube_patch(k->kube, &k->kinds[KIND_CONTENT], NULL, content_name(j), NULL, KUBE_PATCH_MERGE,
			    json_root(patch), NULL, err)))
			return false;
	} else if (why.code != ERR_NOT_FOUND) {
		if (err)
			*err = why;
		return false;
	}
	return publish_forget(k, content_name(j), err);
}

static bool fail_attempt(struct kasten *k, struct job *j, const struct err *why, struct err *err)
{
	if (job_attempt(j) >= JOB_ATTEMPTS_MAX && !release(k, j, err))
		return false;
	return job_fail_attempt(j, kasten_now(k), why->msg, NULL, err);
}

/* As the object was at the time of the backup: a retirement may come long after the cluster's end. */
static const json_node *saved_object(const json_node *content, const json_node *target)
{
	for (const json_node *e = json_first(json_get(content, "objects")); e; e = json_next(e))
		if (json_is_at(e, "object/metadata/name", json_text_at(target, "name")) &&
		    json_is_at(e, "resource", json_text_at(target, "resource")) &&
		    json_is_at(e, "group", json_text_at(target, "group")))
			return json_get(e, "object");
	return NULL;
}

/* [{object, artifacts, saved}] */
static bool save_targets(struct job *j, const json_node *content, struct err *err)
{
	CLEANUP(json) struct json *targets = NULL;

	if (!json_format(&targets, err, "[]"))
		return false;
	for (const json_node *a = json_first(json_get(content, "artifacts")); a; a = json_next(a)) {
		const json_node *saved = saved_object(content, json_get(a, "object"));
		CLEANUP(json) struct json *target = NULL;

		if (!json_format(&target, err, "{'object':%j,'artifacts':%j,'saved':%j}", json_get(a, "object"),
			json_get(a, "artifacts"), saved) ||
		    !json_set_copy(json_edit(targets), "-", json_root(target), err))
			return false;
	}
	j->dirty = true;
	return json_set_copy(j->root, "targets", json_root(targets), err) && json_set_int(j->root, "done", 0, err);
}

/* A content without a record has nothing to delete. */
static bool check(struct kasten *k, struct job *j, struct err *err)
{
	CLEANUP(json) struct json *content = NULL;
	struct err why = ERR_INIT;

	if (!json_get(j->root, "targets") && !publish_load(k, content_name(j), NULL, &content, &why) &&
	    why.code != ERR_NOT_FOUND) {
		if (!kasten_is_passing(&why))
			return fail_attempt(k, j, &why, err);
		if (err)
			*err = why;
		return false;
	}
	return (json_get(j->root, "targets") || save_targets(j, content ? json_root(content) : NULL, err)) &&
	       job_set_step(j, "delete", err);
}

static bool drive_one(struct kasten *k, struct job *j, const json_node *target, struct err *err)
{
	const json_node *saved = json_get(target, "saved");
	struct drive d = {.action = "delete",
	    .target = json_get(target, "object"),
	    .artifacts_in = json_get(target, "artifacts"),
	    .saved = json_is_object(saved) ? saved : NULL,
	    .timeout_ms = BLUEPRINT_TIMEOUT_MS};
	enum drive_result result;
	struct err why = ERR_INIT;

	if (!drive_step(k, j, &d, &result, &why, err))
		return false;
	if (result == DRIVE_FAILED)
		return fail_attempt(k, j, &why, err);
	if (result == DRIVE_AGAIN)
		return true;
	drive_end(j);
	return json_set_int(j->root, "done", json_int_at(j->root, "done", 0) + 1, err);
}

static bool delete_all(struct kasten *k, struct job *j, struct err *err)
{
	const json_node *target;
	char path[64];

	snprintf(path, sizeof path, "targets/%lld", (long long)json_int_at(j->root, "done", 0));
	target = json_at(j->root, path);
	if (target)
		return drive_one(k, j, target, err);
	return release(k, j, err) && job_complete(j, kasten_now(k), err);
}

bool retire_step(struct kasten *k, struct job *j, struct err *err)
{
	return !strcmp(job_step(j), "check") ? check(k, j, err) : delete_all(k, j, err);
}
