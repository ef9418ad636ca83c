#include "ticker/stream.h"

#include "mongo/bson_util.h"
#include "mongo/reply.h"
#include "ticker/outcome.h"
#include "ticker/schedule.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define KNOWN_MAX 4
static const int64_t retry_first_ms = 100, retry_most_ms = 1000, idle_most_ms = 4000;
static const int64_t ms_ns = 1000000;

struct stream {
	struct run *run;
	uint32_t index;
	struct tick_stream ticks;
	mongoc_client_t *client;
	mongoc_client_session_t *session;
	mongoc_collection_t *collection; /* for reading back */
	char db[TICK_NS_MAX];
	bson_t write_options, read_options;
	struct reply_watch watch;

	/* server processes that were found to belong to the run's cluster; a ring */
	bson_oid_t known[KNOWN_MAX];
	unsigned known_next;
	bool trusted;		/* the next command goes to one of them, as far as can be told */
	bool doubting, waiting; /* said so in the log */

	struct schedule schedule;
	int64_t seq;	    /* of the next tick */
	int64_t txn_number; /* of the last command sent */
	int64_t last_use_ns;
	int64_t refused_in_a_row;

	/* the outstanding command */
	int count;
	int64_t first;
	unsigned char (*bytes)[TICK_BSON_BYTES];
	bson_error_t error;
	bool error_set;
};

/* --- which cluster is this
 * ------------------------------------------------------------------------------------------------------ */

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

static bool is_known(const struct stream *s, const bson_oid_t *process)
{
	for (int i = 0; i < KNOWN_MAX; i++)
		if (!is_zero(process) && bson_oid_equal(&s->known[i], process))
			return true;
	return false;
}

enum cluster { CLUSTER_SAME, CLUSTER_OTHER, CLUSTER_UNREACHABLE };

static enum cluster compare(const struct run *run, const struct mongo_identity *now, struct err *err)
{
	if (!strcmp(now->kind, run->cluster.kind) && !strcmp(now->id, run->cluster.id))
		return CLUSTER_SAME;
	err_set(err, ERR_STATE, "the cluster changed: %s \"%s\" was at the beginning, now there is %s \"%s\"",
	    run->cluster.kind, run->cluster.id, now->kind, now->id);
	err_hint(err, "a run never spans two clusters: start psmdb-ticker again with a new journal");
	return CLUSTER_OTHER;
}

/*
 * A client that has seen a primary of a late term takes the primary of a set made anew, whose terms begin again, for a
 * stale one, and never says more than that it finds no primary. Only a client without memory sees who is there.
 */
static enum cluster look_afresh(const struct stream *s, struct err *err)
{
	CLEANUP(mongoc_client) mongoc_client_t *client = mongoc_client_new_from_uri(mongoc_client_get_uri(s->client));
	struct mongo_identity now;

	if (!client || !mongo_identify(client, &now, NULL))
		return CLUSTER_UNREACHABLE;
	return compare(s->run, &now, err) == CLUSTER_OTHER ? CLUSTER_OTHER : CLUSTER_UNREACHABLE;
}

static enum cluster look_at_cluster(struct stream *s, struct err *err)
{
	mongoc_server_description_t *server;
	struct mongo_identity now;
	bson_oid_t process;

	s->trusted = false;
	if (!mongo_identify(s->client, &now, err))
		return look_afresh(s, err);
	if (compare(s->run, &now, err) == CLUSTER_OTHER)
		return CLUSTER_OTHER;
	server = mongoc_client_select_server(s->client, true, NULL, NULL);
	process = process_of(server);
	if (server)
		mongoc_server_description_destroy(server);
	if (!is_zero(&process) && !is_known(s, &process))
		s->known[s->known_next++ % KNOWN_MAX] = process;
	s->trusted = true;
	s->last_use_ns = clock_mono_ns(s->run->clock);
	return CLUSTER_SAME;
}

/*
 * Whether the next command will go where the last look found the run's cluster. The driver checks a connection that was
 * idle for five seconds, and all of them once a minute, and makes new ones in silence, to whoever is there by then.
 */
static bool still_trusted(struct stream *s)
{
	mongoc_server_description_t *server;
	bson_oid_t process;

	if (!s->trusted || clock_mono_ns(s->run->clock) - s->last_use_ns > idle_most_ms * ms_ns)
		return false;
	server = mongoc_client_select_server(s->client, true, NULL, NULL);
	if (!server)
		return false;
	process = process_of(server);
	mongoc_server_description_destroy(server);
	return is_zero(&process) || is_known(s, &process);
}

/* Whether the last insert went to a process that is known. */
static bool went_to_known(struct stream *s)
{
	mongoc_server_description_t *server = mongoc_client_get_server_description(s->client, s->watch.seen.server_id);
	bson_oid_t process = process_of(server);

	if (server)
		mongoc_server_description_destroy(server);
	if (is_zero(&process))
		return s->trusted && s->watch.seen.attempts == 1 && s->watch.seen.last_answered;
	return is_known(s, &process);
}

/* Before the first command after trouble. False: not now. */
static bool ready(struct stream *s)
{
	struct err err = ERR_INIT;

	if (still_trusted(s))
		return true;
	switch (look_at_cluster(s, &err)) {
	case CLUSTER_SAME:
		s->waiting = false;
		return true;
	case CLUSTER_OTHER:
		run_fail(s->run, &err);
		return false;
	case CLUSTER_UNREACHABLE:
		if (!s->waiting)
			log_line(&s->run->log, LOG_WARN, "waiting for the server", "ns", s->ticks.ns, "cause", err.msg,
			    NULL);
		s->waiting = true;
		break;
	}
	clock_sleep_until(s->run->clock, clock_mono_ns(s->run->clock) + retry_first_ms * ms_ns, &s->run->stop);
	return false;
}

/* --- one command
 * ---------------------------------------------------------------------------------------------------------------- */

static bool note(struct stream *s, struct journal_record *rec, int offset, int count, bool was_unknown)
{
	struct err err = ERR_INIT;

	if (!count)
		return true;
	rec->stream = s->index;
	rec->first = s->first + offset;
	rec->last = rec->first + count - 1;
	if (gate_note(s->run->gate, rec, was_unknown, &err))
		return true;
	run_fail(s->run, &err);
	return false;
}

static bool note_doubt(struct stream *s, int offset, int count, int32_t code, const char *reason)
{
	struct journal_record rec = {.type = JOURNAL_UNKNOWN, .code = code};

	snprintf(rec.reason, sizeof rec.reason, "%s", reason);
	return note(s, &rec, offset, count, false);
}

static bool note_ack(struct stream *s, int offset, int count, bool exact, bool was_unknown)
{
	struct journal_record rec = {.type = JOURNAL_ACKED, .hi = s->watch.seen.optime, .exact = exact};

	return note(s, &rec, offset, count, was_unknown);
}

/* Builds the documents and journals them. */
static bool issue(struct stream *s, int count)
{
	struct journal_record rec = {
	    .type = JOURNAL_ISSUED, .stream = s->index, .first = s->seq, .last = s->seq + count - 1};
	struct err err = ERR_INIT;

	rec.created_at_ms = clock_wall_ms(s->run->clock);
	rec.lo = s->watch.latest;
	for (int i = 0; i < count; i++) {
		rec.sum = tick_build(&s->ticks, s->seq + i, rec.created_at_ms, s->bytes[i]);
		tick_digest_add(&rec.digest, s->seq + i, rec.sum);
	}
	s->first = s->seq;
	s->count = count;
	if (!gate_issue(s->run->gate, &rec, &err)) {
		run_fail(s->run, &err);
		return false;
	}
	s->seq += count;
	return true;
}

static void append_documents(const struct stream *s, int offset, int count, bson_t *command)
{
	bson_t array, doc;

	BSON_APPEND_ARRAY_BEGIN(command, "documents", &array);
	for (int i = 0; i < count; i++) {
		char buffer[16];
		const char *key;
		size_t len = bson_uint32_to_string((uint32_t)i, &key, buffer, sizeof buffer);

		bson_init_static(&doc, s->bytes[offset + i], TICK_BSON_BYTES);
		bson_append_document(&array, key, (int)len, &doc);
	}
	bson_append_array_end(command, &array);
}

/*
 * The command carries a transaction number, as the driver's retryable writes do: a server refuses whatever of this
 * session comes late, after a higher number. But the driver is not let to repeat it, since it would do so without
 * asking which cluster it has found.
 */
static const bson_error_t *send_ticks(struct stream *s, int offset, int count, bool ordered)
{
	BSON_CLEANUP bson_t command = BSON_INITIALIZER;
	BSON_CLEANUP bson_t reply;

	BSON_APPEND_UTF8(&command, "insert", s->ticks.ns + strlen(s->db) + 1);
	BSON_APPEND_BOOL(&command, "ordered", ordered);
	BSON_APPEND_INT64(&command, "txnNumber", ++s->txn_number);
	append_documents(s, offset, count, &command);
	reply_watch_begin(&s->watch);
	s->error_set =
	    !mongoc_client_write_command_with_opts(s->client, s->db, &command, &s->write_options, &reply, &s->error);
	s->last_use_ns = clock_mono_ns(s->run->clock);
	return s->error_set ? &s->error : NULL;
}

/* --- a command in doubt
 * --------------------------------------------------------------------------------------------------------- */

enum present { PRESENT_OURS, PRESENT_OTHER, PRESENT_NOT_TOLD };

static void append_id_range(bson_t *filter, const unsigned char *first, const unsigned char *last)
{
	bson_oid_t from, to;
	bson_t range;

	bson_oid_init_from_data(&from, first + 9);
	bson_oid_init_from_data(&to, last + 9);
	BSON_APPEND_DOCUMENT_BEGIN(filter, "_id", &range);
	BSON_APPEND_OID(&range, "$gte", &from);
	BSON_APPEND_OID(&range, "$lte", &to);
	bson_append_document_end(filter, &range);
}

/* The server has documents with our ids: are they ours, byte for byte? Their ids are consecutive, so one scan by _id
 * meets them in our order. */
static enum present read_back(struct stream *s, int offset, int count)
{
	BSON_CLEANUP bson_t filter = BSON_INITIALIZER;
	mongoc_cursor_t *cursor;
	const bson_t *doc;
	bool equal = true;
	int found = 0;

	append_id_range(&filter, s->bytes[offset], s->bytes[offset + count - 1]);
	cursor = mongoc_collection_find_with_opts(s->collection, &filter, &s->read_options, NULL);
	while (equal && found < count && mongoc_cursor_next(cursor, &doc)) {
		equal = doc->len == TICK_BSON_BYTES &&
			!memcmp(bson_get_data(doc), s->bytes[offset + found], TICK_BSON_BYTES);
		found += equal;
	}
	mongoc_cursor_destroy(cursor);
	if (!equal)
		return PRESENT_OTHER;
	return found == count ? PRESENT_OURS : PRESENT_NOT_TOLD;
}

/* Sends the documents once more. True: their fate is known and noted, or the run failed. */
static bool try_again(struct stream *s, int offset, int count)
{
	const bson_error_t *error;
	struct err err = ERR_INIT;
	enum outcome_again again;

	switch (look_at_cluster(s, &err)) {
	case CLUSTER_UNREACHABLE:
		return false;
	case CLUSTER_OTHER:
		run_fail(s->run, &err);
		return true;
	case CLUSTER_SAME:
		break;
	}
	error = send_ticks(s, offset, count, false);
	again = outcome_of_again(&s->watch.seen, error, count);
	if (again == AGAIN_UNKNOWN || !went_to_known(s))
		return false;
	if (again == AGAIN_PRESENT) {
		switch (read_back(s, offset, count)) {
		case PRESENT_OURS:
			break;
		case PRESENT_NOT_TOLD:
			return false;
		case PRESENT_OTHER:
			err_set(&err, ERR_BROKEN,
			    "another document has the _id of tick %" PRId64 " or a later one in \"%s\"",
			    s->first + offset, s->ticks.ns);
			err_hint(&err, "something else writes there: look at the collection, and start again");
			run_fail(s->run, &err);
			return true;
		}
	}
	note_ack(s, offset, count, false, true);
	return true;
}

static int64_t give_up_at(const struct stream *s, int64_t since_ns)
{
	int64_t stop_ns = atomic_load(&s->run->stop_ns),
		from = run_stopping(s->run) && stop_ns < since_ns ? stop_ns : since_ns;

	return from + s->run->options->give_up_ms * ms_ns;
}

/* True: its fate is known, or the run is at its end. */
static bool resolve(struct stream *s, int offset, int count)
{
	const struct clock *clock = s->run->clock;
	int64_t since_ns = clock_mono_ns(clock), pause_ms = retry_first_ms;

	for (;;) {
		int64_t now_ns = clock_mono_ns(clock), until_ns = give_up_at(s, since_ns);

		if (now_ns >= until_ns)
			return false;
		if (try_again(s, offset, count))
			return true;
		now_ns = clock_mono_ns(clock) + pause_ms * ms_ns;
		clock_sleep_until(clock, now_ns < until_ns ? now_ns : until_ns, NULL);
		pause_ms = pause_ms * 2 > retry_most_ms ? retry_most_ms : pause_ms * 2;
	}
}

static void log_doubt(struct stream *s, const struct outcome *o)
{
	char seq[24], code[16];

	if (s->doubting)
		return;
	snprintf(seq, sizeof seq, "%" PRId64, s->first);
	snprintf(code, sizeof code, "%d", o->code);
	log_line(&s->run->log, LOG_WARN, o->unknown ? "tick in doubt" : "tick refused", "ns", s->ticks.ns, "seq", seq,
	    "code", code, "reason", o->reason, NULL);
	s->doubting = true;
}

/* The first command of a stream proves that it may write; without that there is no run. */
static void fail_first(struct stream *s, const struct outcome *o)
{
	struct err err = ERR_INIT;
	char what[TICK_NS_MAX + 64];

	snprintf(what, sizeof what, "write the first tick into \"%s\"", s->ticks.ns);
	if (s->error_set)
		mongo_error(&s->error, NULL, &err, what);
	else
		err_set(&err, ERR_REMOTE, "%s: %s (code %d)", what, o->reason, o->code);
	run_fail(s->run, &err);
}

/* A server that refuses all is asked less and less often, down to once a second. */
static void calm_down(struct stream *s)
{
	int64_t pause_ms = retry_first_ms * ++s->refused_in_a_row;

	clock_sleep_until(s->run->clock,
	    clock_mono_ns(s->run->clock) + (pause_ms > retry_most_ms ? retry_most_ms : pause_ms) * ms_ns,
	    &s->run->stop);
}

static bool settle(struct stream *s, struct outcome *o)
{
	bool first = s->first == 1, known = true;
	struct journal_record refused = {.type = JOURNAL_FAILED, .code = o->code};

	snprintf(refused.reason, sizeof refused.reason, "%s", o->reason);
	if (!note_ack(s, 0, o->acked, o->exact, false) || !note(s, &refused, o->acked, o->failed, false) ||
	    !note_doubt(s, o->acked + o->failed, o->unknown, o->code, o->reason))
		return false;
	if (o->failed || o->unknown) {
		log_doubt(s, o);
		s->trusted = s->trusted && !o->unknown;
	}
	if (o->unknown)
		known = resolve(s, o->acked + o->failed, o->unknown);
	if (first && (o->failed || !known)) {
		fail_first(s, o);
		return false;
	}
	if (!o->failed && known) {
		if (s->doubting && !run_stopping(s->run))
			log_line(&s->run->log, LOG_INFO, "ticks go through again", "ns", s->ticks.ns, NULL);
		s->doubting = false;
		s->refused_in_a_row = 0;
	} else if (o->failed) {
		calm_down(s);
	}
	return true;
}

static bool one_command(struct stream *s, int count)
{
	const bson_error_t *error;
	struct err err = ERR_INIT;
	struct outcome o;

	if (!issue(s, count))
		return false;
	error = send_ticks(s, 0, count, true);
	outcome_of_first(&s->watch.seen, error, count, &o);
	if (o.acked && !went_to_known(s)) {
		/* an acknowledgement counts only if it is this cluster's */
		switch (look_at_cluster(s, &err)) {
		case CLUSTER_SAME:
			break;
		case CLUSTER_OTHER:
			note_doubt(s, 0, count, 0, "acknowledged by another cluster");
			run_fail(s->run, &err);
			return false;
		case CLUSTER_UNREACHABLE:
			o = (struct outcome){.unknown = count};
			snprintf(o.reason, sizeof o.reason, "acknowledged by a server that could not be identified");
		}
	}
	return settle(s, &o);
}

/* --- the stream
 * ----------------------------------------------------------------------------------------------------------------- */

static bool has_ended(const struct stream *s, int64_t due_ns)
{
	const struct options *o = s->run->options;

	return o->duration_ms && due_ns - s->run->start_ns >= o->duration_ms * ms_ns;
}

static int next_count(const struct stream *s)
{
	const struct options *o = s->run->options;
	int count = schedule_batch_at(s->seq, (int)o->batch);
	int64_t left = o->count ? o->count - (s->seq - 1) : count;

	return left < count ? (int)left : count;
}

void *stream_main(void *stream)
{
	struct stream *s = stream;
	struct run *run = s->run;
	int64_t skipped = 0;
	int count;

	schedule_init(&s->schedule, run->start_ns, run->options->rate);
	while (!run_stopping(run) && (count = next_count(s)) > 0) {
		int64_t due_ns = schedule_take(&s->schedule, clock_mono_ns(run->clock), count);

		atomic_fetch_add(&run->skipped, s->schedule.skipped - skipped);
		skipped = s->schedule.skipped;
		if (has_ended(s, due_ns) || !clock_sleep_until(run->clock, due_ns, &run->stop))
			break;
		if (ready(s) && !one_command(s, count))
			break;
	}
	run_stream_ended(run);
	return NULL;
}

static bool make_options(struct stream *s, struct err *err)
{
	mongoc_write_concern_t *wc = mongoc_write_concern_new();
	bson_error_t error = {0};
	bson_t child;
	bool ok;

	mongoc_write_concern_set_wmajority(wc, (int32_t)s->run->options->write_timeout_ms);
	mongoc_write_concern_set_journal(wc, true);
	ok = mongoc_write_concern_append(wc, &s->write_options) &&
	     mongoc_client_session_append(s->session, &s->write_options, &error) &&
	     mongoc_client_session_append(s->session, &s->read_options, &error);
	mongoc_write_concern_destroy(wc);
	BSON_APPEND_DOCUMENT_BEGIN(&s->read_options, "readConcern", &child);
	BSON_APPEND_UTF8(&child, "level", "majority");
	bson_append_document_end(&s->read_options, &child);
	BSON_APPEND_DOCUMENT_BEGIN(&s->read_options, "sort", &child);
	BSON_APPEND_INT32(&child, "_id", 1);
	bson_append_document_end(&s->read_options, &child);
	return ok || err_set(err, ERR_REMOTE, "prepare the writes into \"%s\": %s", s->ticks.ns, error.message);
}

static bool connect_stream(struct stream *s, struct err *err)
{
	bson_error_t error = {0};
	const char *dot = strchr(s->ticks.ns, '.');

	if (!mongo_client_new(&s->run->target, &s->client, err))
		return false;
	reply_watch_attach(&s->watch, s->client, "insert");
	if (look_at_cluster(s, err) != CLUSTER_SAME)
		return false;
	if (optime_is_zero(s->watch.latest)) {
		err_set(err, ERR_STATE, "the server's replies carry no operation time");
		return err_hint(err, "it must be a member of a replica set or a mongos, MongoDB 4.4 or newer");
	}
	s->session = mongoc_client_start_session(s->client, NULL, &error);
	if (!s->session)
		return mongo_error(&error, NULL, err, "start a session");
	memcpy(s->db, s->ticks.ns, (size_t)(dot - s->ticks.ns)); /* the rest is zeros */
	s->collection = mongoc_client_get_collection(s->client, s->db, dot + 1);
	s->bytes = calloc((size_t)s->run->options->batch, sizeof *s->bytes);
	return s->bytes ? make_options(s, err) : err_nomem(err);
}

bool stream_new(struct run *run, uint32_t index, const char *ns, int32_t writer, struct stream **ret, struct err *err)
{
	struct stream *s = calloc(1, sizeof *s);

	if (!s)
		return err_nomem(err);
	s->run = run;
	s->index = index;
	s->seq = 1;
	bson_init(&s->write_options);
	bson_init(&s->read_options);
	tick_stream_init(&s->ticks, &run->id, ns, writer);
	if (!connect_stream(s, err)) {
		stream_free(s);
		return false;
	}
	*ret = s;
	return true;
}

void stream_free(struct stream *s)
{
	if (!s)
		return;
	free(s->bytes);
	bson_destroy(&s->write_options);
	bson_destroy(&s->read_options);
	if (s->collection)
		mongoc_collection_destroy(s->collection);
	if (s->session)
		mongoc_client_session_destroy(s->session);
	if (s->client)
		mongoc_client_destroy(s->client);
	free(s);
}
