#include "evidence/timeline.h"

#include "base/file.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>

static char dir[] = "/tmp/psmdb-drill-timeline-XXXXXX";
static char path[200];

static void make_dir(void)
{
	cr_assert(mkdtemp(dir));
	snprintf(path, sizeof path, "%s/timeline.jsonl", dir);
}

static void remove_dir(void)
{
	file_remove_tree(dir, NULL);
}

static void create(void)
{
	struct timeline_open open = {.at_ms = 1700000000000, .by = "test", .scenario = "case-1"};
	struct err err = ERR_INIT;

	cr_assert(uuid_random(&open.drill, NULL));
	timeline_boot_id(open.boot);
	cr_assert(timeline_create(path, &open, &err), "%s", err.msg);
}

static struct timeline_record event(const char *name)
{
	struct timeline_record rec = {.at_ms = 1700000001000, .mono_ms = INT64_C(1) << 60};

	snprintf(rec.name, sizeof rec.name, "%s", name);
	return rec;
}

static struct timeline_reader *open_reader(void)
{
	struct record_reader *records = NULL;
	struct timeline_reader *r = NULL;
	struct err err = ERR_INIT;

	cr_assert(record_reader_open(path, false, &records, &err), "%s", err.msg);
	cr_assert(timeline_reader_new(records, &r, &err), "%s", err.msg);
	return r;
}

Test(timeline, events_and_heads_come_back_as_they_were_written, .init = make_dir, .fini = remove_dir)
{
	struct timeline_record put = event("disaster"), head = {.is_head = true, .at_ms = 5, .mono_ms = -7}, got;
	struct err err = ERR_INIT;
	CLEANUP(timeline_reader) struct timeline_reader *r = NULL;

	create();
	cr_assert(timeline_put(&put, "what", "every PVC \"gone\"\n\xc3\xa4", NULL));
	cr_assert(timeline_put(&put, "x", "first", NULL));
	cr_assert(timeline_put(&put, "x", "second", NULL));
	cr_assert(timeline_append(path, &put, &err), "%s", err.msg);
	head.journal = (struct timeline_journal){.known = true, .n = 42, .chain = "0123456789abcdef0123456789abcdef"};
	head.acked[0] = (struct timeline_acked){.stream = 1, .seq = INT64_C(1) << 46, .hi = {7, 8}};
	head.acked_count = 1;
	cr_assert(timeline_append(path, &head, &err), "%s", err.msg);
	r = open_reader();
	cr_assert_str_eq(timeline_reader_open_record(r)->scenario, "case-1");
	cr_assert_eq(timeline_next(r, &got, &err), RECORD_OK, "%s", err.msg);
	cr_assert(
	    !got.is_head && got.n == 2 && got.at_ms == put.at_ms && got.mono_ms == put.mono_ms && !got.journal.known);
	cr_assert_str_eq(got.name, "disaster");
	cr_assert_str_eq(timeline_data(&got, "what"), "every PVC \"gone\"\n\xc3\xa4");
	cr_assert_str_eq(timeline_data(&got, "x"), "second");
	cr_assert_null(timeline_data(&got, "y"));
	cr_assert_eq(timeline_next(r, &got, &err), RECORD_OK, "%s", err.msg);
	cr_assert(got.is_head && got.mono_ms == -7 && got.journal.known && got.journal.n == 42 &&
		  !strcmp(got.journal.chain, head.journal.chain));
	cr_assert(got.acked_count == 1 && got.acked[0].stream == 1 && got.acked[0].seq == INT64_C(1) << 46 &&
		  got.acked[0].hi.i == 8);
	cr_assert_eq(timeline_next(r, &got, &err), RECORD_END);
}

Test(timeline, a_drill_never_writes_into_another_drills_file, .init = make_dir, .fini = remove_dir)
{
	struct timeline_open open = {.at_ms = 0};
	struct err err = ERR_INIT;

	create();
	cr_assert(!timeline_create(path, &open, &err));
	cr_assert_eq(err.code, ERR_EXISTS);
}

Test(timeline, what_cannot_be_right_is_not_written, .init = make_dir, .fini = remove_dir)
{
	struct timeline_record rec = event("note"), nameless = event(""), headless = {.is_head = true};
	char key[65], value[1023 + 1];
	struct err err = ERR_INIT;

	create();
	cr_assert(!timeline_append(path, &nameless, NULL));
	cr_assert(!timeline_append(path, &headless, NULL));
	memset(key, 'k', sizeof key - 1);
	key[64] = '\0';
	cr_assert(!timeline_put(&rec, key, "", &err));
	cr_assert(!timeline_put(&rec, "", "", &err));
	memset(value, 'v', sizeof value - 1);
	value[sizeof value - 1] = '\0';
	for (int i = 0; i < TIMELINE_DATA_MAX; i++) {
		snprintf(key, sizeof key, "k%d", i);
		cr_assert(timeline_put(&rec, key, value, NULL));
	}
	cr_assert(!timeline_put(&rec, "one more", "", &err));
	cr_assert_eq(err.code, ERR_LIMIT);
	cr_assert(!timeline_append(path, &rec, &err), "32 values of 1,023 bytes are no line");
	cr_assert_eq(err.code, ERR_LIMIT);
	rec.data_count = 2;
	cr_assert(timeline_append(path, &rec, &err), "%s", err.msg);
}

Test(timeline, several_processes_write_and_a_killed_one_hurts_nobody, .init = make_dir, .fini = remove_dir)
{
	enum { WRITERS = 4, EACH = 25 };
	CLEANUP(timeline_reader) struct timeline_reader *r = NULL;
	struct timeline_record rec;
	int seen[WRITERS] = {0}, fd;
	enum record_state state;
	struct err err = ERR_INIT;

	create();
	fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
	cr_assert(fd_write_all(fd, "{\"n\":2,\"type\":\"event\",\"at\":\"20", 29, NULL));
	close(fd);
	for (int i = 0; i < WRITERS; i++) {
		if (fork())
			continue;
		for (int k = 0; k < EACH; k++) {
			char text[16];

			rec = event("note");
			snprintf(text, sizeof text, "%d", i);
			if (!timeline_put(&rec, "writer", text, NULL) || !timeline_append(path, &rec, NULL))
				_exit(1);
		}
		_exit(0);
	}
	for (int i = 0; i < WRITERS; i++) {
		int status;

		cr_assert_gt(wait(&status), 0);
		cr_assert_eq(status, 0);
	}
	r = open_reader();
	while ((state = timeline_next(r, &rec, &err)) == RECORD_OK)
		seen[atoi(timeline_data(&rec, "writer"))]++;
	cr_assert_eq(state, RECORD_END, "%s", err.msg);
	for (int i = 0; i < WRITERS; i++)
		cr_assert_eq(seen[i], EACH);
}

Test(timeline, records_of_another_kind_break_it)
{
	static const char *const bad[] = {
	    "{\"n\":2,\"type\":\"event\"",
	    "{\"n\":2,\"type\":\"event\",\"at\":\"2026-11-23T06:00:00Z\",\"mono_ms\":5,\"name\":\"x\",\"data\":{}",
	    "{\"n\":2,\"type\":\"event\",\"at\":\"2026-11-23T06:00:00Z\",\"mono_ms\":\"5\",\"name\":\"x\",\"data\":{"
	    "\"a\":1}",
	    "{\"n\":2,\"type\":\"event\",\"at\":\"2026-11-23T06:00:00Z\",\"mono_ms\":\"5\",\"name\":\"\",\"data\":{}",
	    "{\"n\":2,\"type\":\"head\",\"at\":\"2026-11-23T06:00:00Z\",\"mono_ms\":\"5\",\"acked\":{}",
	    "{\"n\":2,\"type\":\"head\",\"at\":\"2026-11-23T06:00:00Z\",\"mono_ms\":\"5\",\"journal\":{\"run\":"
	    "\"5f1c2a34-9d0e-4b7a-8c11-2233445566ff\","
	    "\"n\":1,\"chain\":\"0123456789abcdef0123456789abcdef\"},\"acked\":{\"64\":{\"seq\":\"1\",\"hi\":\"1,1\"}}",
	    "{\"n\":2,\"type\":\"issued\",\"at\":\"2026-11-23T06:00:00Z\",\"mono_ms\":\"5\"",
	};

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct record_line line;
		struct record_head head;
		struct buf text = BUF_INIT(10000);
		struct record_reader *records = NULL;
		CLEANUP(timeline_reader) struct timeline_reader *r = NULL;
		struct timeline_record rec;
		struct err err = ERR_INIT;
		struct json_writer *w;

		record_line_init(&line);
		record_head_init(&head);
		w = record_begin(&line, &head, "open");
		json_put_string(w, "format", TIMELINE_FORMAT);
		json_put_int(w, "version", 1);
		json_put_string(w, "drill", "5f1c2a34-9d0e-4b7a-8c11-2233445566ff");
		json_put_string(w, "at", "2026-11-23T06:00:00Z");
		json_put_string(w, "by", "t");
		json_put_string(w, "scenario", "");
		json_put_string(w, "boot", "");
		cr_assert(record_end(&line, &head, NULL));
		buf_add(&text, line.line.data, line.line.len, NULL);
		record_begin(&line, &head, "x");
		buf_reset(&line.line);
		buf_add_str(&line.line, bad[i], NULL);
		cr_assert(record_end(&line, &head, NULL));
		buf_add(&text, line.line.data, line.line.len, NULL);
		record_line_clear(&line);
		cr_assert(record_reader_memory(text.data, text.len, false, &records, NULL));
		cr_assert(timeline_reader_new(records, &r, &err), "%s", err.msg);
		cr_assert_eq(timeline_next(r, &rec, &err), RECORD_BROKEN, "%s", bad[i]);
		cr_assert_eq(err.code, ERR_BROKEN);
		cr_assert(strstr(err.msg, "record 2"), "%s", err.msg);
		cr_assert_eq(timeline_next(r, &rec, NULL), RECORD_BROKEN);
		buf_clear(&text);
	}
}
