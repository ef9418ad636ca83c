#include "sandbox/kubelet/words.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void words_clear(struct words *w)
{
	for (size_t i = 0; i < w->count; i++) {
		explicit_bzero(w->items[i], strlen(w->items[i]));
		free(w->items[i]);
	}
	free(w->items);
	*w = (struct words){0};
}

/* Room for one more and the NULL behind it. */
static bool make_room(struct words *w, struct err *err)
{
	size_t cap = w->cap ? 2 * w->cap : 16;
	char **items;

	if (w->count >= WORDS_MAX)
		return err_set(err, ERR_LIMIT, "more than %d arguments or variables", WORDS_MAX);
	if (w->count + 1 < w->cap)
		return true;
	items = realloc(w->items, cap * sizeof *items);
	if (!items)
		return err_nomem(err);
	w->items = items;
	w->cap = cap;
	return true;
}

bool words_add(struct words *w, const char *text, struct err *err)
{
	char *copy;

	if (strlen(text) >= WORD_BYTES_MAX)
		return err_set(err, ERR_LIMIT, "an argument or variable of more than %zu bytes", WORD_BYTES_MAX);
	if (!make_room(w, err))
		return false;
	copy = strdup(text);
	if (!copy)
		return err_nomem(err);
	w->items[w->count++] = copy;
	w->items[w->count] = NULL;
	return true;
}

bool words_printf(struct words *w, struct err *err, const char *fmt, ...)
{
	char *text = NULL;
	va_list ap;
	bool ok;
	int len;

	va_start(ap, fmt);
	len = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (len < 0)
		return err_nomem(err);
	ok = words_add(w, text, err);
	explicit_bzero(text, (size_t)len);
	free(text);
	return ok;
}

static char **find_env(const struct words *env, const char *name, size_t len)
{
	for (size_t i = 0; i < env->count; i++)
		if (!strncmp(env->items[i], name, len) && env->items[i][len] == '=')
			return &env->items[i];
	return NULL;
}

const char *words_env(const struct words *env, const char *name)
{
	char **found = find_env(env, name, strlen(name));

	return found ? *found + strlen(name) + 1 : NULL;
}

bool words_env_set(struct words *env, const char *name, const char *value, struct err *err)
{
	char **found, *old;

	if (!*name || strchr(name, '='))
		return err_set(err, ERR_PARSE, "\"%s\" is no name of an environment variable", name);
	found = find_env(env, name, strlen(name));
	if (!found)
		return words_printf(env, err, "%s=%s", name, value);
	old = *found;
	if (!words_printf(env, err, "%s=%s", name, value))
		return false;
	/* make_room may have moved the list; the new word takes the old one's place */
	found = find_env(env, name, strlen(name));
	*found = env->items[--env->count];
	env->items[env->count] = NULL;
	explicit_bzero(old, strlen(old));
	free(old);
	return true;
}

bool words_expand(const char *text, const struct words *env, struct buf *out, struct err *err)
{
	for (const char *p = text; *p;) {
		const char *end = p[0] == '$' && p[1] == '(' ? strchr(p, ')') : NULL;
		size_t len = p[0] == '$' ? 1 : strcspn(p, "$");

		if (p[0] == '$' && p[1] == '$') {
			if (!buf_add_char(out, '$', err))
				return false;
			p += 2;
			continue;
		}
		if (end) {
			char **found = find_env(env, p + 2, (size_t)(end - p - 2));

			len = (size_t)(end - p) + 1;
			if (found && end > p + 2) {
				if (!buf_add_str(out, strchr(*found, '=') + 1, err))
					return false;
				p += len;
				continue;
			}
		}
		if (!buf_add(out, p, len, err))
			return false;
		p += len;
	}
	return true;
}

static bool is_border(char c)
{
	return c == '\0' || strchr("=:,;'\" \t\n", c) != NULL;
}

static const struct path_pair *longest_at(const char *text, const struct path_pair *pairs, size_t count)
{
	const struct path_pair *best = NULL;

	for (size_t i = 0; i < count; i++) {
		size_t len = strlen(pairs[i].inside);

		if (len && !strncmp(text, pairs[i].inside, len) && (text[len] == '/' || is_border(text[len])) &&
		    (!best || len > strlen(best->inside)))
			best = &pairs[i];
	}
	return best;
}

bool words_translate(const char *text, const struct path_pair *pairs, size_t count, struct buf *out, struct err *err)
{
	bool start = true;

	for (const char *p = text; *p;) {
		const struct path_pair *pair = start && *p == '/' ? longest_at(p, pairs, count) : NULL;

		if (pair) {
			if (!buf_add_str(out, pair->outside, err))
				return false;
			p += strlen(pair->inside);
			start = false;
			continue;
		}
		start = is_border(*p);
		if (!buf_add_char(out, *p++, err))
			return false;
	}
	return true;
}
