#include "doc/json.h"

#include "base/clock.h"
#include "base/num.h"
#include "base/text.h"
#include "doc/json_tree.h"

#include <malloc.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OBJECT_KEYS_MAX 1000

/* Of a tree too, somebody's Secret may have been a part: what cJSON frees is wiped. Set once, before any thread is there. */
static void wipe(void *memory)
{
	if (memory)
		explicit_bzero(memory, malloc_usable_size(memory));
	free(memory);
}

__attribute__((constructor)) static void wipe_what_is_freed(void)
{
	cJSON_InitHooks(&(cJSON_Hooks){.malloc_fn = malloc, .free_fn = wipe});
}

/*
 * One pass before cJSON sees the text: depth, NUL, numbers and UTF-8. cJSON itself recurses up to 1,000 levels, cuts
 * strings at \u0000, and takes 01 and 1. for numbers.
 */
static bool check_text(const char *text, size_t len, int max_depth, struct err *err)
{
	bool in_string = false, whole;
	int depth = 0;

	for (size_t i = 0; i < len; i++) {
		char c = text[i];

		if (c == '\0')
			return err_set(err, ERR_PARSE, "NUL byte at byte %zu", i);
		if (in_string) {
			if (c == '"') {
				in_string = false;
			} else if (c == '\\') {
				if (len - i > 5 && !memcmp(text + i + 1, "u0000", 5))
					return err_set(err, ERR_PARSE, "\\u0000 in a string at byte %zu", i);
				i++;
			} else if ((unsigned char)c < 0x20) {
				return err_set(err, ERR_PARSE, "control character in a string at byte %zu", i);
			}
			continue;
		}
		if (c == '"') {
			in_string = true;
		} else if (c == '{' || c == '[') {
			if (++depth > max_depth)
				return err_set(
				    err, ERR_LIMIT, "nested deeper than %d levels at byte %zu", max_depth, i);
		} else if (c == '}' || c == ']') {
			depth--;
		} else if (c == '-' || (c >= '0' && c <= '9')) {
			const char *end = json_number_end(text + i, text + len, &whole);

			if (!end)
				return err_set(err, ERR_PARSE, "malformed number at byte %zu", i);
			i = (size_t)(end - text) - 1;
		} else if ((unsigned char)c < 0x20 && !strchr("\t\r\n", c)) {
			return err_set(err, ERR_PARSE, "control character at byte %zu", i);
		}
	}
	if (!text_is_utf8(text, len))
		return err_set(err, ERR_PARSE, "not UTF-8");
	return true;
}

/* Depth is bounded by check_text, so recursion is. */
static bool check_keys(const cJSON *node, struct err *err)
{
	int count = 0;

	for (const cJSON *child = node->child; child; child = child->next) {
		if (cJSON_IsObject(node)) {
			if (++count > OBJECT_KEYS_MAX)
				return err_set(err, ERR_LIMIT, "an object with more than %d keys", OBJECT_KEYS_MAX);
			for (const cJSON *other = node->child; other != child; other = other->next)
				if (!strcmp(other->string, child->string))
					return err_set(
					    err, ERR_PARSE, "key \"%.64s\" stands twice in one object", child->string);
		}
		if (child->child && !check_keys(child, err))
			return false;
	}
	return true;
}

/* 1e999 is an infinity to cJSON, which nothing could print again. ret_large: there is one beyond 2^53. */
static bool check_numbers(const cJSON *node, bool *ret_large, struct err *err)
{
	if (cJSON_IsNumber(node) && !isfinite(node->valuedouble))
		return err_set(err, ERR_PARSE, "a number beyond a double");
	if (cJSON_IsNumber(node) && fabs(node->valuedouble) >= (double)JSON_INT_MAX)
		*ret_large = true;
	for (const cJSON *child = node->child; child; child = child->next)
		if (!check_numbers(child, ret_large, err))
			return false;
	return true;
}

bool json_parse(const char *text, size_t len, const struct json_limits *limits, struct json **ret, struct err *err)
{
	CLEANUP(json) struct json *doc = NULL;
	const char *end = NULL;
	bool large = false;

	if (len > limits->max_bytes)
		return err_set(err, ERR_LIMIT, "JSON of more than %zu bytes", limits->max_bytes);
	if (!check_text(text, len, limits->max_depth, err))
		return err_wrap(err, "JSON");
	doc = calloc(1, sizeof *doc);
	if (!doc)
		return err_nomem(err);
	doc->root = cJSON_ParseWithLengthOpts(text, len, &end, 0);
	if (!doc->root)
		return err_set(err, ERR_PARSE, "JSON: malformed at byte %zu of %zu",
		    end && end >= text ? (size_t)(end - text) : 0, len);
	for (; end < text + len; end++)
		if (!strchr(" \t\r\n", *end))
			return err_set(
			    err, ERR_PARSE, "JSON: more text behind the value at byte %zu", (size_t)(end - text));
	if (!check_numbers(doc->root, &large, err))
		return err_wrap(err, "JSON");
	if (large && !json_keep_digits(doc->root, text, len, err))
		return false;
	if (limits->unique_keys && !check_keys(doc->root, err))
		return err_wrap(err, "JSON");
	*ret = TAKE(doc);
	return true;
}

void json_free(struct json *doc)
{
	if (!doc)
		return;
	cJSON_Delete(doc->root);
	free(doc);
}

const json_node *json_root(const struct json *doc)
{
	return doc->root;
}

const json_node *json_get(const json_node *node, const char *key)
{
	return json_is_object(node) ? cJSON_GetObjectItemCaseSensitive(node, key) : NULL;
}

const json_node *json_first(const json_node *node)
{
	return node && (cJSON_IsObject(node) || cJSON_IsArray(node)) ? node->child : NULL;
}

const json_node *json_next(const json_node *node)
{
	return node->next;
}

const char *json_key(const json_node *member)
{
	return member->string ? member->string : "";
}

size_t json_count(const json_node *node)
{
	size_t count = 0;

	for (const json_node *child = json_first(node); child; child = child->next)
		count++;
	return count;
}

bool json_is_object(const json_node *node)
{
	return cJSON_IsObject(node);
}

bool json_is_array(const json_node *node)
{
	return cJSON_IsArray(node);
}

bool json_is_string(const json_node *node)
{
	return cJSON_IsString(node);
}

bool json_is_number(const json_node *node)
{
	return cJSON_IsNumber(node);
}

bool json_is_bool(const json_node *node)
{
	return cJSON_IsBool(node);
}

bool json_is_null(const json_node *node)
{
	return cJSON_IsNull(node);
}

const char *json_string(const json_node *node)
{
	return cJSON_IsString(node) ? node->valuestring : NULL;
}

bool json_bool(const json_node *node, bool otherwise)
{
	return cJSON_IsBool(node) ? cJSON_IsTrue(node) : otherwise;
}

double json_number(const json_node *node, double otherwise)
{
	return cJSON_IsNumber(node) ? node->valuedouble : otherwise;
}

static bool wanted(const json_node *member, const char *key, const char *what, struct err *err)
{
	if (!member)
		return err_set(err, ERR_PARSE, "key \"%s\" is missing", key);
	return err_set(err, ERR_PARSE, "key \"%s\" is not %s", key, what);
}

bool json_need_string(const json_node *node, const char *key, const char **ret, struct err *err)
{
	const json_node *member = json_get(node, key);

	if (!cJSON_IsString(member))
		return wanted(member, key, "a string", err);
	*ret = member->valuestring;
	return true;
}

bool json_need_copy(const json_node *node, const char *key, char *ret, size_t size, struct err *err)
{
	const char *text = NULL;

	if (!json_need_string(node, key, &text, err))
		return false;
	if (strlen(text) >= size)
		return err_set(err, ERR_LIMIT, "key \"%s\" is longer than %zu bytes", key, size - 1);
	memcpy(ret, text, strlen(text) + 1);
	return true;
}

bool json_need_int(const json_node *node, const char *key, int64_t min, int64_t max, int64_t *ret, struct err *err)
{
	const json_node *member = json_get(node, key);
	int64_t value;

	if (!json_integer(member, &value) || json_is_beyond_double(value))
		return wanted(member, key, "a whole number", err);
	if (value < min || value > max)
		return err_set(
		    err, ERR_LIMIT, "key \"%s\" is outside %lld to %lld", key, (long long)min, (long long)max);
	*ret = value;
	return true;
}

bool json_need_i64(const json_node *node, const char *key, int64_t *ret, struct err *err)
{
	const json_node *member = json_get(node, key);
	const char *text = json_string(member);

	if (!text || !num_parse_i64(text, strlen(text), ret))
		return wanted(member, key, "a decimal 64-bit number in a string", err);
	return true;
}

bool json_need_u64_hex(const json_node *node, const char *key, uint64_t *ret, struct err *err)
{
	const json_node *member = json_get(node, key);
	const char *text = json_string(member);

	if (!text || !hex_parse_u64(text, ret))
		return wanted(member, key, "a string of 16 hexadecimal digits", err);
	return true;
}

bool json_need_bool(const json_node *node, const char *key, bool *ret, struct err *err)
{
	const json_node *member = json_get(node, key);

	if (!cJSON_IsBool(member))
		return wanted(member, key, "true or false", err);
	*ret = cJSON_IsTrue(member);
	return true;
}

bool json_need_optime(const json_node *node, const char *key, struct optime *ret, struct err *err)
{
	const json_node *member = json_get(node, key);
	const char *text = json_string(member);

	if (!text || !optime_parse(text, ret))
		return wanted(member, key, "an operation time \"T,I\"", err);
	return true;
}

bool json_need_uuid(const json_node *node, const char *key, struct uuid *ret, struct err *err)
{
	const json_node *member = json_get(node, key);
	const char *text = json_string(member);

	if (!text || !uuid_parse(text, ret))
		return wanted(member, key, "a UUID in lower case", err);
	return true;
}

bool json_need_time(const json_node *node, const char *key, int64_t *ret_wall_ms, struct err *err)
{
	const json_node *member = json_get(node, key);
	const char *text = json_string(member);

	if (!text || !time_parse(text, ret_wall_ms))
		return wanted(member, key, "an RFC 3339 time", err);
	return true;
}

bool json_need_object(const json_node *node, const char *key, const json_node **ret, struct err *err)
{
	const json_node *member = json_get(node, key);

	if (!json_is_object(member))
		return wanted(member, key, "an object", err);
	*ret = member;
	return true;
}

bool json_need_array(const json_node *node, const char *key, const json_node **ret, struct err *err)
{
	const json_node *member = json_get(node, key);

	if (!json_is_array(member))
		return wanted(member, key, "an array", err);
	*ret = member;
	return true;
}
