#include "sandbox/kubelet/run.h"

#include "sandbox/kubelet/mounts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_NAME_MAX 255

bool run_dir(const char *dir, const json_node *pod, char ret[static PATH_MAX])
{
	const char *ns = object_namespace(pod), *name = object_name(pod), *uid = object_uid(pod);

	if (!is_file_name(ns) || !is_file_name(name) || !is_file_name(uid) ||
	    strlen(ns) + strlen(name) + strlen(uid) + 2 > FILE_NAME_MAX)
		return false;
	return snprintf(ret, PATH_MAX, "%s/pods/%s_%s_%s", dir, ns, name, uid) < PATH_MAX;
}

static const json_node *status_of(const json_node *pod, const char *list, const char *container)
{
	for (const json_node *s = json_first(json_at(pod, list)); s; s = json_next(s))
		if (json_is_at(s, "name", container))
			return s;
	return NULL;
}

static bool add_container(struct run *run, const json_node *pod, const json_node *spec, const char *statuses,
    const char *policy, const struct moment *now, struct err *err)
{
	struct container *container = &run->containers[run->count];
	const json_node *before;

	if (run->count == CONTAINERS_MAX)
		return err_set(err, ERR_UNSUPPORTED, "more than %d containers", CONTAINERS_MAX);
	container_init(container, spec);
	run->count++;
	if (!is_file_name(container->view.name))
		return err_set(err, ERR_PARSE, "a container without a usable name");
	before = status_of(pod, statuses, container->view.name);
	if (before)
		container_view_resume(&container->view, before, policy, now->wall_ms);
	return true;
}

static const char *init_policy(const char *policy)
{
	return strcmp(policy, "Never") ? "OnFailure" : "Never";
}

const char *run_policy(const struct run *run, size_t container)
{
	return container < run->init_count ? init_policy(run->policy) : run->policy;
}

/* Of the init containers only those of this project's image: what Percona's prepare, nobody needs here. */
static bool add_containers(struct run *run, const json_node *pod, const struct moment *now, struct err *err)
{
	for (const json_node *c = json_first(json_at(pod, "spec/initContainers")); c; c = json_next(c)) {
		const char *image = json_text_at(c, "image");

		if (image_find(image ? image : "") == IMAGE_PROJECT &&
		    !add_container(run, pod, c, "status/initContainerStatuses", init_policy(run->policy), now, err))
			return false;
	}
	run->init_count = run->count;
	for (const json_node *c = json_first(json_at(pod, "spec/containers")); c; c = json_next(c)) {
		if (!add_container(run, pod, c, "status/containerStatuses", run->policy, now, err))
			return false;
		run->containers[run->count - 1].restart_at_ms = run->init_count ? CONTAINER_NEVER : 0;
	}
	return run->count > run->init_count || err_set(err, ERR_UNSUPPORTED, "a pod without containers");
}

bool run_new(
    const json_node *pod, const char *dir, const char *ip, const struct moment *now, struct run **ret, struct err *err)
{
	struct run *run = calloc(1, sizeof *run);
	const char *policy = json_text_at(pod, "spec/restartPolicy"), *started = json_text_at(pod, "status/startTime");

	if (!run)
		return err_nomem(err);
	snprintf(run->ns, sizeof run->ns, "%s", object_namespace(pod));
	snprintf(run->name, sizeof run->name, "%s", object_name(pod));
	snprintf(run->uid, sizeof run->uid, "%s", object_uid(pod));
	snprintf(run->key, sizeof run->key, "%s/%s", run->ns, run->name);
	snprintf(run->ip, sizeof run->ip, "%s", ip);
	snprintf(run->policy, sizeof run->policy, "%s", policy ? policy : "Always");
	if (!started || !time_parse(started, &run->start_ms))
		run->start_ms = now->wall_ms;
	if (!run_dir(dir, pod, run->dir)) {
		run_free(run);
		return err_set(
		    err, ERR_UNSUPPORTED, "namespace, name and uid together are too long for a folder's name");
	}
	if (!add_containers(run, pod, now, err) || !json_clone(json_get(pod, "spec"), &run->spec, err)) {
		run_free(run);
		return false;
	}
	*ret = run;
	return true;
}

void run_free(struct run *run)
{
	if (!run)
		return;
	for (size_t i = 0; i < run->count; i++)
		container_clear(&run->containers[i]);
	json_free(run->written);
	json_free(run->spec);
	free(run);
}

static const json_node *container_spec(const json_node *pod, const char *list, const char *name)
{
	for (const json_node *c = json_first(json_at(pod, list)); c; c = json_next(c))
		if (json_is_at(c, "name", name))
			return c;
	return NULL;
}

static bool start_container(struct run *run, struct container *c, const struct world *w, const json_node *pod,
    const struct recipe_place *place, const char *const *env_unset, const struct moment *now, const char **reason,
    struct err *err)
{
	RECIPE_CLEANUP struct recipe recipe = {0};
	char log[PATH_MAX], previous[PATH_MAX];
	const struct container_start start = {&recipe, env_unset, log, previous, run->ip};
	const json_node *spec = container_spec(
	    pod, c < &run->containers[run->init_count] ? "spec/initContainers" : "spec/containers", c->view.name);

	*reason = "CreateContainerError";
	if (!spec)
		return err_set(err, ERR_STATE, "the pod has no such container any more");
	if (snprintf(log, sizeof log, "%s/%s.log", run->dir, c->view.name) >= PATH_MAX ||
	    snprintf(previous, sizeof previous, "%s/%s.previous.log", run->dir, c->view.name) >= PATH_MAX)
		return err_set(err, ERR_LIMIT, "the path of the log is too long");
	if (!recipe_make(w, pod, spec, place, &recipe, reason, err))
		return false;
	*reason = "RunContainerError";
	return container_start(c, &start, now, err);
}

static bool any_due(const struct run *run, const struct moment *now)
{
	for (size_t i = 0; i < run->count; i++)
		if (container_wants_start(&run->containers[i], now))
			return true;
	return false;
}

/* A text for people, with the hint behind it. */
static void describe(const struct err *err, char *text, size_t size)
{
	snprintf(text, size, "%s%s%s", err->msg, err->hint[0] ? "; " : "", err->hint);
}

static bool ended_well(const struct container *c)
{
	return c->view.state == CONTAINER_DONE && c->view.end.known && !c->view.end.exit_code;
}

/* One init container after the other, then all containers at once; when an init container has failed for good, none. */
static void step_inits(struct run *run, const struct moment *now)
{
	size_t done = 0;

	while (done < run->init_count && ended_well(&run->containers[done]))
		done++;
	for (size_t i = done + 1; i < run->init_count; i++)
		run->containers[i].restart_at_ms = CONTAINER_NEVER;
	if (done < run->init_count && run->containers[done].restart_at_ms == CONTAINER_NEVER)
		run->containers[done].restart_at_ms = 0;
	for (size_t i = run->init_count; i < run->count; i++) {
		struct container *c = &run->containers[i];

		if (done < run->init_count && c->view.state == CONTAINER_WAITING && !c->view.reason[0])
			snprintf(c->view.reason, sizeof c->view.reason, "PodInitializing");
		if (done == run->init_count && c->restart_at_ms == CONTAINER_NEVER)
			c->restart_at_ms = 0;
		if (done < run->init_count && run->containers[done].view.state == CONTAINER_DONE)
			container_stop(c, 0, now);
	}
}

bool run_start(struct run *run, const struct world *w, const json_node *pod, const struct recipe_place *place,
    const char *const *env_unset, const struct clock *clock)
{
	struct moment now = moment_now(clock);
	struct err volumes = ERR_INIT;
	bool changed = false, mounted;
	char text[1024];

	if (run->init_count && !run->stopping)
		step_inits(run, &now);
	if (run->stopping || !any_due(run, &now))
		return false;
	mounted = mounts_make(w, pod, &place->mounts, &volumes);
	for (size_t i = 0; i < run->count; i++) {
		struct container *c = &run->containers[i];
		struct err err = ERR_INIT;
		const char *reason;

		if (!container_wants_start(c, &now))
			continue;
		changed = true;
		if (!mounted) {
			describe(&volumes, text, sizeof text);
			container_refuse(c, "ContainerCreating", text, &now);
			continue;
		}
		if (start_container(run, c, w, pod, place, env_unset, &now, &reason, &err))
			continue;
		describe(&err, text, sizeof text);
		container_refuse(c, reason, text, &now);
	}
	return changed;
}

static void tell_one(struct run *run, size_t i, struct events *events, const json_node *pod)
{
	const struct container_view *v = &run->containers[i].view;
	char why[sizeof run->told[i].why];

	if (v->state == CONTAINER_RUNNING && (!run->told[i].runs || run->told[i].restarts != v->restarts)) {
		events_add(events, pod, "Pod", false, "Started", "Started container %s", v->name);
		run->told[i].why[0] = '\0';
		run->told[i].restarts = v->restarts;
	}
	if (v->state == CONTAINER_BACKOFF && run->told[i].runs)
		events_add(events, pod, "Pod", true, "BackOff",
		    "Back-off restarting container %s, which ended with exit status %d", v->name, v->end.exit_code);
	run->told[i].runs = v->state == CONTAINER_RUNNING;
	if (v->state != CONTAINER_WAITING || !v->reason[0] || !strcmp(v->reason, "PodInitializing"))
		return;
	snprintf(why, sizeof why, "%s: %s", v->reason, v->message);
	if (!strcmp(why, run->told[i].why))
		return;
	strcpy(run->told[i].why, why);
	events_add(
	    events, pod, "Pod", true, strcmp(v->reason, "ContainerCreating") ? "Failed" : "FailedMount", "%s", why);
}

void run_tell(struct run *run, struct events *events, const json_node *pod)
{
	for (size_t i = 0; i < run->count; i++)
		tell_one(run, i, events, pod);
}

void run_stop(struct run *run, int64_t grace_ms, const struct moment *now)
{
	run->stopping = true;
	for (size_t i = 0; i < run->count; i++)
		container_stop(&run->containers[i], grace_ms, now);
}

bool run_quiet(const struct run *run)
{
	for (size_t i = 0; i < run->count; i++)
		if (run->containers[i].pid)
			return false;
	return true;
}

bool run_done(const struct run *run)
{
	for (size_t i = 0; i < run->count; i++)
		if (run->containers[i].view.state != CONTAINER_DONE)
			return false;
	return true;
}

bool run_status(const struct run *run, const char *host_ip, int64_t wall_ms, struct json **ret, struct err *err)
{
	struct container_view *views = calloc(run->count, sizeof *views);
	const struct pod_view v = {.containers = views + run->init_count,
	    .count = run->count - run->init_count,
	    .inits = views,
	    .init_count = run->init_count,
	    .pod_ip = run->ip,
	    .host_ip = host_ip,
	    .start_ms = run->start_ms,
	    .now_ms = wall_ms,
	    .spec = json_root(run->spec),
	    .before = run->written ? json_root(run->written) : NULL};
	bool ok;

	if (!views)
		return err_nomem(err);
	for (size_t i = 0; i < run->count; i++)
		views[i] = run->containers[i].view;
	ok = pod_status(&v, ret, err);
	free(views);
	return ok;
}
