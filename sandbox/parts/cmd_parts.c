/* status, wait, logs, and what is done to single parts. */
#include "base/file.h"
#include "doc/json.h"
#include "sandbox/parts/cmd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool live_status(const char *dir, struct buf *out, struct err *err)
{
	BUF_CLEANUP struct buf request = BUF_INIT(256);
	struct connection c;
	bool ok;

	if (!connection_open(dir, clock_system(), NULL, &c, err))
		return false;
	ok = control_format(OP_STATUS, NULL, 0, 5000, NULL, false, &request, err) &&
	     connection_call(&c, &request, 5000, out, err);
	connection_close(&c);
	return ok;
}

/* A state file that a killed supervisor left behind claims processes that are gone: what is shown then is the plan
 * alone. */
static bool dead_status(const char *dir, struct buf *out, struct err *err)
{
	CLEANUP(free) struct state *state = calloc(1, sizeof *state);

	if (!state)
		return err_nomem(err);
	return state_load(dir, state, err) &&
	       state_format(&state->layout, NULL, PHASE_STOPPED, 0, clock_wall_ms(clock_system()), out, err);
}

void cmd_print_parts(const json_node *root)
{
	const char *server = json_string(json_get(json_get(root, "api"), "server"));

	printf("%s: %s, %s, S3 %s\n", json_string(json_get(root, "dir")), json_string(json_get(root, "phase")),
	    server ? server : json_string(json_get(json_get(root, "set"), "uri")),
	    json_string(json_get(json_get(root, "s3"), "endpoint")));
	for (const json_node *n = json_first(json_get(root, "parts")); n; n = json_next(n)) {
		const char *error = json_string(json_get(n, "error"));

		printf("%-14s%-10s%-8s%8.0f  restarts %.0f%s%s\n", json_string(json_get(n, "name")),
		    json_string(json_get(n, "state")), json_bool(json_get(n, "frozen"), false) ? "frozen" : "",
		    json_number(json_get(n, "pid"), 0), json_number(json_get(n, "restarts"), 0), error ? "  " : "",
		    error ? error : "");
	}
}

bool cmd_all_ready(const json_node *root)
{
	const char *phase = json_string(json_get(root, "phase"));

	for (const json_node *n = json_first(json_get(root, "parts")); n; n = json_next(n))
		if (strcmp(json_string(json_get(n, "state")), part_state_name(PART_READY)) != 0)
			return false;
	return phase && !strcmp(phase, phase_name(PHASE_READY));
}

bool cmd_state(const char *given, struct buf *out, struct err *err)
{
	char dir[LAYOUT_DIR_MAX];

	return cmd_dir(given, dir, err) &&
	       (sandbox_locked(dir) ? live_status(dir, out, err) : dead_status(dir, out, err));
}

static bool status(const char *given, bool as_json, bool *ret_ready, struct err *err)
{
	struct json_limits limits = JSON_LIMITS_DEFAULT;
	BUF_CLEANUP struct buf text = BUF_INIT(2 * STATE_MAX_BYTES);
	CLEANUP(json) struct json *doc = NULL;

	if (!cmd_state(given, &text, err) || !json_parse(buf_str(&text), text.len, &limits, &doc, err))
		return false;
	if (as_json)
		printf("%s\n", buf_str(&text));
	else
		cmd_print_parts(json_root(doc));
	*ret_ready = cmd_all_ready(json_root(doc));
	return true;
}

int cmd_status(int argc, char **argv)
{
	const char *dir = NULL;
	bool as_json = false, ready;
	const struct opt opts[] = {
	    CMD_OPT("dir", OPT_STRING, &dir, "DIR", "the sandbox's folder", .required = true),
	    CMD_OPT("json", OPT_FLAG, &as_json, "", "as one JSON object, the same as in DIR/state.json"),
	    {0},
	};
	const struct opt_command command = {PROGRAM " status", "", "Shows the sandbox's parts.", opts,
	    "exit status: 0 everything is ready, 2 usage error, 3 there is no sandbox, or not everything is ready", 0,
	    0};
	struct err err = ERR_INIT;
	int exit_status;

	if (!cli_options(&command, argc, argv, NULL, NULL, &exit_status))
		return exit_status;
	if (!status(dir, as_json, &ready, &err))
		return cmd_fail(&err);
	return ready ? EXIT_PASS : EXIT_ERROR;
}

static bool request(
    const char *given, enum control_op op, const char *const *parts, size_t count, int64_t timeout_ms, struct err *err)
{
	char dir[LAYOUT_DIR_MAX];
	struct connection c;
	bool ok;

	if (!cmd_dir(given, dir, err) || !connection_open(dir, clock_system(), NULL, &c, err))
		return false;
	ok = connection_request(&c, op, parts, count, timeout_ms, err);
	connection_close(&c);
	return ok;
}

static int parts_command(int argc, char **argv, enum control_op op, const char *about, int64_t timeout_ms)
{
	const char *dir = NULL;
	const struct opt opts[] = {
	    CMD_OPT("dir", OPT_STRING, &dir, "DIR", "the sandbox's folder", .required = true),
	    CMD_OPT("timeout", OPT_DURATION, &timeout_ms, "TIME",
		op == OP_STOP ? "until all must have ended (default: 30s)" : "until it must be done (default: 60s)",
		.min = 1, .max = CONTROL_TIMEOUT_MAX_MS),
	    {0},
	};
	char program[64];
	const struct opt_command command = {program, "PART...", about, opts, cmd_exit_statuses, 1, LAYOUT_PARTS_MAX};
	struct err err = ERR_INIT;
	size_t count;
	char **args;
	int exit_status;

	snprintf(program, sizeof program, PROGRAM " %s", control_op_name(op));
	if (!cli_options(&command, argc, argv, &args, &count, &exit_status))
		return exit_status;
	return request(dir, op, (const char *const *)args, count, timeout_ms, &err) ? EXIT_PASS : cmd_fail(&err);
}

int cmd_start(int argc, char **argv)
{
	return parts_command(argc, argv, OP_START,
	    "Starts parts and waits until they are ready. PART is a name (mongod-0), a kind (mongod, pbm-agent, s3) or "
	    "\"all\".",
	    60000);
}

int cmd_stop(int argc, char **argv)
{
	return parts_command(argc, argv, OP_STOP,
	    "Ends parts with SIGTERM (SIGKILL if that does not help) and waits until they are gone. Nothing starts "
	    "them again by itself.",
	    30000);
}

int cmd_kill(int argc, char **argv)
{
	return parts_command(
	    argc, argv, OP_KILL, "Ends parts with SIGKILL. Nothing starts them again by itself.", 60000);
}

int cmd_restart(int argc, char **argv)
{
	return parts_command(
	    argc, argv, OP_RESTART, "Ends parts with SIGTERM, starts them and waits until they are ready.", 60000);
}

int cmd_freeze(int argc, char **argv)
{
	return parts_command(
	    argc, argv, OP_FREEZE, "Halts parts with SIGSTOP: they hold their connections and answer nothing.", 60000);
}

int cmd_thaw(int argc, char **argv)
{
	return parts_command(argc, argv, OP_THAW, "Lets frozen parts go on with SIGCONT.", 60000);
}

int cmd_wait(int argc, char **argv)
{
	const char *dir = NULL;
	int64_t timeout_ms = 120000;
	const struct opt opts[] = {
	    CMD_OPT("dir", OPT_STRING, &dir, "DIR", "the sandbox's folder", .required = true),
	    CMD_OPT("timeout", OPT_DURATION, &timeout_ms, "TIME", "how long (default: 120s)", .min = 1,
		.max = CONTROL_TIMEOUT_MAX_MS),
	    {0},
	};
	const struct opt_command command = {PROGRAM " wait", "",
	    "Waits until the sandbox is set up and all parts are ready.", opts, cmd_exit_statuses, 0, 0};
	struct err err = ERR_INIT;
	int exit_status;

	if (!cli_options(&command, argc, argv, NULL, NULL, &exit_status))
		return exit_status;
	return request(dir, OP_WAIT, (const char *const[]){"all"}, 1, timeout_ms, &err) ? EXIT_PASS : cmd_fail(&err);
}

bool cmd_print_log(const char *given, const char *name, struct err *err)
{
	CLEANUP(file) FILE *f = NULL;
	char dir[LAYOUT_DIR_MAX], path[PATH_MAX], chunk[65536];
	size_t got;

	if (!cmd_dir(given, dir, err))
		return false;
	snprintf(path, sizeof path, "%s/logs/%s.log", dir, name);
	if (strchr(name, '/') || !(f = fopen(path, "re"))) {
		err_set(err, ERR_NOT_FOUND, "there is no log of \"%s\"", name);
		return err_hint(err, "logs are kept of s3, mongod-N, pbm-agent-N, pbm and supervisor, or of s3, api, "
				     "kubelet, kasten and supervisor");
	}
	while ((got = fread(chunk, 1, sizeof chunk, f)) > 0)
		fwrite(chunk, 1, got, stdout);
	return !fflush(stdout) || err_set(err, ERR_IO, "write to standard output");
}

int cmd_logs(int argc, char **argv)
{
	const char *dir = NULL;
	const struct opt opts[] = {
	    CMD_OPT("dir", OPT_STRING, &dir, "DIR", "the sandbox's folder", .required = true),
	    {0},
	};
	const struct opt_command command = {PROGRAM " logs", "PART",
	    "Prints a part's log: s3, mongod-N, pbm-agent-N; pbm (commands that were run), supervisor.", opts,
	    cmd_exit_statuses, 1, 1};
	struct err err = ERR_INIT;
	size_t count;
	char **args;
	int exit_status;

	if (!cli_options(&command, argc, argv, &args, &count, &exit_status))
		return exit_status;
	return cmd_print_log(dir, args[0], &err) ? EXIT_PASS : cmd_fail(&err);
}
