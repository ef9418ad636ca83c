#include "base/cleanup.h"
#include "base/file.h"
#include "base/cli.h"
#include "base/stop.h"
#include "psmdb/destination.h"
#include "verifier/bound.h"
#include "verifier/commands.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PROGRAM "psmdb-verify bound"
#define RECHECK_TEXT_MAX (128 << 20)

struct arguments {
	const char *config, *endpoint, *region, *bucket, *prefix, *backup, *ca_file;
	const char *access_key_file, *secret_key_file, *session_token_file;
	const char *metadata, *recheck, *out;
	bool insecure, virtual_host;
	int64_t timeout_ms;
};

static bool put(char *field, size_t size, const char *option, const char *value, struct err *err)
{
	if (!value)
		return true;
	if (strlen(value) >= size)
		return err_set(err, ERR_USAGE, "option \"--%s\" is longer than %zu bytes", option, size - 1);
	memcpy(field, value, strlen(value) + 1);
	return true;
}

/* Options over the file, the file over the environment. */
static bool load_config(const struct arguments *a, struct s3_config *c, struct err *err)
{
	const char *region = getenv("AWS_REGION");

	if (!region)
		region = getenv("AWS_DEFAULT_REGION");
	if (!put(c->region, sizeof c->region, "region", region, err) ||
	    (a->config && !s3_config_load(a->config, c, err)))
		return false;
	c->insecure |= a->insecure;
	c->virtual_host |= a->virtual_host;
	return put(c->endpoint, sizeof c->endpoint, "endpoint", a->endpoint, err) &&
	       put(c->region, sizeof c->region, "region", a->region, err) &&
	       put(c->bucket, sizeof c->bucket, "bucket", a->bucket, err) &&
	       put(c->prefix, sizeof c->prefix, "prefix", a->prefix, err) &&
	       put(c->ca_file, sizeof c->ca_file, "ca-file", a->ca_file, err) &&
	       s3_config_load_credentials(
		   c, a->access_key_file, a->secret_key_file, a->session_token_file, getenv, err);
}

static bool connect(const struct arguments *a, const struct s3_config *c, struct s3 **ret, struct err *err)
{
	const struct s3_options options = {.stop = stop_flag(), .stop_fd = stop_fd(), .timeout_ms = a->timeout_ms};

	if (!*c->bucket) {
		err_set(err, ERR_USAGE, "no bucket is named");
		return err_hint(err, "give --bucket, or --metadata for a file that was downloaded");
	}
	return s3_new(c, &options, ret, err);
}

/* --- pinning
 * -------------------------------------------------------------------------------------------------------------------
 */

static bool pin_from_bucket(
    const struct arguments *a, struct bound *ret, struct pbm_findings *findings, struct err *err)
{
	S3_CONFIG_CLEANUP struct s3_config config = {0};
	CLEANUP(s3) struct s3 *s3 = NULL;
	char name[PBM_NAME_MAX];
	struct bound_place place;

	if (!load_config(a, &config, err) || !connect(a, &config, &s3, err))
		return false;
	place = (struct bound_place){.s3 = s3, .bucket = config.bucket, .prefix = config.prefix};
	if (strcmp(a->backup, "latest") != 0) {
		if (strlen(a->backup) >= sizeof name || strchr(a->backup, '/'))
			return err_set(
			    err, ERR_USAGE, "option \"--backup\": \"%.200s\" is no backup's name", a->backup);
		snprintf(name, sizeof name, "%s", a->backup);
	} else if (!bound_latest_name(&place, name, err)) {
		return false;
	}
	return bound_pin(&place, name, clock_wall_ms(clock_system()), ret, findings, err);
}

/* The command's result, as good as the bound itself: on stderr, since --out may be stdout. */
static int report_findings(const struct pbm_findings *f)
{
	for (size_t i = 0; i < f->count; i++) {
		BUF_CLEANUP struct buf text = BUF_INIT(2048);
		struct err ignored = ERR_INIT;

		if (pbm_finding_text(&f->items[i], &text, &ignored))
			fprintf(stderr, PROGRAM ": %s\n", buf_str(&text));
	}
	if (f->dropped)
		fprintf(stderr, PROGRAM ": and %zu more\n", f->dropped);
	fprintf(stderr, PROGRAM ": the backup is incomplete, nothing is pinned\n");
	fprintf(stderr, PROGRAM ": hint: make a new backup, and find out who deletes files in the bucket\n");
	return EXIT_FAIL;
}

static bool pin(const struct arguments *a, int *ret_status, struct err *err)
{
	PBM_FINDINGS_CLEANUP struct pbm_findings findings = {0};
	BOUND_CLEANUP struct bound bound;
	bool ok;

	bound_init(&bound);
	if (a->metadata)
		ok = bound_pin_file(a->metadata, clock_wall_ms(clock_system()), &bound, &findings, err);
	else
		ok = pin_from_bucket(a, &bound, &findings, err);
	if (!ok)
		return false;
	if (findings.count) {
		*ret_status = report_findings(&findings);
		return true;
	}
	*ret_status = EXIT_PASS;
	return bound_write(&bound, a->out, err);
}

/* --- looking again
 * ------------------------------------------------------------------------------------------------------------- */

static bool list_pinned(const struct arguments *a, const struct bound *pinned, struct pbm_files *files, struct err *err)
{
	S3_CONFIG_CLEANUP struct s3_config config = {0};
	CLEANUP(s3) struct s3 *s3 = NULL;
	struct pbm_destination d;
	struct bound_place place;

	if (!*pinned->destination || strcmp(pinned->source, "bucket") != 0)
		return err_set(err, ERR_STATE,
		    "\"%s\" was not pinned from a bucket: there is no list of files to compare with", a->recheck);
	if (!pbm_destination_parse(pinned->destination, &d, err) || !load_config(a, &config, err))
		return false;
	if (!*config.bucket)
		snprintf(config.bucket, sizeof config.bucket, "%s", d.bucket);
	if (strcmp(config.bucket, d.bucket) != 0 || (a->prefix && strcmp(a->prefix, d.prefix) != 0))
		return err_set(err, ERR_USAGE, "\"%s\" was pinned in \"%s\", not in bucket \"%s\"", a->recheck,
		    pinned->destination, config.bucket);
	if (!connect(a, &config, &s3, err))
		return false;
	place = (struct bound_place){.s3 = s3, .bucket = config.bucket, .prefix = d.prefix};
	return bound_list_now(&place, pinned->backup_name, files, err);
}

static bool write_text(const char *path, const struct buf *text, struct err *err)
{
	if (!strcmp(path, "-"))
		return fd_write_all(STDOUT_FILENO, text->data, text->len, err);
	return file_write_atomic(path, text->data, text->len, 0600, err);
}

static bool recheck(const struct arguments *a, int *ret_status, struct err *err)
{
	BOUND_CHANGES_CLEANUP struct bound_changes changes = {0};
	PBM_FILES_CLEANUP struct pbm_files files = {0};
	BUF_CLEANUP struct buf text = BUF_INIT(RECHECK_TEXT_MAX);
	BOUND_CLEANUP struct bound pinned;

	bound_init(&pinned);
	if (!bound_read(a->recheck, &pinned, err) || !list_pinned(a, &pinned, &files, err) ||
	    !bound_compare(&pinned, &files, &changes, err) ||
	    !bound_changes_json(&pinned, &changes, clock_wall_ms(clock_system()), &text, err) ||
	    !write_text(a->out, &text, err))
		return false;
	*ret_status = changes.missing || changes.changed ? EXIT_FAIL : EXIT_PASS;
	if (*ret_status == EXIT_FAIL)
		fprintf(stderr,
		    PROGRAM ": of backup \"%s\" %zu files are missing and %zu changed since it was pinned\n",
		    pinned.backup_name, changes.missing, changes.changed);
	return true;
}

/* --- the command
 * --------------------------------------------------------------------------------------------------------------- */

static const char about[] = "Pins the restore point: reads the metadata of a Percona backup from its bucket, checks "
			    "that every file of it is there, and writes "
			    "bound.json. To be done before the disaster. With --recheck it compares the bucket with a "
			    "bound.json pinned earlier, which names the cause "
			    "when a restore that reported success has lost data.";
static const char more[] =
    "Credentials come from the two files, else from AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN. "
    "AWS_REGION is the default of --region; http_proxy, https_proxy and no_proxy are honoured.\n\n"
    "Exit status: 0 pinned, or nothing missing or changed; 1 the backup is incomplete, or files are missing or "
    "changed; 2 usage; "
    "3 the bucket cannot be read, the backup is not there or not done; 130 interrupted.";

static bool check_arguments(const struct arguments *a, struct err *err)
{
	if (a->metadata && a->recheck)
		return err_set(err, ERR_USAGE, "options \"--metadata\" and \"--recheck\" exclude each other");
	if (a->metadata && a->bucket)
		return err_set(err, ERR_USAGE, "options \"--metadata\" and \"--bucket\" exclude each other");
	return true;
}

int cmd_bound(int argc, char **argv)
{
	struct arguments a = {.backup = "latest", .out = "-", .timeout_ms = 60000};
	const struct opt opts[] = {
	    {.name = "endpoint",
		.kind = OPT_STRING,
		.ret = &a.endpoint,
		.arg = "URL",
		.help = "the S3 server (default: Amazon's for the region)"},
	    {.name = "region",
		.kind = OPT_STRING,
		.ret = &a.region,
		.arg = "NAME",
		.help = "the bucket's region (default: AWS_REGION, else us-east-1)"},
	    {.name = "bucket",
		.kind = OPT_STRING,
		.ret = &a.bucket,
		.arg = "NAME",
		.help = "the bucket that PBM writes to"},
	    {.name = "prefix",
		.kind = OPT_STRING,
		.ret = &a.prefix,
		.arg = "TEXT",
		.help = "the prefix in PBM's storage configuration (default: none)"},
	    {.name = "config",
		.kind = OPT_STRING,
		.ret = &a.config,
		.arg = "FILE",
		.help = "endpoint, region, bucket, prefix and names of secret files from a JSON file"},
	    {.name = "backup",
		.kind = OPT_STRING,
		.ret = &a.backup,
		.arg = "NAME",
		.help = "the backup, such as 2023-04-03T07:46:17Z (default: latest)"},
	    {.name = "metadata",
		.kind = OPT_STRING,
		.ret = &a.metadata,
		.arg = "FILE",
		.help = "pin from a downloaded NAME.pbm.json; no bucket is read, no file is checked"},
	    {.name = "recheck",
		.kind = OPT_STRING,
		.ret = &a.recheck,
		.arg = "FILE",
		.help = "compare the bucket with this bound.json in place of pinning"},
	    {.name = "out",
		.kind = OPT_STRING,
		.ret = &a.out,
		.arg = "FILE",
		.help = "where the result goes (default: -, standard output)"},
	    {.name = "access-key-file",
		.kind = OPT_STRING,
		.ret = &a.access_key_file,
		.arg = "FILE",
		.help = "holds the access key"},
	    {.name = "secret-key-file",
		.kind = OPT_STRING,
		.ret = &a.secret_key_file,
		.arg = "FILE",
		.help = "holds the secret key"},
	    {.name = "session-token-file",
		.kind = OPT_STRING,
		.ret = &a.session_token_file,
		.arg = "FILE",
		.help = "holds the session token of temporary credentials"},
	    {.name = "ca-file",
		.kind = OPT_STRING,
		.ret = &a.ca_file,
		.arg = "FILE",
		.help = "PEM certificates to trust in place of the system's"},
	    {.name = "insecure",
		.kind = OPT_FLAG,
		.ret = &a.insecure,
		.help = "do not verify the server's certificate"},
	    {.name = "virtual-host",
		.kind = OPT_FLAG,
		.ret = &a.virtual_host,
		.help = "address the bucket as a host name, not as a path"},
	    {.name = "timeout",
		.kind = OPT_DURATION,
		.ret = &a.timeout_ms,
		.arg = "TIME",
		.help = "for each request with its retries (default: 60s)",
		.min = 100,
		.max = 3600000},
	    {0},
	};
	const struct opt_command command = {.program = PROGRAM, .args = "", .about = about, .opts = opts, .more = more};
	struct err err = ERR_INIT;
	int status = EXIT_PASS;
	bool ok;

	if (!cli_options(&command, argc, argv, NULL, NULL, &status))
		return status;
	ok = check_arguments(&a, &err) && stop_install(&err) &&
	     (a.recheck ? recheck(&a, &status, &err) : pin(&a, &status, &err));
	return ok ? status : err_print(PROGRAM, &err);
}
