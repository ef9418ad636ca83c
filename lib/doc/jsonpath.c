#include "doc/jsonpath.h"

#include "doc/json_edit.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define FILTER_DEPTH_MAX 4
#define VISITS_MAX 100000 /* nodes looked at by all filters of a path together */

struct nodes {
	const json_node **items;
	size_t count, cap;
};

struct walk {
	const char *path, *at;
	char name[JSONPATH_LEN_MAX + 1]; /* the last key or text that was read */
	size_t visits;
	struct err *err;
};

static void nodes_clear(struct nodes *nodes)
{
	free(nodes->items);
	*nodes = (struct nodes){0};
}
#define NODES_CLEANUP __attribute__((cleanup(nodes_clear)))

static bool nodes_add(struct nodes *nodes, const json_node *node, struct err *err)
{
	if (nodes->count >= JSONPATH_NODES_MAX)
		return err_set(err, ERR_LIMIT, "path: more than %d values", JSONPATH_NODES_MAX);
	if (nodes->count == nodes->cap) {
		size_t cap = nodes->cap ? nodes->cap * 2 : 4;
		const json_node **items = realloc(nodes->items, cap * sizeof *items);

		if (!items)
			return err_nomem(err);
		nodes->items = items;
		nodes->cap = cap;
	}
	nodes->items[nodes->count++] = node;
	return true;
}

static bool refuse(const struct walk *w, enum err_code code, const char *what)
{
	return err_set(w->err, code, "path \"%.100s\": %s at byte %zu", w->path, what, (size_t)(w->at - w->path));
}

/* --- reading the path -------------------------------------------------------------------------------------------- */

static void skip_blanks(struct walk *w)
{
	while (*w->at == ' ')
		w->at++;
}

/* A key behind a dot, into w->name. */
static bool read_key(struct walk *w)
{
	size_t len = 0;

	while (*w->at && !strchr(".[]{}()=!<>&|'\" ", *w->at)) {
		if (*w->at == '\\' && w->at[1])
			w->at++;
		w->name[len++] = *w->at++;
	}
	w->name[len] = '\0';
	return len || refuse(w, ERR_PARSE, "a key is missing");
}

/* 'text' or "text", into w->name. */
static bool read_text(struct walk *w)
{
	char quote = *w->at++;
	size_t len = 0;

	while (*w->at && *w->at != quote) {
		if (*w->at == '\\' && w->at[1])
			w->at++;
		w->name[len++] = *w->at++;
	}
	if (!*w->at)
		return refuse(w, ERR_PARSE, "a text without its closing quote");
	w->at++;
	w->name[len] = '\0';
	return true;
}

static bool expect(struct walk *w, const char *text)
{
	skip_blanks(w);
	if (strncmp(w->at, text, strlen(text)) != 0)
		return refuse(w, ERR_PARSE, "something unexpected");
	w->at += strlen(text);
	return true;
}

/* --- steps ------------------------------------------------------------------------------------------------------- */

static bool step_key(const struct nodes *from, const char *key, struct nodes *to, struct err *err)
{
	for (size_t i = 0; i < from->count; i++) {
		const json_node *member = json_get(from->items[i], key);

		if (member && !nodes_add(to, member, err))
			return false;
	}
	return true;
}

/* [*] takes the elements of arrays, .* the members of objects, too. */
static bool step_all(const struct nodes *from, bool members, struct nodes *to, struct err *err)
{
	for (size_t i = 0; i < from->count; i++) {
		if (!members && !json_is_array(from->items[i]))
			continue;
		for (const json_node *child = json_first(from->items[i]); child; child = json_next(child))
			if (!nodes_add(to, child, err))
				return false;
	}
	return true;
}

static bool step_index(struct walk *w, const struct nodes *from, struct nodes *to)
{
	char *end = NULL;
	long index = strtol(w->at, &end, 10);

	if (end == w->at)
		return refuse(w, ERR_UNSUPPORTED, "brackets with something that is not understood");
	w->at = end;
	for (size_t i = 0; i < from->count; i++) {
		long count = json_is_array(from->items[i]) ? (long)json_count(from->items[i]) : 0;
		const json_node *child = json_first(from->items[i]);
		long wanted = index < 0 ? index + count : index;

		if (wanted < 0 || wanted >= count)
			continue;
		while (wanted-- > 0)
			child = json_next(child);
		if (!nodes_add(to, child, w->err))
			return false;
	}
	return true;
}

/* --- filters ----------------------------------------------------------------------------------------------------- */

enum relation { OP_EXISTS, OP_EQ, OP_NE, OP_LT, OP_LE, OP_GT, OP_GE };

static enum relation read_relation(struct walk *w)
{
	static const struct {
		const char *text;
		enum relation op;
	} relations[] = {{"==", OP_EQ}, {"!=", OP_NE}, {"<=", OP_LE}, {">=", OP_GE}, {"<", OP_LT}, {">", OP_GT}};

	skip_blanks(w);
	for (size_t i = 0; i < sizeof relations / sizeof *relations; i++)
		if (!strncmp(w->at, relations[i].text, strlen(relations[i].text))) {
			w->at += strlen(relations[i].text);
			return relations[i].op;
		}
	return OP_EXISTS;
}

/* .a.b behind '@', for one value; NULL: not there. */
static bool read_place(struct walk *w, const json_node *node, const json_node **ret)
{
	for (int depth = 0; *w->at == '.' || *w->at == '['; depth++) {
		if (depth >= FILTER_DEPTH_MAX)
			return refuse(w, ERR_LIMIT, "a filter that looks deeper than 4 levels");
		if (*w->at++ == '.') {
			if (!read_key(w))
				return false;
		} else {
			if ((*w->at != '\'' && *w->at != '"') || !read_text(w) || !expect(w, "]"))
				return refuse(w, ERR_UNSUPPORTED, "brackets in a filter that are not understood");
		}
		node = json_get(node, w->name);
	}
	*ret = node;
	return true;
}

/* A literal: what a value is compared with. */
struct literal {
	enum { LITERAL_TEXT, LITERAL_NUMBER, LITERAL_BOOL } kind;
	double number; /* of a bool, too */
};

static bool read_literal(struct walk *w, struct literal *ret)
{
	char *end = NULL;

	skip_blanks(w);
	if (*w->at == '\'' || *w->at == '"') {
		ret->kind = LITERAL_TEXT;
		return read_text(w);
	}
	if (!strncmp(w->at, "true", 4) || !strncmp(w->at, "false", 5)) {
		*ret = (struct literal){LITERAL_BOOL, *w->at == 't'};
		w->at += *w->at == 't' ? 4 : 5;
		return true;
	}
	*ret = (struct literal){LITERAL_NUMBER, strtod(w->at, &end)};
	if (end == w->at || !isfinite(ret->number))
		return refuse(w, ERR_UNSUPPORTED, "a filter with something that is not understood");
	w->at = end;
	return true;
}

/* false: they are of different kinds. */
static bool compare(const struct walk *w, const json_node *node, const struct literal *literal, double *ret)
{
	switch (literal->kind) {
	case LITERAL_TEXT:
		*ret = json_is_string(node) ? strcmp(json_string(node), w->name) : 0;
		return json_is_string(node);
	case LITERAL_BOOL:
		*ret = (double)json_bool(node, false) - literal->number;
		return json_is_bool(node);
	case LITERAL_NUMBER:
		*ret = json_number(node, 0) - literal->number;
		return json_is_number(node);
	}
	return false;
}

static bool holds(enum relation op, double order)
{
	switch (op) {
	case OP_EXISTS:
		return true;
	case OP_EQ:
		return order == 0;
	case OP_NE:
		return order != 0;
	case OP_LT:
		return order < 0;
	case OP_LE:
		return order <= 0;
	case OP_GT:
		return order > 0;
	case OP_GE:
		return order >= 0;
	}
	return false;
}

/* Reads the filter's condition, from behind "?(" to behind ")", for one element. */
static bool filter_one(struct walk *w, const json_node *node, bool *ret)
{
	const json_node *place = NULL;
	struct literal literal;
	enum relation op;
	double order = 0;

	if (++w->visits > VISITS_MAX)
		return refuse(w, ERR_LIMIT, "a filter over too many values");
	if (!expect(w, "@") || !read_place(w, node, &place))
		return false;
	op = read_relation(w);
	if (op == OP_EXISTS) {
		*ret = place != NULL;
	} else {
		if (!read_literal(w, &literal))
			return false;
		*ret = compare(w, place, &literal, &order) ? holds(op, order) : op == OP_NE && place;
	}
	return expect(w, ")");
}

static bool step_filter(struct walk *w, const struct nodes *from, struct nodes *to)
{
	const char *condition = w->at;
	bool takes = false;

	/* also where there is no element, the condition must be one */
	if (!filter_one(w, NULL, &takes))
		return false;
	for (size_t i = 0; i < from->count; i++) {
		if (!json_is_array(from->items[i]))
			continue;
		for (const json_node *child = json_first(from->items[i]); child; child = json_next(child)) {
			w->at = condition;
			if (!filter_one(w, child, &takes) || (takes && !nodes_add(to, child, w->err)))
				return false;
		}
	}
	return true;
}

/* Behind '['. */
static bool step_brackets(struct walk *w, const struct nodes *from, struct nodes *to)
{
	bool ok;

	skip_blanks(w);
	if (*w->at == '\'' || *w->at == '"') {
		ok = read_text(w) && step_key(from, w->name, to, w->err);
	} else if (*w->at == '*') {
		w->at++;
		ok = step_all(from, false, to, w->err);
	} else if (!strncmp(w->at, "?(", 2)) {
		w->at += 2;
		ok = step_filter(w, from, to);
	} else {
		ok = step_index(w, from, to);
	}
	if (!ok)
		return false;
	skip_blanks(w);
	if (*w->at == ':' || *w->at == ',')
		return refuse(w, ERR_UNSUPPORTED, "a slice or a union");
	return expect(w, "]");
}

static bool step(struct walk *w, const struct nodes *from, struct nodes *to)
{
	if (*w->at == '[') {
		w->at++;
		return step_brackets(w, from, to);
	}
	if (*w->at != '.')
		return refuse(w, ERR_PARSE, "something unexpected");
	w->at++;
	if (*w->at == '.')
		return refuse(w, ERR_UNSUPPORTED, "\"..\"");
	if (*w->at == '*') {
		w->at++;
		return step_all(from, true, to, w->err);
	}
	return read_key(w) && step_key(from, w->name, to, w->err);
}

/* --- the whole --------------------------------------------------------------------------------------------------- */

static bool evaluate(struct walk *w, const json_node *root, struct nodes *ret)
{
	bool braces = *w->at == '{';

	w->at += braces;
	skip_blanks(w);
	if (*w->at == '$' || *w->at == '@')
		w->at++;
	if (root && !nodes_add(ret, root, w->err))
		return false;
	for (skip_blanks(w); *w->at && !(braces && *w->at == '}'); skip_blanks(w)) {
		NODES_CLEANUP struct nodes next = {0};
		struct nodes swap;

		/* a dot in front of brackets, or at the end, is no step */
		if (*w->at == '.' && (!w->at[1] || strchr("[}", w->at[1]))) {
			w->at++;
			continue;
		}
		if (!step(w, ret, &next))
			return false;
		swap = *ret;
		*ret = next;
		next = swap;
	}
	if (braces && (*w->at != '}' || w->at[1]))
		return refuse(w, ERR_PARSE, "braces that do not hold all of it");
	return true;
}

static bool print(const struct nodes *nodes, struct buf *out, struct err *err)
{
	for (size_t i = 0; i < nodes->count; i++) {
		const char *text = json_string(nodes->items[i]);

		if (i && !buf_add_char(out, ' ', err))
			return false;
		if (!(text ? buf_add_str(out, text, err) : json_print(nodes->items[i], false, out, err)))
			return false;
	}
	return true;
}

bool jsonpath_text(const json_node *root, const char *path, struct buf *out, struct err *err)
{
	struct walk w = {.path = path, .at = path, .err = err};
	NODES_CLEANUP struct nodes nodes = {0};
	size_t before = out->len;

	if (strlen(path) > JSONPATH_LEN_MAX)
		return err_set(err, ERR_LIMIT, "path: more than %d bytes", JSONPATH_LEN_MAX);
	if (!evaluate(&w, root, &nodes))
		return false;
	if (!nodes.count)
		return err_set(err, ERR_NOT_FOUND, "path \"%.200s\": not found", path);
	if (print(&nodes, out, err))
		return true;
	if (out->data) {
		out->len = before;
		out->data[before] = '\0';
	}
	return false;
}
