#include "ticker/shard.h"

#include "base/text.h"
#include "mongo/bson_util.h"
#include "mongo/client.h"
#include "mongo/config_db.h"
#include "ticker/shard_look.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX ((size_t)SHARDS_MAX * (SHARD_NAME_MAX + 4))

static const int64_t command_ms = 60000, poll_ms = 200;
enum server_code { CODE_UNAUTHORIZED = 13, CODE_NAMESPACE_NOT_FOUND = 26 };

enum state { STATE_FIXED, STATE_NONE, STATE_FITS, STATE_OTHER_KEY };

struct job {
	const struct options *options;
	const struct clock *clock;
	const volatile int *stop;
	mongoc_client_t *client;
	struct shard_names shards;
	enum state states[OPT_LIST_MAX];
};

/* --- asking --- */

/* What clusterAdmin has of itself, and a user of another kind may lack. Returns false. */
static bool lacks(int64_t code, const char *action, const char *on, struct err *err)
{
	if (code != CODE_UNAUTHORIZED || !err)
		return false;
	err->hint[0] = '\0';
	return err_hint(
	    err, "the user may not do the action \"%s\" on \"%s\": log in as one with clusterAdmin", action, on);
}

static bool ask(struct job *j, const char *db, const bson_t *command, const char *action, const char *on,
    bson_t *ret_reply, struct err *err)
{
	int64_t code = 0;

	if (mongo_command(j->client, db, command, ret_reply, err)) {
		const char *why = bson_path_utf8(ret_reply, "writeConcernError.errmsg", NULL);

		return !why ||
		       err_set(err, ERR_TIMEOUT, "%s \"%s\": done, but not by a majority in time: %s", action, on, why);
	}
	bson_path_i64(ret_reply, "code", &code);
	return lacks(code, action, on, err);
}

static bool read_failed(mongoc_cursor_t *cursor, const char *coll, struct err *err)
{
	bson_error_t error = {0};
	const bson_t *reply;
	char what[64];

	snprintf(what, sizeof what, "read \"config.%s\"", coll);
	if (!mongoc_cursor_error_document(cursor, &error, &reply))
		return false;
	mongo_error(&error, reply, err, what);
	lacks(error.code, "find", what + strlen("read \""), err);
	return true;
}

/* Of config.collections; *ret NULL: it is not sharded. */
static bool read_entry(struct job *j, const char *ns, bson_t **ret, struct err *err)
{
	CLEANUP(mongoc_cursor) mongoc_cursor_t *cursor = NULL;
	BSON_CLEANUP bson_t filter = BSON_INITIALIZER;
	const bson_t *entry;

	BSON_APPEND_UTF8(&filter, "_id", ns);
	if (!config_find(j->client, "collections", &filter, NULL, &cursor, err))
		return false;
	if (mongoc_cursor_next(cursor, &entry))
		*ret = config_is_sharded(entry) ? bson_copy(entry) : NULL;
	else if (read_failed(cursor, "collections", err))
		return false;
	else
		*ret = NULL;
	return true;
}

static bool read_shards(struct job *j, struct err *err)
{
	CLEANUP(mongoc_cursor) mongoc_cursor_t *cursor = NULL;
	BSON_CLEANUP bson_t all = BSON_INITIALIZER, sort = BSON_INITIALIZER;
	const bson_t *shard;

	BSON_APPEND_INT32(&sort, "_id", 1);
	j->shards.count = 0;
	if (!config_find(j->client, "shards", &all, &sort, &cursor, err))
		return false;
	while (mongoc_cursor_next(cursor, &shard))
		if (!shard_take(&j->shards, shard, err))
			return false;
	if (read_failed(cursor, "shards", err))
		return false;
	if (j->shards.count)
		return true;
	err_set(err, ERR_STATE, "the cluster has no shard that is not being drained");
	return err_hint(err, "add one to the psmdb (spec.replsets), or wait for the operator to do so");
}

/*
 * By collStats, since clusterAdmin may not read documents. Its figure may be wrong after a crash; the server then refuses to shard what is
 * not empty and has no index for it.
 */
static bool count_documents(struct job *j, const char *ns, int64_t *ret, struct err *err)
{
	BSON_CLEANUP bson_t command = BSON_INITIALIZER;
	BSON_CLEANUP bson_t reply;
	struct err why = ERR_INIT;
	char db[TICK_NS_MAX];
	int64_t code = 0;

	snprintf(db, sizeof db, "%.*s", (int)strcspn(ns, "."), ns);
	BSON_APPEND_UTF8(&command, "collStats", ns + strlen(db) + 1);
	*ret = 0;
	if (ask(j, db, &command, "collStats", ns, &reply, &why)) {
		bson_path_i64(&reply, "count", ret);
		return true;
	}
	bson_path_i64(&reply, "code", &code);
	if (code == CODE_NAMESPACE_NOT_FOUND)
		return true;
	if (err)
		*err = why;
	return false;
}

/* --- one namespace after another --- */

static bool look_at(struct job *j, size_t i, struct err *err)
{
	const char *ns = j->options->ns.items[i];
	CLEANUP(bson) bson_t *entry = NULL;
	int64_t documents = 0;
	bson_t key;

	j->states[i] = STATE_FIXED;
	if (shard_is_fixed(ns))
		return true;
	if (!read_entry(j, ns, &entry, err))
		return false;
	if (entry) {
		j->states[i] = bson_path_doc(entry, "key", &key) && shard_key_fits(&key) ? STATE_FITS : STATE_OTHER_KEY;
		return true;
	}
	j->states[i] = STATE_NONE;
	if (!count_documents(j, ns, &documents, err))
		return false;
	if (!documents)
		return true;
	err_set(err, ERR_STATE, "\"%s\" is not sharded and holds %" PRId64 " documents", ns, documents);
	return err_hint(err, "sharded now, all of them would stay on one shard, and so would ticks for a long time: "
			     "drop the collection, or "
			     "name another with --ns");
}

static void append_majority(const struct job *j, bson_t *command)
{
	bson_t concern;

	BSON_APPEND_DOCUMENT_BEGIN(command, "writeConcern", &concern);
	BSON_APPEND_UTF8(&concern, "w", "majority");
	BSON_APPEND_INT64(&concern, "wtimeout", j->options->write_timeout_ms);
	bson_append_document_end(command, &concern);
}

/* Servers before 6.0 shard only collections of a database for which that was enabled; to later ones it is the database's creation. */
static bool enable_database(struct job *j, const char *ns, struct err *err)
{
	BSON_CLEANUP bson_t command = BSON_INITIALIZER;
	BSON_CLEANUP bson_t reply;
	char db[TICK_NS_MAX];

	snprintf(db, sizeof db, "%.*s", (int)strcspn(ns, "."), ns);
	BSON_APPEND_UTF8(&command, "enableSharding", db);
	append_majority(j, &command);
	return ask(j, "admin", &command, "enableSharding", db, &reply, err);
}

static bool shard_collection(struct job *j, const char *ns, struct err *err)
{
	BSON_CLEANUP bson_t command = BSON_INITIALIZER;
	BSON_CLEANUP bson_t reply;
	bson_t key;

	BSON_APPEND_UTF8(&command, "shardCollection", ns);
	BSON_APPEND_DOCUMENT_BEGIN(&command, "key", &key);
	BSON_APPEND_UTF8(&key, "_id", "hashed");
	bson_append_document_end(&command, &key);
	append_majority(j, &command);
	return ask(j, "admin", &command, "enableSharding", ns, &reply, err);
}

/* --- does every shard get a part? --- */

struct reach {
	struct job *job;
	const char *ns;
	struct buf with, without;
	size_t missing;
	char key[256];
};

static void clear_reach(struct reach *r)
{
	buf_clear(&r->with);
	buf_clear(&r->without);
}

static bool read_owners(struct reach *r, const bson_t *entry, bson_t *ret_reply, struct err *err)
{
	BSON_CLEANUP bson_t command = BSON_INITIALIZER, filter = BSON_INITIALIZER;
	bson_t concern;

	bson_init(ret_reply);
	BSON_APPEND_UTF8(&command, "distinct", "chunks");
	BSON_APPEND_UTF8(&command, "key", "shard");
	if (!config_chunks_filter(entry, r->ns, NULL, &filter) || !BSON_APPEND_DOCUMENT(&command, "query", &filter))
		return err_nomem(err);
	BSON_APPEND_DOCUMENT_BEGIN(&command, "readConcern", &concern);
	BSON_APPEND_UTF8(&concern, "level", "majority");
	bson_append_document_end(&command, &concern);
	return ask(r->job, "config", &command, "find", "config.chunks", ret_reply, err);
}

static bool reaches_all(void *arg, struct err *err)
{
	struct reach *r = arg;
	CLEANUP(bson) bson_t *entry = NULL;
	BSON_CLEANUP bson_t reply = BSON_INITIALIZER;
	bson_t owners, key;
	char *json;

	buf_reset(&r->with);
	buf_reset(&r->without);
	if (!read_shards(r->job, err) || !read_entry(r->job, r->ns, &entry, err))
		return false;
	if (!entry)
		return err_set(err, ERR_STATE, "\"%s\" is not sharded any more: somebody has dropped it", r->ns);
	if (!read_owners(r, entry, &reply, err))
		return false;
	if (!bson_path_doc(&reply, "values", &owners))
		return err_set(err, ERR_REMOTE, "the reply to \"distinct\" lacks \"values\"");
	if (!shard_compare(&r->job->shards, &owners, &r->with, &r->without, &r->missing, err))
		return false;
	json = bson_path_doc(entry, "key", &key) ? bson_as_relaxed_extended_json(&key, NULL) : NULL;
	text_copy(r->key, sizeof r->key, json ? json : "?");
	bson_free(json);
	return !r->missing;
}

static bool check_reach(struct reach *r, struct err *err)
{
	struct job *j = r->job;
	struct err why = ERR_INIT;

	if (wait_for(j->clock, "chunks", j->options->give_up_ms, poll_ms, j->stop, reaches_all, r, &why))
		return true;
	if (why.code == ERR_TIMEOUT && r->missing) {
		err_set(&why, ERR_STATE,
		    "%s %s %s no chunk of \"%s\" (by %s) after %lld ms, so that no tick would reach it",
		    r->missing == 1 ? "shard" : "shards", buf_str(&r->without), r->missing == 1 ? "owns" : "own", r->ns,
		    r->key, (long long)j->options->give_up_ms);
		err_hint(&why, "drop the collection and shard it again, or move a chunk there (sh.moveRange; before "
			       "6.0 sh.moveChunk): "
			       "the balancer of 6.0.3 and later moves nothing of a small collection");
	}
	if (err)
		*err = why;
	return false;
}

static bool finish(struct job *j, size_t i, FILE *out, struct err *err)
{
	const char *how[] = {[STATE_NONE] = "sharded now",
	    [STATE_FITS] = "was sharded already",
	    [STATE_OTHER_KEY] = "was sharded by another key, which stays"},
		   *ns = j->options->ns.items[i];
	struct reach r = {.job = j, .ns = ns, .with = BUF_INIT(TEXT_MAX), .without = BUF_INIT(TEXT_MAX)};
	bool ok = true;

	if (j->states[i] == STATE_FIXED) {
		fprintf(out, "%s: not sharded: collections of this database cannot be%s\n", ns,
		    strncmp(ns, "local.", 6) ? ", they live on the config servers" : "");
		return true;
	}
	if (j->states[i] == STATE_NONE)
		ok = enable_database(j, ns, err) && shard_collection(j, ns, err);
	ok = ok && check_reach(&r, err);
	if (ok)
		fprintf(out, "%s: %s, by %s, over the shards %s\n", ns, how[j->states[i]], r.key, buf_str(&r.with));
	clear_reach(&r);
	return ok;
}

/* --- the whole --- */

static bool hello(struct job *j, bson_t *ret_reply, struct err *err)
{
	BSON_CLEANUP bson_t command = BSON_INITIALIZER;

	BSON_APPEND_INT32(&command, "hello", 1);
	return mongo_command(j->client, "admin", &command, ret_reply, err);
}

static bool act(struct job *j, FILE *out, struct err *err)
{
	BSON_CLEANUP bson_t reply;
	char set[SHARD_NAME_MAX];

	if (!hello(j, &reply, err))
		return false;
	if (!shard_is_router(&reply, set, sizeof set)) {
		fprintf(out, set[0] ? "replica set %s: nothing to shard\n" : "no mongos%s: nothing to shard\n", set);
		return true;
	}
	for (size_t i = 0; i < j->options->ns.count; i++)
		if (!look_at(j, i, err))
			return false;
	for (size_t i = 0; i < j->options->ns.count; i++)
		if (!finish(j, i, out, err))
			return false;
	return true;
}

bool shard_namespaces(
    const struct options *options, const struct clock *clock, const volatile int *stop, FILE *out, struct err *err)
{
	CLEANUP(mongoc_client) mongoc_client_t *client = NULL;
	struct mongo_credentials login = {0};
	struct mongo_target target = {.uri = options->uri,
	    .app_name = "psmdb-ticker",
	    .socket_timeout_ms = command_ms + options->write_timeout_ms};
	struct job *j;
	bool ok;

	if (!mongo_credentials_load(options->user_file, options->password_file, &login, err))
		return false;
	if (login.given) {
		target.user = login.user;
		target.password = login.password;
	}
	ok = mongo_client_new(&target, &client, err);
	mongo_credentials_clear(&login);
	if (!ok)
		return false;
	j = calloc(1, sizeof *j);
	if (!j)
		return err_nomem(err);
	*j = (struct job){.options = options, .clock = clock, .stop = stop, .client = client};
	ok = act(j, out, err);
	free(j);
	return ok && (fflush(out) == 0 || err_set(err, ERR_IO, "write to standard output"));
}
