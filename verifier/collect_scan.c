#include "verifier/collect_scan.h"

#include "mongo/bson_util.h"

#include <stdio.h>
#include <string.h>

#define LOOK_EVERY 1024 /* documents between two looks at clock and stop flag */
#define REPORT_MS 2000
/* One to meet all streams, one to settle whose the strangers are; more only while new streams are being written. */
#define PASSES_MAX 3

CLEANUP_PTR(mongoc_cursor, mongoc_cursor_t, mongoc_cursor_destroy)
CLEANUP_PTR(mongoc_session, mongoc_client_session_t, mongoc_client_session_destroy)
CLEANUP_PTR(mongoc_collection, mongoc_collection_t, mongoc_collection_destroy)

static bool options_for(const struct scan *scan, mongoc_client_session_t *session, bson_t *opts, struct err *err)
{
	mongoc_read_concern_t *concern = mongoc_read_concern_new();
	bson_error_t error = {0};
	bool ok;

	mongoc_read_concern_set_level(concern, MONGOC_READ_CONCERN_LEVEL_MAJORITY);
	ok = mongoc_read_concern_append(concern, opts) && BSON_APPEND_INT64(opts, "batchSize", scan->batch_size);
	mongoc_read_concern_destroy(concern);
	if (!ok)
		return err_nomem(err);
	if (!mongoc_client_session_append(session, opts, &error))
		return err_set(err, ERR_REMOTE, "use a session: %s", error.message);
	/* the session adds it to the read concern as afterClusterTime */
	mongoc_client_session_advance_operation_time(session, scan->after.t, scan->after.i);
	return true;
}

static bool start_session(struct link *link, mongoc_client_session_t **ret, struct err *err)
{
	bson_error_t error = {0};

	*ret = mongoc_client_start_session(link->client, NULL, &error);
	return *ret || link_fail(link, &error, NULL, "start a session", err);
}

struct pace {
	int64_t start_ms, next_ms;
};

static bool look(struct link *link, const struct scan *scan, struct pace *pace, int64_t documents, struct err *err)
{
	int64_t now = clock_mono_ms(link->clock);

	if (link_stopped(link, err))
		return false;
	if (now < pace->next_ms)
		return true;
	pace->next_ms = now + REPORT_MS;
	if (scan->progress->report)
		scan->progress->report(scan->progress->ctx, scan->ns, documents,
		    (double)documents * 1000 / (double)(now - pace->start_ms));
	return true;
}

static bool drain(struct link *link, struct scan *scan, mongoc_cursor_t *cursor, struct err *err)
{
	struct pace pace = {.start_ms = clock_mono_ms(link->clock)};
	const bson_t *doc, *reply = NULL;
	bson_error_t error = {0};
	int64_t documents = 0;
	char what[TICK_NS_MAX + 16];

	pace.next_ms = pace.start_ms + REPORT_MS;
	while (mongoc_cursor_next(cursor, &doc)) {
		if (!tally_add(scan->tally, bson_get_data(doc), doc->len, err))
			return false;
		if (++documents % LOOK_EVERY == 0 && !look(link, scan, &pace, documents, err))
			return false;
	}
	if (!mongoc_cursor_error_document(cursor, &error, &reply))
		return !link_stopped(link, err);
	snprintf(what, sizeof what, "read \"%s\"", scan->ns);
	return link_fail(link, &error, reply, what, err);
}

/* One pass over all documents, from the first one on. */
static bool pass(struct link *link, void *arg, struct err *err)
{
	struct scan *scan = arg;
	const char *dot = strchr(scan->ns, '.');
	CLEANUP(mongoc_session) mongoc_client_session_t *session = NULL;
	CLEANUP(mongoc_collection) mongoc_collection_t *collection = NULL;
	CLEANUP(mongoc_cursor) mongoc_cursor_t *cursor = NULL;
	BSON_CLEANUP bson_t all = BSON_INITIALIZER, opts = BSON_INITIALIZER;
	mongoc_host_list_t host;
	char db[TICK_NS_MAX];

	tally_restart(scan->tally);
	if (!start_session(link, &session, err) || !options_for(scan, session, &opts, err))
		return false;
	snprintf(db, sizeof db, "%.*s", (int)(dot - scan->ns), scan->ns);
	collection = mongoc_client_get_collection(link->client, db, dot + 1);
	cursor = mongoc_collection_find_with_opts(collection, &all, &opts, NULL);
	if (!drain(link, scan, cursor, err))
		return false;
	mongoc_cursor_get_host(cursor, &host);
	snprintf(scan->from, sizeof scan->from, "%s", host.host_and_port);
	scan->passes++;
	return true;
}

bool scan_run(struct link *link, struct scan *scan, struct err *err)
{
	do {
		if (!link_try(link, pass, scan, err))
			return false;
	} while (tally_incomplete(scan->tally) && scan->passes < PASSES_MAX);
	return tally_finish(scan->tally, err);
}
