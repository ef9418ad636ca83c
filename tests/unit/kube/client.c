#include "kube_fake.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOT_FOUND                                                                                                      \
	JSON("404 Not Found",                                                                                          \
	    "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{},\"status\":\"Failure\",\"message\":"           \
	    "\"perconaservermongodbs.psmdb.percona.com \\\"my-cluster-name\\\" not "                                   \
	    "found\",\"reason\":\"NotFound\",\"details\":{\"name\":\"my-cluster-name\",\"group\":"                     \
	    "\"psmdb.percona.com\",\"kind\":\"perconaservermongodbs\"},\"code\":404}\n")
#define UNAUTHORIZED                                                                                                   \
	JSON("401 Unauthorized", "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{},\"status\":\"Failure\","  \
				 "\"message\":\"Unauthorized\",\"reason\":\"Unauthorized\",\"code\":401}\n")

Test(kube, object_that_is_not_there_is_named)
{
	const char *answers[] = {NOT_FOUND};
	struct kube_fake f;
	struct err err = ERR_INIT;
	struct json *object = NULL;
	char *seen;

	kube_fake_start(&f, answers, COUNT(answers));
	cr_assert(!kube_get(f.kube, &f.psmdb, "mongo-ns", "my-cluster-name", &object, &err));
	cr_assert_eq(err.code, ERR_NOT_FOUND);
	cr_assert_str_eq(err.msg, "get perconaservermongodb \"mongo-ns/my-cluster-name\": not found");
	cr_assert_null(object);
	kube_fake_stop(&f, &seen);
	cr_assert(strstr(seen, "GET /apis/psmdb.percona.com/v1/namespaces/mongo-ns/perconaservermongodbs/"
			       "my-cluster-name HTTP"),
	    "%s", seen);
	cr_assert(strstr(seen, "Authorization: Bearer hush-hush"), "%s", seen);
	free(seen);
}

Test(kube, token_is_in_no_message)
{
	const char *answers[] = {UNAUTHORIZED};
	struct kube_fake f;
	struct err err = ERR_INIT;

	kube_fake_start(&f, answers, COUNT(answers));
	cr_assert(!kube_get(f.kube, &f.pods, "x", "y", NULL, &err));
	cr_assert_eq(err.code, ERR_AUTH);
	cr_assert(strstr(err.hint, "expired or revoked"), "%s", err.hint);
	cr_assert(!strstr(err.msg, "hush") && !strstr(err.hint, "hush"));
	kube_fake_stop(&f, NULL);
}

/* --- discovery --------------------------------------------------------------------------------------------------- */

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

Test(kube, kind_is_found_by_all_its_names)
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
