/* Which objects are meant, what is left of them, how long a while is, and where they are kept. */
#include "base/file.h"
#include "sandbox/kasten/clean.h"
#include "sandbox/kasten/duration.h"
#include "sandbox/kasten/inventory.h"
#include "sandbox/kasten/select.h"
#include "sandbox/kasten/store.h"
#include "tests/unit/sandbox_kasten/support.h"

#include <sys/stat.h>

static const char psmdb[] = "{'metadata':{'name':'my-cluster-name','labels':{'team':'db','tier':'1'}}}";

struct filter_case {
	const char *filters;
	bool psmdb, secret, backup;
};

static bool wants(const char *filters, const char *group, const char *resource, const char *object)
{
	CLEANUP(json) struct json *f = tree(filters);
	CLEANUP(json) struct json *o = tree(object);
	const struct filter_subject subject = {group, "v1", resource, json_root(o)};

	return filter_wants(json_root(f), &subject);
}

Test(kasten_select, filters_as_kasten_reads_them)
{
	static const struct filter_case cases[] = {
	    {"null", true, true, true},
	    {"{}", true, true, true},
	    {"{'includeResources':[]}", true, true, true},
	    {"{'includeResources':[{'group':'psmdb.percona.com','resource':'perconaservermongodbs','name':'my-cluster-"
	     "name'}]}",
		true, false, false},
	    {"{'includeResources':[{'resource':'perconaservermongodbs'},{'group':'','resource':'secrets'}]}", true,
		true, false},
	    {"{'includeResources':[{'group':'psmdb.percona.com'}]}", true, false, true},
	    {"{'includeResources':[{'group':''}]}", true, true, true}, /* alone it matches all */
	    {"{'includeResources':[{'name':'my-cluster-name','resource':'secrets'}]}", false, false, false},
	    /* the misspelt key is ignored: everything */
	    {"{'includeResource':[{'resource':'secrets'}]}", true, true, true},
	    {"{'includeResources':[{'resources':'secrets'}]}", true, true, true},
	    {"{'includeResources':'secrets'}", true, true, true},
	    {"{'includeResources':[{'resource':'no-such-thing'}]}", false, false, false},
	    {"{'includeResources':[{'matchLabels':{'team':'db'}}]}", true, false, false},
	    {"{'includeResources':[{'matchExpressions':[{'key':'team','operator':'Exists'}]}]}", true, false, false},
	    {"{'excludeResources':[{'group':'psmdb.percona.com'}]}", false, true, false},
	    {"{'includeResources':[{'group':'psmdb.percona.com'}],'excludeResources':[{'resource':'"
	     "perconaservermongodbbackups'}]}",
		true, false, false},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct filter_case *c = &cases[i];

		cr_expect_eq(wants(c->filters, "psmdb.percona.com", "perconaservermongodbs", psmdb), c->psmdb,
		    "%s: psmdb", c->filters);
		cr_expect_eq(wants(c->filters, "", "secrets", "{'metadata':{'name':'s3-secret'}}"), c->secret,
		    "%s: secret", c->filters);
		cr_expect_eq(wants(c->filters, "psmdb.percona.com", "perconaservermongodbbackups",
				 "{'metadata':{'name':'backup-1'}}"),
		    c->backup, "%s: backup", c->filters);
	}
}

Test(kasten_select, a_policy_selects_by_the_namespaces_name)
{
	static const struct {
		const char *selector;
		bool selected;
	} cases[] = {
	    {"{'matchExpressions':[{'key':'k10.kasten.io/appNamespace','operator':'In','values':['mongo-ns']}]}", true},
	    {"{'matchExpressions':[{'key':'k10.kasten.io/appNamespace','operator':'In','values':['other']}]}", false},
	    {"{'matchExpressions':[{'key':'k10.kasten.io/appNamespace','operator':'NotIn','values':['other']}]}", true},
	    {"{'matchExpressions':[{'key':'k10.kasten.io/appNamespace','operator':'in','values':['mongo-ns']}]}",
		false},
	    {"{'matchLabels':{'k10.kasten.io/appNamespace':'mongo-ns'}}", true},
	    {"{'matchLabels':{'env':'test'}}", true},
	    {"{'matchLabels':{'env':'prod'}}", false},
	    {"{'matchExpressions':[{'key':'gone','operator':'DoesNotExist'}]}", true},
	    {"null", false},
	};
	CLEANUP(json) struct json *ns = tree("{'metadata':{'name':'mongo-ns','labels':{'env':'test'}}}");

	for (size_t i = 0; i < COUNT(cases); i++) {
		CLEANUP(json) struct json *selector = tree(cases[i].selector);

		cr_expect_eq(
		    select_namespace(json_root(selector), json_root(ns)), cases[i].selected, "%s", cases[i].selector);
	}
}

Test(kasten_clean, identity_status_and_owners_are_left_behind)
{
	CLEANUP(json)
	struct json *saved = tree(
	    "{'apiVersion':'psmdb.percona.com/"
	    "v1','kind':'PerconaServerMongoDB','metadata':{'name':'c','namespace':'a','uid':'1',"
	    "'resourceVersion':'7','generation':2,'creationTimestamp':'x','managedFields':[],'ownerReferences':[{}],"
	    "'finalizers':['delete-psmdb-pods-in-order'],'annotations':{'kanister.kasten.io/blueprint':'psmdb-bp'},"
	    "'labels':{'a':'b'}},'spec':{'image':'i'},'status':{'state':'ready'}}");
	CLEANUP(json)
	struct json *want = tree(
	    "{'apiVersion':'psmdb.percona.com/v1','kind':'PerconaServerMongoDB','metadata':{'name':'c','namespace':'b',"
	    "'finalizers':['delete-psmdb-pods-in-order'],'annotations':{'kanister.kasten.io/blueprint':'psmdb-bp'},"
	    "'labels':{'a':'b'}},'spec':{'image':'i'}}");
	CLEANUP(json) struct json *got = NULL;

	cr_assert(clean_is_managed(json_root(saved)));
	cr_assert(clean_for_restore(json_root(saved), "b", &got, NULL));
	cr_assert(json_equal(json_root(got), json_root(want)));
}

Test(kasten_clean, a_claim_loses_its_volume_and_a_service_its_address)
{
	CLEANUP(json)
	struct json *claim = tree("{'apiVersion':'v1','kind':'PersistentVolumeClaim','metadata':{'name':'c','"
				  "finalizers':['kubernetes.io/pvc-protection'],"
				  "'annotations':{'pv.kubernetes.io/"
				  "bind-completed':'yes'}},'spec':{'volumeName':'pvc-1','storageClassName':'s'}}");
	CLEANUP(json)
	struct json *service = tree("{'apiVersion':'v1','kind':'Service','metadata':{'name':'s'},'spec':{'clusterIP':'"
				    "127.1.1.9','clusterIPs':['127.1.1.9']}}");
	CLEANUP(json)
	struct json *headless =
	    tree("{'apiVersion':'v1','kind':'Service','metadata':{'name':'h'},'spec':{'clusterIP':'None'}}");
	CLEANUP(json) struct json *c = NULL;
	CLEANUP(json) struct json *s = NULL;
	CLEANUP(json) struct json *h = NULL;

	cr_assert(clean_for_restore(json_root(claim), "n", &c, NULL));
	cr_expect_null(json_at(json_root(c), "spec/volumeName"));
	cr_expect_null(json_at(json_root(c), "metadata/finalizers"));
	cr_expect_eq(json_count(json_at(json_root(c), "metadata/annotations")), 0);
	cr_assert(clean_for_restore(json_root(service), "n", &s, NULL));
	cr_expect_null(json_at(json_root(s), "spec/clusterIP"));
	cr_assert(clean_for_restore(json_root(headless), "n", &h, NULL));
	cr_expect(json_is_at(json_root(h), "spec/clusterIP", "None"));
}

Test(kasten_clean, what_others_need_is_created_before_them)
{
	cr_expect_lt(clean_rank("", "secrets"), clean_rank("", "persistentvolumeclaims"));
	cr_expect_lt(
	    clean_rank("", "persistentvolumeclaims"), clean_rank("psmdb.percona.com", "perconaservermongodbs"));
	cr_expect_lt(clean_rank("psmdb.percona.com", "perconaservermongodbs"), clean_rank("apps", "deployments"));
}

Test(kasten_inventory, kinds_that_belong_to_an_application)
{
	CLEANUP(json)
	struct json *list = tree("{'groupVersion':'v1','resources':["
				 "{'name':'secrets','kind':'Secret','namespaced':true,'verbs':['create','get','list']},"
				 "{'name':'events','kind':'Event','namespaced':true,'verbs':['create','list']},"
				 "{'name':'pods','kind':'Pod','namespaced':true,'verbs':['create','list']},"
				 "{'name':'pods/log','kind':'Pod','namespaced':true,'verbs':['get']},"
				 "{'name':'nodes','kind':'Node','namespaced':false,'verbs':['create','list']},"
				 "{'name':'bindings','kind':'Binding','namespaced':true,'verbs':['create']}]}");
	struct inventory *inventory = calloc(1, sizeof *inventory);

	cr_assert(inventory_read(json_root(list), inventory, NULL));
	cr_expect_eq(inventory->count, 1);
	cr_expect_str_eq(inventory->kinds[0].plural, "secrets");
	cr_expect_str_eq(inventory->kinds[0].group, "");
	cr_expect_str_eq(inventory->kinds[0].version, "v1");
	free(inventory);
}

Test(kasten_duration, as_go_writes_them)
{
	static const struct {
		const char *text;
		int64_t ms; /* -1: refused */
	} cases[] = {{"360s", 360000}, {"10m", 600000}, {"1h30m", 5400000}, {"1.5h", 5400000}, {"500ms", 500}, {"0", 0},
	    {"1m0.5s", 60500}, {"100us", 0}, {"", -1}, {"10", -1}, {"s", -1}, {"-5s", -1}, {"5 s", -1}, {"5x", -1},
	    {"5s ", -1}, {"9999999999999999999999999999h", -1}, {"9000h", -1}, {"1..5s", -1}};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct err err = ERR_INIT;
		int64_t ms = -1;

		cr_expect_eq(duration_parse(cases[i].text, &ms, &err), cases[i].ms >= 0, "\"%s\"", cases[i].text);
		cr_expect_eq(ms, cases[i].ms, "\"%s\": %lld", cases[i].text, (long long)ms);
	}
}

static bool count_names(void *ctx, const char *name, struct err *err)
{
	(void)name;
	(void)err;
	(*(int *)ctx)++;
	return true;
}

Test(kasten_store, contents_are_for_their_owner_alone_and_names_lead_nowhere_else)
{
	CLEANUP(json) struct json *doc = tree("{'secret':'value'}");
	CLEANUP(json) struct json *back = NULL;
	char dir[] = "/tmp/kasten-store-XXXXXX", path[200];
	struct err err = ERR_INIT;
	struct store store;
	struct stat st;
	int names = 0;

	cr_assert(mkdtemp(dir));
	cr_assert(store_open(dir, &store, &err), "%s", err.msg);
	cr_assert(store_put(&store, STORE_CONTENTS, "mongo-ns-scheduled-abc", json_root(doc), &err), "%s", err.msg);
	snprintf(path, sizeof path, "%s/contents/mongo-ns-scheduled-abc.json", dir);
	cr_assert_eq(stat(path, &st), 0);
	cr_expect_eq(st.st_mode & 0777, 0600);
	snprintf(path, sizeof path, "%s/contents", dir);
	cr_assert_eq(stat(path, &st), 0);
	cr_expect_eq(st.st_mode & 0777, 0700);
	cr_assert(store_get(&store, STORE_CONTENTS, "mongo-ns-scheduled-abc", &back, &err));
	cr_expect(json_equal(json_root(doc), json_root(back)));
	cr_expect_not(store_put(&store, STORE_CONTENTS, "../jobs/x", json_root(doc), &err));
	cr_expect_not(store_put(&store, STORE_CONTENTS, "..", json_root(doc), &err));
	cr_expect_not(store_put(&store, STORE_CONTENTS, "", json_root(doc), &err));
	cr_assert(store_each(&store, STORE_CONTENTS, count_names, &names, &err));
	cr_expect_eq(names, 1);
	cr_assert(store_remove(&store, STORE_CONTENTS, "mongo-ns-scheduled-abc", &err));
	cr_assert(store_remove(&store, STORE_CONTENTS, "mongo-ns-scheduled-abc", &err), "once more is no error");
	err = (struct err)ERR_INIT;
	cr_expect_not(store_get(&store, STORE_CONTENTS, "mongo-ns-scheduled-abc", &back, &err));
	cr_expect_eq(err.code, ERR_NOT_FOUND);
	cr_assert(file_remove_tree(dir, &err));
}
