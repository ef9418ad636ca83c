#include "verifier/report_escape.h"
#include "verifier/report_sink.h"

#include <criterion/criterion.h>
#include <string.h>

#define BAD "\xef\xbf\xbd" /* U+FFFD */
#define STOP "&#8203;"

struct row {
	const char *text, *wanted;
};

static void check(escape_fn *escape, const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		BUF_CLEANUP struct buf out = BUF_INIT(4096);
		struct err err = ERR_INIT;

		cr_assert(escape(&out, rows[i].text, strlen(rows[i].text), &err));
		cr_expect_str_eq(buf_str(&out), rows[i].wanted, "row %zu: got \"%s\", wanted \"%s\"", i, buf_str(&out),
		    rows[i].wanted);
	}
}
#define CHECK(escape, rows) check(escape, rows, sizeof(rows) / sizeof *(rows))

/* What no sink may let through; the plain sinks give the same for all of it. */
static const struct row hostile[] = {
    {"plain ä 漢 😀", "plain ä 漢 😀"},
    {"\x1b[31mred", BAD "[31mred"},
    {"bell\x07 back\x08 del\x7f", "bell" BAD " back" BAD " del" BAD},
    {"c1 \xc2\x9b"
     "31m",
	"c1 " BAD "31m"},
    {"over\xe2\x80\xaewritten", "over" BAD "written"},
    {"isolate\xe2\x81\xa6 mark\xe2\x80\x8f alm\xd8\x9c", "isolate" BAD " mark" BAD " alm" BAD},
    {"zero\xe2\x80\x8bwidth bom\xef\xbb\xbf", "zero" BAD "width bom" BAD},
    {"tag \xf3\xa0\x81\x81", "tag " BAD},
    {"no character \xef\xbf\xbe\xef\xbf\xbf", "no character " BAD BAD},
    {"lone \xff cut \xe2\x82", "lone " BAD " cut " BAD BAD},
    {"overlong \xc0\xaf surrogate \xed\xa0\x80", "overlong " BAD BAD " surrogate " BAD BAD BAD},
    {"tab\tbed", "tab bed"},
};

Test(escape, no_sink_lets_control_bidi_invisible_or_invalid_characters_through)
{
	CHECK(escape_terminal, hostile);
	CHECK(escape_label, hostile);
	CHECK(escape_xml, hostile);
	CHECK(escape_github, hostile);
	/* [ is punctuation to Markdown */
	check(escape_markdown, hostile + 2, sizeof hostile / sizeof *hostile - 2);
}

Test(escape, terminal_takes_ci_commands_apart)
{
	static const struct row rows[] = {
	    {"::error::owned", ": :error: :owned"},
	    {"a\n::set-output name=x::y", "a : :set-output name=x: :y"},
	    {"##[group]x", "# #[group]x"},
	    {"##vso[task.setvariable]", "# #vso[task.setvariable]"},
	    {":::::", ": : : : :"},
	    {"a: b #1", "a: b #1"},
	    {"1795413480,3 http://x", "1795413480,3 http://x"},
	};
	CHECK(escape_terminal, rows);
}

Test(escape, xml_has_no_markup_left)
{
	static const struct row rows[] = {
	    {"</script><script>", "&lt;/script&gt;&lt;script&gt;"},
	    {"]]>", "]]&gt;"},
	    {"\"'&amp;", "&quot;&#39;&amp;amp;"},
	    {"<!-- -->", "&lt;!-- --&gt;"},
	    {"\x01\x0b\x0c", BAD BAD BAD},
	    {"line\nend\r", "line end" BAD},
	};
	CHECK(escape_xml, rows);
}

Test(escape, markdown_has_no_table_link_mention_or_tag_left)
{
	static const struct row rows[] = {
	    {"a|b", "a&#124;b"},
	    {"`code`", "&#96;code&#96;"},
	    {"**b** _i_ ~s~", "&#42;&#42;b&#42;&#42; &#95;i&#95; &#126;s&#126;"},
	    {"<b>&lt;", "&#60;b&#62;&#38;lt;"},
	    {"[a](b) ![c]", "&#91;a&#93;&#40;b&#41; &#33;&#91;c&#93;"},
	    {"@team #12", "&#64;" STOP "team &#35;" STOP "12"},
	    {"http://x WWW.x", "http:" STOP "//x W" STOP "WW.x"},
	    {"a\n| b", "a &#124; b"},
	    {"back\\slash", "back&#92;slash"},
	    {"1:2, 3.4; 5%", "1:2, 3.4; 5%"},
	    {"::error::x", ":&#58;error:&#58;x"},
	};
	CHECK(escape_markdown, rows);
}

Test(escape, github_commands_end_where_we_end_them)
{
	static const struct row rows[] = {
	    {"100%", "100%25"},
	    {"a\r\n::error::b", "a%0D%0A%3A%3Aerror%3A%3Ab"},
	    {"title,file=x", "title%2Cfile=x"},
	    {"%0A", "%250A"},
	};
	CHECK(escape_github, rows);
}

Test(escape, labels_stay_in_their_quotes)
{
	static const struct row rows[] = {
	    {"\"} 1\n# EOF", "\\\"} 1 # EOF"},
	    {"back\\slash", "back\\\\slash"},
	};
	CHECK(escape_label, rows);
}

Test(escape, a_full_buffer_is_an_error_and_not_a_cut)
{
	static escape_fn *const all[] = {escape_terminal, escape_xml, escape_markdown, escape_github, escape_label};

	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		for (size_t max = 0; max < 4; max++) {
			BUF_CLEANUP struct buf out = BUF_INIT(max);
			struct err err = ERR_INIT;

			cr_expect(!all[i](&out, "<\"::%@", 6, &err));
			cr_expect_eq(err.code, ERR_LIMIT);
		}
	}
}

Test(sink, a_filled_text_cannot_open_a_hole_of_its_own)
{
	BUF_CLEANUP struct buf out = BUF_INIT(4096);
	struct sink s;
	struct err err = ERR_INIT;

	sink_init(&s, &out, escape_xml);
	sink_fill(&s, "<td>{}</td><td>{}</td>", "{}%s<", "b", NULL);
	cr_assert(sink_ok(&s, &err));
	cr_assert_str_eq(buf_str(&out), "<td>{}%s&lt;</td><td>b</td>");
}

Test(sink, the_first_failure_sticks)
{
	BUF_CLEANUP struct buf out = BUF_INIT(4);
	struct sink s;
	struct err err = ERR_INIT;

	sink_init(&s, &out, escape_xml);
	sink_raw(&s, "12345");
	sink_raw(&s, "1");
	cr_assert(!sink_ok(&s, &err));
	cr_assert_eq(err.code, ERR_LIMIT);
	cr_assert_str_eq(buf_str(&out), "");
}
