#include "sandbox/operator/keeper.h"

#include "mongo/bson_util.h"
#include "mongo/client.h"
#include "sandbox/parts/cluster.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LOOK_MS 250
#define LOOK_LIMIT_MS 1000 /* a member that does not say hello within that is not asked further in this round */
#define STEP_LIMIT_MS 30000
#define LOGIN_MS 3000 /* between two logins that went well */
#define STACK_BYTES ((size_t)1 << 20)

struct keeper {
	const struct clock *clock;
	int notify_fd;
	atomic_int *running;
	volatile int stop;

	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct keeper_want want;
	struct keeper_seen seen;
	uint64_t version; /* of want */
	bool login_due;
};

static const char *const roles[] = {
    "{\"createRole\": \"explainRole\", \"privileges\": [{\"resource\": {\"db\": \"\", \"collection\": "
    "\"system.profile\"}, \"actions\": [\"listIndexes\", \"listCollections\", \"dbStats\", \"dbHash\", "
    "\"collStats\", \"find\"]}], \"roles\": []}",
    "{\"createRole\": \"pbmAnyAction\", \"privileges\": [{\"resource\": {\"anyResource\": true}, \"actions\": "
    "[\"anyAction\"]}], \"roles\": []}",
};

static const char *const user_roles[OP_USER_COUNT] = {
    [OP_USER_ADMIN] = "[\"userAdminAnyDatabase\"]",
    [OP_CLUSTER_ADMIN] = "[\"clusterAdmin\"]",
    [OP_CLUSTER_MONITOR] = "[\"explainRole\", {\"role\": \"read\", \"db\": \"local\"}, \"clusterMonitor\"]",
    [OP_DATABASE_ADMIN] = "[\"readWriteAnyDatabase\", \"readAnyDatabase\", \"restore\", \"backup\", "
			  "\"dbAdminAnyDatabase\", \"clusterMonitor\"]",
    [OP_BACKUP] = "[\"readWrite\", \"backup\", \"clusterMonitor\", \"restore\", \"pbmAnyAction\"]",
};

void keeper_users(
    const struct op_credentials *credentials, struct cluster_user list[static OP_USER_COUNT], struct cluster_users *ret)
{
	for (int i = 0; i < OP_USER_COUNT; i++)
		list[i] = (struct cluster_user){credentials->name[i], credentials->password[i], user_roles[i]};
	*ret = (struct cluster_users){roles, sizeof roles / sizeof *roles, list, OP_USER_COUNT};
}

/* --- the thread -------------------------------------------------------------------------------------------------- */

/* What one thread knows between two looks. */
struct look {
	struct keeper *k;
	struct keeper_want want;
	const char *hosts[CR_MEMBERS_MAX];
	struct cluster cluster;
	bool users_made;
	int64_t login_at_ms;
	int primary; /* -1: none */
	struct keeper_seen seen;
};

static void take_want(struct look *l)
{
	for (int i = 0; i < l->want.members; i++)
		l->hosts[i] = l->want.hosts[i];
	l->cluster = (struct cluster){.set_name = l->want.set_name,
	    .hosts = l->hosts,
	    .members = l->want.members,
	    .config_server = l->want.config_server,
	    .clock = l->k->clock,
	    .stop = &l->k->stop,
	    .timeout_ms = STEP_LIMIT_MS,
	    .select_timeout_ms = LOOK_LIMIT_MS};
	l->users_made = false;
	l->login_at_ms = 0;
	l->primary = -1;
	l->seen = (struct keeper_seen){0};
}

/* All of them answer, and none has a configuration: then, and only then, a new one is given to them. */
static bool initiate(struct look *l, struct err *err)
{
	bool initiated = false;

	for (int i = 0; i < l->want.members; i++)
		if (!cluster_is_initiated(&l->cluster, i, &initiated, err) || initiated)
			return initiated;
	l->users_made = false;
	return cluster_initiate(&l->cluster, err);
}

static bool make_users(struct look *l, struct err *err)
{
	struct cluster_user list[OP_USER_COUNT];
	struct cluster_users users;
	struct cluster slow = l->cluster;

	if (l->users_made)
		return true;
	slow.select_timeout_ms = 0;
	keeper_users(&l->want.users, list, &users);
	l->users_made = cluster_calm(&slow, l->primary, err) && cluster_make_users(&slow, l->primary, &users, err);
	return l->users_made;
}

/* As the operator itself does with clusterAdmin; databaseAdmin is what a user's programs log in with. */
static bool login(struct look *l, int64_t now_ms, struct err *err)
{
	static const enum op_user who[] = {OP_CLUSTER_ADMIN, OP_DATABASE_ADMIN};
	struct cluster slow = l->cluster;

	if (now_ms < l->login_at_ms)
		return l->seen.settled;
	slow.select_timeout_ms = 0;
	for (size_t i = 0; i < sizeof who / sizeof *who; i++)
		if (!cluster_login(&slow, l->primary, l->want.users.name[who[i]], l->want.users.password[who[i]],
			l->seen.version, err))
			return err_wrap(err, "dial as user \"%s\"", l->want.users.name[who[i]]);
	l->login_at_ms = now_ms + LOGIN_MS;
	return true;
}

static bool has_shard(const bson_t *reply, const char *name)
{
	bson_iter_t list, shard, field;

	if (!bson_path(reply, "shards", &list) || !BSON_ITER_HOLDS_ARRAY(&list) || !bson_iter_recurse(&list, &shard))
		return false;
	while (bson_iter_next(&shard)) {
		if (BSON_ITER_HOLDS_DOCUMENT(&shard) && bson_iter_recurse(&shard, &field) &&
		    bson_iter_find(&field, "_id") && BSON_ITER_HOLDS_UTF8(&field) &&
		    !strcmp(bson_iter_utf8(&field, NULL), name))
			return true;
	}
	return false;
}

static bool add_shard(struct look *l, struct err *err)
{
	char uri[128], shard[CR_MEMBERS_MAX * KEEPER_HOST_MAX + 80];
	struct mongo_target target = {.uri = uri,
	    .user = l->want.users.name[OP_CLUSTER_ADMIN],
	    .password = l->want.users.password[OP_CLUSTER_ADMIN],
	    .app_name = "psmdb-sandbox",
	    .select_timeout_ms = 3000};
	CLEANUP(mongoc_client) mongoc_client_t *client = NULL;
	BSON_CLEANUP bson_t list = BSON_INITIALIZER;
	BSON_CLEANUP bson_t add = BSON_INITIALIZER;
	BSON_CLEANUP bson_t reply = BSON_INITIALIZER;
	BSON_CLEANUP bson_t added = BSON_INITIALIZER;

	if (l->seen.shard || !*l->want.router)
		return true;
	snprintf(uri, sizeof uri, "mongodb://%s/", l->want.router);
	if (!mongo_client_new(&target, &client, err))
		return false;
	BSON_APPEND_INT32(&list, "listShards", 1);
	bson_destroy(&reply);
	if (!mongo_command(client, "admin", &list, &reply, err))
		return err_wrap(err, "failed to get mongos connection");
	l->seen.shard = has_shard(&reply, l->want.set_name);
	if (l->seen.shard)
		return true;
	snprintf(shard, sizeof shard, "%s/%s", l->want.set_name, l->want.hosts[l->primary]);
	BSON_APPEND_UTF8(&add, "addShard", shard);
	bson_destroy(&added);
	l->seen.shard = mongo_command(client, "admin", &add, &added, err);
	return l->seen.shard || err_wrap(err, "failed to add shard");
}

static bool keep(struct look *l, int64_t now_ms, struct err *err)
{
	if (l->primary < 0 && !initiate(l, err))
		return false;
	if (!cluster_find_primary(&l->cluster, &l->primary)) {
		l->primary = -1;
		return err_set(err, ERR_STATE, "replica set \"%s\" has no primary", l->want.set_name);
	}
	snprintf(l->seen.primary, sizeof l->seen.primary, "%s", l->want.hosts[l->primary]);
	if (!make_users(l, err) || !login(l, now_ms, err))
		return false;
	l->seen.initialized = true;
	return add_shard(l, err);
}

static void look(struct look *l)
{
	struct err err = ERR_INIT;
	bool good;

	*l->seen.trouble = '\0';
	*l->seen.primary = '\0';
	good = keep(l, clock_mono_ms(l->k->clock), &err);
	if (!good)
		l->login_at_ms = 0;
	l->seen.settled = good;
	if (!good)
		snprintf(l->seen.trouble, sizeof l->seen.trouble, "%.399s", err.msg);
}

static void publish(struct look *l)
{
	const uint64_t one = 1;
	bool changed;

	pthread_mutex_lock(&l->k->lock);
	changed = memcmp(&l->k->seen, &l->seen, sizeof l->seen) != 0;
	if (changed)
		l->k->seen = l->seen;
	pthread_mutex_unlock(&l->k->lock);
	if (changed && write(l->k->notify_fd, &one, sizeof one) != (ssize_t)sizeof one)
		return; /* the counter is full, so somebody is going to look anyway */
}

static void pause_thread(struct keeper *k)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += LOOK_MS * 1000000L;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	pthread_cond_timedwait(&k->wake, &k->lock, &until);
}

static void destroy(struct keeper *k)
{
	atomic_int *running = k->running;

	pthread_cond_destroy(&k->wake);
	pthread_mutex_destroy(&k->lock);
	op_credentials_clear(&k->want.users);
	free(k);
	atomic_fetch_sub(running, 1);
}

static void *run(void *arg)
{
	struct keeper *k = arg;
	struct look l = {.k = k, .primary = -1};
	uint64_t version = 0;

	for (;;) {
		pthread_mutex_lock(&k->lock);
		if (!k->stop && version == k->version)
			pause_thread(k);
		if (k->stop) {
			pthread_mutex_unlock(&k->lock);
			break;
		}
		if (version != k->version) {
			version = k->version;
			l.want = k->want;
			take_want(&l);
		}
		if (k->login_due)
			l.login_at_ms = 0;
		k->login_due = false;
		pthread_mutex_unlock(&k->lock);
		if (l.want.members)
			look(&l);
		publish(&l);
	}
	op_credentials_clear(&l.want.users);
	destroy(k);
	return NULL;
}

/* --- the main thread's side -------------------------------------------------------------------------------------- */

static bool start(struct keeper *k)
{
	pthread_condattr_t monotonic;
	pthread_attr_t attr;
	pthread_t thread;
	bool ok;

	if (pthread_condattr_init(&monotonic) || pthread_attr_init(&attr))
		return false;
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	atomic_fetch_add(k->running, 1);
	ok = !pthread_cond_init(&k->wake, &monotonic) && !pthread_create(&thread, &attr, run, k);
	pthread_attr_destroy(&attr);
	pthread_condattr_destroy(&monotonic);
	if (!ok)
		atomic_fetch_sub(k->running, 1);
	return ok;
}

bool keeper_new(const struct clock *clock, int notify_fd, atomic_int *running, struct keeper **ret, struct err *err)
{
	struct keeper *k = calloc(1, sizeof *k);

	if (!k)
		return err_nomem(err);
	k->clock = clock;
	k->notify_fd = notify_fd;
	k->running = running;
	pthread_mutex_init(&k->lock, NULL);
	if (!start(k)) {
		pthread_mutex_destroy(&k->lock);
		free(k);
		return err_set(err, ERR_NOMEM, "start a thread: out of memory or threads");
	}
	*ret = k;
	return true;
}

void keeper_release(struct keeper *k)
{
	if (!k)
		return;
	pthread_mutex_lock(&k->lock);
	k->stop = 1;
	pthread_cond_signal(&k->wake);
	pthread_mutex_unlock(&k->lock);
}

void keeper_set(struct keeper *k, const struct keeper_want *want)
{
	pthread_mutex_lock(&k->lock);
	if (memcmp(&k->want, want, sizeof *want) != 0) {
		/* what was seen of other members or with other passwords says nothing any more */
		k->want = *want;
		k->seen = (struct keeper_seen){0};
		k->version++;
		pthread_cond_signal(&k->wake);
	}
	pthread_mutex_unlock(&k->lock);
}

void keeper_look(struct keeper *k, struct keeper_seen *ret)
{
	pthread_mutex_lock(&k->lock);
	*ret = k->seen;
	pthread_mutex_unlock(&k->lock);
}

void keeper_check_login(struct keeper *k)
{
	pthread_mutex_lock(&k->lock);
	k->login_due = true;
	pthread_cond_signal(&k->wake);
	pthread_mutex_unlock(&k->lock);
}
