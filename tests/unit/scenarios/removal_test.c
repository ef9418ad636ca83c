/* Steps of an uninstallation: what lies outside of the namespace goes only if it is named and nobody else uses it. */
#include "scenarios/locks.h"
#include "steps_fixture.h"

TestSuite(removal, .init = set_up, .fini = tear_down);

#define LIST(items) OK("{\"kind\":\"List\",\"metadata\":{},\"items\":[" items "]}")
#define POLICY(name, profile)                                                                                          \
	"{\"metadata\":{\"name\":\"" name                                                                              \
	"\",\"namespace\":\"kasten-io\"},\"spec\":{\"actions\":[{\"action\":\"export\","                               \
	"\"exportParameters\":{\"profile\":{\"name\":\"" profile "\"}}}]}}"
#define ANNOTATED(ns)                                                                                                  \
	"{\"metadata\":{\"name\":\"c\",\"namespace\":\"" ns                                                            \
	"\",\"annotations\":{\"kanister.kasten.io/blueprint\":\"bp\"}}}"

static void confirm(const char *text)
{
	options.confirm_delete.items[options.confirm_delete.count++] = text;
}

/* As the check of a step before has it. */
static void going(const char *plural, const char *name)
{
	struct kube_kind kind;

	kind_kasten(&kind, "config.kio.kasten.io", plural, "Thing");
	cr_assert(drill_will_go(&d, &kind, name, &err), "%s", err.msg);
}

/* Of the kind group/plural; the server answers so to what is asked about its users. */
static bool unused(const char *group, const char *plural, const char *object, const char *const *answers, size_t count)
{
	CLEANUP(json) struct json *doc = NULL;
	struct kube_kind kind;
	char *seen = NULL;
	bool ok;

	err = (struct err)ERR_INIT;
	cr_assert(json_format(&doc, &err, object), "%s", err.msg);
	kube_kind_set(&kind, group, "v1", plural, "Thing", true);
	kube_fake_start(&f, answers, count);
	d.kube = f.kube;
	ok = part_unused(&d, &kind, json_root(doc), &err);
	d.kube = NULL;
	kube_fake_stop(&f, &seen);
	wrote_nothing(seen);
	return ok;
}

Test(removal, a_profile_of_a_policy_that_stays_is_not_deleted)
{
	static const char profile[] = "{'metadata':{'name':'s3','namespace':'kasten-io','uid':'1'}}";
	const char *theirs[] = {LIST(POLICY("a", "other") "," POLICY("b", "s3")), NONE},
		   *preset[] = {NONE, LIST(POLICY("gold", "s3"))};

	cr_assert_not(unused("config.kio.kasten.io", "profiles", profile, theirs, 1));
	cr_assert(strstr(err.msg, "\"s3\" is used by Policy \"kasten-io/b\""), "%s", err.msg);
	/* named, but no step deletes it */
	confirm("policies.config.kio.kasten.io/b");
	confirm("policies.config.kio.kasten.io/*");
	cr_assert_not(unused("config.kio.kasten.io", "profiles", profile, theirs, 2));
	going("policies", "a");
	cr_assert_not(unused("config.kio.kasten.io", "profiles", profile, theirs, 2));
	going("policies", "b");
	cr_assert(unused("config.kio.kasten.io", "profiles", profile, theirs, 2), "%s", err.msg);
	cr_assert_not(unused("config.kio.kasten.io", "profiles", profile, preset, 2));
	cr_assert(strstr(err.msg, "is used by PolicyPreset"), "%s", err.msg);
}

Test(removal, keys_of_a_profile_that_stays_are_not_deleted)
{
	static const char secret[] = "{'metadata':{'name':'keys','namespace':'kasten-io','uid':'1'}}";
	const char
	    *theirs[] = {LIST("{\"metadata\":{\"name\":\"p\",\"namespace\":\"kasten-io\"},\"spec\":{\"locationSpec\":{"
			      "\"credential\":{\"secret\":{\"name\":\"keys\"}}}}}"),
		NONE},
	    *token[] = {NONE, LIST("{\"metadata\":{\"name\":\"b\"},\"spec\":{\"actions\":[{\"exportParameters\":{"
				   "\"migrationToken\":{\"name\":\"keys\"}}}]}}")};

	cr_assert_not(unused("", "secrets", secret, theirs, 1));
	cr_assert(strstr(err.msg, "is used by Profile"), "%s", err.msg);
	going("profiles", "p");
	cr_assert(unused("", "secrets", secret, theirs, 2), "%s", err.msg);
	cr_assert_not(unused("", "secrets", secret, token, 2));
	cr_assert(strstr(err.msg, "is used by Policy \"b\""), "%s", err.msg);
}

Test(removal, a_blueprint_that_somebody_elses_objects_name_is_not_deleted)
{
	static const char blueprint[] = "{'metadata':{'name':'bp','namespace':'kasten-io','uid':'1'}}";
	const char *mine[] = {LIST(ANNOTATED("ns")), NONE, NONE, NONE, NONE}, *theirs[] = {LIST(ANNOTATED("other"))},
		   *a_set[] = {NONE, NONE, LIST(ANNOTATED("other"))},
		   *bound[] = {NONE, NONE, NONE,
		       LIST("{\"metadata\":{\"name\":\"all\"},\"spec\":{\"blueprintRef\":{\"name\":\"bp\"}}}")};

	cr_assert(unused("cr.kanister.io", "blueprints", blueprint, mine, 5), "%s", err.msg);
	cr_assert_not(unused("cr.kanister.io", "blueprints", blueprint, theirs, 1));
	cr_assert(strstr(err.msg, "PerconaServerMongoDB \"other/c\""), "%s", err.msg);
	cr_assert_not(unused("cr.kanister.io", "blueprints", blueprint, a_set, 3));
	cr_assert(strstr(err.msg, "StatefulSet \"other/c\""), "%s", err.msg);
	cr_assert_not(unused("cr.kanister.io", "blueprints", blueprint, bound, 4));
	cr_assert(strstr(err.msg, "BlueprintBinding \"all\""), "%s", err.msg);
}

Test(removal, a_custom_kind_of_which_somebody_else_has_an_object_is_not_deleted)
{
	static const char definition[] =
	    "{'metadata':{'name':'psmdbs','uid':'1'},'spec':{'group':'p','scope':'Namespaced','"
	    "names':{'plural':'psmdbs','kind':'Psmdb'}"
	    ",'versions':[{'name':'v1','served':true}]}}";
	const char *mine[] = {LIST("{\"metadata\":{\"name\":\"c\",\"namespace\":\"ns\"}}")},
		   *theirs[] = {LIST("{\"metadata\":{\"name\":\"c\",\"namespace\":\"ns2\"}}")},
		   *hidden[] = {JSON("403 Forbidden",
		       "{\"kind\":\"Status\",\"status\":\"Failure\",\"reason\":\"Forbidden\","
		       "\"code\":403}")},
		   *unknown[] = {ANSWER("404 Not Found", "text/plain", "404 page not found\n")};

	confirm("customresourcedefinitions/*");
	cr_assert(unused("apiextensions.k8s.io", "customresourcedefinitions", definition, mine, 1), "%s", err.msg);
	cr_assert_not(unused("apiextensions.k8s.io", "customresourcedefinitions", definition, theirs, 1));
	cr_assert(strstr(err.msg, "is used by Psmdb \"ns2/c\""), "%s", err.msg);
	cr_assert_not(unused("apiextensions.k8s.io", "customresourcedefinitions", definition, hidden, 1));
	cr_assert_eq(err.code, ERR_AUTH);
	/* a server that is just starting knows no custom kind yet, and has all their objects */
	cr_assert_not(unused("apiextensions.k8s.io", "customresourcedefinitions", definition, unknown, 1));
	cr_assert_not(unused("apiextensions.k8s.io", "customresourcedefinitions",
	    "{'metadata':{'name':'x','uid':'1'},'spec':{}}", NULL, 0));
	cr_assert(strstr(err.msg, "cannot be seen"), "%s", err.msg);
}

Test(removal, a_policy_or_a_content_that_is_of_others_too_is_not_deleted)
{
	cr_assert_not(unused("config.kio.kasten.io", "policies",
	    "{'metadata':{'name':'a','uid':'1'},'spec':{'selector':{'matchExpressions':[{'key':'k10.kasten.io/"
	    "appNamespace','operator':'In'"
	    ",'values':['ns','ns2']}]}}}",
	    NULL, 0));
	cr_assert(strstr(err.msg, "backs up more than namespace \"ns\""), "%s", err.msg);
	cr_assert_not(unused("apps.kio.kasten.io", "restorepointcontents",
	    "{'metadata':{'name':'a','uid':'1','labels':{'k10.kasten.io/appNamespace':'ns2'}}}", NULL, 0));
	cr_assert(strstr(err.msg, "is a backup of namespace ns2"), "%s", err.msg);
	cr_assert_not(
	    unused("apps.kio.kasten.io", "restorepointcontents", "{'metadata':{'name':'a','uid':'1'}}", NULL, 0));
	cr_assert(unused("apps.kio.kasten.io", "restorepointcontents",
	    "{'metadata':{'name':'a','uid':'1','labels':{'k10.kasten.io/appNamespace':'ns'}}}", NULL, 0));
}

#define KASTEN_KINDS                                                                                                   \
	OK("{\"kind\":\"APIResourceList\",\"groupVersion\":\"config.kio.kasten.io/v1alpha1\",\"resources\":[{"         \
	   "\"name\":\"policies\",\"kind\":\"Policy\",\"namespaced\":true,\"verbs\":[\"get\",\"list\",\"delete\"]}]}")
#define KASTEN_GROUP                                                                                                   \
	OK("{\"kind\":\"APIGroupList\",\"groups\":[{\"name\":\"config.kio.kasten.io\",\"preferredVersion\":{"          \
	   "\"version\":\"v1alpha1\"}}]}")
#define IMPORT                                                                                                         \
	OK("{\"metadata\":{\"name\":\"imp\",\"namespace\":\"kasten-io\",\"uid\":\"9\"},\"spec\":{\"actions\":[{"       \
	   "\"action\":\"import\"}]}}")

static const char delete_policy[] = "{'kind':'policies.config.kio.kasten.io','namespace':'kasten-io','name':'imp'}";

Test(removal, what_is_kastens_is_asked_for_by_name_all_of_it_at_once)
{
	const char *answers[] = {CORE, KASTEN_GROUP, KASTEN_KINDS, IMPORT};
	char *seen = NULL;

	cr_assert(step("delete", delete_policy, false, answers, COUNT(answers), &seen), "%s", err.msg);
	wrote_nothing(seen);
	cr_assert(d.unconfirmed && json_count(json_root(d.unconfirmed)) == 1);
	cr_assert_str_eq(json_string(json_first(json_root(d.unconfirmed))), "policies.config.kio.kasten.io/imp");
	json_free(d.unconfirmed);
	d.unconfirmed = NULL;
	confirm("Policy.config.kio.kasten.io/imp");
	cr_assert(step("delete", delete_policy, false, answers, COUNT(answers), &seen), "%s", err.msg);
	wrote_nothing(seen);
	cr_assert_null(d.unconfirmed);
}

Test(removal, without_its_name_it_is_not_deleted_either)
{
	const char *answers[] = {CORE, KASTEN_GROUP, KASTEN_KINDS, IMPORT};
	char *seen = NULL;

	confirm("policies.elsewhere.io/imp");
	confirm("policies/imp");
	confirm("policies.config.kio.kasten.io/im");
	confirm("profiles.config.kio.kasten.io/imp");
	cr_assert_not(step("delete", delete_policy, true, answers, COUNT(answers), &seen));
	cr_assert(
	    strstr(err.msg, "refused: ") && strstr(err.hint, "--confirm-delete policies.config.kio.kasten.io/imp"),
	    "%s", err.msg);
	wrote_nothing(seen);
}

Test(removal, what_is_named_is_deleted_as_the_very_object)
{
	const char *answers[] = {
	    CORE, KASTEN_GROUP, KASTEN_KINDS, IMPORT, OK("{\"kind\":\"Status\",\"status\":\"Success\"}"), MISSING};
	char *seen = NULL;

	confirm("policies.config.kio.kasten.io/*");
	cr_assert(step("delete", delete_policy, true, answers, COUNT(answers), &seen), "%s", err.msg);
	cr_assert(strstr(seen, "DELETE /apis/config.kio.kasten.io/v1alpha1/namespaces/kasten-io/policies/imp") &&
		      strstr(seen, "\"uid\":\"9\""),
	    "%s", seen);
	free(seen);
}

Test(removal, a_kind_that_need_not_be_known_selects_nothing_and_another_is_an_error)
{
	const char *answers[] = {CORE, GROUPS};
	char *seen = NULL;

	cr_assert(step("delete", "{'kind':'psmdb','all':true,'required':false}", true, answers, COUNT(answers), &seen),
	    "%s", err.msg);
	wrote_nothing(seen);
	cr_assert_not(step("delete", "{'kind':'psmdb','all':true}", true, answers, COUNT(answers), &seen));
	cr_assert_eq(err.code, ERR_UNSUPPORTED, "%s", err.msg);
	wrote_nothing(seen);
}

Test(removal, a_namespace_is_not_deleted_as_an_object_nor_what_is_in_a_third_one)
{
	const char *answers[] = {OK("{\"kind\":\"APIResourceList\",\"resources\":[{\"name\":\"namespaces\",\"kind\":"
				    "\"Namespace\",\"namespaced\":false,\"verbs\":[\"get\",\"list\",\"delete\"]}]}"),
	    GROUPS},
		   *claims[] = {CORE, GROUPS};
	char *seen = NULL;

	confirm("namespaces/*");
	confirm("persistentvolumeclaims/*");
	cr_assert_not(step("delete", "{'kind':'namespaces','name':'other'}", true, answers, COUNT(answers), &seen));
	cr_assert(strstr(err.msg, "a namespace is not deleted as an object"), "%s", err.msg);
	wrote_nothing(seen);
	cr_assert_not(
	    step("delete", "{'kind':'pvc','namespace':'other','all':true}", true, claims, COUNT(claims), &seen));
	cr_assert(strstr(err.msg, "neither the one under test nor Kasten's"), "%s", err.msg);
	wrote_nothing(seen);
}

Test(removal, outside_of_the_namespace_only_kastens_own_is_deleted_and_by_name)
{
	static const struct {
		const char *group, *plural, *ns;
		bool namespaced, several, may;
	} cases[] = {
	    {"", "persistentvolumeclaims", "ns", true, true, true},
	    {"", "persistentvolumeclaims", "kasten-io", true, false, false},
	    {"apps", "statefulsets", "kasten-io", true, false, false},
	    {"", "secrets", "kasten-io", true, false, true},
	    {"", "secrets", "kasten-io", true, true, false},
	    {"x.io", "secrets", "kasten-io", true, false, false},
	    {"config.kio.kasten.io", "policies", "kasten-io", true, false, true},
	    {"config.kio.kasten.io", "policies", "kasten-io", true, true, false},
	    {"evilkio.kasten.io", "policies", "kasten-io", true, false, false},
	    {"cr.kanister.io", "blueprints", "kasten-io", true, false, true},
	    {"apps.kio.kasten.io", "restorepointcontents", "", false, true, true},
	    {"", "persistentvolumes", "", false, true, false},
	    {"", "namespaces", "", false, false, false},
	    {"apps", "deployments", "other", true, false, false},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct kube_kind kind;

		err = (struct err)ERR_INIT;
		kube_kind_set(&kind, cases[i].group, "v1", cases[i].plural, "Thing", cases[i].namespaced);
		cr_expect_eq(lock_delete(&kind, cases[i].ns, cases[i].several, "ns", "kasten-io", &err), cases[i].may,
		    "%s.%s: %s", cases[i].plural, cases[i].group, err.msg);
	}
}

Test(removal, the_namespace_under_test_is_neither_kastens_nor_kubernetes_own)
{
	cr_assert(lock_under_test("ns", "kasten-io", &err));
	cr_assert_not(lock_under_test("kasten-io", "kasten-io", &err));
	cr_assert(strstr(err.msg, "is Kasten's"), "%s", err.msg);
	cr_assert_not(lock_under_test("kube-system", "kasten-io", &err));
}

Test(removal, a_volume_that_another_namespace_claims_is_not_deleted)
{
	cr_assert(unused("", "persistentvolumes",
	    "{'metadata':{'name':'v','uid':'1'},'spec':{'claimRef':{'namespace':'ns'}}}", NULL, 0));
	cr_assert_not(unused("", "persistentvolumes",
	    "{'metadata':{'name':'v','uid':'1'},'spec':{'claimRef':{'namespace':'ns2'}}}", NULL, 0));
	cr_assert_not(unused("", "persistentvolumes", "{'metadata':{'name':'v','uid':'1'}}", NULL, 0));
}

Test(removal, what_has_no_name_or_uid_is_not_deleted)
{
	static const char *const objects[] = {"{'metadata':{'name':'a'}}", "{'metadata':{'uid':'1'}}", "{}"};
	const char *answers[] = {OK("{\"kind\":\"Status\",\"status\":\"Success\"}"), NONE};

	for (size_t i = 0; i < COUNT(objects); i++) {
		CLEANUP(json) struct json *doc = NULL;
		struct kube_kind kind;
		char *seen = NULL;
		bool ok;

		err = (struct err)ERR_INIT;
		cr_assert(json_format(&doc, &err, objects[i]));
		kind_pods(&kind);
		kube_fake_start(&f, answers, 1);
		d.kube = f.kube;
		ok = part_delete(&d, &kind, json_root(doc), &err);
		d.kube = NULL;
		kube_fake_stop(&f, &seen);
		cr_assert_not(ok);
		wrote_nothing(seen);
		answers[0] = NONE;
		cr_assert_not(unused("config.kio.kasten.io", "profiles", objects[i], answers, 2));
		answers[0] = OK("{\"kind\":\"Status\",\"status\":\"Success\"}");
	}
}

Test(removal, an_empty_name_or_selector_selects_nothing)
{
	char *seen = NULL;

	cr_assert_not(step("delete", "{'kind':'pvc','labels':''}", true, NULL, 0, &seen));
	cr_assert(err.code == ERR_USAGE && strstr(err.msg, "labels is empty"), "%s", err.msg);
	wrote_nothing(seen);
	cr_assert_not(step("delete", "{'kind':'pvc','name':''}", true, NULL, 0, &seen));
	cr_assert(strstr(err.msg, "name is empty"), "%s", err.msg);
	wrote_nothing(seen);
}

Test(removal, the_claims_of_a_psmdb_are_known_as_its_own_when_it_is_gone)
{
	const char *answers[] = {CLUSTERS, CLAIMS};
	char *seen = NULL;
	bool ok;

	kube_fake_start(&f, answers, COUNT(answers));
	d.kube = f.kube;
	ok = part_keep_claims(&d, &err);
	d.kube = NULL;
	kube_fake_stop(&f, &seen);
	cr_assert(ok, "%s", err.msg);
	wrote_nothing(seen);
	cr_assert_str_eq(drill_found(&d, PART_CLAIMS), " mongod-data-c-rs0-0 ");
}

/* --- the operator --------------------------------------------------------------------------------------------------- */

static void write_bundle(char path[static PATH_MAX], const char *text)
{
	snprintf(path, PATH_MAX, "%s/bundle.yaml", dir);
	cr_assert(file_write_atomic(path, text, strlen(text), 0600, &err), "%s", err.msg);
	options.operator_file = path;
}

Test(removal, the_operator_stays_while_a_psmdb_or_a_finalizer_needs_it)
{
	const char *clusters[] = {CLUSTERS}, *held[] = {NONE, LIST("{\"metadata\":{\"name\":\"b\",\"namespace\":\"ns\","
								   "\"finalizers\":[\"delete-backup\"]}}")};
	char path[PATH_MAX], *seen = NULL;

	write_bundle(path, "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: mine}\n");
	cr_assert_not(step("remove-operator", "{}", true, clusters, 1, &seen));
	cr_assert(strstr(err.msg, "PerconaServerMongoDB \"ns/c\" still needs its operator"), "%s", err.msg);
	wrote_nothing(seen);
	cr_assert_not(step("remove-operator", "{}", true, held, 2, &seen));
	cr_assert(
	    strstr(err.msg, "for its finalizer delete-backup") && strstr(err.hint, "release-backups"), "%s", err.msg);
	wrote_nothing(seen);
	options.operator_file = NULL;
	cr_assert_not(step("remove-operator", "{}", false, NULL, 0, &seen));
	cr_assert(err.code == ERR_USAGE && strstr(err.hint, "--operator FILE"), "%s", err.msg);
	wrote_nothing(seen);
}

#define CORE_NAMESPACES                                                                                                \
	OK("{\"kind\":\"APIResourceList\",\"resources\":[{\"name\":\"namespaces\",\"kind\":\"Namespace\","             \
	   "\"namespaced\":"                                                                                           \
	   "false,\"verbs\":[\"get\",\"list\",\"delete\"]},{\"name\":\"secrets\",\"kind\":\"Secret\",\"namespaced\":"  \
	   "true,"                                                                                                     \
	   "\"verbs\":[\"get\",\"list\",\"delete\"]}]}")
#define THERE(name, ns) OK("{\"metadata\":{\"name\":\"" name "\",\"uid\":\"7\"" ns "}}")

Test(removal, a_namespace_in_the_operators_manifest_and_what_is_in_a_third_one_stay)
{
	const char *other[] = {CORE_NAMESPACES, THERE("other", "")}, *own[] = {CORE_NAMESPACES, THERE("ns", "")},
		   *third[] = {CORE_NAMESPACES, THERE("s", ",\"namespace\":\"kube-system\"")};
	char path[PATH_MAX], *seen = NULL;

	confirm("namespaces/*");
	confirm("secrets/*");
	write_bundle(path, "apiVersion: v1\nkind: Namespace\nmetadata: {name: other}\n");
	cr_assert_not(step("remove-operator", "{}", false, other, COUNT(other), &seen));
	cr_assert(strstr(err.msg, "a namespace is not deleted as an object"), "%s", err.msg);
	wrote_nothing(seen);
	write_bundle(path, "apiVersion: v1\nkind: Namespace\nmetadata: {name: ns}\n");
	cr_assert(step("remove-operator", "{}", false, own, COUNT(own), &seen), "%s", err.msg);
	wrote_nothing(seen);
	write_bundle(path, "apiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: kube-system}\n");
	cr_assert_not(step("remove-operator", "{}", false, third, COUNT(third), &seen));
	cr_assert(strstr(err.msg, "\"kube-system\" is neither"), "%s", err.msg);
	wrote_nothing(seen);
}

#define ROLES                                                                                                          \
	OK("{\"kind\":\"APIResourceList\",\"resources\":[{\"name\":\"clusterroles\",\"kind\":\"ClusterRole\","         \
	   "\"namespaced\":"                                                                                           \
	   "false,\"verbs\":[\"get\",\"list\",\"delete\"]}]}")
#define ROLES_GROUP                                                                                                    \
	OK("{\"kind\":\"APIGroupList\",\"groups\":[{\"name\":\"rbac.authorization.k8s.io\",\"preferredVersion\":{"     \
	   "\"version\":\"v1\"}}]}")

Test(removal, an_object_of_the_manifest_is_found_in_the_version_that_the_server_has)
{
	const char *answers[] = {ANSWER("404 Not Found", "text/plain", "404 page not found\n"), CORE, ROLES_GROUP,
	    ROLES, THERE("operator", "")};
	char path[PATH_MAX], *seen = NULL;

	write_bundle(
	    path, "apiVersion: rbac.authorization.k8s.io/v1beta1\nkind: ClusterRole\nmetadata: {name: operator}\n");
	cr_assert(step("remove-operator", "{}", false, answers, COUNT(answers), &seen), "%s", err.msg);
	wrote_nothing(seen);
	cr_assert(d.unconfirmed);
	cr_assert_str_eq(
	    json_string(json_first(json_root(d.unconfirmed))), "clusterroles.rbac.authorization.k8s.io/operator");
	write_bundle(
	    path, "apiVersion: v1\nkind: List\nitems: [{apiVersion: v1, kind: Secret, metadata: {name: s}}]\n");
	cr_assert_not(step("remove-operator", "{}", false, NULL, 0, &seen));
	cr_assert(err.code == ERR_PARSE && strstr(err.msg, "list of objects"), "%s", err.msg);
	wrote_nothing(seen);
}

/* --- records -------------------------------------------------------------------------------------------------------- */

#define ACTIONS_GROUP                                                                                                  \
	OK("{\"kind\":\"APIGroupList\",\"groups\":[{\"name\":\"actions.kio.kasten.io\",\"preferredVersion\":{"         \
	   "\"version\":\"v1alpha1\"}}]}")
#define ACTIONS                                                                                                        \
	OK("{\"kind\":\"APIResourceList\",\"resources\":[{\"name\":\"runactions\",\"kind\":\"RunAction\","             \
	   "\"namespaced\":true,"                                                                                      \
	   "\"verbs\":[\"get\",\"list\",\"delete\"]}]}")
#define RUN_OF(policy)                                                                                                 \
	"{\"metadata\":{\"name\":\"r\",\"namespace\":\"kasten-io\",\"uid\":\"4\"},\"spec\":{\"subject\":{\"kind\":"    \
	"\"Policy\",\"name\":\"" policy "\"}},\"status\":{\"state\":\"Complete\"}}"

Test(removal, records_of_a_policy_need_its_name_though_it_is_gone)
{
	const char *answers[] = {CORE, ACTIONS_GROUP, ACTIONS, LIST(RUN_OF("mine") "," RUN_OF("theirs"))};
	char *seen = NULL;

	cr_assert(
	    step("remove-records", "{'policies':['mine']}", false, answers, COUNT(answers), &seen), "%s", err.msg);
	wrote_nothing(seen);
	cr_assert(d.unconfirmed && json_count(json_root(d.unconfirmed)) == 1);
	cr_assert_str_eq(json_string(json_first(json_root(d.unconfirmed))), "policies.config.kio.kasten.io/mine");
	cr_assert_not(step("remove-records", "{'policies':['mine']}", true, answers, COUNT(answers), &seen));
	cr_assert(strstr(err.hint, "--confirm-delete policies.config.kio.kasten.io/mine"), "%s", err.hint);
	wrote_nothing(seen);
}

Test(removal, records_are_not_called_gone_while_their_group_is_down)
{
	static const char down[] = ANSWER("503 Service Unavailable", "text/plain", "service unavailable");
	const char *answers[] = {CORE, ACTIONS_GROUP, down, down, down};
	char *seen = NULL;

	cr_assert_not(step("remove-records", "{}", true, answers, COUNT(answers), &seen));
	cr_assert(strstr(err.msg, "actions.kio.kasten.io"), "%s", err.msg);
	wrote_nothing(seen);
}

Test(removal, the_namespace_of_kastens_profiles_is_not_removed_whatever_a_parameter_says)
{
	const char *answers[] = {LIST("{\"metadata\":{\"name\":\"s3\"}}")};
	char *seen = NULL;

	cr_assert_not(step("remove-namespace", "{}", false, answers, COUNT(answers), &seen));
	cr_assert(strstr(err.msg, "it is Kasten's"), "%s", err.msg);
	wrote_nothing(seen);
	strcpy(d.namespace_, "default");
	cr_assert_not(step("remove-namespace", "{}", false, NULL, 0, &seen));
	cr_assert(strstr(err.msg, "lets nobody delete"), "%s", err.msg);
	wrote_nothing(seen);
}

#define OPERATOR(env)                                                                                                  \
	LIST("{\"metadata\":{\"name\":\"operator\"},\"spec\":{\"template\":{\"spec\":{\"containers\":[{\"env\":[{"     \
	     "\"name\":"                                                                                               \
	     "\"WATCH_NAMESPACE\"" env "}]}]}}}}")

Test(removal, the_namespace_of_an_operator_that_others_need_is_not_removed)
{
	static const struct {
		const char *operator_;
		bool may;
	} cases[] = {
	    {OPERATOR(",\"valueFrom\":{\"fieldRef\":{\"fieldPath\":\"metadata.namespace\"}}"), true},
	    {OPERATOR(",\"value\":\"ns\""), true},
	    {OPERATOR(",\"value\":\"\""), false},
	    {OPERATOR(""), false},
	    {OPERATOR(",\"value\":\"ns,other\""), false},
	};
	const char *alone[] = {NONE, CLUSTERS, NONE, NONE};
	char *seen = NULL;

	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *answers[] = {NONE, LIST(ANNOTATED("other")), cases[i].operator_, NONE, NONE};

		cr_expect_eq(step("remove-namespace", "{}", false, answers, COUNT(answers), &seen), cases[i].may,
		    "%zu: %s", i, err.msg);
		cr_expect(cases[i].may ||
			      strstr(err.msg, "Deployment \"operator\" is used by PerconaServerMongoDB \"other/c\""),
		    "%s", err.msg);
		wrote_nothing(seen);
	}
	cr_assert(step("remove-namespace", "{}", false, alone, COUNT(alone), &seen), "%s", err.msg);
	wrote_nothing(seen);
}

/* --- Kasten's records ------------------------------------------------------------------------------------------------ */

static bool is_record(const char *object, const char *const *answers, size_t count)
{
	CLEANUP(json) struct json *doc = NULL, *args = NULL;
	const char *policy;
	char *seen = NULL;
	bool ok;

	err = (struct err)ERR_INIT;
	cr_assert(json_format(&doc, &err, object) && json_format(&args, &err, "{}"), "%s", err.msg);
	kube_fake_start(&f, answers, count);
	d.kube = f.kube;
	ok = part_is_record(&d, json_root(args), json_root(doc), &policy);
	d.kube = NULL;
	kube_fake_stop(&f, &seen);
	wrote_nothing(seen);
	return ok;
}

Test(removal, what_kasten_has_made_for_a_drills_run_is_known_by_the_run)
{
	static const char made[] = "{'metadata':{'name':'i','labels':{'k10.kasten.io/runActionName':'r'}}}";
	const char *mine[] = {OK("{\"metadata\":{\"name\":\"r\",\"labels\":{\"psmdb-drill/namespace\":\"ns\"}}}")},
		   *theirs[] = {OK("{\"metadata\":{\"name\":\"r\",\"labels\":{\"psmdb-drill/namespace\":\"ns2\"}}}")},
		   *plain[] = {OK("{\"metadata\":{\"name\":\"r\"}}")}, *gone[] = {MISSING};

	cr_expect(is_record(made, mine, 1));
	cr_expect_not(is_record(made, theirs, 1));
	cr_expect_not(is_record(made, plain, 1));
	cr_expect_not(is_record(made, gone, 1));
	cr_expect(is_record("{'metadata':{'name':'r','labels':{'psmdb-drill/namespace':'ns'}}}", NULL, 0));
	cr_expect_not(is_record("{'metadata':{'name':'r','labels':{'psmdb-drill/namespace':'ns2'}}}", NULL, 0));
	cr_expect_not(is_record("{'metadata':{'name':'r'}}", NULL, 0));
}
