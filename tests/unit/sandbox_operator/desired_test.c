#include "sandbox/operator/desired.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static struct json *doc, *object;
static struct cr cr;
static struct err err;

static void set_up_with(bool have_mongos)
{
	err = (struct err)ERR_INIT;
	cr_assert(
	    json_format(&doc, &err,
		"{'metadata':{'name':'db','namespace':'ns','uid':'u1'},'spec':{'image':'mongod:6','secrets':{'users':'"
		"db-secrets'},"
		"'replsets':[{'name':'rs0','size':3,'volumeSpec':{'persistentVolumeClaim':{'resources':{'requests':"
		"{'storage':'3Gi'}}}}}],'sharding':{'enabled':true},'backup':{'enabled':true,'image':'agent:2'}}}"),
	    "%s", err.msg);
	cr_assert(cr_read(json_root(doc), have_mongos, &cr, &err), "%s", err.msg);
}

static void set_up(void)
{
	set_up_with(false);
}

static void tear_down(void)
{
	json_free(doc);
	json_free(object);
	doc = object = NULL;
}

TestSuite(desired, .init = set_up, .fini = tear_down);

static bool has(const json_node *list, const char *text)
{
	for (const json_node *item = json_first(list); item; item = json_next(item))
		if (json_string(item) && !strcmp(json_string(item), text))
			return true;
	return false;
}

Test(desired, a_set_has_mongod_and_agent_and_a_claim_each)
{
	const json_node *o, *pod;

	cr_assert(desired_set(&cr, &cr.sets[0], 3, &object, &err), "%s", err.msg);
	o = json_root(object);
	pod = json_at(o, "spec/template/spec");
	cr_assert(json_is_at(o, "metadata/name", "db-rs0"));
	cr_assert(json_is_at(o, "metadata/ownerReferences/0/uid", "u1"));
	cr_assert_eq(json_int_at(o, "spec/replicas", 0), 3);
	cr_assert(json_is_at(pod, "containers/0/name", "mongod"));
	cr_assert(json_is_at(pod, "containers/1/name", "backup-agent"));
	cr_assert(has(json_at(pod, "containers/0/args"), "--replSet=rs0"));
	cr_assert(has(json_at(pod, "containers/0/args"), "--keyFile=/etc/mongodb-secrets/mongodb-key"));
	cr_assert_not(has(json_at(pod, "containers/0/args"), "--shardsvr"));
	cr_assert(json_is_at(o, "spec/volumeClaimTemplates/0/metadata/name", "mongod-data"));
	cr_assert(json_is_at(o, "spec/volumeClaimTemplates/0/spec/resources/requests/storage", "3Gi"));
	cr_assert(json_is_at(o, "spec/volumeClaimTemplates/0/spec/accessModes/0", "ReadWriteOnce"));
	cr_assert(json_is_at(o, "spec/template/metadata/labels/app.kubernetes.io~1replset", "rs0"));
	cr_assert(json_is_at(o, "spec/template/metadata/labels/app.kubernetes.io~1component", "mongod"));
}

Test(desired, passwords_are_referred_to_and_never_written)
{
	BUF_CLEANUP struct buf text = BUF_INIT(1 << 20);
	const json_node *env;

	cr_assert(desired_set(&cr, &cr.sets[0], 3, &object, &err), "%s", err.msg);
	env = json_at(json_root(object), "spec/template/spec/containers/1/env");
	cr_assert(json_is_at(env, "1/name", "PBM_AGENT_MONGODB_PASSWORD"));
	cr_assert(json_is_at(env, "1/valueFrom/secretKeyRef/name", "internal-db-users"));
	cr_assert(json_is_at(env, "1/valueFrom/secretKeyRef/key", "MONGODB_BACKUP_PASSWORD"));
	cr_assert_null(json_at(env, "1/value"));
}

Test(desired, the_digest_changes_with_the_object_and_only_then)
{
	struct json *other = NULL;
	char first[80];

	cr_assert(desired_set(&cr, &cr.sets[0], 3, &object, &err), "%s", err.msg);
	snprintf(
	    first, sizeof first, "%s", json_text_at(json_root(object), "metadata/annotations/psmdb-drill~1desired"));
	cr_assert(desired_set(&cr, &cr.sets[0], 3, &other, &err), "%s", err.msg);
	cr_assert(json_is_at(json_root(other), "metadata/annotations/psmdb-drill~1desired", first));
	json_free(other);
	cr_assert(desired_set(&cr, &cr.sets[0], 1, &other, &err), "%s", err.msg);
	cr_assert_not(json_is_at(json_root(other), "metadata/annotations/psmdb-drill~1desired", first));
	json_free(other);
}

Test(desired, the_service_of_mongos_has_no_selector_where_its_endpoints_are_written)
{
	cr_assert(desired_mongos_service(&cr, &object, &err), "%s", err.msg);
	cr_assert(json_is_at(json_root(object), "metadata/name", "db-mongos"));
	cr_assert_null(json_at(json_root(object), "spec/selector"));
	json_free(object);
	cr_assert(desired_mongos_endpoints(&cr, "127.9.9.11", &object, &err), "%s", err.msg);
	cr_assert(json_is_at(json_root(object), "subsets/0/addresses/0/ip", "127.9.9.11"));
	cr_assert_eq(json_int_at(json_root(object), "subsets/0/ports/0/port", 0), 27017);
	json_free(object);
	cr_assert(desired_mongos_endpoints(&cr, NULL, &object, &err), "%s", err.msg);
	cr_assert_eq(json_count(json_at(json_root(object), "subsets")), 0);
}

Test(desired, with_mongos_there_are_shards_and_routers)
{
	json_free(doc);
	doc = NULL;
	set_up_with(true);
	cr_assert(desired_set(&cr, &cr.sets[0], 3, &object, &err), "%s", err.msg);
	cr_assert(has(json_at(json_root(object), "spec/template/spec/containers/0/args"), "--configsvr"));
	json_free(object);
	cr_assert(desired_set(&cr, &cr.sets[1], 3, &object, &err), "%s", err.msg);
	cr_assert(has(json_at(json_root(object), "spec/template/spec/containers/0/args"), "--shardsvr"));
	json_free(object);
	cr_assert(desired_mongos(&cr, "cfg/a:1", &object, &err), "%s", err.msg);
	cr_assert(json_is_at(json_root(object), "spec/template/spec/containers/0/command/0", "mongos"));
	cr_assert(has(json_at(json_root(object), "spec/template/spec/containers/0/args"), "cfg/a:1"));
	json_free(object);
	cr_assert(desired_mongos_service(&cr, &object, &err), "%s", err.msg);
	cr_assert(json_is_at(json_root(object), "spec/selector/app.kubernetes.io~1component", "mongos"));
}

Test(desired, only_what_goes_with_the_cluster_has_an_owner)
{
	cr_assert(desired_secret(&cr, "s", NULL, false, &object, &err), "%s", err.msg);
	cr_assert_null(json_at(json_root(object), "metadata/ownerReferences"));
	json_free(object);
	cr_assert(desired_secret(&cr, "s", NULL, true, &object, &err), "%s", err.msg);
	cr_assert(json_is_at(json_root(object), "metadata/ownerReferences/0/kind", "PerconaServerMongoDB"));
}
