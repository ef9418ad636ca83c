#include "mongo/config_db.h"

#include "mongo/bson_util.h"

#include <criterion/criterion.h>
#include <string.h>

static bson_t *from_json(const char *text)
{
	bson_t *doc = bson_new_from_json((const uint8_t *)text, -1, NULL);

	cr_assert(doc, "%s", text);
	return doc;
}

static const char by_uuid[] = "{\"_id\": \"a.b\", \"uuid\": {\"$binary\": {\"base64\": \"AAECAwQFBgcICQoLDA0ODw==\", "
			      "\"subType\": \"04\"}}, \"key\": {\"_id\": 1}}";

Test(config_db, what_is_dropped_or_only_listed_is_not_sharded)
{
	static const struct {
		const char *entry;
		bool sharded;
	} cases[] = {{by_uuid, true}, {"{\"_id\": \"a.b\", \"dropped\": false}", true},
	    {"{\"_id\": \"a.b\", \"dropped\": true}", false}, {"{\"_id\": \"a.b\", \"unsplittable\": true}", false},
	    {"{\"_id\": \"a.b\", \"unsplittable\": false}", true}};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		CLEANUP(bson) bson_t *entry = from_json(cases[i].entry);

		cr_assert_eq(config_is_sharded(entry), cases[i].sharded, "%s", cases[i].entry);
	}
}

static void check_filter(const char *entry_text, const char *shard, const char *expected)
{
	CLEANUP(bson) bson_t *entry = from_json(entry_text);
	BSON_CLEANUP bson_t filter = BSON_INITIALIZER;
	char *json;

	cr_assert(config_chunks_filter(entry, "a.b", shard, &filter));
	json = bson_as_relaxed_extended_json(&filter, NULL);
	cr_assert_str_eq(json, expected);
	bson_free(json);
}

Test(config_db, chunks_are_found_by_uuid_or_by_name_as_the_server_writes_them)
{
	check_filter(by_uuid, "rs0",
	    "{ \"shard\" : \"rs0\", \"$or\" : [ { \"uuid\" : { \"$binary\" : { \"base64\" : "
	    "\"AAECAwQFBgcICQoLDA0ODw==\", "
	    "\"subType\" : \"04\" } } }, { \"ns\" : \"a.b\" } ] }");
	check_filter("{\"_id\": \"a.b\"}", "rs0", "{ \"shard\" : \"rs0\", \"ns\" : \"a.b\" }");
	check_filter("{\"_id\": \"a.b\", \"uuid\": \"none\"}", NULL, "{ \"ns\" : \"a.b\" }");
	check_filter("{\"_id\": \"a.b\"}", NULL, "{ \"ns\" : \"a.b\" }");
}
