#include "doc/yaml.h"

#include "base/clock.h"
#include "base/file.h"
#include "doc/json_edit.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#define COUNT(list) (sizeof(list) / sizeof *(list))

/* All documents as a compact JSON array, or the error's text; in memory that the next call frees. */
static const char *read_as_json(const char *text, size_t len, const struct yaml_limits *limits)
{
	YAML_DOCS_CLEANUP struct yaml_docs docs = {0};
	static struct buf out = BUF_INIT(1 << 20);
	static struct err err;

	err = (struct err)ERR_INIT;
	buf_clear(&out);
	if (!yaml_parse(text, len, limits, &docs, &err)) {
		cr_assert_eq(docs.count, 0);
		return err.msg;
	}
	for (size_t i = 0; i < docs.count; i++) {
		buf_add_str(&out, i ? " " : "", &err);
		cr_assert(json_print(json_root(docs.items[i]), false, &out, &err), "%s", err.msg);
	}
	return buf_str(&out);
}

static const char *as_json(const char *text)
{
	const struct yaml_limits limits = YAML_LIMITS_DEFAULT;

	return read_as_json(text, strlen(text), &limits);
}

Test(yaml, scalars_mean_what_kubectl_reads)
{
	static const struct {
		const char *yaml, *json;
	} cases[] = {
	    {"null", ""},
	    {"[~, null, NULL, , '', \"\"]", NULL},
	    {"[~, null, NULL, '', \"\"]", "[null,null,null,\"\",\"\"]"},
	    {"[true, True, yes, on, Y, false, NO, off, n]", "[true,true,true,true,true,false,false,false,false]"},
	    {"[tRue, 'true', \"no\", !!str yes]", "[\"tRue\",\"true\",\"no\",\"yes\"]"},
	    {"[0, 17, -5, +5, 1_000, 017, 0o17, 0x1F, -0x1f, 0b101]", "[0,17,-5,5,1000,15,15,31,-31,5]"},
	    {"[08, 0o8, 0x, 0b2, '5', 1.2.3, 12:30:45, -, +]",
		"[8,\"0o8\",\"0x\",\"0b2\",\"5\",\"1.2.3\",\"12:30:45\",\"-\",\"+\"]"},
	    {"[1.5, -.5, 1., .4_5, 1e3, 1.5E-2, +1.0, ., .e5, 1e, 1e400]",
		"[1.5,-0.5,1,0.45,1000,0.015,1,\".\",\".e5\",\"1e\",\"1e400\"]"},
	    {"[2023-04-03, 2023-04-03T07:46:05Z, 3Gi, 500m, v1.2, 1/2]",
		"[\"2023-04-03\",\"2023-04-03T07:46:05Z\",\"3Gi\",\"500m\",\"v1.2\",\"1/2\"]"},
	    {"[9007199254740992, -9007199254740992]", "[9007199254740992,-9007199254740992]"},
	    {"[9007199254740993, -9223372036854775808, 0x7fffffffffffffff, 9223372036854775807]",
		"[9007199254740993,-9223372036854775808,9223372036854775807,9223372036854775807]"},
	    {"{9007199254740993: a}", "{\"9007199254740993\":\"a\"}"},
	    {"[!!int 5, !!int '5', !!float 5, !!null '', !!bool 'yes', ! 5]", "[5,5,5,null,true,\"5\"]"},
	    {"a: |\n  x\n  y\nb: >-\n  x\n  y\nc: |2-\n    z\n",
		"{\"a\":\"x\\u000ay\\u000a\",\"b\":\"x y\",\"c\":\"  z\"}"},
	    {"{1: a, true: b, 1.5: c, x y: d, '2': e, 0x10: f, on: g}", NULL},
	    {"{1: a, true: b, 1.5: c, x y: d, '2': e, 0x10: f}",
		"{\"1\":\"a\",\"true\":\"b\",\"1.5\":\"c\",\"x y\":\"d\",\"2\":\"e\",\"16\":\"f\"}"},
	    {"\xef\xbb\xbf"
	     "a: 1",
		"{\"a\":1}"},
	    {"a: \"\\x41\\u20ac\\n\"", "{\"a\":\"A\xe2\x82\xac\\u000a\"}"},
	    {"", ""},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *got = as_json(cases[i].yaml);

		if (cases[i].json)
			cr_expect_str_eq(got, cases[i].json, "%s: %s", cases[i].yaml, got);
		else
			cr_expect(!strncmp(got, "YAML: ", 6), "%s: %s", cases[i].yaml, got);
	}
}

Test(yaml, the_documents_of_a_stream_and_their_lines)
{
	static const char text[] = "# comment\n---\n---\na: 1\n...\n---\n# only a comment\n---\n- b\n---\nnull\n";
	const struct yaml_limits limits = YAML_LIMITS_DEFAULT;
	YAML_DOCS_CLEANUP struct yaml_docs docs = {0};
	struct err err = ERR_INIT;

	cr_assert(yaml_parse(text, sizeof text - 1, &limits, &docs, &err), "%s", err.msg);
	cr_assert_eq(docs.count, 2, "%zu", docs.count);
	cr_assert_eq(docs.lines[0], 3, "%zu", docs.lines[0]);
	cr_assert_eq(docs.lines[1], 8, "%zu", docs.lines[1]);
	cr_assert_eq(json_int_at(json_root(docs.items[0]), "a", 0), 1);
	cr_assert(json_is_at(json_root(docs.items[1]), "0", "b"));
}

Test(yaml, aliases_and_merge_keys)
{
	static const struct {
		const char *yaml, *json;
	} cases[] = {
	    {"a: &x {b: [1]}\nc: *x\n", "{\"a\":{\"b\":[1]},\"c\":{\"b\":[1]}}"},
	    {"- &x 1\n- &x 2\n- *x\n", "[1,2,2]"},
	    {"- &k key\n- {*k : 1}\n- {&j jey: *k}\n- *j\n", "[\"key\",{\"key\":1},{\"jey\":\"key\"},\"jey\"]"},
	    {"a: &x {b: 1, c: 2}\nd: {c: 9, <<: *x, e: 3}\n",
		"{\"a\":{\"b\":1,\"c\":2},\"d\":{\"c\":9,\"e\":3,\"b\":1}}"},
	    {"- &x {b: 1}\n- &y {b: 2, c: 2}\n- <<: [*x, *y]\n  d: 4\n",
		"[{\"b\":1},{\"b\":2,\"c\":2},{\"d\":4,\"b\":1,\"c\":2}]"},
	    {"- {<<: &x {b: 1}}\n- *x\n", "[{\"b\":1},{\"b\":1}]"},
	    {"{'<<': 1}", "{\"<<\":1}"},
	    {"--- &x 1\n--- *x\n", NULL},
	    {"&x [*x]", NULL},
	    {"&x {a: {b: *x}}", NULL},
	    {"&x [&x 1, *x]", "[1,1]"},
	    {"{<<: 1}", NULL},
	    {"{<<: [{a: 1}, 2]}", NULL},
	    {"{<<: {a: 1}, <<: {b: 1}}", NULL},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *got = as_json(cases[i].yaml);

		if (cases[i].json)
			cr_expect_str_eq(got, cases[i].json, "%s: %s", cases[i].yaml, got);
		else
			cr_expect(!strncmp(got, "YAML: ", 6), "%s: %s", cases[i].yaml, got);
	}
}

Test(yaml, what_is_refused_is_named_with_its_place)
{
	static const struct {
		const char *yaml, *says;
	} cases[] = {
	    {"a: 1\nb:\n  c: 1\n  c: 2\n", "YAML: line 4, column 3: key \"c\" stands twice"},
	    {"a: 1\n1: x\n'1': y\n", "line 3, column 1: key \"1\" stands twice"},
	    {"x: 9223372036854775808", "line 1, column 4: an integer beyond 64 bits"},
	    {"x: -9223372036854775809", "an integer beyond 64 bits"},
	    {"x: -99999999999999999999999", "an integer beyond 64 bits"},
	    {"x: 0xffffffffffffffffff", "an integer beyond 64 bits"},
	    {"x: !!binary aGk=", "tag"},
	    {"x: !mine y", "tag"},
	    {"x: !!set {a}", "tag"},
	    {"x: !!int y", "tag"},
	    {"x: !!seq [.inf]", "not finite"},
	    {"x: .NaN", "not finite"},
	    {"~: 1", "line 1, column 1: a key that is null"},
	    {"? [a]\n: 1", "a key that is null, a list or a mapping"},
	    {"a: b: c", "line 1, column 5"},
	    {"a: [1", "line 2, column 1"},
	    {"a: 'x", "line 1"},
	    {"a: \"\\0\"", "NUL"},
	    {"a:\n\t- b\n", "line 2"},
	    {"a: \x01", "byte 3"},
	    {"a: \xff", "not UTF-8"},
	    {"*x", "no anchor"},
	    {"%TAG ! a\n%TAG ! b\n--- 1", "line 2"},
	    {"[[[[[[1]]]]]]", "line 1, column 6: nested deeper than 5 levels"},
	    {"- - - - - - 1", "nested deeper than 5 levels"},
	    {"a: &x [[[[1]]]]\n", "nested deeper than 5 levels"},
	    {"a: &x [[[1]]]\nb: [*x]\n", "line 2, column 5: nested deeper than 5 levels"},
	    {"1\n---\n2\n---\n3\n", "line 4, column 1: more than 2 documents"},
	    {"[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20]", "column 50: more than 20 nodes"},
	    {"- &a [1,2,3,4,5,6]\n- *a\n- *a\n", "line 3, column 3: more than 20 nodes"},
	};
	const struct yaml_limits limits = {.max_bytes = 100, .max_depth = 5, .max_nodes = 20, .max_docs = 2};

	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *got = read_as_json(cases[i].yaml, strlen(cases[i].yaml), &limits);

		cr_expect(strstr(got, cases[i].says), "%s: %s", cases[i].yaml, got);
	}
	cr_assert(strstr(read_as_json("a\0b", 3, &limits), "NUL byte at byte 1"));
	cr_assert(
	    strstr(read_as_json("                                                                                   "
				"                  ",
		       101, &limits),
		"more than 100 bytes"));
}

Test(yaml, bombs_and_floods_end_early)
{
	const struct yaml_limits limits = YAML_LIMITS_DEFAULT;
	const struct clock *clock = clock_system();
	BUF_CLEANUP struct buf text = BUF_INIT(8 << 20);
	int64_t start_ms = clock_mono_ms(clock);
	struct err err = ERR_INIT;

	buf_add_str(&text, "- &a0 [x,x,x,x,x,x,x,x,x]\n", &err);
	for (int i = 1; i < 12; i++)
		buf_printf(&text, &err, "- &a%d [*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d]\n", i, i - 1, i - 1, i - 1,
		    i - 1, i - 1, i - 1, i - 1, i - 1);
	cr_assert(strstr(read_as_json(buf_str(&text), text.len, &limits), "nodes"));

	buf_reset(&text);
	buf_add_str(&text, "- &a '", &err);
	for (int i = 0; i < 100000; i++)
		buf_add_str(&text, "0123456789", &err);
	buf_add_str(&text, "'\n", &err);
	for (int i = 0; i < 100000; i++)
		buf_add_str(&text, "- *a\n", &err);
	cr_assert(strstr(read_as_json(buf_str(&text), text.len, &limits), "aliases bring more than"));

	static const char *const floods[] = {
	    "[", "{", "- ", "? ", "[{", "!a ", "&a ", "%TAG !a! b\n", "{}: ", "[] ,", "*a "};
	for (size_t i = 0; i < COUNT(floods); i++) {
		buf_reset(&text);
		while (text.len < (3 << 20))
			buf_add_str(&text, floods[i], &err);
		cr_assert(!strncmp(read_as_json(buf_str(&text), text.len, &limits), "YAML: ", 6), "%s", floods[i]);
	}
	buf_reset(&text);
	for (int i = 0; text.len < (3 << 20); i++)
		buf_printf(&text, &err, "k%d: \n", i);
	cr_assert(strstr(read_as_json(buf_str(&text), text.len, &limits), "line 2001, column 1: more than 2000 keys"));
	buf_reset(&text);
	for (int i = 0; text.len < (3 << 20); i++)
		buf_printf(&text, &err, "- &a%d\n", i);
	cr_assert(strstr(read_as_json(buf_str(&text), text.len, &limits), "more than 1000 anchors"));
	cr_assert_lt(clock_mono_ms(clock) - start_ms, 10000);
}

Test(yaml, a_file_error_names_the_file)
{
	const struct yaml_limits limits = YAML_LIMITS_DEFAULT;
	YAML_DOCS_CLEANUP struct yaml_docs docs = {0};
	char path[] = "/tmp/drill-yaml-XXXXXX";
	struct err err = ERR_INIT;
	int fd = mkstemp(path);

	cr_assert(fd >= 0 && write(fd, "a: [", 4) == 4);
	close(fd);
	cr_assert(!yaml_read(path, &limits, &docs, &err));
	cr_assert(strstr(err.msg, path) && strstr(err.msg, "line"), "%s", err.msg);
	cr_assert(file_write_atomic(path, "a: 1\n", 5, 0600, &err));
	cr_assert(yaml_read(path, &limits, &docs, &err));
	cr_assert_eq(docs.count, 1);
	unlink(path);
	cr_assert(!yaml_read(path, &limits, &docs, &err));
}
