#include "doc/template.h"

#include "base/num.h"
#include "doc/template_value.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define VARIABLES_MAX 64
#define NAME_LEN_MAX 256
#define LITERAL_LEN_MAX 65536

struct variable {
	const char *name; /* into the text, behind the '$' */
	size_t len;
	struct value value;
};

/*
 * One pass over the text that reads and evaluates at once: what stands in a branch not taken is read (active is
 * false), so its syntax counts, but nothing in it is evaluated.
 */
struct run {
	const char *text, *at;
	const json_node *data;
	struct buf *out;
	struct text_memory memory;
	struct variable variables[VARIABLES_MAX];
	size_t variable_count;
	bool trim_next; /* the last action ended with -}} */
	int depth, steps;
	struct err *err;
};

enum stop { STOP_TEXT, STOP_ELSE, STOP_END };

static bool pipeline(struct run *t, bool active, struct value *ret);

/* --- words ------------------------------------------------------------------------------------------------------- */

static bool at_line(struct run *t)
{
	size_t line = 1;

	for (const char *p = t->text; p < t->at; p++)
		line += *p == '\n';
	return err_wrap(t->err, "template: line %zu", line);
}

static bool fail(struct run *t, enum err_code code, const char *what)
{
	err_set(t->err, code, "%s", what);
	return at_line(t);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool is_name(char c)
{
	return isalnum((unsigned char)c) || c == '_' || !isascii(c);
}

static void skip_blanks(struct run *t)
{
	while (is_blank(*t->at))
		t->at++;
}

static bool at_trimming_close(const struct run *t)
{
	return !strncmp(t->at, "-}}", 3) && t->at > t->text && is_blank(t->at[-1]);
}

static bool at_close(const struct run *t)
{
	return !strncmp(t->at, "}}", 2) || at_trimming_close(t);
}

static bool close_action(struct run *t)
{
	skip_blanks(t);
	if (!at_close(t))
		return fail(t, ERR_PARSE, *t->at ? "something unexpected in an action" : "an action without }}");
	t->trim_next = *t->at == '-';
	t->at += t->trim_next ? 3 : 2;
	return true;
}

static size_t name_len(const char *at)
{
	size_t len = 0;

	if (isdigit((unsigned char)*at))
		return 0;
	while (is_name(at[len]))
		len++;
	return len;
}

static bool at_word(const struct run *t, const char *word)
{
	return name_len(t->at) == strlen(word) && !strncmp(t->at, word, strlen(word));
}

static bool take_word(struct run *t, const char *word)
{
	if (!at_word(t, word))
		return false;
	t->at += strlen(word);
	return true;
}

/* --- operands ---------------------------------------------------------------------------------------------------- */

static bool field_of(struct run *t, const char *name, size_t len, struct value *value)
{
	char key[NAME_LEN_MAX + 1];
	const json_node *member = NULL;

	if (len > NAME_LEN_MAX)
		return fail(t, ERR_LIMIT, "a name of more than 256 bytes");
	memcpy(key, name, len);
	key[len] = '\0';
	if (value->kind != VALUE_NIL && (value->kind != VALUE_NODE || !json_is_object(value->node))) {
		err_set(t->err, ERR_PARSE, "no field \"%s\" in %s", key, value_kind_name(value));
		return at_line(t);
	}
	member = value->kind == VALUE_NODE ? json_get(value->node, key) : NULL;
	if (!member)
		return err_set(t->err, ERR_NOT_FOUND, "Failed to render template: \"%s\" not found", key);
	*value = value_of_node(member);
	return true;
}

/* .a.b directly behind an operand. */
static bool fields(struct run *t, bool active, struct value *value)
{
	while (*t->at == '.') {
		size_t len = name_len(t->at + 1);

		if (!len)
			return fail(t, ERR_PARSE, "a dot without a name");
		if (active && !field_of(t, t->at + 1, len, value))
			return false;
		t->at += 1 + len;
	}
	return true;
}

static bool add_escape(struct run *t, struct buf *text)
{
	static const char from[] = "abfnrtv\\\"'", to[] = "\a\b\f\n\r\t\v\\\"'";
	const char *found = t->at[1] ? strchr(from, t->at[1]) : NULL;

	if (!found)
		return fail(t, ERR_UNSUPPORTED, "an escape other than \\n \\r \\t \\\\ \\\" and the like");
	t->at += 2;
	return buf_add_char(text, to[found - from], t->err);
}

static bool literal_text(struct run *t, struct value *ret)
{
	BUF_CLEANUP struct buf text = BUF_INIT(LITERAL_LEN_MAX);
	const char quote = *t->at++;
	const char *copy = NULL;

	while (*t->at != quote) {
		if (!*t->at || (*t->at == '\n' && quote == '"'))
			return fail(t, ERR_PARSE, "a text without its closing quote");
		if (!(quote == '"' && *t->at == '\\' ? add_escape(t, &text) : buf_add_char(&text, *t->at++, t->err)))
			return false;
	}
	t->at++;
	copy = text_memory_add(&t->memory, buf_str(&text), text.len, t->err);
	if (!copy)
		return false;
	*ret = value_of_text(copy);
	return true;
}

static bool literal_number(struct run *t, struct value *ret)
{
	size_t len = 0, sign = *t->at == '+';
	char text[64];
	int64_t integer = 0;
	double real;
	char *end = NULL;

	while (is_name(t->at[len]) || strchr("+-.", t->at[len])) {
		if (!t->at[len])
			break;
		if (len && strchr("+-", t->at[len]) && !strchr("eE", t->at[len - 1]))
			break;
		len++;
	}
	if (len >= sizeof text)
		return fail(t, ERR_PARSE, "a number that is too long");
	memcpy(text, t->at, len);
	text[len] = '\0';
	real = strtod(text, &end);
	if (text[sign] == '-')
		sign++;
	if (text[sign] == '0' && isdigit((unsigned char)text[sign + 1]))
		return fail(t, ERR_UNSUPPORTED, "a number with a leading zero");
	if (end != text + len || strpbrk(text, "xXnNiIpP") || !isfinite(real))
		return fail(t, ERR_PARSE, "a number that is none, or no decimal one");
	sign = *text == '+';
	*ret = num_parse_i64(text + sign, len - sign, &integer) ? value_of_int(integer) : value_of_float(real);
	t->at += len;
	return true;
}

static struct variable *variable_find(struct run *t, const char *name, size_t len)
{
	for (size_t i = t->variable_count; i > 0; i--)
		if (t->variables[i - 1].len == len && !memcmp(t->variables[i - 1].name, name, len))
			return &t->variables[i - 1];
	return NULL;
}

static bool variable(struct run *t, struct value *ret)
{
	size_t len = name_len(t->at + 1);
	const struct variable *found = NULL;

	if (!len) {
		t->at++;
		*ret = value_of_node(t->data);
		return true;
	}
	found = variable_find(t, t->at + 1, len);
	if (!found)
		return fail(t, ERR_PARSE, "a variable that was not declared");
	t->at += 1 + len;
	*ret = found->value;
	return true;
}

static bool parentheses(struct run *t, bool active, struct value *ret)
{
	if (++t->depth > TEMPLATE_DEPTH_MAX)
		return fail(t, ERR_LIMIT, "nested too deep");
	t->at++;
	if (!pipeline(t, active, ret))
		return false;
	skip_blanks(t);
	if (*t->at != ')')
		return fail(t, ERR_PARSE, "a parenthesis that is not closed");
	t->at++;
	t->depth--;
	return true;
}

static bool word(struct run *t, bool active, const struct value *piped, bool with_args, struct value *ret);

static bool operand(struct run *t, bool active, struct value *ret)
{
	struct value value = {.kind = VALUE_NIL};
	bool ok = true;

	if (++t->steps > TEMPLATE_STEPS_MAX)
		return fail(t, ERR_LIMIT, "more than 10000 values");
	skip_blanks(t);
	if (*t->at == '"' || *t->at == '`')
		return literal_text(t, ret);
	if (isdigit((unsigned char)*t->at) || ((*t->at == '-' || *t->at == '+') && isdigit((unsigned char)t->at[1])))
		return literal_number(t, ret);
	if (*t->at == '$') {
		ok = variable(t, &value);
	} else if (*t->at == '(') {
		ok = parentheses(t, active, &value);
	} else if (*t->at == '.') {
		value = value_of_node(t->data);
		if (!name_len(t->at + 1)) { /* the dot alone */
			t->at++;
			*ret = value;
			return true;
		}
	} else if (name_len(t->at)) {
		return word(t, active, NULL, false, ret);
	} else {
		return fail(t, ERR_PARSE, "a value is missing, or one that is not understood");
	}
	if (!ok || !fields(t, active, &value))
		return false;
	*ret = value;
	return true;
}

/* --- commands and pipelines -------------------------------------------------------------------------------------- */

static bool at_operand(struct run *t)
{
	skip_blanks(t);
	return *t->at && *t->at != '|' && *t->at != ')' && !at_close(t);
}

static bool decides(const struct value_function *f, const struct value *value)
{
	return f->stops != STOPS_NEVER && value_is_true(value) == (f->stops == STOPS_AT_TRUE);
}

static bool call(struct run *t, const struct value_function *f, bool active, const struct value *piped, bool with_args,
    struct value *ret)
{
	struct value args[VALUE_ARGS_MAX + 1];
	size_t count = 0, read = 0;
	bool decided = false;

	while (with_args && at_operand(t)) {
		if (++read > VALUE_ARGS_MAX)
			return fail(t, ERR_LIMIT, "more than 16 arguments");
		if (!operand(t, active && !decided, &args[count]))
			return false;
		if (!decided)
			decided = decides(f, &args[count++]) && active;
	}
	if (piped) {
		read++;
		if (!decided)
			args[count++] = *piped;
	}
	if (read < f->min || read > f->max) {
		err_set(t->err, ERR_PARSE, "\"%s\" with %zu arguments", f->name, read);
		return at_line(t);
	}
	if (!active) {
		*ret = (struct value){.kind = VALUE_NIL};
		return true;
	}
	return f->call(&(struct value_call){&t->memory, args, count}, ret, t->err) || at_line(t);
}

/* A constant, or a function with or without arguments. */
static bool word(struct run *t, bool active, const struct value *piped, bool with_args, struct value *ret)
{
	const struct value_function *f = NULL;
	const char *name = t->at;
	size_t len = name_len(name);

	if (piped && (at_word(t, "true") || at_word(t, "false")))
		return fail(t, ERR_PARSE, "something piped into what is no function");
	if (take_word(t, "true") || take_word(t, "false")) {
		*ret = value_of_bool(*name == 't');
		return true;
	}
	if (take_word(t, "nil")) {
		*ret = (struct value){.kind = VALUE_NIL};
		return true;
	}
	f = value_function_find(name, len);
	if (!f) {
		err_set(t->err, ERR_UNSUPPORTED, "function \"%.*s\" is not known", (int)(len < 64 ? len : 64), name);
		return at_line(t);
	}
	t->at += len;
	return call(t, f, active, piped, with_args, ret);
}

static bool command(struct run *t, bool active, const struct value *piped, struct value *ret)
{
	skip_blanks(t);
	if (at_word(t, "nil"))
		return fail(t, ERR_PARSE, "nil is no command");
	if (name_len(t->at))
		return word(t, active, piped, true, ret) &&
		       (!at_operand(t) || fail(t, ERR_PARSE, "something behind a value that is no function"));
	if (piped)
		return fail(t, ERR_PARSE, "something piped into what is no function");
	if (!operand(t, active, ret))
		return false;
	return !at_operand(t) || fail(t, ERR_PARSE, "something behind a value that is no function");
}

static bool pipeline(struct run *t, bool active, struct value *ret)
{
	struct value value = {.kind = VALUE_NIL};

	if (!command(t, active, NULL, &value))
		return false;
	for (skip_blanks(t); *t->at == '|'; skip_blanks(t)) {
		struct value next = {.kind = VALUE_NIL};

		t->at++;
		if (!command(t, active, &value, &next))
			return false;
		value = next;
	}
	*ret = value;
	return true;
}

/* $x := pipeline, $x = pipeline, or a pipeline alone. */
static bool declaration(struct run *t, bool active, bool *ret_declared, struct value *ret)
{
	const char *before = t->at, *name = t->at + 1;
	struct variable *target = NULL;
	size_t len = 0;
	bool declares;

	*ret_declared = false;
	if (*t->at != '$' || !(len = name_len(name)))
		return pipeline(t, active, ret);
	t->at = name + len;
	skip_blanks(t);
	declares = !strncmp(t->at, ":=", 2);
	if (!declares && *t->at != '=') {
		t->at = before;
		return pipeline(t, active, ret);
	}
	t->at += declares ? 2 : 1;
	if (!pipeline(t, active, ret))
		return false;
	if (declares) {
		if (t->variable_count >= VARIABLES_MAX)
			return fail(t, ERR_LIMIT, "more than 64 variables");
		target = &t->variables[t->variable_count++];
		*target = (struct variable){.name = name, .len = len};
	} else {
		target = variable_find(t, name, len);
		if (!target)
			return fail(t, ERR_PARSE, "a variable that was not declared");
	}
	if (active)
		target->value = *ret;
	*ret_declared = true;
	return true;
}

/* --- text and actions -------------------------------------------------------------------------------------------- */

/* Up to and over the next {{ ; *ret_more is false at the end of the text. */
static bool plain_text(struct run *t, bool active, bool *ret_more)
{
	const char *open = strstr(t->at, "{{"), *begin = t->at, *end = NULL;
	bool trim = open && open[2] == '-' && is_blank(open[3]);

	end = open ? open : begin + strlen(begin);
	t->at = open ? open + (trim ? 3 : 2) : end;
	while (t->trim_next && begin < end && is_blank(*begin))
		begin++;
	while (trim && end > begin && is_blank(end[-1]))
		end--;
	t->trim_next = false;
	*ret_more = open != NULL;
	return !active || buf_add(t->out, begin, (size_t)(end - begin), t->err);
}

static bool comment(struct run *t)
{
	const char *end = strstr(t->at, "*/");

	if (!end)
		return fail(t, ERR_PARSE, "a comment without an end");
	t->at = end + 2;
	return close_action(t);
}

static bool run_list(struct run *t, bool active, enum stop *ret);

/* Behind the word "if"; one turn for each branch. */
static bool run_if(struct run *t, bool active)
{
	size_t variables = t->variable_count;
	bool done = !active, conditional = true;
	enum stop stop = STOP_TEXT;

	if (++t->depth > TEMPLATE_DEPTH_MAX)
		return fail(t, ERR_LIMIT, "nested too deep");
	for (;;) {
		struct value condition = value_of_bool(true);
		bool declared, taken;
		size_t inner;

		skip_blanks(t);
		if (conditional && !declaration(t, !done, &declared, &condition))
			return false;
		inner = t->variable_count;
		taken = !done && value_is_true(&condition);
		done = done || taken;
		if (!close_action(t) || !run_list(t, taken, &stop))
			return false;
		t->variable_count = inner;
		if (stop == STOP_END)
			break;
		if (stop == STOP_TEXT || !conditional)
			return fail(t, ERR_PARSE,
			    stop == STOP_TEXT ? "\"if\" without \"end\"" : "\"else\" behind the last \"else\"");
		skip_blanks(t);
		conditional = !at_close(t);
		if (conditional && !take_word(t, "if"))
			return fail(t, ERR_PARSE, "\"else\" with something that is not \"if\"");
	}
	t->variable_count = variables;
	t->depth--;
	return true;
}

static bool is_unsupported(struct run *t)
{
	static const char *const words[] = {"range", "with", "define", "template", "block", "break", "continue"};

	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (take_word(t, words[i]))
			return true;
	return false;
}

static bool print_action(struct run *t, bool active)
{
	struct value value = {.kind = VALUE_NIL};
	bool declared = false;

	if (!declaration(t, active, &declared, &value) || !close_action(t))
		return false;
	return !active || declared || value_print(&value, t->out, t->err) || at_line(t);
}

/* Up to an else (not closed yet), an end, or the end of the text. */
static bool run_list(struct run *t, bool active, enum stop *ret)
{
	for (;;) {
		bool more = false, ok;

		if (!plain_text(t, active, &more))
			return false;
		if (!more) {
			*ret = STOP_TEXT;
			return true;
		}
		/* a comment follows the braces, or the blank behind the dash, directly */
		if (t->at[-1] == '-')
			t->at++;
		if (!strncmp(t->at, "/*", 2)) {
			if (!comment(t))
				return false;
			continue;
		}
		skip_blanks(t);
		if (take_word(t, "else")) {
			*ret = STOP_ELSE;
			return true;
		}
		if (take_word(t, "end")) {
			*ret = STOP_END;
			return close_action(t);
		}
		if (is_unsupported(t))
			return fail(t, ERR_UNSUPPORTED, "an action other than if, else and end");
		ok = take_word(t, "if") ? run_if(t, active) : print_action(t, active);
		if (!ok)
			return false;
	}
}

static bool render(struct run *t)
{
	enum stop stop = STOP_TEXT;

	if (!run_list(t, true, &stop))
		return false;
	if (stop != STOP_TEXT)
		return fail(t, ERR_PARSE, stop == STOP_ELSE ? "\"else\" without \"if\"" : "\"end\" without \"if\"");
	return true;
}

bool template_render(const char *text, size_t len, const json_node *data, struct buf *out, struct err *err)
{
	CLEANUP(free) char *copy = NULL;
	struct run t = {.data = data, .out = out, .err = err};
	size_t before = out->len;
	bool ok;

	if (len > TEMPLATE_LEN_MAX)
		return err_set(err, ERR_LIMIT, "template: more than %d bytes", TEMPLATE_LEN_MAX);
	if (memchr(text, '\0', len))
		return err_set(err, ERR_PARSE, "template: NUL byte");
	copy = strndup(text, len);
	if (!copy)
		return err_nomem(err);
	t.text = t.at = copy;
	ok = render(&t);
	text_memory_clear(&t.memory);
	if (!ok && out->data) {
		out->len = before;
		out->data[before] = '\0';
	}
	return ok;
}
