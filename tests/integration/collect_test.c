/* collect against a real mongod. usage: collect_test PROGRAM */
#include "tests/integration/collect_support.h"

#include "base/file.h"
#include "mongo/bson_util.h"
#include "mongo/client.h"

#include <stdlib.h>
#include <sys/stat.h>

#define ADDRESS "127.17.1.1"
#define PORT 27117

static void collect(struct bench *b)
{
	bench_run(b, USER, PASSWORD, ARGS("--wait", "10s"));
}

static void make_users(struct bench *b)
{
	static const char *const commands[] = {
	    "{\"createRole\": \"prober\", \"privileges\": [{\"resource\": {\"db\": \"drill\", \"collection\": "
	    "\"probe\"}, "
	    "\"actions\": [\"insert\", \"update\", \"find\"]}], \"roles\": []}",
	    "{\"createUser\": \"" USER "\", \"pwd\": \"" PASSWORD "\", \"roles\": [\"clusterMonitor\", \"prober\", "
	    "{\"role\": \"read\", \"db\": \"admin\"}, {\"role\": \"read\", \"db\": \"drill\"}]}",
	    "{\"createUser\": \"reader\", \"pwd\": \"r\", \"roles\": [\"clusterMonitor\", {\"role\": \"read\", \"db\": "
	    "\"drill\"}]}",
	};
	struct err err = ERR_INIT;

	for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
		if (!mongod_fixture_run(&b->mongod, "admin", &err, "%s", commands[i]))
			bench_die(b, "make users", &err);
}

/* --- what is found
 * ------------------------------------------------------------------------------------------------------------------ */

static const struct observed_stream *find_stream(
    const struct bench *b, const struct tick_stream *want, int32_t *ret_number)
{
	for (size_t i = 0; i < b->seen.stream_count; i++) {
		const struct observed_stream *s = &b->seen.streams[i];

		if (s->writer == want->writer && uuid_equal(&s->run, &want->run) && !strcmp(s->ns, want->ns)) {
			*ret_number = (int32_t)i;
			return s;
		}
	}
	*ret_number = -1;
	return NULL;
}

static const struct observed_anomaly *find_anomaly(const struct bench *b, int32_t stream, int64_t seq)
{
	for (size_t i = 0; i < b->seen.anomaly_count; i++)
		if (b->seen.anomalies[i].stream == stream && b->seen.anomalies[i].seq == seq)
			return &b->seen.anomalies[i];
	return NULL;
}

static bool digest_is_right(const struct tick_stream *stream, const struct observed_block *block)
{
	struct tick_digest want = {0};
	unsigned char bytes[TICK_BSON_BYTES];

	for (int64_t seq = block->block * TICK_BLOCK + 1; seq <= (block->block + 1) * TICK_BLOCK; seq++)
		tick_digest_add(&want, seq, tick_build(stream, seq, BASE_MS + 1000 * seq, bytes));
	return tick_digest_equal(&want, &block->digest);
}

static void intact_data(struct bench *b)
{
	struct tick_stream stream = bench_stream(2, "drill.ticker", 1);
	const struct observed_stream *s;
	struct stat st = {0};
	int32_t number;

	bench_fill(b);
	bench_run(b, USER, PASSWORD, ARGS("--no-probe-write", "--wait", "10s"));
	OK(!stat(b->out, &st) && (st.st_mode & 0777) == 0600, "the observation's mode is 0600");
	OK(bench_collected(b), "an observation without a probe's write is complete");
	OK(bench_count(b, "drill.probe") == 0, "without a probe's write nothing is written");
	OK(b->seen.probe_count == 2 && b->seen.open.read_after.t > 0, "then the majority time comes from the primary");
	collect(b);
	OK(bench_collected(b) && bench_left_nothing(b), "an observation is written, and no part of one left");
	OK(b->seen.documents == 5000 && b->seen.intact == 5000 && !b->seen.anomalies_total && !b->seen.foreign_total &&
		!b->seen.truncated,
	    "all ticks of two namespaces are intact");
	OK(b->seen.stream_count == 5, "each run and writer is a stream");
	s = find_stream(b, &stream, &number);
	OK(s && s->intact.count == 1 && s->intact.items[0].first == 1 && s->intact.items[0].last == 1000 &&
		s->block_count == 1 && digest_is_right(&stream, &s->blocks[0]),
	    "a stream has its interval and its block's digest");
	OK(b->seen.probe_count == 3 && b->seen.probes[0].ok && b->seen.probes[1].ok && b->seen.probes[2].ok &&
		!strcmp(b->seen.probes[0].name, "login") && !strcmp(b->seen.probes[2].name, "write") &&
		b->seen.probes[0].attempts == 1,
	    "login, read and write succeed at once");
	OK(!strcmp(b->seen.open.read_from, b->mongod.host) && !strcmp(b->seen.open.read_concern, "majority") &&
		!strcmp(b->seen.open.set_name, "rs0") && strlen(b->seen.open.cluster_id) == 24 && !b->seen.open.sharded,
	    "it is known where and how it was read");
	OK(b->seen.newest_count == 2 && b->seen.newest[0].created_at_ms == BASE_MS + 1000000 &&
		b->seen.newest[0].seq == 1000,
	    "the newest document of each namespace is known");
	collect(b);
	OK(bench_collected(b) && bench_count(b, "drill.probe") == 1, "probing again leaves one document");
}

static void log_lines(struct bench *b)
{
	CLEANUP(record_reader) struct record_reader *reader = NULL;
	OBSERVED_CLEANUP struct observed seen;
	struct err err = ERR_INIT;
	bool ok;

	observed_init(&seen);
	bench_run(b, USER, PASSWORD, ARGS("--bare", "--uri", b->mongod.uri));
	/* stdout and stderr are one file here, as in a pod log */
	ok = record_reader_memory(buf_str(&b->log), b->log.len, true, &reader, &err) &&
	     observed_load(reader, &seen, &err);
	OK(b->status == 0 && ok && seen.ended && seen.intact == 5000, "the same comes as log lines among others");
}

static void every_damage(struct bench *b)
{
	struct tick_stream one = bench_stream(1, "drill.ticker", 1), admin = bench_stream(1, "admin.ticker", 2);
	int32_t number, admin_number;
	int found = 0, wrong = -1;

	bench_fill(b);
	for (int how = 0; how < DAMAGES; how++)
		bench_damage(b, &one, 101 + 10 * how, (enum damage)how, false);
	bench_damage(b, &admin, 77, CREATED_AT_EDITED, false);
	collect(b);
	OK(bench_collected(b), "damaged data are collected");
	find_stream(b, &one, &number);
	find_stream(b, &admin, &admin_number);
	for (int how = 0; how < DAMAGES; how++) {
		const struct observed_anomaly *a = find_anomaly(b, number, 101 + 10 * how);

		if (a && a->kind == OBSERVED_CORRUPT && a->fault != TICK_INTACT && a->detail[0])
			found++;
		else
			wrong = how;
	}
	tap_ok(&b->tap, found == DAMAGES, "every single edit is found as corrupt, with its stream and number",
	    "missed %d", wrong);
	OK(find_anomaly(b, admin_number, 77), "in admin.ticker too");
	OK(b->seen.anomalies_total == DAMAGES + 1 && b->seen.anomaly_count == DAMAGES + 1 &&
		b->seen.intact == 5000 - DAMAGES - 1 && b->seen.documents == 5000,
	    "each is one anomaly, and no other tick is missed");
	OK(b->seen.stream_count == 5 && !b->seen.foreign_total, "none of them makes a stream or is foreign");
}

static void copies(struct bench *b)
{
	static const enum damage ways[] = {ID_REPLACED, ID_REPLACED_SUM_MENDED, ID_IS_A_NUMBER, ID_OF_A_LATER_TICK};
	struct tick_stream one = bench_stream(1, "drill.ticker", 1);
	int32_t number;
	int found = 0;

	bench_fill(b);
	for (int i = 0; i < 4; i++)
		bench_damage(b, &one, 201 + i, ways[i], true);
	collect(b);
	OK(bench_collected(b), "copied ticks are collected");
	find_stream(b, &one, &number);
	for (int i = 0; i < 4; i++) {
		const struct observed_anomaly *a = find_anomaly(b, number, 201 + i);

		found += a && a->kind == OBSERVED_DUPLICATE;
	}
	OK(found == 4 && b->seen.anomalies_total == 4 && b->seen.intact == 5000,
	    "a copy under another _id is a duplicate");
}

static void holes_and_strangers(struct bench *b)
{
	struct tick_stream one = bench_stream(1, "drill.ticker", 1);
	BSON_CLEANUP bson_t filter = BSON_INITIALIZER;
	const struct observed_stream *s;
	bson_t range;
	int32_t number;
	bool ok;

	bench_fill(b);
	BSON_APPEND_INT32(&filter, "writer", 1);
	BSON_APPEND_BINARY(&filter, "run", BSON_SUBTYPE_UUID, one.run.bytes, 16);
	BSON_APPEND_DOCUMENT_BEGIN(&filter, "seq", &range);
	BSON_APPEND_INT64(&range, "$gte", 300);
	BSON_APPEND_INT64(&range, "$lte", 349);
	bson_append_document_end(&filter, &range);
	bench_delete(b, "drill.ticker", &filter);
	for (int i = 0; i < 50; i++)
		bench_insert_json(b, "drill.ticker",
		    "{\"createdAt\": {\"$date\": \"2030-01-01T00:00:00Z\"}, \"randomdata\": \"abc\"}");
	bench_insert_json(b, "admin.ticker", "{\"_id\": \"a text\", \"x\": [1, {\"y\": null}]}");
	collect(b);
	OK(bench_collected(b), "a collection with holes and strangers is collected");
	s = find_stream(b, &one, &number);
	OK(s && s->intact.count == 2 && s->intact.items[0].last == 299 && s->intact.items[1].first == 350 &&
		s->blocks[0].ticks == 950,
	    "a hole is between two intervals");
	ok = b->seen.foreign_count == 2 && b->seen.foreign[0].documents + b->seen.foreign[1].documents == 51;
	OK(ok && b->seen.foreign_total == 51 && !b->seen.anomalies_total,
	    "documents of the demo and others are foreign, by namespace");
	ok = false;
	for (size_t i = 0; i < b->seen.newest_count; i++)
		ok = ok || (!strcmp(b->seen.newest[i].ns, "drill.ticker") && b->seen.newest[i].stream == -1 &&
			       b->seen.newest[i].created_at_ms == 1893456000000);
	OK(ok, "a stranger may be the newest document");
}

static void surroundings(struct bench *b)
{
	struct err err = ERR_INIT;
	const struct observed_namespace *ns = NULL;
	bool ok;

	bench_drop(b);
	if (!mongod_fixture_run(
		&b->mongod, "drill", &err, "{\"create\": \"ticker\", \"capped\": true, \"size\": 1048576}") ||
	    !mongod_fixture_run(&b->mongod, "drill", &err,
		"{\"createIndexes\": \"ticker\", \"indexes\": [{\"key\": {\"createdAt\": 1}, \"name\": \"by_time\", "
		"\"sparse\": true}]}"))
		bench_die(b, "make a collection", &err);
	for (int i = 0; i < 103; i++) {
		char json[512];

		snprintf(json, sizeof json,
		    "{\"name\": \"r%03d\", \"opid\": \"o%d\", \"backup\": \"2026-11-23T06:00:00Z\", \"type\": "
		    "\"logical\", \"status\": \"%s\", "
		    "\"start_ts\": {\"$numberLong\": \"%d\"}, \"last_transition_ts\": {\"$numberLong\": \"%d\"}, "
		    "\"error\": \"%s\"%s}",
		    i, i, i == 101 ? "error" : "done", 1000 + i, 1005 + i, i == 101 ? "oplog: \\u001b[31m cut" : "",
		    i == 102 ? ", \"pitr\": {\"$numberLong\": \"1700000123\"}" : "");
		bench_insert_json(b, "admin.pbmRestores", json);
	}
	bench_insert_json(b, "admin.pbmBackups",
	    "{\"name\": \"2026-11-23T06:00:00Z\", \"opid\": \"ob\", \"status\": \"done\", "
	    "\"last_write_ts\": {\"$timestamp\": {\"t\": 1700000001, \"i\": 7}}}");
	collect(b);
	OK(bench_collected(b), "an empty collection and a missing one are collected");
	for (size_t i = 0; i < b->seen.namespace_count; i++)
		if (!strcmp(b->seen.namespaces[i].ns, "drill.ticker"))
			ns = &b->seen.namespaces[i];
	OK(ns && ns->exists && strstr(ns->options, "capped") && ns->index_count == 2 &&
		(strstr(ns->indexes[0], "by_time") || strstr(ns->indexes[1], "by_time")) && ns->documents == 0,
	    "options and indexes of a collection are known");
	ok = false;
	for (size_t i = 0; i < b->seen.namespace_count; i++)
		ok = ok || (!strcmp(b->seen.namespaces[i].ns, "admin.ticker") && !b->seen.namespaces[i].exists);
	OK(ok, "a collection that does not exist is known as that");
	OK(b->seen.restore_count == 100 && !strcmp(b->seen.restores[0].name, "r003") &&
		!strcmp(b->seen.restores[99].name, "r102"),
	    "the last hundred restores are there, the newest last");
	OK(b->seen.restore_count == 100 && b->seen.restores[99].start_ts == 1102 &&
		b->seen.restores[99].finish_ts == 1107 && b->seen.restores[99].pitr.t == 1700000123 &&
		!strcmp(b->seen.restores[98].status, "error") && strstr(b->seen.restores[98].error, "oplog"),
	    "a restore has its times, its target, its error");
	OK(b->seen.has_backup && b->seen.backup.last_write.t == 1700000001 && b->seen.backup.last_write.i == 7 &&
		!strcmp(b->seen.backup.opid, "ob"),
	    "the newest restore's backup has its last write");
}

static const struct observed_grant *find_grant(const struct bench *b, const char *name)
{
	for (size_t i = 0; i < b->seen.granted_count; i++)
		if (!strcmp(b->seen.granted[i].name, name))
			return &b->seen.granted[i];
	return NULL;
}

static void described(struct bench *b)
{
	char root[700], file[2][300];
	static const char *const content[] = {MONGOD_FIXTURE_USER "\n", MONGOD_FIXTURE_PASSWORD "\n"};
	struct err err = ERR_INIT;
	const struct observed_grant *user, *role;

	bench_fill(b);
	if (!mongod_fixture_run(&b->mongod, "drill", &err,
		"{\"createIndexes\": \"ticker\", \"indexes\": [{\"key\": {\"createdAt\": 1}, \"name\": \"by_time\"}]}"))
		bench_die(b, "make an index", &err);
	for (int i = 0; i < 2; i++) {
		snprintf(file[i], sizeof file[i], "%s/root-%d", b->mongod.dir, i);
		if (!file_write_atomic(file[i], content[i], strlen(content[i]), 0600, &err))
			bench_die(b, "write secrets", &err);
	}
	snprintf(root, sizeof root, "%s,%s", file[0], file[1]);
	bench_run(b, USER, PASSWORD, ARGS("--wait", "10s", "--describe"));
	OK(bench_collected(b) && b->seen.open.describes && b->seen.open.until.t > 0 && !b->seen.documents &&
		!b->seen.stream_count && b->seen.namespace_count == 2 && b->seen.namespaces[1].index_count == 2,
	    "a description has the indexes, and no document");
	OK(bench_count(b, "drill.probe") == 0, "nothing is written for it");
	OK(b->seen.has_grants && !b->seen.grants.known && b->seen.grants.detail[0] && !b->seen.granted_count &&
		bench_said(b, "users and roles are left out"),
	    "who may not see other users leaves them out, and says so");
	bench_run(b, USER, PASSWORD, ARGS("--wait", "10s", "--describe", "--login", root));
	OK(bench_collected(b) && b->seen.grants.known, "whoever of the other users may is asked");
	OK(!b->seen.login_count, "who can log in is no part of it");
	user = find_grant(b, "admin." USER);
	role = find_grant(b, "admin.prober");
	OK(user && !user->is_role && user->role_count == 4 && !strcmp(user->roles[0], "clusterMonitor@admin") && role &&
		role->is_role && role->role_count == 1 && strstr(role->roles[0], "privileges sha256:"),
	    "users and roles of one's own are told, with what is granted to them");
	bench_run(b, USER, PASSWORD, ARGS("--wait", "10s", "--login", root));
	OK(bench_collected(b) && !b->seen.open.describes && b->seen.documents == 5000 && b->seen.login_count == 1 &&
		find_grant(b, "admin." USER),
	    "a full observation has the same records of users");
}

static void many_indexes(struct bench *b)
{
	char text[401];
	struct err err = ERR_INIT;
	size_t hashed = 0;

	bench_drop(b);
	memset(text, '"', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	for (int i = 0; i < 60; i++) {
		char json[1024], value[2 * sizeof text];
		size_t at = 0;

		for (const char *p = text; *p; p++) {
			value[at++] = '\\';
			value[at++] = *p;
		}
		value[at] = '\0';
		snprintf(json, sizeof json,
		    "{\"createIndexes\": \"ticker\", \"indexes\": [{\"key\": {\"f%d\": 1}, \"name\": \"i%d\", "
		    "\"partialFilterExpression\": {\"x\": \"%.790s\"}}]}",
		    i, i, value);
		if (!mongod_fixture_run(&b->mongod, "drill", &err, "%s", json))
			bench_die(b, "make indexes", &err);
	}
	collect(b);
	OK(bench_collected(b), "more indexes than a line can hold are collected");
	for (size_t i = 0; i < b->seen.namespace_count; i++)
		for (size_t j = 0; j < b->seen.namespaces[i].index_count; j++)
			hashed += strstr(b->seen.namespaces[i].indexes[j], "sha256:") != NULL;
	tap_ok(&b->tap, hashed == 61, "then each is a name and a hash", "%zu", hashed);
}

/* --- what goes wrong
 * ------------------------------------------------------------------------------------------------------------------ */

static void refused(struct bench *b)
{
	bench_run(b, USER, "wrong-secret", ARGS("--wait", "1s"));
	OK(b->status == 3 && bench_left_nothing(b) && bench_said(b, "login") && !bench_said(b, "wrong-secret"),
	    "a wrong password: exit 3, not shown, no file");
	bench_run(b, "reader", "r", ARGS("--wait", "10s"));
	OK(b->status == 3 && bench_left_nothing(b) && bench_said(b, "no permission"),
	    "no permission to read: exit 3, no file");
	bench_run(b, "reader", "r", ARGS("--wait", "2s", "--ns", "drill.ticker"));
	OK(bench_collected(b) && b->seen.intact == 3000 && b->seen.probe_count == 3 && !b->seen.probes[2].ok &&
		b->seen.probes[2].detail[0],
	    "no permission to write the probe: recorded, read all the same");
	OK(b->seen.restore_count == 0 && !b->seen.has_backup, "no permission to read PBM's records: left out");
	bench_run(b, NULL, NULL, ARGS("--wait", "1s"));
	OK(b->status == 3 && bench_left_nothing(b), "no user where one is needed: exit 3");
}

static void unreachable_and_usage(struct bench *b)
{
	bench_run(b, USER, PASSWORD,
	    ARGS("--bare", "--uri", "mongodb://127.17.1.9:1/?replicaSet=rs0", "--wait", "1s", "--out", b->out));
	OK(b->status == 3 && bench_said(b, "127.17.1.9:1") && bench_left_nothing(b), "nobody there: exit 3");
	bench_run(b, USER, PASSWORD, ARGS("--bare", "--uri", "mongo://x"));
	OK(b->status == 2, "a URI that is none: exit 2");
	bench_run(b, NULL, NULL, ARGS("--bare", "--uri", "mongodb://u:sesame@127.17.1.1:27117/"));
	OK(b->status == 2 && !bench_said(b, "sesame"), "a password in the URI: exit 2, not shown");
	bench_run(b, USER, PASSWORD, ARGS("--bare"));
	OK(b->status == 2 && bench_said(b, "--uri"), "no URI: exit 2");
	bench_run(b, USER, PASSWORD, ARGS("--ns", "ticker"));
	OK(b->status == 2 && bench_said(b, "DATABASE.COLLECTION"), "a namespace without a dot: exit 2");
	bench_run(b, USER, PASSWORD, ARGS("--ns", "a.b", "--ns", "a.b"));
	OK(b->status == 2, "a namespace twice: exit 2");
	bench_run(b, USER, PASSWORD, ARGS("--out", "/nowhere/at/all"));
	OK(b->status == 3, "a folder that does not exist: exit 3");
}

static void late_user(struct bench *b)
{
	struct err err = ERR_INIT;
	int64_t start = clock_mono_ms(clock_system());
	pid_t pid = bench_start(b, "late", "l", ARGS("--wait", "30s"));
	bool made;

	clock_sleep_until(clock_system(), (start + 1500) * 1000000, NULL);
	made = mongod_fixture_run(
	    &b->mongod, "admin", &err, "{\"createUser\": \"late\", \"pwd\": \"l\", \"roles\": [\"root\"]}");
	bench_wait(b, pid);
	OK(made && bench_collected(b) && b->seen.probes[0].ok && b->seen.probes[0].attempts > 1 &&
		b->seen.probes[0].elapsed_ms >= 1000,
	    "a user that comes back later is waited for, and the time known");
}

static void other_logins(struct bench *b)
{
	char good[700], bad[700], file[4][300];
	static const char *const content[] = {USER "\n", PASSWORD "\n", "backup\n", "not-this-one\n"};
	struct err err = ERR_INIT;

	for (int i = 0; i < 4; i++) {
		snprintf(file[i], sizeof file[i], "%s/secret-%d", b->mongod.dir, i);
		if (!file_write_atomic(file[i], content[i], strlen(content[i]), 0600, &err))
			bench_die(b, "write secrets", &err);
	}
	snprintf(good, sizeof good, "%s,%s", file[0], file[1]);
	snprintf(bad, sizeof bad, "%s,%s", file[2], file[3]);
	bench_run(b, NULL, NULL,
	    ARGS("--wait", "10s", "--user-file", file[0], "--password-file", file[1], "--login", good, "--login", bad));
	OK(bench_collected(b) && b->seen.login_count == 2 && b->seen.logins[0].ok && !b->seen.logins[1].ok &&
		b->seen.logins[1].code == 18 && !strcmp(b->seen.logins[1].user, "backup"),
	    "other users are tried, and what came of it is recorded");
	OK(!bench_said(b, "not-this-one") && !strstr(b->seen.logins[1].detail, "not-this-one"), "no password is told");
	bench_run(b, USER, PASSWORD, ARGS("--login", "just-one"));
	OK(b->status == 2, "one file for a login: exit 2");
}

static void limited(struct bench *b)
{
	struct tick_stream one = bench_stream(1, "drill.ticker", 1);

	bench_fill(b);
	for (int64_t seq = 1; seq <= 20; seq++)
		bench_damage(b, &one, seq, SUM_EDITED, false);
	bench_run(b, USER, PASSWORD, ARGS("--wait", "10s", "--max-anomalies", "5"));
	OK(bench_collected(b) && b->seen.anomaly_count == 5 && b->seen.anomalies_total == 20 && b->seen.truncated &&
		b->seen.intact == 4980,
	    "beyond the limit anomalies are counted, and it is said that details are missing");
}

int main(int argc, char **argv)
{
	static struct bench bench;
	struct bench *b = &bench;
	struct err err = ERR_INIT;
	char mongod[512];

	if (argc != 2)
		return 2;
	if (!mongod_fixture_find(mongod, sizeof mongod)) {
		printf("ok 1 - collect # SKIP no mongod: run scripts/setup\n1..1\n");
		return 0;
	}
	mongo_init();
	b->program = argv[1];
	observed_init(&b->seen);
	if (!mongod_fixture_start(&b->mongod, ADDRESS, PORT, &err))
		bench_die(b, "start mongod", &err);
	if (snprintf(b->out, sizeof b->out, "%s/observed.jsonl", b->mongod.dir) >= (int)sizeof b->out)
		bench_die(b, "name the observation", &err);
	make_users(b);
	intact_data(b);
	log_lines(b);
	other_logins(b);
	late_user(b);
	refused(b);
	unreachable_and_usage(b);
	collect_broken(b);
	every_damage(b);
	copies(b);
	holes_and_strangers(b);
	surroundings(b);
	described(b);
	many_indexes(b);
	limited(b);
	mongod_fixture_stop(&b->mongod);
	observed_clear(&b->seen);
	buf_clear(&b->log);
	mongo_cleanup();
	return tap_done(&b->tap);
}
