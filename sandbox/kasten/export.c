/*
 * ExportAction: a second restore point with a content of its own. The copy stays in the sandbox's store: nothing is written to
 * the profile's bucket.
 */
#include "sandbox/kasten/kasten.h"
#include "sandbox/kasten/names.h"
#include "sandbox/kasten/publish.h"

#include <string.h>

static bool fail(struct kasten *k, struct job *j, const char *message, const char *cause, struct err *err)
{
	return job_fail(j, kasten_now(k), message, cause, err);
}

static bool check_profile_of(struct kasten *k, struct job *j, struct err *err)
{
	const char *name = json_text_at(j->root, "spec/profile/name");
	const char *namespace_ = json_text_at(j->root, "spec/profile/namespace");
	CLEANUP(json) struct json *profile = NULL;

	if (!name || !*name)
		return err_set(err, ERR_NOT_FOUND, "spec.profile is missing");
	if (!kube_get(
		k->kube, &k->kinds[KIND_PROFILE], namespace_ ? namespace_ : KASTEN_NAMESPACE, name, &profile, err))
		return false;
	if (!json_is_at(json_root(profile), "status/validation", VALIDATION_SUCCESS))
		return err_set(err, ERR_STATE, "profile \"%s\" is not valid", name);
	return true;
}

static bool copy_content(struct kasten *k, struct job *j, struct err *err)
{
	CLEANUP(json) struct json *point = NULL;
	CLEANUP(json) struct json *content = NULL;
	const char *name = json_text_at(j->root, "spec/subject/name");
	const char *time;
	char suffix[KASTEN_SUFFIX + 1], now[TIME_TEXT_MAX];

	if (!publish_content(k, job_namespace(j), name, &point, &content, err) || !kasten_suffix(suffix, err))
		return false;
	time = json_text_at(json_root(point), "status/actionTime");
	return json_set_format(j->root, "try/content", err, "'%s-%s-exported-%s'", job_namespace(j), name, suffix) &&
	       json_set_format(j->root, "try/point", err, "'%s-exported-%s'", name, suffix) &&
	       json_set_text(j->root, "try/actionTime", time ? time : time_format(kasten_now(k), now), err) &&
	       store_put(&k->store, STORE_CONTENTS, json_text_at(j->root, "try/content"), json_root(content), err);
}

static bool check(struct kasten *k, struct job *j, struct err *err)
{
	struct err why = ERR_INIT;

	if (!json_text_at(j->root, "spec/subject/name") ||
	    !json_is_at(j->root, "spec/subject/namespace", job_namespace(j)))
		return fail(k, j, "spec.subject does not name a restore point of this namespace", NULL, err);
	if (check_profile_of(k, j, &why) && copy_content(k, j, &why))
		return job_set_step(j, "publish", err) && job_set_progress(j, 60, err);
	if (!kasten_is_passing(&why))
		return fail(k, j, "Failed to export the restore point", why.msg, err);
	if (err)
		*err = why;
	return false;
}

static bool finish(struct kasten *k, struct job *j, struct err *err)
{
	CLEANUP(json) struct json *labels = NULL;
	bool data = json_bool_at(j->root, "spec/exportData/enabled", false);
	struct publication p = {
	    .content = json_text_at(j->root, "try/content"),
	    .point = json_text_at(j->root, "try/point"),
	    .namespace_ = job_namespace(j),
	    .action_time = json_text_at(j->root, "try/actionTime"),
	};

	if (!publish_labels(j, &labels, err) ||
	    !json_set_text(
		json_edit(labels), "k10.kasten.io~1exportProfile", json_text_at(j->root, "spec/profile/name"), err) ||
	    !json_set_text(
		json_edit(labels), "k10.kasten.io~1exportType", data ? "portableAppData" : "appConfigOnly", err))
		return false;
	p.labels = json_root(labels);
	return publish(k, &p, err) &&
	       json_set_format(j->root, "restorePoint", err, "{'name':%s,'namespace':%s}", p.point, p.namespace_) &&
	       job_complete(j, kasten_now(k), err);
}

bool export_step(struct kasten *k, struct job *j, struct err *err)
{
	return !strcmp(job_step(j), "check") ? check(k, j, err) : finish(k, j, err);
}
