/*
 * BackupAction: the blueprints' "backup" on everything in the namespace that names a blueprint, then all its objects saved, then the
 * restore point. An application without such an annotation has its volumes snapshotted by Kasten; here that step does nothing,
 * and the action is Complete like there.
 */
#include "sandbox/kasten/drive.h"
#include "sandbox/kasten/inventory.h"
#include "sandbox/kasten/kasten.h"
#include "sandbox/kasten/names.h"
#include "sandbox/kasten/publish.h"
#include "sandbox/kasten/select.h"

#include <string.h>

#define BLUEPRINT_TIMEOUT_MS (INT64_C(45) * 60 * 1000) /* Kasten's default for backups */

static bool fail(struct kasten *k, struct job *j, const char *message, const char *cause, struct err *err)
{
	return job_fail(j, kasten_now(k), message, cause, err);
}

static bool check(struct kasten *k, struct job *j, struct err *err)
{
	const char *subject = json_text_at(j->root, "spec/subject/namespace");
	CLEANUP(json) struct json *namespace_ = NULL;
	struct err why = ERR_INIT;

	if (!job_label(j, LABEL_APP_NAME) || !job_label(j, LABEL_APP_NAMESPACE))
		return fail(k, j, "Labels " LABEL_APP_NAME " and " LABEL_APP_NAMESPACE " are required", NULL, err);
	if (!subject || strcmp(subject, job_namespace(j)) != 0)
		return fail(k, j, "spec.subject.namespace is not the action's namespace", NULL, err);
	if (!kube_get(k->kube, &k->kinds[KIND_NAMESPACE], NULL, subject, &namespace_, &why)) {
		if (why.code == ERR_NOT_FOUND)
			return fail(k, j, "Application not found", why.msg, err);
		if (err)
			*err = why;
		return false;
	}
	return job_set_step(j, "bind", err);
}

/* --- what is bound to a blueprint ------------------------------------------------------------------------------ */

static bool bind_one(void *ctx, const struct kube_kind *kind, const json_node *object, struct err *err)
{
	struct job *j = ctx;
	const struct filter_subject subject = {kind->group, kind->version, kind->plural, object};
	const char *blueprint = kube_annotation(object, KANISTER_BLUEPRINT_ANNOTATION);

	if (!blueprint || !*blueprint || !filter_wants(json_at(j->root, "spec/filters"), &subject))
		return true;
	return drive_bind(j, "try/targets", kind, object, err);
}

static bool bind(struct kasten *k, struct job *j, struct err *err)
{
	__attribute__((cleanup(cleanup_free))) struct inventory *inventory = NULL;
	const char *profile = json_text_at(j->root, "spec/profile/name");

	json_remove_at(j->root, "try/targets");
	if (!inventory_kinds(k->kube, &inventory, err) ||
	    !inventory_walk(k->kube, inventory, job_namespace(j), bind_one, j, err) ||
	    !json_set_int(j->root, "try/target", 0, err) || !json_set_format(j->root, "try/artifacts", err, "[]"))
		return false;
	if (json_count(json_at(j->root, "try/targets")) && (!profile || !*profile))
		return fail(k, j, "A Kanister profile is needed to run blueprints",
		    "backupParameters.profile of the policy is missing", err);
	return job_set_step(j, "blueprints", err) && job_set_progress(j, 10, err);
}

/* --- blueprints ------------------------------------------------------------------------------------------------ */

static bool next_target(struct job *j, const json_node *target, bool keep, struct err *err)
{
	if (keep && !json_set_format(j->root, "try/artifacts/-", err, "{'object':%j,'artifacts':%j}", target,
			json_at(j->root, "try/run/artifacts")))
		return false;
	drive_end(j);
	return json_set_int(j->root, "try/target", json_int_at(j->root, "try/target", 0) + 1, err);
}

static bool blueprints(struct kasten *k, struct job *j, struct err *err)
{
	char path[64];
	struct drive d = {.action = "backup", .timeout_ms = BLUEPRINT_TIMEOUT_MS};
	enum drive_result result;
	struct err why = ERR_INIT;

	snprintf(path, sizeof path, "try/targets/%lld", (long long)json_int_at(j->root, "try/target", 0));
	d.target = json_at(j->root, path);
	d.profile_ref = json_at(j->root, "spec/profile");
	if (!d.target)
		return job_set_step(j, "save", err) && job_set_progress(j, 80, err);
	if (!drive_step(k, j, &d, &result, &why, err))
		return false;
	if (result == DRIVE_FAILED)
		return job_fail_attempt(j, kasten_now(k), why.msg, NULL, err);
	return result == DRIVE_AGAIN || next_target(j, d.target, result == DRIVE_DONE, err);
}

/* --- the objects ----------------------------------------------------------------------------------------------- */

struct saving {
	json_node *content;
	const json_node *filters;
};

static bool save_one(void *ctx, const struct kube_kind *kind, const json_node *object, struct err *err)
{
	const struct saving *s = ctx;
	const struct filter_subject subject = {kind->group, kind->version, kind->plural, object};

	return !filter_wants(s->filters, &subject) ||
	       json_set_format(s->content, "objects/-", err, "{'group':%s,'version':%s,'resource':%s,'object':%j}",
		   kind->group, kind->version, kind->plural, object);
}

static bool save(struct kasten *k, struct job *j, struct err *err)
{
	__attribute__((cleanup(cleanup_free))) struct inventory *inventory = NULL;
	CLEANUP(json) struct json *content = NULL;
	struct saving saving = {.filters = json_at(j->root, "spec/filters")};
	const char *kind = job_label(j, LABEL_RUN_NAME) ? "scheduled" : "manual";
	char suffix[KASTEN_SUFFIX + 1], now[TIME_TEXT_MAX];

	if (!json_format(&content, err,
		"{'format':'" CONTENT_FORMAT "','version':1,'namespace':%s,'artifacts':%j,'objects':[]}",
		job_namespace(j), json_at(j->root, "try/artifacts")))
		return false;
	saving.content = json_edit(content);
	if (!inventory_kinds(k->kube, &inventory, err) ||
	    !inventory_walk(k->kube, inventory, job_namespace(j), save_one, &saving, err) ||
	    !kasten_suffix(suffix, err) ||
	    !json_set_format(j->root, "try/content", err, "'%s-%s-%s'", job_namespace(j), kind, suffix) ||
	    !json_set_format(j->root, "try/point", err, "'%s-%s'", kind, suffix) ||
	    !json_set_text(j->root, "try/actionTime", time_format(kasten_now(k), now), err))
		return false;
	return store_put(&k->store, STORE_CONTENTS, json_text_at(j->root, "try/content"), json_root(content), err) &&
	       job_set_step(j, "publish", err) && job_set_progress(j, 90, err);
}

static bool finish(struct kasten *k, struct job *j, struct err *err)
{
	CLEANUP(json) struct json *labels = NULL;
	struct publication p = {
	    .content = json_text_at(j->root, "try/content"),
	    .point = json_text_at(j->root, "try/point"),
	    .namespace_ = job_namespace(j),
	    .action_time = json_text_at(j->root, "try/actionTime"),
	};

	if (!publish_labels(j, &labels, err))
		return false;
	p.labels = json_root(labels);
	return publish(k, &p, err) &&
	       json_set_format(j->root, "restorePoint", err, "{'name':%s,'namespace':%s}", p.point, p.namespace_) &&
	       job_complete(j, kasten_now(k), err);
}

bool backup_step(struct kasten *k, struct job *j, struct err *err)
{
	static const struct {
		const char *name;
		bool (*run)(struct kasten *, struct job *, struct err *);
	} steps[] = {{"check", check}, {"bind", bind}, {"blueprints", blueprints}, {"save", save}, {"publish", finish}};

	for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
		if (!strcmp(job_step(j), steps[i].name))
			return steps[i].run(k, j, err);
	return fail(k, j, "The record of this action is damaged", NULL, err);
}
