#include "verifier/report_screen.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void screen_style(struct screen *sc, const char *code)
{
	if (sc->color)
		sink_printf(&sc->s, "\x1b[%sm", code);
	sc->styled = sc->color;
}

void screen_plain(struct screen *sc)
{
	if (sc->styled)
		sink_raw(&sc->s, "\x1b[0m");
	sc->styled = false;
}

static int column_width(uint32_t code)
{
	if ((code >= 0x300 && code <= 0x36f) || (code >= 0xfe00 && code <= 0xfe0f))
		return 0;
	return (code >= 0x1100 && code <= 0x115f) || (code >= 0x2e80 && code <= 0xa4cf) ||
		       (code >= 0xac00 && code <= 0xd7a3) || (code >= 0xf900 && code <= 0xfaff) ||
		       (code >= 0xfe30 && code <= 0xfe6f) || (code >= 0xff00 && code <= 0xff60) ||
		       (code >= 0x1f000 && code <= 0x3fffd)
		   ? 2
		   : 1;
}

/* Bytes of text that fill at most columns; *ret_used: the columns they take. text is escaped, so it is UTF-8. */
static size_t fitting(const char *text, size_t len, int columns, int *ret_used)
{
	size_t at = 0;
	int used = 0;

	while (at < len) {
		uint32_t code = 0;
		size_t n = text_utf8_len(text + at, len - at, &code);

		if (used + column_width(code) > columns)
			break;
		used += column_width(code);
		at += n;
	}
	*ret_used = used;
	return at;
}

void screen_spaces(struct screen *sc, int n)
{
	if (n > 0)
		sink_printf(&sc->s, "%*s", n, "");
}

static void add(struct screen *sc, const char *text, size_t len)
{
	if (!sc->s.err.code)
		buf_add(sc->s.out, text, len, &sc->s.err);
}

void screen_wrap(struct screen *sc, const char *text, int indent)
{
	BUF_CLEANUP struct buf safe = BUF_INIT(64 << 10);
	const char *p;
	size_t len;
	int column = indent;

	if (!sc->s.err.code)
		escape_terminal(&safe, text, strlen(text), &sc->s.err);
	p = buf_str(&safe);
	for (len = safe.len; len;) {
		size_t word = strcspn(p, " "), fits;
		int used, all;

		fits = fitting(p, word, SCREEN_WIDTH - indent, &used);
		fitting(p, word, 1 << 30, &all);
		if (column > indent && column + 1 + all > SCREEN_WIDTH) {
			sink_raw(&sc->s, "\n");
			screen_spaces(sc, indent);
			column = indent;
		} else if (column > indent) {
			sink_raw(&sc->s, " ");
			column++;
		}
		add(sc, p, fits); /* a word longer than a line is cut where the line ends */
		column += used;
		p += fits;
		len -= fits;
		while (len && *p == ' ')
			p++, len--;
	}
	screen_plain(sc);
	sink_raw(&sc->s, "\n");
}

void screen_cell(struct screen *sc, const char *text, int columns, bool right)
{
	BUF_CLEANUP struct buf safe = BUF_INIT(64 << 10);
	size_t fits;
	int used;

	if (!sc->s.err.code)
		escape_terminal(&safe, text, strlen(text), &sc->s.err);
	fits = fitting(buf_str(&safe), safe.len, columns, &used);
	if (fits < safe.len)
		fits = fitting(buf_str(&safe), safe.len, columns - 1, &used);
	if (right)
		screen_spaces(sc, columns - used - (fits < safe.len));
	add(sc, buf_str(&safe), fits);
	if (fits < safe.len)
		sink_raw(&sc->s, "…");
	if (!right)
		screen_spaces(sc, columns - used - (fits < safe.len));
}

void screen_heading(struct screen *sc, const char *text)
{
	sink_raw(&sc->s, "\n");
	screen_style(sc, SCREEN_BOLD);
	sink_raw(&sc->s, text);
	screen_plain(sc);
	sink_raw(&sc->s, "\n");
}

void screen_field(struct screen *sc, const char *label, const char *text)
{
	screen_spaces(sc, 2);
	screen_style(sc, SCREEN_DIM);
	screen_cell(sc, label, 13, false);
	screen_plain(sc);
	screen_spaces(sc, 1);
	screen_wrap(sc, text, 16);
}

bool screen_wants_color(const char *when, bool to_stdout)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

	if (strcmp(when, "auto") != 0)
		return !strcmp(when, "always");
	return to_stdout && isatty(STDOUT_FILENO) && !(no_color && no_color[0]) && !(term && !strcmp(term, "dumb"));
}

bool screen_knows_color(const char *when)
{
	return !strcmp(when, "auto") || !strcmp(when, "always") || !strcmp(when, "never");
}
