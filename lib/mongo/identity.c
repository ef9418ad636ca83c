#include "mongo/client.h"

#include "base/clock.h"
#include "mongo/bson_util.h"

#include <stdio.h>
#include <string.h>

static bool run(mongoc_client_t *client, const char *command, bson_t *ret_reply, struct err *err)
{
	BSON_CLEANUP bson_t doc = BSON_INITIALIZER;

	bson_append_int32(&doc, command, -1, 1);
	return mongo_command(client, "admin", &doc, ret_reply, err);
}

/* The first document of a small system collection, or none: ERR_NOT_FOUND. ret is initialised in every case, as a reply
 * is. */
static bool first_document(
    mongoc_client_t *client, const char *db, const char *coll, const bson_t *filter, bson_t *ret, struct err *err)
{
	mongoc_collection_t *collection = mongoc_client_get_collection(client, db, coll);
	mongoc_cursor_t *cursor = mongoc_collection_find_with_opts(collection, filter, NULL, NULL);
	const bson_t *doc, *reply = NULL;
	bson_error_t error = {0};
	bool found = mongoc_cursor_next(cursor, &doc);
	char what[160];

	if (found) {
		bson_copy_to(doc, ret);
	} else {
		bson_init(ret);
		snprintf(what, sizeof what, "read \"%s.%s\"", db, coll);
		if (mongoc_cursor_error_document(cursor, &error, &reply))
			mongo_error(&error, reply, err, what);
		else
			err_set(err, ERR_NOT_FOUND, "%s: it holds no such document", what);
	}
	mongoc_cursor_destroy(cursor);
	mongoc_collection_destroy(collection);
	return found;
}

static bool keep_oid(const bson_t *doc, const char *path, struct mongo_identity *id, struct err *err)
{
	bson_oid_t oid;

	if (!bson_path_oid(doc, path, &oid))
		return err_set(err, ERR_REMOTE, "the server's answer lacks \"%s\"", path);
	bson_oid_to_string(&oid, id->id);
	return true;
}

static bool cluster_id(mongoc_client_t *client, struct mongo_identity *id, struct err *err)
{
	BSON_CLEANUP bson_t all = BSON_INITIALIZER;
	BSON_CLEANUP bson_t version;
	bool found = first_document(client, "config", "version", &all, &version, err);

	id->sharded = true;
	snprintf(id->kind, sizeof id->kind, "cluster");
	if (!found)
		return err_hint(err, "grant the user clusterMonitor, which may read the config database");
	return keep_oid(&version, "clusterId", id, err);
}

static bool replica_set_id(mongoc_client_t *client, struct mongo_identity *id, struct err *err)
{
	BSON_CLEANUP bson_t all = BSON_INITIALIZER;
	BSON_CLEANUP bson_t reply;
	struct err first = ERR_INIT;
	bool ok = run(client, "replSetGetConfig", &reply, &first);

	snprintf(id->kind, sizeof id->kind, "replicaSet");
	if (ok) {
		bson_path_bool(&reply, "config.configsvr", &id->sharded);
		return keep_oid(&reply, "config.settings.replicaSetId", id, err);
	}
	if (first.code == ERR_AUTH) {
		bson_destroy(&reply);
		ok = first_document(client, "local", "system.replset", &all, &reply, NULL);
	}
	if (ok) {
		bson_path_bool(&reply, "configsvr", &id->sharded);
		return keep_oid(&reply, "settings.replicaSetId", id, err);
	}
	if (err)
		*err = first;
	return false;
}

/* A shard's primary knows its cluster. Best effort: the user may not be allowed to look. */
static bool is_shard(mongoc_client_t *client)
{
	BSON_CLEANUP bson_t filter = BSON_INITIALIZER;
	BSON_CLEANUP bson_t doc;
	bool found;

	BSON_APPEND_UTF8(&filter, "_id", "shardIdentity");
	found = first_document(client, "admin", "system.version", &filter, &doc, NULL);
	return found;
}

static void feature_version(mongoc_client_t *client, struct mongo_identity *id)
{
	BSON_CLEANUP bson_t command = BSON_INITIALIZER;
	BSON_CLEANUP bson_t reply;
	const char *text;

	BSON_APPEND_INT32(&command, "getParameter", 1);
	BSON_APPEND_INT32(&command, "featureCompatibilityVersion", 1);
	mongo_command(client, "admin", &command, &reply, NULL);
	text = bson_path_utf8(&reply, "featureCompatibilityVersion.version", NULL);
	snprintf(id->fcv, sizeof id->fcv, "%s", text ? text : "");
}

static bool server_version(mongoc_client_t *client, struct mongo_identity *id, struct err *err)
{
	BSON_CLEANUP bson_t reply;
	const char *text;

	if (!run(client, "buildInfo", &reply, err))
		return false;
	text = bson_path_utf8(&reply, "version", NULL);
	snprintf(id->version, sizeof id->version, "%s", text ? text : "");
	return true;
}

bool mongo_identify(mongoc_client_t *client, struct mongo_identity *ret, struct err *err)
{
	BSON_CLEANUP bson_t hello;
	struct mongo_identity id = {0};
	struct err inner = ERR_INIT;
	const char *msg, *set_name;
	bool ok;

	if (!run(client, "hello", &hello, err))
		return false;
	msg = bson_path_utf8(&hello, "msg", NULL);
	set_name = bson_path_utf8(&hello, "setName", NULL);
	if (!server_version(client, &id, err))
		return false;
	if (msg && !strcmp(msg, "isdbgrid")) {
		ok = cluster_id(client, &id, &inner);
	} else if (set_name) {
		snprintf(id.set_name, sizeof id.set_name, "%s", set_name);
		ok = replica_set_id(client, &id, &inner);
		id.sharded = id.sharded || (ok && is_shard(client));
	} else {
		err_set(err, ERR_STATE, "the server is neither a member of an initiated replica set nor a mongos");
		return err_hint(
		    err, "operation times and majority writes need one: start mongod with --replSet and initiate it");
	}
	if (!ok) {
		if (inner.code == ERR_AUTH) {
			inner.hint[0] = '\0';
			err_hint(
			    &inner, "grant the user clusterMonitor: it may read which replica set or cluster this is");
		}
		err_wrap(&inner, "find out which cluster this is");
		if (err)
			*err = inner;
		return false;
	}
	feature_version(client, &id);
	*ret = id;
	return true;
}

bool mongo_clock_offset(
    mongoc_client_t *client, const struct clock *clock, struct mongo_clock_offset *ret, struct err *err)
{
	int64_t best_ns = INT64_MAX, offset_ms = 0;

	for (int i = 0; i < 5; i++) {
		BSON_CLEANUP bson_t reply;
		int64_t sent_ns = clock_mono_ns(clock), sent_ms = clock_wall_ms(clock), trip_ns, server_ms;
		bool ok;

		ok = run(client, "hello", &reply, err);
		trip_ns = clock_mono_ns(clock) - sent_ns;
		if (!ok)
			return false;
		if (!bson_path_date_ms(&reply, "localTime", &server_ms))
			return err_set(err, ERR_REMOTE, "the reply to \"hello\" lacks \"localTime\"");
		if (trip_ns < best_ns) {
			best_ns = trip_ns;
			offset_ms = server_ms - (sent_ms + trip_ns / 2000000);
		}
	}
	*ret = (struct mongo_clock_offset){.offset_ms = offset_ms, .error_ms = best_ns / 2000000 + 1};
	return true;
}
