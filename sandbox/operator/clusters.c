/* The psmdb controller: Secrets, StatefulSets, Services, replica sets, mongos or what stands in for it, status. */
#include "sandbox/operator/desired.h"
#include "sandbox/operator/operator.h"
#include "sandbox/operator/status.h"
#include "sandbox/operator/teardown.h"

#include "base/uuid.h"
#include "sandbox/parts/loopback.h"

#include <stdio.h>
#include <string.h>

#define ENCRYPTION_KEY_BYTES 32
#define KEYFILE_BYTES 768

/* One pass over one psmdb. */
struct pass {
	struct operator* op;
	struct space *space;
	struct op_cluster *cluster;
	struct cr cr;
	struct cluster_seen seen;
};

/* --- Secrets ----------------------------------------------------------------------------------------------------- */

static bool ensure_new_secret(struct pass *p, const char *name, const json_node *data, bool owned, struct err *err)
{
	CLEANUP(json) struct json *secret = NULL;

	return desired_secret(&p->cr, name, data, owned, &secret, err) &&
	       space_ensure(p->space, SPACE_SECRET, json_root(secret), NULL, err);
}

static bool ensure_random(struct pass *p, const char *name, const char *key, size_t len, bool owned, struct err *err)
{
	CLEANUP(json) struct json *data = NULL;
	const json_node *have = space_get(p->space, SPACE_SECRET, name);

	/* A key file of a psmdb of the same name that is just going is waited for. */
	if (have && (!owned || json_is_at(have, "metadata/ownerReferences/0/uid", p->cr.uid) ||
			!json_at(have, "metadata/ownerReferences/0")))
		return true;
	if (have) {
		p->space->again = true;
		return true;
	}
	return fill_random(key, len, random_bytes, &data, err) &&
	       ensure_new_secret(p, name, json_root(data), owned, err);
}

/* The users' own Secret first; the internal copy is made from it once, and completed later. */
static bool ensure_users(struct pass *p, struct err *err)
{
	const json_node *users = space_get(p->space, SPACE_SECRET, p->cr.users_secret);
	const json_node *internal = space_get(p->space, SPACE_SECRET, p->cr.internal_secret);
	CLEANUP(json) struct json *data = NULL;
	CLEANUP(json) struct json *patch = NULL;
	bool changed;

	if (!users && internal) /* lost, but what the database knows is still there */
		return ensure_new_secret(p, p->cr.users_secret, json_get(internal, "data"), false, err);
	if (!fill_users(users, random_bytes, &data, &changed, err))
		return false;
	if (!users)
		return ensure_new_secret(p, p->cr.users_secret, json_root(data), false, err);
	if (changed)
		return json_format(&patch, err, "{'data':%j}", json_root(data)) &&
		       space_patch(p->space, SPACE_SECRET, users, json_root(patch), NULL, err);
	if (!internal)
		return ensure_new_secret(p, p->cr.internal_secret, json_root(data), false, err);
	return true;
}

static bool ensure_secrets(struct pass *p, struct err *err)
{
	return ensure_users(p, err) &&
	       ensure_random(p, p->cr.encryption_secret, "encryption-key", ENCRYPTION_KEY_BYTES, false, err) &&
	       ensure_random(p, p->cr.keyfile_secret, "mongodb-key", KEYFILE_BYTES, true, err);
}

/* --- StatefulSets and their pods --------------------------------------------------------------------------------- */

static bool pod_ready(const json_node *pod)
{
	for (const json_node *c = json_first(json_at(pod, "status/conditions")); c; c = json_next(c))
		if (json_is_at(c, "type", "Ready"))
			return json_is_at(c, "status", "True");
	return false;
}

/* This StatefulSet's pod of this number; one of an earlier set of the same name is none. */
static const json_node *pod_of(const struct pass *p, const json_node *set, int number)
{
	const json_node *pod = space_get(p->space, SPACE_POD, op_name("%s-%d", kube_name(set), number).text);

	if (!pod || kube_deleting(pod) || !json_is_at(pod, "metadata/ownerReferences/0/uid", kube_uid(set)))
		return NULL;
	return pod;
}

static void count_pods(const struct pass *p, const json_node *set, int size, int *ret_pods, int *ret_ready)
{
	*ret_pods = *ret_ready = 0;
	for (int i = 0; set && i < size; i++) {
		const json_node *pod = pod_of(p, set, i);

		*ret_pods += pod != NULL;
		*ret_ready += pod && pod_ready(pod);
	}
}

static bool ensure_set_objects(struct pass *p, const struct cr_set *set, struct err *err)
{
	CLEANUP(json) struct json *service = NULL;
	CLEANUP(json) struct json *object = NULL;
	CLEANUP(json) struct json *budget = NULL;
	bool there;

	if (!desired_set(&p->cr, set, p->cr.paused ? 0 : set->size, &object, err) ||
	    !space_ensure(p->space, SPACE_SET, json_root(object), &there, err))
		return false;
	p->seen.rollout |= !there;
	return desired_set_budget(&p->cr, set, &budget, err) &&
	       space_ensure(p->space, SPACE_BUDGET, json_root(budget), NULL, err) &&
	       desired_set_service(&p->cr, set, &service, err) &&
	       space_ensure(p->space, SPACE_SERVICE, json_root(service), NULL, err);
}

/* --- replica sets ------------------------------------------------------------------------------------------------ */

/* Hosts of all wanted pods; false while one is missing or has no address. */
static bool all_hosts(const struct pass *p, const struct cr_set *set, struct keeper_want *want)
{
	const json_node *object = space_get(p->space, SPACE_SET, op_name("%s-%s", p->cr.name, set->name).text);

	if (!object || !json_is_at(object, "metadata/ownerReferences/0/uid", p->cr.uid))
		return false;
	for (int i = 0; i < set->size; i++) {
		const json_node *pod = pod_of(p, object, i);
		const char *address = json_text_at(pod, "status/podIP");

		if (!address || !*address || strlen(address) > 45)
			return false;
		snprintf(want->hosts[i], sizeof want->hosts[i], "%s:%d", address, OP_PORT);
	}
	want->members = set->size;
	return true;
}

static void find_router(const struct pass *p, const struct cr_set *set, struct keeper_want *want)
{
	const json_node *object = space_get(p->space, SPACE_SET, op_name("%s-mongos", p->cr.name).text);
	const json_node *pod = object ? pod_of(p, object, 0) : NULL;

	if (p->cr.topology == CR_SHARDED && !set->config_server && pod && pod_ready(pod))
		snprintf(want->router, sizeof want->router, "%s:%d", json_text_at(pod, "status/podIP"), OP_PORT);
}

static bool start_keeper(struct pass *p, int i, struct err *err)
{
	return p->cluster->keepers[i] ||
	       keeper_new(p->op->clock, p->space->notify_fd, &p->op->keepers_running, &p->cluster->keepers[i], err);
}

/* A member that is just being made again keeps its address: what was wanted before stays. */
static bool keep_set(struct pass *p, int i, struct err *err)
{
	const json_node *internal = space_get(p->space, SPACE_SECRET, p->cr.internal_secret);
	const struct cr_set *set = &p->cr.sets[i];
	struct op_cluster *c = p->cluster;
	struct keeper_want want;

	memset(&want, 0, sizeof want); /* compared as bytes */
	snprintf(want.set_name, sizeof want.set_name, "%s", set->name);
	want.config_server = set->config_server;
	if (internal && all_hosts(p, set, &want)) {
		if (!fill_read_users(internal, &want.users, err))
			return false;
		find_router(p, set, &want);
		c->wants[i] = want;
		op_credentials_clear(&want.users);
		if (!start_keeper(p, i, err))
			return false;
		keeper_set(c->keepers[i], &c->wants[i]);
	}
	if (c->keepers[i])
		keeper_look(c->keepers[i], &c->seen[i]);
	return true;
}

static void tell_trouble(struct pass *p)
{
	struct op_cluster *c = p->cluster;
	const char *trouble = "";

	for (int i = 0; i < p->cr.set_count && !*trouble; i++)
		trouble = c->seen[i].trouble;
	if (!strcmp(trouble, c->told))
		return;
	snprintf(c->told, sizeof c->told, "%s", trouble);
	if (*trouble)
		log_line(
		    p->op->log, LOG_WARN, "failed to reconcile cluster", "cluster", c->name, "error", trouble, NULL);
	else
		log_line(p->op->log, LOG_INFO, "replica sets are as they should be", "cluster", c->name, NULL);
}

static bool keep_sets(struct pass *p, struct err *err)
{
	struct op_cluster *c = p->cluster;

	c->set_count = p->cr.set_count;
	c->settled = c->initialized = true;
	for (int i = 0; i < p->cr.set_count; i++) {
		struct set_seen *s = &p->seen.sets[i];
		const json_node *object =
		    space_get(p->space, SPACE_SET, op_name("%s-%s", p->cr.name, p->cr.sets[i].name).text);

		if (!keep_set(p, i, err))
			return false;
		count_pods(p, object, p->cr.sets[i].size, &s->pods, &s->ready);
		s->initialized = c->seen[i].initialized ||
				 json_bool_at(p->cr.object,
				     op_name("status/replsets/%s/initialized", p->cr.sets[i].name).text, false);
		s->settled = c->seen[i].settled;
		s->added_as_shard = c->seen[i].shard;
		c->settled &= s->settled;
		c->initialized &= s->initialized;
	}
	p->seen.mongo_version = c->seen[0].version;
	tell_trouble(p);
	return true;
}

/* --- mongos, or what stands in for it ---------------------------------------------------------------------------- */

static bool remove_mongos(struct pass *p, struct err *err)
{
	struct op_name name = op_name("%s-mongos", p->cr.name);

	return space_remove(p->space, SPACE_SET, name.text, err) &&
	       space_remove(p->space, SPACE_SERVICE, name.text, err) &&
	       space_remove(p->space, SPACE_ENDPOINTS, name.text, err);
}

static bool put_endpoints(struct pass *p, const char *address, struct err *err)
{
	CLEANUP(json) struct json *endpoints = NULL;
	struct err why = ERR_INIT;

	if (!p->op->note_addresses) {
		if (desired_mongos_endpoints(&p->cr, address, &endpoints, &why) &&
		    space_ensure(p->space, SPACE_ENDPOINTS, json_root(endpoints), NULL, &why))
			return true;
		if (!loopback_refused(&why)) {
			*err = why;
			return false;
		}
		p->op->note_addresses = true;
		json_free(TAKE(endpoints));
	}
	return desired_mongos_note(&p->cr, address, &endpoints, err) &&
	       space_ensure(p->space, SPACE_ENDPOINTS, json_root(endpoints), NULL, err);
}

static bool ensure_endpoints(struct pass *p, struct err *err)
{
	const struct keeper_seen *s = &p->cluster->seen[0];
	char address[KEEPER_HOST_MAX];

	/* Nothing seen yet, by an operator that has just started: what is written stays. */
	if (!*s->primary && !*s->trouble)
		return true;
	snprintf(address, sizeof address, "%.*s", (int)strcspn(s->primary, ":"), s->primary);
	return put_endpoints(p, *address ? address : NULL, err);
}

static bool ensure_mongos_set(struct pass *p, struct err *err)
{
	const struct keeper_want *config = &p->cluster->wants[0];
	CLEANUP(json) struct json *object = NULL;
	char text[CR_MEMBERS_MAX * KEEPER_HOST_MAX + 16] = "cfg/";
	size_t len = strlen(text);

	if (!p->cluster->seen[0].initialized)
		return true;
	for (int i = 0; i < config->members; i++)
		len += (size_t)snprintf(text + len, sizeof text - len, "%s%s", i ? "," : "", config->hosts[i]);
	return desired_mongos(&p->cr, text, &object, err) &&
	       space_ensure(p->space, SPACE_SET, json_root(object), NULL, err);
}

static bool ensure_mongos(struct pass *p, struct err *err)
{
	struct op_name name = op_name("%s-mongos", p->cr.name);
	CLEANUP(json) struct json *service = NULL;

	if (p->cr.topology == CR_REPLSET)
		return remove_mongos(p, err);
	count_pods(p, space_get(p->space, SPACE_SET, name.text), p->cr.mongos_size, &p->seen.mongos_pods,
	    &p->seen.mongos_ready);
	if (operator_restoring(p->op, p->cr.name))
		return remove_mongos(p, err);
	if (p->cr.topology == CR_SHARDED && !ensure_mongos_set(p, err))
		return false;
	return desired_mongos_service(&p->cr, &service, err) &&
	       space_ensure(p->space, SPACE_SERVICE, json_root(service), &p->seen.host, err) &&
	       (p->cr.topology == CR_SHARDED || !p->seen.host || ensure_endpoints(p, err));
}

static bool has_host(const struct pass *p)
{
	const json_node *service =
	    space_get(p->space, SPACE_SERVICE, op_name("%s-%s", p->cr.name, p->cr.sets[0].name).text);

	return p->cr.topology == CR_REPLSET ? service && !kube_deleting(service) : p->seen.host;
}

/* --- the object itself ------------------------------------------------------------------------------------------- */

/* crVersion and the note, where they are missing. */
static bool complete_object(struct pass *p, struct err *err)
{
	const char *note = cr_note(&p->cr), *version = json_text_at(p->cr.object, "spec/crVersion");
	const char *have = kube_annotation(p->cr.object, OP_NOTE_ANNOTATION);
	CLEANUP(json) struct json *patch = NULL;
	bool change = false;

	if (!json_format(&patch, err, "{}"))
		return false;
	if (!version || !*version) {
		change = true;
		if (!json_set_text(json_edit(patch), "spec/crVersion", OP_VERSION, err))
			return false;
	}
	if (note && (!have || strcmp(have, note) != 0)) {
		change = true;
		if (!json_set_text(json_edit(patch), "metadata/annotations/psmdb-drill~1note", note, err))
			return false;
	}
	return !change || space_patch(p->space, SPACE_PSMDB, p->cr.object, json_root(patch), NULL, err);
}

static bool write_status(struct pass *p, struct err *err)
{
	CLEANUP(json) struct json *status = NULL;

	p->seen.backup_version = p->op->pbm_version;
	return status_make(
		   &p->cr, &p->seen, json_get(p->cr.object, "status"), clock_wall_ms(p->op->clock), &status, err) &&
	       space_status(p->space, SPACE_PSMDB, p->cr.object, json_root(status), err);
}

static bool build(struct pass *p, struct err *err)
{
	if (!complete_object(p, err) || !ensure_secrets(p, err))
		return false;
	for (int i = 0; i < p->cr.set_count; i++)
		if (!ensure_set_objects(p, &p->cr.sets[i], err))
			return false;
	/* PBM keeps the storages' keys in the database: they are known even when the Secrets are gone */
	operator_remember_keys(p->op, p->cluster, p->cr.object);
	return keep_sets(p, err) && ensure_mongos(p, err);
}

/* An error of the object's own is for its status; one of the way to the API server is for the log. */
static bool is_objects_error(const struct err *err)
{
	return err->code == ERR_REMOTE || err->code == ERR_STATE || err->code == ERR_PARSE ||
	       err->code == ERR_NOT_FOUND || err->code == ERR_UNSUPPORTED || err->code == ERR_LIMIT;
}

static bool reconcile(struct pass *p, struct err *err)
{
	struct err own = ERR_INIT;
	bool ok = p->cr.deleting ? keep_sets(p, &own) && teardown(p->space, &p->cr, &own) : build(p, &own);

	if (!ok && !is_objects_error(&own)) {
		*err = own;
		return false;
	}
	if (!ok) {
		log_line(p->op->log, LOG_ERROR, "reconcile", "cluster", p->cr.name, "error", own.msg, NULL);
		p->seen.error = own.msg;
	}
	p->seen.host = has_host(p);
	return write_status(p, err);
}

static struct op_cluster *slot_for(struct operator* op, const json_node *object)
{
	struct op_cluster *c = operator_cluster(op, object);

	for (int i = 0; !c && i < OPERATOR_CLUSTERS_MAX; i++)
		if (!*op->clusters[i].uid)
			c = &op->clusters[i];
	if (c) {
		snprintf(c->uid, sizeof c->uid, "%s", kube_uid(object));
		snprintf(c->name, sizeof c->name, "%s", kube_name(object));
		c->here = true;
	}
	return c;
}

static bool refuse(struct operator* op, const json_node *object, const char *text, struct err *err)
{
	CLEANUP(json) struct json *status = NULL;

	return status_of_error(text, json_get(object, "status"), clock_wall_ms(op->clock), &status, err) &&
	       space_status(&op->space, SPACE_PSMDB, object, json_root(status), err);
}

static bool reconcile_one(struct operator* op, const json_node *object, struct err *err)
{
	struct pass p = {.op = op, .space = &op->space};
	struct err wrong = ERR_INIT;

	p.seen.mongo_version = p.seen.backup_version = "";
	/* One that is going must be let go, whatever its spec says. */
	if (!cr_read(object, op->have_mongos, &p.cr, &wrong))
		return kube_deleting(object) ? teardown_unread(&op->space, object, err)
					     : refuse(op, object, wrong.msg, err);
	p.cluster = slot_for(op, object);
	if (!p.cluster)
		return refuse(op, object, "the sandbox's operator looks after 4 clusters at most", err);
	return reconcile(&p, err);
}

bool clusters_reconcile(struct operator* op, struct err *err)
{
	bool ok = true;

	for (int i = 0; i < OPERATOR_CLUSTERS_MAX; i++)
		op->clusters[i].here = false;
	for (const json_node *o = space_first(&op->space, SPACE_PSMDB); o && ok; o = json_next(o))
		ok = reconcile_one(op, o, err);
	for (int i = 0; i < OPERATOR_CLUSTERS_MAX && ok; i++)
		if (*op->clusters[i].uid && !op->clusters[i].here)
			operator_cluster_free(&op->clusters[i]);
	return ok;
}
