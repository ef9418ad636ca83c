#include "kasten_story.h"

static const char *const kind_names[KINDS] = {"perconaservermongodbbackups.psmdb.percona.com",
    "perconaservermongodbrestores.psmdb.percona.com", "perconaservermongodbs.psmdb.percona.com",
    "policies.config.kio.kasten.io", "profiles.config.kio.kasten.io", "runactions.actions.kio.kasten.io",
    "backupactions.actions.kio.kasten.io", "restoreactions.actions.kio.kasten.io",
    "retireactions.actions.kio.kasten.io", "restorepoints.apps.kio.kasten.io",
    "restorepointcontents.apps.kio.kasten.io", "secrets", "namespaces", "configmaps",
    "importactions.actions.kio.kasten.io", "exportactions.actions.kio.kasten.io"};

static const char *namespace_of(int kind)
{
	static const char *const of[KINDS] = {NS, NS, NS, "kasten-io", "kasten-io", "kasten-io", NS, NS, "kasten-io",
	    NS, NULL, NS, NULL, NS, "kasten-io", NS};

	return of[kind];
}

/* --- the API ----------------------------------------------------------------------------------------------------- */

struct json *list(struct story *s, int kind)
{
	struct json *ret = NULL;

	NEED(kube_list(s->kube, &s->kinds[kind], namespace_of(kind), NULL, &ret, &err));
	return ret;
}

size_t count(struct story *s, int kind)
{
	CLEANUP(json) struct json *items = list(s, kind);

	return json_count(json_get(json_root(items), "items"));
}

/* NULL: not there */
struct json *get(struct story *s, int kind, const char *name)
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
const char *seen(struct story *s, int kind, const char *name, const char *path)
{
	static char text[RECEIVE_MAX];
	CLEANUP(json) struct json *object = get(s, kind, name);
	const char *value = object ? json_text_at(json_root(object), path) : NULL;

	snprintf(text, sizeof text, "%s", value ? value : "");
	return text;
}

void set_status(struct story *s, int kind, const char *name, const char *state, const char *error)
{
	CLEANUP(json) struct json *patch = NULL;

	NEED(json_format(&patch, &err, "{'status':{'state':%s,'error':%s,'ready':1,'size':1}}", state, error));
	NEED(kube_patch(s->kube, &s->kinds[kind], namespace_of(kind), name, s->kinds[kind].has_status ? "status" : NULL,
	    KUBE_PATCH_MERGE, json_root(patch), NULL, &err));
}

void create(struct story *s, int kind, const json_node *object, char ret_name[static 254])
{
	CLEANUP(json) struct json *made = NULL;

	NEED(kube_create(s->kube, &s->kinds[kind], namespace_of(kind), object, &made, &err));
	snprintf(ret_name, 254, "%s", kube_name(json_root(made)));
}

/* Every document of a manifest, with its own or the default namespace. */
void apply(struct story *s, const char *file)
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
void apply_profile(struct story *s)
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
size_t exported_objects(const struct story *s)
{
	S3_CONFIG_CLEANUP struct s3_config config = {0};
	CLEANUP(s3) struct s3 *s3 = NULL;
	size_t n = 0;

	weed_fixture_config(s->weed, &config);
	NEED(s3_new(&config, NULL, &s3, &err));
	NEED(s3_list(s3, "kasten/", 1000, count_object, &n, &err));
	return n;
}

struct json *manifest(const char *file)
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

void delete (struct story *s, int kind, const char *name)
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

void operate(struct story *s)
{
	if (!s->operator_works)
		return;
	operate_kind(s, PSMDB, "ready");
	operate_kind(s, BACKUP, s->backup_ends);
	operate_kind(s, RESTORE, "ready");
}

/* --- waiting ----------------------------------------------------------------------------------------------------- */

void pause_ms(int64_t ms)
{
	clock_sleep_until(clock_system(), clock_mono_ns(clock_system()) + ms * 1000000, NULL);
}

bool await(struct story *s, condition *holds, const void *arg)
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

bool await_value(struct story *s, int kind, const char *name, const char *path, const char *value)
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
const char *await_end(struct story *s, int kind, const char *name)
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

bool await_count(struct story *s, int kind, size_t n)
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

void start_kasten(struct story *s)
{
	char kubeconfig[256];
	const char *const argv[] = {PSMDB_SANDBOX, "serve", "kasten", "--kubeconfig",
	    controllers_kubeconfig(s, kubeconfig), "--store", s->store, NULL};
	struct proc_spec spec = PROC_SPEC_INIT;

	spec.argv = argv;
	spec.log_path = s->log;
	NEED(proc_start(&spec, &s->kasten, &err));
}

void kill_kasten(struct story *s)
{
	struct proc_exit ex;

	kill(s->kasten, SIGKILL);
	while (!proc_reap(s->kasten, &ex))
		pause_ms(5);
}

/* A cluster of its own: API server, client, folder. False with why it cannot be. */
bool open_cluster(struct story *s, struct weed_fixture *weed, char *why, size_t size)
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

void close_cluster(struct story *s, bool keep)
{
	kube_free(s->kube);
	kube_api_fixture_stop(s->api, keep);
}
