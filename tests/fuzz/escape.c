/* Any bytes through every escape function: the result is UTF-8, and what has a meaning in the sink is not in it. */
#include "base/text.h"
#include "verifier/report_escape.h"

#include <stdlib.h>
#include <string.h>

static void must(bool holds)
{
	if (!holds)
		abort();
}

/* No control character, and none of the characters of any; NULL: no such characters. */
static void check(escape_fn *escape, const char *text, size_t len, const char *any, const char *never)
{
	BUF_CLEANUP struct buf out = BUF_INIT(1u << 24);
	struct err err = ERR_INIT;

	must(escape(&out, text, len, &err));
	must(text_is_utf8(buf_str(&out), out.len));
	must(strlen(buf_str(&out)) == out.len);
	for (size_t i = 0; i < out.len; i++)
		must((unsigned char)out.data[i] >= 0x20 && out.data[i] != 0x7f);
	must(!any || !strpbrk(buf_str(&out), any));
	must(!never || !strstr(buf_str(&out), never));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;

	check(escape_terminal, text, size, NULL, "::");
	check(escape_terminal, text, size, NULL, "##");
	check(escape_xml, text, size, "<>\"'", "]]>");
	check(escape_markdown, text, size, "<>|`@*_[]\\", "://");
	check(escape_github, text, size, ":,", NULL);
	check(escape_label, text, size, NULL, NULL);
	return 0;
}
