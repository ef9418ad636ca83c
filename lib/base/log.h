/*
 * Log lines for people and machines: "time level message key=value ..." on stderr. Only programs log; library rooms
 * return errors.
 * A value is quoted when it holds a blank, a quote or a control character; control characters never reach the
 * terminal.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

struct log {
	enum log_level least; /* lines below are dropped */
	const char *program;
	const char *run; /* run id behind every line, or NULL */
};

/* Pairs of (const char *key, const char *value), ended by NULL: log_line(log, LOG_INFO, "ready", "ns", ns, NULL). */
void log_line(const struct log *log, enum log_level level, const char *message, ...) __attribute__((sentinel));

#endif
