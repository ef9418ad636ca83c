/*
 * disaster: every psmdb, the ticker, every PVC.
 *
 * Writes are expected to stall from the first deletion on (outage.start). The instant of the disaster is when the last database
 * pod is gone: until then something might still have been written. So the RPO ends there, and the RTO begins there.
 */
#include "scenarios/locks.h"
#include "scenarios/steps/parts.h"

#include <stdlib.h>
#include <string.h>

#define CLUSTER_LIMIT_MS 900000
#define VOLUME_LIMIT_MS 600000
#define POLL_MS 100
#define VOLUMES_MAX 16384
#define TICKER_LIMIT_MS 120000
#define NAMESPACE_UID "namespace-uid"

static const struct step_arg disaster_args[] = {
    STEP_ARG("timeout", ARG_DURATION, .otherwise = "15m", .help = "until the cluster and its volumes must be gone"),
    {0},
};

static bool disaster_describe(struct drill *d, const json_node *args, struct buf *out, struct err *err)
{
	(void)args;
	return buf_printf(out, err, "the disaster: delete every psmdb, the ticker pod and every PVC of namespace %s",
	    drill_namespace(d));
}

static bool list(struct drill *d, void (*kind_of)(struct kube_kind *), struct json **ret, struct err *err)
{
	struct kube_kind kind;

	kind_of(&kind);
	return kube_list(drill_kube(d), &kind, drill_namespace(d), NULL, ret, err);
}

static bool disaster_check(struct drill *d, const json_node *args, struct err *err)
{
	(void)args;
	return drill_found(d, "volumes-gone") || part_volumes_agreed(d, NULL, NULL, NULL, err);
}

/* --- the cluster -------------------------------------------------------------------------------------------------- */

static bool delete_listed(struct drill *d, void (*kind_of)(struct kube_kind *), const struct json *doc, struct err *err)
{
	struct kube_kind kind;

	kind_of(&kind);
	EACH_ITEM(o, doc)
	{
		if (!part_delete(d, &kind, o, err))
			return false;
	}
	return true;
}

static bool delete_clusters(struct drill *d, struct err *err)
{
	CLEANUP(json) struct json *clusters = NULL;

	return list(d, kind_clusters, &clusters, err) && delete_listed(d, kind_clusters, clusters, err);
}

/* Only what was just agreed on, never what has been made since. */
static bool delete_volumes(struct drill *d, struct err *err)
{
	CLEANUP(json) struct json *volumes = NULL;

	return part_volumes_agreed(d, NULL, NULL, &volumes, err) && delete_listed(d, kind_volumes, volumes, err);
}

static bool has_component(const json_node *pod)
{
	return kube_label(pod, "app.kubernetes.io/name") &&
	       !strcmp(kube_label(pod, "app.kubernetes.io/name"), "percona-server-mongodb");
}

/* What is left of the databases; the text says what it waits for. */
static bool left_of_clusters(struct drill *d, size_t *ret_left, char *text, size_t size, struct err *err)
{
	CLEANUP(json) struct json *clusters = NULL, *pods = NULL;
	size_t left = 0, running = 0;
	const char *held = NULL, *name = NULL;

	struct kube_kind kind;

	kind_clusters(&kind);
	if (!part_list_known(d, &kind, drill_namespace(d), &clusters, err) || !list(d, kind_pods, &pods, err))
		return false;
	EACH_ITEM(o, clusters)
	{
		left++;
		name = kube_name(o);
		held = json_text_at(o, "metadata/finalizers/0");
	}
	EACH_ITEM(o, pods)
	{
		running += has_component(o);
	}
	*ret_left = left + running;
	if (left)
		snprintf(text, size, "psmdb %s is stopping%s%s; %zu database pods left", name,
		    held ? ", held by finalizer " : "", held ? held : "", running);
	else
		snprintf(text, size, "%zu database pods left", running);
	return true;
}

static bool wait_gone(struct drill *d, bool (*left_of)(struct drill *, size_t *, char *, size_t, struct err *),
    const char *what, int64_t limit_ms, struct err *err)
{
	int64_t begun_ms = part_now_ms(d);
	char text[700];
	size_t left;

	for (;;) {
		if (!left_of(d, &left, text, sizeof text, err))
			return false;
		if (!left)
			return true;
		drill_progress(d, "%s", text);
		if (part_now_ms(d) - begun_ms > limit_ms) {
			drill_failure(d, "DELETION_STUCK", text,
			    "what is named there must let go: end the pod, or find out why the finalizer is not done");
			err_set(err, ERR_TIMEOUT, "waited %lld s for %s to be gone: %s", (long long)limit_ms / 1000,
			    what, text);
			return err_hint(err, "what is named there must let go; then go on with --resume");
		}
		if (!part_pause(d, POLL_MS, err))
			return false;
	}
}

/* --- the volumes -------------------------------------------------------------------------------------------------- */

/*
 * The claims that were agreed on, since whose they are cannot be seen any more without their psmdb; and the names of the
 * PersistentVolumes behind them, for proof that they are gone. Kept before anything is deleted.
 */
static bool keep_volumes(struct drill *d, struct err *err)
{
	BUF_CLEANUP struct buf claims = BUF_INIT(VOLUMES_MAX), names = BUF_INIT(VOLUMES_MAX);
	CLEANUP(json) struct json *volumes = NULL;

	if (drill_found(d, "volumes"))
		return true;
	if (!part_volumes_agreed(d, NULL, NULL, &volumes, err) || !buf_add_char(&names, ' ', err) ||
	    !buf_add_char(&claims, ' ', err))
		return false;
	EACH_ITEM(o, volumes)
	{
		const char *name = json_text_at(o, "spec/volumeName");

		if (!buf_printf(&claims, err, "%s ", kube_name(o)) || (name && !buf_printf(&names, err, "%s ", name)))
			return false;
	}
	return drill_set_value(d, PART_CLAIMS, buf_str(&claims), err) &&
	       drill_set_value(d, "volumes", buf_str(&names), err);
}

static const char *user_of(const json_node *pods, const char *claim)
{
	for (const json_node *p = json_first(json_at(pods, "items")); p; p = json_next(p))
		for (const json_node *v = json_first(json_at(p, "spec/volumes")); v; v = json_next(v))
			if (json_is_at(v, "persistentVolumeClaim/claimName", claim))
				return kube_name(p);
	return NULL;
}

/* Behind the claims: what really holds the data. Without the right to look, the claims must do. */
static bool left_of_real_volumes(struct drill *d, size_t *ret_left, char *text, size_t size, struct err *err)
{
	CLEANUP(json) struct json *volumes = NULL;
	const char *ours = drill_found(d, "volumes");
	struct err each = ERR_INIT;
	struct kube_kind kind;

	*ret_left = 0;
	kind_real_volumes(&kind);
	if (!kube_list(drill_kube(d), &kind, NULL, NULL, &volumes, &each)) {
		*err = each;
		return each.code == ERR_AUTH;
	}
	EACH_ITEM(o, volumes)
	{
		if (part_is_named(ours, kube_name(o)) &&
		    !json_is_at(o, "spec/persistentVolumeReclaimPolicy", "Retain") && !(*ret_left)++)
			snprintf(text, size, "PersistentVolume %s is %s", kube_name(o),
			    json_text_at(o, "status/phase") ? json_text_at(o, "status/phase") : "not gone");
	}
	return true;
}

static bool left_of_volumes(struct drill *d, size_t *ret_left, char *text, size_t size, struct err *err)
{
	CLEANUP(json) struct json *claims = NULL, *pods = NULL;

	if (!list(d, kind_volumes, &claims, err) || !list(d, kind_pods, &pods, err))
		return false;
	*ret_left = json_count(json_at(json_root(claims), "items"));
	EACH_ITEM(o, claims)
	{
		const char *user = user_of(json_root(pods), kube_name(o)),
			   *held = json_text_at(o, "metadata/finalizers/0");

		snprintf(text, size, "PVC %s is not gone: %s%s", kube_name(o),
		    !kube_deleting(o) ? "it was made meanwhile"
		    : user	      ? "used by pod "
		    : held	      ? "held by finalizer "
				      : "being deleted",
		    !kube_deleting(o) ? ""
		    : user	      ? user
		    : held	      ? held
				      : "");
		return true;
	}
	return left_of_real_volumes(d, ret_left, text, size, err);
}

/* --- the whole ---------------------------------------------------------------------------------------------------- */

static bool end_cluster(struct drill *d, const char *why, int64_t limit_ms, struct err *err)
{
	if (drill_found(d, "disaster"))
		return true;
	if (!drill_found(d, "outage") &&
	    (!drill_event(d, err, "outage.start", "why", why, NULL) || !drill_set_value(d, "outage", "yes", err)))
		return false;
	return delete_clusters(d, err) && wait_gone(d, left_of_clusters, "every psmdb and its pods", limit_ms, err) &&
	       drill_event(d, err, "disaster", "what", "every psmdb deleted, and its last database pod gone", NULL) &&
	       drill_set_value(d, "disaster", "yes", err);
}

/* NULL: it is gone. One of its name may be another drill's by now. */
static bool own_ticker(struct drill *d, struct json **ret, struct err *err)
{
	const char *name = drill_found(d, "ticker");
	struct kube_kind kind;

	*ret = NULL;
	kind_pods(&kind);
	if (name && !part_look(d, &kind, drill_namespace(d), name, ret, err))
		return false;
	if (*ret && !drill_is_ours(d, kube_uid(json_root(*ret)))) {
		json_free(*ret);
		*ret = NULL;
	}
	return true;
}

static bool end_ticker(struct drill *d, struct err *err)
{
	struct kube_delete how = {.grace_seconds = 1};
	CLEANUP(json) struct json *pod = NULL;
	struct err each = ERR_INIT;
	struct kube_kind kind;

	kind_pods(&kind);
	if (!own_ticker(d, &pod, err))
		return false;
	how.uid = pod ? kube_uid(json_root(pod)) : NULL;
	if (!pod || kube_delete(drill_kube(d), &kind, drill_namespace(d), kube_name(json_root(pod)), &how, &each) ||
	    each.code == ERR_NOT_FOUND)
		return true;
	*err = each;
	return false;
}

static bool left_of_ticker(struct drill *d, size_t *ret_left, char *text, size_t size, struct err *err)
{
	CLEANUP(json) struct json *pod = NULL;

	if (!own_ticker(d, &pod, err))
		return false;
	*ret_left = pod != NULL;
	if (pod)
		snprintf(text, size, "pod %s is being deleted", kube_name(json_root(pod)));
	return true;
}

static bool disaster_run(struct drill *d, const json_node *args, struct err *err)
{
	const struct psmdb_deletion deletion = {.clusters = true};
	int64_t limit_ms = step_duration_ms(args, "timeout", CLUSTER_LIMIT_MS);

	if (drill_found(d, "volumes-gone"))
		return drill_unfollow(d, err);
	/* right before: a run may have been taken up again a day later */
	if ((!drill_found(d, "outage") && !part_prove(d, &deletion, err)) || !keep_volumes(d, err) ||
	    !end_cluster(d, "the disaster begins: every psmdb is deleted", limit_ms, err))
		return false;
	drill_say(d, "every psmdb is gone, and its pods");
	/* asked again: a PVC may have been made meanwhile, or while the run was interrupted */
	if (!part_volumes_agreed(d, NULL, NULL, NULL, err) || !end_ticker(d, err) || !delete_volumes(d, err) ||
	    !wait_gone(d, left_of_volumes, "every PVC and its volume",
		limit_ms < VOLUME_LIMIT_MS ? limit_ms : VOLUME_LIMIT_MS, err) ||
	    !drill_event(d, err, "volumes.gone", NULL) || !drill_set_value(d, "volumes-gone", "yes", err) ||
	    !drill_unfollow(d, err))
		return false;
	drill_say(d, "every PVC is gone, and its data");
	return true;
}

const struct step_def step_disaster = {"disaster",
    "deletes every psmdb, the ticker and every PVC, and waits until they are gone", disaster_args,
    STEP_DESTROYS | STEP_ONCE | STEP_ENDS, disaster_describe, disaster_check, disaster_run};

/* --- lose-namespace ----------------------------------------------------------------------------------------------- */

static bool lose_describe(struct drill *d, const json_node *args, struct buf *out, struct err *err)
{
	(void)args;
	return buf_printf(
	    out, err, "the disaster: delete namespace %s with everything in it, every psmdb first", drill_namespace(d));
}

static bool read_namespace(struct drill *d, struct json **ret, struct err *err)
{
	struct kube_kind kind;

	kind_namespaces(&kind);
	return part_look(d, &kind, NULL, drill_namespace(d), ret, err);
}

/*
 * Its uid, and the labels and annotations with which the run may make it again. Kept before it is deleted; a run that is taken up
 * again goes on with that very one only.
 */
static bool keep_namespace(struct drill *d, struct err *err)
{
	BUF_CLEANUP struct buf text = BUF_INIT(65536);
	CLEANUP(json) struct json *ns = NULL, *like = NULL;
	const char *uid = drill_found(d, NAMESPACE_UID);

	if (!read_namespace(d, &ns, err))
		return false;
	if (uid && (!ns || (kube_uid(json_root(ns)) && !strcmp(kube_uid(json_root(ns)), uid))))
		return true;
	if (uid) {
		err_set(err, ERR_STATE, "refused: namespace \"%s\" is not the one that this run began with",
		    drill_namespace(d));
		return err_hint(err, "somebody has made it again: clean up, and begin a new run");
	}
	if (!ns || !kube_uid(json_root(ns)))
		return err_set(err, ERR_NOT_FOUND, "there is no namespace \"%s\"", drill_namespace(d));
	return json_format(&like, err, "{'labels':%j,'annotations':%j}", json_at(json_root(ns), "metadata/labels"),
		   json_at(json_root(ns), "metadata/annotations")) &&
	       json_print(json_root(like), false, &text, err) &&
	       drill_set_value(d, "namespace-like", buf_str(&text), err) &&
	       drill_set_value(d, NAMESPACE_UID, kube_uid(json_root(ns)), err);
}

/* Who holds a namespace that ends, by object and finalizer: its own conditions name kinds alone. */
static bool holder(struct drill *d, char *text, size_t size)
{
	static void (*const kinds[])(struct kube_kind *) = {
	    kind_backups, kind_clusters, kind_restores, kind_volumes, kind_pods};

	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		CLEANUP(json) struct json *objects = NULL;
		struct kube_kind kind;

		kinds[i](&kind);
		if (!list(d, kinds[i], &objects, NULL))
			continue;
		EACH_ITEM(o, objects)
		{
			const char *held = json_text_at(o, "metadata/finalizers/0");

			if (!held)
				continue;
			snprintf(text, size, "%s %s is held by finalizer %s", kind.kind, kube_name(o), held);
			return true;
		}
	}
	return false;
}

static bool left_of_namespace(struct drill *d, size_t *ret_left, char *text, size_t size, struct err *err)
{
	CLEANUP(json) struct json *ns = NULL;
	const char *uid = drill_found(d, NAMESPACE_UID), *message = NULL;

	if (!read_namespace(d, &ns, err))
		return false;
	*ret_left = ns && kube_uid(json_root(ns)) && !strcmp(kube_uid(json_root(ns)), uid);
	if (!*ret_left)
		return left_of_real_volumes(d, ret_left, text, size, err);
	for (const json_node *c = json_first(json_at(json_root(ns), "status/conditions")); c; c = json_next(c))
		if (json_is_at(c, "status", "True"))
			message = json_text_at(c, "message");
	if (!holder(d, text, size))
		snprintf(text, size, "namespace %s is Terminating%s%.500s", drill_namespace(d), message ? ": " : "",
		    message ? message : "");
	return true;
}

/* Right before: time has passed since the disaster began, and with the namespace goes what has been made meanwhile. */
static bool still_agreed(struct drill *d, struct err *err)
{
	const struct psmdb_deletion deletion = {.namespace_ = true};
	char text[700];
	size_t left;

	if (!lock_namespace(drill_kube(d), drill_namespace(d), d->options->confirm_destroy, false, err) ||
	    !part_volumes_agreed(d, NULL, NULL, NULL, err) || !part_backups_survive(d, &deletion, NULL, err) ||
	    !left_of_clusters(d, &left, text, sizeof text, err))
		return false;
	if (!left)
		return true;
	err_set(err, ERR_STATE, "refused: a psmdb has been made in \"%s\" meanwhile: %s", drill_namespace(d), text);
	return err_hint(err, "whoever made it needs the namespace");
}

static bool delete_namespace(struct drill *d, struct err *err)
{
	const struct kube_delete how = {.uid = drill_found(d, NAMESPACE_UID), .grace_seconds = -1};
	CLEANUP(json) struct json *ns = NULL;
	struct err each = ERR_INIT;
	struct kube_kind kind;

	kind_namespaces(&kind);
	if (!read_namespace(d, &ns, err))
		return false;
	/* one of another uid is another's, or made again */
	if (!ns || !kube_uid(json_root(ns)) || strcmp(kube_uid(json_root(ns)), how.uid) != 0)
		return true;
	if (!kube_deleting(json_root(ns)) && !still_agreed(d, err))
		return false;
	if (!drill_set_value(d, DRILL_LOST_NAMESPACE, how.uid, err))
		return false;
	if (kube_deleting(json_root(ns)) || kube_delete(drill_kube(d), &kind, NULL, drill_namespace(d), &how, &each) ||
	    each.code == ERR_NOT_FOUND)
		return true;
	*err = each;
	return false;
}

static bool end_namespace(struct drill *d, int64_t limit_ms, struct err *err)
{
	return delete_namespace(d, err) && wait_gone(d, left_of_namespace, "the namespace", limit_ms, err);
}

/*
 * The psmdb goes first, while its operator is still there: deleted with its namespace it may outlive the operator's pod, and then
 * nobody does what its finalizers wait for.
 */
static bool lose_run(struct drill *d, const json_node *args, struct err *err)
{
	const struct psmdb_deletion deletion = {.clusters = true, .namespace_ = true};
	int64_t limit_ms = step_duration_ms(args, "timeout", CLUSTER_LIMIT_MS);

	if (drill_found(d, "volumes-gone"))
		return drill_unfollow(d, err);
	if (!keep_namespace(d, err) || (!drill_found(d, "outage") && !part_prove(d, &deletion, err)) ||
	    !keep_volumes(d, err) || !end_cluster(d, "the disaster begins: the namespace is deleted", limit_ms, err))
		return false;
	drill_say(d, "every psmdb is gone, and its pods");
	if (!end_namespace(d, limit_ms, err) || !drill_event(d, err, "volumes.gone", NULL) ||
	    !drill_set_value(d, "volumes-gone", "yes", err) || !drill_unfollow(d, err))
		return false;
	drill_say(d, "namespace %s is gone, with everything in it", drill_namespace(d));
	return true;
}

bool part_end_namespace(struct drill *d, int64_t limit_ms, struct err *err)
{
	return keep_namespace(d, err) && end_namespace(d, limit_ms, err);
}

const struct step_def step_lose_namespace = {"lose-namespace",
    "deletes the namespace with everything in it, every psmdb first, and waits until it is gone", disaster_args,
    STEP_DESTROYS | STEP_ONCE | STEP_ENDS, lose_describe, disaster_check, lose_run};

/* --- leave-cluster ------------------------------------------------------------------------------------------------ */

static const struct step_arg leave_args[] = {{0}};

static bool leave_describe(struct drill *d, const json_node *args, struct buf *out, struct err *err)
{
	(void)args;
	return buf_printf(out, err,
	    "the disaster: this cluster is given up at this instant, and only the ticker ends; go on in the other one, "
	    "in "
	    "namespace %s",
	    drill_namespace(d));
}

/* Into an empty place only: a database that is there would be overwritten, and nobody has said that it may be lost. */
static bool leave_check(struct drill *d, const json_node *args, struct err *err)
{
	CLEANUP(json) struct json *clusters = NULL, *volumes = NULL;
	struct err each = ERR_INIT;
	struct kube_kind kind;

	(void)args;
	kind_clusters(&kind);
	if (!kube_list(drill_kube_elsewhere(d), &kind, drill_namespace(d), NULL, &clusters, &each)) {
		/* without the custom kind there is none */
		if (each.code != ERR_NOT_FOUND && each.code != ERR_UNSUPPORTED) {
			*err = each;
			return err_wrap(err, "the cluster to restore into");
		}
	}
	if (clusters && json_first(json_at(json_root(clusters), "items"))) {
		err_set(err, ERR_STATE, "refused: namespace \"%s\" of the cluster to restore into has psmdb \"%s\"",
		    drill_namespace(d), kube_name(json_first(json_at(json_root(clusters), "items"))));
		return err_hint(err, "restore into an empty namespace");
	}
	kind_volumes(&kind);
	if (!kube_list(drill_kube_elsewhere(d), &kind, drill_namespace(d), NULL, &volumes, err))
		return err_wrap(err, "the cluster to restore into");
	EACH_ITEM(o, volumes)
	{
		if (!psmdb_owns_volume(o, part_cluster(d, NULL)))
			continue;
		err_set(err, ERR_STATE,
		    "refused: namespace \"%s\" of the cluster to restore into has PVC \"%s\" of an earlier psmdb",
		    drill_namespace(d), kube_name(o));
		return err_hint(err, "its data would be overwritten: restore into an empty namespace");
	}
	return true;
}

static bool leave_run(struct drill *d, const json_node *args, struct err *err)
{
	const struct psmdb_deletion nothing = {.clusters = false};

	if (drill_found(d, "volumes-gone"))
		return drill_unfollow(d, err);
	if (!leave_check(d, args, err) || (!drill_found(d, "outage") && !part_prove(d, &nothing, err)))
		return false;
	if (!drill_found(d, "outage") &&
	    (!drill_event(d, err, "outage.start", "why", "the disaster begins: the cluster is given up", NULL) ||
		!drill_set_value(d, "outage", "yes", err)))
		return false;
	/* while it may still tick, the instant of the disaster is not known */
	if (!end_ticker(d, err) || !wait_gone(d, left_of_ticker, "the ticker", TICKER_LIMIT_MS, err))
		return false;
	if (!drill_found(d, "disaster") &&
	    (!drill_event(d, err, "disaster", "what", "the cluster is given up: its ticker has ended", NULL) ||
		!drill_set_value(d, "disaster", "yes", err)))
		return false;
	/* no volume went: no event */
	return drill_set_value(d, "volumes-gone", "yes", err) && drill_unfollow(d, err);
}

const struct step_def step_leave_cluster = {"leave-cluster",
    "gives the cluster up: ends the ticker, and does what follows in the cluster of --to-context", leave_args,
    STEP_ONCE | STEP_LEAVES | STEP_ENDS, leave_describe, leave_check, leave_run};
