/*
 * Errors: one value type that every layer fills, wraps with its own context, and hands upwards.
 *
 * A struct err lives on the caller's stack and owns nothing. Functions that can fail take it last, return false and
 * leave their outputs untouched. Only a main() prints one (err_print) and turns it into an exit status
 * (err_exit_status).
 *
 * Message style: lower case, what failed first, the subject quoted, no full stop. The hint is one sentence: what to
 * do next.
 * Passwords and keys never go into either.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stdbool.h>
#include <stdarg.h>
#include <stddef.h>

/* Exit statuses that all programs share. */
enum exit_status {
	EXIT_PASS = 0,
	EXIT_FAIL = 1,
	EXIT_USAGE = 2,
	EXIT_ERROR = 3,
	EXIT_INCONCLUSIVE = 4,
	EXIT_INTERRUPTED = 130,
};

/* X(name, exit status, phrase) */
#define ERR_CODES(X)                                                                                                   \
	X(NONE, EXIT_PASS, "no error")                                                                                 \
	X(USAGE, EXIT_USAGE, "usage error")                                                                            \
	X(NOMEM, EXIT_ERROR, "out of memory")                                                                          \
	X(IO, EXIT_ERROR, "input/output error")                                                                        \
	X(PARSE, EXIT_ERROR, "malformed input")                                                                        \
	X(LIMIT, EXIT_ERROR, "limit exceeded")                                                                         \
	X(BROKEN, EXIT_ERROR, "broken evidence")                                                                       \
	X(NET, EXIT_ERROR, "network error")                                                                            \
	X(AUTH, EXIT_ERROR, "authentication or permission refused")                                                    \
	X(NOT_FOUND, EXIT_ERROR, "not found")                                                                          \
	X(EXISTS, EXIT_ERROR, "already exists")                                                                        \
	X(CONFLICT, EXIT_ERROR, "changed meanwhile by somebody else")                                                  \
	X(GONE, EXIT_ERROR, "too old to go on from")                                                                   \
	X(TIMEOUT, EXIT_ERROR, "timed out")                                                                            \
	X(STATE, EXIT_ERROR, "wrong state")                                                                            \
	X(REMOTE, EXIT_ERROR, "refused by the other side")                                                             \
	X(CHILD, EXIT_ERROR, "a child process failed")                                                                 \
	X(UNSUPPORTED, EXIT_ERROR, "not supported")                                                                    \
	X(INTERRUPTED, EXIT_INTERRUPTED, "interrupted")

enum err_code {
#define X(name, status, phrase) ERR_##name,
	ERR_CODES(X)
#undef X
};

struct err {
	enum err_code code;
	char msg[1024];
	char hint[512];
};

#define ERR_INIT                                                                                                       \
	{                                                                                                              \
		.code = ERR_NONE                                                                                       \
	}

/* All three accept err == NULL and do nothing then. They return false, so that "return err_set(...)" reads well. */
bool err_set(struct err *err, enum err_code code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* Puts "context: " in front of the message; code and hint stay. */
bool err_wrap(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Sets the hint; an earlier (deeper) hint wins. */
bool err_hint(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* err_set with ": strerror(errnum)" behind the text. */
bool err_errno(struct err *err, enum err_code code, int errnum, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
bool err_nomem(struct err *err);

const char *err_phrase(enum err_code code);
int err_exit_status(enum err_code code);

/*
 * "program: message" and, if there is one, "program: hint: ..." on stderr. For main() only. Returns the exit status.
 */
int err_print(const char *program, const struct err *err);

#endif
