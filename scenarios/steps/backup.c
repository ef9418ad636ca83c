/* run-policy, find-restore-point, pin-bound. */
#include "base/digest.h"
#include "base/file.h"
#include "base/text.h"
#include "evidence/bound.h"
#include "scenarios/signatures.h"
#include "scenarios/steps/action.h"

#include <stdlib.h>
#include <string.h>

#define RUN_LIMIT_MS 3600000
#define STUCK_MS 180000
#define POLL_MS 250
#define NAMES_MAX 65536

/* --- run-policy --------------------------------------------------------------------------------------------------- */

static const struct step_arg run_args[] = {
    STEP_ARG("policy", ARG_TEXT, .help = "the policy (default: the parameter policy)"),
    STEP_ARG("timeout", ARG_DURATION, .otherwise = "1h", .help = "how long the whole run may take"),
    STEP_ARG(
	"stuck", ARG_DURATION, .otherwise = "3m", .help = "how long a backup may stay without a state or requested"),
    {0},
};

static bool run_describe(struct drill *d, const json_node *args, struct buf *out, struct err *err)
{
	return buf_printf(out, err, "run policy %s/%s: Kasten's blueprint makes a psmdb-backup in %s", drill_kasten(d),
	    part_policy(d, args), drill_namespace(d));
}

/* One that still goes on, be it an attempt that Kasten repeats for a run long given up, would make a backup between ours. */
static bool nobody_else(struct drill *d, struct err *err)
{
	CLEANUP(json) struct json *list = NULL;
	struct kube_kind kind;

	kind_kasten(&kind, KASTEN_ACTIONS_GROUP, "backupactions", "BackupAction");
	if (!kube_list(drill_kube(d), &kind, drill_namespace(d), NULL, &list, err))
		return false;
	for (const json_node *o = json_first(json_at(json_root(list), "items")); o; o = json_next(o)) {
		char state[64];

		kasten_state_text(o, state, sizeof state);
		if (kasten_state_final(kasten_state(o)))
			continue;
		err_set(err, ERR_STATE, "BackupAction \"%s/%s\" of another run is still %s", drill_namespace(d),
		    kube_name(o), state);
		drill_failure(d, "ANOTHER_BACKUP",
		    "a backup that is not this run's is under way: Kasten repeats a failed one up to three times",
		    "wait until it has ended, and begin again");
		return err_hint(err, "wait until it has ended");
	}
	return true;
}

static struct action run_action(struct drill *d)
{
	return action_of(d, "runactions", "RunAction", "run-drill", "run-asked", "run-action", "backup.requested");
}

/* What goes on may be this run's own, if that was asked for. */
static bool run_check(struct drill *d, const json_node *args, struct err *err)
{
	(void)args;
	return drill_found(d, "run-asked") || nobody_else(d, err);
}

static bool start_policy(struct drill *d, const json_node *args, struct err *err)
{
	BUF_CLEANUP struct buf before = BUF_INIT(NAMES_MAX);
	CLEANUP(json) struct json *action = NULL;
	const struct action run = run_action(d);
	struct kube_kind jobs;
	const char *name;
	bool there;

	if (drill_found(d, "run-action"))
		return true;
	kind_backups(&jobs);
	if (!action_look(d, &run, &there, err) || there)
		return there;
	return nobody_else(d, err) && part_names(d, &jobs, &before, err) &&
	       drill_set_value(d, "backups-before", buf_str(&before), err) &&
	       (name = action_name(d, &run, err)) != NULL &&
	       kasten_make_run(drill_kasten(d), name, part_policy(d, args), drill_namespace(d), &action, err) &&
	       action_send(d, &run, json_root(action), err);
}

/*
 * The newest backup that was not there before and is of this cluster. *ret_there false: there is none yet. other: the name of another new
 * one that is ready, too ("" if none): then nobody can say which of them the restore point leads to.
 */
static bool new_backup(
    struct drill *d, struct psmdb_job *ret, bool *ret_there, char other[static PSMDB_NAME_MAX], struct err *err)
{
	CLEANUP(json) struct json *list = NULL;
	const char *before = drill_found(d, "backups-before");
	struct psmdb_job *job = calloc(1, sizeof *job);
	struct kube_kind kind;
	bool ok;

	if (!job)
		return err_nomem(err);
	kind_backups(&kind);
	ok = kube_list(drill_kube(d), &kind, drill_namespace(d), NULL, &list, err);
	if (ok) {
		*ret_there = false;
		other[0] = '\0';
	}
	for (const json_node *o = ok ? json_first(json_at(json_root(list), "items")) : NULL; o; o = json_next(o)) {
		if (part_is_named(before, kube_name(o)) || !psmdb_job_read(o, job, NULL))
			continue;
		if (strcmp(job->cluster, part_cluster(d, NULL)) != 0)
			continue;
		if (*ret_there && (psmdb_job_good(job->state) || psmdb_job_good(ret->state)))
			snprintf(other, PSMDB_NAME_MAX, "%s", psmdb_job_good(ret->state) ? ret->name : job->name);
		/* names hold their time, and a later attempt has a later one */
		if (!*ret_there || job->created_at_ms > ret->created_at_ms ||
		    (job->created_at_ms == ret->created_at_ms && strcmp(job->name, ret->name) > 0))
			*ret = *job;
		*ret_there = true;
	}
	free(job);
	return ok;
}

struct run_seen {
	struct drill *d;
	const json_node *args;
	struct psmdb_job job;
	bool there;
	char other[PSMDB_NAME_MAX];
	enum psmdb_job_state state;
	int64_t since_ms;
	struct action_seen action;
};

static bool look_at_backup(struct run_seen *s, struct err *err)
{
	bool before = s->there;
	char object[300];

	if (!new_backup(s->d, &s->job, &s->there, s->other, err))
		return false;
	if (!s->there)
		return true;
	if (!before || s->job.state != s->state) {
		s->state = s->job.state;
		s->since_ms = part_now_ms(s->d);
	}
	snprintf(object, sizeof object, "psmdb-backup %.200s", s->job.name);
	return drill_saw(s->d, object, s->job.state_text, err);
}

/* No cause is known by the text, or only that no agent could. */
static bool says_little(const char *error)
{
	const struct signature *known = signature_find(error);

	return !known || !strcmp(known->code, "NO_AGENT");
}

/* True: go on waiting. */
static bool backup_can_come(struct run_seen *s, struct err *err)
{
	int64_t limit_ms = step_duration_ms(s->args, "stuck", STUCK_MS);
	char what[700];

	if (s->other[0] && strcmp(s->other, s->job.name) != 0) {
		drill_failure(s->d, "AMBIGUOUS_BACKUP",
		    "two backups of the cluster were made while this run waited for one: a restore point does not say "
		    "which of them it leads to",
		    "see who else backs up (another policy run, a schedule, an attempt that Kasten repeats), and begin "
		    "a new run when that is over");
		err_set(err, ERR_STATE, "psmdb-backups \"%s\" and \"%s\" have both appeared in \"%s\"", s->other,
		    s->job.name, drill_namespace(s->d));
		return err_hint(err, "begin a new run when nobody else backs up");
	}
	if (s->there && psmdb_job_final(s->job.state) && !psmdb_job_good(s->job.state)) {
		snprintf(what, sizeof what, "psmdb-backup \"%s/%s\" has ended with %s", s->job.namespace_, s->job.name,
		    s->job.state_text);
		/* PBM's text often says only that no agent could; the bucket itself says why */
		if (says_little(s->job.error) && drill_set_value(s->d, "backup", s->job.name, NULL))
			part_bucket_blame(s->d);
		return part_fail(s->d, err, what, s->job.error);
	}
	if (s->there && psmdb_job_stuck(s->job.state, part_now_ms(s->d) - s->since_ms, limit_ms)) {
		snprintf(what, sizeof what, "psmdb-backup \"%s/%s\" is stuck for %lld s: %s", s->job.namespace_,
		    s->job.name, (long long)limit_ms / 1000, psmdb_job_phrase(s->job.state));
		drill_failure(
		    s->d, "BACKUP_STUCK", what, "look at the operator's log and at the backup-agent containers");
		err_set(err, ERR_STATE, "%s", what);
		return err_hint(err, "look at the operator's log and at the backup-agent containers");
	}
	if (kasten_state_final(s->action.state) && !kasten_state_good(s->action.state)) {
		snprintf(what, sizeof what, "RunAction \"%s/%s\" has ended with %s", drill_kasten(s->d),
		    drill_found(s->d, "run-action"), s->action.text);
		return part_fail(s->d, err, what, s->action.error);
	}
	if (kasten_state_good(s->action.state) && !s->there) {
		drill_failure(s->d, "NO_ANNOTATION",
		    "Kasten says Complete, and no psmdb-backup has appeared: the psmdb's blueprint annotation is "
		    "missing, or another blueprint was called",
		    "annotate the psmdb with kanister.kasten.io/blueprint, and run the policy again");
		err_set(err, ERR_STATE, "RunAction \"%s/%s\" is Complete, but no psmdb-backup has appeared in \"%s\"",
		    drill_kasten(s->d), drill_found(s->d, "run-action"), drill_namespace(s->d));
		return err_hint(err, "the annotation " PSMDB_BLUEPRINT_ANNOTATION
				     " of the psmdb is missing, so Kasten has snapshot volumes instead");
	}
	return true;
}

static bool backup_there(struct run_seen *s)
{
	return s->there && psmdb_job_good(s->job.state) && kasten_state_good(s->action.state);
}

static bool keep_backup(struct run_seen *s, struct err *err)
{
	return drill_set_value(s->d, "backup", s->job.name, err) && part_keep_place(s->d, &s->job, err) &&
	       drill_set_value(s->d, "pbm-backup", s->job.pbm_name, err) &&
	       drill_event(s->d, err, "backup.finished", "backup", s->job.pbm_name, "state", "done", "detail",
		   s->job.name, NULL);
}

static bool run_run(struct drill *d, const json_node *args, struct err *err)
{
	const struct action run = run_action(d);
	struct run_seen *s = calloc(1, sizeof *s);
	int64_t begun_ms = part_now_ms(d), limit_ms = step_duration_ms(args, "timeout", RUN_LIMIT_MS);
	struct part_pace pace = {0};
	bool ok;

	if (!s)
		return err_nomem(err);
	s->d = d;
	s->args = args;
	ok = start_policy(d, args, err);
	while (ok) {
		ok = action_see(d, &run, &s->action, err) && look_at_backup(s, err) && backup_can_come(s, err);
		if (!ok || backup_there(s))
			break;
		drill_progress(d, "RunAction %s; psmdb-backup %s%s%s", s->action.text,
		    s->there ? s->job.name : "not there yet", s->there ? ": " : "",
		    s->there ? psmdb_job_phrase(s->job.state) : "");
		if (part_now_ms(d) - begun_ms > limit_ms) {
			ok = err_set(err, ERR_TIMEOUT, "waited %lld s for RunAction \"%s/%s\": it is %s",
			    (long long)limit_ms / 1000, drill_kasten(d), drill_found(d, "run-action"), s->action.text);
			break;
		}
		ok = part_pause_pace(d, &pace, POLL_MS, err);
	}
	ok = ok && keep_backup(s, err);
	if (ok)
		drill_say(d, "psmdb-backup %s is ready; PBM calls it %s", s->job.name, s->job.pbm_name);
	free(s);
	return ok;
}

const struct step_def step_run_policy = {"run-policy",
    "runs Kasten's policy once, and watches the backup that it makes", run_args, STEP_ONCE, run_describe, run_check,
    run_run};

/* --- find-restore-point ------------------------------------------------------------------------------------------- */

static const struct step_arg find_args[] = {
    STEP_ARG("which", ARG_TEXT, .otherwise = "of-this-run",
	.help = "of-this-run, latest, oldest, or a restore point's name"),
    {0},
};

static bool find_describe(struct drill *d, const json_node *args, struct buf *out, struct err *err)
{
	return buf_printf(
	    out, err, "find the restore point in %s: %s", drill_namespace(d), step_text(args, "which", "of-this-run"));
}

static const char *time_of(const json_node *point)
{
	const char *at = json_text_at(point, "status/actionTime");

	return at ? at : json_text_at(point, "metadata/creationTimestamp");
}

/* Exported copies before local ones: they survive the namespace. Then by time. */
static bool better(const json_node *a, const json_node *b, bool oldest)
{
	bool exported_a = kube_label(a, KASTEN_EXPORT_LABEL) != NULL,
	     exported_b = kube_label(b, KASTEN_EXPORT_LABEL) != NULL;
	int order;

	if (exported_a != exported_b)
		return exported_a;
	order = strcmp(time_of(a) ? time_of(a) : "", time_of(b) ? time_of(b) : "");
	return oldest ? order < 0 : order > 0;
}

static bool fits_choice(const json_node *point, const char *which, const char *action)
{
	const char *run = kube_label(point, KASTEN_RUN_LABEL);

	if (!strcmp(which, "of-this-run"))
		return run && action && !strcmp(run, action);
	return !strcmp(which, "latest") || !strcmp(which, "oldest") || !strcmp(which, kube_name(point));
}

/* A restore point of an earlier run: its backup is the last one that was complete by then. */
static bool backup_of_point(struct drill *d, const json_node *point, struct err *err)
{
	CLEANUP(json) struct json *list = NULL;
	struct psmdb_job *job;
	struct kube_kind kind;
	int64_t at_ms;
	bool found = false, ok;

	if (!time_of(point) || !time_parse(time_of(point), &at_ms))
		return err_set(err, ERR_PARSE, "restore point \"%s\" does not say when it was made", kube_name(point));
	job = calloc(2, sizeof *job);
	if (!job)
		return err_nomem(err);
	kind_backups(&kind);
	ok = kube_list(drill_kube(d), &kind, drill_namespace(d), NULL, &list, err);
	for (const json_node *o = ok ? json_first(json_at(json_root(list), "items")) : NULL; o; o = json_next(o)) {
		if (!psmdb_job_read(o, &job[0], NULL) || !psmdb_job_good(job[0].state) ||
		    strcmp(job[0].cluster, part_cluster(d, NULL)) != 0 || job[0].completed_at_ms < 0 ||
		    job[0].completed_at_ms - 60000 > at_ms)
			continue;
		if (!found || job[0].completed_at_ms > job[1].completed_at_ms)
			job[1] = job[0];
		found = true;
	}
	if (ok && !found)
		ok = err_set(err, ERR_NOT_FOUND,
		    "no ready psmdb-backup of the time of restore point \"%s\" is in \"%s\"", kube_name(point),
		    drill_namespace(d));
	ok = ok && drill_set_value(d, "backup", job[1].name, err) && part_keep_place(d, &job[1], err) &&
	     drill_set_value(d, "pbm-backup", job[1].pbm_name, err);
	free(job);
	return ok;
}

static bool find_run(struct drill *d, const json_node *args, struct err *err)
{
	CLEANUP(json) struct json *list = NULL;
	const char *which = step_text(args, "which", "of-this-run");
	const json_node *best = NULL;
	struct kube_kind kind;

	kind_kasten(&kind, KASTEN_APPS_GROUP, "restorepoints", "RestorePoint");
	if (!kube_list(drill_kube(d), &kind, drill_namespace(d), NULL, &list, err))
		return false;
	for (const json_node *o = json_first(json_at(json_root(list), "items")); o; o = json_next(o))
		if (fits_choice(o, which, drill_found(d, "run-action")) &&
		    (!best || better(o, best, !strcmp(which, "oldest"))))
			best = o;
	if (!best) {
		err_set(
		    err, ERR_NOT_FOUND, "there is no restore point in \"%s\" that is %s", drill_namespace(d), which);
		return err_hint(
		    err, "\"kubectl -n %s get restorepoints.apps.kio.kasten.io\" lists them", drill_namespace(d));
	}
	drill_say(d, "restore point %s%s", kube_name(best), kube_label(best, KASTEN_EXPORT_LABEL) ? " (exported)" : "");
	return drill_set_value(d, "restore-point", kube_name(best), err) &&
	       drill_set_value(d, "restore-point-time", time_of(best), err) &&
	       (!strcmp(which, "of-this-run") || backup_of_point(d, best, err));
}

const struct step_def step_find_restore_point = {
    "find-restore-point", "finds the restore point that will be restored", find_args, 0, find_describe, NULL, find_run};

/* --- pin-bound ---------------------------------------------------------------------------------------------------- */

static const struct step_arg pin_args[] = {{0}};

static bool pin_describe(struct drill *d, const json_node *args, struct buf *out, struct err *err)
{
	(void)args;
	return buf_printf(out, err, "pin the restore point from the backup's own files in the bucket%s%s",
	    drill_found(d, "pbm-backup") ? ": " : "", drill_found(d, "pbm-backup") ? drill_found(d, "pbm-backup") : "");
}

static bool keep_bound(struct drill *d, struct err *err)
{
	BOUND_CLEANUP struct bound b;
	BUF_CLEANUP struct buf text = BUF_INIT(64u << 20);
	char hash[SHA256_TEXT_MAX], b1_text[OPTIME_TEXT_MAX];
	struct optime b1;

	bound_init(&b);
	if (!bound_read(drill_path(d, "bound.json"), &b, err) || !file_read(drill_path(d, "bound.json"), &text, err))
		return false;
	b1 = b.b0;
	for (size_t i = 0; i < b.set_count; i++)
		b1 = optime_max(b1, b.sets[i].b1);
	drill_say(d, "restore point: operation time %s, %zu files, PBM %s", optime_format(b.b0, b1_text), b.file_count,
	    b.pbm_version);
	return drill_event(d, err, "bound.pinned", "backup", b.backup_name, "sha256",
		   sha256_text(text.data, text.len, hash), NULL) &&
	       drill_event(d, err, "versions", "pbm", b.pbm_version, "mongodb", b.mongodb_version, NULL) &&
	       drill_set_value(d, "bound-b1", optime_format(b1, b1_text), err);
}

static bool pin_run(struct drill *d, const json_node *args, struct err *err)
{
	PART_BUCKET_CLEANUP struct part_bucket bucket = {.env = {NULL}};
	BUF_CLEANUP struct buf out = BUF_INIT(1u << 20);
	const char *backup = drill_found(d, "pbm-backup");
	const char *options[] = {"--backup", backup, "--out", drill_path(d, "bound.json"), NULL};
	int status;

	(void)args;
	if (!backup)
		return err_set(err, ERR_STATE, "no backup is known to this run yet");
	if (!part_bucket_open(d, &bucket, err))
		return false;
	drill_progress(d, "reading the backup's metadata and listing its files");
	if (!part_bucket_bound(d, &bucket, options, &status, &out, err))
		return false;
	if (status) {
		char text[700];

		text_copy(text, sizeof text, buf_str(&out));
		return part_fail(d, err,
		    status == EXIT_FAIL ? "refused: the backup is incomplete" : "the restore point cannot be pinned",
		    text);
	}
	return keep_bound(d, err);
}

const struct step_def step_pin_bound = {"pin-bound",
    "reads the restore point out of the backup's own metadata, and checks its files", pin_args, 0, pin_describe, NULL,
    pin_run};
