/*
 * A growing byte buffer with a maximum.
 *
 * Invariants: data is NULL or holds len bytes and a NUL behind them; len <= max. A call that would pass max fails
 * with ERR_LIMIT naming the maximum and leaves the buffer as it was. Memory is wiped before it is given back, also when the
 * buffer grows: what is in it may be a secret, and whoever fills it need not know.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

struct buf {
	char *data;
	size_t len;
	size_t cap;
	size_t max;
};

#define BUF_INIT(maximum)                                                                                              \
	{                                                                                                              \
		.max = (maximum)                                                                                       \
	}

void buf_init(struct buf *buf, size_t max);
void buf_clear(struct buf *buf); /* frees; the buffer can be used again */
void buf_reset(struct buf *buf); /* empties, keeps the memory */
bool buf_reserve(struct buf *buf, size_t more, struct err *err);
bool buf_add(struct buf *buf, const void *bytes, size_t len, struct err *err);
bool buf_add_str(struct buf *buf, const char *str, struct err *err);
bool buf_add_char(struct buf *buf, char c, struct err *err);
bool buf_printf(struct buf *buf, struct err *err, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* Removes the first len bytes. */
void buf_consume(struct buf *buf, size_t len);
/* "" for an empty buffer, never NULL. */
const char *buf_str(const struct buf *buf);

#define BUF_CLEANUP __attribute__((cleanup(buf_clear)))

#endif
