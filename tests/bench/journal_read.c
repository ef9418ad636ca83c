/*
 * Reading and checking a journal of per-tick records (chain, numbers, members, lifecycle) against cJSON parsing the
 * same lines and doing nothing else.
 *
 *   bench_journal_read [ticks] [rounds]      two lines a tick; best of the rounds; results on stdout
 */
#include "evidence/journal.h"

#include "base/file.h"

#include <cjson/cJSON.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

/* Both sides compute only, so their CPU time is compared: other load on the machine does not count. */
static int64_t cpu_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static bool make(const char *path, int64_t ticks, struct err *err)
{
	struct journal_open open = {.at_ms = 1700000000000,
	    .ticker = "bench",
	    .cluster_kind = "replicaSet",
	    .streams = {{"drill.ticker", 0}},
	    .stream_count = 1};
	struct journal_record end = {.type = JOURNAL_END, .reason = "done"};
	CLEANUP(journal_writer) struct journal_writer *w = NULL;
	struct record_file *file = NULL;
	struct record_sink sink;
	bool ok;

	if (!record_file_create(path, &file, err))
		return false;
	sink = record_file_sink(file);
	ok = journal_writer_new(&sink, &open, &w, err);
	for (int64_t seq = 1; ok && seq <= ticks; seq++) {
		struct journal_record issued = {.type = JOURNAL_ISSUED,
		    .ms = seq,
		    .first = seq,
		    .last = seq,
		    .lo = {1700000000, (uint32_t)seq},
		    .created_at_ms = 1700000000000 + seq,
		    .sum = (uint64_t)seq * UINT64_C(0x9e3779b97f4a7c15)};
		struct journal_record acked = {.type = JOURNAL_ACKED,
		    .ms = seq,
		    .first = seq,
		    .last = seq,
		    .hi = {1700000000, (uint32_t)seq + 1},
		    .exact = true};

		ok = journal_write(w, &issued, err) && journal_write(w, &acked, err);
	}
	ok = ok && journal_write(w, &end, err);
	return record_file_close(file, ok ? err : NULL) && ok;
}

static int64_t parser_alone(const char *path, struct err *err)
{
	BUF_CLEANUP struct buf text = BUF_INIT((size_t)1 << 32);
	int64_t start;

	if (!file_read(path, &text, err))
		return -1;
	start = cpu_ns();
	for (const char *p = text.data, *end; (end = strchr(p, '\n')); p = end + 1) {
		cJSON *root = cJSON_ParseWithLength(p, (size_t)(end - p));

		if (!root)
			return err_set(err, ERR_PARSE, "a line is no JSON"), -1;
		cJSON_Delete(root);
	}
	return cpu_ns() - start;
}

static int64_t checked(const char *path, struct err *err)
{
	CLEANUP(journal_reader) struct journal_reader *r = NULL;
	struct record_reader *records = NULL;
	struct journal_record rec;
	enum journal_state state;
	int64_t start = cpu_ns();

	if (!record_reader_open(path, false, &records, err) || !journal_reader_new(records, &r, err))
		return -1;
	while ((state = journal_next(r, &rec, err)) == JOURNAL_RECORD)
		;
	if (state != JOURNAL_SEALED)
		return -1;
	return cpu_ns() - start;
}

int main(int argc, char **argv)
{
	int64_t ticks = argc > 1 ? atoll(argv[1]) : 500000, rounds = argc > 2 ? atoll(argv[2]) : 3,
		best[2] = {INT64_MAX, INT64_MAX};
	char dir[] = "/tmp/psmdb-drill-bench-XXXXXX", path[64];
	struct err err = ERR_INIT;
	struct rusage use;
	long peak_kb = 0;
	bool ok;

	if (!mkdtemp(dir))
		return EXIT_ERROR;
	snprintf(path, sizeof path, "%s/journal.jsonl", dir);
	ok = make(path, ticks, &err);
	for (int64_t i = 0; ok && i < rounds; i++) {
		int64_t ns = checked(path, &err);

		ok = ns >= 0;
		best[0] = ns < best[0] ? ns : best[0];
		if (!i && !getrusage(RUSAGE_SELF, &use))
			peak_kb = use.ru_maxrss; /* before the other side holds the whole file */
		ns = ok ? parser_alone(path, &err) : -1;
		ok = ns >= 0;
		best[1] = ns < best[1] ? ns : best[1];
	}
	file_remove_tree(dir, NULL);
	if (!ok)
		return err_print("bench_journal_read", &err);
	printf("lines %lld\nread and checked %.3f s\ncJSON alone %.3f s\nratio %.2f\npeak memory %ld KiB\n",
	    (long long)ticks * 2 + 2, (double)best[0] / 1e9, (double)best[1] / 1e9, (double)best[0] / (double)best[1],
	    peak_kb);
	return EXIT_PASS;
}
