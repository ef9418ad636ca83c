#include "sandbox/api/table.h"

#include "doc/json_writer.h"
#include "doc/jsonpath.h"
#include "sandbox/api/columns.h"

#include <stdio.h>
#include <string.h>

bool table_is_wanted(const char *accept)
{
	const char *table = accept ? strstr(accept, "as=Table") : NULL,
		   *json = accept ? strstr(accept, "application/json") : NULL;

	return table && json && strstr(accept, "g=meta.k8s.io");
}

struct plan {
	bool events; /* have no name column in front */
	const struct column *built_in[COLUMNS_MAX];
	const json_node *custom[COLUMNS_MAX];
	size_t count;
};

static const json_node *version_of(const struct resource *res)
{
	for (const json_node *v = json_first(json_at(object_root(res->crd), "spec/versions")); v; v = json_next(v))
		if (json_is_at(v, "name", res->version))
			return v;
	return NULL;
}

static void make_plan(const struct resource *res, struct plan *p)
{
	*p = (struct plan){.events = !strcmp(res->key, "/events")};
	if (res->crd)
		for (const json_node *c = json_first(json_at(version_of(res), "additionalPrinterColumns"));
		     c && p->count < COLUMNS_MAX; c = json_next(c))
			p->custom[p->count++] = c;
	if (!p->count)
		p->count = columns_of(res->key, p->built_in);
}

static void put_definition(
    struct json_writer *w, const char *name, const char *type, const char *format, int64_t priority)
{
	json_object(w, NULL);
	json_put_string(w, "name", name);
	json_put_string(w, "type", type);
	json_put_string(w, "format", format);
	json_put_string(w, "description", "");
	json_put_int(w, "priority", priority);
	json_end_object(w);
}

static void put_definitions(struct json_writer *w, const struct plan *p)
{
	json_array(w, "columnDefinitions");
	if (!p->events)
		put_definition(w, "Name", "string", "name", 0);
	for (size_t i = 0; i < p->count; i++) {
		const char *name = p->custom[i] ? json_text_at(p->custom[i], "name") : p->built_in[i]->name;

		const char *type = p->custom[i] ? json_text_at(p->custom[i], "type") : p->built_in[i]->type;

		put_definition(w, name ? name : "", type ? type : "string", "",
		    p->custom[i] ? json_int_at(p->custom[i], "priority", 0) : p->built_in[i]->priority);
	}
	json_end_array(w);
}

static void put_cell(struct json_writer *w, const struct plan *p, size_t i, const json_node *root)
{
	BUF_CLEANUP struct buf text = BUF_INIT(CELL_MAX);
	struct cell cell = {.text = ""};
	const char *path;

	if (p->built_in[i]) {
		p->built_in[i]->cell(root, &cell);
		if (cell.is_number)
			json_put_int(w, NULL, cell.number);
		else
			json_put_string(w, NULL, cell.text);
		return;
	}
	path = json_text_at(p->custom[i], "jsonPath");
	if (!path || !jsonpath_text(root, path, &text, NULL)) {
		json_put_string(w, NULL, "");
		return;
	}
	if (json_is_at(p->custom[i], "type", "date")) {
		cell_age(buf_str(&text), &cell);
		json_put_string(w, NULL, cell.text);
	} else if (text.len) {
		json_put_string(w, NULL, buf_str(&text));
	} else {
		json_put_null(w, NULL);
	}
}

/* The rows' objects are metadata alone, as asked for by default; written as text, because the tree has it already. */
static bool put_row(const struct plan *p, const struct object *object, struct buf *out, struct err *err)
{
	const json_node *root = object_root(object);
	struct json_writer w;

	if (!buf_add_str(out, "{\"cells\":", err))
		return false;
	json_writer_init(&w, out);
	json_array(&w, NULL);
	if (!p->events)
		json_put_string(&w, NULL, object->name);
	for (size_t i = 0; i < p->count; i++)
		put_cell(&w, p, i, root);
	json_end_array(&w);
	return json_writer_ok(&w, err) &&
	       buf_add_str(out,
		   ",\"object\":{\"kind\":\"PartialObjectMetadata\",\"apiVersion\":\"meta.k8s.io/v1\",\"metadata\":",
		   err) &&
	       json_print(json_at(root, "metadata"), false, out, err) && buf_add_str(out, "}}", err);
}

bool table_print(const struct resource *res, struct object *const *items, size_t count, const char *meta,
    struct buf *out, struct err *err)
{
	struct json_writer w;
	struct plan plan;

	make_plan(res, &plan);
	if (!buf_printf(
		out, err, "{\"kind\":\"Table\",\"apiVersion\":\"meta.k8s.io/v1\",%s,\"columnDefinitions\":", meta))
		return false;
	/* the array alone, behind its name */
	BUF_CLEANUP struct buf head = BUF_INIT(16384);
	json_writer_init(&w, &head);
	json_object(&w, NULL);
	put_definitions(&w, &plan);
	json_end_object(&w);
	if (!json_writer_ok(&w, err) ||
	    !buf_add(out, head.data + strlen("{\"columnDefinitions\":"),
		head.len - strlen("{\"columnDefinitions\":") - 1, err) ||
	    !buf_add_str(out, ",\"rows\":[", err))
		return false;
	for (size_t i = 0; i < count; i++)
		if ((i && !buf_add_char(out, ',', err)) || !put_row(&plan, items[i], out, err))
			return false;
	return buf_add_str(out, "]}", err);
}

bool table_print_event(const struct resource *res, const struct object *object, struct buf *out, struct err *err)
{
	struct object *items[1] = {(struct object *)object};
	char meta[80];

	snprintf(meta, sizeof meta, "\"metadata\":{\"resourceVersion\":\"%llu\"}", (unsigned long long)object->version);
	return table_print(res, items, 1, meta, out, err);
}
