/*
 * Would collect read faster through several cursors at once, each over a range of _id, than through its one in natural order? Drains
 * the same collection through 1 natural cursor, and through 1, 2 and 4 range cursors on threads with a connection each; the documents
 * are counted, not looked at, so that it is the server's side alone.
 *
 * usage: bench_collect_ranges [TICKS [ROUNDS]]      (default 1,000,000 and 5)
 */
#include "base/clock.h"
#include "base/num.h"
#include "mongo/bson_util.h"
#include "mongo/client.h"
#include "tests/support/mongod_fixture.h"
#include "tick/tick.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define ADDRESS "127.17.3.1"
#define PORT 27117
#define NS "drill.ticker"
#define BATCH 10000
#define WRITERS 4
#define RANGES_MAX 4
#define ROUNDS_MAX 100

static void die(struct mongod_fixture *m, const char *what, const char *why)
{
	struct err err = ERR_INIT;

	err_set(&err, ERR_REMOTE, "%s: %s", what, why);
	err_print("bench_collect_ranges", &err);
	mongod_fixture_stop(m);
	exit(EXIT_ERROR);
}

static void fill(struct mongod_fixture *m, int64_t ticks)
{
	mongoc_collection_t *collection = mongoc_client_get_collection(m->root, "drill", "ticker");
	struct tick_stream streams[WRITERS];
	struct uuid run = {{1, 2, 3, 4, 5, 6, 0x47, 8, 0x89}};
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
		if (!mongoc_bulk_operation_execute(bulk, NULL, &error))
			die(m, "insert", error.message);
		mongoc_bulk_operation_destroy(bulk);
	}
	mongoc_collection_destroy(collection);
}

struct part {
	struct mongod_fixture *m;
	mongoc_client_t *client;
	bool natural, has_from, has_to;
	bson_oid_t from, to;
	int64_t documents;
	pthread_t thread;
};

static void *drain(void *arg)
{
	struct part *p = arg;
	mongoc_collection_t *collection = mongoc_client_get_collection(p->client, "drill", "ticker");
	bson_t filter = BSON_INITIALIZER, range;
	bson_t *opts = BCON_NEW("batchSize", BCON_INT64(BATCH), "hint", "{", p->natural ? "$natural" : "_id",
	    BCON_INT32(1), "}", "readConcern", "{", "level", "majority", "}");
	mongoc_cursor_t *cursor;
	const bson_t *doc;

	if (p->has_from || p->has_to) {
		BSON_APPEND_DOCUMENT_BEGIN(&filter, "_id", &range);
		if (p->has_from)
			BSON_APPEND_OID(&range, "$gte", &p->from);
		if (p->has_to)
			BSON_APPEND_OID(&range, "$lt", &p->to);
		bson_append_document_end(&filter, &range);
	}
	cursor = mongoc_collection_find_with_opts(collection, &filter, opts, NULL);
	for (p->documents = 0; mongoc_cursor_next(cursor, &doc);)
		p->documents++;
	mongoc_cursor_destroy(cursor);
	mongoc_collection_destroy(collection);
	bson_destroy(opts);
	bson_destroy(&filter);
	return NULL;
}

/* The _id that has so many before it. */
static bson_oid_t at(struct mongod_fixture *m, int64_t skip)
{
	mongoc_collection_t *collection = mongoc_client_get_collection(m->root, "drill", "ticker");
	bson_t all = BSON_INITIALIZER,
	       *opts = BCON_NEW("sort", "{", "_id", BCON_INT32(1), "}", "skip", BCON_INT64(skip), "limit",
		   BCON_INT64(1), "projection", "{", "_id", BCON_INT32(1), "}");
	mongoc_cursor_t *cursor = mongoc_collection_find_with_opts(collection, &all, opts, NULL);
	bson_oid_t oid = {{0}};
	const bson_t *doc;

	if (!mongoc_cursor_next(cursor, &doc) || !bson_path_oid(doc, "_id", &oid))
		die(m, "find a boundary", "there is none");
	mongoc_cursor_destroy(cursor);
	mongoc_collection_destroy(collection);
	bson_destroy(opts);
	return oid;
}

/* Seconds. ranges 0: one natural cursor. */
static double drain_all(struct part *parts, int ranges, int64_t ticks)
{
	int count = ranges ? ranges : 1;
	int64_t start = clock_mono_ns(clock_system()), documents = 0;

	for (int i = 1; i < count; i++)
		if (pthread_create(&parts[i].thread, NULL, drain, &parts[i]))
			die(parts->m, "drain", "no thread");
	drain(&parts[0]);
	for (int i = 0; i < count; i++) {
		if (i)
			pthread_join(parts[i].thread, NULL);
		documents += parts[i].documents;
	}
	if (documents != ticks)
		die(parts->m, "drain", "not all documents came");
	return (double)(clock_mono_ns(clock_system()) - start) / 1e9;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
	static const int ways[] = {0, 1, 2, 4};
	static struct part parts[4][RANGES_MAX];
	double seconds[4][ROUNDS_MAX];
	int64_t ticks = 1000000, rounds = 5;
	struct mongod_fixture m;
	struct err err = ERR_INIT;

	if ((argc > 1 && !num_parse_i64(argv[1], strlen(argv[1]), &ticks)) ||
	    (argc > 2 && !num_parse_i64(argv[2], strlen(argv[2]), &rounds)) || ticks < RANGES_MAX || rounds < 1 ||
	    rounds > ROUNDS_MAX)
		return EXIT_USAGE;
	mongo_init();
	if (!mongod_fixture_start(&m, ADDRESS, PORT, &err))
		return err_print("bench_collect_ranges", &err);
	fill(&m, ticks);
	for (int w = 0; w < 4; w++) {
		int count = ways[w] ? ways[w] : 1;

		for (int i = 0; i < count; i++) {
			struct part *p = &parts[w][i];
			struct mongo_target target = {
			    .uri = m.uri, .user = MONGOD_FIXTURE_USER, .password = MONGOD_FIXTURE_PASSWORD};

			*p = (struct part){.m = &m, .natural = !ways[w], .has_from = i > 0, .has_to = i < count - 1};
			if (p->has_from)
				p->from = at(&m, ticks * i / count);
			if (p->has_to)
				p->to = at(&m, ticks * (i + 1) / count);
			if (!mongo_client_new(&target, &p->client, &err))
				die(&m, "connect", err.msg);
		}
		drain_all(parts[w], ways[w], ticks); /* connected, and in the cache */
	}
	for (int64_t round = 0; round < rounds; round++)
		for (int w = 0; w < 4; w++)
			seconds[w][round] = drain_all(parts[w], ways[w], ticks);
	for (int w = 0; w < 4; w++) {
		qsort(seconds[w], (size_t)rounds, sizeof **seconds, compare);
		for (int i = 0; i < (ways[w] ? ways[w] : 1); i++)
			mongoc_client_destroy(parts[w][i].client);
	}
	for (int w = 0; w < 4; w++)
		printf("%d %s: median %.3f s, best %.3f s; natural over it %.2f (medians), %.2f (best)\n",
		    ways[w] ? ways[w] : 1, ways[w] ? "by _id  " : "natural ", seconds[w][rounds / 2], seconds[w][0],
		    seconds[0][rounds / 2] / seconds[w][rounds / 2], seconds[0][0] / seconds[w][0]);
	mongod_fixture_stop(&m);
	mongo_cleanup();
	return EXIT_PASS;
}
