/* start-ticker, tick. */
#include "scenarios/coverage.h"
#include "scenarios/steps/parts.h"

#include <string.h>

#define RUNNING_LIMIT_MS 180000
#define FIRST_LIMIT_MS 60000
#define FIRST_POLL_MS 50
#define COVER_LIMIT_MS 180000
#define STALL_SAID_MS 10000
#define PLAIN_SAID_MS 5000 /* the count is told so often where there is no live line */

/* --- start-ticker ------------------------------------------------------------------------------------------------- */

static const struct step_arg start_args[] = {
    STEP_ARG("file", ARG_TEXT, .required = true, .help = "the ticker pod's manifest, relative to the scenario"),
    STEP_ARG("cluster", ARG_TEXT, .help = "the psmdb (default: the parameter cluster)"),
    STEP_ARG("image", ARG_TEXT, .help = "of the pod (default: the manifest's)"),
    STEP_ARG("rate", ARG_TEXT, .help = "ticks a second and namespace (default: the manifest's)"),
    {0},
};

static bool start_describe(struct drill *d, const json_node *args, struct buf *out, struct err *err)
{
	const char *rate = step_text(args, "rate", NULL);

	return buf_printf(out, err, "start the ticker in %s%s%s, and follow its journal to this machine's disk",
	    drill_namespace(d), rate ? ", ticks a second: " : "", rate ? rate : "");
}

struct pod_wait {
	struct drill *d;
	const char *name;
};

/* Why a container does not run, if it never will by itself. */
static bool waits_for_good(const json_node *pod, const char **ret_reason, const char **ret_message)
{
	static const char *const hopeless[] = {"ErrImagePull", "ImagePullBackOff", "InvalidImageName",
	    "CreateContainerConfigError", "CreateContainerError", "CrashLoopBackOff"};
	const char *reason = json_text_at(pod, "status/containerStatuses/0/state/waiting/reason");

	for (size_t i = 0; reason && i < sizeof hopeless / sizeof *hopeless; i++)
		if (!strcmp(reason, hopeless[i])) {
			*ret_reason = reason;
			*ret_message = json_text_at(pod, "status/containerStatuses/0/state/waiting/message");
			return true;
		}
	return false;
}

static bool pod_running(void *ctx, const json_node *object, struct err *err)
{
	struct pod_wait *w = ctx;
	const char *phase = json_text_at(object, "status/phase"), *reason, *message;

	drill_progress(w->d, "pod %s is %s", w->name, phase ? phase : "not there");
	if (object && waits_for_good(object, &reason, &message)) {
		err_set(err, ERR_STATE, "pod \"%s/%s\" cannot start: %s%s%s", drill_namespace(w->d), w->name, reason,
		    message ? ": " : "", message ? message : "");
		return err_hint(
		    err, "the image must be one that the cluster can pull: --set image=..., or change the manifest");
	}
	if (phase && (!strcmp(phase, "Failed") || !strcmp(phase, "Succeeded"))) {
		err_set(err, ERR_STATE, "pod \"%s/%s\" has ended at once (%s)", drill_namespace(w->d), w->name, phase);
		return err_hint(err, "see \"kubectl -n %s logs %s\"", drill_namespace(w->d), w->name);
	}
	return phase && !strcmp(phase, "Running");
}

static bool make_pod(
    struct drill *d, const struct kube_kind *kind, const json_node *args, const json_node *pod, struct err *err)
{
	CLEANUP(json) struct json *made = NULL;

	if (!part_pod_free(d, args, err))
		return false;
	if (kube_get(drill_kube(d), kind, drill_namespace(d), kube_name(pod), NULL, NULL))
		return true; /* made by an earlier attempt of this run */
	return kube_create(drill_kube(d), kind, drill_namespace(d), pod, &made, err) &&
	       drill_created(d, kind, json_root(made), err);
}

static bool first_ticks(struct drill *d, const char *pod, struct err *err)
{
	int64_t begun_ms = part_now_ms(d);

	for (;;) {
		struct drill_heads h;

		if (!drill_heads(d, &h, err))
			return false;
		if (h.known && h.streams && h.acked == h.streams)
			return true;
		drill_progress(
		    d, "waiting for the first acknowledged tick of each stream: %zu of %zu", h.acked, h.streams);
		if (part_now_ms(d) - begun_ms > FIRST_LIMIT_MS) {
			err_set(
			    err, ERR_TIMEOUT, "the ticker has had no acknowledgement in %d s", FIRST_LIMIT_MS / 1000);
			return err_hint(err, "see logs/ticker.log in the run's directory, or \"kubectl -n %s logs %s\"",
			    drill_namespace(d), pod);
		}
		if (!part_pause(d, FIRST_POLL_MS, err))
			return false;
	}
}

static bool start_run(struct drill *d, const json_node *args, struct err *err)
{
	CLEANUP(json) struct json *pod = NULL;
	const char *rate = step_text(args, "rate", NULL);
	struct kube_kind kind;
	struct pod_wait wait;
	char what[600];

	kind_pods(&kind);
	if (!part_pod(d, args, &pod, err) || (rate && *rate && !part_pod_option(json_edit(pod), "--rate", rate, err)) ||
	    !make_pod(d, &kind, args, json_root(pod), err))
		return false;
	wait = (struct pod_wait){d, kube_name(json_root(pod))};
	snprintf(what, sizeof what, "pod \"%s/%s\" to run", drill_namespace(d), wait.name);
	if (!drill_wait(d, &kind, drill_namespace(d), wait.name, what, RUNNING_LIMIT_MS, pod_running, &wait, NULL, err))
		return false;
	return drill_set_value(d, "ticker", wait.name, err) &&
	       drill_follow(d, drill_namespace(d), wait.name, NULL, err) && first_ticks(d, wait.name, err);
}

const struct step_def step_start_ticker = {"start-ticker", "starts the ticker pod and follows its journal", start_args,
    0, start_describe, part_pod_free, start_run};

/* --- tick --------------------------------------------------------------------------------------------------------- */

static const struct step_arg tick_args[] = {
    STEP_ARG("for", ARG_DURATION, .required = true,
	.help = "at least so long; once the restore point is pinned, until ticks beyond it are on this disk"),
    {0},
};

static bool tick_describe(struct drill *d, const json_node *args, struct buf *out, struct err *err)
{
	return buf_printf(out, err, "let ticks go on for %s%s", step_text(args, "for", ""),
	    drill_found(d, "bound-b1") ? ": the backup does not have these" : "");
}

/* One that has ended never ticks again: a pod of its kind is not restarted. */
static bool ticker_lives(struct drill *d, struct err *err)
{
	CLEANUP(json) struct json *pod = NULL;
	const char *name = drill_found(d, "ticker"), *phase;
	struct err each = ERR_INIT;
	struct kube_kind kind;

	kind_pods(&kind);
	if (!name)
		return true;
	if (!kube_get(drill_kube(d), &kind, drill_namespace(d), name, &pod, &each) && each.code != ERR_NOT_FOUND)
		return true; /* the server is away, which says nothing of the pod */
	phase = pod ? json_text_at(json_root(pod), "status/phase") : "gone";
	if (phase && strcmp(phase, "Failed") != 0 && strcmp(phase, "Succeeded") != 0 && strcmp(phase, "gone") != 0)
		return true;
	err_set(err, ERR_STATE, "pod \"%s/%s\" is %s: the ticks end here, and no later one can cover the restore point",
	    drill_namespace(d), name, phase ? phase : "without a phase");
	drill_failure(d, "TICKER_ENDED",
	    "the ticker pod has ended before the disaster: its node, its memory limit, or somebody who deleted it",
	    "clean up, and begin a new run");
	return err_hint(err, "begin a new run; logs/ticker.log in this run's directory has its last words");
}

static bool tick_run(struct drill *d, const json_node *args, struct err *err)
{
	int64_t for_ms = step_duration_ms(args, "for", 0), begun_ms = part_now_ms(d), moved_ms = begun_ms, ticks = -1,
		said_ms = 0;
	bool pinned = drill_found(d, "bound-b1") != NULL, compare = pinned;
	BOUND_CLEANUP struct bound bound;
	char why[COVERAGE_WHY_MAX] = "";

	bound_init(&bound);
	if (pinned && !bound_read(drill_path(d, "bound.json"), &bound, err))
		return false;
	for (;;) {
		int64_t now_ms = part_now_ms(d), gone_ms = now_ms - begun_ms;
		struct drill_heads h;
		bool enough = !pinned;

		if (!drill_heads(d, &h, err))
			return false;
		if (h.ticks != ticks)
			moved_ms = now_ms;
		ticks = h.ticks;
		if (pinned && gone_ms >= for_ms && !coverage_now(d, &bound, &enough, why, err))
			return false;
		/* it takes its time while time passes anyway, and what destroys comes next */
		if (compare && for_ms - gone_ms <= PART_CLOCKS_MS) {
			compare = false;
			if (!part_note_clocks(d, err))
				return false;
			continue;
		}
		/* behind a restore point the coverage has just shown that it ticks */
		if (gone_ms >= for_ms && enough)
			return pinned || ticker_lives(d, err);
		if (now_ms - moved_ms > STALL_SAID_MS && !ticker_lives(d, err))
			return false;
		if (now_ms - moved_ms > STALL_SAID_MS)
			drill_progress(d, "no tick was acknowledged for %lld s", (long long)(now_ms - moved_ms) / 1000);
		else if (d->show.live || gone_ms - said_ms >= PLAIN_SAID_MS) {
			said_ms = gone_ms;
			drill_progress(
			    d, "%lld ticks acknowledged%s%s", (long long)ticks, gone_ms >= for_ms ? "; " : "", why);
		}
		if (gone_ms > for_ms + COVER_LIMIT_MS) {
			err_set(err, ERR_TIMEOUT,
			    "the drill's copy of the journal is not enough for a verdict after %lld s more: %s",
			    (long long)COVER_LIMIT_MS / 1000, why);
			return err_hint(err,
			    "does the ticker still run, and does its log arrive (the follower was started again %u "
			    "times)? "
			    "see logs/ticker.log and logs/follow.log in the run's directory",
			    d->follow.restarts);
		}
		if (!part_pause(d, 250, err))
			return false;
	}
}

const struct step_def step_tick = {"tick", "lets the ticker go on", tick_args, 0, tick_describe, NULL, tick_run};
