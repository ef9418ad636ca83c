#include "base/cli.h"
#include "verifier/commands.h"

#include <stdio.h>

#define PROGRAM "psmdb-verify check"
#define ARGS_MAX 32

struct arguments {
	const char *run, *max_rpo, *max_rto, *max_undecided, *annotations, *color, *before;
};

struct line {
	char *argv[ARGS_MAX + 1];
	int argc;
};

/* The commands only read their arguments; argv has no const for historical reasons. */
static void add(struct line *l, const char *name, const char *value)
{
	if (!value || l->argc + 2 > ARGS_MAX)
		return;
	l->argv[l->argc++] = (char *)name;
	l->argv[l->argc++] = (char *)value;
}

static int judge(const struct arguments *a)
{
	struct line l = {.argv = {"psmdb-verify judge"}, .argc = 1};

	add(&l, "--run", a->run);
	add(&l, "--before", a->before);
	add(&l, "--max-rpo", a->max_rpo);
	add(&l, "--max-rto", a->max_rto);
	add(&l, "--max-undecided", a->max_undecided);
	l.argv[l.argc++] = "--quiet"; /* the summary says it all */
	return cmd_judge(l.argc, l.argv);
}

static int report(const struct arguments *a)
{
	struct line l = {.argv = {"psmdb-verify report"}, .argc = 1};

	add(&l, "--run", a->run);
	add(&l, "--annotations", a->annotations);
	add(&l, "--color", a->color);
	return cmd_report(l.argc, l.argv);
}

int cmd_check(int argc, char **argv)
{
	struct arguments a = {0};
	const struct opt opts[] = {
	    {"run", OPT_STRING, &a.run, "DIR", "the run's folder", 0, 0, true},
	    {"before", OPT_STRING, &a.before, "FILE",
		"what was described before the backup (default: DIR/described.jsonl, if it is there)", 0, 0, false},
	    {"max-rpo", OPT_STRING, &a.max_rpo, "TIME", "FAIL if more is lost (default: no limit)", 0, 0, false},
	    {"max-rto", OPT_STRING, &a.max_rto, "TIME", "FAIL if the recovery takes longer (default: no limit)", 0, 0,
		false},
	    {"max-undecided", OPT_STRING, &a.max_undecided, "NUMBER", "INCONCLUSIVE if more ticks are undecided", 0, 0,
		false},
	    {"annotations", OPT_STRING, &a.annotations, "github",
		"one workflow command a cause, on standard output before the summary", 0, 0, false},
	    {"color", OPT_STRING, &a.color, "WHEN", "auto, always or never (default: auto)", 0, 0, false},
	    {0},
	};
	const struct opt_command command = {
	    .program = PROGRAM,
	    .args = "",
	    .about = "Judges the evidence in a run's folder and writes all reports beside it: \"psmdb-verify judge\" "
		     "and \"psmdb-verify report\" in one call.",
	    .opts = opts,
	    .more = "Exit status: 0 PASS, 1 FAIL, 2 usage, 3 error, 4 INCONCLUSIVE.",
	};
	int status;

	if (!cli_options(&command, argc, argv, NULL, NULL, &status))
		return status;
	status = judge(&a);
	fflush(stdout); /* the reports do not go through stdio */
	/* without a new verdict there is nothing to show: an older one in the same folder would mislead */
	return status == EXIT_PASS || status == EXIT_FAIL || status == EXIT_INCONCLUSIVE ? report(&a) : status;
}
