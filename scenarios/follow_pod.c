#include "scenarios/follow_pod.h"

#include <string.h>

#define PAUSE_MS 1000
#define IDLE_MS 30000

struct feed {
	struct follower *f;
	const struct clock *clock;
	struct err fault; /* of the journal or the disk: final */
};

static bool take(void *ctx, const char *bytes, size_t len, struct err *err)
{
	struct feed *feed = ctx;
	bool ok = true;

	while (ok && len) {
		size_t part = len < RECORD_FEED_MAX ? len : RECORD_FEED_MAX;

		ok = follower_feed(feed->f, bytes, part, &feed->fault);
		bytes += part;
		len -= part;
	}
	if (ok && clock_mono_ns(feed->clock) >= follower_due_ns(feed->f))
		ok = follower_tick(feed->f, &feed->fault);
	if (!ok)
		*err = feed->fault;
	return ok;
}

/* Gone: not there, or another one of that name, or ended. */
static bool pod_gone(const struct follow_pod *p, char uid[static 64], bool *ret_ended, struct err *err)
{
	CLEANUP(json) struct json *pod = NULL;
	struct err each = ERR_INIT;
	struct kube_kind kind;
	const char *now, *phase;

	*ret_ended = false;
	kube_kind_set(&kind, "", "v1", "pods", "Pod", true);
	if (!kube_get(p->kube, &kind, p->namespace_, p->pod, &pod, &each)) {
		if (each.code == ERR_NOT_FOUND)
			return true;
		*err = each;
		return false;
	}
	now = kube_uid(json_root(pod));
	if (!uid[0])
		snprintf(uid, 64, "%s", now ? now : "");
	phase = json_text_at(json_root(pod), "status/phase");
	*ret_ended = phase && (!strcmp(phase, "Succeeded") || !strcmp(phase, "Failed"));
	return strcmp(uid, now ? now : "") != 0;
}

bool follow_pod_run(const struct follow_pod *p, struct follower *f, struct err *err)
{
	const struct kube_log_options options = {
	    .container = p->container, .follow = true, .tail_lines = -1, .idle_ms = IDLE_MS};
	struct feed feed = {f, p->clock, ERR_INIT};
	int64_t well_ms = clock_mono_ms(p->clock);
	char uid[64] = "";

	while (!(p->stop && *p->stop)) {
		int64_t begun_ns = clock_mono_ns(p->clock);
		struct err each = ERR_INIT;
		bool ended = false, gone = pod_gone(p, uid, &ended, &each), read;

		if (gone)
			return true;
		/* the last stream may have broken within a line */
		if (!follower_again(f, err))
			return false;
		read = !each.code && kube_logs(p->kube, p->namespace_, p->pod, &options, take, &feed, &each);
		if (feed.fault.code) {
			*err = feed.fault;
			return false;
		}
		if (!follower_tick(f, err))
			return false;
		if (follower_sealed(f) || (read && ended))
			return true;
		if (read)
			well_ms = clock_mono_ms(p->clock);
		else if (clock_mono_ms(p->clock) - well_ms > p->unreachable_ms && !(p->stop && *p->stop)) {
			*err = each;
			return err_wrap(
			    err, "the pod's log cannot be read for %lld s", (long long)p->unreachable_ms / 1000);
		}
		/* rounds are a second apart at least; a log that has been read for longer may have ended with its pod */
		clock_sleep_until(p->clock, begun_ns + PAUSE_MS * INT64_C(1000000), p->stop);
	}
	return true;
}
