/*
 * lib/kube against a whole API server: the sandbox's, or the one of PSMDB_TEST_KUBECONFIG. What kills the server or
 * takes a token away is only done to the sandbox's.
 */
#include "base/file.h"
#include "base/proc.h"
#include "kube/watch.h"
#include "tests/support/kube_api_fixture.h"
#include "tests/support/tap.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#define NS "kube-test"
#define MANY 260 /* more than a page */

struct bench {
	struct tap tap;
	struct kube_api_fixture *api;
	struct kube_config config;
	struct kube *kube;
	struct kube_kind namespaces, configmaps, psmdb;
	struct err err; /* of the last call */
};

/* The call first, and then what it left in b->err. */
#define OK(holds, sentence)                                                                                            \
	do {                                                                                                           \
		bool holds_ = (holds);                                                                                 \
		tap_ok(&b->tap, holds_, (sentence), "error %d: %s (%s)", (int)b->err.code, b->err.msg, b->err.hint);   \
	} while (0)

static struct err *fresh(struct bench *b)
{
	b->err = (struct err)ERR_INIT;
	return &b->err;
}

static bool failed_with(const struct bench *b, bool ok, enum err_code code)
{
	return !ok && b->err.code == code && *b->err.msg;
}

static struct json *configmap(const char *name, const char *value)
{
	struct json *object = NULL;
	struct err err = ERR_INIT;

	if (!json_format(&object, &err, "{'apiVersion':'v1','kind':'ConfigMap','metadata':{'name':%s},'data':{'a':%s}}",
		name, value))
		abort();
	return object;
}

static bool create(struct bench *b, const char *name, struct json **ret)
{
	CLEANUP(json) struct json *object = configmap(name, "1");

	return kube_create(b->kube, &b->configmaps, NS, json_root(object), ret, fresh(b));
}

/* --- kinds ------------------------------------------------------------------------------------------------------- */

static void test_kinds(struct bench *b)
{
	static const char *const names[][2] = {{"psmdb", "perconaservermongodbs"},
	    {"PSMDB-backup", "perconaservermongodbbackups"}, {"psmdb-restore", "perconaservermongodbrestores"},
	    {"po", "pods"}, {"pvc", "persistentvolumeclaims"}, {"sts", "statefulsets"}, {"deploy", "deployments"},
	    {"ns", "namespaces"}, {"runaction", "runactions"}, {"policies.config.kio.kasten.io", "policies"},
	    {"Secret", "secrets"}};
	struct kube_kind kind;
	bool all = true;

	for (size_t i = 0; i < sizeof names / sizeof *names && all; i++)
		all = kube_find_kind(b->kube, names[i][0], &kind, fresh(b)) && !strcmp(kind.plural, names[i][1]);
	OK(all, "kinds are found by what people type");
	OK(kube_find_kind(b->kube, "psmdb", &b->psmdb, fresh(b)) && b->psmdb.has_status && b->psmdb.namespaced &&
		b->psmdb.verbs & KUBE_WATCH,
	    "a custom kind says what can be done with it");
	OK(failed_with(b, kube_find_kind(b->kube, "nonsense", &kind, fresh(b)), ERR_UNSUPPORTED),
	    "an unknown kind is said to be so");
	kube_kind_set(&kind, "nonsense.example", "v1", "things", "Thing", true);
	OK(failed_with(b, kube_get(b->kube, &kind, NS, "x", NULL, fresh(b)), ERR_UNSUPPORTED),
	    "so is one that is not asked for");
}

/* --- objects ----------------------------------------------------------------------------------------------------- */

static void test_create(struct bench *b)
{
	CLEANUP(json) struct json *made = NULL;
	CLEANUP(json) struct json *found = NULL;
	CLEANUP(json) struct json *object = configmap("a", "1");

	OK(create(b, "a", &made) && kube_uid(json_root(made)), "an object is made");
	OK(failed_with(b, create(b, "a", NULL), ERR_EXISTS) &&
		!strcmp(b->err.msg, "create configmap \"" NS "/a\": already exists"),
	    "a name that is taken is said to be so");
	OK(failed_with(
	       b, kube_create(b->kube, &b->configmaps, "nowhere", json_root(object), NULL, fresh(b)), ERR_NOT_FOUND),
	    "a namespace that is not there is not found");
	OK(kube_get(b->kube, &b->configmaps, NS, "a", &found, fresh(b)) &&
		json_equal(json_root(found), json_root(made)),
	    "what is read is what was made");
	OK(failed_with(b, kube_get(b->kube, &b->psmdb, NS, "my-cluster-name", NULL, fresh(b)), ERR_NOT_FOUND) &&
		!strcmp(b->err.msg, "get perconaservermongodb \"" NS "/my-cluster-name\": not found"),
	    "what is not there is named");
}

static void test_change(struct bench *b)
{
	CLEANUP(json) struct json *old = NULL;
	CLEANUP(json) struct json *now = NULL;
	CLEANUP(json) struct json *patch = NULL;
	CLEANUP(json) struct json *wrong = NULL;

	json_format(&patch, fresh(b), "{'data':{'b':'2'}}");
	json_format(&wrong, fresh(b), "[{'op':'test','path':'/data/b','value':'3'}]");
	OK(kube_get(b->kube, &b->configmaps, NS, "a", &old, fresh(b)) &&
		kube_patch(
		    b->kube, &b->configmaps, NS, "a", NULL, KUBE_PATCH_MERGE, json_root(patch), &now, fresh(b)) &&
		json_is_at(json_root(now), "data/b", "2") && json_is_at(json_root(now), "data/a", "1"),
	    "a merge patch changes what it names");
	OK(failed_with(b, kube_replace(b->kube, &b->configmaps, NS, json_root(old), NULL, fresh(b)), ERR_CONFLICT),
	    "an update of an old version is a conflict");
	OK(kube_replace(b->kube, &b->configmaps, NS, json_root(now), NULL, fresh(b)),
	    "one of the present version is not");
	OK(failed_with(b,
	       kube_patch(b->kube, &b->configmaps, NS, "a", NULL, KUBE_PATCH_JSON, json_root(wrong), NULL, fresh(b)),
	       ERR_REMOTE),
	    "a JSON patch whose test fails is refused");
	OK(failed_with(b,
	       kube_delete(b->kube, &b->configmaps, NS, "a",
		   &(struct kube_delete){.uid = "12345678-0000-0000-0000-000000000000", .grace_seconds = -1}, fresh(b)),
	       ERR_CONFLICT),
	    "another object of that name is not deleted");
}

static void test_apply(struct bench *b)
{
	CLEANUP(json) struct json *mine = configmap("applied", "mine");
	CLEANUP(json) struct json *theirs = configmap("applied", "theirs");
	CLEANUP(json) struct json *first = NULL;
	CLEANUP(json) struct json *second = NULL;
	CLEANUP(kube) struct kube *other = NULL;

	OK(kube_apply(b->kube, NS, json_root(mine), false, true, NULL, fresh(b)) &&
		failed_with(b, kube_get(b->kube, &b->configmaps, NS, "applied", NULL, fresh(b)), ERR_NOT_FOUND),
	    "a dry run makes nothing");
	OK(kube_apply(b->kube, NS, json_root(mine), false, false, &first, fresh(b)) &&
		kube_apply(b->kube, NS, json_root(mine), false, false, &second, fresh(b)) &&
		!strcmp(kube_version(json_root(first)), kube_version(json_root(second))),
	    "applying the same again changes nothing");
	if (!kube_new(&b->config, &(struct kube_options){.manager = "another"}, &other, fresh(b)))
		abort();
	OK(failed_with(b, kube_apply(other, NS, json_root(theirs), false, false, NULL, fresh(b)), ERR_CONFLICT) &&
		strstr(b->err.hint, "another manager"),
	    "another manager's fields are not taken");
	OK(kube_apply(other, NS, json_root(theirs), true, false, NULL, fresh(b)), "unless by force");
}

static void test_pages(struct bench *b)
{
	CLEANUP(json) struct json *list = NULL;
	struct kube_select select = {.labels = "page=yes"};
	bool ok = true;

	for (int i = 0; i < MANY && ok; i++) {
		CLEANUP(json) struct json *object = NULL;

		ok = json_format(&object, fresh(b),
			 "{'apiVersion':'v1','kind':'ConfigMap','metadata':{'generateName':'many-','labels':{'page':'"
			 "yes'}}}") &&
		     kube_create(b->kube, &b->configmaps, NS, json_root(object), NULL, &b->err);
	}
	OK(ok && kube_list(b->kube, &b->configmaps, NS, &select, &list, fresh(b)) &&
		json_count(json_at(json_root(list), "items")) == MANY &&
		json_is_at(json_root(list), "items/259/kind", "ConfigMap"),
	    "a list of several pages is whole");
	OK(kube_delete_all(b->kube, &b->configmaps, NS, &select, NULL, fresh(b)) &&
		(json_free(TAKE(list)), kube_list(b->kube, &b->configmaps, NS, &select, &list, fresh(b))) &&
		!json_count(json_at(json_root(list), "items")),
	    "all that a selector fits is deleted at once");
}

/* --- seeing changes ---------------------------------------------------------------------------------------------- */

struct script {
	struct bench *b;
	int step;
	char seen[128];
};

/* Each event makes the next one, with the same client that watches. */
static bool go_on(void *ctx, enum kube_event event, const json_node *object, struct err *err)
{
	struct script *s = ctx;
	CLEANUP(json) struct json *patch = NULL;
	size_t len = strlen(s->seen);

	if (event == KUBE_BOOKMARK || !json_is_at(object, "metadata/name", "watched"))
		return true;
	snprintf(s->seen + len, sizeof s->seen - len, "%d", (int)event);
	if (event == KUBE_ADDED)
		return json_format(&patch, err, "{'data':{'a':'2'}}") &&
		       kube_patch(s->b->kube, &s->b->configmaps, NS, "watched", NULL, KUBE_PATCH_MERGE,
			   json_root(patch), NULL, err);
	if (event == KUBE_MODIFIED)
		return kube_delete(s->b->kube, &s->b->configmaps, NS, "watched", NULL, err);
	return false;
}

static void test_watch(struct bench *b)
{
	struct script script = {.b = b};
	CLEANUP(json) struct json *list = NULL;

	OK(kube_list(b->kube, &b->configmaps, NS, NULL, &list, fresh(b)) && create(b, "watched", NULL) &&
		kube_watch(b->kube, &b->configmaps, NS, NULL, kube_version(json_root(list)), 20000, go_on, &script,
		    fresh(b)) &&
		!strcmp(script.seen, "012"),
	    "a watch sees what is made, changed and deleted, and may do it");
}

static bool is_gone(void *ctx, const json_node *object, struct err *err)
{
	struct bench *b = ctx;
	CLEANUP(json) struct json *patch = NULL;

	if (object && kube_has_finalizer(object, "psmdb-drill/test"))
		return json_format(&patch, err, "{'metadata':{'finalizers':null}}") &&
		       kube_patch(b->kube, &b->configmaps, NS, kube_name(object), NULL, KUBE_PATCH_MERGE,
			   json_root(patch), NULL, err) &&
		       false;
	return !object;
}

static void test_wait(struct bench *b)
{
	CLEANUP(json) struct json *object = NULL;
	CLEANUP(json) struct json *last = NULL;
	struct kube_wait wait = {"configmap \"held\" to go", 20000, 0, is_gone, b};
	bool ok = json_format(&object, fresh(b),
		      "{'apiVersion':'v1','kind':'ConfigMap','metadata':{'name':'held','finalizers':['psmdb-drill/"
		      "test']}}") &&
		  kube_create(b->kube, &b->configmaps, NS, json_root(object), NULL, &b->err) &&
		  kube_delete(b->kube, &b->configmaps, NS, "held", NULL, &b->err);

	OK(ok && kube_wait(b->kube, &b->configmaps, NS, "held", &wait, &last, fresh(b)) && !last,
	    "a wait sees an object go when its finalizer is taken off");
}

/* --- a server that is killed, a token that is taken away ---------------------------------------------------------- */

static bool start_again(struct bench *b)
{
	char log[300];
	const char *const argv[] = {PSMDB_SANDBOX, "serve", "api", "--dir", b->api->dir, "--address", "127.0.0.1",
	    "--port", strrchr(b->config.server, ':') + 1, NULL};
	struct proc_spec spec = PROC_SPEC_INIT;

	snprintf(log, sizeof log, "%s/api.log", b->api->dir);
	spec.argv = argv;
	spec.log_path = log;
	return proc_start(&spec, &b->api->pid, fresh(b));
}

struct restart {
	struct bench *b;
	int64_t killed_ms;
	bool again;
};

/* Kills the server at first, changes the object when it is back; finished when the change is seen. */
static bool lives_through(void *ctx, const json_node *object, struct err *err)
{
	struct restart *r = ctx;
	CLEANUP(json) struct json *patch = NULL;
	struct proc_exit ex;

	if (!r->again) {
		kill(r->b->api->pid, SIGKILL);
		proc_stop(clock_system(), r->b->api->pid, 2000, &ex, NULL);
		r->again = start_again(r->b);
		return false;
	}
	if (json_is_at(object, "data/a", "after"))
		return true;
	return json_format(&patch, err, "{'data':{'a':'after'}}") &&
	       kube_patch(
		   r->b->kube, &r->b->configmaps, NS, "a", NULL, KUBE_PATCH_MERGE, json_root(patch), NULL, err) &&
	       false;
}

static bool cache_has(struct kube_cache *cache, const char *value, int notify_fd)
{
	int64_t until_ms = clock_mono_ms(clock_system()) + 20000;

	while (clock_mono_ms(clock_system()) < until_ms) {
		CLEANUP(json) struct json *one = NULL;
		struct err err = ERR_INIT;

		if (kube_cache_synced(cache) && kube_cache_get(cache, NS, "a", &one, &err) &&
		    json_is_at(json_root(one), "data/a", value))
			return true;
		clock_sleep_until(clock_system(), clock_mono_ns(clock_system()) + 20000000, NULL);
		kube_notify_drain(notify_fd);
	}
	return false;
}

static void test_restart(struct bench *b)
{
	struct restart restart = {.b = b};
	struct kube_wait wait = {"configmap \"a\" to change", 60000, 30000, lives_through, &restart};
	CLEANUP(kube_cache) struct kube_cache *cache = NULL;
	int notify_fd = kube_notify_new();

	OK(kube_cache_new(&b->config, NULL, &b->configmaps, NS, NULL, notify_fd, &cache, fresh(b)) &&
		cache_has(cache, "1", notify_fd),
	    "a cache has what is there");
	OK(kube_wait(b->kube, &b->configmaps, NS, "a", &wait, NULL, fresh(b)),
	    "a wait lasts through a server that is killed");
	OK(cache_has(cache, "after", notify_fd), "and a cache, too");
	kube_cache_free(TAKE(cache));
	close(notify_fd);
}

static void test_revoked(struct bench *b)
{
	char path[300];

	snprintf(path, sizeof path, "%s/api/tokens.csv", b->api->dir);
	OK(file_write_atomic(path, "\n", 1, 0600, fresh(b)) &&
		failed_with(b, kube_get(b->kube, &b->configmaps, NS, "a", NULL, fresh(b)), ERR_AUTH) &&
		strstr(b->err.hint, "expired or revoked"),
	    "a token that was taken away is said to be so");
}

/* --- the whole --------------------------------------------------------------------------------------------------- */

static void test_namespace(struct bench *b)
{
	CLEANUP(json) struct json *held = NULL;
	CLEANUP(json) struct json *patch = NULL;
	bool ok = json_format(&held, fresh(b),
		      "{'apiVersion':'v1','kind':'ConfigMap','metadata':{'name':'stays','finalizers':['psmdb-drill/"
		      "test']}}") &&
		  json_format(&patch, &b->err, "{'metadata':{'finalizers':null}}") &&
		  kube_create(b->kube, &b->configmaps, NS, json_root(held), NULL, &b->err) &&
		  kube_delete(b->kube, &b->namespaces, NULL, NS, NULL, &b->err);

	OK(ok && failed_with(b, create(b, "late", NULL), ERR_AUTH) &&
		strstr(b->err.hint, "the namespace is being deleted"),
	    "what is made in a namespace on its way out is refused with a hint");
	kube_patch(b->kube, &b->configmaps, NS, "stays", NULL, KUBE_PATCH_MERGE, json_root(patch), NULL, fresh(b));
}

static bool set_up(struct bench *b, char *why, size_t size)
{
	struct kube_config_options where = {0};
	CLEANUP(json) struct json *space = NULL;

	if (!kube_api_fixture_start(&b->api, why, size))
		return false;
	where.path = b->api->kubeconfig;
	kube_kind_set(&b->namespaces, "", "v1", "namespaces", "Namespace", false);
	kube_kind_set(&b->configmaps, "", "v1", "configmaps", "ConfigMap", true);
	if (!kube_config_load(&where, &b->config, &b->err) || !kube_new(&b->config, NULL, &b->kube, &b->err) ||
	    !json_format(&space, &b->err, "{'apiVersion':'v1','kind':'Namespace','metadata':{'name':%s}}", NS) ||
	    !kube_create(b->kube, &b->namespaces, NULL, json_root(space), NULL, &b->err)) {
		snprintf(why, size, "%s", b->err.msg);
		return false;
	}
	return true;
}

int main(void)
{
	struct bench bench = {0}, *b = &bench;
	char why[512] = "";

	signal(SIGPIPE, SIG_IGN);
	if (!set_up(b, why, sizeof why)) {
		printf("Bail out! %s\n", why);
		return 1;
	}
	test_kinds(b);
	test_create(b);
	test_change(b);
	test_apply(b);
	test_pages(b);
	test_watch(b);
	test_wait(b);
	if (b->api->pid)
		test_restart(b);
	test_namespace(b);
	if (b->api->pid)
		test_revoked(b);
	kube_free(b->kube);
	kube_config_clear(&b->config);
	kube_api_fixture_stop(b->api, b->tap.failed > 0);
	return tap_done(&b->tap);
}
