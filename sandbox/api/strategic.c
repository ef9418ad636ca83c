/*
 * Strategic merge patch of built-in kinds: a merge patch in which lists of objects are merged by a key, "$patch":
 * "delete" or "replace" in an object says otherwise, and "$setElementOrder/..." and "$retainKeys" are passed over.
 */
#include "sandbox/api/call.h"

#include <stdio.h>
#include <string.h>

/* The key of a list by its name; NULL: the list is replaced as a whole. */
static const char *merge_key(const char *list)
{
	static const struct {
		const char *list, *key;
	} keys[] = {{"containers", "name"}, {"initContainers", "name"}, {"volumes", "name"},
	    {"volumeMounts", "mountPath"}, {"env", "name"}, {"ports", "port"}, {"conditions", "type"},
	    {"ownerReferences", "uid"}, {"imagePullSecrets", "name"}, {"secrets", "name"}};

	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		if (!strcmp(keys[i].list, list))
			return keys[i].key;
	return NULL;
}

static bool merge_object(json_node *to, const json_node *patch, int depth, struct err *err);

static size_t find(const json_node *list, const char *key, const json_node *wanted)
{
	size_t at = 0;

	for (const json_node *item = json_first(list); item; item = json_next(item), at++)
		if (json_get(item, key) && json_equal(json_get(item, key), wanted))
			return at;
	return at;
}

static bool merge_list(
    json_node *parent, const char *place, const json_node *patch, const char *key, int depth, struct err *err)
{
	char path[600];

	for (const json_node *p = json_first(patch); p; p = json_next(p)) {
		/* containers' ports have a key of their own */
		const char *by = !strcmp(key, "port") && json_get(p, "containerPort") ? "containerPort" : key;
		const json_node *list = json_at(parent, place), *id = json_get(p, by);
		size_t at = id ? find(list, by, id) : json_count(list);
		bool there = at < json_count(list), remove = json_is_at(p, "$patch", "delete");

		if (!id)
			return err_set(
			    err, ERR_PARSE, "map: %.64s does not contain declared merge key: %s", place, key);
		snprintf(path, sizeof path, "%s/%zu", place, at);
		if (remove) {
			if (there)
				json_remove_at(parent, path);
		} else if (there) {
			if (!merge_object((json_node *)json_at(parent, path), p, depth, err))
				return false;
		} else {
			snprintf(path, sizeof path, "%s/-", place);
			if (!json_set_copy(parent, path, p, err))
				return false;
		}
	}
	return true;
}

/* One member as a path of one step. */
static bool step_of(const char *key, char ret[static 512], struct err *err)
{
	size_t n = 0;

	for (const char *k = key; *k; k++) {
		if (n > 506)
			return err_set(err, ERR_LIMIT, "a key longer than 500 bytes");
		if (*k == '~' || *k == '/') {
			ret[n++] = '~';
			ret[n++] = *k == '~' ? '0' : '1';
		} else {
			ret[n++] = *k;
		}
	}
	ret[n] = '\0';
	return true;
}

static bool merge_member(json_node *to, const json_node *m, int depth, struct err *err)
{
	const char *key = json_key(m), *list_key = json_is_array(m) ? merge_key(key) : NULL;
	char place[512];
	const json_node *now;

	if (!step_of(key, place, err))
		return false;
	now = json_at(to, place);
	if (json_is_null(m)) {
		json_remove_at(to, place);
		return true;
	}
	if (json_is_object(m) && json_is_object(now))
		return merge_object((json_node *)now, m, depth - 1, err);
	if (list_key && json_is_array(now) && (!json_first(m) || json_is_object(json_first(m))))
		return merge_list(to, place, m, list_key, depth - 1, err);
	return json_set_copy(to, place, m, err);
}

static bool merge_object(json_node *to, const json_node *patch, int depth, struct err *err)
{
	if (depth < 1)
		return err_set(err, ERR_LIMIT, "nested deeper than %d levels", API_BODY_DEPTH_MAX);
	if (json_is_at(patch, "$patch", "replace")) {
		while (json_first(to)) {
			char place[512];

			if (!step_of(json_key(json_first(to)), place, err) || !json_remove_at(to, place))
				return false;
		}
	}
	for (const json_node *m = json_first(patch); m; m = json_next(m))
		if (json_key(m)[0] != '$' && !merge_member(to, m, depth, err))
			return false;
	return true;
}

bool strategic_merge(json_node *root, const json_node *patch, struct err *err)
{
	if (!json_is_object(patch))
		return err_set(err, ERR_PARSE, "a patch that is no object");
	return merge_object(root, patch, API_BODY_DEPTH_MAX, err);
}
