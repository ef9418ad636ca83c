#include "sandbox/parts/cmd.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char cmd_exit_statuses[] = "exit status: 0 done, 2 usage error, 3 it could not be done, 130 interrupted";

static const struct cli_command commands[] = {
    {"up", cmd_up, "start the real processes: a replica set, its PBM agents, an S3 server"},
    {"down", cmd_down, "end them all; --purge removes the folder's contents too"},
    {"status", cmd_status, "what runs, where; --json for programs"},
    {"wait", cmd_wait, "wait until everything is ready"},
    {"env", cmd_env, "addresses and paths of secrets as shell lines"},
    {"logs", cmd_logs, "a part's log"},
    {"start", cmd_start, "start parts"},
    {"stop", cmd_stop, "end parts with SIGTERM"},
    {"kill", cmd_kill, "end parts with SIGKILL"},
    {"restart", cmd_restart, "stop, then start parts"},
    {"freeze", cmd_freeze, "halt parts with SIGSTOP"},
    {"thaw", cmd_thaw, "let frozen parts go on"},
    {"wipe", cmd_wipe, "the disaster: kill all mongods and agents and delete their data"},
    {"create", cmd_create, "after a wipe: a fresh, empty replica set of the same name, users and PBM configuration"},
    {"backup", cmd_backup, "make a backup, print its name"},
    {"restore", cmd_restore, "restore a backup"},
    {"pbm", cmd_pbm, "run any pbm command"},
    {"s3", cmd_s3, "list the bucket, or delete an object of it"},
    {0},
};

int cmd_fail(const struct err *err)
{
	return err_print("psmdb-sandbox", err);
}

int parts_main(int argc, char **argv)
{
	static const struct cli_program program = {
	    PROGRAM,
	    "Supervises the real processes of a sandbox on this machine: mongods, PBM agents, an S3 server.",
	    commands,
	    cmd_exit_statuses,
	};

	return cli_main(&program, argc, argv);
}

bool cmd_dir(const char *given, char ret[static LAYOUT_DIR_MAX], struct err *err)
{
	CLEANUP(free) char *path = realpath(given, NULL);

	if (!path) {
		err_errno(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, errno, "folder \"%s\"", given);
		return err_hint(err, "make a sandbox with \"psmdb-sandbox parts up --dir %s\"", given);
	}
	if (strlen(path) >= LAYOUT_DIR_MAX)
		return err_set(
		    err, ERR_LIMIT, "folder \"%.100s...\" has a path longer than %d bytes", path, LAYOUT_DIR_MAX - 1);
	strcpy(ret, path);
	return true;
}

bool cmd_context_load(const char *dir, struct cmd_context **ret, struct err *err)
{
	CLEANUP(cmd_context) struct cmd_context *ctx = calloc(1, sizeof *ctx);

	if (!ctx)
		return err_nomem(err);
	if (!cmd_dir(dir, ctx->dir, err) || !state_load(ctx->dir, &ctx->state, err) ||
	    !secrets_load(&ctx->state.layout, &ctx->secrets, err))
		return false;
	*ret = TAKE(ctx);
	return true;
}

void cmd_context_free(struct cmd_context *ctx)
{
	if (!ctx)
		return;
	secrets_clear(&ctx->secrets);
	free(ctx);
}

void cmd_progress(void *arg, const char *what, int64_t elapsed_ms)
{
	(void)arg;
	fprintf(stderr, "%5.1f s  %s\n", (double)elapsed_ms / 1000.0, what);
}
