#include "asked.h"

TestSuite(api_errors, .init = start, .fini = end);

Test(api_errors, a_missing_object_is_404_with_the_plural_as_its_kind)
{
	need_code(404, get(CMS "/none"));
	expect_body("{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{},\"status\":\"Failure\",\"message\":"
		    "\"configmaps \\\"none\\\" not found\",\"reason\":\"NotFound\",\"details\":{\"name\":\"none\","
		    "\"kind\":\"configmaps\"},\"code\":404}\n");
	define_kinds();
	need_code(404, get(THINGS "/none"));
	expect_text("message", "things.example.org \"none\" not found");
	expect_text("details/group", "example.org");
	expect_text("details/kind", "things");
}

Test(api_errors, what_is_no_kind_is_text_for_custom_groups_and_a_status_for_built_in_ones)
{
	define_kinds();
	expect_code(404, get("/apis/example.org/v1/namespaces/default/others"));
	expect_body("404 page not found\n");
	cr_expect_str_eq(response.content_type, "text/plain; charset=utf-8");
	expect_code(404, get("/apis/no.such.group/v1/things"));
	expect_body("404 page not found\n");
	expect_code(404, ask("POST", "/apis/example.org/v1/things", thing("'name':'t'", "")));
	expect_body("404 page not found\n");
	expect_code(404, get("/api/v1/nonsense"));
	expect_text("reason", "NotFound");
	expect_text("message", "the server could not find the requested resource");
	expect_code(405, ask("POST", "/api/v1/configmaps", "{}"));
}

Test(api_errors, a_second_object_of_a_name_is_409_already_exists)
{
	need_code(201, ask("POST", CMS, config_map("'name':'m'")));
	need_code(409, ask("POST", CMS, config_map("'name':'m'")));
	expect_text("reason", "AlreadyExists");
	expect_text("message", "configmaps \"m\" already exists");
	expect_text("details/kind", "configmaps");
	need_code(200, merge(CMS "/m", "{'metadata':{'finalizers':['example.org/hold']}}"));
	need_code(200, ask("DELETE", CMS "/m", NULL));
	need_code(409, ask("POST", CMS, config_map("'name':'m'")));
	expect_text("message", "object is being deleted: configmaps \"m\" already exists");
}

Test(api_errors, stale_writes_and_wrong_uids_are_409_conflict)
{
	need_code(201, ask("POST", CMS, config_map("'name':'m'")));
	need_code(409, ask("PUT", CMS "/m", config_map("'name':'m','resourceVersion':'1'")));
	expect_text("reason", "Conflict");
	expect_text("message",
	    "Operation cannot be fulfilled on configmaps \"m\": the object has been modified; please "
	    "apply your changes to the latest version and try again");
	expect_code(409, merge(CMS "/m", "{'metadata':{'resourceVersion':'1'}}"));
	need_code(409, ask("PUT", CMS "/m", config_map("'name':'m','uid':'x'")));
	cr_expect(strstr(text_of("message"), "Precondition failed: UID in precondition: x"), "%s", text_of("message"));
	need_code(409, ask("DELETE", CMS "/m", "{'preconditions':{'uid':'x'}}"));
	expect_text("details/kind", "ConfigMap");
	need_code(409, ask("DELETE", CMS "/m", "{'preconditions':{'resourceVersion':'1'}}"));
	expect_code(200, get(CMS "/m"));
}

Test(api_errors, a_body_that_is_elsewhere_or_something_else_is_refused)
{
	define_kinds();
	need_code(400, ask("POST", THINGS, thing("'name':'t','namespace':'other'", "")));
	expect_text("message", "the namespace of the provided object does not match the namespace sent on the request");
	expect_code(400, ask("POST", THINGS, "{'apiVersion':'v9','kind':'Thing','metadata':{'name':'t'}}"));
	expect_code(400, ask("POST", THINGS, "{'metadata':{'name':'t'}}"));
	need_code(422, ask("POST", THINGS, "{'apiVersion':'example.org/v1','kind':'Other','metadata':{'name':'t'}}"));
	expect_text("reason", "Invalid");
	expect_text("details/kind", "Thing");
	expect_text("details/causes/0/field", "kind");
	expect_code(201, ask("POST", CMS, config_map("'name':'m'")));
	expect_code(400, merge(CMS "/m", "{'metadata':{'name':'n'}}"));
	expect_code(404, ask("PUT", CMS "/none", config_map("'name':'none'")));
	expect_code(422, ask("POST", CMS, config_map("")));
	expect_code(422, ask("POST", CMS, config_map("'name':'No_Good'")));
	expect_code(500, ask("POST", CMS, config_map("'name':'n','resourceVersion':'5'")));
	cr_expect(!has("reason"));
}

Test(api_errors, formats_that_a_kind_does_not_take_are_415)
{
	define_kinds();
	need_code(201, ask("POST", THINGS, thing("'name':'t'", "")));
	need_code(415, strategic(THINGS "/t", "{}"));
	expect_text("reason", "UnsupportedMediaType");
	expect_text("message",
	    "the body of the request was in an unknown format - accepted media types include: "
	    "application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml");
	expect_code(415, ask_typed("PATCH", THINGS "/t", "application/json", "{}"));
	expect_code(415, ask_typed("POST", THINGS, "text/plain", "{}"));
	expect_code(201, ask_typed("POST", THINGS, "application/yaml",
			     "apiVersion: example.org/v1\nkind: Thing\nmetadata:\n  name: from-yaml\n"));
	expect_text("metadata/name", "from-yaml");
}

Test(api_errors, wrong_methods_are_405)
{
	define_kinds();
	expect_code(405, ask("POST", CMS "/m", config_map("'name':'m'")));
	expect_code(201, ask("POST", THINGS "/t", thing("'name':'t'", "")));
	expect_code(405, ask("PUT", CMS, config_map("'name':'m'")));
	expect_code(400, ask("PUT", THINGS, thing("'name':'m'", "")));
	expect_code(200, ask("HEAD", THINGS, NULL));
	cr_expect_eq(response.body.len, 0);
	expect_code(405, ask("HEAD", CMS, NULL));
	expect_code(405, ask("DELETE", "/api/v1/configmaps", NULL));
}

Test(api_errors, versions_and_limits_that_are_no_numbers_are_refused)
{
	expect_code(500, get(CMS "?resourceVersion=x"));
	expect_code(500, get(CMS "?watch=1&resourceVersion=x"));
	expect_code(400, get(CMS "?limit=x"));
	expect_code(400, get(CMS "?continue=nonsense"));
	expect_code(422, get(CMS "?watch=1&sendInitialEvents=true"));
	expect_code(422, ask("POST", CMS "?dryRun=Some", config_map("'name':'m'")));
	need_code(504, get(CMS "?resourceVersion=999"));
	expect_text("details/causes/0/reason", "ResourceVersionTooLarge");
	cr_expect_eq(response.retry_after_s, 1);
}

Test(api_errors, nobody_known_is_403_and_an_empty_namespace_is_no_error)
{
	expect_code(404, ask("POST", "/api/v1/namespaces/none/configmaps", config_map("'name':'m'")));
	expect_text("message", "namespaces \"none\" not found");
	expect_code(200, get("/api/v1/namespaces/none/configmaps"));
	cr_expect_eq(json_count(json_at(json_root(said), "items")), 0);
}

/* The bytes that kubectl 1.37 sends for "create secret generic s --from-literal=a=b". */
Test(api_errors, protobuf_is_read_for_what_people_create_with_kubectl)
{
	static const char raw[] = "\x0a\x0d\x0a\x01s\x12\0\x1a\0\"\0*\0\x32\0"
				  "\x12\x06\x0a\x01"
				  "a\x12\x01"
				  "b\x1a\x06Opaque";
	char body[200] = "k8s";
	size_t n = 4;
	struct api_request request = {.method = "POST",
	    .target = "/api/v1/namespaces/default/secrets",
	    .content_type = "application/vnd.kubernetes.protobuf",
	    .body = body};

	memcpy(body + n, "\x0a\x0c\x0a\x02v1\x12\x06Secret\x12", 15);
	n += 15;
	body[n++] = (char)(sizeof raw - 1);
	memcpy(body + n, raw, sizeof raw - 1);
	n += sizeof raw - 1;
	request.body_len = n;
	api_handle(&api, &request, &response);
	need_code(201, response.code);
	need_code(200, get("/api/v1/namespaces/default/secrets/s"));
	expect_text("data/a", "Yg==");
	expect_text("type", "Opaque");
	for (size_t cut = 0; cut < n; cut++) {
		request.body_len = cut;
		forget_answer();
		api_handle(&api, &request, &response);
		cr_expect(response.code == 400 || response.code == 422 || response.code == 409 || response.code == 415,
		    "%d at %zu: %s", response.code, cut, buf_str(&response.body));
	}
}

Test(api_errors, the_schemas_say_which_parameters_writes_take)
{
	define_kinds();
	need_code(200, get("/openapi/v3"));
	expect_text("paths/apis~1example.org~1v1/serverRelativeURL", "/openapi/v3/apis/example.org/v1");
	need_code(200, get("/openapi/v3/apis/example.org/v1"));
	expect_text("paths/~1apis~1example.org~1v1~1namespaces~1{namespace}~1things~1{name}/patch/"
		    "x-kubernetes-group-version-kind/kind",
	    "Thing");
	expect_code(404, get("/openapi/v3/apis/example.org/v2"));
	expect_code(200, get("/openapi/v2"));
}
