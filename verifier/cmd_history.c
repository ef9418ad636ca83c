#include "base/cli.h"
#include "verifier/commands.h"
#include "verifier/report.h"
#include "verifier/report_history.h"
#include "verifier/report_screen.h"
#include "verifier/run_place.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#define PROGRAM "psmdb-verify history"
#define NAMES_MAX 100000 /* of one folder */
#define ARGS_MAX 10000

struct arguments {
	const char *output, *file, *color;
};

static bool usage(struct err *err, const char *fault, const char *mend)
{
	err_set(err, ERR_USAGE, "%s", fault);
	return err_hint(err, "%s", mend);
}

static bool settle(const struct arguments *a, struct err *err)
{
	static const char *const formats[] = {"html", "text", "json", "markdown", "openmetrics"};
	bool known = false;

	for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
		known |= !strcmp(a->output, formats[i]);
	if (!known)
		return usage(err, "option \"--output\" is none of html, text, json, markdown, openmetrics",
		    "leave it out: html");
	if (!screen_knows_color(a->color))
		return usage(
		    err, "option \"--color\" is none of auto, always, never", "leave it out: a terminal gets colour");
	if (!strcmp(a->output, "html") && !strcmp(a->file, "-") && isatty(STDOUT_FILENO))
		return usage(
		    err, "a page of HTML is nothing for a terminal", "name a file with --file, or use --output text");
	return true;
}

static bool is_dir(const char *path)
{
	struct stat st;

	return !stat(path, &st) && S_ISDIR(st.st_mode);
}

/* What is wrong with one run is no failure of all: it is named, and skipped. */
static bool add_run(struct history *h, const char *run, const char *page_dir, struct err *err)
{
	VERDICT_CLEANUP struct verdict v;
	char path[PATH_MAX], link[PATH_MAX];
	struct err wrong = ERR_INIT;
	struct stat st;

	verdict_init(&v);
	if (!run_read(run, path, &v, &wrong)) {
		if (wrong.code == ERR_NOMEM)
			return err_nomem(err);
		history_skip(h, run, wrong.msg);
		return true;
	}
	if (stat(path, &st)) {
		history_skip(h, run, strerror(errno));
		return true;
	}
	if (history_has(h, st.st_dev, st.st_ino))
		return true;
	run_link(page_dir, path, link);
	return history_add(h, run, link, st.st_dev, st.st_ino, &v, err);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

struct names {
	char **items;
	size_t count, room;
};

static void names_clear(struct names *n)
{
	for (size_t i = 0; i < n->count; i++)
		free(n->items[i]);
	free(n->items);
}

static bool names_add(struct names *n, const char *name, struct err *err)
{
	if (n->count == n->room) {
		size_t room = n->room ? 2 * n->room : 64;
		char **items = realloc(n->items, room * sizeof *items);

		if (!items)
			return err_nomem(err);
		n->items = items;
		n->room = room;
	}
	if (!(n->items[n->count] = strdup(name)))
		return err_nomem(err);
	n->count++;
	return true;
}

static bool list(const char *dir, struct names *names, struct err *err)
{
	CLEANUP(dir) DIR *d = opendir(dir);
	struct dirent *entry;

	if (!d)
		return err_errno(err, ERR_IO, errno, "\"%s\"", dir);
	while ((errno = 0, entry = readdir(d))) {
		if (entry->d_name[0] == '.')
			continue;
		if (names->count == NAMES_MAX)
			return err_set(err, ERR_LIMIT, "\"%s\" has more than %d entries", dir, NAMES_MAX);
		if (!names_add(names, entry->d_name, err))
			return false;
	}
	if (errno)
		return err_errno(err, ERR_IO, errno, "\"%s\"", dir);
	if (names->count)
		qsort(names->items, names->count, sizeof *names->items, by_text);
	return true;
}

static bool add_folder(struct history *h, const char *dir, const char *page_dir, struct err *err)
{
	__attribute__((cleanup(names_clear))) struct names names = {0};
	struct err wrong = ERR_INIT;
	char path[PATH_MAX];
	size_t folders = 0;

	if (!list(dir, &names, &wrong)) {
		if (wrong.code == ERR_NOMEM)
			return err_nomem(err);
		history_skip(h, dir, wrong.msg);
		return true;
	}
	for (size_t i = 0; i < names.count; i++) {
		if (!run_path(dir, names.items[i], path, &wrong)) {
			history_skip(h, names.items[i], wrong.msg);
			continue;
		}
		if (!is_dir(path))
			continue;
		folders++;
		if (!add_run(h, path, page_dir, err))
			return false;
	}
	if (!folders)
		history_skip(h, dir, "neither a verdict.json nor a folder is in it");
	return true;
}

static bool add_place(struct history *h, const char *place, const char *page_dir, struct err *err)
{
	char path[PATH_MAX];
	struct stat st;

	if (is_dir(place) && run_path(place, "verdict.json", path, NULL) && stat(path, &st))
		return add_folder(h, place, page_dir, err);
	return add_run(h, place, page_dir, err);
}

static bool render(const struct arguments *a, const struct history *h, struct buf *text, struct err *err)
{
	if (!strcmp(a->output, "json"))
		return report_history_json(h, text, err);
	if (!strcmp(a->output, "markdown"))
		return report_history_markdown(h, text, err);
	if (!strcmp(a->output, "openmetrics"))
		return report_history_metrics(h, text, err);
	if (!strcmp(a->output, "text"))
		return report_history_text(h, screen_wants_color(a->color, !strcmp(a->file, "-")), text, err);
	return report_history_html(h, text, err);
}

/* The folder that the page will lie in; links are relative to it. */
static void page_folder(const char *file, char dir[static PATH_MAX])
{
	const char *slash = strrchr(file, '/');

	if (!slash || !strcmp(file, "-"))
		snprintf(dir, PATH_MAX, ".");
	else
		snprintf(dir, PATH_MAX, "%.*s", (int)(slash == file ? 1 : slash - file), file);
}

static bool run(const struct arguments *a, char **places, size_t count, struct err *err)
{
	BUF_CLEANUP struct buf text = BUF_INIT(REPORT_BYTES_MAX);
	CLEANUP(history) struct history *h = NULL;
	char dir[PATH_MAX];

	if (!settle(a, err) || !(h = history_new(err)))
		return false;
	page_folder(a->file, dir);
	for (size_t i = 0; i < count; i++)
		if (!add_place(h, places[i], dir, err))
			return false;
	if (!h->run_count) {
		err_set(err, ERR_NOT_FOUND, "no run could be read; skipped: %zu, the first: %.300s: %.300s",
		    h->skipped_count, h->skipped[0].name, h->skipped[0].why);
		return err_hint(err, "name folders of runs, or folders that hold such folders");
	}
	if (!history_finish(h, err) || !render(a, h, &text, err) || !run_put(a->file, &text, err))
		return false;
	if (strcmp(a->file, "-") != 0)
		printf("%s: %zu run%s, %zu skipped, %zu left out\n", a->file, h->run_count,
		    h->run_count == 1 ? "" : "s", h->skipped_count, h->left_out);
	return true;
}

int cmd_history(int argc, char **argv)
{
	struct arguments a = {.output = "html", .file = "-", .color = "auto"};
	const struct opt opts[] = {
	    {"output", OPT_STRING, &a.output, "FORMAT", "html, text, json, markdown or openmetrics (default: html)", 0,
		0, false},
	    {"file", OPT_STRING, &a.file, "FILE",
		"where it goes; links to reports are relative to its folder (default: -, standard output)", 0, 0,
		false},
	    {"color", OPT_STRING, &a.color, "WHEN",
		"auto, always or never (default: auto: on a terminal, unless NO_COLOR is set)", 0, 0, false},
	    {0},
	};
	const struct opt_command command = {
	    .program = PROGRAM,
	    .args = "DIR|RUN...",
	    .about =
		"Puts many runs on one page: results, RPO and RTO with their errors and limits, versions that "
		"changed. RUN is a run's folder, or its verdict.json; any other folder is searched for runs, one level "
		"deep. What is no run or cannot be read is named on the page and skipped; a run that is met twice "
		"counts once. At most 10,000 runs, the newest.",
	    .opts = opts,
	    .more =
		"Exit status: 0 the page was written, whatever the verdicts on it, 2 usage, 3 no run could be read, or "
		"the page not written.",
	    .min_args = 1,
	    .max_args = ARGS_MAX,
	};
	struct err err = ERR_INIT;
	int status = EXIT_ERROR;
	size_t count;
	char **places;

	if (!cli_options(&command, argc, argv, &places, &count, &status))
		return status;
	return run(&a, places, count, &err) ? EXIT_PASS : err_print(PROGRAM, &err);
}
