#include "verifier/collect_home.h"

#include "mongo/bson_util.h"
#include "mongo/config_db.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHARD_MAX 128

struct homes {
	char names[OBSERVED_SETS_MAX][TALLY_HOME_MAX];
	char shards[OBSERVED_SETS_MAX][SHARD_MAX]; /* as the cluster calls them */
	size_t count;
	bool beyond;	     /* there are more, or one with a name that is too long */
	struct owner *owner; /* NULL: all at one */
	int one;
};

void homes_free(struct homes *h)
{
	if (!h)
		return;
	owner_free(h->owner);
	free(h);
}

int homes_find(void *ctx, const void *bson, size_t len)
{
	const struct homes *h = ctx;

	return h->owner ? owner_home(h->owner, bson, len) : h->one;
}

const char (*homes_names(const struct homes *h))[TALLY_HOME_MAX]
{
	return h->names;
}

bool homes_equal(const struct homes *a, const struct homes *b)
{
	if (a->count != b->count || a->one != b->one || !a->owner != !b->owner)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (strcmp(a->names[i], b->names[i]) != 0 || strcmp(a->shards[i], b->shards[i]) != 0)
			return false;
	return !a->owner || owner_equal(a->owner, b->owner);
}

/* address: "SET/HOST:PORT,..." */
static void add_set(struct homes *h, const char *shard, const char *address)
{
	size_t len = strcspn(address, "/");

	if (!len || address[len] != '/')
		return;
	if (h->count == OBSERVED_SETS_MAX || len >= TALLY_HOME_MAX || strlen(shard) >= SHARD_MAX) {
		h->beyond = true;
		return;
	}
	memcpy(h->names[h->count], address, len);
	h->names[h->count][len] = '\0';
	memcpy(h->shards[h->count++], shard, strlen(shard) + 1);
}

static int find_shard(void *ctx, const char *shard)
{
	const struct homes *h = ctx;

	for (size_t i = 0; i < h->count; i++)
		if (!strcmp(h->shards[i], shard))
			return (int)i;
	return -1;
}

/* --- what the mongos is asked
 * ---------------------------------------------------------------------------------------------------------------- */

static bool act_config_set(struct link *l, void *arg, struct err *err)
{
	BSON_CLEANUP bson_t command = BSON_INITIALIZER;
	BSON_CLEANUP bson_t reply;
	struct homes *h = arg;
	const char *address;
	bool ok;

	h->count = 0;
	BSON_APPEND_INT32(&command, "getShardMap", 1);
	ok = link_command(l, "admin", &command, NULL, &reply, err);
	address = ok ? bson_path_utf8(&reply, "map.config", NULL) : NULL;
	if (address)
		add_set(h, "config", address);
	return ok;
}

static bool act_shards(struct link *l, void *arg, struct err *err)
{
	CLEANUP(mongoc_cursor) mongoc_cursor_t *cursor = NULL;
	BSON_CLEANUP bson_t all = BSON_INITIALIZER, sort = BSON_INITIALIZER;
	struct homes *h = arg;
	const bson_t *shard;

	h->count = 0;
	h->beyond = false;
	BSON_APPEND_INT32(&sort, "_id", 1);
	if (!config_find(l->client, "shards", &all, &sort, &cursor, err))
		return false;
	while (mongoc_cursor_next(cursor, &shard)) {
		const char *id = bson_path_utf8(shard, "_id", NULL), *host = bson_path_utf8(shard, "host", NULL);

		if (id && host)
			add_set(h, id, host);
	}
	return !link_cursor_failed(l, cursor, "read \"config.shards\"", err);
}

struct primary {
	const char *ns;
	char shard[SHARD_MAX];
};

static bool act_primary(struct link *l, void *arg, struct err *err)
{
	CLEANUP(mongoc_cursor) mongoc_cursor_t *cursor = NULL;
	BSON_CLEANUP bson_t filter = BSON_INITIALIZER;
	struct primary *p = arg;
	const bson_t *database;

	bson_append_utf8(&filter, "_id", -1, p->ns, (int)strcspn(p->ns, "."));
	if (!config_find(l->client, "databases", &filter, NULL, &cursor, err))
		return false;
	if (mongoc_cursor_next(cursor, &database)) {
		const char *shard = bson_path_utf8(database, "primary", NULL);

		snprintf(p->shard, sizeof p->shard, "%s", shard ? shard : "");
	}
	return !link_cursor_failed(l, cursor, "read \"config.databases\"", err);
}

/* --- all of it
 * ------------------------------------------------------------------------------------------------------------------------- */

static bool load_admin(struct link *l, struct homes *h, char *why, size_t size, struct err *err)
{
	if (!link_try(l, act_config_set, h, err))
		return false;
	if (!h->count)
		snprintf(why, size, "the answer to getShardMap does not name the config servers' replica set");
	return true;
}

static bool load_primary(struct link *l, const char *ns, struct homes *h, char *why, size_t size, struct err *err)
{
	struct primary p = {.ns = ns};

	if (!link_try(l, act_primary, &p, err))
		return false;
	h->one = find_shard(h, p.shard);
	if (h->one < 0 && p.shard[0])
		snprintf(why, size, "\"config.shards\" does not say which replica set shard \"%s\" is", p.shard);
	return true;
}

static bool load(struct link *l, const char *ns, struct homes *h, char *why, size_t size, struct err *err)
{
	if (!strncmp(ns, "admin.", 6))
		return load_admin(l, h, why, size, err);
	if (!link_try(l, act_shards, h, err))
		return false;
	if (h->beyond) {
		snprintf(why, size, "there are more than %d shards, or one has a long name", OBSERVED_SETS_MAX);
		return true;
	}
	return owner_load_homes(l, ns, find_shard, h, &h->owner, why, size, err) &&
	       (h->owner || why[0] || load_primary(l, ns, h, why, size, err));
}

bool homes_load(struct link *mongos, const char *ns, struct homes **ret, char *ret_why, size_t size, struct err *err)
{
	CLEANUP(homes) struct homes *h = calloc(1, sizeof *h);
	struct err failure = ERR_INIT;

	if (!h)
		return err_nomem(err);
	*ret = NULL;
	ret_why[0] = '\0';
	if (!load(mongos, ns, h, ret_why, size, &failure)) {
		if (failure.code == ERR_INTERRUPTED || failure.code == ERR_NOMEM) {
			if (err)
				*err = failure;
			return false;
		}
		snprintf(ret_why, size, "%s%s", failure.msg,
		    failure.code == ERR_AUTH ? "; grant the user clusterMonitor" : "");
		return true;
	}
	if (!ret_why[0] && (h->owner || h->one >= 0))
		*ret = TAKE(h);
	return true;
}
