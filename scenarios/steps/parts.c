#include "scenarios/steps/parts.h"

#include "base/uuid.h"
#include "doc/yaml.h"
#include "kasten/actions.h"
#include "kasten/blueprint.h"
#include "scenarios/signatures.h"

#include <stdlib.h>
#include <string.h>

#define MADE_BY "psmdb-drill/made-by"
#define POD_MARK "pod-mark"
#define CLAIMS_MAX ((size_t)1 << 20)
#define BOUND_LIMIT_MS 600000
#define PACE_FIRST_MS 25

void kind_clusters(struct kube_kind *ret)
{
	kube_kind_set(ret, PSMDB_GROUP, PSMDB_VERSION, PSMDB_CLUSTERS, PSMDB_CLUSTER_KIND, true);
	ret->verbs = KUBE_GET | KUBE_LIST | KUBE_WATCH | KUBE_DELETE;
}

void kind_backups(struct kube_kind *ret)
{
	kube_kind_set(ret, PSMDB_GROUP, PSMDB_VERSION, PSMDB_BACKUPS, PSMDB_BACKUP_KIND, true);
	ret->verbs = KUBE_GET | KUBE_LIST | KUBE_WATCH;
}

void kind_restores(struct kube_kind *ret)
{
	kube_kind_set(ret, PSMDB_GROUP, PSMDB_VERSION, PSMDB_RESTORES, PSMDB_RESTORE_KIND, true);
	ret->verbs = KUBE_GET | KUBE_LIST | KUBE_WATCH;
}

static void core(struct kube_kind *ret, const char *plural, const char *kind, bool namespaced)
{
	kube_kind_set(ret, "", "v1", plural, kind, namespaced);
	ret->verbs = KUBE_GET | KUBE_LIST | KUBE_WATCH | KUBE_CREATE | KUBE_DELETE;
}

void kind_pods(struct kube_kind *ret)
{
	core(ret, "pods", "Pod", true);
}

void kind_volumes(struct kube_kind *ret)
{
	core(ret, "persistentvolumeclaims", "PersistentVolumeClaim", true);
}

void kind_real_volumes(struct kube_kind *ret)
{
	core(ret, "persistentvolumes", "PersistentVolume", false);
}

void kind_secrets(struct kube_kind *ret)
{
	core(ret, "secrets", "Secret", true);
}

void kind_namespaces(struct kube_kind *ret)
{
	core(ret, "namespaces", "Namespace", false);
}

/* Kasten's own: polled, since the actions have no watch. */
void kind_kasten(struct kube_kind *ret, const char *group, const char *plural, const char *kind)
{
	kube_kind_set(ret, group, "v1alpha1", plural, kind, true);
	ret->verbs = KUBE_GET | KUBE_LIST | KUBE_CREATE;
}

void kind_blueprints(struct kube_kind *ret)
{
	kind_kasten(ret, KASTEN_BLUEPRINT_GROUP, "blueprints", "Blueprint");
}

const char *part_cluster(struct drill *d, const json_node *args)
{
	const char *name = step_text(args, "cluster", NULL);

	if (!name)
		name = drill_value(d, "cluster");
	return name ? name : "";
}

const char *part_policy(struct drill *d, const json_node *args)
{
	const char *name = step_text(args, "policy", NULL);

	if (!name)
		name = drill_value(d, "policy");
	return name ? name : "";
}

bool part_read_cluster(
    struct drill *d, const char *name, struct json **ret_doc, struct psmdb_cluster *ret, struct err *err)
{
	CLEANUP(json) struct json *doc = NULL;
	struct kube_kind kind;

	kind_clusters(&kind);
	if (!kube_get(drill_kube(d), &kind, drill_namespace(d), name, &doc, err) ||
	    !psmdb_cluster_read(json_root(doc), ret, err))
		return false;
	if (ret_doc)
		*ret_doc = TAKE(doc);
	return true;
}

bool part_fail(struct drill *d, struct err *err, const char *what, const char *text)
{
	const struct signature *s = signature_find(text);

	err_set(err, ERR_STATE, "%s%s%s", what, text && *text ? ": " : "", text && *text ? text : "");
	if (!s)
		return false;
	drill_failure(d, s->code, s->cause, s->remedy);
	return err_hint(err, "%s: %s; %s", s->code, s->cause, s->remedy);
}

bool part_names(struct drill *d, const struct kube_kind *kind, struct buf *out, struct err *err)
{
	CLEANUP(json) struct json *list = NULL;

	if (!kube_list(drill_kube(d), kind, drill_namespace(d), NULL, &list, err) || !buf_add_char(out, ' ', err))
		return false;
	for (const json_node *o = json_first(json_at(json_root(list), "items")); o; o = json_next(o))
		if (!buf_printf(out, err, "%s ", kube_name(o)))
			return false;
	return true;
}

bool part_is_named(const char *names, const char *name)
{
	char mark[PSMDB_NAME_MAX + 2];

	snprintf(mark, sizeof mark, " %.253s ", name ? name : "?");
	return names && strstr(names, mark);
}

bool part_pause(struct drill *d, int64_t ms, struct err *err)
{
	if (clock_sleep_until(drill_clock(d), clock_mono_ns(drill_clock(d)) + ms * 1000000, drill_stop(d)))
		return true;
	return err_set(err, ERR_INTERRUPTED, "interrupted");
}

bool part_pause_pace(struct drill *d, struct part_pace *pace, int64_t most_ms, struct err *err)
{
	pace->ms = !pace->ms || pace->changes != d->changes ? PACE_FIRST_MS : 2 * pace->ms;
	pace->ms = pace->ms < most_ms ? pace->ms : most_ms;
	pace->changes = d->changes;
	return part_pause(d, pace->ms, err);
}

int64_t part_now_ms(struct drill *d)
{
	return clock_mono_ms(drill_clock(d));
}

bool part_texts(const json_node *map, const char *what, struct err *err)
{
	for (const json_node *m = json_first(map); m; m = json_next(m)) {
		if (json_is_string(m) || json_is_null(m))
			continue;
		err_set(err, ERR_PARSE, "%s \"%.100s\" is no text", what, json_key(m));
		return err_hint(
		    err, "put it in quotes: YAML reads y, n, yes, no, on, off and numbers as something else");
	}
	return true;
}

bool part_look(struct drill *d, const struct kube_kind *kind, const char *namespace_, const char *name,
    struct json **ret, struct err *err)
{
	struct err each = ERR_INIT;

	*ret = NULL;
	if (kube_get(drill_kube(d), kind, kind->namespaced ? namespace_ : NULL, name, ret, &each) ||
	    each.code == ERR_NOT_FOUND)
		return true;
	*err = each;
	return false;
}

bool part_list_known(
    struct drill *d, const struct kube_kind *kind, const char *namespace_, struct json **ret, struct err *err)
{
	struct err each = ERR_INIT;

	*ret = NULL;
	if (kube_list(drill_kube(d), kind, namespace_, NULL, ret, &each) || each.code == ERR_NOT_FOUND ||
	    each.code == ERR_UNSUPPORTED)
		return true;
	*err = each;
	return false;
}

bool part_delete(struct drill *d, const struct kube_kind *kind, const json_node *object, struct err *err)
{
	const struct kube_delete how = {.uid = kube_uid(object), .grace_seconds = -1};
	const char *ns = kube_namespace(object) ? kube_namespace(object) : drill_namespace(d);
	struct err each = ERR_INIT;

	if (!kube_name(object) || !how.uid)
		return err_set(err, ERR_REMOTE,
		    "the API server has answered a %s without name or uid: it is not deleted", kind->kind);
	if (kube_deleting(object) ||
	    kube_delete(drill_kube(d), kind, kind->namespaced ? ns : NULL, kube_name(object), &how, &each) ||
	    each.code == ERR_NOT_FOUND)
		return true;
	*err = each;
	return false;
}

/* --- PVCs --------------------------------------------------------------------------------------------------------- */

static bool agreed(struct drill *d, const json_node *clusters, const json_node *pvc)
{
	const char *name = kube_name(pvc), *claims = d->state.doc ? drill_found(d, PART_CLAIMS) : NULL;
	char mark[PSMDB_NAME_MAX + 2];

	for (const json_node *c = json_first(json_at(clusters, "items")); c; c = json_next(c))
		if (kube_name(c) && psmdb_owns_volume(pvc, kube_name(c)))
			return true;
	snprintf(mark, sizeof mark, " %.253s ", name ? name : "?");
	return psmdb_owns_volume(pvc, part_cluster(d, NULL)) || (claims && strstr(claims, mark)) ||
	       (name && drill_pvc_confirmed(d, name));
}

bool part_keep_claims(struct drill *d, struct err *err)
{
	BUF_CLEANUP struct buf names = BUF_INIT(CLAIMS_MAX);
	CLEANUP(json) struct json *clusters = NULL, *volumes = NULL;
	struct kube_kind cluster_kind, kind;

	kind_clusters(&cluster_kind);
	kind_volumes(&kind);
	if (drill_found(d, PART_CLAIMS))
		return true;
	if (!kube_list(drill_kube(d), &cluster_kind, drill_namespace(d), NULL, &clusters, err) ||
	    !kube_list(drill_kube(d), &kind, drill_namespace(d), NULL, &volumes, err) ||
	    !buf_add_char(&names, ' ', err))
		return false;
	for (const json_node *o = json_first(json_at(json_root(volumes), "items")); o; o = json_next(o))
		if (agreed(d, json_root(clusters), o) && !buf_printf(&names, err, "%s ", kube_name(o)))
			return false;
	return drill_set_value(d, PART_CLAIMS, buf_str(&names), err);
}

bool part_volumes_agreed(
    struct drill *d, const char *name, const struct kube_select *select, struct json **ret, struct err *err)
{
	BUF_CLEANUP struct buf names = BUF_INIT(4096);
	CLEANUP(json) struct json *clusters = NULL, *volumes = NULL;
	struct kube_kind cluster_kind, kind;
	const char *first = NULL;

	kind_clusters(&cluster_kind);
	kind_volumes(&kind);
	if (!part_list_known(d, &cluster_kind, drill_namespace(d), &clusters, err) ||
	    !kube_list(drill_kube(d), &kind, drill_namespace(d), select, &volumes, err))
		return false;
	for (const json_node *o = json_first(json_at(json_root(volumes), "items")); o; o = json_next(o)) {
		if ((name && !json_is_at(o, "metadata/name", name)) ||
		    agreed(d, clusters ? json_root(clusters) : NULL, o))
			continue;
		first = first ? first : kube_name(o);
		buf_printf(&names, NULL, "%s\"%s\"", names.len ? ", " : "", kube_name(o));
	}
	if (!first) {
		if (ret)
			*ret = TAKE(volumes);
		return true;
	}
	err_set(err, ERR_STATE, "refused: PVCs in \"%s\" that are no psmdb's would be lost: %s", drill_namespace(d),
	    buf_str(&names));
	return err_hint(err, "say yes to each with --confirm-pvc %s, or move them to another namespace", first);
}

/* --- the bucket --------------------------------------------------------------------------------------------------- */

void part_bucket_clear(struct part_bucket *b)
{
	explicit_bzero(b->access, sizeof b->access);
	explicit_bzero(b->secret, sizeof b->secret);
}

/* From the backup object, which outlives the cluster, not from the cluster's present spec. */
static bool storage_of(struct drill *d, const struct psmdb_job *backup, struct psmdb_storage *ret, struct err *err)
{
	CLEANUP(json) struct json *cluster = NULL;
	struct kube_kind kind;

	if (backup->has_s3) {
		*ret = backup->s3;
		return true;
	}
	kind_clusters(&kind);
	return kube_get(drill_kube(d), &kind, drill_namespace(d), backup->cluster, &cluster, err) &&
	       psmdb_storage_of_cluster(json_root(cluster), backup->storage, ret, err);
}

static bool kept_storage(const char *text, struct psmdb_storage *ret, struct err *err)
{
	const struct json_limits limits = {.max_bytes = 8192, .max_depth = 4, .unique_keys = true};
	CLEANUP(json) struct json *s3 = NULL;

	return json_parse(text, strlen(text), &limits, &s3, err) && psmdb_storage_read(json_root(s3), ret, err);
}

static bool backup_storage(struct drill *d, struct psmdb_storage *ret, struct err *err)
{
	CLEANUP(json) struct json *doc = NULL;
	const char *name = drill_found(d, "backup"), *kept = drill_found(d, "backup-s3");
	struct psmdb_job job;
	struct kube_kind kind;

	if (kept)
		return kept_storage(kept, ret, err);
	if (!name)
		return err_set(err, ERR_STATE, "no backup is known to this run yet");
	kind_backups(&kind);
	return kube_get(drill_kube(d), &kind, drill_namespace(d), name, &doc, err) &&
	       psmdb_job_read(json_root(doc), &job, err) && storage_of(d, &job, ret, err);
}

bool part_keep_place(struct drill *d, const struct psmdb_job *backup, struct err *err)
{
	BUF_CLEANUP struct buf url = BUF_INIT(4096), text = BUF_INIT(8192);
	CLEANUP(json) struct json *s3 = NULL;
	struct psmdb_storage storage;
	struct pbm_destination place;
	static const char *const optional[] = {"prefix", "region", "endpointUrl", "credentialsSecret", NULL};

	if (!psmdb_job_place(backup, &place, err) || !storage_of(d, backup, &storage, err) ||
	    !pbm_destination_url(&place, storage.bucket, &url, err) ||
	    /* what the destination says: an operator derives no prefix from it, and a wrong one finds no data */
	    !json_format(&s3, err,
		"{'bucket':%s,'prefix':%s,'region':%s,'endpointUrl':%s,'credentialsSecret':%s,'insecureSkipTLSVerify':%"
		"b}",
		storage.bucket, place.prefix, storage.region, storage.endpoint, storage.credentials_secret,
		storage.insecure))
		return false;
	for (const char *const *o = optional; *o; o++)
		if (json_is_at(json_root(s3), *o, ""))
			json_remove_at(json_edit(s3), *o);
	return json_print(json_root(s3), false, &text, err) && drill_set_value(d, "destination", buf_str(&url), err) &&
	       drill_set_value(d, "backup-s3", buf_str(&text), err) &&
	       (!storage.credentials_secret[0] ||
		   drill_set_value(d, "storage-secret", storage.credentials_secret, err)) &&
	       drill_set_value(d, "backup-type", backup->type, err);
}

bool part_bucket_open(struct drill *d, struct part_bucket *ret, struct err *err)
{
	CLEANUP(json) struct json *secret = NULL;
	struct part_bucket b = {.env = {NULL}};
	struct s3_config config = {0};
	struct kube_kind kind;
	bool ok;

	if (!backup_storage(d, &b.storage, err))
		return false;
	if (!b.storage.credentials_secret[0]) {
		err_set(err, ERR_UNSUPPORTED, "storage of backup \"%s\" names no secret with keys",
		    drill_found(d, "backup"));
		return err_hint(
		    err, "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and pin by hand with psmdb-verify bound");
	}
	kind_secrets(&kind);
	if (!kube_get(drill_kube(d), &kind, drill_namespace(d), b.storage.credentials_secret, &secret, err))
		return err_wrap(err, "keys of the backup storage");
	ok = psmdb_storage_credentials(json_root(secret), &config, err);
	if (ok) {
		snprintf(b.access, sizeof b.access, "AWS_ACCESS_KEY_ID=%s", config.access_key);
		snprintf(b.secret, sizeof b.secret, "AWS_SECRET_ACCESS_KEY=%s", config.secret_key);
		*ret = b;
		ret->env[0] = ret->access;
		ret->env[1] = ret->secret;
		ret->env[2] = NULL;
	}
	s3_config_clear(&config);
	part_bucket_clear(&b);
	return ok;
}

bool part_bucket_bound(struct drill *d, const struct part_bucket *b, const char *const *options, int *ret_status,
    struct buf *out, struct err *err)
{
	const char *argv[32] = {"bound"};
	size_t n = 1;

	if (b->storage.endpoint[0]) {
		argv[n++] = "--endpoint";
		argv[n++] = b->storage.endpoint;
	}
	if (b->storage.region[0]) {
		argv[n++] = "--region";
		argv[n++] = b->storage.region;
	}
	argv[n++] = "--bucket";
	argv[n++] = b->storage.bucket;
	argv[n++] = "--prefix";
	argv[n++] = b->storage.prefix;
	if (b->storage.insecure)
		argv[n++] = "--insecure";
	for (; *options && n < sizeof argv / sizeof *argv - 1; options++)
		argv[n++] = *options;
	argv[n] = NULL;
	return drill_child(d, "psmdb-verify", argv, b->env, false, BOUND_LIMIT_MS, ret_status, out, err);
}

bool part_bucket_client(struct drill *d, const struct part_bucket *b, struct s3 **ret, struct err *err)
{
	const struct s3_options options = {
	    .clock = drill_clock(d), .stop = drill_stop(d), .max_attempts = 2, .timeout_ms = 15000};
	struct s3_config config = {0};
	bool ok;

	psmdb_storage_config(&b->storage, &config);
	snprintf(config.access_key, sizeof config.access_key, "%s", strchr(b->access, '=') + 1);
	snprintf(config.secret_key, sizeof config.secret_key, "%s", strchr(b->secret, '=') + 1);
	ok = s3_new(&config, &options, ret, err);
	s3_config_clear(&config);
	return ok;
}

static bool no_more(void *ctx, const struct s3_object *object, struct err *err)
{
	(void)ctx;
	(void)object;
	(void)err;
	return true;
}

void part_bucket_blame(struct drill *d)
{
	PART_BUCKET_CLEANUP struct part_bucket bucket = {.env = {NULL}};
	CLEANUP(s3) struct s3 *s3 = NULL;
	struct err err = ERR_INIT;
	char cause[512];

	if (!part_bucket_open(d, &bucket, &err)) {
		if (err.code == ERR_NOT_FOUND)
			drill_failure(
			    d, "SECRET_MISSING", err.msg, "create the secret that spec.backup.storages names");
		return;
	}
	if (part_bucket_client(d, &bucket, &s3, &err) &&
	    s3_list_folder(s3, bucket.storage.prefix, 100000, no_more, NULL, &err))
		return;
	snprintf(cause, sizeof cause, "asked with the storage's own keys, the bucket says: %.400s", err.msg);
	if (err.code == ERR_AUTH)
		drill_failure(d, "S3_CREDENTIALS", cause,
		    "correct the secret that spec.backup.storages names (credentialsSecret)");
	else if (err.code == ERR_NOT_FOUND)
		drill_failure(d, "S3_NO_BUCKET", cause, "make the bucket, or correct spec.backup.storages");
	else if (err.code == ERR_NET || err.code == ERR_TIMEOUT)
		drill_failure(d, "S3_UNREACHABLE", cause,
		    "check endpointUrl, and whether it can be reached from here and from the pods");
}

/* --- pods --------------------------------------------------------------------------------------------------------- */

bool part_pod_option(json_node *pod, const char *option, const char *value, struct err *err)
{
	char path[64];
	size_t i = 0;

	for (const json_node *a = json_first(json_at(pod, "spec/containers/0/args")); a; a = json_next(a), i++)
		if (json_string(a) && !strcmp(json_string(a), option)) {
			if (!value)
				return true;
			snprintf(path, sizeof path, "spec/containers/0/args/%zu", i + 1);
			return json_at(pod, path) ? json_set_text(pod, path, value, err)
						  : json_set_text(pod, "spec/containers/0/args/-", value, err);
		}
	return json_set_text(pod, "spec/containers/0/args/-", option, err) &&
	       (!value || json_set_text(pod, "spec/containers/0/args/-", value, err));
}

static bool set_secret(json_node *pod, const char *name, struct err *err)
{
	char path[96];
	size_t count = json_count(json_at(pod, "spec/containers/0/env"));

	for (size_t i = 0; i < count; i++) {
		snprintf(path, sizeof path, "spec/containers/0/env/%zu/valueFrom/secretKeyRef/name", i);
		if (json_at(pod, path) && !json_set_text(pod, path, name, err))
			return false;
	}
	/* mounted for its users */
	count = json_count(json_at(pod, "spec/volumes"));
	for (size_t i = 0; i < count; i++) {
		snprintf(path, sizeof path, "spec/volumes/%zu/secret/secretName", i);
		if (json_at(pod, path) && !json_set_text(pod, path, name, err))
			return false;
	}
	return true;
}

static bool read_pod(struct drill *d, const json_node *args, struct yaml_docs *docs, struct err *err)
{
	struct yaml_limits limits = YAML_LIMITS_DEFAULT;
	char path[PATH_MAX];

	if (!drill_file(d, step_text(args, "file", ""), path, err) || !yaml_read(path, &limits, docs, err))
		return false;
	return (docs->count == 1 && json_is_at(json_root(docs->items[0]), "kind", "Pod") &&
		   kube_name(json_root(docs->items[0]))) ||
	       err_set(err, ERR_PARSE, "\"%s\" does not hold one Pod with a name", path);
}

bool part_pod_free(struct drill *d, const json_node *args, struct err *err)
{
	YAML_DOCS_CLEANUP struct yaml_docs docs = {0};
	CLEANUP(json) struct json *there = NULL;
	struct err each = ERR_INIT;
	struct kube_kind kind;
	const char *name;

	if (!read_pod(d, args, &docs, err))
		return false;
	kind_pods(&kind);
	name = kube_name(json_root(docs.items[0]));
	if (!kube_get(drill_kube(d), &kind, drill_namespace(d), name, &there, &each)) {
		if (each.code == ERR_NOT_FOUND)
			return true;
		*err = each;
		return false;
	}
	if (d->state.doc && drill_is_ours(d, kube_uid(json_root(there))))
		return true;
	/* made by an attempt that was killed before it could write that down */
	if (d->state.doc && drill_found(d, POD_MARK) && kube_annotation(json_root(there), MADE_BY) &&
	    !strcmp(kube_annotation(json_root(there), MADE_BY), drill_found(d, POD_MARK)))
		return drill_created(d, &kind, json_root(there), err);
	err_set(
	    err, ERR_EXISTS, "pod \"%s/%s\" is there already, and this run has not made it", drill_namespace(d), name);
	return err_hint(
	    err, "another drill may be running; if not: kubectl -n %s delete pod %s", drill_namespace(d), name);
}

/* By which the run knows its own pods: kept before they are made. */
static bool mark_pod(struct drill *d, json_node *pod, struct err *err)
{
	char text[UUID_TEXT_MAX];
	struct uuid id;

	if (!drill_found(d, POD_MARK) &&
	    (!uuid_random(&id, err) || !drill_set_value(d, POD_MARK, uuid_format(&id, text), err)))
		return false;
	return json_set_text(pod, "metadata/annotations/psmdb-drill~1made-by", drill_found(d, POD_MARK), err);
}

bool part_pod(struct drill *d, const json_node *args, struct json **ret, struct err *err)
{
	YAML_DOCS_CLEANUP struct yaml_docs docs = {0};
	struct psmdb_cluster *cluster;
	char uri[700], service[PSMDB_NAME_MAX];
	const char *image = step_text(args, "image", NULL);
	bool ok;

	if (!read_pod(d, args, &docs, err))
		return false;
	cluster = calloc(1, sizeof *cluster);
	if (!cluster)
		return err_nomem(err);
	psmdb_mongos_service(part_cluster(d, args), service);
	snprintf(uri, sizeof uri, "mongodb://%s.%s.svc.cluster.local:27017/", service, drill_namespace(d));
	ok = part_read_cluster(d, part_cluster(d, args), NULL, cluster, err) &&
	     json_set_text(json_edit(docs.items[0]), "metadata/namespace", drill_namespace(d), err) &&
	     (!image || !*image || json_set_text(json_edit(docs.items[0]), "spec/containers/0/image", image, err)) &&
	     part_pod_option(json_edit(docs.items[0]), "--uri", uri, err) &&
	     set_secret(json_edit(docs.items[0]), cluster->users_secret, err) &&
	     mark_pod(d, json_edit(docs.items[0]), err);
	free(cluster);
	if (ok)
		*ret = TAKE(docs.items[0]);
	return ok;
}
