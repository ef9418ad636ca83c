#include "kube/request.h"
#include "kube/watch.h"

#include <stdio.h>

#define IDLE_MS 30000
/* of a log that is not followed */
#define WHOLE_MS 600000

struct log_reading {
	const struct clock *clock;
	bool (*on_bytes)(void *ctx, const char *bytes, size_t len, struct err *err);
	void *ctx;
	int64_t idle_ms, until_ms;
	bool idle;
};

static bool on_bytes(void *ctx, const char *bytes, size_t len, struct err *err)
{
	struct log_reading *r = ctx;

	r->until_ms = clock_mono_ms(r->clock) + r->idle_ms;
	return r->on_bytes(r->ctx, bytes, len, err);
}

static bool on_wait(void *ctx, struct err *err)
{
	struct log_reading *r = ctx;

	(void)err;
	r->idle = clock_mono_ms(r->clock) >= r->until_ms;
	return !r->idle;
}

static bool log_path(const struct kube_kind *pods, const char *namespace_, const char *pod,
    const struct kube_log_options *o, struct buf *path, struct err *err)
{
	char lines[24];

	snprintf(lines, sizeof lines, "%lld", (long long)o->tail_lines);
	return kube_path(path, pods, namespace_, pod, "log", err) &&
	       (!o->container || kube_query(path, "container", o->container, err)) &&
	       (!o->follow || kube_query(path, "follow", "true", err)) &&
	       (!o->previous || kube_query(path, "previous", "true", err)) &&
	       (!o->since_time || kube_query(path, "sinceTime", o->since_time, err)) &&
	       (o->tail_lines < 0 || kube_query(path, "tailLines", lines, err));
}

bool kube_logs(struct kube *k, const char *namespace_, const char *pod, const struct kube_log_options *options,
    bool (*receive)(void *ctx, const char *bytes, size_t len, struct err *err), void *ctx, struct err *err)
{
	BUF_CLEANUP struct buf path = BUF_INIT(KUBE_PATH_MAX);
	struct log_reading r = {.clock = k->clock,
	    .on_bytes = receive,
	    .ctx = ctx,
	    .idle_ms = options->idle_ms ? options->idle_ms : IDLE_MS};
	struct stream stream = {
	    .on_bytes = on_bytes, .on_wait = on_wait, .ctx = &r, .timeout_ms = options->follow ? -1 : WHOLE_MS};
	struct kube_kind pods;
	struct call call = {.verb = "logs of", .method = "GET", .kind = &pods, .namespace_ = namespace_, .name = pod};
	struct err why = ERR_INIT;
	char subject[KUBE_SUBJECT_MAX];

	kube_kind_set(&pods, "", "v1", "pods", "Pod", true);
	r.until_ms = clock_mono_ms(k->clock) + r.idle_ms;
	if (!log_path(&pods, namespace_, pod, options, &path, err))
		return err_wrap(err, "logs");
	call.path = buf_str(&path);
	if (kube_stream(k, &call, &stream, &why))
		return !r.idle || options->follow ||
		       err_set(err, ERR_TIMEOUT, "%s: no byte within %.1f s", kube_subject(&call, subject),
			   (double)r.idle_ms / 1000.0);
	if (err)
		*err = why;
	return false;
}
