#include "verifier/collect_probe.h"

#include "base/cleanup.h"
#include "mongo/bson_util.h"

#include <stdio.h>
#include <string.h>

#define PROBE_ID "psmdb-verify collect"
#define TRY_MS 10000	    /* one majority read or write */
#define SELECT_LEAST_MS 500 /* server selection of one attempt */
#define SELECT_MOST_MS 2000
#define USER_ATTEMPTS 3

enum { CODE_AUTHENTICATION_FAILED = 18 };

void probes_init(struct probes *p, struct link *link, int64_t wait_ms)
{
	int64_t now = clock_mono_ms(link->clock);

	*p = (struct probes){.link = link, .start_ms = now, .deadline_ms = now + wait_ms};
}

typedef bool probe_act(struct probes *p, const char *ns, struct err *err);

/*
 * With a new client: no stale view of the topology, and a new login. But what the probe before has opened is as good for the first
 * attempt of the next.
 */
static bool attempt(struct probes *p, probe_act *act, const char *ns, bool first, struct err *err)
{
	bool goes_on = first && p->opened && p->link->client;
	int64_t left = p->deadline_ms - clock_mono_ms(p->link->clock);
	int64_t usual = p->link->target.select_timeout_ms;
	bool ok;

	p->link->target.select_timeout_ms =
	    left < SELECT_LEAST_MS ? SELECT_LEAST_MS : (left > SELECT_MOST_MS ? SELECT_MOST_MS : left);
	p->link->code = 0;
	ok = (goes_on || link_open(p->link, err)) && act(p, ns, err);
	p->opened = ok;
	p->link->target.select_timeout_ms = usual;
	return ok;
}

static bool is_final(const struct err *err, bool login, bool denied_before)
{
	return err->code == ERR_USAGE || err->code == ERR_NOMEM || (!login && err->code == ERR_AUTH && denied_before);
}

static bool act_login(struct probes *p, const char *ns, struct err *err)
{
	BSON_CLEANUP bson_t command = BSON_INITIALIZER;
	BSON_CLEANUP bson_t reply;
	bool ok;

	(void)ns;
	BSON_APPEND_INT32(&command, "ping", 1);
	ok = link_command(p->link, "admin", &command, NULL, &reply, err);
	return ok;
}

static bool probe(
    struct probes *p, const char *name, probe_act *act, const char *ns, struct observed_probe *ret, struct err *err)
{
	const struct clock *clock = p->link->clock;
	struct observed_probe probe = {0};
	struct err inner;
	bool denied = false, last;

	snprintf(probe.name, sizeof probe.name, "%s", name);
	do {
		inner = (struct err)ERR_INIT;
		if (link_stopped(p->link, &inner))
			break;
		probe.attempts++;
		probe.ok = attempt(p, act, ns, probe.attempts == 1, &inner);
		probe.at_ms = clock_wall_ms(clock);
		last = probe.ok || is_final(&inner, act == act_login, denied) ||
		       clock_mono_ms(clock) + LINK_PAUSE_MS > p->deadline_ms;
		denied = inner.code == ERR_AUTH;
		if (!last && probe.attempts == 1 && p->link->retrying)
			p->link->retrying(p->link->ctx, inner.msg);
		if (!last)
			clock_sleep_until(
			    clock, clock_mono_ns(clock) + LINK_PAUSE_MS * INT64_C(1000000), p->link->stop);
	} while (!last);
	probe.elapsed_ms = clock_mono_ms(clock) - p->start_ms;
	snprintf(probe.detail, sizeof probe.detail, "%.*s", (int)sizeof probe.detail - 1, inner.msg);
	*ret = probe;
	if (probe.ok)
		return true;
	if (inner.code != ERR_USAGE && inner.code != ERR_INTERRUPTED)
		err_wrap(&inner, "first %s, after %lld attempts in %.1f s", name, (long long)probe.attempts,
		    (double)probe.elapsed_ms / 1000);
	if (err)
		*err = inner;
	return false;
}

static bool act_read(struct probes *p, const char *ns, struct err *err)
{
	BSON_CLEANUP bson_t command = BSON_INITIALIZER, opts = BSON_INITIALIZER;
	BSON_CLEANUP bson_t reply;
	mongoc_read_concern_t *concern = mongoc_read_concern_new();
	const char *dot = strchr(ns, '.');
	char db[TICK_NS_MAX];
	bool ok;

	snprintf(db, sizeof db, "%.*s", (int)(dot - ns), ns);
	BSON_APPEND_UTF8(&command, "find", dot + 1);
	BSON_APPEND_INT32(&command, "limit", 1);
	BSON_APPEND_BOOL(&command, "singleBatch", true);
	BSON_APPEND_INT32(&command, "maxTimeMS", TRY_MS);
	mongoc_read_concern_set_level(concern, MONGOC_READ_CONCERN_LEVEL_MAJORITY);
	mongoc_read_concern_append(concern, &opts);
	mongoc_read_concern_destroy(concern);
	ok = link_command(p->link, db, &command, &opts, &reply, err);
	return ok;
}

static bool act_write(struct probes *p, const char *ns, struct err *err)
{
	BSON_CLEANUP bson_t filter = BSON_INITIALIZER, update = BSON_INITIALIZER, opts = BSON_INITIALIZER;
	BSON_CLEANUP bson_t reply;
	mongoc_collection_t *collection = mongoc_client_get_collection(p->link->client, "drill", "probe");
	mongoc_write_concern_t *concern = mongoc_write_concern_new();
	bson_error_t error = {0};
	bson_t set;
	bool ok;

	(void)ns;
	BSON_APPEND_UTF8(&filter, "_id", PROBE_ID);
	BSON_APPEND_DOCUMENT_BEGIN(&update, "$set", &set);
	BSON_APPEND_DATE_TIME(&set, "at", clock_wall_ms(p->link->clock));
	bson_append_document_end(&update, &set);
	BSON_APPEND_BOOL(&opts, "upsert", true);
	mongoc_write_concern_set_wmajority(concern, TRY_MS);
	mongoc_write_concern_append(concern, &opts);
	mongoc_write_concern_destroy(concern);
	reply_watch_begin(&p->link->watch);
	ok = mongoc_collection_update_one(collection, &filter, &update, &opts, &reply, &error);
	mongoc_collection_destroy(collection);
	if (!ok)
		return link_fail(p->link, &error, &reply, "write to \"" PROBE_NS "\"", err);
	if (!p->link->watch.seen.has_optime)
		return err_set(err, ERR_REMOTE, "write to \"" PROBE_NS "\": the reply lacks \"operationTime\"");
	p->written = p->link->watch.seen.optime;
	return true;
}

bool probe_login(struct probes *p, struct observed_probe *ret, struct err *err)
{
	return probe(p, "login", act_login, NULL, ret, err);
}

bool probe_read(struct probes *p, const char *ns, struct observed_probe *ret, struct err *err)
{
	return probe(p, "read", act_read, ns, ret, err);
}

bool probe_write(struct probes *p, struct observed_probe *ret, struct err *err)
{
	return probe(p, "write", act_write, NULL, ret, err);
}

void probe_user(const struct link *link, const struct mongo_credentials *who, struct observed_login *ret)
{
	struct link other = {.target = link->target, .clock = link->clock, .stop = link->stop};
	struct probes p = {.link = &other};
	struct err err = ERR_INIT;

	*ret = (struct observed_login){0};
	memcpy(ret->user, who->user, sizeof ret->user);
	other.target.user = who->user;
	other.target.password = who->password;
	for (int i = 0; i < USER_ATTEMPTS && !ret->ok && !link_stopped(&other, NULL); i++) {
		if (i)
			clock_sleep_until(
			    link->clock, clock_mono_ns(link->clock) + LINK_PAUSE_MS * INT64_C(1000000), link->stop);
		err = (struct err)ERR_INIT;
		ret->ok = link_open(&other, &err) && act_login(&p, NULL, &err);
	}
	if (!ret->ok) {
		ret->code = !other.code && err.code == ERR_AUTH ? CODE_AUTHENTICATION_FAILED : other.code;
		snprintf(ret->detail, sizeof ret->detail, "%.*s", (int)sizeof ret->detail - 1, err.msg);
	}
	link_close(&other);
}
