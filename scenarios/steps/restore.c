/*
 * restore: Kasten restores only the psmdb from the restore point, the operator makes a cluster of it, the blueprint asks for the restore.
 *
 * A restore that ends in error is what the drill was to find out: it is written down, and judged (FAIL). One whose end cannot be seen is
 * an error of the drill.
 */
#include "scenarios/steps/action.h"

#include <stdlib.h>
#include <string.h>

#define RESTORE_LIMIT_MS 3600000
#define STUCK_MS 180000
#define APPEAR_LIMIT_MS 120000
#define POLL_MS 250
#define NAMES_MAX 65536
#define AGENTS_EVERY_MS 5000
#define AGENTS_MARGIN_MS 5000 /* the clocks of a node and of the API server */

static const struct step_arg restore_args[] = {
    STEP_ARG("timeout", ARG_DURATION, .otherwise = "1h", .help = "how long the whole may take"),
    STEP_ARG(
	"stuck", ARG_DURATION, .otherwise = "3m", .help = "how long a restore may stay without a state or requested"),
    {0},
};

static bool restore_describe(struct drill *d, const json_node *args, struct buf *out, struct err *err)
{
	(void)args;
	return buf_printf(out, err,
	    "restore only psmdb %s from the restore point; the blueprint then restores the data",
	    part_cluster(d, NULL));
}

struct seen {
	struct drill *d;
	const json_node *args;
	bool by_hand; /* the psmdb-restore is this run's own: there is no action behind it */
	struct action_seen action;
	struct psmdb_cluster cluster;
	bool cluster_there;
	struct psmdb_job job;
	bool job_there;
	enum psmdb_job_state state;
	int64_t since_ms, complete_ms; /* -1 */
	int64_t agents_ms;	       /* when the agents are looked at again */
};

/* --- asking ------------------------------------------------------------------------------------------------------- */

static struct action restore_action(struct drill *d)
{
	return action_of(d, "restoreactions", "RestoreAction", "restore-drill", "restore-asked", "restore-action",
	    "cluster.requested");
}

static bool ask(struct drill *d, struct err *err)
{
	BUF_CLEANUP struct buf before = BUF_INIT(NAMES_MAX);
	CLEANUP(json) struct json *action = NULL;
	const char *point = drill_found(d, "restore-point"), *name;
	const struct action restore = restore_action(d);
	struct kube_kind jobs;
	bool there;

	if (drill_found(d, "restore-action"))
		return true;
	if (!action_look(d, &restore, &there, err) || there)
		return there;
	if (!point)
		return err_set(err, ERR_STATE, "no restore point is known to this run yet");
	kind_restores(&jobs);
	return part_names(d, &jobs, &before, err) && drill_set_value(d, "restores-before", buf_str(&before), err) &&
	       (name = action_name(d, &restore, err)) != NULL &&
	       kasten_make_restore(&(struct kasten_restore){.namespace_ = drill_namespace(d),
				       .name = name,
				       .restore_point = point,
				       .cluster = part_cluster(d, NULL)},
		   &action, err) &&
	       action_send(d, &restore, json_root(action), err);
}

/* --- looking ------------------------------------------------------------------------------------------------------ */

static bool look_at_action(struct seen *s, struct err *err)
{
	const struct action restore = restore_action(s->d);

	if (!action_see(s->d, &restore, &s->action, err))
		return false;
	if (kasten_state_good(s->action.state) && s->complete_ms < 0)
		s->complete_ms = part_now_ms(s->d);
	return true;
}

static bool look_at_cluster(struct seen *s, struct err *err)
{
	struct err each = ERR_INIT;
	char object[300];

	s->cluster_there = part_read_cluster(s->d, part_cluster(s->d, NULL), NULL, &s->cluster, &each);
	if (!s->cluster_there) {
		*err = each;
		return each.code == ERR_NOT_FOUND;
	}
	snprintf(object, sizeof object, "psmdb %.200s", s->cluster.name);
	if (!drill_saw(s->d, object, s->cluster.state_text, err))
		return false;
	if (s->cluster.state != PSMDB_CLUSTER_READY || drill_found(s->d, "cluster-ready"))
		return true;
	return drill_event(s->d, err, "cluster.ready", NULL) && drill_set_value(s->d, "cluster-ready", "yes", err);
}

static bool new_restore(struct seen *s, struct err *err)
{
	CLEANUP(json) struct json *list = NULL;
	const char *before = drill_found(s->d, "restores-before");
	struct psmdb_job *job = calloc(1, sizeof *job);
	struct kube_kind kind;
	bool ok, was_there = s->job_there;

	if (!job)
		return err_nomem(err);
	kind_restores(&kind);
	ok = kube_list(drill_kube(s->d), &kind, drill_namespace(s->d), NULL, &list, err);
	s->job_there &= !ok;
	for (const json_node *o = ok ? json_first(json_at(json_root(list), "items")) : NULL; o; o = json_next(o)) {
		if ((s->by_hand ? !json_is_at(o, "metadata/name", drill_found(s->d, "restore-object"))
				: part_is_named(before, kube_name(o))) ||
		    !psmdb_job_read(o, job, NULL) || strcmp(job->cluster, part_cluster(s->d, NULL)) != 0)
			continue;
		if (!s->job_there || strcmp(job->name, s->job.name) > 0)
			s->job = *job;
		s->job_there = true;
	}
	free(job);
	if (ok && s->job_there && (!was_there || s->job.state != s->state)) {
		s->state = s->job.state;
		s->since_ms = part_now_ms(s->d);
	}
	return ok;
}

/* What the restore itself says it restores, by PBM's name; "" if it does not say. Never what it should. */
static const char *restored(struct seen *s)
{
	const char *ours = drill_found(s->d, "backup"), *pbm = drill_found(s->d, "pbm-backup"), *slash;

	/* what this run has written there itself proves nothing: PBM's own record must say it */
	if (s->by_hand)
		return "";

	if (s->job.backup[0])
		return ours && pbm && !strcmp(s->job.backup, ours) ? pbm : s->job.backup;
	slash = strrchr(s->job.destination, '/');
	return slash ? slash + 1 : s->job.destination;
}

static bool look_at_restore(struct seen *s, struct err *err)
{
	char object[300];

	if (!new_restore(s, err))
		return false;
	if (!s->job_there)
		return true;
	snprintf(object, sizeof object, "psmdb-restore %.200s", s->job.name);
	if (!drill_saw(s->d, object, s->job.state_text, err))
		return false;
	if (!drill_found(s->d, "restore-requested") &&
	    (!drill_event(s->d, err, "restore.requested", "backup", restored(s), NULL) ||
		!drill_set_value(s->d, "restore-requested", "yes", err)))
		return false;
	return true;
}

/* --- what it means ------------------------------------------------------------------------------------------------ */

static bool finished(struct seen *s, bool good, struct err *err)
{
	char who[320];

	if (drill_found(s->d, "restore-finished"))
		return true;
	snprintf(who, sizeof who, "psmdb-restore %.253s", s->job.name);
	return drill_event(s->d, err, "restore.finished", "backup", restored(s), "state", good ? "done" : "error",
		   "reported_by", who, "detail", good ? s->job.state_text : s->job.error, NULL) &&
	       drill_set_value(s->d, "restore-finished", "yes", err);
}

/* Found out, not broken: the judge says FAIL. */
static bool failed(struct seen *s, struct err *err)
{
	struct err known = ERR_INIT;
	char what[700];

	snprintf(what, sizeof what, "psmdb-restore %s has ended with %s", s->job.name, s->job.state_text);
	part_fail(s->d, &known, what, s->job.error);
	drill_say(s->d, "%s", known.msg);
	if (known.hint[0])
		drill_say(s->d, "%s", known.hint);
	return finished(s, false, err) && drill_set_value(s->d, "restore-failed", "yes", err);
}

static bool stuck(struct seen *s, struct err *err)
{
	int64_t limit_ms = step_duration_ms(s->args, "stuck", STUCK_MS);
	char what[700];

	if (!s->job_there || !psmdb_job_stuck(s->job.state, part_now_ms(s->d) - s->since_ms, limit_ms))
		return false;
	snprintf(what, sizeof what, "psmdb-restore \"%s/%s\" is stuck for %lld s: %s", s->job.namespace_, s->job.name,
	    (long long)limit_ms / 1000, psmdb_job_phrase(s->job.state));
	drill_failure(s->d, "RESTORE_STUCK", what,
	    "the agents do not know the backup, or none is there: look at the backup-agent containers; mongos stays "
	    "down until the restore is deleted");
	err_set(err, ERR_STATE, "%s", what);
	err_hint(err, "look at the backup-agent containers and at \"pbm status\" in one of them; mongos stays down "
		      "until the restore object is deleted");
	return true;
}

/* Of each database pod: did its agent begin later than this? false: one did not, or that is not known. */
static bool agents_are_new(struct seen *s, int64_t than_ms, bool *ret, struct err *err)
{
	CLEANUP(json) struct json *pods = NULL;
	size_t agents = 0, fresh = 0;
	struct kube_kind kind;

	kind_pods(&kind);
	if (!kube_list(drill_kube(s->d), &kind, drill_namespace(s->d), NULL, &pods, err))
		return false;
	for (const json_node *p = json_first(json_at(json_root(pods), "items")); p; p = json_next(p))
		for (const json_node *c = json_first(json_at(p, "status/containerStatuses")); c; c = json_next(c)) {
			const char *started = json_text_at(c, "state/running/startedAt");
			int64_t at_ms;

			if (!psmdb_owns_pod(p, part_cluster(s->d, NULL)) || !json_is_at(c, "name", "backup-agent"))
				continue;
			agents++;
			fresh += started && time_parse(started, &at_ms) && at_ms > than_ms;
		}
	*ret = agents && fresh == agents;
	return true;
}

/* The run's own, by its uid: while it says running the operator begins no other. */
static bool forget_restore(struct seen *s, struct err *err)
{
	const struct kube_delete how = {.uid = s->job.uid, .grace_seconds = -1};
	struct err each = ERR_INIT;
	struct kube_kind kind;

	kind_restores(&kind);
	if (!drill_is_ours(s->d, s->job.uid) ||
	    (!kube_delete(drill_kube(s->d), &kind, s->job.namespace_, s->job.name, &how, &each) &&
		each.code != ERR_NOT_FOUND))
		return false;
	return drill_set_value(s->d, "data-asked", NULL, err) && drill_set_value(s->d, "restore-object", NULL, err) &&
	       drill_set_value(s->d, "data-again", "yes", err);
}

/*
 * A logical restore lives in the agents that took it up, and no other goes on with it: once they have all been started again it says
 * "running" for ever. It may be asked for again.
 */
static bool abandoned(struct seen *s, struct err *err)
{
	char what[700];
	bool new_ones = false;

	if (!s->by_hand || !s->job_there || s->job.state != PSMDB_JOB_RUNNING || s->job.created_at_ms < 0 ||
	    !strcmp(s->job.type, "physical") || part_now_ms(s->d) < s->agents_ms)
		return false;
	s->agents_ms = part_now_ms(s->d) + AGENTS_EVERY_MS;
	/* whether they can be listed is no matter of the restore's */
	if (!agents_are_new(s, s->job.created_at_ms + AGENTS_MARGIN_MS, &new_ones, NULL) || !new_ones)
		return false;
	snprintf(what, sizeof what,
	    "psmdb-restore \"%s/%s\" says %s, but every backup-agent was started again since it began: nobody works on "
	    "it",
	    s->job.namespace_, s->job.name, s->job.state_text);
	err_set(err, ERR_STATE, "%s", what);
	if (forget_restore(s, NULL)) {
		drill_failure(s->d, "AGENTS_LOST", what, "go on with --resume: it asks for the restore again");
	} else {
		drill_failure(s->d, "AGENTS_LOST", what, "delete it, or nothing else is begun; and restore by hand");
	}
	return true;
}

/* Kasten is done, and what it should have made is not there. */
static bool nothing_came(struct seen *s, struct err *err)
{
	if (s->complete_ms < 0 || s->job_there || part_now_ms(s->d) - s->complete_ms < 3000)
		return false;
	if (!s->cluster_there) {
		drill_failure(s->d, "FILTER_MATCHED_NOTHING",
		    "the restore is Complete and has restored nothing: the filter matches no object of the restore "
		    "point",
		    "see what the restore point holds");
		err_set(err, ERR_STATE, "RestoreAction \"%s/%s\" is Complete, but psmdb \"%s\" has not appeared",
		    drill_namespace(s->d), drill_found(s->d, "restore-action"), part_cluster(s->d, NULL));
		err_hint(err,
		    "a filter that matches nothing is no error to Kasten: does the restore point hold this psmdb?");
	} else {
		drill_failure(s->d, "NO_RESTORE_ACTION",
		    "the restore is Complete without a psmdb-restore: the blueprint was not called, or has no restore "
		    "action",
		    "look at the psmdb's annotation and the blueprint");
		err_set(err, ERR_STATE, "RestoreAction \"%s/%s\" is Complete, but no psmdb-restore has appeared",
		    drill_namespace(s->d), drill_found(s->d, "restore-action"));
		err_hint(
		    err, "the restored psmdb has no blueprint annotation, or the blueprint has no action \"restore\"");
	}
	return true;
}

/* The data are back, whatever Kasten thinks of it: that is told, and no error. */
static bool kasten_ended(struct seen *s, struct err *err)
{
	char text[1100];

	if (kasten_state_good(s->action.state))
		return true;
	snprintf(text, sizeof text, "the restore is done, but RestoreAction %.200s has ended with %s%s%s",
	    drill_found(s->d, "restore-action"), s->action.text, s->action.error[0] ? ": " : "", s->action.error);
	drill_say(s->d, "%s", text);
	drill_event(s->d, err, "note", "text", text, NULL);
	return true;
}

/* True: it is over. err set: with an error. */
static bool over(struct seen *s, struct err *err)
{
	char what[400];

	if (s->job_there && psmdb_job_final(s->job.state)) {
		if (!psmdb_job_good(s->job.state)) {
			failed(s, err);
			return true;
		}
		if (!finished(s, true, err) || s->by_hand)
			return true;
		return kasten_state_final(s->action.state) && kasten_ended(s, err);
	}
	if (stuck(s, err) || abandoned(s, err) || nothing_came(s, err))
		return true;
	if (kasten_state_final(s->action.state) && !kasten_state_good(s->action.state)) {
		snprintf(what, sizeof what, "RestoreAction \"%s/%s\" has ended with %s", drill_namespace(s->d),
		    drill_found(s->d, "restore-action"), s->action.text);
		part_fail(s->d, err, what, s->action.error);
		return true;
	}
	return false;
}

static void progress(struct seen *s)
{
	char text[400] = "not there yet";

	if (s->cluster_there)
		psmdb_cluster_progress(&s->cluster, text, sizeof text);
	drill_progress(s->d, "%s%s%spsmdb %s; psmdb-restore %s", s->by_hand ? "" : "RestoreAction ",
	    s->by_hand ? "" : s->action.text, s->by_hand ? "" : "; ", text,
	    s->job_there ? psmdb_job_phrase(s->job.state) : "not there yet");
}

static bool look(struct seen *s, struct err *err)
{
	return (s->by_hand || look_at_action(s, err)) && look_at_cluster(s, err) && look_at_restore(s, err);
}

/* Until it is over: true also for a restore that has failed, which is for the judge. */
static bool watch(struct drill *d, const json_node *args, bool by_hand, struct err *err)
{
	int64_t begun_ms = part_now_ms(d), limit_ms = step_duration_ms(args, "timeout", RESTORE_LIMIT_MS);
	struct seen *s = calloc(1, sizeof *s);
	struct part_pace pace = {0};
	bool ok = s != NULL;

	if (!s)
		return err_nomem(err);
	s->d = d;
	s->args = args;
	s->by_hand = by_hand;
	s->complete_ms = -1;
	while (ok) {
		struct err each = ERR_INIT;

		ok = look(s, err);
		if (!ok)
			break;
		if (over(s, &each)) {
			ok = !each.code;
			if (!ok)
				*err = each;
			break;
		}
		progress(s);
		if (part_now_ms(d) - begun_ms > limit_ms) {
			ok = err_set(err, ERR_TIMEOUT, "waited %lld s for the restore: %s%s%spsmdb-restore is %s",
			    (long long)limit_ms / 1000, by_hand ? "" : "RestoreAction is ",
			    by_hand ? "" : s->action.text, by_hand ? "" : ", ",
			    s->job_there ? s->job.state_text : "not there");
			break;
		}
		ok = part_pause_pace(d, &pace, POLL_MS, err);
	}
	if (ok && s->job_there && psmdb_job_good(s->job.state))
		drill_say(d, "psmdb-restore %s says: %s", s->job.name, s->job.state_text);
	free(s);
	return ok;
}

static bool restore_run(struct drill *d, const json_node *args, struct err *err)
{
	return ask(d, err) && watch(d, args, false, err);
}

const struct step_def step_restore = {"restore",
    "restores the psmdb alone from the restore point, and watches what follows from it", restore_args,
    STEP_DESTROYS | STEP_ONCE, restore_describe, NULL, restore_run};

/* --- restore-data ------------------------------------------------------------------------------------------------- */

static bool data_describe(struct drill *d, const json_node *args, struct buf *out, struct err *err)
{
	(void)args;
	return buf_printf(out, err, "restore the data of psmdb %s by hand: a psmdb-restore from %s",
	    part_cluster(d, NULL),
	    drill_found(d, "destination") ? drill_found(d, "destination") : "the backup's destination");
}

static bool make_object(struct drill *d, const char *name, struct json **ret, struct err *err)
{
	const struct json_limits limits = {.max_bytes = 8192, .max_depth = 4, .unique_keys = true};
	const char *s3 = drill_found(d, "backup-s3"), *type = drill_found(d, "backup-type");
	CLEANUP(json) struct json *storage = NULL, *doc = NULL;

	if (!s3 || !drill_found(d, "destination"))
		return err_set(err, ERR_STATE, "this run does not know where the backup is");
	if (!json_parse(s3, strlen(s3), &limits, &storage, err) ||
	    !json_format(&doc, err,
		"{'apiVersion':'" PSMDB_GROUP "/" PSMDB_VERSION "','kind':'" PSMDB_RESTORE_KIND
		"','metadata':{'name':%s,'namespace':%s},'spec':{'clusterName':%s,'backupSource':{'destination':%s,'s3'"
		":%j}}}",
		name, drill_namespace(d), part_cluster(d, NULL), drill_found(d, "destination"), json_root(storage)) ||
	    (type && *type && !json_set_text(json_edit(doc), "spec/backupSource/type", type, err)))
		return false;
	*ret = TAKE(doc);
	return true;
}

/* The data go into the psmdb that this run has restored, and overwrite no other. */
static bool same_cluster(struct drill *d, struct err *err)
{
	CLEANUP(json) struct json *now = NULL;
	const char *uid = drill_found(d, "restored-uid");
	struct psmdb_cluster *c = calloc(1, sizeof *c);
	bool ok;

	if (!c)
		return err_nomem(err);
	ok = part_read_cluster(d, part_cluster(d, NULL), &now, c, err);
	free(c);
	if (!ok)
		return false;
	if (uid && kube_uid(json_root(now)) && !strcmp(uid, kube_uid(json_root(now))))
		return true;
	err_set(err, ERR_STATE, "refused: psmdb \"%s/%s\" is not the one that this run has restored",
	    drill_namespace(d), part_cluster(d, NULL));
	return err_hint(err,
	    "step \"restore-cluster\" comes before \"restore-data\"; what somebody else has made is not overwritten");
}

/* The members have just been started again, and elect a primary. One that is not ready by then is restored all the same. */
static bool settle(struct drill *d, struct err *err)
{
	CLEANUP(json) struct json *args = NULL;

	return !drill_found(d, "data-again") || (json_format(&args, err, "{'required':%b,'timeout':'5m'}", false) &&
						    step_wait_cluster.run(d, json_root(args), err));
}

static bool ask_by_hand(struct drill *d, struct err *err)
{
	struct action restore = {.namespace_ = drill_namespace(d),
	    .prefix = "restore-drill",
	    .asked = "data-asked",
	    .made = "restore-object"};
	BUF_CLEANUP struct buf before = BUF_INIT(NAMES_MAX);
	CLEANUP(json) struct json *object = NULL;
	const char *name;
	bool there;

	if (drill_found(d, restore.made))
		return true;
	kind_restores(&restore.kind);
	restore.kind.verbs |= KUBE_CREATE;
	if (!action_look(d, &restore, &there, err) || there)
		return there;
	if (!same_cluster(d, err) || !settle(d, err))
		return false;
	return part_names(d, &restore.kind, &before, err) &&
	       drill_set_value(d, "restores-before", buf_str(&before), err) &&
	       (name = action_name(d, &restore, err)) != NULL && make_object(d, name, &object, err) &&
	       action_send(d, &restore, json_root(object), err);
}

static bool data_run(struct drill *d, const json_node *args, struct err *err)
{
	return ask_by_hand(d, err) && watch(d, args, true, err);
}

const struct step_def step_restore_data = {"restore-data",
    "makes the psmdb-restore by hand, from the backup's destination, and watches it", restore_args,
    STEP_DESTROYS | STEP_ONCE, data_describe, NULL, data_run};
