#include "scenarios/step_args.h"

#include "base/num.h"

#include <stdio.h>
#include <string.h>

#define WHOLE_MAX 9007199254740992.0

const char *step_arg_kind_text(enum step_arg_kind kind)
{
	static const char *const texts[] = {[ARG_TEXT] = "a text",
	    [ARG_DURATION] = "a time such as 90s or 15m",
	    [ARG_INT] = "a whole number",
	    [ARG_BOOL] = "true or false",
	    [ARG_LIST] = "a list",
	    [ARG_MAP] = "a mapping"};

	return texts[kind];
}

static const struct step_arg *find(const struct step_def *def, const char *name)
{
	for (const struct step_arg *a = def->args; a && a->name; a++)
		if (!strcmp(a->name, name))
			return a;
	return NULL;
}

bool step_is_whole(const json_node *number)
{
	double n = json_number(number, 0.5);

	return n >= -WHOLE_MAX && n <= WHOLE_MAX && n == (double)(int64_t)n;
}

static bool fits(enum step_arg_kind kind, const json_node *node)
{
	const char *text = json_string(node);
	int64_t ms;

	if (text && strstr(text, "${") && kind != ARG_LIST && kind != ARG_MAP)
		return true;
	switch (kind) {
	case ARG_TEXT:
		return text || json_is_number(node) || json_is_bool(node);
	case ARG_DURATION:
		return text && num_parse_duration_ms(text, &ms);
	case ARG_INT:
		return (json_is_number(node) && step_is_whole(node)) ||
		       (text && num_parse_i64(text, strlen(text), &ms));
	case ARG_BOOL:
		return json_is_bool(node) || (text && (!strcmp(text, "true") || !strcmp(text, "false")));
	case ARG_LIST:
		return json_is_array(node);
	case ARG_MAP:
		return json_is_object(node);
	}
	return false;
}

static bool unknown(const struct step_def *def, const char *name, struct err *err)
{
	BUF_CLEANUP struct buf names = BUF_INIT(2048);

	for (const struct step_arg *a = def->args; a && a->name; a++)
		buf_printf(&names, NULL, "%s%s", names.len ? ", " : "", a->name);
	err_set(err, ERR_PARSE, "step \"%s\" has no argument \"%.64s\"", def->verb, name);
	return err_hint(err, "it has %s", names.len ? buf_str(&names) : "none");
}

bool step_check_args(const struct step_def *def, const json_node *args, struct err *err)
{
	if (args && !json_is_object(args) && !json_is_null(args))
		return err_set(err, ERR_PARSE, "the arguments of step \"%s\" are no mapping", def->verb);
	for (const json_node *m = json_first(args); m; m = json_next(m)) {
		const struct step_arg *a = find(def, json_key(m));

		if (!a)
			return unknown(def, json_key(m), err);
		if (!fits(a->kind, m))
			return err_set(err, ERR_PARSE, "argument \"%s\" of step \"%s\" is not %s", a->name, def->verb,
			    step_arg_kind_text(a->kind));
	}
	for (const struct step_arg *a = def->args; a && a->name; a++)
		if (a->required && !json_get(args, a->name)) {
			err_set(err, ERR_PARSE, "argument \"%s\" of step \"%s\" is missing", a->name, def->verb);
			return err_hint(err, "%s: %s", a->name, a->help);
		}
	return true;
}

bool step_settle_args(const struct step_def *def, struct json *args, struct err *err)
{
	if (!step_check_args(def, json_root(args), err))
		return false;
	for (const struct step_arg *a = def->args; a && a->name; a++) {
		const json_node *node = json_get(json_root(args), a->name);
		BUF_CLEANUP struct buf text = BUF_INIT(64);

		if (a->kind != ARG_TEXT || (!json_is_number(node) && !json_is_bool(node)))
			continue;
		if (!json_print(node, false, &text, err) ||
		    !json_set_text(json_edit(args), a->name, buf_str(&text), err))
			return false;
	}
	return true;
}

const char *step_text(const json_node *args, const char *name, const char *otherwise)
{
	const char *text = json_string(json_get(args, name));

	return text ? text : otherwise;
}

int64_t step_duration_ms(const json_node *args, const char *name, int64_t otherwise_ms)
{
	const char *text = json_string(json_get(args, name));
	int64_t ms;

	return text && num_parse_duration_ms(text, &ms) ? ms : otherwise_ms;
}

int64_t step_int(const json_node *args, const char *name, int64_t otherwise)
{
	const json_node *node = json_get(args, name);
	const char *text = json_string(node);
	int64_t value;

	if (text)
		return num_parse_i64(text, strlen(text), &value) ? value : otherwise;
	return step_is_whole(node) ? (int64_t)json_number(node, 0) : otherwise;
}

bool step_bool(const json_node *args, const char *name, bool otherwise)
{
	const char *text = json_string(json_get(args, name));

	return text ? !strcmp(text, "true") : json_bool(json_get(args, name), otherwise);
}

const json_node *step_node(const json_node *args, const char *name)
{
	return json_get(args, name);
}
