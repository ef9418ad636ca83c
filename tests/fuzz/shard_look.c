/*
 * What a cluster says before and after its namespaces are sharded: no crash, and every shard is either with a chunk or without.
 *
 * Input: documents, each [length][bytes...]: a reply to "hello", a shard key, an entry of config.collections, the owners of chunks, then
 * shards.
 */
#include "ticker/shard_look.h"

#include "mongo/config_db.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A copy that is allocated to the byte; *ret an empty document if these bytes are none. */
static uint8_t *next(const uint8_t **data, size_t *size, bson_t *ret)
{
	static const uint8_t empty[5] = {5};
	size_t len = *size ? (*data)[0] : 0;
	uint8_t *copy;

	len = *size && len > *size - 1 ? *size - 1 : len;
	copy = malloc(len ? len : 1);
	if (!copy)
		abort();
	if (len)
		memcpy(copy, *data + 1, len);
	if (len < 5 || !bson_init_static(ret, copy, len))
		bson_init_static(ret, empty, sizeof empty);
	*data += *size ? len + 1 : 0;
	*size -= *size ? len + 1 : 0;
	return copy;
}

static void look_at_namespace(const bson_t *hello, const bson_t *key, const bson_t *entry)
{
	char set[SHARD_NAME_MAX];
	bson_t filter = BSON_INITIALIZER;

	shard_is_router(hello, set, sizeof set);
	if (shard_key_fits(key) && bson_count_keys(key) != 1)
		abort();
	config_is_sharded(entry);
	if (!config_chunks_filter(entry, "drill.ticker", NULL, &filter))
		abort();
	bson_destroy(&filter);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct shard_names all;
	BUF_CLEANUP struct buf with = BUF_INIT(1u << 20), without = BUF_INIT(1u << 20);
	uint8_t *copies[4];
	bson_t docs[4], shard;
	size_t missing;

	all.count = 0;
	for (size_t i = 0; i < 4; i++)
		copies[i] = next(&data, &size, &docs[i]);
	look_at_namespace(&docs[0], &docs[1], &docs[2]);
	while (size) {
		uint8_t *copy = next(&data, &size, &shard);
		bool taken = shard_take(&all, &shard, NULL);

		free(copy);
		if (!taken)
			break;
	}
	if (!shard_compare(&all, &docs[3], &with, &without, &missing, NULL) || missing > all.count ||
	    (missing == all.count) != (with.len == 0) || (missing == 0) != (without.len == 0))
		abort();
	for (size_t i = 0; i < 4; i++)
		free(copies[i]);
	return 0;
}
