/* "data \n template": any template over any data renders within its bounds or is refused; a refusal leaves no output. */
#include "doc/template.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct json_limits limits = {.max_bytes = 65536, .max_depth = 16, .unique_keys = false};
	const char *text = memchr(data, '\n', size);
	BUF_CLEANUP struct buf out = BUF_INIT(65536);
	CLEANUP(json) struct json *doc = NULL;
	struct err err = ERR_INIT;
	size_t data_len;

	if (!text)
		return 0;
	data_len = (size_t)(text - (const char *)data);
	json_parse((const char *)data, data_len, &limits, &doc, &err);
	if (!template_render(text + 1, size - data_len - 1, doc ? json_root(doc) : NULL, &out, &err) && out.len)
		abort();
	return 0;
}
