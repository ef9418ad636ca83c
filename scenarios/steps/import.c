/* keep-import, release-backups, import-point, find-destination: how a restore point outlives its namespace. */
#include "base/file.h"
#include "psmdb/deletion.h"
#include "scenarios/run_dir.h"
#include "scenarios/steps/action.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define POLL_MS 500
#define RECEIVE_LIMIT_MS 120000
#define IMPORT_LIMIT_MS 900000
#define RECEIVE_MAX 65536
#define RELEASE_ATTEMPTS 10
#define BACKUPS_MAX 100000
#define NAMES_MAX ((size_t)1 << 20)

/* --- keep-import -------------------------------------------------------------------------------------------------- */

static const struct step_arg keep_args[] = {
    STEP_ARG("policy", ARG_TEXT, .help = "the policy that exports (default: the parameter policy)"),
    {0},
};

static bool keep_describe(struct drill *d, const json_node *args, struct buf *out, struct err *err)
{
	return buf_printf(out, err, "keep what an import needs: the receive string of policy %s/%s", drill_kasten(d),
	    part_policy(d, args));
}

static bool read_policy(struct drill *d, const char *name, struct json **ret, struct err *err)
{
	struct kube_kind kind;

	kind_kasten(&kind, KASTEN_CONFIG_GROUP, "policies", "Policy");
	return kube_get(drill_kube(d), &kind, drill_kasten(d), name, ret, err);
}

static bool keep_check(struct drill *d, const json_node *args, struct err *err)
{
	CLEANUP(json) struct json *policy = NULL;

	if (!read_policy(d, part_policy(d, args), &policy, err))
		return false;
	if (kasten_policy_has(json_root(policy), "export"))
		return true;
	err_set(err, ERR_STATE, "policy \"%s/%s\" has no action \"export\"", drill_kasten(d), part_policy(d, args));
	return err_hint(err,
	    "a restore point that is not exported does not outlive its cluster: add one, as manifests/policy.yaml has");
}

/* A policy with an action "export" may leave it out of a run: by its frequency, or since it has failed. */
static bool exported(struct drill *d, struct err *err)
{
	CLEANUP(json) struct json *point = NULL;
	const char *name = drill_found(d, "restore-point");
	struct kube_kind kind;

	if (!name)
		return err_set(err, ERR_STATE, "no restore point is known to this run yet");
	kind_kasten(&kind, KASTEN_APPS_GROUP, "restorepoints", "RestorePoint");
	if (!kube_get(drill_kube(d), &kind, drill_namespace(d), name, &point, err))
		return false;
	if (kube_label(json_root(point), KASTEN_EXPORT_LABEL) || kube_label(json_root(point), KASTEN_EXPORT_TYPE_LABEL))
		return true;
	err_set(err, ERR_STATE, "refused: restore point \"%s/%s\" is a local one, and was not exported",
	    drill_namespace(d), name);
	return err_hint(err,
	    "it would be lost with its cluster: look at the export's frequency in the policy, and at its ExportAction");
}

/* Kasten writes it into the policy when it has looked at it. It is a secret: a file of its own, never the state. */
static bool keep_run(struct drill *d, const json_node *args, struct err *err)
{
	BUF_CLEANUP struct buf text = BUF_INIT(RECEIVE_MAX);
	int64_t begun_ms = part_now_ms(d);
	char profile[PSMDB_NAME_MAX];
	bool ok;

	for (;;) {
		CLEANUP(json) struct json *policy = NULL;

		if (!read_policy(d, part_policy(d, args), &policy, err))
			return false;
		kasten_export_profile(json_root(policy), profile, sizeof profile);
		if (!kasten_receive_string(json_root(policy), &text, err))
			return false;
		if (text.len)
			break;
		drill_progress(d, "policy %s has no receive string yet", part_policy(d, args));
		if (part_now_ms(d) - begun_ms > RECEIVE_LIMIT_MS) {
			err_set(err, ERR_TIMEOUT, "policy \"%s/%s\" has got no receive string for %d s",
			    drill_kasten(d), part_policy(d, args), RECEIVE_LIMIT_MS / 1000);
			return err_hint(
			    err, "Kasten writes it after it has validated the export: look at the policy's status");
		}
		if (!part_pause(d, POLL_MS, err))
			return false;
	}
	ok = profile[0] ? exported(d, err)
			: err_set(err, ERR_STATE, "policy \"%s/%s\" names no profile to export to", drill_kasten(d),
			      part_policy(d, args));
	ok = ok && file_write_atomic(drill_path(d, RUN_RECEIVE_STRING), buf_str(&text), text.len, 0600, err) &&
	     drill_set_value(d, "import-profile", profile, err);
	explicit_bzero(text.data, text.len);
	return ok;
}

const struct step_def step_keep_import = {"keep-import",
    "keeps the policy's receive string, without which no other cluster can import the restore point", keep_args, 0,
    keep_describe, keep_check, keep_run};

/* --- release-backups ---------------------------------------------------------------------------------------------- */

static const struct step_arg release_args[] = {{0}};

static bool release_describe(struct drill *d, const json_node *args, struct buf *out, struct err *err)
{
	(void)args;
	return buf_printf(out, err,
	    "take finalizer delete-backup off every psmdb-backup of %s: else the namespace's end erases the backups in "
	    "the bucket",
	    drill_namespace(d));
}

/* Without those that erase; *ret_taken: how many these were. */
static bool other_finalizers(const json_node *backup, struct json **ret, size_t *ret_taken, struct err *err)
{
	CLEANUP(json) struct json *patch = NULL;

	*ret_taken = 0;
	if (!json_format(&patch, err, "{'metadata':{'resourceVersion':%s,'finalizers':[]}}", kube_version(backup)))
		return false;
	for (const json_node *f = json_first(json_at(backup, "metadata/finalizers")); f; f = json_next(f)) {
		if (json_string(f) && psmdb_finalizer(json_string(f)) == PSMDB_FINALIZER_BACKUP)
			++*ret_taken;
		else if (!json_set_copy(json_edit(patch), "metadata/finalizers/-", f, err))
			return false;
	}
	*ret = TAKE(patch);
	return true;
}

/* The operator writes its status at any time: what was read is stale then. */
static bool release_one(struct drill *d, const struct kube_kind *kind, const char *name, struct err *err)
{
	for (int attempt = 0;; attempt++) {
		CLEANUP(json) struct json *now = NULL, *patch = NULL;
		struct err each = ERR_INIT;
		size_t taken;

		if (!part_look(d, kind, drill_namespace(d), name, &now, err) ||
		    (now && !other_finalizers(json_root(now), &patch, &taken, err)))
			return false;
		if (!now || !taken)
			return true;
		if (kube_patch(drill_kube(d), kind, drill_namespace(d), name, NULL, KUBE_PATCH_MERGE, json_root(patch),
			NULL, &each)) {
			drill_say(d, "psmdb-backup %s keeps its files in the bucket", name);
			return true;
		}
		if (each.code != ERR_CONFLICT || attempt == RELEASE_ATTEMPTS) {
			*err = each;
			return each.code == ERR_NOT_FOUND;
		}
	}
}

/* Where those are that stay, for people. Of one that has not come so far there is nothing. */
static bool keep_places(struct drill *d, const json_node *backups, struct err *err)
{
	CLEANUP(free) struct psmdb_job *job = calloc(1, sizeof *job);
	BUF_CLEANUP struct buf places = BUF_INIT(NAMES_MAX);
	struct pbm_destination place;

	if (!job)
		return err_nomem(err);
	for (const json_node *o = json_first(json_get(backups, "items")); o; o = json_next(o)) {
		if (!psmdb_job_read(o, job, NULL) || !psmdb_job_good(job->state) ||
		    !psmdb_job_place(job, &place, NULL) || (places.len && !buf_add_char(&places, ' ', err)))
			continue;
		if (!pbm_destination_url(&place, place.bucket, &places, err))
			return false;
	}
	return !places.len || drill_set_value(d, "kept-backups", buf_str(&places), err);
}

static bool release_run(struct drill *d, const json_node *args, struct err *err)
{
	CLEANUP(json) struct json *list = NULL;
	struct kube_kind kind;

	(void)args;
	kind_backups(&kind);
	kind.verbs |= KUBE_PATCH;
	if (!part_list_known(d, &kind, drill_namespace(d), &list, err))
		return false;
	/* without its custom kind there is none */
	if (!list)
		return true;
	for (const json_node *o = json_first(json_at(json_root(list), "items")); o; o = json_next(o))
		if (!release_one(d, &kind, kube_name(o), err))
			return false;
	return keep_places(d, json_root(list), err);
}

const struct step_def step_release_backups = {"release-backups",
    "takes finalizer delete-backup off every psmdb-backup of the namespace, so that its end does not erase them",
    release_args, STEP_LOCKED, release_describe, NULL, release_run};

/* --- import-point ------------------------------------------------------------------------------------------------- */

static const struct step_arg import_args[] = {
    STEP_ARG("timeout", ARG_DURATION, .otherwise = "15m", .help = "until Kasten must have imported it"),
    {0},
};

static bool import_describe(struct drill *d, const json_node *args, struct buf *out, struct err *err)
{
	(void)args;
	return buf_printf(out, err, "import the restore point through a policy of this run's own, and bind it in %s",
	    drill_namespace(d));
}

static struct action import_policy(struct drill *d)
{
	struct action a = {.namespace_ = drill_kasten(d),
	    .prefix = "drill-import",
	    .asked = "import-policy-asked",
	    .made = "import-policy"};

	kind_kasten(&a.kind, KASTEN_CONFIG_GROUP, "policies", "Policy");
	a.kind.verbs |= KUBE_WATCH;
	return a;
}

static struct action import_action(struct drill *d)
{
	return action_of(d, "runactions", "RunAction", "import-drill", "import-asked", "import-action", NULL);
}

static struct action import_binding(struct drill *d)
{
	struct action a = {
	    .namespace_ = drill_namespace(d), .prefix = "from-import", .asked = "point-asked", .made = "restore-point"};

	kind_kasten(&a.kind, KASTEN_APPS_GROUP, "restorepoints", "RestorePoint");
	return a;
}

/* The policy of this run; made once. */
static bool make_policy(struct drill *d, struct err *err)
{
	const struct action a = import_policy(d);
	BUF_CLEANUP struct buf text = BUF_INIT(RECEIVE_MAX);
	CLEANUP(json) struct json *policy = NULL;
	const char *name, *profile = drill_found(d, "import-profile");
	bool there, ok;

	if (drill_found(d, a.made))
		return true;
	if (!profile)
		return err_set(err, ERR_STATE, "no receive string was kept by this run (step \"keep-import\")");
	if (!action_look(d, &a, &there, err) || there)
		return there;
	ok = file_read(drill_path(d, RUN_RECEIVE_STRING), &text, err) && (name = action_name(d, &a, err)) != NULL &&
	     kasten_make_import(drill_kasten(d), name, drill_namespace(d), profile, buf_str(&text), &policy, err) &&
	     action_send(d, &a, json_root(policy), err);
	if (text.data)
		explicit_bzero(text.data, text.len);
	return ok;
}

static bool policy_valid(void *ctx, const json_node *object, struct err *err)
{
	struct drill *d = ctx;
	char state[64] = "", why[900] = "";

	if (!object)
		return err_set(err, ERR_NOT_FOUND, "policy \"%s\" is gone", drill_found(d, "import-policy"));
	kasten_validation(object, state, sizeof state, why, sizeof why);
	drill_progress(d, "policy %s: validation %s", drill_found(d, "import-policy"), state[0] ? state : "pending");
	if (!strcmp(state, "Failed")) {
		part_fail(d, err, "Kasten refuses the import policy", why);
		return false;
	}
	return !strcmp(state, "Success");
}

/* One that is refused, or gone, is made anew at the next attempt. */
static bool wait_valid(struct drill *d, int64_t limit_ms, struct err *err)
{
	const struct action a = import_policy(d);
	struct err why = ERR_INIT;

	if (drill_wait(d, &a.kind, a.namespace_, drill_found(d, a.made), "the import policy to be validated", limit_ms,
		policy_valid, d, NULL, &why))
		return true;
	if (why.code == ERR_STATE || why.code == ERR_NOT_FOUND)
		action_forget(d, &a, NULL);
	*err = why;
	return false;
}

static bool list_contents(struct drill *d, struct kube_kind *kind, struct json **ret, struct err *err)
{
	kind_kasten(kind, KASTEN_APPS_GROUP, "restorepointcontents", "RestorePointContent");
	kind->namespaced = false;
	return kube_list(drill_kube(d), kind, NULL, NULL, ret, err);
}

static bool is_of_app(struct drill *d, const json_node *content)
{
	const char *app = kube_label(content, KASTEN_APP_LABEL);

	return !app || !strcmp(app, drill_namespace(d));
}

/* What was there before the import: on the same cluster the exported original, too. */
static bool keep_contents(struct drill *d, struct err *err)
{
	BUF_CLEANUP struct buf names = BUF_INIT(NAMES_MAX);
	CLEANUP(json) struct json *list = NULL;
	struct kube_kind kind;

	if (drill_found(d, "contents-before"))
		return true;
	if (!list_contents(d, &kind, &list, err) || !buf_add_char(&names, ' ', err))
		return false;
	for (const json_node *o = json_first(json_at(json_root(list), "items")); o; o = json_next(o))
		if (is_of_app(d, o) && !buf_printf(&names, err, "%s ", kube_name(o)))
			return false;
	return drill_set_value(d, "contents-before", buf_str(&names), err);
}

static bool start_import(struct drill *d, struct err *err)
{
	const struct action a = import_action(d);
	CLEANUP(json) struct json *action = NULL;
	const char *name;
	bool there;

	if (drill_found(d, a.made))
		return true;
	if (!action_look(d, &a, &there, err) || there)
		return there;
	return keep_contents(d, err) && (name = action_name(d, &a, err)) != NULL &&
	       kasten_make_run(
		   drill_kasten(d), name, drill_found(d, "import-policy"), drill_namespace(d), &action, err) &&
	       action_send(d, &a, json_root(action), err);
}

static bool is_new(struct drill *d, const json_node *content)
{
	return !part_is_named(drill_found(d, "contents-before"), kube_name(content));
}

/* Of the same application at the same time, whatever it is called in this cluster; or by the label of the run that made it. */
static bool is_the_point(struct drill *d, const json_node *content)
{
	const char *run = kube_label(content, KASTEN_RUN_LABEL), *time = drill_found(d, "restore-point-time"),
		   *ours = drill_found(d, "run-action");

	if (!is_of_app(d, content) || (!is_new(d, content) && !kube_label(content, KASTEN_EXPORT_LABEL) &&
					  !kube_label(content, KASTEN_EXPORT_TYPE_LABEL)))
		return false;
	return (time && json_is_at(content, "status/actionTime", time)) || (run && ours && !strcmp(run, ours));
}

/* The imported one; if Kasten has made none because it is there already, the exported one. */
static bool find_content(struct drill *d, char *ret, size_t size, struct err *err)
{
	CLEANUP(json) struct json *list = NULL;
	const char *time = drill_found(d, "restore-point-time");
	const json_node *best = NULL;
	struct kube_kind kind;

	if (!list_contents(d, &kind, &list, err))
		return false;
	for (const json_node *o = json_first(json_at(json_root(list), "items")); o; o = json_next(o))
		if (is_the_point(d, o) && (!best || (is_new(d, o) && !is_new(d, best))))
			best = o;
	if (!best) {
		err_set(err, ERR_NOT_FOUND, "the import is done, but there is no exported RestorePointContent of %s",
		    time ? time : "that time");
		return err_hint(
		    err, "\"kubectl get restorepointcontents.apps.kio.kasten.io --show-labels\" lists what there is");
	}
	snprintf(ret, size, "%s", kube_name(best));
	/* so that a clean-up names it */
	return !is_new(d, best) || drill_created(d, &kind, best, err);
}

/* The restore point went with the namespace; its content did not. */
static bool bind_point(struct drill *d, struct err *err)
{
	const struct action a = import_binding(d);
	CLEANUP(json) struct json *point = NULL;
	char content[PSMDB_NAME_MAX];
	const char *name;
	bool there;

	if (!find_content(d, content, sizeof content, err) || !action_look(d, &a, &there, err))
		return false;
	if (!there &&
	    (!(name = action_name(d, &a, err)) || !kasten_make_point(drill_namespace(d), name, content, &point, err) ||
		!action_send(d, &a, json_root(point), err)))
		return false;
	drill_say(d, "restore point %s, of content %s", drill_found(d, a.made), content);
	/* nothing needs it any more */
	unlink(drill_path(d, RUN_RECEIVE_STRING));
	return true;
}

static bool import_run(struct drill *d, const json_node *args, struct err *err)
{
	const struct action a = import_action(d);
	int64_t limit_ms = step_duration_ms(args, "timeout", IMPORT_LIMIT_MS);

	return make_policy(d, err) && wait_valid(d, limit_ms, err) && start_import(d, err) &&
	       action_wait(d, &a, limit_ms, err) && bind_point(d, err);
}

const struct step_def step_import_point = {"import-point",
    "imports the exported restore point by the receive string that was kept, and binds it in the namespace",
    import_args, STEP_ONCE, import_describe, NULL, import_run};

/* --- find-destination --------------------------------------------------------------------------------------------- */

static const struct step_arg destination_args[] = {
    STEP_ARG("from", ARG_TEXT, .otherwise = "status",
	.help = "status (what the backup object said before the disaster) or bucket (a listing of it, now)"),
    {0},
};

static bool destination_describe(struct drill *d, const json_node *args, struct buf *out, struct err *err)
{
	(void)d;
	return buf_printf(out, err, "find where the backup is: from %s",
	    !strcmp(step_text(args, "from", "status"), "bucket") ? "a listing of the bucket" : "its status");
}

static bool destination_check(struct drill *d, const json_node *args, struct err *err)
{
	const char *from = step_text(args, "from", "status");

	(void)d;
	if (!strcmp(from, "status") || !strcmp(from, "bucket"))
		return true;
	return err_set(err, ERR_USAGE, "find-destination takes \"status\" or \"bucket\", not \"%.64s\"", from);
}

struct newest {
	char name[PBM_NAME_MAX];
	size_t count, skip; /* of the key: what stands before the name */
};

/* PBM's names are times, so the greatest is the newest. */
static bool on_metadata(void *ctx, const struct s3_object *object, struct err *err)
{
	struct newest *n = ctx;
	const char *name = object->key + n->skip, *end = strstr(name, PBM_METADATA_SUFFIX);
	char text[PBM_NAME_MAX];

	(void)err;
	if (strlen(object->key) <= n->skip || !end || end[strlen(PBM_METADATA_SUFFIX)] ||
	    (size_t)(end - name) >= sizeof text)
		return true;
	snprintf(text, sizeof text, "%.*s", (int)(end - name), name);
	n->count++;
	if (strcmp(text, n->name) > 0)
		strcpy(n->name, text);
	return true;
}

static bool list_bucket(struct drill *d, struct newest *ret, struct psmdb_storage *ret_storage, struct err *err)
{
	PART_BUCKET_CLEANUP struct part_bucket bucket = {.env = {NULL}};
	CLEANUP(s3) struct s3 *s3 = NULL;
	char folder[sizeof bucket.storage.prefix + 2];

	if (!part_bucket_open(d, &bucket, err) || !part_bucket_client(d, &bucket, &s3, err))
		return false;
	snprintf(folder, sizeof folder, "%s%s", bucket.storage.prefix, bucket.storage.prefix[0] ? "/" : "");
	ret->skip = strlen(folder);
	*ret_storage = bucket.storage;
	return s3_list_folder(s3, folder, BACKUPS_MAX, on_metadata, ret, err);
}

/* The newest in the bucket must be the pinned one: a person who restores from a listing would take it. */
static bool from_bucket(struct drill *d, struct err *err)
{
	BUF_CLEANUP struct buf url = BUF_INIT(4096);
	const char *pinned = drill_found(d, "pbm-backup");
	struct newest n = {.count = 0};
	struct psmdb_storage storage;
	struct pbm_destination place = {.bucket = ""};

	if (!list_bucket(d, &n, &storage, err))
		return false;
	if (!n.count)
		return err_set(
		    err, ERR_NOT_FOUND, "bucket \"%s\" holds no backup below \"%s\"", storage.bucket, storage.prefix);
	if (!pinned || strcmp(pinned, n.name) != 0) {
		err_set(err, ERR_STATE, "the newest backup in bucket \"%s\" is %s, not %s, which was pinned",
		    storage.bucket, n.name, pinned ? pinned : "one");
		return err_hint(err, "somebody has made another since; the pinned one is restored by hand from \"%s\"",
		    drill_found(d, "destination") ? drill_found(d, "destination") : "its place in the bucket");
	}
	snprintf(place.prefix, sizeof place.prefix, "%s", storage.prefix);
	snprintf(place.name, sizeof place.name, "%s", n.name);
	return pbm_destination_url(&place, storage.bucket, &url, err) &&
	       drill_set_value(d, "destination", buf_str(&url), err);
}

static bool destination_run(struct drill *d, const json_node *args, struct err *err)
{
	if (!destination_check(d, args, err))
		return false;
	if (!strcmp(step_text(args, "from", "status"), "bucket") && !from_bucket(d, err))
		return false;
	if (!drill_found(d, "destination"))
		return err_set(err, ERR_STATE, "this run has seen no backup that tells where it is");
	drill_say(d, "destination %s", drill_found(d, "destination"));
	return true;
}

const struct step_def step_find_destination = {"find-destination",
    "finds the backup's destination for restore-data: from its status, or from a listing of the bucket",
    destination_args, 0, destination_describe, destination_check, destination_run};
