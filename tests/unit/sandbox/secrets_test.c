#include "base/file.h"
#include "doc/json.h"
#include "sandbox/parts/secrets.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct layout layout = {.members = 1};

static void make(void)
{
	strcpy(layout.dir, "/tmp/psmdb-secrets-XXXXXX");
	cr_assert(mkdtemp(layout.dir));
}

static void clean(void)
{
	file_remove_tree(layout.dir, NULL);
}

TestSuite(secrets, .init = make, .fini = clean);

Test(secrets, are_made_once_and_stay)
{
	struct secrets a, b;
	struct err err = ERR_INIT;

	cr_assert(secrets_ensure(&layout, &a, &err), "%s", err.msg);
	cr_assert(secrets_ensure(&layout, &b, &err), "%s", err.msg);
	cr_assert_eq(memcmp(&a, &b, sizeof a), 0);
	cr_assert(secrets_load(&layout, &b, &err), "%s", err.msg);
	cr_assert_eq(memcmp(&a, &b, sizeof a), 0);
	cr_assert_str_neq(a.password[USER_ADMIN], a.password[USER_BACKUP]);
}

Test(secrets, are_closed_to_others)
{
	static const char *const files[] = {"secrets/admin-password", "secrets/s3-secret-key", "keyfile", "s3.json"};
	struct secrets s;
	struct stat st;

	umask(0);
	cr_assert(secrets_ensure(&layout, &s, NULL));
	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		cr_assert_eq(stat(layout_file(&layout, "%s", files[i]).text, &st), 0, "%s", files[i]);
		cr_expect_eq(st.st_mode & 0777, 0600, "%s", files[i]);
	}
	cr_assert_eq(stat(layout_file(&layout, "secrets").text, &st), 0);
	cr_expect_eq(st.st_mode & 0777, 0700);
}

Test(secrets, a_missing_one_is_named_without_its_neighbours_values)
{
	struct secrets s, before;
	struct err err = ERR_INIT;

	cr_assert(secrets_ensure(&layout, &before, NULL));
	unlink(secret_user_file(&layout, USER_TICKER, "password").text);
	cr_assert_not(secrets_load(&layout, &s, &err));
	cr_assert_eq(err.code, ERR_NOT_FOUND);
	cr_assert(strstr(err.msg, "ticker-password"));
	cr_assert_not(strstr(err.msg, before.password[USER_ADMIN]));
}

Test(secrets, the_s3_servers_identity_can_use_its_two_buckets_and_make_none)
{
	struct json_limits limits = JSON_LIMITS_DEFAULT;
	BUF_CLEANUP struct buf text = BUF_INIT(8192);
	CLEANUP(json) struct json *doc = NULL;
	const json_node *identity;
	struct secrets s;

	cr_assert(secrets_ensure(&layout, &s, NULL));
	cr_assert(file_read(layout_file(&layout, "s3.json").text, &text, NULL));
	cr_assert(json_parse(text.data, text.len, &limits, &doc, NULL));
	identity = json_first(json_get(json_root(doc), "identities"));
	cr_assert_eq(json_count(json_get(json_root(doc), "identities")), 1);
	cr_assert_str_eq(
	    json_string(json_get(json_first(json_get(identity, "credentials")), "secretKey")), s.s3_secret);
	for (const json_node *n = json_first(json_get(identity, "actions")); n; n = json_next(n)) {
		cr_expect(strstr(json_string(n), ":" LAYOUT_BUCKET) || strstr(json_string(n), ":" LAYOUT_KASTEN_BUCKET),
		    "%s", json_string(n));
		cr_expect_not(strstr(json_string(n), "Admin"));
	}
}

Test(secrets, every_reserved_character_of_a_uri_is_encoded)
{
	BUF_CLEANUP struct buf out = BUF_INIT(200);

	cr_assert(uri_encode(&out, "aZ0-._~p@ss:w/ord#%&?'\"\\ $\xc3\xa9", NULL));
	cr_assert_str_eq(buf_str(&out), "aZ0-._~p%40ss%3Aw%2Ford%23%25%26%3F%27%22%5C%20%24%C3%A9");
}
