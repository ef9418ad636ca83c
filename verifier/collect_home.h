/*
 * Behind a mongos: on which replica set each document of a namespace lives, as the cluster itself routes it. Of database "admin" the config
 * servers (getShardMap), of a collection that is not sharded its database's primary shard, else by the chunks in the config database. A
 * mongos answers with what the owner of a chunk has, so that is where a document came from.
 *
 * What is not known is not guessed: no right, more than OBSERVED_SETS_MAX shards, a key or chunks that cannot be evaluated
 * (collect_owner.h). clusterMonitor has the rights that are needed.
 */
#ifndef VERIFIER_COLLECT_HOME_H
#define VERIFIER_COLLECT_HOME_H

#include "verifier/collect_link.h"
#include "verifier/collect_owner.h"
#include "verifier/collect_tally.h"

struct homes;

/*
 * *ret NULL: it is not known, and ret_why says why ("" where there is nothing that could live anywhere). false only if stop was set, or
 * for want of memory.
 */
bool homes_load(struct link *mongos, const char *ns, struct homes **ret, char *ret_why, size_t size, struct err *err);
void homes_free(struct homes *h);
CLEANUP_PTR(homes, struct homes, homes_free)

/* ctx: a struct homes. Index in homes_names, or -1. */
int homes_find(void *ctx, const void *bson, size_t len);
const char (*homes_names(const struct homes *h))[TALLY_HOME_MAX];
/* Does each document live where it did? */
bool homes_equal(const struct homes *a, const struct homes *b);

#endif
