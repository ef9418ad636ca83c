/*
 * Connections to MongoDB: addresses, credentials, time-outs, and the driver's errors as struct err.
 *
 * Guarantees: a user name and a password reach the driver through its setters, never through a URI that this program
 * prints or assembles, so any character is fine; no message of this room holds either. Every client has a server
 * selection time-out and a socket time-out. Error messages name the host(s), the cause and a mend (unreachable, wrong
 * password, no permission, not primary).
 *
 * mongo_init() once in main() before anything else here, mongo_cleanup() at its end.
 */
#ifndef MONGO_CLIENT_H
#define MONGO_CLIENT_H

#include "base/cleanup.h"
#include "base/err.h"
#include "base/optime.h"

#include <mongoc/mongoc.h>
#include <stdint.h>

void mongo_init(void);
void mongo_cleanup(void);

/*
 * Where and as whom. uri must not hold a password (ERR_USAGE, with the option to use instead). Credentials come from
 * user/password, both owned by the caller; NULL user: none. Typically filled by mongo_target_from_env.
 */
struct mongo_target {
	const char *uri; /* mongodb://host:port,.../?replicaSet=rs0 ; default authSource admin */
	const char *user;
	const char *password;
	const char *app_name;
	int64_t select_timeout_ms; /* server selection; 0: 10,000 */
	int64_t socket_timeout_ms; /* 0: 30,000 */
	/*
	 * 0: 10,000, and never more than the selection. The driver looks for a primary by asking all members and waits so
	 * long for one that is frozen, however many have answered.
	 */
	int64_t connect_timeout_ms;
	bool retry_writes;
};

/*
 * Credentials as programs take them: a file pair (user_file/password_file, options of the program, may be NULL) wins
 * over the environment (MONGODB_USER, MONGODB_PASSWORD; names as in the operator's secrets can be mapped by the pod
 * spec). Stored in caller's memory.
 */
struct mongo_credentials {
	bool given;
	char user[256];
	char password[1024];
};
bool mongo_credentials_load(
    const char *user_file, const char *password_file, struct mongo_credentials *ret, struct err *err);
void mongo_credentials_clear(struct mongo_credentials *c); /* overwrites the memory */

/* Makes a client; connects lazily, as the driver does. */
bool mongo_client_new(const struct mongo_target *target, mongoc_client_t **ret, struct err *err);
CLEANUP_PTR(mongoc_client, mongoc_client_t, mongoc_client_destroy)
/*
 * One more, to the same place, with connections and logins of its own. user_file, password_file: read again, if given
 * (not NULL): the password may have been changed meanwhile.
 */
bool mongo_client_again(
    mongoc_client_t *client, const char *user_file, const char *password_file, mongoc_client_t **ret, struct err *err);

/*
 * Runs a command on a database and hands its reply out (initialised in every case; the caller destroys it). On
 * failure err holds what the server or the driver said. read_primary: with primary read preference.
 */
bool mongo_command(mongoc_client_t *client, const char *db, const bson_t *command, bson_t *ret_reply, struct err *err);

/* The driver's and the server's errors as ours: AUTH for 13, 18, 11, 391 and SCRAM refusals; NET for selection and sockets; TIMEOUT for 50 and time-outs;
 * else REMOTE. what: "insert into \"admin.ticker\"" */
bool mongo_error(const bson_error_t *error, const bson_t *reply, struct err *err, const char *what);

/*
 * Who is this: replicaSetId from the local config (replSetGetConfig), or clusterId from config.version behind a
 * mongos.
 */
struct mongo_identity {
	bool sharded;	   /* behind a mongos, or a config server / shard of a sharded cluster */
	char kind[24];	   /* "replicaSet" or "cluster" */
	char id[25];	   /* 24 hex digits */
	char set_name[64]; /* replica set's name; "" behind a mongos */
	char version[32];  /* server's version */
	char fcv[16];	   /* featureCompatibilityVersion, "" if not readable */
};
bool mongo_identify(mongoc_client_t *client, struct mongo_identity *ret, struct err *err);

/*
 * The server's wall clock less ours: hello's localTime against the middle of the round trip; the best (shortest) of
 * five.
 */
struct mongo_clock_offset {
	int64_t offset_ms; /* server - local */
	int64_t error_ms;  /* half the round trip, plus 1 */
};
struct clock;
bool mongo_clock_offset(
    mongoc_client_t *client, const struct clock *clock, struct mongo_clock_offset *ret, struct err *err);

#endif
