#include "scenarios/follower.h"
#include "scenarios/run_dir.h"

#include "base/file.h"
#include "sample.h"

#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static ino_t watched;	   /* the copy of the journal */
static off_t synced_bytes; /* how much of it was synced */

/* In place of libc's, for the whole program. */
int fdatasync(int fd)
{
	struct stat st;

	if (!fstat(fd, &st) && st.st_ino == watched)
		synced_bytes = st.st_size;
	return (int)syscall(SYS_fdatasync, fd);
}

static int64_t now_ns = INT64_C(5000000000);

static int64_t fake_mono(void *ctx)
{
	(void)ctx;
	return now_ns;
}

static int64_t fake_wall(void *ctx)
{
	(void)ctx;
	return SAMPLE_T0 + now_ns / 1000000;
}

static const struct clock fake = {.mono_ns = fake_mono, .wall_ms = fake_wall};
static char dir[] = "/tmp/psmdb-drill-follower-XXXXXX";
static struct memory_sink journal; /* what the ticker wrote */
static struct buf pod_log = BUF_INIT(64 << 20);

static void set_up(void)
{
	cr_assert(mkdtemp(dir));
	cr_assert(run_create(dir, "test", &fake, NULL));
}

static void tear_down(void)
{
	file_remove_tree(dir, NULL);
	buf_clear(&journal.text);
	buf_clear(&pod_log);
}

static const char *path_of(const char *name)
{
	static char path[PATH_MAX];

	cr_assert(run_path(dir, name, path, NULL));
	return path;
}

/* A journal of so many ticks on two streams, and a pod log of it with ordinary lines in between. */
static void make_log_of(int64_t ticks, uint32_t acked_streams, bool ended)
{
	struct record_sink sink = memory_sink_init(&journal);
	CLEANUP(journal_writer) struct journal_writer *w = NULL;
	struct journal_open open = sample_open(2);
	struct journal_record end = end_record();

	cr_assert(journal_writer_new(&sink, &open, &w, NULL));
	for (int64_t seq = 1; seq <= ticks; seq++) {
		for (uint32_t s = 0; s < 2; s++) {
			struct journal_record a = issued(s, seq, seq), b = acked(s, seq, seq);

			cr_assert(journal_write(w, &a, NULL) && (s >= acked_streams || journal_write(w, &b, NULL)));
		}
	}
	cr_assert(!ended || journal_write(w, &end, NULL));
	for (const char *p = journal.text.data, *nl; (nl = strchr(p, '\n')); p = nl + 1) {
		cr_assert(buf_add_str(
		    &pod_log, (p - journal.text.data) % 3 ? "" : "2026 level=info ordinary \x1b[31mline\n", NULL));
		cr_assert(buf_add_str(&pod_log, RECORD_LOG_PREFIX, NULL));
		cr_assert(buf_add(&pod_log, p, (size_t)(nl - p) + 1, NULL));
	}
}

static void make_log(int64_t ticks, bool ended)
{
	make_log_of(ticks, 1, ended);
}

static struct follower *start(void)
{
	struct follower *f = NULL;
	struct err err = ERR_INIT;

	cr_assert(follower_new(dir, RUN_JOURNAL, &fake, &f, &err), "%s", err.msg);
	return f;
}

static void copy_is(const char *want, size_t len)
{
	BUF_CLEANUP struct buf got = BUF_INIT(64 << 20);

	cr_assert(file_read(path_of(RUN_JOURNAL), &got, NULL));
	cr_assert(got.len == len && !memcmp(buf_str(&got), want, len), "%zu bytes, wanted %zu", got.len, len);
}

/* Heads in the timeline, and the last one. */
static int heads(struct timeline_record *ret)
{
	struct record_reader *records = NULL;
	CLEANUP(timeline_reader) struct timeline_reader *r = NULL;
	struct timeline_record rec;
	struct err err = ERR_INIT;
	enum record_state state;
	int count = 0;

	cr_assert(record_reader_open(path_of(RUN_TIMELINE), false, &records, NULL));
	cr_assert(timeline_reader_new(records, &r, &err), "%s", err.msg);
	while ((state = timeline_next(r, &rec, &err)) == RECORD_OK) {
		if (rec.is_head) {
			count++;
			*ret = rec;
		}
	}
	cr_assert_eq(state, RECORD_END, "%s", err.msg);
	return count;
}

/* Where the record of this number begins in the pod log. */
static size_t at_record(int n)
{
	char text[40];
	const char *at;

	snprintf(text, sizeof text, RECORD_LOG_PREFIX "{\"n\":%d,", n);
	at = strstr(pod_log.data, text);
	cr_assert_not_null(at);
	return (size_t)(at - pod_log.data);
}

TestSuite(follower, .init = set_up, .fini = tear_down);

Test(follower, copies_the_records_byte_for_byte_and_the_rest_into_the_log)
{
	CLEANUP(follower) struct follower *f = start();
	BUF_CLEANUP struct buf log = BUF_INIT(1 << 20);
	struct stat st;

	make_log(50, true);
	for (size_t i = 0; i < pod_log.len; i += 97)
		cr_assert(follower_feed(f, pod_log.data + i, pod_log.len - i < 97 ? pod_log.len - i : 97, NULL));
	cr_assert(follower_sealed(f));
	cr_assert(follower_finish(f, NULL));
	copy_is(journal.text.data, journal.text.len);
	cr_assert(file_read(path_of(RUN_TICKER_LOG), &log, NULL));
	cr_assert(!strncmp(log.data, "2026 level=info ordinary \xef\xbf\xbd[31mline\n", 30), "%s", log.data);
	cr_assert(!strstr(log.data, "@psmdb-drill"));
	cr_assert(!stat(path_of(RUN_JOURNAL), &st) && (st.st_mode & 0777) == 0600);
}

Test(follower, a_head_each_second_also_when_nothing_arrives)
{
	CLEANUP(follower) struct follower *f = start();
	struct timeline_record head;
	struct timeline_acked acked;
	int64_t due = follower_due_ns(f);

	cr_assert_eq(due, now_ns + 1000000000);
	now_ns = due;
	cr_assert(follower_tick(f, NULL));
	cr_assert_eq(heads(&head), 0, "no head before the first record");
	make_log(10, false);
	cr_assert(follower_feed(f, pod_log.data, pod_log.len, NULL));
	now_ns += 999999999;
	cr_assert(follower_tick(f, NULL));
	cr_assert_eq(heads(&head), 0);
	now_ns += 1;
	cr_assert(follower_tick(f, NULL));
	cr_assert_eq(heads(&head), 1);
	cr_assert_eq(head.journal.n, follower_head(f).n);
	cr_assert_eq(head.journal.n, 1 + 10 * 3);
	cr_assert_eq(head.mono_ms, now_ns / 1000000);
	cr_assert(
	    head.acked_count == 1 && head.acked[0].stream == 0 && head.acked[0].seq == 10 && head.acked[0].hi.i == 10);
	cr_assert(follower_acked(f, 1, &acked) && !acked.seq);
	cr_assert(!follower_acked(f, 2, &acked));
	now_ns += 1000000000;
	cr_assert(follower_tick(f, NULL));
	cr_assert_eq(heads(&head), 2);
	cr_assert_eq(head.journal.n, 31, "a stall shows as the same number");
	now_ns += INT64_C(7300000000); /* held up: one head, and the next on the old beat */
	cr_assert(follower_tick(f, NULL) && follower_tick(f, NULL));
	cr_assert_eq(heads(&head), 3);
	cr_assert_eq((follower_due_ns(f) - due) % 1000000000, 0);
	cr_assert_gt(follower_due_ns(f), now_ns);
}

Test(follower, the_first_acknowledged_tick_of_every_stream_is_told_at_once)
{
	CLEANUP(follower) struct follower *f = start();
	struct timeline_record head;
	int64_t due = follower_due_ns(f);
	size_t second;

	make_log_of(3, 2, false);
	second = at_record(5); /* the second stream's first acknowledgement */
	now_ns += 100000000;
	cr_assert(follower_feed(f, pod_log.data, second, NULL) && follower_tick(f, NULL));
	cr_assert(heads(&head) == 0 && follower_due_ns(f) == due, "one stream is not all of them");
	now_ns += 100000000;
	cr_assert(follower_feed(f, pod_log.data + second, at_record(6) - second, NULL));
	cr_assert_eq(follower_due_ns(f), now_ns);
	cr_assert(follower_tick(f, NULL));
	cr_assert_eq(heads(&head), 1);
	cr_assert(head.acked_count == 2 && head.acked[1].seq == 1 && head.journal.n == 5);
	cr_assert(follower_feed(f, pod_log.data + at_record(6), pod_log.len - at_record(6), NULL));
	cr_assert_eq(follower_due_ns(f), now_ns + 1000000000, "once: then each second");
}

Test(follower, a_gap_stops_it_with_the_numbers_and_keeps_what_was_good)
{
	CLEANUP(follower) struct follower *f = start();
	struct err err = ERR_INIT;
	size_t ten, eleven;
	struct timeline_record head;

	make_log(10, true);
	ten = at_record(10);
	eleven = at_record(11);
	cr_assert(follower_feed(f, pod_log.data, ten, &err), "%s", err.msg);
	cr_assert(!follower_feed(f, pod_log.data + eleven, pod_log.len - eleven, &err));
	cr_assert_eq(err.code, ERR_BROKEN);
	cr_assert(strstr(err.msg, "record 11 stands where 10 is expected") && strstr(err.msg, "ends at record 9") &&
		      err.hint[0],
	    "%s", err.msg);
	cr_assert(!follower_feed(f, pod_log.data + ten, 100, NULL), "it stays so");
	cr_assert_eq(follower_head(f).n, 9);
	cr_assert(follower_finish(f, NULL));
	cr_assert(heads(&head) == 1 && head.journal.n == 9);
	/* the gap is fetched by another follower from an earlier place of the log */
	follower_free(TAKE(f));
	f = start();
	cr_assert(follower_feed(f, pod_log.data, pod_log.len, &err), "%s", err.msg);
	cr_assert(follower_sealed(f));
	copy_is(journal.text.data, journal.text.len);
}

Test(follower, an_altered_record_is_not_copied)
{
	CLEANUP(follower) struct follower *f = start();
	struct err err = ERR_INIT;

	make_log(5, true);
	pod_log.data[at_record(7) + 40] ^= 1;
	cr_assert(!follower_feed(f, pod_log.data, pod_log.len, &err));
	cr_assert(strstr(err.msg, "record 7"), "%s", err.msg);
	cr_assert_eq(follower_head(f).n, 6);
}

Test(follower, started_again_it_goes_on_wherever_the_first_was_killed)
{
	make_log(6, true);
	for (size_t cut = 0; cut < journal.text.len; cut += 23) {
		struct follower *f;
		struct err err = ERR_INIT;

		/* killed in the middle of a write: any beginning of the file */
		cr_assert(file_write_atomic(path_of(RUN_JOURNAL), journal.text.data, cut, 0600, NULL));
		f = start();
		cr_assert(follower_feed(f, pod_log.data, pod_log.len, &err), "cut at %zu: %s", cut, err.msg);
		cr_assert(follower_sealed(f));
		follower_free(f);
		copy_is(journal.text.data, journal.text.len);
	}
}

static void watch_copy(void)
{
	struct stat st;

	cr_assert(!stat(path_of(RUN_JOURNAL), &st));
	watched = st.st_ino;
	synced_bytes = 0;
}

Test(follower, what_a_killed_follower_did_not_sync_is_synced_before_a_head_names_it)
{
	CLEANUP(follower) struct follower *f = NULL;
	struct timeline_record head;

	make_log(6, true);
	cr_assert(file_write_atomic(path_of(RUN_JOURNAL), journal.text.data, journal.text.len, 0600, NULL));
	watch_copy();
	f = start();
	cr_assert(follower_finish(f, NULL));
	cr_assert_eq(heads(&head), 1);
	cr_assert_eq(head.journal.n, follower_head(f).n);
	cr_assert_eq(synced_bytes, (off_t)journal.text.len, "%lld bytes are synced", (long long)synced_bytes);
}

Test(follower, an_event_names_only_a_record_that_is_synced)
{
	struct timeline_journal newest;

	make_log(6, true);
	cr_assert(file_write_atomic(path_of(RUN_JOURNAL), journal.text.data, journal.text.len, 0600, NULL));
	watch_copy();
	cr_assert(run_newest_journal(dir, &newest, NULL));
	cr_assert(newest.known);
	cr_assert_eq(synced_bytes, (off_t)journal.text.len, "%lld bytes are synced", (long long)synced_bytes);
}

Test(follower, another_tickers_journal_is_not_mixed_in)
{
	struct follower *f = start();
	struct err err = ERR_INIT;
	struct memory_sink other;
	struct record_sink sink = memory_sink_init(&other);
	struct journal_writer *w = NULL;
	struct journal_open open = sample_open(1);

	make_log(6, false);
	cr_assert(follower_feed(f, pod_log.data, pod_log.len, NULL));
	follower_free(f);
	cr_assert(uuid_random(&open.run, NULL));
	cr_assert(journal_writer_new(&sink, &open, &w, NULL));
	f = start();
	cr_assert(follower_feed(f, RECORD_LOG_PREFIX, strlen(RECORD_LOG_PREFIX), NULL));
	cr_assert(!follower_feed(f, other.text.data, other.text.len, &err));
	cr_assert(strstr(err.msg, "second journal begins"), "%s", err.msg);
	follower_free(f);
	journal_writer_free(w);
	buf_clear(&other.text);
	copy_is(journal.text.data, journal.text.len);
}

Test(follower, a_damaged_copy_is_not_continued)
{
	struct follower *f = NULL;
	struct err err = ERR_INIT;

	make_log(6, true);
	journal.text.data[journal.text.len / 2] ^= 1;
	cr_assert(file_write_atomic(path_of(RUN_JOURNAL), journal.text.data, journal.text.len, 0600, NULL));
	cr_assert(!follower_new(dir, RUN_JOURNAL, &fake, &f, &err));
	cr_assert_eq(err.code, ERR_BROKEN);
	copy_is(journal.text.data, journal.text.len);
}

Test(follower, one_at_a_time)
{
	CLEANUP(follower) struct follower *f = start();
	struct follower *other = NULL;
	struct err err = ERR_INIT;

	cr_assert(!follower_new(dir, RUN_JOURNAL, &fake, &other, &err));
	cr_assert_eq(err.code, ERR_STATE);
	cr_assert(strstr(err.msg, "being followed already"), "%s", err.msg);
}

Test(follower, nothing_behind_the_end)
{
	CLEANUP(follower) struct follower *f = start();
	struct record_line line;
	struct record_head head;
	struct err err = ERR_INIT;

	make_log(2, true);
	cr_assert(follower_feed(f, pod_log.data, pod_log.len, NULL));
	head = follower_head(f);
	record_line_init(&line);
	record_begin(&line, &head, "end");
	cr_assert(record_end(&line, &head, NULL));
	cr_assert(follower_feed(f, RECORD_LOG_PREFIX, strlen(RECORD_LOG_PREFIX), NULL));
	cr_assert(!follower_feed(f, line.line.data, line.line.len, &err));
	cr_assert(strstr(err.msg, "behind the journal's end"), "%s", err.msg);
	record_line_clear(&line);
}

Test(follower, the_log_of_other_lines_is_bounded)
{
	CLEANUP(follower) struct follower *f = start();
	char *chunk = malloc(RECORD_FEED_MAX);
	struct stat st;

	memset(chunk, 'x', RECORD_FEED_MAX);
	for (int i = 0; i < RECORD_FEED_MAX; i += 1000)
		chunk[i] = '\n';
	for (int64_t sent = 0; sent < FOLLOWER_LOG_BYTES_MAX + (4 << 20); sent += RECORD_FEED_MAX)
		cr_assert(follower_feed(f, chunk, RECORD_FEED_MAX, NULL));
	cr_assert(!stat(path_of(RUN_TICKER_LOG), &st));
	cr_assert_leq(st.st_size, FOLLOWER_LOG_BYTES_MAX + 200);
	cr_assert_gt(st.st_size, FOLLOWER_LOG_BYTES_MAX - 2000);
	free(chunk);
}

Test(follower, without_a_run_directory_it_says_how_to_make_one)
{
	struct follower *f = NULL;
	struct err err = ERR_INIT;

	cr_assert(!follower_new("/tmp/psmdb-drill-no-such-run", RUN_JOURNAL, &fake, &f, &err));
	cr_assert_eq(err.code, ERR_NOT_FOUND);
	cr_assert(strstr(err.hint, "psmdb-drill init"), "%s", err.hint);
}
