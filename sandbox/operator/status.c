#include "sandbox/operator/status.h"

#include <stdio.h>
#include <string.h>

const char *cluster_state_text(enum cluster_state state)
{
	static const char *const texts[] = {
#define X(id, text) [CLUSTER_##id] = (text),
	    CLUSTER_STATES(X)
#undef X
	};

	return texts[state];
}

static bool set_ready(const struct cr_set *set, const struct set_seen *seen)
{
	return seen->ready >= set->size && seen->pods >= set->size && seen->settled;
}

static bool sets_ready(const struct cr *cr, const struct cluster_seen *seen)
{
	for (int i = 0; i < cr->set_count; i++)
		if (!set_ready(&cr->sets[i], &seen->sets[i]) ||
		    (cr->topology == CR_SHARDED && !cr->sets[i].config_server && !seen->sets[i].added_as_shard))
			return false;
	return true;
}

enum cluster_state status_state(const struct cr *cr, const struct cluster_seen *seen)
{
	if (seen->error)
		return CLUSTER_ERROR;
	if (cr->deleting)
		return CLUSTER_STOPPING;
	if (cr->paused)
		return CLUSTER_PAUSED;
	/* mongos counts by the pods that there are: it is the missing host that tells of a restore */
	if (!seen->rollout && seen->host && sets_ready(cr, seen) && seen->mongos_ready == seen->mongos_pods)
		return CLUSTER_READY;
	return CLUSTER_INITIALIZING;
}

static bool put_sets(json_node *status, const struct cr *cr, const struct cluster_seen *seen, struct err *err)
{
	if (!json_set_format(status, "replsets", err, "{}"))
		return false;
	for (int i = 0; i < cr->set_count; i++) {
		const struct cr_set *set = &cr->sets[i];
		const struct set_seen *s = &seen->sets[i];
		char path[96];

		snprintf(path, sizeof path, "replsets/%s", set->name);
		if (!json_set_format(status, path, err, "{'size':%d,'ready':%d,'status':%s}", set->size, s->ready,
			set_ready(set, s) ? "ready" : "initializing"))
			return false;
		snprintf(path, sizeof path, "replsets/%s/initialized", set->name);
		if (s->initialized && !json_set_bool(status, path, true, err))
			return false;
		snprintf(path, sizeof path, "replsets/%s/added_as_shard", set->name);
		if (s->added_as_shard && !json_set_bool(status, path, true, err))
			return false;
	}
	return true;
}

static bool put_sums(json_node *status, const struct cr *cr, const struct cluster_seen *seen, struct err *err)
{
	int size = seen->mongos_pods, ready = seen->mongos_ready;

	for (int i = 0; i < cr->set_count; i++) {
		size += cr->sets[i].size;
		ready += seen->sets[i].ready;
	}
	/* Of the mongos pods that there are: none in a restore, or without the program. */
	if (cr->topology != CR_REPLSET &&
	    !json_set_format(status, "mongos", err, "{'size':%d,'ready':%d,'status':%s}", seen->mongos_pods,
		seen->mongos_ready, seen->mongos_ready == seen->mongos_pods ? "ready" : "initializing"))
		return false;
	return json_set_int(status, "size", size, err) && json_set_int(status, "ready", ready, err);
}

static bool same(const json_node *condition, const char *key, const char *text)
{
	const char *old = json_text_at(condition, key);

	return !strcmp(old ? old : "", text);
}

/* Appended only when it differs from the last one. */
static bool put_condition(json_node *status, const json_node *old, const char *type, const char *reason,
    const char *message, int64_t wall_ms, struct err *err)
{
	const json_node *list = json_at(old, "conditions"), *last = NULL;
	size_t count = json_count(list), skip = count >= STATUS_CONDITIONS_MAX ? count - STATUS_CONDITIONS_MAX + 1 : 0;
	char time[OP_TIME_MAX];
	bool changed;

	for (const json_node *c = json_first(list); c; c = json_next(c))
		last = c;
	changed = !same(last, "type", type) || !same(last, "reason", reason) || !same(last, "message", message);
	if (!changed)
		skip = 0;
	if (!json_set_format(status, "conditions", err, "[]"))
		return false;
	for (const json_node *c = json_first(list); c; c = json_next(c)) {
		if (skip)
			skip--;
		else if (!json_set_copy(status, "conditions/-", c, err))
			return false;
	}
	if (!changed)
		return true;
	if (!json_set_format(status, "conditions/-", err, "{'type':%s,'status':'True','lastTransitionTime':%s}", type,
		op_time(wall_ms, time)))
		return false;
	snprintf(time, sizeof time, "%zu", json_count(json_at(status, "conditions")) - 1);
	return (!*reason || json_set_text(status, op_name("conditions/%s/reason", time).text, reason, err)) &&
	       (!*message || json_set_text(status, op_name("conditions/%s/message", time).text, message, err));
}

static bool put_state(json_node *status, const struct cr *cr, enum cluster_state state, const json_node *old,
    int64_t wall_ms, struct err *err)
{
	static const char *const reasons[] = {
	    [CLUSTER_STOPPING] = "RSStopping", [CLUSTER_PAUSED] = "RSPaused", [CLUSTER_READY] = "RSReady"};
	char message[96] = "";
	const char *reason = state == CLUSTER_INITIALIZING ? "" : reasons[state];

	if (*reason)
		snprintf(message, sizeof message, "%s: %s", cr->sets[0].name, cluster_state_text(state));
	return json_set_text(status, "state", cluster_state_text(state), err) &&
	       put_condition(status, old, cluster_state_text(state), reason, message, wall_ms, err);
}

static bool put_optional(json_node *status, const char *key, const char *text, const json_node *old, struct err *err)
{
	/* What was known once stays: a version does not vanish because nobody answers now. */
	if (!*text)
		text = json_text_at(old, key);
	return !text || json_set_text(status, key, text, err);
}

bool status_of_error(const char *message, const json_node *old, int64_t wall_ms, struct json **ret, struct err *err)
{
	CLEANUP(json) struct json *status = NULL;

	if (!(json_is_object(old) ? json_clone(old, &status, err)
				  : json_format(&status, err, "{'size':0,'ready':0}")) ||
	    !json_set_text(json_edit(status), "state", cluster_state_text(CLUSTER_ERROR), err) ||
	    !json_set_format(json_edit(status), "message", err, "'Error: %s'", message) ||
	    !put_condition(
		json_edit(status), old, cluster_state_text(CLUSTER_ERROR), "ErrorReconcile", message, wall_ms, err))
		return false;
	*ret = TAKE(status);
	return true;
}

bool status_make(const struct cr *cr, const struct cluster_seen *seen, const json_node *old, int64_t wall_ms,
    struct json **ret, struct err *err)
{
	CLEANUP(json) struct json *status = NULL;
	json_node *root;
	char host[OP_NAME_MAX];

	if (seen->error)
		return status_of_error(seen->error, old, wall_ms, ret, err);
	if (!json_format(&status, err, "{}"))
		return false;
	root = json_edit(status);
	cr_host(cr, host);
	if (!put_state(root, cr, status_state(cr, seen), old, wall_ms, err) ||
	    (seen->host && !json_set_text(root, "host", host, err)) || !put_sets(root, cr, seen, err) ||
	    !put_sums(root, cr, seen, err) || !json_set_int(root, "observedGeneration", cr->generation, err) ||
	    !json_set_text(root, "mongoImage", cr->image, err) ||
	    !put_optional(root, "mongoVersion", seen->mongo_version, old, err) ||
	    !put_optional(root, "backupVersion", seen->backup_version, old, err))
		return false;
	*ret = TAKE(status);
	return true;
}
