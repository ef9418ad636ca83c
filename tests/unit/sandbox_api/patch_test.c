#include "asked.h"

static void begin(void)
{
	start();
	define_kinds();
}

TestSuite(api_patch, .init = begin, .fini = end);

Test(api_patch, a_merge_patch_removes_with_null_and_replaces_lists)
{
	need_code(201, ask("POST", THINGS, thing("'name':'t'", ",'spec':{'a':1,'b':{'c':2},'list':[1,2]}")));
	need_code(200, merge(THINGS "/t", "{'spec':{'a':null,'b':{'d':3},'list':[3]}}"));
	cr_expect(!has("spec/a"));
	cr_expect_eq(int_of("spec/b/c"), 2);
	cr_expect_eq(int_of("spec/b/d"), 3);
	cr_expect_eq(json_count(json_at(json_root(said), "spec/list")), 1);
	expect_code(404, merge(THINGS "/none", "{}"));
	expect_code(400, merge(THINGS "/t", "{'spec':"));
}

Test(api_patch, a_json_patch_is_made_as_a_whole_or_not)
{
	need_code(201, ask("POST", THINGS, thing("'name':'t'", ",'spec':{'a':1}")));
	need_code(200, json_patch_it(THINGS "/t",
			   "[{'op':'test','path':'/spec/a','value':1},{'op':'replace','path':'/spec/a','value':2}]"));
	cr_expect_eq(int_of("spec/a"), 2);
	need_code(422, json_patch_it(THINGS "/t",
			   "[{'op':'replace','path':'/spec/a','value':3},{'op':'test','path':'/spec/a','value':9}]"));
	expect_text("reason", "Invalid");
	need_code(200, get(THINGS "/t"));
	cr_expect_eq(int_of("spec/a"), 2);
}

Test(api_patch, a_json_patch_may_hold_the_version_that_it_was_made_from)
{
	char body[300];

	need_code(201, ask("POST", THINGS, thing("'name':'t'", ",'spec':{'a':1}")));
	snprintf(body, sizeof body,
	    "[{'op':'replace','path':'/metadata/resourceVersion','value':'%s'},{'op':'replace','path':'/spec/"
	    "a','value':2}]",
	    text_of("metadata/resourceVersion"));
	need_code(200, json_patch_it(THINGS "/t", body));
	need_code(409, json_patch_it(THINGS "/t", body));
}

Test(api_patch, a_strategic_patch_merges_lists_by_their_keys)
{
	need_code(201, ask("POST", PODS,
			   "{'metadata':{'name':'p'},'spec':{'containers':[{'name':'a','image':'1','ports':[{'"
			   "containerPort':1}]},{'name':'b','image':'1'}]}}"));
	need_code(200,
	    strategic(PODS "/p", "{'spec':{'$setElementOrder/"
				 "containers':[{'name':'a'},{'name':'c'}],'containers':[{'name':'a','image':'2','ports'"
				 ":[{'containerPort':2}]},{'name':'b','$patch':'delete'},{'name':'c','image':'3'}]}}"));
	cr_expect_eq(json_count(json_at(json_root(said), "spec/containers")), 2);
	expect_text("spec/containers/0/image", "2");
	cr_expect_eq(json_count(json_at(json_root(said), "spec/containers/0/ports")), 2);
	expect_text("spec/containers/1/name", "c");
	cr_expect(!has("spec/$setElementOrder~1containers"));
	expect_code(400, strategic(PODS "/p", "{'spec':{'containers':[{'image':'2'}]}}"));
}
