#include "sandbox/operator/fill.h"

#include "base/base64.h"

#include <criterion/criterion.h>
#include <string.h>

/* Every byte once, over and over. */
static bool counting(void *ret, size_t len, struct err *err)
{
	static unsigned char next;

	(void)err;
	for (size_t i = 0; i < len; i++)
		((unsigned char *)ret)[i] = next++;
	return true;
}

static bool always_255(void *ret, size_t len, struct err *err)
{
	(void)err;
	memset(ret, 255, len);
	return true;
}

static bool broken(void *ret, size_t len, struct err *err)
{
	(void)ret;
	(void)len;
	return err_set(err, ERR_IO, "no entropy");
}

static struct err err;
static struct json *secret, *data;

static void tear_down(void)
{
	json_free(secret);
	json_free(data);
	secret = data = NULL;
}

TestSuite(fill, .fini = tear_down);

static void fill(const char *pattern, bool want_changed)
{
	bool changed;

	if (pattern)
		cr_assert(json_format(&secret, &err, pattern), "%s", err.msg);
	cr_assert(fill_users(json_root(secret), counting, &data, &changed, &err), "%s", err.msg);
	cr_assert_eq(changed, want_changed);
}

static void as_secret(void)
{
	json_free(secret);
	secret = NULL;
	cr_assert(json_format(&secret, &err, "{'metadata':{'name':'s'},'data':%j}", json_root(data)));
}

Test(fill, makes_five_users_with_passwords_of_letters_and_digits)
{
	struct op_credentials c;

	fill("{}", true);
	as_secret();
	cr_assert(fill_read_users(json_root(secret), &c, &err), "%s", err.msg);
	cr_assert_str_eq(c.name[OP_USER_ADMIN], "userAdmin");
	cr_assert_str_eq(c.name[OP_DATABASE_ADMIN], "databaseAdmin");
	cr_assert_eq(json_count(json_root(data)), 2 * OP_USER_COUNT);
	for (int i = 0; i < OP_USER_COUNT; i++) {
		size_t len = strlen(c.password[i]);

		cr_expect(len >= 16 && len <= 19, "%zu", len);
		cr_expect_eq(
		    strspn(c.password[i], "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"), len);
	}
	cr_expect_str_neq(c.password[OP_USER_ADMIN], c.password[OP_BACKUP]);
}

Test(fill, respects_what_is_there)
{
	/* "pw" and "me" */
	fill("{'data':{'MONGODB_BACKUP_PASSWORD':'cHc=','MONGODB_USER_ADMIN_USER':'bWU=','PMM_SERVER_USER':'eA=='}}",
	    true);
	cr_expect(json_is_at(json_root(data), "MONGODB_BACKUP_PASSWORD", "cHc="));
	cr_expect(json_is_at(json_root(data), "MONGODB_USER_ADMIN_USER", "bWU="));
	cr_expect(json_is_at(json_root(data), "PMM_SERVER_USER", "eA=="));
	cr_expect_not_null(json_at(json_root(data), "MONGODB_BACKUP_USER"));
}

Test(fill, a_complete_secret_is_left_alone)
{
	struct json *again = NULL;
	bool changed;

	fill("{}", true);
	as_secret();
	cr_assert(fill_users(json_root(secret), broken, &again, &changed, &err), "%s", err.msg);
	cr_assert_not(changed);
	cr_assert(json_equal(json_root(again), json_root(data)));
	json_free(again);
}

Test(fill, a_random_source_that_fails_or_sticks_is_an_error)
{
	bool changed;

	cr_assert_not(fill_users(NULL, broken, &data, &changed, &err));
	cr_assert_eq(err.code, ERR_IO);
	cr_assert_not(fill_users(NULL, always_255, &data, &changed, &err));
	cr_assert_eq(err.code, ERR_LIMIT);
}

Test(fill, what_cannot_be_read_is_named_without_its_value)
{
	struct op_credentials c;

	cr_assert(
	    json_format(&secret, &err, "{'metadata':{'name':'s'},'data':{'MONGODB_USER_ADMIN_USER':'!secret!'}}"));
	cr_assert_not(fill_read_users(json_root(secret), &c, &err));
	cr_assert(strstr(err.msg, "MONGODB_USER_ADMIN_USER") && !strstr(err.msg, "secret!"), "%s", err.msg);
	err = (struct err)ERR_INIT;
	json_free(secret);
	cr_assert(json_format(&secret, &err, "{'metadata':{'name':'s'}}"));
	cr_assert_not(fill_read_users(json_root(secret), &c, &err));
	cr_assert_eq(err.code, ERR_NOT_FOUND);
}

Test(fill, a_text_with_a_nul_is_none)
{
	char text[16];

	cr_assert(json_format(&secret, &err, "{'metadata':{'name':'s'},'data':{'k':'YQBi','e':''}}"));
	cr_assert_not(fill_text(json_root(secret), "k", text, sizeof text, &err));
	cr_assert_not(fill_text(json_root(secret), "e", text, sizeof text, &err));
}

Test(fill, a_key_file_is_base64_within_base64)
{
	BUF_CLEANUP struct buf inner = BUF_INIT(2048);
	const char *outer;

	cr_assert(fill_random("mongodb-key", 768, counting, &data, &err), "%s", err.msg);
	outer = json_text_at(json_root(data), "mongodb-key");
	cr_assert(base64_decode(outer, strlen(outer), &inner, &err), "%s", err.msg);
	cr_assert_eq(inner.len, 1024); /* what mongod takes at most */
}
