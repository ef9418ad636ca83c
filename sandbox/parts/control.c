#include "sandbox/parts/control.h"

#include "doc/json.h"
#include "doc/json_writer.h"

#include <stdio.h>
#include <string.h>

static const struct {
	const char *name;
	bool takes_parts;
} ops[CONTROL_OP_COUNT] = {
#define X(id, name, parts, about) {name, parts},
    CONTROL_OPS(X)
#undef X
};

static const char *const code_names[] = {
#define X(name, status, phrase) #name,
    ERR_CODES(X)
#undef X
};

const char *control_op_name(enum control_op op)
{
	return ops[op].name;
}

bool control_op_takes_parts(enum control_op op)
{
	return ops[op].takes_parts;
}

static bool parse_op(const json_node *root, enum control_op *ret, struct err *err)
{
	const char *name;

	if (!json_need_string(root, "op", &name, err))
		return false;
	for (size_t i = 0; i < CONTROL_OP_COUNT; i++) {
		if (!strcmp(ops[i].name, name)) {
			*ret = (enum control_op)i;
			return true;
		}
	}
	return err_set(err, ERR_UNSUPPORTED, "unknown operation \"%s\"", name);
}

static bool parse_parts(const json_node *root, const struct part_set *set, part_mask *ret, struct err *err)
{
	const json_node *parts;

	if (!json_need_array(root, "parts", &parts, err))
		return false;
	if (!json_first(parts))
		return err_set(err, ERR_USAGE, "no part is named");
	for (const json_node *n = json_first(parts); n; n = json_next(n)) {
		if (!json_is_string(n))
			return err_set(err, ERR_PARSE, "a part's name must be a string");
		if (!part_set_select(set, json_string(n), ret, err))
			return false;
	}
	return true;
}

static bool parse_request(const json_node *root, const struct part_set *set, struct control_request *r, struct err *err)
{
	const char *phase;

	if (!parse_op(root, &r->op, err))
		return false;
	if (ops[r->op].takes_parts && !parse_parts(root, set, &r->parts, err))
		return false;
	r->timeout_ms = 60000;
	if (json_get(root, "timeout_ms") &&
	    !json_need_int(root, "timeout_ms", 1, CONTROL_TIMEOUT_MAX_MS, &r->timeout_ms, err))
		return false;
	r->at_once = json_bool(json_get(root, "at_once"), false);
	if (r->op != OP_PHASE)
		return true;
	if (!json_need_string(root, "phase", &phase, err))
		return false;
	return phase_parse(phase, &r->phase) || err_set(err, ERR_PARSE, "unknown phase \"%s\"", phase);
}

bool control_parse(
    const char *line, size_t len, const struct part_set *set, struct control_request *ret, struct err *err)
{
	static const struct json_limits limits = {
	    .max_bytes = CONTROL_REQUEST_MAX, .max_depth = 3, .unique_keys = true};
	CLEANUP(json) struct json *doc = NULL;
	struct control_request request = {0};

	if (!json_parse(line, len, &limits, &doc, err) || !parse_request(json_root(doc), set, &request, err))
		return err_wrap(err, "request");
	*ret = request;
	return true;
}

bool control_format(enum control_op op, const char *const *parts, size_t count, int64_t timeout_ms, const char *phase,
    bool at_once, struct buf *out, struct err *err)
{
	struct json_writer w;

	json_writer_init(&w, out);
	json_object(&w, NULL);
	json_put_string(&w, "op", ops[op].name);
	if (ops[op].takes_parts) {
		json_array(&w, "parts");
		for (size_t i = 0; i < count; i++)
			json_put_string(&w, NULL, parts[i]);
		json_end_array(&w);
	}
	json_put_int(&w, "timeout_ms", timeout_ms);
	if (phase)
		json_put_string(&w, "phase", phase);
	if (at_once)
		json_put_bool(&w, "at_once", true);
	json_end_object(&w);
	return json_writer_ok(&w, err) && buf_add_char(out, '\n', err);
}

bool control_answer(const struct err *answer, struct buf *out, struct err *err)
{
	struct json_writer w;

	json_writer_init(&w, out);
	json_object(&w, NULL);
	json_put_bool(&w, "ok", answer->code == ERR_NONE);
	if (answer->code != ERR_NONE) {
		json_put_string(&w, "code", code_names[answer->code]);
		json_put_string(&w, "message", answer->msg);
		json_put_string(&w, "hint", answer->hint);
	}
	json_end_object(&w);
	return json_writer_ok(&w, err) && buf_add_char(out, '\n', err);
}

static bool parse_answer(const json_node *root, struct err *ret, struct err *err)
{
	const char *code, *message, *hint;
	bool ok;

	*ret = (struct err)ERR_INIT;
	/* A status answer is the state's object and needs no "ok". */
	if (json_get(root, "format"))
		return true;
	if (!json_need_bool(root, "ok", &ok, err))
		return false;
	if (ok)
		return true;
	if (!json_need_string(root, "code", &code, err) || !json_need_string(root, "message", &message, err) ||
	    !json_need_string(root, "hint", &hint, err))
		return false;
	ret->code = ERR_REMOTE;
	for (size_t i = 1; i < sizeof code_names / sizeof *code_names; i++)
		if (!strcmp(code_names[i], code))
			ret->code = (enum err_code)i;
	snprintf(ret->msg, sizeof ret->msg, "%s", message);
	snprintf(ret->hint, sizeof ret->hint, "%s", hint);
	return true;
}

bool control_parse_answer(const char *line, size_t len, struct err *ret_answer, struct err *err)
{
	static const struct json_limits limits = {.max_bytes = STATE_MAX_BYTES, .max_depth = 8, .unique_keys = true};
	CLEANUP(json) struct json *doc = NULL;

	if (!json_parse(line, len, &limits, &doc, err) || !parse_answer(json_root(doc), ret_answer, err))
		return err_wrap(err, "the supervisor's answer");
	return true;
}
