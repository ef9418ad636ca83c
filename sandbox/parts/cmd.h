/* The commands of "psmdb-sandbox parts": what they share. Each runs to an exit status and prints its own errors through
 * cmd_fail. */
#ifndef PARTS_CMD_H
#define PARTS_CMD_H

#include "base/cli.h"
#include "doc/json.h"
#include "sandbox/parts/connection.h"
#include "sandbox/parts/setup.h"

/* One row of an option table; bounds and "required" as designated initialisers behind it. */
#define CMD_OPT(n, k, r, a, h, ...)                                                                                    \
	{                                                                                                              \
		.name = (n), .kind = (k), .ret = (r), .arg = (a), .help = (h), __VA_ARGS__                             \
	}

#define PROGRAM "psmdb-sandbox parts"

typedef int cmd_main(int argc, char **argv);
cmd_main cmd_up, cmd_down, cmd_status, cmd_wait, cmd_logs, cmd_env;
cmd_main cmd_start, cmd_stop, cmd_kill, cmd_restart, cmd_freeze, cmd_thaw;
cmd_main cmd_wipe, cmd_create, cmd_backup, cmd_restore, cmd_pbm, cmd_s3;

/* argv[0] is the command's name. */
int parts_main(int argc, char **argv);

/* The folder as given, made absolute with its links resolved; it must exist. */
bool cmd_dir(const char *given, char ret[static LAYOUT_DIR_MAX], struct err *err);

/* A sandbox that exists: its state and secrets. */
struct cmd_context {
	char dir[LAYOUT_DIR_MAX];
	struct state state;
	struct secrets secrets;
};
bool cmd_context_load(const char *dir, struct cmd_context **ret, struct err *err);
void cmd_context_free(struct cmd_context *ctx);
CLEANUP_PTR(cmd_context, struct cmd_context, cmd_context_free)

/* A progress line on stderr, fit for struct setup. */
void cmd_progress(void *arg, const char *what, int64_t elapsed_ms);
/* Ends a sandbox of either kind; purge_too: at once, and its files go. No folder is no error. */
bool cmd_end(const char *given, bool purge_too, int64_t timeout_ms, struct err *err);
/* The state as JSON, from the supervisor or, if none runs, from the file. */
bool cmd_state(const char *given, struct buf *out, struct err *err);
void cmd_print_parts(const json_node *state);
bool cmd_all_ready(const json_node *state);
bool cmd_print_log(const char *given, const char *name, struct err *err);
int cmd_fail(const struct err *err);

extern const char cmd_exit_statuses[]; /* for the end of each help text */

#endif
