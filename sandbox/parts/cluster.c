#include "sandbox/parts/cluster.h"

#include "mongo/bson_util.h"
#include "mongo/client.h"

#include <stdio.h>
#include <string.h>

#define SELECT_LIMIT_MS 3000
#define POLL_MS 50
#define LAST_USER USER_VERIFIER

/* The server's codes that mean "this step has been done before". */
enum { CODE_UNAUTHORIZED = 13, CODE_ALREADY_INITIALIZED = 23, CODE_ROLE_EXISTS = 51002, CODE_USER_EXISTS = 51003 };

static bool stopped(const struct cluster *c, struct err *err)
{
	return c->stop && *c->stop && !err_set(err, ERR_INTERRUPTED, "interrupted");
}

/* A new client for each step: one that saw the member before it was initiated keeps a stale picture of it. */
static bool member_client(const struct cluster *c, int member, bool as_admin, mongoc_client_t **ret, struct err *err)
{
	BUF_CLEANUP struct buf uri = BUF_INIT(512);
	struct mongo_target target = {
	    .app_name = "psmdb-sandbox", .select_timeout_ms = SELECT_LIMIT_MS, .socket_timeout_ms = 40000};

	if (!layout_member_uri(c->layout, member, true, &uri, err))
		return false;
	target.uri = buf_str(&uri);
	if (as_admin) {
		target.user = secret_user_name(USER_ADMIN);
		target.password = c->secrets->password[USER_ADMIN];
	}
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

static void initiate_command(const struct layout *l, bson_t *ret)
{
	bson_t config, members, member, settings;
	char key[12], host[32], address[ADDRESS_MAX];

	bson_init(ret);
	BSON_APPEND_DOCUMENT_BEGIN(ret, "replSetInitiate", &config);
	BSON_APPEND_UTF8(&config, "_id", LAYOUT_SET_NAME);
	BSON_APPEND_ARRAY_BEGIN(&config, "members", &members);
	for (int i = 0; i < l->members; i++) {
		snprintf(key, sizeof key, "%d", i);
		snprintf(host, sizeof host, "%s:%u", layout_member_address(l, i, address), l->mongod_port);
		BSON_APPEND_DOCUMENT_BEGIN(&members, key, &member);
		BSON_APPEND_INT32(&member, "_id", i);
		BSON_APPEND_UTF8(&member, "host", host);
		bson_append_document_end(&members, &member);
	}
	bson_append_array_end(&config, &members);
	BSON_APPEND_DOCUMENT_BEGIN(&config, "settings", &settings);
	BSON_APPEND_INT32(&settings, "electionTimeoutMillis", 1000);
	bson_append_document_end(&config, &settings);
	bson_append_document_end(ret, &config);
}

bool cluster_initiate(const struct cluster *c, struct err *err)
{
	CLEANUP(mongoc_client) mongoc_client_t *client = NULL;
	BSON_CLEANUP bson_t command = BSON_INITIALIZER;

	bson_destroy(&command);
	initiate_command(c->layout, &command);
	/* Refused for want of a login: users exist, so the set has been initiated before. */
	return (member_client(c, 0, false, &client, err) &&
		   command_once(client, &command, CODE_ALREADY_INITIALIZED, CODE_UNAUTHORIZED, err)) ||
	       err_wrap(err, "initiate replica set \"%s\"", LAYOUT_SET_NAME);
}

struct primary_arg {
	const struct cluster *c;
	int member;
};

static bool is_primary(const struct cluster *c, int member)
{
	CLEANUP(mongoc_client) mongoc_client_t *client = NULL;
	BSON_CLEANUP bson_t hello = BSON_INITIALIZER;
	BSON_CLEANUP bson_t reply = BSON_INITIALIZER;
	bool primary = false;

	BSON_APPEND_INT32(&hello, "hello", 1);
	if (!member_client(c, member, false, &client, NULL))
		return false;
	bson_destroy(&reply);
	return mongo_command(client, "admin", &hello, &reply, NULL) &&
	       bson_path_bool(&reply, "isWritablePrimary", &primary) && primary;
}

static bool find_primary(void *arg, struct err *err)
{
	struct primary_arg *a = arg;

	for (int i = 0; i < a->c->layout->members && !stopped(a->c, err); i++) {
		if (is_primary(a->c, i)) {
			a->member = i;
			return true;
		}
	}
	return false;
}

bool cluster_wait_primary(const struct cluster *c, int *ret_member, struct err *err)
{
	struct primary_arg arg = {c, -1};

	if (!wait_for(c->clock, "a primary of replica set \"" LAYOUT_SET_NAME "\"", c->timeout_ms, POLL_MS, c->stop,
		find_primary, &arg, err))
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
	BSON_APPEND_INT32(&concern, "w", last ? c->layout->members : 1);
	BSON_APPEND_BOOL(&concern, "j", true);
	BSON_APPEND_INT32(&concern, "wtimeout", 30000);
	bson_append_document_end(command, &concern);
}

/* roles: a JSON array of role names or {role, db}. */
static bool make_user(
    const struct cluster *c, mongoc_client_t *client, enum secret_user user, const char *roles, struct err *err)
{
	bson_error_t error;
	CLEANUP(bson) bson_t *array = bson_new_from_json((const uint8_t *)roles, -1, &error);
	BSON_CLEANUP bson_t command = BSON_INITIALIZER;

	if (!array)
		return err_set(err, ERR_PARSE, "roles of user \"%s\": %s", secret_user_name(user), error.message);
	BSON_APPEND_UTF8(&command, "createUser", secret_user_name(user));
	BSON_APPEND_UTF8(&command, "pwd", c->secrets->password[user]);
	BSON_APPEND_ARRAY(&command, "roles", array);
	append_concern(&command, c, user == LAST_USER);
	return command_once(client, &command, CODE_USER_EXISTS,
		   user == USER_ADMIN ? CODE_UNAUTHORIZED : CODE_USER_EXISTS, err) ||
	       err_wrap(err, "create user \"%s\"", secret_user_name(user));
}

/* definition: {createRole, privileges, roles} in JSON. */
static bool make_role(const struct cluster *c, mongoc_client_t *client, const char *definition, struct err *err)
{
	bson_error_t error;
	CLEANUP(bson) bson_t *command = bson_new_from_json((const uint8_t *)definition, -1, &error);

	if (!command)
		return err_set(err, ERR_PARSE, "role: %s", error.message);
	append_concern(command, c, false);
	return command_once(client, command, CODE_ROLE_EXISTS, CODE_ROLE_EXISTS, err) || err_wrap(err, "create role");
}

static const char *const roles[] = {
    /* What PBM's documentation asks for. */
    "{\"createRole\": \"pbmAnyAction\", \"privileges\": [{\"resource\": {\"anyResource\": true}, \"actions\": "
    "[\"anyAction\"]}], \"roles\": []}",
    /* Its two namespaces, and the cluster's identity for the head of its journal. */
    "{\"createRole\": \"drillTicker\", \"privileges\": ["
    "{\"resource\": {\"db\": \"admin\", \"collection\": \"ticker\"}, \"actions\": [\"insert\", \"find\"]},"
    "{\"resource\": {\"db\": \"drill\", \"collection\": \"ticker\"}, \"actions\": [\"insert\", \"find\"]},"
    "{\"resource\": {\"cluster\": true}, \"actions\": [\"replSetGetConfig\"]}], \"roles\": []}",
    /* Reads everything; what it may write are its probes. */
    "{\"createRole\": \"drillVerifier\", \"privileges\": ["
    "{\"resource\": {\"db\": \"drill\", \"collection\": \"probe\"}, \"actions\": [\"insert\", \"update\", \"remove\", "
    "\"find\", "
    "\"createCollection\", \"dropCollection\"]},"
    "{\"resource\": {\"db\": \"\", \"collection\": \"\"}, \"actions\": [\"viewUser\", \"viewRole\"]}],"
    "\"roles\": [{\"role\": \"readAnyDatabase\", \"db\": \"admin\"}, {\"role\": \"clusterMonitor\", \"db\": \"admin\"},"
    "{\"role\": \"read\", \"db\": \"local\"}, {\"role\": \"read\", \"db\": \"config\"}]}",
};

static const struct {
	enum secret_user user;
	const char *roles;
} users[] = {
    {USER_BACKUP, "[\"readWrite\", \"backup\", \"clusterMonitor\", \"restore\", \"pbmAnyAction\"]"},
    {USER_TICKER, "[\"drillTicker\"]"},
    {LAST_USER, "[\"drillVerifier\"]"},
};

bool cluster_make_users(const struct cluster *c, int primary, struct err *err)
{
	CLEANUP(mongoc_client) mongoc_client_t *nobody = NULL;
	CLEANUP(mongoc_client) mongoc_client_t *admin = NULL;

	if (!member_client(c, primary, false, &nobody, err) || !make_user(c, nobody, USER_ADMIN, "[\"root\"]", err) ||
	    !member_client(c, primary, true, &admin, err))
		return false;
	for (size_t i = 0; i < sizeof roles / sizeof *roles; i++)
		if (stopped(c, err) || !make_role(c, admin, roles[i], err))
			return false;
	for (size_t i = 0; i < sizeof users / sizeof *users; i++)
		if (stopped(c, err) || !make_user(c, admin, users[i].user, users[i].roles, err))
			return false;
	return true;
}
