#include "sandbox/api/call.h"

#include "doc/json_writer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* --- who may ----------------------------------------------------------------------------------------------------- */

static const char *verb_of(const struct call *c)
{
	const char *method = c->request->method;

	if (!strcmp(method, "POST"))
		return "create";
	if (!strcmp(method, "PUT"))
		return "update";
	if (!strcmp(method, "PATCH"))
		return "patch";
	if (!strcmp(method, "DELETE"))
		return c->name ? "delete" : "deletecollection";
	if (c->name)
		return "get";
	return query_flag(&c->query, "watch") ? "watch" : "list";
}

static bool forbid_path(struct call *c)
{
	const struct status_details none = {0};

	return status_failure(c->response, 403, "Forbidden", &none, "forbidden: User \"%s\" cannot %s path \"%.*s\"",
	    c->user, strcmp(c->request->method, "POST") ? "get" : "post", (int)strcspn(c->request->target, "?"),
	    c->request->target);
}

static bool forbid(struct call *c)
{
	const struct status_details details = {.name = c->name, .group = c->group, .kind = c->plural};
	char quoted[300] = "", scope[300] = "at the cluster scope";

	if (!c->plural)
		return forbid_path(c);
	if (c->name)
		snprintf(quoted, sizeof quoted, " \"%.256s\"", c->name);
	if (*c->namespace_)
		snprintf(scope, sizeof scope, "in the namespace \"%.256s\"", c->namespace_);
	return status_failure(c->response, 403, "Forbidden", &details,
	    "%.128s%s%.128s%s is forbidden: User \"%s\" cannot %s resource \"%.128s\" in API group \"%.128s\" %s",
	    c->plural, *c->group ? "." : "", c->group, quoted, c->user, verb_of(c), c->plural, c->group, scope);
}

/* --- where to ---------------------------------------------------------------------------------------------------- */

/* namespaces/NS/PLURAL/NAME/SUB or PLURAL/NAME/SUB; the namespaces themselves are PLURAL. */
static bool read_target(struct call *c)
{
	const struct query *q = &c->query;
	size_t at;

	if (q->odd || !q->segment_count)
		return false;
	if (!strcmp(q->segments[0], "api") && q->segment_count > 2) {
		c->group = "";
		c->version = q->segments[1];
		at = 2;
	} else if (!strcmp(q->segments[0], "apis") && q->segment_count > 3) {
		c->group = q->segments[1];
		c->version = q->segments[2];
		at = 3;
	} else {
		return false;
	}
	if (!strcmp(q->segments[at], "watch"))
		return false; /* a form of old; nobody needs it */
	if (!strcmp(q->segments[at], "namespaces") && q->segment_count > at + 2 &&
	    !(!*c->group && (!strcmp(q->segments[at + 2], "status") || !strcmp(q->segments[at + 2], "finalize")))) {
		c->namespace_ = q->segments[at + 1];
		at += 2;
	}
	c->plural = q->segments[at++];
	if (at < q->segment_count)
		c->name = q->segments[at++];
	if (at < q->segment_count)
		c->sub = q->segments[at++];
	return at == q->segment_count;
}

/* Answers if there is no such kind. */
static bool find_resource(struct call *c)
{
	bool found, group, built_in = false;

	db_lock(c->store);
	found = resource_find(c->store, c->group, c->version, c->plural, &c->res);
	group = found || resource_group_exists(c->store, c->group, c->version, &built_in);
	db_unlock(c->store);
	if (!found)
		return group && built_in ? status_no_resource(c->response) : status_page_not_found(c->response);
	if (c->res.namespaced && c->name && !*c->namespace_)
		return c->res.custom ? status_page_not_found(c->response) : status_no_resource(c->response);
	if (!c->res.namespaced && *c->namespace_)
		return c->res.custom ? status_page_not_found(c->response) : status_no_resource(c->response);
	return true;
}

/*
 * Kinds of an aggregated API have fewer verbs for its clients than for the server behind it, which here is a
 * controller of the sandbox.
 */
static bool allowed(struct call *c, unsigned verb)
{
	return c->res.verbs & verb || !strcmp(c->user, AUTH_CONTROLLER) ? true : status_no_method(c->response);
}

/* --- what to do -------------------------------------------------------------------------------------------------- */

static bool dispatch_sub(struct call *c)
{
	const char *method = c->request->method;

	if (!strcmp(c->sub, "log") && !strcmp(c->res.key, "/pods"))
		return strcmp(method, "GET") ? status_no_method(c->response) : call_pod_log(c);
	if (!strcmp(c->sub, "binding") && !strcmp(c->res.key, "/pods"))
		return strcmp(method, "POST") ? status_no_method(c->response) : call_bind(c);
	if (!strcmp(c->sub, "finalize") && !strcmp(c->res.key, NAMESPACES_KEY) && !strcmp(method, "PUT"))
		return call_replace(c);
	if (strcmp(c->sub, "status") || !c->res.has_status)
		return c->res.custom ? status_not_found(c->response, &c->res, c->name)
				     : status_no_resource(c->response);
	if (!strcmp(method, "GET"))
		return call_get(c);
	if (!strcmp(method, "PUT"))
		return call_replace(c);
	if (!strcmp(method, "PATCH"))
		return call_patch(c);
	return status_no_method(c->response);
}

static bool dispatch_item(struct call *c)
{
	const char *method = c->request->method;

	if (!strcmp(c->res.key, BINDINGS_KEY))
		return status_no_resource(c->response);
	if (c->sub)
		return dispatch_sub(c);
	if (!strcmp(method, "GET") || (!strcmp(method, "HEAD") && c->res.custom))
		return allowed(c, VERB_GET) && call_get(c);
	if (!strcmp(method, "PUT"))
		return allowed(c, VERB_UPDATE) && call_replace(c);
	if (!strcmp(method, "PATCH"))
		return allowed(c, VERB_PATCH) && call_patch(c);
	if (!strcmp(method, "DELETE"))
		return allowed(c, VERB_DELETE) && call_delete(c);
	if (!strcmp(method, "POST") && c->res.custom)
		return allowed(c, VERB_CREATE) && call_create(c);
	return status_no_method(c->response);
}

static bool dispatch_collection(struct call *c)
{
	const char *method = c->request->method;

	if (!strcmp(method, "GET") || (!strcmp(method, "HEAD") && c->res.custom)) {
		if (query_flag(&c->query, "watch"))
			return allowed(c, VERB_WATCH) && call_watch(c);
		return allowed(c, VERB_LIST) && call_list(c);
	}
	if (!strcmp(method, "POST")) {
		if (c->res.namespaced && !*c->namespace_)
			return c->res.custom ? status_page_not_found(c->response) : status_no_method(c->response);
		if (!strcmp(c->res.key, BINDINGS_KEY))
			return call_bind(c);
		return allowed(c, VERB_CREATE) && call_create(c);
	}
	if (!strcmp(method, "DELETE")) {
		if (c->res.namespaced && !*c->namespace_)
			return status_no_method(c->response);
		return allowed(c, VERB_DELETECOLLECTION) && call_delete_collection(c);
	}
	if (c->res.custom && (!strcmp(method, "PUT") || !strcmp(method, "PATCH")))
		return status_bad_request(c->response, "name must be provided");
	return status_no_method(c->response);
}

static void handle(struct call *c, enum auth_result who)
{
	bool is_object = read_target(c);

	if (!is_object && call_discovery(c)) /* it looks at c->user itself: health and version are for everybody */
		return;
	if (who == AUTH_ANONYMOUS) {
		forbid(c);
		return;
	}
	if (!is_object) {
		status_page_not_found(c->response);
		return;
	}
	if (c->request->body_too_large) {
		status_failure(c->response, 413, "RequestEntityTooLarge", NULL, "Request entity too large: limit is %d",
		    API_BODY_MAX);
		return;
	}
	if (!find_resource(c) || !call_read_dry_run(c))
		return;
	if (c->name)
		dispatch_item(c);
	else
		dispatch_collection(c);
}

/* Indented where a person looks: as real servers do, by the user agent or ?pretty. */
static void make_pretty(struct call *c)
{
	static const char *const people[] = {"curl", "Wget", "Mozilla"};
	const char *agent = c->request->user_agent ? c->request->user_agent : "",
		   *pretty = query_get(&c->query, "pretty");
	const struct json_limits limits = {.max_bytes = API_ANSWER_MAX, .max_depth = 64};
	BUF_CLEANUP struct buf out = BUF_INIT(API_ANSWER_MAX);
	CLEANUP(json) struct json *doc = NULL;
	struct api_response *r = c->response;
	struct err ignored = ERR_INIT;
	bool wanted = pretty && strcmp(pretty, "0") && strcmp(pretty, "false");

	for (size_t i = 0; !pretty && i < sizeof people / sizeof *people; i++)
		wanted = wanted || !strncmp(agent, people[i], strlen(people[i]));
	if (!wanted || r->stream || strcmp(r->content_type, "application/json") || !r->body.len)
		return;
	if (!json_parse(r->body.data, r->body.len, &limits, &doc, &ignored) ||
	    !json_print(json_root(doc), true, &out, &ignored))
		return;
	buf_clear(&r->body);
	r->body = out;
	out = (struct buf)BUF_INIT(1);
}

bool api_admits(const struct api *api, const struct api_request *request)
{
	char user[AUTH_USER_MAX];

	return !api->auth || auth_check(api->auth, request->authorization, user) == AUTH_KNOWN;
}

void api_handle(struct api *api, const struct api_request *request, struct api_response *ret)
{
	struct call c = {.api = api, .store = api->store, .request = request, .response = ret, .namespace_ = ""};
	enum auth_result who = AUTH_KNOWN;
	struct err err = ERR_INIT;

	api_response_init(ret);
	snprintf(c.user, sizeof c.user, "admin");
	if (api->auth)
		who = auth_check(api->auth, request->authorization, c.user);
	if (who == AUTH_REFUSED)
		status_failure(ret, 401, "Unauthorized", NULL, "Unauthorized");
	else if (query_parse(request->target, &c.query, &err))
		handle(&c, who);
	else if (who == AUTH_ANONYMOUS)
		forbid_path(&c);
	else
		status_bad_request(ret, "%s", err.msg);
	make_pretty(&c);
	if (!ret->stream && ret->body.len && ret->body.data[ret->body.len - 1] != '\n' &&
	    !strcmp(ret->content_type, "application/json"))
		buf_add_char(&ret->body, '\n', &err);
	if (!strcmp(request->method, "HEAD"))
		buf_reset(&ret->body);
	resource_clear(&c.res);
	json_free(c.body);
	query_clear(&c.query);
}
