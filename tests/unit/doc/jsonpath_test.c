#include "doc/jsonpath.h"

#include "doc/json_edit.h"

#include <criterion/criterion.h>
#include <string.h>

#define COUNT(list) (sizeof(list) / sizeof *(list))

static const char object[] =
    "{\"metadata\":{\"name\":\"x\",\"annotations\":{\"a.b/"
    "c\":\"dots\"}},\"status\":{\"state\":\"ready\",\"n\":3,\"b\":true,"
    "\"none\":null,\"empty\":\"\",\"conditions\":[{\"type\":\"Ready\",\"status\":\"True\",\"n\":1},"
    "{\"type\":\"Other\",\"status\":\"False\",\"n\":2.5},{\"status\":\"No\",\"ok\":true}],\"m\":{\"p\":1,\"q\":{\"r\":"
    "2}}}}";

static const char *text_of(const char *path, enum err_code *ret_code)
{
	const struct json_limits limits = JSON_LIMITS_DEFAULT;
	static struct buf out = BUF_INIT(1 << 16);
	CLEANUP(json) struct json *doc = NULL;
	static struct err err;

	err = (struct err)ERR_INIT;
	buf_clear(&out);
	cr_assert(json_parse(object, strlen(object), &limits, &doc, &err), "%s", err.msg);
	*ret_code = jsonpath_text(json_root(doc), path, &out, &err) ? ERR_NONE : err.code;
	return *ret_code == ERR_NONE ? buf_str(&out) : err.msg;
}

Test(jsonpath, values_by_path)
{
	static const struct {
		const char *path, *text;
	} cases[] = {
	    {".status.state", "ready"},
	    {"$.status.state", "ready"},
	    {"{.status.state}", "ready"},
	    {"{ $.status.state }", "ready"},
	    {".status.n", "3"},
	    {".status.b", "true"},
	    {".status.none", "null"},
	    {".status.empty", ""},
	    {".status.m", "{\"p\":1,\"q\":{\"r\":2}}"},
	    {".metadata.annotations.a\\.b/c", "dots"},
	    {".metadata.annotations['a.b/c']", "dots"},
	    {"$['metadata'][\"name\"]", "x"},
	    {".status.conditions[0].type", "Ready"},
	    {".status.conditions[-1].status", "No"},
	    {".status.conditions[*].status", "True False No"},
	    {".status.conditions.[1].status", "False"},
	    {".status.conditions[*].type", "Ready Other"},
	    {".status.m.*", "1 {\"r\":2}"},
	    {".status.conditions[?(@.type==\"Ready\")].status", "True"},
	    {".status.conditions[?( @.type == 'Other' )].status", "False"},
	    {".status.conditions[?(@.type!='Ready')].status", "False"},
	    {".status.conditions[?(@['type']=='Ready')].status", "True"},
	    {".status.conditions[?(@.n>=2)].status", "False"},
	    {".status.conditions[?(@.n<2)].status", "True"},
	    {".status.conditions[?(@.n>=2.5)].status", "False"},
	    {".status.conditions[?(@.n<=1)].status", "True"},
	    {".status.conditions[?(@.n>1)].status", "False"},
	    {".status.conditions[?(@.ok==true)].status", "No"},
	    {".status.conditions[?(@.ok)].status", "No"},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		enum err_code code = ERR_NONE;
		const char *got = text_of(cases[i].path, &code);

		cr_expect_str_eq(got, cases[i].text, "%s: %s", cases[i].path, got);
		cr_expect_eq(code, ERR_NONE, "%s", cases[i].path);
	}
}

Test(jsonpath, what_is_not_there_and_what_is_refused)
{
	static const struct {
		const char *path;
		enum err_code code;
	} cases[] = {
	    {".status.nothing", ERR_NOT_FOUND},
	    {".status.state.x", ERR_NOT_FOUND},
	    {".status.conditions[3]", ERR_NOT_FOUND},
	    {".status.conditions[?(@.n<1)]", ERR_NOT_FOUND},
	    {".status.conditions[?(@.n>2.5)]", ERR_NOT_FOUND},
	    {".status.conditions[-4]", ERR_NOT_FOUND},
	    {".status.state[0]", ERR_NOT_FOUND},
	    {".status.m[*]", ERR_NOT_FOUND},
	    {".status.conditions[99999999999999999999]", ERR_NOT_FOUND},
	    {".status.conditions[?(@.type=='None')].status", ERR_NOT_FOUND},
	    {".status[?(@.type=='None')]", ERR_NOT_FOUND},
	    {".status..state", ERR_UNSUPPORTED},
	    {".status.conditions[0:2]", ERR_UNSUPPORTED},
	    {".status.conditions[0,1]", ERR_UNSUPPORTED},
	    {".status.conditions[x]", ERR_UNSUPPORTED},
	    {".status.conditions[?(@.a==b)]", ERR_UNSUPPORTED},
	    {".status.conditions[?(@.a==1 && @.b==2)]", ERR_PARSE},
	    {".status.conditions[?(@.a.b.c.d.e)]", ERR_LIMIT},
	    {".status.conditions[", ERR_UNSUPPORTED},
	    {".status.conditions[0", ERR_PARSE},
	    {".status['state", ERR_PARSE},
	    {".status.conditions[?(@.a==", ERR_UNSUPPORTED},
	    {".status.conditions[?(", ERR_PARSE},
	    {"status", ERR_PARSE},
	    {"{.status", ERR_PARSE},
	    {"{.status}x", ERR_PARSE},
	    {".=", ERR_PARSE},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		enum err_code code = ERR_NONE;
		const char *got = text_of(cases[i].path, &code);

		cr_expect_eq(code, cases[i].code, "%s: %s", cases[i].path, got);
	}
}

Test(jsonpath, no_document_and_the_whole_document)
{
	BUF_CLEANUP struct buf out = BUF_INIT(100);
	CLEANUP(json) struct json *doc = NULL;
	struct err err = ERR_INIT;

	cr_assert(!jsonpath_text(NULL, ".a", &out, &err));
	cr_assert_eq(err.code, ERR_NOT_FOUND);
	cr_assert(json_format(&doc, &err, "{'a':[1]}"));
	cr_assert(jsonpath_text(json_root(doc), "$", &out, &err));
	cr_assert(jsonpath_text(json_root(doc), ".", &out, &err));
	cr_assert_str_eq(buf_str(&out), "{\"a\":[1]}{\"a\":[1]}");
}

Test(jsonpath, too_many_values_are_refused)
{
	BUF_CLEANUP struct buf out = BUF_INIT(1 << 20);
	CLEANUP(json) struct json *doc = NULL;
	struct err err = ERR_INIT;

	cr_assert(json_format(&doc, &err, "[]"));
	for (int i = 0; i <= JSONPATH_NODES_MAX; i++)
		cr_assert(json_set_int(json_edit(doc), "-", i, &err));
	cr_assert(!jsonpath_text(json_root(doc), "[*]", &out, &err));
	cr_assert_eq(err.code, ERR_LIMIT);
	cr_assert_eq(out.len, 0);
}
