#include "kube/request.h"

#include <stdio.h>
#include <string.h>

#define PAGE "250"
#define ITEMS_MAX 100000
/* for the question whether a create was done after all */
#define LOOK_UP_MS 10000
/* a list that changes under the reader is begun anew this often */
#define LIST_TURNS 5

#define PATH_INIT BUF_INIT(KUBE_PATH_MAX)

static bool get(struct kube *k, const struct kube_kind *kind, const char *namespace_, const char *name, const char *sub,
    struct json **ret, struct err *err)
{
	BUF_CLEANUP struct buf path = PATH_INIT;
	struct call call = {.verb = "get",
	    .method = "GET",
	    .kind = kind,
	    .namespace_ = kind->namespaced ? namespace_ : NULL,
	    .name = name};

	if (!kube_path(&path, kind, namespace_, name, sub, err))
		return err_wrap(err, "get");
	call.path = buf_str(&path);
	return kube_call(k, &call, ret, err);
}

bool kube_get(struct kube *k, const struct kube_kind *kind, const char *namespace_, const char *name, struct json **ret,
    struct err *err)
{
	return get(k, kind, namespace_, name, NULL, ret, err);
}

bool kube_get_sub(struct kube *k, const struct kube_kind *kind, const char *namespace_, const char *name,
    const char *sub, struct json **ret, struct err *err)
{
	return get(k, kind, namespace_, name, sub, ret, err);
}

bool kube_get_raw(struct kube *k, const char *path, struct json **ret, struct err *err)
{
	struct call call = {.verb = "get", .method = "GET", .path = path};

	return kube_call(k, &call, ret, err);
}

/* --- lists ------------------------------------------------------------------------------------------------------- */

bool kube_add_select(struct buf *path, const struct kube_select *select, struct err *err)
{
	return !select || ((!select->labels || kube_query(path, "labelSelector", select->labels, err)) &&
			      (!select->fields || kube_query(path, "fieldSelector", select->fields, err)));
}

struct listing {
	struct kube *k;
	const struct kube_kind *kind;
	const char *namespace_;
	const struct kube_select *select;
	int max_attempts;
	int64_t timeout_ms, deadline_ms;
};

static bool get_page(const struct listing *l, const char *next, struct json **ret, struct err *err)
{
	BUF_CLEANUP struct buf path = PATH_INIT;
	int64_t left = l->deadline_ms - clock_mono_ms(l->k->clock);
	struct call call = {.verb = "list",
	    .method = "GET",
	    .kind = l->kind,
	    .namespace_ = l->kind->namespaced ? l->namespace_ : NULL,
	    .max_attempts = l->max_attempts,
	    .timeout_ms = left > 1 ? left : 1};

	if (!kube_path(&path, l->kind, l->namespace_, NULL, NULL, err) || !kube_query(&path, "limit", PAGE, err) ||
	    !kube_add_select(&path, l->select, err) || (next && !kube_query(&path, "continue", next, err)))
		return err_wrap(err, "list");
	call.path = buf_str(&path);
	if (!kube_call(l->k, &call, ret, err))
		return false;
	if (*ret && json_is_array(json_get(json_root(*ret), "items")))
		return true;
	/* built-in lists write an empty list as null in some versions */
	if (*ret && json_is_object(json_root(*ret)) && json_set_format(json_edit(*ret), "items", err, "[]"))
		return true;
	json_free(*ret);
	*ret = NULL;
	return err_set(err, ERR_PARSE, "list %s: the answer is no list", l->kind->plural);
}

static bool append(struct json *list, const json_node *page, struct err *err)
{
	for (const json_node *item = json_first(json_get(page, "items")); item; item = json_next(item)) {
		if (json_count(json_get(json_root(list), "items")) >= ITEMS_MAX)
			return err_set(err, ERR_LIMIT, "list: more than %d items", ITEMS_MAX);
		if (!json_set_copy(json_edit(list), "items/-", item, err))
			return false;
	}
	return json_set_text(json_edit(list), "metadata/continue", json_text_at(page, "metadata/continue"), err);
}

static bool list_pages(const struct listing *l, struct json **ret, struct err *err)
{
	CLEANUP(json) struct json *list = NULL;

	if (!get_page(l, NULL, &list, err))
		return false;
	for (;;) {
		CLEANUP(json) struct json *page = NULL;
		const char *next = json_text_at(json_root(list), "metadata/continue");

		if (!next || !*next)
			break;
		if (!get_page(l, next, &page, err) || !append(list, json_root(page), err))
			return false;
	}
	json_remove_at(json_edit(list), "metadata/continue");
	*ret = TAKE(list);
	return true;
}

/* Items of built-in kinds do not say what they are; whoever takes one out of its list wants to know. */
static bool name_items(struct json *list, const struct kube_kind *kind, struct err *err)
{
	char api_version[200];

	snprintf(api_version, sizeof api_version, "%s%s%s", kind->group, *kind->group ? "/" : "", kind->version);
	for (const json_node *item = json_first(json_get(json_root(list), "items")); item; item = json_next(item)) {
		json_node *to = (json_node *)(uintptr_t)item;

		if (!json_is_object(item))
			return err_set(err, ERR_PARSE, "list %s: an item is no object", kind->plural);
		if ((!json_text_at(item, "kind") && !json_set_text(to, "kind", kind->kind, err)) ||
		    (!json_text_at(item, "apiVersion") && !json_set_text(to, "apiVersion", api_version, err)))
			return false;
	}
	return true;
}

bool kube_list_within(struct kube *k, const struct kube_kind *kind, const char *namespace_,
    const struct kube_select *select, int max_attempts, int64_t timeout_ms, struct json **ret, struct err *err)
{
	struct listing l = {
	    k, kind, namespace_, select, max_attempts, timeout_ms, clock_mono_ms(k->clock) + timeout_ms};
	CLEANUP(json) struct json *list = NULL;

	for (int turn = 1;; turn++) {
		struct err why = ERR_INIT;

		if (list_pages(&l, &list, &why))
			break;
		if (why.code != ERR_GONE || turn == LIST_TURNS) {
			if (err)
				*err = why;
			return false;
		}
	}
	if (!name_items(list, kind, err))
		return false;
	*ret = TAKE(list);
	return true;
}

bool kube_list(struct kube *k, const struct kube_kind *kind, const char *namespace_, const struct kube_select *select,
    struct json **ret, struct err *err)
{
	return kube_list_within(k, kind, namespace_, select, 0, k->timeout_ms, ret, err);
}

/* --- create ------------------------------------------------------------------------------------------------------ */

/* Everything in `part` is in `whole`: a server adds defaults and takes nothing away but status. */
static bool holds(const json_node *whole, const json_node *part)
{
	if (json_is_array(part)) {
		const json_node *w = json_first(whole);

		if (!json_is_array(whole) || json_count(whole) != json_count(part))
			return false;
		for (const json_node *p = json_first(part); p; p = json_next(p), w = json_next(w))
			if (!holds(w, p))
				return false;
		return true;
	}
	if (!json_is_object(part))
		return json_equal(whole, part);
	for (const json_node *p = json_first(part); p; p = json_next(p))
		if (!json_is_null(p) && !holds(json_get(whole, json_key(p)), p))
			return false;
	return json_is_object(whole);
}

/* Made since we asked, by the server's own clock, and with all that we asked for. */
static bool is_ours(const json_node *found, const json_node *object, int64_t date_ms, int64_t elapsed_ms)
{
	const char *created = json_text_at(found, "metadata/creationTimestamp");
	int64_t created_ms;
	static const char *const parts[] = {"spec", "data", "metadata/labels", "metadata/annotations"};

	if (date_ms < 0 || !created || !time_parse(created, &created_ms) || created_ms < date_ms - elapsed_ms - 1000)
		return false;
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
		if (json_at(object, parts[i]) && !holds(json_at(found, parts[i]), json_at(object, parts[i])))
			return false;
	return true;
}

static bool get_again(
    struct kube *k, const struct call *create, struct json **ret, int64_t *ret_date_ms, struct err *err)
{
	BUF_CLEANUP struct buf path = PATH_INIT;
	struct call call = {.verb = "get",
	    .method = "GET",
	    .kind = create->kind,
	    .namespace_ = create->namespace_,
	    .name = create->name,
	    .timeout_ms = LOOK_UP_MS,
	    .ret_date_ms = ret_date_ms};

	if (!kube_path(&path, create->kind, create->namespace_, create->name, NULL, err))
		return false;
	call.path = buf_str(&path);
	return kube_call(k, &call, ret, err);
}

/* More to the point than what a connection's error hints at. */
static bool hint_over(struct err *err, const char *hint)
{
	if (err)
		*err->hint = '\0';
	return err_hint(err, "%s", hint);
}

/* The answer to a create was lost: what is there now tells. */
static bool look_up(struct kube *k, const struct call *create, int64_t began_ms, struct json **ret,
    const struct err *lost, struct err *err)
{
	CLEANUP(json) struct json *found = NULL;
	struct err why = ERR_INIT;
	int64_t date_ms;

	if (!get_again(k, create, &found, &date_ms, &why)) {
		if (err)
			*err = *lost;
		return hint_over(err, why.code == ERR_NOT_FOUND
					  ? "it was not made, as far as could be seen afterwards: try again"
					  : "whether it was made is not known: look before trying again");
	}
	if (found && is_ours(json_root(found), create->body, date_ms, clock_mono_ms(k->clock) - began_ms)) {
		if (ret)
			*ret = TAKE(found);
		return true;
	}
	err_set(err, ERR_EXISTS, "%.900s; an object of that name is there", lost->msg);
	return hint_over(err, "the answer to the create was lost: it may be one's own object");
}

bool kube_create(struct kube *k, const struct kube_kind *kind, const char *namespace_, const json_node *object,
    struct json **ret, struct err *err)
{
	BUF_CLEANUP struct buf path = PATH_INIT;
	const char *name = kube_name(object), *generate = json_text_at(object, "metadata/generateName");
	struct call call = {.verb = "create",
	    .method = "POST",
	    .kind = kind,
	    .namespace_ = kind->namespaced ? namespace_ : NULL,
	    .name = name ? name : generate,
	    .body = object};
	int64_t began_ms = clock_mono_ms(k->clock);
	struct err why = ERR_INIT;

	if (kind->namespaced && !namespace_)
		return err_set(
		    err, ERR_USAGE, "create %s \"%s\": no namespace is given", kind->kind, call.name ? call.name : "");
	if (!kube_path(&path, kind, namespace_, NULL, NULL, err) || !kube_query(&path, "fieldManager", k->manager, err))
		return err_wrap(err, "create");
	call.path = buf_str(&path);
	if (kube_call(k, &call, ret, &why))
		return true;
	/* refused for good, stopped, or never sent */
	if (!kube_is_away(k, &why) || k->status == 429) {
		if (err)
			*err = why;
		return false;
	}
	if (name)
		return look_up(k, &call, began_ms, ret, &why, err);
	if (err)
		*err = why;
	return hint_over(err, "it may have been made, under a generated name: look before trying again");
}

/* --- change ------------------------------------------------------------------------------------------------------ */

static bool replace(struct kube *k, const struct kube_kind *kind, const char *namespace_, const char *sub,
    const json_node *object, struct json **ret, struct err *err)
{
	BUF_CLEANUP struct buf path = PATH_INIT;
	struct call call = {.verb = sub ? "update status of" : "update",
	    .method = "PUT",
	    .kind = kind,
	    .namespace_ = kind->namespaced ? namespace_ : NULL,
	    .name = kube_name(object),
	    .body = object};

	if (!call.name)
		return err_set(err, ERR_USAGE, "update %s: the object has no name", kind->kind);
	/* some kinds take a PUT without one, and then the last one wins in silence */
	if (!kube_version(object))
		return err_set(
		    err, ERR_USAGE, "update %s \"%s\": the object has no resourceVersion", kind->kind, call.name);
	if (!kube_path(&path, kind, namespace_, call.name, sub, err) ||
	    !kube_query(&path, "fieldManager", k->manager, err))
		return err_wrap(err, "update");
	call.path = buf_str(&path);
	return kube_call(k, &call, ret, err);
}

bool kube_replace(struct kube *k, const struct kube_kind *kind, const char *namespace_, const json_node *object,
    struct json **ret, struct err *err)
{
	return replace(k, kind, namespace_, NULL, object, ret, err);
}

bool kube_replace_status(struct kube *k, const struct kube_kind *kind, const char *namespace_, const json_node *object,
    struct json **ret, struct err *err)
{
	return replace(k, kind, namespace_, "status", object, ret, err);
}

static bool patch_of(struct kube *k, const struct kube_kind *kind, const char *namespace_, const char *name,
    const char *sub, enum kube_patch_type type, bool dry_run, const json_node *patch, struct json **ret,
    struct err *err)
{
	static const char *const types[] = {
	    [KUBE_PATCH_MERGE] = "application/merge-patch+json",
	    [KUBE_PATCH_JSON] = "application/json-patch+json",
	    [KUBE_PATCH_APPLY] = "application/apply-patch+yaml",
	    [KUBE_PATCH_APPLY_FORCE] = "application/apply-patch+yaml",
	};
	bool apply = type == KUBE_PATCH_APPLY || type == KUBE_PATCH_APPLY_FORCE;
	BUF_CLEANUP struct buf path = PATH_INIT;
	struct call call = {.verb = apply ? "apply" : "patch",
	    .method = "PATCH",
	    .kind = kind,
	    .namespace_ = kind->namespaced ? namespace_ : NULL,
	    .name = name,
	    .body = patch,
	    .content_type = types[type],
	    /* a merge patch or an apply comes to the same when done twice; a JSON patch may not */
	    .harmless = type != KUBE_PATCH_JSON && !kube_version(patch)};

	if (!kube_path(&path, kind, namespace_, name, sub, err) ||
	    !kube_query(&path, "fieldManager", k->manager, err) ||
	    (type == KUBE_PATCH_APPLY_FORCE && !kube_query(&path, "force", "true", err)) ||
	    (dry_run && !kube_query(&path, "dryRun", "All", err)))
		return err_wrap(err, "%s", call.verb);
	call.path = buf_str(&path);
	return kube_call(k, &call, ret, err);
}

bool kube_patch(struct kube *k, const struct kube_kind *kind, const char *namespace_, const char *name, const char *sub,
    enum kube_patch_type type, const json_node *patch, struct json **ret, struct err *err)
{
	return patch_of(k, kind, namespace_, name, sub, type, false, patch, ret, err);
}

bool kube_apply(struct kube *k, const char *namespace_, const json_node *object, bool force, bool dry_run,
    struct json **ret, struct err *err)
{
	const char *api_version = json_text_at(object, "apiVersion"), *kind_name = json_text_at(object, "kind");
	const char *name = kube_name(object), *own = kube_namespace(object);
	struct kube_kind kind;

	if (!api_version || !kind_name || !name)
		return err_set(err, ERR_USAGE, "apply: the object lacks %s",
		    !api_version ? "its apiVersion"
		    : !kind_name ? "its kind"
				 : "a name");
	if (!kube_kind_of(k, api_version, kind_name, &kind, err))
		return err_wrap(err, "apply \"%s\"", name);
	return patch_of(k, &kind, own ? own : namespace_, name, NULL, force ? KUBE_PATCH_APPLY_FORCE : KUBE_PATCH_APPLY,
	    dry_run, object, ret, err);
}

/* --- delete ------------------------------------------------------------------------------------------------------ */

static bool delete_body(const struct kube_delete *o, struct json **ret, struct err *err)
{
	CLEANUP(json) struct json *body = NULL;

	/* always said: the old default of some kinds is to leave the dependents behind */
	if (!json_format(&body, err, "{'kind':'DeleteOptions','apiVersion':'v1','propagationPolicy':%s}",
		o->propagation ? o->propagation : "Background") ||
	    (o->uid && !json_set_format(json_edit(body), "preconditions", err, "{'uid':%s}", o->uid)) ||
	    (o->grace_seconds >= 0 && !json_set_int(json_edit(body), "gracePeriodSeconds", o->grace_seconds, err)) ||
	    (o->dry_run && !json_set_format(json_edit(body), "dryRun", err, "['All']")))
		return false;
	*ret = TAKE(body);
	return true;
}

static const struct kube_delete plain = {.grace_seconds = -1};

bool kube_delete(struct kube *k, const struct kube_kind *kind, const char *namespace_, const char *name,
    const struct kube_delete *options, struct err *err)
{
	BUF_CLEANUP struct buf path = PATH_INIT;
	CLEANUP(json) struct json *body = NULL;
	struct err why = ERR_INIT;
	int attempts = 1;
	struct call call = {.verb = "delete",
	    .method = "DELETE",
	    .kind = kind,
	    .namespace_ = kind->namespaced ? namespace_ : NULL,
	    .name = name,
	    .ret_attempts = &attempts};

	/* without one the path is that of all of them */
	if (!name)
		return err_set(err, ERR_USAGE, "delete: %s without a name", kind->kind);
	if (!kube_path(&path, kind, namespace_, name, NULL, err) ||
	    !delete_body(options ? options : &plain, &body, err))
		return err_wrap(err, "delete");
	call.path = buf_str(&path);
	call.body = json_root(body);
	if (kube_call(k, &call, NULL, &why))
		return true;
	/* an earlier attempt whose answer was lost did it */
	if (why.code == ERR_NOT_FOUND && attempts > 1)
		return true;
	if (err)
		*err = why;
	return false;
}

bool kube_delete_all(struct kube *k, const struct kube_kind *kind, const char *namespace_,
    const struct kube_select *select, const struct kube_delete *options, struct err *err)
{
	BUF_CLEANUP struct buf path = PATH_INIT;
	CLEANUP(json) struct json *body = NULL;
	struct call call = {.verb = "delete all of",
	    .method = "DELETE",
	    .kind = kind,
	    .namespace_ = kind->namespaced ? namespace_ : NULL};

	if (kind->namespaced && !namespace_)
		return err_set(err, ERR_USAGE, "delete all of %s: no namespace is given", kind->plural);
	if (!kube_path(&path, kind, namespace_, NULL, NULL, err) || !kube_add_select(&path, select, err) ||
	    !delete_body(options ? options : &plain, &body, err))
		return err_wrap(err, "delete all of %s", kind->plural);
	call.path = buf_str(&path);
	call.body = json_root(body);
	return kube_call(k, &call, NULL, err);
}
