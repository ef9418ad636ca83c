#include "sandbox/kubelet/recipe.h"

#include "made.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static bool find_program(void *ctx, const char *name, char ret[static PATH_MAX], struct err *err)
{
	const bool *mongos = ctx;

	if (!strcmp(name, "mongos") && !*mongos)
		return err_set(err, ERR_NOT_FOUND, "there is no mongos");
	snprintf(ret, PATH_MAX, "/bin/%s", name);
	return true;
}

struct kitchen {
	const char *hosts; /* NULL: a file that is not there */
	struct world world;
	struct json *pod;
	bool mongos;
	struct recipe recipe;
	const char *reason;
	struct err err;
};

static struct kitchen kitchen_new(void)
{
	struct kitchen k = {.reason = NULL};

	made_list(&k.world, WORLD_SERVICES,
	    "{'metadata':{'namespace':'ns','name':'my-db'},'spec':{'clusterIP':'127.1.1.128','ports':[{'name':'mongos',"
	    "'port':27017}]}},{'metadata':{'namespace':'other','name':'far'},'spec':{'clusterIP':'127.1.1.129','ports':"
	    "[{'port':1}]}}");
	/* p@ss:w/ord and /data/db */
	made_list(&k.world, WORLD_SECRETS,
	    "{'metadata':{'namespace':'ns','name':'users'},'data':{'USER':'YmFja3Vw','PASSWORD':'cEBzczp3L29yZA==','"
	    "PATH':'L2RhdGEvZGI='}}");
	made_list(&k.world, WORLD_CONFIGMAPS, "{'metadata':{'namespace':'ns','name':'conf'},'data':{'level':'3'}}");
	made_list(&k.world, WORLD_CLAIMS,
	    "{'metadata':{'namespace':'ns','name':'claim'},'spec':{'volumeName':'pvc-1'},'status':{'phase':'Bound'}}");
	return k;
}

static bool cook(struct kitchen *k, const char *container)
{
	const struct recipe_place place = {.dir = "/d",
	    .kubeconfig = "/d/system.kubeconfig",
	    .hosts = k->hosts ? k->hosts : "/d/hosts",
	    .pod_ip = "127.1.1.11",
	    .host_ip = "127.1.1.3",
	    .mounts = {"/d/pods/x", "/d/volumes"},
	    .find_program = find_program,
	    .ctx = &k->mongos};
	char *text = NULL;
	bool ok;

	cr_assert(asprintf(&text,
		      "{'metadata':{'namespace':'ns','name':'p','uid':'u','labels':{'a':'b'}},'spec':{'nodeName':'"
		      "sandbox','volumes':["
		      "{'name':'data','persistentVolumeClaim':{'claimName':'claim'}},{'name':'keys','secret':{'"
		      "secretName':'users'}}],"
		      "'containers':[%s]}}",
		      container) > 0);
	json_free(k->pod);
	k->pod = made(text);
	free(text);
	recipe_clear(&k->recipe);
	k->err = (struct err)ERR_INIT;
	ok = recipe_make(&k->world, json_root(k->pod), json_at(json_root(k->pod), "spec/containers/0"), &place,
	    &k->recipe, &k->reason, &k->err);
	return ok;
}

static void kitchen_clear(struct kitchen *k)
{
	recipe_clear(&k->recipe);
	json_free(k->pod);
	world_clear(&k->world);
}

static bool has(const struct words *w, const char *word)
{
	for (size_t i = 0; i < w->count; i++)
		if (!strcmp(w->items[i], word))
			return true;
	return false;
}

static const char *after(const struct words *w, const char *word)
{
	for (size_t i = 0; i + 1 < w->count; i++)
		if (!strcmp(w->items[i], word))
			return w->items[i + 1];
	return "";
}

#define MOUNTS "'volumeMounts':[{'name':'data','mountPath':'/data/db'},{'name':'keys','mountPath':'/etc/keys/'}]"

Test(recipe, mongod_runs_on_the_pods_address_with_its_volumes)
{
	struct kitchen k = kitchen_new();

	cr_assert(
	    cook(&k,
		"{'name':'mongod','image':'percona/percona-server-mongodb:6.0.4-3','command':['/opt/ps-entry.sh'],"
		"'args':['--bind_ip_all','--auth','--dbpath=/data/"
		"db','--port=27018','--replSet=rs0','--oplogSize','990',"
		"'--keyFile=/etc/keys/mongodb-key','--enableEncryption','--encryptionKeyFile=/x','--slowms=5']," MOUNTS
		"}"),
	    "%s", k.err.msg);
	cr_assert_str_eq(k.recipe.argv.items[0], "/bin/mongod");
	cr_assert(has(&k.recipe.argv, "--dbpath=/d/volumes/pvc-1"));
	cr_assert(has(&k.recipe.argv, "--keyFile=/d/pods/x/volumes/keys/mongodb-key"));
	cr_assert(has(&k.recipe.argv, "--auth") && has(&k.recipe.argv, "--replSet=rs0"));
	cr_assert_str_eq(after(&k.recipe.argv, "--bind_ip"), "127.1.1.11");
	cr_assert_str_eq(after(&k.recipe.argv, "--oplogSize"), "64");
	cr_assert_str_eq(after(&k.recipe.argv, "--slowms"), "3600000");
	cr_assert(!has(&k.recipe.argv, "--bind_ip_all") && !has(&k.recipe.argv, "990") &&
		  !has(&k.recipe.argv, "--enableEncryption"));
	cr_assert(!has(&k.recipe.argv, "--encryptionKeyFile=/x") && !has(&k.recipe.argv, "--slowms=5"));
	cr_assert(!has(&k.recipe.argv, "/opt/ps-entry.sh"));
	cr_assert_eq(k.recipe.probe_port, 27018);
	cr_assert_str_eq(words_env(&k.recipe.env, "NSS_WRAPPER_HOSTS"), "/d/hosts");
	kitchen_clear(&k);
}

Test(recipe, mongos_is_what_its_command_says)
{
	struct kitchen k = kitchen_new();
	static const char container[] =
	    "{'name':'mongos','image':'x/percona-server-mongodb','command':['/opt/ps-entry.sh'],"
	    "'args':['mongos','--bind_ip_all','--configdb','cfg/a']}";

	cr_assert_not(cook(&k, container));
	cr_assert_str_eq(k.reason, "CreateContainerError");
	k.mongos = true;
	cr_assert(cook(&k, container), "%s", k.err.msg);
	cr_assert_str_eq(k.recipe.argv.items[0], "/bin/mongos");
	cr_assert_str_eq(k.recipe.argv.items[1], "--configdb");
	cr_assert_not(has(&k.recipe.argv, "--oplogSize"));
	kitchen_clear(&k);
}

Test(recipe, an_agent_gets_its_own_member_in_the_environment_and_not_in_an_argument)
{
	struct kitchen k = kitchen_new();

	cr_assert(
	    cook(&k,
		"{'name':'backup-agent','image':'percona/percona-backup-mongodb:2.0.4','env':["
		"{'name':'PBM_AGENT_MONGODB_USERNAME','valueFrom':{'secretKeyRef':{'name':'users','key':'USER'}}},"
		"{'name':'PBM_AGENT_MONGODB_PASSWORD','valueFrom':{'secretKeyRef':{'name':'users','key':'PASSWORD'}}},"
		"{'name':'PBM_MONGODB_PORT','value':'27017'}]}"),
	    "%s", k.err.msg);
	cr_assert_eq(k.recipe.argv.count, 1);
	cr_assert_str_eq(words_env(&k.recipe.env, "PBM_MONGODB_URI"),
	    "mongodb://backup:p%40ss%3Aw%2Ford@127.1.1.11:27017/?authSource=admin");
	cr_assert_null(words_env(&k.recipe.env, "LD_PRELOAD"));
	cr_assert_not(cook(&k, "{'name':'backup-agent','image':'percona/percona-backup-mongodb:2.0.4'}"));
	kitchen_clear(&k);
}

Test(recipe, the_operator_is_this_program_and_knows_whether_there_is_a_mongos)
{
	struct kitchen k = kitchen_new();
	static const char container[] =
	    "{'name':'op','image':'percona/percona-server-mongodb-operator:1.14.0','command':['op']}";

	cr_assert(cook(&k, container), "%s", k.err.msg);
	cr_assert_eq(k.recipe.argv.count, 7);
	cr_assert_str_eq(k.recipe.argv.items[0], "/bin/psmdb-sandbox");
	cr_assert_str_eq(after(&k.recipe.argv, "--namespace"), "ns");
	cr_assert_str_eq(words_env(&k.recipe.env, "PSMDB_SANDBOX_MONGOS"), "no");
	cr_assert_str_eq(words_env(&k.recipe.env, "PSMDB_DRILL_PBM"), "/bin/pbm");
	k.mongos = true;
	cr_assert(cook(&k, container));
	cr_assert_str_eq(words_env(&k.recipe.env, "PSMDB_SANDBOX_MONGOS"), "yes");
	kitchen_clear(&k);
}

Test(recipe, the_projects_image_has_the_projects_programs)
{
	struct kitchen k = kitchen_new();

	cr_assert(
	    cook(&k, "{'name':'t','image':'ghcr.io:5000/o/psmdb-drill:1@sha256:00','command':['/usr/bin/psmdb-ticker'],"
		     "'args':['--ns=$(NS)','$(MISSING)']," MOUNTS
		     ",'env':[{'name':'NS','valueFrom':{'fieldRef':{'fieldPath':"
		     "'metadata.namespace'}}}]}"),
	    "%s", k.err.msg);
	cr_assert_str_eq(k.recipe.argv.items[0], "/bin/psmdb-ticker");
	cr_assert_str_eq(k.recipe.argv.items[1], "--ns=ns");
	cr_assert_str_eq(k.recipe.argv.items[2], "$(MISSING)");
	cr_assert(cook(&k, "{'name':'t','image':'psmdb-drill','args':['psmdb-verify','collect']}"));
	cr_assert_str_eq(k.recipe.argv.items[1], "collect");
	cr_assert_not(cook(&k, "{'name':'t','image':'psmdb-drill','command':['sh','-c','x']}"));
	cr_assert_str_eq(k.reason, "CreateContainerError");
	cr_assert_not_null(strstr(k.err.msg, "psmdb-ticker, psmdb-verify and psmdb-drill"));
	kitchen_clear(&k);
}

/* nss_wrapper does not get along with several threads: it is there only where a name may still be asked for. */
Test(recipe, names_become_addresses_and_what_is_left_resolves_through_the_file)
{
	static const struct {
		const char *uri, *made;
		bool names;
	} cases[] = {
	    {"mongodb://my-db.ns.svc.cluster.local:27017/", "mongodb://127.1.1.128:27017/", false},
	    {"mongodb://my-db.ns/admin?ssl=false", "mongodb://127.1.1.128/admin?ssl=false", false},
	    {"mongodb://u@my-db.ns.svc", "mongodb://u@127.1.1.128", false},
	    {"--uri=mongodb://my-db.ns:1", "--uri=mongodb://127.1.1.128:1", false},
	    {"mongodb://later.ns:27017/", "mongodb://later.ns:27017/", true},
	    {"mongodb://later.ns.svc:27017/", "mongodb://later.ns.svc:27017/", true},
	    {"mongodb://my-db.ns,later.ns/", "mongodb://127.1.1.128,later.ns/", true},
	    {"mongodb://my-db.ns,127.1.1.9/", "mongodb://127.1.1.128,127.1.1.9/", true},
	    {"mongodb://my-db.ns/?replicaSet=rs0", "mongodb://127.1.1.128/?replicaSet=rs0", true},
	    {"mongodb://my-db.ns/?replicaset=rs0", "mongodb://127.1.1.128/?replicaset=rs0", true},
	    {"mongodb://", "mongodb://", true},
	    {"admin.mongodb", "admin.mongodb", false},
	    {"http://s3.ns.svc", "http://s3.ns.svc", true},
	};
	char path[] = "/tmp/drill-recipe-XXXXXX";
	static const char hosts[] =
	    "127.0.0.1 localhost\n127.1.1.128 my-db.ns.svc.cluster.local my-db.ns.svc my-db.ns\n";
	int fd = mkstemp(path);

	cr_assert(fd >= 0 && write(fd, hosts, sizeof hosts - 1) == (ssize_t)sizeof hosts - 1);
	close(fd);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct kitchen k = kitchen_new();
		char container[256];

		k.hosts = path;
		snprintf(container, sizeof container, "{'name':'t','image':'psmdb-drill','args':['psmdb-ticker','%s']}",
		    cases[i].uri);
		cr_assert(cook(&k, container), "%s: %s", cases[i].uri, k.err.msg);
		cr_expect_str_eq(k.recipe.argv.items[1], cases[i].made, "%s", k.recipe.argv.items[1]);
		cr_expect_eq(words_env(&k.recipe.env, "LD_PRELOAD") != NULL, cases[i].names, "%s", cases[i].uri);
		kitchen_clear(&k);
	}
	unlink(path);
}

Test(recipe, another_image_is_refused_with_the_list_of_those_there_are)
{
	static const char *const images[] = {"busybox", "psmdb-drill/busybox:psmdb-drill", "x/psmdb-drill-2", "", "/"};

	for (size_t i = 0; i < sizeof images / sizeof *images; i++) {
		struct kitchen k = kitchen_new();
		char container[256];

		snprintf(
		    container, sizeof container, "{'name':'t','image':'%s','command':['psmdb-ticker']}", images[i]);
		cr_assert_not(cook(&k, container), "%s", images[i]);
		cr_assert_str_eq(k.reason, "ErrImagePull");
		cr_assert_not_null(strstr(k.err.msg, "percona-backup-mongodb"));
		kitchen_clear(&k);
	}
}

Test(recipe, the_environment_is_made_as_kubernetes_makes_it)
{
	struct kitchen k = kitchen_new();
	const struct words *env = &k.recipe.env;

	cr_assert(
	    cook(&k,
		"{'name':'t','image':'psmdb-drill','args':['psmdb-ticker']," MOUNTS
		",'envFrom':[{'prefix':'U_','secretRef':{'name':'users'}},"
		"{'configMapRef':{'name':'nothing','optional':true}}],'env':[{'name':'A','value':'one'},{'name':'B',"
		"'value':'$(A)-$(MY_DB_SERVICE_HOST)-$$(A)'},{'name':'IP','valueFrom':{'fieldRef':{'fieldPath':'status."
		"podIP'}}},"
		"{'name':'L','valueFrom':{'fieldRef':{'fieldPath':'metadata.labels[\\u0027a\\u0027]'}}},{'name':'C','"
		"valueFrom':"
		"{'configMapKeyRef':{'name':'conf','key':'level'}}},{'name':'DIR','value':'/data/db/x'},"
		"{'name':'GONE','valueFrom':{'secretKeyRef':{'name':'users','key':'no','optional':true}}},"
		"{'name':'A','value':'two'}]}"),
	    "%s", k.err.msg);
	cr_assert_str_eq(words_env(env, "MY_DB_SERVICE_HOST"), "127.1.1.128");
	cr_assert_str_eq(words_env(env, "MY_DB_SERVICE_PORT"), "27017");
	cr_assert_str_eq(words_env(env, "MY_DB_SERVICE_PORT_MONGOS"), "27017");
	cr_assert_null(words_env(env, "FAR_SERVICE_HOST"));
	cr_assert_str_eq(words_env(env, "U_PASSWORD"), "p@ss:w/ord");
	cr_assert_str_eq(words_env(env, "U_PATH"), "/data/db"); /* a secret is not touched */
	cr_assert_str_eq(words_env(env, "B"), "one-127.1.1.128-$(A)");
	cr_assert_str_eq(words_env(env, "IP"), "127.1.1.11");
	cr_assert_str_eq(words_env(env, "L"), "b");
	cr_assert_str_eq(words_env(env, "C"), "3");
	cr_assert_str_eq(words_env(env, "DIR"), "/d/volumes/pvc-1/x");
	cr_assert_null(words_env(env, "GONE"));
	cr_assert_str_eq(words_env(env, "A"), "two");
	kitchen_clear(&k);
}

Test(recipe, a_missing_secret_is_named)
{
	struct kitchen k = kitchen_new();

	cr_assert_not(cook(&k,
	    "{'name':'t','image':'psmdb-drill','args':['psmdb-ticker'],'env':[{'name':'A','valueFrom':{'secretKeyRef':"
	    "{'name':'gone','key':'x'}}}]}"));
	cr_assert_str_eq(k.reason, "CreateContainerConfigError");
	cr_assert_eq(k.err.code, ERR_NOT_FOUND);
	cr_assert_not_null(strstr(k.err.msg, "secret \"gone\" not found"));
	cr_assert_not(cook(&k,
	    "{'name':'t','image':'psmdb-drill','args':['psmdb-ticker'],'env':[{'name':'A','valueFrom':{'secretKeyRef':"
	    "{'name':'users','key':'gone'}}}]}"));
	cr_assert_not_null(strstr(k.err.msg, "couldn't find key \"gone\""));
	kitchen_clear(&k);
}

Test(recipe, a_mount_that_leads_out_is_refused)
{
	static const char *const mounts[] = {
	    "{'name':'data','mountPath':'/data','subPath':'../x'}",
	    "{'name':'data','mountPath':'/data','subPath':'a/../../x'}",
	    "{'name':'data','mountPath':'data'}",
	    "{'name':'data','mountPath':'/'}",
	    "{'name':'nothing','mountPath':'/data'}",
	};

	for (size_t i = 0; i < sizeof mounts / sizeof *mounts; i++) {
		struct kitchen k = kitchen_new();
		char container[512];

		snprintf(container, sizeof container,
		    "{'name':'t','image':'psmdb-drill','args':['psmdb-ticker'],'volumeMounts':[%s]}", mounts[i]);
		cr_assert_not(cook(&k, container), "%s", mounts[i]);
		cr_assert_str_eq(k.reason, "CreateContainerConfigError");
		kitchen_clear(&k);
	}
}
