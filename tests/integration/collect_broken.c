/* Readings that are broken off in the middle: where they go on, and where they must start again. */
#include "tests/integration/collect_support.h"

#include "mongo/bson_util.h"
#include "mongo/client.h"

#include <signal.h>

#define ALL 5000
#define SLACK 50 /* documents that others are given meanwhile */
#define BATCHES "--batch-size", "100", "--wait", "10s"
#define SAID_GOES_ON "reading goes on where it was broken off"
#define SAID_STARTS_AGAIN "reading starts again from the first document"

/* How many documents the server has handed out, to anybody: what was read, as the other side counts it. */
static int64_t handed_out(struct bench *b)
{
	BSON_CLEANUP bson_t command = BSON_INITIALIZER, reply = BSON_INITIALIZER;
	struct err err = ERR_INIT;
	int64_t count = 0;

	BSON_APPEND_INT32(&command, "serverStatus", 1);
	if (!mongo_command(b->mongod.root, "admin", &command, &reply, &err) ||
	    !bson_path_i64(&reply, "metrics.document.returned", &count))
		bench_die(b, "ask how many documents were read", &err);
	return count;
}

static void run(struct bench *b, const char *db, const char *json)
{
	struct err err = ERR_INIT;

	if (!mongod_fixture_run(&b->mongod, db, &err, "%s", json))
		bench_die(b, json, &err);
}

static void broken_readings(struct bench *b)
{
	static const struct {
		const char *data, *sentence;
	} faults[] = {
	    {"\"errorCode\": 237", "a cursor that says it was killed: reading goes on, nothing counted twice"},
	    {"\"errorCode\": 43", "a cursor that is not found any more: the same"},
	    {"\"closeConnection\": true", "a connection reset in the middle: the same"},
	    {"\"errorCode\": 189", "a primary that steps down in the middle: the same"},
	};
	static const char *const args[] = {BATCHES, NULL};
	int64_t before;

	bench_fill(b);
	for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
		before = handed_out(b);
		bench_fail(b, "getMore", 1, faults[i].data);
		bench_run(b, USER, PASSWORD, args);
		bench_heal(b);
		OK(bench_said(b, "trying again") && bench_said(b, SAID_GOES_ON) && !bench_said(b, SAID_STARTS_AGAIN) &&
			bench_collected(b) && b->seen.documents == ALL && b->seen.intact == ALL &&
			!b->seen.anomalies_total,
		    faults[i].sentence);
		tap_ok(&b->tap, handed_out(b) - before < ALL + SLACK, "... and no document was read twice",
		    "%lld documents", (long long)(handed_out(b) - before));
	}
	before = handed_out(b);
	bench_fail(b, "getMore", 1000, "\"closeConnection\": true");
	bench_run(b, USER, PASSWORD, ARGS("--batch-size", "500", "--wait", "10s"));
	bench_heal(b);
	OK(bench_collected(b) && b->seen.documents == ALL && b->seen.intact == ALL,
	    "a connection that is reset behind each batch: as long as it gets further, it goes on");
	tap_ok(&b->tap, handed_out(b) - before < ALL + SLACK, "... and no document was read twice", "%lld documents",
	    (long long)(handed_out(b) - before));
	/* the probe's find and those of both namespaces pass, and some getMores */
	run(b, "admin",
	    "{\"configureFailPoint\": \"failCommand\", \"mode\": {\"skip\": 8}, \"data\": {\"failCommands\": "
	    "[\"find\", "
	    "\"getMore\"], \"appName\": \"psmdb-verify collect\", \"closeConnection\": true}}");
	bench_run(b, USER, PASSWORD, args);
	bench_heal(b);
	OK(b->status == 3 && bench_left_nothing(b) && bench_said(b, "4 attempts"),
	    "a connection that is reset each time, and nothing read any more: exit 3, no file");
	bench_fail(b, "find", 1, "\"errorCode\": 13");
	bench_run(b, USER, PASSWORD, args);
	bench_heal(b);
	OK(bench_collected(b) && b->seen.intact == 5000 && b->seen.probes[1].attempts == 2,
	    "one refusal right after a restore is forgiven");
	bench_fail(b, "find", 2, "\"errorCode\": 13");
	bench_run(b, USER, PASSWORD, args);
	bench_heal(b);
	OK(b->status == 3 && bench_left_nothing(b), "two are not");
}

/* Kills the first open cursor on drill.ticker; false if there is none yet. */
static bool kill_cursor(void *arg, struct err *err)
{
	struct bench *b = arg;
	CLEANUP(bson)
	bson_t *pipeline =
	    bson_new_from_json((const uint8_t *)"{\"pipeline\": [{\"$currentOp\": {\"idleCursors\": true, "
						"\"allUsers\": true}}, {\"$match\": {\"type\": "
						"\"idleCursor\", \"ns\": \"drill.ticker\"}}]}",
		-1, NULL);
	mongoc_database_t *admin = mongoc_client_get_database(b->mongod.root, "admin");
	mongoc_cursor_t *cursor = mongoc_database_aggregate(admin, pipeline, NULL, NULL);
	const bson_t *doc;
	int64_t id = 0;
	bool killed = false;

	if (mongoc_cursor_next(cursor, &doc) && bson_path_i64(doc, "cursor.cursorId", &id))
		killed = mongod_fixture_run(&b->mongod, "drill", err,
		    "{\"killCursors\": \"ticker\", \"cursors\": [{\"$numberLong\": \"%lld\"}]}", (long long)id);
	mongoc_cursor_destroy(cursor);
	mongoc_database_destroy(admin);
	return killed;
}

static void cursor_killed_by_another(struct bench *b)
{
	struct err err = ERR_INIT;
	pid_t pid;
	bool killed;

	/* slowed down, so that there is time to kill it */
	bench_fail(b, "getMore", 100, "\"blockConnection\": true, \"blockTimeMS\": 100");
	pid = bench_start(b, USER, PASSWORD, ARGS("--batch-size", "100", "--wait", "10s"));
	killed = wait_for(clock_system(), "a cursor", 20000, 10, NULL, kill_cursor, b, &err);
	bench_heal(b);
	bench_wait(b, pid);
	OK(killed && bench_said(b, SAID_GOES_ON) && bench_collected(b) && b->seen.intact == 5000 &&
		b->seen.documents == 5000,
	    "a cursor killed by another client: reading goes on, nothing counted twice");
}

static void interrupted(struct bench *b)
{
	struct err err = ERR_INIT;
	pid_t pid;
	bool reading;

	bench_fail(b, "getMore", 1000, "\"blockConnection\": true, \"blockTimeMS\": 100");
	pid = bench_start(b, USER, PASSWORD, ARGS("--batch-size", "10", "--wait", "10s", "--ns", "drill.ticker"));
	/* once its cursor has been killed it certainly reads */
	reading = wait_for(clock_system(), "a cursor", 20000, 10, NULL, kill_cursor, b, &err);
	kill(pid, SIGINT);
	bench_heal(b);
	bench_wait(b, pid);
	OK(reading && b->status == 130 && bench_left_nothing(b), "Ctrl-C: exit 130, no file");
}

/* --- what happens to the data meanwhile
 * --------------------------------------------------------------------------------------------------- */

/* Holds the program in its first getMore, on drill.ticker, until let_go: one batch, of 100, has been taken. */
static void hold(struct bench *b, bool on)
{
	run(b, "admin",
	    on ? "{\"configureFailPoint\": \"waitAfterPinningCursorBeforeGetMoreBatch\", \"mode\": \"alwaysOn\", "
		 "\"data\": "
		 "{\"shouldCheckForInterrupt\": true}}"
	       : "{\"configureFailPoint\": \"waitAfterPinningCursorBeforeGetMoreBatch\", \"mode\": \"off\"}");
}

static bool held_cursor(struct bench *b, int64_t *ret)
{
	static const char json[] =
	    "{\"pipeline\": [{\"$currentOp\": {\"allUsers\": true}}, {\"$match\": {\"op\": \"getmore\", "
	    "\"ns\": \"drill.ticker\"}}]}";
	CLEANUP(bson) bson_t *pipeline = bson_new_from_json((const uint8_t *)json, -1, NULL);
	mongoc_database_t *admin = mongoc_client_get_database(b->mongod.root, "admin");
	mongoc_cursor_t *cursor = mongoc_database_aggregate(admin, pipeline, NULL, NULL);
	const bson_t *doc;
	bool found = mongoc_cursor_next(cursor, &doc) && bson_path_i64(doc, "command.getMore", ret);

	mongoc_cursor_destroy(cursor);
	mongoc_database_destroy(admin);
	return found;
}

static bool is_held(void *arg, struct err *err)
{
	int64_t ignored;

	(void)err;
	return held_cursor(arg, &ignored);
}

static pid_t start_and_hold(struct bench *b)
{
	struct err err = ERR_INIT;
	pid_t pid;

	bench_fill(b);
	hold(b, true);
	pid = bench_start(b, USER, PASSWORD, ARGS(BATCHES, "--ns", "drill.ticker"));
	if (!wait_for(clock_system(), "the second batch", 20000, 10, NULL, is_held, b, &err)) {
		kill(pid, SIGKILL);
		bench_die(b, "hold the program", &err);
	}
	return pid;
}

static void break_off(struct bench *b, pid_t pid)
{
	struct err err = ERR_INIT;
	int64_t id;

	if (!held_cursor(b, &id) ||
	    !mongod_fixture_run(&b->mongod, "drill", &err,
		"{\"killCursors\": \"ticker\", \"cursors\": [{\"$numberLong\": \"%lld\"}]}", (long long)id))
		bench_die(b, "kill the cursor", &err);
	hold(b, false);
	bench_wait(b, pid);
}

static void delete_tick(struct bench *b, int64_t seq)
{
	struct tick_stream one = bench_stream(1, "drill.ticker", 1);
	BSON_CLEANUP bson_t filter = BSON_INITIALIZER;

	BSON_APPEND_INT32(&filter, "writer", 1);
	BSON_APPEND_BINARY(&filter, "run", BSON_SUBTYPE_UUID, one.run.bytes, 16);
	BSON_APPEND_INT64(&filter, "seq", seq);
	bench_delete(b, "drill.ticker", &filter);
}

static bool has(const struct bench *b, int64_t seq)
{
	for (size_t i = 0; i < b->seen.stream_count; i++)
		if (b->seen.streams[i].run.bytes[0] == 1 && b->seen.streams[i].writer == 1)
			return intervals_count_in(&b->seen.streams[i].intact, seq, seq) == 1;
	return false;
}

static void others_write(struct bench *b)
{
	struct tick_stream one = bench_stream(1, "drill.ticker", 1);
	pid_t pid = start_and_hold(b);
	int64_t before = handed_out(b);

	delete_tick(b, 50);
	delete_tick(b, 150);
	bench_insert_ticks(b, &one, 1001, 1010);
	break_off(b, pid);
	OK(bench_said(b, SAID_GOES_ON) && bench_collected(b) && b->seen.documents == 3009 && b->seen.intact == 3009 &&
		has(b, 50) && !has(b, 150) && has(b, 1010),
	    "documents deleted and inserted meanwhile: the rest is read as it is now");
	tap_ok(&b->tap, handed_out(b) - before < 2910 + SLACK, "... and the first batch not again", "%lld documents",
	    (long long)(handed_out(b) - before));
}

static void the_record_is_gone(struct bench *b)
{
	pid_t pid = start_and_hold(b);

	delete_tick(b, 100);
	break_off(b, pid);
	OK(bench_said(b, SAID_STARTS_AGAIN) && bench_collected(b) && b->seen.documents == 2999 &&
		b->seen.intact == 2999 && !has(b, 100),
	    "the document behind which to go on is deleted: from the first one again, and said");
}

static void another_collection(struct bench *b)
{
	struct tick_stream other = bench_stream(9, "drill.ticker", 1);
	pid_t pid = start_and_hold(b);

	run(b, "drill", "{\"drop\": \"ticker\"}");
	bench_insert_ticks(b, &other, 1, 500);
	/* the drop has killed the cursor */
	hold(b, false);
	bench_wait(b, pid);
	OK(bench_said(b, SAID_STARTS_AGAIN) && bench_collected(b) && b->seen.documents == 500 &&
		b->seen.stream_count == 1,
	    "the collection was dropped and made anew: from its first document");
}

static bool has_primary(void *arg, struct err *err)
{
	struct bench *b = arg;
	struct err ignored = ERR_INIT;

	(void)err;
	return mongod_fixture_run(&b->mongod, "drill", &ignored,
	    "{\"insert\": \"elections\", \"documents\": [{}], \"writeConcern\": {\"w\": \"majority\"}}");
}

static void elected_again(struct bench *b)
{
	pid_t pid = start_and_hold(b);
	struct err err = ERR_INIT;

	run(b, "admin", "{\"replSetStepDown\": 1, \"force\": true}");
	if (!wait_for(clock_system(), "the next election", 20000, 20, NULL, has_primary, b, &err))
		bench_die(b, "elect again", &err);
	break_off(b, pid);
	OK(bench_said(b, SAID_STARTS_AGAIN) && bench_collected(b) && b->seen.documents == 3000 &&
		b->seen.intact == 3000,
	    "an election meanwhile, of the same process: from the first document again");
}

static void restarted(struct bench *b)
{
	pid_t pid = start_and_hold(b);
	struct err err = ERR_INIT;

	if (!mongod_fixture_restart(&b->mongod, &err))
		bench_die(b, "restart mongod", &err);
	bench_wait(b, pid);
	OK(bench_said(b, SAID_STARTS_AGAIN) && bench_collected(b) && b->seen.documents == 3000 &&
		b->seen.intact == 3000,
	    "mongod killed and started again: from the first document again");
}

void collect_broken(struct bench *b)
{
	broken_readings(b);
	cursor_killed_by_another(b);
	interrupted(b);
	others_write(b);
	the_record_is_gone(b);
	another_collection(b);
	elected_again(b);
	restarted(b);
}
