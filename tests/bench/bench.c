#include "tests/bench/bench.h"

#include "base/num.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

bool bench_client(const char *uri, mongoc_client_t **ret, struct err *err)
{
	struct mongo_credentials credentials = {0};
	struct mongo_target target = {
	    .uri = uri, .app_name = "bench", .retry_writes = true, .socket_timeout_ms = 300000};
	bool ok = mongo_credentials_load(NULL, NULL, &credentials, err);

	if (credentials.given) {
		target.user = credentials.user;
		target.password = credentials.password;
	}
	ok = ok && mongo_client_new(&target, ret, err);
	mongo_credentials_clear(&credentials);
	return ok;
}

mongoc_collection_t *bench_collection(mongoc_client_t *client, const char *ns)
{
	const char *dot = strchr(ns, '.');
	char db[TICK_NS_MAX];

	snprintf(db, sizeof db, "%.*s", dot ? (int)(dot - ns) : 0, ns);
	return mongoc_client_get_collection(client, db, dot ? dot + 1 : "");
}

int64_t bench_number(const char *program, const char *text)
{
	struct err err = ERR_INIT;
	int64_t number = 0;

	if (num_parse_i64(text, strlen(text), &number) && number > 0)
		return number;
	err_set(&err, ERR_USAGE, "\"%s\" is no positive number", text);
	exit(err_print(program, &err));
}

void bench_stream(const char *ns, int32_t writer, struct tick_stream *ret)
{
	const struct uuid run = {{1, 2, 3, 4, 5, 6, 0x47, 8, 0x89}};

	tick_stream_init(ret, &run, ns, writer);
}

static double seconds(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

double bench_wall_s(void)
{
	return seconds(CLOCK_MONOTONIC);
}

double bench_cpu_s(void)
{
	return seconds(CLOCK_PROCESS_CPUTIME_ID);
}
