/* check-target: each thing that would first be met behind the disaster is refused before it. */
#include "steps_fixture.h"

TestSuite(target, .init = set_up, .fini = tear_down);

struct script {
	const char *items[64];
	size_t count;
};

static void say(struct script *s, const char *answer)
{
	cr_assert_lt(s->count, COUNT(s->items));
	s->items[s->count++] = answer;
}

static void say_times(struct script *s, const char *answer, size_t times)
{
	while (times--)
		say(s, answer);
}

#define NO_KIND ANSWER("404 Not Found", "text/plain", "404 page not found")
#define POLICY                                                                                                         \
	OK("{\"metadata\":{\"name\":\"p\"},\"spec\":{\"actions\":[{\"action\":\"export\",\"exportParameters\":{"       \
	   "\"profile\":{\"name\":\"s3\"}}}]}}")
#define PROFILE(bucket, state)                                                                                         \
	OK("{\"metadata\":{\"name\":\"s3\"},\"spec\":{\"locationSpec\":{\"objectStore\":{\"name\":\"" bucket           \
	   "\"}}},\"status\":{\"validation\":\"" state "\",\"error\":[\"no such key\"]}}")
#define PSMDB(class)                                                                                                   \
	OK("{\"kind\":\"PerconaServerMongoDB\",\"metadata\":{\"name\":\"main\",\"namespace\":\"ns\"},\"spec\":{"       \
	   "\"replsets\":[{\"name\":\"rs0\",\"volumeSpec\":{\"persistentVolumeClaim\":{" class "}}}]}}")
#define NAMED PSMDB("\"storageClassName\":\"fast\"")
#define THERE OK("{\"metadata\":{\"name\":\"x\"}}")
#define CLASS(mark)                                                                                                    \
	OK("{\"kind\":\"List\",\"metadata\":{},\"items\":[{\"metadata\":{\"name\":\"c\",\"annotations\":{"             \
	   "\"storageclass.kubernetes.io/is-default-class\":\"" mark "\"}}}]}")
#define ACCOUNTS                                                                                                       \
	OK("{\"kind\":\"APIResourceList\",\"resources\":[{\"name\":\"serviceaccounts\",\"kind\":\"ServiceAccount\","   \
	   "\"namespaced\":true,\"singularName\":\"serviceaccount\",\"verbs\":[\"get\",\"patch\"]}]}")
#define MAY(yes) JSON("201 Created", "{\"kind\":\"SelfSubjectAccessReview\",\"status\":{\"allowed\":" yes "}}")
#define OWNED                                                                                                          \
	JSON("409 Conflict",                                                                                           \
	    "{\"kind\":\"Status\",\"status\":\"Failure\",\"message\":\"Apply failed with 1 conflict: conflict with "   \
	    "\\\"helm\\\": .secrets\",\"reason\":\"Conflict\",\"code\":409,\"details\":{\"name\":\"operator\","        \
	    "\"causes\":[{\"reason\":\"FieldManagerConflict\",\"message\":\"conflict with \\\"helm\\\"\","             \
	    "\"field\":\".secrets\"}]}}")
#define RIGHTS 14 /* of another cluster, without those of the manifest */
#define LOST_RIGHTS 3

/* What is asked of both, until something is wrong. */
static void start(struct script *here, struct script *there)
{
	*here = *there = (struct script){.count = 0};
	say(here, POLICY);
	say(here, PROFILE("b", "Success"));
	say_times(there, MISSING, 4); /* Kasten's kinds */
	say(there, PROFILE("b", "Success"));
}

static void write_manifest(void)
{
	static char path[PATH_MAX];
	static const char text[] = "apiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: operator\n";

	snprintf(path, sizeof path, "%s/operator.yaml", dir);
	cr_assert(file_write_atomic(path, text, strlen(text), 0600, &err));
	options.operator_file = path;
}

static bool checks(struct script *here, struct script *there, bool apart, char **ret_there)
{
	struct kube_fake other;
	char *seen = NULL;
	bool ok;

	write_manifest();
	if (apart) {
		kube_fake_start(&other, there->items, there->count);
		d.elsewhere = other.kube;
	}
	ok = step("check-target", "{'policy':'p'}", false, here->items, here->count, &seen);
	d.elsewhere = NULL;
	if (apart) {
		free(seen);
		kube_fake_stop(&other, ret_there);
	} else {
		*ret_there = seen;
	}
	return ok;
}

static void is_refused(struct script *here, struct script *there, const char *words, const char *remedy)
{
	char *seen = NULL;

	cr_assert_not(checks(here, there, true, &seen), "%s", seen);
	cr_assert(strstr(err.msg, words), "\"%s\" is not in \"%s\"; asked was:\n%s", words, err.msg, seen);
	cr_assert(strstr(err.hint, remedy), "\"%s\" is not in \"%s\"", remedy, err.hint);
	free(seen);
}

Test(target, a_cluster_without_kasten_is_refused)
{
	struct script here = {.count = 0}, there = {.count = 0};

	say_times(&there, MISSING, 2);
	say(&there, NO_KIND);
	is_refused(&here, &there, "does not know Kasten's kind RestoreAction", "install Kasten there");
}

Test(target, so_is_one_without_the_profile)
{
	struct script here, there;

	start(&here, &there);
	there.items[4] = MISSING;
	is_refused(&here, &there, "has no profile \"kasten-io/s3\"", "bucket \"b\"");
}

Test(target, or_with_one_that_kasten_has_not_validated)
{
	struct script here, there;

	start(&here, &there);
	there.items[4] = PROFILE("b", "Failed");
	is_refused(&here, &there, "has not validated profile \"kasten-io/s3\": Failed: no such key", "says Success");
}

Test(target, or_with_one_that_leads_to_another_bucket)
{
	struct script here, there;

	start(&here, &there);
	there.items[4] = PROFILE("other", "Success");
	is_refused(&here, &there, "leads to bucket \"other\", the export goes to \"b\"", "one bucket");
}

Test(target, a_storage_class_that_is_not_there_is_refused)
{
	struct script here, there;

	start(&here, &there);
	say(&here, NAMED);
	say(&there, MISSING);
	is_refused(&here, &there, "has no storage class \"fast\", which psmdb \"main\" names", "Pending");
}

Test(target, where_none_is_named_there_must_be_a_default_one_if_here_is_one)
{
	struct script here, there;

	start(&here, &there);
	say(&here, PSMDB(""));
	say(&here, CLASS("true"));
	say(&there, CLASS("false"));
	is_refused(&here, &there, "has no default one", "mark one there");
}

static void storage_is_there(struct script *here, struct script *there)
{
	start(here, there);
	say(here, NAMED);
	say(there, THERE);
}

Test(target, a_secret_that_is_to_be_restored_must_not_be_there)
{
	struct script here, there;

	cr_assert(drill_set_value(&d, "storage-secret", "keys", &err));
	storage_is_there(&here, &there);
	say(&there, THERE);
	is_refused(&here, &there, "has Secret \"ns/keys\" already", "delete it");
}

Test(target, rights_that_are_missing_are_all_named_with_the_step_that_needs_them)
{
	struct script here, there;
	char *seen = NULL;

	storage_is_there(&here, &there);
	say_times(&there, MAY("true"), RIGHTS - 1);
	say(&there, MAY("false"));
	say(&there, ACCOUNTS);
	say(&there, MAY("true"));
	say(&there, MAY("false"));
	cr_assert_not(checks(&here, &there, true, &seen));
	cr_assert_eq(err.code, ERR_AUTH);
	cr_assert(strstr(err.msg, "get pods/log (collect), patch serviceaccounts (install-operator)"), "%s", err.msg);
	cr_assert(strstr(err.hint, "rbac.yaml"), "%s", err.hint);
	cr_assert(strstr(seen, "\"subresource\":\"log\"") && strstr(seen, "\"namespace\":\"kasten-io\""), "%s", seen);
	free(seen);
}

Test(target, fields_that_another_manager_owns_are_met_in_advance)
{
	struct script here, there;
	char *seen = NULL;

	storage_is_there(&here, &there);
	say_times(&there, MAY("true"), RIGHTS);
	say(&there, ACCOUNTS);
	say_times(&there, MAY("true"), 2);
	say(&there, OWNED);
	cr_assert_not(checks(&here, &there, true, &seen));
	cr_assert(
	    strstr(err.msg, "would refuse the operator's manifest") && strstr(err.msg, "\"helm\""), "%s", err.msg);
	cr_assert(strstr(d.failure.hint, "--force-conflicts --field-manager=psmdb-drill"), "%s", d.failure.hint);
	cr_assert_str_eq(d.failure_code, "OPERATOR_CONFLICT");
	cr_assert(strstr(seen, "dryRun=All") && !strstr(seen, "force=true"), "%s", seen);
	free(seen);
}

Test(target, one_that_has_everything_passes_and_nothing_is_made_in_it)
{
	struct script here, there;
	char *seen = NULL;

	storage_is_there(&here, &there);
	/* a server without reviews: what cannot be asked is not refused */
	say_times(&there, NO_KIND, RIGHTS);
	say(&there, ACCOUNTS);
	say_times(&there, NO_KIND, 2);
	say(&there, THERE);
	cr_assert(checks(&here, &there, true, &seen), "%s\n%s", err.msg, seen);
	for (const char *p = seen; (p = strstr(p, "PATCH ")); p++)
		cr_assert(strstr(p, "dryRun=All"), "%s", seen);
	for (const char *p = seen; (p = strstr(p, "POST ")); p++)
		cr_assert(!strncmp(p, "POST /apis/authorization.k8s.io/v1/selfsubjectaccessreviews", 59), "%s", p);
	free(seen);
}

Test(target, in_the_same_cluster_the_rights_to_lose_and_make_the_namespace_are_asked_for)
{
	struct script here = {.count = 0};
	char *seen = NULL;

	say(&here, POLICY);
	say(&here, PROFILE("b", "Success"));
	say(&here, PROFILE("b", "Success"));
	say(&here, NAMED);
	say(&here, THERE);
	say(&here, MAY("true"));
	say(&here, MAY("false"));
	say_times(&here, MAY("true"), RIGHTS + LOST_RIGHTS - 2);
	say(&here, ACCOUNTS);
	say_times(&here, MAY("true"), 2);
	cr_assert_not(checks(&here, NULL, false, &seen));
	cr_assert(strstr(err.msg, "rights are missing in the cluster") &&
		      strstr(err.msg, ": create namespaces (recreate-namespace)"),
	    "%s\n%s", err.msg, seen);
	cr_assert(
	    strstr(seen, "\"verb\":\"delete\",\"group\":\"\",\"resource\":\"namespaces\",\"name\":\"ns\""), "%s", seen);
	free(seen);
}

Test(target, a_conflict_that_comes_up_behind_the_disaster_has_a_name_and_a_remedy)
{
	const char *answers[] = {ACCOUNTS, MISSING, OWNED};
	char *seen = NULL;

	write_manifest();
	cr_assert_not(step("install-operator", "{}", true, answers, COUNT(answers), &seen));
	cr_assert(strstr(err.msg, "install the operator") && strstr(err.msg, "\"helm\""), "%s", err.msg);
	cr_assert_str_eq(d.failure_code, "OPERATOR_CONFLICT");
	cr_assert(strstr(d.failure.hint, "--force-conflicts"), "%s", d.failure.hint);
	free(seen);
}
