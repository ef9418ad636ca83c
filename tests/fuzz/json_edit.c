/*
 * "document \n patch \n path": a document patched by hostile operations and merges, and changed at a hostile path. A
 * failure must leave it as it was, and whatever comes out must print, parse again and be the same.
 */
#include "printed.h"

#include <string.h>

static struct json *parse(const char *text, size_t len)
{
	const struct json_limits limits = {.max_bytes = 65536, .max_depth = 32, .unique_keys = false};
	struct json *doc = NULL;
	struct err err = ERR_INIT;

	return json_parse(text, len, &limits, &doc, &err) ? doc : NULL;
}

static void check(bool ok, const struct json *changed, const json_node *before)
{
	if (!ok && !json_equal(json_root(changed), before))
		abort();
	if (!prints_and_parses_to_the_same(json_root(changed)))
		abort();
}

static struct json *clone(const struct json *doc)
{
	struct json *copy = NULL;
	struct err err = ERR_INIT;

	if (!json_clone(json_root(doc), &copy, &err))
		abort();
	return copy;
}

static void change(const struct json *doc, const json_node *patch, const char *path)
{
	CLEANUP(json) struct json *merged = clone(doc), *patched = clone(doc), *set = clone(doc), *removed = clone(doc);
	struct err err = ERR_INIT;
	bool ok;

	check(json_merge_patch(json_edit(merged), patch, &err), merged, json_root(doc));
	check(json_patch(json_edit(patched), patch, &err), patched, json_root(doc));
	ok = json_set_copy(json_edit(set), path, patch, &err);
	check(ok, set, json_root(doc));
	if (ok && !strchr(path, '-') && !json_equal(json_at(json_root(set), path), patch))
		abort();
	ok = json_remove_at(json_edit(removed), path);
	if (ok != (*path && json_at(json_root(doc), path)))
		abort();
	check(ok, removed, json_root(doc));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(free) char *text = strndup((const char *)data, size);
	char *patch_text = strchr(text, '\n');
	char *path = patch_text ? strchr(patch_text + 1, '\n') : NULL;
	CLEANUP(json) struct json *doc = NULL, *patch = NULL;

	if (!path)
		return 0;
	*patch_text++ = '\0';
	*path++ = '\0';
	doc = parse(text, strlen(text));
	patch = parse(patch_text, strlen(patch_text));
	if (doc && patch)
		change(doc, json_root(patch), path);
	return 0;
}
