/* up and down. */
#include "base/file.h"
#include "base/stop.h"
#include "mongo/client.h"
#include "sandbox/parts/cmd.h"
#include "sandbox/parts/guest.h"
#include "sandbox/parts/launch.h"
#include "sandbox/parts/purge.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char *const compressions[] = {"none", "gzip", "snappy", "lz4", "s2", "pgzip", "zstd"};

static bool check_compression(const char *name, struct err *err)
{
	for (size_t i = 0; i < sizeof compressions / sizeof *compressions; i++)
		if (!name || !strcmp(name, compressions[i]))
			return true;
	err_set(err, ERR_USAGE, "option \"--pbm-compression\": \"%s\" is unknown", name);
	return err_hint(err, "PBM knows none, gzip, snappy, lz4, s2, pgzip and zstd");
}

int cmd_up(int argc, char **argv)
{
	const char *dir = NULL, *compression = NULL;
	int64_t members = 0, port = 0, timeout_ms = 120000;
	bool foreground = false;
	const struct opt opts[] = {
	    CMD_OPT("dir", OPT_STRING, &dir, "DIR", "the sandbox's folder; made if missing", .required = true),
	    CMD_OPT("members", OPT_INT, &members, "N", "mongods in the replica set (default: 3)", .min = 1,
		.max = LAYOUT_MEMBERS_MAX),
	    CMD_OPT("foreground", OPT_FLAG, &foreground, "", "stay, and end everything on Ctrl-C"),
	    CMD_OPT("pbm-compression", OPT_STRING, &compression, "NAME",
		"of backups: none, gzip, snappy, lz4, s2, pgzip or zstd (default: s2)"),
	    CMD_OPT("mongod-port", OPT_INT, &port, "PORT", "of each mongod, on its own address (default: 27017)",
		.min = 1024, .max = 65535),
	    CMD_OPT("timeout", OPT_DURATION, &timeout_ms, "TIME", "until everything must be ready (default: 120s)",
		.min = 1000, .max = 3600000),
	    {0},
	};
	const struct opt_command command = {PROGRAM " up", "",
	    "Starts an S3 server, a replica set and a PBM agent beside each of its members, and returns when they are "
	    "ready. A folder that was a sandbox before is started again with "
	    "its data.",
	    opts, cmd_exit_statuses, 0, 0};
	struct launch launch = {.clock = clock_system(), .progress = cmd_progress};
	struct err err = ERR_INIT;
	bool made, ok;
	int status;

	if (!cli_options(&command, argc, argv, NULL, NULL, &status))
		return status;
	made = !file_exists(dir);
	if (!check_compression(compression, &err) || !stop_install(&err) || !file_make_dirs(dir, 0700, &err) ||
	    !cmd_dir(dir, launch.dir, &err))
		return cmd_fail(&err);
	launch.members = (int)members;
	launch.mongod_port = (uint16_t)port;
	launch.compression = compression;
	launch.foreground = foreground;
	launch.timeout_ms = timeout_ms;
	launch.stop = stop_flag();
	mongo_init();
	ok = launch_up(&launch, &err);
	mongo_cleanup();
	if (ok)
		return EXIT_PASS;
	if (made)
		rmdir(launch.dir); /* only if it is empty */
	return cmd_fail(&err);
}

bool cmd_end(const char *given, bool purge_too, int64_t timeout_ms, struct err *err)
{
	char dir[LAYOUT_DIR_MAX];
	int lock_fd;
	bool ok;

	if (!file_exists(given)) {
		fprintf(stderr, "there is no folder \"%s\": nothing to do\n", given);
		return true;
	}
	if (!cmd_dir(given, dir, err) || !guest_none(dir, err) ||
	    !launch_down(dir, clock_system(), purge_too, timeout_ms, err))
		return false;
	if (!purge_too)
		return true;
	if (!sandbox_lock(dir, &lock_fd, err))
		return false;
	ok = purge(dir, err);
	close(lock_fd);
	return ok;
}

int cmd_down(int argc, char **argv)
{
	const char *dir = NULL;
	int64_t timeout_ms = 40000;
	bool purge_too = false;
	const struct opt opts[] = {
	    CMD_OPT("dir", OPT_STRING, &dir, "DIR", "the sandbox's folder", .required = true),
	    CMD_OPT("purge", OPT_FLAG, &purge_too, "",
		"end the processes at once (SIGKILL) and remove the sandbox's files, backups and secrets included"),
	    CMD_OPT("timeout", OPT_DURATION, &timeout_ms, "TIME", "until everything must have ended (default: 40s)",
		.min = 1000, .max = 3600000),
	    {0},
	};
	const struct opt_command command = {PROGRAM " down", "",
	    "Ends every process of a sandbox, also of one whose supervisor was killed. Without --purge it can be "
	    "started again with its data.",
	    opts, cmd_exit_statuses, 0, 0};
	struct err err = ERR_INIT;
	int status;

	if (!cli_options(&command, argc, argv, NULL, NULL, &status))
		return status;
	return cmd_end(dir, purge_too, timeout_ms, &err) ? EXIT_PASS : cmd_fail(&err);
}
