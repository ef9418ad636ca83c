/* Paths that are no objects: versions, health, groups and their kinds. */
#include "sandbox/api/call.h"

#include "doc/json_writer.h"

#include <stdio.h>
#include <string.h>

#define GROUPS_MAX 64
/* What clients take as the server's age; the real one that it imitates. */
#define GIT_VERSION "v1.30.14"

static bool plain(struct call *c, const char *text)
{
	c->response->content_type = "text/plain; charset=utf-8";
	buf_reset(&c->response->body);
	buf_add_str(&c->response->body, text, NULL);
	c->response->code = 200;
	return true;
}

static bool finish(struct call *c, const struct json_writer *w)
{
	struct err err = ERR_INIT;

	if (!json_writer_ok(w, &err))
		return status_internal(c->response, &err), true;
	c->response->code = 200;
	return true;
}

static bool put_version(struct call *c)
{
	struct json_writer w;

	json_writer_init(&w, &c->response->body);
	json_object(&w, NULL);
	json_put_string(&w, "major", "1");
	json_put_string(&w, "minor", "30");
	json_put_string(&w, "gitVersion", GIT_VERSION "+psmdb-sandbox");
	json_put_string(&w, "gitCommit", "");
	json_put_string(&w, "gitTreeState", "clean");
	json_put_string(&w, "buildDate", "1970-01-01T00:00:00Z");
	json_put_string(&w, "goVersion", "");
	json_put_string(&w, "compiler", "");
	json_put_string(&w, "platform", "linux/amd64");
	json_end_object(&w);
	return finish(c, &w);
}

static bool put_core(struct call *c)
{
	struct json_writer w;

	json_writer_init(&w, &c->response->body);
	json_object(&w, NULL);
	json_put_string(&w, "kind", "APIVersions");
	json_array(&w, "versions");
	json_put_string(&w, NULL, "v1");
	json_end_array(&w);
	json_array(&w, "serverAddressByClientCIDRs");
	json_object(&w, NULL);
	json_put_string(&w, "clientCIDR", "0.0.0.0/0");
	json_put_string(&w, "serverAddress", c->api->server_address ? c->api->server_address : "");
	json_end_object(&w);
	json_end_array(&w);
	json_end_object(&w);
	return finish(c, &w);
}

/* --- groups ------------------------------------------------------------------------------------------------------- */

struct group_version {
	char group[128], version[64];
};

struct groups {
	struct group_version items[GROUPS_MAX];
	size_t count;
};

static bool note_group(void *ctx, const struct resource *r)
{
	struct groups *g = ctx;

	for (size_t i = 0; i < g->count; i++)
		if (!strcmp(g->items[i].group, r->group) && !strcmp(g->items[i].version, r->version))
			return true;
	if (r->group[0] && g->count < GROUPS_MAX) {
		strcpy(g->items[g->count].group, r->group);
		strcpy(g->items[g->count++].version, r->version);
	}
	return true;
}

static void put_group_version(struct json_writer *w, const char *key, const struct group_version *v)
{
	char both[200];

	snprintf(both, sizeof both, "%s/%s", v->group, v->version);
	json_object(w, key);
	json_put_string(w, "groupVersion", both);
	json_put_string(w, "version", v->version);
	json_end_object(w);
}

static void put_group(struct json_writer *w, const struct groups *g, size_t first, bool whole)
{
	json_object(w, NULL);
	if (whole) {
		json_put_string(w, "kind", "APIGroup");
		json_put_string(w, "apiVersion", "v1");
	}
	json_put_string(w, "name", g->items[first].group);
	json_array(w, "versions");
	for (size_t i = first; i < g->count; i++)
		if (!strcmp(g->items[i].group, g->items[first].group))
			put_group_version(w, NULL, &g->items[i]);
	json_end_array(w);
	put_group_version(w, "preferredVersion", &g->items[first]);
	json_end_object(w);
}

static bool seen(const struct groups *g, size_t at)
{
	for (size_t i = 0; i < at; i++)
		if (!strcmp(g->items[i].group, g->items[at].group))
			return true;
	return false;
}

static bool put_groups(struct call *c, const char *only)
{
	struct groups g = {.count = 0};
	struct json_writer w;

	db_lock(c->store);
	resource_each(c->store, note_group, &g);
	db_unlock(c->store);
	json_writer_init(&w, &c->response->body);
	if (only) {
		for (size_t i = 0; i < g.count; i++)
			if (!strcmp(g.items[i].group, only)) {
				put_group(&w, &g, i, true);
				return finish(c, &w);
			}
		return status_page_not_found(c->response), true;
	}
	json_object(&w, NULL);
	json_put_string(&w, "kind", "APIGroupList");
	json_put_string(&w, "apiVersion", "v1");
	json_array(&w, "groups");
	for (size_t i = 0; i < g.count; i++)
		if (!seen(&g, i))
			put_group(&w, &g, i, false);
	json_end_array(&w);
	json_end_object(&w);
	return finish(c, &w);
}

/* --- kinds of a group --------------------------------------------------------------------------------------------- */

struct kinds {
	const char *group, *version;
	struct json_writer *w;
	size_t count;
};

static void put_verbs(struct json_writer *w, unsigned verbs)
{
	unsigned verb;
	const char *name;

	json_array(w, "verbs");
	for (unsigned i = 0; (name = resource_verb_name(i, &verb)); i++)
		if (verbs & verb)
			json_put_string(w, NULL, name);
	json_end_array(w);
}

static void put_sub(struct json_writer *w, const struct resource *r, const char *sub, unsigned verbs)
{
	char name[160];

	snprintf(name, sizeof name, "%s/%s", r->plural, sub);
	json_object(w, NULL);
	json_put_string(w, "name", name);
	json_put_string(w, "singularName", "");
	json_put_bool(w, "namespaced", r->namespaced);
	json_put_string(w, "kind", r->kind);
	put_verbs(w, verbs);
	json_end_object(w);
}

static void put_binding(struct json_writer *w)
{
	const struct resource binding = {.plural = "pods", .kind = "Binding", .namespaced = true};

	put_sub(w, &binding, "binding", VERB_CREATE);
}

static bool put_kind(void *ctx, const struct resource *r)
{
	struct kinds *k = ctx;
	struct json_writer *w = k->w;

	if (strcmp(r->group, k->group) != 0 || strcmp(r->version, k->version) != 0)
		return true;
	k->count++;
	json_object(w, NULL);
	json_put_string(w, "name", r->plural);
	json_put_string(w, "singularName", r->singular);
	json_put_bool(w, "namespaced", r->namespaced);
	json_put_string(w, "kind", r->kind);
	put_verbs(w, r->verbs);
	if (r->short_names[0][0]) {
		json_array(w, "shortNames");
		for (size_t i = 0; i < RESOURCE_SHORT_MAX && r->short_names[i][0]; i++)
			json_put_string(w, NULL, r->short_names[i]);
		json_end_array(w);
	}
	if (r->category[0]) {
		json_array(w, "categories");
		json_put_string(w, NULL, r->category);
		json_end_array(w);
	}
	json_end_object(w);
	if (r->has_status)
		put_sub(w, r, "status", VERB_GET | VERB_PATCH | VERB_UPDATE);
	if (!strcmp(r->key, "/pods"))
		put_binding(w), put_sub(w, r, "log", VERB_GET);
	return true;
}

static bool put_kinds(struct call *c, const char *group, const char *version)
{
	struct json_writer w;
	struct kinds k = {group, version, &w, 0};
	char both[200];

	snprintf(both, sizeof both, "%.127s%s%.63s", group, *group ? "/" : "", version);
	json_writer_init(&w, &c->response->body);
	json_object(&w, NULL);
	json_put_string(&w, "kind", "APIResourceList");
	json_put_string(&w, "apiVersion", "v1");
	json_put_string(&w, "groupVersion", both);
	json_array(&w, "resources");
	db_lock(c->store);
	resource_each(c->store, put_kind, &k);
	db_unlock(c->store);
	json_end_array(&w);
	json_end_object(&w);
	if (!k.count)
		return status_page_not_found(c->response), true;
	return finish(c, &w);
}

bool call_discovery(struct call *c)
{
	static const char *const health[] = {"healthz", "livez", "readyz"};
	const struct query *q = &c->query;
	const char *first = q->segment_count ? q->segments[0] : "";
	bool get = !strcmp(c->request->method, "GET") || !strcmp(c->request->method, "HEAD");

	if (q->odd || !get)
		return false;
	for (size_t i = 0; i < sizeof health / sizeof *health; i++)
		if (!strcmp(first, health[i]))
			return plain(c, query_flag(q, "verbose") ? "[+]ping ok\nok\n" : "ok");
	if (!strcmp(first, "version") && q->segment_count == 1)
		return put_version(c);
	if (!strcmp(c->user, "system:anonymous"))
		return false; /* the rest is for those who are known */
	if (call_openapi(c))
		return true;
	if (!strcmp(first, "api") && q->segment_count == 1)
		return put_core(c);
	if (!strcmp(first, "api") && q->segment_count == 2)
		return put_kinds(c, "", q->segments[1]);
	if (!strcmp(first, "apis") && q->segment_count == 1)
		return put_groups(c, NULL);
	if (!strcmp(first, "apis") && q->segment_count == 2)
		return put_groups(c, q->segments[1]);
	return !strcmp(first, "apis") && q->segment_count == 3 && put_kinds(c, q->segments[1], q->segments[2]);
}
