#include "base/text.h"

#include <string.h>

size_t text_utf8_len(const char *p, size_t len, uint32_t *ret_code_point)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	const unsigned char *u = (const unsigned char *)p;
	uint32_t code;
	size_t need;

	if (!len)
		return 0;
	if (u[0] < 0x80) {
		*ret_code_point = u[0];
		return 1;
	}
	if ((u[0] & 0xe0) == 0xc0) {
		need = 2;
		code = u[0] & 0x1f;
	} else if ((u[0] & 0xf0) == 0xe0) {
		need = 3;
		code = u[0] & 0x0f;
	} else if ((u[0] & 0xf8) == 0xf0) {
		need = 4;
		code = u[0] & 0x07;
	} else {
		return 0;
	}
	if (len < need)
		return 0;
	for (size_t i = 1; i < need; i++) {
		if ((u[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (u[i] & 0x3f);
	}
	if (code < least[need] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
		return 0;
	*ret_code_point = code;
	return need;
}

bool text_is_utf8(const char *p, size_t len)
{
	uint32_t code;

	while (len) {
		size_t n = text_utf8_len(p, len, &code);

		if (!n)
			return false;
		p += n;
		len -= n;
	}
	return true;
}

static bool is_control(uint32_t code)
{
	return code < 0x20 || (code >= 0x7f && code < 0xa0) || (code >= 0x202a && code <= 0x202e) ||
	       (code >= 0x2066 && code <= 0x2069) || code == 0x200e || code == 0x200f || code == 0x2028 ||
	       code == 0x2029;
}

bool text_quote(struct buf *out, const char *text, struct err *err)
{
	size_t len = strlen(text);

	if (!buf_add_char(out, '"', err))
		return false;
	while (len) {
		uint32_t code = 0;
		size_t n = text_utf8_len(text, len, &code);
		bool ok;

		if (n && (code == '"' || code == '\\'))
			ok = buf_printf(out, err, "\\%c", (char)code);
		else if (n && code == '\n')
			ok = buf_add_str(out, "\\n", err);
		else if (n && code == '\t')
			ok = buf_add_str(out, "\\t", err);
		else if (n && !is_control(code))
			ok = buf_add(out, text, n, err);
		else if (n > 1)
			ok = buf_printf(out, err, "\\u%04x", code);
		else
			ok = buf_printf(out, err, "\\x%02x", (unsigned char)*text);
		if (!ok)
			return false;
		n = n ? n : 1;
		text += n;
		len -= n;
	}
	return buf_add_char(out, '"', err);
}

bool text_neutral(struct buf *out, const char *text, size_t len, bool keep_newline, struct err *err)
{
	while (len) {
		uint32_t code = 0;
		size_t n = text_utf8_len(text, len, &code);
		bool ok;

		if (n && (!is_control(code) || (code == '\n' && keep_newline)))
			ok = buf_add(out, text, n, err);
		else
			ok = buf_add_str(out, "\xef\xbf\xbd", err);
		if (!ok)
			return false;
		n = n ? n : 1;
		text += n;
		len -= n;
	}
	return true;
}

void text_copy(char *ret, size_t size, const char *text)
{
	size_t at = 0, left = text ? strlen(text) : 0;

	while (left) {
		uint32_t code = 0;
		size_t n = text_utf8_len(text, left, &code), len = n;
		const char *from = text;

		if (code == '\n' || code == '\t' || code == '\r') {
			from = " ";
		} else if (!n || is_control(code)) {
			from = "\xef\xbf\xbd";
			len = 3;
		}
		if (at + len >= size)
			break;
		memcpy(ret + at, from, len);
		at += len;
		n = n ? n : 1;
		text += n;
		left -= n;
	}
	ret[at] = '\0';
}
