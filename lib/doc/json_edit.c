#include "doc/json_edit.h"

#include "base/num.h"
#include "base/text.h"
#include "doc/json_tree.h"

#include <stdlib.h>
#include <string.h>

json_node *json_edit(struct json *doc)
{
	return doc->root;
}

/* --- trees ------------------------------------------------------------------------------------------------------- */

bool json_wrap(cJSON *root, struct json **ret, struct err *err)
{
	struct json *doc = calloc(1, sizeof *doc);

	if (!doc) {
		cJSON_Delete(root);
		return err_nomem(err);
	}
	doc->root = root;
	*ret = doc;
	return true;
}

cJSON *json_copy(const cJSON *from, int max_depth, struct err *err)
{
	CLEANUP(node) cJSON *to = NULL;

	if (max_depth < 1) {
		err_set(err, ERR_LIMIT, "nested deeper than %d levels", JSON_DEPTH_MAX);
		return NULL;
	}
	if (!cJSON_IsObject(from) && !cJSON_IsArray(from)) {
		to = cJSON_Duplicate(from, false);
		if (!to)
			err_nomem(err);
		else if (to->string)
			cJSON_free(TAKE(to->string));
		return TAKE(to);
	}
	to = cJSON_IsObject(from) ? cJSON_CreateObject() : cJSON_CreateArray();
	if (!to) {
		err_nomem(err);
		return NULL;
	}
	for (const cJSON *child = from->child; child; child = child->next) {
		cJSON *copy = json_copy(child, max_depth - 1, err);

		if (!copy)
			return NULL;
		if (!(cJSON_IsObject(from) ? cJSON_AddItemToObject(to, child->string, copy)
					   : cJSON_AddItemToArray(to, copy))) {
			cJSON_Delete(copy);
			err_nomem(err);
			return NULL;
		}
	}
	return TAKE(to);
}

void json_assign(cJSON *to, cJSON *from)
{
	cJSON_Delete(to->child);
	cJSON_free(to->valuestring);
	to->type = from->type;
	to->child = TAKE(from->child);
	to->valuestring = TAKE(from->valuestring);
	to->valueint = from->valueint;
	to->valuedouble = from->valuedouble;
	cJSON_Delete(from);
}

int json_depth(const cJSON *node)
{
	int deepest = 0;

	for (const cJSON *child = node->child; child; child = child->next) {
		int depth = json_depth(child);

		deepest = depth > deepest ? depth : deepest;
	}
	return deepest + 1;
}

static bool add_valid(struct buf *out, const char *text, size_t len, struct err *err)
{
	while (len) {
		size_t n = text_utf8_len(text, len, &(uint32_t){0});

		if (!(n ? buf_add(out, text, n, err) : buf_add_str(out, "\xef\xbf\xbd", err)))
			return false;
		n = n ? n : 1;
		text += n;
		len -= n;
	}
	return true;
}

cJSON *json_new_text(const char *text, size_t len, struct err *err)
{
	BUF_CLEANUP struct buf valid = BUF_INIT(SIZE_MAX / 2);
	cJSON *node = NULL;

	if (!add_valid(&valid, text, len, err))
		return NULL;
	node = cJSON_CreateString(buf_str(&valid));
	if (!node)
		err_nomem(err);
	return node;
}

bool json_clone(const json_node *from, struct json **ret, struct err *err)
{
	cJSON *copy = from ? json_copy(from, JSON_DEPTH_MAX, err) : cJSON_CreateNull();

	if (!copy)
		return from ? false : err_nomem(err);
	return json_wrap(copy, ret, err);
}

/* --- paths ------------------------------------------------------------------------------------------------------- */

struct json_step json_step(const char **path)
{
	const char *end = strchrnul(*path, '/');
	struct json_step step = {.text = *path, .len = (size_t)(end - *path), .last = *end == '\0'};

	*path = step.last ? end : end + 1;
	return step;
}

/* The next character of an escaped step; *at moves on. */
static char unescaped(const struct json_step *step, size_t *at)
{
	char c = step->text[(*at)++];

	if (c != '~' || *at >= step->len || (step->text[*at] != '0' && step->text[*at] != '1'))
		return c;
	return step->text[(*at)++] == '0' ? '~' : '/';
}

static bool step_is(const struct json_step *step, const char *key)
{
	size_t at = 0;

	while (at < step->len)
		if (*key == '\0' || unescaped(step, &at) != *key++)
			return false;
	return *key == '\0';
}

char *json_step_key(const struct json_step *step)
{
	char *key = malloc(step->len + 1);
	size_t len = 0;

	if (!key)
		return NULL;
	for (size_t at = 0; at < step->len;)
		key[len++] = unescaped(step, &at);
	key[len] = '\0';
	return key;
}

bool json_step_index(const struct json_step *step, size_t max, size_t *ret)
{
	uint64_t index = 0;

	if (!num_parse_u64(step->text, step->len, max, &index))
		return false;
	*ret = (size_t)index;
	return true;
}

cJSON *json_step_into(const cJSON *node, const struct json_step *step)
{
	size_t index = 0, at = 0;

	if (cJSON_IsArray(node)) {
		if (!json_step_index(step, SIZE_MAX, &index))
			return NULL;
		for (cJSON *child = node->child; child; child = child->next)
			if (at++ == index)
				return child;
		return NULL;
	}
	if (cJSON_IsObject(node))
		for (cJSON *child = node->child; child; child = child->next)
			if (step_is(step, child->string))
				return child;
	return NULL;
}

const json_node *json_at(const json_node *root, const char *path)
{
	if (*path == '\0')
		return root;
	for (;;) {
		struct json_step step = json_step(&path);

		root = json_step_into(root, &step);
		if (!root || step.last)
			return root;
	}
}

const char *json_text_at(const json_node *root, const char *path)
{
	return json_string(json_at(root, path));
}

int64_t json_int_at(const json_node *root, const char *path, int64_t otherwise)
{
	int64_t value;

	return json_integer(json_at(root, path), &value) ? value : otherwise;
}

bool json_bool_at(const json_node *root, const char *path, bool otherwise)
{
	return json_bool(json_at(root, path), otherwise);
}

bool json_is_at(const json_node *root, const char *path, const char *text)
{
	const char *found = json_text_at(root, path);

	return found && !strcmp(found, text);
}

/* --- changing ---------------------------------------------------------------------------------------------------- */

/* {"rest":{"of":{"the":{"path":value}}}}; the value is taken over, on failure too. */
static cJSON *wrapped(const char *rest, cJSON *value, int max_depth, struct err *err)
{
	CLEANUP(node) cJSON *object = NULL;
	CLEANUP(free) char *key = NULL;
	struct json_step step = json_step(&rest);

	if (!step.last) {
		value = max_depth > 1 ? wrapped(rest, value, max_depth - 1, err) : value;
		if (!value)
			return NULL;
	}
	if (max_depth <= 1) {
		cJSON_Delete(value);
		err_set(err, ERR_LIMIT, "nested deeper than %d levels", JSON_DEPTH_MAX);
		return NULL;
	}
	object = cJSON_CreateObject();
	key = json_step_key(&step);
	if (!object || !key || !cJSON_AddItemToObject(object, key, value)) {
		cJSON_Delete(value);
		err_nomem(err);
		return NULL;
	}
	return TAKE(object);
}

/* Adds value below node, where step leads nowhere yet; the value is taken over, on failure too. */
static bool attach(cJSON *node, const struct json_step *step, const char *rest, cJSON *value, int depth,
    const char *path, struct err *err)
{
	CLEANUP(node) cJSON *owned = value;
	CLEANUP(free) char *key = NULL;
	size_t index = 0, count = json_count(node);

	if (cJSON_IsArray(node)) {
		bool append = step->last && step->len == 1 && step->text[0] == '-';

		if (!append && (!json_step_index(step, count, &index) || index != count))
			return err_set(err, ERR_PARSE, "path \"%s\": \"%.*s\" is no element of an array of %zu", path,
			    (int)step->len, step->text, count);
	} else if (!cJSON_IsObject(node)) {
		return err_set(err, ERR_PARSE, "path \"%s\": what \"%.*s\" should be put into is no object", path,
		    (int)step->len, step->text);
	}
	if (!step->last) {
		owned = wrapped(rest, TAKE(owned), JSON_DEPTH_MAX - depth, err);
		if (!owned)
			return err_wrap(err, "path \"%s\"", path);
	}
	if (depth + json_depth(owned) > JSON_DEPTH_MAX)
		return err_set(err, ERR_LIMIT, "path \"%s\": nested deeper than %d levels", path, JSON_DEPTH_MAX);
	key = json_step_key(step);
	if (!key ||
	    !(cJSON_IsArray(node) ? cJSON_AddItemToArray(node, owned) : cJSON_AddItemToObject(node, key, owned)))
		return err_nomem(err);
	owned = NULL;
	return true;
}

/* The value is taken over, on failure too (NULL: it could not be made, and err says why). */
static bool put(cJSON *root, const char *path, cJSON *value, struct err *err)
{
	CLEANUP(node) cJSON *owned = value;
	const char *rest = path;
	int depth = 0;

	if (!owned)
		return false;
	if (!text_is_utf8(path, strlen(path)))
		return err_set(err, ERR_PARSE, "a path that is not UTF-8");
	while (*path) {
		struct json_step step = json_step(&rest);
		cJSON *next = json_step_into(root, &step);

		depth++;
		/* An explicit null on the way is as good as nothing: serialised Go structs have them. */
		if (next && cJSON_IsNull(next) && !step.last) {
			owned = wrapped(rest, TAKE(owned), JSON_DEPTH_MAX - depth, err);
			if (!owned)
				return err_wrap(err, "path \"%s\"", path);
			step.last = true;
		}
		if (!next)
			return attach(root, &step, rest, TAKE(owned), depth, path, err);
		root = next;
		if (step.last)
			break;
	}
	if (depth + json_depth(owned) > JSON_DEPTH_MAX)
		return err_set(err, ERR_LIMIT, "path \"%s\": nested deeper than %d levels", path, JSON_DEPTH_MAX);
	json_assign(root, TAKE(owned));
	return true;
}

static cJSON *made(cJSON *node, struct err *err)
{
	if (!node)
		err_nomem(err);
	return node;
}

bool json_set_text(json_node *root, const char *path, const char *text, struct err *err)
{
	return put(root, path, text ? json_new_text(text, strlen(text), err) : made(cJSON_CreateNull(), err), err);
}

bool json_set_int(json_node *root, const char *path, int64_t value, struct err *err)
{
	return put(root, path, json_new_int(value, err), err);
}

bool json_set_bool(json_node *root, const char *path, bool value, struct err *err)
{
	return put(root, path, made(cJSON_CreateBool(value), err), err);
}

bool json_set_copy(json_node *root, const char *path, const json_node *value, struct err *err)
{
	return put(root, path, value ? json_copy(value, JSON_DEPTH_MAX, err) : made(cJSON_CreateNull(), err), err);
}

bool json_set_format(json_node *root, const char *path, struct err *err, const char *pattern, ...)
{
	struct json *doc = NULL;
	cJSON *value = NULL;
	va_list args;
	bool ok;

	va_start(args, pattern);
	ok = json_format_va(&doc, err, pattern, args);
	va_end(args);
	if (!ok)
		return err_wrap(err, "path \"%s\"", path);
	value = TAKE(doc->root);
	json_free(doc);
	return put(root, path, value, err);
}

bool json_remove_at(json_node *root, const char *path)
{
	while (root && *path) {
		struct json_step step = json_step(&path);
		cJSON *next = json_step_into(root, &step);

		if (next && step.last) {
			/* A key may stand twice where the parser was told not to look; it must not come back. */
			do
				cJSON_Delete(cJSON_DetachItemViaPointer(root, next));
			while (cJSON_IsObject(root) && (next = json_step_into(root, &step)));
			return true;
		}
		root = next;
	}
	return false;
}
