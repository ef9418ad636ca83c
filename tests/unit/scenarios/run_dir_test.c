#include "scenarios/run_dir.h"

#include "base/file.h"

#include <criterion/criterion.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[] = "/tmp/psmdb-drill-run-XXXXXX";

static void set_up(void)
{
	cr_assert(mkdtemp(dir));
}

static void tear_down(void)
{
	file_remove_tree(dir, NULL);
}

TestSuite(run_dir, .init = set_up, .fini = tear_down);

Test(run_dir, is_private_and_its_timeline_begins_with_the_start)
{
	struct record_reader *records = NULL;
	CLEANUP(timeline_reader) struct timeline_reader *r = NULL;
	char deep[PATH_MAX], path[PATH_MAX];
	struct timeline_record rec;
	struct stat st;
	struct err err = ERR_INIT;

	snprintf(deep, sizeof deep, "%s/runs/7", dir);
	cr_assert(run_create(deep, "case-1", clock_system(), &err), "%s", err.msg);
	cr_assert(!stat(deep, &st) && (st.st_mode & 0777) == 0700);
	cr_assert(run_path(deep, RUN_TIMELINE, path, NULL));
	cr_assert(record_reader_open(path, false, &records, NULL));
	cr_assert(timeline_reader_new(records, &r, NULL));
	cr_assert_str_eq(timeline_reader_open_record(r)->scenario, "case-1");
	cr_assert_eq(timeline_next(r, &rec, NULL), RECORD_OK);
	cr_assert_str_eq(rec.name, "drill.start");
	cr_assert_str_eq(timeline_data(&rec, "scenario"), "case-1");
	cr_assert_eq(timeline_next(r, &rec, NULL), RECORD_END);
	cr_assert(!run_create(deep, "case-1", clock_system(), &err));
	cr_assert_eq(err.code, ERR_EXISTS);
}

Test(run_dir, an_empty_one_is_taken_and_made_private)
{
	struct stat st;

	cr_assert(!chmod(dir, 0755));
	cr_assert(run_create(dir, "", clock_system(), NULL));
	cr_assert(!stat(dir, &st) && (st.st_mode & 0777) == 0700);
}

Test(run_dir, one_that_holds_anything_is_left_alone)
{
	char path[PATH_MAX];
	struct err err = ERR_INIT;

	cr_assert(run_path(dir, "holiday.jpg", path, NULL) && file_write_atomic(path, "x", 1, 0600, NULL));
	cr_assert(!run_create(dir, "", clock_system(), &err));
	cr_assert_eq(err.code, ERR_EXISTS);
	cr_assert(run_path(dir, RUN_TIMELINE, path, NULL) && !file_exists(path));
}

Test(run_dir, names_of_events)
{
	static const struct {
		const char *name;
		bool ok;
	} cases[] = {{"disaster", true}, {"x-mine", true}, {"x-a.b_C-9", true}, {"x-", false}, {"disasters", false},
	    {"", false}, {"x-a b", false}, {"x-\n", false}, {"X-mine", false}, {"head", false}};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		cr_assert_eq(run_check_event(cases[i].name, NULL), cases[i].ok, "%s", cases[i].name);
}

Test(run_dir, values_of_events)
{
	static const char *const bad[] = {"", "a", "=b", "a b=c", "k=\xff", "once=again", "\xc3\xa4=b"};
	struct timeline_record rec = {.is_head = false};
	char pair[1200];

	cr_assert(run_put_pair(&rec, "once=a=b", NULL));
	cr_assert_str_eq(timeline_data(&rec, "once"), "a=b");
	cr_assert(run_put_pair(&rec, "empty=", NULL));
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct err err = ERR_INIT;

		cr_assert(!run_put_pair(&rec, bad[i], &err), "%s", bad[i]);
		cr_assert_eq(err.code, ERR_USAGE);
	}
	memset(pair, 'v', sizeof pair);
	pair[1] = '=';
	pair[2 + 1023] = '\0';
	cr_assert(run_put_pair(&rec, pair, NULL));
	pair[0] = 'w';
	pair[2 + 1023] = 'v';
	pair[2 + 1024] = '\0';
	cr_assert(!run_put_pair(&rec, pair, NULL));
}

Test(run_dir, tells_how_long_nobody_was_at_work_on_it)
{
	int64_t now_ms = clock_wall_ms(clock_system()), sign_ms = 0;
	int fd = -1;

	cr_assert(run_lock(dir, &fd, NULL));
	run_sign(fd, now_ms - 3600123);
	close(fd);
	/* looking is no sign of life */
	cr_assert(run_lock(dir, &fd, NULL));
	cr_assert(run_last_sign_ms(fd, &sign_ms));
	cr_assert_eq(sign_ms, now_ms - 3600123);
	close(fd);
}

/* What killed writers leave; its names are file_write_atomic's. */
Test(run_dir, what_was_half_written_is_swept_away_and_nothing_else)
{
	static const char *const half[] = {"state.json.a1B2c3", "receive-string.XyZ123"}, *const whole[] = {
											      "state.json",
											      "receive-string",
											      "state.json.bak",
											      "receive-string.a1B2c3d",
											      "xstate.json.a1B2c3",
											      "bound.json.a1B2c3"};
	char path[PATH_MAX];
	struct err err = ERR_INIT;

	for (size_t i = 0; i < sizeof half / sizeof *half; i++)
		cr_assert(
		    run_path(dir, half[i], path, &err) && file_write_atomic(path, "x", 1, 0600, &err), "%s", err.msg);
	for (size_t i = 0; i < sizeof whole / sizeof *whole; i++)
		cr_assert(
		    run_path(dir, whole[i], path, &err) && file_write_atomic(path, "x", 1, 0600, &err), "%s", err.msg);
	run_sweep(dir);
	for (size_t i = 0; i < sizeof half / sizeof *half; i++)
		cr_expect(run_path(dir, half[i], path, &err) && !file_exists(path), "%s", half[i]);
	for (size_t i = 0; i < sizeof whole / sizeof *whole; i++)
		cr_expect(run_path(dir, whole[i], path, &err) && file_exists(path), "%s", whole[i]);
	run_sweep("/nowhere");
}
