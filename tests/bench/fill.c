/*
 * Puts ticks into a collection, as fast as it goes: those of WRITERS streams, turn by turn.
 *
 * usage: bench_fill URI NAMESPACE TICKS WRITERS
 */
#include "tests/bench/bench.h"

#include <pthread.h>
#include <stdlib.h>

#define THREADS 2
#define BATCH 20000

struct part {
	const char *uri, *ns;
	struct tick_stream *streams;
	int64_t from, ticks, writers; /* every THREADS-th batch from this one */
	struct err err;
};

static bool send_batch(struct part *p, mongoc_collection_t *collection, int64_t first, int64_t end)
{
	mongoc_bulk_operation_t *bulk = mongoc_collection_create_bulk_operation_with_opts(collection, NULL);
	bson_error_t error = {0};
	bool ok;

	for (int64_t n = first; n < end; n++) {
		unsigned char bytes[TICK_BSON_BYTES];
		bson_t doc;

		tick_build(&p->streams[n % p->writers], n / p->writers + 1, BENCH_CREATED_MS + n, bytes);
		bson_init_static(&doc, bytes, sizeof bytes);
		mongoc_bulk_operation_insert_with_opts(bulk, &doc, NULL, NULL);
	}
	ok = mongoc_bulk_operation_execute(bulk, NULL, &error) != 0;
	mongoc_bulk_operation_destroy(bulk);
	return ok || mongo_error(&error, NULL, &p->err, "insert");
}

static void *fill(void *arg)
{
	struct part *p = arg;
	CLEANUP(mongoc_client) mongoc_client_t *client = NULL;
	mongoc_collection_t *collection;
	bool ok = bench_client(p->uri, &client, &p->err);

	if (!ok)
		return NULL;
	collection = bench_collection(client, p->ns);
	for (int64_t n = p->from; ok && n < p->ticks; n += THREADS * BATCH)
		ok = send_batch(p, collection, n, n + BATCH < p->ticks ? n + BATCH : p->ticks);
	mongoc_collection_destroy(collection);
	return NULL;
}

int main(int argc, char **argv)
{
	struct part parts[THREADS];
	pthread_t threads[THREADS];
	struct tick_stream *streams;
	int64_t ticks, writers;

	if (argc != 5) {
		fprintf(stderr, "usage: bench_fill URI NAMESPACE TICKS WRITERS\n");
		return EXIT_USAGE;
	}
	ticks = bench_number("bench_fill", argv[3]);
	writers = bench_number("bench_fill", argv[4]);
	streams = calloc((size_t)writers, sizeof *streams);
	if (!streams)
		return EXIT_ERROR;
	for (int64_t i = 0; i < writers; i++)
		bench_stream(argv[2], (int32_t)i + 1, &streams[i]);
	mongo_init();
	for (int i = 0; i < THREADS; i++) {
		parts[i] = (struct part){argv[1], argv[2], streams, (int64_t)i * BATCH, ticks, writers, ERR_INIT};
		if (pthread_create(&threads[i], NULL, fill, &parts[i]))
			return EXIT_ERROR;
	}
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	free(streams);
	mongo_cleanup();
	for (int i = 0; i < THREADS; i++)
		if (parts[i].err.code != ERR_NONE)
			return err_print("bench_fill", &parts[i].err);
	return EXIT_PASS;
}
