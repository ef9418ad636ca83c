#include "verifier/collect_source.h"

#include "mongo/bson_util.h"
#include "verifier/collect_meta.h"
#include "verifier/collect_probe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void note(const struct collect_options *o, const char *what, const char *detail)
{
	if (o->progress.note)
		o->progress.note(o->progress.ctx, what, detail);
}

/* --- logins
 * ---------------------------------------------------------------------------------------------------------------------- */

void logins_clear(struct logins *logins)
{
	free(logins->items);
	*logins = (struct logins){0};
}

bool logins_try(const struct collect_options *o, const struct link *link, struct logins *logins, struct err *err)
{
	if (!o->login_count || logins->items)
		return true;
	logins->items = calloc(o->login_count, sizeof *logins->items);
	if (!logins->items)
		return err_nomem(err);
	while (logins->count < o->login_count) {
		probe_user(link, &o->logins[logins->count], &logins->items[logins->count]);
		logins->count++;
		if (link_stopped(link, err))
			return false;
	}
	return true;
}

/*
 * The user that was to read cannot log in: the restore has brought other passwords. Who of the others can read stands in, so that it
 * is known what is there; that the first one could not stays in the evidence.
 */
static bool stand_in(
    const struct collect_options *o, struct link *link, struct logins *logins, bool *ret_found, struct err *err)
{
	*ret_found = false;
	if (!logins_try(o, link, logins, err))
		return false;
	for (size_t i = 0; i < logins->count && !*ret_found; i++) {
		struct observed_probe probe;
		struct probes probes;

		if (!logins->items[i].ok)
			continue;
		link->target.user = o->logins[i].user;
		link->target.password = o->logins[i].password;
		probes_init(&probes, link, 0);
		*ret_found = probe_read(&probes, o->namespaces[0], &probe, NULL);
		if (*ret_found)
			note(o, "reading as another user of the secrets", logins->items[i].user);
		else if (link_stopped(link, err))
			return false;
	}
	return true;
}

/* --- who it is
 * ------------------------------------------------------------------------------------------------------------------- */

static bool act_identify(struct link *link, void *arg, struct err *err)
{
	return mongo_identify(link->client, arg, err);
}

static bool act_clock(struct link *link, void *arg, struct err *err)
{
	return mongo_clock_offset(link->client, link->clock, arg, err);
}

static bool identify(struct source *s, struct err *err)
{
	struct mongo_identity id;
	struct mongo_clock_offset offset;
	struct observed_open *open = &s->open;
	struct optime majority;

	if (!link_try(&s->link, act_identify, &id, err) || !link_try(&s->link, act_clock, &offset, err) ||
	    !meta_majority_time(&s->link, &majority, err))
		return false;
	open->at_ms = clock_wall_ms(s->link.clock);
	snprintf(open->collector, sizeof open->collector, "psmdb-verify %s", PSMDB_DRILL_VERSION);
	memcpy(open->cluster_kind, id.kind, sizeof open->cluster_kind);
	memcpy(open->cluster_id, id.id, sizeof open->cluster_id);
	memcpy(open->set_name, id.set_name, sizeof open->set_name);
	memcpy(open->version, id.version, sizeof open->version);
	memcpy(open->fcv, id.fcv, sizeof open->fcv);
	open->sharded = id.sharded;
	snprintf(open->read_concern, sizeof open->read_concern, "majority");
	open->read_after = majority;
	open->clock_offset_ms = offset.offset_ms;
	open->clock_error_ms = offset.error_ms;
	return true;
}

static void keep_cluster(const bson_t *doc, struct observed_set *ret)
{
	bson_oid_t oid;

	if (bson_path_oid(doc, "clusterId", &oid))
		bson_oid_to_string(&oid, ret->cluster);
}

/* clusterId of a config server, which a cluster without a shard does not have yet. */
static bool read_cluster(struct link *link, struct observed_set *ret, struct err *err)
{
	BSON_CLEANUP bson_t command = BSON_INITIALIZER;
	BSON_CLEANUP bson_t reply;
	bson_t first;
	bool ok;

	BSON_APPEND_UTF8(&command, "find", "version");
	BSON_APPEND_INT32(&command, "limit", 1);
	BSON_APPEND_BOOL(&command, "singleBatch", true);
	ok = link_command(link, "config", &command, NULL, &reply, err);
	if (ok && bson_path_doc(&reply, "cursor.firstBatch.0", &first))
		keep_cluster(&first, ret);
	return ok;
}

static bool read_shard(struct link *link, struct observed_set *ret, struct err *err)
{
	BSON_CLEANUP bson_t command = BSON_INITIALIZER;
	BSON_CLEANUP bson_t reply;
	bool ok, enabled = false;
	const char *name;

	BSON_APPEND_INT32(&command, "shardingState", 1);
	ok = link_command(link, "admin", &command, NULL, &reply, err);
	if (!ok || !bson_path_bool(&reply, "enabled", &enabled) || !enabled)
		return ok;
	snprintf(ret->role, sizeof ret->role, SOURCE_SHARD);
	name = bson_path_utf8(&reply, "shardName", NULL);
	snprintf(ret->shard, sizeof ret->shard, "%s", name ? name : "");
	keep_cluster(&reply, ret);
	return true;
}

static bool act_role(struct link *link, void *arg, struct err *err)
{
	BSON_CLEANUP bson_t command = BSON_INITIALIZER;
	BSON_CLEANUP bson_t reply;
	struct observed_set *ret = arg;
	int64_t config;
	bool ok;

	BSON_APPEND_INT32(&command, "hello", 1);
	ok = link_command(link, "admin", &command, NULL, &reply, err);
	if (!ok)
		return false;
	if (!bson_path_i64(&reply, "configsvr", &config))
		return read_shard(link, ret, err);
	snprintf(ret->role, sizeof ret->role, SOURCE_CONFIG);
	return read_cluster(link, ret, err);
}

static bool find_role(struct source *s, struct err *err)
{
	if (!s->open.set_name[0]) {
		err_set(err, ERR_USAGE, "\"%s\" is a mongos, and not the only address", s->link.target.uri);
		return err_hint(err, "give a mongos alone, or the config server and each shard without it");
	}
	if (!link_try(&s->link, act_role, &s->facts, err)) {
		if (err && err->code == ERR_AUTH)
			err_hint(err, "grant the user clusterMonitor on each replica set");
		return err_wrap(err, "find out which part of a cluster \"%s\" is", s->open.set_name);
	}
	if (!s->facts.role[0]) {
		err_set(err, ERR_USAGE, "replica set \"%s\" is no part of a sharded cluster", s->open.set_name);
		return err_hint(
		    err, "several --uri are the replica sets of one sharded cluster; read others one by one");
	}
	memcpy(s->facts.name, s->open.set_name, sizeof s->facts.name);
	memcpy(s->facts.id, s->open.cluster_id, sizeof s->facts.id);
	memcpy(s->facts.version, s->open.version, sizeof s->facts.version);
	return true;
}

/* --- probes
 * ---------------------------------------------------------------------------------------------------------------------- */

static bool first_read(
    const struct collect_options *o, struct source *s, struct probes *probes, struct logins *logins, struct err *err)
{
	struct err failure = ERR_INIT;
	bool found = false;

	probes_init(probes, &s->link, o->wait_ms);
	if (!probe_login(probes, &s->probes[s->probe_count++], &failure)) {
		if (failure.code == ERR_AUTH && o->login_count && !stand_in(o, &s->link, logins, &found, err))
			return false;
		if (!found) {
			if (err)
				*err = failure;
			return false;
		}
		probes_init(probes, &s->link, o->wait_ms);
	}
	return probe_read(probes, o->namespaces[0], &s->probes[s->probe_count++], err);
}

/* Only a failure that ends everything is one. */
static bool first_write(const struct collect_options *o, struct source *s, struct probes *probes, struct err *err)
{
	struct err failure = ERR_INIT;

	if (!o->write_probe || o->describe || !strcmp(s->facts.role, SOURCE_CONFIG) ||
	    probe_write(probes, &s->probes[s->probe_count++], &failure))
		return true;
	if (failure.code == ERR_INTERRUPTED) {
		if (err)
			*err = failure;
		return false;
	}
	note(o, "the write probe failed, reading goes on", failure.msg);
	return true;
}

bool source_meet(const struct collect_options *o, bool many, struct source *s, struct logins *logins, struct err *err)
{
	struct probes probes;
	bool ok;

	if (!first_read(o, s, &probes, logins, err))
		return false;
	/* the probes' client has a short server selection */
	ok = !many || (link_open(&s->link, err) && identify(s, err) && find_role(s, err));
	if (!ok || !first_write(o, s, &probes, err) || !link_open(&s->link, err) || !identify(s, err))
		return false;
	s->open.read_after = optime_max(s->open.read_after, probes.written);
	s->facts.read_after = s->open.read_after;
	for (size_t i = 0; many && i < s->probe_count; i++)
		memcpy(s->probes[i].replica_set, s->open.set_name, sizeof s->probes[i].replica_set);
	return true;
}
