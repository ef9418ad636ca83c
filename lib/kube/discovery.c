#include "kube/discovery.h"

#include "kube/request.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define KINDS_MAX 8192
#define GROUPS_MAX 512

struct known_kind {
	struct kube_kind kind;
	char singular[128];
	char shorts[256]; /* " a b " */
	bool preferred;	  /* of its group's preferred version */
};

void discovery_clear(struct discovery *d)
{
	free(d->items);
	*d = (struct discovery){0};
}

/* --- reading ----------------------------------------------------------------------------------------------------- */

static unsigned verbs_of(const json_node *list)
{
	static const struct {
		const char *name;
		unsigned bit;
	} verbs[] = {{"get", KUBE_GET}, {"list", KUBE_LIST}, {"watch", KUBE_WATCH}, {"create", KUBE_CREATE},
	    {"update", KUBE_UPDATE}, {"patch", KUBE_PATCH}, {"delete", KUBE_DELETE},
	    {"deletecollection", KUBE_DELETECOLLECTION}};
	unsigned bits = 0;

	for (const json_node *v = json_first(list); v; v = json_next(v))
		for (size_t i = 0; json_string(v) && i < sizeof verbs / sizeof *verbs; i++)
			if (!strcmp(json_string(v), verbs[i].name))
				bits |= verbs[i].bit;
	return bits;
}

/* false: it does not fit, and is left out: nothing of this project is called so */
static bool fill(char *ret, size_t size, const char *text)
{
	return text && *text && (size_t)snprintf(ret, size, "%s", text) < size;
}

static void add_shorts(struct known_kind *known, const json_node *names)
{
	size_t used = 1;

	strcpy(known->shorts, " ");
	for (const json_node *n = json_first(names); n; n = json_next(n)) {
		const char *text = json_string(n);

		if (text && used + strlen(text) + 2 < sizeof known->shorts)
			used += (size_t)snprintf(known->shorts + used, sizeof known->shorts - used, "%s ", text);
	}
}

static bool add_kind(
    struct discovery *d, const char *group, const char *version, bool preferred, const json_node *r, struct err *err)
{
	struct known_kind known = {.preferred = preferred};
	const char *singular = json_text_at(r, "singularName");

	if (!fill(known.kind.plural, sizeof known.kind.plural, json_text_at(r, "name")) ||
	    !fill(known.kind.kind, sizeof known.kind.kind, json_text_at(r, "kind")))
		return true;
	snprintf(known.kind.group, sizeof known.kind.group, "%s", group);
	snprintf(known.kind.version, sizeof known.kind.version, "%s", version);
	/* older servers leave it empty for built-in kinds */
	if (!fill(known.singular, sizeof known.singular, singular))
		strcpy(known.singular, known.kind.kind);
	known.kind.namespaced = json_bool_at(r, "namespaced", false);
	known.kind.verbs = verbs_of(json_get(r, "verbs"));
	add_shorts(&known, json_get(r, "shortNames"));
	if (d->count >= KINDS_MAX)
		return err_set(err, ERR_LIMIT, "more than %d kinds", KINDS_MAX);
	if (d->count == d->cap) {
		size_t cap = d->cap ? d->cap * 2 : 64;
		struct known_kind *more = reallocarray(d->items, cap, sizeof *more);

		if (!more)
			return err_nomem(err);
		d->items = more;
		d->cap = cap;
	}
	d->items[d->count++] = known;
	return true;
}

static bool same_version(const struct known_kind *known, const char *group, const char *version)
{
	return !strcmp(known->kind.group, group) && !strcmp(known->kind.version, version);
}

static void note_status(struct discovery *d, const char *group, const char *version, const char *name)
{
	size_t len = strcspn(name, "/");

	if (strcmp(name + len, "/status"))
		return;
	for (size_t i = 0; i < d->count; i++)
		if (same_version(&d->items[i], group, version) && strlen(d->items[i].kind.plural) == len &&
		    !strncmp(d->items[i].kind.plural, name, len))
			d->items[i].kind.has_status = true;
}

static void forget(struct discovery *d, const char *group, const char *version)
{
	size_t kept = 0;

	for (size_t i = 0; i < d->count; i++)
		if (!same_version(&d->items[i], group, version))
			d->items[kept++] = d->items[i];
	d->count = kept;
}

static bool take_version(
    struct discovery *d, const char *group, const char *version, bool preferred, const json_node *list, struct err *err)
{
	const json_node *resources = json_get(list, "resources");

	forget(d, group, version);
	for (const json_node *r = json_first(resources); r; r = json_next(r)) {
		const char *name = json_text_at(r, "name");

		if (name && !strchr(name, '/') && !add_kind(d, group, version, preferred, r, err))
			return false;
	}
	for (const json_node *r = json_first(resources); r; r = json_next(r))
		if (json_text_at(r, "name"))
			note_status(d, group, version, json_text_at(r, "name"));
	return true;
}

/* --- asking ------------------------------------------------------------------------------------------------------ */

static bool ask(struct kube *k, const char *path, struct json **ret, struct err *err)
{
	struct call call = {.verb = "discover", .method = "GET", .path = path, .max_attempts = 3};

	return kube_call(k, &call, ret, err);
}

static bool ask_version(struct kube *k, const char *group, const char *version, bool preferred, struct err *err)
{
	CLEANUP(json) struct json *doc = NULL;
	BUF_CLEANUP struct buf path = BUF_INIT(KUBE_PATH_MAX);

	if (!buf_printf(&path, err, *group ? "/apis/%s/%s" : "/api%s/%s", group, version) ||
	    !ask(k, buf_str(&path), &doc, err))
		return false;
	return take_version(&k->discovery, group, version, preferred, doc ? json_root(doc) : NULL, err);
}

/* The first of them is told. */
static void note_unread(struct discovery *d, const char *name)
{
	if (!d->unread[0])
		snprintf(d->unread, sizeof d->unread, "%s", name && *name ? name : "?");
}

/* One group's service that is down (its metrics, say) must not hide the others. */
static bool ask_group(struct kube *k, const json_node *group, struct err *err)
{
	const char *name = json_text_at(group, "name"), *version = json_text_at(group, "preferredVersion/version");
	struct err why = ERR_INIT;

	if (!name || !*name || strchr(name, '/') || !version || !*version || strchr(version, '/')) {
		note_unread(&k->discovery, name);
		return true;
	}
	if (ask_version(k, name, version, true, &why))
		return true;
	if (why.code == ERR_REMOTE || why.code == ERR_UNSUPPORTED || why.code == ERR_PARSE ||
	    (why.code == ERR_TIMEOUT && k->status)) {
		note_unread(&k->discovery, name);
		return true;
	}
	if (err)
		*err = why;
	return false;
}

/* only: this group alone, or NULL for all. */
static bool ask_groups(struct kube *k, const char *only, struct err *err)
{
	CLEANUP(json) struct json *doc = NULL;
	size_t count = 0;

	if (!ask(k, "/apis", &doc, err))
		return false;
	for (const json_node *g = json_first(json_get(doc ? json_root(doc) : NULL, "groups")); g; g = json_next(g)) {
		if (++count > GROUPS_MAX)
			return err_set(err, ERR_LIMIT, "discover: more than %d API groups", GROUPS_MAX);
		if ((!only || json_is_at(g, "name", only)) && !ask_group(k, g, err))
			return false;
	}
	return true;
}

static bool ask_all(struct kube *k, struct err *err)
{
	discovery_clear(&k->discovery);
	if (!ask_version(k, "", "v1", true, err) || !ask_groups(k, NULL, err))
		return false;
	k->discovery.all = true;
	return true;
}

/* --- finding ----------------------------------------------------------------------------------------------------- */

static bool called(const struct known_kind *known, const char *name, size_t len)
{
	char padded[140];

	if (!len || len > 128)
		return false;
	snprintf(padded, sizeof padded, " %.*s ", (int)len, name);
	return (strlen(known->kind.plural) == len && !strncasecmp(known->kind.plural, name, len)) ||
	       (strlen(known->singular) == len && !strncasecmp(known->singular, name, len)) ||
	       (strlen(known->kind.kind) == len && !strncasecmp(known->kind.kind, name, len)) ||
	       strcasestr(known->shorts, padded);
}

/* The core group is first in the list, and then the order is the server's, as kubectl has it. */
static const struct known_kind *find(const struct discovery *d, const char *name)
{
	size_t len = strcspn(name, ".");
	const char *group = name[len] ? name + len + 1 : NULL;

	for (size_t i = 0; i < d->count; i++) {
		const struct known_kind *known = &d->items[i];

		if (known->preferred && called(known, name, len) && (!group || !strcmp(group, known->kind.group)))
			return known;
	}
	return NULL;
}

bool kube_find_kind(struct kube *k, const char *name, struct kube_kind *ret, struct err *err)
{
	const struct known_kind *known = find(&k->discovery, name);

	/* without a group, a name that only one of the groups asked so far has may be another one's, too */
	if (!known || (!k->discovery.all && !strchr(name, '.'))) {
		if (!ask_all(k, err))
			return err_wrap(err, "find kind \"%.128s\"", name);
		known = find(&k->discovery, name);
	}
	if (!known) {
		err_set(err, ERR_UNSUPPORTED, "the server \"%s\" knows no kind \"%.128s\"", k->config.server, name);
		return err_hint(err, "check that its custom resource definition is installed");
	}
	*ret = known->kind;
	return true;
}

bool kube_each_kind(struct kube *k, bool (*each)(void *ctx, const struct kube_kind *kind, struct err *err), void *ctx,
    char ret_unread[static 128], struct err *err)
{
	CLEANUP(free) struct kube_kind *kinds = NULL;
	size_t count = 0;

	if (!ask_all(k, err))
		return err_wrap(err, "list the kinds");
	strcpy(ret_unread, k->discovery.unread);
	kinds = calloc(k->discovery.count + 1, sizeof *kinds);
	if (!kinds)
		return err_nomem(err);
	/* a copy: each() may ask for a kind that is not known yet */
	for (size_t i = 0; i < k->discovery.count; i++)
		if (k->discovery.items[i].preferred && (k->discovery.items[i].kind.verbs & KUBE_LIST))
			kinds[count++] = k->discovery.items[i].kind;
	for (size_t i = 0; i < count; i++)
		if (!each(ctx, &kinds[i], err))
			return false;
	return true;
}

static const struct known_kind *find_exact(
    const struct discovery *d, const char *group, const char *version, const char *kind)
{
	for (size_t i = 0; i < d->count; i++)
		if (same_version(&d->items[i], group, version) && !strcmp(d->items[i].kind.kind, kind))
			return &d->items[i];
	return NULL;
}

bool kube_kind_of(struct kube *k, const char *api_version, const char *kind, struct kube_kind *ret, struct err *err)
{
	const char *slash = strchr(api_version, '/'), *version = slash ? slash + 1 : api_version;
	const struct known_kind *known;
	char group[128];

	if (!*version || strchr(version, '/') || strpbrk(api_version, "?#% ") ||
	    (slash && (size_t)(slash - api_version) >= sizeof group))
		return err_set(err, ERR_PARSE, "\"%.128s\" is no apiVersion", api_version);
	snprintf(group, sizeof group, "%.*s", slash ? (int)(slash - api_version) : 0, api_version);
	known = find_exact(&k->discovery, group, version, kind);
	if (!known) {
		struct err why = ERR_INIT;

		if (!ask_version(k, group, version, false, &why) && why.code != ERR_UNSUPPORTED) {
			if (err)
				*err = why;
			return err_wrap(err, "find kind %.128s of %.128s", kind, api_version);
		}
		known = find_exact(&k->discovery, group, version, kind);
	}
	if (!known) {
		err_set(err, ERR_UNSUPPORTED, "the server \"%s\" knows no kind %.128s of %.128s", k->config.server,
		    kind, api_version);
		return err_hint(err, "check that its custom resource definition is installed");
	}
	*ret = known->kind;
	return true;
}

bool kube_is_kind(const struct kube_kind *kind, const char *group, const char *plural)
{
	return !strcmp(kind->group, group) && !strcmp(kind->plural, plural);
}

void kube_kind_set(struct kube_kind *ret, const char *group, const char *version, const char *plural, const char *kind,
    bool namespaced)
{
	*ret = (struct kube_kind){.namespaced = namespaced, .has_status = true, .verbs = ~0U};
	snprintf(ret->group, sizeof ret->group, "%s", group);
	snprintf(ret->version, sizeof ret->version, "%s", version);
	snprintf(ret->plural, sizeof ret->plural, "%s", plural);
	snprintf(ret->kind, sizeof ret->kind, "%s", kind);
}
