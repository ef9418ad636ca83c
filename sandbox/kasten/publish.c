#include "sandbox/kasten/publish.h"

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

bool publish(struct kasten *k, const struct publication *p, struct err *err)
{
	CLEANUP(json) struct json *content = NULL;
	CLEANUP(json) struct json *point = NULL;

	if (!json_format(&content, err,
		"{'apiVersion':'" KASTEN_APPS_VERSION
		"','kind':'RestorePointContent','metadata':{'name':%s,'labels':%j,"
		"'finalizers':['" CONTENT_FINALIZER
		"']},'status':{'state':'Bound','restorePointRef':{'name':%s,'namespace':%s},"
		"'actionTime':%s,'scheduledTime':%s}}",
		p->content, p->labels, p->point, p->namespace_, p->action_time, p->action_time) ||
	    !json_format(&point, err,
		"{'apiVersion':'" KASTEN_APPS_VERSION "','kind':'RestorePoint','metadata':{'name':%s,'namespace':%s,"
		"'labels':%j},'spec':{'restorePointContentRef':{'name':%s}},'status':{'actionTime':%s,'scheduledTime':%"
		"s,"
		"'logicalSizeBytes':0,'physicalSizeBytes':0}}",
		p->point, p->namespace_, p->labels, p->content, p->action_time, p->action_time))
		return false;
	return publish_one(k, KIND_CONTENT, NULL, json_root(content), json_get(json_root(content), "status"), err) &&
	       publish_one(k, KIND_POINT, p->namespace_, json_root(point), json_get(json_root(point), "status"), err);
}

bool publish_content(struct kasten *k, const char *namespace_, const char *point, struct json **ret_point,
    struct json **ret_content, struct err *err)
{
	CLEANUP(json) struct json *p = NULL;
	CLEANUP(json) struct json *content = NULL;
	CLEANUP(json) struct json *object = NULL;
	const char *name;

	if (!kube_get(k->kube, &k->kinds[KIND_POINT], namespace_, point, &p, err))
		return false;
	name = json_text_at(json_root(p), "spec/restorePointContentRef/name");
	if (!name)
		return err_set(err, ERR_NOT_FOUND, "restore point \"%s/%s\" names no content", namespace_, point);
	if (!kube_get(k->kube, &k->kinds[KIND_CONTENT], NULL, name, &object, err) ||
	    !store_get(&k->store, STORE_CONTENTS, name, &content, err))
		return false;
	if (!json_is_at(json_root(content), "format", CONTENT_FORMAT) ||
	    !json_is_array(json_get(json_root(content), "objects")))
		return err_set(err, ERR_BROKEN, "the saved content of \"%s\" is damaged", name);
	*ret_point = TAKE(p);
	*ret_content = TAKE(content);
	return true;
}
