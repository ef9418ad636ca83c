/* Any bytes as YAML: read within the limits or refused; what was read is printed and is the same when parsed again. */
#include "doc/yaml.h"

#include "doc/json_edit.h"

static void print_and_parse(const json_node *root)
{
	const struct json_limits limits = {.max_bytes = 16 << 20, .max_depth = 64, .unique_keys = false};
	BUF_CLEANUP struct buf out = BUF_INIT(16 << 20);
	CLEANUP(json) struct json *again = NULL;
	struct err err = ERR_INIT;

	if (!json_print(root, false, &out, &err) || !json_parse(buf_str(&out), out.len, &limits, &again, &err) ||
	    !json_equal(root, json_root(again)))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct yaml_limits limits = {.max_bytes = 65536, .max_depth = 16, .max_nodes = 5000, .max_docs = 8};
	YAML_DOCS_CLEANUP struct yaml_docs docs = {0};
	struct err err = ERR_INIT;

	if (!yaml_parse((const char *)data, size, &limits, &docs, &err))
		return 0;
	for (size_t i = 0; i < docs.count; i++)
		print_and_parse(json_root(docs.items[i]));
	return 0;
}
