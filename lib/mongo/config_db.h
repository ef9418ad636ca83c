/*
 * What the config database of a sharded cluster says of a namespace: config.collections and config.chunks as MongoDB 4.4 to 8.0 writes them.
 * Read with majority. Nothing here writes.
 */
#ifndef MONGO_CONFIG_DB_H
#define MONGO_CONFIG_DB_H

#include "base/cleanup.h"
#include "base/err.h"

#include <mongoc/mongoc.h>

CLEANUP_PTR(mongoc_cursor, mongoc_cursor_t, mongoc_cursor_destroy)

/* sort may be NULL. *ret is the caller's; what goes wrong shows when it is read. */
bool config_find(mongoc_client_t *client, const char *coll, const bson_t *filter, const bson_t *sort,
    mongoc_cursor_t **ret, struct err *err);
/* Of an entry of config.collections. Before 5.0 a dropped collection leaves one behind, from 8.0 on there are some of collections that are not sharded. */
bool config_is_sharded(const bson_t *entry);
/*
 * For config.chunks: the chunks of the collection with this entry, of one shard or (NULL) of all. They name their collection by its
 * UUID, those of servers before 5.0 by its name.
 */
bool config_chunks_filter(const bson_t *entry, const char *ns, const char *shard, bson_t *filter);

#endif
