#include "ticker/link.h"

#include "mongo/bson_util.h"

#include <stdlib.h>
#include <string.h>

#define KNOWN_MAX 4
static const int64_t idle_most_ms = 4000, young_set_ms = 10000, young_set_pause_ms = 100;
static const int64_t ms_ns = 1000000;
static const size_t id_at = 9; /* in a tick's bytes: tick/tick.h */

struct link {
	const struct link_plan *plan;
	const struct clock *clock;
	const struct mongo_identity *cluster;
	mongoc_client_t *client;
	mongoc_client_session_t *session;
	mongoc_collection_t *collection; /* for reading back */
	char db[TICK_NS_MAX];
	const char *coll;
	bson_t write_options, read_options;
	struct reply_watch watch;
	bson_error_t error;
	bool error_set;
	int64_t txn_number; /* of the last insert */
	int64_t last_use_ns;

	/* server processes that were found to belong to the cluster; a ring */
	bson_oid_t known[KNOWN_MAX];
	unsigned known_next;
	bool trusted, refused; /* refused: the login, since the last time that the cluster was found */
};

/* --- who is there --- */

/* Each run of a server program has an id of its own (since MongoDB 4.4); zeros if this one does not say. */
static bson_oid_t process_of(const mongoc_server_description_t *server)
{
	bson_oid_t oid = {{0}};

	if (server)
		bson_path_oid(mongoc_server_description_hello_response(server), "topologyVersion.processId", &oid);
	return oid;
}

static bool is_zero(const bson_oid_t *oid)
{
	static const bson_oid_t zero = {{0}};

	return bson_oid_equal(oid, &zero);
}

static bool is_known(const struct link *link, const bson_oid_t *process)
{
	for (int i = 0; i < KNOWN_MAX; i++)
		if (!is_zero(process) && bson_oid_equal(&link->known[i], process))
			return true;
	return false;
}

static enum cluster compare(const struct mongo_identity *cluster, const struct mongo_identity *now, struct err *err)
{
	if (!strcmp(now->kind, cluster->kind) && !strcmp(now->id, cluster->id))
		return CLUSTER_SAME;
	err_set(err, ERR_STATE, "the cluster changed: %s \"%s\" was at the beginning, now there is %s \"%s\"",
	    cluster->kind, cluster->id, now->kind, now->id);
	err_hint(err, "a run never spans two clusters: start psmdb-ticker again with a new journal");
	return CLUSTER_OTHER;
}

/* --- one client after another --- */

static bool make_options(struct link *link, struct err *err)
{
	mongoc_write_concern_t *wc = mongoc_write_concern_new();
	bson_error_t error = {0};
	bson_t child;
	bool ok;

	bson_reinit(&link->write_options);
	bson_reinit(&link->read_options);
	mongoc_write_concern_set_wmajority(wc, (int32_t)link->plan->write_timeout_ms);
	mongoc_write_concern_set_journal(wc, true);
	ok = mongoc_write_concern_append(wc, &link->write_options) &&
	     mongoc_client_session_append(link->session, &link->write_options, &error) &&
	     mongoc_client_session_append(link->session, &link->read_options, &error);
	mongoc_write_concern_destroy(wc);
	BSON_APPEND_DOCUMENT_BEGIN(&link->read_options, "readConcern", &child);
	BSON_APPEND_UTF8(&child, "level", "majority");
	bson_append_document_end(&link->read_options, &child);
	BSON_APPEND_DOCUMENT_BEGIN(&link->read_options, "sort", &child);
	BSON_APPEND_INT32(&child, "_id", 1);
	bson_append_document_end(&link->read_options, &child);
	return ok ||
	       err_set(err, ERR_REMOTE, "prepare the writes into \"%s.%s\": %s", link->db, link->coll, error.message);
}

static void let_go(struct link *link)
{
	if (link->collection)
		mongoc_collection_destroy(link->collection);
	if (link->session)
		mongoc_client_session_destroy(link->session);
	if (link->client)
		mongoc_client_destroy(link->client);
}

/* Goes on with a client that has found the cluster, in a session of its own. Takes the client, unless it fails. */
static bool use_client(struct link *link, mongoc_client_t **client, struct err *err)
{
	struct optime latest = link->watch.latest;
	bson_error_t error = {0};
	mongoc_client_session_t *session = mongoc_client_start_session(*client, NULL, &error);

	if (!session)
		return mongo_error(&error, NULL, err, "start a session");
	if (*client != link->client) {
		let_go(link);
		link->client = *client;
		reply_watch_attach(&link->watch, link->client, "insert");
		link->watch.latest = latest;
	}
	*client = NULL;
	link->session = session;
	link->collection = mongoc_client_get_collection(link->client, link->db, link->coll);
	return make_options(link, err);
}

/*
 * A client that has seen a primary of a late term takes the primary of a set made anew, whose terms begin again, for
 * a stale one, and never says more than that it finds no primary. Only a client without memory sees who is there.
 * And only one without a past can log in again. It takes the other's place once the server has got beyond all that was
 * heard before, because what it says next must be later.
 */
static enum cluster look_afresh(struct link *link, struct err *err)
{
	CLEANUP(mongoc_client) mongoc_client_t *client = NULL;
	const struct link_plan *plan = link->plan;
	struct err again = ERR_INIT;
	struct mongo_identity now;
	struct reply_watch watch;

	link->refused = link->refused || err->code == ERR_AUTH;
	if (!mongo_client_again(link->client, plan->user_file, plan->password_file, &client, NULL))
		return CLUSTER_UNREACHABLE;
	reply_watch_attach(&watch, client, "insert");
	if (!mongo_identify(client, &now, &again)) {
		/* the other may only say that it is not yet time to try */
		link->refused = link->refused || again.code == ERR_AUTH;
		if (again.code == ERR_AUTH)
			*err = again;
		return CLUSTER_UNREACHABLE;
	}
	if (compare(link->cluster, &now, err) == CLUSTER_OTHER)
		return CLUSTER_OTHER;
	if (!link->refused || !link->session || optime_cmp(watch.latest, link->watch.latest) < 0)
		return CLUSTER_UNREACHABLE;
	return use_client(link, &client, err) ? CLUSTER_SAME : CLUSTER_UNREACHABLE;
}

enum cluster link_look(struct link *link, struct err *err)
{
	mongoc_server_description_t *server;
	struct mongo_identity now;
	struct err why = ERR_INIT;
	bson_oid_t process;
	enum cluster cluster;

	link->trusted = false;
	cluster =
	    mongo_identify(link->client, &now, &why) ? compare(link->cluster, &now, &why) : look_afresh(link, &why);
	if (cluster != CLUSTER_SAME) {
		if (err)
			*err = why;
		return cluster;
	}
	server = mongoc_client_select_server(link->client, true, NULL, NULL);
	process = process_of(server);
	if (server)
		mongoc_server_description_destroy(server);
	if (!is_zero(&process) && !is_known(link, &process))
		link->known[link->known_next++ % KNOWN_MAX] = process;
	link->trusted = true;
	link->refused = false;
	link->last_use_ns = clock_mono_ns(link->clock);
	return CLUSTER_SAME;
}

/*
 * The driver checks a connection that was idle for five seconds, and all of them once a minute, and makes new ones in
 * silence, to whoever is there by then.
 */
bool link_trusted(struct link *link)
{
	mongoc_server_description_t *server;
	bson_oid_t process;

	if (!link->trusted || clock_mono_ns(link->clock) - link->last_use_ns > idle_most_ms * ms_ns)
		return false;
	server = mongoc_client_select_server(link->client, true, NULL, NULL);
	if (!server)
		return false;
	process = process_of(server);
	mongoc_server_description_destroy(server);
	return is_zero(&process) || is_known(link, &process);
}

bool link_went_to_known(struct link *link)
{
	mongoc_server_description_t *server =
	    mongoc_client_get_server_description(link->client, link->watch.seen.server_id);
	bson_oid_t process = process_of(server);

	if (server)
		mongoc_server_description_destroy(server);
	if (is_zero(&process))
		return link->trusted && link->watch.seen.attempts == 1 && link->watch.seen.last_answered;
	return is_known(link, &process);
}

void link_distrust(struct link *link)
{
	link->trusted = false;
}

/* --- inserts --- */

static void append_documents(const unsigned char (*ticks)[TICK_BSON_BYTES], int count, bson_t *command)
{
	bson_t array, doc;

	BSON_APPEND_ARRAY_BEGIN(command, "documents", &array);
	for (int i = 0; i < count; i++) {
		char buffer[16];
		const char *key;
		size_t len = bson_uint32_to_string((uint32_t)i, &key, buffer, sizeof buffer);

		bson_init_static(&doc, ticks[i], TICK_BSON_BYTES);
		bson_append_document(&array, key, (int)len, &doc);
	}
	bson_append_array_end(command, &array);
}

const bson_error_t *link_insert(
    struct link *link, const unsigned char (*ticks)[TICK_BSON_BYTES], int count, bool ordered)
{
	BSON_CLEANUP bson_t command = BSON_INITIALIZER;
	BSON_CLEANUP bson_t reply;

	BSON_APPEND_UTF8(&command, "insert", link->coll);
	BSON_APPEND_BOOL(&command, "ordered", ordered);
	BSON_APPEND_INT64(&command, "txnNumber", ++link->txn_number);
	append_documents(ticks, count, &command);
	reply_watch_begin(&link->watch);
	link->error_set = !mongoc_client_write_command_with_opts(
	    link->client, link->db, &command, &link->write_options, &reply, &link->error);
	link->last_use_ns = clock_mono_ns(link->clock);
	return link_error(link);
}

const bson_error_t *link_error(const struct link *link)
{
	return link->error_set ? &link->error : NULL;
}

const struct reply_seen *link_seen(const struct link *link)
{
	return &link->watch.seen;
}

struct optime link_latest(const struct link *link)
{
	return link->watch.latest;
}

/* --- reading back --- */

static void append_id_range(bson_t *filter, const unsigned char *first, const unsigned char *last)
{
	bson_oid_t from, to;
	bson_t range;

	bson_oid_init_from_data(&from, first + id_at);
	bson_oid_init_from_data(&to, last + id_at);
	BSON_APPEND_DOCUMENT_BEGIN(filter, "_id", &range);
	BSON_APPEND_OID(&range, "$gte", &from);
	BSON_APPEND_OID(&range, "$lte", &to);
	bson_append_document_end(filter, &range);
}

/* The server has documents with our ids: are they ours, byte for byte? Their ids are consecutive, so one scan by _id
 * meets them in our order. */
enum present link_read_back(struct link *link, const unsigned char (*ticks)[TICK_BSON_BYTES], int count)
{
	BSON_CLEANUP bson_t filter = BSON_INITIALIZER;
	mongoc_cursor_t *cursor;
	const bson_t *doc;
	bool equal = true;
	int found = 0;

	append_id_range(&filter, ticks[0], ticks[count - 1]);
	cursor = mongoc_collection_find_with_opts(link->collection, &filter, &link->read_options, NULL);
	while (equal && found < count && mongoc_cursor_next(cursor, &doc)) {
		equal = doc->len == TICK_BSON_BYTES && !memcmp(bson_get_data(doc), ticks[found], TICK_BSON_BYTES);
		found += equal;
	}
	mongoc_cursor_destroy(cursor);
	if (!equal)
		return PRESENT_OTHER;
	return found == count ? PRESENT_OURS : PRESENT_NOT_TOLD;
}

/* --- open and close --- */

/* The members of a set that was initiated just now have no keys yet to sign cluster times with, and name none. */
static bool wait_for_times(struct link *link, struct err *err)
{
	int64_t until_ns = clock_mono_ns(link->clock) + young_set_ms * ms_ns;

	for (;;) {
		if (link_look(link, err) != CLUSTER_SAME)
			return false;
		if (!optime_is_zero(link->watch.latest))
			return true;
		if (clock_mono_ns(link->clock) >= until_ns)
			break;
		clock_sleep_until(link->clock, clock_mono_ns(link->clock) + young_set_pause_ms * ms_ns, NULL);
	}
	err_set(err, ERR_STATE, "the server's replies carry no operation time");
	return err_hint(err, "it must be a member of a replica set or a mongos, MongoDB 4.4 or newer");
}

bool link_open(const struct link_plan *plan, const char *ns, struct link **ret, struct err *err)
{
	struct link *link = calloc(1, sizeof *link);
	const char *dot = strchr(ns, '.');
	mongoc_client_t *client;

	if (!link)
		return err_nomem(err);
	link->plan = plan;
	link->clock = plan->clock;
	link->cluster = plan->cluster;
	memcpy(link->db, ns, (size_t)(dot - ns)); /* the rest is zeros */
	link->coll = dot + 1;
	bson_init(&link->write_options);
	bson_init(&link->read_options);
	if (!mongo_client_new(plan->target, &link->client, err)) {
		link_free(link);
		return false;
	}
	reply_watch_attach(&link->watch, link->client, "insert");
	client = link->client;
	if (!wait_for_times(link, err) || !use_client(link, &client, err)) {
		link_free(link);
		return false;
	}
	*ret = link;
	return true;
}

void link_free(struct link *link)
{
	if (!link)
		return;
	bson_destroy(&link->write_options);
	bson_destroy(&link->read_options);
	let_go(link);
	free(link);
}
