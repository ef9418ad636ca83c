#include "sandbox/operator/names.h"

#include "base/clock.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define DOMAIN "percona.com/"

struct op_name op_name(const char *fmt, ...)
{
	struct op_name name;
	va_list args;

	va_start(args, fmt);
	vsnprintf(name.text, sizeof name.text, fmt, args);
	va_end(args);
	return name;
}

bool op_name_valid(const char *name)
{
	static const char inner[] = "abcdefghijklmnopqrstuvwxyz0123456789-.";
	size_t len = name ? strlen(name) : 0;

	return len && len < OP_NAME_MAX && strspn(name, inner) == len && !strchr("-.", name[0]) &&
	       !strchr("-.", name[len - 1]);
}

static bool is_finalizer(const char *text, const char *bare)
{
	if (!text)
		return false;
	if (!strncmp(text, DOMAIN, strlen(DOMAIN)))
		text += strlen(DOMAIN);
	return !strcmp(text, bare);
}

const char *op_finalizer(const json_node *object, const char *bare)
{
	for (const json_node *f = json_first(json_at(object, "metadata/finalizers")); f; f = json_next(f))
		if (is_finalizer(json_string(f), bare))
			return json_string(f);
	return NULL;
}

bool op_finalizers_without(const json_node *object, const char *bare, struct json **ret, struct err *err)
{
	CLEANUP(json) struct json *list = NULL;

	if (!json_format(&list, err, "[]"))
		return false;
	for (const json_node *f = json_first(json_at(object, "metadata/finalizers")); f; f = json_next(f))
		if (!is_finalizer(json_string(f), bare) && !json_set_copy(json_edit(list), "-", f, err))
			return false;
	*ret = TAKE(list);
	return true;
}

bool op_labels(const char *cluster, const char *component, const char *set, struct json **ret, struct err *err)
{
	CLEANUP(json) struct json *labels = NULL;

	if (!json_format(&labels, err,
		"{'app.kubernetes.io/name':'percona-server-mongodb','app.kubernetes.io/instance':%s,"
		"'app.kubernetes.io/managed-by':'percona-server-mongodb-operator',"
		"'app.kubernetes.io/part-of':'percona-server-mongodb','app.kubernetes.io/component':%s}",
		cluster, component) ||
	    (set && !json_set_text(json_edit(labels), "app.kubernetes.io~1replset", set, err)))
		return false;
	*ret = TAKE(labels);
	return true;
}

const char *op_time(int64_t wall_ms, char text[static OP_TIME_MAX])
{
	char full[TIME_TEXT_MAX];

	/* to the second, as Kubernetes has it */
	snprintf(text, OP_TIME_MAX, "%.19sZ", time_format(wall_ms, full));
	return text;
}
