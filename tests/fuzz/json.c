/* Any bytes as JSON: parsed within the limits or refused; what was parsed is walked. */
#include "doc/json.h"

#include <string.h>

static size_t walk(const json_node *node)
{
	size_t sum = 0;

	for (const json_node *child = json_first(node); child; child = json_next(child))
		sum += strlen(json_key(child)) + (json_string(child) ? strlen(json_string(child)) : 0) + walk(child);
	return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct json_limits limits = {.max_bytes = 65536, .max_depth = 16, .unique_keys = true};
	CLEANUP(json) struct json *doc = NULL;
	struct err err = ERR_INIT;
	struct optime op;
	int64_t value;

	if (!json_parse((const char *)data, size, &limits, &doc, &err))
		return 0;
	walk(json_root(doc));
	json_need_i64(json_root(doc), "a", &value, &err);
	json_need_int(json_root(doc), "a", -5, 5, &value, &err);
	json_need_optime(json_root(doc), "a", &op, &err);
	json_need_time(json_root(doc), "a", &value, &err);
	return 0;
}
