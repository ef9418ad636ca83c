/*
 * A real mongod as a replica set of one member with access control, on an address of its own, for integration tests.
 *
 * mongod is the one named by PSMDB_DRILL_MONGOD, else that of scripts/setup, else the one in PATH. Everything lies in
 * one folder, which mongod_fixture_stop removes together with the process; if the test is killed, so is mongod. Test
 * commands (failCommand) are on.
 */
#ifndef TESTS_SUPPORT_MONGOD_FIXTURE_H
#define TESTS_SUPPORT_MONGOD_FIXTURE_H

#include "base/err.h"

#include <mongoc/mongoc.h>
#include <stdbool.h>
#include <sys/types.h>

#define MONGOD_FIXTURE_USER "root"
#define MONGOD_FIXTURE_PASSWORD "r/o:o@t#1"

struct mongod_fixture {
	char dir[256];	/* temporary files of the test may lie here too */
	char host[300]; /* address:port */
	char uri[400];
	pid_t pid;	       /* 0: not running */
	mongoc_client_t *root; /* logged in as MONGOD_FIXTURE_USER */
};

/* Is there a mongod to run? */
bool mongod_fixture_find(char *ret_path, size_t size);
/* mongo_init has been called. On failure nothing is left. */
bool mongod_fixture_start(struct mongod_fixture *m, const char *address, int port, struct err *err);
void mongod_fixture_stop(struct mongod_fixture *m);
/* SIGKILL; then another process with the same data, at the same address, until it lets root in. */
bool mongod_fixture_restart(struct mongod_fixture *m, struct err *err);

/* A command as root, given as extended JSON; false with the server's words in err. */
bool mongod_fixture_run(struct mongod_fixture *m, const char *db, struct err *err, const char *json, ...)
    __attribute__((format(printf, 4, 5)));

#endif
