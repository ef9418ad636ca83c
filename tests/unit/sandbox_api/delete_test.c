#include "asked.h"

#include "sandbox/api/call.h"

static void begin(void)
{
	start();
	define_kinds();
}

TestSuite(api_delete, .init = begin, .fini = end);

static void make_owner(void)
{
	need_code(201, ask("POST", THINGS, thing("'name':'owner'", "")));
}

/* A child of uid, with or without a finalizer. */
static void make_child(const char *name, const char *uid, bool held)
{
	char metadata[600];

	snprintf(metadata, sizeof metadata,
	    "'name':'%s','ownerReferences':[{'apiVersion':'example.org/v1','kind':'Thing','name':'owner','uid':'%s',"
	    "'controller':true,'blockOwnerDeletion':true}]%s",
	    name, uid, held ? ",'finalizers':['example.org/hold']" : "");
	need_code(201, ask("POST", CMS, config_map(metadata)));
}

static int code_of(const char *target)
{
	return get(target);
}

Test(api_delete, answers_a_status_when_it_is_gone_and_the_object_while_it_stays)
{
	const char *uid;

	need_code(201, ask("POST", THINGS, thing("'name':'t'", "")));
	uid = uid_said();
	need_code(200, ask("DELETE", THINGS "/t", NULL));
	expect_text("kind", "Status");
	expect_text("status", "Success");
	expect_text("details/uid", uid);
	need_code(404, ask("DELETE", THINGS "/t", NULL));
	need_code(201, ask("POST", PODS, "{'metadata':{'name':'p'},'spec':{'containers':[{'name':'c','image':'x'}]}}"));
	need_code(200, ask("DELETE", PODS "/p", NULL));
	expect_text("kind", "Pod");
	need_code(404, get(PODS "/p"));
}

Test(api_delete, a_pod_on_a_node_waits_for_its_kubelet)
{
	need_code(
	    201, ask("POST", PODS,
		     "{'metadata':{'name':'p'},'spec':{'nodeName':'n','containers':[{'name':'c','image':'x'}]}}"));
	need_code(200, ask("DELETE", PODS "/p", NULL));
	cr_expect_eq(int_of("metadata/deletionGracePeriodSeconds"), 30);
	settle();
	need_code(200, get(PODS "/p"));
	need_code(200, ask("DELETE", PODS "/p?gracePeriodSeconds=0", NULL));
	need_code(404, get(PODS "/p"));
}

Test(api_delete, background_leaves_the_children_to_the_sweep)
{
	make_owner();
	make_child("c1", uid_said(), false);
	need_code(200, get(THINGS "/owner"));
	make_child("c2", uid_said(), true);
	settle();
	expect_code(200, code_of(CMS "/c1"));
	need_code(200, ask("DELETE", THINGS "/owner?propagationPolicy=Background", NULL));
	expect_code(404, code_of(THINGS "/owner"));
	expect_code(200, code_of(CMS "/c1"));
	settle();
	expect_code(404, code_of(CMS "/c1"));
	need_code(200, get(CMS "/c2"));
	cr_expect(has("metadata/deletionTimestamp"));
}

Test(api_delete, foreground_goes_after_its_last_child)
{
	make_owner();
	make_child("c1", uid_said(), true);
	need_code(200, get(THINGS "/owner"));
	make_child("c2", uid_said(), false);
	need_code(200, ask("DELETE", THINGS "/owner", "{'propagationPolicy':'Foreground'}"));
	expect_text("metadata/finalizers/0", "foregroundDeletion");
	settle();
	expect_code(200, code_of(THINGS "/owner"));
	expect_code(404, code_of(CMS "/c2"));
	need_code(200, get(CMS "/c1"));
	cr_expect(has("metadata/deletionTimestamp"));
	need_code(200, merge(CMS "/c1", "{'metadata':{'finalizers':null}}"));
	settle();
	expect_code(404, code_of(THINGS "/owner"));
}

Test(api_delete, one_that_waits_does_not_hold_up_another)
{
	make_owner();
	make_child("held", uid_said(), true);
	need_code(200, ask("DELETE", THINGS "/owner", "{'propagationPolicy':'Foreground'}"));
	need_code(201, ask("POST", THINGS, thing("'name':'second'", "")));
	make_child("free", uid_said(), false);
	need_code(200, ask("DELETE", THINGS "/second", "{'propagationPolicy':'Foreground'}"));
	settle();
	expect_code(404, code_of(THINGS "/second"));
	expect_code(404, code_of(CMS "/free"));
	expect_code(200, code_of(THINGS "/owner"));
}

Test(api_delete, orphans_stay_without_their_owner)
{
	make_owner();
	make_child("c1", uid_said(), false);
	need_code(200, get(THINGS "/owner"));
	make_child("c2", uid_said(), false);
	need_code(200, ask("DELETE", THINGS "/owner", "{'propagationPolicy':'Orphan'}"));
	settle();
	expect_code(404, code_of(THINGS "/owner"));
	for (int i = 0; i < 2; i++) {
		need_code(200, get(i ? CMS "/c1" : CMS "/c2"));
		cr_expect(!has("metadata/ownerReferences"));
	}
}

Test(api_delete, an_owner_that_never_was_is_as_good_as_gone)
{
	make_child("lost", "00000000-0000-0000-0000-000000000000", false);
	settle();
	expect_code(404, code_of(CMS "/lost"));
}

Test(api_delete, one_owner_of_two_is_enough)
{
	char metadata[600];

	make_owner();
	snprintf(metadata, sizeof metadata, "'name':'c','ownerReferences':[{'uid':'gone'},{'uid':'%s'}]", uid_said());
	need_code(201, ask("POST", CMS, config_map(metadata)));
	settle();
	expect_code(200, code_of(CMS "/c"));
}

Test(api_delete, many_orphans_go_in_a_store_that_remembers_little)
{
	char name[32];

	end();
	start_with(2);
	define_kinds();
	make_owner();
	const char *uid = uid_said();

	for (int i = 0; i < 50; i++) {
		snprintf(name, sizeof name, "c%d", i);
		make_child(name, uid, false);
	}
	need_code(200, ask("DELETE", THINGS "/owner", NULL));
	settle();
	need_code(200, get(CMS));
	cr_expect_eq(json_count(json_at(json_root(said), "items")), 0);
}

Test(api_delete, a_collection_answers_with_what_was_there)
{
	need_code(201, ask("POST", CMS, config_map("'name':'a','labels':{'n':'1'}")));
	need_code(201, ask("POST", CMS, config_map("'name':'b','labels':{'n':'1'},'finalizers':['example.org/x']")));
	need_code(201, ask("POST", CMS, config_map("'name':'c'")));
	need_code(200, ask("DELETE", CMS "?labelSelector=n%3D1", NULL));
	cr_expect_eq(json_count(json_at(json_root(said), "items")), 2);
	cr_expect(!has("items/1/metadata/deletionTimestamp"));
	expect_code(404, code_of(CMS "/a"));
	expect_code(200, code_of(CMS "/b"));
	expect_code(200, code_of(CMS "/c"));
	expect_code(200, ask("DELETE", CMS "?labelSelector=n%3Dnone", NULL));
}

/* As a server leaves it that is killed between the last finalizer's end and the removal. */
static void leave(const char *key, const char *name, const char *more)
{
	char text[400];
	struct err err = ERR_INIT;
	struct json *doc = NULL;

	snprintf(text, sizeof text,
	    "{'apiVersion':'v1','metadata':{'name':'%s','namespace':'default','uid':'%s','deletionTimestamp':"
	    "'2026-11-28T07:00:00Z'%s}}",
	    name, name, more);
	cr_assert(json_format(&doc, &err, text), "%s", err.msg);
	cr_assert(db_put(store, key, doc, NULL, &err), "%s", err.msg);
}

Test(api_delete, one_that_a_kill_has_interrupted_is_finished)
{
	leave("/configmaps", "a", "");
	leave("/configmaps", "b", ",'finalizers':['example.org/hold']");
	leave("/configmaps", "c", "");
	leave("/pods", "gone", ",'deletionGracePeriodSeconds':0");
	leave("/pods", "stopping", ",'deletionGracePeriodSeconds':30");
	settle();
	expect_code(404, code_of(CMS "/a"));
	expect_code(200, code_of(CMS "/b"));
	expect_code(404, code_of(CMS "/c"));
	expect_code(404, code_of(PODS "/gone"));
	expect_code(200, code_of(PODS "/stopping"));
}

/* --- namespaces and definitions ----------------------------------------------------------------------------------- */

#define NS "/api/v1/namespaces/ns"

Test(api_delete, a_namespace_takes_all_in_it_along)
{
	need_code(201, ask("POST", "/api/v1/namespaces", "{'metadata':{'name':'ns'}}"));
	expect_text("metadata/labels/kubernetes.io~1metadata.name", "ns");
	need_code(201, ask("POST", NS "/configmaps", config_map("'name':'m'")));
	need_code(
	    201, ask("POST", NS "/pods", "{'metadata':{'name':'p'},'spec':{'containers':[{'name':'c','image':'x'}]}}"));
	need_code(201, ask("POST", CMS, config_map("'name':'elsewhere'")));
	need_code(200, ask("DELETE", NS, NULL));
	expect_text("status/phase", "Terminating");
	need_code(403, ask("POST", NS "/configmaps", config_map("'name':'late'")));
	expect_text("reason", "Forbidden");
	expect_text("details/causes/0/reason", "NamespaceTerminating");
	settle();
	expect_code(404, code_of(NS));
	expect_code(200, code_of(CMS "/elsewhere"));
}

Test(api_delete, a_finalizer_holds_the_namespace_and_its_conditions_say_so)
{
	need_code(201, ask("POST", "/api/v1/namespaces", "{'metadata':{'name':'ns'}}"));
	need_code(201, ask("POST", "/apis/example.org/v1/namespaces/ns/things",
			   thing("'name':'t','finalizers':['example.org/hold']", "")));
	need_code(201, ask("POST", NS "/configmaps", config_map("'name':'a','finalizers':['example.org/hold']")));
	need_code(201, ask("POST", NS "/configmaps", config_map("'name':'free'")));
	need_code(200, ask("DELETE", NS, NULL));
	settle();
	expect_code(404, code_of(NS "/configmaps/free"));
	need_code(200, get(NS));
	expect_text("status/conditions/3/type", "NamespaceContentRemaining");
	expect_text("status/conditions/3/status", "True");
	expect_text("status/conditions/3/reason", "SomeResourcesRemain");
	expect_text("status/conditions/3/message", "Some resources are remaining: things.example.org has 1 resource "
						   "instances, configmaps. has 1 resource instances");
	expect_text("status/conditions/4/message",
	    "Some content in the namespace has finalizers remaining: example.org/hold in 2 resource instances");
	need_code(200, merge(NS "/configmaps/a", "{'metadata':{'finalizers':null}}"));
	need_code(200, merge("/apis/example.org/v1/namespaces/ns/things/t", "{'metadata':{'finalizers':null}}"));
	settle();
	expect_code(404, code_of(NS));
}

Test(api_delete, a_definition_takes_its_objects_along_and_others_do_not_wait_for_it)
{
	need_code(201, ask("POST", THINGS, thing("'name':'t','finalizers':['example.org/hold']", "")));
	need_code(201, ask("POST", PLAINS, "{'apiVersion':'example.org/v1','kind':'Plain','metadata':{'name':'p'}}"));
	need_code(200, ask("DELETE", CRDS_PATH "/things.example.org", NULL));
	need_code(200, ask("DELETE", CRDS_PATH "/plains.example.org", NULL));
	settle();
	expect_code(404, code_of(CRDS_PATH "/plains.example.org"));
	expect_code(404, code_of(PLAINS "/p"));
	expect_code(200, code_of(CRDS_PATH "/things.example.org"));
	need_code(200, merge(THINGS "/t", "{'metadata':{'finalizers':null}}"));
	settle();
	expect_code(404, code_of(CRDS_PATH "/things.example.org"));
	expect_code(404, code_of(THINGS));
	expect_body("404 page not found\n");
}

/* Between looking up the kind and writing, the store is not locked. */
Test(api_delete, nothing_is_made_of_a_kind_that_has_gone_meanwhile)
{
	const struct api_request request = {.method = "POST", .target = THINGS, .user_agent = "test/1"};
	struct call c = {.api = &api,
	    .store = store,
	    .request = &request,
	    .response = &response,
	    .group = "example.org",
	    .version = "v1",
	    .plural = "things",
	    .namespace_ = "default"};
	struct json *doc = NULL;
	struct err err = ERR_INIT;

	cr_assert(resource_find(store, "example.org", "v1", "things", &c.res));
	need_code(200, ask("DELETE", CRDS_PATH "/things.example.org", NULL));
	settle();
	forget_answer();
	api_response_init(&response);
	cr_assert(json_format(&doc, &err, "{'apiVersion':'example.org/v1','kind':'Thing','metadata':{'name':'late'}}"));
	cr_expect(!write_create(&c, doc));
	cr_expect_eq(response.code, 404);
	cr_expect(!db_get(store, "example.org/things", "default", "late"));
	resource_clear(&c.res);
}
