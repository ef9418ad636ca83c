/* wait-cluster, check-blueprint, prove-restorable. */
#include "kasten/actions.h"
#include "kasten/blueprint.h"
#include "psmdb/deletion.h"
#include "scenarios/coverage.h"
#include "scenarios/steps/parts.h"

#include <stdlib.h>
#include <string.h>

#define READY_LIMIT_MS 900000
#define ERROR_LIMIT_MS 120000 /* the operator tries again every few seconds; what is still an error then stays one */

/* --- wait-cluster ------------------------------------------------------------------------------------------------- */

static const struct step_arg wait_args[] = {
    STEP_ARG("cluster", ARG_TEXT, .help = "the psmdb (default: the parameter cluster)"),
    STEP_ARG("timeout", ARG_DURATION, .otherwise = "15m", .help = "how long"),
    STEP_ARG("required", ARG_BOOL, .otherwise = "true",
	.help = "false: one that is not ready in time is told, and left to the judge"),
    {0},
};

static bool wait_describe(struct drill *d, const json_node *args, struct buf *out, struct err *err)
{
	return buf_printf(out, err, "wait until psmdb %s/%s is ready", drill_namespace(d), part_cluster(d, args));
}

struct waiting {
	struct drill *d;
	struct psmdb_cluster cluster;
	int64_t error_since_ms; /* -1: none */
};

static bool cluster_ready(void *ctx, const json_node *object, struct err *err)
{
	struct waiting *w = ctx;
	char text[600], name[600];

	if (!object) {
		drill_progress(w->d, "there is no psmdb of that name yet");
		return false;
	}
	if (!psmdb_cluster_read(object, &w->cluster, err))
		return false;
	psmdb_cluster_progress(&w->cluster, text, sizeof text);
	drill_progress(w->d, "psmdb %s: %s", w->cluster.name, text);
	snprintf(name, sizeof name, "psmdb %s", w->cluster.name);
	drill_saw(w->d, name, w->cluster.state_text, NULL);
	if (w->cluster.state != PSMDB_CLUSTER_ERROR)
		w->error_since_ms = -1;
	else if (w->error_since_ms < 0)
		w->error_since_ms = part_now_ms(w->d);
	else if (part_now_ms(w->d) - w->error_since_ms > ERROR_LIMIT_MS) {
		snprintf(name, sizeof name, "psmdb \"%s/%s\" stays in error", w->cluster.namespace_, w->cluster.name);
		return part_fail(w->d, err, name, w->cluster.message);
	}
	return psmdb_cluster_usable(&w->cluster);
}

static bool note_versions(struct drill *d, const struct psmdb_cluster *c, struct err *err)
{
	return drill_event(d, err, "versions", "mongod", c->mongod_version, "operator_cr", c->version, "image",
		   c->image, "backup_image", c->backup_image, NULL) &&
	       (!*c->note || drill_event(d, err, "versions", "note_topology", c->note, NULL));
}

/* For steps that come later: the Secret of its users; and since when it is ready that a restore has asked for. */
static bool keep_seen(struct drill *d, const struct psmdb_cluster *c, struct err *err)
{
	if (c->users_secret[0] && !drill_found(d, "users-secret") &&
	    !drill_set_value(d, "users-secret", c->users_secret, err))
		return false;
	if (!drill_found(d, "cluster-action") || drill_found(d, "cluster-ready"))
		return true;
	return drill_event(d, err, "cluster.ready", NULL) && drill_set_value(d, "cluster-ready", "yes", err);
}

static bool wait_run(struct drill *d, const json_node *args, struct err *err)
{
	struct err why = ERR_INIT;
	struct waiting *w;
	struct kube_kind kind;
	char what[600];
	bool ok;

	if (drill_found(d, "restore-failed")) {
		drill_say(d, "the restore has failed: the cluster is not waited for");
		return true;
	}
	w = calloc(1, sizeof *w);
	if (!w)
		return err_nomem(err);
	w->d = d;
	w->error_since_ms = -1;
	kind_clusters(&kind);
	snprintf(what, sizeof what, "psmdb \"%s/%s\" to be ready", drill_namespace(d), part_cluster(d, args));
	ok = drill_wait(d, &kind, drill_namespace(d), part_cluster(d, args), what,
	    step_duration_ms(args, "timeout", READY_LIMIT_MS), cluster_ready, w, NULL, &why);
	if (!ok && why.code == ERR_TIMEOUT && !step_bool(args, "required", true)) {
		drill_say(d, "%s: what the database holds is looked at all the same", why.msg);
		ok = drill_event(d, err, "note", "text", why.msg, NULL);
		free(w);
		return ok;
	}
	if (!ok)
		*err = why;
	ok = ok && keep_seen(d, &w->cluster, err);
	if (ok && !drill_found(d, "versions-noted")) {
		if (*w->cluster.note)
			drill_say(d, "note: %s", w->cluster.note);
		ok = note_versions(d, &w->cluster, err) && drill_set_value(d, "versions-noted", "yes", err);
	}
	free(w);
	return ok;
}

const struct step_def step_wait_cluster = {
    "wait-cluster", "waits until the operator calls the cluster ready", wait_args, 0, wait_describe, NULL, wait_run};

/* --- check-blueprint ---------------------------------------------------------------------------------------------- */

static const struct step_arg blueprint_args[] = {
    STEP_ARG("cluster", ARG_TEXT, .help = "the psmdb (default: the parameter cluster)"),
    STEP_ARG("policy", ARG_TEXT, .help = "the policy (default: the parameter policy)"),
    {0},
};

static bool blueprint_describe(struct drill *d, const json_node *args, struct buf *out, struct err *err)
{
	return buf_printf(out, err, "look at the blueprint of psmdb %s/%s, policy %s and its profile",
	    drill_namespace(d), part_cluster(d, args), part_policy(d, args));
}

static bool validated(
    struct drill *d, const struct kube_kind *kind, const char *name, struct json **ret, struct err *err)
{
	CLEANUP(json) struct json *doc = NULL;
	char state[64], why[512], what[640];

	if (!kube_get(drill_kube(d), kind, drill_kasten(d), name, &doc, err)) {
		if (err->code == ERR_NOT_FOUND)
			err_hint(err, "apply manifests/%s.yaml, or name yours",
			    strcmp(kind->kind, "Policy") ? "profile" : "policy");
		return false;
	}
	kasten_validation(json_root(doc), state, sizeof state, why, sizeof why);
	if (!strcmp(state, "Success")) {
		*ret = TAKE(doc);
		return true;
	}
	snprintf(what, sizeof what, "Kasten has not validated %s \"%s/%s\": its status says %s%s%s", kind->kind,
	    drill_kasten(d), name, state[0] ? state : "nothing yet", why[0] ? ": " : "", why);
	err_set(err, ERR_STATE, "%s", what);
	drill_failure(d, "POLICY_INVALID", what, "mend it, or wait until its status says Success");
	return err_hint(err, "mend it, or wait until \"kubectl -n %s get %s %s\" says Success", drill_kasten(d),
	    kind->plural, name);
}

static bool check_policy(struct drill *d, const char *policy, struct err *err)
{
	CLEANUP(json) struct json *doc = NULL, *profile_doc = NULL;
	struct kube_kind kind;
	char profile[PSMDB_NAME_MAX];

	kind_kasten(&kind, KASTEN_CONFIG_GROUP, "policies", "Policy");
	if (!validated(d, &kind, policy, &doc, err))
		return false;
	if (!kasten_policy_selects(json_root(doc), drill_namespace(d))) {
		err_set(err, ERR_STATE, "policy \"%s\" does not select namespace \"%s\"", policy, drill_namespace(d));
		return err_hint(err, "its run would be Complete and back up nothing of it");
	}
	if (!kasten_policy_has(json_root(doc), "backup"))
		return err_set(err, ERR_STATE, "policy \"%s\" has no backup action", policy);
	kasten_policy_profile(json_root(doc), profile, sizeof profile);
	if (!profile[0]) {
		err_set(err, ERR_STATE, "the backup action of policy \"%s\" names no profile", policy);
		return err_hint(err, "Kasten refuses to run blueprints without one: set backupParameters.profile");
	}
	kind_kasten(&kind, KASTEN_CONFIG_GROUP, "profiles", "Profile");
	return validated(d, &kind, profile, &profile_doc, err) || err_wrap(err, "profile of policy \"%s\"", policy);
}

static bool check_actions(struct drill *d, const struct psmdb_cluster *c, struct err *err)
{
	CLEANUP(json) struct json *doc = NULL;
	static const char *const needed[] = {"backup", "restore"};
	struct kube_kind kind;
	char strays[256], storage[64];

	kind_blueprints(&kind);
	if (!kube_get(drill_kube(d), &kind, drill_kasten(d), c->blueprint, &doc, err))
		return err->code == ERR_NOT_FOUND
			   ? err_hint(
				 err, "Kasten looks for blueprints in its own namespace: apply manifests/psmdb-bp.yaml")
			   : false;
	kasten_blueprint_strays(json_root(doc), strays, sizeof strays);
	for (size_t i = 0; i < sizeof needed / sizeof *needed; i++)
		if (!kasten_blueprint_has(json_root(doc), needed[i])) {
			err_set(err, ERR_STATE, "blueprint \"%s\" has no action \"%s\"", c->blueprint, needed[i]);
			return err_hint(err,
			    strays[0] ? "it has %s, which Kasten never calls" : "Kasten would leave that part out%s",
			    strays);
		}
	kasten_blueprint_storage(json_root(doc), storage, sizeof storage);
	if (!storage[0] || psmdb_cluster_has_storage(c, storage))
		return true;
	err_set(err, ERR_STATE, "blueprint \"%s\" backs up to storage \"%s\", which psmdb \"%s\" does not have",
	    c->blueprint, storage, c->name);
	drill_failure(d, "STORAGE_MISSING", "the blueprint's storageName is not in spec.backup.storages",
	    "let both use one name");
	return err_hint(err, "let the blueprint's storageName and spec.backup.storages agree");
}

static bool blueprint_run(struct drill *d, const json_node *args, struct err *err)
{
	struct psmdb_cluster *c = calloc(1, sizeof *c);
	bool ok;

	if (!c)
		return err_nomem(err);
	ok = part_read_cluster(d, part_cluster(d, args), NULL, c, err);
	if (ok && !*c->blueprint) {
		err_set(err, ERR_STATE, "psmdb \"%s/%s\" has no annotation %s", c->namespace_, c->name,
		    PSMDB_BLUEPRINT_ANNOTATION);
		drill_failure(d, "NO_ANNOTATION",
		    "without the annotation Kasten snapshots volumes, says Complete, and makes no database backup",
		    "annotate the psmdb with the blueprint's name");
		err_hint(err,
		    "kubectl -n %s annotate psmdb %s " PSMDB_BLUEPRINT_ANNOTATION
		    "=psmdb-bp; Kasten says Complete without it, too",
		    c->namespace_, c->name);
		ok = false;
	}
	ok = ok && check_actions(d, c, err) && check_policy(d, part_policy(d, args), err) &&
	     /* as a check there is no run yet to keep it */
	     (!d->state.doc || drill_set_value(d, "blueprint", c->blueprint, err));
	free(c);
	return ok;
}

const struct step_def step_check_blueprint = {"check-blueprint",
    "looks whether Kasten will call the blueprint: annotation, actions, storage, policy, profile", blueprint_args, 0,
    blueprint_describe, blueprint_run, blueprint_run};

/* --- prove-restorable --------------------------------------------------------------------------------------------- */

static const struct step_arg prove_args[] = {{0}};

static bool prove_describe(struct drill *d, const json_node *args, struct buf *out, struct err *err)
{
	(void)args;
	return buf_printf(out, err,
	    "prove that the disaster will not take the backup along: finalizers of %s, the backup's state",
	    drill_namespace(d));
}

static bool consequences_of_clusters(
    struct drill *d, const struct psmdb_deletion *deletion, struct psmdb_consequences *ret, struct err *err)
{
	CLEANUP(json) struct json *list = NULL;
	struct psmdb_cluster *c;
	struct kube_kind kind;
	bool ok = true;

	kind_clusters(&kind);
	if (!kube_list(drill_kube(d), &kind, drill_namespace(d), NULL, &list, err))
		return false;
	c = calloc(1, sizeof *c);
	if (!c)
		return err_nomem(err);
	for (const json_node *o = json_first(json_at(json_root(list), "items")); ok && o; o = json_next(o)) {
		ok = psmdb_cluster_read(o, c, err);
		if (ok)
			psmdb_deletion_of_cluster(deletion, c, ret);
	}
	free(c);
	return ok;
}

static bool refuse(const struct psmdb_consequences *all, const char *hint, struct err *err)
{
	const struct psmdb_consequence *bad = psmdb_deletion_forbids(all);

	if (!bad)
		return true;
	err_set(err, ERR_STATE, "refused: %s", bad->text);
	return bad->finalizer[0]
		   ? err_hint(err, "take finalizer \"%s\" off %s \"%s\" first, if the drill is to go on%s",
			 bad->finalizer, bad->kind, bad->object, hint)
		   : err_hint(err, "the restore needs this backup");
}

/* The disaster takes every psmdb; the backups stay. */
static bool prove_check(struct drill *d, const json_node *args, struct err *err)
{
	const struct psmdb_deletion deletion = {.clusters = true};
	struct psmdb_consequences *all = calloc(1, sizeof *all);
	bool ok;

	(void)args;
	if (!all)
		return err_nomem(err);
	ok = consequences_of_clusters(d, &deletion, all, err) && refuse(all, "", err);
	free(all);
	return ok;
}

/* A run with a ticker is for a verdict: after the disaster no more ticks come. */
static bool prove_coverage(struct drill *d, struct err *err)
{
	BOUND_CLEANUP struct bound bound;
	char why[COVERAGE_WHY_MAX];
	bool enough;

	bound_init(&bound);
	if (!drill_found(d, "ticker") || !drill_found(d, "bound-b1"))
		return true;
	if (!bound_read(drill_path(d, "bound.json"), &bound, err) || !coverage_now(d, &bound, &enough, why, err))
		return false;
	if (enough)
		return true;
	err_set(err, ERR_STATE, "refused: the evidence would not be enough for a verdict: %s", why);
	return err_hint(err, "let ticks go on behind pin-bound (step \"tick\") before anything is destroyed");
}

/* Of this one backup, or of every one that is there. */
static bool consequences_of_backups(struct drill *d, const struct psmdb_deletion *deletion, const char *name,
    struct psmdb_consequences *ret, struct err *err)
{
	CLEANUP(json) struct json *list = NULL;
	struct psmdb_job *job = calloc(1, sizeof *job);
	struct kube_kind kind;
	bool ok;

	if (!job)
		return err_nomem(err);
	kind_backups(&kind);
	ok = part_list_known(d, &kind, drill_namespace(d), &list, err);
	for (const json_node *o = list ? json_first(json_at(json_root(list), "items")) : NULL; ok && o;
	     o = json_next(o))
		if (!name || json_is_at(o, "metadata/name", name)) {
			ok = psmdb_job_read(o, job, err);
			if (ok)
				psmdb_deletion_of_backup(deletion, job, ret);
		}
	free(job);
	return ok;
}

static bool backup_ready(struct drill *d, struct err *err)
{
	CLEANUP(json) struct json *doc = NULL;
	const char *name = drill_found(d, "backup");
	struct psmdb_job job;
	struct kube_kind kind;

	if (!name || !drill_found(d, "bound-b1"))
		return err_set(
		    err, ERR_STATE, "refused: no backup was pinned in this run: its files were not looked at");
	kind_backups(&kind);
	if (!kube_get(drill_kube(d), &kind, drill_namespace(d), name, &doc, err) ||
	    !psmdb_job_read(json_root(doc), &job, err))
		return false;
	return psmdb_job_good(job.state) ||
	       err_set(err, ERR_STATE, "refused: backup \"%s\" is %s, not ready", name, psmdb_job_phrase(job.state));
}

bool part_backups_survive(struct drill *d, const struct psmdb_deletion *deletion, const char *name, struct err *err)
{
	struct psmdb_consequences *all = calloc(1, sizeof *all);
	bool ok;

	if (!all)
		return err_nomem(err);
	ok =
	    consequences_of_backups(d, deletion, name, all, err) && refuse(all, ": step \"release-backups\" does", err);
	free(all);
	return ok;
}

bool part_prove(struct drill *d, const struct psmdb_deletion *deletion, struct err *err)
{
	struct psmdb_consequences *all;
	bool ok;

	if (!prove_coverage(d, err) || !backup_ready(d, err) || !part_note_clocks(d, err))
		return false;
	all = calloc(1, sizeof *all);
	if (!all)
		return err_nomem(err);
	/* with the namespace every backup goes, and what one erases is somebody's */
	ok = consequences_of_clusters(d, deletion, all, err) &&
	     consequences_of_backups(d, deletion, deletion->namespace_ ? NULL : drill_found(d, "backup"), all, err) &&
	     refuse(all, deletion->namespace_ ? ": step \"release-backups\" does" : "", err);
	free(all);
	return ok;
}

static bool prove_run(struct drill *d, const json_node *args, struct err *err)
{
	const struct psmdb_deletion deletion = {.clusters = true};

	(void)args;
	if (!part_prove(d, &deletion, err))
		return false;
	drill_say(d, "backup %s is ready, its files are all in the bucket, and nothing that is deleted takes it along",
	    drill_found(d, "backup"));
	return true;
}

const struct step_def step_prove_restorable = {"prove-restorable",
    "refuses to go on unless the backup is ready, pinned, and survives what is going to be deleted", prove_args, 0,
    prove_describe, prove_check, prove_run};
