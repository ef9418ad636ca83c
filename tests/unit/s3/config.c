#include "s3/config.h"
#include "s3/s3_errors.h"

#include "base/file.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static char *env_full(const char *name)
{
	if (!strcmp(name, "AWS_ACCESS_KEY_ID"))
		return (char *)"AKENV";
	if (!strcmp(name, "AWS_SECRET_ACCESS_KEY"))
		return (char *)"secret-of-env";
	return NULL;
}

static char *env_empty(const char *name)
{
	(void)name;
	return NULL;
}

static char dir[] = "/tmp/s3-config-XXXXXX";
static char path[128];

static void make_dir(void)
{
	cr_assert(mkdtemp(dir));
}

static void remove_dir(void)
{
	struct err err = ERR_INIT;

	file_remove_tree(dir, &err);
}

static const char *write_file(const char *name, const char *text)
{
	struct err err = ERR_INIT;

	snprintf(path, sizeof path, "%s/%s", dir, name);
	cr_assert(file_write_atomic(path, text, strlen(text), 0600, &err));
	return path;
}

Test(s3_config, credentials_come_from_the_environment)
{
	struct s3_config c = {0};
	struct err err = ERR_INIT;

	cr_assert(s3_config_load_credentials(&c, NULL, NULL, NULL, env_full, &err));
	cr_assert_str_eq(c.access_key, "AKENV");
	cr_assert_str_eq(c.secret_key, "secret-of-env");
	cr_assert_str_eq(c.session_token, "");
}

Test(s3_config, files_win_over_the_environment, .init = make_dir, .fini = remove_dir)
{
	struct s3_config c = {0};
	struct err err = ERR_INIT;
	char access[128];

	snprintf(access, sizeof access, "%s", write_file("access", "AKFILE\n"));
	cr_assert(s3_config_load_credentials(&c, access, write_file("secret", "of file"), NULL, env_full, &err), "%s",
	    err.msg);
	cr_assert_str_eq(c.access_key, "AKFILE");
	cr_assert_str_eq(c.secret_key, "of file");
}

Test(s3_config, missing_credentials_say_what_to_set)
{
	struct s3_config c = {0};
	struct err err = ERR_INIT;

	cr_assert_not(s3_config_load_credentials(&c, NULL, NULL, NULL, env_empty, &err));
	cr_assert_eq(err.code, ERR_AUTH);
	cr_assert(strstr(err.hint, "AWS_ACCESS_KEY_ID"));
	err = (struct err)ERR_INIT;
	cr_assert_not(s3_config_load_credentials(&c, "/x", NULL, NULL, env_full, &err));
	cr_assert_eq(err.code, ERR_USAGE);
}

Test(s3_config, json_file_fills_what_it_names_only, .init = make_dir, .fini = remove_dir)
{
	struct s3_config c = {.region = "eu-west-3", .bucket = "old"};
	struct err err = ERR_INIT;

	cr_assert(s3_config_load(write_file("s3.json",
				     "{\"endpoint\":\"http://"
				     "127.0.0.1:1\",\"bucket\":\"b\",\"forcePathStyle\":false,\"insecure\":true}"),
		      &c, &err),
	    "%s", err.msg);
	cr_assert_str_eq(c.endpoint, "http://127.0.0.1:1");
	cr_assert_str_eq(c.bucket, "b");
	cr_assert_str_eq(c.region, "eu-west-3");
	cr_assert(c.virtual_host && c.insecure);
}

Test(s3_config, secret_inside_the_json_file_is_refused_and_not_repeated, .init = make_dir, .fini = remove_dir)
{
	struct s3_config c = {0};
	struct err err = ERR_INIT;

	cr_assert_not(s3_config_load(write_file("s3.json", "{\"secretKey\":\"hunter2\"}"), &c, &err));
	cr_assert(strstr(err.msg, "secretKey"));
	cr_assert_not(strstr(err.msg, "hunter2"));
	cr_assert(strstr(err.hint, "secretKeyFile"));
}

Test(s3_config, check_refuses_what_cannot_work)
{
	const struct {
		struct s3_config c;
		enum err_code code;
	} cases[] = {
	    {{.bucket = "", .access_key = "a", .secret_key = "s"}, ERR_USAGE},
	    {{.bucket = "a/b", .access_key = "a", .secret_key = "s"}, ERR_USAGE},
	    {{.bucket = "b", .access_key = "a"}, ERR_AUTH},
	    {{.bucket = "b", .endpoint = "ftp://x", .access_key = "a", .secret_key = "s"}, ERR_USAGE},
	    {{.bucket = "b", .endpoint = "http://x/path", .access_key = "a", .secret_key = "s"}, ERR_USAGE},
	    {{.bucket = "b", .endpoint = "http://u:p@x", .access_key = "a", .secret_key = "s"}, ERR_USAGE},
	    {{.bucket = "b", .endpoint = "http://x:9000/", .access_key = "a", .secret_key = "s"}, ERR_NONE},
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct err err = ERR_INIT;

		cr_expect_eq(s3_config_check(&cases[i].c, &err), cases[i].code == ERR_NONE, "case %zu", i);
		cr_expect_eq(err.code, cases[i].code, "case %zu: %s", i, err.msg);
	}
}

static void refused(int status, const char *body, const char *region, struct err *err)
{
	const struct s3_config c = {.region = "us-east-1", .bucket = "b"};
	HTTP_RESPONSE_CLEANUP struct http_response res = {.status = status, .body = BUF_INIT(4096)};
	struct err ignored = ERR_INIT;

	buf_add_str(&res.body, body, &ignored);
	if (region)
		http_headers_add(&res.headers, "x-amz-bucket-region", region, &ignored);
	cr_assert_not(s3_refused(&c, "list \"\" in bucket \"b\"", &res, err));
}

Test(s3_errors, each_refusal_has_a_code_and_a_hint)
{
	static const struct {
		int status;
		const char *body;
		const char *region;
		enum err_code code;
		const char *message, *hint;
	} cases[] = {
	    {403, "<Error><Code>InvalidAccessKeyId</Code><Message>m</Message></Error>", NULL, ERR_AUTH,
		"InvalidAccessKeyId", "AWS_ACCESS_KEY_ID"},
	    {403, "<Error><Code>SignatureDoesNotMatch</Code></Error>", NULL, ERR_AUTH, "SignatureDoesNotMatch",
		"AWS_SECRET_ACCESS_KEY"},
	    {403, "<Error><Code>AccessDenied</Code></Error>", NULL, ERR_AUTH, "AccessDenied", "s3:ListBucket"},
	    {403, "<Error><Code>RequestTimeTooSkewed</Code></Error>", NULL, ERR_AUTH, "RequestTimeTooSkewed", "clock"},
	    {404, "<Error><Code>NoSuchBucket</Code></Error>", NULL, ERR_NOT_FOUND, "NoSuchBucket", "bucket's name"},
	    {404, "<Error><Code>NoSuchKey</Code></Error>", NULL, ERR_NOT_FOUND, "NoSuchKey", "prefix"},
	    {404, "", NULL, ERR_NOT_FOUND, "HTTP 404", "prefix"},
	    {403, "<html>no</html>", NULL, ERR_AUTH, "HTTP 403", "s3:ListBucket"},
	    {301, "<Error><Code>PermanentRedirect</Code></Error>", "eu-west-3", ERR_REMOTE, "PermanentRedirect",
		"region \"eu-west-3\""},
	    {400, "<Error><Code>AuthorizationHeaderMalformed</Code><Region>eu-west-1</Region></Error>", NULL,
		ERR_REMOTE, "Malformed", "region \"eu-west-1\""},
	    {307, "", NULL, ERR_REMOTE, "HTTP 307", "another endpoint"},
	    {500, "oops", NULL, ERR_REMOTE, "HTTP 500", ""},
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct err err = ERR_INIT;

		refused(cases[i].status, cases[i].body, cases[i].region, &err);
		cr_expect_eq(err.code, cases[i].code, "case %zu: %s", i, err.msg);
		cr_expect(strstr(err.msg, cases[i].message), "case %zu: %s", i, err.msg);
		cr_expect(strstr(err.hint, cases[i].hint), "case %zu: %s", i, err.hint);
		cr_expect(strstr(err.msg, "bucket \"b\""), "case %zu: %s", i, err.msg);
	}
}
