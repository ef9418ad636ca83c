/* Locks and cleanup against a scripted API server: what was refused has sent nothing that writes. */
#include "scenarios/cleanup.h"
#include "scenarios/locks.h"
#include "scenarios/run_state.h"

#include "../kube/kube_fake.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define NS(labels) OK("{\"kind\":\"Namespace\",\"metadata\":{\"name\":\"ns\"" labels "}}")

static struct kube_fake f;
static struct err err;

static struct json *doc_of(const char *text)
{
	const struct json_limits limits = JSON_LIMITS_DEFAULT;
	struct json *doc = NULL;

	cr_assert(json_parse(text, strlen(text), &limits, &doc, &err), "%s", err.msg);
	return doc;
}

static void wrote_nothing(const char *seen)
{
	static const char *const verbs[] = {"POST ", "PUT ", "PATCH ", "DELETE "};

	for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
		cr_assert_null(strstr(seen, verbs[i]), "%s", seen);
}

static bool lock_of(const char *answer, const char *confirmed, bool gone_is_ours)
{
	char *seen = NULL;
	bool ok;

	err = (struct err)ERR_INIT;
	kube_fake_start(&f, &answer, 1);
	ok = lock_namespace(f.kube, "ns", confirmed, gone_is_ours, &err);
	kube_fake_stop(&f, &seen);
	wrote_nothing(seen);
	free(seen);
	return ok;
}

static bool lock(const char *answer, const char *confirmed)
{
	return lock_of(answer, confirmed, false);
}

static void refused(const char *msg)
{
	cr_assert_eq(err.code, ERR_STATE, "%s", err.msg);
	cr_assert(!strncmp(err.msg, "refused: ", 9), "%s", err.msg);
	cr_assert(strstr(err.msg, msg), "%s", err.msg);
	cr_assert(err.hint[0]);
}

Test(locks, label_and_confirmation_together_open_a_namespace)
{
	cr_assert(lock(NS(",\"labels\":{\"psmdb-drill/allow-disaster\":\"true\"}"), "ns"), "%s", err.msg);
}

#define NS_GONE                                                                                                        \
	JSON("404 Not Found", "{\"kind\":\"Status\",\"status\":\"Failure\",\"reason\":\"NotFound\",\"code\":404,"      \
			      "\"details\":{\"name\":\"ns\"}}")

Test(locks, a_namespace_that_is_gone_needs_no_label_if_the_run_has_deleted_it)
{
	cr_assert(lock_of(NS_GONE, "ns", true), "%s", err.msg);
	cr_assert_not(lock_of(NS_GONE, "ns2", true));
	refused("is not confirmed");
	cr_assert_not(lock_of(NS_GONE, "ns", false));
	cr_assert_eq(err.code, ERR_NOT_FOUND);
	/* made again, and not yet by this run */
	cr_assert_not(lock_of(NS(""), "ns", true));
	refused("has no label psmdb-drill/allow-disaster=true");
}

Test(locks, either_alone_does_not)
{
	cr_assert_not(lock(NS(",\"labels\":{\"psmdb-drill/allow-disaster\":\"true\"}"), NULL));
	refused("is not confirmed");
	cr_assert_not(lock(NS(",\"labels\":{\"psmdb-drill/allow-disaster\":\"true\"}"), "ns2"));
	refused("is not confirmed");
	cr_assert_not(lock(NS(""), "ns"));
	refused("has no label psmdb-drill/allow-disaster=true");
	cr_assert_not(lock(NS(",\"labels\":{\"psmdb-drill/allow-disaster\":\"\"}"), "ns"));
	refused("with the value \"\", not \"true\"");
	cr_assert_not(lock(NS(",\"labels\":{\"psmdb-drill/allow-disaster\":\"True\"}"), "ns"));
	refused("with the value \"True\"");
	cr_assert_not(lock(NS(",\"labels\":{\"psmdb-drill/allow-disaster\":true}"), "ns"));
	cr_assert_eq(err.code, ERR_STATE);
	cr_assert_not(lock(NS(",\"annotations\":{\"psmdb-drill/allow-disaster\":\"true\"}"), "ns"));
	refused("has no label");
}

Test(locks, a_namespace_that_cannot_be_looked_at_stays_locked)
{
	cr_assert_not(
	    lock(JSON("403 Forbidden", "{\"kind\":\"Status\",\"message\":\"no\",\"reason\":\"Forbidden\"}"), "ns"));
	cr_assert_eq(err.code, ERR_AUTH);
	cr_assert_not(
	    lock(JSON("404 Not Found", "{\"kind\":\"Status\",\"message\":\"no\",\"reason\":\"NotFound\"}"), "ns"));
	cr_assert_not(lock(OK("[]"), "ns"));
}

Test(locks, no_step_sets_the_label_wherever_it_stands)
{
	static const char *const bad[] = {
	    "{\"metadata\":{\"name\":\"a\",\"labels\":{\"psmdb-drill/allow-disaster\":\"true\"}}}",
	    "{\"metadata\":{\"name\":\"a\",\"labels\":{\"psmdb-drill/allow-disaster\":\"false\"}}}",
	    "{\"metadata\":{\"labels\":{\"psmdb-drill/allow-disaster\":\"true\"}}}",
	    "{\"items\":[{},{\"metadata\":{\"labels\":{\"psmdb-drill/allow-disaster\":\"true\"}}}]}"};
	struct kube_kind ns;

	kube_kind_set(&ns, "", "v1", "namespaces", "Namespace", false);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		CLEANUP(json) struct json *doc = doc_of(bad[i]);

		err = (struct err)ERR_INIT;
		cr_assert_not(lock_object(json_root(doc), &ns, true, &err), "%s", bad[i]);
		refused("no step may set the label");
	}
}

Test(locks, what_belongs_to_the_whole_cluster_needs_a_flag)
{
	CLEANUP(json) struct json *doc = doc_of("{\"metadata\":{\"name\":\"a\"}}");
	struct kube_kind role, pod;

	kube_kind_set(&role, "rbac.authorization.k8s.io", "v1", "clusterroles", "ClusterRole", false);
	kube_kind_set(&pod, "", "v1", "pods", "Pod", true);
	err = (struct err)ERR_INIT;
	cr_assert_not(lock_object(json_root(doc), &role, false, &err));
	refused("belongs to the whole cluster");
	cr_assert(lock_object(json_root(doc), &role, true, &err));
	cr_assert(lock_object(json_root(doc), &pod, false, &err));
}

Test(locks, what_others_have_made_outside_the_namespace_under_test_is_not_touched)
{
	CLEANUP(json)
	struct json *cluster = doc_of("{\"metadata\":{\"name\":\"a\"}}"),
		    *kasten = doc_of("{\"metadata\":{\"name\":\"a\",\"namespace\":\"kasten-io\"}}"),
		    *ours = doc_of("{\"metadata\":{\"name\":\"a\",\"namespace\":\"ns\"}}"),
		    *others = doc_of("{\"metadata\":{\"name\":\"a\",\"namespace\":\"ns2\"}}"),
		    *odd = doc_of("{\"metadata\":{}}");
	struct kube_kind role, pod;

	kube_kind_set(&role, "rbac.authorization.k8s.io", "v1", "clusterroles", "ClusterRole", false);
	kube_kind_set(&pod, "", "v1", "pods", "Pod", true);
	err = (struct err)ERR_INIT;
	cr_assert_not(lock_existing(json_root(cluster), &role, "ns", "kasten-io", false, &err));
	refused("this run has not made it");
	cr_assert_not(lock_existing(json_root(kasten), &pod, "ns", "kasten-io", false, &err));
	refused("is Kasten's");
	cr_assert_not(lock_existing(json_root(others), &pod, "ns", "kasten-io", false, &err));
	refused("is not in the namespace under test");
	/* a drill whose namespace is Kasten's own */
	cr_assert_not(lock_existing(json_root(kasten), &pod, "kasten-io", "kasten-io", false, &err));
	refused("is Kasten's");
	cr_assert_not(lock_existing(json_root(odd), &pod, "ns", "kasten-io", false, &err));
	cr_assert(lock_existing(json_root(cluster), &role, "ns", "kasten-io", true, &err));
	cr_assert(lock_existing(json_root(kasten), &pod, "ns", "kasten-io", true, &err));
	cr_assert(lock_existing(json_root(ours), &pod, "ns", "kasten-io", false, &err));
	cr_assert(lock_existing(NULL, &role, "ns", "kasten-io", false, &err));
}

Test(locks, objects_are_made_in_the_namespace_under_test_and_kastens_alone)
{
	CLEANUP(json)
	struct json *none = doc_of("{\"metadata\":{\"name\":\"a\"}}"),
		    *kasten = doc_of("{\"metadata\":{\"name\":\"a\",\"namespace\":\"kasten-io\"}}"),
		    *others = doc_of("{\"metadata\":{\"name\":\"a\",\"namespace\":\"ns2\"}}");
	struct kube_kind pod;

	kube_kind_set(&pod, "", "v1", "pods", "Pod", true);
	err = (struct err)ERR_INIT;
	cr_assert(lock_place(json_root(none), &pod, "ns", "kasten-io", false, &err));
	cr_assert(lock_place(json_root(kasten), &pod, "ns", "kasten-io", false, &err));
	cr_assert_not(lock_place(json_root(others), &pod, "ns", "kasten-io", false, &err));
	refused("in namespace \"ns2\"");
	cr_assert(lock_place(json_root(others), &pod, "ns", "kasten-io", true, &err));
}

Test(locks, making_a_restore_overwrites)
{
	struct kube_kind kind;

	kube_kind_set(
	    &kind, "psmdb.percona.com", "v1", "perconaservermongodbrestores", "PerconaServerMongoDBRestore", true);
	cr_assert(lock_overwrites(&kind));
	kube_kind_set(&kind, "actions.kio.kasten.io", "v1alpha1", "restoreactions", "RestoreAction", true);
	cr_assert(lock_overwrites(&kind));
	kube_kind_set(
	    &kind, "psmdb.percona.com", "v1", "perconaservermongodbbackups", "PerconaServerMongoDBBackup", true);
	cr_assert_not(lock_overwrites(&kind));
}

/* --- cleanup ------------------------------------------------------------------------------------------------------ */

#define OBJECT(name, uid)                                                                                              \
	"{\"group\":\"\",\"version\":\"v1\",\"plural\":\"pods\",\"kind\":\"Pod\",\"namespaced\":true,\"namespace\":"   \
	"\"ns\",\"name\":\"" name "\",\"uid\":\"" uid "\",\"step\":1}"
#define POD(name, uid) OK("{\"kind\":\"Pod\",\"metadata\":{\"name\":\"" name "\",\"uid\":\"" uid "\"}}")
#define POD_GONE                                                                                                       \
	JSON("404 Not Found",                                                                                          \
	    "{\"kind\":\"Status\",\"reason\":\"NotFound\",\"message\":\"gone\",\"details\":{\"name\":"                 \
	    "\"c\",\"kind\":\"pods\"}}")
#define NO_KIND JSON("404 Not Found", "404 page not found")

static bool clean(const char *objects, const char *const *answers, size_t count, struct cleanup_tally *ret,
    char **ret_said, char **ret_seen)
{
	CLEANUP(json) struct json *doc = doc_of(objects);
	size_t len;
	FILE *out = open_memstream(ret_said, &len);
	bool ok;

	err = (struct err)ERR_INIT;
	kube_fake_start(&f, answers, count);
	ok = cleanup_objects(f.kube, NULL, json_root(doc), out, ret, &err);
	kube_fake_stop(&f, ret_seen);
	fclose(out);
	return ok;
}

Test(cleanup, only_the_very_object_goes_and_the_newest_first)
{
	/* b is another one by now, c is gone */
	static const char *const answers[] = {
	    POD_GONE, POD("b", "other"), POD("a", "u-a"), OK("{\"kind\":\"Status\"}")};
	struct cleanup_tally tally;
	char *said, *seen, *at;

	cr_assert(clean("[" OBJECT("a", "u-a") "," OBJECT("b", "u-b") "," OBJECT("c", "u-c") "]", answers, 4, &tally,
		      &said, &seen),
	    "%s", err.msg);
	cr_assert_str_eq(said, "gone already  pods ns/c\n"
			       "left          pods ns/b: it has been made again by somebody else\n"
			       "deleted       pods ns/a\n");
	cr_assert(tally.deleted == 1 && tally.left == 1 && tally.gone == 1);
	at = strstr(seen, "DELETE ");
	cr_assert(at && !strncmp(at, "DELETE /api/v1/namespaces/ns/pods/a", 35), "%s", seen);
	cr_assert_null(strstr(at + 1, "DELETE "));
	cr_assert(strstr(at, "\"uid\":\"u-a\""), "the server checks it again: %s", at);
	free(said);
	free(seen);
}

#define OF_KIND(group_, plural_)                                                                                       \
	"{\"group\":\"" group_ "\",\"version\":\"v1\",\"plural\":\"" plural_                                           \
	"\",\"kind\":\"K\",\"namespaced\":true,\"namespace\":\"ns\",\"name\":\"a\",\"uid\":\"u-a\",\"step\":1}"

/* Not even what the run has made itself: others' data may be in it by now, and no lock was asked. */
Test(cleanup, what_would_take_data_along_stays)
{
	static const char *const kinds[] = {
	    OF_KIND("", "namespaces"),
	    OF_KIND("", "persistentvolumeclaims"),
	    OF_KIND("", "persistentvolumes"),
	    OF_KIND("", "secrets"),
	    OF_KIND("apiextensions.k8s.io", "customresourcedefinitions"),
	    OF_KIND("psmdb.percona.com", "perconaservermongodbs"),
	    OF_KIND("psmdb.percona.com", "perconaservermongodbbackups"),
	    OF_KIND("apps.kio.kasten.io", "restorepoints"),
	    OF_KIND("apps.kio.kasten.io", "restorepointcontents"),
	    OF_KIND("actions.kio.kasten.io", "backupactions"),
	};
	static const char *const answers[] = {POD("a", "u-a"), OK("{\"kind\":\"Status\"}")};

	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		struct cleanup_tally tally;
		char list[400], *said, *seen;

		snprintf(list, sizeof list, "[%s]", kinds[i]);
		cr_assert(clean(list, answers, 2, &tally, &said, &seen), "%s", err.msg);
		cr_assert(tally.left == 1 && !tally.deleted, "%s", kinds[i]);
		cr_assert(strstr(said, "left "), "%s", said);
		wrote_nothing(seen);
		free(said);
		free(seen);
	}
}

Test(cleanup, an_object_of_a_kind_that_is_gone_is_gone)
{
	static const char *const answers[] = {NO_KIND, POD_GONE};
	struct cleanup_tally tally;
	char *said, *seen;

	cr_assert(
	    clean("[" OBJECT("a", "u-a") "," OBJECT("b", "u-b") "]", answers, 2, &tally, &said, &seen), "%s", err.msg);
	cr_assert_eq(tally.gone, 2);
	wrote_nothing(seen);
	free(said);
	free(seen);
}

Test(cleanup, an_answer_without_a_uid_is_not_the_object)
{
	static const char *const answers[] = {OK("{\"kind\":\"Pod\",\"metadata\":{\"name\":\"a\"}}")};
	struct cleanup_tally tally;
	char *said, *seen;

	cr_assert(clean("[" OBJECT("a", "u-a") "]", answers, 1, &tally, &said, &seen), "%s", err.msg);
	cr_assert_eq(tally.left, 1);
	wrote_nothing(seen);
	free(said);
	free(seen);
}

Test(cleanup, an_error_ends_it)
{
	static const char *const answers[] = {
	    JSON("403 Forbidden", "{\"kind\":\"Status\",\"reason\":\"Forbidden\",\"message\":\"no\"}")};
	struct cleanup_tally tally;
	char *said, *seen;

	cr_assert_not(clean("[" OBJECT("a", "u-a") "," OBJECT("b", "u-b") "]", answers, 1, &tally, &said, &seen));
	cr_assert_eq(err.code, ERR_AUTH);
	wrote_nothing(seen);
	free(said);
	free(seen);
}

Test(cleanup, nothing_made_is_nothing_asked)
{
	struct cleanup_tally tally;
	char *said, *seen;

	cr_assert(clean("[]", (const char *const[]){OK("{}")}, 1, &tally, &said, &seen));
	cr_assert_str_eq(seen, "");
	free(said);
	free(seen);
}

#define ELSEWHERE(name, uid)                                                                                           \
	"{\"group\":\"\",\"version\":\"v1\",\"plural\":\"pods\",\"kind\":\"Pod\",\"namespaced\":true,\"namespace\":"   \
	"\"ns\",\"name\":\"" name "\",\"uid\":\"" uid "\",\"step\":9,\"elsewhere\":true}"

Test(cleanup, what_was_made_in_the_other_cluster_is_deleted_there)
{
	const char *here[] = {POD("a", "u-a"), OK("{\"kind\":\"Status\"}")},
		   *there[] = {POD("b", "u-b"), OK("{\"kind\":\"Status\"}")};
	CLEANUP(json) struct json *doc = doc_of("[" OBJECT("a", "u-a") "," ELSEWHERE("b", "u-b") "]");
	struct cleanup_tally tally;
	struct kube_fake other;
	char *seen = NULL, *seen_there = NULL, *said = NULL;
	size_t len;
	FILE *out = open_memstream(&said, &len);
	bool ok;

	err = (struct err)ERR_INIT;
	cr_assert_not(cleanup_objects(NULL, NULL, json_root(doc), out, &tally, &err), "nothing is asked");
	cr_assert(err.code == ERR_USAGE && strstr(err.hint, "--to-context"), "%s", err.msg);
	kube_fake_start(&f, here, COUNT(here));
	kube_fake_start(&other, there, COUNT(there));
	ok = cleanup_objects(f.kube, other.kube, json_root(doc), out, &tally, &err);
	kube_fake_stop(&other, &seen_there);
	kube_fake_stop(&f, &seen);
	fclose(out);
	cr_assert(ok && tally.deleted == 2, "%s", err.msg);
	cr_assert(strstr(seen, "DELETE ") && strstr(seen, "/pods/a") && !strstr(seen, "/pods/b"), "%s", seen);
	cr_assert(strstr(seen_there, "DELETE ") && strstr(seen_there, "/pods/b") && !strstr(seen_there, "/pods/a"),
	    "%s", seen_there);
	free(seen);
	free(seen_there);
	free(said);
}
