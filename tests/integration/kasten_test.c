/*
 * The stand-in for Kasten against an API server, with the project's own blueprint, profile and policy, and a real S3 server for what
 * is exported. The operator is this program: it gives backups, restores and clusters the states that a test wants. A second
 * cluster (an API server and a Kasten of its own) shares nothing with the first but the bucket.
 */
#include "base/file.h"
#include "base/proc.h"
#include "doc/yaml.h"
#include "kube/client.h"
#include "s3/s3.h"
#include "tests/support/kube_api_fixture.h"
#include "tests/support/tap.h"
#include "tests/support/weed_fixture.h"

#include <signal.h>
#include <string.h>

#define CLUSTER "my-cluster-name"
#define NS "mongo-ns"
#define WAIT_MS 60000
#define RECEIVE_MAX 4200

enum {
	BACKUP,
	RESTORE,
	PSMDB,
	POLICY,
	PROFILE,
	RUN,
	BACKUP_ACTION,
	RESTORE_ACTION,
	RETIRE,
	POINT,
	CONTENT,
	SECRET,
	NAMESPACE,
	CONFIGMAP,
	IMPORT,
	EXPORT,
	KINDS
};
static const char *const kind_names[KINDS] = {"perconaservermongodbbackups.psmdb.percona.com",
    "perconaservermongodbrestores.psmdb.percona.com", "perconaservermongodbs.psmdb.percona.com",
    "policies.config.kio.kasten.io", "profiles.config.kio.kasten.io", "runactions.actions.kio.kasten.io",
    "backupactions.actions.kio.kasten.io", "restoreactions.actions.kio.kasten.io",
    "retireactions.actions.kio.kasten.io", "restorepoints.apps.kio.kasten.io",
    "restorepointcontents.apps.kio.kasten.io", "secrets", "namespaces", "configmaps",
    "importactions.actions.kio.kasten.io", "exportactions.actions.kio.kasten.io"};

struct story {
	struct tap tap;
	struct kube_api_fixture *api;
	struct kube *kube;
	struct kube_kind kinds[KINDS];
	char dir[200], store[256], log[256];
	struct weed_fixture *weed;
	pid_t kasten;
	const char *backup_ends; /* "ready" or "error": what the operator makes of backups */
	bool operator_works;
};

#define NEED(call)                                                                                                     \
	do {                                                                                                           \
		struct err err = ERR_INIT;                                                                             \
		if (!(call)) {                                                                                         \
			printf("Bail out! %s: %s\n", #call, err.msg);                                                  \
			exit(1);                                                                                       \
		}                                                                                                      \
	} while (0)

static const char *namespace_of(int kind)
{
	static const char *const of[KINDS] = {NS, NS, NS, "kasten-io", "kasten-io", "kasten-io", NS, NS, "kasten-io",
	    NS, NULL, NS, NULL, NS, "kasten-io", NS};

	return of[kind];
}

/* --- the API ----------------------------------------------------------------------------------------------------- */

static struct json *list(struct story *s, int kind)
{
	struct json *ret = NULL;

	NEED(kube_list(s->kube, &s->kinds[kind], namespace_of(kind), NULL, &ret, &err));
	return ret;
}

static size_t count(struct story *s, int kind)
{
	CLEANUP(json) struct json *items = list(s, kind);

	return json_count(json_get(json_root(items), "items"));
}

/* NULL: not there */
static struct json *get(struct story *s, int kind, const char *name)
{
	struct json *ret = NULL;
	struct err err = ERR_INIT;

	if (!kube_get(s->kube, &s->kinds[kind], namespace_of(kind), name, &ret, &err) && err.code != ERR_NOT_FOUND) {
		printf("Bail out! %s\n", err.msg);
		exit(1);
	}
	return ret;
}

/* A text in an object that is looked up now, or ""; valid until the next call. */
static const char *seen(struct story *s, int kind, const char *name, const char *path)
{
	static char text[RECEIVE_MAX];
	CLEANUP(json) struct json *object = get(s, kind, name);
	const char *value = object ? json_text_at(json_root(object), path) : NULL;

	snprintf(text, sizeof text, "%s", value ? value : "");
	return text;
}

static void set_status(struct story *s, int kind, const char *name, const char *state, const char *error)
{
	CLEANUP(json) struct json *patch = NULL;

	NEED(json_format(&patch, &err, "{'status':{'state':%s,'error':%s,'ready':1,'size':1}}", state, error));
	NEED(kube_patch(s->kube, &s->kinds[kind], namespace_of(kind), name, s->kinds[kind].has_status ? "status" : NULL,
	    KUBE_PATCH_MERGE, json_root(patch), NULL, &err));
}

static void create(struct story *s, int kind, const json_node *object, char ret_name[static 254])
{
	CLEANUP(json) struct json *made = NULL;

	NEED(kube_create(s->kube, &s->kinds[kind], namespace_of(kind), object, &made, &err));
	snprintf(ret_name, 254, "%s", kube_name(json_root(made)));
}

/* Every document of a manifest, with its own or the default namespace. */
static void apply(struct story *s, const char *file)
{
	const struct yaml_limits limits = YAML_LIMITS_DEFAULT;
	YAML_DOCS_CLEANUP struct yaml_docs docs = {0};
	char path[1024];

	snprintf(path, sizeof path, "%s/%s", MANIFESTS, file);
	NEED(yaml_read(path, &limits, &docs, &err));
	for (size_t i = 0; i < docs.count; i++) {
		CLEANUP(json) struct json *made = NULL;
		struct kube_kind kind;
		const json_node *object = json_root(docs.items[i]);

		NEED(kube_kind_of(
		    s->kube, json_text_at(object, "apiVersion"), json_text_at(object, "kind"), &kind, &err));
		NEED(kube_create(s->kube, &kind, kube_namespace(object), object, &made, &err));
	}
}

/* profile.yaml with this test's bucket in it. */
static void apply_profile(struct story *s)
{
	const struct yaml_limits limits = YAML_LIMITS_DEFAULT;
	YAML_DOCS_CLEANUP struct yaml_docs docs = {0};
	S3_CONFIG_CLEANUP struct s3_config bucket = {0};

	weed_fixture_config(s->weed, &bucket);
	NEED(yaml_read(MANIFESTS "/profile.yaml", &limits, &docs, &err));
	for (size_t i = 0; i < docs.count; i++) {
		json_node *object = json_edit(docs.items[i]);
		bool secret = json_is_at(object, "kind", "Secret");

		if (secret) {
			NEED(json_set_text(object, "stringData/aws_access_key_id", bucket.access_key, &err));
			NEED(json_set_text(object, "stringData/aws_secret_access_key", bucket.secret_key, &err));
		} else {
			NEED(json_set_text(object, "spec/locationSpec/objectStore/endpoint", bucket.endpoint, &err));
			NEED(json_set_text(object, "spec/locationSpec/objectStore/name", bucket.bucket, &err));
		}
		NEED(kube_create(s->kube, &s->kinds[secret ? SECRET : PROFILE], "kasten-io", object, NULL, &err));
	}
}

static bool count_object(void *ctx, const struct s3_object *object, struct err *err)
{
	(void)object;
	(void)err;
	++*(size_t *)ctx;
	return true;
}

/* Objects in Kasten's part of the bucket. */
static size_t exported_objects(const struct story *s)
{
	S3_CONFIG_CLEANUP struct s3_config config = {0};
	CLEANUP(s3) struct s3 *s3 = NULL;
	size_t n = 0;

	weed_fixture_config(s->weed, &config);
	NEED(s3_new(&config, NULL, &s3, &err));
	NEED(s3_list(s3, "kasten/", 1000, count_object, &n, &err));
	return n;
}

static struct json *manifest(const char *file)
{
	const struct yaml_limits limits = YAML_LIMITS_DEFAULT;
	YAML_DOCS_CLEANUP struct yaml_docs docs = {0};
	struct json *ret = NULL;
	char path[1024];

	snprintf(path, sizeof path, "%s/%s", MANIFESTS, file);
	NEED(yaml_read(path, &limits, &docs, &err));
	NEED(json_clone(json_root(docs.items[0]), &ret, &err));
	return ret;
}

static void delete (struct story *s, int kind, const char *name)
{
	NEED(kube_delete(s->kube, &s->kinds[kind], namespace_of(kind), name, NULL, &err));
}

/* --- the operator ------------------------------------------------------------------------------------------------ */

static void operate_kind(struct story *s, int kind, const char *end)
{
	CLEANUP(json) struct json *items = list(s, kind);

	for (const json_node *o = json_first(json_get(json_root(items), "items")); o; o = json_next(o)) {
		const char *state = json_text_at(o, "status/state");
		CLEANUP(json) struct json *patch = NULL;

		if (kube_deleting(o)) {
			NEED(json_format(&patch, &err, "{'metadata':{'finalizers':null}}"));
			kube_patch(s->kube, &s->kinds[kind], NS, kube_name(o), NULL, KUBE_PATCH_MERGE, json_root(patch),
			    NULL, NULL);
		} else if (!state) {
			set_status(s, kind, kube_name(o), kind == PSMDB ? "ready" : "running", NULL);
		} else if (!strcmp(state, "running")) {
			set_status(
			    s, kind, kube_name(o), end, strcmp(end, "ready") != 0 ? "unable to get storage 'x'" : NULL);
		}
	}
}

static void operate(struct story *s)
{
	if (!s->operator_works)
		return;
	operate_kind(s, PSMDB, "ready");
	operate_kind(s, BACKUP, s->backup_ends);
	operate_kind(s, RESTORE, "ready");
}

/* --- waiting ----------------------------------------------------------------------------------------------------- */

static void pause_ms(int64_t ms)
{
	clock_sleep_until(clock_system(), clock_mono_ns(clock_system()) + ms * 1000000, NULL);
}

typedef bool condition(struct story *s, const void *arg);

static bool await(struct story *s, condition *holds, const void *arg)
{
	int64_t deadline = clock_mono_ms(clock_system()) + WAIT_MS;

	while (clock_mono_ms(clock_system()) < deadline) {
		if (holds(s, arg))
			return true;
		operate(s);
		pause_ms(100);
	}
	return false;
}

struct wanted {
	int kind;
	const char *name, *path, *value;
};

static bool has_value(struct story *s, const void *arg)
{
	const struct wanted *w = arg;

	return !strcmp(seen(s, w->kind, w->name, w->path), w->value);
}

static bool await_value(struct story *s, int kind, const char *name, const char *path, const char *value)
{
	const struct wanted w = {kind, name, path, value};

	return await(s, has_value, &w);
}

static bool is_final(struct story *s, const void *arg)
{
	const struct wanted *w = arg;
	const char *state = seen(s, w->kind, w->name, "status/state");

	return !strcmp(state, "Complete") || !strcmp(state, "Failed");
}

/* The final state, valid until the next look. */
static const char *await_end(struct story *s, int kind, const char *name)
{
	const struct wanted w = {kind, name, NULL, NULL};

	await(s, is_final, &w);
	return seen(s, kind, name, "status/state");
}

struct counted {
	int kind;
	size_t count;
};

static bool has_count(struct story *s, const void *arg)
{
	const struct counted *c = arg;

	return count(s, c->kind) == c->count;
}

static bool await_count(struct story *s, int kind, size_t n)
{
	const struct counted c = {kind, n};

	return await(s, has_count, &c);
}

/* --- the process ------------------------------------------------------------------------------------------------- */

/* The controllers' own, where there is one: it stands for the server behind an aggregated API. */
static const char *controllers_kubeconfig(const struct story *s, char text[static 256])
{
	snprintf(text, 256, "%s/system.kubeconfig", s->api->dir);
	return file_exists(text) ? text : s->api->kubeconfig;
}

static void start_kasten(struct story *s)
{
	char kubeconfig[256];
	const char *const argv[] = {PSMDB_SANDBOX, "serve", "kasten", "--kubeconfig",
	    controllers_kubeconfig(s, kubeconfig), "--store", s->store, NULL};
	struct proc_spec spec = PROC_SPEC_INIT;

	spec.argv = argv;
	spec.log_path = s->log;
	NEED(proc_start(&spec, &s->kasten, &err));
}

static void kill_kasten(struct story *s)
{
	struct proc_exit ex;

	kill(s->kasten, SIGKILL);
	while (!proc_reap(s->kasten, &ex))
		pause_ms(5);
}

/* --- the stories ------------------------------------------------------------------------------------------------- */

static void make_namespaces(struct story *s)
{
	static const char *const namespaces[] = {"kasten-io", NS};
	char name[254];

	for (int i = 0; i < 2; i++) {
		CLEANUP(json) struct json *namespace_ = NULL;

		NEED(json_format(
		    &namespace_, &err, "{'apiVersion':'v1','kind':'Namespace','metadata':{'name':%s}}", namespaces[i]));
		create(s, NAMESPACE, json_root(namespace_), name);
	}
}

static void run_policy(struct story *s, char ret_name[static 254])
{
	CLEANUP(json) struct json *run = manifest("run-once.yaml");

	create(s, RUN, json_root(run), ret_name);
}

static void make_psmdb(struct story *s, bool annotated)
{
	CLEANUP(json) struct json *psmdb = NULL;
	char name[254];

	NEED(json_format(&psmdb, &err,
	    "{'apiVersion':'psmdb.percona.com/v1','kind':'PerconaServerMongoDB','metadata':{'name':'" CLUSTER
	    "','namespace':'" NS "','annotations':%j},'spec':{'image':'percona/percona-server-mongodb:6.0.4-3'}}",
	    NULL));
	json_remove_at(json_edit(psmdb), "metadata/annotations");
	if (annotated)
		NEED(json_set_text(
		    json_edit(psmdb), "metadata/annotations/kanister.kasten.io~1blueprint", "psmdb-bp", &err));
	create(s, PSMDB, json_root(psmdb), name);
	set_status(s, PSMDB, name, "ready", NULL);
}

static void validation(struct story *s)
{
	char run[254];

	apply(s, "policy.yaml");
	tap_ok(&s->tap, await_value(s, POLICY, "mongo-drill", "status/validation", "Failed"),
	    "a policy whose profile is missing is not valid", "%s",
	    seen(s, POLICY, "mongo-drill", "status/validation"));
	tap_ok(&s->tap,
	    strstr(seen(s, POLICY, "mongo-drill", "status/error/0"), "profile \"kasten-io/s3-profile\"") != NULL,
	    "and says which", "%s", seen(s, POLICY, "mongo-drill", "status/error/0"));
	run_policy(s, run);
	tap_ok(&s->tap, !strcmp(await_end(s, RUN, run), "Failed"), "a run of it fails", "%s",
	    seen(s, RUN, run, "status/state"));
	tap_ok(&s->tap,
	    !strcmp(seen(s, RUN, run, "status/error/message"), "Cannot execute action for an invalid policy"),
	    "with Kasten's words", "%s", seen(s, RUN, run, "status/error/message"));
	apply_profile(s);
	tap_ok(&s->tap, await_value(s, POLICY, "mongo-drill", "status/validation", "Success"),
	    "with the profile there, it becomes valid", "%s", seen(s, POLICY, "mongo-drill", "status/error/0"));
	tap_ok(&s->tap,
	    await_value(s, POLICY, "mongo-drill", "spec/actions/1/exportParameters/migrationToken/name",
		"mongo-drill-migration-token"),
	    "and gets its migration token", "%s",
	    seen(s, POLICY, "mongo-drill", "spec/actions/1/exportParameters/migrationToken/name"));
	tap_ok(&s->tap, strlen(seen(s, POLICY, "mongo-drill", "spec/actions/1/exportParameters/receiveString")) > 100,
	    "and its receive string", "none");
}

static void a_run_is_complete(struct story *s, char ret_exported[static 254])
{
	CLEANUP(json) struct json *points = NULL;
	size_t of_run = 0, exported = 0;
	char run[254];

	make_psmdb(s, true);
	run_policy(s, run);
	tap_ok(&s->tap, !strcmp(await_end(s, RUN, run), "Complete"), "a run is complete", "%s: %s",
	    seen(s, RUN, run, "status/state"), seen(s, RUN, run, "status/error/message"));
	tap_ok(&s->tap, count(s, BACKUP) == 1, "with one psmdb-backup", "%zu", count(s, BACKUP));
	points = list(s, POINT);
	for (const json_node *p = json_first(json_get(json_root(points), "items")); p; p = json_next(p)) {
		const char *of = kube_label(p, "k10.kasten.io/runActionName");

		of_run += of && !strcmp(of, run);
		if (!kube_label(p, "k10.kasten.io/exportProfile"))
			continue;
		exported++;
		snprintf(ret_exported, 254, "%s", kube_name(p));
	}
	tap_ok(&s->tap, of_run == 2 && exported == 1, "and two restore points, one of them exported", "%zu and %zu",
	    of_run, exported);
	tap_ok(&s->tap, count(s, CONTENT) == 2, "with a content each", "%zu", count(s, CONTENT));
	tap_ok(&s->tap, exported_objects(s) == 1, "and the exported one is an object in the bucket", "%zu",
	    exported_objects(s));
}

static void restore(struct story *s, const char *point, const char *filters, char ret_name[static 254])
{
	CLEANUP(json) struct json *action = manifest("restore-action.yaml");

	NEED(json_set_text(json_edit(action), "spec/subject/name", point, &err));
	if (filters)
		NEED(json_set_format(json_edit(action), "spec/filters", &err, filters));
	create(s, RESTORE_ACTION, json_root(action), ret_name);
}

static void restores(struct story *s, const char *point)
{
	char action[254], backup[254] = "", secret[254];
	CLEANUP(json) struct json *other = NULL;
	CLEANUP(json) struct json *backups = list(s, BACKUP);

	snprintf(backup, sizeof backup, "%s", kube_name(json_first(json_get(json_root(backups), "items"))));
	delete (s, PSMDB, CLUSTER);
	tap_ok(&s->tap, await_count(s, PSMDB, 0), "the cluster is gone", "it is there");
	restore(s, point, "{'includeResources':[{'resource':'no-such-things'}]}", action);
	tap_ok(&s->tap, !strcmp(await_end(s, RESTORE_ACTION, action), "Complete"),
	    "a restore whose filter matches nothing is Complete", "%s",
	    seen(s, RESTORE_ACTION, action, "status/state"));
	tap_ok(&s->tap, count(s, PSMDB) == 0 && count(s, RESTORE) == 0, "and has restored nothing", "it has");
	delete (s, SECRET, "users");
	restore(s, point, NULL, action);
	tap_ok(&s->tap, !strcmp(await_end(s, RESTORE_ACTION, action), "Complete"), "a restore of the psmdb is complete",
	    "%s: %s", seen(s, RESTORE_ACTION, action, "status/state"),
	    seen(s, RESTORE_ACTION, action, "status/error/message"));
	tap_ok(&s->tap, count(s, PSMDB) == 1 && !*seen(s, SECRET, "users", "metadata/name"),
	    "it restored the psmdb alone", "%zu and %s", count(s, PSMDB), seen(s, SECRET, "users", "metadata/name"));
	tap_ok(&s->tap, count(s, RESTORE) == 1, "and the blueprint made one restore object", "%zu", count(s, RESTORE));
	{
		CLEANUP(json) struct json *made = list(s, RESTORE);

		tap_ok(&s->tap, json_is_at(json_root(made), "items/0/spec/backupName", backup), "from this backup",
		    "%s", json_text_at(json_root(made), "items/0/spec/backupName"));
	}
	NEED(json_format(
	    &other, &err, "{'apiVersion':'v1','kind':'ConfigMap','metadata':{'name':'kept'},'data':{'a':'changed'}}"));
	delete (s, CONFIGMAP, "kept");
	create(s, CONFIGMAP, json_root(other), secret);
	restore(s, point,
	    "{'includeResources':[{'resource':'configmaps'},{'group':'','resource':'secrets','name':'users'}]}",
	    action);
	await_end(s, RESTORE_ACTION, action);
	tap_ok(&s->tap, !strcmp(seen(s, CONFIGMAP, "kept", "data/a"), "changed"), "what is there is left alone", "%s",
	    seen(s, CONFIGMAP, "kept", "data/a"));
	tap_ok(&s->tap, !strcmp(seen(s, SECRET, "users", "data/password"), "c2VjcmV0"),
	    "a secret comes back with its value", "%s", seen(s, SECRET, "users", "data/password"));
	tap_ok(&s->tap, count(s, RESTORE) == 1, "no other restore object was made", "%zu", count(s, RESTORE));
}

static void without_annotation(struct story *s)
{
	size_t before = count(s, BACKUP);
	char run[254];

	delete (s, PSMDB, CLUSTER);
	await_count(s, PSMDB, 0);
	make_psmdb(s, false);
	run_policy(s, run);
	tap_ok(&s->tap, !strcmp(await_end(s, RUN, run), "Complete"),
	    "without the annotation a run is complete all the same", "%s", seen(s, RUN, run, "status/state"));
	tap_ok(
	    &s->tap, count(s, BACKUP) == before, "and there is no psmdb-backup", "%zu more", count(s, BACKUP) - before);
	delete (s, PSMDB, CLUSTER);
	await_count(s, PSMDB, 0);
	make_psmdb(s, true);
}

static void backup_in_error(struct story *s)
{
	size_t before = count(s, BACKUP);
	int64_t began = clock_mono_ms(clock_system());
	char run[254];

	s->backup_ends = "error";
	run_policy(s, run);
	tap_ok(&s->tap, !strcmp(await_end(s, RUN, run), "Failed"), "a backup in error fails the run", "%s",
	    seen(s, RUN, run, "status/state"));
	tap_ok(&s->tap, clock_mono_ms(clock_system()) - began < 45000, "without waiting for any time-out", "%lld ms",
	    (long long)(clock_mono_ms(clock_system()) - began));
	tap_ok(&s->tap,
	    strstr(seen(s, RUN, run, "status/error/message"),
		"the backup ended with error: unable to get storage 'x'") != NULL,
	    "with the operator's text", "%s", seen(s, RUN, run, "status/error/message"));
	tap_ok(&s->tap, count(s, BACKUP) == before + 3, "after three attempts with an object each", "%zu",
	    count(s, BACKUP) - before);
	s->backup_ends = "ready";
}

static size_t exported_contents(struct story *s)
{
	CLEANUP(json) struct json *all = list(s, CONTENT);
	size_t n = 0;

	for (const json_node *c = json_first(json_get(json_root(all), "items")); c; c = json_next(c))
		n += kube_label(c, "k10.kasten.io/exportProfile") != NULL;
	return n;
}

/* Killed ten times while a backup and its restore go on. */
static void killed(struct story *s)
{
	size_t backups = count(s, BACKUP), restores_before = count(s, RESTORE), points = count(s, POINT);
	char run[254], action[254], point[254] = "";
	CLEANUP(json) struct json *all = NULL;

	run_policy(s, run);
	for (int i = 0; i < 10; i++) {
		pause_ms(20 + 90 * i);
		kill_kasten(s);
		start_kasten(s);
		if (i == 5)
			operate(s);
	}
	tap_ok(&s->tap, !strcmp(await_end(s, RUN, run), "Complete"),
	    "a run is complete though Kasten was killed ten times", "%s: %s", seen(s, RUN, run, "status/state"),
	    seen(s, RUN, run, "status/error/message"));
	tap_ok(&s->tap, count(s, BACKUP) == backups + 1, "with one psmdb-backup", "%zu", count(s, BACKUP) - backups);
	tap_ok(&s->tap, count(s, POINT) == points + 2, "and two restore points", "%zu", count(s, POINT) - points);
	tap_ok(&s->tap, exported_objects(s) == exported_contents(s), "and no object in the bucket without one",
	    "%zu and %zu", exported_objects(s), exported_contents(s));
	all = list(s, POINT);
	for (const json_node *p = json_first(json_get(json_root(all), "items")); p; p = json_next(p))
		if (kube_label(p, "k10.kasten.io/runActionName") &&
		    !strcmp(kube_label(p, "k10.kasten.io/runActionName"), run))
			snprintf(point, sizeof point, "%s", kube_name(p));
	delete (s, PSMDB, CLUSTER);
	await_count(s, PSMDB, 0);
	restore(s, point, NULL, action);
	for (int i = 0; i < 10; i++) {
		pause_ms(10 + 60 * i);
		kill_kasten(s);
		start_kasten(s);
		operate(s);
	}
	tap_ok(&s->tap, !strcmp(await_end(s, RESTORE_ACTION, action), "Complete"), "so is a restore", "%s: %s",
	    seen(s, RESTORE_ACTION, action, "status/state"), seen(s, RESTORE_ACTION, action, "status/error/message"));
	tap_ok(&s->tap, count(s, RESTORE) == restores_before + 1, "with one restore object", "%zu",
	    count(s, RESTORE) - restores_before);
}

static void points_and_contents(struct story *s)
{
	CLEANUP(json) struct json *contents = list(s, CONTENT);
	CLEANUP(json) struct json *point = NULL;
	const json_node *content = json_first(json_get(json_root(contents), "items"));
	char content_name[254], point_name[254], made[254];

	snprintf(content_name, sizeof content_name, "%s", kube_name(content));
	snprintf(point_name, sizeof point_name, "%s", json_text_at(content, "status/restorePointRef/name"));
	delete (s, POINT, point_name);
	tap_ok(&s->tap, await_value(s, CONTENT, content_name, "status/state", "Unbound"),
	    "a content without its restore point is Unbound", "%s", seen(s, CONTENT, content_name, "status/state"));
	NEED(json_format(&point, &err,
	    "{'apiVersion':'apps.kio.kasten.io/"
	    "v1alpha1','kind':'RestorePoint','metadata':{'name':'by-hand','namespace':'" NS
	    "'},'spec':{'restorePointContentRef':{'name':%s}}}",
	    content_name));
	create(s, POINT, json_root(point), made);
	tap_ok(&s->tap, await_value(s, CONTENT, content_name, "status/state", "Bound"),
	    "one made by hand binds it again", "%s", seen(s, CONTENT, content_name, "status/state"));
	restore(s, "by-hand", NULL, made);
	tap_ok(&s->tap, !strcmp(await_end(s, RESTORE_ACTION, made), "Complete"), "and can be restored from", "%s",
	    seen(s, RESTORE_ACTION, made, "status/error/message"));
	restore(s, "nobody-knows-me", NULL, made);
	tap_ok(&s->tap, !strcmp(await_end(s, RESTORE_ACTION, made), "Failed"),
	    "a restore point that is not there fails", "%s", seen(s, RESTORE_ACTION, made, "status/state"));
}

static void retirement(struct story *s, const char *exported)
{
	size_t backups = count(s, BACKUP), contents = count(s, CONTENT), objects = exported_objects(s);
	char content[254];

	snprintf(content, sizeof content, "%s", seen(s, POINT, exported, "spec/restorePointContentRef/name"));
	delete (s, CONTENT, content);
	tap_ok(
	    &s->tap, await_count(s, CONTENT, contents - 1), "a content that is deleted goes", "%zu", count(s, CONTENT));
	tap_ok(&s->tap, await_count(s, BACKUP, backups - 1), "and its psmdb-backup with it", "%zu of %zu",
	    count(s, BACKUP), backups);
	tap_ok(&s->tap, exported_objects(s) == objects - 1, "and what was exported of it", "%zu of %zu",
	    exported_objects(s), objects);
}

/* --- another cluster, and a namespace that is lost ----------------------------------------------------------------- */

static const char wrong_cipher[] = "cipher: message authentication failed";

/* Runs the import policy with this receive string: did its run end in this state? */
static bool import_ends(struct story *s, const char *receive, const char *state, char run[static 254])
{
	CLEANUP(json) struct json *policy = manifest("import-policy.yaml");
	CLEANUP(json) struct json *action = manifest("run-once.yaml");
	char name[254];

	NEED(json_set_text(json_edit(policy), "spec/actions/0/importParameters/receiveString", receive, &err));
	NEED(json_set_format(json_edit(action), "spec/subject/name", &err, "'mongo-drill-import'"));
	if (!*seen(s, POLICY, "mongo-drill-import", "metadata/name"))
		create(s, POLICY, json_root(policy), name);
	else
		NEED(kube_apply(s->kube, NULL, json_root(policy), true, false, NULL, &err));
	await_value(s, POLICY, "mongo-drill-import", "status/validation", "Success");
	create(s, RUN, json_root(action), run);
	return !strcmp(await_end(s, RUN, run), state);
}

static void wrong_strings_fail(struct story *s, const char *receive)
{
	char run[254], bent[RECEIVE_MAX];

	snprintf(bent, sizeof bent, "%s", receive);
	bent[strlen(bent) / 2] ^= 1;
	for (int i = 0; i < 2; i++) {
		bool failed = import_ends(s, i ? bent : "RECEIVE-STRING", "Failed", run);

		tap_ok(&s->tap, failed,
		    i ? "an import with a receive string that was changed fails"
		      : "an import with a receive string that is none fails",
		    "%s", seen(s, RUN, run, "status/state"));
		tap_ok(&s->tap, strstr(seen(s, RUN, run, "status/error/cause"), wrong_cipher) != NULL,
		    "with Kasten's words", "%s", seen(s, RUN, run, "status/error/cause"));
	}
	tap_ok(&s->tap, count(s, CONTENT) == 0, "and makes no content", "%zu", count(s, CONTENT));
}

/* A restore point in the namespace, from a content, and the psmdb and its bucket's keys from it. */
static void restore_from_content(struct story *s, const char *content, char action[static 254])
{
	CLEANUP(json) struct json *point = manifest("restore-point.yaml");
	CLEANUP(json) struct json *restoring = manifest("restore-action-import.yaml");
	char name[254];

	NEED(json_set_text(json_edit(point), "spec/restorePointContentRef/name", content, &err));
	create(s, POINT, json_root(point), name);
	tap_ok(&s->tap, await_value(s, CONTENT, content, "status/state", "Bound"),
	    "a restore point made by hand binds it", "%s", seen(s, CONTENT, content, "status/state"));
	create(s, RESTORE_ACTION, json_root(restoring), action);
}

static void only_these_were_restored(struct story *s, const char *action, size_t restores_before)
{
	tap_ok(&s->tap, !strcmp(await_end(s, RESTORE_ACTION, action), "Complete"), "a restore from it is complete",
	    "%s: %s", seen(s, RESTORE_ACTION, action, "status/error/message"),
	    seen(s, RESTORE_ACTION, action, "status/error/cause"));
	tap_ok(&s->tap,
	    count(s, PSMDB) == 1 &&
		!strcmp(seen(s, PSMDB, CLUSTER, "metadata/annotations/kanister.kasten.io~1blueprint"), "psmdb-bp"),
	    "the psmdb is there with its annotation", "%zu", count(s, PSMDB));
	tap_ok(&s->tap, !strcmp(seen(s, SECRET, "s3-secret", "data/AWS_ACCESS_KEY_ID"), "QUs="),
	    "and the keys of its bucket", "%s", seen(s, SECRET, "s3-secret", "data/AWS_ACCESS_KEY_ID"));
	tap_ok(&s->tap, !*seen(s, SECRET, "users", "metadata/name") && !*seen(s, CONFIGMAP, "kept", "metadata/name"),
	    "and nothing else", "there is more");
	tap_ok(&s->tap, count(s, BACKUP) == 0 && count(s, RESTORE) == restores_before,
	    "and the blueprint without restore made no restore object", "%zu and %zu", count(s, BACKUP),
	    count(s, RESTORE));
}

/* The newest by the time of its action, as a client chooses it. */
static void newest_export(struct story *s, char ret[static 254])
{
	const struct kube_select wanted = {
	    .labels = "k10.kasten.io/appNamespace=" NS ",k10.kasten.io/exportType=portableAppData"};
	CLEANUP(json) struct json *all = NULL;
	const char *best = "";

	NEED(kube_list(s->kube, &s->kinds[CONTENT], NULL, &wanted, &all, &err));
	*ret = '\0';
	for (const json_node *c = json_first(json_get(json_root(all), "items")); c; c = json_next(c)) {
		const char *time = json_text_at(c, "status/actionTime");

		if (!time || strcmp(time, best) <= 0)
			continue;
		best = time;
		snprintf(ret, 254, "%s", kube_name(c));
	}
}

static void import_elsewhere(struct story *s, struct story *other)
{
	char receive[RECEIVE_MAX], run[254], content[254], action[254], name[254];
	CLEANUP(json) struct json *made = NULL;
	struct err refused = ERR_INIT;
	bool ended;

	snprintf(receive, sizeof receive, "%s",
	    seen(s, POLICY, "mongo-drill", "spec/actions/1/exportParameters/receiveString"));
	make_namespaces(other);
	apply(other, "psmdb-bp-no-restore.yaml");
	apply_profile(other);
	start_kasten(other);
	other->tap = s->tap;
	NEED(json_format(&made, &err,
	    "{'apiVersion':'actions.kio.kasten.io/v1alpha1','kind':'ImportAction','metadata':{'name':'mine'}}"));
	tap_ok(&other->tap,
	    !kube_create(other->kube, &other->kinds[IMPORT], "kasten-io", json_root(made), NULL, &refused),
	    "a user cannot make an ImportAction", "one was made");
	wrong_strings_fail(other, receive);
	ended = import_ends(other, receive, "Complete", run);
	tap_ok(&other->tap, ended, "an import in another cluster is complete", "%s: %s",
	    seen(other, RUN, run, "status/error/message"), seen(other, RUN, run, "status/error/cause"));
	tap_ok(&other->tap, count(other, CONTENT) == exported_objects(other) && count(other, CONTENT) > 1,
	    "and makes a content of each object in the bucket", "%zu of %zu", count(other, CONTENT),
	    exported_objects(other));
	tap_ok(&other->tap, count(other, POINT) == 0, "and no restore point", "%zu", count(other, POINT));
	newest_export(s, name);
	newest_export(other, content);
	tap_ok(&other->tap, !strncmp(content, name, strlen(name)) && strstr(content, "-imported-"),
	    "the newest of them is the newest of the first cluster", "%s is of %s", content, name);
	tap_ok(&other->tap, !strcmp(seen(other, CONTENT, content, "status/state"), "Unbound"), "and Unbound", "%s",
	    seen(other, CONTENT, content, "status/state"));
	restore_from_content(other, content, action);
	only_these_were_restored(other, action, 0);
	ended = import_ends(other, receive, "Complete", run);
	tap_ok(&other->tap, ended, "importing again is complete", "%s", seen(other, RUN, run, "status/error/cause"));
	tap_ok(&other->tap, count(other, CONTENT) == exported_objects(other), "and makes none twice", "%zu",
	    count(other, CONTENT));
	tap_ok(&other->tap, !strcmp(seen(other, CONTENT, content, "status/state"), "Bound"), "what was bound stays so",
	    "%s", seen(other, CONTENT, content, "status/state"));
	s->tap = other->tap;
}

/* An ExportAction of a person's own: Kasten fills in its receive string, which is good for this one alone. */
static void export_by_hand(struct story *s, struct story *other)
{
	CLEANUP(json) struct json *points = list(s, POINT);
	CLEANUP(json) struct json *action = NULL;
	const char *local = "";
	char name[254], receive[RECEIVE_MAX], run[254];
	size_t contents = count(other, CONTENT), objects = exported_objects(s);
	bool ended;

	for (const json_node *p = json_first(json_get(json_root(points), "items")); p; p = json_next(p))
		if (!kube_label(p, "k10.kasten.io/exportProfile"))
			local = kube_name(p);
	NEED(json_format(&action, &err,
	    "{'apiVersion':'actions.kio.kasten.io/v1alpha1','kind':'ExportAction','metadata':{'generateName':'mine-',"
	    "'labels':{'k10.kasten.io/appName':'" NS "','k10.kasten.io/appNamespace':'" NS "'}},"
	    "'spec':{'subject':{'apiVersion':'apps.kio.kasten.io/v1alpha1','kind':'RestorePoint','name':%s,"
	    "'namespace':'" NS "'},'profile':{'name':'s3-profile','namespace':'kasten-io'}}}",
	    local));
	create(s, EXPORT, json_root(action), name);
	tap_ok(&s->tap, !strcmp(await_end(s, EXPORT, name), "Complete"), "an export made by hand is complete", "%s: %s",
	    seen(s, EXPORT, name, "status/error/message"), seen(s, EXPORT, name, "status/error/cause"));
	tap_ok(&s->tap, exported_objects(s) == objects + 1, "and is in the bucket", "%zu", exported_objects(s));
	snprintf(receive, sizeof receive, "%s", seen(s, EXPORT, name, "spec/receiveString"));
	other->tap = s->tap;
	ended = import_ends(other, receive, "Complete", run);
	tap_ok(&other->tap, ended && count(other, CONTENT) == contents + 1,
	    "with the receive string that Kasten wrote into it, it alone is imported", "%zu: %s",
	    count(other, CONTENT) - contents, seen(other, RUN, run, "status/error/cause"));
	s->tap = other->tap;
}

static bool namespace_gone(struct story *s, const void *arg)
{
	return !*seen(s, NAMESPACE, arg, "metadata/name");
}

static void a_namespace_is_lost(struct story *s)
{
	CLEANUP(json) struct json *namespace_ = NULL;
	CLEANUP(json) struct json *blueprint = manifest("psmdb-bp-no-restore.yaml");
	CLEANUP(json) struct json *old = NULL;
	struct kube_kind kind;
	char content[254], action[254], name[254];
	size_t contents = count(s, CONTENT);

	newest_export(s, content);
	delete (s, NAMESPACE, NS);
	tap_ok(&s->tap, await(s, namespace_gone, NS), "the namespace is gone", "it is there");
	tap_ok(&s->tap, count(s, POINT) == 0, "and its restore points", "%zu", count(s, POINT));
	tap_ok(&s->tap, await_value(s, CONTENT, content, "status/state", "Unbound") && count(s, CONTENT) == contents,
	    "the contents stay, and are Unbound", "%s", seen(s, CONTENT, content, "status/state"));
	NEED(json_format(&namespace_, &err, "{'apiVersion':'v1','kind':'Namespace','metadata':{'name':'" NS "'}}"));
	create(s, NAMESPACE, json_root(namespace_), name);
	/* An apply would leave the restore of the other one where it is. */
	NEED(kube_kind_of(s->kube, "cr.kanister.io/v1alpha1", "Blueprint", &kind, &err));
	NEED(kube_get(s->kube, &kind, "kasten-io", "psmdb-bp", &old, &err));
	NEED(json_set_text(json_edit(blueprint), "metadata/resourceVersion", kube_version(json_root(old)), &err));
	NEED(kube_replace(s->kube, &kind, "kasten-io", json_root(blueprint), NULL, &err));
	restore_from_content(s, content, action);
	only_these_were_restored(s, action, 0);
}

/* An exported point is what lies in the bucket. */
static void the_bucket_is_away(struct story *other)
{
	CLEANUP(json) struct json *restoring = manifest("restore-action-import.yaml");
	char action[254];
	const char *state;

	weed_fixture_kill(other->weed);
	create(other, RESTORE_ACTION, json_root(restoring), action);
	state = await_end(other, RESTORE_ACTION, action);
	tap_ok(&other->tap, !strcmp(state, "Failed"), "a restore from an exported point fails without the bucket", "%s",
	    state);
	tap_ok(&other->tap, strstr(seen(other, RESTORE_ACTION, action, "status/error/cause"), "bucket") != NULL,
	    "and says so", "%s", seen(other, RESTORE_ACTION, action, "status/error/cause"));
}

static void the_end(struct story *s)
{
	int64_t began = clock_mono_ms(clock_system());
	struct proc_exit ex = {0};

	NEED(proc_stop(clock_system(), s->kasten, 10000, &ex, &err));
	tap_ok(&s->tap, !ex.signaled && ex.status == 0 && clock_mono_ms(clock_system()) - began < 2000,
	    "SIGTERM ends it within 2 s with 0", "status %d after %lld ms", ex.status,
	    (long long)(clock_mono_ms(clock_system()) - began));
}

static void secrets_stay_secret(struct story *s)
{
	BUF_CLEANUP struct buf log = BUF_INIT(16 << 20);
	char receive[RECEIVE_MAX];

	snprintf(receive, sizeof receive, "%s",
	    seen(s, POLICY, "mongo-drill", "spec/actions/1/exportParameters/receiveString"));
	if (!*receive)
		snprintf(receive, sizeof receive, "%s",
		    seen(s, POLICY, "mongo-drill-import", "spec/actions/0/importParameters/receiveString"));
	NEED(file_read(s->log, &log, &err));
	tap_ok(&s->tap, !strstr(buf_str(&log), receive) && !strstr(buf_str(&log), "c2VjcmV0"),
	    "no secret is in the log", "it is");
	tap_ok(&s->tap, !strstr(buf_str(&log), "Sanitizer"), "no sanitizer has spoken", "see %s", s->log);
}

static void set_up(struct story *s)
{
	CLEANUP(json) struct json *secret = NULL;
	CLEANUP(json) struct json *keys = NULL;
	CLEANUP(json) struct json *map = NULL;
	char name[254];

	make_namespaces(s);
	NEED(json_format(&keys, &err,
	    "{'apiVersion':'v1','kind':'Secret','metadata':{'name':'s3-secret'},'data':{'AWS_ACCESS_KEY_ID':'QUs='}}"));
	create(s, SECRET, json_root(keys), name);
	NEED(json_format(&secret, &err,
	    "{'apiVersion':'v1','kind':'Secret','metadata':{'name':'users'},'data':{'password':'c2VjcmV0'}}"));
	create(s, SECRET, json_root(secret), name);
	NEED(json_format(
	    &map, &err, "{'apiVersion':'v1','kind':'ConfigMap','metadata':{'name':'kept'},'data':{'a':'saved'}}"));
	create(s, CONFIGMAP, json_root(map), name);
	apply(s, "psmdb-bp.yaml");
}

/* A cluster of its own: API server, client, folder. False with why it cannot be. */
static bool open_cluster(struct story *s, struct weed_fixture *weed, char *why, size_t size)
{
	KUBE_CONFIG_CLEANUP struct kube_config config = {0};
	struct kube_config_options where = {0};

	if (!kube_api_fixture_start(&s->api, why, size))
		return false;
	where.path = s->api->kubeconfig;
	NEED(kube_config_load(&where, &config, &err));
	NEED(kube_new(&config, NULL, &s->kube, &err));
	snprintf(s->store, sizeof s->store, "%s/kasten", s->api->dir);
	snprintf(s->log, sizeof s->log, "%s/kasten.log", s->api->dir);
	s->weed = weed;
	for (int i = 0; i < KINDS; i++)
		NEED(kube_find_kind(s->kube, kind_names[i], &s->kinds[i], &err));
	return true;
}

static void close_cluster(struct story *s, bool keep)
{
	kube_free(s->kube);
	kube_api_fixture_stop(s->api, keep);
}

int main(void)
{
	struct story s = {.backup_ends = "ready", .operator_works = true};
	struct story other = s;
	struct weed_fixture weed;
	char exported[254] = "", why[300];
	struct err err = ERR_INIT;

	signal(SIGPIPE, SIG_IGN);
	if (!weed_fixture_start(&weed, "127.13.4.1", 18600, &err)) {
		printf("Bail out! %s\n", err.msg);
		return 1;
	}
	if (!open_cluster(&s, &weed, why, sizeof why)) {
		weed_fixture_stop(&weed);
		printf("ok 1 - everything # SKIP %s\n1..1\n", why);
		return 0;
	}
	unsetenv("PSMDB_TEST_KUBECONFIG"); /* the other cluster is always the embedded one */
	if (!open_cluster(&other, &weed, why, sizeof why)) {
		printf("Bail out! %s\n", why);
		return 1;
	}
	set_up(&s);
	start_kasten(&s);
	validation(&s);
	a_run_is_complete(&s, exported);
	restores(&s, exported);
	without_annotation(&s);
	backup_in_error(&s);
	killed(&s);
	points_and_contents(&s);
	import_elsewhere(&s, &other);
	export_by_hand(&s, &other);
	retirement(&s, exported);
	a_namespace_is_lost(&s);
	other.tap = s.tap;
	the_bucket_is_away(&other);
	secrets_stay_secret(&other);
	s.tap = other.tap;
	secrets_stay_secret(&s);
	kill_kasten(&other);
	the_end(&s);
	close_cluster(&other, s.tap.failed != 0);
	close_cluster(&s, s.tap.failed != 0);
	weed_fixture_stop(&weed);
	return tap_done(&s.tap);
}
