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

struct patch_case {
	const char *doc, *patch, *result; /* result NULL: refused */
	enum err_code code;
};

static void run(const struct patch_case *c, bool (*apply)(json_node *, const json_node *, struct err *))
{
	CLEANUP(json) struct json *doc = parse(c->doc), *patch = parse(c->patch), *before = parse(c->patch);
	CLEANUP(json) struct json *want = parse(c->result ? c->result : c->doc);
	struct err err = ERR_INIT;
	bool ok = apply(json_edit(doc), json_root(patch), &err);

	cr_assert_eq(ok, c->result != NULL, "%s with %s: %s", c->doc, c->patch, err.msg);
	if (!ok)
		cr_assert_eq(err.code, c->code, "%s with %s: %s", c->doc, c->patch, err.msg);
	cr_assert(json_equal(json_root(doc), json_root(want)), "%s with %s", c->doc, c->patch);
	cr_assert(json_equal(json_root(patch), json_root(before)), "the patch is not changed");
}

/* The examples of RFC 7386, appendix A, among them. */
Test(json_patch, merging)
{
	static const struct patch_case cases[] = {
	    {"{\"a\":\"b\"}", "{\"a\":\"c\"}", "{\"a\":\"c\"}", 0},
	    {"{\"a\":\"b\"}", "{\"b\":\"c\"}", "{\"a\":\"b\",\"b\":\"c\"}", 0},
	    {"{\"a\":\"b\",\"b\":\"c\"}", "{\"a\":null}", "{\"b\":\"c\"}", 0},
	    {"{\"a\":[\"b\"]}", "{\"a\":\"c\"}", "{\"a\":\"c\"}", 0},
	    {"{\"a\":\"c\"}", "{\"a\":[\"b\"]}", "{\"a\":[\"b\"]}", 0},
	    {"{\"a\":{\"b\":\"c\"}}", "{\"a\":{\"b\":\"d\",\"c\":null}}", "{\"a\":{\"b\":\"d\"}}", 0},
	    {"[\"a\",\"b\"]", "[\"c\",\"d\"]", "[\"c\",\"d\"]", 0},
	    {"{\"a\":\"b\"}", "[\"c\"]", "[\"c\"]", 0},
	    {"{\"a\":\"foo\"}", "null", "null", 0},
	    {"{\"e\":null}", "{\"a\":1}", "{\"e\":null,\"a\":1}", 0},
	    {"[1,2]", "{\"a\":\"b\",\"c\":null}", "{\"a\":\"b\"}", 0},
	    {"{}", "{\"a\":{\"bb\":{\"ccc\":null}}}", "{\"a\":{\"bb\":{}}}", 0},
	    {"{\"a\":1,\"b\":2,\"a\":3}", "{\"a\":null}", "{\"b\":2}", 0},
	};

	for (size_t i = 0; i < COUNT(cases); i++)
		run(&cases[i], json_merge_patch);
}

Test(json_patch, operations)
{
	static const struct patch_case cases[] = {
	    {"{\"a\":1}",
		"[{\"op\":\"add\",\"path\":\"/b\",\"value\":[1]},{\"op\":\"add\",\"path\":\"/b/-\",\"value\":2},"
		"{\"op\":\"add\",\"path\":\"/b/0\",\"value\":0},{\"op\":\"add\",\"path\":\"/b/1\",\"value\":null}]",
		"{\"a\":1,\"b\":[0,null,1,2]}", 0},
	    {"{\"a\":1}", "[{\"op\":\"add\",\"path\":\"/a\",\"value\":2}]", "{\"a\":2}", 0},
	    {"{\"a\":1}", "[{\"op\":\"add\",\"path\":\"\",\"value\":[]}]", "[]", 0},
	    {"{\"a/b\":{\"~\":1}}", "[{\"op\":\"remove\",\"path\":\"/a~1b/~0\"}]", "{\"a/b\":{}}", 0},
	    {"[1,2,3]",
		"[{\"op\":\"remove\",\"path\":\"/2\"},{\"op\":\"remove\",\"path\":\"/0\"},"
		"{\"op\":\"add\",\"path\":\"/-\",\"value\":9}]",
		"[2,9]", 0},
	    {"{\"a\":{\"b\":1}}", "[{\"op\":\"replace\",\"path\":\"/a/b\",\"value\":{\"c\":1}}]",
		"{\"a\":{\"b\":{\"c\":1}}}", 0},
	    {"{\"a\":{\"b\":1},\"c\":[]}", "[{\"op\":\"move\",\"from\":\"/a/b\",\"path\":\"/c/0\"}]",
		"{\"a\":{},\"c\":[1]}", 0},
	    {"{\"a\":1}", "[{\"op\":\"move\",\"from\":\"/a\",\"path\":\"/a\"}]", "{\"a\":1}", 0},
	    {"{\"a\":[1]}", "[{\"op\":\"copy\",\"from\":\"/a\",\"path\":\"/a/-\"}]", "{\"a\":[1,[1]]}", 0},
	    {"{\"a\":{\"x\":1,\"y\":2}}", "[{\"op\":\"test\",\"path\":\"/a\",\"value\":{\"y\":2.0,\"x\":1}}]",
		"{\"a\":{\"x\":1,\"y\":2}}", 0},
	    {"{}", "[]", "{}", 0},

	    {"{\"a\":1}", "[{\"op\":\"remove\",\"path\":\"/a\"},{\"op\":\"remove\",\"path\":\"/a\"}]", NULL, ERR_STATE},
	    {"{\"a\":1}",
		"[{\"op\":\"add\",\"path\":\"/b\",\"value\":1},{\"op\":\"test\",\"path\":\"/a\",\"value\":2}]", NULL,
		ERR_STATE},
	    {"{\"a\":1}", "[{\"op\":\"test\",\"path\":\"/x\",\"value\":null}]", NULL, ERR_STATE},
	    {"{\"a\":1}", "[{\"op\":\"replace\",\"path\":\"/x\",\"value\":1}]", NULL, ERR_STATE},
	    {"{\"a\":1}", "[{\"op\":\"add\",\"path\":\"/x/y\",\"value\":1}]", NULL, ERR_STATE},
	    {"{\"a\":1}", "[{\"op\":\"add\",\"path\":\"/a/y\",\"value\":1}]", NULL, ERR_STATE},
	    {"{\"a\":[]}", "[{\"op\":\"add\",\"path\":\"/a/1\",\"value\":1}]", NULL, ERR_STATE},
	    {"{\"a\":[1]}", "[{\"op\":\"add\",\"path\":\"/a/00\",\"value\":1}]", NULL, ERR_STATE},
	    {"{\"a\":1}", "[{\"op\":\"remove\",\"path\":\"\"}]", NULL, ERR_STATE},
	    {"{\"a\":{}}", "[{\"op\":\"move\",\"from\":\"/a\",\"path\":\"/a/b\"}]", NULL, ERR_PARSE},
	    {"{\"a\":{}}", "[{\"op\":\"move\",\"from\":\"/x\",\"path\":\"/a/b\"}]", NULL, ERR_STATE},
	    {"{\"a\":{}}", "[{\"op\":\"add\",\"path\":\"a\",\"value\":1}]", NULL, ERR_PARSE},
	    {"{\"a\":{}}", "[{\"op\":\"add\",\"path\":\"/a\"}]", NULL, ERR_PARSE},
	    {"{\"a\":{}}", "[{\"op\":\"grow\",\"path\":\"/a\"}]", NULL, ERR_PARSE},
	    {"{\"a\":{}}", "[{\"op\":\"copy\",\"path\":\"/a\"}]", NULL, ERR_PARSE},
	    {"{\"a\":{}}", "[{\"path\":\"/a\"}]", NULL, ERR_PARSE},
	    {"{\"a\":{}}", "[1]", NULL, ERR_PARSE},
	    {"{\"a\":{}}", "{}", NULL, ERR_PARSE},
	};

	for (size_t i = 0; i < COUNT(cases); i++)
		run(&cases[i], json_patch);
}

Test(json_patch, copies_that_double_the_tree_are_stopped)
{
	CLEANUP(json) struct json *doc = parse("{\"a\":[1]}"), *patch = parse("[]");
	struct err err = ERR_INIT;

	for (int i = 0; i < 40; i++)
		cr_assert(json_set_format(json_edit(patch), "-", &err, "{'op':'copy','from':'/a','path':'/a/-'}"));
	cr_assert(!json_patch(json_edit(doc), json_root(patch), &err));
	cr_assert_eq(err.code, ERR_LIMIT, "%s", err.msg);
	cr_assert_eq(json_count(json_at(json_root(doc), "a")), 1);
}
