#include "ticker/shard_look.h"

#include "base/text.h"
#include "mongo/bson_util.h"

#include <stdio.h>
#include <string.h>

bool shard_is_router(const bson_t *hello, char *ret_set, size_t size)
{
	const char *msg = bson_path_utf8(hello, "msg", NULL);

	text_copy(ret_set, size, bson_path_utf8(hello, "setName", NULL));
	return msg && !strcmp(msg, "isdbgrid");
}

bool shard_is_fixed(const char *ns)
{
	static const char *const fixed[] = {"admin.", "config.", "local."};

	for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++)
		if (!strncmp(ns, fixed[i], strlen(fixed[i])))
			return true;
	return false;
}

bool shard_key_fits(const bson_t *key)
{
	const char *kind = bson_path_utf8(key, "_id", NULL);

	return kind && !strcmp(kind, "hashed") && bson_count_keys(key) == 1;
}

bool shard_take(struct shard_names *all, const bson_t *shard, struct err *err)
{
	const char *name = bson_path_utf8(shard, "_id", NULL);
	bool draining = false;

	bson_path_bool(shard, "draining", &draining);
	if (draining)
		return true;
	if (!name || strlen(name) >= SHARD_NAME_MAX)
		return err_set(err, ERR_LIMIT, "a shard has no name, or one of more than %d bytes", SHARD_NAME_MAX - 1);
	if (all->count == SHARDS_MAX)
		return err_set(err, ERR_LIMIT, "there are more than %d shards", SHARDS_MAX);
	text_copy(all->names[all->count++], SHARD_NAME_MAX, name);
	return true;
}

static bool is_among(const bson_t *owners, const char *name)
{
	bson_iter_t it;

	if (!bson_iter_init(&it, owners))
		return false;
	while (bson_iter_next(&it))
		if (BSON_ITER_HOLDS_UTF8(&it) && !strcmp(bson_iter_utf8(&it, NULL), name))
			return true;
	return false;
}

bool shard_compare(const struct shard_names *all, const bson_t *owners, struct buf *ret_with, struct buf *ret_without,
    size_t *ret_missing, struct err *err)
{
	size_t missing = 0;

	for (size_t i = 0; i < all->count; i++) {
		bool owns = is_among(owners, all->names[i]);
		struct buf *out = owns ? ret_with : ret_without;

		missing += !owns;
		if (!buf_printf(out, err, owns ? "%s%s" : "%s\"%s\"", out->len ? ", " : "", all->names[i]))
			return false;
	}
	*ret_missing = missing;
	return true;
}
