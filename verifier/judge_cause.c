#include "verifier/judge_internal.h"

#include <stdarg.h>

void cause_add(struct cause *c, const char *fmt, ...)
{
	char item[sizeof c->text];
	va_list args;
	int len;

	c->count++;
	va_start(args, fmt);
	len = vsnprintf(item, sizeof item, fmt, args);
	va_end(args);
	if (len < 0 || (c->shown && c->used + (size_t)len + 2 >= sizeof c->text))
		return;
	c->shown++;
	c->used += (size_t)snprintf(c->text + c->used, sizeof c->text - c->used, "%s%s", c->used ? "; " : "", item);
	if (c->used >= sizeof c->text)
		c->used = sizeof c->text - 1;
}

bool cause_end(const struct cause *c, struct verdict *v, enum verdict_reason_code code, const char *hint,
    const char *intro, struct err *err)
{
	char more[32] = "";

	if (!c->count)
		return true;
	if (c->shown < c->count)
		snprintf(more, sizeof more, "; and %zu more", c->count - c->shown);
	return verdict_add_reason(v, code, hint, err, "%s%s%s", intro, c->text, more);
}
