#include "sandbox/parts/launch.h"

#include "base/file.h"
#include "sandbox/parts/guest.h"
#include "sandbox/parts/leftovers.h"
#include "sandbox/parts/purge.h"
#include "sandbox/parts/strays.h"
#include "sandbox/parts/supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define MEMBERS_DEFAULT 3
#define PORT_DEFAULT 27017
#define COMPRESSION_DEFAULT "s2"
#define LEFTOVERS_LIMIT_MS 15000

struct ground {
	const struct launch *launch;
	bool fresh; /* no sandbox was here before */
	struct layout layout;
	struct secrets secrets;
	struct part_set *set;
	int lock_fd, listen_fd;
	int lease[2]; /* the supervisor's end, the set-up's */
	struct address_hold hold;
};

static bool kill_leftovers(const struct state *state, struct err *err)
{
	char boot[BOOT_ID_MAX];

	process_boot_id(boot);
	for (size_t i = 0; !strcmp(boot, state->boot_id) && i < state->count; i++) {
		const struct state_process *p = &state->processes[i];

		if (p->pid && !process_kill(p->pid, p->start_ticks, p->program, err))
			return err_wrap(err, "end left-over \"%s\"", p->name);
	}
	return true;
}

static bool same_as_before(const struct launch *a, const struct layout *l, struct err *err)
{
	if (a->control_plane != layout_is_control_plane(l)) {
		err_set(err, ERR_USAGE, "the sandbox in \"%s\" is %s", a->dir,
		    a->control_plane ? "a replica set alone, without a Kubernetes API" : "one with a Kubernetes API");
		return err_hint(err, "choose another folder, or start it with \"psmdb-sandbox %sup\"",
		    a->control_plane ? "parts " : "");
	}
	if (a->bucket_of && strcmp(a->bucket_of, l->bucket_of) != 0) {
		err_set(err, ERR_USAGE, "the sandbox in \"%s\" has %s%.300s", a->dir,
		    layout_is_guest(l) ? "its bucket in " : "a bucket of its own", l->bucket_of);
		return err_hint(err, "leave the option out to start it again as it was, or choose another folder");
	}
	if (a->api && (a->api == LAUNCH_API_REAL) != l->real_api) {
		err_set(err, ERR_USAGE, "the sandbox in \"%s\" has the %s API server", a->dir,
		    l->real_api ? "real" : "embedded");
		return err_hint(err,
		    "leave out --apiserver to start it again, choose another folder, or remove it with "
		    "\"psmdb-sandbox down --purge --dir %s\"",
		    a->dir);
	}
	if ((!a->members || a->members == l->members) && (!a->mongod_port || a->mongod_port == l->mongod_port))
		return true;
	err_set(err, ERR_USAGE, "the sandbox in \"%s\" has %d members on port %u", a->dir, l->members, l->mongod_port);
	return err_hint(err,
	    "leave the options out to start it again, or remove it with \"psmdb-sandbox parts down --purge --dir %s\"",
	    a->dir);
}

/* Where the bucket of the other sandbox is now; its keys; and that it is used. */
static bool borrow(struct layout *l, const char *host_dir, struct err *err)
{
	CLEANUP(free) struct layout *host = calloc(1, sizeof *host);

	if (!host)
		return err_nomem(err);
	return guest_host(host_dir, host, err) && guest_borrow(l, host, err);
}

static bool plan_again(struct ground *g, struct err *err)
{
	CLEANUP(free) struct state *state = calloc(1, sizeof *state);

	if (!state)
		return err_nomem(err);
	if (!state_load(g->launch->dir, state, err) || !same_as_before(g->launch, &state->layout, err) ||
	    !kill_leftovers(state, err))
		return false;
	g->layout = state->layout;
	return !layout_is_guest(&g->layout) || borrow(&g->layout, state->layout.bucket_of, err);
}

static bool plan_fresh(struct ground *g, struct err *err)
{
	struct layout *l = &g->layout;
	const struct launch *a = g->launch;

	l->created_ms = clock_wall_ms(a->clock);
	l->members = a->control_plane ? 0 : a->members ? a->members : MEMBERS_DEFAULT;
	l->mongod_port = a->mongod_port ? a->mongod_port : PORT_DEFAULT;
	l->real_api = a->control_plane && a->api == LAUNCH_API_REAL;
	l->range = -1;
	snprintf(l->compression, sizeof l->compression, COMPRESSION_DEFAULT);
	if (chmod(l->dir, 0700))
		return err_errno(err, ERR_IO, errno, "close folder \"%s\" to others", l->dir);
	return uuid_random(&l->id, err) && (!a->bucket_of || borrow(l, a->bucket_of, err));
}

/* After a kill, what the killed ones had started may take a moment to die: pods are children of a child. */
static bool take_again(const struct address_want *want, struct ground *g, struct err *err)
{
	const struct clock *clock = g->launch->clock;
	int64_t until_ms = clock_mono_ms(clock) + LEFTOVERS_LIMIT_MS;
	struct err each = ERR_INIT;

	while (!address_take(want, &g->hold, &each)) {
		if (each.code != ERR_EXISTS || clock_mono_ms(clock) > until_ms) {
			*err = each;
			return false;
		}
		if (!clock_sleep_until(clock, clock_mono_ns(clock) + INT64_C(100000000), g->launch->stop))
			return err_set(err, ERR_INTERRUPTED, "interrupted");
		each = (struct err)ERR_INIT;
	}
	return true;
}

static bool plan(struct ground *g, struct err *err)
{
	struct layout *l = &g->layout;
	struct address_want want;

	strcpy(l->dir, g->launch->dir);
	g->fresh = !file_exists(layout_file(l, "state.json").text);
	if (!(g->fresh ? plan_fresh(g, err) : plan_again(g, err)))
		return false;
	if (g->launch->compression)
		snprintf(l->compression, sizeof l->compression, "%s", g->launch->compression);
	for (int i = 0; i < (l->real_api ? BINARIES_ALL : BINARIES); i++)
		if (!binary_find((enum binary)i, l->binaries[i], err))
			return false;
	layout_want(l, &want);
	if (g->fresh ? !address_take(&want, &g->hold, err) : !take_again(&want, g, err))
		return false;
	l->range = g->hold.range;
	l->ports = g->hold.ports;
	return true;
}

/* So that clients find a plan in the state file from the beginning. */
static bool write_first_state(struct ground *g, struct err *err)
{
	BUF_CLEANUP struct buf text = BUF_INIT(STATE_MAX_BYTES);

	return state_format(&g->layout, g->set, PHASE_STARTING, 0, clock_wall_ms(g->launch->clock), &text, err) &&
	       file_write_atomic(layout_file(&g->layout, "state.json").text, text.data, text.len, 0600, err);
}

static bool prepare(struct ground *g, struct err *err)
{
	return plan(g, err) && file_make_dirs(layout_file(&g->layout, "logs").text, 0700, err) &&
	       secrets_ensure(&g->layout, &g->secrets, err) &&
	       (!g->launch->prepare || g->launch->prepare(g->launch->arg, &g->layout, err)) &&
	       part_set_new(&g->layout, &g->secrets, &g->set, err) && write_first_state(g, err) &&
	       connection_listen(g->layout.dir, &g->listen_fd, err) && connection_pair(g->lease, err);
}

static void close_shared(struct ground *g)
{
	if (g->lock_fd >= 0)
		close(g->lock_fd);
	if (g->listen_fd >= 0)
		close(g->listen_fd);
	if (g->lease[0] >= 0)
		close(g->lease[0]);
	address_release(&g->hold);
	g->lock_fd = g->listen_fd = g->lease[0] = -1;
}

static int compare_fds(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

/* A daemon that keeps a descriptor of its caller keeps the caller's pipes open: only ours stay. */
static void close_others(const struct ground *g)
{
	int ours[] = {g->lock_fd, g->listen_fd, g->lease[0], g->hold.range_fd, g->hold.ports_fd}, from = 3;

	qsort(ours, sizeof ours / sizeof *ours, sizeof *ours, compare_fds);
	for (size_t i = 0; i < sizeof ours / sizeof *ours; i++) {
		if (ours[i] < from)
			continue;
		if (ours[i] > from)
			close_range((unsigned)from, (unsigned)ours[i] - 1, 0);
		from = ours[i] + 1;
	}
	close_range((unsigned)from, ~0U, 0);
}

static bool supervise(struct ground *g, pid_t setup_pid, struct supervisor_result *ret, struct err *err)
{
	const struct log log = {.least = LOG_INFO, .program = "psmdb-sandbox"};
	const struct supervisor_config config = {.set = g->set,
	    .listen_fd = g->listen_fd,
	    .lease_fd = g->lease[0],
	    .clock = g->launch->clock,
	    .log = &log,
	    .setup_pid = setup_pid};

	bool ok;

	/* It closes both. */
	g->listen_fd = g->lease[0] = -1;
	ok = supervisor_run(&config, ret, err);
	strays_remove(&g->layout);
	return ok;
}

static void be_daemon(struct ground *g)
{
	struct supervisor_result result = {0};
	struct err err = ERR_INIT;
	int log_fd, null_fd;

	setsid();
	null_fd = open("/dev/null", O_RDONLY);
	log_fd = open(layout_file(&g->layout, "logs/supervisor.log").text, O_WRONLY | O_CREAT | O_APPEND, 0600);
	if (null_fd < 0 || log_fd < 0 || dup2(null_fd, 0) < 0 || dup2(log_fd, 1) < 0 || dup2(log_fd, 2) < 0 ||
	    chdir("/"))
		_exit(EXIT_ERROR);
	close_others(g);
	if (!supervise(g, 0, &result, &err))
		_exit(err_print("psmdb-sandbox", &err));
	_exit(EXIT_PASS);
}

/* The set-up over the leased connection: if this process dies, the supervisor ends. */
static bool set_up(struct ground *g, struct err *err)
{
	const struct launch *a = g->launch;
	const struct setup setup = {
	    &g->layout, &g->secrets, a->clock, a->stop, a->timeout_ms, a->progress, a->progress_arg};
	struct connection c = {.fd = g->lease[1], .clock = a->clock, .stop = a->stop};
	bool ok;

	ok = (a->set_up ? a->set_up(a->arg, &setup, &c, err) : setup_run(&setup, &c, err)) &&
	     connection_request(&c, OP_RELEASE, NULL, 0, 5000, err);
	/* Unfinished: the end of the leased connection ends everything. */
	connection_close(&c);
	g->lease[1] = -1;
	return ok;
}

static bool purge_if_interrupted(struct ground *g, const struct err *err)
{
	int lock_fd;
	bool ok;

	if (!g->fresh || err->code != ERR_INTERRUPTED || !sandbox_lock(g->layout.dir, &lock_fd, NULL))
		return true;
	ok = purge(g->layout.dir, NULL);
	close(lock_fd);
	return ok;
}

static bool up_daemon(struct ground *g, struct err *err)
{
	pid_t pid = fork();
	bool ok;

	if (pid < 0)
		return err_errno(err, ERR_CHILD, errno, "start the supervisor: fork");
	if (!pid)
		be_daemon(g);
	close_shared(g);
	ok = set_up(g, err);
	if (ok)
		return true;
	waitpid(pid, NULL, 0);
	purge_if_interrupted(g, err);
	return false;
}

static void be_setup(struct ground *g, pid_t parent)
{
	struct err err = ERR_INIT;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(EXIT_ERROR);
	close_shared(g);
	if (!set_up(g, &err))
		_exit(err_print("psmdb-sandbox", &err));
	if (g->launch->progress)
		g->launch->progress(g->launch->progress_arg, "ready; Ctrl-C ends it", 0);
	_exit(EXIT_PASS);
}

static bool up_foreground(struct ground *g, struct err *err)
{
	struct supervisor_result result = {0};
	pid_t parent = getpid(), pid = fork();

	if (pid < 0)
		return err_errno(err, ERR_CHILD, errno, "start the set-up: fork");
	if (!pid)
		be_setup(g, parent);
	close_others(g);
	if (!supervise(g, pid, &result, err))
		return false;
	if (result.setup_ended && !result.setup.signaled && !result.setup.status)
		return true;
	if (result.end == END_SIGNAL ||
	    (result.setup_ended && (result.setup.signaled || result.setup.status == EXIT_INTERRUPTED))) {
		close_shared(g);
		err_set(err, ERR_INTERRUPTED, "interrupted while starting");
		purge_if_interrupted(g, err);
		return false;
	}
	return err_set(err, ERR_CHILD, "the set-up failed; everything has been ended");
}

bool launch_up(const struct launch *launch, struct err *err)
{
	CLEANUP(free) struct ground *g = calloc(1, sizeof *g);
	bool ok;

	if (!g)
		return err_nomem(err);
	*g = (struct ground){
	    .launch = launch, .lock_fd = -1, .listen_fd = -1, .lease = {-1, -1}, .hold = ADDRESS_HOLD_INIT};
	if (!purge_check(launch->dir, err) || !sandbox_lock(launch->dir, &g->lock_fd, err))
		return false;
	ok = prepare(g, err);
	/* Nothing ran: there are no logs to keep. */
	if (!ok && g->fresh)
		purge(launch->dir, NULL);
	ok = ok && (launch->foreground ? up_foreground(g, err) : up_daemon(g, err));
	close_shared(g);
	part_set_free(g->set);
	secrets_clear(&g->secrets);
	return ok;
}

static bool down_dead(const char *dir, struct err *err)
{
	CLEANUP(free) struct state *state = calloc(1, sizeof *state);
	struct err each = ERR_INIT;

	if (!state)
		return err_nomem(err);
	if (state_load(dir, state, &each)) {
		if (!kill_leftovers(state, err))
			return false;
		strays_remove(&state->layout);
		return true;
	}
	if (each.code == ERR_NOT_FOUND)
		return true;
	*err = each;
	return false;
}

bool launch_down(const char *dir, const struct clock *clock, bool at_once, int64_t timeout_ms, struct err *err)
{
	struct connection c;
	bool ok;

	if (!sandbox_locked(dir))
		return down_dead(dir, err);
	if (!connection_open(dir, clock, NULL, &c, err))
		return !sandbox_locked(dir) || err_wrap(err, "somebody holds its lock");
	ok = connection_shutdown(&c, at_once, timeout_ms, err);
	connection_close(&c);
	/* It may have ended for another reason while we asked. */
	if (!ok && sandbox_locked(dir))
		return false;
	return sandbox_wait_unlocked(clock, dir, timeout_ms, err);
}
