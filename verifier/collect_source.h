/*
 * One replica set, or one mongos, that collect reads from: its connection, its probes, and what it is. With several of
 * them, each is a replica set of one sharded cluster, read directly.
 */
#ifndef VERIFIER_COLLECT_SOURCE_H
#define VERIFIER_COLLECT_SOURCE_H

#include "evidence/observed.h"
#include "verifier/collect.h"
#include "verifier/collect_link.h"

#define SOURCE_CONFIG "config"
#define SOURCE_SHARD "shard"

struct source {
	struct link link;
	struct observed_open open; /* but read_from */
	struct observed_set facts; /* of one of several; but read_from */
	struct observed_probe probes[3];
	size_t probe_count;
};

/* The users of the secrets, tried once. */
struct logins {
	struct observed_login *items; /* NULL: not tried yet */
	size_t count;
};
bool logins_try(const struct collect_options *o, const struct link *link, struct logins *logins, struct err *err);
void logins_clear(struct logins *logins);

/*
 * Fills everything. A user that cannot log in is replaced by one of the others that can read. many: one of several, so
 * which part of which sharded cluster is it? ERR_USAGE if it is none. A config server is not written to: it takes no
 * database of users.
 */
bool source_meet(const struct collect_options *o, bool many, struct source *s, struct logins *logins, struct err *err);

#endif
