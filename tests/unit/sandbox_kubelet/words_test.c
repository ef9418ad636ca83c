#include "sandbox/kubelet/words.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static void expands_to(const char *text, const char *wanted)
{
	WORDS_CLEANUP struct words env = {0};
	BUF_CLEANUP struct buf out = BUF_INIT(4096);
	struct err err = ERR_INIT;

	cr_assert(words_env_set(&env, "A", "one", &err) && words_env_set(&env, "B", "$(A)", &err) &&
		  words_env_set(&env, "EMPTY", "", &err));
	cr_assert(words_expand(text, &env, &out, &err), "%s", err.msg);
	cr_assert_str_eq(buf_str(&out), wanted, "\"%s\" became \"%s\"", text, buf_str(&out));
}

Test(words, expand_what_is_known_and_leave_the_rest_as_kubernetes_does)
{
	expands_to("", "");
	expands_to("plain", "plain");
	expands_to("$(A)", "one");
	expands_to("x$(A)y$(A)", "xoneyone");
	expands_to("$(MISSING)", "$(MISSING)");
	expands_to("$(A", "$(A");
	expands_to("$$(A)", "$(A)");
	expands_to("$$$$", "$$");
	expands_to("$A", "$A");
	expands_to("$()", "$()");
	expands_to("$", "$");
	expands_to("$(EMPTY)!", "!");
	expands_to("$(B)", "$(A)"); /* once, not again */
	expands_to("$(MISSING$(A))", "$(MISSING$(A))");
}

static void translates_to(const char *text, const char *wanted)
{
	static const struct path_pair pairs[] = {
	    {"/data", "/x/data"}, {"/data/db", "/x/pvc"}, {"/etc/mongodb-secrets", "/x/secret"}};
	BUF_CLEANUP struct buf out = BUF_INIT(4096);
	struct err err = ERR_INIT;

	cr_assert(words_translate(text, pairs, 3, &out, &err), "%s", err.msg);
	cr_assert_str_eq(buf_str(&out), wanted, "\"%s\" became \"%s\"", text, buf_str(&out));
}

Test(words, a_mounted_path_is_replaced_where_a_path_can_begin)
{
	translates_to("--dbpath=/data/db", "--dbpath=/x/pvc");
	translates_to("/data/db/journal", "/x/pvc/journal");
	translates_to("/data/dbx", "/x/data/dbx");
	translates_to("/database", "/database");
	translates_to("/var/data/db", "/var/data/db");
	translates_to("a,/data;/etc/mongodb-secrets/key:/data", "a,/x/data;/x/secret/key:/x/data");
	translates_to("mongodb://host/data", "mongodb://host/data");
	translates_to("'/data'", "'/x/data'");
	translates_to("nothing", "nothing");
}

Test(words, a_variable_set_twice_has_its_last_value_and_its_first_place)
{
	WORDS_CLEANUP struct words env = {0};
	struct err err = ERR_INIT;

	cr_assert(words_env_set(&env, "A", "1", &err) && words_env_set(&env, "AB", "2", &err) &&
		  words_env_set(&env, "A", "3", &err));
	cr_assert_eq(env.count, 2);
	cr_assert_str_eq(env.items[0], "A=3");
	cr_assert_str_eq(env.items[1], "AB=2");
	cr_assert_null(env.items[2]);
	cr_assert_null(words_env(&env, "B"));
	cr_assert_not(words_env_set(&env, "A=B", "x", &err));
	cr_assert_not(words_env_set(&env, "", "x", &err));
}

Test(words, a_list_has_a_bound)
{
	WORDS_CLEANUP struct words w = {0};
	struct err err = ERR_INIT;
	char *large = malloc(WORD_BYTES_MAX + 1);

	for (int i = 0; i < WORDS_MAX; i++)
		cr_assert(words_add(&w, "x", &err));
	cr_assert_not(words_add(&w, "x", &err));
	cr_assert_eq(err.code, ERR_LIMIT);
	memset(large, 'x', WORD_BYTES_MAX);
	large[WORD_BYTES_MAX] = '\0';
	words_clear(&w);
	cr_assert_not(words_add(&w, large, &err));
	free(large);
}
