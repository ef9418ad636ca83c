#include "asked.h"

static void begin(void)
{
	start();
	define_kinds();
}

TestSuite(api_update, .init = begin, .fini = end);

Test(api_update, creation_ignores_what_the_server_decides)
{
	need_code(201,
	    ask("POST", THINGS,
		thing(
		    "'name':'t','uid':'mine','generation':7,'creationTimestamp':'2001-01-01T00:00:00Z','selfLink':'/x'",
		    ",'spec':{'a':1},'status':{'state':'mine'}")));
	cr_expect_str_neq(text_of("metadata/uid"), "mine");
	cr_expect_eq(int_of("metadata/generation"), 1);
	expect_text("metadata/creationTimestamp", "2026-11-28T07:00:00Z");
	cr_expect(!has("metadata/selfLink") && !has("status"), "%s", buf_str(&response.body));
}

Test(api_update, put_wants_the_version_of_custom_kinds_and_only_those)
{
	need_code(201, ask("POST", THINGS, thing("'name':'t'", "")));
	need_code(422, ask("PUT", THINGS "/t", thing("'name':'t'", ",'spec':{'a':1}")));
	expect_text("details/causes/0/field", "metadata.resourceVersion");
	need_code(201, ask("POST", CMS, config_map("'name':'m'")));
	expect_code(200, ask("PUT", CMS "/m", "{'metadata':{'name':'m'},'data':{'a':'b'}}"));
	expect_text("data/a", "b");
}

Test(api_update, a_write_with_the_version_read_wins_once)
{
	char body[600], version[32];

	need_code(201, ask("POST", THINGS, thing("'name':'t'", "")));
	snprintf(version, sizeof version, "%s", text_of("metadata/resourceVersion"));
	snprintf(body, sizeof body,
	    "{'apiVersion':'example.org/"
	    "v1','kind':'Thing','metadata':{'name':'t','resourceVersion':'%s'},'spec':{'a':1}}",
	    version);
	need_code(200, ask("PUT", THINGS "/t", body));
	cr_expect_str_neq(text_of("metadata/resourceVersion"), version);
	need_code(409, ask("PUT", THINGS "/t", body));
}

Test(api_update, what_changes_nothing_keeps_the_version)
{
	char version[32];

	need_code(201, ask("POST", THINGS, thing("'name':'t','labels':{'a':'b'}", ",'spec':{'a':1}")));
	snprintf(version, sizeof version, "%s", text_of("metadata/resourceVersion"));
	need_code(200, merge(THINGS "/t", "{}"));
	expect_text("metadata/resourceVersion", version);
	need_code(200, merge(THINGS "/t", "{'spec':{'a':1},'metadata':{'labels':{'a':'b'}}}"));
	expect_text("metadata/resourceVersion", version);
	need_code(200, merge(THINGS "/t", "{'status':{'state':'x'}}"));
	expect_text("metadata/resourceVersion", version);
	need_code(200, apply(THINGS "/t?fieldManager=f", thing("'name':'t'", ",'spec':{'a':1}")));
	snprintf(version, sizeof version, "%s", text_of("metadata/resourceVersion"));
	need_code(200, apply(THINGS "/t?fieldManager=f", thing("'name':'t'", ",'spec':{'a':1}")));
	expect_text("metadata/resourceVersion", version);
}

Test(api_update, generation_counts_what_is_wanted_not_what_is)
{
	need_code(201, ask("POST", THINGS, thing("'name':'t'", ",'spec':{'a':1}")));
	need_code(200, merge(THINGS "/t", "{'metadata':{'labels':{'a':'b'}}}"));
	cr_expect_eq(int_of("metadata/generation"), 1);
	need_code(200, merge(THINGS "/t/status", "{'status':{'state':'ready'}}"));
	cr_expect_eq(int_of("metadata/generation"), 1);
	need_code(200, merge(THINGS "/t", "{'spec':{'a':2}}"));
	cr_expect_eq(int_of("metadata/generation"), 2);
	need_code(200, merge(THINGS "/t", "{'metadata':{'generation':50}}"));
	cr_expect_eq(int_of("metadata/generation"), 2);
	need_code(200, merge(THINGS "/t", "{'metadata':{'finalizers':['example.org/x']}}"));
	need_code(200, ask("DELETE", THINGS "/t", NULL));
	cr_expect_eq(int_of("metadata/generation"), 3);
}

Test(api_update, status_is_written_by_its_subresource_alone)
{
	need_code(201, ask("POST", THINGS, thing("'name':'t'", ",'spec':{'a':1}")));
	need_code(200,
	    merge(THINGS "/t/status", "{'status':{'state':'ready'},'spec':{'a':9},'metadata':{'labels':{'x':'y'}}}"));
	expect_text("status/state", "ready");
	cr_expect_eq(int_of("spec/a"), 1);
	need_code(200, merge(THINGS "/t", "{'status':{'state':'lost'},'spec':{'a':2}}"));
	expect_text("status/state", "ready");
	cr_expect_eq(int_of("spec/a"), 2);
	need_code(200, get(THINGS "/t/status"));
	expect_text("status/state", "ready");
}

Test(api_update, without_the_subresource_status_is_a_field_like_others)
{
	need_code(
	    201, ask("POST", PLAINS,
		     "{'apiVersion':'example.org/v1','kind':'Plain','metadata':{'name':'p'},'status':{'state':'x'}}"));
	expect_text("status/state", "x");
	api.auth = NULL;
	need_code(404, get(PLAINS "/p/status"));
	expect_text("message", "plains.example.org \"p\" not found");
}

Test(api_update, the_last_finalizer_taken_away_deletes)
{
	need_code(201, ask("POST", THINGS, thing("'name':'t','finalizers':['example.org/a','example.org/b']", "")));
	need_code(200, ask("DELETE", THINGS "/t", NULL));
	cr_expect(has("metadata/deletionTimestamp"));
	need_code(200, ask("DELETE", THINGS "/t", NULL));
	need_code(
	    422, merge(THINGS "/t", "{'metadata':{'finalizers':['example.org/a','example.org/b','example.org/new']}}"));
	need_code(200, merge(THINGS "/t", "{'spec':{'still':'taken'}}"));
	need_code(200, merge(THINGS "/t", "{'metadata':{'finalizers':['example.org/b']}}"));
	need_code(200, get(THINGS "/t"));
	need_code(200, merge(THINGS "/t", "{'metadata':{'finalizers':null}}"));
	expect_text("kind", "Thing");
	need_code(404, get(THINGS "/t"));
}

Test(api_update, deletion_is_not_undone_by_a_write)
{
	need_code(201, ask("POST", THINGS, thing("'name':'t','finalizers':['example.org/a']", "")));
	need_code(200, ask("DELETE", THINGS "/t", NULL));
	need_code(200, merge(THINGS "/t", "{'metadata':{'deletionTimestamp':null}}"));
	cr_expect(has("metadata/deletionTimestamp"));
}

Test(api_update, a_dry_run_answers_and_keeps_nothing)
{
	need_code(201, ask("POST", CMS "?dryRun=All", config_map("'name':'m'")));
	need_code(404, get(CMS "/m"));
	need_code(201, ask("POST", CMS, config_map("'name':'m'")));
	need_code(200, merge(CMS "/m?dryRun=All", "{'data':{'a':'b'}}"));
	expect_text("data/a", "b");
	need_code(200, ask("DELETE", CMS "/m?dryRun=All", NULL));
	need_code(200, get(CMS "/m"));
	cr_expect(!has("data"));
}

Test(api_update, a_status_is_an_object_or_nothing)
{
	static const char *const bad[] = {"'x'", "5", "[]", "true"};
	char body[200];

	need_code(201, ask("POST", THINGS, thing("'name':'t'", "")));
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		snprintf(body, sizeof body, "{'status':%s}", bad[i]);
		cr_expect_eq(merge(THINGS "/t/status", body), 400, "%s", bad[i]);
		cr_expect_eq(merge(THINGS "/t", body), 400, "%s", bad[i]);
		cr_expect_eq(merge("/api/v1/namespaces/default/status", body), 400, "%s", bad[i]);
		snprintf(body, sizeof body,
		    "{'apiVersion':'example.org/v1','kind':'Plain','metadata':{'name':'p'},'status':%s}", bad[i]);
		cr_expect_eq(ask("POST", PLAINS, body), 400, "%s", bad[i]);
	}
	expect_code(200, merge(THINGS "/t/status", "{'status':{'a':1}}"));
	expect_code(200, merge(THINGS "/t/status", "{'status':null}"));
	expect_code(201, ask("POST", PLAINS,
			     "{'apiVersion':'example.org/v1','kind':'Plain','metadata':{'name':'p'},'status':null}"));
}

#define BOUND "{'metadata':{'name':'p'},'spec':{'nodeName':'%s','containers':[{'name':'c','image':'x'}]}}"

Test(api_update, a_pod_stays_on_its_node)
{
	static const char *const patches[] = {
	    "{'spec':{'nodeName':'n2'}}", "{'spec':{'nodeName':null}}", "{'spec':{'nodeName':''}}"};
	static const char replace[] = "[{'op':'replace','path':'/spec/nodeName','value':'n2'}]";
	char body[300];

	snprintf(body, sizeof body, BOUND, "n1");
	need_code(201, ask("POST", PODS, body));
	for (size_t i = 0; i < sizeof patches / sizeof *patches; i++) {
		expect_code(422, merge(PODS "/p", patches[i]));
		cr_expect(strstr(text_of("message"), "pod updates may not change fields"), "%s", text_of("message"));
		expect_text("details/causes/0/field", "spec");
		expect_code(422, strategic(PODS "/p", patches[i]));
	}
	expect_code(422, json_patch_it(PODS "/p", replace));
	snprintf(body, sizeof body, BOUND, "n2");
	expect_code(422, ask("PUT", PODS "/p", body));
	need_code(200, get(PODS "/p"));
	expect_text("spec/nodeName", "n1");
	expect_code(200, merge(PODS "/p", "{'spec':{'nodeName':'n1'},'metadata':{'labels':{'a':'b'}}}"));
	/* one without a node gets it from its binding alone */
	need_code(201, ask("POST", PODS, "{'metadata':{'name':'q'},'spec':{'containers':[{'name':'c','image':'x'}]}}"));
	expect_code(422, merge(PODS "/q", "{'spec':{'nodeName':'n1'}}"));
}
