#include "doc/json_edit.h"

#include "doc/json_tree.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- comparing --------------------------------------------------------------------------------------------------- */

struct member {
	const cJSON *node;
	size_t place;
};

static int member_order(const void *a, const void *b)
{
	const struct member *x = a, *y = b;
	int order = strcmp(x->node->string, y->node->string);

	return order ? order : (x->place > y->place) - (x->place < y->place);
}

static struct member *sorted(const cJSON *object, size_t count)
{
	struct member *members = calloc(count, sizeof *members);
	size_t place = 0;

	if (!members)
		return NULL;
	for (const cJSON *child = object->child; child; child = child->next, place++)
		members[place] = (struct member){child, place};
	qsort(members, count, sizeof *members, member_order);
	return members;
}

static bool same_keys_in_order(const cJSON *a, const cJSON *b)
{
	const cJSON *x = a->child, *y = b->child;

	while (x && y && !strcmp(x->string, y->string)) {
		x = x->next;
		y = y->next;
	}
	return !x && !y;
}

static bool children_equal(const cJSON *a, const cJSON *b)
{
	for (const cJSON *x = a->child, *y = b->child; x; x = x->next, y = y->next)
		if (!json_equal(x, y))
			return false;
	return true;
}

/* Sorted, because a hostile object's members by the thousand would be looked up among each other. */
static bool members_equal(const cJSON *a, const cJSON *b, size_t count)
{
	CLEANUP(free) struct member *x = sorted(a, count), *y = sorted(b, count);

	if (x && y) {
		for (size_t i = 0; i < count; i++)
			if (strcmp(x[i].node->string, y[i].node->string) || !json_equal(x[i].node, y[i].node))
				return false;
		return true;
	}
	for (const cJSON *child = a->child; child; child = child->next) {
		const cJSON *other = json_get(b, child->string);

		if (!other || !json_equal(child, other))
			return false;
	}
	return true;
}

/* Of a whole number and a fraction that are the same double only one has its digits. */
static bool numbers_equal(const cJSON *a, const cJSON *b)
{
	if (a->valuestring && b->valuestring)
		return !strcmp(a->valuestring, b->valuestring);
	return a->valuedouble == b->valuedouble && !a->valuestring == !b->valuestring;
}

bool json_equal(const json_node *a, const json_node *b)
{
	if (!a || !b)
		return a == b;
	if ((a->type & 0xff) != (b->type & 0xff))
		return false;
	if (cJSON_IsString(a))
		return !strcmp(a->valuestring, b->valuestring);
	if (cJSON_IsNumber(a))
		return numbers_equal(a, b);
	if (!cJSON_IsArray(a) && !cJSON_IsObject(a))
		return true;
	if (json_count(a) != json_count(b))
		return false;
	if (cJSON_IsArray(a) || same_keys_in_order(a, b))
		return children_equal(a, b);
	return members_equal(a, b, json_count(a));
}

/* --- printing ---------------------------------------------------------------------------------------------------- */

static bool print_number(double value, struct buf *out, struct err *err)
{
	char text[40];

	if (!isfinite(value))
		return buf_add_str(out, "null", err);
	if (fabs(value) <= (double)JSON_INT_MAX && value == floor(value))
		return buf_printf(out, err, "%lld", (long long)value);
	snprintf(text, sizeof text, "%.15g", value);
	if (strtod(text, NULL) != value)
		snprintf(text, sizeof text, "%.17g", value);
	return buf_add_str(out, text, err);
}

static bool print_break(bool pretty, int depth, struct buf *out, struct err *err)
{
	return !pretty || buf_printf(out, err, "\n%*s", 2 * depth, "");
}

static bool print_node(const cJSON *node, bool pretty, int depth, struct buf *out, struct err *err);

static bool print_children(const cJSON *node, bool pretty, int depth, struct buf *out, struct err *err)
{
	bool object = cJSON_IsObject(node);

	if (depth >= JSON_DEPTH_MAX)
		return err_set(err, ERR_LIMIT, "nested deeper than %d levels", JSON_DEPTH_MAX);
	if (!buf_add_char(out, object ? '{' : '[', err))
		return false;
	for (const cJSON *child = node->child; child; child = child->next) {
		if (!print_break(pretty, depth + 1, out, err))
			return false;
		if (object && (!json_quote(out, child->string, strlen(child->string), err) ||
				  !buf_add_str(out, pretty ? ": " : ":", err)))
			return false;
		if (!print_node(child, pretty, depth + 1, out, err))
			return false;
		if (child->next && !buf_add_char(out, ',', err))
			return false;
	}
	if (node->child && !print_break(pretty, depth, out, err))
		return false;
	return buf_add_char(out, object ? '}' : ']', err);
}

static bool print_node(const cJSON *node, bool pretty, int depth, struct buf *out, struct err *err)
{
	if (cJSON_IsObject(node) || cJSON_IsArray(node))
		return print_children(node, pretty, depth, out, err);
	if (cJSON_IsString(node))
		return json_quote(out, node->valuestring, strlen(node->valuestring), err);
	if (cJSON_IsNumber(node))
		return node->valuestring ? buf_add_str(out, node->valuestring, err)
					 : print_number(node->valuedouble, out, err);
	if (cJSON_IsBool(node))
		return buf_add_str(out, cJSON_IsTrue(node) ? "true" : "false", err);
	return buf_add_str(out, "null", err);
}

bool json_print(const json_node *node, bool pretty, struct buf *out, struct err *err)
{
	size_t before = out->len;

	if (print_node(node, pretty, 0, out, err))
		return true;
	if (out->data) {
		out->len = before;
		out->data[before] = '\0';
	}
	return err_wrap(err, "JSON");
}
