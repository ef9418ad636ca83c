#include "psmdb/cluster.h"

#include "psmdb/object_read.h"

#include <stdio.h>
#include <string.h>

#define LABEL "metadata/labels/app.kubernetes.io~1"

static void read_spec(const json_node *object, struct psmdb_cluster *c)
{
	const json_node *storages = json_at(object, "spec/backup/storages");

	object_text(object, "spec/crVersion", c->version, sizeof c->version);
	object_text(object, "spec/image", c->image, sizeof c->image);
	object_text(object, "spec/backup/image", c->backup_image, sizeof c->backup_image);
	c->sharded = json_bool_at(object, "spec/sharding/enabled", false);
	c->paused = json_bool_at(object, "spec/pause", false);
	c->unmanaged = json_bool_at(object, "spec/unmanaged", false);
	c->backups_enabled = json_bool_at(object, "spec/backup/enabled", false);
	c->pitr_enabled = json_bool_at(object, "spec/backup/pitr/enabled", false);
	for (const json_node *t = json_first(json_at(object, "spec/backup/tasks")); t; t = json_next(t))
		c->has_tasks |= json_bool_at(t, "enabled", false);
	for (const json_node *s = json_first(storages); s && c->storage_count < PSMDB_STORAGES_MAX; s = json_next(s))
		if (strlen(json_key(s)) < sizeof c->storages[0])
			snprintf(c->storages[c->storage_count++], sizeof c->storages[0], "%s", json_key(s));
	c->sets_wanted = json_count(json_at(object, "spec/replsets")) + (c->sharded ? 1 : 0);
}

static void read_status(const json_node *object, struct psmdb_cluster *c)
{
	const json_node *status = json_get(object, "status");
	int64_t generation = json_int_at(object, "metadata/generation", 0);

	object_text(status, "state", c->state_text, sizeof c->state_text);
	c->state = psmdb_cluster_state(c->state_text);
	object_text(status, "message", c->message, sizeof c->message);
	object_text(status, "host", c->host, sizeof c->host);
	c->size = json_int_at(status, "size", 0);
	c->ready = json_int_at(status, "ready", 0);
	/* old operators, and a server without generations, do not say */
	c->up_to_date = json_int_at(status, "observedGeneration", generation) >= generation;
	object_text(status, "mongoVersion", c->mongod_version, sizeof c->mongod_version);
	c->mongos_size = json_int_at(status, "mongos/size", 0);
	c->mongos_ready = json_int_at(status, "mongos/ready", 0);
	for (const json_node *n = json_first(json_get(status, "replsets")); n && c->set_count < PSMDB_SETS_MAX;
	     n = json_next(n)) {
		struct psmdb_set *set = &c->sets[c->set_count++];

		snprintf(set->name, sizeof set->name, "%s", json_key(n) ? json_key(n) : "");
		set->size = json_int_at(n, "size", 0);
		set->ready = json_int_at(n, "ready", 0);
		set->initialized = json_bool_at(n, "initialized", false);
		object_text(n, "status", set->status, sizeof set->status);
		object_text(n, "message", set->message, sizeof set->message);
	}
}

bool psmdb_cluster_read(const json_node *object, struct psmdb_cluster *ret, struct err *err)
{
	struct psmdb_cluster c = {0};

	if (!object_identity(object, c.namespace_, c.name, sizeof c.name, c.uid, sizeof c.uid, err))
		return err_wrap(err, "psmdb");
	if (!object_name(
		object, "metadata/annotations/kanister.kasten.io~1blueprint", c.blueprint, sizeof c.blueprint, err) ||
	    !object_name(object, "spec/secrets/users", c.users_secret, sizeof c.users_secret, err))
		return err_wrap(err, "psmdb \"%s\"", c.name);
	if (!*c.users_secret)
		snprintf(c.users_secret, sizeof c.users_secret, "percona-server-mongodb-users");
	object_text(object, "metadata/annotations/psmdb-drill~1note", c.note, sizeof c.note);
	c.deleting = json_text_at(object, "metadata/deletionTimestamp") != NULL;
	c.finalizer_count = object_finalizers(object, c.finalizers, PSMDB_FINALIZERS_MAX);
	read_spec(object, &c);
	read_status(object, &c);
	*ret = c;
	return true;
}

bool psmdb_cluster_has_storage(const struct psmdb_cluster *c, const char *name)
{
	for (size_t i = 0; i < c->storage_count; i++)
		if (!strcmp(c->storages[i], name))
			return true;
	return false;
}

bool psmdb_cluster_usable(const struct psmdb_cluster *c)
{
	return c->state == PSMDB_CLUSTER_READY && c->up_to_date && *c->host && !c->deleting;
}

void psmdb_cluster_progress(const struct psmdb_cluster *c, char *ret, size_t size)
{
	int at = snprintf(ret, size, "%s%s", c->deleting ? "being deleted, " : "",
	    c->state == PSMDB_CLUSTER_OTHER ? c->state_text : psmdb_cluster_phrase(c->state));

	for (size_t i = 0; i < c->set_count && at > 0 && (size_t)at + 100 < size; i++)
		at += snprintf(ret + at, size - (size_t)at, ", %s %lld of %lld", c->sets[i].name,
		    (long long)c->sets[i].ready, (long long)c->sets[i].size);
	if (c->mongos_size && at > 0 && (size_t)at < size)
		at += snprintf(ret + at, size - (size_t)at, ", mongos %lld of %lld", (long long)c->mongos_ready,
		    (long long)c->mongos_size);
	if (*c->message && at > 0 && (size_t)at < size)
		snprintf(ret + at, size - (size_t)at, ": %s", c->message);
}

bool psmdb_owns_volume(const json_node *pvc, const char *cluster)
{
	const char *name = json_text_at(pvc, "metadata/name");
	size_t len = strlen(cluster);

	if (json_at(pvc, LABEL "instance"))
		return json_is_at(pvc, LABEL "instance", cluster) &&
		       (json_is_at(pvc, LABEL "name", "percona-server-mongodb") ||
			   json_is_at(pvc, LABEL "managed-by", "percona-server-mongodb-operator"));
	if (!name || strncmp(name, "mongod-data-", 12) != 0 || strncmp(name + 12, cluster, len) != 0)
		return false;
	/* mongod-data-CLUSTER-SET-N, where neither SET nor N holds a dash: "a" does not own what is of "a-b" */
	name += 12 + len;
	return *name == '-' && strchr(name + 1, '-') && strchr(name + 1, '-') == strrchr(name, '-') && name[1] != '-' &&
	       strspn(strrchr(name, '-') + 1, "0123456789") == strlen(strrchr(name, '-') + 1) &&
	       *(strrchr(name, '-') + 1);
}

bool psmdb_owns_pod(const json_node *pod, const char *cluster)
{
	return json_is_at(pod, LABEL "instance", cluster) && json_is_at(pod, LABEL "name", "percona-server-mongodb");
}
