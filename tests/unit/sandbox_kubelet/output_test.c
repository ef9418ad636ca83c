#include "sandbox/kubelet/output.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define TIME "2026-11-28T05:43:00.123456789Z"

Test(output, lines_cut_anywhere_come_out_whole)
{
	static const char text[] = "one\n\ntwo words\nrest";
	static const char wanted[] =
	    TIME " stdout one\n" TIME " stdout \n" TIME " stdout two words\n" TIME " stdout rest\n";

	for (size_t cut = 1; cut < sizeof text; cut++) {
		BUF_CLEANUP struct buf partial = BUF_INIT(OUTPUT_LINE_MAX);
		BUF_CLEANUP struct buf out = BUF_INIT(1 << 20);
		struct err err = ERR_INIT;

		for (size_t at = 0; at < sizeof text - 1; at += cut) {
			size_t len = sizeof text - 1 - at < cut ? sizeof text - 1 - at : cut;

			cr_assert(output_lines(&partial, text + at, len, false, TIME, "stdout", &out, &err));
		}
		cr_assert(output_lines(&partial, "", 0, true, TIME, "stdout", &out, &err));
		cr_assert_str_eq(buf_str(&out), wanted, "cut each %zu", cut);
	}
}

static size_t count_lines(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += *text == '\n';
	return n;
}

static size_t lines_of(size_t bytes, bool newline)
{
	BUF_CLEANUP struct buf partial = BUF_INIT(OUTPUT_LINE_MAX);
	BUF_CLEANUP struct buf out = BUF_INIT(1 << 20);
	struct err err = ERR_INIT;
	char *text = malloc(bytes + 1);

	memset(text, 'x', bytes);
	text[bytes] = '\n';
	cr_assert(output_lines(&partial, text, bytes + newline, false, TIME, "stderr", &out, &err), "%s", err.msg);
	cr_assert(output_lines(&partial, "", 0, true, TIME, "stderr", &out, &err));
	free(text);
	return count_lines(buf_str(&out));
}

Test(output, a_long_line_becomes_several_and_no_empty_one)
{
	cr_assert_eq(lines_of(OUTPUT_LINE_MAX - 1, true), 1);
	cr_assert_eq(lines_of(OUTPUT_LINE_MAX, true), 1);
	cr_assert_eq(lines_of(OUTPUT_LINE_MAX, false), 1);
	cr_assert_eq(lines_of(OUTPUT_LINE_MAX + 1, true), 2);
	cr_assert_eq(lines_of((size_t)3 * OUTPUT_LINE_MAX, true), 3);
	cr_assert_eq(lines_of((size_t)3 * OUTPUT_LINE_MAX + 5, false), 4);
}

Test(output, a_newline_that_comes_later_ends_a_full_line_and_makes_no_empty_one)
{
	BUF_CLEANUP struct buf partial = BUF_INIT(OUTPUT_LINE_MAX);
	BUF_CLEANUP struct buf out = BUF_INIT(1 << 20);
	static char text[OUTPUT_LINE_MAX];
	struct err err = ERR_INIT;

	memset(text, 'x', sizeof text);
	cr_assert(output_lines(&partial, text, sizeof text, false, TIME, "stdout", &out, &err));
	cr_assert(output_lines(&partial, "\n", 1, false, TIME, "stdout", &out, &err));
	cr_assert_eq(count_lines(buf_str(&out)), 1);
}

Test(output, time_has_nanoseconds)
{
	char text[OUTPUT_TIME_MAX];

	cr_assert_str_eq(output_time(1000000000123456789, text), "2001-09-09T01:46:40.123456789Z");
	cr_assert_str_eq(output_time(0, text), "1970-01-01T00:00:00.000000000Z");
}
