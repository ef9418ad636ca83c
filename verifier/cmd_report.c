#include "base/cleanup.h"
#include "base/cli.h"
#include "verifier/commands.h"
#include "verifier/report.h"
#include "verifier/report_screen.h"
#include "verifier/run_place.h"

#include <string.h>

#define PROGRAM "psmdb-verify report"

struct arguments {
	const char *run, *verdict, *text, *html, *markdown, *junit, *metrics, *annotations, *color;
	bool no_verdict_status;
};

/* Paths in the run directory, for what was not named. */
struct places {
	char verdict[PATH_MAX], html[PATH_MAX], markdown[PATH_MAX], junit[PATH_MAX], metrics[PATH_MAX];
};

static bool usage(struct err *err, const char *fault, const char *mend)
{
	err_set(err, ERR_USAGE, "%s", fault);
	return err_hint(err, "%s", mend);
}

static bool place(const char *run, const char *name, char path[static PATH_MAX], const char **ret, struct err *err)
{
	if (*ret)
		return true;
	if (!run_path(run, name, path, err))
		return false;
	*ret = path;
	return true;
}

static size_t count_stdout(const struct arguments *a)
{
	const char *const outputs[] = {a->text, a->html, a->markdown, a->junit, a->metrics};
	size_t count = 0;

	for (size_t i = 0; i < sizeof outputs / sizeof *outputs; i++)
		count += outputs[i] && !strcmp(outputs[i], "-");
	return count;
}

static bool settle(struct arguments *a, struct places *p, struct err *err)
{
	if (!a->run == !a->verdict)
		return usage(err,
		    a->run ? "both --run and --verdict are given" : "neither --run nor --verdict is given",
		    "name one of them");
	if (a->run && !a->run[0])
		return usage(err, "option \"--run\": the folder's name is empty", "name the folder of the run");
	if (a->annotations && strcmp(a->annotations, "github") != 0)
		return usage(err, "option \"--annotations\" knows \"github\" only",
		    "leave it out for other CI systems: they read the JUnit file");
	if (!screen_knows_color(a->color))
		return usage(
		    err, "option \"--color\" is none of auto, always, never", "leave it out: a terminal gets colour");
	if (a->run && (!place(a->run, "verdict.json", p->verdict, &a->verdict, err) ||
			  !place(a->run, "report.html", p->html, &a->html, err) ||
			  !place(a->run, "report.md", p->markdown, &a->markdown, err) ||
			  !place(a->run, "junit.xml", p->junit, &a->junit, err) ||
			  !place(a->run, "metrics.prom", p->metrics, &a->metrics, err)))
		return false;
	/* the summary, unless another report has standard output for itself, or only files were asked for */
	if (!a->text && !count_stdout(a) && (a->run || (!a->html && !a->markdown && !a->junit && !a->metrics)))
		a->text = "-";
	if (count_stdout(a) > 1)
		return usage(
		    err, "standard output (\"-\") is given for more than one report", "give a file for the others");
	return true;
}

static bool write_report(const char *path, bool (*render)(const struct verdict *, struct buf *, struct err *),
    size_t max, const struct verdict *v, struct err *err)
{
	BUF_CLEANUP struct buf text = BUF_INIT(max);

	return !path || (render(v, &text, err) && run_put(path, &text, err));
}

static bool write_text(const struct arguments *a, const struct verdict *v, struct err *err)
{
	BUF_CLEANUP struct buf text = BUF_INIT(REPORT_BYTES_MAX);
	const char *html = a->html && strcmp(a->html, "-") != 0 ? a->html : NULL;

	return !a->text || (report_text(v, screen_wants_color(a->color, !strcmp(a->text, "-")), html, &text, err) &&
			       run_put(a->text, &text, err));
}

static bool write_all(const struct arguments *a, const struct verdict *v, struct err *err)
{
	return write_report(a->html, report_html, REPORT_BYTES_MAX, v, err) &&
	       write_report(a->markdown, report_markdown, REPORT_MARKDOWN_MAX, v, err) &&
	       write_report(a->junit, report_junit, REPORT_BYTES_MAX, v, err) &&
	       write_report(a->metrics, report_metrics, REPORT_BYTES_MAX, v, err) &&
	       write_report(a->annotations ? "-" : NULL, report_github, REPORT_BYTES_MAX, v, err) &&
	       write_text(a, v, err);
}

static bool run(struct arguments *a, int *ret_status, struct err *err)
{
	VERDICT_CLEANUP struct verdict v;
	struct places p;

	verdict_init(&v);
	if (!settle(a, &p, err) || !verdict_read(a->verdict, &v, err))
		return false;
	if (!write_all(a, &v, err))
		return false;
	*ret_status = a->no_verdict_status ? EXIT_PASS : verdict_exit_status(v.result);
	return true;
}

int cmd_report(int argc, char **argv)
{
	struct arguments a = {.color = "auto"};
	const struct opt opts[] = {
	    {"run", OPT_STRING, &a.run, "DIR",
		"a run's folder: reads verdict.json there, writes report.html, report.md, junit.xml and metrics.prom "
		"beside it",
		0, 0, false},
	    {"verdict", OPT_STRING, &a.verdict, "FILE",
		"a verdict by its own path; only the reports that are named are written", 0, 0, false},
	    {"text", OPT_STRING, &a.text, "FILE",
		"the summary for people (default: -, unless only files are asked for)", 0, 0, false},
	    {"html", OPT_STRING, &a.html, "FILE", "one page without script, readable without network", 0, 0, false},
	    {"markdown", OPT_STRING, &a.markdown, "FILE", "a job summary", 0, 0, false},
	    {"junit", OPT_STRING, &a.junit, "FILE", "JUnit XML for GitHub, GitLab and Jenkins", 0, 0, false},
	    {"metrics", OPT_STRING, &a.metrics, "FILE", "OpenMetrics, for a text file collector", 0, 0, false},
	    {"annotations", OPT_STRING, &a.annotations, "github",
		"one workflow command a cause, on standard output before the rest", 0, 0, false},
	    {"color", OPT_STRING, &a.color, "WHEN",
		"auto, always or never (default: auto: on a terminal, unless NO_COLOR is set)", 0, 0, false},
	    {"no-verdict-status", OPT_FLAG, &a.no_verdict_status, NULL,
		"exit with 0 when the reports are written, whatever the verdict", 0, 0, false},
	    {0},
	};
	const struct opt_command command = {
	    .program = PROGRAM,
	    .args = "",
	    .about = "Shows a verdict. All reports come from verdict.json alone, and nothing is judged again. FILE may "
		     "be - for standard output. Files are replaced in one "
		     "step, so nobody reads half of one.",
	    .opts = opts,
	    .more = "Exit status: the verdict's, so that a CI job can end with this command:\n"
		    "0 PASS, 1 FAIL, 2 usage, 3 verdict ERROR or a report could not be written, 4 INCONCLUSIVE.\n\n"
		    "In a GitHub workflow:\n"
		    "  psmdb-verify report --run DIR --annotations github --markdown \"$GITHUB_STEP_SUMMARY\"",
	};
	struct err err = ERR_INIT;
	int status = EXIT_ERROR;

	if (!cli_options(&command, argc, argv, NULL, NULL, &status))
		return status;
	return run(&a, &status, &err) ? status : err_print(PROGRAM, &err);
}
