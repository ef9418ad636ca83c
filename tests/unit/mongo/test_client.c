#include "mongo/client.h"

#include "base/file.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char password[] = "p@ss:w/ord#1";

static void start(void)
{
	mongo_init();
	unsetenv("MONGODB_USER");
	unsetenv("MONGODB_PASSWORD");
}

TestSuite(client, .init = start, .fini = mongo_cleanup);

Test(client, any_character_may_be_in_a_password)
{
	struct mongo_target target = {
	    .uri = "mongodb://127.11.255.1:1/?replicaSet=rs0", .user = "us er@x", .password = password};
	CLEANUP(mongoc_client) mongoc_client_t *client = NULL;
	const mongoc_uri_t *uri;
	struct err err = ERR_INIT;

	cr_assert(mongo_client_new(&target, &client, &err), "%s", err.msg);
	uri = mongoc_client_get_uri(client);
	cr_assert_str_eq(mongoc_uri_get_username(uri), "us er@x");
	cr_assert_str_eq(mongoc_uri_get_password(uri), password);
	cr_assert_str_eq(mongoc_uri_get_auth_source(uri), "admin");
	cr_assert_eq(mongoc_uri_get_option_as_int32(uri, MONGOC_URI_SERVERSELECTIONTIMEOUTMS, 0), 10000);
	cr_assert_eq(mongoc_uri_get_option_as_int32(uri, MONGOC_URI_SOCKETTIMEOUTMS, 0), 30000);
	cr_assert_not(mongoc_uri_get_option_as_bool(uri, MONGOC_URI_RETRYWRITES, true));
}

Test(client, a_password_in_the_uri_is_refused_without_being_shown)
{
	static const char *const uris[] = {"mongodb://ann:hunter2@db0/", "mongodb://ann:hunter2@",
	    "mongodb://ann:hun/ter2@db0/", "mongodb://:hunter2@/"};

	for (size_t i = 0; i < sizeof uris / sizeof *uris; i++) {
		struct mongo_target target = {.uri = uris[i]};
		mongoc_client_t *client = NULL;
		struct err err = ERR_INIT;

		cr_assert_not(mongo_client_new(&target, &client, &err), "%s", uris[i]);
		cr_assert_eq(err.code, ERR_USAGE);
		cr_assert_null(strstr(err.msg, "hun"), "%s", err.msg);
		cr_assert_null(strstr(err.msg, "ter2"), "%s", err.msg);
		cr_assert(err.hint[0]);
	}
}

Test(client, a_broken_uri_is_a_usage_error)
{
	struct mongo_target target = {.uri = "http://db0/"};
	mongoc_client_t *client = NULL;
	struct err err = ERR_INIT;

	cr_assert_not(mongo_client_new(&target, &client, &err));
	cr_assert_eq(err.code, ERR_USAGE);
	cr_assert(strstr(err.msg, "\"http://db0/\""));
}

Test(client, nobody_listening_is_a_network_error_that_names_the_host)
{
	struct mongo_target target = {.uri = "mongodb://127.11.255.1:1/", .select_timeout_ms = 300};
	CLEANUP(mongoc_client) mongoc_client_t *client = NULL;
	struct mongo_identity id;
	struct err err = ERR_INIT;

	cr_assert(mongo_client_new(&target, &client, NULL));
	cr_assert_not(mongo_identify(client, &id, &err));
	cr_assert_eq(err.code, ERR_NET, "%s", err.msg);
	cr_assert(strstr(err.msg, "127.11.255.1:1"), "%s", err.msg);
	cr_assert(err.hint[0]);
}

static struct err map(uint32_t domain, uint32_t code, const char *message)
{
	bson_error_t error;
	struct err err = ERR_INIT;

	bson_set_error(&error, domain, code, "%s", message);
	cr_assert_not(mongo_error(&error, NULL, &err, "insert into \"admin.ticker\""));
	cr_assert_eq(strncmp(err.msg, "insert into \"admin.ticker\": ", 28), 0);
	return err;
}

Test(client, causes_are_told_apart)
{
	cr_assert_eq(map(MONGOC_ERROR_SERVER, 13, "not authorized").code, ERR_AUTH);
	cr_assert_eq(map(MONGOC_ERROR_SERVER, 391, "reauthentication required").code, ERR_AUTH);
	cr_assert_eq(map(MONGOC_ERROR_SERVER, 18, "Authentication failed.").code, ERR_AUTH);
	cr_assert_eq(
	    map(MONGOC_ERROR_CLIENT, MONGOC_ERROR_CLIENT_AUTHENTICATE, "Authentication failed.").code, ERR_AUTH);
	cr_assert_eq(map(MONGOC_ERROR_SERVER, 50, "operation exceeded time limit").code, ERR_TIMEOUT);
	cr_assert_eq(map(MONGOC_ERROR_WRITE_CONCERN, 64, "waiting for replication timed out").code, ERR_TIMEOUT);
	cr_assert_eq(
	    map(MONGOC_ERROR_STREAM, MONGOC_ERROR_STREAM_SOCKET, "Failed to read 4 bytes: socket error or timeout")
		.code,
	    ERR_TIMEOUT);
	cr_assert_eq(map(MONGOC_ERROR_STREAM, MONGOC_ERROR_STREAM_CONNECT, "Failed to connect").code, ERR_NET);
	cr_assert_eq(map(MONGOC_ERROR_SERVER_SELECTION, 13053, "No suitable servers found").code, ERR_NET);
	cr_assert_eq(map(MONGOC_ERROR_SERVER, 10107, "not primary").code, ERR_REMOTE);
	cr_assert_eq(map(MONGOC_ERROR_SERVER, 59, "no such command").code, ERR_REMOTE);
}

/* 18 is a code of the driver's selection domain too; only the server's own 18 is a wrong password. */
Test(client, each_cause_has_its_own_hint)
{
	struct err password_err = map(MONGOC_ERROR_SERVER, 18, "x"), role = map(MONGOC_ERROR_SERVER, 13, "x"),
		   net = map(MONGOC_ERROR_SERVER_SELECTION, 13053, "x");

	cr_assert(strstr(password_err.hint, "password"));
	cr_assert(strstr(role.hint, "role"));
	cr_assert(strstr(net.hint, "primary"));
}

Test(client, credentials_come_from_files_before_the_environment)
{
	char user_file[] = "/tmp/tick-user-XXXXXX", password_file[] = "/tmp/tick-password-XXXXXX";
	struct mongo_credentials c;
	struct err err = ERR_INIT;

	close(mkstemp(user_file));
	close(mkstemp(password_file));
	cr_assert(file_write_atomic(user_file, "ann\n", 4, 0600, NULL));
	cr_assert(file_write_atomic(password_file, password, strlen(password), 0600, NULL));
	cr_assert(mongo_credentials_load(NULL, NULL, &c, &err) && !c.given);
	setenv("MONGODB_USER", "bob", 1);
	cr_assert_not(mongo_credentials_load(NULL, NULL, &c, &err));
	cr_assert_eq(err.code, ERR_USAGE);
	setenv("MONGODB_PASSWORD", "b", 1);
	cr_assert(mongo_credentials_load(NULL, NULL, &c, &err) && c.given);
	cr_assert_str_eq(c.user, "bob");
	cr_assert(mongo_credentials_load(user_file, password_file, &c, &err), "%s", err.msg);
	cr_assert_str_eq(c.user, "ann");
	cr_assert_str_eq(c.password, password);
	cr_assert_not(mongo_credentials_load(user_file, NULL, &c, &err));
	cr_assert_eq(err.code, ERR_USAGE);
	mongo_credentials_clear(&c);
	for (size_t i = 0; i < sizeof c; i++)
		cr_assert_eq(((char *)&c)[i], 0);
	unlink(user_file);
	unlink(password_file);
}

/* What it would leave in /dev/shm when it is killed. */
Test(client, the_driver_leaves_no_shared_file)
{
	char path[64];

	snprintf(path, sizeof path, "/dev/shm/mongoc-%d", (int)getpid());
	cr_expect(access(path, F_OK) != 0, "there is %s", path);
}
