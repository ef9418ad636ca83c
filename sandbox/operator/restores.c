/* The psmdb-restore controller. */
#include "sandbox/operator/operator.h"

#include <stdio.h>
#include <string.h>

static bool make_order(struct operator* op, const json_node *restore, const struct restore_source *source,
    struct pbm_order *order, struct err *err)
{
	const char *pbm_name = json_text_at(restore, "status/pbmName");

	*order = (struct pbm_order){.kind = JOB_RESTORE, .level = -1, .adopt_since_ms = operator_sent_at(restore)};
	snprintf(order->uid, sizeof order->uid, "%s", kube_uid(restore));
	if (pbm_name && destination_name(pbm_name, order->name))
		return true;
	snprintf(order->backup, sizeof order->backup, "%s", source->backup);
	snprintf(order->point, sizeof order->point, "%s", source->point);
	return operator_order_storage(op, &source->storage, order, err) || err_wrap(err, "set pbm config");
}

/* Hosts as in the operator's message. */
static bool not_up(struct operator* op, const json_node *restore, const json_node *psmdb, struct err *err)
{
	char text[400];

	snprintf(text, sizeof text,
	    "check for concurrent jobs: getting PBM object: create PBM connection to %.100s-rs0-0.%.100s-rs0.%.100s."
	    "svc.cluster.local:27017: server selection error: no reachable servers",
	    kube_name(psmdb), kube_name(psmdb), kube_namespace(psmdb));
	return operator_job_error(op, SPACE_RESTORE, restore, text, err);
}

/* Clients must be cut off before the data changes under them. */
static bool mongos_gone(const struct operator* op, const char *cluster)
{
	return !space_get(&op->space, SPACE_SERVICE, op_name("%s-mongos", cluster).text);
}

static bool begin_checked(struct operator* op, const json_node *restore, const json_node *psmdb, struct op_cluster *c,
    const struct restore_source *source, struct err *err)
{
	const char *cluster = job_cluster(restore);
	struct err refusal = ERR_INIT;
	struct pbm_order order;
	bool ok;

	if (operator_busy(op, cluster, kube_uid(restore)))
		return operator_job_status(op, SPACE_RESTORE, restore, JOB_WAITING, NULL, err);
	if (!c)
		return true;
	/* Never been up: final, no waiting. Up before, and not reached at this moment: an operator that has just started. */
	if (!c->initialized)
		return not_up(op, restore, psmdb, err);
	if (!c->settled || !mongos_gone(op, cluster)) {
		op->space.again = true;
		return true;
	}
	ok = make_order(op, restore, source, &order, &refusal);
	if (ok)
		pbm_job_begin(&c->job, &order, op->clock);
	explicit_bzero(&order, sizeof order);
	return ok || operator_job_error(op, SPACE_RESTORE, restore, refusal.msg, err);
}

static bool begin(
    struct operator* op, const json_node *restore, const json_node *psmdb, struct op_cluster *c, struct err *err)
{
	const json_node *backup = space_get(&op->space, SPACE_BACKUP, json_text_at(restore, "spec/backupName"));
	struct restore_source source;
	struct err refusal = ERR_INIT;
	bool later;

	if (!restore_check(restore, psmdb, backup, &source, &later, &refusal))
		return operator_job_error(op, SPACE_RESTORE, restore, refusal.msg, err);
	if (later) {
		/* The operator tells its log alone. */
		log_line(op->log, LOG_ERROR, "backup is not ready", "restore", kube_name(restore), NULL);
		return true;
	}
	if (source.latest)
		return operator_job_error(
		    op, SPACE_RESTORE, restore, "the sandbox restores to a date, not to the latest point in time", err);
	return begin_checked(op, restore, psmdb, c, &source, err);
}

static bool resume(
    struct operator* op, const json_node *restore, const json_node *psmdb, struct op_cluster *c, struct err *err)
{
	struct restore_source none = {0};
	struct pbm_order order;

	if (!psmdb)
		return operator_job_error(op, SPACE_RESTORE, restore, "cluster not found", err);
	if (!c || c->job.order.kind != JOB_FREE || !c->wants[0].members)
		return true;
	if (!make_order(op, restore, &none, &order, err))
		return false;
	pbm_job_begin(&c->job, &order, op->clock);
	return true;
}

static bool put_name(struct operator* op, const struct pbm_job *job, json_node *more, struct err *err)
{
	char name[ANSWER_NAME_MAX], second[OP_TIME_MAX];
	int64_t now_ms = clock_wall_ms(op->clock);

	if (*job->name)
		return json_set_text(more, "pbmName", job->name, err);
	/* A restore that no agent takes has a name all the same. */
	op_time(now_ms, second);
	snprintf(name, sizeof name, "%.19s.%03d000000Z", second, (int)(now_ms % 1000));
	return json_set_text(more, "pbmName", name, err);
}

static bool progress(struct operator* op, const json_node *restore, struct op_cluster *c, struct err *err)
{
	struct pbm_job *job = &c->job;
	enum job_state state = job_state_of(restore), next = state == JOB_RUNNING ? state : JOB_REQUESTED;
	CLEANUP(json) struct json *more = NULL;
	char text[OP_TIME_MAX];
	const char *why = "";

	if (job->failed)
		return operator_job_error(op, SPACE_RESTORE, restore, job->error, err);
	if (!operator_may_send(op, SPACE_RESTORE, restore, job, err))
		return false;
	if (!*job->name && !job->unknown)
		return true;
	if (job->answered) /* no deadline: version 1.14 waits for ever */
		next = job_after(next, &job->answer, 0, &why);
	if (next == state)
		return true;
	if (!json_format(&more, err, "{}") ||
	    (!json_at(restore, "status/pbmName") && !put_name(op, job, json_edit(more), err)))
		return false;
	if (job->answered && job->answer.transition_ms) {
		op_time(job->answer.transition_ms, text);
		if (!json_set_text(json_edit(more), "lastTransition", text, err) ||
		    (next == JOB_READY && !json_set_text(json_edit(more), "completed", text, err)))
			return false;
	}
	if (next == JOB_ERROR && !json_set_text(json_edit(more), "error", why, err))
		return false;
	return operator_job_status(op, SPACE_RESTORE, restore, next, json_root(more), err);
}

/* The users may be others now. */
static void over(struct op_cluster *c)
{
	pbm_job_free(&c->job);
	for (int i = 0; i < c->set_count; i++)
		if (c->keepers[i])
			keeper_check_login(c->keepers[i]);
}

static bool reconcile_one(struct operator* op, const json_node *restore, struct err *err)
{
	const json_node *psmdb = space_get(&op->space, SPACE_PSMDB, job_cluster(restore));
	struct op_cluster *c = operator_cluster(op, psmdb);
	bool mine = c && pbm_job_is_for(&c->job, JOB_RESTORE, kube_uid(restore));
	enum job_state state = job_state_of(restore);

	if (job_state_final(state) || kube_deleting(restore)) {
		if (mine)
			over(c);
		return true;
	}
	if (mine)
		return progress(op, restore, c, err);
	if (state == JOB_REQUESTED || state == JOB_RUNNING)
		return resume(op, restore, psmdb, c, err);
	return begin(op, restore, psmdb, c, err);
}

bool restores_reconcile(struct operator* op, struct err *err)
{
	for (const json_node *r = space_first(&op->space, SPACE_RESTORE); r; r = json_next(r))
		if (!reconcile_one(op, r, err))
			return err_wrap(err, "restore \"%s\"", kube_name(r));
	return true;
}
