/* The daemon itself, around shell scripts instead of mongods. */
#include "base/file.h"
#include "sandbox/parts/connection.h"
#include "sandbox/parts/supervisor.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static struct layout layout = {.members = 2, .range = 5, .mongod_port = 27017, .ports = 20000, .compression = "s2"};
static struct secrets secrets;
static pid_t supervisor;
static struct connection lease;

#define MONGOD(...) ((const char *const[]){__VA_ARGS__}), sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *)

/* member 1 takes its time. */
static const char fake_mongod[] = "#!/bin/sh\n"
				  "case $2 in *mongod-1*) sleep 1;; esac\n"
				  "echo '{\"msg\":\"Waiting for connections\"}'\n"
				  "echo data > \"$2/file\"\n"
				  "exec sleep 60\n";

static void be_supervisor(int listen_fd, int lease_fd)
{
	const struct log log = {.least = LOG_ERROR, .program = "supervisor"};
	struct supervisor_result result;
	struct supervisor_config config = {
	    .listen_fd = listen_fd, .lease_fd = lease_fd, .clock = clock_system(), .log = &log};

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	close(lease.fd);
	if (!part_set_new(&layout, &secrets, &config.set, NULL) || !supervisor_run(&config, &result, NULL))
		_exit(99);
	part_set_free(config.set);
	_exit((int)result.end);
}

static void make(void)
{
	int listen_fd, pair[2];
	struct err err = ERR_INIT;

	strcpy(layout.dir, "/tmp/psmdb-supervisor-XXXXXX");
	cr_assert(mkdtemp(layout.dir));
	strcpy(layout.binaries[BINARY_MONGOD], layout_file(&layout, "fake").text);
	strcpy(layout.binaries[BINARY_PBM_AGENT], "/bin/false");
	cr_assert(file_write_atomic(layout.binaries[BINARY_MONGOD], fake_mongod, sizeof fake_mongod - 1, 0700, &err),
	    "%s", err.msg);
	cr_assert(file_make_dirs(layout_file(&layout, "logs").text, 0700, NULL));
	cr_assert(connection_listen(layout.dir, &listen_fd, &err) && connection_pair(pair, &err), "%s", err.msg);
	lease = (struct connection){.fd = pair[1], .clock = clock_system()};
	supervisor = fork();
	if (!supervisor)
		be_supervisor(listen_fd, pair[0]);
	close(listen_fd);
	close(pair[0]);
}

static int ended(void)
{
	int status;

	cr_assert_eq(waitpid(supervisor, &status, 0), supervisor);
	supervisor = 0;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

static void clean(void)
{
	if (supervisor) {
		kill(supervisor, SIGKILL);
		ended();
	}
	connection_close(&lease);
	file_remove_tree(layout.dir, NULL);
}

TestSuite(supervisor, .init = make, .fini = clean, .timeout = 30);

static struct connection open_it(void)
{
	struct connection c;
	struct err err = ERR_INIT;

	cr_assert(connection_open(layout.dir, clock_system(), NULL, &c, &err), "%s", err.msg);
	return c;
}

static struct state *status(struct connection *c)
{
	BUF_CLEANUP struct buf request = BUF_INIT(256);
	BUF_CLEANUP struct buf answer = BUF_INIT(STATE_MAX_BYTES);
	struct state *state = calloc(1, sizeof *state);
	struct err err = ERR_INIT;

	cr_assert(control_format(OP_STATUS, NULL, 0, 1000, NULL, false, &request, &err));
	cr_assert(connection_call(c, &request, 1000, &answer, &err), "%s", err.msg);
	cr_assert(state_parse(answer.data, answer.len, layout.dir, state, &err), "%s", err.msg);
	return state;
}

Test(supervisor, starts_parts_tells_when_they_are_ready_and_ends_them)
{
	struct err err = ERR_INIT;
	CLEANUP(free) struct state *before = NULL;
	CLEANUP(free) struct state *after = calloc(1, sizeof *after);

	cr_assert(connection_request(&lease, OP_START, MONGOD("mongod"), 10000, &err), "%s", err.msg);
	before = status(&lease);
	cr_assert_eq(before->processes[2].state, PART_READY);
	cr_assert(
	    process_is(before->processes[2].pid, before->processes[2].start_ticks, layout.binaries[BINARY_MONGOD]) ||
	    !kill(before->processes[2].pid, 0));
	cr_assert(connection_shutdown(&lease, false, 10000, &err), "%s", err.msg);
	cr_assert_eq(ended(), END_SHUTDOWN);
	cr_assert_neq(kill(before->processes[1].pid, 0), 0);
	cr_assert_neq(kill(before->processes[2].pid, 0), 0);
	cr_assert(state_load(layout.dir, after, &err), "%s", err.msg);
	cr_assert_eq(after->phase, PHASE_STOPPED);
	cr_assert_eq(after->processes[1].pid, 0);
	cr_assert_not(file_exists(layout_file(&layout, "control.sock").text));
}

Test(supervisor, a_slow_operation_does_not_keep_others_waiting)
{
	struct connection other = open_it();
	BUF_CLEANUP struct buf request = BUF_INIT(256);
	CLEANUP(free) struct state *state = NULL;
	int64_t begun = clock_mono_ms(clock_system());

	cr_assert(control_format(OP_START, MONGOD("mongod-1"), 10000, NULL, false, &request, NULL));
	cr_assert_eq(send(lease.fd, request.data, request.len, 0), (ssize_t)request.len);
	do {
		free(state);
		state = status(&other);
	} while (state->processes[2].state != PART_STARTING);
	cr_assert_lt(clock_mono_ms(clock_system()) - begun, 900);
	connection_close(&other);
}

Test(supervisor, ends_everything_when_the_lease_ends)
{
	struct err err = ERR_INIT;
	CLEANUP(free) struct state *state = NULL;

	cr_assert(connection_request(&lease, OP_START, MONGOD("mongod-0"), 10000, &err), "%s", err.msg);
	state = status(&lease);
	connection_close(&lease);
	cr_assert_eq(ended(), END_LEASE);
	cr_assert_neq(kill(state->processes[1].pid, 0), 0);
}

Test(supervisor, lives_on_after_the_lease_was_released)
{
	struct connection other = open_it();
	CLEANUP(free) struct state *state = NULL;

	cr_assert(connection_request(&lease, OP_RELEASE, NULL, 0, 1000, NULL));
	connection_close(&lease);
	state = status(&other);
	kill(supervisor, SIGTERM);
	cr_assert_eq(ended(), END_SIGNAL);
	connection_close(&other);
}

Test(supervisor, wipes_what_it_has_killed_and_starts_it_empty)
{
	struct err err = ERR_INIT;
	CLEANUP(free) struct state *state = NULL;

	cr_assert(connection_request(&lease, OP_START, MONGOD("mongod"), 10000, &err), "%s", err.msg);
	cr_assert(file_exists(layout_file(&layout, "mongod-0/data").text));
	cr_assert(connection_request(&lease, OP_WIPE, MONGOD("mongod-0"), 10000, &err), "%s", err.msg);
	cr_assert_not(file_exists(layout_file(&layout, "mongod-0/data").text));
	cr_assert(file_exists(layout_file(&layout, "mongod-1/data").text));
	state = status(&lease);
	cr_assert_eq(state->phase, PHASE_STARTING, "one member is no disaster");
	cr_assert(connection_request(&lease, OP_WIPE, MONGOD("mongod"), 10000, &err), "%s", err.msg);
	free(state);
	state = status(&lease);
	cr_assert_eq(state->phase, PHASE_WIPED);
	cr_assert(connection_request(&lease, OP_START, MONGOD("mongod-0"), 10000, &err), "%s", err.msg);
}

Test(supervisor, a_start_that_takes_too_long_names_the_part_and_its_last_error)
{
	struct err err = ERR_INIT;

	cr_assert_not(connection_request(&lease, OP_START, MONGOD("pbm-agent-0"), 700, &err));
	cr_assert_eq(err.code, ERR_TIMEOUT);
	cr_assert(strstr(err.msg, "\"pbm-agent-0\" is"), "%s", err.msg);
	cr_assert(strstr(err.hint, "exit status 1"), "%s", err.hint);
}

Test(supervisor, a_part_that_fails_is_an_answer_at_once)
{
	struct err err = ERR_INIT;
	int64_t begun = clock_mono_ms(clock_system());

	cr_assert(file_write_atomic(layout.binaries[BINARY_MONGOD], "#!/bin/sh\nexit 14\n", 18, 0700, NULL));
	cr_assert_not(connection_request(&lease, OP_START, MONGOD("mongod-0"), 20000, &err));
	cr_assert(strstr(err.msg, "\"mongod-0\" ended with exit status 14"), "%s", err.msg);
	cr_assert_lt(clock_mono_ms(clock_system()) - begun, 5000);
}

Test(supervisor, restart_is_another_process)
{
	struct err err = ERR_INIT;
	CLEANUP(free) struct state *before = NULL;
	CLEANUP(free) struct state *after = NULL;

	cr_assert(connection_request(&lease, OP_START, MONGOD("mongod-0"), 10000, &err), "%s", err.msg);
	before = status(&lease);
	cr_assert(connection_request(&lease, OP_RESTART, MONGOD("mongod-0"), 10000, &err), "%s", err.msg);
	after = status(&lease);
	cr_assert_eq(after->processes[1].state, PART_READY);
	cr_assert_neq(after->processes[1].pid, before->processes[1].pid);
}

Test(supervisor, wait_is_answered_only_when_the_sandbox_is_set_up)
{
	struct connection other = open_it();
	struct err err = ERR_INIT;

	cr_assert(connection_request(&lease, OP_START, MONGOD("mongod-0"), 10000, &err), "%s", err.msg);
	cr_assert_not(connection_request(&other, OP_WAIT, MONGOD("mongod-0"), 200, &err));
	cr_assert_eq(err.code, ERR_TIMEOUT);
	cr_assert(connection_phase(&lease, PHASE_READY, &err));
	cr_assert(connection_request(&other, OP_WAIT, MONGOD("mongod-0"), 5000, &err), "%s", err.msg);
	cr_assert_not(connection_request(&other, OP_WAIT, MONGOD("all"), 5000, &err));
	cr_assert_eq(err.code, ERR_STATE);
	connection_close(&other);
}

Test(supervisor, garbage_is_answered_and_a_line_without_end_is_cut_off)
{
	struct connection c = open_it();
	BUF_CLEANUP struct buf junk = BUF_INIT(64 << 10);
	BUF_CLEANUP struct buf answer = BUF_INIT(64 << 10);
	struct err got, err = ERR_INIT;

	buf_add_str(&junk, "what is this\n", NULL);
	cr_assert(connection_call(&c, &junk, 1000, &answer, &err), "%s", err.msg);
	cr_assert(control_parse_answer(answer.data, answer.len, &got, &err), "%s", err.msg);
	cr_assert_eq(got.code, ERR_PARSE);
	for (size_t i = 0; i < 2 * CONTROL_REQUEST_MAX; i++)
		buf_add_char(&junk, 'x', NULL);
	buf_reset(&answer);
	buf_consume(&junk, strlen("what is this\n"));
	cr_assert_not(connection_call(&c, &junk, 2000, &answer, &err));
	connection_close(&c);
	free(status(&lease));
}

Test(supervisor, more_connections_than_it_has_room_for_are_turned_away)
{
	struct connection many[SUPERVISOR_CONNECTIONS_MAX + 3];

	for (size_t i = 0; i < sizeof many / sizeof *many; i++)
		many[i] = open_it();
	free(status(&lease));
	free(status(&many[0]));
	for (size_t i = 0; i < sizeof many / sizeof *many; i++)
		connection_close(&many[i]);
	free(status(&lease));
}

Test(supervisor, killed_it_takes_its_children_with_it)
{
	struct err err = ERR_INIT;
	CLEANUP(free) struct state *state = NULL;
	pid_t pid;

	cr_assert(connection_request(&lease, OP_START, MONGOD("mongod-0"), 10000, &err), "%s", err.msg);
	state = status(&lease);
	pid = state->processes[1].pid;
	kill(supervisor, SIGKILL);
	ended();
	for (int i = 0; i < 2000; i++) {
		if (!process_is(pid, state->processes[1].start_ticks, "sleep"))
			return;
		clock_sleep_until(clock_system(), clock_mono_ns(clock_system()) + 1000000, NULL);
	}
	cr_assert_fail("process %d is still there", (int)pid);
}
