#include "sandbox/kasten/inventory.h"

#include "sandbox/kasten/clean.h"

#include <string.h>

static bool has_verb(const json_node *resource, const char *verb)
{
	for (const json_node *v = json_first(json_get(resource, "verbs")); v; v = json_next(v))
		if (json_string(v) && !strcmp(json_string(v), verb))
			return true;
	return false;
}

/* "group/version" or "version" */
static void split_version(const char *group_version, char group[static 128], char version[static 64])
{
	const char *slash = strchr(group_version, '/');

	snprintf(group, 128, "%.*s", slash ? (int)(slash - group_version) : 0, group_version);
	snprintf(version, 64, "%s", slash ? slash + 1 : group_version);
}

static bool add_kind(struct inventory *inventory, const char *group_version, const json_node *resource, struct err *err)
{
	const char *plural = json_text_at(resource, "name"), *kind = json_text_at(resource, "kind");
	char group[128], version[64];

	if (!plural || !kind || strchr(plural, '/') || !json_bool_at(resource, "namespaced", false) ||
	    !has_verb(resource, "list") || !has_verb(resource, "create"))
		return true;
	split_version(group_version, group, version);
	if (!clean_kind_is_saved(group, plural))
		return true;
	if (inventory->count == INVENTORY_KINDS_MAX)
		return err_set(err, ERR_LIMIT, "more than %d kinds", INVENTORY_KINDS_MAX);
	kube_kind_set(&inventory->kinds[inventory->count++], group, version, plural, kind, true);
	return true;
}

bool inventory_read(const json_node *resource_list, struct inventory *inventory, struct err *err)
{
	const char *group_version = json_text_at(resource_list, "groupVersion");

	if (!group_version)
		return err_set(err, ERR_PARSE, "a list of resources without groupVersion");
	for (const json_node *r = json_first(json_get(resource_list, "resources")); r; r = json_next(r))
		if (!add_kind(inventory, group_version, r, err))
			return false;
	return true;
}

static bool read_path(struct kube *kube, const char *path, struct inventory *inventory, struct err *err)
{
	CLEANUP(json) struct json *list = NULL;

	return kube_get_raw(kube, path, &list, err) && inventory_read(json_root(list), inventory, err);
}

bool inventory_kinds(struct kube *kube, struct inventory **ret, struct err *err)
{
	CLEANUP(json) struct json *groups = NULL;
	__attribute__((cleanup(cleanup_free))) struct inventory *inventory = calloc(1, sizeof *inventory);

	if (!inventory)
		return err_nomem(err);
	if (!read_path(kube, "/api/v1", inventory, err) || !kube_get_raw(kube, "/apis", &groups, err))
		return false;
	for (const json_node *g = json_first(json_get(json_root(groups), "groups")); g; g = json_next(g)) {
		const char *preferred = json_text_at(g, "preferredVersion/groupVersion");
		char path[300];

		snprintf(path, sizeof path, "/apis/%.250s", preferred ? preferred : "");
		if (preferred && !read_path(kube, path, inventory, err))
			return false;
	}
	*ret = TAKE(inventory);
	return true;
}

static bool walk_kind(struct kube *kube, const struct kube_kind *kind, const char *namespace_, inventory_each *each,
    void *ctx, struct err *err)
{
	CLEANUP(json) struct json *list = NULL;
	char version[200];

	snprintf(version, sizeof version, "%s%s%s", kind->group, *kind->group ? "/" : "", kind->version);
	if (!kube_list(kube, kind, namespace_, NULL, &list, err))
		return false;
	for (const json_node *item = json_first(json_get(json_root(list), "items")); item; item = json_next(item)) {
		CLEANUP(json) struct json *object = NULL;

		if (kube_deleting(item))
			continue;
		if (!json_clone(item, &object, err) || !json_set_text(json_edit(object), "apiVersion", version, err) ||
		    !json_set_text(json_edit(object), "kind", kind->kind, err) ||
		    !each(ctx, kind, json_root(object), err))
			return false;
	}
	return true;
}

bool inventory_walk(struct kube *kube, const struct inventory *inventory, const char *namespace_, inventory_each *each,
    void *ctx, struct err *err)
{
	for (size_t i = 0; i < inventory->count; i++)
		if (!walk_kind(kube, &inventory->kinds[i], namespace_, each, ctx, err))
			return false;
	return true;
}
