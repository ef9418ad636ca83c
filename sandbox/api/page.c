#include "sandbox/api/page.h"

#include "base/num.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- tokens ------------------------------------------------------------------------------------------------------ */

/* Hexadecimal, so that it needs no escaping anywhere: "VERSION namespace/name". */
static void write_token(uint64_t version, const char *namespace_, const char *name, char ret[static PAGE_TOKEN_MAX])
{
	char place[PAGE_TOKEN_MAX / 2];

	snprintf(place, sizeof place, "%llu %.*s/%.*s", (unsigned long long)version, NAME_LEN_MAX, namespace_,
	    NAME_LEN_MAX, name);
	hex_encode(place, strlen(place), ret);
}

void page_token(uint64_t version, const struct object *last, char ret[static PAGE_TOKEN_MAX])
{
	write_token(version, last->namespace_, last->name, ret);
}

static bool parse_token(const char *token, struct page *page)
{
	size_t len = strlen(token) / 2, digits;
	char place[PAGE_TOKEN_MAX];

	if (len >= sizeof place || !hex_decode(token, len, place))
		return false;
	place[len] = '\0';
	digits = strcspn(place, " ");
	if (strlen(place) != len || place[digits] != ' ' || !strchr(place + digits, '/') ||
	    !num_parse_u64(place, digits, UINT64_MAX, &page->version))
		return false;
	page->after = strdup(place + digits + 1);
	return page->after != NULL;
}

static bool read_token(struct call *c, struct page *page)
{
	const char *token = query_get(&c->query, "continue"), *version = query_get(&c->query, "resourceVersion");

	if (!token || !*token)
		return true;
	if (!parse_token(token, page))
		return status_bad_request(
		    c->response, "invalid continue token: continue key is not valid: \"%.64s\"", token);
	if (version && *version && strcmp(version, "0") != 0)
		return status_bad_request(
		    c->response, "specifying resource version is not allowed when using continue");
	return true;
}

bool page_read(struct call *c, struct page *ret)
{
	const char *limit = query_get(&c->query, "limit"), *version = query_get(&c->query, "resourceVersion");

	if (limit && *limit && !num_parse_u64(limit, strlen(limit), 1000000000, &ret->limit))
		return status_bad_request(c->response, "strconv.ParseInt: parsing \"%.64s\": invalid syntax", limit);
	if (version && !strcmp(version, "0"))
		ret->limit = 0;
	return read_token(c, ret);
}

void page_clear(struct page *page)
{
	free(page->after);
	page->after = NULL;
}

/* --- what was there ---------------------------------------------------------------------------------------------- */

static bool too_old(struct call *c, const struct page *page)
{
	char token[PAGE_TOKEN_MAX], *slash = strchr(page->after, '/');
	const struct status_details details = {.go_on = token};

	*slash = '\0';
	write_token(0, page->after, slash + 1, token);
	*slash = '/';
	return status_failure(c->response, 410, "Expired", &details,
	    "The provided continue parameter is too old to display a consistent list result. You can start a new list "
	    "without the continue parameter, or use the continue token in this response to retrieve the remainder of "
	    "the results. Continuing with the provided token results in an inconsistent list - objects that were "
	    "created, modified, or deleted between the time the first chunk was returned and now may show up in the "
	    "list.");
}

static void undo(struct store_kind *items, const struct store_event *e)
{
	size_t at = db_seek(items, e->object->namespace_, e->object->name);

	if (e->removed) {
		memmove(items->items + at + 1, items->items + at, (items->count - at) * sizeof(struct object *));
		items->count++;
	}
	if (e->before) {
		items->items[at] = e->before;
		return;
	}
	items->count--;
	memmove(items->items + at, items->items + at + 1, (items->count - at) * sizeof(struct object *));
}

bool page_items(struct call *c, const struct page *page, struct store_kind *ret)
{
	const struct store_kind *now = db_kind_of(c->store, c->res.key);
	uint64_t position = db_position(c->store), then = position;
	struct store_kind items = {0};
	struct err err = ERR_INIT;
	bool lost;

	if (page->version > db_version(c->store))
		return status_bad_request(c->response, "invalid continue token: it is of a version that is not yet");
	if (page->version && !db_position_of(c->store, page->version, &then))
		return too_old(c, page);
	if (!now) {
		*ret = items;
		return true;
	}
	items.items = calloc(now->count + (size_t)(position - then) + 1, sizeof(struct object *));
	if (!items.items) {
		err_nomem(&err);
		return status_internal(c->response, &err);
	}
	memcpy(items.items, now->items, now->count * sizeof(struct object *));
	items.count = now->count;
	while (position > then) {
		const struct store_event *e = db_event_at(c->store, --position, &lost);

		if (!strcmp(e->key, now->key))
			undo(&items, e);
	}
	*ret = items;
	return true;
}

size_t page_first(const struct call *c, const struct page *page, const struct store_kind *items)
{
	char *slash = page->after ? strchr(page->after, '/') : NULL;
	size_t at;

	if (!slash)
		return db_seek(items, c->namespace_, "");
	*slash = '\0';
	at = db_seek(items, page->after, slash + 1);
	if (at < items->count && !strcmp(items->items[at]->namespace_, page->after) &&
	    !strcmp(items->items[at]->name, slash + 1))
		at++;
	*slash = '/';
	return at;
}
