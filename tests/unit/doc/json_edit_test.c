#include "doc/json_edit.h"

#include <criterion/criterion.h>
#include <string.h>

#define COUNT(list) (sizeof(list) / sizeof *(list))

static struct json *parse(const char *text)
{
	const struct json_limits limits = {.max_bytes = 1 << 20, .max_depth = 64, .unique_keys = false};
	struct err err = ERR_INIT;
	struct json *doc = NULL;

	cr_assert(json_parse(text, strlen(text), &limits, &doc, &err), "%s: %s", text, err.msg);
	return doc;
}

/* Compact text; in memory that the next call frees. */
static const char *text_of(const json_node *node)
{
	static struct buf out = BUF_INIT(1 << 20);
	struct err err = ERR_INIT;

	buf_clear(&out);
	cr_assert(json_print(node, false, &out, &err), "%s", err.msg);
	return buf_str(&out);
}

#define IS(node, text) cr_assert_str_eq(text_of(node), text)

Test(json_edit, places_are_found_by_path)
{
	CLEANUP(json)
	struct json *doc =
	    parse("{\"a\":{\"b/c\":[1,{\"d~e\":\"x\"},true]},\"n\":12,\"f\":1.5,\"\":\"empty\",\"0\":7}");
	const json_node *root = json_root(doc);

	cr_assert_eq(json_at(root, ""), root);
	cr_assert_eq(json_int_at(root, "a/b~1c/0", 0), 1);
	cr_assert_str_eq(json_text_at(root, "a/b~1c/1/d~0e"), "x");
	cr_assert(json_bool_at(root, "a/b~1c/2", false));
	cr_assert(json_is_at(root, "a/b~1c/1/d~0e", "x"));
	cr_assert(!json_is_at(root, "a/b~1c/1/d~0e", "xy"));
	cr_assert_eq(json_int_at(root, "0", 0), 7, "a number is a key in an object");
	cr_assert_eq(json_int_at(root, "f", -1), -1, "no whole number");
	cr_assert_eq(json_int_at(root, "a", -1), -1);
	cr_assert_null(json_at(root, "a/b"));
	cr_assert_null(json_at(root, "a/b~1c/3"));
	cr_assert_null(json_at(root, "a/b~1c/01"), "leading zero");
	cr_assert_null(json_at(root, "a/b~1c/-"));
	cr_assert_null(json_at(root, "a/b~1c/18446744073709551616"));
	cr_assert_null(json_at(root, "n/x"));
	cr_assert_null(json_at(NULL, "a/b"));
	cr_assert_null(json_text_at(NULL, ""));
	cr_assert_eq(json_int_at(NULL, "x", 5), 5);
	cr_assert(json_bool_at(NULL, "x", true));
}

Test(json_edit, a_pattern_becomes_a_document)
{
	CLEANUP(json) struct json *inner = parse("{\"x\":[1,2]}");
	CLEANUP(json) struct json *doc = NULL;
	struct err err = ERR_INIT;

	cr_assert(
	    json_format(&doc, &err,
		" { 'a' : %s, 'b':[%d,%l,%b,%b,null,-1.5e3,true,false,{},[]],\"c\":%j,'d':%j,'e':%s,'f-%s':'%d%% of "
		"%s\\n\\'%l' }",
		"q\"\xff\n", -5, (int64_t)9007199254740992, 1, 0, json_root(inner), NULL, NULL, "k", 7, "it's",
		(int64_t)-1),
	    "%s", err.msg);
	IS(json_root(doc),
	    "{\"a\":\"q\\\"\xef\xbf\xbd\\u000a\",\"b\":[-5,9007199254740992,true,false,null,-1500,true,false,{},[]],"
	    "\"c\":{\"x\":[1,2]},\"d\":null,\"e\":null,\"f-k\":\"7% of it's\\u000a'-1\"}");
}

Test(json_edit, a_wrong_pattern_is_refused)
{
	static const char *const patterns[] = {"", "{", "{'a'}", "{'a':}", "{'a':1,}", "{a:1}", "[1 2]", "'open",
	    "'%b'", "'\\q'", "%x", "%", "tru", "1 2", "-"};
	struct err err = ERR_INIT;
	struct json *doc = NULL;

	for (size_t i = 0; i < COUNT(patterns); i++) {
		err = (struct err)ERR_INIT;
		cr_assert(!json_format(&doc, &err, patterns[i]), "%s", patterns[i]);
		cr_assert_eq(err.code, ERR_PARSE, "%s: %s", patterns[i], err.msg);
		cr_assert_null(doc);
	}
}

Test(json_edit, setting_makes_the_way)
{
	CLEANUP(json) struct json *doc = parse("{\"a\":1,\"s\":null,\"l\":[1]}");
	CLEANUP(json) struct json *other = parse("[true]");
	json_node *root = json_edit(doc);
	struct err err = ERR_INIT;

	cr_assert(json_set_text(root, "m/labels/app~1x", "y", &err));
	cr_assert(json_set_text(root, "m/labels/b", NULL, &err));
	cr_assert(json_set_int(root, "a", -3, &err));
	cr_assert(json_set_bool(root, "s/ok/deep", true, &err));
	cr_assert(json_set_copy(root, "l/-", json_root(other), &err));
	cr_assert(json_set_format(root, "l/0", &err, "{'n':%d}", 4));
	cr_assert(json_set_int(root, "l/2", 5, &err));
	IS(root, "{\"a\":-3,\"s\":{\"ok\":{\"deep\":true}},\"l\":[{\"n\":4},[true],5],\"m\":{\"labels\":{\"app/"
		 "x\":\"y\",\"b\":"
		 "null}}}");
	cr_assert(json_set_copy(root, "a", json_at(root, "l"), &err), "of a part of itself");
	cr_assert(json_set_copy(root, "l/0", root, &err));
	IS(json_at(root, "l/0/a/0"), "{\"n\":4}");
	cr_assert(json_set_int(root, "", 1, &err));
	IS(root, "1");
}

Test(json_edit, a_failed_change_changes_nothing)
{
	const char *before = "{\"a\":1,\"l\":[1]}";
	CLEANUP(json) struct json *doc = parse(before);
	char deep[300] = "";
	struct err err = ERR_INIT;

	static const char *const paths[] = {"a/b", "a/b/c", "l/2", "l/x", "l/-/x", "l/01"};
	for (size_t i = 0; i < COUNT(paths); i++) {
		err = (struct err)ERR_INIT;
		cr_assert(!json_set_int(json_edit(doc), paths[i], 1, &err), "%s", paths[i]);
		cr_assert_eq(err.code, ERR_PARSE, "%s", err.msg);
	}
	for (int i = 0; i < 64; i++)
		strcat(deep, i ? "/k" : "k");
	cr_assert(!json_set_int(json_edit(doc), deep, 1, &err));
	cr_assert_eq(err.code, ERR_LIMIT);
	deep[strlen(deep) - 2] = '\0';
	IS(json_root(doc), before);
	cr_assert(json_set_int(json_edit(doc), deep, 1, &err));
	cr_assert(!json_set_format(json_edit(doc), deep, &err, "{}x"));
}

Test(json_edit, removing)
{
	CLEANUP(json) struct json *doc = parse("{\"a\":1,\"b\":[1,2,3],\"a\":2,\"c\":{\"d\":1}}");
	json_node *root = json_edit(doc);

	cr_assert(json_remove_at(root, "a"));
	cr_assert_null(json_at(root, "a"), "the second of two equal keys does not come back");
	cr_assert(json_remove_at(root, "b/1"));
	cr_assert(json_remove_at(root, "c/d"));
	cr_assert(!json_remove_at(root, "c/d"));
	cr_assert(!json_remove_at(root, "b/2"));
	cr_assert(!json_remove_at(root, ""));
	cr_assert(!json_remove_at(NULL, "a"));
	IS(root, "{\"b\":[1,3],\"c\":{}}");
}

Test(json_edit, equality_is_deep_and_by_value)
{
	static const struct {
		const char *a, *b;
		bool equal;
	} cases[] = {
	    {"{\"a\":1,\"b\":[1,{}]}", "{\"b\":[1.0,{}],\"a\":1e0}", true},
	    {"[1,2]", "[2,1]", false},
	    {"{\"a\":1}", "{\"a\":1,\"b\":2}", false},
	    {"{\"a\":1}", "{\"b\":1}", false},
	    {"{\"a\":null}", "{}", false},
	    {"true", "false", false},
	    {"true", "true", true},
	    {"\"1\"", "1", false},
	    {"{\"a\":{\"x\":1}}", "{\"a\":{\"x\":2}}", false},
	    {"{\"a\":1,\"a\":2,\"b\":3}", "{\"a\":1,\"a\":2,\"b\":3}", true},
	    {"{\"a\":1,\"a\":2,\"b\":3}", "{\"a\":1,\"b\":3,\"a\":2}", true},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		CLEANUP(json) struct json *a = parse(cases[i].a), *b = parse(cases[i].b);

		cr_assert_eq(json_equal(json_root(a), json_root(b)), cases[i].equal, "%s %s", cases[i].a, cases[i].b);
		cr_assert_eq(json_equal(json_root(b), json_root(a)), cases[i].equal, "%s %s", cases[i].b, cases[i].a);
		cr_assert(!json_equal(json_root(a), NULL));
	}
	cr_assert(json_equal(NULL, NULL));
}

Test(json_edit, large_objects_in_another_order_are_equal)
{
	CLEANUP(json) struct json *a = parse("{}"), *b = parse("{}");
	struct err err = ERR_INIT;
	char key[16];

	for (int i = 0; i < 3000; i++) {
		snprintf(key, sizeof key, "k%d", i);
		cr_assert(json_set_int(json_edit(a), key, i, &err));
		snprintf(key, sizeof key, "k%d", 2999 - i);
		cr_assert(json_set_int(json_edit(b), key, 2999 - i, &err));
	}
	cr_assert(json_equal(json_root(a), json_root(b)));
	cr_assert(json_set_int(json_edit(b), "k7", 8, &err));
	cr_assert(!json_equal(json_root(a), json_root(b)));
}

Test(json_edit, what_is_printed_parses_to_the_same)
{
	const char *text =
	    "{\"a\":[],\"b\":{},\"c\":[1,-2.5,1e300,0.1,9007199254740992,-9007199254740992,1e21,-0],\"d\":"
	    "\"\\u0001\\u20ac\\\"\\\\/\",\"e\":[true,false,null]}";
	CLEANUP(json) struct json *doc = parse(text), *again = NULL;
	BUF_CLEANUP struct buf out = BUF_INIT(1000);
	struct err err = ERR_INIT;

	again = parse(text_of(json_root(doc)));
	cr_assert(json_equal(json_root(doc), json_root(again)));
	cr_assert(strstr(text_of(json_root(doc)), "9007199254740992,-9007199254740992"));
	cr_assert(json_print(json_at(json_root(doc), "c/0"), true, &out, &err));
	cr_assert_str_eq(buf_str(&out), "1");
	buf_clear(&out);
	cr_assert(json_set_format(json_edit(doc), "", &err, "{'a':[1,{}],'b':[]}"));
	cr_assert(json_print(json_root(doc), true, &out, &err));
	cr_assert_str_eq(buf_str(&out), "{\n  \"a\": [\n    1,\n    {}\n  ],\n  \"b\": []\n}");
	out.max = out.len + 5;
	cr_assert(!json_print(json_root(doc), true, &out, &err));
	cr_assert_str_eq(buf_str(&out), "{\n  \"a\": [\n    1,\n    {}\n  ],\n  \"b\": []\n}", "as it was before");
}

/* What a Kubernetes API server keeps of an int64. */
Test(json_edit, whole_numbers_within_64_bits_are_kept_as_they_are_written)
{
	CLEANUP(json)
	struct json *doc = parse("{\"-1\":[1,\"7\\\"9007199254740993\"],\"a\":9007199254740993,"
				 "\"b\":[-9223372036854775808,9223372036854775807],\"c\":1.5,\"d\":9007199254740992}");
	CLEANUP(json) struct json *copy = NULL, *other = NULL;
	struct err err = ERR_INIT;

	IS(json_root(doc), "{\"-1\":[1,\"7\\\"9007199254740993\"],\"a\":9007199254740993,"
			   "\"b\":[-9223372036854775808,9223372036854775807],\"c\":1.5,\"d\":9007199254740992}");
	cr_assert_eq(json_int_at(json_root(doc), "a", 0), 9007199254740993);
	cr_assert_eq(json_int_at(json_root(doc), "b/0", 0), INT64_MIN);
	cr_assert_eq(json_int_at(json_root(doc), "b/1", 0), INT64_MAX);
	cr_assert(json_clone(json_root(doc), &copy, &err) && json_equal(json_root(doc), json_root(copy)));
	other = parse("{\"a\":9007199254740992}");
	cr_assert(!json_equal(json_at(json_root(doc), "a"), json_at(json_root(other), "a")), "one double, two numbers");
	cr_assert(json_merge_patch(json_edit(copy), json_root(other), &err));
	cr_assert_eq(json_int_at(json_root(copy), "a", 0), 9007199254740992);
	cr_assert(json_set_int(json_edit(copy), "a", INT64_MIN, &err) && json_set_int(json_edit(copy), "b/1", 5, &err));
	IS(json_at(json_root(copy), "a"), "-9223372036854775808");
	IS(json_at(json_root(copy), "b"), "[-9223372036854775808,5]");
	json_free(other);
	cr_assert(json_format(&other, &err, "{'l':%l}", INT64_MAX));
	IS(json_root(other), "{\"l\":9223372036854775807}");
}

/* They are doubles: what a Kubernetes API server makes of them, too. */
Test(json_edit, beyond_64_bits_and_with_a_fraction_they_are_doubles)
{
	CLEANUP(json) struct json *doc = parse("[9223372036854775808,-1e20,9007199254740993.0]");

	IS(json_root(doc), "[9.2233720368547758e+18,-1e+20,9007199254740992]");
	cr_assert_eq(json_int_at(json_root(doc), "0", -5), -5);
}

Test(json_edit, a_clone_stands_alone)
{
	CLEANUP(json) struct json *doc = parse("{\"a\":{\"b\":1}}"), *copy = NULL, *none = NULL;
	struct err err = ERR_INIT;

	cr_assert(json_clone(json_at(json_root(doc), "a"), &copy, &err));
	cr_assert(json_set_int(json_edit(doc), "a/b", 2, &err));
	IS(json_root(copy), "{\"b\":1}");
	cr_assert(json_clone(NULL, &none, &err));
	IS(json_root(none), "null");
}
