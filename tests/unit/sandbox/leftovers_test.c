#include "base/proc.h"
#include "sandbox/parts/leftovers.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static pid_t sleeper(uint64_t *ret_ticks)
{
	static const char *const argv[] = {"/bin/sleep", "60", NULL};
	struct proc_spec spec = PROC_SPEC_INIT;
	struct err err = ERR_INIT;
	pid_t pid;

	spec.argv = argv;
	cr_assert(proc_start(&spec, &pid, &err), "%s", err.msg);
	cr_assert(process_start_ticks(pid, ret_ticks));
	return pid;
}

static bool alive(pid_t pid)
{
	return !waitpid(pid, NULL, WNOHANG);
}

Test(leftovers, a_process_is_known_by_pid_start_time_and_program)
{
	uint64_t ticks;
	pid_t pid = sleeper(&ticks);

	cr_expect(process_is(pid, ticks, "/bin/sleep"));
	cr_expect_not(process_is(pid, ticks + 1, "/bin/sleep"));
	cr_expect_not(process_is(pid, ticks, "/bin/mongod"));
	cr_expect_not(process_is(1, 0, "/sbin/init"));
	cr_expect_not(process_is(0, 0, ""));
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	cr_expect_not(process_is(pid, ticks, "/bin/sleep"));
}

Test(leftovers, only_the_process_that_was_meant_is_killed)
{
	struct err err = ERR_INIT;
	uint64_t ticks;
	pid_t pid = sleeper(&ticks);

	cr_expect(process_kill(pid, ticks + 1, "/bin/sleep", &err), "%s", err.msg);
	cr_expect(alive(pid), "another start time is another process");
	cr_expect(process_kill(pid, ticks, "/bin/mongod", &err), "%s", err.msg);
	cr_expect(alive(pid), "another program is another process");
	cr_expect(process_kill(pid, ticks, "/bin/sleep", &err), "%s", err.msg);
	cr_expect_not(alive(pid));
	cr_expect(process_kill(pid, ticks, "/bin/sleep", &err), "one that is gone is fine: %s", err.msg);
}

Test(leftovers, a_frozen_process_is_killed_too)
{
	struct err err = ERR_INIT;
	uint64_t ticks;
	pid_t pid = sleeper(&ticks);

	kill(pid, SIGSTOP);
	cr_assert(process_kill(pid, ticks, "/bin/sleep", &err), "%s", err.msg);
	cr_assert_not(alive(pid));
}

Test(leftovers, this_boot_has_a_name)
{
	char boot[BOOT_ID_MAX];

	process_boot_id(boot);
	cr_assert_eq(strlen(boot), 36);
}
