#include "base/cli.h"
#include "base/place.h"
#include "doc/json_writer.h"
#include "scenarios/commands.h"
#include "scenarios/drill_run.h"
#include "scenarios/step.h"
#include "scenarios/step_args.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#define SCENARIO_BYTES_MAX ((size_t)1 << 20)
#define LISTED_MAX 100

static void wrap(const char *text, int width)
{
	int at = 0;

	for (const char *p = text; *p;) {
		size_t len = strcspn(p, " \n");

		if (at && at + 1 + (int)len > width) {
			printf("\n");
			at = 0;
		}
		at += printf("%s%.*s", at ? " " : "", (int)len, p);
		p += len;
		p += strspn(p, " \n");
	}
	printf("\n");
}

/* Of each cluster in which a step asks them. */
static void put_locks(const struct drill *d)
{
	bool here = false, there = false, left = false;

	for (size_t i = 0; i < d->scenario.count; i++) {
		here |= !left && scenario_step_asks_locks(&d->scenario, i);
		there |= left && scenario_step_asks_locks(&d->scenario, i);
		left |= (d->scenario.steps[i].def->flags & STEP_LEAVES) != 0;
	}
	if (!here && !there)
		return;
	printf("\n%s, so it needs both: --confirm-destroy %s, and the label\n"
	       "psmdb-drill/allow-disaster=true on namespace %s%s.\n",
	    scenario_destroys(&d->scenario) ? "It destroys" : "It has a locked step", d->namespace_, d->namespace_,
	    !there ? ""
	    : here ? " of this cluster and of the other one (--to-context)"
		   : " of the other cluster (--to-context); this one needs none");
}

static bool put_text(struct drill *d, struct err *err)
{
	printf("%s\n\n", d->scenario.name);
	if (d->scenario.about)
		wrap(d->scenario.about, 100);
	printf("\nparameters (--set NAME=VALUE):\n");
	for (const json_node *p = json_first(json_root(d->parameters)); p; p = json_next(p))
		printf("  %-18s %s\n", json_key(p), json_string(p));
	printf("\nsteps:\n");
	for (size_t i = 0; i < d->scenario.count; i++) {
		BUF_CLEANUP struct buf title = BUF_INIT(2048);
		CLEANUP(json) struct json *args = NULL;

		if (!drill_args(d, i, false, &args, err) || !drill_title(d, i, json_root(args), &title, err))
			return err_wrap(err, "step %zu", i + 1);
		printf("%4zu  %s%s\n", i + 1,
		    d->scenario.steps[i].def->flags & STEP_DESTROYS ? "DESTROYS  "
		    : scenario_step_asks_locks(&d->scenario, i)	    ? "LOCKED  "
								    : "",
		    buf_str(&title));
		printf("      (%s: %s)\n", d->scenario.steps[i].def->verb, d->scenario.steps[i].def->about);
	}
	put_locks(d);
	return true;
}

static bool put_json(struct drill *d, struct err *err)
{
	BUF_CLEANUP struct buf out = BUF_INIT((size_t)4 << 20);
	struct json_writer w;
	bool ok = true;

	json_writer_init(&w, &out);
	json_object(&w, NULL);
	json_put_string(&w, "scenario", d->scenario.name);
	json_put_string(&w, "about", d->scenario.about ? d->scenario.about : "");
	json_put_string(&w, "namespace", d->namespace_);
	json_put_bool(&w, "destroys", scenario_destroys(&d->scenario));
	json_object(&w, "parameters");
	for (const json_node *p = json_first(json_root(d->parameters)); p; p = json_next(p))
		json_put_string(&w, json_key(p), json_string(p));
	json_end_object(&w);
	json_array(&w, "steps");
	for (size_t i = 0; ok && i < d->scenario.count; i++) {
		BUF_CLEANUP struct buf title = BUF_INIT(2048);
		CLEANUP(json) struct json *args = NULL;

		ok = drill_args(d, i, false, &args, err) && drill_title(d, i, json_root(args), &title, err);
		json_object(&w, NULL);
		json_put_string(&w, "verb", d->scenario.steps[i].def->verb);
		json_put_string(&w, "title", buf_str(&title));
		json_put_bool(&w, "destroys", d->scenario.steps[i].def->flags & STEP_DESTROYS);
		json_put_bool(&w, "locked", scenario_step_asks_locks(&d->scenario, i));
		json_end_object(&w);
	}
	json_end_array(&w);
	json_end_object(&w);
	if (!ok || !json_writer_ok(&w, err))
		return false;
	printf("%s\n", buf_str(&out));
	return true;
}

int cmd_explain(int argc, char **argv)
{
	struct drill_options options = {0};
	bool as_json = false, ok;
	const struct opt opts[] = {
	    {.name = "namespace",
		.kind = OPT_STRING,
		.ret = &options.namespace_,
		.arg = "NAME",
		.help = "the parameter \"namespace\": where the cluster under test is"},
	    {.name = "set",
		.kind = OPT_LIST,
		.ret = &options.set,
		.arg = "NAME=VALUE",
		.help = "a parameter of the scenario, may be given several times"},
	    {.name = "json", .kind = OPT_FLAG, .ret = &as_json, .arg = "", .help = "as one JSON object"},
	    {.name = NULL},
	};
	const struct opt_command command = {.program = argv[0],
	    .args = "SCENARIO",
	    .about =
		"Says what a scenario would do, step by step, to which objects, and what it destroys. Asks no cluster. "
		"DESTROYS: both locks are asked before the step; LOCKED: they are, though it destroys nothing itself.",
	    .opts = opts,
	    .more = "Examples:\n  psmdb-drill explain case-1\n  psmdb-drill explain ./my-drill.yaml --set "
		    "namespace=mongo-test\n\n"
		    "Exit status: 0 done, 2 usage, 3 the scenario cannot be read.",
	    .min_args = 1,
	    .max_args = 1};
	CLEANUP(free) struct drill *d = calloc(1, sizeof *d);
	BUF_CLEANUP struct buf text = BUF_INIT(SCENARIO_BYTES_MAX);
	char path[PATH_MAX], **args;
	struct err err = ERR_INIT;
	size_t count;
	int status;

	if (!cli_options(&command, argc, argv, &args, &count, &status))
		return status;
	if (!d)
		return EXIT_ERROR;
	*d = (struct drill){.options = &options, .clock = clock_system()};
	ok = scenario_find(args[0], path, &err) && drill_open(d, path, &text, &err) &&
	     (as_json ? put_json(d, &err) : put_text(d, &err));
	drill_close(d);
	return ok ? EXIT_PASS : err_print(argv[0], &err);
}

/* --- list --------------------------------------------------------------------------------------------------------- */

static int is_yaml(const struct dirent *e)
{
	size_t len = strlen(e->d_name);

	return len > 5 && !strcmp(e->d_name + len - 5, ".yaml");
}

static void list_one(const char *folder, const char *name)
{
	BUF_CLEANUP struct buf text = BUF_INIT(SCENARIO_BYTES_MAX);
	SCENARIO_CLEANUP struct scenario s = {0};
	struct err err = ERR_INIT;
	char path[PATH_MAX];

	if (snprintf(path, sizeof path, "%s/%s", folder, name) >= PATH_MAX)
		return;
	if (scenario_read(path, &text, &s, &err))
		printf("%-22s %.*s\n", s.name, (int)strcspn(s.about ? s.about : "", ".\n"), s.about ? s.about : "");
	else
		printf("%-22s cannot be read: %s\n", name, err.msg);
}

/* Markdown: docs/scenarios.md holds the same text. */
static void list_steps(void)
{
	for (const struct step_def *const *d = step_defs; *d; d++) {
		printf("### %s\n%s%s%s.\n", (*d)->verb, (*d)->about,
		    (*d)->flags & STEP_DESTROYS ? "; **destroys**"
		    : (*d)->flags & STEP_LOCKED ? "; asks both locks"
						: "",
		    (*d)->flags & STEP_ONCE ? "; one in a scenario" : "");
		if ((*d)->args->name)
			printf("\n| argument | kind | default | |\n| --- | --- | --- | --- |\n");
		for (const struct step_arg *a = (*d)->args; a->name; a++)
			printf("| `%s` | %s | %s | %s |\n", a->name, step_arg_kind_text(a->kind),
			    a->required	   ? "**needed**"
			    : a->otherwise ? a->otherwise
					   : "",
			    a->help);
		printf("\n");
	}
}

int cmd_list(int argc, char **argv)
{
	bool steps = false;
	const struct opt opts[] = {{.name = "steps",
				       .kind = OPT_FLAG,
				       .ret = &steps,
				       .arg = "",
				       .help = "list what a scenario can do instead: every step with its arguments"},
	    {.name = NULL}};
	const struct opt_command command = {.program = argv[0],
	    .args = "",
	    .about = "Lists the shipped scenarios, or the steps that they are made of.",
	    .opts = opts,
	    .more = "Exit status: 0 done, 2 usage, 3 they cannot be found."};
	struct dirent **entries = NULL;
	struct err err = ERR_INIT;
	char folder[PATH_MAX];
	int status, count;

	if (!cli_options(&command, argc, argv, NULL, NULL, &status))
		return status;
	if (steps) {
		list_steps();
		return EXIT_PASS;
	}
	if (!place_share("scenarios", folder, &err))
		return err_print(argv[0], &err);
	count = scandir(folder, &entries, is_yaml, alphasort);
	for (int i = 0; i < count; i++) {
		if (i < LISTED_MAX)
			list_one(folder, entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	return EXIT_PASS;
}
