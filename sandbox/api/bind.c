/* A pod's node, as a scheduler says it: once. */
#include "sandbox/api/call.h"

#include <string.h>

static bool refuse(struct call *c, const char *name, const char *message)
{
	const struct status_details details = {.name = name, .kind = "pods/binding"};

	return status_failure(c->response, 409, "Conflict", &details,
	    "Operation cannot be fulfilled on pods/binding \"%.253s\": %s", name, message);
}

static bool success(struct call *c)
{
	struct err err = ERR_INIT;

	c->response->code = 201;
	buf_reset(&c->response->body);
	return buf_add_str(&c->response->body,
		   "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{},\"status\":\"Success\",\"code\":201}\n",
		   &err) ||
	       status_internal(c->response, &err);
}

/* The store is locked. */
static bool assign(struct call *c, const char *name, const char *node, const char *uid)
{
	const struct resource pods = {.plural = "pods", .kind = "Pod"};
	struct object *pod = db_get(c->store, "/pods", c->namespace_, name), *stored;
	CLEANUP(json) struct json *doc = NULL;
	struct err err = ERR_INIT;
	const char *now;

	if (!pod)
		return status_not_found(c->response, &pods, name);
	now = json_text_at(object_root(pod), "spec/nodeName");
	if (uid && *uid && strcmp(uid, pod->uid) != 0)
		return refuse(c, name, "Precondition failed: UID in precondition does not match that of the object");
	if (json_at(object_root(pod), "metadata/deletionTimestamp"))
		return refuse(c, name, "pod is being deleted, cannot be assigned to a host");
	if (now && *now)
		return refuse(c, name, "pod is already assigned to a node");
	if (c->dry_run)
		return success(c);
	if (!json_clone(object_root(pod), &doc, &err) || !json_set_text(json_edit(doc), "spec/nodeName", node, &err) ||
	    !db_put(c->store, "/pods", TAKE(doc), &stored, &err))
		return status_internal(c->response, &err);
	return success(c);
}

bool call_bind(struct call *c)
{
	const char *name, *node;
	bool ok;

	if (!call_parse_body(c, false))
		return false;
	name = c->name ? c->name : json_text_at(json_root(c->body), "metadata/name");
	node = json_text_at(json_root(c->body), "target/name");
	if (!name || !*name)
		return status_bad_request(c->response, "name is required");
	if (!node || !*node) {
		const struct resource binding = {.plural = "bindings", .kind = "Binding"};

		return status_invalid(
		    c->response, &binding, name, "FieldValueRequired", "target.name", "Required value");
	}
	db_lock(c->store);
	ok = assign(c, name, node, json_text_at(json_root(c->body), "metadata/uid"));
	db_unlock(c->store);
	return ok;
}
