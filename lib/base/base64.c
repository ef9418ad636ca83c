#include "base/base64.h"

#include <string.h>

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

bool base64_encode(const void *bytes, size_t len, struct buf *out, struct err *err)
{
	const unsigned char *u = bytes;

	if (!buf_reserve(out, (len + 2) / 3 * 4, err))
		return false;
	for (size_t i = 0; i < len; i += 3) {
		uint32_t v =
		    (uint32_t)u[i] << 16 | (i + 1 < len ? (uint32_t)u[i + 1] << 8 : 0) | (i + 2 < len ? u[i + 2] : 0);
		const char four[4] = {digits[v >> 18], digits[v >> 12 & 63], i + 1 < len ? digits[v >> 6 & 63] : '=',
		    i + 2 < len ? digits[v & 63] : '='};

		if (!buf_add(out, four, sizeof four, err))
			return false;
	}
	return true;
}

/* Up to three bytes of one group; ends counts the '=' at its end. */
static bool add_group(struct buf *out, uint32_t v, int ends, struct err *err)
{
	const unsigned char three[3] = {(unsigned char)(v >> 16), (unsigned char)(v >> 8), (unsigned char)v};

	/* the bits that the padding cuts off are zero in what an encoder writes */
	if (ends > 2 || (ends == 1 && three[2]) || (ends == 2 && (three[1] || three[2])))
		return err_set(err, ERR_PARSE, "malformed base64");
	return buf_add(out, three, (size_t)(3 - ends), err);
}

static bool decode(const char *text, size_t len, struct buf *out, struct err *err)
{
	uint32_t v = 0;
	int count = 0, ends = 0;

	for (size_t i = 0; i < len; i++) {
		const char *digit = text[i] ? strchr(digits, text[i]) : NULL;

		if (text[i] == '\n' || text[i] == '\r')
			continue;
		if (text[i] == '=' ? count < 2 : !digit || ends)
			return err_set(err, ERR_PARSE, "malformed base64");
		ends += text[i] == '=';
		v = v << 6 | (digit ? (uint32_t)(digit - digits) : 0);
		if (++count < 4)
			continue;
		if (!add_group(out, v, ends, err))
			return false;
		v = 0;
		count = 0;
	}
	return !count || err_set(err, ERR_PARSE, "malformed base64");
}

bool base64_decode(const char *text, size_t len, struct buf *out, struct err *err)
{
	size_t before = out->len;

	if (decode(text, len, out, err))
		return true;
	if (out->data) {
		memset(out->data + before, 0, out->len - before);
		out->len = before;
	}
	return false;
}
