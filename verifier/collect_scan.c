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
	int64_t cursor; /* 0: no more */
	int64_t start_ms, next_report_ms;
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
	if (!r->session)
		return link_fail(r->link, &error, NULL, "start a session", err);
	/* the driver makes it the find's afterClusterTime */
	mongoc_client_session_advance_operation_time(r->session, r->scan->after.t, r->scan->after.i);
	return true;
}

static bool read_options(const struct reading *r, bool first, bson_t *opts, struct err *err)
{
	mongoc_read_concern_t *concern;
	bson_error_t error = {0};
	bool ok = true;

	if (first) {
		concern = mongoc_read_concern_new();
		mongoc_read_concern_set_level(concern, MONGOC_READ_CONCERN_LEVEL_MAJORITY);
		ok = mongoc_read_concern_append(concern, opts);
		mongoc_read_concern_destroy(concern);
	}
	if (!ok || !BSON_APPEND_INT32(opts, "serverId", (int32_t)r->server))
		return err_nomem(err);
	return mongoc_client_session_append(r->session, opts, &error) ||
	       err_set(err, ERR_REMOTE, "use a session: %s", error.message);
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
		BSON_APPEND_UTF8(&command, "find", r->coll);
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
		progress->report(
		    progress->ctx, r->scan->ns, documents, (double)documents * 1000 / (double)(now - r->start_ms));
	return true;
}

static bool drain(struct reading *r, struct worker *worker, struct err *err)
{
	bson_t replies[2] = {BSON_INITIALIZER, BSON_INITIALIZER};
	bson_iter_t documents;
	bool ok, fetched = fetch(r, true, &replies[0], &documents, err), more = fetched;

	ok = fetched;
	for (int now = 0; more; now = !now) {
		bson_t *next = &replies[!now];

		worker_give(worker, &documents);
		more = r->cursor != 0;
		if (more) {
			bson_destroy(next);
			fetched = fetch(r, false, next, &documents, err);
		}
		/* also when fetching failed: the worker looks into a reply that is destroyed below */
		ok = worker_wait(worker, fetched ? err : NULL) && fetched && look(r, err);
		more = more && ok;
	}
	bson_destroy(&replies[0]);
	bson_destroy(&replies[1]);
	return ok;
}

/* One pass over all documents, from the first one on. */
static bool pass(struct link *link, void *arg, struct err *err)
{
	struct scan *scan = arg;
	const char *dot = strchr(scan->ns, '.');
	CLEANUP(worker) struct worker *worker = NULL;
	CLEANUP(mongoc_session) mongoc_client_session_t *session = NULL;
	struct reading r = {.link = link, .scan = scan, .coll = dot + 1, .start_ms = clock_mono_ms(link->clock)};
	bool ok;

	r.next_report_ms = r.start_ms + REPORT_MS;
	snprintf(r.db, sizeof r.db, "%.*s", (int)(dot - scan->ns), scan->ns);
	tally_restart(scan->tally);
	ok = open_session(&r, err);
	session = r.session;
	if (!ok || !worker_new(scan->tally, &worker, err) || !drain(&r, worker, err))
		return false;
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
