#include "kube_fake.h"

#include "base/file.h"
#include "kube/request.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOT_FOUND                                                                                                      \
	JSON("404 Not Found",                                                                                          \
	    "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{},\"status\":\"Failure\",\"message\":"           \
	    "\"perconaservermongodbs.psmdb.percona.com \\\"my-cluster-name\\\" not "                                   \
	    "found\",\"reason\":\"NotFound\",\"details\":{\"name\":\"my-cluster-name\",\"group\":"                     \
	    "\"psmdb.percona.com\",\"kind\":\"perconaservermongodbs\"},\"code\":404}\n")
#define UNAUTHORIZED                                                                                                   \
	JSON("401 Unauthorized", "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{},\"status\":\"Failure\","  \
				 "\"message\":\"Unauthorized\",\"reason\":\"Unauthorized\",\"code\":401}\n")

Test(kube, object_that_is_not_there_is_named)
{
	const char *answers[] = {NOT_FOUND};
	struct kube_fake f;
	struct err err = ERR_INIT;
	struct json *object = NULL;
	char *seen;

	kube_fake_start(&f, answers, COUNT(answers));
	cr_assert(!kube_get(f.kube, &f.psmdb, "mongo-ns", "my-cluster-name", &object, &err));
	cr_assert_eq(err.code, ERR_NOT_FOUND);
	cr_assert_str_eq(err.msg, "get perconaservermongodb \"mongo-ns/my-cluster-name\": not found");
	cr_assert_null(object);
	kube_fake_stop(&f, &seen);
	cr_assert(strstr(seen, "GET /apis/psmdb.percona.com/v1/namespaces/mongo-ns/perconaservermongodbs/"
			       "my-cluster-name HTTP"),
	    "%s", seen);
	cr_assert(strstr(seen, "Authorization: Bearer hush-hush"), "%s", seen);
	free(seen);
}

Test(kube, token_is_in_no_message)
{
	const char *answers[] = {UNAUTHORIZED};
	struct kube_fake f;
	struct err err = ERR_INIT;

	kube_fake_start(&f, answers, COUNT(answers));
	cr_assert(!kube_get(f.kube, &f.pods, "x", "y", NULL, &err));
	cr_assert_eq(err.code, ERR_AUTH);
	cr_assert(strstr(err.hint, "expired or revoked"), "%s", err.hint);
	cr_assert(!strstr(err.msg, "hush") && !strstr(err.hint, "hush"));
	kube_fake_stop(&f, NULL);
}

#define STATUS(code, reason, rest)                                                                                     \
	"{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{},\"status\":\"Failure\",\"reason\":\"" reason       \
	"\"," rest "\"code\":" code "}"

/* --- refusals: what a real server sent --------------------------------------------------------------------------- */

static const struct refusal_case {
	const char *what;
	int status;
	const char *body;
	enum err_code code;
	const char *msg, *hint; /* parts */
} refusals[] = {
    {"nobody", 403,
	"{\"kind\":\"Status\",\"message\":\"pods is forbidden: User \\\"system:anonymous\\\" cannot list resource "
	"\\\"pods\\\"\",\"reason\":\"Forbidden\",\"details\":{\"kind\":\"pods\"},\"code\":403}",
	ERR_AUTH, "system:anonymous", "no credentials were sent"},
    {"a user without the right", 403,
	"{\"kind\":\"Status\",\"message\":\"pods is forbidden: User \\\"nobody\\\" cannot list resource\",\"reason\":"
	"\"Forbidden\",\"details\":{\"kind\":\"pods\"},\"code\":403}",
	ERR_AUTH, "User \"nobody\" cannot list", "a role with that verb"},
    {"a namespace on its way out", 403,
	"{\"kind\":\"Status\",\"message\":\"pods \\\"y\\\" is forbidden: unable to create new content in namespace "
	"gone "
	"because it is being terminated\",\"reason\":\"Forbidden\",\"details\":{\"name\":\"y\",\"kind\":\"pods\","
	"\"causes\":[{\"reason\":\"NamespaceTerminating\",\"message\":\"namespace gone is being terminated\"}]},"
	"\"code\":403}",
	ERR_AUTH, "being terminated", "the namespace is being deleted"},
    {"no such group", 404, "404 page not found\n", ERR_UNSUPPORTED, "no such kind (404 page not found)", "installed"},
    {"no such built-in kind", 404,
	STATUS("404", "NotFound", "\"message\":\"the server could not find the requested resource\",\"details\":{},"),
	ERR_UNSUPPORTED, "no such kind", "installed"},
    {"a missing namespace", 404,
	STATUS("404", "NotFound",
	    "\"message\":\"namespaces \\\"x\\\" not found\",\"details\":{\"name\":\"x\",\"kind\":\"namespaces\"},"),
	ERR_NOT_FOUND, "create pod \"x/y\": namespaces \"x\" not found (404 NotFound)", ""},
    {"a name that is taken", 409,
	STATUS("409", "AlreadyExists",
	    "\"message\":\"pods \\\"y\\\" already exists\",\"details\":{\"name\":\"y\",\"kind\":\"pods\"},"),
	ERR_EXISTS, "create pod \"x/y\": already exists", ""},
    {"a name that is being freed", 409,
	STATUS("409", "AlreadyExists", "\"message\":\"object is being deleted: pods \\\"y\\\" already exists\","),
	ERR_EXISTS, "already exists and is being deleted", "wait until it is gone"},
    {"a stale version", 409,
	STATUS("409", "Conflict", "\"message\":\"Operation cannot be fulfilled: the object has been modified\","),
	ERR_CONFLICT, "has been modified (409 Conflict)", "read the object again"},
    {"another object of that name", 409,
	STATUS(
	    "409", "Conflict", "\"message\":\"the UID in the precondition (1) does not match the UID in record (2)\","),
	ERR_CONFLICT, "UID in the precondition", "read the object again"},
    {"fields of another manager", 409,
	STATUS("409", "Conflict",
	    "\"message\":\"Apply failed with 1 conflict: conflict with \\\"ours\\\": .spec.frequency\",\"details\":"
	    "{\"causes\":[{\"reason\":\"FieldManagerConflict\",\"field\":\".spec.frequency\"}]},"),
	ERR_CONFLICT, ".spec.frequency", "another manager owns these fields"},
    {"an old version", 410,
	STATUS("410", "Expired", "\"message\":\"The resourceVersion for the provided list is too old.\","), ERR_GONE,
	"too old", ""},
    {"too much at once", 429, "Too many requests, please try again later.\n", ERR_REMOTE,
	"Too many requests, please try again later. (429)", "overloaded"},
    {"a version to come", 504,
	STATUS("504", "Timeout",
	    "\"message\":\"Timeout: Too large resource version: 99999999, current: 804\",\"details\":{\"causes\":"
	    "[{\"reason\":\"ResourceVersionTooLarge\"}],\"retryAfterSeconds\":1},"),
	ERR_TIMEOUT, "Too large resource version", ""},
    {"a schema that is not met", 422,
	STATUS("422", "Invalid", "\"message\":\"spec.clusterName: Required value\",\"details\":{\"name\":\"y\"},"),
	ERR_REMOTE, "spec.clusterName: Required value (422 Invalid)", ""},
    {"a body that is too large", 413, STATUS("413", "RequestEntityTooLarge", ""), ERR_LIMIT, "413", "no larger body"},
    {"a redirect", 302, "", ERR_REMOTE, "refused (302)", "no redirect is followed"},
    {"a page of a proxy with a bell", 502, "<html>\a\033[31mbad gateway\n</html>", ERR_REMOTE,
	"<html>\xef\xbf\xbd\xef\xbf\xbd[31mbad gateway (502)", ""},
    {"a body that lies about its code", 409, STATUS("200", "AlreadyExists", ""), ERR_EXISTS, "already exists", ""},
    {"nothing", 500, "", ERR_REMOTE, "refused (500)", ""},
};

Test(kube, refusals_are_told_apart)
{
	struct kube_kind pods;
	struct call call = {.verb = "create", .kind = &pods, .namespace_ = "x", .name = "y"};

	kube_kind_set(&pods, "", "v1", "pods", "Pod", true);
	for (size_t i = 0; i < COUNT(refusals); i++) {
		const struct refusal_case *c = &refusals[i];
		struct err err = ERR_INIT;

		cr_assert(!kube_refused(&call, c->status, c->body, strlen(c->body), false, &err));
		cr_expect_eq(err.code, c->code, "%s: %d", c->what, (int)err.code);
		cr_expect(strstr(err.msg, c->msg), "%s: %s", c->what, err.msg);
		cr_expect(strstr(err.hint, c->hint), "%s: %s", c->what, err.hint);
		cr_expect(!strncmp(err.msg, "create pod \"x/y\": ", 18), "%s", err.msg);
	}
}

/* --- what is sent again, and what is not ------------------------------------------------------------------------- */

#define TOO_MANY                                                                                                       \
	"HTTP/1.1 429 Too Many Requests\r\nContent-Type: text/plain\r\nRetry-After: 1\r\nConnection: "                 \
	"close\r\n\r\nToo many requests, please try again later.\n"
#define MADE "{\"metadata\":{\"name\":\"y\",\"creationTimestamp\":\"2026-11-28T12:00:05Z\"},\"spec\":{\"a\":1,\"b\":2}}"
#define AT(time, body) "HTTP/1.1 200 OK\r\nConnection: close\r\nDate: Sat, 28 Nov 2026 " time " GMT\r\n\r\n" body

static size_t count_of(const char *text, const char *part)
{
	size_t count = 0;

	for (; (text = strstr(text, part)); text++)
		count++;
	return count;
}

static bool create_with(
    const char *const *answers, size_t count, const char *metadata, char **seen, struct json **ret, struct err *err)
{
	CLEANUP(json) struct json *object = NULL;
	CLEANUP(json) struct json *name = NULL;
	struct json_limits limits = JSON_LIMITS_DEFAULT;
	struct kube_fake f;
	bool ok;

	kube_fake_start(&f, answers, count);
	cr_assert(json_parse(metadata, strlen(metadata), &limits, &name, err));
	cr_assert(json_format(&object, err, "{'metadata':%j,'spec':{'a':1}}", json_root(name)));
	ok = kube_create(f.kube, &f.pods, "x", json_root(object), ret, err);
	kube_fake_stop(&f, seen);
	return ok;
}

Test(kube, create_is_sent_again_where_it_was_not_read)
{
	const char *answers[] = {TOO_MANY, JSON("201 Created", MADE)};
	struct err err = ERR_INIT;
	CLEANUP(free) char *seen = NULL;
	CLEANUP(json) struct json *made = NULL;

	cr_assert(create_with(answers, COUNT(answers), "{\"name\":\"y\"}", &seen, &made, &err), "%s", err.msg);
	cr_assert_eq(count_of(seen, "POST "), 2);
	cr_assert(strstr(seen, "?fieldManager=psmdb-drill"));
}

Test(kube, create_whose_answer_was_lost_is_looked_up)
{
	const char *answers[] = {"<slow>", AT("12:00:05", MADE)};
	struct err err = ERR_INIT;
	CLEANUP(free) char *seen = NULL;
	CLEANUP(json) struct json *made = NULL;

	cr_assert(create_with(answers, COUNT(answers), "{\"name\":\"y\"}", &seen, &made, &err), "%s", err.msg);
	cr_assert_eq(count_of(seen, "POST "), 1);
	cr_assert_eq(count_of(seen, "GET /api/v1/namespaces/x/pods/y "), 1);
	cr_assert_str_eq(kube_name(json_root(made)), "y");
}

Test(kube, object_that_was_there_before_is_not_taken_for_ones_own)
{
	const char *older[] = {"<slow>", AT("12:10:00", MADE)};
	const char *other[] = {"<slow>", AT("12:00:05", "{\"metadata\":{\"name\":\"y\",\"creationTimestamp\":"
							"\"2026-11-28T12:00:05Z\"},\"spec\":{\"a\":2}}")};
	struct err err = ERR_INIT;

	cr_assert(!create_with(older, COUNT(older), "{\"name\":\"y\"}", NULL, NULL, &err));
	cr_assert_eq(err.code, ERR_EXISTS, "%s", err.msg);
	cr_assert(strstr(err.hint, "may be one's own"), "%s", err.hint);
	cr_assert(!create_with(other, COUNT(other), "{\"name\":\"y\"}", NULL, NULL, &err));
	cr_assert_eq(err.code, ERR_EXISTS, "%s", err.msg);
}

Test(kube, lost_create_that_was_not_done_is_not_repeated)
{
	const char *answers[] = {"<slow>",
	    JSON("404 Not Found", STATUS("404", "NotFound", "\"details\":{\"name\":\"y\",\"kind\":\"pods\"},"))};
	struct err err = ERR_INIT;
	CLEANUP(free) char *seen = NULL;

	cr_assert(!create_with(answers, COUNT(answers), "{\"name\":\"y\"}", &seen, NULL, &err));
	cr_assert_eq(err.code, ERR_NET);
	cr_assert_eq(count_of(seen, "POST "), 1);
	cr_assert(strstr(err.hint, "it was not made"), "%s", err.hint);
}

Test(kube, generated_name_is_never_asked_for_twice)
{
	const char *answers[] = {"<slow>", JSON("201 Created", MADE)};
	struct err err = ERR_INIT;
	CLEANUP(free) char *seen = NULL;

	cr_assert(!create_with(answers, COUNT(answers), "{\"generateName\":\"y-\"}", &seen, NULL, &err));
	cr_assert_eq(err.code, ERR_NET);
	cr_assert_eq(count_of(seen, "HTTP/1.1\r\n"), 1);
	cr_assert(strstr(err.hint, "under a generated name"), "%s", err.hint);
}

Test(kube, delete_without_a_name_is_not_one_of_all)
{
	const char *answers[] = {OK("{\"kind\":\"Status\",\"status\":\"Success\"}")};
	struct kube_fake f;
	struct err err = ERR_INIT;
	CLEANUP(free) char *seen = NULL;

	kube_fake_start(&f, answers, COUNT(answers));
	cr_assert(!kube_delete(f.kube, &f.pods, "x", NULL, NULL, &err));
	kube_fake_stop(&f, &seen);
	cr_assert(!strstr(seen, "DELETE"), "%s", seen);
}

Test(kube, delete_whose_answer_was_lost_is_done)
{
	const char *missing =
	    JSON("404 Not Found", STATUS("404", "NotFound", "\"details\":{\"name\":\"y\",\"kind\":\"pods\"},"));
	const char *answers[] = {"<slow>", missing, missing};
	struct kube_fake f;
	struct err err = ERR_INIT;
	CLEANUP(free) char *seen = NULL;

	kube_fake_start(&f, answers, COUNT(answers));
	cr_assert(kube_delete(f.kube, &f.pods, "x", "y", NULL, &err), "%s", err.msg);
	cr_assert(!kube_delete(f.kube, &f.pods, "x", "y",
	    &(struct kube_delete){.propagation = "Foreground", .uid = "u-1", .grace_seconds = 0, .dry_run = true},
	    &err));
	cr_assert_eq(err.code, ERR_NOT_FOUND);
	kube_fake_stop(&f, &seen);
	cr_assert(
	    strstr(seen, "{\"kind\":\"DeleteOptions\",\"apiVersion\":\"v1\",\"propagationPolicy\":\"Background\"}"));
	cr_assert(strstr(seen, "\"propagationPolicy\":\"Foreground\",\"preconditions\":{\"uid\":\"u-1\"},"
			       "\"gracePeriodSeconds\":0,\"dryRun\":[\"All\"]}"),
	    "%s", seen);
}

Test(kube, each_patch_says_what_it_is)
{
	const char *answers[] = {OK("{}"), OK("{}"), OK("{}"), OK("{}")};
	struct kube_fake f;
	struct err err = ERR_INIT;
	CLEANUP(free) char *seen = NULL;
	CLEANUP(json) struct json *patch = NULL;

	cr_assert(json_format(&patch, &err, "{'a':1}"));
	kube_fake_start(&f, answers, COUNT(answers));
	for (int type = KUBE_PATCH_MERGE; type <= KUBE_PATCH_APPLY_FORCE; type++)
		cr_assert(kube_patch(f.kube, &f.pods, "x", "y", type == KUBE_PATCH_MERGE ? "status" : NULL,
		    (enum kube_patch_type)type, json_root(patch), NULL, &err));
	kube_fake_stop(&f, &seen);
	cr_assert(strstr(seen, "PATCH /api/v1/namespaces/x/pods/y/status?fieldManager=psmdb-drill "));
	cr_assert(strstr(seen, "application/merge-patch+json") && strstr(seen, "application/json-patch+json"));
	cr_assert_eq(count_of(seen, "application/apply-patch+yaml"), 2);
	cr_assert_eq(count_of(seen, "force=true"), 1);
}

Test(kube, update_without_a_version_is_not_sent)
{
	struct kube_fake f;
	struct err err = ERR_INIT;
	CLEANUP(json) struct json *object = NULL;

	cr_assert(json_format(&object, &err, "{'metadata':{'name':'y'}}"));
	kube_fake_start(&f, NULL, 0);
	cr_assert(!kube_replace(f.kube, &f.pods, "x", json_root(object), NULL, &err));
	cr_assert_eq(err.code, ERR_USAGE);
	kube_fake_stop(&f, NULL);
}

Test(kube, names_cannot_lead_elsewhere)
{
	static const char *const names[] = {"", ".", ".."};
	struct kube_fake f;
	CLEANUP(free) char *seen = NULL;
	const char *answers[] = {OK("{}")};
	struct err err = ERR_INIT;

	kube_fake_start(&f, answers, COUNT(answers));
	for (size_t i = 0; i < COUNT(names); i++) {
		cr_assert(!kube_delete(f.kube, &f.pods, "x", names[i], NULL, &err));
		cr_assert_eq(err.code, ERR_USAGE);
	}
	cr_assert(!kube_delete(f.kube, &f.pods, NULL, "y", NULL, &err));
	cr_assert(kube_get(f.kube, &f.pods, "x", "../../secrets?a", NULL, &err), "%s", err.msg);
	kube_fake_stop(&f, &seen);
	cr_assert(strstr(seen, "/api/v1/namespaces/x/pods/..%2F..%2Fsecrets%3Fa "), "%s", seen);
}

/* --- tokens ------------------------------------------------------------------------------------------------------ */

Test(kube, rotated_token_is_read_again_once)
{
	char path[] = "/tmp/kube_token_XXXXXX";
	const char *answers[] = {UNAUTHORIZED, OK("{}"), UNAUTHORIZED, UNAUTHORIZED};
	struct kube_fake f;
	struct err err = ERR_INIT;
	struct kube *k;
	CLEANUP(free) char *seen = NULL;

	close(mkstemp(path));
	cr_assert(file_write_atomic(path, "first\n", 6, 0600, &err));
	kube_fake_start(&f, answers, COUNT(answers));
	strcpy(f.config.token_file, path);
	cr_assert(kube_new(&f.config, NULL, &k, &err));
	cr_assert(kube_get_raw(k, "/version", NULL, &err), "%s", err.msg);
	cr_assert(file_write_atomic(path, "second\n", 7, 0600, &err));
	cr_assert(!kube_get_raw(k, "/version", NULL, &err));
	cr_assert_eq(err.code, ERR_AUTH);
	kube_free(k);
	kube_fake_stop(&f, &seen);
	unlink(path);
	cr_assert_eq(count_of(seen, "Bearer first\r\n"), 2);
	cr_assert_eq(count_of(seen, "Bearer second\r\n"), 2);
}

/* --- lists ------------------------------------------------------------------------------------------------------- */

#define PAGE(version, next, items)                                                                                     \
	OK("{\"kind\":\"PodList\",\"metadata\":{\"resourceVersion\":\"" version "\",\"continue\":\"" next              \
	   "\"},\"items\":[" items "]}")
#define ITEM(name) "{\"metadata\":{\"name\":\"" name "\"}}"

Test(kube, list_is_read_page_by_page_and_begun_anew_when_it_expired)
{
	const char *answers[] = {PAGE("5", "n=1", ITEM("a") "," ITEM("b")),
	    JSON("410 Gone", STATUS("410", "Expired", "\"message\":\"The provided continue parameter is too old\",")),
	    PAGE("9", "n=2", ITEM("a")), PAGE("9", "", ITEM("c"))};
	struct kube_fake f;
	struct err err = ERR_INIT;
	CLEANUP(free) char *seen = NULL;
	CLEANUP(json) struct json *list = NULL;

	kube_fake_start(&f, answers, COUNT(answers));
	cr_assert(
	    kube_list(f.kube, &f.pods, "x", &(struct kube_select){.labels = "a=b,!c"}, &list, &err), "%s", err.msg);
	kube_fake_stop(&f, &seen);
	cr_assert_eq(json_count(json_at(json_root(list), "items")), 2);
	cr_assert(json_is_at(json_root(list), "items/1/metadata/name", "c"));
	cr_assert(json_is_at(json_root(list), "items/1/kind", "Pod"));
	cr_assert(json_is_at(json_root(list), "items/1/apiVersion", "v1"));
	cr_assert_str_eq(kube_version(json_root(list)), "9");
	cr_assert(strstr(seen, "labelSelector=a%3Db%2C%21c&continue=n%3D2 "), "%s", seen);
}

Test(kube, list_without_items_is_empty)
{
	const char *answers[] = {
	    OK("{\"metadata\":{\"resourceVersion\":\"5\"},\"items\":null}"), OK("[]"), OK("<html>")};
	struct kube_fake f;
	struct err err = ERR_INIT;
	CLEANUP(json) struct json *list = NULL;
	struct json *wrong = NULL;

	kube_fake_start(&f, answers, COUNT(answers));
	cr_assert(kube_list(f.kube, &f.pods, NULL, NULL, &list, &err), "%s", err.msg);
	cr_assert_eq(json_count(json_at(json_root(list), "items")), 0);
	for (int i = 0; i < 2; i++) {
		cr_assert(!kube_list(f.kube, &f.pods, NULL, NULL, &wrong, &err));
		cr_assert_eq(err.code, ERR_PARSE);
		cr_assert_null(wrong);
	}
	cr_assert(strstr(err.hint, "is the address of an API server"), "%s", err.hint);
	kube_fake_stop(&f, NULL);
}

static void note_warning(void *ctx, const char *text)
{
	snprintf(ctx, 128, "%s", text);
}

Test(kube, warnings_are_handed_on)
{
	const char *answers[] = {
	    "HTTP/1.1 200 OK\r\nConnection: close\r\nWarning: 299 - \"unknown field \\\"spec.x\\\"\"\r\n\r\n{}"};
	struct kube_fake f;
	struct err err = ERR_INIT;
	struct kube *k;
	char warned[128] = "";

	kube_fake_start(&f, answers, COUNT(answers));
	cr_assert(kube_new(
	    &f.config, &(struct kube_options){.on_warning = note_warning, .on_warning_ctx = warned}, &k, &err));
	cr_assert(kube_get_raw(k, "/version", NULL, &err), "%s", err.msg);
	kube_free(k);
	kube_fake_stop(&f, NULL);
	cr_assert_str_eq(warned, "unknown field \\\"spec.x\\\"");
}

Test(kube, deleting_all_needs_a_namespace)
{
	const char *answers[] = {OK("{\"items\":[]}"), OK("{}")};
	struct kube_fake f;
	struct err err = ERR_INIT;
	CLEANUP(json) struct json *sub = NULL;
	CLEANUP(free) char *seen = NULL;

	kube_fake_start(&f, answers, COUNT(answers));
	cr_assert(!kube_delete_all(f.kube, &f.pods, NULL, NULL, NULL, &err));
	cr_assert_eq(err.code, ERR_USAGE);
	cr_assert(
	    kube_delete_all(f.kube, &f.pods, "x", &(struct kube_select){.labels = "a"}, NULL, &err), "%s", err.msg);
	cr_assert(kube_get_sub(f.kube, &f.pods, "x", "y", "details", &sub, &err), "%s", err.msg);
	kube_fake_stop(&f, &seen);
	cr_assert(strstr(seen, "DELETE /api/v1/namespaces/x/pods?labelSelector=a "), "%s", seen);
	cr_assert(strstr(seen, "GET /api/v1/namespaces/x/pods/y/details "), "%s", seen);
}

Test(kube, parts_of_an_object_are_read_where_they_are)
{
	CLEANUP(json) struct json *o = NULL;
	struct err err = ERR_INIT;

	cr_assert(json_format(&o, &err,
	    "{'metadata':{'name':'n','namespace':'x','uid':'u','resourceVersion':'7','deletionTimestamp':'t','labels':"
	    "{'a/b':'l'},'annotations':{'a.b/c~d':'n'},'finalizers':[1,'f','g']}}"));
	cr_assert_str_eq(kube_namespace(json_root(o)), "x");
	cr_assert_str_eq(kube_uid(json_root(o)), "u");
	cr_assert_str_eq(kube_label(json_root(o), "a/b"), "l");
	cr_assert_str_eq(kube_annotation(json_root(o), "a.b/c~d"), "n");
	cr_assert(kube_deleting(json_root(o)) && kube_has_finalizer(json_root(o), "g"));
	cr_assert(!kube_has_finalizer(json_root(o), "h") && !kube_label(json_root(o), "a") && !kube_label(NULL, "a"));
}

/* --- ways to the server ------------------------------------------------------------------------------------------ */

Test(kube, proxy_of_the_kubeconfig_is_used)
{
	const char *answers[] = {OK("{\"major\":\"1\"}")};
	struct kube_fake f;
	struct err err = ERR_INIT;
	struct kube *k;
	CLEANUP(free) char *seen = NULL;

	kube_fake_start(&f, answers, COUNT(answers));
	strcpy(f.config.proxy_url, f.config.server);
	strcpy(f.config.server, "http://kubernetes.invalid:6443/prefix");
	cr_assert(kube_new(&f.config, NULL, &k, &err));
	cr_assert(kube_get_raw(k, "/version", NULL, &err), "%s", err.msg);
	kube_free(k);
	kube_fake_stop(&f, &seen);
	cr_assert(!strncmp(seen, "GET http://kubernetes.invalid:6443/prefix/version HTTP", 52), "%s", seen);
}

Test(kube, server_that_is_not_there_is_said_to_be_so)
{
	struct kube_fake f;
	struct err err = ERR_INIT;

	kube_fake_start(&f, NULL, 0);
	cr_assert(!kube_get(f.kube, &f.pods, "x", "y", NULL, &err));
	cr_assert_eq(err.code, ERR_NET, "%s", err.msg);
	cr_assert(strstr(err.hint, "that the server is running"), "%s", err.hint);
	kube_fake_stop(&f, NULL);
}
