#include "tests/integration/collect_support.h"

#include "base/file.h"
#include "mongo/bson_util.h"
#include "mongo/client.h"

#include <dirent.h>
#include <stdlib.h>
#include <unistd.h>

#define CHILD_MS 120000

void bench_die(struct bench *b, const char *what, const struct err *err)
{
	tap_ok(&b->tap, false, what, "%s", err->msg);
	mongod_fixture_stop(&b->mongod);
	exit(tap_done(&b->tap) ? 1 : 1);
}

/* --- the database
 * ----------------------------------------------------------------------------------------------------------------- */

struct tick_stream bench_stream(unsigned char run, const char *ns, int32_t writer)
{
	struct uuid uuid = {{run, 7, 7, 7, 7, 7, 0x47, 7, 0x87, 7, 7, 7, 7, 7, 7, 7}};
	struct tick_stream stream;

	tick_stream_init(&stream, &uuid, ns, writer);
	return stream;
}

static mongoc_collection_t *collection_of(struct bench *b, const char *ns)
{
	const char *dot = strchr(ns, '.');
	char db[64];

	snprintf(db, sizeof db, "%.*s", (int)(dot - ns), ns);
	return mongoc_client_get_collection(b->mongod.root, db, dot + 1);
}

static void must(struct bench *b, bool ok, const bson_error_t *error, const char *what)
{
	struct err err = ERR_INIT;

	if (ok)
		return;
	err_set(&err, ERR_REMOTE, "%s", error->message);
	bench_die(b, what, &err);
}

void bench_insert_ticks(struct bench *b, const struct tick_stream *stream, int64_t first, int64_t last)
{
	mongoc_collection_t *collection = collection_of(b, stream->ns);
	mongoc_bulk_operation_t *bulk = mongoc_collection_create_bulk_operation_with_opts(collection, NULL);
	unsigned char bytes[TICK_BSON_BYTES];
	bson_error_t error = {0};
	bson_t doc, reply;

	for (int64_t seq = first; seq <= last; seq++) {
		tick_build(stream, seq, BASE_MS + 1000 * seq, bytes);
		bson_init_static(&doc, bytes, sizeof bytes);
		must(b, mongoc_bulk_operation_insert_with_opts(bulk, &doc, NULL, &error), &error, "insert ticks");
	}
	must(b, mongoc_bulk_operation_execute(bulk, &reply, &error), &error, "insert ticks");
	bson_destroy(&reply);
	mongoc_bulk_operation_destroy(bulk);
	mongoc_collection_destroy(collection);
}

void bench_insert(struct bench *b, const char *ns, const bson_t *doc)
{
	mongoc_collection_t *collection = collection_of(b, ns);
	bson_error_t error = {0};

	must(b, mongoc_collection_insert_one(collection, doc, NULL, NULL, &error), &error, "insert a document");
	mongoc_collection_destroy(collection);
}

void bench_insert_json(struct bench *b, const char *ns, const char *json)
{
	bson_error_t error = {0};
	bson_t *doc = bson_new_from_json((const uint8_t *)json, -1, &error);

	must(b, doc, &error, "read JSON");
	bench_insert(b, ns, doc);
	bson_destroy(doc);
}

void bench_delete(struct bench *b, const char *ns, const bson_t *filter)
{
	mongoc_collection_t *collection = collection_of(b, ns);
	bson_error_t error = {0};

	must(b, mongoc_collection_delete_many(collection, filter, NULL, NULL, &error), &error, "delete documents");
	mongoc_collection_destroy(collection);
}

static void replace(struct bench *b, const char *ns, const bson_t *filter, const bson_t *doc)
{
	mongoc_collection_t *collection = collection_of(b, ns);
	bson_error_t error = {0};

	must(b, mongoc_collection_replace_one(collection, filter, doc, NULL, NULL, &error), &error,
	    "replace a document");
	mongoc_collection_destroy(collection);
}

void bench_damage(struct bench *b, const struct tick_stream *stream, int64_t seq, enum damage how, bool keep)
{
	BSON_CLEANUP bson_t filter = BSON_INITIALIZER;
	unsigned char bytes[TICK_BSON_BYTES];
	bson_oid_t oid;
	bson_t damaged;

	tick_build(stream, seq, BASE_MS + 1000 * seq, bytes);
	memcpy(oid.bytes, bytes + 9, sizeof oid.bytes);
	BSON_APPEND_OID(&filter, "_id", &oid);
	damage_tick(how, bytes, &damaged);
	switch (how) {
	case ID_REPLACED:
	case ID_REPLACED_SUM_MENDED:
	case ID_OF_A_LATER_TICK:
	case ID_IS_A_NUMBER:
		if (!keep)
			bench_delete(b, stream->ns, &filter);
		bench_insert(b, stream->ns, &damaged);
		break;
	default:
		replace(b, stream->ns, &filter, &damaged);
	}
	bson_destroy(&damaged);
}

static void run(struct bench *b, const char *db, const char *json)
{
	struct err err = ERR_INIT;

	if (!mongod_fixture_run(&b->mongod, db, &err, "%s", json))
		bench_die(b, json, &err);
}

void bench_drop(struct bench *b)
{
	static const char *const collections[] = {"ticker", "probe", "pbmRestores", "pbmBackups"};
	struct err ignored;

	for (size_t i = 0; i < sizeof collections / sizeof *collections; i++) {
		mongod_fixture_run(&b->mongod, "drill", &ignored, "{\"drop\": \"%s\"}", collections[i]);
		mongod_fixture_run(&b->mongod, "admin", &ignored, "{\"drop\": \"%s\"}", collections[i]);
	}
}

void bench_fill(struct bench *b)
{
	struct tick_stream streams[] = {bench_stream(1, "admin.ticker", 1), bench_stream(1, "admin.ticker", 2),
	    bench_stream(1, "drill.ticker", 1), bench_stream(1, "drill.ticker", 2), bench_stream(2, "drill.ticker", 1)};

	bench_drop(b);
	/* interleaved, as writers are */
	for (int64_t part = 0; part < 4; part++)
		for (size_t i = 0; i < sizeof streams / sizeof *streams; i++)
			bench_insert_ticks(b, &streams[i], part * 250 + 1, part * 250 + 250);
}

int64_t bench_count(struct bench *b, const char *ns)
{
	mongoc_collection_t *collection = collection_of(b, ns);
	BSON_CLEANUP bson_t all = BSON_INITIALIZER;
	int64_t count = mongoc_collection_count_documents(collection, &all, NULL, NULL, NULL, NULL);

	mongoc_collection_destroy(collection);
	return count;
}

void bench_fail(struct bench *b, const char *command, int times, const char *extra)
{
	char json[512];

	snprintf(json, sizeof json,
	    "{\"configureFailPoint\": \"failCommand\", \"mode\": {\"times\": %d}, \"data\": {\"failCommands\": "
	    "[\"%s\"], "
	    "\"appName\": \"psmdb-verify collect\", %s}}",
	    times, command, extra);
	run(b, "admin", json);
}

void bench_heal(struct bench *b)
{
	run(b, "admin", "{\"configureFailPoint\": \"failCommand\", \"mode\": \"off\"}");
}

/* --- the program
 * ------------------------------------------------------------------------------------------------------------------ */

static void log_path(const struct bench *b, char path[static 300])
{
	snprintf(path, 300, "%s/child.log", b->mongod.dir);
}

pid_t bench_start(struct bench *b, const char *user, const char *password, const char *const *args)
{
	char user_env[300], password_env[300], log[300];
	const char *argv[32] = {b->program};
	const char *env_set[] = {user_env, password_env, NULL};
	static const char *const env_unset[] = {"MONGODB_USER", "MONGODB_PASSWORD", NULL};
	struct proc_spec spec = PROC_SPEC_INIT;
	struct err err = ERR_INIT;
	size_t count = 1;
	pid_t pid;

	if (args[0] && !strcmp(args[0], "--bare")) {
		args++;
	} else {
		argv[count++] = "--uri";
		argv[count++] = b->mongod.uri;
		argv[count++] = "--out";
		argv[count++] = b->out;
	}
	while (*args)
		argv[count++] = *args++;
	snprintf(user_env, sizeof user_env, "MONGODB_USER=%s", user ? user : "");
	snprintf(password_env, sizeof password_env, "MONGODB_PASSWORD=%s", user ? password : "");
	log_path(b, log);
	unlink(log);
	spec.argv = argv;
	spec.env_unset = env_unset;
	spec.env_set = user ? env_set : NULL;
	spec.log_path = log;
	if (!proc_start(&spec, &pid, &err))
		bench_die(b, "start the program", &err);
	return pid;
}

struct ending {
	pid_t pid;
	struct proc_exit how;
};

static bool has_ended(void *arg, struct err *err)
{
	struct ending *ending = arg;

	(void)err;
	return proc_reap(ending->pid, &ending->how);
}

void bench_wait(struct bench *b, pid_t pid)
{
	struct ending ending = {.pid = pid};
	struct err err = ERR_INIT;
	char log[300];

	if (!wait_for(clock_system(), "the program to end", CHILD_MS, 10, NULL, has_ended, &ending, &err)) {
		proc_stop(clock_system(), pid, 0, &ending.how, NULL);
		bench_die(b, "the program ends", &err);
	}
	b->status = ending.how.signaled ? 1000 + ending.how.status : ending.how.status;
	log_path(b, log);
	buf_clear(&b->log);
	buf_init(&b->log, 16 << 20);
	if (!file_read(log, &b->log, &err))
		bench_die(b, "read the program's log", &err);
}

void bench_run(struct bench *b, const char *user, const char *password, const char *const *args)
{
	bench_wait(b, bench_start(b, user, password, args));
}

bool bench_said(const struct bench *b, const char *text)
{
	return strstr(buf_str(&b->log), text);
}

bool bench_load(struct bench *b)
{
	CLEANUP(record_reader) struct record_reader *reader = NULL;
	struct err err = ERR_INIT;
	bool ok;

	observed_clear(&b->seen);
	observed_init(&b->seen);
	ok = record_reader_open(b->out, false, &reader, &err) && observed_load(reader, &b->seen, &err);
	if (!ok)
		printf("# observation: %s\n# %s\n", err.msg, buf_str(&b->log));
	unlink(b->out);
	return ok && b->seen.ended;
}

bool bench_collected(struct bench *b)
{
	return b->status == 0 && bench_load(b);
}

bool bench_left_nothing(const struct bench *b)
{
	DIR *dir = opendir(b->mongod.dir);
	const char *name = strrchr(b->out, '/') + 1;
	bool nothing = true;

	for (struct dirent *e; dir && (e = readdir(dir));)
		nothing = nothing && strncmp(e->d_name, name, strlen(name)) != 0;
	if (dir)
		closedir(dir);
	return nothing;
}
