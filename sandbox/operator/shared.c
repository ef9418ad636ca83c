/* What the controllers of backups and restores share. */
#include "sandbox/operator/operator.h"

#include <stdio.h>
#include <string.h>

struct op_cluster *operator_cluster(struct operator* op, const json_node *psmdb)
{
	const char *uid = psmdb ? kube_uid(psmdb) : "";

	for (int i = 0; i < OPERATOR_CLUSTERS_MAX && *uid; i++)
		if (!strcmp(op->clusters[i].uid, uid))
			return &op->clusters[i];
	return NULL;
}

void operator_cluster_free(struct op_cluster *c)
{
	for (int i = 0; i < CR_SETS_MAX; i++)
		keeper_release(c->keepers[i]);
	pbm_job_free(&c->job);
	explicit_bzero(c, sizeof *c);
	c->job = (struct pbm_job)JOB_INIT;
}

static bool is_of(const json_node *object, const char *cluster)
{
	const char *name = job_cluster(object);

	return name && !strcmp(name, cluster);
}

bool operator_restoring(const struct operator* op, const char *cluster)
{
	for (const json_node *r = space_first(&op->space, SPACE_RESTORE); r; r = json_next(r))
		if (is_of(r, cluster) && !job_state_final(job_state_of(r)))
			return true;
	return false;
}

static bool sent(const json_node *object)
{
	enum job_state state = job_state_of(object);

	return state == JOB_REQUESTED || state == JOB_RUNNING;
}

bool operator_busy(const struct operator* op, const char *cluster, const char *uid)
{
	static const enum space_kind kinds[] = {SPACE_BACKUP, SPACE_RESTORE};

	for (int i = 0; i < OPERATOR_CLUSTERS_MAX; i++) {
		const struct op_cluster *c = &op->clusters[i];

		if (*c->uid && !strcmp(c->name, cluster) && c->job.order.kind != JOB_FREE &&
		    strcmp(c->job.order.uid, uid) != 0)
			return true;
	}
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		for (const json_node *o = space_first(&op->space, kinds[i]); o; o = json_next(o))
			if (is_of(o, cluster) && sent(o) && strcmp(kube_uid(o), uid) != 0)
				return true;
	return false;
}

static bool copy(char *to, size_t size, const char *from, const char *what, struct err *err)
{
	if (strlen(from) >= size)
		return err_set(err, ERR_LIMIT, "the storage's %s is longer than %zu bytes", what, size - 1);
	strcpy(to, from);
	return true;
}

static bool take_place(const struct storage *s, struct pbm_order *ret, struct err *err)
{
	ret->insecure = s->insecure;
	return copy(ret->endpoint, sizeof ret->endpoint, s->endpoint, "endpointUrl", err) &&
	       copy(ret->region, sizeof ret->region, *s->region ? s->region : "us-east-1", "region", err) &&
	       copy(ret->bucket, sizeof ret->bucket, s->bucket, "bucket", err) &&
	       copy(ret->prefix, sizeof ret->prefix, s->prefix, "prefix", err);
}

bool operator_order_storage(const struct operator* op, const struct storage *s, struct pbm_order *ret, struct err *err)
{
	const json_node *secret = space_get(&op->space, SPACE_SECRET, s->secret);

	if (!take_place(s, ret, err))
		return false;
	if (!secret)
		return err_set(
		    err, ERR_NOT_FOUND, "getting s3 credentials secret name: secrets \"%.253s\" not found", s->secret);
	return fill_text(secret, "AWS_ACCESS_KEY_ID", ret->access_key, sizeof ret->access_key, err) &&
	       fill_text(secret, "AWS_SECRET_ACCESS_KEY", ret->secret_key, sizeof ret->secret_key, err);
}

/* Where this storage's keys are, "" for the first free place; -1: nowhere. */
static int keys_at(const struct op_cluster *c, const char *storage)
{
	for (int i = 0; i < OPERATOR_STORAGES_MAX; i++)
		if (!strcmp(c->keys[i].storage, storage))
			return i;
	return -1;
}

void operator_remember_keys(const struct operator* op, struct op_cluster *c, const json_node *psmdb)
{
	for (const json_node *s = json_first(json_at(psmdb, "spec/backup/storages")); s; s = json_next(s)) {
		const char *name = json_key(s);
		int at = keys_at(c, name) >= 0 ? keys_at(c, name) : keys_at(c, "");
		struct pbm_order order = {0};
		struct storage storage;

		if (at >= 0 && *name && strlen(name) < OP_NAME_MAX && storage_of(psmdb, name, &storage, NULL) &&
		    operator_order_storage(op, &storage, &order, NULL)) {
			struct op_keys *keys = &c->keys[at];

			strcpy(keys->storage, name);
			memcpy(keys->access_key, order.access_key, sizeof keys->access_key);
			memcpy(keys->secret_key, order.secret_key, sizeof keys->secret_key);
		}
		explicit_bzero(&order, sizeof order);
	}
}

bool operator_place_of_backup(
    const struct op_cluster *c, const json_node *backup, struct pbm_order *ret, struct err *err)
{
	const char *name = json_text_at(backup, "status/storageName");
	int at = name && *name ? keys_at(c, name) : -1;
	struct storage storage;

	if (!storage_read(json_at(backup, "status/s3"), &storage) || !*storage.bucket)
		return err_set(err, ERR_NOT_FOUND, "the backup's status does not say where it is");
	if (at < 0)
		return err_set(err, ERR_NOT_FOUND, "the keys of storage \"%.200s\" are not known", name ? name : "");
	*ret = (struct pbm_order){0};
	if (!take_place(&storage, ret, err))
		return false;
	memcpy(ret->access_key, c->keys[at].access_key, sizeof ret->access_key);
	memcpy(ret->secret_key, c->keys[at].secret_key, sizeof ret->secret_key);
	return true;
}

bool operator_job_status(struct operator* op, enum space_kind kind, const json_node *object, enum job_state state,
    const json_node *more, struct err *err)
{
	const json_node *old = json_get(object, "status");
	CLEANUP(json) struct json *status = NULL;

	if (!job_may_become(job_state_of(object), state))
		return true;
	return (json_is_object(old) ? json_clone(old, &status, err) : json_format(&status, err, "{}")) &&
	       (!more || json_merge_patch(json_edit(status), more, err)) &&
	       json_set_text(json_edit(status), "state", job_state_text(state), err) &&
	       space_status(&op->space, kind, object, json_root(status), err);
}

bool operator_job_error(
    struct operator* op, enum space_kind kind, const json_node *object, const char *text, struct err *err)
{
	CLEANUP(json) struct json *more = NULL;

	return json_format(&more, err, "{'error':%s}", text) &&
	       operator_job_status(op, kind, object, JOB_ERROR, json_root(more), err);
}

int64_t operator_sent_at(const json_node *object)
{
	const char *text = kube_annotation(object, OP_SENT_ANNOTATION);
	int64_t when;

	return text && time_parse(text, &when) ? when : 0;
}

bool operator_may_send(
    struct operator* op, enum space_kind kind, const json_node *object, struct pbm_job *job, struct err *err)
{
	CLEANUP(json) struct json *patch = NULL;
	char time[OP_TIME_MAX];
	bool stale;

	if (job->step != STEP_SEND || job->may_send)
		return true;
	if (!json_format(&patch, err, "{'metadata':{'annotations':{'psmdb-drill/sent':%s}}}",
		op_time(clock_wall_ms(op->clock), time)) ||
	    !space_patch(&op->space, kind, object, json_root(patch), &stale, err))
		return false;
	job->may_send = !stale;
	op->space.again = true;
	return true;
}

bool jobs_tick(struct operator* op)
{
	bool changed = false;

	for (int i = 0; i < OPERATOR_CLUSTERS_MAX; i++) {
		struct op_cluster *c = &op->clusters[i];
		const char *hosts[CR_MEMBERS_MAX];
		/* PBM's own database is on the config servers, which come first; else on the only set. */
		const struct keeper_want *w = &c->wants[0];
		struct err err = ERR_INIT;
		struct pbm pbm = {.binary = op->pbm_binary,
		    .home = "/nonexistent",
		    .set_name = w->set_name,
		    .hosts = hosts,
		    .members = w->members,
		    .user = w->users.name[OP_BACKUP],
		    .password = w->users.password[OP_BACKUP],
		    .clock = op->clock};
		enum job_step step = c->job.step;
		int agents = 0;

		if (!*c->uid || !w->members)
			continue;
		for (int k = 0; k < w->members; k++)
			hosts[k] = w->hosts[k];
		for (int k = 0; k < c->set_count; k++)
			agents += c->wants[k].members;
		changed |= pbm_job_tick(&c->job, &pbm, agents, &err);
		if (err.code)
			log_line(op->log, LOG_ERROR, "pbm cannot be run", "error", err.msg, NULL);
		if (step != c->job.step)
			log_line(
			    op->log, LOG_INFO, "pbm", "cluster", c->name, "step", pbm_job_step_text(c->job.step), NULL);
	}
	return changed;
}
