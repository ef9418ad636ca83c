#include "ticker/shard_look.h"

#include "mongo/bson_util.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static bson_t *from_json(const char *text)
{
	bson_error_t error;
	bson_t *doc = bson_new_from_json((const uint8_t *)text, -1, &error);

	cr_assert(doc, "%s: %s", text, error.message);
	return doc;
}

Test(shard_look, a_mongos_is_told_from_a_replica_set_by_its_hello)
{
	static const struct {
		const char *hello, *set;
		bool router;
	} cases[] = {{"{\"msg\": \"isdbgrid\", \"ok\": 1}", "", true},
	    {"{\"setName\": \"rs0\", \"ok\": 1}", "rs0", false}, {"{\"ok\": 1}", "", false},
	    {"{\"msg\": 1, \"setName\": 2}", "", false},
	    {"{\"msg\": \"other\", \"setName\": \"a\\nb\"}", "a b", false}};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		CLEANUP(bson) bson_t *hello = from_json(cases[i].hello);
		char set[16];

		cr_assert_eq(shard_is_router(hello, set, sizeof set), cases[i].router, "%s", cases[i].hello);
		cr_assert_str_eq(set, cases[i].set);
	}
}

Test(shard_look, databases_of_the_servers_themselves_are_not_sharded)
{
	cr_assert(shard_is_fixed("admin.ticker") && shard_is_fixed("config.x") && shard_is_fixed("local.x"));
	cr_assert(
	    !shard_is_fixed("drill.ticker") && !shard_is_fixed("administration.x") && !shard_is_fixed("drill.admin.x"));
}

Test(shard_look, only_a_hash_of_the_id_alone_fits)
{
	static const struct {
		const char *key;
		bool fits;
	} cases[] = {{"{\"_id\": \"hashed\"}", true}, {"{\"_id\": 1}", false}, {"{\"seq\": \"hashed\"}", false},
	    {"{\"_id\": \"hashed\", \"run\": 1}", false}, {"{\"run\": 1, \"_id\": \"hashed\"}", false}, {"{}", false}};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		CLEANUP(bson) bson_t *key = from_json(cases[i].key);

		cr_assert_eq(shard_key_fits(key), cases[i].fits, "%s", cases[i].key);
	}
}

static void take(struct shard_names *all, const char *text)
{
	CLEANUP(bson) bson_t *shard = from_json(text);

	cr_assert(shard_take(all, shard, NULL), "%s", text);
}

Test(shard_look, every_shard_must_own_a_chunk_but_those_that_are_drained)
{
	BUF_CLEANUP struct buf with = BUF_INIT(1000), without = BUF_INIT(1000);
	CLEANUP(bson) bson_t *owners = from_json("{\"0\": \"rs2\", \"1\": 7, \"2\": \"rs1\", \"3\": \"rs9\"}");
	struct shard_names all = {.count = 0};
	size_t missing = 9;

	take(&all, "{\"_id\": \"rs0\"}");
	take(&all, "{\"_id\": \"rs1\", \"draining\": false}");
	take(&all, "{\"_id\": \"gone\", \"draining\": true}");
	take(&all, "{\"_id\": \"rs2\", \"host\": \"rs2/h:1\", \"state\": 1}");
	take(&all, "{\"_id\": \"config\"}");
	cr_assert_eq(all.count, 4);
	cr_assert(shard_compare(&all, owners, &with, &without, &missing, NULL));
	cr_assert_eq(missing, 2);
	cr_assert_str_eq(buf_str(&with), "rs1, rs2");
	cr_assert_str_eq(buf_str(&without), "\"rs0\", \"config\"");
}

Test(shard_look, names_and_their_number_have_a_bound)
{
	static struct shard_names all;
	struct err err = ERR_INIT;
	char text[SHARD_NAME_MAX + 32];

	for (int i = 0; i < SHARDS_MAX; i++) {
		snprintf(text, sizeof text, "{\"_id\": \"rs%d\"}", i);
		take(&all, text);
	}
	{
		CLEANUP(bson) bson_t *more = from_json("{\"_id\": \"more\"}"), *none = from_json("{\"_id\": 1}");

		cr_assert(!shard_take(&all, more, &err) && err.code == ERR_LIMIT && strstr(err.msg, "256"));
		all.count = 0;
		cr_assert(!shard_take(&all, none, &err));
	}
	snprintf(text, sizeof text, "{\"_id\": \"%0*d\"}", SHARD_NAME_MAX, 0);
	{
		CLEANUP(bson) bson_t *longest = from_json(text);

		cr_assert(!shard_take(&all, longest, &err) && !all.count);
	}
}
