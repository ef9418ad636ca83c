#include "sandbox/kubelet/remote.h"

#include "sandbox/kubelet/reach.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Short: the loop that asks is the one that carries the pods' connections and output. */
#define CALL_LIMIT_MS 2000

bool remote_open(struct remote *r, const char *kubeconfig, const struct log *log, struct err *err)
{
	const struct kube_config_options where = {.path = kubeconfig};
	const struct kube_options options = {.timeout_ms = CALL_LIMIT_MS, .manager = "psmdb-sandbox-kubelet"};
	KUBE_CONFIG_CLEANUP struct kube_config config = {0};

	*r = (struct remote){.log = log, .notify_fd = kube_notify_new()};
	if (r->notify_fd < 0)
		return err_set(err, ERR_IO, "create an eventfd");
	if (!kube_config_load(&where, &config, err) || !kube_new(&config, &options, &r->kube, err))
		return false;
	for (int i = 0; i < WORLD_KINDS; i++) {
		const struct world_row *row = &world_rows[i];

		kube_kind_set(&r->kinds[i], row->group, row->version, row->plural, row->kind, row->namespaced);
		if (!kube_cache_new(&config, &options, &r->kinds[i], NULL, NULL, r->notify_fd, &r->caches[i], err))
			return false;
	}
	return true;
}

void remote_close(struct remote *r)
{
	for (int i = 0; i < WORLD_KINDS; i++)
		kube_cache_free(r->caches[i]);
	kube_free(r->kube);
	if (r->notify_fd >= 0)
		close(r->notify_fd);
	*r = (struct remote){.notify_fd = -1};
}

void remote_begin(struct remote *r)
{
	r->again = false;
	r->down = !reach_server(kube_config_of(r->kube)->server);
}

bool remote_synced(struct remote *r)
{
	for (int i = 0; i < WORLD_KINDS; i++)
		if (!kube_cache_synced(r->caches[i]))
			return false;
	return true;
}

bool remote_look(struct remote *r, struct world *ret, struct err *err)
{
	WORLD_CLEANUP struct world w = {0};

	for (int i = 0; i < WORLD_KINDS; i++)
		if (!kube_cache_list(r->caches[i], &w.lists[i], err))
			return false;
	*ret = w;
	w = (struct world){0};
	return true;
}

bool remote_result(struct remote *r, bool ok, const char *what, const struct err *err)
{
	if (ok)
		return true;
	r->again = true;
	if (err->code == ERR_CONFLICT || err->code == ERR_EXISTS || err->code == ERR_NOT_FOUND)
		return false;
	/* A refusal is an answer: a namespace on its way out refuses pods, and its old ones must be let go all the same. */
	r->down |= err->code == ERR_NET || err->code == ERR_TIMEOUT;
	if (strncmp(r->said, err->msg, sizeof r->said - 1) != 0)
		log_line(r->log, LOG_WARN, "API call failed", "call", what, "error", err->msg, NULL);
	snprintf(r->said, sizeof r->said, "%s", err->msg);
	return false;
}

static const char *space_of(const struct remote *r, enum world_kind kind, const json_node *object)
{
	return r->kinds[kind].namespaced ? object_namespace(object) : NULL;
}

bool remote_create(struct remote *r, enum world_kind kind, const json_node *object)
{
	struct err err = ERR_INIT;

	return !r->down &&
	       remote_result(r, kube_create(r->kube, &r->kinds[kind], space_of(r, kind, object), object, NULL, &err),
		   "create", &err);
}

bool remote_bind(struct remote *r, const json_node *pod, const char *node)
{
	CLEANUP(json) struct json *binding = NULL;
	struct kube_kind kind;
	struct err err = ERR_INIT;

	kube_kind_set(&kind, "", "v1", "bindings", "Binding", true);
	return !r->down && remote_result(r,
			       json_format(&binding, &err,
				   "{'apiVersion':'v1','kind':'Binding','metadata':{'name':%s,'uid':%s},"
				   "'target':{'apiVersion':'v1','kind':'Node','name':%s}}",
				   object_name(pod), object_uid(pod), node) &&
				   kube_create(r->kube, &kind, object_namespace(pod), json_root(binding), NULL, &err),
			       "bind", &err);
}

bool remote_replace(struct remote *r, enum world_kind kind, const json_node *object)
{
	struct err err = ERR_INIT;

	return !r->down &&
	       remote_result(r, kube_replace(r->kube, &r->kinds[kind], space_of(r, kind, object), object, NULL, &err),
		   "replace", &err);
}

bool remote_patch(
    struct remote *r, enum world_kind kind, const json_node *object, const char *sub, const json_node *patch)
{
	struct err err = ERR_INIT;

	return !r->down && remote_result(r,
			       kube_patch(r->kube, &r->kinds[kind], space_of(r, kind, object), object_name(object), sub,
				   KUBE_PATCH_MERGE, patch, NULL, &err),
			       "patch", &err);
}

bool remote_delete(struct remote *r, enum world_kind kind, const json_node *object, int64_t grace_seconds)
{
	const struct kube_delete options = {.uid = object_uid(object), .grace_seconds = grace_seconds};
	struct err err = ERR_INIT;

	return !r->down && remote_result(r,
			       kube_delete(r->kube, &r->kinds[kind], space_of(r, kind, object), object_name(object),
				   &options, &err),
			       "delete", &err);
}

bool remote_is_gone(struct remote *r, enum world_kind kind, const char *namespace_, const char *name, const char *uid)
{
	CLEANUP(json) struct json *object = NULL;
	struct err err = ERR_INIT;

	if (r->down)
		return false;
	if (kube_get(r->kube, &r->kinds[kind], namespace_, name, &object, &err))
		return *uid && strcmp(object_uid(json_root(object)), uid) != 0;
	if (err.code == ERR_NOT_FOUND)
		return true;
	remote_result(r, false, "get", &err);
	return false;
}
