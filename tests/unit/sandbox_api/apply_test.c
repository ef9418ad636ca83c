#include "asked.h"

static void begin(void)
{
	start();
	define_kinds();
}

TestSuite(api_apply, .init = begin, .fini = end);

#define T THINGS "/t"

Test(api_apply, creates_what_is_not_there)
{
	need_code(201, apply(T "?fieldManager=ours", thing("'name':'t'", ",'spec':{'a':1}")));
	expect_text("metadata/managedFields/0/manager", "ours");
	expect_text("metadata/managedFields/0/operation", "Apply");
	cr_expect(has("metadata/managedFields/0/fieldsV1/f:spec/f:a"));
}

Test(api_apply, wants_a_manager_and_no_managed_fields)
{
	need_code(422, apply(T, thing("'name':'t'", "")));
	expect_text("message",
	    "PatchOptions.meta.k8s.io \"\" is invalid: fieldManager: Required value: is required for apply patch");
	expect_code(400, apply(T "?fieldManager=f", thing("'name':'t','managedFields':[]", "")));
	expect_code(400, apply(T "?fieldManager=f", "{'metadata':{'name':'t'}}"));
	expect_code(400, apply(T "?fieldManager=f", thing("'name':'other'", "")));
}

Test(api_apply, reads_yaml)
{
	need_code(201, apply(T "?fieldManager=f",
			   "apiVersion: example.org/v1\nkind: Thing\nmetadata:\n  name: t\nspec:\n  a: [1, two]\n"));
	expect_text("spec/a/1", "two");
	expect_code(400, apply(T "?fieldManager=f", "a: b\n---\nc: d\n"));
}

Test(api_apply, another_managers_value_is_a_conflict_unless_forced)
{
	need_code(201, apply(T "?fieldManager=ours", thing("'name':'t'", ",'spec':{'frequency':'@daily','other':1}")));
	need_code(409, apply(T "?fieldManager=theirs", thing("'name':'t'", ",'spec':{'frequency':'@hourly'}")));
	expect_body("{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{},\"status\":\"Failure\",\"message\":"
		    "\"Apply failed with 1 conflict: conflict with \\\"ours\\\": .spec.frequency\",\"reason\":"
		    "\"Conflict\",\"details\":{\"causes\":[{\"reason\":\"FieldManagerConflict\",\"message\":\"conflict "
		    "with \\\"ours\\\"\",\"field\":\".spec.frequency\"}]},\"code\":409}\n");
	/* the same value is shared */
	need_code(200, apply(T "?fieldManager=third", thing("'name':'t'", ",'spec':{'frequency':'@daily'}")));
	need_code(
	    200, apply(T "?fieldManager=theirs&force=true", thing("'name':'t'", ",'spec':{'frequency':'@hourly'}")));
	expect_text("spec/frequency", "@hourly");
	cr_expect_eq(int_of("spec/other"), 1);
	/* now it is theirs */
	expect_code(409, apply(T "?fieldManager=ours", thing("'name':'t'", ",'spec':{'frequency':'@daily'}")));
}

Test(api_apply, what_is_applied_no_more_goes_unless_somebody_else_has_it)
{
	need_code(201, apply(T "?fieldManager=ours",
			   thing("'name':'t','labels':{'mine':'1','shared':'1'}", ",'spec':{'a':1,'b':2}")));
	need_code(200, apply(T "?fieldManager=theirs", thing("'name':'t','labels':{'shared':'1','theirs':'1'}", "")));
	need_code(200, apply(T "?fieldManager=ours", thing("'name':'t'", ",'spec':{'a':1}")));
	cr_expect(!has("metadata/labels/mine"), "%s", buf_str(&response.body));
	cr_expect(has("metadata/labels/shared") && has("metadata/labels/theirs"));
	cr_expect(has("spec/a") && !has("spec/b"));
}

Test(api_apply, an_empty_object_wipes_out_nothing)
{
	need_code(201,
	    apply(T "?fieldManager=theirs", thing("'name':'t','labels':{'theirs':'1'}", ",'spec':{'inner':{'a':1}}")));
	need_code(200, apply(T "?fieldManager=ours", thing("'name':'t','labels':{}", ",'spec':{'inner':{}}")));
	cr_expect(has("metadata/labels/theirs") && has("spec/inner/a"), "%s", buf_str(&response.body));
}

Test(api_apply, an_update_takes_the_field_over)
{
	need_code(201, apply(T "?fieldManager=ours", thing("'name':'t'", ",'spec':{'a':1}")));
	need_code(200, merge(T "?fieldManager=editor", "{'spec':{'a':2}}"));
	need_code(409, apply(T "?fieldManager=ours", thing("'name':'t'", ",'spec':{'a':1}")));
	expect_text("details/causes/0/message", "conflict with \"editor\"");
}

Test(api_apply, kubectl_does_not_meet_itself)
{
	need_code(201, ask("POST", THINGS "?fieldManager=kubectl-client-side-apply",
			   thing("'name':'t','annotations':{'kubectl.kubernetes.io/last-applied-configuration':'{}'}",
			       ",'spec':{'a':1}")));
	expect_code(409, apply(T "?fieldManager=other", thing("'name':'t'", ",'spec':{'a':2}")));
	expect_code(200, apply(T "?fieldManager=kubectl", thing("'name':'t'", ",'spec':{'a':2}")));
}

Test(api_apply, an_old_version_in_the_body_is_a_conflict)
{
	need_code(201, apply(T "?fieldManager=ours", thing("'name':'t'", ",'spec':{'a':1}")));
	need_code(409, apply(T "?fieldManager=ours", thing("'name':'t','resourceVersion':'1'", ",'spec':{'a':2}")));
	expect_code(400, apply(T "?fieldManager=x&force=true", "[]"));
}
