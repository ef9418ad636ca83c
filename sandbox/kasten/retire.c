/*
 * RetireAction: a restore point content is being deleted. The blueprints' "delete" runs for what its backup left
 * behind, then the content goes. A "delete" that fails (the object is gone already) ends the RetireAction as Failed; the content goes
 * nevertheless, because nothing here would ever try again.
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

static bool drive_one(
    struct kasten *k, struct job *j, const json_node *content, const json_node *artifact, struct err *err)
{
	struct drive d = {.action = "delete",
	    .target = json_get(artifact, "object"),
	    .artifacts_in = json_get(artifact, "artifacts"),
	    .timeout_ms = BLUEPRINT_TIMEOUT_MS};
	enum drive_result result;
	struct err why = ERR_INIT;

	d.saved = saved_object(content, d.target);
	if (!drive_step(k, j, &d, &result, &why, err))
		return false;
	if (result == DRIVE_FAILED)
		return fail_attempt(k, j, &why, err);
	if (result == DRIVE_AGAIN)
		return true;
	drive_end(j);
	return json_set_int(j->root, "try/target", json_int_at(j->root, "try/target", 0) + 1, err);
}

bool retire_step(struct kasten *k, struct job *j, struct err *err)
{
	CLEANUP(json) struct json *content = NULL;
	const json_node *artifact = NULL;
	struct err why = ERR_INIT;
	char path[64];

	snprintf(path, sizeof path, "artifacts/%lld", (long long)json_int_at(j->root, "try/target", 0));
	if (publish_load(k, content_name(j), NULL, &content, &why)) {
		artifact = json_at(json_root(content), path);
	} else if (kasten_is_passing(&why)) {
		if (err)
			*err = why;
		return false;
	} else if (why.code != ERR_NOT_FOUND) {
		return fail_attempt(k, j, &why, err);
	}
	if (artifact)
		return drive_one(k, j, json_root(content), artifact, err);
	return release(k, j, err) && job_complete(j, kasten_now(k), err);
}
