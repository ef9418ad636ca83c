#include "kasten/actions.h"

#include "base/text.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define CAUSE_DEPTH_MAX 8

static const struct {
	const char *text;
	bool final, good;
} states[] = {
#define X(name, text, final, good) [KASTEN_##name] = {text, final, good},
    KASTEN_STATES(X)
#undef X
};

enum kasten_state kasten_state(const json_node *action)
{
	const char *text = json_text_at(action, "status/state");

	for (size_t i = 0; text && i < KASTEN_OTHER; i++)
		if (!strcmp(states[i].text, text))
			return (enum kasten_state)i;
	return text ? KASTEN_OTHER : KASTEN_NONE;
}

bool kasten_state_final(enum kasten_state state)
{
	return states[state].final;
}

bool kasten_state_good(enum kasten_state state)
{
	return states[state].good;
}

void kasten_state_text(const json_node *action, char *ret, size_t size)
{
	const char *text = json_text_at(action, "status/state");

	text_copy(ret, size, text && *text ? text : "Pending");
}

/* The message of a cause, and that of the cause's cause, as deep as it goes. */
static void innermost(const char *cause, int depth, char *ret, size_t size)
{
	const struct json_limits limits = {.max_bytes = 1 << 16, .max_depth = 32, .unique_keys = false};
	CLEANUP(json) struct json *doc = NULL;
	const json_node *next;
	const char *message;

	if (!depth || !cause || !*cause)
		return;
	if (!json_parse(cause, strlen(cause), &limits, &doc, NULL) || !json_is_object(json_root(doc))) {
		text_copy(ret, size, cause);
		return;
	}
	message = json_text_at(json_root(doc), "message");
	if (message && *message)
		text_copy(ret, size, message);
	for (next = json_get(json_root(doc), "cause"); json_is_object(next) && depth-- > 1;
	     next = json_get(next, "cause")) {
		message = json_text_at(next, "message");
		if (message && *message)
			text_copy(ret, size, message);
	}
	if (json_string(next))
		innermost(json_string(next), depth - 1, ret, size);
}

void kasten_error(const json_node *action, char *ret, size_t size)
{
	const char *message = json_text_at(action, "status/error/message");
	char outer[512] = "", inner[1024] = "";

	if (!size)
		return;
	ret[0] = '\0';
	text_copy(outer, sizeof outer, message);
	innermost(json_text_at(action, "status/error/cause"), CAUSE_DEPTH_MAX, inner, sizeof inner);
	if (inner[0] && outer[0] && !strstr(outer, inner))
		snprintf(ret, size, "%s: %s", outer, inner);
	else
		snprintf(ret, size, "%s", outer[0] ? outer : inner);
}

void kasten_validation(const json_node *object, char *ret, size_t size, char *why, size_t why_size)
{
	size_t used = 0;

	text_copy(ret, size, json_text_at(object, "status/validation"));
	if (!why_size)
		return;
	why[0] = '\0';
	for (const json_node *e = json_first(json_at(object, "status/error")); e && used + 4 < why_size;
	     e = json_next(e)) {
		char one[300];

		text_copy(one, sizeof one, json_string(e) ? json_string(e) : json_text_at(e, "message"));
		used += (size_t)snprintf(why + used, why_size - used, "%s%s", used ? "; " : "", one);
	}
	if (!why[0])
		text_copy(why, why_size, json_text_at(object, "status/error/message"));
}

bool kasten_policy_selects(const json_node *policy, const char *namespace_)
{
	const char *label = json_string(json_get(json_at(policy, "spec/selector/matchLabels"), KASTEN_APP_LABEL));

	if (label)
		return !strcmp(label, namespace_);
	for (const json_node *e = json_first(json_at(policy, "spec/selector/matchExpressions")); e; e = json_next(e)) {
		if (!json_is_at(e, "key", KASTEN_APP_LABEL) || !json_is_at(e, "operator", "In"))
			continue;
		for (const json_node *v = json_first(json_get(e, "values")); v; v = json_next(v))
			if (json_string(v) && !strcmp(json_string(v), namespace_))
				return true;
	}
	return false;
}

static const json_node *policy_action(const json_node *policy, const char *action)
{
	for (const json_node *a = json_first(json_at(policy, "spec/actions")); a; a = json_next(a))
		if (json_is_at(a, "action", action))
			return a;
	return NULL;
}

/* What else a selector says is not understood here: then it may be any namespace. */
bool kasten_policy_selects_only(const json_node *policy, const char *namespace_)
{
	const json_node *selector = json_at(policy, "spec/selector"), *labels = json_get(selector, "matchLabels"),
			*expressions = json_get(selector, "matchExpressions");

	if (kasten_policy_has(policy, "import") && !kasten_policy_has(policy, "backup"))
		return true;
	if (json_count(labels) + json_count(expressions) != 1 || json_count(selector) != 1)
		return false;
	if (labels)
		return json_is_at(labels, "k10.kasten.io~1appNamespace", namespace_);
	expressions = json_first(expressions);
	return json_is_at(expressions, "key", KASTEN_APP_LABEL) && json_is_at(expressions, "operator", "In") &&
	       json_count(json_get(expressions, "values")) == 1 && json_is_at(expressions, "values/0", namespace_);
}

static bool ends_in(const char *key, const char *end)
{
	size_t len = strlen(key), n = strlen(end);

	return len >= n && !strcasecmp(key + len - n, end);
}

/* {"profile":{"name":N}}, {"secret":{"name":N}}, {"blueprintRef":{"name":N}}, and of hooks {"blueprint":N}. */
static bool names_it(const json_node *m, enum kasten_reference what, const char *name)
{
	const char *key = json_key(m);

	switch (what) {
	case KASTEN_PROFILE:
		return ends_in(key, "profile") && json_is_at(m, "name", name);
	case KASTEN_SECRET:
		return (ends_in(key, "secret") || ends_in(key, "token")) && json_is_at(m, "name", name);
	case KASTEN_BLUEPRINT:
		return (!strcmp(key, "blueprint") && json_string(m) && !strcmp(json_string(m), name)) ||
		       ((!strcmp(key, "blueprint") || !strcmp(key, "blueprintRef")) && json_is_at(m, "name", name));
	}
	return false;
}

/* Depth is bounded by the parser. */
bool kasten_refers(const json_node *spec, enum kasten_reference what, const char *name)
{
	for (const json_node *m = json_first(spec); m; m = json_next(m))
		if ((json_is_object(spec) && names_it(m, what, name)) ||
		    ((json_is_object(m) || json_is_array(m)) && kasten_refers(m, what, name)))
			return true;
	return false;
}

bool kasten_policy_has(const json_node *policy, const char *action)
{
	return policy_action(policy, action) != NULL;
}

void kasten_policy_profile(const json_node *policy, char *ret, size_t size)
{
	text_copy(ret, size, json_text_at(policy_action(policy, "backup"), "backupParameters/profile/name"));
}

bool kasten_make_run(
    const char *namespace_, const char *name, const char *policy, const char *app, struct json **ret, struct err *err)
{
	return json_format(ret, err,
	    "{'apiVersion':'" KASTEN_ACTIONS_GROUP
	    "/v1alpha1','kind':'RunAction','metadata':{'name':%s,'namespace':%s,'labels':{'" KASTEN_DRILL_LABEL
	    "':%s}},"
	    "'spec':{'subject':{'apiVersion':'" KASTEN_CONFIG_GROUP
	    "/v1alpha1','kind':'Policy','name':%s,'namespace':%s}}}",
	    name, namespace_, app, policy, namespace_);
}

static bool add_filter(json_node *root, const char *group, const char *resource, const char *name, struct err *err)
{
	return json_set_format(root, "spec/filters/includeResources/-", err, "{'group':%s,'resource':%s,'name':%s}",
	    group, resource, name);
}

/* Of the psmdb. operations: a pattern, as of json_format. */
static bool add_transform(json_node *root, const char *name, const char *operations, struct err *err)
{
	CLEANUP(json) struct json *list = NULL;

	return json_format(&list, err, operations) &&
	       json_set_format(root, "spec/transforms/-", err,
		   "{'subject':{'group':'psmdb.percona.com','resource':'perconaservermongodbs'},'name':%s,'json':%j}",
		   name, json_root(list));
}

bool kasten_make_restore(const struct kasten_restore *r, struct json **ret, struct err *err)
{
	CLEANUP(json) struct json *doc = NULL;

	if (!r->cluster && !json_count(r->secrets))
		return err_set(err, ERR_USAGE, "a restore of nothing would restore everything");
	if (!json_format(&doc, err,
		"{'apiVersion':'" KASTEN_ACTIONS_GROUP "/v1alpha1','kind':'RestoreAction','metadata':{'name':%s,"
		"'namespace':%s},'spec':{'subject':{'apiVersion':'" KASTEN_APPS_GROUP
		"/v1alpha1','kind':'RestorePoint','name':%s,"
		"'namespace':%s},'targetNamespace':%s,'filters':{'includeResources':[]},'transforms':[]}}",
		r->name, r->namespace_, r->restore_point, r->namespace_, r->namespace_))
		return false;
	for (const json_node *n = json_first(r->secrets); n; n = json_next(n))
		if (!json_string(n) || !add_filter(json_edit(doc), "", "secrets", json_string(n), err))
			return false;
	if (r->cluster && !add_filter(json_edit(doc), "psmdb.percona.com", "perconaservermongodbs", r->cluster, err))
		return false;
	if (r->plain && !add_transform(json_edit(doc), "without-blueprint",
			    "[{'op':'remove','path':'/metadata/annotations/kanister.kasten.io~1blueprint'}]", err))
		return false;
	/* "add" replaces what is there, and needs nothing to be there */
	if (r->apart && !add_transform(json_edit(doc), "apart",
			    "[{'op':'add','path':'/metadata/finalizers','value':[]},"
			    "{'op':'add','path':'/spec/backup/pitr','value':{'enabled':false}},"
			    "{'op':'add','path':'/spec/backup/tasks','value':[]}]",
			    err))
		return false;
	if (r->profile && r->kasten &&
	    !json_set_format(json_edit(doc), "spec/profile", err, "{'name':%s,'namespace':%s}", r->profile, r->kasten))
		return false;
	if (!json_count(json_at(json_root(doc), "spec/transforms")))
		json_remove_at(json_edit(doc), "spec/transforms");
	*ret = TAKE(doc);
	return true;
}

bool kasten_receive_string(const json_node *policy, struct buf *ret, struct err *err)
{
	const char *text = json_text_at(policy_action(policy, "export"), "exportParameters/receiveString");

	return buf_add_str(ret, text ? text : "", err);
}

void kasten_export_profile(const json_node *policy, char *ret, size_t size)
{
	text_copy(ret, size, json_text_at(policy_action(policy, "export"), "exportParameters/profile/name"));
}

bool kasten_make_import(const char *namespace_, const char *name, const char *app, const char *profile,
    const char *receive_string, struct json **ret, struct err *err)
{
	return json_format(ret, err,
	    "{'apiVersion':'" KASTEN_CONFIG_GROUP
	    "/v1alpha1','kind':'Policy','metadata':{'name':%s,'namespace':%s,'labels':{'" KASTEN_DRILL_LABEL "':%s}},"
	    "'spec':{'comment':'made by "
	    "psmdb-drill','frequency':'@onDemand','actions':[{'action':'import','importParameters':"
	    "{'profile':{'name':%s,'namespace':%s},'receiveString':%s}}]}}",
	    name, namespace_, app, profile, namespace_, receive_string);
}

bool kasten_make_point(
    const char *namespace_, const char *name, const char *content, struct json **ret, struct err *err)
{
	return json_format(ret, err,
	    "{'apiVersion':'" KASTEN_APPS_GROUP
	    "/v1alpha1','kind':'RestorePoint','metadata':{'name':%s,'namespace':%s},"
	    "'spec':{'restorePointContentRef':{'name':%s}}}",
	    name, namespace_, content);
}
