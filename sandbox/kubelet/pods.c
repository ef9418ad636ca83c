#include "sandbox/kubelet/pods.h"

#include "base/file.h"
#include "sandbox/kubelet/mounts.h"
#include "sandbox/kubelet/node.h"
#include "sandbox/kubelet/run.h"
#include "sandbox/parts/address.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REMOVE_AGAIN_MS 2000

extern char **environ;

struct pods {
	struct pods_config config;
	struct addresses addresses;
	char address_file[PATH_MAX], hosts[PATH_MAX], volumes_dir[PATH_MAX];
	char host_ip[16];
	struct words env_unset; /* what pods shall not inherit */
	struct run *runs[PODS_MAX];
	size_t count;
};

/* What a process of this machine needs from the environment of whoever started the sandbox; nothing else gets in: no
 * locale that mongod refuses, no credentials that the AWS SDK would pick up. */
static bool inherited(const char *variable)
{
	static const char *const kept[] = {"PATH=", "LD_LIBRARY_PATH=", "TMPDIR=", "TZDIR=", "ASAN_OPTIONS=",
	    "UBSAN_OPTIONS=", "LSAN_OPTIONS=", "TSAN_OPTIONS=", "PSMDB_DRILL_"};

	for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
		if (!strncmp(variable, kept[i], strlen(kept[i])))
			return true;
	return false;
}

static bool list_unset(struct pods *p, struct err *err)
{
	for (char **e = environ; e && *e; e++)
		if (!inherited(*e) && !words_printf(&p->env_unset, err, "%.*s", (int)strcspn(*e, "="), *e))
			return false;
	return true;
}

bool pods_new(const struct pods_config *config, struct pods **ret, struct err *err)
{
	CLEANUP(pods) struct pods *p = calloc(1, sizeof *p);
	char folder[PATH_MAX];

	if (!p)
		return err_nomem(err);
	p->config = *config;
	address_text(config->range, NODE_HOST, p->host_ip);
	if (snprintf(p->address_file, PATH_MAX, "%s/kubelet/addresses.json", config->dir) >= PATH_MAX ||
	    snprintf(p->hosts, PATH_MAX, "%s/hosts", config->dir) >= PATH_MAX ||
	    snprintf(p->volumes_dir, PATH_MAX, "%s/volumes", config->dir) >= PATH_MAX ||
	    snprintf(folder, PATH_MAX, "%s/pods", config->dir) >= PATH_MAX)
		return err_set(err, ERR_LIMIT, "the path \"%s\" is too long", config->dir);
	if (!list_unset(p, err) || !file_make_dirs(p->volumes_dir, 0700, err) || !file_make_dirs(folder, 0700, err) ||
	    !addresses_load(p->address_file, &p->addresses, err))
		return false;
	*ret = TAKE(p);
	return true;
}

void pods_free(struct pods *p)
{
	struct moment now;

	if (!p)
		return;
	now = moment_now(p->config.clock);
	for (size_t i = 0; i < p->count; i++) {
		run_stop(p->runs[i], 0, &now);
		run_free(p->runs[i]);
	}
	words_clear(&p->env_unset);
	free(p);
}

static struct run *find_run(const struct pods *p, const char *uid)
{
	for (size_t i = 0; i < p->count; i++)
		if (!strcmp(p->runs[i]->uid, uid))
			return p->runs[i];
	return NULL;
}

/* The pod of this name before it: its address is still in use. */
static bool key_runs(const struct pods *p, const char *key)
{
	for (size_t i = 0; i < p->count; i++)
		if (!strcmp(p->runs[i]->key, key))
			return true;
	return false;
}

bool pods_runs(const struct pods *p, const char *uid)
{
	const struct run *run = find_run(p, uid);

	return run && !run_done(run);
}

static void save_addresses(struct pods *p)
{
	struct err err = ERR_INIT;

	if (!addresses_save(p->address_file, &p->addresses, &err))
		log_line(p->config.log, LOG_ERROR, "addresses not written", "error", err.msg, NULL);
}

/* --- admission --------------------------------------------------------------------------------------------------- */

static bool of_statefulset(const json_node *pod)
{
	return json_is_at(pod, "metadata/ownerReferences/0/kind", "StatefulSet");
}

/* The pod cannot be here at all: it says why, and stays Pending. */
static void reject(struct pods *p, struct remote *r, const json_node *pod, const struct err *why, struct events *events)
{
	CLEANUP(json) struct json *patch = NULL;
	struct err err = ERR_INIT;
	char now[SECONDS_TEXT_MAX];

	if (json_is_at(pod, "status/message", why->msg))
		return;
	if (json_format(&patch, &err,
		"{'status':{'phase':'Pending','reason':'Unschedulable','message':%s,'conditions':[{'type':'"
		"PodScheduled',"
		"'status':'False','reason':'Unschedulable','message':%s,'lastTransitionTime':%s}]}}",
		why->msg, why->msg, seconds_text(clock_wall_ms(p->config.clock), now)))
		remote_patch(r, WORLD_PODS, pod, "status", json_root(patch));
	events_add(events, pod, "Pod", true, "FailedScheduling", "%s", why->msg);
}

/* Why the pod waits, before it has an address: a claim that is not there yet is no user of it. */
static bool claims_ready(const struct world *w, const json_node *pod, struct err *err)
{
	for (const json_node *v = json_first(json_at(pod, "spec/volumes")); v; v = json_next(v)) {
		const char *claim = json_text_at(v, "persistentVolumeClaim/claimName");
		const json_node *pvc = claim ? world_find(w, WORLD_CLAIMS, object_namespace(pod), claim) : NULL;

		if (!claim)
			continue;
		if (!pvc)
			return err_set(err, ERR_NOT_FOUND, "persistentvolumeclaim \"%s\" not found", claim);
		if (object_deleting(pvc))
			return err_set(err, ERR_STATE, "persistentvolumeclaim \"%s\" is being deleted", claim);
		if (!json_is_at(pvc, "status/phase", "Bound"))
			return err_set(err, ERR_STATE, "persistentvolumeclaim \"%s\" is not bound yet", claim);
	}
	return true;
}

static void admit(struct pods *p, struct remote *r, const struct world *w, const json_node *pod, struct events *events)
{
	struct moment now = moment_now(p->config.clock);
	struct err err = ERR_INIT;
	char key[POD_KEY_MAX + 64], ip[ADDRESS_MAX];
	struct run *run = NULL;
	bool changed = false;
	int host;

	snprintf(key, sizeof key, "%s/%s", object_namespace(pod), object_name(pod));
	if (key_runs(p, key))
		return; /* the next look comes when that one is gone */
	/* one that ran under the kubelet before has its volumes, whatever became of the claims */
	if ((!json_text_at(pod, "status/podIP") && !claims_ready(w, pod, &err)) ||
	    !addresses_take(&p->addresses, key, of_statefulset(pod), &host, &changed, &err)) {
		reject(p, r, pod, &err, events);
		return;
	}
	if (changed)
		save_addresses(p);
	address_text(p->config.range, host, ip);
	if (!run_new(pod, p->config.dir, ip, &now, &run, &err)) {
		reject(p, r, pod, &err, events);
		if (addresses_release(&p->addresses, key))
			save_addresses(p);
		return;
	}
	p->runs[p->count++] = run;
	events_add(events, pod, "Pod", false, "Scheduled", "Assigned %s to %s as %s", key, NODE_NAME, ip);
	log_line(p->config.log, LOG_INFO, "pod admitted", "ns", run->ns, "pod", run->name, "address", ip, NULL);
	if (!json_text_at(pod, "spec/nodeName"))
		remote_bind(r, pod, NODE_NAME);
}

/* --- what the server has, and what runs -------------------------------------------------------------------------- */

static bool is_ours(const json_node *pod)
{
	const char *node = json_text_at(pod, "spec/nodeName");

	return !node || !*node || !strcmp(node, NODE_NAME);
}

static void remove_dir(struct pods *p, const char *dir)
{
	struct err err = ERR_INIT;

	if (!file_remove_tree(dir, &err))
		log_line(p->config.log, LOG_WARN, "pod folder not removed", "error", err.msg, NULL);
}

/* A pod that goes and of which nothing runs here. */
static void let_go(struct pods *p, struct remote *r, const json_node *pod)
{
	char dir[PATH_MAX];

	if (remote_delete(r, WORLD_PODS, pod, 0) && run_dir(p->config.dir, pod, dir))
		remove_dir(p, dir);
}

static int64_t grace_ms(const json_node *pod)
{
	int64_t seconds = json_int_at(
	    pod, "metadata/deletionGracePeriodSeconds", json_int_at(pod, "spec/terminationGracePeriodSeconds", 30));

	return seconds < 0 ? 0 : seconds > 3600 ? 3600000 : seconds * 1000;
}

static void look_at_pod(
    struct pods *p, struct remote *r, const struct world *w, const json_node *pod, struct events *events)
{
	struct moment now = moment_now(p->config.clock);
	struct run *run = find_run(p, object_uid(pod));

	if (!run) {
		if (object_deleting(pod))
			let_go(p, r, pod);
		else if (!pod_finished(pod) && p->count < PODS_MAX)
			admit(p, r, w, pod, events);
		return;
	}
	if (object_deleting(pod) && !run->stopping) {
		run_stop(run, grace_ms(pod), &now);
		events_add(events, pod, "Pod", false, "Killing", "Stopping its containers, %d s for each",
		    (int)(grace_ms(pod) / 1000));
		log_line(p->config.log, LOG_INFO, "pod ends", "ns", run->ns, "pod", run->name, NULL);
	}
}

static void drop_run(struct pods *p, size_t i)
{
	struct run *run = p->runs[i];

	log_line(p->config.log, LOG_INFO, "pod gone", "ns", run->ns, "pod", run->name, NULL);
	remove_dir(p, run->dir);
	if (addresses_release(&p->addresses, run->key))
		save_addresses(p);
	run_free(run);
	p->runs[i] = p->runs[--p->count];
}

static void report(struct pods *p, struct remote *r, struct run *run, const json_node *pod)
{
	CLEANUP(json) struct json *status = NULL;
	CLEANUP(json) struct json *patch = NULL;
	struct err err = ERR_INIT;

	if (!run_status(run, p->host_ip, clock_wall_ms(p->config.clock), &status, &err) ||
	    !json_format(&patch, &err, "{'status':%j}", json_root(status))) {
		remote_result(r, false, "pod status", &err);
		return;
	}
	/* what was said while it could not be admitted */
	if (json_at(pod, "status/message") && !json_set_format(json_edit(patch), "status/message", &err, "null"))
		return;
	if (json_at(pod, "status/message") && !json_set_format(json_edit(patch), "status/reason", &err, "null"))
		return;
	if (run->written && json_equal(json_root(run->written), json_root(status)))
		return;
	if (!remote_patch(r, WORLD_PODS, pod, "status", json_root(patch)))
		return;
	json_free(run->written);
	run->written = TAKE(status);
}

static void look_at_run(struct pods *p, struct remote *r, const struct world *w, struct run *run, const json_node *pod)
{
	const struct recipe_place place = {
	    .dir = p->config.dir,
	    .kubeconfig = p->config.kubeconfig,
	    .hosts = p->hosts,
	    .pod_ip = run->ip,
	    .host_ip = p->host_ip,
	    .mounts = {run->dir, p->volumes_dir},
	    .find_program = p->config.find_program,
	    .ctx = p->config.ctx,
	};
	int64_t now_ms = clock_mono_ms(p->config.clock);

	run_start(run, w, pod, &place, (const char *const *)p->env_unset.items, p->config.clock);
	report(p, r, run, pod);
	if (!run->stopping || !run_done(run) || now_ms < run->remove_at_ms)
		return;
	remote_delete(r, WORLD_PODS, pod, 0);
	/* a finalizer may hold it: no need to ask again with each look */
	run->remove_at_ms = now_ms + REMOVE_AGAIN_MS;
}

static const json_node *find_pod(const struct world *w, const char *uid)
{
	for (const json_node *pod = world_first(w, WORLD_PODS); pod; pod = json_next(pod))
		if (!strcmp(object_uid(pod), uid))
			return pod;
	return NULL;
}

void pods_sync(struct pods *p, struct remote *r, const struct world *w, struct events *events)
{

	struct moment now = moment_now(p->config.clock);

	for (size_t i = p->count; i-- > 0;) {
		if (find_pod(w, p->runs[i]->uid))
			continue;
		if (!run_done(p->runs[i]))
			run_stop(p->runs[i], 0, &now);
		if (run_quiet(p->runs[i]))
			drop_run(p, i);
	}
	for (const json_node *pod = world_first(w, WORLD_PODS); pod; pod = json_next(pod))
		if (is_ours(pod))
			look_at_pod(p, r, w, pod, events);
	for (size_t i = 0; i < p->count; i++) {
		const json_node *pod = find_pod(w, p->runs[i]->uid);

		if (!pod)
			continue;
		look_at_run(p, r, w, p->runs[i], pod);
		run_tell(p->runs[i], events, pod);
	}
}

void pods_sweep(struct pods *p, const struct world *w)
{
	char folder[PATH_MAX];
	struct dirent *entry;
	DIR *dir;

	snprintf(folder, sizeof folder, "%s/pods", p->config.dir);
	dir = opendir(folder);
	while (dir && (entry = readdir(dir))) {
		const char *uid = strrchr(entry->d_name, '_');
		char path[PATH_MAX];

		if (!uid || find_pod(w, uid + 1) ||
		    snprintf(path, sizeof path, "%s/%s", folder, entry->d_name) >= (int)sizeof path)
			continue;
		remove_dir(p, path);
	}
	if (dir)
		closedir(dir);
}

/* --- processes --------------------------------------------------------------------------------------------------- */

static void log_exit(const struct pods *p, const struct run *run, const struct container *c)
{
	char code[16];

	snprintf(code, sizeof code, "%d", c->view.end.exit_code);
	log_line(p->config.log, c->view.state == CONTAINER_BACKOFF ? LOG_WARN : LOG_INFO, "container ended", "ns",
	    run->ns, "pod", run->name, "container", c->view.name, "exit", code, "now",
	    container_state_name(c->view.state), NULL);
}

bool pods_reap(struct pods *p)
{
	struct moment now = moment_now(p->config.clock);
	bool changed = false;

	for (size_t i = 0; i < p->count; i++) {
		struct run *run = p->runs[i];

		for (size_t c = 0; c < run->count; c++) {
			if (!container_reap(&run->containers[c], run_policy(run, c), &now))
				continue;
			log_exit(p, run, &run->containers[c]);
			changed = true;
		}
	}
	return changed;
}

bool pods_tick(struct pods *p)
{
	struct moment now = moment_now(p->config.clock);
	bool changed = false;

	for (size_t i = 0; i < p->count; i++) {
		for (size_t c = 0; c < p->runs[i]->count; c++) {
			struct container *container = &p->runs[i]->containers[c];

			changed |= container_tick(container, &now);
			changed |= !p->runs[i]->stopping && container_wants_start(container, &now);
		}
		changed |= p->runs[i]->stopping && run_done(p->runs[i]) && now.mono_ms >= p->runs[i]->remove_at_ms;
	}
	return changed;
}

int64_t pods_due_ms(const struct pods *p)
{
	struct moment now = moment_now(p->config.clock);
	int64_t due = CONTAINER_NEVER;

	for (size_t i = 0; i < p->count; i++) {
		for (size_t c = 0; c < p->runs[i]->count; c++) {
			int64_t d = container_due_ms(&p->runs[i]->containers[c], &now);

			due = d < due ? d : due;
		}
		if (p->runs[i]->stopping && run_done(p->runs[i]) && p->runs[i]->remove_at_ms < due)
			due = p->runs[i]->remove_at_ms;
	}
	return due;
}

size_t pods_poll(const struct pods *p, struct pollfd *fds, size_t max)
{
	size_t n = 0;

	for (size_t i = 0; i < p->count; i++)
		for (size_t c = 0; c < p->runs[i]->count; c++)
			for (int s = 0; s < 2; s++) {
				int fd = p->runs[i]->containers[c].output.pipes[s];

				if (fd >= 0 && n < max)
					fds[n++] = (struct pollfd){.fd = fd, .events = POLLIN};
			}
	return n;
}

void pods_read(struct pods *p)
{
	struct moment now = moment_now(p->config.clock);

	for (size_t i = 0; i < p->count; i++)
		for (size_t c = 0; c < p->runs[i]->count; c++)
			if (p->runs[i]->containers[c].pid)
				output_read(&p->runs[i]->containers[c].output, now.wall_ms * 1000000);
}

bool pods_end(struct pods *p, int64_t limit_ms)
{
	struct moment now = moment_now(p->config.clock);
	bool quiet = true;

	for (size_t i = 0; i < p->count; i++) {
		run_stop(p->runs[i], limit_ms, &now);
		quiet &= run_quiet(p->runs[i]);
	}
	return quiet;
}
