/* What kinds a server has, and how they are found. */
#include "kube_fake.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define CORE                                                                                                           \
	OK("{\"kind\":\"APIResourceList\",\"groupVersion\":\"v1\",\"resources\":[{\"name\":\"pods\","                  \
	   "\"singularName\":\"pod\",\"namespaced\":true,\"kind\":\"Pod\",\"verbs\":[\"get\",\"list\",\"watch\"],"     \
	   "\"shortNames\":[\"po\"]},{\"name\":\"pods/log\",\"singularName\":\"\",\"namespaced\":true,\"kind\":"       \
	   "\"Pod\",\"verbs\":[\"get\"]},{\"name\":\"persistentvolumeclaims\",\"singularName\":\"\",\"namespaced\":"   \
	   "true,\"kind\":\"PersistentVolumeClaim\",\"verbs\":[\"get\"],\"shortNames\":[\"pvc\"]}]}")
#define GROUPS                                                                                                         \
	OK("{\"kind\":\"APIGroupList\",\"groups\":[{\"name\":\"psmdb.percona.com\",\"versions\":[{\"groupVersion\":"   \
	   "\"psmdb.percona.com/v1\",\"version\":\"v1\"}],\"preferredVersion\":{\"groupVersion\":"                     \
	   "\"psmdb.percona.com/v1\",\"version\":\"v1\"}}]}")
#define PSMDB                                                                                                          \
	OK("{\"kind\":\"APIResourceList\",\"resources\":[{\"name\":\"perconaservermongodbs\",\"singularName\":"        \
	   "\"perconaservermongodb\",\"namespaced\":true,\"kind\":\"PerconaServerMongoDB\",\"verbs\":[\"get\"],"       \
	   "\"shortNames\":[\"psmdb\"]},{\"name\":\"perconaservermongodbs/status\",\"singularName\":\"\","             \
	   "\"namespaced\":true,\"kind\":\"PerconaServerMongoDB\",\"verbs\":[\"get\"]},{\"name\":"                     \
	   "\"perconaservermongodbbackups\",\"singularName\":\"perconaservermongodbbackup\",\"namespaced\":true,"      \
	   "\"kind\":\"PerconaServerMongoDBBackup\",\"verbs\":[\"get\"],\"shortNames\":[\"psmdb-backup\"]}]}")

Test(kinds, kind_is_found_by_all_its_names)
{
	static const char *const names[][2] = {{"psmdb", "perconaservermongodbs"}, {"po", "pods"}, {"pod", "pods"},
	    {"Pod", "pods"}, {"pvc", "persistentvolumeclaims"}, {"persistentvolumeclaim", "persistentvolumeclaims"},
	    {"psmdb-backup", "perconaservermongodbbackups"}, {"psmdb.psmdb.percona.com", "perconaservermongodbs"},
	    {"PerconaServerMongoDBBackup", "perconaservermongodbbackups"}};
	const char *answers[] = {CORE, GROUPS, PSMDB, CORE, GROUPS, PSMDB};
	struct kube_fake f;
	struct err err = ERR_INIT;
	struct kube_kind kind;

	kube_fake_start(&f, answers, COUNT(answers));
	for (size_t i = 0; i < COUNT(names); i++) {
		cr_assert(kube_find_kind(f.kube, names[i][0], &kind, &err), "%s: %s", names[i][0], err.msg);
		cr_assert_str_eq(kind.plural, names[i][1]);
	}
	cr_assert(kube_find_kind(f.kube, "psmdb", &kind, &err));
	cr_assert(kind.has_status && kind.namespaced && kind.verbs == KUBE_GET);
	cr_assert(!kube_find_kind(f.kube, "psm", &kind, &err));
	cr_assert_eq(err.code, ERR_UNSUPPORTED);
	kube_fake_stop(&f, NULL);
}

#define TWO_GROUPS                                                                                                     \
	OK("{\"groups\":[{\"name\":\"metrics\",\"preferredVersion\":{\"version\":\"v1\"}},{\"name\":"                  \
	   "\"psmdb.percona.com\",\"preferredVersion\":{\"version\":\"v1\"}},{\"name\":\"../"                          \
	   "evil\",\"preferredVersion\":"                                                                              \
	   "{\"version\":\"v1\"}}]}")
#define DOWN ANSWER("503 Service Unavailable", "text/plain", "service unavailable")

Test(kinds, group_that_is_down_does_not_hide_the_others)
{
	const char *answers[] = {CORE, TWO_GROUPS, DOWN, DOWN, DOWN, PSMDB};
	struct kube_fake f;
	struct err err = ERR_INIT;
	struct kube_kind kind;
	CLEANUP(free) char *seen = NULL;

	kube_fake_start(&f, answers, COUNT(answers));
	cr_assert(kube_find_kind(f.kube, "psmdb", &kind, &err), "%s", err.msg);
	kube_fake_stop(&f, &seen);
	cr_assert(!strstr(seen, "evil"));
}

static bool add_name(void *ctx, const struct kube_kind *kind, struct err *err)
{
	return buf_printf(ctx, err, "%s ", kind->plural);
}

Test(kinds, every_kind_that_can_be_listed_is_told_and_a_group_that_is_down_named)
{
	const char *answers[] = {CORE, TWO_GROUPS, DOWN, DOWN, DOWN,
	    OK("{\"resources\":[{\"name\":\"a\",\"kind\":\"A\",\"verbs\":[\"list\"]},{\"name\":\"b\",\"kind\":\"B\","
	       "\"verbs\":[\"create\"]}]}")};
	BUF_CLEANUP struct buf names = BUF_INIT(4096);
	struct kube_fake f;
	struct err err = ERR_INIT;
	char unread[128];

	kube_fake_start(&f, answers, COUNT(answers));
	cr_assert(kube_each_kind(f.kube, add_name, &names, unread, &err), "%s", err.msg);
	kube_fake_stop(&f, NULL);
	cr_assert(strstr(buf_str(&names), "pods ") && strstr(buf_str(&names), " a ") && !strstr(buf_str(&names), " b "),
	    "%s", buf_str(&names));
	cr_assert_str_eq(unread, "metrics");
}

Test(kinds, object_is_applied_by_what_it_says_it_is)
{
	const char *answers[] = {JSON("404 Not Found", "404 page not found\n"), PSMDB, OK("{\"a\":1}"), OK("{}")};
	struct kube_fake f;
	struct err err = ERR_INIT;
	CLEANUP(json) struct json *object = NULL;
	CLEANUP(json) struct json *applied = NULL;
	CLEANUP(free) char *seen = NULL;

	cr_assert(json_format(&object, &err,
	    "{'apiVersion':'psmdb.percona.com/"
	    "v1','kind':'PerconaServerMongoDB','metadata':{'name':'c','namespace':'own'}}"));
	kube_fake_start(&f, answers, COUNT(answers));
	cr_assert(!kube_apply(f.kube, "x", json_root(object), false, false, NULL, &err));
	cr_assert_eq(err.code, ERR_UNSUPPORTED, "%s", err.msg);
	cr_assert(strstr(err.msg, "PerconaServerMongoDB of psmdb.percona.com/v1"), "%s", err.msg);
	cr_assert(kube_apply(f.kube, "x", json_root(object), true, true, &applied, &err), "%s", err.msg);
	json_remove_at(json_edit(object), "metadata/namespace");
	cr_assert(kube_apply(f.kube, "x", json_root(object), false, false, NULL, &err), "%s", err.msg);
	json_remove_at(json_edit(object), "kind");
	cr_assert(!kube_apply(f.kube, "x", json_root(object), false, false, NULL, &err));
	kube_fake_stop(&f, &seen);
	cr_assert(
	    strstr(seen, "/namespaces/own/perconaservermongodbs/c?fieldManager=psmdb-drill&force=true&dryRun=All "),
	    "%s", seen);
	cr_assert(strstr(seen, "/namespaces/x/perconaservermongodbs/c?fieldManager=psmdb-drill "), "%s", seen);
}
