/*
 * How fast collect reads one namespace, beside a bare libmongoc cursor with the same batch size that is drained and looks at nothing; turn by
 * turn in one process.
 *
 * usage: bench_collect URI NAMESPACE ROUNDS      prints for each round: seconds of the cursor and of collect, CPU seconds of both; and how
 *                                                many documents there are, all of which must be intact ticks
 */
#include "tests/bench/bench.h"
#include "verifier/collect_meta.h"
#include "verifier/collect_scan.h"

#include <inttypes.h>
#include <stdlib.h>

#define BATCH 10000

struct side {
	double wall_s, cpu_s;
	int64_t documents, intact;
};

static void begin(struct side *s)
{
	s->wall_s = bench_wall_s();
	s->cpu_s = bench_cpu_s();
}

static void end(struct side *s)
{
	s->wall_s = bench_wall_s() - s->wall_s;
	s->cpu_s = bench_cpu_s() - s->cpu_s;
}

static bool drain_bare(mongoc_client_t *client, const char *ns, struct side *ret, struct err *err)
{
	mongoc_collection_t *collection = bench_collection(client, ns);
	bson_t all = BSON_INITIALIZER, *opts = BCON_NEW("batchSize", BCON_INT64(BATCH));
	bson_error_t error = {0};
	mongoc_cursor_t *cursor;
	const bson_t *doc;
	bool ok;

	*ret = (struct side){0};
	begin(ret);
	cursor = mongoc_collection_find_with_opts(collection, &all, opts, NULL);
	while (mongoc_cursor_next(cursor, &doc))
		ret->documents++;
	end(ret);
	ok = !mongoc_cursor_error(cursor, &error);
	mongoc_cursor_destroy(cursor);
	mongoc_collection_destroy(collection);
	bson_destroy(opts);
	return ok || mongo_error(&error, NULL, err, "drain the cursor");
}

static bool drain_scan(struct link *link, const char *ns, struct side *ret, struct err *err)
{
	static const struct collect_progress quiet = {0};
	struct tally_limits limits = TALLY_LIMITS_DEFAULT;
	CLEANUP(tally) struct tally *tally = NULL;
	struct scan scan = {.ns = ns, .batch_size = BATCH, .progress = &quiet};
	bool ok;

	if (!tally_new(ns, "rs0", &limits, &tally, err) || !meta_majority_time(link, &scan.after, err))
		return false;
	scan.tally = tally;
	*ret = (struct side){0};
	begin(ret);
	ok = scan_run(link, &scan, err);
	end(ret);
	ret->documents = tally_counts(tally).documents;
	ret->intact = tally_counts(tally).intact;
	return ok;
}

static bool measure(struct link *link, const char *ns, int64_t rounds, struct err *err)
{
	struct side bare, scan;

	if (!drain_bare(link->client, ns, &bare, err)) /* for the server's cache */
		return false;
	for (int64_t i = 0; i < rounds; i++) {
		/* each goes first every other time */
		if (!(i % 2 ? drain_bare(link->client, ns, &bare, err) && drain_scan(link, ns, &scan, err)
			    : drain_scan(link, ns, &scan, err) && drain_bare(link->client, ns, &bare, err)))
			return false;
		if (scan.intact != bare.documents || scan.documents != bare.documents)
			return err_set(err, ERR_STATE,
			    "%" PRId64 " documents by the cursor, %" PRId64 " by collect, of which %" PRId64
			    " are intact",
			    bare.documents, scan.documents, scan.intact);
		printf("%.4f %.4f %.4f %.4f %" PRId64 "\n", bare.wall_s, scan.wall_s, bare.cpu_s, scan.cpu_s,
		    scan.documents);
		fflush(stdout);
	}
	return true;
}

int main(int argc, char **argv)
{
	struct mongo_credentials credentials = {0};
	struct link link = {.clock = clock_system()};
	struct err err = ERR_INIT;
	int64_t rounds;
	bool ok;

	if (argc != 4) {
		fprintf(stderr, "usage: bench_collect URI NAMESPACE ROUNDS\n");
		return EXIT_USAGE;
	}
	rounds = bench_number("bench_collect", argv[3]);
	mongo_init();
	ok = mongo_credentials_load(NULL, NULL, &credentials, &err);
	link.target = (struct mongo_target){.uri = argv[1], .socket_timeout_ms = 300000};
	if (credentials.given) {
		link.target.user = credentials.user;
		link.target.password = credentials.password;
	}
	ok = ok && link_open(&link, &err) && measure(&link, argv[2], rounds, &err);
	link_close(&link);
	mongo_credentials_clear(&credentials);
	mongo_cleanup();
	return ok ? EXIT_PASS : err_print("bench_collect", &err);
}
