#include "sandbox/api/query.h"

#include <stdlib.h>
#include <string.h>

#define TARGET_MAX 16384

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* In place. false: a broken escape, or a NUL. */
static bool unescape(char *text, bool plus_is_blank)
{
	char *to = text;

	for (const char *p = text; *p; p++) {
		if (*p == '+' && plus_is_blank) {
			*to++ = ' ';
		} else if (*p == '%') {
			int high = hex(p[1]), low = high < 0 ? -1 : hex(p[2]);

			if (low < 0 || !(high * 16 + low))
				return false;
			*to++ = (char)(high * 16 + low);
			p += 2;
		} else {
			*to++ = *p;
		}
	}
	*to = '\0';
	return true;
}

static void split_path(struct query *q, char *path)
{
	char *save = NULL;

	q->odd = *path != '/' || strstr(path, "//");
	for (char *part = strtok_r(path, "/", &save); part && !q->odd; part = strtok_r(NULL, "/", &save)) {
		if (q->segment_count == QUERY_SEGMENTS_MAX || !unescape(part, false))
			q->odd = true;
		else
			q->segments[q->segment_count++] = part;
	}
}

static bool split_params(struct query *q, char *query, struct err *err)
{
	char *save = NULL;

	for (char *part = strtok_r(query, "&", &save); part; part = strtok_r(NULL, "&", &save)) {
		char *equals = strchr(part, '=');

		if (q->param_count == QUERY_PARAMS_MAX)
			return err_set(err, ERR_LIMIT, "more than %d query parameters", QUERY_PARAMS_MAX);
		if (equals)
			*equals = '\0';
		if (!unescape(part, true) || (equals && !unescape(equals + 1, true)))
			return err_set(err, ERR_PARSE, "invalid URL escape in the query");
		q->params[q->param_count].key = part;
		q->params[q->param_count++].value = equals ? equals + 1 : "";
	}
	return true;
}

bool query_parse(const char *target, struct query *ret, struct err *err)
{
	struct query q = {0};
	char *mark;

	if (strlen(target) > TARGET_MAX)
		return err_set(err, ERR_LIMIT, "a request target of more than %d bytes", TARGET_MAX);
	q.text = strdup(target);
	if (!q.text)
		return err_nomem(err);
	mark = strchr(q.text, '?');
	if (mark)
		*mark = '\0';
	split_path(&q, q.text);
	if (mark && !split_params(&q, mark + 1, err)) {
		free(q.text);
		return false;
	}
	*ret = q;
	return true;
}

void query_clear(struct query *q)
{
	free(q->text);
	*q = (struct query){0};
}

const char *query_get(const struct query *q, const char *key)
{
	for (size_t i = 0; i < q->param_count; i++)
		if (!strcmp(q->params[i].key, key))
			return q->params[i].value;
	return NULL;
}

bool query_flag(const struct query *q, const char *key)
{
	const char *value = query_get(q, key);

	return value && strcmp(value, "0") && strcmp(value, "false");
}
