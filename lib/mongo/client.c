#include "mongo/client.h"

#include "base/clock.h"
#include "base/file.h"
#include "mongo/bson_util.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static const int64_t default_select_ms = 10000;
static const int64_t default_socket_ms = 30000;
static const int64_t connect_max_ms = 10000;

/* Names and numbers: https://www.mongodb.com/docs/manual/reference/error-codes/ */
enum server_code {
	CODE_USER_NOT_FOUND = 11,
	CODE_UNAUTHORIZED = 13,
	CODE_AUTHENTICATION_FAILED = 18,
	CODE_MAX_TIME_MS_EXPIRED = 50,
	CODE_WRITE_CONCERN_TIMEOUT = 64,
	CODE_NOT_YET_INITIALIZED = 94,
	CODE_PRIMARY_STEPPED_DOWN = 189,
	CODE_EXCEEDED_TIME_LIMIT = 262,
	CODE_REAUTHENTICATION_REQUIRED = 391,
	CODE_NOT_WRITABLE_PRIMARY = 10107,
	CODE_NOT_PRIMARY_NO_SECONDARY_OK = 13435,
};

static void drop_driver_log(mongoc_log_level_t level, const char *domain, const char *message, void *ctx)
{
	(void)level;
	(void)domain;
	(void)message;
	(void)ctx;
}

/*
 * Distributions build the driver so that it initialises itself before main(). Then already it makes /dev/shm/mongoc-PID, and complains
 * on stderr when it finds the one that an earlier process of this number has left. (Its MONGOC_DISABLE_SHM cannot be set from here:
 * libc forgets an environment that was changed before it was initialised itself.)
 */
static void before_driver(void)
{
	/* what matters comes back as an error; the driver's own lines would mix with journal lines and reports */
	mongoc_log_set_handler(drop_driver_log, NULL);
}

__attribute__((section(".preinit_array"), used)) static void (*const before_constructors)(void) = before_driver;

/* So that a process that is killed leaves nothing behind. The driver's counters stay mapped. */
__attribute__((constructor)) static void forget_shared_file(void)
{
	char name[32];

	snprintf(name, sizeof name, "/mongoc-%u", (unsigned)getpid());
	shm_unlink(name);
}

void mongo_init(void)
{
	mongoc_init();
}

void mongo_cleanup(void)
{
	mongoc_cleanup();
}

static bool read_credential(const char *path, const char *what, char *ret, size_t size, struct err *err)
{
	BUF_CLEANUP struct buf secret = BUF_INIT(4096);
	bool ok;

	if (!file_read_secret(path, &secret, err))
		return err_wrap(err, "read the %s for MongoDB", what);
	ok = secret.len < size && !memchr(secret.data, 0, secret.len);
	if (ok)
		memcpy(ret, buf_str(&secret), secret.len + 1);
	explicit_bzero(secret.data, secret.len);
	return ok ||
	       err_set(err, ERR_LIMIT, "the %s in \"%s\" has more than %zu bytes or holds a NUL", what, path, size - 1);
}

static bool copy_credential(const char *value, const char *name, char *ret, size_t size, struct err *err)
{
	if (strlen(value) >= size)
		return err_set(err, ERR_LIMIT, "environment variable \"%s\" has more than %zu bytes", name, size - 1);
	memcpy(ret, value, strlen(value) + 1);
	return true;
}

bool mongo_credentials_load(
    const char *user_file, const char *password_file, struct mongo_credentials *ret, struct err *err)
{
	struct mongo_credentials found = {.given = true};
	const char *user = getenv("MONGODB_USER"), *password = getenv("MONGODB_PASSWORD");
	bool ok = true;

	if (!user_file != !password_file) {
		err_set(err, ERR_USAGE, "a file with the %s is given without one with the %s",
		    user_file ? "user" : "password", user_file ? "password" : "user");
		return err_hint(err, "give both files, or neither and set MONGODB_USER and MONGODB_PASSWORD");
	}
	if (user_file) {
		ok = read_credential(user_file, "user name", found.user, sizeof found.user, err) &&
		     read_credential(password_file, "password", found.password, sizeof found.password, err);
	} else if (user && password && *user) {
		ok = copy_credential(user, "MONGODB_USER", found.user, sizeof found.user, err) &&
		     copy_credential(password, "MONGODB_PASSWORD", found.password, sizeof found.password, err);
	} else if (user && *user) {
		err_set(err, ERR_USAGE, "MONGODB_USER is set without MONGODB_PASSWORD");
		err_hint(err, "set both, or neither for a server without access control");
		ok = false;
	} else {
		found.given = false;
	}
	if (ok)
		*ret = found;
	mongo_credentials_clear(&found);
	return ok;
}

void mongo_credentials_clear(struct mongo_credentials *c)
{
	explicit_bzero(c, sizeof *c);
}

CLEANUP_PTR(mongoc_uri, mongoc_uri_t, mongoc_uri_destroy)

/* The URI up to "@" may be a secret even if it cannot be parsed: only what follows is ever shown. */
static const char *uri_shown(const char *uri)
{
	const char *at = strrchr(uri, '@');

	return at ? at + 1 : uri;
}

static bool parse_uri(const char *text, mongoc_uri_t **ret, struct err *err)
{
	CLEANUP(mongoc_uri) mongoc_uri_t *uri = NULL;
	bson_error_t error = {0};

	uri = mongoc_uri_new_with_error(text, &error);
	if (!uri) {
		/* the driver's message may quote the text that it could not read, and so a password */
		err_set(err, ERR_USAGE, "URI \"%s\" cannot be read%s%s", uri_shown(text), strchr(text, '@') ? "" : ": ",
		    strchr(text, '@') ? "" : error.message);
		return err_hint(err, "write it as mongodb://HOST:PORT,.../?replicaSet=NAME, without user and password");
	}
	if (mongoc_uri_get_password(uri)) {
		err_set(err, ERR_USAGE, "URI for \"%s\" holds a password", uri_shown(text));
		return err_hint(err,
		    "take it out of the URI and give --user-file and --password-file, or MONGODB_USER and "
		    "MONGODB_PASSWORD in the environment");
	}
	*ret = TAKE(uri);
	return true;
}

static bool set_time_out(mongoc_uri_t *uri, const char *name, int64_t value_ms)
{
	return mongoc_uri_set_option_as_int32(uri, name, value_ms > INT32_MAX ? INT32_MAX : (int32_t)value_ms);
}

static bool set_options(mongoc_uri_t *uri, const struct mongo_target *t)
{
	int64_t select_ms = t->select_timeout_ms ? t->select_timeout_ms : default_select_ms;
	int64_t socket_ms = t->socket_timeout_ms ? t->socket_timeout_ms : default_socket_ms;
	int64_t connect_ms = t->connect_timeout_ms ? t->connect_timeout_ms : connect_max_ms;

	/* by default the driver gives up after the first round over all hosts, e.g. in the middle of an election */
	return mongoc_uri_set_option_as_bool(uri, MONGOC_URI_SERVERSELECTIONTRYONCE, false) &&
	       set_time_out(uri, MONGOC_URI_SERVERSELECTIONTIMEOUTMS, select_ms) &&
	       set_time_out(uri, MONGOC_URI_SOCKETTIMEOUTMS, socket_ms) &&
	       set_time_out(uri, MONGOC_URI_CONNECTTIMEOUTMS, select_ms < connect_ms ? select_ms : connect_ms) &&
	       mongoc_uri_set_option_as_bool(uri, MONGOC_URI_RETRYWRITES, t->retry_writes) &&
	       (!t->app_name || mongoc_uri_set_appname(uri, t->app_name));
}

static bool set_credentials(mongoc_uri_t *uri, const char *user, const char *password, struct err *err)
{
	if (!user)
		return true;
	/* the driver refuses what is no UTF-8 */
	if (!mongoc_uri_set_username(uri, user) || !mongoc_uri_set_password(uri, password ? password : ""))
		return err_set(err, ERR_USAGE, "the user name or the password for MongoDB is not valid UTF-8");
	return mongoc_uri_set_auth_source(uri, mongoc_uri_get_auth_source(uri)) || err_nomem(err);
}

bool mongo_client_new(const struct mongo_target *target, mongoc_client_t **ret, struct err *err)
{
	CLEANUP(mongoc_uri) mongoc_uri_t *uri = NULL;
	mongoc_client_t *client;

	if (!parse_uri(target->uri, &uri, err))
		return false;
	if (!set_options(uri, target))
		return err_set(err, ERR_USAGE, "the driver refuses the options for \"%s\"", uri_shown(target->uri));
	if (!set_credentials(uri, target->user, target->password, err))
		return false;
	client = mongoc_client_new_from_uri(uri);
	if (!client) {
		err_set(err, ERR_NET, "no client can be made for \"%s\"", uri_shown(target->uri));
		return err_hint(
		    err, "look at the URI's options (tls needs a driver built with TLS, mongodb+srv needs DNS)");
	}
	mongoc_client_set_error_api(client, MONGOC_ERROR_API_VERSION_2);
	*ret = client;
	return true;
}

bool mongo_client_again(
    mongoc_client_t *client, const char *user_file, const char *password_file, mongoc_client_t **ret, struct err *err)
{
	CLEANUP(mongoc_uri) mongoc_uri_t *uri = mongoc_uri_copy(mongoc_client_get_uri(client));
	struct mongo_credentials now = {0};
	mongoc_client_t *again;
	bool ok = true;

	if (user_file && password_file)
		ok = mongo_credentials_load(user_file, password_file, &now, err) &&
		     set_credentials(uri, now.user, now.password, err);
	mongo_credentials_clear(&now);
	if (!ok)
		return false;
	again = mongoc_client_new_from_uri(uri);
	if (!again)
		return err_nomem(err);
	mongoc_client_set_error_api(again, MONGOC_ERROR_API_VERSION_2);
	*ret = again;
	return true;
}

bool mongo_command(mongoc_client_t *client, const char *db, const bson_t *command, bson_t *ret_reply, struct err *err)
{
	bson_error_t error = {0};
	bson_iter_t it;
	char what[96];

	if (mongoc_client_command_simple(client, db, command, NULL, ret_reply, &error))
		return true;
	snprintf(what, sizeof what, "command \"%s\" on database \"%s\"",
	    bson_iter_init(&it, command) && bson_iter_next(&it) ? bson_iter_key(&it) : "", db);
	return mongo_error(&error, ret_reply, err, what);
}

static bool from_driver(const bson_error_t *error)
{
	switch (error->domain) {
	case MONGOC_ERROR_SERVER:
	case MONGOC_ERROR_WRITE_CONCERN:
	case MONGOC_ERROR_COMMAND:
	case MONGOC_ERROR_QUERY:
	case MONGOC_ERROR_COLLECTION:
		return false;
	default:
		return true;
	}
}

static bool refused_login(const bson_error_t *error)
{
	/* while logging in, the driver hands the server's refusal on under its own domains */
	if (error->domain == MONGOC_ERROR_CLIENT)
		return error->code == MONGOC_ERROR_CLIENT_AUTHENTICATE || error->code == CODE_AUTHENTICATION_FAILED;
	if (error->domain == MONGOC_ERROR_SCRAM || error->domain == MONGOC_ERROR_SASL)
		return true;
	return !from_driver(error) && (error->code == CODE_AUTHENTICATION_FAILED || error->code == CODE_USER_NOT_FOUND);
}

static bool driver_error(const bson_error_t *error, struct err *err, const char *what)
{
	bool timeout = strstr(error->message, "timeout") || strstr(error->message, "timed out");

	switch (error->domain) {
	case MONGOC_ERROR_SERVER_SELECTION:
		/* an unfit password ends a selection too: the driver tells it in the text only */
		if (strstr(error->message, "uthentication failed")) {
			err_set(err, ERR_AUTH, "%s: %s", what, error->message);
			return err_hint(err, "check the user name and the password, and the URI's authSource");
		}
		err_set(err, ERR_NET, "%s: no suitable server: %s", what, error->message);
		return err_hint(err,
		    "check that MongoDB runs, that the URI's hosts and replicaSet are right, that there is a "
		    "primary, and the network between");
	case MONGOC_ERROR_STREAM:
		err_set(err, timeout ? ERR_TIMEOUT : ERR_NET, "%s: %s", what, error->message);
		return err_hint(
		    err, "the connection was lost or did not answer in time: check the server and the network");
	default:
		return err_set(
		    err, ERR_REMOTE, "%s: %s (driver's error %u.%u)", what, error->message, error->domain, error->code);
	}
}

static bool server_error(const bson_error_t *error, struct err *err, const char *what)
{
	switch (error->code) {
	case CODE_UNAUTHORIZED: {
		/* behind these words the server repeats the whole command, document and session included */
		const char *end = strstr(error->message, " to execute command");
		int len = end ? (int)(end - error->message) : (int)strlen(error->message);

		err_set(err, ERR_AUTH, "%s: no permission: %.*s", what, len, error->message);
		return err_hint(err, "grant the user a role that allows it, or use another user");
	}
	case CODE_REAUTHENTICATION_REQUIRED:
		err_set(err, ERR_AUTH, "%s: the login has expired: %s", what, error->message);
		return err_hint(err, "log in again");
	case CODE_MAX_TIME_MS_EXPIRED:
	case CODE_WRITE_CONCERN_TIMEOUT:
	case CODE_EXCEEDED_TIME_LIMIT:
		err_set(err, ERR_TIMEOUT, "%s: %s (code %u)", what, error->message, error->code);
		return err_hint(
		    err, "the server did not finish in time: check its load and that a majority of members is up");
	case CODE_NOT_WRITABLE_PRIMARY:
	case CODE_NOT_PRIMARY_NO_SECONDARY_OK:
	case CODE_PRIMARY_STEPPED_DOWN:
		err_set(err, ERR_REMOTE, "%s: not the primary: %s (code %u)", what, error->message, error->code);
		return err_hint(err, "give all members and replicaSet= in the URI, and no directConnection=true");
	case CODE_NOT_YET_INITIALIZED:
		err_set(err, ERR_STATE, "%s: %s (code %u)", what, error->message, error->code);
		return err_hint(err, "the replica set is not initiated yet");
	default:
		return err_set(err, ERR_REMOTE, "%s: %s (code %u)", what, error->message, error->code);
	}
}

bool mongo_error(const bson_error_t *error, const bson_t *reply, struct err *err, const char *what)
{
	bson_error_t said = *error;
	int64_t code;

	/* commands that the driver retried or wrapped keep the server's own code in the reply only */
	if (reply && from_driver(error) && bson_path_i64(reply, "code", &code) && code > 0 && code <= INT32_MAX) {
		said.domain = MONGOC_ERROR_SERVER;
		said.code = (uint32_t)code;
	}
	if (refused_login(&said)) {
		err_set(err, ERR_AUTH, "%s: login refused: %s", what, said.message);
		return err_hint(err, "check the user name and the password, and the URI's authSource");
	}
	return from_driver(&said) ? driver_error(&said, err, what) : server_error(&said, err, what);
}
