#include "base/num.h"

#include <stdlib.h>
#include <string.h>

bool num_parse_u64(const char *text, size_t len, uint64_t max, uint64_t *ret)
{
	uint64_t value = 0;

	if (!len || len > 20 || (len > 1 && text[0] == '0'))
		return false;
	for (size_t i = 0; i < len; i++) {
		unsigned digit = (unsigned)(text[i] - '0');

		if (digit > 9 || value > (UINT64_MAX - digit) / 10)
			return false;
		value = value * 10 + digit;
	}
	if (value > max)
		return false;
	*ret = value;
	return true;
}

bool num_parse_i64(const char *text, size_t len, int64_t *ret)
{
	bool negative = len && text[0] == '-';
	uint64_t value;

	if (!num_parse_u64(text + negative, len - negative, (uint64_t)INT64_MAX + negative, &value))
		return false;
	*ret = negative ? (int64_t)(0 - value) : (int64_t)value;
	return true;
}

bool num_parse_duration_ms(const char *text, int64_t *ret_ms)
{
	static const struct {
		const char *unit;
		int64_t ms;
	} units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}};
	size_t len = strspn(text, "0123456789");
	uint64_t value;

	if (!num_parse_u64(text, len, 1000000000, &value))
		return false;
	for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
		if (!strcmp(text + len, units[i].unit)) {
			*ret_ms = (int64_t)value * units[i].ms;
			return true;
		}
	}
	return false;
}

void hex_encode(const void *bytes, size_t len, char *ret_text)
{
	static const char digits[] = "0123456789abcdef";
	const unsigned char *p = bytes;

	for (size_t i = 0; i < len; i++) {
		ret_text[2 * i] = digits[p[i] >> 4];
		ret_text[2 * i + 1] = digits[p[i] & 15];
	}
	ret_text[2 * len] = '\0';
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

bool hex_decode(const char *text, size_t len_bytes, void *ret_bytes)
{
	unsigned char *out = ret_bytes;

	if (strlen(text) != 2 * len_bytes)
		return false;
	for (size_t i = 0; i < 2 * len_bytes; i++)
		if (hex_digit(text[i]) < 0)
			return false;
	for (size_t i = 0; i < len_bytes; i++)
		out[i] = (unsigned char)(hex_digit(text[2 * i]) << 4 | hex_digit(text[2 * i + 1]));
	return true;
}

bool hex_parse_u64(const char *text, uint64_t *ret)
{
	unsigned char bytes[8];
	uint64_t value = 0;

	if (!hex_decode(text, sizeof bytes, bytes))
		return false;
	for (size_t i = 0; i < sizeof bytes; i++)
		value = value << 8 | bytes[i];
	*ret = value;
	return true;
}
