#include "base/cleanup.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/num.h"
#include "base/cli.h"
#include "verifier/commands.h"
#include "verifier/control.h"
#include "verifier/judge.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#define PROGRAM "psmdb-verify judge"

struct arguments {
	const char *run, *timeline, *bound, *observed, *before, *out;
	bool quiet;
	struct opt_list journals;
	struct judge_options options;
};

/* Paths in the run directory, for what was not named. */
struct places {
	char timeline[PATH_MAX], bound[PATH_MAX], observed[PATH_MAX], before[PATH_MAX], out[PATH_MAX];
	glob_t journals;
};

static void drop_glob(struct places *p)
{
	globfree(&p->journals);
}

CLEANUP_PTR(sha256, struct sha256, sha256_free)

/* --- which files
 * -------------------------------------------------------------------------------------------------------------------
 */

static bool place(
    const char *run, const char *name, bool must_exist, char path[static PATH_MAX], const char **ret, struct err *err)
{
	if (*ret || !run)
		return true;
	if (snprintf(path, PATH_MAX, "%s/%s", run, name) >= PATH_MAX)
		return err_set(err, ERR_LIMIT, "path \"%.64s...\" is longer than %d bytes", run, PATH_MAX);
	/* what a run did not write is missing evidence, not an error; what cannot be looked at is one */
	if (!must_exist || access(path, F_OK) == 0)
		*ret = path;
	else if (errno != ENOENT)
		return err_errno(err, ERR_IO, errno, "cannot look at \"%s\"", path);
	return true;
}

static bool find_journals(struct arguments *a, struct places *p, struct err *err)
{
	char pattern[PATH_MAX], *out = pattern;

	if (a->journals.count || !a->run)
		return true;
	/* the folder's own name may hold what glob takes for a pattern */
	for (const char *in = a->run; *in && out < pattern + sizeof pattern - 32; in++) {
		if (strchr("*?[]\\", *in))
			*out++ = '\\';
		*out++ = *in;
	}
	snprintf(out, 32, "/journal*.jsonl");
	switch (glob(pattern, GLOB_ERR, NULL, &p->journals)) {
	case 0:
		break;
	case GLOB_NOMATCH:
		return true;
	case GLOB_NOSPACE:
		return err_nomem(err);
	default:
		return err_set(err, ERR_IO, "cannot list the folder \"%s\"", a->run);
	}
	if (p->journals.gl_pathc > OPT_LIST_MAX)
		return err_set(err, ERR_LIMIT, "more than %d journals in \"%s\"", OPT_LIST_MAX, a->run);
	for (size_t i = 0; i < p->journals.gl_pathc; i++)
		a->journals.items[a->journals.count++] = p->journals.gl_pathv[i];
	return true;
}

static bool settle(struct arguments *a, struct places *p, struct err *err)
{
	if (!a->run && !a->out) {
		err_set(err, ERR_USAGE, "neither --run nor --out is given");
		return err_hint(err, "name the folder of the run, or the file for the verdict");
	}
	if (a->run && access(a->run, R_OK | X_OK) != 0) {
		err_errno(err, ERR_IO, errno, "cannot read the folder \"%s\"", a->run);
		return err_hint(err, "--run takes the folder that the drill wrote its evidence to");
	}
	return find_journals(a, p, err) && place(a->run, "timeline.jsonl", true, p->timeline, &a->timeline, err) &&
	       place(a->run, "bound.json", true, p->bound, &a->bound, err) &&
	       place(a->run, "observed.jsonl", true, p->observed, &a->observed, err) &&
	       place(a->run, "described.jsonl", true, p->before, &a->before, err) &&
	       place(a->run, "verdict.json", false, p->out, &a->out, err);
}

/* --- what they are
 * ----------------------------------------------------------------------------------------------------------------- */

/* v NULL: they are known already. */
static bool add_input(struct verdict *v, const char *kind, const char *path, const struct record_head *head,
    const char *state, struct err *err)
{
	const size_t max = sizeof v->inputs / sizeof *v->inputs;
	CLEANUP(sha256) struct sha256 *hash = sha256_new();
	CLEANUP(fd) int fd = -1;
	struct verdict_input input = {0};
	unsigned char bytes[65536], sum[SHA256_BYTES];
	const char *slash = path ? strrchr(path, '/') : NULL;
	ssize_t got = 0;

	if (!v)
		return true;
	if (!hash)
		return err_nomem(err);
	snprintf(input.kind, sizeof input.kind, "%s", kind);
	snprintf(input.state, sizeof input.state, "%s", state);
	snprintf(input.name, sizeof input.name, "%s", slash ? slash + 1 : path ? path : "");
	if (head && head->n) {
		input.records = head->n;
		memcpy(input.chain, head->chain, sizeof input.chain);
	}
	if (path && (fd = open(path, O_RDONLY | O_CLOEXEC)) < 0)
		return err_errno(err, ERR_IO, errno, "cannot open \"%s\"", path);
	while (path && (got = read(fd, bytes, sizeof bytes)) > 0) {
		sha256_update(hash, bytes, (size_t)got);
		input.bytes += got;
	}
	if (got < 0)
		return err_errno(err, ERR_IO, errno, "cannot read \"%s\"", path);
	if (path) {
		sha256_finish(hash, sum);
		hex_encode(sum, sizeof sum, input.sha256);
	}
	if (v->input_count < max)
		v->inputs[v->input_count++] = input;
	return true;
}

/* Is it the evidence that is wrong, rather than this machine? Then it becomes a reason. */
static bool is_damage(const struct err *err)
{
	return err->code == ERR_PARSE || err->code == ERR_BROKEN || err->code == ERR_UNSUPPORTED ||
	       err->code == ERR_LIMIT || err->code == ERR_STATE;
}

static bool damaged(struct judge *j, enum verdict_reason_code code, struct err *why, const char *path, struct err *err)
{
	const char *slash = strrchr(path, '/');

	/* readers of a path quote it themselves */
	if (!strstr(why->msg, slash ? slash + 1 : path))
		err_wrap(why, "%s", slash ? slash + 1 : path);
	return judge_fault(j, code, why, err);
}

/* --- reading them
 * ------------------------------------------------------------------------------------------------------------------ */

struct evidence {
	struct bound bound;
	struct observed observed, before;
	bool has_bound, has_observed, has_before;
	struct err bound_why, observed_why, before_why; /* damage; code NONE: none */
	struct record_head observed_head, before_head;
	char bound_sha256[65];
};

static bool read_bound(const struct arguments *a, struct evidence *e, struct err *err)
{
	if (!a->bound)
		return true;
	e->has_bound = bound_read(a->bound, &e->bound, &e->bound_why);
	if (e->has_bound || is_damage(&e->bound_why))
		return true;
	*err = e->bound_why;
	return false;
}

static bool read_observed(const char *path, struct observed *ret, bool *ret_has, struct err *ret_why,
    struct record_head *ret_head, struct err *err)
{
	CLEANUP(record_reader) struct record_reader *records = NULL;

	if (!path)
		return true;
	if (!record_reader_open(path, false, &records, err))
		return false;
	*ret_has = observed_load(records, ret, ret_why);
	*ret_head = record_reader_head(records);
	if (*ret_has || is_damage(ret_why))
		return true;
	*err = *ret_why;
	return false;
}

static bool read_both(const struct arguments *a, struct evidence *e, struct err *err)
{
	return read_observed(a->observed, &e->observed, &e->has_observed, &e->observed_why, &e->observed_head, err) &&
	       read_observed(a->before, &e->before, &e->has_before, &e->before_why, &e->before_head, err);
}

static bool read_timeline(struct judge *j, const char *path, struct verdict *inputs, struct err *err)
{
	CLEANUP(record_reader) struct record_reader *records = NULL;
	CLEANUP(timeline_reader) struct timeline_reader *reader = NULL;
	CLEANUP(free) struct timeline_record *rec = malloc(sizeof *rec);
	struct record_head head = {0};
	enum record_state state;
	struct err why = ERR_INIT, ignored = ERR_INIT;

	if (!path)
		return add_input(inputs, "timeline", NULL, NULL, "absent", err);
	if (!rec)
		return err_nomem(err);
	if (!record_reader_open(path, false, &records, err))
		return false;
	if (!timeline_reader_new(TAKE(records), &reader, &why)) {
		if (is_damage(&why))
			return damaged(j, REASON_TIMELINE_BROKEN, &why, path, err) &&
			       add_input(inputs, "timeline", path, NULL, "broken", err);
		*err = why;
		return false;
	}
	if (!judge_timeline_open(j, timeline_reader_open_record(reader), err))
		return false;
	while ((state = timeline_next(reader, rec, &why)) == RECORD_OK)
		if (!judge_timeline(j, rec, err))
			return false;
	if (state == RECORD_FAILED) {
		*err = why;
		return false;
	}
	if (!judge_timeline_end(j, state, &why, err))
		return false;
	(void)record_tail(path, &head, NULL, &ignored);
	return add_input(inputs, "timeline", path, state == RECORD_BROKEN ? NULL : &head,
	    state == RECORD_BROKEN ? "broken" : "complete", err);
}

static bool read_journal(struct judge *j, const char *path, struct verdict *inputs, struct err *err)
{
	CLEANUP(record_reader) struct record_reader *records = NULL;
	CLEANUP(journal_reader) struct journal_reader *reader = NULL;
	struct journal_record rec;
	struct record_head head;
	enum journal_state state;
	struct err why = ERR_INIT;

	if (!record_reader_open(path, false, &records, err))
		return false;
	if (!journal_reader_new(TAKE(records), &reader, &why)) {
		if (is_damage(&why))
			return damaged(j, REASON_JOURNAL_BROKEN, &why, path, err) &&
			       add_input(inputs, "journal", path, NULL, "broken", err);
		*err = why;
		return false;
	}
	if (!judge_journal_begin(j, journal_reader_open_record(reader), err))
		return false;
	while ((state = journal_next(reader, &rec, &why)) == JOURNAL_RECORD) {
		head = journal_reader_head(reader);
		if (!judge_journal_record(j, &rec, &head, err))
			return err_wrap(err, "%s", path);
	}
	if (state == JOURNAL_FAILED_TO_READ) {
		*err = why;
		return false;
	}
	head = journal_reader_head(reader);
	return judge_journal_end(j, state, &why, &head, err) && add_input(inputs, "journal", path, &head,
								    state == JOURNAL_SEALED	? "sealed"
								    : state == JOURNAL_UNSEALED ? "open"
												: "broken",
								    err);
}

static bool note_before(
    const struct arguments *a, struct evidence *e, struct judge *j, struct verdict *inputs, struct err *err)
{
	struct err why = e->before_why;

	if (!a->before)
		return true;
	if (e->has_before)
		judge_before(j, &e->before);
	else if (!damaged(j, REASON_BEFORE_UNUSABLE, &why, a->before, err))
		return false;
	return add_input(inputs, "before", a->before, &e->before_head,
	    !e->has_before    ? "broken"
	    : e->before.ended ? "complete"
			      : "incomplete",
	    err);
}

static bool note_files(
    const struct arguments *a, struct evidence *e, struct judge *j, struct verdict *inputs, struct err *err)
{
	struct err why = e->bound_why;

	if (a->bound && !e->has_bound && !damaged(j, REASON_NO_BOUND, &why, a->bound, err))
		return false;
	if (!add_input(inputs, "bound", a->bound, NULL,
		!a->bound      ? "absent"
		: e->has_bound ? "complete"
			       : "broken",
		err))
		return false;
	if (inputs && e->has_bound)
		memcpy(e->bound_sha256, inputs->inputs[inputs->input_count - 1].sha256, sizeof e->bound_sha256);
	if (e->has_bound)
		judge_bound_sha256(j, e->bound_sha256);
	why = e->observed_why;
	if (a->observed && !e->has_observed && !damaged(j, REASON_OBSERVATION_BROKEN, &why, a->observed, err))
		return false;
	if (!note_before(a, e, j, inputs, err))
		return false;
	return add_input(inputs, "observed", a->observed, &e->observed_head,
	    !a->observed	? "absent"
	    : !e->has_observed	? "broken"
	    : e->observed.ended ? "complete"
				: "incomplete",
	    err);
}

/* inputs NULL: judged again, of the same files. */
static bool judge_all(
    const struct arguments *a, struct evidence *e, struct verdict *inputs, struct verdict *ret, struct err *err)
{
	CLEANUP(judge) struct judge *j = NULL;

	if (!judge_new(&a->options, e->has_bound ? &e->bound : NULL, e->has_observed ? &e->observed : NULL, &j, err) ||
	    !note_files(a, e, j, inputs, err) || !read_timeline(j, a->timeline, inputs, err))
		return false;
	for (size_t i = 0; i < a->journals.count; i++)
		if (!read_journal(j, a->journals.items[i], inputs, err))
			return false;
	return judge_finish(j, ret, err);
}

/* --- the negative control ------------------------------------------------------------------------------------------- */

static bool judge_spoilt(const struct arguments *a, struct evidence *e, const struct verdict *pass, struct control *c,
    struct verdict *ret, struct err *err)
{
	bool ok;

	if (!control_spoil(pass, &e->observed, c, err))
		return false;
	ok = judge_all(a, e, NULL, ret, err);
	return control_mend(c, err) && ok;
}

static bool judge_moved(const struct arguments *a, struct evidence *e, struct verdict *ret, struct err *err)
{
	CLEANUP(free) struct bound *pinned = malloc(sizeof *pinned);
	bool ok;

	if (!pinned)
		return err_nomem(err);
	*pinned = e->bound;
	control_move_bound(&e->bound);
	ok = judge_all(a, e, NULL, ret, err);
	e->bound = *pinned;
	return ok;
}

/* Before a PASS counts. */
static bool control(const struct arguments *a, struct evidence *e, struct verdict *v, struct err *err)
{
	VERDICT_CLEANUP struct verdict spoilt, moved;
	struct control c;

	verdict_init(&spoilt);
	verdict_init(&moved);
	if (v->result != VERDICT_PASS)
		return true;
	return (judge_spoilt(a, e, v, &c, &spoilt, err) && judge_moved(a, e, &moved, err) &&
		   control_judge(v, &c, &spoilt, &moved, err)) ||
	       err_wrap(err, "negative control");
}

static void drop_evidence(struct evidence *e)
{
	bound_clear(&e->bound);
	observed_clear(&e->observed);
	observed_clear(&e->before);
}

static bool run(struct arguments *a, int *ret_status, struct err *err)
{
	__attribute__((cleanup(drop_glob))) struct places p = {0};
	__attribute__((cleanup(drop_evidence))) struct evidence e = {0};
	VERDICT_CLEANUP struct verdict v, inputs;

	bound_init(&e.bound);
	observed_init(&e.observed);
	observed_init(&e.before);
	verdict_init(&v);
	verdict_init(&inputs);
	if (!settle(a, &p, err) || !read_bound(a, &e, err) || !read_both(a, &e, err) ||
	    !judge_all(a, &e, &inputs, &v, err) || !control(a, &e, &v, err))
		return false;
	memcpy(v.inputs, inputs.inputs, sizeof v.inputs);
	v.input_count = inputs.input_count;
	v.judged_at_ms = clock_wall_ms(clock_system());
	snprintf(v.judge, sizeof v.judge, "psmdb-verify %s", PSMDB_DRILL_VERSION);
	if (!verdict_write(&v, a->out, err))
		return false;
	if (!a->quiet && strcmp(a->out, "-") != 0 && printf("%s (%s)\n", v.title, a->out) < 0)
		return err_errno(err, ERR_IO, errno, "cannot write to standard output");
	*ret_status = verdict_exit_status(v.result);
	return true;
}

int cmd_judge(int argc, char **argv)
{
	struct arguments a = {.options = JUDGE_OPTIONS_DEFAULT};
	const struct opt opts[] = {
	    {"run", OPT_STRING, &a.run, "DIR",
		"a run's folder: reads journal*.jsonl, timeline.jsonl, bound.json, observed.jsonl and described.jsonl "
		"there, writes verdict.json",
		0, 0, false},
	    {"journal", OPT_LIST, &a.journals, "FILE",
		"a ticker's journal, by its own path; one for each run of the ticker", 0, 0, false},
	    {"timeline", OPT_STRING, &a.timeline, "FILE", "what the drill did, by its own path", 0, 0, false},
	    {"bound", OPT_STRING, &a.bound, "FILE", "the pinned restore point, by its own path", 0, 0, false},
	    {"observed", OPT_STRING, &a.observed, "FILE", "what is in the restored database, by its own path", 0, 0,
		false},
	    {"before", OPT_STRING, &a.before, "FILE",
		"what was described before the backup (collect --describe), by its own path: FAIL if indexes, options, "
		"users or roles differ; without it they are not judged",
		0, 0, false},
	    {"out", OPT_STRING, &a.out, "FILE",
		"where the verdict goes; - for standard output (default: DIR/verdict.json)", 0, 0, false},
	    {"max-undecided", OPT_INT, &a.options.max_undecided, "NUMBER",
		"INCONCLUSIVE if more ticks are undecided (default: what the width of the restore point explains; 0 "
		"for single ticks and an exact one)",
		0, INT64_MAX, false},
	    {"max-rpo", OPT_DURATION, &a.options.max_rpo_ms, "TIME", "FAIL if more may be lost (default: no limit)", 0,
		0, false},
	    {"max-rto", OPT_DURATION, &a.options.max_rto_ms, "TIME",
		"FAIL if the recovery takes longer (default: no limit)", 0, 0, false},
	    {"quiet", OPT_FLAG, &a.quiet, NULL, "print no line for the verdict: the exit status and the file tell", 0,
		0, false},
	    {0},
	};
	const struct opt_command command = {
	    .program = PROGRAM,
	    .args = "",
	    .about = "Compares the evidence of a run, operation by operation: what was acknowledged, where the restore "
		     "point lies, and what is in the restored database. Evidence that "
		     "is missing or damaged makes the verdict INCONCLUSIVE, with the reason; it never makes it green.",
	    .opts = opts,
	    .more = "Exit status: 0 PASS, 1 FAIL, 2 usage, 3 error, 4 INCONCLUSIVE.",
	};
	struct err err = ERR_INIT;
	int status = EXIT_ERROR;

	if (!cli_options(&command, argc, argv, NULL, NULL, &status))
		return status;
	if (!run(&a, &status, &err))
		return err_print(PROGRAM, &err);
	return status;
}
