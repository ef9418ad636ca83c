/*
 * How fast collect reads, as a ratio to draining a bare libmongoc cursor with the same batch size over the same
 * collection, turn by turn in one process; and, with PROGRAM, how much memory the program takes at its peak.
 *
 * usage: bench_collect [TICKS [ROUNDS [PROGRAM]]]      (default 1,000,000 and 5; PROGRAM: collect_main)
 */
#include "base/clock.h"
#include "base/num.h"
#include "mongo/client.h"
#include "tests/support/mongod_fixture.h"
#include "verifier/collect_meta.h"
#include "verifier/collect_scan.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define ADDRESS "127.17.2.1"
#define PORT 27117
#define NS "drill.ticker"
#define BATCH 10000
#define WRITERS 4

static void die(struct mongod_fixture *m, const struct err *err)
{
	err_print("bench_collect", err);
	mongod_fixture_stop(m);
	exit(EXIT_ERROR);
}

static void fill(struct mongod_fixture *m, int64_t ticks)
{
	mongoc_collection_t *collection = mongoc_client_get_collection(m->root, "drill", "ticker");
	struct tick_stream streams[WRITERS];
	struct uuid run = {{1, 2, 3, 4, 5, 6, 0x47, 8, 0x89}};
	struct err err = ERR_INIT;
	bson_error_t error = {0};

	for (int i = 0; i < WRITERS; i++)
		tick_stream_init(&streams[i], &run, NS, i + 1);
	for (int64_t n = 0; n < ticks;) {
		mongoc_bulk_operation_t *bulk = mongoc_collection_create_bulk_operation_with_opts(collection, NULL);

		for (int i = 0; i < 20000 && n < ticks; i++, n++) {
			unsigned char bytes[TICK_BSON_BYTES];
			bson_t doc;

			tick_build(&streams[n % WRITERS], n / WRITERS + 1, 1700000000000 + n, bytes);
			bson_init_static(&doc, bytes, sizeof bytes);
			mongoc_bulk_operation_insert_with_opts(bulk, &doc, NULL, NULL);
		}
		if (!mongoc_bulk_operation_execute(bulk, NULL, &error)) {
			err_set(&err, ERR_REMOTE, "insert: %s", error.message);
			die(m, &err);
		}
		mongoc_bulk_operation_destroy(bulk);
	}
	mongoc_collection_destroy(collection);
}

static int64_t drain_bare(struct mongod_fixture *m, int64_t *ret_documents)
{
	int64_t start = clock_mono_ns(clock_system());
	mongoc_collection_t *collection = mongoc_client_get_collection(m->root, "drill", "ticker");
	bson_t all = BSON_INITIALIZER, *opts = BCON_NEW("batchSize", BCON_INT64(BATCH));
	mongoc_cursor_t *cursor = mongoc_collection_find_with_opts(collection, &all, opts, NULL);
	const bson_t *doc;
	int64_t documents = 0;

	while (mongoc_cursor_next(cursor, &doc))
		documents++;
	mongoc_cursor_destroy(cursor);
	mongoc_collection_destroy(collection);
	bson_destroy(opts);
	*ret_documents = documents;
	return clock_mono_ns(clock_system()) - start;
}

static int64_t drain_scan(struct mongod_fixture *m, int64_t *ret_documents, int64_t *ret_intact)
{
	struct link link = {
	    .target = {.uri = m->uri, .user = MONGOD_FIXTURE_USER, .password = MONGOD_FIXTURE_PASSWORD},
	    .clock = clock_system(),
	};
	static const struct collect_progress quiet = {0};
	struct tally_limits limits = TALLY_LIMITS_DEFAULT;
	CLEANUP(tally) struct tally *tally = NULL;
	struct scan scan = {.ns = NS, .batch_size = BATCH, .progress = &quiet};
	struct err err = ERR_INIT;
	int64_t start;

	if (!tally_new(NS, "rs0", &limits, &tally, &err) || !link_open(&link, &err))
		die(m, &err);
	/* the bare cursor has a connection already */
	if (!meta_majority_time(&link, &scan.after, &err))
		die(m, &err);
	scan.tally = tally;
	start = clock_mono_ns(clock_system());
	if (!scan_run(&link, &scan, &err))
		die(m, &err);
	start = clock_mono_ns(clock_system()) - start;
	link_close(&link);
	*ret_documents = tally_counts(tally).documents;
	*ret_intact = tally_counts(tally).intact;
	return start;
}

static int compare_ratios(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void measure_memory(struct mongod_fixture *m, const char *program)
{
	struct rusage usage;
	int status;
	pid_t pid = fork();

	if (!pid) {
		setenv("MONGODB_USER", MONGOD_FIXTURE_USER, 1);
		setenv("MONGODB_PASSWORD", MONGOD_FIXTURE_PASSWORD, 1);
		execl(program, program, "--uri", m->uri, "--ns", NS, "--out", "/dev/null/not-there", (char *)NULL);
		_exit(127);
	}
	/* its exit status is that of a file that cannot be written: everything before that was done */
	if (wait4(pid, &status, 0, &usage) == pid)
		printf("program: peak RSS %.1f MiB, user %.2f s, system %.2f s\n", (double)usage.ru_maxrss / 1024,
		    (double)usage.ru_utime.tv_sec + (double)usage.ru_utime.tv_usec / 1e6,
		    (double)usage.ru_stime.tv_sec + (double)usage.ru_stime.tv_usec / 1e6);
}

int main(int argc, char **argv)
{
	int64_t ticks = 1000000, rounds = 5, documents = 0, intact = 0;
	struct mongod_fixture m;
	struct err err = ERR_INIT;
	double ratios[100], bare_best_s = 1e9, scan_best_s = 1e9;

	if ((argc > 1 && !num_parse_i64(argv[1], strlen(argv[1]), &ticks)) ||
	    (argc > 2 && !num_parse_i64(argv[2], strlen(argv[2]), &rounds)) || ticks < 1 || rounds < 1 || rounds > 100)
		return EXIT_USAGE;
	mongo_init();
	if (!mongod_fixture_start(&m, ADDRESS, PORT, &err))
		return err_print("bench_collect", &err);
	fill(&m, ticks);
	drain_bare(&m, &documents);
	for (int64_t i = 0; i < rounds; i++) {
		int64_t scan_ns = 0, bare_ns = 0;

		/* each goes first every other time */
		if (i % 2)
			bare_ns = drain_bare(&m, &documents);
		scan_ns = drain_scan(&m, &documents, &intact);
		if (!(i % 2))
			bare_ns = drain_bare(&m, &documents);
		if (documents != ticks || intact != ticks) {
			err_set(&err, ERR_STATE, "%" PRId64 " documents, %" PRId64 " intact", documents, intact);
			die(&m, &err);
		}
		ratios[i] = (double)bare_ns / (double)scan_ns;
		printf("bare %.3f s, collect %.3f s (%.0f ticks/s), ratio %.3f\n", (double)bare_ns / 1e9,
		    (double)scan_ns / 1e9, (double)ticks * 1e9 / (double)scan_ns, ratios[i]);
		fflush(stdout);
		if ((double)bare_ns / 1e9 < bare_best_s)
			bare_best_s = (double)bare_ns / 1e9;
		if ((double)scan_ns / 1e9 < scan_best_s)
			scan_best_s = (double)scan_ns / 1e9;
	}
	qsort(ratios, (size_t)rounds, sizeof *ratios, compare_ratios);
	/* the best of each side is what is least disturbed by others on the machine */
	printf(
	    "%" PRId64
	    " ticks: of a bare cursor %.3f (median of the rounds' ratios), %.3f (best against best, %.3f and %.3f s)\n",
	    ticks, ratios[rounds / 2], bare_best_s / scan_best_s, bare_best_s, scan_best_s);
	if (argc > 3)
		measure_memory(&m, argv[3]);
	mongod_fixture_stop(&m);
	mongo_cleanup();
	return EXIT_PASS;
}
