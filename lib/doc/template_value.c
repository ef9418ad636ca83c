#include "doc/template_value.h"

#include "doc/json_tree.h"
#include "doc/template.h"

#include <math.h>
#include <string.h>

void text_memory_clear(struct text_memory *memory)
{
	for (size_t i = 0; i < memory->count; i++)
		free(memory->texts[i]);
	free(memory->texts);
	*memory = (struct text_memory){0};
}

const char *text_memory_add(struct text_memory *memory, const char *text, size_t len, struct err *err)
{
	/* An empty text costs something, too. */
	size_t cost = len + sizeof(char *) + 16;
	char **texts = NULL, *copy = NULL;

	if (cost > TEMPLATE_MEMORY_MAX - memory->bytes) {
		err_set(err, ERR_LIMIT, "a template that makes more than %d bytes of texts", TEMPLATE_MEMORY_MAX);
		return NULL;
	}
	if ((memory->count & (memory->count - 1)) == 0) { /* a power of two, or none: double */
		texts = realloc(memory->texts, (memory->count ? memory->count * 2 : 1) * sizeof *texts);
		if (!texts) {
			err_nomem(err);
			return NULL;
		}
		memory->texts = texts;
	}
	copy = strndup(text, len);
	if (!copy) {
		err_nomem(err);
		return NULL;
	}
	memory->texts[memory->count++] = copy;
	memory->bytes += cost;
	return copy;
}

struct value value_of_text(const char *text)
{
	return (struct value){.kind = VALUE_TEXT, .text = text};
}

struct value value_of_bool(bool truth)
{
	return (struct value){.kind = VALUE_BOOL, .truth = truth};
}

struct value value_of_int(int64_t integer)
{
	return (struct value){.kind = VALUE_INT, .integer = integer};
}

struct value value_of_float(double real)
{
	return (struct value){.kind = VALUE_FLOAT, .real = real};
}

struct value value_of_node(const json_node *node)
{
	int64_t integer;

	if (!node || json_is_null(node))
		return (struct value){.kind = VALUE_NIL};
	if (json_is_string(node))
		return value_of_text(json_string(node));
	if (json_is_bool(node))
		return value_of_bool(json_bool(node, false));
	if (!json_is_number(node))
		return (struct value){.kind = VALUE_NODE, .node = node};
	return json_integer(node, &integer) ? value_of_int(integer) : value_of_float(json_number(node, 0));
}

bool value_is_true(const struct value *value)
{
	switch (value->kind) {
	case VALUE_NIL:
		return false;
	case VALUE_BOOL:
		return value->truth;
	case VALUE_INT:
		return value->integer != 0;
	case VALUE_FLOAT:
		return value->real != 0;
	case VALUE_TEXT:
		return *value->text != '\0';
	case VALUE_NODE:
		return json_first(value->node) != NULL;
	case VALUE_TIME:
		return true;
	}
	return false;
}

const char *value_kind_name(const struct value *value)
{
	switch (value->kind) {
	case VALUE_NIL:
		return "nil";
	case VALUE_BOOL:
		return "a bool";
	case VALUE_INT:
		return "an integer";
	case VALUE_FLOAT:
		return "a float";
	case VALUE_TEXT:
		return "a text";
	case VALUE_NODE:
		return json_is_array(value->node) ? "a list" : "a map";
	case VALUE_TIME:
		return "a time";
	}
	return "";
}

/* --- printing ---------------------------------------------------------------------------------------------------- */

/* %g with the shortest digits that come back, and an exponent from 21 digits on. */
static bool print_float(double real, struct buf *out, struct err *err)
{
	char text[40];

	for (int digits = 1; digits <= 17; digits++) {
		snprintf(text, sizeof text, "%.*g", digits, real);
		if (strtod(text, NULL) == real)
			break;
	}
	if (fabs(real) >= 1e-4 && fabs(real) < 1e21 && strchr(text, 'e'))
		return buf_printf(out, err, "%.0f", real);
	return buf_add_str(out, text, err);
}

static int key_order(const void *a, const void *b)
{
	return strcmp(json_key(*(const json_node *const *)a), json_key(*(const json_node *const *)b));
}

/* map[a:1 b:2], sorted. */
static bool print_map(const json_node *node, struct buf *out, struct err *err)
{
	size_t count = json_count(node), at = 0;
	CLEANUP(free) const json_node **members = calloc(count + 1, sizeof *members);

	if (!members)
		return err_nomem(err);
	for (const json_node *member = json_first(node); member; member = json_next(member))
		members[at++] = member;
	qsort(members, count, sizeof *members, key_order);
	if (!buf_add_str(out, "map[", err))
		return false;
	for (size_t i = 0; i < count; i++) {
		struct value value = value_of_node(members[i]);

		if (!buf_printf(out, err, "%s%s:", i ? " " : "", json_key(members[i])) ||
		    !value_print_inside(&value, out, err))
			return false;
	}
	return buf_add_char(out, ']', err);
}

static bool print_list(const json_node *node, struct buf *out, struct err *err)
{
	if (!buf_add_char(out, '[', err))
		return false;
	for (const json_node *item = json_first(node); item; item = json_next(item)) {
		struct value value = value_of_node(item);

		if ((item != json_first(node) && !buf_add_char(out, ' ', err)) || !value_print_inside(&value, out, err))
			return false;
	}
	return buf_add_char(out, ']', err);
}

bool value_print_inside(const struct value *value, struct buf *out, struct err *err)
{
	switch (value->kind) {
	case VALUE_NIL:
		return buf_add_str(out, "<nil>", err);
	case VALUE_BOOL:
		return buf_add_str(out, value->truth ? "true" : "false", err);
	case VALUE_INT:
		return buf_printf(out, err, "%lld", (long long)value->integer);
	case VALUE_FLOAT:
		return print_float(value->real, out, err);
	case VALUE_TEXT:
		return buf_add_str(out, value->text, err);
	case VALUE_NODE:
		return json_is_array(value->node) ? print_list(value->node, out, err)
						  : print_map(value->node, out, err);
	case VALUE_TIME:
		return go_time_format("2006-01-02 15:04:05.999999999 -0700 MST", value->time, out, err);
	}
	return false;
}

bool value_print(const struct value *value, struct buf *out, struct err *err)
{
	return value->kind == VALUE_NIL ? buf_add_str(out, "<no value>", err) : value_print_inside(value, out, err);
}
