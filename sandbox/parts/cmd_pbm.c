/* backup, restore, pbm. Run by this process, not by the supervisor: if it is interrupted, its pbm ends with it. */
#include "base/file.h"
#include "base/stop.h"
#include "sandbox/parts/cmd.h"
#include "sandbox/parts/wiring.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

static bool need_running(const struct cmd_context *ctx, struct err *err)
{
	struct connection c;

	if (!connection_open(ctx->dir, clock_system(), NULL, &c, err))
		return false;
	connection_close(&c);
	return true;
}

/* What pbm has begun is done by the agents, and goes on without it. */
static bool interrupted(struct err *err)
{
	if (err->code == ERR_INTERRUPTED || err->code == ERR_TIMEOUT)
		err_hint(err, "the agents go on with it; look with \"" PROGRAM " pbm --dir DIR -- status\"");
	return false;
}

static bool backup(const char *dir, const char *name_file, int64_t timeout_ms, struct err *err)
{
	CLEANUP(cmd_context) struct cmd_context *ctx = NULL;
	BUF_CLEANUP struct buf out = BUF_INIT(PBM_OUTPUT_MAX);
	char name[PBM_NAME_MAX];
	struct wiring wiring;

	if (!stop_install(err) || !cmd_context_load(dir, &ctx, err) || !need_running(ctx, err))
		return false;
	wiring_init(&wiring, &ctx->state.layout, &ctx->secrets, clock_system(), stop_flag());
	if (!pbm_need(&wiring.pbm, (const char *const[]){"backup", "--wait"}, 2, timeout_ms, &out, err))
		return interrupted(err);
	if (!pbm_backup_name(buf_str(&out), name))
		return err_set(err, ERR_PARSE, "pbm said nothing of the backup's name");
	if (name_file && !file_write_atomic(name_file, name, strlen(name), 0600, err))
		return false;
	puts(name);
	return true;
}

int cmd_backup(int argc, char **argv)
{
	const char *dir = NULL, *name_file = NULL;
	int64_t timeout_ms = 600000;
	const struct opt opts[] = {
	    CMD_OPT("dir", OPT_STRING, &dir, "DIR", "the sandbox's folder", .required = true),
	    CMD_OPT("name-file", OPT_STRING, &name_file, "FILE", "write the backup's name there, too"),
	    CMD_OPT("timeout", OPT_DURATION, &timeout_ms, "TIME", "how long it may take (default: 600s)", .min = 1000,
		.max = 24 * 3600000),
	    {0},
	};
	const struct opt_command command = {PROGRAM " backup", "",
	    "Makes a logical backup and prints its name. PBM's output goes to DIR/logs/pbm.log.", opts,
	    cmd_exit_statuses, 0, 0};
	struct err err = ERR_INIT;
	int status;

	if (!cli_options(&command, argc, argv, NULL, NULL, &status))
		return status;
	return backup(dir, name_file, timeout_ms, &err) ? EXIT_PASS : cmd_fail(&err);
}

static bool restore(const char *dir, const char *name, int64_t timeout_ms, struct err *err)
{
	CLEANUP(cmd_context) struct cmd_context *ctx = NULL;
	BUF_CLEANUP struct buf out = BUF_INIT(PBM_OUTPUT_MAX);
	char words[600];
	struct wiring wiring;

	if (!stop_install(err) || !cmd_context_load(dir, &ctx, err) || !need_running(ctx, err))
		return false;
	wiring_init(&wiring, &ctx->state.layout, &ctx->secrets, clock_system(), stop_flag());
	if (!pbm_need(&wiring.pbm, (const char *const[]){"restore", name, "--wait"}, 3, timeout_ms, &out, err))
		return interrupted(err);
	pbm_last_words(buf_str(&out), words, sizeof words);
	puts(words);
	return true;
}

int cmd_restore(int argc, char **argv)
{
	const char *dir = NULL;
	int64_t timeout_ms = 600000;
	const struct opt opts[] = {
	    CMD_OPT("dir", OPT_STRING, &dir, "DIR", "the sandbox's folder", .required = true),
	    CMD_OPT("timeout", OPT_DURATION, &timeout_ms, "TIME", "how long it may take (default: 600s)", .min = 1000,
		.max = 24 * 3600000),
	    {0},
	};
	const struct opt_command command = {PROGRAM " restore", "NAME",
	    "Restores a backup and prints PBM's own outcome. Status 0 means that PBM said so, and nothing more.", opts,
	    cmd_exit_statuses, 1, 1};
	struct err err = ERR_INIT;
	size_t count;
	char **args;
	int status;

	if (!cli_options(&command, argc, argv, &args, &count, &status))
		return status;
	return restore(dir, args[0], timeout_ms, &err) ? EXIT_PASS : cmd_fail(&err);
}

/* On this process's own terminal; the exit status is pbm's. */
static bool run_pbm(const char *dir, char **args, size_t count, int *ret_status, struct err *err)
{
	CLEANUP(cmd_context) struct cmd_context *ctx = NULL;
	struct pbm_command command;
	struct wiring wiring;
	bool started;
	pid_t pid;
	int status;

	if (!cmd_context_load(dir, &ctx, err))
		return false;
	wiring_init(&wiring, &ctx->state.layout, &ctx->secrets, clock_system(), stop_flag());
	if (!pbm_command_make(&wiring.pbm, (const char *const *)args, count, &command, err))
		return false;
	command.proc.stdin_fd = PROC_INHERIT;
	command.proc.own_group = false;
	started = proc_start(&command.proc, &pid, err);
	pbm_command_clear(&command);
	if (!started)
		return false;
	signal(SIGINT, SIG_IGN); /* pbm has it, too, and decides */
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return err_errno(err, ERR_CHILD, errno, "wait for pbm");
	*ret_status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	return true;
}

int cmd_pbm(int argc, char **argv)
{
	const char *dir = NULL;
	const struct opt opts[] = {
	    CMD_OPT("dir", OPT_STRING, &dir, "DIR", "the sandbox's folder", .required = true),
	    {0},
	};
	const struct opt_command command = {PROGRAM " pbm", "-- ARGUMENTS", "Runs pbm with the sandbox's credentials.",
	    opts, "exit status: pbm's own", 1, SPEC_STRINGS_MAX - 1};
	struct err err = ERR_INIT;
	size_t count;
	char **args;
	int status;

	if (!cli_options(&command, argc, argv, &args, &count, &status))
		return status;
	return run_pbm(dir, args, count, &status, &err) ? status : cmd_fail(&err);
}
