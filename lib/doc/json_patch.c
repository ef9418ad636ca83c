#include "doc/json_edit.h"
#include "doc/json_tree.h"

#include <string.h>

#define OPERATIONS_MAX 10000
#define OBJECT_KEYS_MAX 10000	  /* a merge looks each key up among all others */
#define COPY_NODES_MAX 200000	  /* by all "copy" of one patch: each may double the tree */
#define COPY_BYTES_MAX (16 << 20) /* the same for its texts */

/* --- merging ----------------------------------------------------------------------------------------------------- */

static cJSON *child_named(cJSON *object, const char *key)
{
	return cJSON_GetObjectItemCaseSensitive(object, key);
}

static bool merge(cJSON *to, const cJSON *patch, int depth, struct err *err)
{
	if (depth > JSON_DEPTH_MAX)
		return err_set(err, ERR_LIMIT, "nested deeper than %d levels", JSON_DEPTH_MAX);
	if (!cJSON_IsObject(patch)) {
		cJSON *copy = json_copy(patch, JSON_DEPTH_MAX - depth + 1, err);

		if (!copy)
			return false;
		json_assign(to, copy);
		return true;
	}
	if (!cJSON_IsObject(to)) {
		cJSON *empty = cJSON_CreateObject();

		if (!empty)
			return err_nomem(err);
		json_assign(to, empty);
	}
	if (json_count(to) + json_count(patch) > OBJECT_KEYS_MAX)
		return err_set(err, ERR_LIMIT, "an object with more than %d keys", OBJECT_KEYS_MAX);
	for (const cJSON *change = patch->child; change; change = change->next) {
		cJSON *member = child_named(to, change->string);

		if (cJSON_IsNull(change)) {
			for (; member; member = child_named(to, change->string))
				cJSON_Delete(cJSON_DetachItemViaPointer(to, member));
			continue;
		}
		if (!member) {
			member = cJSON_CreateNull();
			if (!member || !cJSON_AddItemToObject(to, change->string, member)) {
				cJSON_Delete(member);
				return err_nomem(err);
			}
		}
		if (!merge(member, change, depth + 1, err))
			return false;
	}
	return true;
}

bool json_merge_patch(json_node *root, const json_node *patch, struct err *err)
{
	CLEANUP(node) cJSON *result = json_copy(root, JSON_DEPTH_MAX, err);

	if (!result || !merge(result, patch, 1, err))
		return err_wrap(err, "merge patch");
	json_assign(root, TAKE(result));
	return true;
}

/* --- operations -------------------------------------------------------------------------------------------------- */

struct patching {
	cJSON *root; /* what is being changed */
	size_t copied_nodes, copied_bytes;
	struct err *err;
};

/* Where the last step of a path leads: the parent and the step; parent is NULL for the path of the root. */
struct place {
	cJSON *parent;
	struct json_step step;
	int depth; /* steps */
};

static bool find_place(struct patching *p, const char *path, struct place *ret)
{
	const char *rest = path + 1;
	cJSON *node = p->root;
	int depth = 0;

	if (*path == '\0') {
		*ret = (struct place){0};
		return true;
	}
	if (*path != '/')
		return err_set(p->err, ERR_PARSE, "path \"%s\" does not begin with a slash", path);
	for (;;) {
		struct json_step step = json_step(&rest);

		depth++;
		if (step.last) {
			*ret = (struct place){node, step, depth};
			return true;
		}
		node = json_step_into(node, &step);
		if (!node)
			return err_set(p->err, ERR_STATE, "path \"%s\" leads nowhere", path);
	}
}

static bool need_node(struct patching *p, const char *path, cJSON **ret)
{
	struct place place;
	cJSON *node = NULL;

	if (!find_place(p, path, &place))
		return false;
	node = place.parent ? json_step_into(place.parent, &place.step) : p->root;
	if (!node)
		return err_set(p->err, ERR_STATE, "path \"%s\" leads nowhere", path);
	*ret = node;
	return true;
}

/*
 * cJSON_InsertItemInArray refuses every index but 0 and the end in some builds of 1.7.15 (a backported security fix
 * tests the new item where it meant the old one), so the links are set here. The first item's prev is the last item.
 */
static void insert_before(cJSON *array, cJSON *next, cJSON *value)
{
	value->next = next;
	value->prev = next->prev;
	if (array->child == next)
		array->child = value;
	else
		next->prev->next = value;
	next->prev = value;
}

static bool insert(struct patching *p, const char *path, const struct place *place, cJSON **value)
{
	size_t count = json_count(place->parent), index = count;
	bool end = place->step.len == 1 && place->step.text[0] == '-';

	if (!end && !json_step_index(&place->step, count, &index))
		return err_set(p->err, ERR_STATE, "path \"%s\" is no place in an array of %zu", path, count);
	if (index == count) {
		if (!cJSON_AddItemToArray(place->parent, *value))
			return err_nomem(p->err);
	} else {
		insert_before(place->parent, json_step_into(place->parent, &place->step), *value);
	}
	*value = NULL;
	return true;
}

/* The value is taken over, on failure too. */
static bool add(struct patching *p, const char *path, cJSON *value)
{
	CLEANUP(node) cJSON *owned = value;
	CLEANUP(free) char *key = NULL;
	struct place place;
	cJSON *there = NULL;

	if (!find_place(p, path, &place))
		return false;
	if (place.depth + json_depth(owned) > JSON_DEPTH_MAX)
		return err_set(p->err, ERR_LIMIT, "path \"%s\": nested deeper than %d levels", path, JSON_DEPTH_MAX);
	if (!place.parent) {
		json_assign(p->root, TAKE(owned));
		return true;
	}
	if (cJSON_IsArray(place.parent))
		return insert(p, path, &place, &owned);
	if (!cJSON_IsObject(place.parent))
		return err_set(p->err, ERR_STATE, "path \"%s\" leads into something that is no object or array", path);
	there = json_step_into(place.parent, &place.step);
	if (there) {
		json_assign(there, TAKE(owned));
		return true;
	}
	key = json_step_key(&place.step);
	if (!key || !cJSON_AddItemToObject(place.parent, key, owned))
		return err_nomem(p->err);
	owned = NULL;
	return true;
}

static bool take(struct patching *p, const char *path, cJSON **ret)
{
	struct place place;
	cJSON *node = NULL;

	if (!find_place(p, path, &place))
		return false;
	if (!place.parent)
		return err_set(p->err, ERR_STATE, "the whole document cannot be taken away");
	node = json_step_into(place.parent, &place.step);
	if (!node)
		return err_set(p->err, ERR_STATE, "path \"%s\" leads nowhere", path);
	*ret = cJSON_DetachItemViaPointer(place.parent, node);
	/* A key may stand twice where the parser was told not to look; it must not come back. */
	while (cJSON_IsObject(place.parent) && (node = json_step_into(place.parent, &place.step)))
		cJSON_Delete(cJSON_DetachItemViaPointer(place.parent, node));
	return true;
}

static void count_copied(struct patching *p, const cJSON *node)
{
	p->copied_nodes++;
	p->copied_bytes +=
	    (node->string ? strlen(node->string) : 0) + (node->valuestring ? strlen(node->valuestring) : 0);
	for (const cJSON *child = node->child; child; child = child->next)
		count_copied(p, child);
}

static bool copy(struct patching *p, const char *from, const char *path)
{
	cJSON *node = NULL, *made = NULL;

	if (!need_node(p, from, &node))
		return false;
	count_copied(p, node);
	if (p->copied_nodes > COPY_NODES_MAX || p->copied_bytes > COPY_BYTES_MAX)
		return err_set(
		    p->err, ERR_LIMIT, "copies of more than %d nodes or %d bytes", COPY_NODES_MAX, COPY_BYTES_MAX);
	made = json_copy(node, JSON_DEPTH_MAX, p->err);
	return made && add(p, path, made);
}

static bool move(struct patching *p, const char *from, const char *path)
{
	size_t len = strlen(from);
	cJSON *node = NULL;

	if (!strncmp(from, path, len) && path[len] == '/')
		return err_set(p->err, ERR_PARSE, "\"%s\" cannot be moved into itself", from);
	if (!strcmp(from, path))
		return need_node(p, from, &node);
	return take(p, from, &node) && add(p, path, node);
}

static bool replace(struct patching *p, const char *path, const cJSON *value)
{
	CLEANUP(node) cJSON *made = NULL;
	struct place place;
	cJSON *node = NULL;

	if (!need_node(p, path, &node) || !find_place(p, path, &place))
		return false;
	made = json_copy(value, JSON_DEPTH_MAX - place.depth, p->err);
	if (!made)
		return false;
	json_assign(node, TAKE(made));
	return true;
}

static bool test(struct patching *p, const char *path, const cJSON *value)
{
	cJSON *node = NULL;

	if (!need_node(p, path, &node))
		return false;
	return json_equal(node, value) ||
	       err_set(p->err, ERR_STATE, "path \"%s\" does not have the expected value", path);
}

static bool with_value(struct patching *p, const char *op, const char *path, const cJSON *value)
{
	cJSON *made = NULL;

	if (!value)
		return err_set(p->err, ERR_PARSE, "key \"value\" is missing");
	if (!strcmp(op, "test"))
		return test(p, path, value);
	if (!strcmp(op, "replace"))
		return replace(p, path, value);
	made = json_copy(value, JSON_DEPTH_MAX, p->err);
	return made && add(p, path, made);
}

static bool operate(struct patching *p, const cJSON *operation)
{
	const char *op = NULL, *path = NULL, *from = NULL;
	cJSON *gone = NULL;

	if (!json_need_string(operation, "op", &op, p->err) || !json_need_string(operation, "path", &path, p->err))
		return false;
	if (!strcmp(op, "add") || !strcmp(op, "replace") || !strcmp(op, "test"))
		return with_value(p, op, path, json_get(operation, "value"));
	if (!strcmp(op, "remove")) {
		if (!take(p, path, &gone))
			return false;
		cJSON_Delete(gone);
		return true;
	}
	if (strcmp(op, "move") != 0 && strcmp(op, "copy") != 0)
		return err_set(p->err, ERR_PARSE, "\"%.32s\" is no operation", op);
	if (!json_need_string(operation, "from", &from, p->err))
		return false;
	return !strcmp(op, "move") ? move(p, from, path) : copy(p, from, path);
}

bool json_patch(json_node *root, const json_node *operations, struct err *err)
{
	CLEANUP(node) cJSON *result = json_copy(root, JSON_DEPTH_MAX, err);
	struct patching p = {.root = result, .err = err};
	int number = 0;

	if (!result)
		return err_wrap(err, "patch");
	if (!cJSON_IsArray(operations))
		return err_set(err, ERR_PARSE, "patch: not an array of operations");
	for (const cJSON *operation = operations->child; operation; operation = operation->next, number++) {
		if (number >= OPERATIONS_MAX)
			return err_set(err, ERR_LIMIT, "patch: more than %d operations", OPERATIONS_MAX);
		if (!operate(&p, operation))
			return err_wrap(err, "patch: operation %d", number);
	}
	json_assign(root, TAKE(result));
	return true;
}
