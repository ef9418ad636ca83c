/* So that a fuzzer's mutations get past number and hash: makes each line's n and chain right again and drops lines that
 * are none. */
#ifndef FUZZ_RECHAIN_H
#define FUZZ_RECHAIN_H

#include "evidence/record.h"

#include <string.h>

static inline void rechain(const char *text, size_t len, struct buf *out)
{
	struct record_head head;
	struct record_line line;

	record_line_init(&line);
	record_head_init(&head);
	for (const char *end; len && (end = memchr(text, '\n', len)); len -= (size_t)(end - text) + 1, text = end + 1) {
		size_t n = (size_t)(end - text);
		const char *body = memmem(text, n, ",\"type\":", 8), *tail = memmem(text, n, ",\"chain\":", 9);

		if (!body || !tail || tail < body || n >= RECORD_LINE_MAX - 100)
			continue;
		record_begin(&line, &head, "x");
		buf_reset(&line.line);
		if (!buf_printf(&line.line, NULL, "{\"n\":%llu%.*s", (unsigned long long)head.n + 1, (int)(tail - body),
			body) ||
		    memchr(line.line.data, 0, line.line.len) || !record_end(&line, &head, NULL) ||
		    !buf_add(out, line.line.data, line.line.len, NULL))
			break;
	}
	record_line_clear(&line);
}

#endif
