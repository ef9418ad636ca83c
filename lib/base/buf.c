#include "base/buf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void buf_init(struct buf *buf, size_t max)
{
	*buf = (struct buf)BUF_INIT(max);
}

void buf_clear(struct buf *buf)
{
	if (buf->data)
		explicit_bzero(buf->data, buf->cap);
	free(buf->data);
	buf->data = NULL;
	buf->len = buf->cap = 0;
}

void buf_reset(struct buf *buf)
{
	buf->len = 0;
	if (buf->data)
		buf->data[0] = '\0';
}

bool buf_reserve(struct buf *buf, size_t more, struct err *err)
{
	size_t want, cap;
	char *data;

	if (more > buf->max - buf->len)
		return err_set(err, ERR_LIMIT, "more than %zu bytes", buf->max);
	want = buf->len + more + 1;
	if (want <= buf->cap)
		return true;
	cap = buf->cap ? buf->cap * 2 : 64;
	if (cap < want)
		cap = want;
	if (cap > buf->max + 1)
		cap = buf->max + 1;
	/* not realloc, which leaves the old bytes behind where it moves them */
	data = malloc(cap);
	if (!data)
		return err_nomem(err);
	if (buf->data) {
		memcpy(data, buf->data, buf->len + 1);
		explicit_bzero(buf->data, buf->cap);
		free(buf->data);
	}
	buf->data = data;
	buf->cap = cap;
	return true;
}

bool buf_add(struct buf *buf, const void *bytes, size_t len, struct err *err)
{
	if (!buf_reserve(buf, len, err))
		return false;
	if (len)
		memcpy(buf->data + buf->len, bytes, len);
	buf->len += len;
	buf->data[buf->len] = '\0';
	return true;
}

bool buf_add_str(struct buf *buf, const char *str, struct err *err)
{
	return buf_add(buf, str, strlen(str), err);
}

bool buf_add_char(struct buf *buf, char c, struct err *err)
{
	return buf_add(buf, &c, 1, err);
}

bool buf_printf(struct buf *buf, struct err *err, const char *fmt, ...)
{
	va_list ap;
	int need;

	va_start(ap, fmt);
	need = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (need < 0)
		return err_set(err, ERR_PARSE, "format \"%s\" failed", fmt);
	if (!buf_reserve(buf, (size_t)need, err))
		return false;
	va_start(ap, fmt);
	vsnprintf(buf->data + buf->len, (size_t)need + 1, fmt, ap);
	va_end(ap);
	buf->len += (size_t)need;
	return true;
}

void buf_consume(struct buf *buf, size_t len)
{
	if (len > buf->len)
		len = buf->len;
	if (!len)
		return;
	memmove(buf->data, buf->data + len, buf->len - len);
	buf->len -= len;
	buf->data[buf->len] = '\0';
}

const char *buf_str(const struct buf *buf)
{
	return buf->data ? buf->data : "";
}
