#include "verifier/collect.h"

#include "verifier/collect_internal.h"
#include "verifier/collect_members.h"
#include "verifier/collect_scan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void collection_free(struct collection *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->piece_count; i++) {
		tally_free(c->pieces[i].tally);
		owner_free(c->pieces[i].owner);
		homes_free(c->pieces[i].homes);
	}
	free(c->members);
	for (size_t i = 0; i < c->source_count; i++)
		link_close(&c->sources[i].link);
	free(c->sources);
	free(c->pieces);
	logins_clear(&c->logins);
	free(c->pbm);
	grants_clear(&c->grants);
	free(c);
}

bool collect_check_namespace(const char *ns, struct err *err)
{
	const char *dot = strchr(ns, '.');

	if (dot && dot != ns && dot[1] && strlen(ns) < TICK_NS_MAX)
		return true;
	err_set(err, ERR_USAGE, "\"%s\" is no namespace", ns);
	return err_hint(err, "write it as DATABASE.COLLECTION, at most %d bytes", TICK_NS_MAX - 1);
}

static void note(const struct collect_options *o, const char *what, const char *detail)
{
	if (o->progress.note)
		o->progress.note(o->progress.ctx, what, detail);
}

static void note_retry(void *ctx, const char *why)
{
	note(ctx, "trying again with a new connection", why);
}

/* --- who is read
 * ------------------------------------------------------------------------------------------------------------------ */

/* Several are the replica sets of one sharded cluster, each once. */
static bool check_together(const struct collection *c, struct err *err)
{
	const char *cluster = "", *of = "";

	for (size_t i = 0; i < c->source_count; i++) {
		const struct observed_set *s = &c->sources[i].facts;

		for (size_t j = 0; j < i; j++)
			if (!strcmp(c->sources[j].facts.name, s->name))
				return err_set(err, ERR_USAGE, "replica set \"%s\" is given twice", s->name);
		if (cluster[0] && s->cluster[0] && strcmp(cluster, s->cluster) != 0) {
			err_set(err, ERR_USAGE, "replica sets \"%s\" and \"%s\" are of different clusters (%s, %s)", of,
			    s->name, cluster, s->cluster);
			return err_hint(err, "several --uri are the replica sets of one sharded cluster");
		}
		if (s->cluster[0]) {
			cluster = s->cluster;
			of = s->name;
		}
	}
	return true;
}

/* All probes come before all reading: they are the recovery's last steps. */
static bool meet(const struct collect_options *o, struct collection *c, struct err *err)
{
	bool many = c->source_count > 1;

	for (size_t i = 0; i < c->source_count; i++)
		if (!source_meet(o, many, &c->sources[i], &c->logins, err))
			return many ? err_wrap(err, "\"%s\"", o->uris[i]) : false;
	/* who can still log in is asked of what was restored */
	return (o->describe || logins_try(o, &c->sources[0].link, &c->logins, err)) && check_together(c, err);
}

static struct source *config_server(struct collection *c)
{
	for (size_t i = 0; i < c->source_count; i++)
		if (!strcmp(c->sources[i].facts.role, SOURCE_CONFIG))
			return &c->sources[i];
	return NULL;
}

/* --- reading
 * ----------------------------------------------------------------------------------------------------------------------
 */

/* *ret NULL: nothing is left out. */
static bool find_owner(const struct collect_options *o, struct collection *c, const struct source *s, const char *ns,
    struct owner **ret, struct err *err)
{
	struct source *config = config_server(c);
	char why[160] = "no config server is among what is read", detail[TICK_NS_MAX + 300];

	if (strcmp(s->facts.role, SOURCE_SHARD) != 0)
		return true;
	if (config && !owner_load(&config->link, ns, s->facts.shard, ret, why, sizeof why, err))
		return err_wrap(err, "find out what shard \"%s\" owns of \"%s\"", s->facts.shard, ns);
	snprintf(detail, sizeof detail, "%s on %s: %s", ns, s->facts.name, why);
	if (!*ret && why[0])
		note(o, "orphans are not told apart, nothing is left out", detail);
	return true;
}

static void note_no_homes(const struct collect_options *o, const char *ns, const char *why)
{
	char detail[TICK_NS_MAX + 1200];

	snprintf(detail, sizeof detail, "%s: %s", ns, why);
	if (why[0])
		note(o, "on which replica set each tick lives is not known", detail);
}

static bool behind_mongos(const struct source *s)
{
	return s->open.sharded && !s->open.set_name[0];
}

static bool find_homes(const struct collect_options *o, struct source *s, struct piece *piece, struct err *err)
{
	char why[1100];

	if (!behind_mongos(s))
		return true;
	if (!homes_load(&s->link, piece->facts.ns, &piece->homes, why, sizeof why, err))
		return false;
	note_no_homes(o, piece->facts.ns, why);
	if (piece->homes)
		tally_homes(piece->tally, homes_find, piece->homes, homes_names(piece->homes));
	return true;
}

/* Had a chunk been moved while the documents were read, they would be said to live where they do not. */
static bool check_homes(const struct collect_options *o, struct source *s, struct piece *piece, struct err *err)
{
	CLEANUP(homes) struct homes *now = NULL;
	char why[1100];

	if (!piece->homes)
		return true;
	if (!homes_load(&s->link, piece->facts.ns, &now, why, sizeof why, err))
		return false;
	if (now && homes_equal(piece->homes, now))
		return true;
	tally_forget_homes(piece->tally);
	note_no_homes(o, piece->facts.ns,
	    now || !why[0] ? "chunks were moved, or the collection was made anew, while it was read; stop the balancer"
			   : why);
	return true;
}

static void note_orphans(const struct collect_options *o, const struct piece *piece)
{
	const struct owner *owner = piece->owner;
	char detail[TICK_NS_MAX + 160];

	snprintf(detail, sizeof detail, "%s on %s: %lld documents", piece->facts.ns, piece->facts.replica_set,
	    (long long)piece->facts.orphans);
	if (piece->facts.orphans)
		note(o, "orphans were left out", detail);
	snprintf(detail, sizeof detail, "%s on %s: %lld documents", piece->facts.ns, piece->facts.replica_set,
	    (long long)owner_untold(owner));
	if (owner_untold(owner))
		note(o, "whose these are could not be told, nothing of them was left out", detail);
}

static bool new_tally(const struct collect_options *o, const struct collection *c, struct piece *piece,
    const struct source *s, struct err *err)
{
	struct tally_limits limits = TALLY_LIMITS_DEFAULT;

	limits.anomalies = (size_t)o->max_anomalies;
	for (size_t i = 0; i < c->piece_count; i++) {
		limits.streams -= tally_streams(c->pieces[i].tally);
		limits.anomalies -= tally_anomalies(c->pieces[i].tally);
	}
	return tally_new(piece->facts.ns, s->open.set_name, &limits, &piece->tally, err);
}

static bool read_piece(
    const struct collect_options *o, struct source *s, const char *ns, struct collection *c, struct err *err)
{
	struct piece *piece = &c->pieces[c->piece_count];
	struct scan scan = {
	    .ns = ns, .after = s->open.read_after, .batch_size = o->batch_size, .progress = &o->progress};

	snprintf(piece->facts.ns, sizeof piece->facts.ns, "%s", ns);
	memcpy(piece->facts.replica_set, s->facts.name, sizeof piece->facts.replica_set);
	piece->source = s;
	if (!new_tally(o, c, piece, s, err))
		return false;
	c->piece_count++;
	if (o->describe)
		return tally_finish(piece->tally, err) && meta_namespace(&s->link, ns, &piece->facts, err);
	if (!find_owner(o, c, s, ns, &piece->owner, err))
		return false;
	scan.tally = piece->tally;
	if (piece->owner)
		tally_owner(piece->tally, owner_owns, piece->owner);
	if (!find_homes(o, s, piece, err) || !scan_run(&s->link, &scan, err) || !check_homes(o, s, piece, err))
		return false;
	piece->facts.documents = tally_counts(piece->tally).documents;
	piece->facts.orphans = tally_counts(piece->tally).orphans;
	if (piece->owner)
		note_orphans(o, piece);
	memcpy(s->open.read_from, scan.from, sizeof s->open.read_from);
	memcpy(s->facts.read_from, scan.from, sizeof s->facts.read_from);
	return meta_namespace(&s->link, ns, &piece->facts, err);
}

/* Of a sharded cluster PBM keeps them on the config server. */
static bool read_pbm(const struct collect_options *o, struct collection *c, struct err *err)
{
	struct source *config = config_server(c);
	struct err failure = ERR_INIT;

	c->pbm = malloc(sizeof *c->pbm);
	if (!c->pbm)
		return err_nomem(err);
	if (meta_pbm(config ? &config->link : &c->sources[0].link, c->pbm, &failure))
		return true;
	free(TAKE(c->pbm));
	if (failure.code == ERR_AUTH) {
		note(o, "PBM's records are left out", failure.msg);
		return true;
	}
	if (err)
		*err = failure;
	return false;
}

static bool read_grants(const struct collect_options *o, struct collection *c, struct err *err)
{
	struct source *config = config_server(c);

	if (!grants_read(config ? &config->link : &c->sources[0].link, o->logins, o->login_count, &c->grants, err))
		return false;
	if (!c->grants.state.known)
		note(o, "users and roles are left out", c->grants.state.detail);
	return true;
}

static bool describe_end(struct collection *c, struct err *err)
{
	struct observed_open *open = &c->sources[0].open;

	open->describes = true;
	for (size_t i = 0; i < c->source_count; i++) {
		struct optime until;

		if (!meta_operation_time(&c->sources[i].link, &until, err))
			return false;
		open->until = optime_max(open->until, until);
	}
	return true;
}

static bool gather(const struct collect_options *o, struct collection *c, struct err *err)
{
	if (!meet(o, c, err))
		return false;
	c->pieces = calloc(c->source_count * o->namespace_count, sizeof *c->pieces);
	if (!c->pieces)
		return err_nomem(err);
	for (size_t i = 0; i < c->source_count; i++)
		for (size_t n = 0; n < o->namespace_count; n++)
			if (!read_piece(o, &c->sources[i], o->namespaces[n], c, err))
				return false;
	if (!read_grants(o, c, err))
		return false;
	if (o->describe)
		return describe_end(c, err);
	return (!o->each_member || members_read(o, c, err)) && read_pbm(o, c, err);
}

static bool check_options(const struct collect_options *o, struct err *err)
{
	if (!o->uri_count || o->uri_count > COLLECT_SETS_MAX)
		return err_set(
		    err, ERR_USAGE, "%zu replica sets to read, 1 to %d are possible", o->uri_count, COLLECT_SETS_MAX);
	if (!o->namespace_count || o->namespace_count * o->uri_count > COLLECT_NAMESPACES_MAX ||
	    o->login_count > COLLECT_LOGINS_MAX)
		return err_set(err, ERR_USAGE,
		    "%zu namespaces on each of %zu replica sets, and %zu logins to try: 1 to %d together and 0 to %d "
		    "are "
		    "possible",
		    o->namespace_count, o->uri_count, o->login_count, COLLECT_NAMESPACES_MAX, COLLECT_LOGINS_MAX);
	for (size_t i = 0; i < o->namespace_count; i++) {
		if (!collect_check_namespace(o->namespaces[i], err))
			return false;
		for (size_t j = 0; j < i; j++)
			if (!strcmp(o->namespaces[i], o->namespaces[j]))
				return err_set(err, ERR_USAGE, "namespace \"%s\" is given twice", o->namespaces[i]);
	}
	return true;
}

static bool make_sources(
    const struct clock *clock, const volatile int *stop, struct collection *c, const struct collect_options *o)
{
	c->sources = calloc(o->uri_count, sizeof *c->sources);
	if (!c->sources)
		return false;
	for (; c->source_count < o->uri_count; c->source_count++)
		c->sources[c->source_count].link = (struct link){
		    .target = {.uri = o->uris[c->source_count],
			.user = o->user,
			.password = o->password,
			.app_name = "psmdb-verify collect",
			.retry_writes = true},
		    .clock = clock,
		    .stop = stop,
		    .retrying = note_retry,
		    .ctx = (void *)o,
		};
	return true;
}

bool collect_gather(const struct collect_options *options, const struct clock *clock, const volatile int *stop,
    struct collection **ret, struct err *err)
{
	struct collect_options o = *options;
	CLEANUP(collection) struct collection *c = NULL;

	if (!check_options(&o, err))
		return false;
	c = calloc(1, sizeof *c);
	if (!c || !make_sources(clock, stop, c, &o))
		return err_nomem(err);
	if (!gather(&o, c, err))
		return false;
	for (size_t i = 0; i < c->source_count; i++)
		link_close(&c->sources[i].link);
	*ret = TAKE(c);
	return true;
}
