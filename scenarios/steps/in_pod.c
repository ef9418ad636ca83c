/* A pod of this project that runs to its end, and what it has printed. */
#include "base/file.h"
#include "scenarios/steps/parts.h"

#include <string.h>

#define LOG_MAX ((size_t)256 << 20)
#define REMOVE_LIMIT_MS 20000
#define REMOVE_POLL_MS 100

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

/* The line that ends at `end`, without its newline; *ret_from: where it begins. */
static void line_before(const struct buf *log, const char *end, const char **ret_from, char *ret, size_t size)
{
	const char *from;

	while (end > buf_str(log) && end[-1] == '\n')
		end--;
	from = end;
	while (from > buf_str(log) && from[-1] != '\n')
		from--;
	snprintf(ret, size, "%.*s", (int)(end - from), from);
	*ret_from = from;
}

/* What a program of ours has said at last; with a hint below it, that is another line. */
static bool failed(struct drill *d, const char *name, const struct buf *log, struct err *err)
{
	char what[600], last[1200], hint[600];
	const char *from, *advice;

	line_before(log, buf_str(log) + log->len, &from, last, sizeof last);
	advice = strstr(last, ": hint: ");
	snprintf(hint, sizeof hint, "%s", advice ? advice + strlen(": hint: ") : "");
	if (advice)
		line_before(log, from, &from, last, sizeof last);
	snprintf(what, sizeof what, "pod \"%s/%s\" has failed", drill_namespace(d), name);
	part_fail(d, err, what, last);
	return hint[0] ? err_hint(err, "%s", hint) : false;
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

bool part_run_pod(struct drill *d, const json_node *args, const char *flag, const char *log_name, int64_t limit_ms,
    part_pod_log keep, const void *ctx, struct err *err)
{
	const struct kube_log_options log_options = {.tail_lines = -1};
	BUF_CLEANUP struct buf log = BUF_INIT(LOG_MAX);
	CLEANUP(json) struct json *pod = NULL;
	struct kube_kind kind;
	struct ending e;
	char what[600];

	kind_pods(&kind);
	if (!part_pod(d, args, &pod, err) || (flag && !part_pod_option(json_edit(pod), flag, NULL, err)) ||
	    !fresh_pod(d, &kind, args, json_root(pod), err))
		return false;
	e = (struct ending){.d = d, .name = kube_name(json_root(pod))};
	snprintf(what, sizeof what, "pod \"%s/%s\" to end", drill_namespace(d), e.name);
	if (!drill_wait(d, &kind, drill_namespace(d), e.name, what, step_duration_ms(args, "timeout", limit_ms),
		pod_ended, &e, NULL, err) ||
	    !kube_logs(drill_kube(d), drill_namespace(d), e.name, &log_options, keep_bytes, &log, err))
		return false;
	if (!e.failed)
		return keep(d, &log, ctx, err) && remove_pod(d, &kind, e.name, err);
	file_write_atomic(drill_path(d, log_name), buf_str(&log), log.len, 0600, NULL);
	return failed(d, e.name, &log, err);
}
