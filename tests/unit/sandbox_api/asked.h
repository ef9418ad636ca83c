/* An API server without sockets for one test: requests in, answers out, JSON with ' for ". */
#ifndef TEST_ASKED_H
#define TEST_ASKED_H

#include "sandbox/api/handler.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct store *store;
static struct api api;
static int64_t now_ms;

/* The last answer. */
static struct api_response response;
static struct json *said;

static int64_t mono_ns(void *ctx)
{
	(void)ctx;
	return now_ms * 1000000;
}

static int64_t wall_ms(void *ctx)
{
	(void)ctx;
	return 1795849200000 + now_ms; /* 2026-11-28T07:00:00Z */
}

/* The bounds of what watches can go back; 0: the usual ones. */
static inline void start_with_bounds(size_t history, size_t bytes)
{
	static const struct clock clock = {.mono_ns = mono_ns, .wall_ms = wall_ms};
	const struct store_options options = {.clock = &clock, .history = history, .history_bytes = bytes};
	struct err err = ERR_INIT;

	now_ms = 0;
	cr_assert(db_new(&options, &store, &err), "%s", err.msg);
	api = (struct api){.store = store, .server_address = "127.0.0.2:6443"};
	inet_pton(AF_INET, "127.7.7.128", &api.service_first);
	inet_pton(AF_INET, "127.7.7.130", &api.service_last);
	cr_assert(api_prepare(&api, &err), "%s", err.msg);
	api_response_init(&response);
}

static inline void start_with(size_t history)
{
	start_with_bounds(history, 0);
}

static inline void start(void)
{
	start_with(0);
}

static inline void forget_answer(void)
{
	api_response_clear(&response);
	json_free(said);
	said = NULL;
}

static inline void end(void)
{
	forget_answer();
	db_close(store);
}

static inline char *quoted(const char *text)
{
	char *copy = strdup(text);

	for (char *p = copy; *p; p++)
		if (*p == '\'')
			*p = '"';
	return copy;
}

/* body NULL: none. The code; the rest is in response and said. */
static inline int ask_typed(const char *method, const char *target, const char *type, const char *body)
{
	const struct json_limits limits = {.max_bytes = 8 << 20, .max_depth = 64};
	char *text = quoted(body ? body : "");
	const struct api_request request = {.method = method,
	    .target = target,
	    .content_type = body ? type : NULL,
	    .user_agent = "test/1",
	    .body = text,
	    .body_len = strlen(text)};
	struct err err = ERR_INIT;

	forget_answer();
	api_handle(&api, &request, &response);
	free(text);
	if (!response.stream && response.body.len && !strcmp(response.content_type, "application/json"))
		cr_assert(json_parse(buf_str(&response.body), response.body.len, &limits, &said, &err), "%s in %s",
		    err.msg, buf_str(&response.body));
	return response.code;
}

static inline int ask(const char *method, const char *target, const char *body)
{
	return ask_typed(method, target, "application/json", body);
}
#define get(target) ask("GET", target, NULL)
#define merge(target, body) ask_typed("PATCH", target, "application/merge-patch+json", body)
#define json_patch_it(target, body) ask_typed("PATCH", target, "application/json-patch+json", body)
#define strategic(target, body) ask_typed("PATCH", target, "application/strategic-merge-patch+json", body)
#define apply(target, body) ask_typed("PATCH", target, "application/apply-patch+yaml", body)

static inline const char *text_of(const char *path)
{
	const char *text = json_text_at(json_root(said), path);

	return text ? text : "(none)";
}
static inline long long int_of(const char *path)
{
	return json_int_at(json_root(said), path, -1);
}
static inline bool has(const char *path)
{
	return json_at(json_root(said), path) != NULL;
}
#define expect_code(wanted, what)                                                                                      \
	do {                                                                                                           \
		int got = (what);                                                                                      \
		cr_expect_eq(got, wanted, "%d instead of %d: %s", got, wanted, buf_str(&response.body));               \
	} while (0)
#define need_code(wanted, what)                                                                                        \
	do {                                                                                                           \
		int got = (what);                                                                                      \
		cr_assert_eq(got, wanted, "%d instead of %d: %s", got, wanted, buf_str(&response.body));               \
	} while (0)
#define expect_text(path, wanted) cr_expect_str_eq(text_of(path), wanted)
#define expect_body(wanted) cr_expect_str_eq(buf_str(&response.body), wanted)

/* Until nothing moves any more. */
static inline void settle(void)
{
	struct err err = ERR_INIT;
	bool changed = true;

	for (int i = 0; changed; i++) {
		cr_assert_lt(i, 100, "the sweep does not come to rest");
		cr_assert(api_sweep(&api, &changed, &err), "%s", err.msg);
	}
}

#define CMS "/api/v1/namespaces/default/configmaps"
#define PODS "/api/v1/namespaces/default/pods"
#define CRDS_PATH "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
#define THINGS "/apis/example.org/v1/namespaces/default/things"
#define PLAINS "/apis/example.org/v1/namespaces/default/plains"

/* Kinds Thing (with the status subresource) and Plain (without). */
static inline void define_kinds(void)
{
	need_code(201,
	    ask("POST", CRDS_PATH,
		"{'apiVersion':'apiextensions.k8s.io/v1','kind':'CustomResourceDefinition','metadata':{'name':'things."
		"example.org'},'spec':{'group':'example.org','scope':'Namespaced','names':{'plural':'things','singular'"
		":"
		"'thing','kind':'Thing','listKind':'ThingList','shortNames':['th']},'versions':[{'name':'v1','served':"
		"true,'storage':true,'subresources':{'status':{}},'schema':{'openAPIV3Schema':{'type':'object',"
		"'x-kubernetes-preserve-unknown-fields':true}}}]}}"));
	need_code(201,
	    ask("POST", CRDS_PATH,
		"{'apiVersion':'apiextensions.k8s.io/v1','kind':'CustomResourceDefinition','metadata':{'name':'plains."
		"example.org','annotations':{'psmdb-drill/verbs':'create,get,list,delete'}},'spec':{'group':'example."
		"org','scope':'Namespaced','names':{'plural':'plains','singular':'plain','kind':'Plain','listKind':"
		"'PlainList'},'versions':[{'name':'v1','served':true,'storage':true,'schema':{'openAPIV3Schema':{'type'"
		":"
		"'object','x-kubernetes-preserve-unknown-fields':true}}}]}}"));
}

/* metadata's inside and the rest, e.g. thing("'name':'t'", ",'spec':{}"). */
static inline const char *thing(const char *metadata, const char *rest)
{
	static char text[4096];

	snprintf(text, sizeof text, "{'apiVersion':'example.org/v1','kind':'Thing','metadata':{%s}%s}", metadata, rest);
	return text;
}

static inline const char *config_map(const char *metadata)
{
	static char text[4096];

	snprintf(text, sizeof text, "{'metadata':{%s}}", metadata);
	return text;
}

/* The uid of what was answered last. */
static inline const char *uid_said(void)
{
	static char uid[64];

	snprintf(uid, sizeof uid, "%s", text_of("metadata/uid"));
	return uid;
}

#endif
