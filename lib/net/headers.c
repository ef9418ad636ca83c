#include "net/headers.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static void clear_one(struct http_header *h)
{
	if (h->value)
		explicit_bzero(h->value, strlen(h->value));
	free(h->name);
	free(h->value);
}

void http_headers_clear(struct http_headers *h)
{
	for (size_t i = 0; i < h->count; i++)
		clear_one(&h->items[i]);
	free(h->items);
	*h = (struct http_headers)HTTP_HEADERS_INIT;
}

static bool is_token(const char *name)
{
	if (!*name)
		return false;
	for (const char *p = name; *p; p++)
		if ((unsigned char)*p <= ' ' || (unsigned char)*p >= 127 || strchr("()<>@,;:\\\"/[]?={}", *p))
			return false;
	return true;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

bool http_headers_add(struct http_headers *h, const char *name, const char *value, struct err *err)
{
	size_t len;
	struct http_header *items, item;

	if (!is_token(name))
		return err_set(
		    err, ERR_USAGE, "header name \"%.64s\" holds a character that is not allowed there", name);
	while (is_blank(*value))
		value++;
	len = strlen(value);
	while (len && is_blank(value[len - 1]))
		len--;
	if (memchr(value, '\r', len) || memchr(value, '\n', len))
		return err_set(err, ERR_USAGE, "header \"%s\" holds a line break", name);
	if (h->count == HTTP_HEADERS_MAX || h->bytes + strlen(name) + len > HTTP_HEADERS_BYTES_MAX)
		return err_set(err, ERR_LIMIT, "more than %d headers or %d bytes of them", HTTP_HEADERS_MAX,
		    HTTP_HEADERS_BYTES_MAX);
	items = realloc(h->items, (h->count + 1) * sizeof *items);
	if (!items)
		return err_nomem(err);
	h->items = items;
	item = (struct http_header){.name = strdup(name), .value = strndup(value, len)};
	if (!item.name || !item.value) {
		clear_one(&item);
		return err_nomem(err);
	}
	items[h->count++] = item;
	h->bytes += strlen(name) + len;
	return true;
}

bool http_headers_set(struct http_headers *h, const char *name, const char *value, struct err *err)
{
	size_t kept = 0;

	for (size_t i = 0; i < h->count; i++) {
		if (strcasecmp(h->items[i].name, name)) {
			h->items[kept++] = h->items[i];
			continue;
		}
		h->bytes -= strlen(h->items[i].name) + strlen(h->items[i].value);
		clear_one(&h->items[i]);
	}
	h->count = kept;
	return http_headers_add(h, name, value, err);
}

bool http_headers_copy(struct http_headers *h, const struct http_headers *from, struct err *err)
{
	for (size_t i = 0; i < from->count; i++)
		if (!http_headers_add(h, from->items[i].name, from->items[i].value, err))
			return false;
	return true;
}

const char *http_headers_get(const struct http_headers *h, const char *name)
{
	for (size_t i = 0; i < h->count; i++)
		if (!strcasecmp(h->items[i].name, name))
			return h->items[i].value;
	return NULL;
}
