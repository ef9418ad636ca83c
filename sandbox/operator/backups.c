/* The psmdb-backup controller. */
#include "sandbox/operator/erase.h"
#include "sandbox/operator/operator.h"

#include <stdio.h>
#include <string.h>

#define COMPRESSION "gzip" /* the operator's default */

static const char *const compressions[] = {"none", "gzip", "snappy", "lz4", "s2", "pgzip", "zstd"};

static bool take_compression(const json_node *backup, struct pbm_order *order, struct err *err)
{
	const char *type = json_text_at(backup, "spec/compressionType");

	if (!type || !*type)
		type = COMPRESSION;
	order->level = json_int_at(backup, "spec/compressionLevel", -1);
	for (size_t i = 0; i < sizeof compressions / sizeof *compressions; i++)
		if (!strcmp(type, compressions[i])) {
			snprintf(order->compression, sizeof order->compression, "%s", type);
			return true;
		}
	return err_set(err, ERR_STATE, "unknown compression type \"%.40s\"", type);
}

static bool make_order(
    struct operator* op, const json_node *backup, const json_node *psmdb, struct pbm_order *order, struct err *err)
{
	const char *name = json_text_at(backup, "spec/storageName"), *pbm_name = json_text_at(backup, "status/pbmName");
	struct storage storage;

	*order = (struct pbm_order){.kind = JOB_BACKUP, .adopt_since_ms = operator_sent_at(backup)};
	snprintf(order->uid, sizeof order->uid, "%s", kube_uid(backup));
	/* Sent and named before: it only has to be looked at. */
	if (pbm_name && destination_name(pbm_name, order->name))
		return true;
	if (!storage_of(psmdb, name ? name : "", &storage, err) || !take_compression(backup, order, err))
		return false;
	return operator_order_storage(op, &storage, order, err) ||
	       err_wrap(err, "set backup config with storage %.100s", name);
}

static bool wait_turn(struct operator* op, const json_node *backup, struct err *err)
{
	return operator_job_status(op, SPACE_BACKUP, backup, JOB_WAITING, NULL, err);
}

/* Begins, or goes on after a start of this process. */
static bool begin(
    struct operator* op, const json_node *backup, const json_node *psmdb, struct op_cluster *c, struct err *err)
{
	enum job_state state = job_state_of(backup);
	bool resumed = state == JOB_REQUESTED || state == JOB_RUNNING || operator_sent_at(backup);
	struct err refusal = ERR_INIT;
	struct pbm_order order;
	bool ok;

	if (!resumed && !backup_check(backup, psmdb, &refusal))
		return operator_job_error(op, SPACE_BACKUP, backup, refusal.msg, err);
	if (!psmdb)
		return operator_job_error(op, SPACE_BACKUP, backup, "cluster not found", err);
	if (operator_busy(op, job_cluster(backup), kube_uid(backup)))
		return wait_turn(op, backup, err);
	if (!c || !c->wants[0].members) /* an operator that has just started */
		return true;
	ok = make_order(op, backup, psmdb, &order, &refusal);
	if (ok)
		pbm_job_begin(&c->job, &order, op->clock);
	explicit_bzero(&order, sizeof order);
	return ok || operator_job_error(op, SPACE_BACKUP, backup, refusal.msg, err);
}

static bool set_names(const json_node *psmdb, bool sharded, struct json **ret, struct err *err)
{
	CLEANUP(json) struct json *list = NULL;

	if (!json_format(&list, err, "[]") || (sharded && !json_set_text(json_edit(list), "-", "cfg", err)))
		return false;
	for (const json_node *set = json_first(json_at(psmdb, "spec/replsets")); set; set = json_next(set))
		if (!json_set_text(
			json_edit(list), "-", json_text_at(set, "name") ? json_text_at(set, "name") : "rs0", err))
			return false;
	*ret = TAKE(list);
	return true;
}

/* The name is known: where it goes is, too. */
static bool describe_place(struct operator* op, const json_node *backup, const json_node *psmdb, const char *name,
    json_node *more, struct err *err)
{
	const char *storage_name = json_text_at(backup, "spec/storageName");
	CLEANUP(json) struct json *sets = NULL;
	char destination[1200];
	struct storage s;

	if (json_at(backup, "status/destination"))
		return true;
	if (!storage_of(psmdb, storage_name, &s, err) ||
	    !set_names(psmdb, op->have_mongos && json_bool_at(psmdb, "spec/sharding/enabled", false), &sets, err))
		return false;
	storage_destination(&s, name, destination, sizeof destination);
	return json_set_text(more, "type", "logical", err) && json_set_text(more, "pbmName", name, err) &&
	       json_set_text(more, "destination", destination, err) &&
	       json_set_text(more, "storageName", storage_name, err) && json_set_copy(more, "s3", s.s3, err) &&
	       json_set_copy(more, "replsetNames", json_root(sets), err);
}

static bool put_times(
    json_node *more, const char *name, const struct pbm_job *job, enum job_state state, struct err *err)
{
	int64_t started, last = job->answered ? job->answer.transition_ms : 0;
	char text[OP_TIME_MAX];

	if (state != JOB_REQUESTED && time_parse(name, &started) &&
	    !json_set_text(more, "start", op_time(started, text), err))
		return false;
	if (last && !json_set_text(more, "lastTransition", op_time(last, text), err))
		return false;
	return state != JOB_READY || !last || json_set_text(more, "completed", op_time(last, text), err);
}

/* What the job has found out. */
static bool progress(
    struct operator* op, const json_node *backup, const json_node *psmdb, struct op_cluster *c, struct err *err)
{
	struct pbm_job *job = &c->job;
	enum job_state state = job_state_of(backup), next = JOB_REQUESTED;
	CLEANUP(json) struct json *more = NULL;
	const char *text = "";
	int64_t named_ms;

	if (job->failed)
		return operator_job_error(op, SPACE_BACKUP, backup, job->error, err);
	if (!operator_may_send(op, SPACE_BACKUP, backup, job, err))
		return false;
	if (!*job->name)
		return true;
	if (state == JOB_RUNNING)
		next = state;
	if (job->answered && time_parse(job->name, &named_ms))
		next = job_after(next, &job->answer, clock_wall_ms(op->clock) - named_ms, &text);
	/* Only when the state moves, as the operator does. */
	if (next == state)
		return true;
	return json_format(&more, err, "{}") && describe_place(op, backup, psmdb, job->name, json_edit(more), err) &&
	       put_times(json_edit(more), job->name, job, next, err) &&
	       (next != JOB_ERROR || json_set_text(json_edit(more), "error", text, err)) &&
	       operator_job_status(op, SPACE_BACKUP, backup, next, json_root(more), err);
}

/* --- finalizer --------------------------------------------------------------------------------------------------- */

/* As version 1.14: the record alone, so that files below its name stay behind. */
static bool erase_directly(struct operator* op, const json_node *backup, struct err *err)
{
	struct err why = ERR_INIT;
	struct storage s;
	struct pbm_order place = {0};
	bool ok;

	if (!storage_read(json_at(backup, "status/s3"), &s))
		return space_drop_finalizer(&op->space, SPACE_BACKUP, backup, OP_FINALIZER_BACKUP, err);
	if (!operator_order_storage(op, &s, &place, &why)) {
		err_wrap(&why, "delete backup");
		return operator_job_error(op, SPACE_BACKUP, backup, why.msg, err);
	}
	ok = erase_record(backup, &place, op->clock, op->stop, &why);
	explicit_bzero(&place, sizeof place);
	if (ok)
		return space_drop_finalizer(&op->space, SPACE_BACKUP, backup, OP_FINALIZER_BACKUP, err);
	log_line(op->log, LOG_ERROR, "delete backup", "name", kube_name(backup), "error", why.msg, NULL);
	return true; /* it stays, and is tried again */
}

/* A cluster that is just going, as with its namespace: PBM needs the database only as long as it can be reached. */
static bool erase_in_going(struct operator* op, const json_node *backup, struct op_cluster *c, struct err *err)
{
	struct pbm_order place = {0};
	struct err why = ERR_INIT;
	bool ok;

	if (!c->settled)
		return true; /* it hangs */
	ok = operator_place_of_backup(c, backup, &place, &why) &&
	     erase_backup(backup, &place, op->clock, op->stop, &why);
	explicit_bzero(&place, sizeof place);
	if (ok) {
		log_line(op->log, LOG_INFO, "backup deleted", "name", kube_name(backup), NULL);
		return space_drop_finalizer(&op->space, SPACE_BACKUP, backup, OP_FINALIZER_BACKUP, err);
	}
	log_line(op->log, LOG_ERROR, "delete backup", "name", kube_name(backup), "error", why.msg, NULL);
	return true;
}

static bool erase_by_pbm(struct operator* op, const json_node *backup, struct op_cluster *c, struct err *err)
{
	const char *name = json_text_at(backup, "status/pbmName");
	struct pbm_order order = {.kind = JOB_DELETE, .level = -1};

	if (pbm_job_is_for(&c->job, JOB_DELETE, kube_uid(backup))) {
		bool unknown = c->job.unknown;

		if (c->job.step != STEP_END)
			return operator_may_send(op, SPACE_BACKUP, backup, &c->job, err);
		if (c->job.failed) {
			log_line(op->log, LOG_ERROR, "delete backup", "name", kube_name(backup), "error", c->job.error,
			    NULL);
			pbm_job_free(&c->job);
			return true;
		}
		pbm_job_free(&c->job);
		return unknown ? erase_directly(op, backup, err)
			       : space_drop_finalizer(&op->space, SPACE_BACKUP, backup, OP_FINALIZER_BACKUP, err);
	}
	/* Without a cluster that answers it hangs, as with the real one. */
	if (!c->settled || operator_busy(op, c->name, kube_uid(backup)))
		return true;
	if (!name || !destination_name(name, order.backup))
		return erase_directly(op, backup, err);
	snprintf(order.uid, sizeof order.uid, "%s", kube_uid(backup));
	pbm_job_begin(&c->job, &order, op->clock);
	return true;
}

static bool finalize(
    struct operator* op, const json_node *backup, const json_node *psmdb, struct op_cluster *c, struct err *err)
{
	if (!op_finalizer(backup, OP_FINALIZER_BACKUP))
		return true;
	if (job_state_of(backup) != JOB_READY)
		return space_drop_finalizer(&op->space, SPACE_BACKUP, backup, OP_FINALIZER_BACKUP, err);
	if (!psmdb)
		return erase_directly(op, backup, err);
	if (!c)
		return true;
	return kube_deleting(psmdb) ? erase_in_going(op, backup, c, err) : erase_by_pbm(op, backup, c, err);
}

static bool reconcile_one(struct operator* op, const json_node *backup, struct err *err)
{
	const char *cluster = job_cluster(backup);
	const json_node *psmdb = space_get(&op->space, SPACE_PSMDB, cluster);
	struct op_cluster *c = operator_cluster(op, psmdb);
	bool mine = c && pbm_job_is_for(&c->job, JOB_BACKUP, kube_uid(backup));

	if (kube_deleting(backup))
		return finalize(op, backup, psmdb, c, err);
	if (job_state_final(job_state_of(backup))) {
		if (mine)
			pbm_job_free(&c->job);
		return true;
	}
	return mine ? progress(op, backup, psmdb, c, err) : begin(op, backup, psmdb, c, err);
}

bool backups_reconcile(struct operator* op, struct err *err)
{
	for (const json_node *b = space_first(&op->space, SPACE_BACKUP); b; b = json_next(b))
		if (!reconcile_one(op, b, err))
			return err_wrap(err, "backup \"%s\"", kube_name(b));
	return true;
}
