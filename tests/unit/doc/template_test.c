#include "doc/template.h"

#include "doc/json_edit.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#define COUNT(list) (sizeof(list) / sizeof *(list))

static const char data_text[] =
    "{\"Object\":{\"metadata\":{\"name\":\"my-cluster-name\",\"namespace\":\"mongo-ns\",\"generation\":3},"
    "\"spec\":{\"list\":[\"a\",{\"b\":2},1.5],\"flag\":true,\"none\":null,\"empty\":\"\"}},"
    "\"Options\":{},\"Time\":\"2023-04-03T07:46:05.123456789Z\",\"d.t\":1}";

/* The output, or the error's text; in memory that the next call frees. */
static const char *rendered(const char *text, const char *data_json, enum err_code *ret_code)
{
	const struct json_limits limits = JSON_LIMITS_DEFAULT;
	static struct buf out = BUF_INIT(1 << 16);
	CLEANUP(json) struct json *data = NULL;
	static struct err err;

	err = (struct err)ERR_INIT;
	buf_clear(&out);
	buf_add_str(&out, ">", &err);
	cr_assert(!data_json || json_parse(data_json, strlen(data_json), &limits, &data, &err), "%s", err.msg);
	if (!template_render(text, strlen(text), data ? json_root(data) : NULL, &out, &err)) {
		cr_assert_str_eq(buf_str(&out), ">", "as it was");
		*ret_code = err.code;
		return err.msg;
	}
	*ret_code = ERR_NONE;
	return buf_str(&out) + 1;
}

struct render_case {
	const char *text, *out;
};

static void expect_all(const struct render_case *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		enum err_code code = ERR_NONE;
		const char *got = rendered(cases[i].text, data_text, &code);

		cr_expect_str_eq(got, cases[i].out, "%s: %s", cases[i].text, got);
		cr_expect_eq(code, ERR_NONE, "%s", cases[i].text);
	}
}

Test(template, fields_texts_and_trimming)
{
	static const struct render_case cases[] = {
	    {"", ""},
	    {"plain } text {", "plain } text {"},
	    {"{{ .Object.metadata.name }}-{{.Object.metadata.generation}}", "my-cluster-name-3"},
	    {"{{ $.Object.spec.flag }} {{ .Object.spec.none }}", "true <no value>"},
	    {"{{ .Object.spec }}", "map[empty: flag:true list:[a map[b:2] 1.5] none:<nil>]"},
	    {"a  {{- 1 -}}  b", "a1b"},
	    {"a \n{{- /* comment }} */ -}}\n b{{/* c */}}", "ab"},
	    {"a {{ `r\"a\\w` }} {{ \"q\\\"\\n\\t\" }}", "a r\"a\\w q\"\n\t"},
	    {"{{ -5 }} {{ 1.5 }} {{ 1e3 }} {{ true }}", "-5 1.5 1000 true"},
	    {"{{ \"}}\" }}", "}}"},
	    {"{{ (index .Object.spec.list 1).b }}", "2"},
	};

	expect_all(cases, COUNT(cases));
}

Test(template, pipelines_variables_and_branches)
{
	static const struct render_case cases[] = {
	    {"{{ $x := .Object.metadata }}{{ $x.name }}{{ $x = 5 }}{{ $x }}", "my-cluster-name5"},
	    {"{{ if .Options }}a{{ else }}b{{ end }}", "b"},
	    {"{{ if and .Options .Options.pitr }}a{{ end }}c", "c"},
	    {"{{ if .Options }}{{ if .Options.pitr }}a{{ end }}{{ end }}c", "c"},
	    {"{{ if or .Object.spec.flag .Options.pitr }}a{{ end }}", "a"},
	    {"{{ if eq 1 2 }}a{{ else if eq 2 2 }}b{{ else if .nothing }}c{{ else }}d{{ end }}", "b"},
	    {"{{ if false }}{{ .nothing.at.all }}{{ if true }}x{{ else }}y{{ end }}{{ else -}}\n z {{- end }}", "z"},
	    {"{{ if $y := .Object.spec.empty }}a{{ else }}b{{ $y }}{{ end }}", "b"},
	    {"{{ if not (eq .Object.metadata.name \"x\" \"y\") }}a{{ end }}", "a"},
	    {"{{ 7 | printf \"%s-%d%%%v\" \"x\" 5 | quote }}", "\"x-5%7\""},
	    {"{{ .Object.spec.empty | default \"d\" }}{{ default \"d\" \"e\" }}", "de"},
	    {"{{ len \"abc\" }}{{ len .Object.spec.list }}{{ len .Options }}", "330"},
	    {"{{ index .Object \"metadata\" \"name\" }}{{ index .Object \"no\" }}", "my-cluster-name<no value>"},
	    {"{{ upper \"abc\" }}{{ trim \" x \\n\" }}{{ toString 5 | len }}", "ABCx1"},
	    {"{{ lt 1 2 }}{{ ge \"b\" \"a\" }}{{ gt 1.5 1.5 }}{{ le 1 1 }}{{ ne true false }}",
		"truetruefalsetruetrue"},
	    {"{{ quote \"a\\\"b\" 5 nil true }}", "\"a\\\"b\" \"5\" \"true\""},
	    {"{{ index . \"d.t\" }}", "1"},
	    {"{{ toString nil }}{{ printf \"%v\" .Object.spec.none }}{{ .Object.spec.none }}", "<nil><nil><no value>"},
	};

	expect_all(cases, COUNT(cases));
}

/* Kanister's names of backups: the tail is no zone but text. */
Test(template, times_by_layouts)
{
	static const struct render_case cases[] = {
	    {"backup-{{ toDate \"2006-01-02T15:04:05.999999999Z07:00\" .Time  | date \"2006-01-02t15-04-05z07-00\" }}",
		"backup-2023-04-03t07-46-05z07-00"},
	    {"{{ toDate \"2006-01-02T15:04:05Z07:00\" \"2023-04-03T07:46:05+02:30\" | date "
	     "\"2006-01-02T15:04:05Z07:00\" }}",
		"2023-04-03T05:16:05Z"},
	    {"{{ toDate \"2006-01-02T15:04:05.999999999Z07:00\" .Time }}", "2023-04-03 07:46:05.123456789 +0000 UTC"},
	    {"{{ date \"Mon Monday Jan January 2 _2 02 1 01 06 3 03 PM pm 4 5 .000 -0700 MST\" 0 }}",
		"Thu Thursday Jan January 1  1 01 1 01 70 12 12 AM am 0 0 .000 +0000 UTC"},
	    {"{{ date \"15:04:05.00 .99 ,999 Z0700 -07:00 Month _2006\" 1680508000 }}",
		"07:46:40.00   Z +00:00 Month _2023"},
	    {"{{ toDate \"Jan _2 2006 3:04PM\" \"Feb  9 2024 1:05PM\" | date \"2006-01-02 15:04:05\" }}",
		"2024-02-09 13:05:00"},
	    {"{{ toDate \"05.000_2\" \"07.123 3\" | date \"5 .000 2006 002 __2\" }}", "7 .123 0000 003   3"},
	    {"{{ toDate \"06-1-2 15h\" \"99-2-3 7h\" | date \"2006-01-02 15\" }}", "1999-02-03 07"},
	};
	static const char *const refused[] = {
	    "{{ toDate \"2006-01-02\" \"2023-02-29\" }}",
	    "{{ toDate \"2006-01-02\" \"2023-1-02\" }}",
	    "{{ toDate \"2006-01-02\" \"2023-01-02x\" }}",
	    "{{ toDate \"15:04\" \"24:00\" }}",
	    "{{ toDate \"15:04\" 5 }}",
	    "{{ date \"2006\" \"2023\" }}",
	    "{{ toDate \"2006-002\" \"2023-002\" }}",
	    "{{ toDate \"05.000\" \"05.12\" }}",
	    "{{ date \"2006\" 999999999999999 }}",
	};

	expect_all(cases, COUNT(cases));
	for (size_t i = 0; i < COUNT(refused); i++) {
		enum err_code code = ERR_NONE;
		const char *got = rendered(refused[i], data_text, &code);

		cr_expect_neq(code, ERR_NONE, "%s: %s", refused[i], got);
	}
}

Test(template, a_missing_key_has_kanisters_message)
{
	enum err_code code = ERR_NONE;

	cr_assert_str_eq(
	    rendered("a{{ .Object.metadata.nam }}", data_text, &code), "Failed to render template: \"nam\" not found");
	cr_assert_eq(code, ERR_NOT_FOUND);
	cr_assert_str_eq(rendered("{{ .x }}", NULL, &code), "Failed to render template: \"x\" not found");
	cr_assert_str_eq(
	    rendered("{{ .Object.spec.none.x }}", data_text, &code), "Failed to render template: \"x\" not found");
}

Test(template, a_condition_of_wait)
{
	enum err_code code = ERR_NONE;

	cr_assert_str_eq(rendered("{{ if eq \"ready\" \"ready\" }}true{{ else }}false{{ end }}", NULL, &code), "true");
	cr_assert_str_eq(rendered("{{ if eq \"error\" \"ready\" }}true{{ else }}false{{ end }}", NULL, &code), "false");
}

Test(template, what_is_refused_and_where)
{
	static const struct {
		const char *text, *says;
		enum err_code code;
	} cases[] = {
	    {"\n\n{{ if true }}", "template: line 3: \"if\" without \"end\"", ERR_PARSE},
	    {"{{ end }}", "\"end\" without", ERR_PARSE},
	    {"{{ else }}", "\"else\" without", ERR_PARSE},
	    {"{{ if true }}{{ else }}{{ else }}{{ end }}", "behind the last", ERR_PARSE},
	    {"{{ if true }}{{ else }}{{ else if true }}{{ end }}", "behind the last", ERR_PARSE},
	    {"{{ if true }}{{ else while }}{{ end }}", "is not \"if\"", ERR_PARSE},
	    {"{{ if }}{{ end }}", "a value is missing", ERR_PARSE},
	    {"{{ if true }}{{ else if }}{{ end }}", "a value is missing", ERR_PARSE},
	    {"{{ range .x }}{{ end }}", "other than if", ERR_UNSUPPORTED},
	    {"{{ now }}", "function \"now\" is not known", ERR_UNSUPPORTED},
	    {"{{ if false }}{{ now }}{{ end }}", "function \"now\" is not known", ERR_UNSUPPORTED},
	    {"{{ }}", "a value is missing", ERR_PARSE},
	    {"{{ 1", "without }}", ERR_PARSE},
	    {"{{ 1 2 }}", "no function", ERR_PARSE},
	    {"{{ 1 | 2 }}", "no function", ERR_PARSE},
	    {"{{ nil }}", "no command", ERR_PARSE},
	    {"{{ 1 | true }}", "no function", ERR_PARSE},
	    {"{{ \"x }}", "closing quote", ERR_PARSE},
	    {"{{ \"\\x41\" }}", "escape", ERR_UNSUPPORTED},
	    {"{{/* x }}", "comment", ERR_PARSE},
	    {"{{ (1 }}", "parenthesis", ERR_PARSE},
	    {"{{ $x }}", "not declared", ERR_PARSE},
	    {"{{ $x = 1 }}", "not declared", ERR_PARSE},
	    {"{{ if true }}{{ $x := 1 }}{{ end }}{{ $x }}", "not declared", ERR_PARSE},
	    {"{{ if true }}{{ $x := 1 }}{{ else }}{{ $x }}{{ end }}", "not declared", ERR_PARSE},
	    {"{{ eq 1 \"1\" }}", "cannot be compared", ERR_PARSE},
	    {"{{ lt 1 nil }}", "cannot be compared", ERR_PARSE},
	    {"{{ index nil }}", "wants", ERR_PARSE},
	    {"{{ eq . . }}", "cannot be compared", ERR_PARSE},
	    {"{{ lt true false }}", "cannot be compared", ERR_PARSE},
	    {"{{ eq 1 }}", "\"eq\" with 1 arguments", ERR_PARSE},
	    {"{{ not 1 2 }}", "\"not\" with 2 arguments", ERR_PARSE},
	    {"{{ lower 5 }}", "wants a text, not an integer", ERR_PARSE},
	    {"{{ len 5 }}", "wants", ERR_PARSE},
	    {"{{ if true }}{{ fail `it is \"broken\"` }}{{ end }}", "it is \"broken\"", ERR_STATE},
	    {"{{ fail 5 }}", "wants a text", ERR_PARSE},
	    {"{{ index .Object.spec.list 3 }}", "outside a list of 3", ERR_NOT_FOUND},
	    {"{{ index .Object.spec.list -1 }}", "outside a list of 3", ERR_NOT_FOUND},
	    {"{{ .Time.x }}", "no field \"x\" in a text", ERR_PARSE},
	    {"{{ printf \"%d\" \"x\" }}", "wants an integer", ERR_PARSE},
	    {"{{ printf \"%s\" }}", "too few", ERR_PARSE},
	    {"{{ printf \"%s\" \"x\" 1 }}", "too many", ERR_PARSE},
	    {"{{ printf \"%05d\" 1 }}", "knows", ERR_UNSUPPORTED},
	    {"{{ 1.2.3 }}", "number", ERR_PARSE},
	    {"{{ 0x10 }}", "number", ERR_PARSE},
	    {"{{ 017 }}", "leading zero", ERR_UNSUPPORTED},
	    {"{{ . . }}", "no function", ERR_PARSE},
	    {"{{ .a. }}", "", ERR_NOT_FOUND},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		enum err_code code = ERR_NONE;
		const char *got = rendered(cases[i].text, data_text, &code);

		cr_expect(strstr(got, cases[i].says), "%s: %s", cases[i].text, got);
		cr_expect_eq(code, cases[i].code, "%s: %s", cases[i].text, got);
	}
}

static enum err_code code_of_repeated(const char *begin, const char *again, size_t times)
{
	BUF_CLEANUP struct buf text = BUF_INIT(8 << 20), out = BUF_INIT(1 << 20);
	struct err err = ERR_INIT;

	buf_add_str(&text, begin, &err);
	for (size_t i = 0; i < times; i++)
		buf_add_str(&text, again, &err);
	return template_render(buf_str(&text), text.len, NULL, &out, &err) ? ERR_NONE : err.code;
}

Test(template, everything_is_bounded)
{
	cr_assert_eq(code_of_repeated("{{ $x := \"0123456789\" }}", "{{ $x = printf \"%s%s\" $x $x }}", 40), ERR_LIMIT);
	cr_assert_eq(code_of_repeated("", "{{ if true }}", 100), ERR_LIMIT);
	cr_assert_eq(code_of_repeated("{{ ", "(", 100000), ERR_LIMIT);
	cr_assert_eq(code_of_repeated("", "{{ 1 }}", 10001), ERR_LIMIT);
	cr_assert_eq(code_of_repeated("", "{{ $x := 1 }}", 65), ERR_LIMIT);
	cr_assert_eq(code_of_repeated("", "0123456789", 104858), ERR_LIMIT);
	cr_assert_eq(code_of_repeated("{{ and ", "1 ", 20), ERR_LIMIT);
	cr_assert_eq(code_of_repeated(
			 "{{ $x := \"0123456789\" }}{{ $x = printf \"%s%s%s%s%s%s%s%s%s%s\" $x $x $x $x $x $x $x $x "
			 "$x $x }}{{ $x = printf \"%s%s%s%s%s%s%s%s%s%s\" $x $x $x $x $x $x $x $x $x $x }}",
			 "{{ $x }}", 2000),
	    ERR_LIMIT, "output");
}
