/* A run from the inside: files, heads, the verdict of a drill that could not go on. */
#include "scenarios/drill_run.h"
#include "scenarios/run_dir.h"

#include "base/file.h"
#include "evidence/verdict.h"
#include "sample.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char base[] = "/tmp/psmdb-drill-run-XXXXXX";
static struct drill_options options;
static struct drill d;
static struct err err;

static void put(const char *name, const char *text)
{
	char path[PATH_MAX];

	cr_assert(run_path(base, name, path, NULL));
	cr_assert(file_write_atomic(path, text, strlen(text), 0600, &err), "%s", err.msg);
}

static const char *path_of(const char *name)
{
	static char path[PATH_MAX];

	cr_assert(run_path(base, name, path, NULL));
	return path;
}

static void set_up(void)
{
	char real[PATH_MAX];

	cr_assert(mkdtemp(base) && realpath(base, real));
	strcpy(base, real);
	cr_assert(!mkdir(path_of("own"), 0700) && !mkdir(path_of("own/sub"), 0700) && !mkdir(path_of("share"), 0700) &&
		  !mkdir(path_of("share/manifests"), 0700) && !mkdir(path_of("other"), 0700));
	put("own/a.yaml", "a");
	put("own/sub/b.yaml", "b");
	put("other/secret", "s");
	put("share/secret", "s");
	put("share/manifests/ticker.yaml", "t");
	d = (struct drill){.options = &options, .clock = clock_system()};
	strcpy(d.folder, path_of("own"));
	strcpy(d.share, path_of("share"));
	show_init(&d.show, fopen("/dev/null", "w"), d.clock, false, false, 80);
}

static void tear_down(void)
{
	fclose(d.show.out);
	file_remove_tree(base, NULL);
}

TestSuite(drill, .init = set_up, .fini = tear_down);

static bool file(const char *name)
{
	char path[PATH_MAX];

	err = (struct err)ERR_INIT;
	return drill_file(&d, name, path, &err);
}

Test(drill, files_are_found_below_the_scenario_and_among_the_shipped_manifests)
{
	char path[PATH_MAX];

	cr_assert(file("a.yaml") && file("sub/b.yaml") && file("./sub/../a.yaml"), "%s", err.msg);
	cr_assert(drill_file(&d, "../share/manifests/ticker.yaml", path, &err), "%s", err.msg);
	cr_assert_str_eq(path, path_of("share/manifests/ticker.yaml"), "by its real name");
}

Test(drill, no_file_outside_is_read_by_whatever_name)
{
	static const char *const bad[] = {"/etc/passwd", "../other/secret", "../share/secret", "sub/../../other/secret",
	    "../share/manifests/../secret", "link", "folder/secret", "..", "."};

	cr_assert(!symlink("../other/secret", path_of("own/link")) && !symlink("../other", path_of("own/folder")));
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		cr_assert_not(file(bad[i]), "read: %s", bad[i]);
		cr_assert_eq(err.code, ERR_USAGE, "%s: %s", bad[i], err.msg);
	}
	cr_assert_not(file("none.yaml"));
	cr_assert_eq(err.code, ERR_NOT_FOUND);
	/* a neighbour whose name begins alike */
	cr_assert(!mkdir(path_of("own2"), 0700));
	put("own2/x", "x");
	cr_assert_not(file("../own2/x"));
}

/* --- heads -------------------------------------------------------------------------------------------------------- */

static void begin_run(void)
{
	cr_assert(run_create(path_of("run"), "mine", d.clock, &err), "%s", err.msg);
	strcpy(d.dir, path_of("run"));
	strcpy(d.scenario.name, "mine");
}

static void head(size_t acked, uint64_t n, uint32_t first_i)
{
	struct timeline_record rec = {.is_head = true, .journal = {.known = true, .n = n}, .acked_count = acked};

	run_stamp(d.clock, &rec);
	memset(rec.journal.chain, '0', sizeof rec.journal.chain - 1);
	for (uint32_t i = 0; i < acked; i++)
		rec.acked[i] = (struct timeline_acked){i, 10 + i, {1700000100, first_i - i}};
	cr_assert(timeline_append(drill_path(&d, RUN_TIMELINE), &rec, &err), "%s", err.msg);
}

static void write_journal(size_t streams)
{
	struct memory_sink m;
	struct record_sink sink = memory_sink_init(&m);
	CLEANUP(journal_writer) struct journal_writer *w = NULL;
	struct journal_open open = sample_open(streams);

	cr_assert(journal_writer_new(&sink, &open, &w, NULL));
	cr_assert(file_write_atomic(drill_path(&d, RUN_JOURNAL), m.text.data, m.text.len, 0600, NULL));
	buf_clear(&m.text);
}

Test(drill, heads_tell_the_newest_and_the_slowest_stream)
{
	struct drill_heads h;

	begin_run();
	write_journal(3);
	cr_assert(drill_heads(&d, &h, &err), "%s", err.msg);
	cr_assert_not(h.known);
	head(2, 7, 50);
	head(3, 9, 60);
	cr_assert(drill_event(&d, &err, "note", "text", "behind the head", NULL));
	cr_assert(drill_heads(&d, &h, &err), "%s", err.msg);
	cr_assert(h.known && h.n == 9 && h.streams == 3 && h.acked == 3);
	cr_assert_eq(h.ticks, 10 + 11 + 12);
	cr_assert(h.least_hi.t == 1700000100 && h.least_hi.i == 58);
}

Test(drill, a_stream_without_an_acknowledged_tick_is_counted)
{
	struct drill_heads h;

	begin_run();
	write_journal(3);
	head(2, 7, 50);
	cr_assert(drill_heads(&d, &h, &err), "%s", err.msg);
	cr_assert(h.streams == 3 && h.acked == 2);
}

Test(drill, a_timeline_that_was_changed_is_an_error)
{
	struct drill_heads h;
	FILE *f;

	begin_run();
	head(1, 7, 50);
	f = fopen(drill_path(&d, RUN_TIMELINE), "r+");
	fseek(f, 80, SEEK_SET);
	fputc('X', f);
	fclose(f);
	cr_assert_not(drill_heads(&d, &h, &err));
}

/* --- what is seen and failed --------------------------------------------------------------------------------------- */

static size_t count_in_timeline(const char *text)
{
	BUF_CLEANUP struct buf all = BUF_INIT(1 << 20);
	size_t n = 0;

	cr_assert(file_read(drill_path(&d, RUN_TIMELINE), &all, &err));
	for (const char *p = buf_str(&all); (p = strstr(p, text)); p++)
		n++;
	return n;
}

Test(drill, a_state_is_written_down_when_it_changes)
{
	begin_run();
	cr_assert(run_state_new(&d.state, d.dir, "mine", "/", "0", 1, &err));
	cr_assert(drill_saw(&d, "psmdb ns/c", "initializing", &err) &&
		      drill_saw(&d, "psmdb ns/c", "initializing", &err) && drill_saw(&d, "psmdb ns/c", "ready", &err) &&
		      drill_saw(&d, "backup ns/b", "ready", &err),
	    "%s", err.msg);
	cr_assert_eq(count_in_timeline("\"x-state\""), 3);
	cr_assert_eq(count_in_timeline("\"from\":\"initializing\",\"to\":\"ready\""), 1);
	run_state_clear(&d.state);
}

Test(drill, the_first_known_failure_is_the_one_that_is_named)
{
	begin_run();
	cr_assert(run_state_new(&d.state, d.dir, "mine", "/", "0", 1, &err));
	drill_failure(&d, "first", "a cause", "a remedy");
	drill_failure(&d, "second", "another", "another");
	cr_assert_str_eq(d.failure_code, "first");
	cr_assert_str_eq(d.failure.msg, "a cause");
	cr_assert_eq(count_in_timeline("\"x-signature\""), 1);
	run_state_clear(&d.state);
}

Test(drill, a_failure_before_the_run_begins_is_known_without_a_timeline)
{
	drill_failure(&d, "first", "a cause", "a remedy");
	cr_assert_str_eq(d.failure_code, "first");
}

Test(drill, values_of_the_run_come_before_parameters)
{
	begin_run();
	cr_assert(run_state_new(&d.state, d.dir, "mine", "/", "0", 1, &err));
	cr_assert(json_format(&d.parameters, &err, "{'cluster':'c','backup':'none'}"));
	cr_assert(drill_set_value(&d, "backup", "b-1", &err));
	cr_assert_str_eq(drill_value(&d, "backup"), "b-1");
	cr_assert_str_eq(drill_value(&d, "cluster"), "c");
	cr_assert_null(drill_value(&d, "other"));
	json_free(d.parameters);
	run_state_clear(&d.state);
}

/* --- steps that run ------------------------------------------------------------------------------------------------ */

static bool play(const char *yaml, volatile int *stop, int *ret_status)
{
	bool ok;

	begin_run();
	put("own/s.yaml", yaml);
	{
		BUF_CLEANUP struct buf text = BUF_INIT(65536);
		char path[PATH_MAX];

		strcpy(path, path_of("own/s.yaml"));
		cr_assert(drill_open(&d, path, &text, &err), "%s", err.msg);
	}
	d.stop = stop;
	cr_assert(run_state_new(&d.state, d.dir, d.scenario.name, "/", "0", d.scenario.count, &err));
	ok = drill_run(&d, ret_status, &err);
	return ok;
}

Test(drill, done_steps_are_in_the_state_and_in_the_timeline)
{
	int status = -1;

	cr_assert(play("scenario: s\nparameters: {namespace: ns}\nsteps:\n- note: {text: one}\n- note: {text: 2}\n",
		      NULL, &status),
	    "%s", err.msg);
	cr_assert_eq(status, EXIT_PASS);
	cr_assert_eq(run_state_next(&d.state), 2);
	cr_assert_eq(count_in_timeline("\"result\":\"ok\""), 2);
	cr_assert_eq(count_in_timeline("\"text\":\"2\""), 1, "a number for a text");
	/* again: nothing is left to do */
	cr_assert(drill_run(&d, &status, &err));
	cr_assert_eq(count_in_timeline("\"result\":\"ok\""), 2);
}

Test(drill, a_step_that_fails_ends_the_run_and_is_done_again)
{
	int status = -1;

	cr_assert_not(
	    play("scenario: s\nparameters: {namespace: ns}\nsteps:\n- note: {text: one}\n- note: {text: '${no}'}\n",
		NULL, &status));
	cr_assert(strstr(err.msg, "step 2 (note): \"${no}\" is not known"), "%s", err.msg);
	cr_assert_eq(run_state_next(&d.state), 1);
	cr_assert_str_eq(run_state_step(&d.state, 1), "failed");
	cr_assert_eq(count_in_timeline("\"result\":\"failed\""), 1);
	cr_assert_eq(status, -1, "nothing was judged");
}

Test(drill, a_value_of_the_wrong_kind_is_found_before_its_step_runs)
{
	int status = -1;

	cr_assert_not(play(
	    "scenario: s\nparameters: {namespace: ns, long: 10x}\nsteps:\n- pause: {for: '${long}'}\n", NULL, &status));
	cr_assert(strstr(err.msg, "argument \"for\" of step \"pause\" is not a time"), "%s", err.msg);
	err = (struct err)ERR_INIT;
	cr_assert_not(drill_check(&d, 0, &err));
	cr_assert(strstr(err.msg, "is not a time"), "%s", err.msg);
}

Test(drill, a_stop_leaves_the_step_as_running)
{
	volatile int stop = 2;
	int status = -1;

	cr_assert_not(play("scenario: s\nparameters: {namespace: ns}\nsteps:\n- pause: {for: 1h}\n", &stop, &status));
	cr_assert_eq(err.code, ERR_INTERRUPTED);
	cr_assert_str_eq(run_state_step(&d.state, 0), "running");
	cr_assert_eq(run_state_next(&d.state), 0);
	cr_assert_eq(count_in_timeline("\"detail\":\"interrupted\""), 1);
}
