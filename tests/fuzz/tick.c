/* What a collection holds is outside input: a document is read within its bounds, and only one byte string is an intact
 * tick. */
#include "tick/digest.h"
#include "tick/tick.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char ns[] = "admin.ticker";
	struct tick_stream stream = {0};
	struct tick_view view;
	char text[TICK_DIGEST_TEXT_MAX + 8];
	struct tick_digest digest;
	size_t text_len = size < sizeof text - 1 ? size : sizeof text - 1;

	if (tick_check(data, size, ns, &stream, &view) == TICK_INTACT) {
		unsigned char again[TICK_BSON_BYTES];

		tick_build(&stream, view.seq, view.created_at_ms, again);
		if (size != sizeof again || memcmp(again, data, size) != 0)
			abort();
		if (tick_id_seq(&stream, view.id) != view.seq)
			abort();
	}
	memcpy(text, data, text_len);
	text[text_len] = '\0';
	if (tick_digest_parse(text, &digest)) {
		char back[TICK_DIGEST_TEXT_MAX];

		if (strcmp(tick_digest_format(&digest, back), text) != 0)
			abort();
	}
	return 0;
}
