#include "verifier/report_escape.h"

#include "base/text.h"

#include <string.h>

#define REPLACEMENT 0xfffdu

/*
 * Draws nothing, or draws something else than it says: soft hyphen, zero-width and bidi marks, tags, non-characters.
 */
static bool is_invisible(uint32_t code)
{
	return code == 0xad || code == 0x61c || (code >= 0x200b && code <= 0x200f) ||
	       (code >= 0x2028 && code <= 0x202e) || (code >= 0x2060 && code <= 0x206f) || code == 0xfeff ||
	       (code >= 0xfff9 && code <= 0xfffb) || (code >= 0xfdd0 && code <= 0xfdef) || (code & 0xfffe) == 0xfffe ||
	       (code >= 0xe0000 && code <= 0xe0fff);
}

/* Takes one character from the text: its code point, or what stands for it. A newline is left to the caller. */
static uint32_t take(const char **text, size_t *len)
{
	uint32_t code = 0;
	size_t n = text_utf8_len(*text, *len, &code);

	if (!n) {
		n = 1;
		code = REPLACEMENT;
	}
	*text += n;
	*len -= n;
	if (code == '\t' || code == '\n')
		return code == '\t' ? ' ' : code;
	return code < 0x20 || (code >= 0x7f && code < 0xa0) || is_invisible(code) ? REPLACEMENT : code;
}

static bool add_code(struct buf *out, uint32_t code, struct err *err)
{
	char bytes[4];
	size_t n = 0;

	if (code < 0x80) {
		bytes[n++] = (char)code;
	} else if (code < 0x800) {
		bytes[n++] = (char)(0xc0 | code >> 6);
		bytes[n++] = (char)(0x80 | (code & 0x3f));
	} else if (code < 0x10000) {
		bytes[n++] = (char)(0xe0 | code >> 12);
		bytes[n++] = (char)(0x80 | (code >> 6 & 0x3f));
		bytes[n++] = (char)(0x80 | (code & 0x3f));
	} else {
		bytes[n++] = (char)(0xf0 | code >> 18);
		bytes[n++] = (char)(0x80 | (code >> 12 & 0x3f));
		bytes[n++] = (char)(0x80 | (code >> 6 & 0x3f));
		bytes[n++] = (char)(0x80 | (code & 0x3f));
	}
	return buf_add(out, bytes, n, err);
}

bool escape_terminal(struct buf *out, const char *text, size_t len, struct err *err)
{
	uint32_t before = 0;

	while (len) {
		uint32_t code = take(&text, &len);

		if ((code == ':' || code == '#') && before == code && !buf_add_char(out, ' ', err))
			return false;
		if (!add_code(out, code == '\n' ? ' ' : code, err))
			return false;
		before = code;
	}
	return true;
}

bool escape_xml(struct buf *out, const char *text, size_t len, struct err *err)
{
	while (len) {
		uint32_t code = take(&text, &len);
		bool ok;

		switch (code) {
		case '&':
			ok = buf_add_str(out, "&amp;", err);
			break;
		case '<':
			ok = buf_add_str(out, "&lt;", err);
			break;
		case '>':
			ok = buf_add_str(out, "&gt;", err);
			break;
		case '"':
			ok = buf_add_str(out, "&quot;", err);
			break;
		case '\'':
			ok = buf_add_str(out, "&#39;", err);
			break;
		default:
			ok = add_code(out, code == '\n' ? ' ' : code, err);
		}
		if (!ok)
			return false;
	}
	return true;
}

/* GitHub decodes entities before it looks for mentions, issue numbers and addresses: only a character in between stops
 * those. */
static bool starts_link(uint32_t code, const char *rest, size_t len)
{
	return code == '@' || code == '#' || (code == ':' && len && *rest == '/');
}

bool escape_markdown(struct buf *out, const char *text, size_t len, struct err *err)
{
	static const char harmless[] = " ,.-/:;=?%";
	uint32_t before = 0;

	while (len) {
		bool www = len >= 4 && !strncasecmp(text, "www.", 4);
		uint32_t code = take(&text, &len);
		bool plain = code >= 0x80 || (code >= '0' && code <= '9') || (code >= 'a' && code <= 'z') ||
			     (code >= 'A' && code <= 'Z') || (code && strchr(harmless, (int)code));

		if (code == '\n')
			code = ' ', plain = true;
		plain = plain && !(code == ':' && before == ':');
		before = code;
		if (!(plain ? add_code(out, code, err) : buf_printf(out, err, "&#%u;", code)))
			return false;
		if ((www || starts_link(code, text, len)) && !buf_add_str(out, "&#8203;", err))
			return false;
	}
	return true;
}

bool escape_github(struct buf *out, const char *text, size_t len, struct err *err)
{
	while (len) {
		bool carriage = *text == '\r';
		uint32_t code = take(&text, &len);

		if (carriage)
			code = '\r';
		if (!(code < 0x80 && strchr("%\r\n:,", (int)code) ? buf_printf(out, err, "%%%02X", code)
								  : add_code(out, code, err)))
			return false;
	}
	return true;
}

bool escape_label(struct buf *out, const char *text, size_t len, struct err *err)
{
	while (len) {
		uint32_t code = take(&text, &len);

		if ((code == '\\' || code == '"') && !buf_add_char(out, '\\', err))
			return false;
		if (!add_code(out, code == '\n' ? ' ' : code, err))
			return false;
	}
	return true;
}
