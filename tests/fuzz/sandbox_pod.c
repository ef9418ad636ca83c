/*
 * A pod and what it refers to, from an API server: refused or made into command lines. What is made is bounded, its
 * environment has names, and no path that stands in for a mounted one leads out of the sandbox's folders.
 */
#include "sandbox/kubelet/lifecycle.h"
#include "sandbox/kubelet/recipe.h"
#include "sandbox/kubelet/services.h"
#include "sandbox/kubelet/volumes.h"
#include "sandbox/kubelet/workload.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool find_program(void *ctx, const char *name, char ret[static PATH_MAX], struct err *err)
{
	(void)ctx;
	(void)err;
	snprintf(ret, PATH_MAX, "/bin/%s", name);
	return true;
}

static void check_mounts(
    const struct world *w, const json_node *pod, const json_node *container, const struct recipe_place *place)
{
	MOUNTS_CLEANUP struct mounts mounts = {0};

	if (!mounts_of_container(w, pod, container, &place->mounts, &mounts, NULL))
		return;
	for (size_t i = 0; i < mounts.count; i++) {
		const char *outside = mounts.pairs[i].outside;

		if (strncmp(outside, "/dev/null/", 10) != 0 || strstr(outside, "/../") || !*mounts.pairs[i].inside)
			abort();
	}
}

static void check_container(const struct world *w, const json_node *pod, const json_node *container)
{
	/* folders below a file: whatever would be made cannot be */
	const struct recipe_place place = {"/dev/null", "/dev/null/kubeconfig", "/dev/null/hosts", "127.1.1.11",
	    "127.1.1.3", {"/dev/null/pod", "/dev/null/volumes"}, find_program, NULL};
	RECIPE_CLEANUP struct recipe recipe = {0};
	const char *reason = NULL;
	struct err err = ERR_INIT;

	check_mounts(w, pod, container, &place);
	if (!recipe_make(w, pod, container, &place, &recipe, &reason, &err)) {
		if (!reason || err.code == ERR_NONE)
			abort();
		return;
	}
	if (!recipe.argv.count || recipe.argv.items[0][0] != '/' || recipe.argv.items[recipe.argv.count])
		abort();
	for (size_t i = 0; i < recipe.env.count; i++)
		if (!strchr(recipe.env.items[i], '=') || recipe.env.items[i][0] == '=')
			abort();
}

static void check_workload(const struct world *w, const json_node *object)
{
	CLEANUP(json) struct json *pod = NULL;
	CLEANUP(json) struct json *other = NULL;
	struct workload_plan plan;
	char revision[REVISION_MAX];

	if (!template_revision(json_at(object, "spec/template"), revision, NULL))
		return;
	if (statefulset_plan(w, object, revision, &plan, NULL) && plan.count > 2 * REPLICAS_MAX)
		abort();
	if (deployment_plan(w, object, revision, &plan, NULL) && plan.count > 2 * REPLICAS_MAX)
		abort();
	statefulset_pod(object, 0, revision, &pod, NULL);
	deployment_pod(object, 0, revision, &other, NULL);
}

static void check_service(const struct world *w, const json_node *service)
{
	CLEANUP(json) struct json *endpoints = NULL;

	endpoints_make(w, service, &endpoints, NULL);
}

static void check_status(const json_node *pod)
{
	struct container_view view = {.name = "c"};

	container_view_resume(
	    &view, json_at(pod, "status/containerStatuses/0"), json_text_at(pod, "spec/restartPolicy"), 0);
	if (view.state != CONTAINER_WAITING && view.state != CONTAINER_DONE)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[WORLD_KINDS] = {"pods", "services", "endpoints", "secrets", "configmaps",
	    "claims", "volumes", "statefulsets", "deployments"};
	static const struct json_limits limits = {.max_bytes = 65536, .max_depth = 32, .unique_keys = true};
	CLEANUP(json) struct json *doc = NULL;
	WORLD_CLEANUP struct world w = {0};
	BUF_CLEANUP struct buf hosts = BUF_INIT(1 << 20);
	struct routes *routes = calloc(1, sizeof *routes);

	if (!routes)
		abort();
	if (json_parse((const char *)data, size, &limits, &doc, NULL)) {
		for (int i = 0; i < WORLD_KINDS; i++)
			if (!json_format(&w.lists[i], NULL, "{'items':%j}", json_get(json_root(doc), names[i])))
				abort();
		for (const json_node *p = world_first(&w, WORLD_PODS); p; p = json_next(p)) {
			for (const json_node *c = json_first(json_at(p, "spec/containers")); c; c = json_next(c))
				check_container(&w, p, c);
			check_status(p);
		}
		for (const json_node *o = world_first(&w, WORLD_STATEFULSETS); o; o = json_next(o))
			check_workload(&w, o);
		for (const json_node *s = world_first(&w, WORLD_SERVICES); s; s = json_next(s))
			check_service(&w, s);
		routes_make(&w, routes);
		hosts_text(&w, &hosts, NULL);
	}
	free(routes);
	return 0;
}
