#include "base/cleanup.h"
#include "base/proc.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

static bool run(const char *script, int64_t timeout_ms, struct buf *out, struct proc_exit *ex, struct err *err)
{
	const char *argv[] = {"sh", "-c", script, NULL};
	const char *set[] = {"ADDED=yes", NULL};
	const char *unset[] = {"HOME", NULL};
	struct proc_spec spec = PROC_SPEC_INIT;

	spec.argv = argv;
	spec.env_set = set;
	spec.env_unset = unset;
	return proc_run(clock_system(), &spec, timeout_ms, out, ex, err);
}

Test(proc, output_environment_and_exit_status_come_back)
{
	BUF_CLEANUP struct buf out = BUF_INIT(1000);
	struct proc_exit ex;
	struct err err = ERR_INIT;
	char text[64];

	cr_assert(run("echo $ADDED; echo [$HOME] >&2; exit 3", 5000, &out, &ex, &err), "%s", err.msg);
	cr_assert_str_eq(buf_str(&out), "yes\n[]\n");
	cr_assert_str_eq(proc_exit_text(&ex, text), "exit status 3");
}

Test(proc, one_that_hangs_is_killed_with_its_children_at_the_limit)
{
	BUF_CLEANUP struct buf out = BUF_INIT(1000);
	struct proc_exit ex;
	struct err err = ERR_INIT;
	int64_t began = clock_mono_ms(clock_system());
	pid_t grandchild;

	cr_assert(!run("sleep 300 & echo $!; wait", 300, &out, &ex, &err));
	cr_assert_eq(err.code, ERR_TIMEOUT);
	cr_assert_lt(clock_mono_ms(clock_system()) - began, 4000);
	grandchild = (pid_t)atoi(buf_str(&out));
	cr_assert_gt(grandchild, 1);
	for (int i = 0; i < 100 && !kill(grandchild, 0); i++) {
		char path[64];
		char state = 0;
		CLEANUP(file) FILE *stat = NULL;

		snprintf(path, sizeof path, "/proc/%d/stat", (int)grandchild);
		stat = fopen(path, "r");
		if (!stat || fscanf(stat, "%*d %*s %c", &state) != 1 || state == 'Z')
			return; /* gone, or a zombie that nobody reaps in here */
		clock_sleep_until(clock_system(), clock_mono_ns(clock_system()) + 20000000, NULL);
	}
	cr_assert(kill(grandchild, 0), "process %d is still there", (int)grandchild);
}

Test(proc, one_that_hangs_is_ended_when_its_caller_is_interrupted)
{
	static const char *const argv[] = {"sleep", "60", NULL};
	static const int interrupted = 2;
	struct proc_spec spec = PROC_SPEC_INIT;
	BUF_CLEANUP struct buf out = BUF_INIT(100);
	int64_t begun = clock_mono_ms(clock_system());
	struct proc_exit ex;
	struct err err = ERR_INIT;

	spec.argv = argv;
	spec.stop = &interrupted;
	cr_assert_not(proc_run(clock_system(), &spec, 60000, &out, &ex, &err));
	cr_assert_eq(err.code, ERR_INTERRUPTED, "%s", err.msg);
	cr_assert_lt(clock_mono_ms(clock_system()) - begun, 10000);
}

Test(proc, a_program_that_is_not_there_is_named)
{
	const char *argv[] = {"/no/such/program", NULL};
	struct proc_spec spec = PROC_SPEC_INIT;
	struct err err = ERR_INIT;
	pid_t pid;

	spec.argv = argv;
	cr_assert(!proc_start(&spec, &pid, &err));
	cr_assert_eq(err.code, ERR_NOT_FOUND);
	cr_assert(strstr(err.msg, "/no/such/program"));
}

Test(proc, more_output_than_asked_for_does_not_block_the_child)
{
	BUF_CLEANUP struct buf out = BUF_INIT(5000);
	struct proc_exit ex;
	struct err err = ERR_INIT;

	cr_assert(run("head -c 1000000 /dev/zero | tr '\\0' x", 10000, &out, &ex, &err), "%s", err.msg);
	cr_assert_eq(ex.status, 0);
	cr_assert_leq(out.len, 5000);
}
