/* Steps of an uninstallation: what lies outside of the namespace goes only if it is named and nobody else uses it. */
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
	static const char profile[] = "{'metadata':{'name':'s3','namespace':'kasten-io'}}";
	const char *theirs[] = {LIST(POLICY("a", "other") "," POLICY("b", "s3"))};

	cr_assert_not(unused("config.kio.kasten.io", "profiles", profile, theirs, 1));
	cr_assert(strstr(err.msg, "\"s3\" is used by policy \"kasten-io/b\""), "%s", err.msg);
	confirm("policies/a");
	cr_assert_not(unused("config.kio.kasten.io", "profiles", profile, theirs, 1));
	confirm("policies.config.kio.kasten.io/b");
	cr_assert(unused("config.kio.kasten.io", "profiles", profile, theirs, 1), "%s", err.msg);
}

Test(removal, keys_of_a_profile_that_stays_are_not_deleted)
{
	static const char secret[] = "{'metadata':{'name':'keys','namespace':'kasten-io'}}";
	const char *theirs[] = {
	    LIST("{\"metadata\":{\"name\":\"p\",\"namespace\":\"kasten-io\"},\"spec\":{\"locationSpec\":{"
		 "\"credential\":{\"secret\":{\"name\":\"keys\"}}}}}")};

	cr_assert_not(unused("", "secrets", secret, theirs, 1));
	cr_assert(strstr(err.msg, "is used by profile"), "%s", err.msg);
	confirm("profiles/p");
	cr_assert(unused("", "secrets", secret, theirs, 1), "%s", err.msg);
}

Test(removal, a_blueprint_that_somebody_elses_objects_name_is_not_deleted)
{
	static const char blueprint[] = "{'metadata':{'name':'bp','namespace':'kasten-io'}}";
	const char *mine[] = {LIST(ANNOTATED("ns")), NONE, NONE, NONE}, *theirs[] = {LIST(ANNOTATED("other"))},
		   *a_set[] = {NONE, NONE, LIST(ANNOTATED("other"))},
		   *bound[] = {NONE, NONE, NONE,
		       LIST("{\"metadata\":{\"name\":\"all\"},\"spec\":{\"blueprintRef\":{\"name\":\"bp\"}}}")};

	cr_assert(unused("cr.kanister.io", "blueprints", blueprint, mine, 4), "%s", err.msg);
	cr_assert_not(unused("cr.kanister.io", "blueprints", blueprint, theirs, 1));
	cr_assert(strstr(err.msg, "PerconaServerMongoDB \"other/c\""), "%s", err.msg);
	cr_assert_not(unused("cr.kanister.io", "blueprints", blueprint, a_set, 3));
	cr_assert(strstr(err.msg, "StatefulSet \"other/c\""), "%s", err.msg);
	cr_assert_not(unused("cr.kanister.io", "blueprints", blueprint, bound, 4));
	cr_assert(strstr(err.msg, "BlueprintBinding \"all\""), "%s", err.msg);
}

Test(removal, a_custom_kind_of_which_somebody_else_has_an_object_is_not_deleted)
{
	static const char definition[] = "{'metadata':{'name':'psmdbs'},'spec':{'group':'p','scope':'Namespaced','"
					 "names':{'plural':'psmdbs','kind':'Psmdb'}"
					 ",'versions':[{'name':'v1','served':true}]}}";
	const char *mine[] = {LIST("{\"metadata\":{\"name\":\"c\",\"namespace\":\"ns\"}}")},
		   *theirs[] = {LIST("{\"metadata\":{\"name\":\"c\",\"namespace\":\"ns2\"}}")},
		   *hidden[] = {
		       JSON("403 Forbidden", "{\"kind\":\"Status\",\"status\":\"Failure\",\"reason\":\"Forbidden\","
					     "\"code\":403}")};

	confirm("customresourcedefinitions/*");
	cr_assert(unused("apiextensions.k8s.io", "customresourcedefinitions", definition, mine, 1), "%s", err.msg);
	cr_assert_not(unused("apiextensions.k8s.io", "customresourcedefinitions", definition, theirs, 1));
	cr_assert(strstr(err.msg, "is used by Psmdb \"ns2/c\""), "%s", err.msg);
	cr_assert_not(unused("apiextensions.k8s.io", "customresourcedefinitions", definition, hidden, 1));
	cr_assert_eq(err.code, ERR_AUTH);
	cr_assert_not(unused(
	    "apiextensions.k8s.io", "customresourcedefinitions", "{'metadata':{'name':'x'},'spec':{}}", NULL, 0));
	cr_assert(strstr(err.msg, "cannot be seen"), "%s", err.msg);
}

Test(removal, a_policy_or_a_content_that_is_of_others_too_is_not_deleted)
{
	cr_assert_not(unused("config.kio.kasten.io", "policies",
	    "{'metadata':{'name':'a'},'spec':{'selector':{'matchExpressions':[{'key':'k10.kasten.io/"
	    "appNamespace','operator':'In'"
	    ",'values':['ns','ns2']}]}}}",
	    NULL, 0));
	cr_assert(strstr(err.msg, "backs up more than namespace \"ns\""), "%s", err.msg);
	cr_assert_not(unused("apps.kio.kasten.io", "restorepointcontents",
	    "{'metadata':{'name':'a','labels':{'k10.kasten.io/appNamespace':'ns2'}}}", NULL, 0));
	cr_assert(strstr(err.msg, "is a backup of namespace ns2"), "%s", err.msg);
	cr_assert_not(unused("apps.kio.kasten.io", "restorepointcontents", "{'metadata':{'name':'a'}}", NULL, 0));
	cr_assert(unused("apps.kio.kasten.io", "restorepointcontents",
	    "{'metadata':{'name':'a','labels':{'k10.kasten.io/appNamespace':'ns'}}}", NULL, 0));
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
	confirm("Policy/imp");
	cr_assert(step("delete", delete_policy, false, answers, COUNT(answers), &seen), "%s", err.msg);
	wrote_nothing(seen);
	cr_assert_null(d.unconfirmed);
}

Test(removal, without_its_name_it_is_not_deleted_either)
{
	const char *answers[] = {CORE, KASTEN_GROUP, KASTEN_KINDS, IMPORT};
	char *seen = NULL;

	confirm("policies.elsewhere.io/imp");
	confirm("policies/im");
	confirm("profiles/imp");
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

	confirm("policies/*");
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

static void write_bundle(char path[static PATH_MAX])
{
	static const char text[] = "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: mine}\n";

	snprintf(path, PATH_MAX, "%s/bundle.yaml", dir);
	cr_assert(file_write_atomic(path, text, sizeof text - 1, 0600, &err), "%s", err.msg);
	options.operator_file = path;
}

Test(removal, the_operator_stays_while_a_psmdb_or_a_finalizer_needs_it)
{
	const char *clusters[] = {CLUSTERS}, *held[] = {NONE, LIST("{\"metadata\":{\"name\":\"b\",\"namespace\":\"ns\","
								   "\"finalizers\":[\"delete-backup\"]}}")};
	char path[PATH_MAX], *seen = NULL;

	write_bundle(path);
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
