#include "sandbox/kasten/select.h"

#include "sandbox/kasten/names.h"

#include <string.h>

static bool holds(const json_node *values, const char *value)
{
	for (const json_node *v = json_first(values); v; v = json_next(v))
		if (json_string(v) && !strcmp(json_string(v), value))
			return true;
	return false;
}

static bool expression_holds(const json_node *expression, const json_node *labels)
{
	const char *key = json_string(json_get(expression, "key"));
	const char *op = json_string(json_get(expression, "operator"));
	const char *value;

	if (!key || !op)
		return false;
	value = json_string(json_get(labels, key));
	if (!strcmp(op, "In"))
		return value && holds(json_get(expression, "values"), value);
	if (!strcmp(op, "NotIn"))
		return !value || !holds(json_get(expression, "values"), value);
	if (!strcmp(op, "Exists"))
		return value != NULL;
	if (!strcmp(op, "DoesNotExist"))
		return value == NULL;
	return false;
}

bool select_labels(const json_node *selector, const json_node *labels)
{
	for (const json_node *want = json_first(json_get(selector, "matchLabels")); want; want = json_next(want)) {
		const char *value = json_string(json_get(labels, json_key(want)));

		if (!value || !json_string(want) || strcmp(value, json_string(want)) != 0)
			return false;
	}
	for (const json_node *e = json_first(json_get(selector, "matchExpressions")); e; e = json_next(e))
		if (!expression_holds(e, labels))
			return false;
	return true;
}

bool select_namespace(const json_node *selector, const json_node *namespace_)
{
	CLEANUP(json) struct json *copy = NULL;
	const char *name = json_text_at(namespace_, "metadata/name");

	if (!json_is_object(selector) || !name || !json_format(&copy, NULL, "{'metadata':{'labels':{}}}"))
		return false;
	if (json_at(namespace_, "metadata/labels") &&
	    !json_set_copy(json_edit(copy), "metadata/labels", json_at(namespace_, "metadata/labels"), NULL))
		return false;
	if (!json_set_text(json_edit(copy), "metadata/labels/k10.kasten.io~1appNamespace", name, NULL))
		return false;
	return select_labels(selector, json_at(json_root(copy), "metadata/labels"));
}

static bool field_matches(const json_node *entry, const char *key, const char *value)
{
	const char *want = json_string(json_get(entry, key));

	return !want || !*want || !strcmp(want, value ? value : "");
}

/*
 * An empty group means the core group when the entry names a resource, as in {group: "", resource: secrets}; alone it
 * matches all.
 */
static bool group_matches(const json_node *entry, const char *group)
{
	const char *want = json_string(json_get(entry, "group"));
	const char *resource = json_string(json_get(entry, "resource"));

	if (!want || (!*want && (!resource || !*resource)))
		return true;
	return !strcmp(want, group);
}

static bool entry_matches(const json_node *entry, const struct filter_subject *subject)
{
	return json_is_object(entry) && group_matches(entry, subject->group) &&
	       field_matches(entry, "version", subject->version) &&
	       field_matches(entry, "resource", subject->resource) &&
	       field_matches(entry, "name", json_text_at(subject->object, "metadata/name")) &&
	       select_labels(entry, json_at(subject->object, "metadata/labels"));
}

static bool any_matches(const json_node *entries, const struct filter_subject *subject)
{
	for (const json_node *e = json_first(entries); e; e = json_next(e))
		if (entry_matches(e, subject))
			return true;
	return false;
}

bool filter_wants(const json_node *filters, const struct filter_subject *subject)
{
	const json_node *include = json_get(filters, "includeResources"),
			*exclude = json_get(filters, "excludeResources");

	if (json_is_array(include) && json_count(include) && !any_matches(include, subject))
		return false;
	return !json_is_array(exclude) || !any_matches(exclude, subject);
}
