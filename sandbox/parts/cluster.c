#include "sandbox/parts/cluster.h"

#include "mongo/bson_util.h"
#include "mongo/client.h"

#include <stdio.h>
#include <string.h>

#define SELECT_LIMIT_MS 3000
#define POLL_MS 50
#define URI_MAX 128
/* The first election waits for its time-out, and a first configuration travels by heartbeats: so both are short until
 * there is a primary, and then such as a busy machine keeps. */
static const struct pace {
	int election_ms, heartbeat_ms;
} at_first = {1000, 200}, calm = {5000, 1000};

/* The server's codes that mean "this step has been done before". */
enum {
	CODE_UNAUTHORIZED = 13,
	CODE_ALREADY_INITIALIZED = 23,
	CODE_CONFIG_INCOMPATIBLE = 103, /* its version is not above the one that is there */
	CODE_ROLE_EXISTS = 51002,
	CODE_USER_EXISTS = 51003
};

static bool stopped(const struct cluster *c, struct err *err)
{
	return c->stop && *c->stop && !err_set(err, ERR_INTERRUPTED, "interrupted");
}

/* A new client for each step: one that saw the member before it was initiated keeps a stale picture of it. */
static bool member_client(
    const struct cluster *c, int member, const char *user, const char *password, mongoc_client_t **ret, struct err *err)
{
	char uri[URI_MAX];
	struct mongo_target target = {.uri = uri,
	    .user = user,
	    .password = password,
	    .app_name = "psmdb-sandbox",
	    .select_timeout_ms = c->select_timeout_ms ? c->select_timeout_ms : SELECT_LIMIT_MS,
	    .socket_timeout_ms = 40000};

	snprintf(uri, sizeof uri, "mongodb://%s/?directConnection=true", c->hosts[member]);
	return mongo_client_new(&target, ret, err);
}

/* Runs it; a refusal with one of the two codes counts as done. */
static bool command_once(
    mongoc_client_t *client, const bson_t *command, int64_t code_a, int64_t code_b, struct err *err)
{
	BSON_CLEANUP bson_t reply = BSON_INITIALIZER;
	int64_t code = 0;

	bson_destroy(&reply);
	if (mongo_command(client, "admin", command, &reply, err))
		return true;
	if (!bson_path_i64(&reply, "code", &code) || (code != code_a && code != code_b))
		return false;
	if (err)
		*err = (struct err)ERR_INIT;
	return true;
}

static void config_command(const struct cluster *c, const char *name, int version, struct pace pace, bson_t *ret)
{
	bson_t config, members, member, settings;
	char key[12];

	bson_init(ret);
	BSON_APPEND_DOCUMENT_BEGIN(ret, name, &config);
	BSON_APPEND_UTF8(&config, "_id", c->set_name);
	BSON_APPEND_INT32(&config, "version", version);
	if (c->config_server)
		BSON_APPEND_BOOL(&config, "configsvr", true);
	BSON_APPEND_ARRAY_BEGIN(&config, "members", &members);
	for (int i = 0; i < c->members; i++) {
		snprintf(key, sizeof key, "%d", i);
		BSON_APPEND_DOCUMENT_BEGIN(&members, key, &member);
		BSON_APPEND_INT32(&member, "_id", i);
		BSON_APPEND_UTF8(&member, "host", c->hosts[i]);
		bson_append_document_end(&members, &member);
	}
	bson_append_array_end(&config, &members);
	BSON_APPEND_DOCUMENT_BEGIN(&config, "settings", &settings);
	BSON_APPEND_INT32(&settings, "electionTimeoutMillis", pace.election_ms);
	BSON_APPEND_INT32(&settings, "heartbeatIntervalMillis", pace.heartbeat_ms);
	bson_append_document_end(&config, &settings);
	bson_append_document_end(ret, &config);
}

bool cluster_initiate(const struct cluster *c, struct err *err)
{
	CLEANUP(mongoc_client) mongoc_client_t *client = NULL;
	BSON_CLEANUP bson_t command = BSON_INITIALIZER;

	bson_destroy(&command);
	config_command(c, "replSetInitiate", 1, at_first, &command);
	/* Refused for want of a login: users exist, so the set has been initiated before. */
	return (member_client(c, 0, NULL, NULL, &client, err) &&
		   command_once(client, &command, CODE_ALREADY_INITIALIZED, CODE_UNAUTHORIZED, err)) ||
	       err_wrap(err, "initiate replica set \"%s\"", c->set_name);
}

bool cluster_calm(const struct cluster *c, int primary, struct err *err)
{
	CLEANUP(mongoc_client) mongoc_client_t *client = NULL;
	BSON_CLEANUP bson_t command = BSON_INITIALIZER;

	bson_destroy(&command);
	config_command(c, "replSetReconfig", 2, calm, &command);
	BSON_APPEND_INT32(&command, "maxTimeMS", 30000);
	/* Refused for want of a login: users exist, and this comes before them. */
	return (member_client(c, primary, NULL, NULL, &client, err) &&
		   command_once(client, &command, CODE_CONFIG_INCOMPATIBLE, CODE_UNAUTHORIZED, err)) ||
	       err_wrap(err, "set the election time-out of replica set \"%s\"", c->set_name);
}

struct primary_arg {
	const struct cluster *c;
	int member;
};

static bool says_hello(const struct cluster *c, int member, bson_t *ret_reply, struct err *err)
{
	CLEANUP(mongoc_client) mongoc_client_t *client = NULL;
	BSON_CLEANUP bson_t hello = BSON_INITIALIZER;

	BSON_APPEND_INT32(&hello, "hello", 1);
	if (!member_client(c, member, NULL, NULL, &client, err)) {
		bson_init(ret_reply);
		return false;
	}
	return mongo_command(client, "admin", &hello, ret_reply, err);
}

static bool is_primary(const struct cluster *c, int member)
{
	BSON_CLEANUP bson_t reply = BSON_INITIALIZER;
	bool primary = false;

	bson_destroy(&reply);
	return says_hello(c, member, &reply, NULL) && bson_path_bool(&reply, "isWritablePrimary", &primary) && primary;
}

bool cluster_find_primary(const struct cluster *c, int *ret_member)
{
	for (int i = 0; i < c->members && !stopped(c, NULL); i++) {
		if (is_primary(c, i)) {
			*ret_member = i;
			return true;
		}
	}
	return false;
}

bool cluster_is_initiated(const struct cluster *c, int member, bool *ret, struct err *err)
{
	BSON_CLEANUP bson_t reply = BSON_INITIALIZER;
	uint32_t len;

	bson_destroy(&reply);
	if (!says_hello(c, member, &reply, err))
		return false;
	*ret = bson_path_utf8(&reply, "setName", &len) != NULL;
	return true;
}

static bool find_primary(void *arg, struct err *err)
{
	struct primary_arg *a = arg;

	return !stopped(a->c, err) && cluster_find_primary(a->c, &a->member);
}

bool cluster_wait_primary(const struct cluster *c, int *ret_member, struct err *err)
{
	struct primary_arg arg = {c, -1};
	char what[128];

	snprintf(what, sizeof what, "a primary of replica set \"%.64s\"", c->set_name);
	if (!wait_for(c->clock, what, c->timeout_ms, POLL_MS, c->stop, find_primary, &arg, err))
		return false;
	*ret_member = arg.member;
	return true;
}

/* The last of them waits for every member, so that an agent on a secondary finds its user; what was written before it
 * has arrived then, too. */
static void append_concern(bson_t *command, const struct cluster *c, bool last)
{
	bson_t concern;

	BSON_APPEND_DOCUMENT_BEGIN(command, "writeConcern", &concern);
	BSON_APPEND_INT32(&concern, "w", last ? c->members : 1);
	BSON_APPEND_BOOL(&concern, "j", true);
	BSON_APPEND_INT32(&concern, "wtimeout", 30000);
	bson_append_document_end(command, &concern);
}

/* first: made through the localhost exception, which ends with it. */
static bool make_user(const struct cluster *c, mongoc_client_t *client, const struct cluster_user *user, bool first,
    bool last, struct err *err)
{
	bson_error_t error;
	CLEANUP(bson) bson_t *array = bson_new_from_json((const uint8_t *)user->roles, -1, &error);
	BSON_CLEANUP bson_t command = BSON_INITIALIZER;

	if (!array)
		return err_set(err, ERR_PARSE, "roles of user \"%s\": %s", user->name, error.message);
	BSON_APPEND_UTF8(&command, "createUser", user->name);
	BSON_APPEND_UTF8(&command, "pwd", user->password);
	BSON_APPEND_ARRAY(&command, "roles", array);
	append_concern(&command, c, last);
	return command_once(client, &command, CODE_USER_EXISTS, first ? CODE_UNAUTHORIZED : CODE_USER_EXISTS, err) ||
	       err_wrap(err, "create user \"%s\"", user->name);
}

static bool make_role(const struct cluster *c, mongoc_client_t *client, const char *definition, struct err *err)
{
	bson_error_t error;
	CLEANUP(bson) bson_t *command = bson_new_from_json((const uint8_t *)definition, -1, &error);

	if (!command)
		return err_set(err, ERR_PARSE, "role: %s", error.message);
	append_concern(command, c, false);
	return command_once(client, command, CODE_ROLE_EXISTS, CODE_ROLE_EXISTS, err) || err_wrap(err, "create role");
}

bool cluster_make_users(const struct cluster *c, int primary, const struct cluster_users *u, struct err *err)
{
	CLEANUP(mongoc_client) mongoc_client_t *nobody = NULL;
	CLEANUP(mongoc_client) mongoc_client_t *admin = NULL;

	if (!u->user_count)
		return err_set(err, ERR_USAGE, "a replica set without any user");
	if (!member_client(c, primary, NULL, NULL, &nobody, err) ||
	    !make_user(c, nobody, &u->users[0], true, u->user_count == 1, err) ||
	    !member_client(c, primary, u->users[0].name, u->users[0].password, &admin, err))
		return false;
	for (size_t i = 0; i < u->role_count; i++)
		if (stopped(c, err) || !make_role(c, admin, u->roles[i], err))
			return false;
	for (size_t i = 1; i < u->user_count; i++)
		if (stopped(c, err) || !make_user(c, admin, &u->users[i], false, i + 1 == u->user_count, err))
			return false;
	return true;
}

bool cluster_login(const struct cluster *c, int member, const char *user, const char *password,
    char ret_version[static 32], struct err *err)
{
	CLEANUP(mongoc_client) mongoc_client_t *client = NULL;
	BSON_CLEANUP bson_t command = BSON_INITIALIZER;
	BSON_CLEANUP bson_t reply = BSON_INITIALIZER;
	const char *version;
	uint32_t len;

	BSON_APPEND_INT32(&command, "buildInfo", 1);
	if (!member_client(c, member, user, password, &client, err))
		return false;
	bson_destroy(&reply);
	if (!mongo_command(client, "admin", &command, &reply, err))
		return false;
	version = bson_path_utf8(&reply, "version", &len);
	snprintf(ret_version, 32, "%s", version ? version : "");
	return true;
}
