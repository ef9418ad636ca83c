#include "doc/json.h"
#include "doc/json_writer.h"

#include <criterion/criterion.h>
#include <string.h>

static struct json *parse(const char *text, struct err *err)
{
	const struct json_limits limits = {.max_bytes = 1000, .max_depth = 4, .unique_keys = true};
	struct json *doc = NULL;

	json_parse(text, strlen(text), &limits, &doc, err);
	return doc;
}

Test(json, what_is_refused_and_why)
{
	static const struct {
		const char *text, *says;
	} cases[] = {
	    {"", "malformed"},
	    {"{", "malformed"},
	    {"{} {}", "more text behind"},
	    {"[[[[[1]]]]]", "deeper than 4"},
	    {"\"\\u0000\"", "\\u0000"},
	    {"[1e999]", "beyond a double"},
	    {"\"\xff\"", "UTF-8"},
	    {"{\"a\":1,\"a\":2}", "\"a\" stands twice"},
	    {"{\"b\":{\"a\":1,\"a\":2}}", "\"a\" stands twice"},
	    {"\"a\nb\"", "control character"},
	    {"[\v1]", "control character at byte 1"},
	    {"[01]", "malformed number at byte 1"},
	    {"[-01]", "malformed number"},
	    {"[1.]", "malformed number"},
	    {"[-]", "malformed number"},
	    {"[1e]", "malformed number"},
	    {"[1.5e+]", "malformed number"},
	    {"[1-2]", "malformed"},
	    {"[.5]", "malformed"},
	    {"[+1]", "malformed"},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct err err = ERR_INIT;

		cr_assert_null(parse(cases[i].text, &err), "%s", cases[i].text);
		cr_assert(strstr(err.msg, cases[i].says), "%s: %s", cases[i].text, err.msg);
	}
}

Test(json, a_nul_byte_and_too_many_bytes_are_refused)
{
	const struct json_limits limits = {.max_bytes = 4, .max_depth = 4};
	struct json *doc;
	struct err err = ERR_INIT;

	cr_assert(!json_parse("[1]\0", 4, &limits, &doc, &err));
	cr_assert(strstr(err.msg, "NUL"));
	cr_assert(!json_parse("[1,2]", 5, &limits, &doc, &err));
	cr_assert_eq(err.code, ERR_LIMIT);
}

Test(json, needed_members_say_what_is_wrong)
{
	struct err err = ERR_INIT;
	CLEANUP(json)
	struct json *doc = parse("{\"n\":9007199254740993,\"f\":1.5,\"s\":\"12\",\"T\":\"1,2\",\"neg\":-3}", &err);
	const json_node *root = json_root(doc);
	struct optime op;
	int64_t i;

	cr_assert(!json_need_int(root, "missing", 0, 1, &i, &err) && strstr(err.msg, "\"missing\" is missing"));
	cr_assert(!json_need_int(root, "f", 0, 5, &i, &err) && strstr(err.msg, "whole number"));
	cr_assert(!json_need_int(root, "neg", 0, 5, &i, &err) && strstr(err.msg, "outside 0 to 5"));
	cr_assert(json_need_i64(root, "s", &i, &err) && i == 12);
	cr_assert(!json_need_i64(root, "f", &i, &err));
	cr_assert(!json_need_optime(root, "t", &op, &err), "keys are case-sensitive");
	cr_assert(json_need_optime(root, "T", &op, &err) && op.i == 2);
}

Test(json, an_integer_beyond_2_to_the_53_is_not_taken_for_one)
{
	struct err err = ERR_INIT;
	CLEANUP(json) struct json *doc = parse("{\"n\":90071992547409930,\"m\":9007199254740993}", &err);
	int64_t i;

	cr_assert(!json_need_int(json_root(doc), "n", 0, INT64_MAX, &i, &err));
	cr_assert(!json_need_int(json_root(doc), "m", 0, INT64_MAX, &i, &err), "though its double is 2^53");
}

Test(json_writer, what_is_written_parses_again_whatever_the_text)
{
	BUF_CLEANUP struct buf out = BUF_INIT(1000);
	struct json_writer w;
	struct err err = ERR_INIT;
	CLEANUP(json) struct json *doc = NULL;
	const char *text;
	int64_t i;

	json_writer_init(&w, &out);
	json_object(&w, NULL);
	json_put_string(&w, "k\"ey", "a\"\\\n\x01\xff\xe2\x80\xa8");
	json_put_i64(&w, "big", INT64_MIN);
	json_array(&w, "list");
	json_put_int(&w, NULL, 1);
	json_put_bool(&w, NULL, false);
	json_put_null(&w, NULL);
	json_end_array(&w);
	json_end_object(&w);
	cr_assert(json_writer_ok(&w, &err), "%s", err.msg);
	doc = parse(buf_str(&out), &err);
	cr_assert(doc, "%s: %s", err.msg, buf_str(&out));
	cr_assert(json_need_string(json_root(doc), "k\"ey", &text, &err));
	cr_assert_str_eq(text, "a\"\\\n\x01\xef\xbf\xbd\xe2\x80\xa8");
	cr_assert(json_need_i64(json_root(doc), "big", &i, &err) && i == INT64_MIN);
	cr_assert_eq(json_count(json_get(json_root(doc), "list")), 3);
}

Test(json_writer, a_full_buffer_is_told_once_at_the_end)
{
	BUF_CLEANUP struct buf out = BUF_INIT(10);
	struct json_writer w;
	struct err err = ERR_INIT;

	json_writer_init(&w, &out);
	json_object(&w, NULL);
	json_put_string(&w, "key", "longer than ten bytes");
	json_end_object(&w);
	cr_assert(!json_writer_ok(&w, &err));
	cr_assert_eq(err.code, ERR_LIMIT);
}
