#include "verifier/collect_scan.h"

#include "mongo/bson_util.h"
#include "verifier/collect_worker.h"

#include <stdio.h>
#include <string.h>

#define REPORT_MS 2000
/* One to meet all streams, one to settle whose the strangers are; more only while new streams are being written. */
#define PASSES_MAX 3

CLEANUP_PTR(mongoc_session, mongoc_client_session_t, mongoc_client_session_destroy)

/*
 * One open cursor, read by commands of our own: the driver's cursor hands documents out of a batch that it owns, so
 * that the next one could not be fetched while they are looked at.
 */
struct reading {
	struct link *link;
	struct scan *scan;
	mongoc_client_session_t *session;
	uint32_t server; /* the driver's number of the primary: a cursor lives on one server */
	char db[TICK_NS_MAX];
	const char *coll;
	int64_t cursor;			       /* 0: no more */
	int64_t start_ms, next_report_ms, had; /* had: documents when the connection was made */
	bool tokens;			       /* asked for */
};

static bool open_session(struct reading *r, struct err *err)
{
	mongoc_server_description_t *server;
	bson_error_t error = {0};

	server = mongoc_client_select_server(r->link->client, false, NULL, &error);
	if (!server)
		return link_fail(r->link, &error, NULL, "find the primary", err);
	r->server = mongoc_server_description_id(server);
	snprintf(r->scan->from, sizeof r->scan->from, "%s", mongoc_server_description_host(server)->host_and_port);
	mongoc_server_description_destroy(server);
	r->session = mongoc_client_start_session(r->link->client, NULL, &error);
	if (!r->session && r->scan->direct)
		return true;
	if (!r->session)
		return link_fail(r->link, &error, NULL, "start a session", err);
	/* the driver makes it the find's afterClusterTime */
	mongoc_client_session_advance_operation_time(r->session, r->scan->after.t, r->scan->after.i);
	return true;
}

/* What the driver makes of a session's time. */
static bool append_after(const struct reading *r, bson_t *opts)
{
	bson_t concern;

	return BSON_APPEND_DOCUMENT_BEGIN(opts, "readConcern", &concern) &&
	       BSON_APPEND_UTF8(&concern, "level", MONGOC_READ_CONCERN_LEVEL_MAJORITY) &&
	       BSON_APPEND_TIMESTAMP(&concern, "afterClusterTime", r->scan->after.t, r->scan->after.i) &&
	       bson_append_document_end(opts, &concern);
}

static bool read_options(const struct reading *r, bool first, bson_t *opts, struct err *err)
{
	mongoc_read_concern_t *concern;
	bson_error_t error = {0};
	bool ok = true;

	if (first && r->session) {
		concern = mongoc_read_concern_new();
		mongoc_read_concern_set_level(concern, MONGOC_READ_CONCERN_LEVEL_MAJORITY);
		ok = mongoc_read_concern_append(concern, opts);
		mongoc_read_concern_destroy(concern);
	}
	if (first && !r->session)
		ok = append_after(r, opts);
	if (!ok || !BSON_APPEND_INT32(opts, "serverId", (int32_t)r->server))
		return err_nomem(err);
	return !r->session || mongoc_client_session_append(r->session, opts, &error) ||
	       err_set(err, ERR_REMOTE, "use a session: %s", error.message);
}

/* --- where reading may go on
 * ------------------------------------------------------------------------------------------------------------- */

static bool collection_uuid(struct reading *r, const bson_t *opts, struct scan_source *source, struct err *err)
{
	BSON_CLEANUP bson_t command = BSON_INITIALIZER, reply = BSON_INITIALIZER;
	bson_iter_t it;
	bson_t filter;
	const uint8_t *data;
	bson_subtype_t subtype;
	uint32_t len;

	BSON_APPEND_INT32(&command, "listCollections", 1);
	BSON_APPEND_DOCUMENT_BEGIN(&command, "filter", &filter);
	BSON_APPEND_UTF8(&filter, "name", r->coll);
	bson_append_document_end(&command, &filter);
	if (!link_command(r->link, r->db, &command, opts, &reply, err))
		return false;
	/* a view has none */
	if (!bson_path(&reply, "cursor.firstBatch.0.info.uuid", &it) || !BSON_ITER_HOLDS_BINARY(&it))
		return true;
	bson_iter_binary(&it, &subtype, &len, &data);
	source->known = len == sizeof source->collection;
	if (source->known)
		memcpy(source->collection, data, len);
	return true;
}

static bool ask_source(struct reading *r, struct scan_source *ret, struct err *err)
{
	BSON_CLEANUP bson_t command = BSON_INITIALIZER, opts = BSON_INITIALIZER, reply = BSON_INITIALIZER;

	BSON_APPEND_INT32(&command, "hello", 1);
	BSON_APPEND_INT32(&opts, "serverId", (int32_t)r->server);
	if (!link_command(r->link, "admin", &command, &opts, &reply, err))
		return false;
	/* not from a mongos, nor before 4.4 */
	if (!bson_path_oid(&reply, "topologyVersion.processId", &ret->process) ||
	    !bson_path_oid(&reply, "electionId", &ret->election))
		return true;
	return collection_uuid(r, &opts, ret, err);
}

/* What the server refuses to say is unknown; false: the connection has failed. */
static bool find_source(struct reading *r, struct scan_source *ret, struct err *err)
{
	struct err failure = ERR_INIT;

	*ret = (struct scan_source){0};
	if (ask_source(r, ret, &failure))
		return true;
	*ret = (struct scan_source){0};
	if (!link_passes_by(r->link, &failure))
		return true;
	if (err)
		*err = failure;
	return false;
}

static bool same_source(const struct scan_source *a, const struct scan_source *b)
{
	return a->known && b->known && bson_oid_equal(&a->process, &b->process) &&
	       bson_oid_equal(&a->election, &b->election) &&
	       !memcmp(a->collection, b->collection, sizeof a->collection);
}

static void drop_token(struct scan *scan)
{
	if (scan->token)
		bson_destroy(scan->token);
	scan->token = NULL;
}

/* Behind a batch that was wholly taken. An empty one moves nothing. */
static bool keep_token(struct reading *r, const bson_t *reply, bool empty, struct err *err)
{
	bson_t token;
	bson_iter_t record;

	if (empty || !r->tokens)
		return true;
	drop_token(r->scan);
	if (!bson_path_doc(reply, "cursor.postBatchResumeToken", &token) || !bson_path(&token, "$recordId", &record) ||
	    BSON_ITER_HOLDS_NULL(&record))
		return true;
	r->scan->token = bson_copy(&token);
	return r->scan->token || err_nomem(err);
}

/* --- reading
 * ----------------------------------------------------------------------------------------------------------------------------- */

static void append_find(const struct reading *r, bson_t *command)
{
	bson_t hint;

	BSON_APPEND_UTF8(command, "find", r->coll);
	if (!r->tokens)
		return;
	BSON_APPEND_DOCUMENT_BEGIN(command, "hint", &hint);
	BSON_APPEND_INT32(&hint, "$natural", 1);
	bson_append_document_end(command, &hint);
	BSON_APPEND_BOOL(command, "$_requestResumeToken", true);
	if (r->scan->token)
		BSON_APPEND_DOCUMENT(command, "$_resumeAfter", r->scan->token);
}

/* The first or the next batch; ret_reply is initialised in every case, and ret_documents points into it. */
static bool fetch(struct reading *r, bool first, bson_t *ret_reply, bson_iter_t *ret_documents, struct err *err)
{
	BSON_CLEANUP bson_t command = BSON_INITIALIZER, opts = BSON_INITIALIZER;
	bson_error_t error = {0};
	bson_iter_t batch;
	char what[TICK_NS_MAX + 16];
	bool ok;

	if (first) {
		append_find(r, &command);
	} else {
		BSON_APPEND_INT64(&command, "getMore", r->cursor);
		BSON_APPEND_UTF8(&command, "collection", r->coll);
	}
	BSON_APPEND_INT64(&command, "batchSize", r->scan->batch_size);
	if (!read_options(r, first, &opts, err)) {
		bson_init(ret_reply);
		return false;
	}
	ok = first ? mongoc_client_read_command_with_opts(
			 r->link->client, r->db, &command, NULL, &opts, ret_reply, &error)
		   : mongoc_client_command_with_opts(r->link->client, r->db, &command, NULL, &opts, ret_reply, &error);
	snprintf(what, sizeof what, "read \"%s\"", r->scan->ns);
	if (!ok)
		return link_fail(r->link, &error, ret_reply, what, err);
	if (!bson_path_i64(ret_reply, "cursor.id", &r->cursor) ||
	    !bson_path(ret_reply, first ? "cursor.firstBatch" : "cursor.nextBatch", &batch) ||
	    !BSON_ITER_HOLDS_ARRAY(&batch) || !bson_iter_recurse(&batch, ret_documents))
		return err_set(err, ERR_REMOTE, "%s: the server's answer holds no batch", what);
	return true;
}

static void note(const struct scan *scan, const char *what, const char *detail)
{
	if (scan->progress->note)
		scan->progress->note(scan->progress->ctx, what, detail);
}

/* ret_reply is initialised in every case. */
static bool start_over(struct reading *r, bson_t *ret_reply, bson_iter_t *ret_documents, struct err *err)
{
	struct scan *scan = r->scan;
	struct err refused = ERR_INIT;

	bson_init(ret_reply);
	drop_token(scan);
	tally_restart(scan->tally);
	r->had = 0;
	if (scan->starts++ == LINK_ATTEMPTS)
		return err_set(err, ERR_REMOTE, "read \"%s\": broken off, with nowhere to go on, %d times", scan->ns,
		    LINK_ATTEMPTS);
	if (!find_source(r, &scan->source, err))
		return false;
	r->tokens = scan->source.known && !scan->no_tokens;
	if (!r->tokens)
		return fetch(r, true, ret_reply, ret_documents, err);
	if (fetch(r, true, ret_reply, ret_documents, &refused))
		return true;
	if (!r->link->code || refused.code == ERR_AUTH || link_passes_by(r->link, &refused)) {
		if (err)
			*err = refused;
		return false;
	}
	r->tokens = false;
	scan->no_tokens = true;
	bson_destroy(ret_reply);
	return fetch(r, true, ret_reply, ret_documents, err);
}

/* ret_why is set if it cannot go on where it was; ret_reply is initialised in every case. */
static bool go_on(
    struct reading *r, bson_t *ret_reply, bson_iter_t *ret_documents, struct err *ret_why, struct err *err)
{
	struct scan_source now;

	r->tokens = true;
	if (fetch(r, true, ret_reply, ret_documents, ret_why)) {
		/* asked behind the find: what has changed later has not made its answer */
		if (!find_source(r, &now, err))
			return false;
		if (same_source(&r->scan->source, &now))
			return true;
		return err_set(ret_why, ERR_STATE, "the primary or the collection is another one");
	}
	if (r->link->code && ret_why->code != ERR_AUTH && !link_passes_by(r->link, ret_why))
		return false;
	if (err)
		*err = *ret_why;
	*ret_why = (struct err)ERR_INIT;
	return false;
}

static bool first_batch(struct reading *r, bson_t *ret_reply, bson_iter_t *ret_documents, struct err *err)
{
	struct err why = ERR_INIT;
	char detail[TICK_NS_MAX + 64];

	if (!r->scan->token)
		return start_over(r, ret_reply, ret_documents, err);
	snprintf(detail, sizeof detail, "%s, behind %lld documents", r->scan->ns,
	    (long long)tally_counts(r->scan->tally).documents);
	if (go_on(r, ret_reply, ret_documents, &why, err)) {
		note(r->scan, "reading goes on where it was broken off", detail);
		return true;
	}
	if (why.code == ERR_NONE)
		return false;
	note(r->scan, "reading starts again from the first document", why.msg);
	bson_destroy(ret_reply);
	return start_over(r, ret_reply, ret_documents, err);
}

static bool look(struct reading *r, struct err *err)
{
	const struct collect_progress *progress = r->scan->progress;
	int64_t now = clock_mono_ms(r->link->clock), documents;

	if (link_stopped(r->link, err))
		return false;
	if (now < r->next_report_ms)
		return true;
	r->next_report_ms = now + REPORT_MS;
	documents = tally_counts(r->scan->tally).documents;
	if (progress->report)
		progress->report(progress->ctx, r->scan->ns, documents,
		    (double)(documents - r->had) * 1000 / (double)(now - r->start_ms));
	return true;
}

/* An orphan is left out, and has been read. */
static int64_t taken(const struct tally *tally)
{
	struct tally_counts counts = tally_counts(tally);

	return counts.documents + counts.orphans;
}

static bool drain(struct reading *r, struct worker *worker, struct err *err)
{
	bson_t replies[2] = {BSON_INITIALIZER, BSON_INITIALIZER};
	bson_iter_t documents;
	bool ok, fetched = first_batch(r, &replies[0], &documents, err), more = fetched;

	ok = fetched;
	for (int now = 0; more; now = !now) {
		bson_t *next = &replies[!now];
		int64_t before = taken(r->scan->tally);
		bool empty;

		worker_give(worker, &documents);
		more = r->cursor != 0;
		if (more) {
			bson_destroy(next);
			fetched = fetch(r, false, next, &documents, err);
		}
		/* also when fetching failed: the worker looks into a reply that is destroyed below */
		ok = worker_wait(worker, fetched ? err : NULL);
		empty = taken(r->scan->tally) == before;
		if (ok)
			ok = keep_token(r, &replies[now], empty, fetched ? err : NULL);
		else
			drop_token(r->scan);
		r->link->progress = r->link->progress || (r->scan->token && !empty);
		ok = ok && fetched && look(r, err);
		more = more && ok;
	}
	bson_destroy(&replies[0]);
	bson_destroy(&replies[1]);
	return ok;
}

/* The server keeps it for ten minutes otherwise. If it is another server, or the cursor is gone, nothing is lost. */
static void kill_left(struct reading *r)
{
	BSON_CLEANUP bson_t command = BSON_INITIALIZER, opts = BSON_INITIALIZER, reply = BSON_INITIALIZER;
	bson_t cursors;

	if (!r->scan->left)
		return;
	BSON_APPEND_UTF8(&command, "killCursors", r->coll);
	BSON_APPEND_ARRAY_BEGIN(&command, "cursors", &cursors);
	BSON_APPEND_INT64(&cursors, "0", r->scan->left);
	bson_append_array_end(&command, &cursors);
	BSON_APPEND_INT32(&opts, "serverId", (int32_t)r->server);
	link_command(r->link, r->db, &command, &opts, &reply, NULL);
	r->scan->left = 0;
}

/* Over all documents that have not been taken yet. */
static bool pass(struct link *link, void *arg, struct err *err)
{
	struct scan *scan = arg;
	const char *dot = strchr(scan->ns, '.');
	CLEANUP(worker) struct worker *worker = NULL;
	CLEANUP(mongoc_session) mongoc_client_session_t *session = NULL;
	struct reading r = {.link = link, .scan = scan, .coll = dot + 1, .start_ms = clock_mono_ms(link->clock)};
	bool ok;

	r.next_report_ms = r.start_ms + REPORT_MS;
	r.had = tally_counts(scan->tally).documents;
	snprintf(r.db, sizeof r.db, "%.*s", (int)(dot - scan->ns), scan->ns);
	ok = open_session(&r, err);
	session = r.session;
	if (!ok || !worker_new(scan->tally, &worker, err))
		return false;
	kill_left(&r);
	if (!drain(&r, worker, err)) {
		scan->left = r.cursor;
		return false;
	}
	scan->passes++;
	return true;
}

bool scan_run(struct link *link, struct scan *scan, struct err *err)
{
	bool ok;

	do {
		scan->starts = 0;
		ok = link_try(link, pass, scan, err);
		drop_token(scan);
	} while (ok && tally_incomplete(scan->tally) && scan->passes < PASSES_MAX);
	return ok && tally_finish(scan->tally, err);
}
