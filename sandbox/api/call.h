/* One request on its way through the handler: what its parts hand to each other. For the handler's own files only. */
#ifndef API_CALL_H
#define API_CALL_H

#include "sandbox/api/handler.h"
#include "sandbox/api/query.h"
#include "sandbox/api/resource.h"
#include "sandbox/api/status.h"

#define NAME_LEN_MAX 253
/* Levels of an object without its managedFields, which are 5 deeper: what was given out is a good body again. */
#define OBJECT_DEPTH_MAX (API_BODY_DEPTH_MAX - 6)

struct call {
	struct api *api;
	struct store *store;
	const struct api_request *request;
	struct api_response *response;
	struct query query;
	char user[AUTH_USER_MAX];

	struct resource res;
	const char *group, *version, *plural; /* as in the path */
	const char *namespace_;		      /* "" for cluster-scoped kinds and for all namespaces */
	const char *name;		      /* NULL: the collection */
	const char *sub;		      /* NULL: the object itself */
	struct json *body;
	bool dry_run;
};

/* --- what the verbs are made of: each answers, the store is locked by them --------------------------------------- */

bool call_get(struct call *c);
bool call_list(struct call *c);
bool call_watch(struct call *c);
bool call_create(struct call *c);
bool call_replace(struct call *c);
bool call_patch(struct call *c);
bool call_delete(struct call *c);
bool call_delete_collection(struct call *c);
bool call_pod_log(struct call *c);
/* POST of a Binding: to bindings, or to the pod's own subresource. */
bool call_bind(struct call *c);
/* Paths that are no objects. false: it is none of these. */
bool call_discovery(struct call *c);
bool call_openapi(struct call *c);

/* --- answers ----------------------------------------------------------------------------------------------------- */

/* The object in the version that was asked for, as the Accept header wants it. */
bool call_answer_object(struct call *c, int code, const json_node *root);
bool call_answer_stored(struct call *c, int code, const struct object *object);
/* The text of an object in this version: appended to out. */
bool call_print_object(const struct resource *res, const struct object *object, struct buf *out, struct err *err);
bool call_warn(struct call *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* --- bodies and options ------------------------------------------------------------------------------------------ */

/* Into c->body; answers 400 or 415 otherwise. patch: errors are worded for patches. */
bool call_parse_body(struct call *c, bool patch);
/* The same for a body that is YAML whatever its type says. */
bool call_parse_yaml(struct call *c);
/* 415 */
bool call_unknown_format(struct call *c, bool patch);
/* "application/json" without parameters and blanks, lower case; "" if there is none. */
void call_media_type(const char *header, char *ret, size_t size);
/* dryRun; answers 422 for anything but All. */
bool call_read_dry_run(struct call *c);
bool call_parse_version(struct call *c, const char *param, bool *ret_given, uint64_t *ret);
/* Of fieldManager, else the user agent's first word. */
void call_manager(const struct call *c, char ret[static 129]);

/* --- changing objects (write.c, admit.c, delete.c) --------------------------------------------------------------- */

/* What an object must be before it is stored; answers otherwise. before is NULL on creation. The store is locked. */
bool admit_identity(struct call *c, json_node *root, const char *name);
bool admit_validate(struct call *c, json_node *root, const json_node *before);
bool admit_defaults(struct call *c, json_node *root, const json_node *before);
/* doc (taken) becomes the new state of `before`; answers. */
bool write_update(struct call *c, struct object *before, struct json *doc);
bool write_create(struct call *c, struct json *doc);

struct delete_options {
	char policy[16];	   /* "", "Background", "Foreground", "Orphan" */
	char uid[64], version[24]; /* preconditions; "" none */
	int64_t grace_seconds;	   /* -1: not said */
	bool dry_run;
};
/* Deletes or begins to. *ret_left: the object as it stays (referenced); NULL: it is gone. The store is locked. */
bool delete_object(struct store *s, const struct resource *res, struct object *object,
    const struct delete_options *options, struct object **ret_left, struct err *err);
/* Its deletion has begun, and the last thing that held it is gone. key: the kind's in the store. */
bool delete_may_go(const char *key, const json_node *root);

/* RFC 3339 in seconds, as metadata has it. */
const char *call_now(const struct store *s, char text[static 32]);

/* Merging the builtin kinds' lists by their keys; the patch is not changed. */
bool strategic_merge(json_node *root, const json_node *patch, struct err *err);
/* Server-side apply: the patch becomes part of `live` (NULL: a new object). Answers on conflicts. */
bool apply_merge(struct call *c, const json_node *live, const json_node *patch, struct json **ret);
/* Who changed what, for writes that are no apply. */
bool fields_track(struct call *c, const json_node *before, json_node *after, struct err *err);

#endif
