#include "base/log.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void add_pair(struct buf *line, const char *key, const char *value)
{
	bool plain = value[0] && !strpbrk(value, " \"=\\");

	for (const char *p = value; plain && *p; p++)
		plain = (unsigned char)*p >= 0x20 && *p != 0x7f;
	buf_printf(line, NULL, " %s=", key);
	if (plain)
		buf_add_str(line, value, NULL);
	else
		text_quote(line, value, NULL);
}

void log_line(const struct log *log, enum log_level level, const char *message, ...)
{
	static const char *const names[] = {"debug", "info", "warn", "error"};
	BUF_CLEANUP struct buf line = BUF_INIT(8192);
	char when[TIME_TEXT_MAX];
	const char *key;
	va_list ap;
	ssize_t ignored;

	if (level < log->least)
		return;
	buf_printf(
	    &line, NULL, "%s %s %s:", time_format(clock_wall_ms(clock_system()), when), names[level], log->program);
	buf_printf(&line, NULL, " %s", message);
	va_start(ap, message);
	while ((key = va_arg(ap, const char *)))
		add_pair(&line, key, va_arg(ap, const char *));
	va_end(ap);
	if (log->run)
		add_pair(&line, "run", log->run);
	buf_add_char(&line, '\n', NULL);
	/* one write, so that lines of several threads do not mix; a log that cannot be written has nobody to tell */
	ignored = write(STDERR_FILENO, buf_str(&line), line.len);
	(void)ignored;
}
