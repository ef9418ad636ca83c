/* Any bytes as pbm's output: text out of it is one line of UTF-8, and a name is a time. */
#include "sandbox/operator/answer.h"

#include "base/clock.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

static void check(const struct answer *a)
{
	int64_t when;

	if (strpbrk(a->text, "\n\r\x1b") || !text_is_utf8(a->text, strlen(a->text)))
		abort();
	if (*a->name && !time_parse(a->name, &when))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	struct answer a;

	if (!text)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	answer_of_command(text, &a);
	check(&a);
	answer_of_describe(text, &a);
	check(&a);
	answer_of_backups(text, "2026-11-28T05:47:00Z", &a);
	check(&a);
	answer_since(text, 0, &a);
	check(&a);
	answer_of_version(text, &a);
	free(text);
	return 0;
}
