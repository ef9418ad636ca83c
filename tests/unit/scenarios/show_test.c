#include "scenarios/show.h"

#include "base/text.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static int64_t now_ms;

static int64_t mono(void *ctx)
{
	(void)ctx;
	return now_ms * 1000000;
}

static const struct clock fake = {.mono_ns = mono};
static struct show s;
static char *text;
static size_t len;
static FILE *out;

static void begin(bool live, bool color, int width)
{
	now_ms = 1000;
	free(text);
	text = NULL;
	out = open_memstream(&text, &len);
	show_init(&s, out, &fake, live, color, width);
}

static const char *end(void)
{
	fclose(out);
	return text;
}

Test(show, without_a_terminal_it_is_plain_lines)
{
	begin(false, false, 80);
	show_step(&s, 1, 2, "wait until it is ready");
	for (int i = 0; i < 25; i++) {
		now_ms += 1000;
		show_progress(&s, i < 12 ? "2 of 3 ready" : "3 of 3 ready");
	}
	show_step_end(&s, true, "done");
	show_step(&s, 2, 2, "quick");
	show_line(&s, "a line of the story");
	show_step_end(&s, true, "done");
	show_step(&s, 2, 2, "bad");
	show_step_end(&s, false, "failed");
	cr_assert_str_eq(end(), "==    0 s  [1/2]  wait until it is ready\n"
				"   1 s  2 of 3 ready\n"
				"   11 s  2 of 3 ready\n"
				"   13 s  3 of 3 ready\n"
				"   23 s  3 of 3 ready\n"
				"   done after 25.0 s\n"
				"==   25 s  [2/2]  quick\n"
				"   a line of the story\n"
				"==   25 s  [2/2]  bad\n"
				"   failed after 0.0 s\n");
}

Test(show, a_state_that_flickers_is_told_once_a_second_at_most)
{
	size_t lines = 0;

	begin(false, false, 80);
	show_step(&s, 1, 1, "x");
	for (int i = 0; i < 100; i++) {
		now_ms += 50;
		show_progress(&s, i % 2 ? "yes" : "no");
	}
	for (const char *p = end(); (p = strchr(p, '\n')); p++)
		lines++;
	cr_assert_leq(lines, 6);
}

Test(show, a_live_line_is_rewritten_and_never_longer_than_the_terminal)
{
	begin(true, false, 60);
	show_step(&s, 1, 1, "x");
	now_ms += 3000;
	show_progress(&s, "waiting for a very long text that does not fit into the width of this terminal at all");
	show_line(&s, "ä line");
	cr_assert_str_eq(end(), "==    0 s  [1/1]  x\n"
				"\r\033[K   3 s  waiting for a very long text that does not fit into\r\033[K"
				"   ä line\n");
}

Test(show, a_line_is_cut_at_a_character)
{
	const char *line;

	begin(true, false, 60);
	show_step(&s, 1, 1, "x");
	show_progress(
	    &s, "ääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääää");
	line = strstr(end(), "0 s  \303") + 5;
	cr_assert_eq(strlen(line), 2 * (60 - 8 - 1));
	cr_assert(text_is_utf8(line, strlen(line)));
}

Test(show, a_text_that_is_too_long_is_cut_at_a_character_too)
{
	char big[2 * SHOW_LINE_MAX];

	for (size_t i = 0; i + 2 < sizeof big; i += 2)
		memcpy(big + i, "\303\244", 3);
	memmove(big + 1, big, sizeof big - 2);
	big[0] = 'x';
	big[sizeof big - 1] = '\0';
	begin(false, false, 80);
	show_line(&s, big);
	cr_assert(text_is_utf8(end(), len));
	cr_assert_leq(len, SHOW_LINE_MAX + 4);
}

Test(show, texts_of_a_cluster_cannot_drive_the_terminal)
{
	begin(true, true, 80);
	show_step(&s, 1, 1, "a\033]0;owned\007b\nc");
	show_line(&s, "d\033[2Je\xff\xe2\x80\xae");
	show_progress(&s, "f\rg\033[31m");
	end();
	cr_assert_null(strstr(text, "\033]0"));
	cr_assert_null(strstr(text, "\033[2J"));
	cr_assert_null(strstr(text, "\033[31m"));
	cr_assert_null(strstr(text, "\xe2\x80\xae"));
	cr_assert_null(strchr(text, '\007'));
	cr_assert_null(strchr(text, '\xff'));
}

Test(show, colours_only_where_they_are_wanted)
{
	begin(true, false, 80);
	show_step(&s, 1, 1, "x");
	show_step_end(&s, false, "failed");
	cr_assert_null(strstr(end(), "\033[1m"));
	cr_assert_null(strstr(text, "\033[3"));
	begin(true, true, 80);
	show_step(&s, 1, 1, "x");
	show_step_end(&s, false, "failed");
	cr_assert(strstr(end(), "\033[31mfailed\033[0m"));
}
