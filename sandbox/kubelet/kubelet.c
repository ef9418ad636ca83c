#include "sandbox/kubelet/kubelet.h"

#include "base/file.h"
#include "sandbox/kubelet/container_logs.h"
#include "sandbox/kubelet/events.h"
#include "sandbox/kubelet/node.h"
#include "sandbox/kubelet/pods.h"
#include "sandbox/kubelet/programs.h"
#include "sandbox/kubelet/proxy.h"
#include "sandbox/kubelet/remote.h"
#include "sandbox/kubelet/services.h"
#include "sandbox/kubelet/volumes.h"
#include "sandbox/kubelet/workloads.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/signalfd.h>
#include <unistd.h>

#define AGAIN_MS 100 /* after a conflict; doubled each time that it does not help */
#define AGAIN_MAX_MS 5000
#define DOWN_MS 500	  /* after a server that did not answer */
#define LOOK_MS 10000	  /* at least this often */
#define END_GRACE_MS 1200 /* of the pods, when the kubelet is asked to end */
#define END_LIMIT_MS 3000
#define HOSTS_BYTES_MAX ((size_t)1 << 20)

enum { FD_STOP, FD_CHILD, FD_NOTIFY, FD_FIXED };
#define FDS_MAX (FD_FIXED + PODS_FDS_MAX + PROXY_FDS_MAX)

struct kubelet {
	const struct kubelet_config *config;
	struct remote remote;
	struct pods *pods;
	struct events *events;
	struct proxy *proxy;
	struct container_logs *logs;
	struct node node;
	char hosts_path[PATH_MAX], volumes_dir[PATH_MAX];
	struct buf hosts; /* what is in the file */
	struct routes routes;
	struct pollfd fds[FDS_MAX];
	int child_fd, lock_fd;
	bool swept, ready_said;
	int64_t look_at_ms; /* when to look next at the latest */
	int64_t again_ms;
};

static void kubelet_free(struct kubelet *k)
{
	container_logs_stop(k->logs);
	proxy_free(k->proxy);
	pods_free(k->pods);
	events_free(k->events);
	remote_close(&k->remote);
	buf_clear(&k->hosts);
	if (k->child_fd >= 0)
		close(k->child_fd);
	if (k->lock_fd >= 0)
		close(k->lock_fd);
	free(k);
}
CLEANUP_PTR(kubelet, struct kubelet, kubelet_free)

static int64_t now_of(const struct kubelet *k)
{
	return clock_mono_ms(k->config->clock);
}

static bool take_lock(struct kubelet *k, struct err *err)
{
	char path[PATH_MAX];

	snprintf(path, sizeof path, "%s/kubelet", k->config->dir);
	if (!file_make_dirs(path, 0700, err))
		return false;
	snprintf(path, sizeof path, "%s/kubelet/lock", k->config->dir);
	k->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (k->lock_fd < 0)
		return err_errno(err, ERR_IO, errno, "open \"%s\"", path);
	if (flock(k->lock_fd, LOCK_EX | LOCK_NB))
		return err_set(err, ERR_STATE, "another kubelet runs on \"%s\"", k->config->dir);
	return true;
}

/* Before any thread is made, so that all of them have it blocked. */
static bool watch_children(struct kubelet *k, struct err *err)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	k->child_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return k->child_fd >= 0 || err_errno(err, ERR_IO, errno, "create a signalfd");
}

static bool open_all(struct kubelet *k, struct err *err)
{
	const struct kubelet_config *c = k->config;
	const struct pods_config pods = {.dir = c->dir,
	    .kubeconfig = c->kubeconfig,
	    .range = c->range,
	    .clock = c->clock,
	    .log = c->log,
	    .find_program = program_find};

	if (snprintf(k->hosts_path, PATH_MAX, "%s/hosts", c->dir) >= PATH_MAX ||
	    snprintf(k->volumes_dir, PATH_MAX, "%s/volumes", c->dir) >= PATH_MAX)
		return err_set(err, ERR_LIMIT, "the path \"%s\" is too long", c->dir);
	k->proxy = proxy_new(c->log);
	k->events = events_new(&k->remote, c->clock);
	if (!k->proxy || !k->events)
		return err_nomem(err);
	return take_lock(k, err) && watch_children(k, err) && pods_new(&pods, &k->pods, err) &&
	       remote_open(&k->remote, c->kubeconfig, c->log, err) &&
	       (!c->log_port || container_logs_start(c, k->remote.caches[WORLD_PODS], &k->logs, err));
}

/* --- one look ---------------------------------------------------------------------------------------------------- */

static void sync_names(struct kubelet *k, const struct world *w)
{
	BUF_CLEANUP struct buf text = BUF_INIT(HOSTS_BYTES_MAX);
	struct err err = ERR_INIT;

	if (!hosts_text(w, &text, &err)) {
		remote_result(&k->remote, false, "names", &err);
		return;
	}
	if (k->hosts.len == text.len && k->hosts.data && !memcmp(k->hosts.data, text.data, text.len))
		return;
	if (!file_write_atomic(k->hosts_path, text.data, text.len, 0600, &err)) {
		remote_result(&k->remote, false, "names", &err);
		return;
	}
	buf_reset(&k->hosts);
	buf_add(&k->hosts, text.data, text.len, NULL);
}

/* By what the Services' pods are now. */
static void sync_services(struct kubelet *k, struct world *w)
{
	struct json *stored = w->lists[WORLD_ENDPOINTS], *settled = NULL;
	struct err err = ERR_INIT;

	if (!endpoints_settle(w, &settled, &err)) {
		remote_result(&k->remote, false, "endpoints", &err);
		return;
	}
	w->lists[WORLD_ENDPOINTS] = settled;
	sync_names(k, w);
	routes_make(w, &k->routes);
	w->lists[WORLD_ENDPOINTS] = stored;
	json_free(settled);
	if (!proxy_update(k->proxy, &k->routes))
		k->remote.again = true;
}

static bool runs_here(void *ctx, const char *uid)
{
	const struct kubelet *k = ctx;

	return pods_runs(k->pods, uid);
}

static void look(struct kubelet *k)
{
	const struct claim_users users = {runs_here, k};
	WORLD_CLEANUP struct world w = {0};
	struct err err = ERR_INIT;
	int64_t now_ms = now_of(k);

	k->look_at_ms = now_ms + LOOK_MS;
	remote_begin(&k->remote);
	if (!remote_look(&k->remote, &w, &err)) {
		remote_result(&k->remote, false, "snapshot", &err);
		k->look_at_ms = now_ms + AGAIN_MS;
		return;
	}
	if (!k->swept) {
		pods_sweep(k->pods, &w);
		volumes_sweep(&k->remote, &w, k->volumes_dir);
		events_begin(k->events);
		k->swept = true;
	}
	node_sync(&k->node, &k->remote, k->config->range, k->config->log_port, clock_wall_ms(k->config->clock));
	/* names and routes first: what starts below may ask for them at once */
	sync_services(k, &w);
	volumes_sync(&k->remote, &w, k->volumes_dir, &users);
	pods_sync(k->pods, &k->remote, &w, k->events);
	workloads_sync(&k->remote, &w);
	endpoints_sync(&k->remote, &w);
	if (k->remote.down)
		k->look_at_ms = now_of(k) + DOWN_MS;
	else if (k->remote.again)
		k->look_at_ms = now_of(k) + k->again_ms;
	k->again_ms = !k->remote.again ? AGAIN_MS : 2 * k->again_ms < AGAIN_MAX_MS ? 2 * k->again_ms : AGAIN_MAX_MS;
	if (!k->ready_said && !k->remote.down)
		log_line(k->config->log, LOG_INFO, "ready", NULL);
	k->ready_said |= !k->remote.down;
}

/* --- the loop ---------------------------------------------------------------------------------------------------- */

static int pause_ms(const struct kubelet *k, bool synced)
{
	int64_t due = pods_due_ms(k->pods), now_ms = now_of(k);

	/* the first lists come without more notice than the caches' own */
	if (!synced)
		due = now_ms + AGAIN_MS;
	else if (k->look_at_ms < due)
		due = k->look_at_ms;
	if (due <= now_ms)
		return 0;
	return due - now_ms > LOOK_MS ? LOOK_MS : (int)(due - now_ms);
}

static void drain_children(struct kubelet *k)
{
	struct signalfd_siginfo info;

	while (read(k->child_fd, &info, sizeof info) == (ssize_t)sizeof info)
		;
}

/* Waits, and serves what came. True: it is time to look. */
static bool turn(struct kubelet *k, bool synced)
{
	size_t pods, proxied, n;
	bool changed = false;

	k->fds[FD_STOP] = (struct pollfd){.fd = k->config->stop_fd, .events = POLLIN};
	k->fds[FD_CHILD] = (struct pollfd){.fd = k->child_fd, .events = POLLIN};
	k->fds[FD_NOTIFY] = (struct pollfd){.fd = k->remote.notify_fd, .events = POLLIN};
	pods = pods_poll(k->pods, k->fds + FD_FIXED, PODS_FDS_MAX);
	proxied = proxy_poll(k->proxy, k->fds + FD_FIXED + pods, PROXY_FDS_MAX);
	n = FD_FIXED + pods + proxied;
	if (poll(k->fds, (nfds_t)n, pause_ms(k, synced)) < 0)
		return false;
	proxy_step(k->proxy, k->fds + FD_FIXED + pods, proxied);
	if (pods)
		pods_read(k->pods);
	if (k->fds[FD_CHILD].revents)
		drain_children(k);
	changed |= pods_reap(k->pods);
	changed |= pods_tick(k->pods);
	if (k->fds[FD_NOTIFY].revents) {
		kube_notify_drain(k->remote.notify_fd);
		changed = true;
	}
	return changed || now_of(k) >= k->look_at_ms;
}

/* The pods end with the kubelet, as their processes would if it were killed, but in order where they are quick. */
static void end_pods(struct kubelet *k)
{
	int64_t limit = now_of(k) + END_LIMIT_MS;
	int64_t grace_ms = END_GRACE_MS;

	while (!pods_end(k->pods, grace_ms) && now_of(k) < limit) {
		size_t pods = pods_poll(k->pods, k->fds + 1, PODS_FDS_MAX);

		k->fds[0] = (struct pollfd){.fd = k->child_fd, .events = POLLIN};
		poll(k->fds, (nfds_t)(1 + pods), 50);
		drain_children(k);
		pods_read(k->pods);
		pods_reap(k->pods);
		pods_tick(k->pods);
	}
}

bool kubelet_run(const struct kubelet_config *config, struct err *err)
{
	CLEANUP(kubelet) struct kubelet *k = calloc(1, sizeof *k);
	bool synced = false;

	if (!k)
		return err_nomem(err);
	k->config = config;
	k->again_ms = AGAIN_MS;
	k->child_fd = k->lock_fd = k->remote.notify_fd = -1;
	buf_init(&k->hosts, HOSTS_BYTES_MAX);
	if (!open_all(k, err))
		return false;
	log_line(config->log, LOG_INFO, "waiting for the API server", NULL);
	while (!*config->stop) {
		bool due = turn(k, synced);

		synced = synced || remote_synced(&k->remote);
		if (synced && (due || !k->ready_said) && !*config->stop)
			look(k);
	}
	log_line(config->log, LOG_INFO, "ends", NULL);
	end_pods(k);
	return true;
}
