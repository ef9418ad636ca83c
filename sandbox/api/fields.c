/*
 * Who owns which field: metadata.managedFields, for server-side apply.
 *
 * A field is a leaf: a scalar, a list as a whole, or an empty object. (A real server goes into lists that its schemas
 * give a key; here they are atomic.) Paths are JSON pointers; fieldsV1 has them as nested "f:" members.
 */
#include "sandbox/api/call.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATHS_MAX 20000
#define PATH_LEN_MAX 4096
#define OWNERS_MAX 64
#define CONFLICTS_MAX 8

struct paths {
	char **items;
	size_t count, cap;
};

static void paths_clear(struct paths *p)
{
	for (size_t i = 0; i < p->count; i++)
		free(p->items[i]);
	free(p->items);
	*p = (struct paths){0};
}
#define PATHS_CLEANUP __attribute__((cleanup(paths_clear)))

static bool paths_add(struct paths *p, const char *path, struct err *err)
{
	if (p->count == PATHS_MAX)
		return err_set(err, ERR_LIMIT, "an object of more than %d fields", PATHS_MAX);
	if (p->count == p->cap) {
		size_t cap = p->cap ? 2 * p->cap : 32;
		char **items = realloc(p->items, cap * sizeof *items);

		if (!items)
			return err_nomem(err);
		p->items = items;
		p->cap = cap;
	}
	p->items[p->count] = strdup(path);
	return p->items[p->count] ? (p->count++, true) : err_nomem(err);
}

static bool paths_has(const struct paths *p, const char *path)
{
	for (size_t i = 0; i < p->count; i++)
		if (!strcmp(p->items[i], path))
			return true;
	return false;
}

/* Appends "/key" with the pointer's escapes. */
static size_t append_key(char *path, size_t len, const char *key)
{
	if (len && len < PATH_LEN_MAX - 1)
		path[len++] = '/';
	for (const char *k = key; *k && len < PATH_LEN_MAX - 2; k++) {
		if (*k == '~' || *k == '/') {
			path[len++] = '~';
			path[len++] = *k == '~' ? '0' : '1';
		} else {
			path[len++] = *k;
		}
	}
	path[len] = '\0';
	return len;
}

static bool unowned(const char *path)
{
	static const char *const exact[] = {"apiVersion", "kind", "metadata/name", "metadata/namespace", "metadata/uid",
	    "metadata/resourceVersion", "metadata/generation", "metadata/creationTimestamp",
	    "metadata/deletionTimestamp", "metadata/deletionGracePeriodSeconds", "metadata/generateName",
	    "metadata/selfLink"};

	for (size_t i = 0; i < sizeof exact / sizeof *exact; i++)
		if (!strcmp(path, exact[i]))
			return true;
	return !strncmp(path, "metadata/managedFields", 22);
}

static bool leaves(const json_node *node, char *path, size_t len, struct paths *out, struct err *err)
{
	if (!json_is_object(node) || !json_first(node))
		return !len || unowned(path) || paths_add(out, path, err);
	for (const json_node *m = json_first(node); m; m = json_next(m)) {
		size_t end = append_key(path, len, json_key(m));

		if (!leaves(m, path, end, out, err))
			return false;
		path[len] = '\0';
	}
	return true;
}

static bool leaves_of(const json_node *root, struct paths *out, struct err *err)
{
	char path[PATH_LEN_MAX] = "";

	return !root || leaves(root, path, 0, out, err);
}

/* --- fieldsV1 ----------------------------------------------------------------------------------------------------- */

/* "a/b~1c" -> "f:a/f:b~1c" */
static void to_fields_path(const char *path, char ret[static 2 * PATH_LEN_MAX])
{
	size_t n = 0;

	for (const char *p = path; n < 2 * PATH_LEN_MAX - 4; p++) {
		if (p == path || p[-1] == '/') {
			ret[n++] = 'f';
			ret[n++] = ':';
		}
		if (!*p)
			break;
		ret[n++] = *p;
	}
	ret[n] = '\0';
}

static bool write_fields(const struct paths *paths, struct json **ret, struct err *err)
{
	CLEANUP(json) struct json *doc = NULL;
	char place[2 * PATH_LEN_MAX];

	if (!json_format(&doc, err, "{}"))
		return false;
	for (size_t i = 0; i < paths->count; i++) {
		to_fields_path(paths->items[i], place);
		if (!json_at(json_root(doc), place) && !json_set_format(json_edit(doc), place, err, "{}"))
			return false;
	}
	*ret = TAKE(doc);
	return true;
}

static bool read_fields(const json_node *node, char *path, size_t len, struct paths *out, struct err *err)
{
	if (!json_first(node))
		return !len || paths_add(out, path, err);
	for (const json_node *m = json_first(node); m; m = json_next(m)) {
		const char *key = json_key(m);
		size_t end = len;

		if (!strncmp(key, "f:", 2))
			end = append_key(path, len, key + 2);
		if (!read_fields(m, path, end, out, err))
			return false;
		path[len] = '\0';
	}
	return true;
}

/* --- owners ------------------------------------------------------------------------------------------------------- */

struct owner {
	char manager[129], operation[8], sub[16], time[32];
	struct paths paths;
};

struct owners {
	struct owner items[OWNERS_MAX];
	size_t count;
};

static void owners_free(struct owners **o)
{
	for (size_t i = 0; *o && i < (*o)->count; i++)
		paths_clear(&(*o)->items[i].paths);
	free(*o);
}
#define OWNERS_CLEANUP __attribute__((cleanup(owners_free)))

static const char *or_empty(const char *text)
{
	return text ? text : "";
}

static bool read_owners(const json_node *root, struct owners **ret, struct err *err)
{
	OWNERS_CLEANUP struct owners *o = calloc(1, sizeof *o);
	char path[PATH_LEN_MAX];

	if (!o)
		return err_nomem(err);
	for (const json_node *m = json_first(json_at(root, "metadata/managedFields")); m && o->count < OWNERS_MAX;
	     m = json_next(m)) {
		struct owner *w = &o->items[o->count++];

		snprintf(w->manager, sizeof w->manager, "%s", or_empty(json_text_at(m, "manager")));
		snprintf(w->operation, sizeof w->operation, "%s", or_empty(json_text_at(m, "operation")));
		snprintf(w->sub, sizeof w->sub, "%s", or_empty(json_text_at(m, "subresource")));
		snprintf(w->time, sizeof w->time, "%s", or_empty(json_text_at(m, "time")));
		path[0] = '\0';
		if (!read_fields(json_at(m, "fieldsV1"), path, 0, &w->paths, err))
			return false;
	}
	*ret = TAKE(o);
	return true;
}

static struct owner *owner_of(struct owners *o, const char *manager, const char *operation, const char *sub)
{
	for (size_t i = 0; i < o->count; i++)
		if (!strcmp(o->items[i].manager, manager) && !strcmp(o->items[i].operation, operation) &&
		    !strcmp(o->items[i].sub, sub))
			return &o->items[i];
	if (o->count == OWNERS_MAX)
		return NULL;
	struct owner *w = &o->items[o->count++];

	snprintf(w->manager, sizeof w->manager, "%s", manager);
	snprintf(w->operation, sizeof w->operation, "%s", operation);
	snprintf(w->sub, sizeof w->sub, "%s", sub);
	return w;
}

static void owner_drop(struct owner *w, const char *path)
{
	for (size_t i = 0; i < w->paths.count; i++)
		if (!strcmp(w->paths.items[i], path)) {
			free(w->paths.items[i]);
			w->paths.items[i] = w->paths.items[--w->paths.count];
			return;
		}
}

static bool write_owners(struct call *c, const struct owners *o, json_node *root, struct err *err)
{
	json_remove_at(root, "metadata/managedFields");
	for (size_t i = 0; i < o->count; i++) {
		const struct owner *w = &o->items[i];
		CLEANUP(json) struct json *fields = NULL;

		if (!w->paths.count)
			continue;
		if ((!json_at(root, "metadata/managedFields") &&
			!json_set_format(root, "metadata/managedFields", err, "[]")) ||
		    !write_fields(&w->paths, &fields, err) ||
		    !json_set_format(root, "metadata/managedFields/-", err,
			"{'manager':%s,'operation':%s,'apiVersion':%s,'time':%s,'fieldsType':'FieldsV1','fieldsV1':%j}",
			w->manager, w->operation, c->res.api_version, w->time, json_root(fields)))
			return false;
		if (w->sub[0]) {
			char place[64];

			snprintf(place, sizeof place, "metadata/managedFields/%zu/subresource",
			    json_count(json_at(root, "metadata/managedFields")) - 1);
			if (!json_set_text(root, place, w->sub, err))
				return false;
		}
	}
	return true;
}

static bool is_apply(const struct call *c)
{
	char type[128];

	call_media_type(c->request->content_type, type, sizeof type);
	return !strcmp(c->request->method, "PATCH") && !strcmp(type, "application/apply-patch+yaml");
}

static bool own(struct owner *w, const char *path, struct err *err)
{
	return paths_has(&w->paths, path) || paths_add(&w->paths, path, err);
}

/* What this write changed is the manager's now, and nobody else's. An apply has settled its own share already. */
bool fields_track(struct call *c, const json_node *before, json_node *after, struct err *err)
{
	OWNERS_CLEANUP struct owners *o = NULL;
	PATHS_CLEANUP struct paths now = {0};
	struct owner *mine;
	char manager[129];
	bool changed = false;

	if (is_apply(c))
		return true;
	call_manager(c, manager);
	/* as it was, whatever the client sent back */
	if (!read_owners(before, &o, err) || !leaves_of(after, &now, err))
		return false;
	mine = owner_of(o, manager, "Update", c->sub ? c->sub : "");
	for (size_t i = 0; i < now.count; i++) {
		const json_node *old = json_at(before, now.items[i]), *new = json_at(after, now.items[i]);

		if (old && json_equal(old, new))
			continue;
		for (size_t w = 0; w < o->count; w++)
			if (&o->items[w] != mine)
				owner_drop(&o->items[w], now.items[i]);
		if (mine && !own(mine, now.items[i], err))
			return false;
		changed = true;
	}
	for (size_t w = 0; w < o->count; w++)
		for (size_t i = o->items[w].paths.count; i-- > 0;)
			if (!json_at(after, o->items[w].paths.items[i]))
				owner_drop(&o->items[w], o->items[w].paths.items[i]);
	if (mine && changed)
		call_now(c->store, mine->time);
	return write_owners(c, o, after, err);
}

/* --- apply -------------------------------------------------------------------------------------------------------- */

static bool conflict(
    struct call *c, const char *name, const struct status_cause *causes, size_t count, const char *first)
{
	const struct status_details details = {.causes = causes, .cause_count = count};

	(void)name;
	return status_failure(c->response, 409, "Conflict", &details, "Apply failed with %zu conflict%s: %s", count,
	    count == 1 ? "" : "s", first);
}

/* kubectl going over from its own way of applying to the server's: as on a real server, it does not meet itself. */
static bool is_same_person(const struct owner *mine, const struct owner *other, const json_node *live)
{
	if (!strcmp(mine->manager, other->manager))
		return true;
	return !strncmp(mine->manager, "kubectl", 7) && !strcmp(other->manager, "kubectl-client-side-apply") &&
	       json_text_at(live, "metadata/annotations/kubectl.kubernetes.io~1last-applied-configuration");
}

static bool find_conflicts(struct call *c, const struct owners *o, const struct owner *mine, const struct paths *wanted,
    const json_node *live, const json_node *patch)
{
	static const size_t size = 400;
	struct status_cause causes[CONFLICTS_MAX];
	char messages[CONFLICTS_MAX][400], fields[CONFLICTS_MAX][400], first[900];
	size_t count = 0;

	for (size_t i = 0; i < wanted->count && count < CONFLICTS_MAX; i++) {
		const json_node *now = json_at(live, wanted->items[i]);

		if (!now || json_equal(now, json_at(patch, wanted->items[i])))
			continue;
		for (size_t w = 0; w < o->count && count < CONFLICTS_MAX; w++) {
			if (&o->items[w] == mine || is_same_person(mine, &o->items[w], live) ||
			    !paths_has(&o->items[w].paths, wanted->items[i]))
				continue;
			snprintf(messages[count], size, "conflict with \"%s\"", o->items[w].manager);
			snprintf(fields[count], size, ".%.380s", wanted->items[i]);
			for (char *p = fields[count]; *p; p++)
				if (*p == '/')
					*p = '.';
			causes[count] = (struct status_cause){"FieldManagerConflict", messages[count], fields[count]};
			count++;
			break;
		}
	}
	if (!count)
		return true;
	snprintf(first, sizeof first, "%s: %s", messages[0], fields[0]);
	return conflict(c, NULL, causes, count, first);
}

bool apply_merge(struct call *c, const json_node *live, const json_node *patch, struct json **ret)
{
	OWNERS_CLEANUP struct owners *o = NULL;
	PATHS_CLEANUP struct paths wanted = {0};
	CLEANUP(json) struct json *doc = NULL;
	struct err err = ERR_INIT;
	struct owner *mine;
	char manager[129];

	call_manager(c, manager);
	if (!read_owners(live, &o, &err) || !leaves_of(patch, &wanted, &err) ||
	    !json_clone(live ? live : patch, &doc, &err))
		return status_internal(c->response, &err);
	mine = owner_of(o, manager, "Apply", c->sub ? c->sub : "");
	if (!mine)
		return status_bad_request(c->response, "more than %d managers of fields", OWNERS_MAX);
	if (live && !query_flag(&c->query, "force") && !find_conflicts(c, o, mine, &wanted, live, patch))
		return false;
	/* what it applied before and no longer does goes, unless somebody else has it, too */
	for (size_t i = mine->paths.count; i-- > 0;) {
		bool others = false;

		if (paths_has(&wanted, mine->paths.items[i]))
			continue;
		for (size_t w = 0; w < o->count; w++)
			others |= &o->items[w] != mine && paths_has(&o->items[w].paths, mine->paths.items[i]);
		if (!others && live)
			json_remove_at(json_edit(doc), mine->paths.items[i]);
		owner_drop(mine, mine->paths.items[i]);
	}
	for (size_t i = 0; i < wanted.count; i++) {
		const json_node *value = json_at(patch, wanted.items[i]), *old = json_at(live, wanted.items[i]);

		/* an empty object says that there is one, not that others' members of it go */
		bool there = json_is_object(value) && json_is_object(json_at(json_root(doc), wanted.items[i]));

		if ((!there && !json_set_copy(json_edit(doc), wanted.items[i], value, &err)) ||
		    !own(mine, wanted.items[i], &err))
			return err.code == ERR_PARSE ? status_bad_request(c->response, "%s", err.msg)
						     : status_internal(c->response, &err);
		for (size_t w = 0; w < o->count; w++)
			if (&o->items[w] != mine && !(old && json_equal(old, value)))
				owner_drop(&o->items[w], wanted.items[i]);
	}
	call_now(c->store, mine->time);
	json_remove_at(json_edit(doc), "metadata/resourceVersion");
	if (json_text_at(patch, "metadata/resourceVersion") &&
	    !json_set_text(
		json_edit(doc), "metadata/resourceVersion", json_text_at(patch, "metadata/resourceVersion"), &err))
		return status_internal(c->response, &err);
	if (!write_owners(c, o, json_edit(doc), &err))
		return status_internal(c->response, &err);
	*ret = TAKE(doc);
	return true;
}
