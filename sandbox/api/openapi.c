/*
 * /openapi: as little as keeps clients content. The server checks nothing against schemas that a client could have; what
 * is told is which query parameters writes take, so that kubectl leaves validation to the server.
 */
#include "sandbox/api/call.h"

#include "doc/json_writer.h"

#include <stdio.h>
#include <string.h>

#define GROUPS_MAX 64

struct openapi {
	struct json_writer w;
	const char *group, *version; /* of the document; NULL: the list of documents */
	char seen[GROUPS_MAX][200];
	size_t seen_count;
	size_t count;
};

static bool finish(struct call *c, struct openapi *o)
{
	struct err err = ERR_INIT;

	json_end_object(&o->w);
	json_end_object(&o->w);
	if (!json_writer_ok(&o->w, &err))
		return status_internal(c->response, &err), true;
	if (o->version && !o->count)
		return status_page_not_found(c->response), true;
	c->response->code = 200;
	return true;
}

static void path_of(const struct resource *r, char *ret, size_t size)
{
	snprintf(ret, size, "%s%s%s%s", *r->group ? "apis/" : "api", r->group, "/", r->version);
}

static bool put_document(void *ctx, const struct resource *r)
{
	struct openapi *o = ctx;
	char path[200], url[240];

	path_of(r, path, sizeof path);
	for (size_t i = 0; i < o->seen_count; i++)
		if (!strcmp(o->seen[i], path))
			return true;
	if (o->seen_count == GROUPS_MAX)
		return false;
	strcpy(o->seen[o->seen_count++], path);
	snprintf(url, sizeof url, "/openapi/v3/%s", path);
	json_object(&o->w, path);
	json_put_string(&o->w, "serverRelativeURL", url);
	json_end_object(&o->w);
	return true;
}

static bool put_path(void *ctx, const struct resource *r)
{
	static const char *const parameters[] = {"dryRun", "fieldManager", "fieldValidation", "force"};
	struct openapi *o = ctx;
	char path[200], item[500];

	if (strcmp(r->group, o->group) != 0 || strcmp(r->version, o->version) != 0)
		return true;
	o->count++;
	path_of(r, path, sizeof path);
	snprintf(item, sizeof item, "/%s/%s%s/{name}", path, r->namespaced ? "namespaces/{namespace}/" : "", r->plural);
	json_object(&o->w, item);
	json_object(&o->w, "patch");
	json_array(&o->w, "parameters");
	for (size_t i = 0; i < sizeof parameters / sizeof *parameters; i++) {
		json_object(&o->w, NULL);
		json_put_string(&o->w, "name", parameters[i]);
		json_put_string(&o->w, "in", "query");
		json_end_object(&o->w);
	}
	json_end_array(&o->w);
	json_object(&o->w, "x-kubernetes-group-version-kind");
	json_put_string(&o->w, "group", r->group);
	json_put_string(&o->w, "version", r->version);
	json_put_string(&o->w, "kind", r->kind);
	json_end_object(&o->w);
	json_end_object(&o->w);
	json_end_object(&o->w);
	return true;
}

static bool put_v3(struct call *c, const char *group, const char *version)
{
	struct openapi o = {.group = group, .version = version};

	json_writer_init(&o.w, &c->response->body);
	json_object(&o.w, NULL);
	if (version) {
		json_put_string(&o.w, "openapi", "3.0.0");
		json_object(&o.w, "info");
		json_put_string(&o.w, "title", "psmdb-sandbox");
		json_put_string(&o.w, "version", "1");
		json_end_object(&o.w);
	}
	json_object(&o.w, "paths");
	db_lock(c->store);
	resource_each(c->store, version ? put_path : put_document, &o);
	db_unlock(c->store);
	return finish(c, &o);
}

/* No definitions at all: what a client looks for and does not find, it does not check. */
static bool put_v2(struct call *c)
{
	static const char binary[] = {0x0a, 0x03, '2', '.', '0'}; /* field 1, swagger: "2.0" */
	static const char text[] =
	    "{\"swagger\":\"2.0\",\"info\":{\"title\":\"psmdb-sandbox\",\"version\":\"1\"},\"paths\":{}}";
	const char *accept = c->request->accept ? c->request->accept : "";

	c->response->code = 200;
	buf_reset(&c->response->body);
	if (!strncmp(accept, "application/com.github.", strlen("application/com.github."))) {
		c->response->content_type = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";
		buf_add(&c->response->body, binary, sizeof binary, NULL);
	} else {
		buf_add_str(&c->response->body, text, NULL);
	}
	return true;
}

bool call_openapi(struct call *c)
{
	const struct query *q = &c->query;

	if (q->segment_count < 2 || strcmp(q->segments[0], "openapi"))
		return false;
	if (!strcmp(q->segments[1], "v2") && q->segment_count == 2)
		return put_v2(c);
	if (strcmp(q->segments[1], "v3") != 0)
		return false;
	if (q->segment_count == 2)
		return put_v3(c, NULL, NULL);
	if (q->segment_count == 4 && !strcmp(q->segments[2], "api"))
		return put_v3(c, "", q->segments[3]);
	if (q->segment_count == 5 && !strcmp(q->segments[2], "apis"))
		return put_v3(c, q->segments[3], q->segments[4]);
	return false;
}
