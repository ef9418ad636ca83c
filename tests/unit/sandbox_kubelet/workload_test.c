#include "sandbox/kubelet/workload.h"

#include "made.h"

#include <stdio.h>

#define REV "rev"

/* A pod of set "ns/rs0" as one letter: r ready, n not ready, d being deleted, f finished, o ready and of an old template,
 * w waits for its claims, - not there. */
static void put_pod(char *out, size_t size, int ordinal, char what)
{
	char status[256], meta[64] = "";
	size_t len = strlen(out);
	const char *ip = "'podIP':'127.1.1.11',";

	if (what == '-')
		return;
	if (what == 'd')
		snprintf(meta, sizeof meta, ",'deletionTimestamp':'2001-01-01T00:00:00Z'");
	snprintf(status, sizeof status, "{%s'phase':'%s','conditions':[{'type':'Ready','status':'%s'}]}",
	    what == 'w' ? "" : ip, what == 'f' ? "Failed" : "Running", what == 'r' || what == 'o' ? "True" : "False");
	snprintf(out + len, size - len,
	    "%s{'metadata':{'namespace':'ns','name':'rs0-%d','uid':'p%d','labels':{'controller-revision-hash':'%s'}%s,"
	    "'ownerReferences':[{'controller':true,'uid':'set'}]},'status':%s}",
	    len ? "," : "", ordinal, ordinal, what == 'o' ? "old" : REV, meta, status);
}

static const char *plan_of(const char *pods, const char *spec)
{
	static char text[512];
	char items[8192] = "", object[1024];
	WORLD_CLEANUP struct world w = {0};
	struct workload_plan plan;
	struct err err = ERR_INIT;
	struct json *set;

	for (int i = 0; pods[i]; i++)
		put_pod(items, sizeof items, i, pods[i]);
	/* somebody else's, of a fitting name */
	strcat(items, *items ? "," : "");
	strcat(items,
	    "{'metadata':{'namespace':'ns','name':'rs0-9','uid':'x'}},{'metadata':{'namespace':'other','name':'rs0-0',"
	    "'uid':'y','ownerReferences':[{'controller':true,'uid':'set'}]}}");
	made_list(&w, WORLD_PODS, items);
	snprintf(object, sizeof object, "{'metadata':{'namespace':'ns','name':'rs0','uid':'set'},'spec':{%s}}", spec);
	set = made(object);
	cr_assert(statefulset_plan(&w, json_root(set), REV, &plan, &err), "%s", err.msg);
	json_free(set);
	text[0] = '\0';
	for (size_t i = 0; i < plan.count; i++) {
		static const char *const names[] = {"create", "claims", "delete"};
		size_t len = strlen(text);

		snprintf(text + len, sizeof text - len, "%s%s %d", len ? ", " : "", names[plan.actions[i].what],
		    plan.actions[i].ordinal);
		cr_assert_eq(statefulset_ordinal("rs0", plan.actions[i].pod), plan.actions[i].ordinal);
	}
	return text;
}

Test(statefulset, comes_up_in_order_one_at_a_time)
{
	cr_assert_str_eq(plan_of("", "'replicas':3"), "create 0");
	cr_assert_str_eq(plan_of("n", "'replicas':3"), "");
	cr_assert_str_eq(plan_of("r", "'replicas':3"), "create 1");
	cr_assert_str_eq(plan_of("rn", "'replicas':3"), "");
	cr_assert_str_eq(plan_of("rr", "'replicas':3"), "create 2");
	cr_assert_str_eq(plan_of("rrr", "'replicas':3"), "");
	cr_assert_str_eq(plan_of("", ""), "create 0"); /* one by default */
	cr_assert_str_eq(plan_of("r", ""), "");
}

Test(statefulset, a_hole_is_filled_when_those_before_it_are_ready)
{
	cr_assert_str_eq(plan_of("r-r", "'replicas':3"), "create 1");
	cr_assert_str_eq(plan_of("n-r", "'replicas':3"), "");
	cr_assert_str_eq(plan_of("d-r", "'replicas':3"), "");
	cr_assert_str_eq(plan_of("-rr", "'replicas':3"), "create 0");
}

Test(statefulset, parallel_does_not_wait)
{
	cr_assert_str_eq(plan_of("", "'replicas':3,'podManagementPolicy':'Parallel'"), "create 0, create 1, create 2");
	cr_assert_str_eq(plan_of("nd-", "'replicas':3,'podManagementPolicy':'Parallel'"), "create 2");
}

Test(statefulset, goes_down_from_the_highest_when_the_rest_is_ready)
{
	cr_assert_str_eq(plan_of("rrr", "'replicas':1"), "delete 2");
	cr_assert_str_eq(plan_of("rrd", "'replicas':1"), "");
	cr_assert_str_eq(plan_of("nrr", "'replicas':1"), "");
	cr_assert_str_eq(plan_of("rr", "'replicas':0"), "delete 1");
	cr_assert_str_eq(plan_of("r", "'replicas':0"), "delete 0");
}

Test(statefulset, a_finished_pod_is_made_anew)
{
	cr_assert_str_eq(plan_of("rf", "'replicas':2"), "delete 1");
}

Test(statefulset, a_pod_that_waits_for_a_claim_gets_it)
{
	cr_assert_str_eq(plan_of("w", "'replicas':1,'volumeClaimTemplates':[{'metadata':{'name':'d'}}]"), "claims 0");
	cr_assert_str_eq(plan_of("w", "'replicas':1"), "");
	cr_assert_str_eq(plan_of("n", "'replicas':1,'volumeClaimTemplates':[{'metadata':{'name':'d'}}]"), "");
}

Test(statefulset, a_new_template_replaces_from_the_highest_one_at_a_time)
{
	cr_assert_str_eq(plan_of("ooo", "'replicas':3"), "delete 2");
	cr_assert_str_eq(plan_of("oor", "'replicas':3"), "delete 1");
	cr_assert_str_eq(plan_of("oon", "'replicas':3"), "");
	cr_assert_str_eq(plan_of("ood", "'replicas':3"), "");
	cr_assert_str_eq(plan_of("ooo", "'replicas':3,'updateStrategy':{'type':'OnDelete'}"), "");
}

Test(statefulset, too_many_replicas_are_refused)
{
	struct json *set = made("{'metadata':{'namespace':'ns','name':'rs0','uid':'set'},'spec':{'replicas':65}}");
	struct workload_plan plan;
	struct world w = {0};
	struct err err = ERR_INIT;

	cr_assert_not(statefulset_plan(&w, json_root(set), REV, &plan, &err));
	cr_assert_eq(err.code, ERR_UNSUPPORTED);
	json_free(set);
}

Test(statefulset, ordinals_are_read_strictly)
{
	cr_assert_eq(statefulset_ordinal("a", "a-0"), 0);
	cr_assert_eq(statefulset_ordinal("a", "a-12"), 12);
	cr_assert_eq(statefulset_ordinal("a", "a-01"), -1);
	cr_assert_eq(statefulset_ordinal("a", "a-"), -1);
	cr_assert_eq(statefulset_ordinal("a", "a-b-0"), -1);
	cr_assert_eq(statefulset_ordinal("a", "b-0"), -1);
	cr_assert_eq(statefulset_ordinal("a", "a-99999999999999999999"), -1);
}

#define SET                                                                                                            \
	"{'metadata':{'namespace':'ns','name':'rs0','uid':'set'},'spec':{'serviceName':'svc','template':{"             \
	"'metadata':{'labels':{'app':'x'}},'spec':{'containers':[],'volumes':[{'name':'data','emptyDir':{}},"          \
	"{'name':'other','emptyDir':{}}]}},'volumeClaimTemplates':[{'metadata':{'name':'data'},'spec':{"               \
	"'accessModes':['ReadWriteOnce']}},{'metadata':{'name':'more'},'spec':{}}]}}"

Test(statefulset, its_pods_have_name_owner_labels_and_claims)
{
	struct json *set = made(SET), *pod = NULL, *claim = NULL;
	struct err err = ERR_INIT;
	const json_node *p;

	cr_assert(statefulset_pod(json_root(set), 2, REV, &pod, &err), "%s", err.msg);
	p = json_root(pod);
	cr_assert(json_is_at(p, "metadata/name", "rs0-2") && json_is_at(p, "metadata/namespace", "ns"));
	cr_assert(object_controlled_by(p, "set"));
	cr_assert(json_is_at(p, "metadata/ownerReferences/0/kind", "StatefulSet"));
	cr_assert(json_is_at(p, "metadata/labels/app", "x"));
	cr_assert(json_is_at(p, "metadata/labels/controller-revision-hash", REV));
	cr_assert(json_is_at(p, "spec/hostname", "rs0-2") && json_is_at(p, "spec/subdomain", "svc"));
	cr_assert(json_is_at(p, "spec/restartPolicy", "Always"));
	cr_assert_eq(json_count(json_at(p, "spec/volumes")), 3);
	cr_assert(json_is_at(p, "spec/volumes/0/persistentVolumeClaim/claimName", "data-rs0-2"));
	cr_assert_null(json_at(p, "spec/volumes/0/emptyDir"));
	cr_assert_not_null(json_at(p, "spec/volumes/1/emptyDir"));
	cr_assert(json_is_at(p, "spec/volumes/2/persistentVolumeClaim/claimName", "more-rs0-2"));
	cr_assert(
	    statefulset_claim(json_root(set), json_at(json_root(set), "spec/volumeClaimTemplates/0"), 2, &claim, &err));
	cr_assert(json_is_at(json_root(claim), "metadata/name", "data-rs0-2"));
	cr_assert(json_is_at(json_root(claim), "spec/accessModes/0", "ReadWriteOnce"));
	json_free(claim);
	json_free(pod);
	json_free(set);
}

static struct json *deployment_of(int replicas)
{
	char text[512];

	snprintf(text, sizeof text,
	    "{'metadata':{'namespace':'ns','name':'op','uid':'dep'},'spec':{'replicas':%d,'template':{'spec':{}}}}",
	    replicas);
	return made(text);
}

/* slots of pods that are there: 'r' current, 'o' old, 'd' leaving */
static struct workload_plan deployment_with(const char *pods, int replicas)
{
	struct json *d = deployment_of(replicas);
	WORLD_CLEANUP struct world w = {0};
	struct workload_plan plan;
	struct err err = ERR_INIT;
	char items[4096] = "";

	for (int i = 0; pods[i]; i++) {
		char name[OBJECT_NAME_MAX];
		size_t len = strlen(items);

		deployment_pod_name(json_root(d), pods[i] == 'o' ? "old" : REV, i, name);
		snprintf(items + len, sizeof items - len,
		    "%s{'metadata':{'namespace':'ns','name':'%s','uid':'p%d','labels':{'pod-template-hash':'%s'}%s,"
		    "'ownerReferences':[{'controller':true,'uid':'dep'}]},'status':{'phase':'Running'}}",
		    len ? "," : "", name, i, pods[i] == 'o' ? "old" : REV,
		    pods[i] == 'd' ? ",'deletionTimestamp':'2001-01-01T00:00:00Z'" : "");
	}
	made_list(&w, WORLD_PODS, items);
	cr_assert(deployment_plan(&w, json_root(d), REV, &plan, &err), "%s", err.msg);
	json_free(d);
	return plan;
}

Test(deployment, makes_what_is_missing_and_removes_what_is_too_much)
{
	struct workload_plan plan = deployment_with("", 2);

	cr_assert(
	    plan.count == 2 && plan.actions[0].what == WORKLOAD_CREATE && plan.actions[1].what == WORKLOAD_CREATE);
	cr_assert_str_neq(plan.actions[0].pod, plan.actions[1].pod);
	plan = deployment_with("r", 2);
	cr_assert(plan.count == 1 && plan.actions[0].what == WORKLOAD_CREATE && plan.actions[0].ordinal == 1);
	plan = deployment_with("rr", 1);
	cr_assert(plan.count == 1 && plan.actions[0].what == WORKLOAD_DELETE);
	plan = deployment_with("r", 1);
	cr_assert(plan.count == 0 && plan.updated == 1);
}

Test(deployment, an_old_pod_goes_before_the_new_one_comes)
{
	struct workload_plan plan = deployment_with("o", 1);

	cr_assert(plan.count == 1 && plan.actions[0].what == WORKLOAD_DELETE);
	plan = deployment_with("d", 1);
	cr_assert_eq(plan.count, 0);
}

Test(deployment, a_template_has_one_revision_and_another_one_another)
{
	struct json *a = made("{'spec':{'x':1}}"), *b = made("{'spec':{'x':2}}");
	char first[REVISION_MAX], again[REVISION_MAX], other[REVISION_MAX];
	struct err err = ERR_INIT;

	cr_assert(template_revision(json_root(a), first, &err) && template_revision(json_root(a), again, &err) &&
		  template_revision(json_root(b), other, &err));
	cr_assert_str_eq(first, again);
	cr_assert_str_neq(first, other);
	cr_assert_eq(strlen(first), 10);
	json_free(a);
	json_free(b);
}
