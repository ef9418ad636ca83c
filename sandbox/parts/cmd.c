#include "sandbox/parts/cmd.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char cmd_exit_statuses[] = "exit status: 0 done, 2 usage error, 3 it could not be done, 130 interrupted";

static const struct {
	const char *name;
	cmd_main *run;
	const char *about;
} commands[] = {
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
};

static void usage(FILE *out)
{
	fprintf(out, "usage: " PROGRAM " COMMAND --dir DIR [options]\n\n"
		     "Supervises the real processes of a sandbox on this machine: mongods, PBM agents, an S3 "
		     "server.\n\ncommands:\n");
	for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
		fprintf(out, "  %-10s%s\n", commands[i].name, commands[i].about);
	fprintf(out, "\n\"" PROGRAM " COMMAND --help\" shows a command's options.\n%s\n", cmd_exit_statuses);
}

int cmd_fail(const struct err *err)
{
	return err_print("psmdb-sandbox", err);
}

int parts_main(int argc, char **argv)
{
	struct err err = ERR_INIT;

	if (argc >= 2 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))) {
		usage(stdout);
		return EXIT_PASS;
	}
	for (size_t i = 0; argc >= 2 && i < sizeof commands / sizeof *commands; i++)
		if (!strcmp(commands[i].name, argv[1]))
			return commands[i].run(argc - 1, argv + 1);
	if (argc < 2)
		err_set(&err, ERR_USAGE, "no command is given");
	else
		err_set(&err, ERR_USAGE, "unknown command \"%s\"", argv[1]);
	err_hint(&err, "see \"" PROGRAM " --help\"");
	return cmd_fail(&err);
}

bool cmd_options(
    const struct opt_command *command, int argc, char **argv, char ***ret_args, size_t *ret_count, int *ret_status)
{
	struct err err = ERR_INIT;
	char **args;
	size_t count;

	switch (opt_parse(command, argc, argv, &args, &count, &err)) {
	case OPT_OK:
		if (ret_args) {
			*ret_args = args;
			*ret_count = count;
		}
		return true;
	case OPT_HELP:
		opt_help(command, stdout);
		*ret_status = EXIT_PASS;
		return false;
	case OPT_BAD:
		break;
	}
	*ret_status = cmd_fail(&err);
	return false;
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
