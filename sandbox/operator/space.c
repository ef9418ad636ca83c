#include "sandbox/operator/space.h"

#include <string.h>
#include <unistd.h>

static const struct {
	const char *group, *version, *plural, *kind;
} kinds[SPACE_KIND_COUNT] = {
#define X(id, group, version, plural, kind) {group, version, plural, kind},
    SPACE_KINDS(X)
#undef X
};

bool space_open(struct space *w, const struct kube_config *config, const struct kube_options *options,
    const char *namespace_, const struct log *log, struct err *err)
{
	*w = (struct space){.namespace_ = namespace_,
	    .clock = options->clock ? options->clock : clock_system(),
	    .log = log,
	    .notify_fd = kube_notify_new()};
	if (w->notify_fd < 0)
		return err_set(err, ERR_IO, "make an eventfd");
	if (!kube_new(config, options, &w->kube, err))
		return false;
	for (int i = 0; i < SPACE_KIND_COUNT; i++) {
		kube_kind_set(&w->kinds[i], kinds[i].group, kinds[i].version, kinds[i].plural, kinds[i].kind, true);
		if (!kube_cache_new(config, options, &w->kinds[i], namespace_, NULL, w->notify_fd, &w->caches[i], err))
			return false;
	}
	return true;
}

void space_close(struct space *w)
{
	for (int i = 0; i < SPACE_KIND_COUNT; i++) {
		kube_cache_free(w->caches[i]);
		json_free(w->lists[i]);
	}
	kube_free(w->kube);
	if (w->notify_fd >= 0)
		close(w->notify_fd);
}

bool space_synced(const struct space *w)
{
	for (int i = 0; i < SPACE_KIND_COUNT; i++)
		if (!kube_cache_synced(w->caches[i]))
			return false;
	return true;
}

bool space_look(struct space *w, struct err *err)
{
	w->again = false;
	for (int i = 0; i < SPACE_KIND_COUNT; i++) {
		struct json *list = NULL;

		if (!kube_cache_list(w->caches[i], &list, err))
			return false;
		json_free(w->lists[i]);
		w->lists[i] = list;
	}
	return true;
}

const json_node *space_first(const struct space *w, enum space_kind kind)
{
	return json_first(json_get(json_root(w->lists[kind]), "items"));
}

const json_node *space_get(const struct space *w, enum space_kind kind, const char *name)
{
	for (const json_node *o = space_first(w, kind); o && name; o = json_next(o))
		if (!strcmp(kube_name(o), name))
			return o;
	return NULL;
}

/* An answer that only says that the snapshot is old. */
static bool stale(struct space *w, struct err *err)
{
	if (err->code != ERR_CONFLICT && err->code != ERR_EXISTS && err->code != ERR_NOT_FOUND)
		return false;
	*err = (struct err)ERR_INIT;
	w->again = true;
	return true;
}

static void tell(const struct space *w, const char *what, enum space_kind kind, const char *name)
{
	log_line(w->log, LOG_INFO, what, "kind", kinds[kind].kind, "name", name, NULL);
}

static const char *digest_of(const json_node *object)
{
	const char *digest = kube_annotation(object, OP_DESIRED_ANNOTATION);

	return digest ? digest : "";
}

static bool foreign(const json_node *have, const json_node *desired)
{
	const char *owner = json_text_at(desired, "metadata/ownerReferences/0/uid");

	return owner && !json_is_at(have, "metadata/ownerReferences/0/uid", owner);
}

bool space_ensure(struct space *w, enum space_kind kind, const json_node *desired, bool *ret_there, struct err *err)
{
	const json_node *have = space_get(w, kind, kube_name(desired));
	bool there = have && !kube_deleting(have) && !foreign(have, desired);

	if (ret_there)
		*ret_there = there;
	if (!have) {
		if (!kube_create(w->kube, &w->kinds[kind], w->namespace_, desired, NULL, err))
			return stale(w, err);
		tell(w, "created", kind, kube_name(desired));
		w->again = true;
		return true;
	}
	if (!there || !*digest_of(desired) || !strcmp(digest_of(have), digest_of(desired)))
		return true;
	tell(w, "changed", kind, kube_name(desired));
	return space_patch(w, kind, have, desired, NULL, err);
}

bool space_remove(struct space *w, enum space_kind kind, const char *name, struct err *err)
{
	const json_node *have = space_get(w, kind, name);
	struct kube_delete options = {.grace_seconds = -1};

	if (!have || kube_deleting(have))
		return true;
	options.uid = kube_uid(have);
	if (!kube_delete(w->kube, &w->kinds[kind], w->namespace_, name, &options, err))
		return stale(w, err);
	tell(w, "deleted", kind, name);
	return true;
}

bool space_status(
    struct space *w, enum space_kind kind, const json_node *object, const json_node *status, struct err *err)
{
	CLEANUP(json) struct json *copy = NULL;
	const char *error = json_text_at(status, "error");

	if (json_equal(json_get(object, "status"), status))
		return true;
	if (!json_clone(object, &copy, err) || !json_set_copy(json_edit(copy), "status", status, err))
		return false;
	if (!kube_replace_status(w->kube, &w->kinds[kind], w->namespace_, json_root(copy), NULL, err))
		return stale(w, err);
	if (!json_is_at(json_get(object, "status"), "state", json_text_at(status, "state")))
		log_line(w->log, LOG_INFO, "state", "kind", kinds[kind].kind, "name", kube_name(object), "state",
		    json_text_at(status, "state"), "error", error ? error : "", NULL);
	return true;
}

bool space_patch(struct space *w, enum space_kind kind, const json_node *object, const json_node *patch,
    bool *ret_stale, struct err *err)
{
	CLEANUP(json) struct json *whole = NULL;
	bool done;

	if (!json_clone(patch, &whole, err) ||
	    !json_set_text(json_edit(whole), "metadata/resourceVersion", kube_version(object), err))
		return false;
	done = kube_patch(w->kube, &w->kinds[kind], w->namespace_, kube_name(object), NULL, KUBE_PATCH_MERGE,
	    json_root(whole), NULL, err);
	if (ret_stale)
		*ret_stale = !done;
	return done || stale(w, err);
}

bool space_drop_finalizer(
    struct space *w, enum space_kind kind, const json_node *object, const char *bare, struct err *err)
{
	CLEANUP(json) struct json *rest = NULL;
	CLEANUP(json) struct json *patch = NULL;

	if (!op_finalizer(object, bare))
		return true;
	log_line(w->log, LOG_INFO, "finalizer is done", "kind", kinds[kind].kind, "name", kube_name(object),
	    "finalizer", bare, NULL);
	return op_finalizers_without(object, bare, &rest, err) &&
	       json_format(&patch, err, "{'metadata':{'finalizers':%j}}", json_root(rest)) &&
	       space_patch(w, kind, object, json_root(patch), NULL, err);
}
