/*
 * A bare bulk insert loop, the other side of "psmdb-ticker --flat-out": WRITERS threads with a client each insert TICKS documents each, made
 * before the clock starts, BATCH a command, with write concern majority and journal.
 *
 * usage: bench_insert URI NAMESPACE TICKS WRITERS BATCH       prints: seconds, and CPU seconds of this process
 */
#include "tests/bench/bench.h"

#include <pthread.h>
#include <stdlib.h>

struct writer {
	const char *uri, *ns;
	int64_t ticks, batch;
	unsigned char (*documents)[TICK_BSON_BYTES];
	pthread_barrier_t *ready;
	struct err err;
};

static bool send_batch(struct writer *w, mongoc_collection_t *collection, const bson_t *opts, int64_t first)
{
	mongoc_bulk_operation_t *bulk = mongoc_collection_create_bulk_operation_with_opts(collection, opts);
	bson_error_t error = {0};
	bool ok;

	for (int64_t i = first; i < first + w->batch && i < w->ticks; i++) {
		bson_t doc;

		bson_init_static(&doc, w->documents[i], TICK_BSON_BYTES);
		mongoc_bulk_operation_insert_with_opts(bulk, &doc, NULL, NULL);
	}
	ok = mongoc_bulk_operation_execute(bulk, NULL, &error) != 0;
	mongoc_bulk_operation_destroy(bulk);
	return ok || mongo_error(&error, NULL, &w->err, "insert");
}

static bool connect_writer(struct writer *w, mongoc_client_t **ret)
{
	bson_t ping = BSON_INITIALIZER, reply;
	bool ok = bench_client(w->uri, ret, &w->err);

	BSON_APPEND_INT32(&ping, "ping", 1);
	if (ok) {
		ok = mongo_command(*ret, "admin", &ping, &reply, &w->err);
		bson_destroy(&reply);
	}
	bson_destroy(&ping);
	return ok;
}

static void *insert(void *arg)
{
	struct writer *w = arg;
	CLEANUP(mongoc_client) mongoc_client_t *client = NULL;
	mongoc_write_concern_t *concern = mongoc_write_concern_new();
	mongoc_collection_t *collection = NULL;
	bson_t opts = BSON_INITIALIZER;
	bool ok = connect_writer(w, &client);

	mongoc_write_concern_set_wmajority(concern, 10000);
	mongoc_write_concern_set_journal(concern, true);
	mongoc_write_concern_append(concern, &opts);
	pthread_barrier_wait(w->ready);
	if (ok)
		collection = bench_collection(client, w->ns);
	for (int64_t i = 0; ok && i < w->ticks; i += w->batch)
		ok = send_batch(w, collection, &opts, i);
	if (collection)
		mongoc_collection_destroy(collection);
	mongoc_write_concern_destroy(concern);
	bson_destroy(&opts);
	return NULL;
}

static bool make(struct writer *w, int32_t number)
{
	struct tick_stream stream;

	w->documents = calloc((size_t)w->ticks, sizeof *w->documents);
	if (!w->documents)
		return err_nomem(&w->err);
	bench_stream(w->ns, number, &stream);
	for (int64_t i = 0; i < w->ticks; i++)
		tick_build(&stream, i + 1, BENCH_CREATED_MS + i, w->documents[i]);
	return true;
}

int main(int argc, char **argv)
{
	struct writer *writers;
	pthread_barrier_t ready;
	pthread_t *threads;
	int64_t count;
	double wall_s, cpu_s;

	if (argc != 6) {
		fprintf(stderr, "usage: bench_insert URI NAMESPACE TICKS WRITERS BATCH\n");
		return EXIT_USAGE;
	}
	count = bench_number("bench_insert", argv[4]);
	writers = calloc((size_t)count, sizeof *writers);
	threads = calloc((size_t)count, sizeof *threads);
	if (!writers || !threads || pthread_barrier_init(&ready, NULL, (unsigned)count + 1))
		return EXIT_ERROR;
	mongo_init();
	for (int64_t i = 0; i < count; i++) {
		writers[i] = (struct writer){.uri = argv[1],
		    .ns = argv[2],
		    .ticks = bench_number("bench_insert", argv[3]),
		    .batch = bench_number("bench_insert", argv[5]),
		    .ready = &ready,
		    .err = ERR_INIT};
		if (!make(&writers[i], (int32_t)i + 1))
			return err_print("bench_insert", &writers[i].err);
		if (pthread_create(&threads[i], NULL, insert, &writers[i]))
			return EXIT_ERROR;
	}
	pthread_barrier_wait(&ready);
	wall_s = bench_wall_s();
	cpu_s = bench_cpu_s();
	for (int64_t i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
	printf("%.4f %.4f\n", bench_wall_s() - wall_s, bench_cpu_s() - cpu_s);
	for (int64_t i = 0; i < count; i++) {
		if (writers[i].err.code != ERR_NONE)
			return err_print("bench_insert", &writers[i].err);
		free(writers[i].documents);
	}
	pthread_barrier_destroy(&ready);
	free(threads);
	free(writers);
	mongo_cleanup();
	return EXIT_PASS;
}
