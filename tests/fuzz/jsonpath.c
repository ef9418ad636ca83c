/* "data \n path": any path over any data finds values or is refused; a refusal leaves no output. */
#include "doc/jsonpath.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct json_limits limits = {.max_bytes = 65536, .max_depth = 16, .unique_keys = false};
	const char *line = memchr(data, '\n', size);
	BUF_CLEANUP struct buf out = BUF_INIT(1 << 20);
	CLEANUP(json) struct json *doc = NULL;
	CLEANUP(free) char *path = NULL;
	struct err err = ERR_INIT;

	if (!line)
		return 0;
	path = strndup(line + 1, size - (size_t)(line + 1 - (const char *)data));
	json_parse((const char *)data, (size_t)(line - (const char *)data), &limits, &doc, &err);
	if (path && !jsonpath_text(doc ? json_root(doc) : NULL, path, &out, &err) && out.len)
		abort();
	return 0;
}
