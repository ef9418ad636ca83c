#include "sandbox/kasten/publish.h"

#include "sandbox/kasten/depot.h"
#include "sandbox/kasten/names.h"

bool publish_labels(const struct job *j, struct json **ret, struct err *err)
{
	static const char *const kept[] = {LABEL_APP_NAME, LABEL_APP_NAMESPACE, LABEL_POLICY_NAME,
	    LABEL_POLICY_NAMESPACE, LABEL_RUN_NAME, LABEL_RUN_NAMESPACE};
	CLEANUP(json) struct json *labels = NULL;

	if (!json_format(&labels, err, "{'k10.kasten.io/appType':'namespace'}"))
		return false;
	for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
		char path[100] = "k10.kasten.io~1";

		snprintf(path + 15, sizeof path - 15, "%s", kept[i] + 14);
		if (job_label(j, kept[i]) && !json_set_text(json_edit(labels), path, job_label(j, kept[i]), err))
			return false;
	}
	*ret = TAKE(labels);
	return true;
}

static bool publish_one(struct kasten *k, enum kasten_kind kind, const char *namespace_, const json_node *object,
    const json_node *status, struct err *err)
{
	return kasten_ensure(k, kind, namespace_, object, err) && kasten_put_status(k, kind, object, status, err);
}

static bool publish_the_content(struct kasten *k, const struct publication *p, struct err *err)
{
	CLEANUP(json) struct json *content = NULL;

	if (!json_format(&content, err,
		"{'apiVersion':'" KASTEN_APPS_VERSION
		"','kind':'RestorePointContent','metadata':{'name':%s,'labels':%j,"
		"'finalizers':['" CONTENT_FINALIZER "']},'status':{'state':%s,'actionTime':%s,'scheduledTime':%s}}",
		p->content, p->labels, p->point ? "Bound" : "Unbound", p->action_time, p->action_time) ||
	    (p->point && !json_set_format(json_edit(content), "status/restorePointRef", err,
			     "{'name':%s,'namespace':%s}", p->point, p->namespace_)))
		return false;
	return publish_one(k, KIND_CONTENT, NULL, json_root(content), json_get(json_root(content), "status"), err);
}

bool publish(struct kasten *k, const struct publication *p, struct err *err)
{
	CLEANUP(json) struct json *point = NULL;

	if (!publish_the_content(k, p, err))
		return false;
	if (!p->point)
		return true;
	return json_format(&point, err,
		   "{'apiVersion':'" KASTEN_APPS_VERSION
		   "','kind':'RestorePoint','metadata':{'name':%s,'namespace':%s,'labels':%j},"
		   "'spec':{'restorePointContentRef':{'name':%s}},'status':{'actionTime':%s,'scheduledTime':%s,"
		   "'logicalSizeBytes':0,'physicalSizeBytes':0}}",
		   p->point, p->namespace_, p->labels, p->content, p->action_time, p->action_time) &&
	       publish_one(k, KIND_POINT, p->namespace_, json_root(point), json_get(json_root(point), "status"), err);
}

/* --- contents ---------------------------------------------------------------------------------------------------- */

#define REFERENCE_FORMAT "psmdb-sandbox-kasten-reference"

bool publish_reference(struct kasten *k, const char *content, const struct reference *r, struct err *err)
{
	CLEANUP(json) struct json *record = NULL;

	return json_format(&record, err,
		   "{'format':'" REFERENCE_FORMAT "','version':1,'receiveString':%s,'name':%s,'profile':%j,'own':%b}",
		   r->receive, r->name, r->profile, (int)r->own) &&
	       store_put(&k->store, STORE_CONTENTS, content, json_root(record), err);
}

static bool is_reference(const json_node *record)
{
	return json_is_at(record, "format", REFERENCE_FORMAT) && json_int_at(record, "version", 0) == 1 &&
	       json_text_at(record, "receiveString") && json_text_at(record, "name");
}

static bool fetch(
    struct kasten *k, const json_node *record, const json_node *profile_ref, struct json **ret, struct err *err)
{
	DEPOT_CLEANUP struct depot depot = DEPOT_INIT;
	CLEANUP(json) struct json *doc = NULL;
	struct artefact artefact;

	if (!json_text_at(profile_ref, "name"))
		profile_ref = json_get(record, "profile");
	return depot_open(k, profile_ref, json_text_at(record, "receiveString"), &depot, err) &&
	       depot_get(&depot, json_text_at(record, "name"), &doc, &artefact, err) &&
	       json_clone(artefact.content, ret, err);
}

bool publish_load(
    struct kasten *k, const char *content, const json_node *profile_ref, struct json **ret, struct err *err)
{
	CLEANUP(json) struct json *record = NULL;

	if (!store_get(&k->store, STORE_CONTENTS, content, &record, err))
		return false;
	if (is_reference(json_root(record)))
		return fetch(k, json_root(record), profile_ref, ret, err) ||
		       err_wrap(err, "read the content \"%s\"", content);
	if (!content_is_whole(json_root(record)))
		return err_set(err, ERR_BROKEN, "the saved content of \"%s\" is damaged", content);
	*ret = TAKE(record);
	return true;
}

bool publish_forget(struct kasten *k, const char *content, struct err *err)
{
	DEPOT_CLEANUP struct depot depot = DEPOT_INIT;
	CLEANUP(json) struct json *record = NULL;
	struct err why = ERR_INIT;

	if (store_get(&k->store, STORE_CONTENTS, content, &record, &why) && is_reference(json_root(record)) &&
	    json_bool_at(json_root(record), "own", false) &&
	    (!depot_open(k, json_get(json_root(record), "profile"), json_text_at(json_root(record), "receiveString"),
		 &depot, &why) ||
		!depot_remove(&depot, json_text_at(json_root(record), "name"), &why))) {
		if (kasten_is_passing(&why)) {
			if (err)
				*err = why;
			return false;
		}
		log_line(k->log, LOG_WARN, "an exported restore point stays in its bucket", "content", content, "error",
		    why.msg, NULL);
	}
	return store_remove(&k->store, STORE_CONTENTS, content, err);
}

bool publish_content(struct kasten *k, const char *namespace_, const char *point, const json_node *profile_ref,
    struct json **ret_point, struct json **ret_content, struct err *err)
{
	CLEANUP(json) struct json *p = NULL;
	CLEANUP(json) struct json *object = NULL;
	const char *name;

	if (!kube_get(k->kube, &k->kinds[KIND_POINT], namespace_, point, &p, err))
		return false;
	name = json_text_at(json_root(p), "spec/restorePointContentRef/name");
	if (!name)
		return err_set(err, ERR_NOT_FOUND, "restore point \"%s/%s\" names no content", namespace_, point);
	if (!kube_get(k->kube, &k->kinds[KIND_CONTENT], NULL, name, &object, err) ||
	    !publish_load(k, name, profile_ref, ret_content, err))
		return false;
	*ret_point = TAKE(p);
	return true;
}
