/*
 * What is to be made of what a cluster says, before and after its namespaces are sharded. No I/O; every document comes
 * from outside.
 */
#ifndef TICKER_SHARD_LOOK_H
#define TICKER_SHARD_LOOK_H

#include "base/buf.h"

#include <bson/bson.h>
#include <stdbool.h>

#define SHARD_NAME_MAX 128
#define SHARDS_MAX 256

struct shard_names {
	char names[SHARDS_MAX][SHARD_NAME_MAX];
	size_t count;
};

/* Of a reply to "hello": is it a mongos? If not, *ret_set is the replica set's name, "" if it is of none. */
bool shard_is_router(const bson_t *hello, char *ret_set, size_t size);
/* Its collections cannot be sharded: those of admin and config live on the config servers, those of local on each server. */
bool shard_is_fixed(const char *ns);
/* Is this shard key {_id: "hashed"}? */
bool shard_key_fits(const bson_t *key);

/* One document of config.shards: one that is being drained is left out. false: it has no name, a long one, or there are too many. */
bool shard_take(struct shard_names *all, const bson_t *shard, struct err *err);
/*
 * Which of them own chunks (*ret_with, ", " between them) and which do not (*ret_without, in quotes). owners: the array of a reply to
 * "distinct".
 */
bool shard_compare(const struct shard_names *all, const bson_t *owners, struct buf *ret_with, struct buf *ret_without,
    size_t *ret_missing, struct err *err);

#endif
