/*
 * ExportAction: the content of a restore point sealed into the profile's bucket, and a second restore point that stands for that
 * copy. Whoever has the receive string can import it elsewhere. The policy's run brings the receive string along; for an
 * action that a person made, one is made here and written into it, as Kasten does.
 */
#include "sandbox/kasten/depot.h"
#include "sandbox/kasten/kasten.h"
#include "sandbox/kasten/names.h"
#include "sandbox/kasten/publish.h"

#include <string.h>

#define FAILED "Failed to export the restore point"

/* --- the receive string of an action without a policy -------------------------------------------------------------- */

static bool make_receive(struct kasten *k, struct job *j, struct err *err)
{
	BUF_CLEANUP struct buf text = BUF_INIT(RECEIVE_TEXT_MAX);
	CLEANUP(json) struct json *profile = NULL;
	CLEANUP(json) struct json *patch = NULL;

	return kasten_profile(k, json_at(j->root, "spec/profile"), &profile, err) &&
	       depot_receive(json_root(profile), &text, err) &&
	       json_format(&patch, err, "{'spec':{'receiveString':%s}}", buf_str(&text)) &&
	       kube_patch(k->kube, &k->kinds[KIND_EXPORT], job_namespace(j), job_name(j), NULL, KUBE_PATCH_MERGE,
		   json_root(patch), NULL, err) &&
	       json_set_text(j->root, "spec/receiveString", buf_str(&text), err);
}

/* --- steps ------------------------------------------------------------------------------------------------------- */

/*
 * The names are saved before anything is written, and are those of all attempts: one action leaves one object in the
 * bucket, also if the answer to an earlier attempt's was lost.
 */
static bool choose_names(struct job *j, const char *point, struct err *err)
{
	CLEANUP(json) struct json *names = NULL;
	char suffix[KASTEN_SUFFIX + 1];

	if (json_get(j->root, "names"))
		return true;
	return kasten_suffix(suffix, err) &&
	       json_format(&names, err, "{'content':'%s-%s-exported-%s','point':'%s-exported-%s'}", job_namespace(j),
		   point, suffix, point, suffix) &&
	       (artefact_name_valid(json_text_at(json_root(names), "content")) ||
		   err_set(err, ERR_LIMIT, "the exported content's name would be longer than %d bytes",
		       ARTEFACT_NAME_MAX)) &&
	       json_set_copy(j->root, "names", json_root(names), err);
}

static bool check(struct kasten *k, struct job *j, struct err *err)
{
	const char *point = json_text_at(j->root, "spec/subject/name"), *receive;
	struct err why = ERR_INIT;

	if (!point || !json_is_at(j->root, "spec/subject/namespace", job_namespace(j)))
		return job_fail(
		    j, kasten_now(k), "spec.subject does not name a restore point of this namespace", NULL, err);
	receive = json_text_at(j->root, "spec/receiveString");
	if (((receive && *receive) || make_receive(k, j, &why)) && choose_names(j, point, &why))
		return job_set_step(j, "copy", err) && job_set_progress(j, 10, err);
	return kasten_refuse(k, j, FAILED, &why, err);
}

static bool make_labels(const struct job *j, struct json **ret, struct err *err)
{
	bool data = json_bool_at(j->root, "spec/exportData/enabled", false);

	return publish_labels(j, ret, err) &&
	       json_set_text(
		   json_edit(*ret), "k10.kasten.io~1exportProfile", json_text_at(j->root, "spec/profile/name"), err) &&
	       json_set_text(
		   json_edit(*ret), "k10.kasten.io~1exportType", data ? "portableAppData" : "appConfigOnly", err);
}

static bool write_copy(struct kasten *k, struct job *j, struct err *err)
{
	const json_node *profile = json_at(j->root, "spec/profile");
	DEPOT_CLEANUP struct depot depot = DEPOT_INIT;
	CLEANUP(json) struct json *labels = NULL;
	CLEANUP(json) struct json *point = NULL;
	CLEANUP(json) struct json *content = NULL;
	struct reference reference = {
	    json_text_at(j->root, "spec/receiveString"), json_text_at(j->root, "names/content"), profile, true};
	struct artefact artefact = {.name = reference.name};
	const char *time;
	char now[TIME_TEXT_MAX];

	if (!depot_open(k, profile, reference.receive, &depot, err) ||
	    !publish_content(
		k, job_namespace(j), json_text_at(j->root, "spec/subject/name"), NULL, &point, &content, err) ||
	    !make_labels(j, &labels, err))
		return false;
	time = json_text_at(json_root(point), "status/actionTime");
	if (!json_set_text(j->root, "try/actionTime", time ? time : time_format(kasten_now(k), now), err))
		return false;
	artefact.action_time = json_text_at(j->root, "try/actionTime");
	artefact.labels = json_root(labels);
	artefact.content = json_root(content);
	return depot_put(&depot, &artefact, err) && publish_reference(k, artefact.name, &reference, err);
}

static bool copy(struct kasten *k, struct job *j, struct err *err)
{
	struct err why = ERR_INIT;

	if (write_copy(k, j, &why))
		return job_set_step(j, "publish", err) && job_set_progress(j, 60, err);
	return kasten_refuse(k, j, FAILED, &why, err);
}

static bool finish(struct kasten *k, struct job *j, struct err *err)
{
	CLEANUP(json) struct json *labels = NULL;
	struct publication p = {
	    .content = json_text_at(j->root, "names/content"),
	    .point = json_text_at(j->root, "names/point"),
	    .namespace_ = job_namespace(j),
	    .action_time = json_text_at(j->root, "try/actionTime"),
	};

	if (!make_labels(j, &labels, err))
		return false;
	p.labels = json_root(labels);
	return publish(k, &p, err) &&
	       json_set_format(j->root, "restorePoint", err, "{'name':%s,'namespace':%s}", p.point, p.namespace_) &&
	       job_complete(j, kasten_now(k), err);
}

bool export_step(struct kasten *k, struct job *j, struct err *err)
{
	static const struct {
		const char *name;
		bool (*run)(struct kasten *, struct job *, struct err *);
	} steps[] = {{"check", check}, {"copy", copy}, {"publish", finish}};

	for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
		if (!strcmp(job_step(j), steps[i].name) && (!i || json_get(j->root, "names")))
			return steps[i].run(k, j, err);
	return job_fail(j, kasten_now(k), "The record of this action is damaged", NULL, err);
}
