/* What the programs that measure share: a client for the URI that they are given, and time. */
#ifndef TESTS_BENCH_BENCH_H
#define TESTS_BENCH_BENCH_H

#include "base/err.h"
#include "mongo/client.h"
#include "tick/tick.h"

/* User and password: MONGODB_USER, MONGODB_PASSWORD. */
bool bench_client(const char *uri, mongoc_client_t **ret, struct err *err);
/* "db.collection" */
mongoc_collection_t *bench_collection(mongoc_client_t *client, const char *ns);
/* A positive number, else the program ends with a usage error. */
int64_t bench_number(const char *program, const char *text);
/* Streams of ticks that are the same in every program: one for each writer, from 1. */
void bench_stream(const char *ns, int32_t writer, struct tick_stream *ret);
#define BENCH_CREATED_MS INT64_C(1700000000000)

double bench_wall_s(void);
double bench_cpu_s(void); /* of this process, all threads */

#endif
