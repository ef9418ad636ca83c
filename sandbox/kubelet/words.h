/*
 * Command lines and environments of containers: growing lists of owned strings with a bound, and what Kubernetes does
 * to them ($(VAR), mounted paths).
 *
 * A list is NULL-ended and ready for exec. words_clear overwrites the strings first: an environment holds passwords.
 */
#ifndef KUBELET_WORDS_H
#define KUBELET_WORDS_H

#include "base/buf.h"
#include "base/err.h"

#include <stddef.h>

#define WORDS_MAX 1024
#define WORD_BYTES_MAX ((size_t)128 << 10) /* the kernel's own limit of one string */

struct words {
	char **items; /* NULL as long as there are none */
	size_t count, cap;
};

void words_clear(struct words *w);
#define WORDS_CLEANUP __attribute__((cleanup(words_clear)))
bool words_add(struct words *w, const char *text, struct err *err);
bool words_printf(struct words *w, struct err *err, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* --- as an environment: "NAME=value" ----------------------------------------------------------------------------- */

/* NULL: not there. */
const char *words_env(const struct words *env, const char *name);
/* Adds or replaces. ERR_PARSE for a name that is empty or holds '='. */
bool words_env_set(struct words *env, const char *name, const char *value, struct err *err);

/* --- what is done to a text -------------------------------------------------------------------------------------- */

/* Appends text with each $(NAME) of env replaced; "$$" is "$"; a name that env lacks stays as it is written. */
bool words_expand(const char *text, const struct words *env, struct buf *out, struct err *err);

/* A path in the container and what stands in its place on this machine; both without a slash at the end. */
struct path_pair {
	const char *inside, *outside;
};
/*
 * Appends text with each path at or below an inside path replaced; the longest inside path wins. A path begins at the
 * text's start or behind one of = : , ; ' " and blank, and its mounted part ends at its end or before one of these or
 * a slash.
 */
bool words_translate(const char *text, const struct path_pair *pairs, size_t count, struct buf *out, struct err *err);

#endif
