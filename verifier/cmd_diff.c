#include "base/cli.h"
#include "verifier/commands.h"
#include "verifier/report.h"
#include "verifier/report_diff.h"
#include "verifier/report_screen.h"
#include "verifier/run_place.h"

#include <string.h>

#define PROGRAM "psmdb-verify diff"

struct arguments {
	const char *output, *file, *color;
	struct diff_limits limits;
};

static bool usage(struct err *err, const char *fault, const char *mend)
{
	err_set(err, ERR_USAGE, "%s", fault);
	return err_hint(err, "%s", mend);
}

static bool render(const struct arguments *a, const struct diff *d, struct buf *text, struct err *err)
{
	if (!strcmp(a->output, "json"))
		return report_diff_json(d, text, err);
	if (!strcmp(a->output, "markdown"))
		return report_diff_markdown(d, text, err);
	return report_diff_text(d, screen_wants_color(a->color, !strcmp(a->file, "-")), text, err);
}

static bool run(const struct arguments *a, char **runs, int *ret_status, struct err *err)
{
	VERDICT_CLEANUP struct verdict before, after;
	BUF_CLEANUP struct buf text = BUF_INIT(REPORT_BYTES_MAX);
	CLEANUP(diff) struct diff *d = NULL;
	char path[PATH_MAX];

	verdict_init(&before);
	verdict_init(&after);
	if (strcmp(a->output, "text") != 0 && strcmp(a->output, "json") != 0 && strcmp(a->output, "markdown") != 0)
		return usage(err, "option \"--output\" is none of text, json, markdown", "leave it out: text");
	if (!screen_knows_color(a->color))
		return usage(
		    err, "option \"--color\" is none of auto, always, never", "leave it out: a terminal gets colour");
	if (!run_read(runs[0], path, &before, err))
		return err_wrap(err, "the first run");
	if (!run_read(runs[1], path, &after, err))
		return err_wrap(err, "the second run");
	if (!diff_make(&before, runs[0], &after, runs[1], &a->limits, &d, err) || !render(a, d, &text, err) ||
	    !run_put(a->file, &text, err))
		return false;
	*ret_status = diff_exit_status(d);
	return true;
}

int cmd_diff(int argc, char **argv)
{
	struct arguments a = {.output = "text", .file = "-", .color = "auto", .limits = {-1, -1}};
	const struct opt opts[] = {
	    {"output", OPT_STRING, &a.output, "FORMAT", "text, json or markdown (default: text)", 0, 0, false},
	    {"file", OPT_STRING, &a.file, "FILE", "where it goes (default: -, standard output)", 0, 0, false},
	    {"max-rpo-growth", OPT_DOUBLE, &a.limits.rpo_growth, "PERCENT",
		"worse if the RPO grew by more, beyond the errors of both (default: no limit)", 0, 1000000, false},
	    {"max-rto-growth", OPT_DOUBLE, &a.limits.rto_growth, "PERCENT",
		"worse if the RTO grew by more, beyond the errors of both (default: no limit)", 0, 1000000, false},
	    {"color", OPT_STRING, &a.color, "WHEN",
		"auto, always or never (default: auto: on a terminal, unless NO_COLOR is set)", 0, 0, false},
	    {0},
	};
	const struct opt_command command = {
	    .program = PROGRAM,
	    .args = "RUN RUN",
	    .about =
		"Says what has changed from the first run to the second. RUN is a run's folder, or its verdict.json. "
		"Nothing is judged again, and figures differ only by more than both their errors together.",
	    .opts = opts,
	    .more =
		"Worse is: a worse result (PASS, then INCONCLUSIVE, then FAIL and ERROR), a new reason to fail, more "
		"ticks "
		"of a failing class, more that a removal has left behind, a figure that grew beyond its limit. A new "
		"figure without a limit is shown, and is not worse.\n\n"
		"Exit status: 0 nothing got worse, 1 the second is worse, 2 usage, 3 a file cannot be read or written, "
		"4 "
		"they cannot be compared: in one of them no data were judged, one is of a removal, or a growth that "
		"has a "
		"limit is not known.",
	    .min_args = 2,
	    .max_args = 2,
	};
	struct err err = ERR_INIT;
	int status = EXIT_ERROR;
	size_t count;
	char **runs;

	if (!cli_options(&command, argc, argv, &runs, &count, &status))
		return status;
	return run(&a, runs, &status, &err) ? status : err_print(PROGRAM, &err);
}
