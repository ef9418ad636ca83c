#include "doc/json_flat.h"

#include "base/clock.h"
#include "base/num.h"

#include <string.h>

#define NUMBER_DIGITS_MAX 15 /* every such number is exact as a double, so that both parsers agree */

/* Printable ASCII but '"' and '\'. A table: this is asked for each byte. */
static const bool plain[256] = {[0x20 ... '"' - 1] = true, ['"' + 1 ... '\\' - 1] = true, ['\\' + 1 ... 0x7e] = true};

/* *p is behind the opening quote; afterwards behind the closing one. */
static bool scan_string(const char **p, const char *end, const char **ret, size_t *ret_len)
{
	const char *start = *p, *q = start;

	while (q < end && plain[(unsigned char)*q])
		q++;
	if (q == end || *q != '"')
		return false;
	*ret = start;
	*ret_len = (size_t)(q - start);
	*p = q + 1;
	return true;
}

static bool scan_number(const char **p, const char *end, struct json_flat_member *m)
{
	const char *q = *p;
	size_t digits = 0;

	if (q < end && *q == '-')
		q++;
	while (q < end && *q >= '0' && *q <= '9') {
		q++;
		digits++;
	}
	if (!digits || digits > NUMBER_DIGITS_MAX || (digits > 1 && q[-(ptrdiff_t)digits] == '0'))
		return false;
	m->kind = JSON_FLAT_NUMBER;
	m->value = *p;
	m->value_len = (size_t)(q - *p);
	*p = q;
	return true;
}

static bool scan_word(const char **p, const char *end, const char *word, struct json_flat_member *m)
{
	size_t len = strlen(word);

	if ((size_t)(end - *p) < len || memcmp(*p, word, len))
		return false;
	m->kind = JSON_FLAT_BOOL;
	m->value = *p;
	m->value_len = len;
	*p += len;
	return true;
}

static bool scan_member(const char **p, const char *end, struct json_flat_member *m)
{
	if (end - *p < 4 || *(*p)++ != '"' || !scan_string(p, end, &m->key, &m->key_len) || *p == end || *(*p)++ != ':')
		return false;
	if (*p == end)
		return false;
	if (**p == '"') {
		(*p)++;
		m->kind = JSON_FLAT_STRING;
		return scan_string(p, end, &m->value, &m->value_len);
	}
	return scan_number(p, end, m) || scan_word(p, end, "true", m) || scan_word(p, end, "false", m);
}

static bool is_key(const struct json_flat_member *m, const char *key, size_t len)
{
	return m->key_len == len && !memcmp(m->key, key, len);
}

bool json_flat_parse(const char *text, size_t len, struct json_flat *ret)
{
	const char *p = text, *end = text + len;
	size_t count = 0;

	if (len < 2 || *p++ != '{' || end[-1] != '}')
		return false;
	for (;;) {
		struct json_flat_member *m = &ret->members[count];

		if (count == JSON_FLAT_MAX || !scan_member(&p, end, m))
			return false;
		for (size_t i = 0; i < count; i++)
			if (is_key(&ret->members[i], m->key, m->key_len))
				return false;
		count++;
		if (p == end)
			return false;
		if (*p == '}')
			break;
		if (*p++ != ',')
			return false;
	}
	if (p + 1 != end)
		return false;
	ret->count = count;
	return true;
}

const struct json_flat_member *json_flat_get(const struct json_flat *flat, const char *key)
{
	size_t len = strlen(key);

	for (size_t i = 0; i < flat->count; i++)
		if (is_key(&flat->members[i], key, len))
			return &flat->members[i];
	return NULL;
}

static const struct json_flat_member *get_kind(const struct json_flat *flat, const char *key, enum json_flat_kind kind)
{
	const struct json_flat_member *m = json_flat_get(flat, key);

	return m && m->kind == kind ? m : NULL;
}

bool json_flat_int(const struct json_flat *flat, const char *key, int64_t min, int64_t max, int64_t *ret)
{
	const struct json_flat_member *m = get_kind(flat, key, JSON_FLAT_NUMBER);
	int64_t value;

	if (!m || !num_parse_i64(m->value, m->value_len, &value) || value < min || value > max)
		return false;
	*ret = value;
	return true;
}

bool json_flat_i64(const struct json_flat *flat, const char *key, int64_t *ret)
{
	const struct json_flat_member *m = get_kind(flat, key, JSON_FLAT_STRING);

	return m && num_parse_i64(m->value, m->value_len, ret);
}

bool json_flat_bool(const struct json_flat *flat, const char *key, bool *ret)
{
	const struct json_flat_member *m = get_kind(flat, key, JSON_FLAT_BOOL);

	if (!m)
		return false;
	*ret = m->value_len == 4;
	return true;
}

bool json_flat_copy(const struct json_flat *flat, const char *key, char *ret, size_t size)
{
	const struct json_flat_member *m = get_kind(flat, key, JSON_FLAT_STRING);

	if (!m || m->value_len >= size)
		return false;
	memcpy(ret, m->value, m->value_len);
	ret[m->value_len] = '\0';
	return true;
}

bool json_flat_u64_hex(const struct json_flat *flat, const char *key, uint64_t *ret)
{
	char text[17];

	return json_flat_copy(flat, key, text, sizeof text) && hex_parse_u64(text, ret);
}

bool json_flat_optime(const struct json_flat *flat, const char *key, struct optime *ret)
{
	char text[OPTIME_TEXT_MAX];

	return json_flat_copy(flat, key, text, sizeof text) && optime_parse(text, ret);
}

bool json_flat_time(const struct json_flat *flat, const char *key, int64_t *ret_wall_ms)
{
	char text[TIME_TEXT_MAX + 16];

	return json_flat_copy(flat, key, text, sizeof text) && time_parse(text, ret_wall_ms);
}
