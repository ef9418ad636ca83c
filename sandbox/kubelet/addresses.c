#include "sandbox/kubelet/addresses.h"

#include "base/file.h"
#include "doc/json.h"
#include "doc/json_writer.h"

#include <stdio.h>
#include <string.h>

#define FILE_MAX ((size_t)256 << 10)

static struct address_entry *find(struct addresses *a, const char *key)
{
	for (size_t i = 0; i < a->count; i++)
		if (!strcmp(a->entries[i].key, key))
			return &a->entries[i];
	return NULL;
}

static bool is_taken(const struct addresses *a, int host)
{
	for (size_t i = 0; i < a->count; i++)
		if (a->entries[i].host == host)
			return true;
	return false;
}

static void drop(struct addresses *a, size_t i)
{
	memmove(&a->entries[i], &a->entries[i + 1], (a->count - i - 1) * sizeof a->entries[i]);
	a->count--;
}

/* A host that nobody has, the one after the last first; 0: none. */
static int free_host(const struct addresses *a)
{
	int last = a->last >= POD_HOST_FIRST && a->last <= POD_HOST_LAST ? a->last : POD_HOST_LAST;

	for (int n = 1; n <= POD_HOSTS; n++) {
		int host = POD_HOST_FIRST + (last - POD_HOST_FIRST + n) % POD_HOSTS;

		if (!is_taken(a, host))
			return host;
	}
	return 0;
}

static bool forget_oldest(struct addresses *a)
{
	for (size_t i = 0; i < a->count; i++) {
		if (!a->entries[i].used) {
			drop(a, i);
			return true;
		}
	}
	return false;
}

bool addresses_take(struct addresses *a, const char *key, bool keep, int *ret_host, bool *ret_changed, struct err *err)
{
	struct address_entry *entry = find(a, key);

	*ret_changed = false;
	if (strlen(key) >= POD_KEY_MAX)
		return err_set(err, ERR_LIMIT, "the name \"%s\" is too long for a pod of the sandbox", key);
	if (!entry) {
		int host = free_host(a);

		if (!host && forget_oldest(a))
			host = free_host(a);
		if (!host)
			return err_set(err, ERR_LIMIT, "all %d addresses for pods are in use", POD_HOSTS);
		entry = &a->entries[a->count++];
		*entry = (struct address_entry){.host = host};
		snprintf(entry->key, sizeof entry->key, "%s", key);
		a->last = host;
		*ret_changed = true;
	}
	*ret_changed |= entry->keep != keep;
	entry->keep = keep;
	entry->used = true;
	*ret_host = entry->host;
	return true;
}

bool addresses_release(struct addresses *a, const char *key)
{
	struct address_entry *entry = find(a, key);

	if (!entry)
		return false;
	entry->used = false;
	if (entry->keep)
		return false;
	drop(a, (size_t)(entry - a->entries));
	return true;
}

static bool parse_entry(const json_node *node, struct addresses *a, struct err *err)
{
	struct address_entry entry = {0};
	int64_t host;

	if (!json_need_copy(node, "pod", entry.key, sizeof entry.key, err) ||
	    !json_need_int(node, "host", POD_HOST_FIRST, POD_HOST_LAST, &host, err) ||
	    !json_need_bool(node, "keep", &entry.keep, err))
		return false;
	entry.host = (int)host;
	if (find(a, entry.key) || is_taken(a, entry.host))
		return err_set(err, ERR_PARSE, "pod \"%s\" or its host is there twice", entry.key);
	/* The range holds as many as there is room for, and no host is there twice. */
	a->entries[a->count++] = entry;
	return true;
}

bool addresses_parse(const char *text, size_t len, struct addresses *ret, struct err *err)
{
	static const struct json_limits limits = {.max_bytes = FILE_MAX, .max_depth = 8, .unique_keys = true};
	CLEANUP(json) struct json *doc = NULL;
	struct addresses a = {0};
	const json_node *items;

	if (!json_parse(text, len, &limits, &doc, err) || !json_need_array(json_root(doc), "addresses", &items, err))
		return false;
	for (const json_node *i = json_first(items); i; i = json_next(i))
		if (!parse_entry(i, &a, err))
			return false;
	if (a.count)
		a.last = a.entries[a.count - 1].host;
	*ret = a;
	return true;
}

bool addresses_load(const char *path, struct addresses *ret, struct err *err)
{
	BUF_CLEANUP struct buf text = BUF_INIT(FILE_MAX);

	if (!file_exists(path)) {
		*ret = (struct addresses){0};
		return true;
	}
	return file_read(path, &text, err) &&
	       (addresses_parse(buf_str(&text), text.len, ret, err) || err_wrap(err, "\"%s\"", path));
}

bool addresses_save(const char *path, const struct addresses *a, struct err *err)
{
	BUF_CLEANUP struct buf text = BUF_INIT(FILE_MAX);
	struct json_writer w;

	json_writer_init(&w, &text);
	json_object(&w, NULL);
	json_array(&w, "addresses");
	for (size_t i = 0; i < a->count; i++) {
		json_object(&w, NULL);
		json_put_string(&w, "pod", a->entries[i].key);
		json_put_int(&w, "host", a->entries[i].host);
		json_put_bool(&w, "keep", a->entries[i].keep);
		json_end_object(&w);
	}
	json_end_array(&w);
	json_end_object(&w);
	return json_writer_ok(&w, err) && buf_add_char(&text, '\n', err) &&
	       file_write_atomic(path, text.data, text.len, 0600, err);
}
