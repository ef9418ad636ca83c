#include "sandbox/parts/spec.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void strings_clear(struct strings *s)
{
	for (size_t i = 0; i < s->count; i++) {
		explicit_bzero(s->items[i], strlen(s->items[i]));
		free(s->items[i]);
	}
	memset(s, 0, sizeof *s);
}

bool strings_add(struct strings *s, struct err *err, const char *fmt, ...)
{
	va_list args;
	char *text;
	int len;

	if (s->count == SPEC_STRINGS_MAX)
		return err_set(err, ERR_LIMIT, "more than %d strings for one process", SPEC_STRINGS_MAX);
	va_start(args, fmt);
	len = vasprintf(&text, fmt, args);
	va_end(args);
	if (len < 0)
		return err_nomem(err);
	s->items[s->count++] = text;
	return true;
}

void part_spec_clear(struct part_spec *spec)
{
	strings_clear(&spec->argv);
	strings_clear(&spec->env_set);
	strings_clear(&spec->env_unset);
	memset(spec, 0, sizeof *spec);
}
