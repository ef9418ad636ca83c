#include "base/err.h"

#include <stdio.h>
#include <string.h>

bool err_set(struct err *err, enum err_code code, const char *fmt, ...)
{
	va_list ap;

	if (!err)
		return false;
	err->code = code;
	err->hint[0] = '\0';
	va_start(ap, fmt);
	vsnprintf(err->msg, sizeof err->msg, fmt, ap);
	va_end(ap);
	return false;
}

bool err_wrap(struct err *err, const char *fmt, ...)
{
	char old[sizeof err->msg];
	va_list ap;
	size_t used;

	if (!err)
		return false;
	memcpy(old, err->msg, sizeof old);
	va_start(ap, fmt);
	vsnprintf(err->msg, sizeof err->msg, fmt, ap);
	va_end(ap);
	used = strlen(err->msg);
	snprintf(err->msg + used, sizeof err->msg - used, ": %s", old);
	return false;
}

bool err_hint(struct err *err, const char *fmt, ...)
{
	va_list ap;

	if (!err || err->hint[0])
		return false;
	va_start(ap, fmt);
	vsnprintf(err->hint, sizeof err->hint, fmt, ap);
	va_end(ap);
	return false;
}

bool err_errno(struct err *err, enum err_code code, int errnum, const char *fmt, ...)
{
	char text[128];
	va_list ap;
	size_t used;

	if (!err)
		return false;
	err->code = code;
	err->hint[0] = '\0';
	va_start(ap, fmt);
	vsnprintf(err->msg, sizeof err->msg, fmt, ap);
	va_end(ap);
	used = strlen(err->msg);
	snprintf(err->msg + used, sizeof err->msg - used, ": %s", strerror_r(errnum, text, sizeof text));
	return false;
}

bool err_nomem(struct err *err)
{
	return err_set(err, ERR_NOMEM, "out of memory");
}

const char *err_phrase(enum err_code code)
{
	static const char *const phrases[] = {
#define X(name, status, phrase) [ERR_##name] = phrase,
	    ERR_CODES(X)
#undef X
	};
	return (size_t)code < sizeof phrases / sizeof *phrases ? phrases[code] : "unknown error";
}

int err_exit_status(enum err_code code)
{
	static const int statuses[] = {
#define X(name, status, phrase) [ERR_##name] = status,
	    ERR_CODES(X)
#undef X
	};
	return (size_t)code < sizeof statuses / sizeof *statuses ? statuses[code] : EXIT_ERROR;
}

int err_print(const char *program, const struct err *err)
{
	fprintf(stderr, "%s: %s\n", program, err->msg);
	if (err->hint[0])
		fprintf(stderr, "%s: hint: %s\n", program, err->hint);
	return err_exit_status(err->code);
}
