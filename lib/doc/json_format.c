#include "doc/json_edit.h"

#include "base/text.h"
#include "doc/json_tree.h"

#include <stdlib.h>
#include <string.h>

#define KEY_LEN_MAX (1 << 20)
#define TEXT_LEN_MAX (64 << 20)

/* A walk over a pattern: what it says becomes nodes at once, so arguments are never turned into JSON text and back. */
struct walk {
	const char *pattern, *at;
	va_list args;
	struct err *err;
};

static cJSON *value(struct walk *w, int depth);

static void *bad(const struct walk *w, const char *what)
{
	err_set(
	    w->err, ERR_PARSE, "pattern: %s at byte %zu of \"%.80s\"", what, (size_t)(w->at - w->pattern), w->pattern);
	return NULL;
}

static void *nomem(const struct walk *w)
{
	err_nomem(w->err);
	return NULL;
}

static char peek(struct walk *w)
{
	w->at += strspn(w->at, " \t\r\n");
	return *w->at;
}

static bool literal(struct walk *w, const char *word)
{
	size_t len = strlen(word);

	if (strncmp(w->at, word, len) != 0)
		return false;
	w->at += len;
	return true;
}

/* %s, %d and %l inside quotes are put in as text. */
static bool string_argument(struct walk *w, struct buf *out)
{
	const char *text = NULL;

	switch (w->at[1]) {
	case 's':
		text = va_arg(w->args, const char *);
		w->at += 2;
		return buf_add_str(out, text ? text : "", w->err);
	case 'd':
		w->at += 2;
		return buf_printf(out, w->err, "%d", va_arg(w->args, int));
	case 'l':
		w->at += 2;
		return buf_printf(out, w->err, "%lld", (long long)va_arg(w->args, int64_t));
	case '%':
		w->at += 2;
		return buf_add_char(out, '%', w->err);
	default:
		bad(w, "only %s, %d, %l and %% may stand inside quotes");
		return false;
	}
}

static bool string_escape(struct walk *w, struct buf *out)
{
	static const char from[] = "nrtbf\"'\\/", to[] = "\n\r\t\b\f\"'\\/";
	const char *found = w->at[1] ? strchr(from, w->at[1]) : NULL;

	if (!found) {
		bad(w, "unknown escape");
		return false;
	}
	w->at += 2;
	return buf_add_char(out, to[found - from], w->err);
}

static bool string(struct walk *w, struct buf *out)
{
	for (w->at++; *w->at != '\'' && *w->at != '"';) {
		bool ok;

		if (*w->at == '\0') {
			bad(w, "a string without an end");
			return false;
		}
		if (*w->at == '%')
			ok = string_argument(w, out);
		else if (*w->at == '\\')
			ok = string_escape(w, out);
		else
			ok = buf_add_char(out, *w->at++, w->err);
		if (!ok)
			return false;
	}
	w->at++;
	return true;
}

static cJSON *integer(struct walk *w, int64_t number)
{
	return json_new_int(number, w->err);
}

static cJSON *argument(struct walk *w, int depth)
{
	const cJSON *copied = NULL;
	const char *text = NULL;
	cJSON *node = NULL;

	w->at += 2;
	switch (w->at[-1]) {
	case 's':
		text = va_arg(w->args, const char *);
		if (text)
			return json_new_text(text, strlen(text), w->err);
		break;
	case 'd':
		return integer(w, va_arg(w->args, int));
	case 'l':
		return integer(w, va_arg(w->args, int64_t));
	case 'b':
		node = cJSON_CreateBool(va_arg(w->args, int) != 0);
		return node ? node : nomem(w);
	case 'j':
		copied = va_arg(w->args, const json_node *);
		if (copied)
			return json_copy(copied, JSON_DEPTH_MAX - depth, w->err);
		break;
	default:
		w->at -= 2;
		return bad(w, "unknown %");
	}
	node = cJSON_CreateNull();
	return node ? node : nomem(w);
}

static cJSON *container(struct walk *w, bool object, int depth)
{
	CLEANUP(node) cJSON *node = object ? cJSON_CreateObject() : cJSON_CreateArray();
	char close = object ? '}' : ']';

	if (!node)
		return nomem(w);
	if (depth >= JSON_DEPTH_MAX - 1)
		return bad(w, "nested too deep");
	w->at++;
	while (peek(w) != close) {
		BUF_CLEANUP struct buf key = BUF_INIT(KEY_LEN_MAX);
		cJSON *child = NULL;

		if (node->child) {
			if (*w->at != ',')
				return bad(w, "no comma");
			w->at++;
			peek(w);
		}
		if (object) {
			if (*w->at != '\'' && *w->at != '"')
				return bad(w, "no key in quotes");
			if (!string(w, &key))
				return NULL;
			if (!text_is_utf8(buf_str(&key), key.len))
				return bad(w, "a key that is not UTF-8");
			if (peek(w) != ':')
				return bad(w, "no colon");
			w->at++;
		}
		child = value(w, depth + 1);
		if (!child)
			return NULL;
		if (!(object ? cJSON_AddItemToObject(node, buf_str(&key), child) : cJSON_AddItemToArray(node, child))) {
			cJSON_Delete(child);
			return nomem(w);
		}
	}
	w->at++;
	return TAKE(node);
}

static cJSON *scalar(struct walk *w)
{
	cJSON *node = NULL;
	char *end = NULL;
	double number;

	if (literal(w, "true"))
		node = cJSON_CreateTrue();
	else if (literal(w, "false"))
		node = cJSON_CreateFalse();
	else if (literal(w, "null"))
		node = cJSON_CreateNull();
	else if (strchr("-0123456789", *w->at) && *w->at && (number = strtod(w->at, &end), end != w->at)) {
		w->at = end;
		node = cJSON_CreateNumber(number);
	} else {
		return bad(w, "no value");
	}
	return node ? node : nomem(w);
}

static cJSON *value(struct walk *w, int depth)
{
	BUF_CLEANUP struct buf text = BUF_INIT(TEXT_LEN_MAX);

	switch (peek(w)) {
	case '{':
	case '[':
		return container(w, *w->at == '{', depth);
	case '\'':
	case '"':
		return string(w, &text) ? json_new_text(buf_str(&text), text.len, w->err) : NULL;
	case '%':
		return argument(w, depth);
	default:
		return scalar(w);
	}
}

bool json_format_va(struct json **ret, struct err *err, const char *pattern, va_list args)
{
	CLEANUP(node) cJSON *root = NULL;
	struct walk w = {.pattern = pattern, .at = pattern, .err = err};

	va_copy(w.args, args);
	root = value(&w, 0);
	va_end(w.args);
	if (!root)
		return false;
	if (peek(&w) != '\0') {
		bad(&w, "more text behind the value");
		return false;
	}
	return json_wrap(TAKE(root), ret, err);
}

bool json_format(struct json **ret, struct err *err, const char *pattern, ...)
{
	va_list args;
	bool ok;

	va_start(args, pattern);
	ok = json_format_va(ret, err, pattern, args);
	va_end(args);
	return ok;
}
