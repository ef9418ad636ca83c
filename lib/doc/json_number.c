/* Numbers as they are written: what a double cannot hold of them is kept beside it. */
#include "doc/json_tree.h"

#include "base/num.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static const char *digits(const char *at, const char *end)
{
	while (at < end && isdigit((unsigned char)*at))
		at++;
	return at;
}

static const char *exponent(const char *at, const char *end)
{
	const char *begin;

	if (at == end || (*at != 'e' && *at != 'E'))
		return at;
	at++;
	at += at < end && (*at == '+' || *at == '-');
	begin = at;
	at = digits(at, end);
	return at > begin ? at : NULL;
}

const char *json_number_end(const char *at, const char *end, bool *ret_whole)
{
	const char *begin;

	at += *at == '-';
	begin = at;
	at = digits(at, end);
	if (at == begin || (*begin == '0' && at > begin + 1))
		return NULL;
	*ret_whole = at == end || !strchr(".eE", *at);
	if (at < end && *at == '.') {
		begin = ++at;
		at = digits(at, end);
		if (at == begin)
			return NULL;
	}
	return exponent(at, end);
}

bool json_is_beyond_double(int64_t value)
{
	return value > JSON_INT_MAX || value < -JSON_INT_MAX;
}

cJSON *json_new_int(int64_t value, struct err *err)
{
	CLEANUP(node) cJSON *node = cJSON_CreateNumber((double)value);

	if (node && json_is_beyond_double(value) && asprintf(&node->valuestring, "%lld", (long long)value) < 0) {
		node->valuestring = NULL;
		err_nomem(err);
		return NULL;
	}
	if (!node)
		err_nomem(err);
	return TAKE(node);
}

/* The next number behind at, which is in no string. The text was parsed. */
static const char *next_number(const char *at)
{
	for (; *at != '-' && !isdigit((unsigned char)*at); at++)
		if (*at == '"')
			for (at++; *at != '"'; at++)
				at += *at == '\\';
	return at;
}

/* In the order of the text, which is that of the tree. */
static bool keep(cJSON *node, const char **at, const char *end, struct err *err)
{
	if (cJSON_IsNumber(node)) {
		const char *begin = next_number(*at);
		bool whole = false;
		int64_t value;

		*at = json_number_end(begin, end, &whole);
		if (!whole || !num_parse_i64(begin, (size_t)(*at - begin), &value) || !json_is_beyond_double(value))
			return true;
		node->valuestring = strndup(begin, (size_t)(*at - begin));
		return node->valuestring || err_nomem(err);
	}
	for (cJSON *child = node->child; child; child = child->next)
		if (!keep(child, at, end, err))
			return false;
	return true;
}

bool json_keep_digits(cJSON *root, const char *text, size_t len, struct err *err)
{
	return keep(root, &text, text + len, err);
}

bool json_integer(const cJSON *node, int64_t *ret)
{
	const char *text = cJSON_IsNumber(node) ? node->valuestring : NULL;
	double value = json_number(node, 0.5);

	if (text)
		return num_parse_i64(text, strlen(text), ret);
	if (!(value <= (double)JSON_INT_MAX && value >= -(double)JSON_INT_MAX) || value != (double)(int64_t)value)
		return false;
	*ret = (int64_t)value;
	return true;
}
