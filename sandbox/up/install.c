#include "sandbox/up/install.h"

#include "base/file.h"
#include "base/place.h"
#include "doc/yaml.h"
#include "kube/watch.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LABEL_ALLOW "psmdb-drill/allow-disaster"
#define CRDS_MAX 64
#define KIND_WAIT_MS 10000
/* ConfigMaps that say that an installation was finished: without them an interrupted one is done again. */
#define MARK "sandbox-installed"
#define MARK_BARE "sandbox-installed-bare"

/* --- one file ---------------------------------------------------------------------------------------------------- */

/* One value of a manifest that is the sandbox's own; objects of another name are left alone. */
struct change {
	const char *name, *path;
	const char *text;
};

static bool change_object(json_node *object, const struct change *changes, size_t count, struct err *err)
{
	const char *name = json_text_at(object, "metadata/name");

	for (size_t i = 0; i < count; i++)
		if (name && !strcmp(name, changes[i].name) &&
		    !json_set_text(object, changes[i].path, changes[i].text, err))
			return false;
	return true;
}

struct kind_wait {
	const struct install *in;
	const char *ns;
	const json_node *object;
};

/* A kind that was defined a moment ago is not served at once. */
static bool apply_known(void *arg, struct err *err)
{
	struct kind_wait *w = arg;
	struct err each = ERR_INIT;

	if (kube_apply(w->in->kube, w->ns, w->object, true, false, NULL, &each))
		return true;
	if (each.code != ERR_UNSUPPORTED)
		*err = each;
	return false;
}

static bool apply_object(const struct install *in, const char *ns, const json_node *object, struct err *err)
{
	struct kind_wait wait = {in, ns, object};
	char what[128];

	snprintf(what, sizeof what, "the API server to know the kind \"%.64s\"", json_text_at(object, "kind"));
	return wait_for(in->clock, what, KIND_WAIT_MS, 100, in->stop, apply_known, &wait, err);
}

static bool apply_path(const struct install *in, const char *path, const char *ns, const struct change *changes,
    size_t count, struct err *err)
{
	struct yaml_limits limits = YAML_LIMITS_DEFAULT;
	YAML_DOCS_CLEANUP struct yaml_docs docs = {0};

	if (!yaml_read(path, &limits, &docs, err))
		return false;
	for (size_t i = 0; i < docs.count; i++)
		if (!change_object(json_edit(docs.items[i]), changes, count, err) ||
		    !apply_object(in, ns, json_root(docs.items[i]), err))
			return err_wrap(err, "\"%s\", line %zu", path, docs.lines[i]);
	return true;
}

static bool apply_share(const struct install *in, const char *rest, const char *ns, const struct change *changes,
    size_t count, struct err *err)
{
	char path[PATH_MAX];

	return place_share(rest, path, err) && apply_path(in, path, ns, changes, count, err);
}

/* --- the steps --------------------------------------------------------------------------------------------------- */

static bool make_namespace(const struct install *in, const char *name, bool allow, struct err *err)
{
	CLEANUP(json) struct json *doc = NULL;

	return json_format(
		   &doc, err, "{'apiVersion':'v1','kind':'Namespace','metadata':{'name':%s,'labels':{}}}", name) &&
	       (!allow || json_set_text(json_edit(doc), "metadata/labels/psmdb-drill~1allow-disaster", "true", err)) &&
	       apply_object(in, NULL, json_root(doc), err);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_yaml(const struct dirent *e)
{
	const char *dot = strrchr(e->d_name, '.');

	return dot && !strcmp(dot, ".yaml");
}

#define OPERATOR_KINDS "psmdb.yaml"

static bool apply_folder(const struct install *in, const char *rest, const char *leave_out, struct err *err)
{
	char folder[PATH_MAX], path[PATH_MAX];
	struct dirent **entries;
	bool ok = true;
	int count;

	if (!place_share(rest, folder, err))
		return false;
	count = scandir(folder, &entries, is_yaml, by_name);
	if (count <= 0 || count > CRDS_MAX)
		return err_set(err, ERR_NOT_FOUND, "folder \"%s\" holds no custom kinds", folder);
	for (int i = 0; i < count; i++) {
		bool wanted = !leave_out || strcmp(entries[i]->d_name, leave_out) != 0;

		ok = ok && (snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name) < PATH_MAX) &&
		     (!wanted || apply_path(in, path, NULL, NULL, 0, err));
		free(entries[i]);
	}
	free(entries);
	return ok;
}

static void say(const struct install *in, const char *what)
{
	if (in->progress)
		in->progress(in->progress_arg, what);
}

bool install_kinds(const struct install *in, bool without_operator, struct err *err)
{
	if (!apply_folder(in, "sandbox/crds", without_operator ? OPERATOR_KINDS : NULL, err) ||
	    !make_namespace(in, INSTALL_KASTEN, false, err))
		return err_wrap(err, "install the custom kinds");
	say(in, without_operator ? "custom kinds of Kasten and Kanister are installed"
				 : "custom kinds of the operator, Kasten and Kanister are installed");
	return true;
}

bool install_write_bundle(const struct layout *l, struct err *err)
{
	static const char *const parts[] = {"sandbox/crds/" OPERATOR_KINDS, "sandbox/bundle.yaml"};
	BUF_CLEANUP struct buf text = BUF_INIT(1 << 20);

	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
		char path[PATH_MAX];

		if (!place_share(parts[i], path, err) || (i && !buf_add_str(&text, "---\n", err)) ||
		    !file_read(path, &text, err))
			return err_wrap(err, "write the operator's bundle");
	}
	return file_write_atomic(layout_file(l, "bundle.yaml").text, text.data, text.len, 0600, err);
}

#define STORAGE "spec/backup/storages/my-s3-storage/s3/"
#define PROFILE "spec/locationSpec/objectStore/"

struct file {
	const char *file, *ns;
};

static bool make_objects(const struct install *in, const struct file *files, size_t file_count, struct err *err)
{
	const struct layout *l = in->layout;
	char endpoint[LAYOUT_ENDPOINT_MAX];
	const struct change changes[] = {
	    {"s3-secret", "stringData/AWS_ACCESS_KEY_ID", in->secrets->s3_access},
	    {"s3-secret", "stringData/AWS_SECRET_ACCESS_KEY", in->secrets->s3_secret},
	    {"k10-s3-secret", "stringData/aws_access_key_id", in->secrets->s3_access},
	    {"k10-s3-secret", "stringData/aws_secret_access_key", in->secrets->s3_secret},
	    {INSTALL_CLUSTER, STORAGE "endpointUrl", endpoint},
	    {INSTALL_CLUSTER, STORAGE "bucket", LAYOUT_BUCKET},
	    {INSTALL_CLUSTER, STORAGE "region", LAYOUT_REGION},
	    {INSTALL_CLUSTER, STORAGE "prefix", LAYOUT_PREFIX},
	    {"s3-profile", PROFILE "endpoint", endpoint},
	    {"s3-profile", PROFILE "name", LAYOUT_KASTEN_BUCKET},
	    {"s3-profile", PROFILE "region", LAYOUT_REGION},
	};

	layout_s3_endpoint(l, endpoint);
	for (size_t i = 0; i < file_count; i++)
		if (!apply_share(in, files[i].file, files[i].ns, changes, sizeof changes / sizeof *changes, err))
			return false;
	return true;
}

/* Only "not found" says that it is not there. */
static bool is_there(const struct install *in, const struct kube_kind *kind, const char *ns, const char *name,
    bool *ret, struct err *err)
{
	struct err each = ERR_INIT;
	bool found = kube_get(in->kube, kind, ns, name, NULL, &each);

	if (!found && each.code != ERR_NOT_FOUND) {
		*err = each;
		return false;
	}
	*ret = found;
	return true;
}

static bool namespace_there(const struct install *in, bool *ret, struct err *err)
{
	struct kube_kind kind;

	kube_kind_set(&kind, "", "v1", "namespaces", "Namespace", false);
	return is_there(in, &kind, NULL, INSTALL_NAMESPACE, ret, err);
}

static bool mark(const struct install *in, const char *name, struct err *err)
{
	CLEANUP(json) struct json *doc = NULL;

	return json_format(&doc, err,
		   "{'apiVersion':'v1','kind':'ConfigMap','metadata':{'name':%s,'namespace':%s},"
		   "'data':{'namespace':%s,'cluster':%s}}",
		   name, INSTALL_KASTEN, INSTALL_NAMESPACE, INSTALL_CLUSTER) &&
	       apply_object(in, INSTALL_KASTEN, json_root(doc), err);
}

static bool marked(const struct install *in, const char *name, bool *ret, struct err *err)
{
	struct kube_kind kind;

	kube_kind_set(&kind, "", "v1", "configmaps", "ConfigMap", true);
	return is_there(in, &kind, INSTALL_KASTEN, name, ret, err);
}

/* The two blueprints have one name: this one over the demo's would take its "restore" away. */
static bool no_demo(const struct install *in, struct err *err)
{
	bool demo, there;

	if (!marked(in, MARK, &demo, err) || !namespace_there(in, &there, err))
		return err_wrap(err, "find out whether the demo was installed before");
	if (!demo && !there)
		return true;
	err_set(err, ERR_STATE, "the sandbox in \"%s\" holds the demo%s, whose blueprint --bare would replace",
	    in->layout->dir, demo ? "" : "'s namespace \"" INSTALL_NAMESPACE "\"");
	return err_hint(err, "leave out --bare to start it again, or choose another folder with --dir");
}

bool install_bare(const struct install *in, bool *ret_made, struct err *err)
{
	static const struct file files[] = {
	    {"manifests/profile.yaml", INSTALL_KASTEN}, {"manifests/psmdb-bp-no-restore.yaml", INSTALL_KASTEN}};
	bool done;

	*ret_made = false;
	if (!marked(in, MARK_BARE, &done, err))
		return err_wrap(err, "find out whether Kasten's objects were installed before");
	if (done)
		return true;
	if (!no_demo(in, err))
		return false;
	if (!make_objects(in, files, sizeof files / sizeof *files, err) || !mark(in, MARK_BARE, err))
		return err_wrap(err, "install Kasten's objects");
	say(in, "profile and the blueprint without restore are applied; no operator, no namespace");
	*ret_made = true;
	return true;
}

bool install_demo(const struct install *in, bool *ret_made, struct err *err)
{
	static const struct file files[] = {{"manifests/s3-secret.yaml", INSTALL_NAMESPACE},
	    {"manifests/profile.yaml", INSTALL_KASTEN}, {"manifests/psmdb-bp.yaml", INSTALL_KASTEN},
	    {"manifests/cr.yaml", INSTALL_NAMESPACE}, {"manifests/policy.yaml", INSTALL_KASTEN}};
	bool done, there;

	if (!marked(in, MARK, &done, err))
		return err_wrap(err, "find out whether the demo was installed before");
	if (done) {
		if (!namespace_there(in, &there, err))
			return false;
		say(in, there ? "the demo's objects are there from before"
			      : "namespace \"" INSTALL_NAMESPACE "\" was deleted, and stays so");
		*ret_made = false;
		return true;
	}
	if (!make_namespace(in, INSTALL_NAMESPACE, true, err) ||
	    !apply_share(in, "sandbox/bundle.yaml", INSTALL_NAMESPACE, NULL, 0, err) ||
	    !make_objects(in, files, sizeof files / sizeof *files, err) || !mark(in, MARK, err))
		return err_wrap(err, "install the demo's objects");
	say(in, "operator, secrets, psmdb, blueprint, profile and policy are applied");
	*ret_made = true;
	return true;
}

struct ready {
	const struct install *in;
	char last[64];
	int64_t best; /* pods that were ready at once; agents come and go while users are made */
};

static bool is_ready(void *ctx, const json_node *object, struct err *err)
{
	struct ready *r = ctx;
	const char *state = json_text_at(object, "status/state"), *message = json_text_at(object, "status/message");
	char text[256];

	(void)err;
	snprintf(text, sizeof text, "psmdb \"" INSTALL_CLUSTER "\" is %.40s (%d of %d)%s%.120s", state ? state : "new",
	    (int)json_int_at(object, "status/ready", 0), (int)json_int_at(object, "status/size", 0),
	    message && *message ? ": " : "", message ? message : "");
	if (json_int_at(object, "status/ready", 0) > r->best || strcmp(state ? state : "new", r->last) != 0)
		say(r->in, text);
	if (json_int_at(object, "status/ready", 0) > r->best)
		r->best = json_int_at(object, "status/ready", 0);
	snprintf(r->last, sizeof r->last, "%s", state ? state : "new");
	return state && !strcmp(state, "ready");
}

bool install_wait_ready(const struct install *in, int64_t timeout_ms, struct err *err)
{
	struct ready ready = {.in = in, .best = -1};
	const struct kube_wait wait = {.what = "psmdb \"" INSTALL_NAMESPACE "/" INSTALL_CLUSTER "\" to be ready",
	    .timeout_ms = timeout_ms,
	    .done = is_ready,
	    .ctx = &ready};
	struct kube_kind kind;

	return kube_find_kind(in->kube, "perconaservermongodbs.psmdb.percona.com", &kind, err) &&
	       kube_wait(in->kube, &kind, INSTALL_NAMESPACE, INSTALL_CLUSTER, &wait, NULL, err);
}
