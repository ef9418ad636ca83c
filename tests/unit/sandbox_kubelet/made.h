/* Snapshots and objects of tests, written as JSON in which ' stands for ". */
#ifndef TEST_MADE_H
#define TEST_MADE_H

#include "sandbox/kubelet/world.h"

#include <criterion/criterion.h>
#include <string.h>

static inline struct json *made(const char *text)
{
	struct json_limits limits = JSON_LIMITS_DEFAULT;
	struct json *doc = NULL;
	struct err err = ERR_INIT;
	char *copy = strdup(text);

	for (char *p = copy; *p; p++)
		if (*p == '\'')
			*p = '"';
	cr_assert(json_parse(copy, strlen(copy), &limits, &doc, &err), "%s in %s", err.msg, copy);
	free(copy);
	return doc;
}

/* items: objects, with commas between them. */
static inline void made_list(struct world *w, enum world_kind kind, const char *items)
{
	char *text = NULL;

	cr_assert(asprintf(&text, "{'items':[%s]}", items) > 0);
	json_free(w->lists[kind]);
	w->lists[kind] = made(text);
	free(text);
}

#endif
