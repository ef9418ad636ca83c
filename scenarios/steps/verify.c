/* describe, collect, recheck-bucket, judge. */
#include "base/file.h"
#include "base/text.h"
#include "doc/json.h"
#include "evidence/record.h"
#include "scenarios/steps/parts.h"

#include <stdlib.h>
#include <string.h>

#define COLLECT_LIMIT_MS 3600000
#define LOG_MAX ((size_t)256 << 20)
#define JUDGE_LIMIT_MS 600000

/* What the verifier's pod is to do, and where its records and its log go. */
struct reading {
	const char *flag; /* further argument; NULL: none */
	const char *records, *log;
};
static const struct reading full = {NULL, "observed.jsonl", "logs/verifier.log"},
			    description = {"--describe", "described.jsonl", "logs/describe.log"};

/* --- describe, collect --------------------------------------------------------------------------------------------- */

static const struct step_arg collect_args[] = {
    STEP_ARG("file", ARG_TEXT, .required = true, .help = "the verifier pod's manifest, relative to the scenario"),
    STEP_ARG("cluster", ARG_TEXT, .help = "the psmdb (default: the parameter cluster)"),
    STEP_ARG("image", ARG_TEXT, .help = "of the pod (default: the manifest's)"),
    STEP_ARG("timeout", ARG_DURATION, .otherwise = "1h", .help = "how long it may read"),
    {0},
};

static bool collect_describe(struct drill *d, const json_node *args, struct buf *out, struct err *err)
{
	(void)args;
	return buf_printf(out, err,
	    "read the restored database from within %s: login, a majority read, a write, every tick",
	    drill_namespace(d));
}

static bool describe_describe(struct drill *d, const json_node *args, struct buf *out, struct err *err)
{
	(void)args;
	return buf_printf(out, err,
	    "look from within %s at indexes and options, users and roles, which the restore must bring back",
	    drill_namespace(d));
}

/* Records have a prefix in a pod's log; whatever else is there goes to the logs. */
static bool split(struct drill *d, const struct buf *log, const void *ctx, struct err *err)
{
	const struct reading *what = ctx;
	BUF_CLEANUP struct buf records = BUF_INIT(LOG_MAX), other = BUF_INIT(LOG_MAX);
	size_t mark = strlen(RECORD_LOG_PREFIX);

	for (const char *line = buf_str(log); *line;) {
		size_t len = strcspn(line, "\n");
		bool record = len > mark && !strncmp(line, RECORD_LOG_PREFIX, mark);

		if (record ? !buf_add(&records, line + mark, len - mark, err) || !buf_add_char(&records, '\n', err)
			   : !text_neutral(&other, line, len, false, err) || !buf_add_char(&other, '\n', err))
			return false;
		line += len + (line[len] == '\n');
	}
	return file_write_atomic(drill_path(d, what->log), buf_str(&other), other.len, 0600, err) &&
	       file_write_atomic(drill_path(d, what->records), buf_str(&records), records.len, 0600, err);
}

static bool read_in_pod(struct drill *d, const json_node *args, const struct reading *how, struct err *err)
{
	return part_run_pod(d, args, how->flag, how->log, COLLECT_LIMIT_MS, split, how, err);
}

static bool describe_run(struct drill *d, const json_node *args, struct err *err)
{
	return read_in_pod(d, args, &description, err);
}

static bool collect_run(struct drill *d, const json_node *args, struct err *err)
{
	if (drill_found(d, "restore-failed")) {
		drill_say(d, "the restore has failed: there is nothing to read");
		return true;
	}
	/* again: between the disaster and here lies the whole recovery */
	if (drill_is_elsewhere(d) && !part_note_clocks(d, err))
		return false;
	return read_in_pod(d, args, &full, err);
}

const struct step_def step_describe = {"describe",
    "looks at indexes and options, users and roles in a pod, before the backup: what the restore must bring back",
    collect_args, 0, describe_describe, part_pod_free, describe_run};
const struct step_def step_collect = {"collect",
    "reads the restored database in a pod, and brings the observation here", collect_args, 0, collect_describe,
    part_pod_free, collect_run};

/* --- recheck-bucket ----------------------------------------------------------------------------------------------- */

static const struct step_arg recheck_args[] = {{0}};

static bool recheck_describe(struct drill *d, const json_node *args, struct buf *out, struct err *err)
{
	(void)d;
	(void)args;
	return buf_add_str(out, "compare the backup's files in the bucket with what was pinned", err);
}

static bool count_of(const json_node *root, const char *key, char ret[static 24])
{
	snprintf(ret, 24, "%zu", json_count(json_get(root, key)));
	return true;
}

static bool note_changes(struct drill *d, struct err *err)
{
	const struct json_limits limits = {.max_bytes = 64u << 20, .max_depth = 16, .unique_keys = false};
	BUF_CLEANUP struct buf text = BUF_INIT(64u << 20);
	CLEANUP(json) struct json *doc = NULL;
	char missing[24], changed[24];

	if (!file_read(drill_path(d, "recheck.json"), &text, err) ||
	    !json_parse(buf_str(&text), text.len, &limits, &doc, err))
		return false;
	count_of(json_root(doc), "missing", missing);
	count_of(json_root(doc), "changed", changed);
	drill_say(
	    d, "files of the backup since it was pinned: missing %s, changed %s; see recheck.json", missing, changed);
	return drill_event(
	    d, err, "bucket.recheck", "missing", missing, "changed", changed, "detail", "see recheck.json", NULL);
}

static bool recheck_run(struct drill *d, const json_node *args, struct err *err)
{
	PART_BUCKET_CLEANUP struct part_bucket bucket = {.env = {NULL}};
	BUF_CLEANUP struct buf out = BUF_INIT(1u << 20);
	const char *options[] = {
	    "--recheck", drill_path(d, "bound.json"), "--out", drill_path(d, "recheck.json"), NULL};
	int status;

	(void)args;
	if (!part_bucket_open(d, &bucket, err))
		return false;
	if (!part_bucket_bound(d, &bucket, options, &status, &out, err))
		return false;
	if (status == EXIT_PASS)
		return drill_event(d, err, "bucket.recheck", "missing", "0", "changed", "0", NULL);
	if (status == EXIT_FAIL)
		return note_changes(d, err);
	return err_set(err, ERR_CHILD, "the bucket cannot be listed again: %.600s", buf_str(&out));
}

const struct step_def step_recheck_bucket = {"recheck-bucket", "compares the bucket with the pinned list of files",
    recheck_args, 0, recheck_describe, NULL, recheck_run};

/* --- judge -------------------------------------------------------------------------------------------------------- */

static const struct step_arg judge_args[] = {{0}};

static bool judge_describe(struct drill *d, const json_node *args, struct buf *out, struct err *err)
{
	(void)d;
	(void)args;
	return buf_add_str(out, "judge the evidence, operation by operation, and write the reports", err);
}

static bool judge_run(struct drill *d, const json_node *args, struct err *err)
{
	const char *rpo = drill_option(d, "max-rpo"), *rto = drill_option(d, "max-rto"), *argv[16];
	char text[16];
	size_t n = 0;
	int status;

	(void)args;
	argv[n++] = "check";
	argv[n++] = "--run";
	argv[n++] = d->dir;
	argv[n++] = "--color";
	argv[n++] = d->show.color ? "always" : "never";
	if (rpo) {
		argv[n++] = "--max-rpo";
		argv[n++] = rpo;
	}
	if (rto) {
		argv[n++] = "--max-rto";
		argv[n++] = rto;
	}
	argv[n] = NULL;
	if (!drill_child(d, "psmdb-verify", argv, NULL, true, JUDGE_LIMIT_MS, &status, NULL, err))
		return false;
	if (status != EXIT_PASS && status != EXIT_FAIL && status != EXIT_INCONCLUSIVE)
		return err_set(err, ERR_CHILD, "the evidence could not be judged (exit status %d)", status);
	snprintf(text, sizeof text, "%d", status);
	return drill_set_value(d, "verdict-status", text, err);
}

const struct step_def step_judge = {"judge", "judges the evidence: the run's exit status is the verdict's", judge_args,
    0, judge_describe, NULL, judge_run};
