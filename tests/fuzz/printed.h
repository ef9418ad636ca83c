/*
 * What is printed is the same when it is parsed again. A fraction beyond 2^53 prints as digits alone, as a Kubernetes API server writes
 * it, and is a whole number then: so numbers are compared as doubles, unlike by json_equal.
 */
#ifndef FUZZ_PRINTED_H
#define FUZZ_PRINTED_H

#include "doc/json_edit.h"

#include <string.h>

static inline bool is_same(const json_node *a, const json_node *b)
{
	const json_node *x = json_first(a), *y = json_first(b);

	if (json_is_string(a) != json_is_string(b) || json_is_number(a) != json_is_number(b) ||
	    json_is_bool(a) != json_is_bool(b) || json_is_object(a) != json_is_object(b) ||
	    json_is_array(a) != json_is_array(b))
		return false;
	if (json_is_string(a))
		return !strcmp(json_string(a), json_string(b));
	if (json_is_number(a))
		return !(json_number(a, 0) < json_number(b, 0)) && !(json_number(a, 0) > json_number(b, 0));
	if (json_is_bool(a))
		return json_bool(a, false) == json_bool(b, false);
	for (; x && y; x = json_next(x), y = json_next(y))
		if ((json_is_object(a) && strcmp(json_key(x), json_key(y)) != 0) || !is_same(x, y))
			return false;
	return !x && !y;
}

static inline bool prints_and_parses_to_the_same(const json_node *root)
{
	const struct json_limits limits = {.max_bytes = 64 << 20, .max_depth = 64, .unique_keys = false};
	BUF_CLEANUP struct buf out = BUF_INIT(64 << 20);
	CLEANUP(json) struct json *again = NULL;
	struct err err = ERR_INIT;

	return json_print(root, true, &out, &err) && json_parse(buf_str(&out), out.len, &limits, &again, &err) &&
	       is_same(root, json_root(again));
}

#endif
