#include "verifier/report_sink.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define FAILED(s) ((s)->err.code != ERR_NONE)

void sink_init(struct sink *s, struct buf *out, escape_fn *escape)
{
	*s = (struct sink){.out = out, .escape = escape};
}

bool sink_ok(const struct sink *s, struct err *err)
{
	if (FAILED(s) && err)
		*err = s->err;
	return !FAILED(s);
}

void sink_raw(struct sink *s, const char *markup)
{
	if (!FAILED(s))
		buf_add_str(s->out, markup, &s->err);
}

void sink_printf(struct sink *s, const char *fmt, ...)
{
	char text[1024];
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	assert(len >= 0 && (size_t)len < sizeof text);
	sink_raw(s, text);
}

void sink_text(struct sink *s, const char *text)
{
	if (!FAILED(s))
		s->escape(s->out, text, strlen(text), &s->err);
}

void sink_fill(struct sink *s, const char *markup, ...)
{
	const char *hole;
	va_list ap;

	va_start(ap, markup);
	while ((hole = strstr(markup, "{}"))) {
		const char *text = va_arg(ap, const char *);

		assert(text);
		if (!FAILED(s))
			buf_add(s->out, markup, (size_t)(hole - markup), &s->err);
		sink_text(s, text);
		markup = hole + 2;
	}
	assert(!va_arg(ap, const char *));
	va_end(ap);
	sink_raw(s, markup);
}
