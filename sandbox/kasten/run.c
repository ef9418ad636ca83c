/*
 * RunAction: a policy, once. For each selected namespace a BackupAction, then an ExportAction if the policy has one; or the one
 * ImportAction of an import policy.
 */
#include "sandbox/kasten/check.h"
#include "sandbox/kasten/kasten.h"
#include "sandbox/kasten/names.h"
#include "sandbox/kasten/select.h"

#include <string.h>

#define TARGETS_MAX 64
#define RECEIVE_LIMIT_MS 60000

static bool fail(struct kasten *k, struct job *j, const char *message, const char *cause, struct err *err)
{
	return job_fail(j, kasten_now(k), message, cause, err);
}

/* --- choosing -------------------------------------------------------------------------------------------------- */

static bool add_target(struct job *j, const char *namespace_, struct err *err)
{
	char backup[KASTEN_SUFFIX + 1], export[KASTEN_SUFFIX + 1];

	if (json_count(json_at(j->root, "targets")) >= TARGETS_MAX)
		return err_set(err, ERR_LIMIT, "the policy selects more than %d namespaces", TARGETS_MAX);
	return kasten_suffix(backup, err) && kasten_suffix(export, err) &&
	       json_set_format(j->root, "targets/-", err,
		   "{'namespace':%s,'backup':'scheduled-%s','export':'export-scheduled-%s'}", namespace_, backup,
		   export);
}

static bool choose(struct kasten *k, struct job *j, const json_node *spec, struct err *err)
{
	CLEANUP(json) struct json *namespaces = NULL;

	if (!kube_list(k->kube, &k->kinds[KIND_NAMESPACE], NULL, NULL, &namespaces, err) ||
	    !json_set_format(j->root, "targets", err, "[]"))
		return false;
	for (const json_node *n = json_first(json_get(json_root(namespaces), "items")); n; n = json_next(n))
		if (!kube_deleting(n) && select_namespace(json_get(spec, "selector"), n) &&
		    !add_target(j, kube_name(n), err))
			return false;
	return true;
}

/* The names of what will be created are saved before anything is. */
static bool check(struct kasten *k, struct job *j, struct err *err)
{
	const char *name = json_text_at(j->root, "spec/subject/name");
	const char *namespace_ = json_text_at(j->root, "spec/subject/namespace");
	CLEANUP(json) struct json *policy = NULL;
	const char *receive;
	const json_node *spec;
	struct err why = ERR_INIT;
	char suffix[KASTEN_SUFFIX + 1];

	if (!name || !json_is_at(j->root, "spec/subject/kind", "Policy"))
		return fail(k, j, "Cannot execute action", "spec.subject does not name a Policy", err);
	if (!kube_get(
		k->kube, &k->kinds[KIND_POLICY], namespace_ ? namespace_ : KASTEN_NAMESPACE, name, &policy, &why)) {
		if (why.code == ERR_NOT_FOUND)
			return fail(k, j, "Cannot execute action: policy not found", why.msg, err);
		if (err)
			*err = why;
		return false;
	}
	if (!json_is_at(json_root(policy), "status/validation", VALIDATION_SUCCESS))
		return fail(k, j, "Cannot execute action for an invalid policy",
		    json_text_at(json_root(policy), "status/error/0"), err);
	spec = json_get(json_root(policy), "spec");
	if (policy_action(spec, "restore"))
		return fail(k, j, "Action restore of a policy is not part of this sandbox",
		    "import, and restore by a RestoreAction", err);
	receive = json_text_at(policy_action(spec, "export"), "exportParameters/receiveString");
	if (policy_action(spec, "export") && (!receive || !*receive)) {
		/* It is just being written into the policy: what is exported belongs to it. */
		if (kasten_now(k) - json_int_at(j->root, "try/startedMs", 0) > RECEIVE_LIMIT_MS)
			return fail(
			    k, j, "Cannot execute action: the policy's export has no receive string", NULL, err);
		j->next_ms = kasten_now(k) + 200;
		return true;
	}
	if (!json_set_copy(j->root, "policySpec", spec, err))
		return false;
	if (policy_action(spec, "import"))
		return kasten_suffix(suffix, err) && json_set_format(j->root, "import", err, "'import-%s'", suffix) &&
		       job_set_step(j, "import", err);
	return choose(k, j, spec, err) && job_set_step(j, "backup", err);
}

/* --- subordinate actions --------------------------------------------------------------------------------------- */

static bool set_labels(const struct job *j, const char *app, struct json *object, struct err *err)
{
	const char *policy_namespace = json_text_at(j->root, "spec/subject/namespace");

	return json_set_format(json_edit(object), "metadata/labels", err,
	    "{'" LABEL_APP_NAME "':%s,'" LABEL_APP_NAMESPACE "':%s,'" LABEL_APP_TYPE "':'namespace','" LABEL_POLICY_NAME
	    "':%s,'" LABEL_POLICY_NAMESPACE "':%s,'" LABEL_RUN_NAME "':%s,'" LABEL_RUN_NAMESPACE "':%s}",
	    app, app, json_text_at(j->root, "spec/subject/name"),
	    policy_namespace ? policy_namespace : KASTEN_NAMESPACE, job_name(j), job_namespace(j));
}

static bool make_backup(const struct job *j, const json_node *target, struct json **ret, struct err *err)
{
	const json_node *parameters =
	    json_get(policy_action(json_get(j->root, "policySpec"), "backup"), "backupParameters");
	const char *app = json_text_at(target, "namespace");

	return json_format(ret, err,
		   "{'apiVersion':'" KASTEN_ACTIONS_VERSION
		   "','kind':'BackupAction','metadata':{'name':%s,'namespace':%s},"
		   "'spec':{'subject':{'name':%s,'namespace':%s},'profile':%j,'filters':%j}}",
		   json_text_at(target, "backup"), app, app, app, json_get(parameters, "profile"),
		   json_get(parameters, "filters")) &&
	       set_labels(j, app, *ret, err);
}

static bool make_export(const struct job *j, const json_node *target, struct json **ret, struct err *err)
{
	const json_node *parameters =
	    json_get(policy_action(json_get(j->root, "policySpec"), "export"), "exportParameters");
	const char *app = json_text_at(target, "namespace");

	return json_format(ret, err,
		   "{'apiVersion':'" KASTEN_ACTIONS_VERSION
		   "','kind':'ExportAction','metadata':{'name':%s,'namespace':%s},"
		   "'spec':{'subject':{'apiVersion':'" KASTEN_APPS_VERSION "','kind':'RestorePoint','name':%s,"
		   "'namespace':%s},'profile':%j,'exportData':%j,'receiveString':%j,'migrationToken':%j}}",
		   json_text_at(target, "export"), app, json_text_at(target, "point"), app,
		   json_get(parameters, "profile"), json_get(parameters, "exportData"),
		   json_get(parameters, "receiveString"), json_get(parameters, "migrationToken")) &&
	       set_labels(j, app, *ret, err);
}

/* null for what the policy does not say is no value of theirs */
static void drop_nulls(struct json *object)
{
	static const char *const optional[] = {
	    "spec/profile", "spec/filters", "spec/exportData", "spec/receiveString", "spec/migrationToken"};

	for (size_t i = 0; i < sizeof optional / sizeof *optional; i++)
		if (json_is_null(json_at(json_root(object), optional[i])))
			json_remove_at(json_edit(object), optional[i]);
}

/* Creates it once, then reads its state. NOT_FOUND after that: somebody deleted it. */
static bool follow(
    struct kasten *k, struct job *j, size_t index, enum kasten_kind kind, struct json **ret, struct err *err)
{
	bool export = kind == KIND_EXPORT;
	CLEANUP(json) struct json *object = NULL;
	const json_node *target;
	char path[64], created[96];

	snprintf(path, sizeof path, "targets/%zu", index);
	snprintf(created, sizeof created, "%s/%s", path, export ? "exportCreated" : "backupCreated");
	target = json_at(j->root, path);
	if (!json_bool_at(j->root, created, false)) {
		if (!(export ? make_export(j, target, &object, err) : make_backup(j, target, &object, err)))
			return false;
		drop_nulls(object);
		if (!kasten_ensure(k, kind, json_text_at(target, "namespace"), json_root(object), err) ||
		    !json_set_bool(j->root, created, true, err))
			return false;
		j->dirty = k->moved = true;
		target = json_at(j->root, path);
	}
	return kube_get(k->kube, &k->kinds[kind], json_text_at(target, "namespace"),
	    json_text_at(target, export ? "export" : "backup"), ret, err);
}

struct outcome {
	size_t done, failed;
	char message[600], cause[600]; /* of the first that failed */
};

/* The innermost message: the cause is a JSON document inside a string. */
static void read_cause(const json_node *action, char *ret, size_t size)
{
	static const struct json_limits limits = {.max_bytes = 1 << 16, .max_depth = 8, .unique_keys = false};
	const char *text = json_text_at(action, "status/error/cause"), *inner;
	CLEANUP(json) struct json *doc = NULL;

	*ret = '\0';
	if (!text || !json_parse(text, strlen(text), &limits, &doc, NULL))
		return;
	inner = json_text_at(json_root(doc), "cause/message");
	snprintf(ret, size, "%s", inner ? inner : "");
}

/* One that has ended. */
static void tally(struct outcome *o, enum job_kind kind, const json_node *action)
{
	const char *message = json_text_at(action, "status/error/message");

	o->done++;
	if (json_is_at(action, "status/state", job_state_name(JOB_COMPLETE)) || o->failed++)
		return;
	snprintf(o->message, sizeof o->message, "%s %s/%s: %s", job_kind_name(kind), kube_namespace(action),
	    kube_name(action), message ? message : "not complete");
	read_cause(action, o->cause, sizeof o->cause);
}

static bool follow_all(struct kasten *k, struct job *j, enum kasten_kind kind, struct outcome *o, struct err *err)
{
	size_t count = json_count(json_at(j->root, "targets"));

	for (size_t i = 0; i < count; i++) {
		CLEANUP(json) struct json *action = NULL;
		const char *point;
		char path[64];

		if (!follow(k, j, i, kind, &action, err))
			return false;
		if (!job_state_is_final(json_text_at(json_root(action), "status/state")))
			continue;
		tally(o, kind == KIND_BACKUP ? JOB_BACKUP : JOB_EXPORT, json_root(action));
		point = json_text_at(json_root(action), "status/restorePoint/name");
		snprintf(path, sizeof path, "targets/%zu/point", i);
		if (kind == KIND_BACKUP && point && !json_set_text(j->root, path, point, err))
			return false;
	}
	return true;
}

static bool subordinate(struct kasten *k, struct job *j, enum kasten_kind kind, struct err *err)
{
	bool exports = policy_action(json_get(j->root, "policySpec"), "export") != NULL;
	size_t all = json_count(json_at(j->root, "targets"));
	struct outcome o = {0};
	struct err why = ERR_INIT;
	int share = exports ? 50 : 100, base = kind == KIND_EXPORT ? 50 : 0;

	if (!follow_all(k, j, kind, &o, &why)) {
		if (why.code == ERR_NOT_FOUND)
			return fail(k, j, "An action of this run is gone", why.msg, err);
		if (err)
			*err = why;
		return false;
	}
	j->next_ms = kasten_now(k) + 200;
	if (all && !job_set_progress(
		       j, base + (int)((size_t)share * o.done / all) - (o.done == all && base + share == 100), err))
		return false;
	if (o.done < all)
		return true;
	if (o.failed)
		return fail(k, j, o.message, *o.cause ? o.cause : NULL, err);
	if (kind == KIND_BACKUP && exports && all) {
		j->next_ms = 0;
		return job_set_step(j, "export", err);
	}
	return job_complete(j, kasten_now(k), err);
}

/* --- import ------------------------------------------------------------------------------------------------------ */

static bool make_import(const struct job *j, struct json **ret, struct err *err)
{
	const json_node *parameters =
	    json_get(policy_action(json_get(j->root, "policySpec"), "import"), "importParameters");
	const char *policy = json_text_at(j->root, "spec/subject/name");
	const char *of = json_text_at(j->root, "spec/subject/namespace");

	of = of ? of : KASTEN_NAMESPACE;
	return json_format(ret, err,
	    "{'apiVersion':'" KASTEN_ACTIONS_VERSION
	    "','kind':'ImportAction','metadata':{'name':%s,'namespace':'" KASTEN_NAMESPACE
	    "','labels':{'" LABEL_POLICY_NAME "':%s,'" LABEL_POLICY_NAMESPACE "':%s,'" LABEL_RUN_NAME
	    "':%s,'" LABEL_RUN_NAMESPACE "':%s}},'spec':{'subject':{'apiVersion':'" KASTEN_CONFIG_VERSION
	    "','kind':'Policy','name':%s,'namespace':%s},'profile':%j,'receiveString':%j}}",
	    json_text_at(j->root, "import"), policy, of, job_name(j), job_namespace(j), policy, of,
	    json_get(parameters, "profile"), json_get(parameters, "receiveString"));
}

static bool import(struct kasten *k, struct job *j, struct err *err)
{
	CLEANUP(json) struct json *made = NULL;
	CLEANUP(json) struct json *action = NULL;
	struct outcome o = {0};
	struct err why = ERR_INIT;

	if (!json_bool_at(j->root, "importCreated", false)) {
		if (!make_import(j, &made, err) ||
		    !kasten_ensure(k, KIND_IMPORT, KASTEN_NAMESPACE, json_root(made), err) ||
		    !json_set_bool(j->root, "importCreated", true, err))
			return false;
		j->dirty = k->moved = true;
	}
	if (!kube_get(
		k->kube, &k->kinds[KIND_IMPORT], KASTEN_NAMESPACE, json_text_at(j->root, "import"), &action, &why)) {
		if (why.code == ERR_NOT_FOUND)
			return fail(k, j, "The ImportAction of this run is gone", why.msg, err);
		if (err)
			*err = why;
		return false;
	}
	j->next_ms = kasten_now(k) + 200;
	if (!job_state_is_final(json_text_at(json_root(action), "status/state")))
		return job_set_progress(j, (int)json_int_at(json_root(action), "status/progress", 0), err);
	tally(&o, JOB_IMPORT, json_root(action));
	return o.failed ? fail(k, j, o.message, *o.cause ? o.cause : NULL, err) : job_complete(j, kasten_now(k), err);
}

/* A failed part is not repeated here: BackupActions and ExportActions have had their attempts. */
bool run_step(struct kasten *k, struct job *j, struct err *err)
{
	struct err why = ERR_INIT;
	bool ok;

	if (!strcmp(job_step(j), "check"))
		ok = check(k, j, &why);
	else if (!strcmp(job_step(j), "import"))
		ok = import(k, j, &why);
	else
		ok = subordinate(k, j, !strcmp(job_step(j), "export") ? KIND_EXPORT : KIND_BACKUP, &why);

	if (ok)
		return true;
	if (!kasten_is_passing(&why))
		return fail(k, j, why.msg, NULL, err);
	if (err)
		*err = why;
	return false;
}
