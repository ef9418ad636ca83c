/* apply, annotate: any object, within what the locks allow. */
#include "scenarios/locks.h"
#include "scenarios/steps/parts.h"

#include <string.h>

/* --- apply -------------------------------------------------------------------------------------------------------- */

static const struct step_arg apply_args[] = {
    STEP_ARG("file", ARG_TEXT, .required = true, .help = "a manifest, relative to the scenario"),
    STEP_ARG("set", ARG_MAP, .help = "values to put in: place (spec/size) to value, in every object of the file"),
    {0},
};

static bool apply_describe(struct drill *d, const json_node *args, struct buf *out, struct err *err)
{
	(void)d;
	return buf_printf(out, err, "apply %s", step_text(args, "file", ""));
}

static bool read_objects(struct drill *d, const json_node *args, struct yaml_docs *docs, struct err *err)
{
	struct yaml_limits limits = YAML_LIMITS_DEFAULT;
	char path[PATH_MAX];

	if (!drill_file(d, step_text(args, "file", ""), path, err) || !yaml_read(path, &limits, docs, err))
		return false;
	for (size_t i = 0; i < docs->count; i++)
		for (const json_node *v = json_first(step_node(args, "set")); v; v = json_next(v))
			if (!json_set_copy(json_edit(docs->items[i]), json_key(v), v, err))
				return err_wrap(err, "\"%s\"", path);
	return true;
}

static bool may_change(struct drill *d, const json_node *now, const struct kube_kind *kind, struct err *err)
{
	return lock_existing(now, kind, drill_namespace(d), drill_kasten(d),
	    now && d->state.doc && drill_is_ours(d, kube_uid(now)), err);
}

/* Both locks of the namespace whose data are overwritten: the object's own, and the one that it names. */
static bool may_overwrite(struct drill *d, const json_node *object, struct err *err)
{
	const char *ns = kube_namespace(object), *target = json_text_at(object, "spec/targetNamespace");
	const char *confirmed = d->options->confirm_destroy;

	return lock_namespace(drill_kube(d), ns ? ns : drill_namespace(d), confirmed, false, err) &&
	       (!target || lock_namespace(drill_kube(d), target, confirmed, false, err));
}

bool part_may_apply(struct drill *d, const json_node *object, bool leave_shared, struct kube_kind *ret_kind,
    enum part_apply *ret, struct err *err)
{
	const char *ns = kube_namespace(object), *name = kube_name(object);
	const char *version = json_text_at(object, "apiVersion"), *kind = json_text_at(object, "kind");
	CLEANUP(json) struct json *now = NULL;

	if (!version || !kind || !name)
		return err_set(err, ERR_PARSE, "an object has no apiVersion, kind or name");
	if (!kube_kind_of(drill_kube(d), version, kind, ret_kind, err) ||
	    !lock_place(
		object, ret_kind, drill_namespace(d), drill_kasten(d), d->options->allow_cluster_changes, err) ||
	    !part_look(d, ret_kind, ns ? ns : drill_namespace(d), name, &now, err))
		return false;
	*ret = now ? PART_CHANGE : PART_MAKE;
	if (leave_shared && now && !ret_kind->namespaced) {
		*ret = PART_LEAVE;
		return true;
	}
	return lock_object(object, ret_kind, d->options->allow_cluster_changes, err) &&
	       (!lock_overwrites(ret_kind) || may_overwrite(d, object, err)) &&
	       may_change(d, now ? json_root(now) : NULL, ret_kind, err);
}

static bool apply_check(struct drill *d, const json_node *args, struct err *err)
{
	YAML_DOCS_CLEANUP struct yaml_docs docs = {0};
	enum part_apply how;
	struct kube_kind kind;

	if (!read_objects(d, args, &docs, err))
		return false;
	for (size_t i = 0; i < docs.count; i++)
		if (!part_may_apply(d, json_root(docs.items[i]), false, &kind, &how, err))
			return false;
	return true;
}

static bool apply_run(struct drill *d, const json_node *args, struct err *err)
{
	YAML_DOCS_CLEANUP struct yaml_docs docs = {0};

	if (!read_objects(d, args, &docs, err))
		return false;
	for (size_t i = 0; i < docs.count; i++) {
		CLEANUP(json) struct json *made = NULL;
		const json_node *object = json_root(docs.items[i]);
		enum part_apply how;
		struct kube_kind kind;

		if (!part_may_apply(d, object, false, &kind, &how, err) ||
		    !kube_apply(drill_kube(d), drill_namespace(d), object, false, false, &made, err) ||
		    (how == PART_MAKE && !drill_created(d, &kind, json_root(made), err)))
			return false;
		drill_say(d, "%s %s %s", how == PART_MAKE ? "made" : "applied", kind.kind, kube_name(object));
	}
	return true;
}

const struct step_def step_apply = {"apply", "applies a manifest, as kubectl apply --server-side does", apply_args, 0,
    apply_describe, apply_check, apply_run};

/* --- annotate ----------------------------------------------------------------------------------------------------- */

static const struct step_arg annotate_args[] = {
    STEP_ARG("kind", ARG_TEXT, .required = true, .help = "as kubectl takes it"),
    STEP_ARG("name", ARG_TEXT, .required = true, .help = "the object"),
    STEP_ARG("annotations", ARG_MAP, .required = true, .help = "name to value; null takes one away"),
    {0},
};

static bool annotate_describe(struct drill *d, const json_node *args, struct buf *out, struct err *err)
{
	return buf_printf(out, err, "annotate %s %s/%s", step_text(args, "kind", ""), drill_namespace(d),
	    step_text(args, "name", ""));
}

static bool annotate_check(struct drill *d, const json_node *args, struct err *err)
{
	CLEANUP(json) struct json *now = NULL;
	struct kube_kind kind;

	if (!part_texts(step_node(args, "annotations"), "annotation", err) ||
	    !kube_find_kind(drill_kube(d), step_text(args, "kind", ""), &kind, err))
		return false;
	if (!kind.namespaced)
		return err_set(err, ERR_STATE, "refused: %s belong to the whole cluster", kind.plural);
	/* one that an earlier step makes is not there yet */
	return part_look(d, &kind, drill_namespace(d), step_text(args, "name", ""), &now, err) &&
	       may_change(d, now ? json_root(now) : NULL, &kind, err);
}

static bool annotate_run(struct drill *d, const json_node *args, struct err *err)
{
	CLEANUP(json) struct json *patch = NULL;
	struct kube_kind kind;

	return annotate_check(d, args, err) && kube_find_kind(drill_kube(d), step_text(args, "kind", ""), &kind, err) &&
	       json_format(&patch, err, "{'metadata':{'annotations':%j}}", step_node(args, "annotations")) &&
	       kube_patch(drill_kube(d), &kind, drill_namespace(d), step_text(args, "name", ""), NULL, KUBE_PATCH_MERGE,
		   json_root(patch), NULL, err);
}

const struct step_def step_annotate = {"annotate", "sets annotations of an object of the namespace", annotate_args, 0,
    annotate_describe, annotate_check, annotate_run};
