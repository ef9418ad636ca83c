#include "mongo/config_db.h"

#include "mongo/bson_util.h"

bool config_find(mongoc_client_t *client, const char *coll, const bson_t *filter, const bson_t *sort,
    mongoc_cursor_t **ret, struct err *err)
{
	mongoc_collection_t *collection = mongoc_client_get_collection(client, "config", coll);
	mongoc_read_concern_t *concern = mongoc_read_concern_new();
	BSON_CLEANUP bson_t opts = BSON_INITIALIZER;
	bool ok;

	mongoc_read_concern_set_level(concern, MONGOC_READ_CONCERN_LEVEL_MAJORITY);
	ok = mongoc_read_concern_append(concern, &opts) && (!sort || BSON_APPEND_DOCUMENT(&opts, "sort", sort));
	if (ok)
		*ret = mongoc_collection_find_with_opts(collection, filter, &opts, NULL);
	mongoc_read_concern_destroy(concern);
	mongoc_collection_destroy(collection);
	return ok || err_nomem(err);
}

bool config_is_sharded(const bson_t *entry)
{
	bool dropped = false, single = false;

	bson_path_bool(entry, "dropped", &dropped);
	bson_path_bool(entry, "unsplittable", &single);
	return !dropped && !single;
}

static bool find_uuid(const bson_t *entry, bson_iter_t *ret)
{
	bson_subtype_t kind = BSON_SUBTYPE_BINARY;
	const uint8_t *bytes;
	uint32_t len = 0;

	if (!bson_path(entry, "uuid", ret) || !BSON_ITER_HOLDS_BINARY(ret))
		return false;
	bson_iter_binary(ret, &kind, &len, &bytes);
	return kind == BSON_SUBTYPE_UUID && len == 16;
}

bool config_chunks_filter(const bson_t *entry, const char *ns, const char *shard, bson_t *filter)
{
	bson_iter_t uuid;
	bson_t either, one;

	if (shard && !BSON_APPEND_UTF8(filter, "shard", shard))
		return false;
	if (!find_uuid(entry, &uuid))
		return BSON_APPEND_UTF8(filter, "ns", ns);
	return BSON_APPEND_ARRAY_BEGIN(filter, "$or", &either) && BSON_APPEND_DOCUMENT_BEGIN(&either, "0", &one) &&
	       bson_append_iter(&one, "uuid", -1, &uuid) && bson_append_document_end(&either, &one) &&
	       BSON_APPEND_DOCUMENT_BEGIN(&either, "1", &one) && BSON_APPEND_UTF8(&one, "ns", ns) &&
	       bson_append_document_end(&either, &one) && bson_append_array_end(filter, &either);
}
