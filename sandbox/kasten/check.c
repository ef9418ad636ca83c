#include "sandbox/kasten/check.h"

#include "sandbox/kasten/names.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct findings {
	struct json *list;
	struct err *err;
	bool broken; /* no memory: the list is not to be used */
};

static void found(struct findings *f, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void found(struct findings *f, const char *fmt, ...)
{
	char text[600];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	if (!f->broken && !json_set_text(json_edit(f->list), "-", text, f->err))
		f->broken = true;
}

static bool hand_over(struct findings *f, struct json **ret)
{
	if (f->broken) {
		json_free(f->list);
		return false;
	}
	*ret = f->list;
	return true;
}

static bool empty(const char *text)
{
	return !text || !*text;
}

const char *reference_namespace(const json_node *reference)
{
	const char *namespace_ = json_text_at(reference, "namespace");

	return empty(namespace_) ? KASTEN_NAMESPACE : namespace_;
}

const json_node *find_item(const json_node *list, const char *namespace_, const char *name)
{
	for (const json_node *item = json_first(json_get(list, "items")); item; item = json_next(item))
		if (json_is_at(item, "metadata/name", name) &&
		    (!namespace_ || json_is_at(item, "metadata/namespace", namespace_)))
			return item;
	return NULL;
}

/* --- profiles -------------------------------------------------------------------------------------------------- */

bool profile_secret(const json_node *profile, const char **ret_namespace, const char **ret_name)
{
	const json_node *secret = json_at(profile, "spec/locationSpec/credential/secret");

	*ret_name = json_text_at(secret, "name");
	*ret_namespace = reference_namespace(secret);
	return !empty(*ret_name);
}

static void check_secret(struct findings *f, const json_node *profile, const json_node *secret)
{
	static const char *const keys[] = {"aws_access_key_id", "aws_secret_access_key"};
	const char *namespace_, *name;

	if (!profile_secret(profile, &namespace_, &name)) {
		found(f, "spec.locationSpec.credential.secret.name is missing");
		return;
	}
	if (!secret) {
		found(f, "secret \"%s/%s\" not found", namespace_, name);
		return;
	}
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		if (empty(json_string(json_get(json_get(secret, "data"), keys[i]))))
			found(f, "secret \"%s/%s\" has no key %s", namespace_, name, keys[i]);
}

bool check_profile(const json_node *profile, const json_node *secret, struct json **ret_errors, struct err *err)
{
	const json_node *location = json_at(profile, "spec/locationSpec");
	struct findings f = {.err = err};

	if (!json_format(&f.list, err, "[]"))
		return false;
	if (!json_is_at(profile, "spec/type", "Location")) {
		found(&f, "spec.type is not Location");
		return hand_over(&f, ret_errors);
	}
	if (!json_is_at(location, "type", "ObjectStore"))
		found(&f, "spec.locationSpec.type: only ObjectStore is understood by this sandbox");
	if (empty(json_text_at(location, "objectStore/name")))
		found(&f, "spec.locationSpec.objectStore.name (the bucket) is missing");
	if (!json_is_at(location, "objectStore/objectStoreType", "S3"))
		found(&f, "spec.locationSpec.objectStore.objectStoreType: only S3 is understood by this sandbox");
	if (!json_is_at(location, "credential/secretType", "AwsAccessKey"))
		found(&f, "spec.locationSpec.credential.secretType is not AwsAccessKey");
	check_secret(&f, profile, secret);
	return hand_over(&f, ret_errors);
}

/* --- policies -------------------------------------------------------------------------------------------------- */

const json_node *policy_action(const json_node *policy_spec, const char *action)
{
	for (const json_node *a = json_first(json_get(policy_spec, "actions")); a; a = json_next(a))
		if (json_is_at(a, "action", action))
			return a;
	return NULL;
}

static void check_reference(
    struct findings *f, const json_node *reference, const json_node *profiles, const char *of, bool required)
{
	const char *name = json_text_at(reference, "name"), *namespace_ = reference_namespace(reference);
	const json_node *profile;

	if (empty(name)) {
		if (required)
			found(f, "action %s has no profile", of);
		return;
	}
	profile = find_item(profiles, namespace_, name);
	if (!profile)
		found(f, "profile \"%s/%s\" of action %s not found", namespace_, name, of);
	else if (!json_is_at(profile, "status/validation", VALIDATION_SUCCESS))
		found(f, "profile \"%s/%s\" of action %s is not valid", namespace_, name, of);
}

static void check_expression(struct findings *f, const json_node *expression)
{
	const char *op = json_text_at(expression, "operator");
	bool wants_values = op && (!strcmp(op, "In") || !strcmp(op, "NotIn"));

	if (empty(json_text_at(expression, "key")))
		found(f, "spec.selector.matchExpressions: an entry has no key");
	if (!op || (!wants_values && strcmp(op, "Exists") != 0 && strcmp(op, "DoesNotExist") != 0))
		found(f, "spec.selector.matchExpressions: \"%.60s\" is no operator", op ? op : "");
	else if (wants_values && !json_count(json_get(expression, "values")))
		found(f, "spec.selector.matchExpressions: operator %s needs values", op);
}

static void check_selector(struct findings *f, const json_node *selector)
{
	const json_node *labels = json_get(selector, "matchLabels"),
			*expressions = json_get(selector, "matchExpressions");

	if (!json_count(labels) && !json_count(expressions)) {
		found(f, "spec.selector selects nothing: matchLabels or matchExpressions is needed");
		return;
	}
	for (const json_node *e = json_first(expressions); e; e = json_next(e))
		check_expression(f, e);
}

static bool known_frequency(const char *frequency)
{
	static const char *const known[] = {"", "@onDemand", "@hourly", "@daily", "@weekly", "@monthly", "@yearly"};

	for (size_t i = 0; frequency && i < sizeof known / sizeof *known; i++)
		if (!strcmp(frequency, known[i]))
			return true;
	return !frequency;
}

/* An export needs a backup before it, a restore an import. */
static void check_order(struct findings *f, const json_node *actions)
{
	bool backup = false, import = false;

	for (const json_node *a = json_first(actions); a; a = json_next(a)) {
		const char *action = json_text_at(a, "action");

		if (!action)
			found(f, "an entry of spec.actions has no action");
		else if (!strcmp(action, "backup"))
			backup = true;
		else if (!strcmp(action, "import"))
			import = true;
		else if (!strcmp(action, "export") && !backup)
			found(f, "action export must come after backup");
		else if (!strcmp(action, "restore") && !import)
			found(f, "action restore must come after import");
		else if (strcmp(action, "export") != 0 && strcmp(action, "restore") != 0)
			found(f, "action \"%.60s\" is not known", action);
	}
	if (backup && import)
		found(f, "actions backup and import in one policy");
}

bool check_policy(const json_node *policy, const json_node *profiles, struct json **ret_errors, struct err *err)
{
	const json_node *spec = json_get(policy, "spec");
	const json_node *backup = policy_action(spec, "backup"), *export = policy_action(spec, "export"),
			*import = policy_action(spec, "import");
	struct findings f = {.err = err};

	if (!json_format(&f.list, err, "[]"))
		return false;
	if (!known_frequency(json_text_at(spec, "frequency")))
		found(&f, "spec.frequency: \"%.60s\" is not known", json_text_at(spec, "frequency"));
	if (!json_count(json_get(spec, "actions")))
		found(&f, "spec.actions is empty");
	check_order(&f, json_get(spec, "actions"));
	if (backup) {
		check_selector(&f, json_get(spec, "selector"));
		check_reference(&f, json_at(backup, "backupParameters/profile"), profiles, "backup", false);
	}
	if (export)
		check_reference(&f, json_at(export, "exportParameters/profile"), profiles, "export", true);
	if (import) {
		check_reference(&f, json_at(import, "importParameters/profile"), profiles, "import", true);
		if (empty(json_text_at(import, "importParameters/receiveString")))
			found(&f, "action import has no receiveString");
	}
	return hand_over(&f, ret_errors);
}
