#include "doc/template.h"
#include "doc/template_value.h"

#include <ctype.h>
#include <string.h>

static bool wants(const char *name, const char *what, const struct value *got, struct err *err)
{
	return err_set(err, ERR_PARSE, "\"%s\" wants %s, not %s", name, what, value_kind_name(got));
}

static bool text_of_buf(struct text_memory *memory, const struct buf *text, struct value *ret, struct err *err)
{
	const char *copy = text_memory_add(memory, buf_str(text), text->len, err);

	if (!copy)
		return false;
	*ret = value_of_text(copy);
	return true;
}

/* --- logic ------------------------------------------------------------------------------------------------------- */

/* The caller evaluates arguments only up to the one that decides. */
static bool call_last(const struct value_call *c, struct value *ret, struct err *err)
{
	(void)err;
	*ret = c->args[c->count - 1];
	return true;
}

static bool call_not(const struct value_call *c, struct value *ret, struct err *err)
{
	(void)err;
	*ret = value_of_bool(!value_is_true(c->args));
	return true;
}

/* sprig: the last argument, if it is not empty, else the first. */
static bool call_default(const struct value_call *c, struct value *ret, struct err *err)
{
	(void)err;
	*ret = c->count > 1 && value_is_true(&c->args[1]) ? c->args[1] : c->args[0];
	return true;
}

/* -1, 0 or 1; nil is equal to nil alone. */
static bool compare(const struct value *a, const struct value *b, bool ordered, int *ret, struct err *err)
{
	if (a->kind == VALUE_NODE || b->kind == VALUE_NODE || a->kind == VALUE_TIME || b->kind == VALUE_TIME ||
	    (ordered && (a->kind == VALUE_NIL || b->kind == VALUE_NIL || a->kind == VALUE_BOOL)))
		return err_set(err, ERR_PARSE, "%s cannot be compared with %s", value_kind_name(a), value_kind_name(b));
	if (a->kind == VALUE_NIL || b->kind == VALUE_NIL) {
		*ret = a->kind != b->kind;
		return true;
	}
	if (a->kind != b->kind)
		return err_set(err, ERR_PARSE, "%s cannot be compared with %s", value_kind_name(a), value_kind_name(b));
	if (a->kind == VALUE_BOOL)
		*ret = a->truth != b->truth;
	else if (a->kind == VALUE_INT)
		*ret = (a->integer > b->integer) - (a->integer < b->integer);
	else if (a->kind == VALUE_FLOAT)
		*ret = (a->real > b->real) - (a->real < b->real);
	else
		*ret = strcmp(a->text, b->text);
	return true;
}

/* eq a b c: a is b or c. */
static bool call_eq(const struct value_call *c, struct value *ret, struct err *err)
{
	int order = 1;

	for (size_t i = 1; i < c->count && order != 0; i++)
		if (!compare(&c->args[0], &c->args[i], false, &order, err))
			return false;
	*ret = value_of_bool(order == 0);
	return true;
}

static bool call_ne(const struct value_call *c, struct value *ret, struct err *err)
{
	int order = 0;

	if (!compare(&c->args[0], &c->args[1], false, &order, err))
		return false;
	*ret = value_of_bool(order != 0);
	return true;
}

#define CALL_ORDER(name, relation)                                                                                     \
	static bool name(const struct value_call *c, struct value *ret, struct err *err)                               \
	{                                                                                                              \
		int order = 0;                                                                                         \
                                                                                                                       \
		if (!compare(&c->args[0], &c->args[1], true, &order, err))                                             \
			return false;                                                                                  \
		*ret = value_of_bool(order relation 0);                                                                \
		return true;                                                                                           \
	}
CALL_ORDER(call_lt, <)
CALL_ORDER(call_le, <=)
CALL_ORDER(call_gt, >)
CALL_ORDER(call_ge, >=)

/* --- data -------------------------------------------------------------------------------------------------------- */

static bool call_len(const struct value_call *c, struct value *ret, struct err *err)
{
	if (c->args->kind == VALUE_TEXT)
		*ret = value_of_int((int64_t)strlen(c->args->text));
	else if (c->args->kind == VALUE_NODE)
		*ret = value_of_int((int64_t)json_count(c->args->node));
	else
		return wants("len", "a text, a list or a map", c->args, err);
	return true;
}

static bool index_one(const struct value *from, const struct value *by, struct value *ret, struct err *err)
{
	const json_node *item = NULL;
	int64_t at = 0;

	if (from->kind != VALUE_NODE)
		return wants("index", "a list or a map", from, err);
	if (json_is_object(from->node)) {
		if (by->kind != VALUE_TEXT)
			return wants("index", "a text for a map", by, err);
		*ret = value_of_node(json_get(from->node, by->text)); /* missing is nil here, unlike a field */
		return true;
	}
	if (by->kind != VALUE_INT)
		return wants("index", "an integer for a list", by, err);
	for (item = json_first(from->node); item && at < by->integer; item = json_next(item))
		at++;
	if (!item || by->integer < 0)
		return err_set(err, ERR_NOT_FOUND, "index %lld is outside a list of %zu", (long long)by->integer,
		    json_count(from->node));
	*ret = value_of_node(item);
	return true;
}

static bool call_index(const struct value_call *c, struct value *ret, struct err *err)
{
	struct value at = c->args[0];

	if (at.kind == VALUE_NIL)
		return wants("index", "a list or a map", &at, err);
	for (size_t i = 1; i < c->count; i++)
		if (!index_one(&at, &c->args[i], &at, err))
			return false;
	*ret = at;
	return true;
}

/* --- texts ------------------------------------------------------------------------------------------------------- */

static bool call_to_string(const struct value_call *c, struct value *ret, struct err *err)
{
	BUF_CLEANUP struct buf text = BUF_INIT(TEMPLATE_MEMORY_MAX);

	return value_print_inside(c->args, &text, err) && text_of_buf(c->memory, &text, ret, err);
}

static bool add_quoted(struct buf *out, const char *text, struct err *err)
{
	static const char from[] = "\"\\\n\r\t", to[] = "\"\\nrt";

	if (!buf_add_char(out, '"', err))
		return false;
	for (; *text; text++) {
		const char *special = strchr(from, *text);
		bool ok = special ? buf_printf(out, err, "\\%c", to[special - from])
			  : (unsigned char)*text < 0x20 || *text == 0x7f
			      ? buf_printf(out, err, "\\x%02x", (unsigned)*text)
			      : buf_add_char(out, *text, err);

		if (!ok)
			return false;
	}
	return buf_add_char(out, '"', err);
}

static bool print_quoted(struct buf *out, const struct value *value, struct err *err)
{
	BUF_CLEANUP struct buf text = BUF_INIT(TEMPLATE_MEMORY_MAX);

	return value_print_inside(value, &text, err) && add_quoted(out, buf_str(&text), err);
}

/* sprig: each in quotes, with blanks between; nil is left out. */
static bool call_quote(const struct value_call *c, struct value *ret, struct err *err)
{
	BUF_CLEANUP struct buf text = BUF_INIT(TEMPLATE_MEMORY_MAX);

	for (size_t i = 0; i < c->count; i++) {
		if (c->args[i].kind == VALUE_NIL)
			continue;
		if ((text.len && !buf_add_char(&text, ' ', err)) || !print_quoted(&text, &c->args[i], err))
			return false;
	}
	return text_of_buf(c->memory, &text, ret, err);
}

static bool map_text(const char *name, int (*map)(int), const struct value_call *c, struct value *ret, struct err *err)
{
	BUF_CLEANUP struct buf text = BUF_INIT(TEMPLATE_MEMORY_MAX);

	if (c->args->kind != VALUE_TEXT)
		return wants(name, "a text", c->args, err);
	if (!buf_add_str(&text, c->args->text, err))
		return false;
	for (size_t i = 0; i < text.len; i++)
		if (isascii(text.data[i]))
			text.data[i] = (char)map((unsigned char)text.data[i]);
	return text_of_buf(c->memory, &text, ret, err);
}

static bool call_lower(const struct value_call *c, struct value *ret, struct err *err)
{
	return map_text("lower", tolower, c, ret, err);
}

static bool call_upper(const struct value_call *c, struct value *ret, struct err *err)
{
	return map_text("upper", toupper, c, ret, err);
}

static bool call_trim(const struct value_call *c, struct value *ret, struct err *err)
{
	static const char blanks[] = " \t\r\n\v\f";
	const char *begin, *copy = NULL;
	size_t len;

	if (c->args->kind != VALUE_TEXT)
		return wants("trim", "a text", c->args, err);
	begin = c->args->text + strspn(c->args->text, blanks);
	for (len = strlen(begin); len && strchr(blanks, begin[len - 1]);)
		len--;
	copy = text_memory_add(c->memory, begin, len, err);
	if (!copy)
		return false;
	*ret = value_of_text(copy);
	return true;
}

static bool print_verb(struct buf *out, char verb, const struct value *value, struct err *err)
{
	switch (verb) {
	case 'v':
		return value_print_inside(value, out, err);
	case 's':
		return value->kind == VALUE_TEXT || value->kind == VALUE_TIME
			   ? value_print_inside(value, out, err)
			   : wants("printf %s", "a text", value, err);
	case 'd':
		return value->kind == VALUE_INT ? value_print_inside(value, out, err)
						: wants("printf %d", "an integer", value, err);
	case 'q':
		return value->kind == VALUE_TEXT ? add_quoted(out, value->text, err)
						 : wants("printf %q", "a text", value, err);
	default:
		return err_set(err, ERR_UNSUPPORTED, "\"printf\" knows %%s, %%d, %%v, %%q and %%%% alone");
	}
}

static bool call_printf(const struct value_call *c, struct value *ret, struct err *err)
{
	BUF_CLEANUP struct buf text = BUF_INIT(TEMPLATE_MEMORY_MAX);
	size_t next = 1;

	if (c->args->kind != VALUE_TEXT)
		return wants("printf", "a text as pattern", c->args, err);
	for (const char *at = c->args->text; *at; at++) {
		bool ok;

		if (*at != '%') {
			ok = buf_add_char(&text, *at, err);
		} else if (*++at == '%') {
			ok = buf_add_char(&text, '%', err);
		} else {
			if (next >= c->count)
				return err_set(
				    err, ERR_PARSE, "\"printf\" has too few arguments for \"%.64s\"", c->args->text);
			ok = print_verb(&text, *at, &c->args[next++], err);
		}
		if (!ok)
			return false;
	}
	if (next < c->count)
		return err_set(err, ERR_PARSE, "\"printf\" has too many arguments for \"%.64s\"", c->args->text);
	return text_of_buf(c->memory, &text, ret, err);
}

/* --- times ------------------------------------------------------------------------------------------------------- */

static bool call_to_date(const struct value_call *c, struct value *ret, struct err *err)
{
	struct value value = {.kind = VALUE_TIME};

	if (c->args[0].kind != VALUE_TEXT || c->args[1].kind != VALUE_TEXT)
		return wants(
		    "toDate", "a layout and a text", c->args[0].kind != VALUE_TEXT ? &c->args[0] : &c->args[1], err);
	if (!go_time_parse(c->args[0].text, c->args[1].text, &value.time, err))
		return err_wrap(err, "\"toDate\"");
	*ret = value;
	return true;
}

static bool call_date(const struct value_call *c, struct value *ret, struct err *err)
{
	BUF_CLEANUP struct buf text = BUF_INIT(TEMPLATE_MEMORY_MAX);
	struct go_time time = c->args[1].time;

	if (c->args[0].kind != VALUE_TEXT)
		return wants("date", "a layout", &c->args[0], err);
	if (c->args[1].kind == VALUE_INT)
		time = (struct go_time){.s = c->args[1].integer};
	else if (c->args[1].kind != VALUE_TIME)
		return wants("date", "a time (from \"toDate\") or Unix seconds", &c->args[1], err);
	if (!go_time_format(c->args[0].text, time, &text, err))
		return err_wrap(err, "\"date\"");
	return text_of_buf(c->memory, &text, ret, err);
}

/* sprig: the whole template fails with this text. */
static bool call_fail(const struct value_call *c, struct value *ret, struct err *err)
{
	(void)ret;
	if (c->args->kind != VALUE_TEXT)
		return wants("fail", "a text", c->args, err);
	return err_set(err, ERR_STATE, "%s", c->args->text);
}

static const struct value_function functions[] = {
    {"and", 1, VALUE_ARGS_MAX, STOPS_AT_FALSE, call_last},
    {"or", 1, VALUE_ARGS_MAX, STOPS_AT_TRUE, call_last},
    {"not", 1, 1, STOPS_NEVER, call_not},
    {"eq", 2, VALUE_ARGS_MAX, STOPS_NEVER, call_eq},
    {"ne", 2, 2, STOPS_NEVER, call_ne},
    {"lt", 2, 2, STOPS_NEVER, call_lt},
    {"le", 2, 2, STOPS_NEVER, call_le},
    {"gt", 2, 2, STOPS_NEVER, call_gt},
    {"ge", 2, 2, STOPS_NEVER, call_ge},
    {"default", 1, 2, STOPS_NEVER, call_default},
    {"len", 1, 1, STOPS_NEVER, call_len},
    {"index", 1, VALUE_ARGS_MAX, STOPS_NEVER, call_index},
    {"toString", 1, 1, STOPS_NEVER, call_to_string},
    {"quote", 0, VALUE_ARGS_MAX, STOPS_NEVER, call_quote},
    {"lower", 1, 1, STOPS_NEVER, call_lower},
    {"upper", 1, 1, STOPS_NEVER, call_upper},
    {"trim", 1, 1, STOPS_NEVER, call_trim},
    {"fail", 1, 1, STOPS_NEVER, call_fail},
    {"printf", 1, VALUE_ARGS_MAX, STOPS_NEVER, call_printf},
    {"toDate", 2, 2, STOPS_NEVER, call_to_date},
    {"date", 2, 2, STOPS_NEVER, call_date},
};

const struct value_function *value_function_find(const char *name, size_t len)
{
	for (size_t i = 0; i < sizeof functions / sizeof *functions; i++)
		if (strlen(functions[i].name) == len && !memcmp(functions[i].name, name, len))
			return &functions[i];
	return NULL;
}
