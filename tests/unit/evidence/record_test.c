#include "sample.h"

#include "base/file.h"
#include "base/num.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

static char dir[] = "/tmp/psmdb-drill-record-XXXXXX";

static void make_dir(void)
{
	cr_assert(mkdtemp(dir));
}

static void remove_dir(void)
{
	file_remove_tree(dir, NULL);
}

static const char *path_of(const char *name)
{
	static char path[200];

	snprintf(path, sizeof path, "%s/%s", dir, name);
	return path;
}

/* Lines "note" with a text, without newline handling: what the writer makes. */
static void compose(struct buf *out, int count, const char *prefix)
{
	struct record_line line;
	struct record_head head;

	record_line_init(&line);
	record_head_init(&head);
	for (int i = 0; i < count; i++) {
		struct json_writer *w = record_begin(&line, &head, "note");

		json_put_int(w, "i", i);
		json_put_string(w, "text", i % 2 ? "plain" : "with \"quotes\" and \xc3\xa4");
		cr_assert(record_end(&line, &head, NULL));
		cr_assert(buf_add_str(out, prefix, NULL));
		cr_assert(buf_add(out, line.line.data, line.line.len, NULL));
	}
	record_line_clear(&line);
}

static enum record_state read_all(const char *text, size_t len, bool prefixed, uint64_t *ret_count, struct err *err)
{
	CLEANUP(record_reader) struct record_reader *r = NULL;
	enum record_state state;
	struct record rec;

	*ret_count = 0;
	cr_assert(record_reader_memory(text, len, prefixed, &r, err));
	while ((state = record_next(r, &rec, err)) == RECORD_OK)
		cr_assert_eq(rec.n, ++*ret_count);
	cr_assert_eq(record_next(r, &rec, NULL), state);
	return state;
}

Test(record, the_chain_is_the_hash_of_the_previous_value_and_the_bytes_before_the_member)
{
	struct buf text = BUF_INIT(10000);
	unsigned char digest[SHA256_BYTES];
	char want[33], input[400];
	const char *second, *end;

	compose(&text, 2, "");
	cr_assert(!strncmp(text.data, "{\"n\":1,\"type\":\"note\",\"i\":0,", 27));
	second = strchr(text.data, '\n') + 1;
	end = strstr(second, ",\"chain\":");
	memcpy(input, second - 2 - 33, 32); /* chain value, quote, brace, newline */
	memcpy(input + 32, second, (size_t)(end - second));
	sha256_of(input, 32 + (size_t)(end - second), digest);
	hex_encode(digest, 16, want);
	cr_assert(!strncmp(end + 10, want, 32), "%s against %s", want, end);
	buf_clear(&text);
}

Test(record, what_was_written_is_read)
{
	struct buf text = BUF_INIT(10000);
	uint64_t count;

	compose(&text, 20, "");
	cr_assert_eq(read_all(text.data, text.len, false, &count, NULL), RECORD_END);
	cr_assert_eq(count, 20);
	buf_clear(&text);
}

Test(record, every_changed_byte_shows)
{
	struct buf text = BUF_INIT(10000);

	compose(&text, 4, "");
	for (size_t i = 0; i < text.len - 1; i++) {
		struct err err = ERR_INIT;
		uint64_t count;

		text.data[i] ^= 1;
		cr_assert_eq(read_all(text.data, text.len, false, &count, &err), RECORD_BROKEN, "byte %zu", i);
		cr_assert_eq(err.code, ERR_BROKEN);
		cr_assert(strstr(err.msg, "line "), "%s", err.msg);
		text.data[i] ^= 1;
	}
	buf_clear(&text);
}

Test(record, a_line_taken_out_or_swapped_shows_and_is_named)
{
	struct buf text = BUF_INIT(10000);
	struct err err = ERR_INIT;
	uint64_t count;
	char *second, *third;

	compose(&text, 4, "");
	second = strchr(text.data, '\n') + 1;
	third = strchr(second, '\n') + 1;
	memmove(second, third, strlen(third) + 1);
	cr_assert_eq(read_all(text.data, strlen(text.data), false, &count, &err), RECORD_BROKEN);
	cr_assert(strstr(err.msg, "record 3 stands where 2 is expected"), "%s", err.msg);
	buf_clear(&text);
}

Test(record, a_cut_tail_is_torn_or_clean_but_never_broken)
{
	struct buf text = BUF_INIT(10000);

	compose(&text, 3, "");
	for (size_t len = 0; len < text.len; len++) {
		bool clean = !len || text.data[len - 1] == '\n';
		uint64_t count;

		cr_assert_eq(
		    read_all(text.data, len, false, &count, NULL), clean ? RECORD_END : RECORD_TORN, "%zu bytes", len);
	}
	buf_clear(&text);
}

Test(record, a_line_at_the_limit_is_read_and_one_above_is_neither_written_nor_read)
{
	struct record_line line;
	struct record_head head;
	struct err err = ERR_INIT;
	char text[RECORD_LINE_MAX + 10];
	size_t room;
	uint64_t count;

	record_line_init(&line);
	record_head_init(&head);
	json_put_string(record_begin(&line, &head, "note"), "t", "");
	cr_assert(record_end(&line, &head, NULL));
	room = RECORD_LINE_MAX - line.line.len;
	memset(text, 'a', sizeof text);
	record_head_init(&head);
	json_put_string_n(record_begin(&line, &head, "note"), "t", text, room);
	cr_assert(record_end(&line, &head, &err), "%s", err.msg);
	cr_assert_eq(line.line.len, RECORD_LINE_MAX);
	cr_assert_eq(read_all(line.line.data, line.line.len, false, &count, NULL), RECORD_END);
	cr_assert_eq(count, 1);
	json_put_string_n(record_begin(&line, &head, "note"), "t", text, room + 1);
	cr_assert(!record_end(&line, &head, &err));
	cr_assert_eq(err.code, ERR_LIMIT);
	cr_assert_eq(head.n, 1, "a record that failed does not count");
	record_line_clear(&line);
	text[sizeof text - 1] = '\n';
	cr_assert_eq(read_all(text, sizeof text, false, &count, &err), RECORD_BROKEN);
	cr_assert(strstr(err.msg, "15360"), "%s", err.msg);
}

Test(record, in_a_pod_log_ordinary_lines_are_skipped_and_repeats_dropped)
{
	struct buf text = BUF_INIT(4 << 20), log = BUF_INIT(4 << 20);
	uint64_t count;
	char *half;

	compose(&text, 6, RECORD_LOG_PREFIX);
	half = text.data;
	for (int i = 0; i < 3; i++)
		half = strchr(half, '\n') + 1;
	/* ordinary, records 1 to 6, a long ordinary line, then 1 to 3 again, a line that ends the log in the middle of
	 * a word */
	cr_assert(buf_add_str(&log, "2026 starting\n\n@psmdb-dri\n", NULL));
	cr_assert(buf_add(&log, text.data, text.len, NULL));
	for (int i = 0; i < 40000; i++)
		cr_assert(buf_add_str(&log, "a long line ", NULL));
	cr_assert(buf_add_str(&log, "\n", NULL));
	cr_assert(buf_add(&log, text.data, (size_t)(half - text.data), NULL));
	cr_assert(buf_add_str(&log, "bye", NULL));
	cr_assert_eq(read_all(log.data, log.len, true, &count, NULL), RECORD_END);
	cr_assert_eq(count, 6);
	cr_assert(buf_add_str(&log, "\n@psm", NULL));
	cr_assert_eq(read_all(log.data, log.len, true, &count, NULL), RECORD_TORN);
	/* a gap is a gap in a pod log too */
	cr_assert_eq(read_all(half, strlen(half), true, &count, NULL), RECORD_BROKEN);
	buf_clear(&text);
	buf_clear(&log);
}

Test(record, a_second_journal_in_the_same_log_is_no_repeat)
{
	struct buf text = BUF_INIT(10000);
	struct record_line line;
	struct record_head head;
	struct err err = ERR_INIT;
	uint64_t count;

	compose(&text, 5, RECORD_LOG_PREFIX);
	record_line_init(&line);
	record_head_init(&head);
	record_begin(&line, &head, "other");
	cr_assert(record_end(&line, &head, NULL));
	buf_add_str(&text, RECORD_LOG_PREFIX, NULL);
	buf_add(&text, line.line.data, line.line.len, NULL);
	cr_assert_eq(read_all(text.data, text.len, true, &count, &err), RECORD_BROKEN);
	cr_assert(strstr(err.msg, "second journal begins behind record 5"), "%s", err.msg);
	record_line_clear(&line);
	buf_clear(&text);
}

Test(record, a_file_is_read_in_pieces_whatever_the_length_of_its_lines, .init = make_dir, .fini = remove_dir)
{
	struct record_file *file = NULL;
	struct record_line line;
	struct record_head head;
	struct record_sink sink;
	CLEANUP(record_reader) struct record_reader *r = NULL;
	char filler[15000];
	struct record rec;
	struct err err = ERR_INIT;
	uint64_t count = 0;

	memset(filler, 'f', sizeof filler);
	record_line_init(&line);
	record_head_init(&head);
	cr_assert(record_file_create(path_of("long"), &file, &err), "%s", err.msg);
	sink = record_file_sink(file);
	for (size_t i = 0; i < 500; i++) {
		json_put_string_n(record_begin(&line, &head, "note"), "t", filler, (i * 7919) % sizeof filler);
		cr_assert(record_end(&line, &head, NULL));
		cr_assert(sink.write(sink.ctx, line.line.data, line.line.len, NULL));
	}
	cr_assert(record_file_close(file, NULL));
	cr_assert(record_reader_open(path_of("long"), false, &r, NULL));
	while (record_next_flat(r, &rec, &err) == RECORD_OK) {
		cr_assert_not_null(rec.flat);
		cr_assert_null(rec.body);
		count++;
	}
	cr_assert_eq(count, 500, "%s", err.msg);
	record_line_clear(&line);
}

Test(record, an_existing_file_is_never_overwritten, .init = make_dir, .fini = remove_dir)
{
	struct record_file *file = NULL;
	struct stat st;
	struct err err = ERR_INIT;

	cr_assert(record_file_create(path_of("a"), &file, NULL));
	cr_assert(record_file_close(file, NULL));
	cr_assert(!stat(path_of("a"), &st));
	cr_assert_eq(st.st_mode & 0777, 0600);
	cr_assert(!record_file_create(path_of("a"), &file, &err));
	cr_assert_eq(err.code, ERR_EXISTS);
	cr_assert(strstr(err.msg, "\"/tmp/"), "%s", err.msg);
}

/* The kernel as the failing disk: RLIMIT_FSIZE makes write() short, then EFBIG. */
Test(record, a_write_that_fails_half_way_is_cut_off_and_can_be_repeated, .init = make_dir, .fini = remove_dir)
{
	struct record_file *file = NULL;
	struct record_sink sink;
	struct record_line line;
	struct record_head head, before;
	struct err err = ERR_INIT;
	struct stat st;

	signal(SIGXFSZ, SIG_IGN);
	record_line_init(&line);
	record_head_init(&head);
	cr_assert(record_file_create(path_of("full"), &file, NULL));
	sink = record_file_sink(file);
	record_begin(&line, &head, "note");
	cr_assert(record_end(&line, &head, NULL));
	cr_assert(sink.write(sink.ctx, line.line.data, line.line.len, NULL));
	before = head;
	record_begin(&line, &head, "note");
	cr_assert(record_end(&line, &head, NULL));
	{
		size_t first = line.line.len;
		pid_t pid = fork(); /* the limit stays in the child */
		int status;

		if (!pid) {
			const struct rlimit limit = {first + 20, first + 20};

			if (setrlimit(RLIMIT_FSIZE, &limit))
				_exit(10);
			_exit(sink.write(sink.ctx, line.line.data, line.line.len, &err) ? 11
			      : err.code == ERR_IO					? 0
											: 12);
		}
		cr_assert_eq(waitpid(pid, &status, 0), pid);
		cr_assert_eq(status, 0, "%x", status);
		cr_assert(!stat(path_of("full"), &st));
		cr_assert_eq((size_t)st.st_size, first, "the half line is gone");
	}
	head = before;
	cr_assert(sink.write(sink.ctx, line.line.data, line.line.len, NULL));
	cr_assert(record_file_close(file, NULL));
	record_line_clear(&line);
	cr_assert(record_tail(path_of("full"), &head, NULL, &err), "%s", err.msg);
	cr_assert_eq(head.n, 2);
}

static void fill_text(struct json_writer *w, void *ctx)
{
	json_put_string(w, "text", ctx);
}

static void create(const char *path)
{
	struct record_file *file = NULL;
	struct record_sink sink;
	struct record_line line;
	struct record_head head;

	record_line_init(&line);
	record_head_init(&head);
	record_begin(&line, &head, "open");
	cr_assert(record_end(&line, &head, NULL));
	cr_assert(record_file_create(path, &file, NULL));
	sink = record_file_sink(file);
	cr_assert(sink.write(sink.ctx, line.line.data, line.line.len, NULL));
	cr_assert(record_file_close(file, NULL));
	record_line_clear(&line);
}

static uint64_t count_file(const char *path)
{
	CLEANUP(record_reader) struct record_reader *r = NULL;
	struct err err = ERR_INIT;
	struct record rec;
	enum record_state state;
	uint64_t count = 0;

	cr_assert(record_reader_open(path, false, &r, NULL));
	while ((state = record_next(r, &rec, &err)) == RECORD_OK)
		count++;
	cr_assert_eq(state, RECORD_END, "%s", err.msg);
	return count;
}

Test(record, several_processes_append_to_one_file, .init = make_dir, .fini = remove_dir)
{
	enum { WRITERS = 6, EACH = 40 };
	pid_t pids[WRITERS];

	create(path_of("shared"));
	for (int i = 0; i < WRITERS; i++) {
		pids[i] = fork();
		if (!pids[i]) {
			for (int k = 0; k < EACH; k++)
				if (!record_file_append(path_of("shared"), "note", fill_text, "hello", NULL))
					_exit(1);
			_exit(0);
		}
	}
	for (int i = 0; i < WRITERS; i++) {
		int status;

		cr_assert_eq(waitpid(pids[i], &status, 0), pids[i]);
		cr_assert_eq(status, 0);
	}
	cr_assert_eq(count_file(path_of("shared")), 1 + WRITERS * EACH);
}

Test(record, the_torn_line_of_a_killed_writer_is_cut_off_by_the_next, .init = make_dir, .fini = remove_dir)
{
	struct err err = ERR_INIT;
	struct record_head head;
	int64_t size;
	int fd;

	create(path_of("torn"));
	cr_assert(record_file_append(path_of("torn"), "note", fill_text, "one", &err), "%s", err.msg);
	fd = open(path_of("torn"), O_WRONLY | O_APPEND);
	cr_assert(fd_write_all(fd, "{\"n\":3,\"type\":\"no", 17, NULL));
	cr_assert(record_tail(path_of("torn"), &head, &size, &err), "%s", err.msg);
	cr_assert_eq(head.n, 2);
	cr_assert_eq(lseek(fd, 0, SEEK_END) - size, 17);
	close(fd);
	cr_assert(record_file_append(path_of("torn"), "note", fill_text, "three", &err), "%s", err.msg);
	cr_assert_eq(count_file(path_of("torn")), 3);
}

Test(record, nothing_is_appended_to_what_is_no_record_file, .init = make_dir, .fini = remove_dir)
{
	static const char *const contents[] = {
	    "", "{\"n\":1", "hello\n", "{\"n\":1,\"type\":\"open\",\"chain\":\"00000000000000000000000000000000\"}\n"};

	for (size_t i = 0; i < sizeof contents / sizeof *contents; i++) {
		struct err err = ERR_INIT;

		cr_assert(file_write_atomic(path_of("odd"), contents[i], strlen(contents[i]), 0600, NULL));
		cr_assert(!record_file_append(path_of("odd"), "note", fill_text, "x", &err), "%s", contents[i]);
		cr_assert_eq(err.code, ERR_BROKEN, "%s", err.msg);
	}
	cr_assert(!record_file_append(path_of("absent"), "note", fill_text, "x", NULL));
	cr_assert(!file_exists(path_of("absent")));
}

Test(record, a_fed_reader_goes_on_behind_a_record_and_hands_over_other_lines)
{
	struct buf text = BUF_INIT(10000);
	CLEANUP(record_reader) struct record_reader *r = NULL;
	struct record_head head;
	struct record rec;
	struct err err = ERR_INIT;
	int seen = 0;

	compose(&text, 5, RECORD_LOG_PREFIX);
	record_head_init(&head);
	cr_assert(record_reader_feed_new(&head, NULL, &r, NULL));
	for (size_t i = 0; i < text.len; i++) { /* byte by byte */
		record_reader_feed(r, text.data + i, 1);
		while (record_next(r, &rec, &err) == RECORD_OK)
			seen++;
	}
	cr_assert_eq(seen, 5, "%s", err.msg);
	record_reader_feed(r, text.data, text.len); /* all again */
	cr_assert_eq(record_next(r, &rec, &err), RECORD_END, "%s", err.msg);
	cr_assert_eq(record_reader_head(r).n, 5);
	buf_clear(&text);
}
