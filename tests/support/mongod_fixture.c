#include "tests/support/mongod_fixture.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/proc.h"
#include "mongo/bson_util.h"
#include "mongo/client.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define UP_MS 60000

bool mongod_fixture_find(char *ret_path, size_t size)
{
	const char *named = getenv("PSMDB_DRILL_MONGOD"), *cache = getenv("PSMDB_DRILL_CACHE"), *home = getenv("HOME");
	const char *path = getenv("PATH");
	char one[512];

	if (named) {
		snprintf(ret_path, size, "%s", named);
		return !access(ret_path, X_OK);
	}
	if (cache)
		snprintf(ret_path, size, "%s/parts/bin/mongod", cache);
	else
		snprintf(ret_path, size, "%s/.cache/psmdb-drill/parts/bin/mongod", home ? home : "");
	if (!access(ret_path, X_OK))
		return true;
	while (path && *path) {
		size_t len = strcspn(path, ":");

		snprintf(one, sizeof one, "%.*s", (int)len, path);
		snprintf(ret_path, size, "%s/mongod", one);
		if (len && !access(ret_path, X_OK))
			return true;
		path += len + (path[len] == ':');
	}
	return false;
}

static bool spawn(struct mongod_fixture *m, const char *address, int port, struct err *err)
{
	char mongod[512], db[300], key[300], port_text[16], log[300];
	const char *argv[] = {mongod, "--dbpath", db, "--port", port_text, "--bind_ip", address, "--replSet", "rs0",
	    "--keyFile", key, "--wiredTigerCacheSizeGB", "0.25", "--oplogSize", "64", "--unixSocketPrefix", m->dir,
	    "--wiredTigerEngineConfigString", "log=(file_max=4MB,prealloc=false)", "--setParameter",
	    "shutdownTimeoutMillisForSignaledShutdown=100", "--setParameter", "diagnosticDataCollectionEnabled=false",
	    "--setParameter", "enableTestCommands=1", NULL};
	struct proc_spec spec = PROC_SPEC_INIT;

	if (!mongod_fixture_find(mongod, sizeof mongod)) {
		err_set(err, ERR_NOT_FOUND, "no mongod to test with");
		return err_hint(err, "run scripts/setup, or name one in PSMDB_DRILL_MONGOD");
	}
	snprintf(db, sizeof db, "%s/db", m->dir);
	snprintf(key, sizeof key, "%s/key", m->dir);
	snprintf(log, sizeof log, "%s/mongod.log", m->dir);
	snprintf(port_text, sizeof port_text, "%d", port);
	spec.argv = argv;
	spec.log_path = log;
	return file_make_dirs(db, 0700, err) && file_write_atomic(key, "a2V5b2ZhdGVzdA==", 16, 0600, err) &&
	       proc_start(&spec, &m->pid, err);
}

static bool run_json(mongoc_client_t *client, const char *db, const char *json, struct err *err)
{
	bson_error_t error = {0};
	bson_t *command = bson_new_from_json((const uint8_t *)json, -1, &error);
	bson_t reply;
	bool ok;

	if (!command)
		return err_set(err, ERR_PARSE, "command %s: %s", json, error.message);
	ok = mongo_command(client, db, command, &reply, err);
	bson_destroy(&reply);
	bson_destroy(command);
	return ok;
}

struct stage {
	struct mongod_fixture *m;
	struct mongo_target target;
	const char *json;
};

/* Done anew with a client of its own, until it works: one made before the set is initiated keeps a stale view. */
static bool stage_works(void *arg, struct err *err)
{
	struct stage *stage = arg;
	CLEANUP(mongoc_client) mongoc_client_t *client = NULL;
	struct proc_exit ended;
	struct err ignored;

	if (proc_reap(stage->m->pid, &ended)) {
		stage->m->pid = 0;
		return err_set(err, ERR_CHILD, "mongod ended, see \"%s/mongod.log\"", stage->m->dir);
	}
	return mongo_client_new(&stage->target, &client, &ignored) && run_json(client, "admin", stage->json, &ignored);
}

static bool reach(
    struct mongod_fixture *m, const char *uri, bool login, const char *what, const char *json, struct err *err)
{
	struct stage stage = {
	    .m = m,
	    .target = {.uri = uri, .select_timeout_ms = 1000, .socket_timeout_ms = 20000},
	    .json = json,
	};

	if (login) {
		stage.target.user = MONGOD_FIXTURE_USER;
		stage.target.password = MONGOD_FIXTURE_PASSWORD;
	}
	return wait_for(clock_system(), what, UP_MS, 50, NULL, stage_works, &stage, err);
}

static bool bring_up(struct mongod_fixture *m, struct err *err)
{
	struct mongo_target target = {.uri = m->uri, .user = MONGOD_FIXTURE_USER, .password = MONGOD_FIXTURE_PASSWORD};
	char direct[400], initiate[600];

	snprintf(direct, sizeof direct, "mongodb://%s/?directConnection=true", m->host);
	snprintf(initiate, sizeof initiate,
	    "{\"replSetInitiate\": {\"_id\": \"rs0\", \"members\": [{\"_id\": 0, \"host\": \"%s\"}]}}", m->host);
	return reach(m, direct, false, "mongod to be initiated", initiate, err) &&
	       reach(m, m->uri, false, "mongod's first user",
		   "{\"createUser\": \"" MONGOD_FIXTURE_USER "\", \"pwd\": \"" MONGOD_FIXTURE_PASSWORD
		   "\", \"roles\": [\"root\"], \"writeConcern\": {\"w\": \"majority\"}}",
		   err) &&
	       reach(m, m->uri, true, "mongod's first login", "{\"ping\": 1}", err) &&
	       mongo_client_new(&target, &m->root, err);
}

bool mongod_fixture_start(struct mongod_fixture *m, const char *address, int port, struct err *err)
{
	const char *temp = getenv("TMPDIR");

	memset(m, 0, sizeof *m);
	snprintf(m->dir, sizeof m->dir, "%s/drill-mongod-XXXXXX", temp && *temp ? temp : "/tmp");
	snprintf(m->host, sizeof m->host, "%s:%d", address, port);
	snprintf(m->uri, sizeof m->uri, "mongodb://%s/?replicaSet=rs0", m->host);
	if (!mkdtemp(m->dir))
		return err_errno(err, ERR_IO, errno, "create folder \"%s\"", m->dir);
	if (spawn(m, address, port, err) && bring_up(m, err))
		return true;
	mongod_fixture_stop(m);
	return false;
}

void mongod_fixture_stop(struct mongod_fixture *m)
{
	struct proc_exit ended;

	if (m->root)
		mongoc_client_destroy(m->root);
	m->root = NULL;
	if (m->pid)
		proc_stop(clock_system(), m->pid, 10000, &ended, NULL);
	m->pid = 0;
	if (m->dir[0])
		file_remove_tree(m->dir, NULL);
	m->dir[0] = '\0';
}

bool mongod_fixture_restart(struct mongod_fixture *m, struct err *err)
{
	struct mongo_target target = {.uri = m->uri, .user = MONGOD_FIXTURE_USER, .password = MONGOD_FIXTURE_PASSWORD};
	const char *colon = strrchr(m->host, ':');
	struct proc_exit ended;
	char address[300];

	snprintf(address, sizeof address, "%.*s", (int)(colon - m->host), m->host);
	mongoc_client_destroy(m->root);
	m->root = NULL;
	proc_stop(clock_system(), m->pid, 0, &ended, NULL);
	m->pid = 0;
	return spawn(m, address, atoi(colon + 1), err) &&
	       reach(m, m->uri, true, "mongod's login after a restart", "{\"ping\": 1}", err) &&
	       mongo_client_new(&target, &m->root, err);
}

bool mongod_fixture_run(struct mongod_fixture *m, const char *db, struct err *err, const char *json, ...)
{
	char text[4096];
	va_list ap;

	va_start(ap, json);
	vsnprintf(text, sizeof text, json, ap);
	va_end(ap);
	return run_json(m->root, db, text, err);
}
