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
#define REMOVE_LIMIT_MS 20000
#define REMOVE_POLL_MS 100

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

struct ending {
	struct drill *d;
	const char *name;
	bool failed;
};

static bool pod_ended(void *ctx, const json_node *object, struct err *err)
{
	struct ending *e = ctx;
	const char *phase = json_text_at(object, "status/phase"),
		   *waiting = json_text_at(object, "status/containerStatuses/0/state/waiting/reason");

	if (!object) {
		err_set(
		    err, ERR_NOT_FOUND, "pod \"%s/%s\" is gone before it has ended", drill_namespace(e->d), e->name);
		return false;
	}
	drill_progress(
	    e->d, "pod %s is %s%s%s", e->name, phase ? phase : "new", waiting ? ": " : "", waiting ? waiting : "");
	if (waiting && (strstr(waiting, "Image") || strstr(waiting, "Error"))) {
		err_set(err, ERR_STATE, "pod \"%s/%s\" cannot start: %s", drill_namespace(e->d), e->name, waiting);
		err_hint(err, "the image must be one that the cluster can pull");
		return false;
	}
	e->failed = phase && !strcmp(phase, "Failed");
	return phase && (e->failed || !strcmp(phase, "Succeeded"));
}

static bool keep_bytes(void *ctx, const char *bytes, size_t len, struct err *err)
{
	return buf_add(ctx, bytes, len, err);
}

/* Records have a prefix in a pod's log; whatever else is there goes to the logs. */
static bool split(struct drill *d, const struct reading *what, const struct buf *log, struct err *err)
{
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

static bool last_line(const struct buf *log, char *ret, size_t size)
{
	const char *end = buf_str(log) + log->len, *from;

	while (end > buf_str(log) && end[-1] == '\n')
		end--;
	from = end;
	while (from > buf_str(log) && from[-1] != '\n')
		from--;
	snprintf(ret, size, "%.*s", (int)(end - from), from);
	return ret[0] != '\0';
}

static bool remove_pod(struct drill *d, const struct kube_kind *kind, const char *name, struct err *err)
{
	const struct kube_delete now = {.grace_seconds = 1};
	int64_t until_ms = part_now_ms(d) + REMOVE_LIMIT_MS;
	struct part_pace pace = {0};
	struct err each = ERR_INIT;

	if (!kube_delete(drill_kube(d), kind, drill_namespace(d), name, &now, &each) && each.code != ERR_NOT_FOUND) {
		*err = each;
		return false;
	}
	while (part_now_ms(d) < until_ms && kube_get(drill_kube(d), kind, drill_namespace(d), name, NULL, NULL))
		if (!part_pause_pace(d, &pace, REMOVE_POLL_MS, err))
			return false;
	return true;
}

/* An earlier attempt's pod that failed, or was cut off, is made again. */
static bool fresh_pod(
    struct drill *d, const struct kube_kind *kind, const json_node *args, const json_node *pod, struct err *err)
{
	CLEANUP(json) struct json *there = NULL, *made = NULL;
	struct err each = ERR_INIT;

	if (!part_pod_free(d, args, err))
		return false;
	if (kube_get(drill_kube(d), kind, drill_namespace(d), kube_name(pod), &there, &each)) {
		if (!json_is_at(json_root(there), "status/phase", "Failed"))
			return true;
		if (!remove_pod(d, kind, kube_name(pod), err))
			return false;
	} else if (each.code != ERR_NOT_FOUND) {
		*err = each;
		return false;
	}
	return kube_create(drill_kube(d), kind, drill_namespace(d), pod, &made, err) &&
	       drill_created(d, kind, json_root(made), err);
}

static bool read_in_pod(struct drill *d, const json_node *args, const struct reading *how, struct err *err)
{
	const struct kube_log_options log_options = {.tail_lines = -1};
	BUF_CLEANUP struct buf log = BUF_INIT(LOG_MAX);
	CLEANUP(json) struct json *pod = NULL;
	struct kube_kind kind;
	struct ending e;
	char what[600], last[600];

	kind_pods(&kind);
	if (!part_pod(d, args, &pod, err) || (how->flag && !part_pod_option(json_edit(pod), how->flag, NULL, err)) ||
	    !fresh_pod(d, &kind, args, json_root(pod), err))
		return false;
	e = (struct ending){.d = d, .name = kube_name(json_root(pod))};
	snprintf(what, sizeof what, "pod \"%s/%s\" to end", drill_namespace(d), e.name);
	if (!drill_wait(d, &kind, drill_namespace(d), e.name, what, step_duration_ms(args, "timeout", COLLECT_LIMIT_MS),
		pod_ended, &e, NULL, err) ||
	    !kube_logs(drill_kube(d), drill_namespace(d), e.name, &log_options, keep_bytes, &log, err))
		return false;
	if (!e.failed)
		return split(d, how, &log, err) && remove_pod(d, &kind, e.name, err);
	file_write_atomic(drill_path(d, how->log), buf_str(&log), log.len, 0600, NULL);
	last_line(&log, last, sizeof last);
	snprintf(what, sizeof what, "pod \"%s/%s\" has failed", drill_namespace(d), e.name);
	return part_fail(d, err, what, last);
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
