/* create-namespace, secret: what a scenario needs before it can begin, and what a disaster has taken along. */
#include "base/base64.h"
#include "scenarios/locks.h"
#include "scenarios/steps/parts.h"

#include <stdlib.h>
#include <string.h>

#define SECRET_MAX 65536

/* --- create-namespace --------------------------------------------------------------------------------------------- */

static const struct step_arg namespace_args[] = {
    STEP_ARG("name", ARG_TEXT, .required = true, .help = "the namespace"),
    STEP_ARG("labels", ARG_MAP, .help = "its labels; never the one that allows a disaster"),
    {0},
};

static bool namespace_describe(struct drill *d, const json_node *args, struct buf *out, struct err *err)
{
	(void)d;
	return buf_printf(out, err, "create namespace %s", step_text(args, "name", ""));
}

static bool namespace_object(
    struct drill *d, const json_node *args, struct kube_kind *kind, struct json **ret, struct err *err)
{
	CLEANUP(json) struct json *doc = NULL;

	kube_kind_set(kind, "", "v1", "namespaces", "Namespace", false);
	if (!part_texts(step_node(args, "labels"), "label", err) ||
	    !json_format(&doc, err, "{'apiVersion':'v1','kind':'Namespace','metadata':{'name':%s,'labels':%j}}",
		step_text(args, "name", ""), step_node(args, "labels")) ||
	    !lock_object(json_root(doc), kind, d->options->allow_cluster_changes, err))
		return false;
	*ret = TAKE(doc);
	return true;
}

static bool namespace_check(struct drill *d, const json_node *args, struct err *err)
{
	CLEANUP(json) struct json *object = NULL;
	struct kube_kind kind;

	return namespace_object(d, args, &kind, &object, err);
}

/* One that is there is taken as it is: nothing of it is changed. */
static bool namespace_run(struct drill *d, const json_node *args, struct err *err)
{
	CLEANUP(json) struct json *object = NULL, *now = NULL, *made = NULL;
	struct kube_kind kind;

	if (!namespace_object(d, args, &kind, &object, err) ||
	    !part_look(d, &kind, NULL, kube_name(json_root(object)), &now, err))
		return false;
	if (now && kube_deleting(json_root(now))) {
		err_set(err, ERR_STATE, "namespace \"%s\" is being deleted", kube_name(json_root(now)));
		return err_hint(err, "wait until it is gone; its conditions say what holds it");
	}
	if (now) {
		drill_say(d, "namespace %s is there already", kube_name(json_root(now)));
		return true;
	}
	return kube_create(drill_kube(d), &kind, NULL, json_root(object), &made, err) &&
	       drill_created(d, &kind, json_root(made), err);
}

const struct step_def step_create_namespace = {"create-namespace", "makes a namespace if it is not there",
    namespace_args, 0, namespace_describe, namespace_check, namespace_run};

/* --- secret ------------------------------------------------------------------------------------------------------- */

static const struct step_arg secret_args[] = {
    STEP_ARG("name", ARG_TEXT, .required = true, .help = "the Secret, in the namespace under test"),
    STEP_ARG("from-env", ARG_MAP, .required = true,
	.help = "key to the name of an environment variable, each allowed by --secret-env"),
    {0},
};

static bool secret_describe(struct drill *d, const json_node *args, struct buf *out, struct err *err)
{
	return buf_printf(
	    out, err, "create secret %s/%s from the environment", drill_namespace(d), step_text(args, "name", ""));
}

static bool allowed(struct drill *d, const char *name)
{
	for (size_t i = 0; i < d->options->secret_env.count; i++)
		if (!strcmp(d->options->secret_env.items[i], name))
			return true;
	return false;
}

static bool may_make(struct drill *d, const char *name, bool *ret_there, struct err *err)
{
	CLEANUP(json) struct json *now = NULL;
	struct kube_kind kind;

	kind_secrets(&kind);
	if (!part_look(d, &kind, drill_namespace(d), name, &now, err))
		return false;
	if (now && !(d->state.doc && drill_is_ours(d, kube_uid(json_root(now))))) {
		err_set(err, ERR_EXISTS, "secret \"%s/%s\" is there already, and this run has not made it",
		    drill_namespace(d), name);
		return err_hint(err, "leave it to the scenario, or take the step out of it");
	}
	*ret_there = now != NULL;
	return true;
}

static bool secret_check(struct drill *d, const json_node *args, struct err *err)
{
	bool there;

	for (const json_node *e = json_first(step_node(args, "from-env")); e; e = json_next(e)) {
		const char *name = json_string(e);

		if (!name)
			return err_set(err, ERR_PARSE, "secret: what key \"%.64s\" names is no text", json_key(e));
		if (!allowed(d, name)) {
			err_set(err, ERR_STATE, "refused: the scenario reads the environment variable \"%.64s\"", name);
			return err_hint(err, "give --secret-env %.64s if it may", name);
		}
		if (!getenv(name))
			return err_set(err, ERR_NOT_FOUND, "environment variable \"%.64s\" is not set", name);
	}
	/* a namespace that an earlier step makes is not there yet */
	return may_make(d, step_text(args, "name", ""), &there, err);
}

static bool put_value(struct json *doc, const char *key, const char *env, struct err *err)
{
	BUF_CLEANUP struct buf value = BUF_INIT(SECRET_MAX);
	const char *text = getenv(env);
	json_node *data = (json_node *)json_at(json_root(doc), "data");
	bool ok = base64_encode(text ? text : "", text ? strlen(text) : 0, &value, err) &&
		  json_set_text(data, key, buf_str(&value), err);

	if (value.data)
		explicit_bzero(value.data, value.len);
	return ok;
}

static bool key_ok(const char *key)
{
	return *key && strlen(key) <= 253 &&
	       !key[strspn(key, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				"0123456789-_.")];
}

static bool secret_run(struct drill *d, const json_node *args, struct err *err)
{
	CLEANUP(json) struct json *object = NULL, *made = NULL;
	struct kube_kind kind;
	bool there;

	kind_secrets(&kind);
	if (!secret_check(d, args, err) || !may_make(d, step_text(args, "name", ""), &there, err))
		return false;
	if (there)
		return true;
	if (!json_format(&object, err,
		"{'apiVersion':'v1','kind':'Secret','metadata':{'name':%s,'namespace':%s},'type':'Opaque','data':{}}",
		step_text(args, "name", ""), drill_namespace(d)))
		return false;
	for (const json_node *e = json_first(step_node(args, "from-env")); e; e = json_next(e)) {
		if (!key_ok(json_key(e)))
			return err_set(err, ERR_PARSE, "secret: \"%.64s\" is no key of a Secret", json_key(e));
		if (!put_value(object, json_key(e), json_string(e), err))
			return false;
	}
	return kube_create(drill_kube(d), &kind, drill_namespace(d), json_root(object), &made, err) &&
	       drill_created(d, &kind, json_root(made), err);
}

const struct step_def step_secret = {"secret", "makes a Secret from environment variables that --secret-env allows",
    secret_args, 0, secret_describe, secret_check, secret_run};
