#include "sandbox/kasten/drive.h"

#include "sandbox/kasten/executor.h"
#include "sandbox/kasten/names.h"

#include <string.h>

struct drive_ctx {
	struct kasten *k;
	struct job *j;
};

bool drive_bind(struct job *j, const char *path, const struct kube_kind *kind, const json_node *object, struct err *err)
{
	char place[100];

	snprintf(place, sizeof place, "%s/-", path);
	j->dirty = true;
	if (!json_at(j->root, path) && !json_set_format(j->root, path, err, "[]"))
		return false;
	return json_set_format(j->root, place, err,
	    "{'apiVersion':%s,'group':%s,'resource':%s,'kind':%s,'namespace':%s,'name':%s,'blueprint':%s}",
	    kind->version, kind->group, kind->plural, kind->kind, kube_namespace(object), kube_name(object),
	    kube_annotation(object, KANISTER_BLUEPRINT_ANNOTATION));
}

/* --- what the executor asks of the API ------------------------------------------------------------------------- */

static bool kind_of_ref(struct kasten *k, const struct object_ref *ref, struct kube_kind *ret, struct err *err)
{
	char name[300];

	snprintf(name, sizeof name, "%.120s%s%.120s", ref->resource, *ref->group ? "." : "", ref->group);
	if (!kube_find_kind(k->kube, name, ret, err))
		return false;
	if (strcmp(ret->version, ref->version) != 0 || strcmp(ret->plural, ref->resource) != 0)
		return err_set(err, ERR_NOT_FOUND, "the server could not find the requested resource");
	return true;
}

static bool api_get(void *ctx, const struct object_ref *ref, struct json **ret, struct err *err)
{
	struct kasten *k = ((struct drive_ctx *)ctx)->k;
	struct kube_kind kind;

	return kind_of_ref(k, ref, &kind, err) &&
	       kube_get(k->kube, &kind, *ref->namespace_ ? ref->namespace_ : NULL, ref->name, ret, err);
}

static bool api_remove(void *ctx, const struct object_ref *ref, struct err *err)
{
	struct kasten *k = ((struct drive_ctx *)ctx)->k;
	struct kube_kind kind;

	return kind_of_ref(k, ref, &kind, err) &&
	       kube_delete(k->kube, &kind, *ref->namespace_ ? ref->namespace_ : NULL, ref->name, NULL, err);
}

static bool kind_of_object(struct kasten *k, const json_node *object, struct kube_kind *ret, struct err *err)
{
	const char *version = json_text_at(object, "apiVersion"), *kind = json_text_at(object, "kind");

	if (!version || !kind)
		return err_set(err, ERR_PARSE, "spec of the object to create: apiVersion or kind is missing");
	return kube_kind_of(k->kube, version, kind, ret, err);
}

static bool api_create(void *ctx, const char *namespace_, const json_node *object, struct err *err)
{
	struct kasten *k = ((struct drive_ctx *)ctx)->k;
	CLEANUP(json) struct json *copy = NULL;
	struct kube_kind kind;

	if (!kind_of_object(k, object, &kind, err) || !json_clone(object, &copy, err) ||
	    (kind.namespaced && !json_set_text(json_edit(copy), "metadata/namespace", namespace_, err)))
		return false;
	return kube_create(k->kube, &kind, kind.namespaced ? namespace_ : NULL, json_root(copy), NULL, err);
}

static bool api_refer(void *ctx, const json_node *object, struct json **ret, struct err *err)
{
	struct kasten *k = ((struct drive_ctx *)ctx)->k;
	struct kube_kind kind;

	return kind_of_object(k, object, &kind, err) &&
	       json_format(
		   ret, err, "{'apiVersion':%s,'group':%s,'resource':%s}", kind.version, kind.group, kind.plural);
}

static bool api_save(void *ctx, struct err *err)
{
	const struct drive_ctx *d = ctx;

	return kasten_save(d->k, d->j, err);
}

/* --- driving --------------------------------------------------------------------------------------------------- */

/* The object as it is now; as it was saved, if it is gone and that will do. */
static bool target_object(struct kasten *k, const struct drive *d, struct json **ret, struct err *err)
{
	struct kube_kind kind;
	const char *namespace_ = json_text_at(d->target, "namespace");
	struct err why = ERR_INIT;

	kube_kind_set(&kind, json_text_at(d->target, "group"), json_text_at(d->target, "apiVersion"),
	    json_text_at(d->target, "resource"), json_text_at(d->target, "kind"), true);
	if (kube_get(k->kube, &kind, namespace_, json_text_at(d->target, "name"), ret, &why))
		return true;
	if (d->saved && (why.code == ERR_NOT_FOUND || why.code == ERR_UNSUPPORTED))
		return json_clone(d->saved, ret, err);
	if (err)
		*err = why;
	return false;
}

/* An action without one has none. */
static bool get_profile(struct kasten *k, const json_node *reference, struct json **ret, struct err *err)
{
	const char *name = json_text_at(reference, "name");

	return !name || !*name || kasten_profile(k, reference, ret, err);
}

/* The blueprint is read when the action begins: one that was replaced meanwhile counts. */
static bool begin(struct kasten *k, struct job *j, const struct drive *d, bool *ret_nothing, struct err *why)
{
	CLEANUP(json) struct json *blueprint = NULL;
	CLEANUP(json) struct json *object = NULL;
	CLEANUP(json) struct json *profile = NULL;
	CLEANUP(json) struct json *run = NULL;
	struct executor_start start = {
	    .blueprint_name = json_text_at(d->target, "blueprint"),
	    .action = d->action,
	    .artifacts_in = d->artifacts_in,
	    .time = json_text_at(j->root, "try/time"),
	};

	*ret_nothing = false;
	if (!kube_get(k->kube, &k->kinds[KIND_BLUEPRINT], KASTEN_NAMESPACE, start.blueprint_name, &blueprint, why))
		return false;
	if (!json_at(json_get(json_get(json_root(blueprint), "actions"), d->action), "phases")) {
		*ret_nothing = true;
		return true;
	}
	if (!target_object(k, d, &object, why) || !get_profile(k, d->profile_ref, &profile, why))
		return false;
	start.blueprint = json_root(blueprint);
	start.object = json_root(object);
	start.profile = profile ? json_root(profile) : NULL;
	return executor_new(&start, &run, why) && json_set_copy(j->root, "try/run", json_root(run), why) &&
	       json_set_int(j->root, "try/runStartedMs", kasten_now(k), why) && kasten_save(k, j, why);
}

static bool go_on(struct kasten *k, struct job *j, const struct drive *d, enum drive_result *ret, struct err *ret_why,
    struct err *err)
{
	struct drive_ctx ctx = {k, j};
	const struct executor_api api = {&ctx, api_get, api_create, api_remove, api_refer, api_save};
	enum executor_result result = EXECUTOR_AGAIN;
	int64_t now = kasten_now(k);
	json_node *run = (json_node *)json_at(j->root, "try/run");

	if (now - json_int_at(j->root, "try/runStartedMs", now) > d->timeout_ms) {
		err_set(ret_why, ERR_TIMEOUT, "Blueprint action %s of %s timed out after %lld minutes", d->action,
		    json_text_at(d->target, "blueprint"), (long long)(d->timeout_ms / 60000));
		*ret = DRIVE_FAILED;
		return true;
	}
	if (!executor_step(run, &api, now, k->poll_max_ms, &result, &j->next_ms, err))
		return false;
	*ret = result == EXECUTOR_DONE ? DRIVE_DONE : result == EXECUTOR_FAILED ? DRIVE_FAILED : DRIVE_AGAIN;
	if (result == EXECUTOR_FAILED)
		err_set(ret_why, ERR_REMOTE, "Blueprint action %s of %s failed in phase %s: %s", d->action,
		    json_text_at(d->target, "blueprint"), json_text_at(j->root, "try/run/failedPhase"),
		    json_text_at(j->root, "try/run/failure"));
	return true;
}

bool drive_step(struct kasten *k, struct job *j, const struct drive *d, enum drive_result *ret, struct err *ret_why,
    struct err *err)
{
	struct err why = ERR_INIT;
	bool nothing = false;

	if (json_at(j->root, "try/run"))
		return go_on(k, j, d, ret, ret_why, err);
	if (begin(k, j, d, &nothing, &why)) {
		*ret = nothing ? DRIVE_NOTHING : DRIVE_AGAIN;
		return true;
	}
	if (kasten_is_passing(&why)) {
		if (err)
			*err = why;
		return false;
	}
	*ret = DRIVE_FAILED;
	*ret_why = why;
	return err_wrap(ret_why, "Blueprint action %s of %s", d->action, json_text_at(d->target, "blueprint")) || true;
}

void drive_end(struct job *j)
{
	json_remove_at(j->root, "try/run");
	json_remove_at(j->root, "try/runStartedMs");
	j->dirty = true;
}
