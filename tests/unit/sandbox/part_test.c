#include "base/file.h"
#include "sandbox/parts/part.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static char dir[64];
static struct part part;

static int64_t now(void)
{
	return clock_mono_ms(clock_system());
}

/* The part under test lives in real time; each use is bounded by what it waits for, or must see nothing happen. */
static void pause_ms(int64_t ms)
{
	clock_sleep_until(clock_system(), clock_mono_ns(clock_system()) + ms * 1000000, NULL);
}

static void make(void)
{
	strcpy(dir, "/tmp/psmdb-part-XXXXXX");
	cr_assert(mkdtemp(dir));
}

static void clean(void)
{
	part_end(&part, true, now());
	while (part.pid) {
		part_reap(&part, now());
		pause_ms(1);
	}
	part_clear(&part);
	file_remove_tree(dir, NULL);
}

TestSuite(part, .init = make, .fini = clean, .timeout = 30);

static void make_part(const char *script)
{
	struct part_spec spec = {
	    .name = "it", .kind = "shell", .probe = {.kind = PROBE_LOG, .text = "I am ready"}, .stop_limit_ms = 5000};

	strings_add(&spec.argv, NULL, "/bin/sh");
	strings_add(&spec.argv, NULL, "-c");
	strings_add(&spec.argv, NULL, "%s", script);
	strcpy(spec.dir, dir);
	snprintf(spec.log_path, sizeof spec.log_path, "%s/log", dir);
	snprintf(spec.data_dir, sizeof spec.data_dir, "%s/data", dir);
	part_init(&part, &spec);
}

static bool in_state(void *arg, struct err *err)
{
	(void)err;
	part_reap(&part, now());
	part_tick(&part, now());
	return part.state == *(const enum part_state *)arg;
}

static void reach(enum part_state state)
{
	struct err err = ERR_INIT;

	cr_assert(wait_for(clock_system(), "the state", 10000, 5, NULL, in_state, &state, &err), "%s is %s",
	    part_state_name(state), part_state_name(part.state));
}

static void start(void)
{
	struct err err = ERR_INIT;

	cr_assert(part_start(&part, now(), &err), "%s", err.msg);
	cr_assert_eq(part.state, PART_STARTING);
}

static char process_state(pid_t pid)
{
	BUF_CLEANUP struct buf text = BUF_INIT(4096);
	char path[64];

	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	return file_read(path, &text, NULL) ? strrchr(buf_str(&text), ')')[2] : '-';
}

Test(part, is_ready_when_its_log_says_so_and_ends_when_asked)
{
	make_part("sleep 0.1; echo I am ready; exec sleep 60");
	start();
	cr_assert_not(part_tick(&part, now()), "it has said nothing yet");
	reach(PART_READY);
	cr_assert_neq(part.start_ticks, 0);
	part_end(&part, false, now());
	cr_assert_eq(part.state, PART_STOPPING);
	reach(PART_STOPPED);
	cr_assert_eq(part.pid, 0);
	cr_assert(part.last_exit.signaled && part.last_exit.status == SIGTERM);
	cr_assert_eq(part.error.code, ERR_NONE);
}

Test(part, what_an_earlier_process_said_does_not_make_it_ready)
{
	make_part("test -e said || { touch said; echo I am ready; }; exec sleep 60");
	start();
	reach(PART_READY);
	part_end(&part, true, now());
	reach(PART_STOPPED);
	start();
	pause_ms(200);
	cr_assert_not(part_tick(&part, now()));
	cr_assert_eq(part.state, PART_STARTING);
}

Test(part, a_ready_text_that_is_written_in_two_halves_is_seen)
{
	make_part("printf 'I am '; sleep 0.3; printf 'ready'; exec sleep 60");
	start();
	reach(PART_READY);
}

Test(part, one_that_ignores_sigterm_is_killed_after_its_limit)
{
	make_part("trap '' TERM; echo I am ready; while :; do sleep 0.05; done");
	part.spec.stop_limit_ms = 200;
	start();
	reach(PART_READY);
	part_end(&part, false, now());
	cr_assert_leq(part_due_ms(&part, now()), now() + 200);
	reach(PART_STOPPED);
	cr_assert(part.last_exit.signaled && part.last_exit.status == SIGKILL);
}

Test(part, one_that_ends_unasked_has_failed_with_its_last_words)
{
	make_part("echo starting; echo cannot go on; exit 7");
	start();
	reach(PART_FAILED);
	cr_assert_str_eq(part.error.msg, "part \"it\" ended with exit status 7: \"cannot go on\"");
	cr_assert_eq(part_due_ms(&part, now()), PART_NEVER, "it is not started again by itself");
}

Test(part, one_with_a_restart_policy_comes_back_after_pauses_that_grow)
{
	int64_t pauses[8];

	make_part("exit 1");
	part.spec.restart = true;
	start();
	for (int i = 0; i < 8; i++) {
		int64_t failed = 0;

		while (!failed) {
			if (part_reap(&part, 1000000 * (i + 1)))
				failed = 1000000 * (i + 1);
			else
				pause_ms(1);
		}
		cr_assert_eq(part.state, PART_FAILED);
		pauses[i] = part_due_ms(&part, failed) - failed;
		cr_assert_not(part_tick(&part, failed + pauses[i] - 1), "not before its time");
		cr_assert(part_tick(&part, failed + pauses[i]));
		cr_assert_eq(part.restarts, i + 1);
	}
	cr_assert_eq(pauses[0], PART_BACKOFF_FIRST_MS);
	cr_assert_eq(pauses[1], 2 * PART_BACKOFF_FIRST_MS);
	cr_assert_eq(pauses[7], PART_BACKOFF_MAX_MS);
}

Test(part, one_that_was_asked_to_end_is_not_started_again)
{
	make_part("exit 1");
	part.spec.restart = true;
	start();
	reach(PART_FAILED);
	part_end(&part, false, now());
	cr_assert_eq(part.state, PART_STOPPED);
	cr_assert_eq(part_due_ms(&part, now()), PART_NEVER);
}

Test(part, a_program_that_is_not_there_is_a_failure_with_its_name)
{
	struct err err = ERR_INIT;

	make_part("exit 0");
	free(part.spec.argv.items[0]);
	part.spec.argv.items[0] = strdup("/nonexistent/mongod");
	cr_assert_not(part_start(&part, now(), &err));
	cr_assert_eq(part.state, PART_FAILED);
	cr_assert_eq(part.pid, 0);
	cr_assert(strstr(err.msg, "/nonexistent/mongod"), "%s", err.msg);
}

Test(part, freezing_halts_it_and_a_frozen_one_can_still_be_ended)
{
	struct err err = ERR_INIT;

	make_part("echo I am ready; exec sleep 60");
	cr_assert_not(part_freeze(&part, &err), "there is nothing to freeze");
	start();
	reach(PART_READY);
	cr_assert(part_freeze(&part, &err));
	for (int i = 0; i < 1000 && process_state(part.pid) != 'T'; i++)
		pause_ms(1);
	cr_assert_eq(process_state(part.pid), 'T');
	cr_assert(part.frozen);
	cr_assert(part_thaw(&part, &err));
	for (int i = 0; i < 1000 && process_state(part.pid) == 'T'; i++)
		pause_ms(1);
	cr_assert_neq(process_state(part.pid), 'T');
	cr_assert(part_freeze(&part, &err));
	part_end(&part, false, now());
	reach(PART_STOPPED);
	cr_assert_eq(part.last_exit.status, SIGTERM);
	cr_assert_not(part.frozen);
}

Test(part, its_data_is_removed_only_when_it_has_no_process)
{
	struct err err = ERR_INIT;

	make_part("mkdir -p data/deep; echo x > data/deep/file; echo I am ready; exec sleep 60");
	start();
	reach(PART_READY);
	cr_assert_not(part_wipe(&part, &err));
	cr_assert_eq(err.code, ERR_STATE);
	part_end(&part, true, now());
	cr_assert_not(part_wipe(&part, &err), "it is still dying");
	reach(PART_STOPPED);
	cr_assert(part_wipe(&part, &err));
	cr_assert_not(file_exists(part.spec.data_dir));
	cr_assert(file_exists(part.spec.log_path));
}

Test(part, starting_one_that_is_stopping_is_refused)
{
	struct err err = ERR_INIT;

	make_part("echo I am ready; exec sleep 60");
	start();
	cr_assert(part_start(&part, now(), &err), "a second start changes nothing");
	reach(PART_READY);
	part_end(&part, false, now());
	cr_assert_not(part_start(&part, now(), &err));
	cr_assert_eq(err.code, ERR_STATE);
}

Test(part, an_http_probe_wants_an_answer_and_not_only_a_listener)
{
	struct probe_spec spec = {.kind = PROBE_HTTP, .text = "/x", .address = "127.0.0.1"};
	struct probe probe = PROBE_INIT;
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof at;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), peer;

	make_part("exit 0");
	cr_assert(!bind(fd, (struct sockaddr *)&at, sizeof at) && !getsockname(fd, (struct sockaddr *)&at, &len));
	spec.port = ntohs(at.sin_port);
	cr_assert_not(probe_step(&probe, &spec, "", 0), "nobody listens");
	cr_assert(!listen(fd, 4));
	cr_assert_not(probe_step(&probe, &spec, "", 100));
	cr_assert_not(probe_step(&probe, &spec, "", 200), "nobody answers");
	peer = accept(fd, NULL, NULL);
	cr_assert_eq(write(peer, "SSH-2.0", 7), 7);
	close(peer);
	cr_assert_not(probe_step(&probe, &spec, "", 300), "the wrong answer");
	cr_assert_not(probe_step(&probe, &spec, "", 400));
	peer = accept(fd, NULL, NULL);
	cr_assert_eq(write(peer, "HTTP/1.1 403 Forbidden\r\n", 24), 24);
	cr_assert(probe_step(&probe, &spec, "", 500));
	close(peer);
	close(fd);
	probe_clear(&probe);
}
