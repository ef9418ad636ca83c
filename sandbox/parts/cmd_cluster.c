/* wipe, create, env: the sandbox as a whole. */
#include "base/file.h"
#include "base/stop.h"
#include "mongo/client.h"
#include "sandbox/parts/cmd.h"

#include <stdio.h>
#include <string.h>

typedef bool setup_step(const struct setup *setup, struct connection *c, struct err *err);

static bool run_step(const char *dir, int64_t timeout_ms, setup_step *step, struct err *err)
{
	CLEANUP(cmd_context) struct cmd_context *ctx = NULL;
	struct connection c;
	bool ok;

	if (!stop_install(err) || !cmd_context_load(dir, &ctx, err) ||
	    !connection_open(ctx->dir, clock_system(), stop_flag(), &c, err))
		return false;
	ok = step(&(struct setup){&ctx->state.layout, &ctx->secrets, clock_system(), stop_flag(), timeout_ms,
		      cmd_progress, NULL},
	    &c, err);
	connection_close(&c);
	return ok;
}

static int step_command(int argc, char **argv, const char *program, const char *about, setup_step *step)
{
	const char *dir = NULL;
	int64_t timeout_ms = 120000;
	const struct opt opts[] = {
	    CMD_OPT("dir", OPT_STRING, &dir, "DIR", "the sandbox's folder", .required = true),
	    CMD_OPT("timeout", OPT_DURATION, &timeout_ms, "TIME", "until it must be done (default: 120s)", .min = 1000,
		.max = 3600000),
	    {0},
	};
	const struct opt_command command = {program, "", about, opts, cmd_exit_statuses, 0, 0};
	struct err err = ERR_INIT;
	int status;
	bool ok;

	if (!cli_options(&command, argc, argv, NULL, NULL, &status))
		return status;
	mongo_init();
	ok = run_step(dir, timeout_ms, step, &err);
	mongo_cleanup();
	return ok ? EXIT_PASS : cmd_fail(&err);
}

int cmd_wipe(int argc, char **argv)
{
	return step_command(argc, argv, PROGRAM " wipe",
	    "The disaster: kills all mongods and agents and deletes their data folders. The S3 server and the secrets "
	    "survive.",
	    setup_wipe);
}

static bool has_data(const struct layout *l)
{
	for (int i = 0; i < l->members; i++)
		if (file_exists(layout_file(l, "mongod-%d/data", i).text))
			return true;
	return false;
}

static bool create(const struct setup *setup, struct connection *c, struct err *err)
{
	if (has_data(setup->layout)) {
		err_set(err, ERR_STATE, "the replica set still has data");
		return err_hint(err, "wipe it first: \"" PROGRAM " wipe --dir %s\"", setup->layout->dir);
	}
	return setup_run(setup, c, err);
}

int cmd_create(int argc, char **argv)
{
	return step_command(argc, argv, PROGRAM " create",
	    "After a wipe: starts a fresh, empty replica set of the same name, with the same key file, users and PBM "
	    "configuration, and waits until the agents are ready and "
	    "the backups in the bucket are listed.",
	    create);
}

/* Fit for eval in any POSIX shell. */
static void put(const char *name, const char *value)
{
	printf("export %s='", name);
	for (; *value; value++) {
		if (*value == '\'')
			fputs("'\\''", stdout);
		else
			putchar(*value);
	}
	puts("'");
}

static bool print_env(const char *given, struct err *err)
{
	CLEANUP(cmd_context) struct cmd_context *ctx = NULL;
	BUF_CLEANUP struct buf uri = BUF_INIT(4096);
	char endpoint[LAYOUT_ENDPOINT_MAX], name[64];
	const struct layout *l;

	if (!cmd_context_load(given, &ctx, err))
		return false;
	l = &ctx->state.layout;
	if (!layout_uri(l, &uri, err))
		return false;
	layout_s3_endpoint(l, endpoint);
	put("SANDBOX_DIR", l->dir);
	put("MONGO_URI", buf_str(&uri));
	for (int i = 0; i < SECRET_USER_COUNT; i++) {
		static const char *const upper[] = {"ADMIN", "BACKUP", "TICKER", "VERIFIER"};
		_Static_assert(sizeof upper / sizeof *upper == SECRET_USER_COUNT, "a name for each user");

		snprintf(name, sizeof name, "%s_USER_FILE", upper[i]);
		put(name, secret_user_file(l, (enum secret_user)i, "user").text);
		snprintf(name, sizeof name, "%s_PASSWORD_FILE", upper[i]);
		put(name, secret_user_file(l, (enum secret_user)i, "password").text);
	}
	put("S3_ENDPOINT", endpoint);
	put("S3_REGION", LAYOUT_REGION);
	put("S3_BUCKET", LAYOUT_BUCKET);
	put("S3_PREFIX", LAYOUT_PREFIX);
	put("S3_ACCESS_KEY_FILE", secret_s3_file(l, "access-key").text);
	put("S3_SECRET_KEY_FILE", secret_s3_file(l, "secret-key").text);
	return true;
}

int cmd_env(int argc, char **argv)
{
	const char *dir = NULL;
	const struct opt opts[] = {
	    CMD_OPT("dir", OPT_STRING, &dir, "DIR", "the sandbox's folder", .required = true),
	    {0},
	};
	const struct opt_command command = {PROGRAM " env", "",
	    "Prints shell lines for eval: SANDBOX_DIR, MONGO_URI (without credentials), "
	    "{ADMIN,BACKUP,TICKER,VERIFIER}_{USER,PASSWORD}_FILE, "
	    "S3_{ENDPOINT,REGION,BUCKET,PREFIX,ACCESS_KEY_FILE,SECRET_KEY_FILE}. Paths of secrets, no secrets.",
	    opts, cmd_exit_statuses, 0, 0};
	struct err err = ERR_INIT;
	int status;

	if (!cli_options(&command, argc, argv, NULL, NULL, &status))
		return status;
	return print_env(dir, &err) ? EXIT_PASS : cmd_fail(&err);
}
