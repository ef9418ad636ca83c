/* Any bytes as YAML: read within the limits or refused; what was read is printed and is the same when parsed again. */
#include "doc/yaml.h"

#include "printed.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct yaml_limits limits = {.max_bytes = 65536, .max_depth = 16, .max_nodes = 5000, .max_docs = 8};
	YAML_DOCS_CLEANUP struct yaml_docs docs = {0};
	struct err err = ERR_INIT;

	if (!yaml_parse((const char *)data, size, &limits, &docs, &err))
		return 0;
	for (size_t i = 0; i < docs.count; i++)
		if (!prints_and_parses_to_the_same(json_root(docs.items[i])))
			abort();
	return 0;
}
