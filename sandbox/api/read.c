/* get and list. */
#include "sandbox/api/call.h"

#include "sandbox/api/page.h"
#include "sandbox/api/selector.h"
#include "sandbox/api/table.h"

#include <stdio.h>
#include <string.h>

bool call_get(struct call *c)
{
	CLEANUP(object) struct object *object = NULL;

	db_lock(c->store);
	object = db_get(c->store, c->res.key, c->namespace_, c->name);
	if (object)
		object_ref(object);
	db_unlock(c->store);
	if (!object)
		return status_not_found(c->response, &c->res, c->name);
	if (table_is_wanted(c->request->accept)) {
		struct err err = ERR_INIT;

		buf_reset(&c->response->body);
		if (!table_print_event(&c->res, object, &c->response->body, &err))
			return status_internal(c->response, &err);
		c->response->code = 200;
		return true;
	}
	return call_answer_stored(c, 200, object);
}

/* --- lists ------------------------------------------------------------------------------------------------------- */

struct list {
	struct object **items; /* referenced */
	size_t count;
	uint64_t version;
	bool more;
	size_t remaining;
};

static void list_clear(struct list *l)
{
	for (size_t i = 0; i < l->count; i++)
		object_unref(l->items[i]);
	free(l->items);
	*l = (struct list){0};
}

/* The store is locked. */
static bool collect(struct call *c, const struct selector *selector, const struct page *page, struct list *ret)
{
	CLEANUP(free) struct object **borrowed = NULL;
	struct store_kind kind;
	struct err err = ERR_INIT;

	ret->version = page->version ? page->version : db_version(c->store);
	if (!page_items(c, page, &kind))
		return false;
	borrowed = kind.items;
	if (!kind.count)
		return true;
	ret->items = calloc(kind.count, sizeof(struct object *));
	if (!ret->items) {
		err_nomem(&err);
		return status_internal(c->response, &err);
	}
	for (size_t i = page_first(c, page, &kind); i < kind.count; i++) {
		struct object *object = kind.items[i];

		if (*c->namespace_ && strcmp(object->namespace_, c->namespace_))
			break;
		if (!selector_matches(selector, object_root(object)))
			continue;
		if (page->limit && ret->count == page->limit) {
			ret->more = true;
			ret->remaining++;
			continue;
		}
		ret->items[ret->count++] = object_ref(object);
	}
	return true;
}

static bool print_meta(struct call *c, const struct list *list, bool selected, struct buf *out, struct err *err)
{
	char token[PAGE_TOKEN_MAX] = "";

	if (!buf_printf(out, err, "\"metadata\":{\"resourceVersion\":\"%llu\"", (unsigned long long)list->version))
		return false;
	if (list->more)
		page_token(list->version, list->items[list->count - 1], token);
	if ((list->more || c->res.custom) && !buf_printf(out, err, ",\"continue\":\"%s\"", token))
		return false;
	if (list->more && !selected && !buf_printf(out, err, ",\"remainingItemCount\":%zu", list->remaining))
		return false;
	return buf_add_char(out, '}', err);
}

static bool print_list(struct call *c, const struct list *list, bool selected, struct err *err)
{
	struct buf *out = &c->response->body;

	buf_reset(out);
	if (table_is_wanted(c->request->accept)) {
		BUF_CLEANUP struct buf meta = BUF_INIT(8192);

		return print_meta(c, list, selected, &meta, err) &&
		       table_print(&c->res, list->items, list->count, buf_str(&meta), out, err);
	}
	if (!buf_printf(out, err, "{\"kind\":\"%s\",\"apiVersion\":\"%s\",", c->res.list_kind, c->res.api_version) ||
	    !print_meta(c, list, selected, out, err) || !buf_add_str(out, ",\"items\":[", err))
		return false;
	for (size_t i = 0; i < list->count; i++)
		if ((i && !buf_add_char(out, ',', err)) || !call_print_object(&c->res, list->items[i], out, err))
			return false;
	return buf_add_str(out, "]}", err);
}

static bool too_new(struct call *c, uint64_t wanted, uint64_t current)
{
	const struct status_cause cause = {"ResourceVersionTooLarge", "Too large resource version", NULL};
	const struct status_details details = {.causes = &cause, .cause_count = 1, .retry_after_s = 1};

	return status_failure(c->response, 504, "Timeout", &details,
	    "Timeout: Too large resource version: %llu, current: %llu", (unsigned long long)wanted,
	    (unsigned long long)current);
}

bool call_list(struct call *c)
{
	SELECTOR_CLEANUP struct selector selector = {0};
	__attribute__((cleanup(list_clear))) struct list list = {0};
	PAGE_CLEANUP struct page page = {0};
	struct err err = ERR_INIT;
	uint64_t version;
	bool ok, given;

	if (!selector_parse(
		query_get(&c->query, "labelSelector"), query_get(&c->query, "fieldSelector"), &c->res, &selector, &err))
		return status_bad_request(c->response, "%s", err.msg);
	ok = call_parse_version(c, "resourceVersion", &given, &version) && page_read(c, &page);
	if (ok) {
		db_lock(c->store);
		ok = collect(c, &selector, &page, &list);
		db_unlock(c->store);
	}
	if (!ok)
		return false;
	if (version > list.version)
		return too_new(c, version, list.version);
	if (!print_list(c, &list, !selector_is_empty(&selector), &err))
		return status_internal(c->response, &err);
	c->response->code = 200;
	return true;
}
