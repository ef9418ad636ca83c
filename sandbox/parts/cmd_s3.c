/* s3: a look into the sandbox's bucket, and objects taken out of it: the faults that a drill must notice. */
#include "s3/s3.h"
#include "sandbox/parts/cmd.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define OBJECTS_MAX 100000

static bool open_bucket(const struct cmd_context *ctx, const char *bucket, struct s3 **ret, struct err *err)
{
	const struct layout *l = &ctx->state.layout;
	S3_CONFIG_CLEANUP struct s3_config config = {0};
	char endpoint[LAYOUT_ENDPOINT_MAX];

	snprintf(config.endpoint, sizeof config.endpoint, "%s", layout_s3_endpoint(l, endpoint));
	snprintf(config.region, sizeof config.region, "%s", LAYOUT_REGION);
	snprintf(config.bucket, sizeof config.bucket, "%s", bucket);
	snprintf(config.access_key, sizeof config.access_key, "%s", ctx->secrets.s3_access);
	snprintf(config.secret_key, sizeof config.secret_key, "%s", ctx->secrets.s3_secret);
	return s3_new(&config, NULL, ret, err);
}

static bool print_object(void *arg, const struct s3_object *object, struct err *err)
{
	(void)arg;
	(void)err;
	printf("%12" PRIu64 "  %s\n", object->size_bytes, object->key);
	return true;
}

static bool run(const char *dir, const char *bucket, char **args, size_t count, struct err *err)
{
	CLEANUP(cmd_context) struct cmd_context *ctx = NULL;
	CLEANUP(s3) struct s3 *s3 = NULL;
	struct s3_object object;

	if (strcmp(bucket, LAYOUT_BUCKET) != 0 && strcmp(bucket, LAYOUT_KASTEN_BUCKET) != 0) {
		err_set(err, ERR_USAGE, "option \"--bucket\": a sandbox has no bucket \"%.60s\"", bucket);
		return err_hint(err, "it has " LAYOUT_BUCKET " for PBM and " LAYOUT_KASTEN_BUCKET " for Kasten");
	}
	if (!cmd_context_load(dir, &ctx, err) || !open_bucket(ctx, bucket, &s3, err))
		return false;
	if (!strcmp(args[0], "ls") && count <= 2)
		return s3_list(s3, count == 2 ? args[1] : "", OBJECTS_MAX, print_object, NULL, err);
	if (!strcmp(args[0], "rm") && count == 2) /* S3 itself calls it a success to delete what is not there */
		return s3_head(s3, args[1], &object, err) && s3_delete(s3, args[1], err);
	err_set(err, ERR_USAGE, "neither \"ls [PREFIX]\" nor \"rm KEY\": \"%s\"", args[0]);
	return err_hint(err, "see \"" PROGRAM " s3 --help\"");
}

int cmd_s3(int argc, char **argv)
{
	const char *dir = NULL, *bucket = LAYOUT_BUCKET;
	const struct opt opts[] = {
	    CMD_OPT("dir", OPT_STRING, &dir, "DIR", "the sandbox's folder", .required = true),
	    CMD_OPT("bucket", OPT_STRING, &bucket, "NAME",
		LAYOUT_BUCKET ", where PBM writes (default), or " LAYOUT_KASTEN_BUCKET ", where Kasten exports to"),
	    {0},
	};
	const struct opt_command command = {PROGRAM " s3", "ls [PREFIX] | rm KEY",
	    "Lists the objects of a bucket of the sandbox (bytes and key), or deletes one: the way to damage a backup "
	    "on "
	    "purpose.",
	    opts, cmd_exit_statuses, 1, 2};
	struct err err = ERR_INIT;
	char **args;
	size_t count;
	int status;

	if (!cli_options(&command, argc, argv, &args, &count, &status))
		return status;
	return run(dir, bucket, args, count, &err) ? EXIT_PASS : cmd_fail(&err);
}
