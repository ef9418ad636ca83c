/* wait, pause, note: what needs no knowledge of Percona or Kasten. */
#include "base/num.h"
#include "doc/jsonpath.h"
#include "scenarios/drill_run.h"
#include "scenarios/steps/steps.h"

#include <poll.h>
#include <string.h>
#include <unistd.h>

#define WAIT_LIMIT_MS 600000

/* --- wait --------------------------------------------------------------------------------------------------------- */

static const struct step_arg wait_args[] = {
    STEP_ARG("kind", ARG_TEXT, .required = true, .help = "as kubectl takes it"),
    STEP_ARG("name", ARG_TEXT, .required = true, .help = "the object"),
    STEP_ARG("path", ARG_TEXT, .required = true, .help = "a JSONPath: .status.state"),
    STEP_ARG("value", ARG_TEXT, .required = true, .help = "what must be there"),
    STEP_ARG("not", ARG_TEXT, .help = "a value that ends the wait with an error, such as error"),
    STEP_ARG("timeout", ARG_DURATION, .otherwise = "10m", .help = "how long"),
    {0},
};

struct wanted {
	struct drill *d;
	const json_node *args;
};

static bool wait_describe(struct drill *d, const json_node *args, struct buf *out, struct err *err)
{
	return buf_printf(out, err, "wait until %s of %s %s/%s is %s", step_text(args, "path", ""),
	    step_text(args, "kind", ""), drill_namespace(d), step_text(args, "name", ""), step_text(args, "value", ""));
}

static bool is_there(void *ctx, const json_node *object, struct err *err)
{
	struct wanted *w = ctx;
	BUF_CLEANUP struct buf now = BUF_INIT(4096);
	const char *bad = step_text(w->args, "not", NULL);

	if (!object || !jsonpath_text(object, step_text(w->args, "path", ""), &now, NULL))
		buf_reset(&now);
	drill_progress(w->d, "%s %s: %s is %s", step_text(w->args, "kind", ""), step_text(w->args, "name", ""),
	    step_text(w->args, "path", ""),
	    !object   ? "not there: no such object"
	    : now.len ? buf_str(&now)
		      : "not there");
	if (bad && now.len && !strcmp(buf_str(&now), bad)) {
		err_set(err, ERR_STATE, "%s \"%s/%s\": %s is \"%s\"", step_text(w->args, "kind", ""),
		    drill_namespace(w->d), step_text(w->args, "name", ""), step_text(w->args, "path", ""), bad);
		return false;
	}
	return object && !strcmp(buf_str(&now), step_text(w->args, "value", ""));
}

static bool wait_run(struct drill *d, const json_node *args, struct err *err)
{
	struct wanted w = {d, args};
	struct kube_kind kind;
	char what[640];

	snprintf(what, sizeof what, "%s \"%s/%s\" to have %s = %s", step_text(args, "kind", ""), drill_namespace(d),
	    step_text(args, "name", ""), step_text(args, "path", ""), step_text(args, "value", ""));
	return kube_find_kind(drill_kube(d), step_text(args, "kind", ""), &kind, err) &&
	       drill_wait(d, &kind, drill_namespace(d), step_text(args, "name", ""), what,
		   step_duration_ms(args, "timeout", WAIT_LIMIT_MS), is_there, &w, NULL, err);
}

const struct step_def step_wait = {
    "wait", "waits until a field of an object has a value", wait_args, 0, wait_describe, NULL, wait_run};

/* --- pause -------------------------------------------------------------------------------------------------------- */

static const struct step_arg pause_args[] = {
    STEP_ARG("text", ARG_TEXT, .help = "what a person is to do"),
    STEP_ARG("for", ARG_DURATION, .help = "go on by itself after this time; else when Enter is pressed"),
    {0},
};

static bool pause_describe(struct drill *d, const json_node *args, struct buf *out, struct err *err)
{
	(void)d;
	return buf_printf(out, err, "pause: %s", step_text(args, "text", "until Enter is pressed"));
}

static bool pause_check(struct drill *d, const json_node *args, struct err *err)
{
	(void)d;
	if (step_text(args, "for", NULL) || isatty(STDIN_FILENO))
		return true;
	err_set(err, ERR_USAGE, "a pause waits for a person, and standard input is no terminal");
	return err_hint(err, "give the step \"for\", or run it on a terminal");
}

static bool pause_run(struct drill *d, const json_node *args, struct err *err)
{
	int64_t limit_ms = step_duration_ms(args, "for", -1), begun_ms = clock_mono_ms(drill_clock(d));
	struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};
	char line[256];

	if (limit_ms < 0)
		drill_say(d, "%s; press Enter to go on", step_text(args, "text", "paused"));
	while (!*drill_stop(d)) {
		int64_t gone_ms = clock_mono_ms(drill_clock(d)) - begun_ms;

		if (limit_ms >= 0 && gone_ms >= limit_ms)
			return true;
		drill_progress(d, "%s", step_text(args, "text", "paused"));
		if (limit_ms >= 0)
			clock_sleep_until(drill_clock(d),
			    clock_mono_ns(drill_clock(d)) +
				(limit_ms - gone_ms < 500 ? limit_ms - gone_ms : 500) * 1000000,
			    drill_stop(d));
		else if (poll(&in, 1, 500) > 0)
			return read(STDIN_FILENO, line, sizeof line) >= 0 ||
			       err_set(err, ERR_IO, "read standard input");
	}
	return err_set(err, ERR_INTERRUPTED, "interrupted");
}

const struct step_def step_pause = {
    "pause", "waits for a person, or for a time", pause_args, 0, pause_describe, pause_check, pause_run};

/* --- note --------------------------------------------------------------------------------------------------------- */

static const struct step_arg note_args[] = {
    STEP_ARG("text", ARG_TEXT, .required = true, .help = "what the timeline is to say"),
    {0},
};

static bool note_describe(struct drill *d, const json_node *args, struct buf *out, struct err *err)
{
	(void)d;
	return buf_printf(out, err, "note: %s", step_text(args, "text", ""));
}

static bool note_run(struct drill *d, const json_node *args, struct err *err)
{
	return drill_event(d, err, "note", "text", step_text(args, "text", ""), NULL);
}

const struct step_def step_note = {
    "note", "writes a line into the timeline", note_args, 0, note_describe, NULL, note_run};
