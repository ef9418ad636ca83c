#include "verifier/collect.h"

#include "verifier/collect_grants.h"
#include "verifier/collect_link.h"
#include "verifier/collect_meta.h"
#include "verifier/collect_probe.h"
#include "verifier/collect_scan.h"
#include "verifier/collect_tally.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One namespace, read. */
struct piece {
	struct observed_namespace facts;
	struct tally *tally;
};

struct collection {
	struct observed_open open;
	struct observed_probe probes[3];
	size_t probe_count;
	struct observed_login *logins;
	size_t login_count;
	struct piece *pieces;
	size_t piece_count;
	struct meta_pbm *pbm; /* NULL: not readable */
	struct grants grants;
};

void collection_free(struct collection *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->piece_count; i++)
		tally_free(c->pieces[i].tally);
	free(c->pieces);
	free(c->logins);
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

/* --- reading
 * ----------------------------------------------------------------------------------------------------------------------
 */

static bool try_logins(const struct collect_options *o, const struct link *link, struct collection *c, struct err *err)
{
	if (!o->login_count || c->logins)
		return true;
	c->logins = calloc(o->login_count, sizeof *c->logins);
	if (!c->logins)
		return err_nomem(err);
	while (c->login_count < o->login_count) {
		probe_user(link, &o->logins[c->login_count], &c->logins[c->login_count]);
		c->login_count++;
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
    const struct collect_options *o, struct link *link, struct collection *c, bool *ret_found, struct err *err)
{
	*ret_found = false;
	if (!try_logins(o, link, c, err))
		return false;
	for (size_t i = 0; i < c->login_count && !*ret_found; i++) {
		struct observed_probe probe;
		struct probes probes;

		if (!c->logins[i].ok)
			continue;
		link->target.user = o->logins[i].user;
		link->target.password = o->logins[i].password;
		probes_init(&probes, link, 0);
		*ret_found = probe_read(&probes, o->namespaces[0], &probe, NULL);
		if (*ret_found)
			note(o, "reading as another user of the secrets", c->logins[i].user);
		else if (link_stopped(link, err))
			return false;
	}
	return true;
}

static bool run_probes(const struct collect_options *o, struct link *link, struct collection *c, struct err *err)
{
	struct err failure = ERR_INIT;
	struct probes probes;

	probes_init(&probes, link, o->wait_ms);
	if (!probe_login(&probes, &c->probes[c->probe_count++], &failure)) {
		bool found = false;

		if (failure.code == ERR_AUTH && o->login_count && !stand_in(o, link, c, &found, err))
			return false;
		if (!found) {
			if (err)
				*err = failure;
			return false;
		}
		probes_init(&probes, link, o->wait_ms);
	}
	if (!probe_read(&probes, o->namespaces[0], &c->probes[c->probe_count++], err))
		return false;
	failure = (struct err)ERR_INIT;
	if (o->write_probe && !o->describe && !probe_write(&probes, &c->probes[c->probe_count++], &failure)) {
		if (failure.code == ERR_INTERRUPTED) {
			if (err)
				*err = failure;
			return false;
		}
		note(o, "the write probe failed, reading goes on", failure.msg);
	}
	c->open.read_after = probes.written;
	/* the probes' client has a short server selection */
	return link_open(link, err);
}

static bool act_identify(struct link *link, void *arg, struct err *err)
{
	return mongo_identify(link->client, arg, err);
}

static bool act_clock(struct link *link, void *arg, struct err *err)
{
	return mongo_clock_offset(link->client, link->clock, arg, err);
}

static bool fill_open(struct link *link, struct collection *c, struct err *err)
{
	struct mongo_identity id;
	struct mongo_clock_offset offset;
	struct observed_open *open = &c->open;
	struct optime majority;

	if (!link_try(link, act_identify, &id, err) || !link_try(link, act_clock, &offset, err) ||
	    !meta_majority_time(link, &majority, err))
		return false;
	open->at_ms = clock_wall_ms(link->clock);
	snprintf(open->collector, sizeof open->collector, "psmdb-verify %s", PSMDB_DRILL_VERSION);
	memcpy(open->cluster_kind, id.kind, sizeof open->cluster_kind);
	memcpy(open->cluster_id, id.id, sizeof open->cluster_id);
	memcpy(open->set_name, id.set_name, sizeof open->set_name);
	memcpy(open->version, id.version, sizeof open->version);
	memcpy(open->fcv, id.fcv, sizeof open->fcv);
	open->sharded = id.sharded;
	snprintf(open->read_concern, sizeof open->read_concern, "majority");
	open->read_after = optime_max(open->read_after, majority);
	open->clock_offset_ms = offset.offset_ms;
	open->clock_error_ms = offset.error_ms;
	return true;
}

static bool read_piece(
    const struct collect_options *o, struct link *link, const char *ns, struct collection *c, struct err *err)
{
	struct tally_limits limits = TALLY_LIMITS_DEFAULT;
	struct piece *piece = &c->pieces[c->piece_count];
	struct scan scan = {
	    .ns = ns, .after = c->open.read_after, .batch_size = o->batch_size, .progress = &o->progress};

	limits.anomalies = (size_t)o->max_anomalies;
	for (size_t i = 0; i < c->piece_count; i++) {
		limits.streams -= tally_streams(c->pieces[i].tally);
		limits.anomalies -= tally_anomalies(c->pieces[i].tally);
	}
	if (!tally_new(ns, c->open.set_name, &limits, &piece->tally, err))
		return false;
	scan.tally = piece->tally;
	snprintf(piece->facts.ns, sizeof piece->facts.ns, "%s", ns);
	c->piece_count++;
	if (o->describe)
		return tally_finish(piece->tally, err) && meta_namespace(link, ns, &piece->facts, err);
	if (!scan_run(link, &scan, err))
		return false;
	piece->facts.documents = tally_counts(piece->tally).documents;
	memcpy(c->open.read_from, scan.from, sizeof c->open.read_from);
	return meta_namespace(link, ns, &piece->facts, err);
}

static bool read_pbm(const struct collect_options *o, struct link *link, struct collection *c, struct err *err)
{
	struct err failure = ERR_INIT;

	c->pbm = malloc(sizeof *c->pbm);
	if (!c->pbm)
		return err_nomem(err);
	if (meta_pbm(link, c->pbm, &failure))
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

static bool read_grants(const struct collect_options *o, struct link *link, struct collection *c, struct err *err)
{
	if (!grants_read(link, o->logins, o->login_count, &c->grants, err))
		return false;
	if (!c->grants.state.known)
		note(o, "users and roles are left out", c->grants.state.detail);
	return true;
}

static bool describe_end(struct link *link, struct collection *c, struct err *err)
{
	c->open.describes = true;
	return meta_operation_time(link, &c->open.until, err);
}

static bool gather(const struct collect_options *o, struct link *link, struct collection *c, struct err *err)
{
	if (!run_probes(o, link, c, err) || !fill_open(link, c, err) || !try_logins(o, link, c, err))
		return false;
	c->pieces = calloc(o->namespace_count, sizeof *c->pieces);
	if (!c->pieces)
		return err_nomem(err);
	for (size_t i = 0; i < o->namespace_count; i++)
		if (!read_piece(o, link, o->namespaces[i], c, err))
			return false;
	if (!read_grants(o, link, c, err))
		return false;
	return o->describe ? describe_end(link, c, err) : read_pbm(o, link, c, err);
}

static bool check_options(const struct collect_options *o, struct err *err)
{
	if (!o->namespace_count || o->namespace_count > COLLECT_NAMESPACES_MAX || o->login_count > COLLECT_LOGINS_MAX)
		return err_set(err, ERR_USAGE, "%zu namespaces and %zu logins to try, 1 to %d and 0 to %d are possible",
		    o->namespace_count, o->login_count, COLLECT_NAMESPACES_MAX, COLLECT_LOGINS_MAX);
	for (size_t i = 0; i < o->namespace_count; i++) {
		if (!collect_check_namespace(o->namespaces[i], err))
			return false;
		for (size_t j = 0; j < i; j++)
			if (!strcmp(o->namespaces[i], o->namespaces[j]))
				return err_set(err, ERR_USAGE, "namespace \"%s\" is given twice", o->namespaces[i]);
	}
	return true;
}

bool collect_gather(const struct collect_options *options, const struct clock *clock, const volatile int *stop,
    struct collection **ret, struct err *err)
{
	struct collect_options o = *options;
	struct link link = {
	    .target = {.uri = o.uri,
		.user = o.user,
		.password = o.password,
		.app_name = "psmdb-verify collect",
		.retry_writes = true},
	    .clock = clock,
	    .stop = stop,
	    .retrying = note_retry,
	    .ctx = &o,
	};
	struct collection *c;
	bool ok;

	if (!check_options(&o, err))
		return false;
	c = calloc(1, sizeof *c);
	if (!c)
		return err_nomem(err);
	ok = gather(&o, &link, c, err);
	link_close(&link);
	if (ok)
		*ret = c;
	else
		collection_free(c);
	return ok;
}

/* --- writing
 * ----------------------------------------------------------------------------------------------------------------------
 */

static int32_t first_stream(const struct collection *c, size_t piece)
{
	size_t first = 0;

	for (size_t i = 0; i < piece; i++)
		first += tally_streams(c->pieces[i].tally);
	return (int32_t)first;
}

static bool write_head(const struct collection *c, struct observed_writer *w, struct err *err)
{
	for (size_t i = 0; i < c->probe_count; i++)
		if (!observed_write_probe(w, &c->probes[i], err))
			return false;
	for (size_t i = 0; i < c->login_count; i++)
		if (!observed_write_login(w, &c->logins[i], err))
			return false;
	for (size_t i = 0; i < c->piece_count; i++)
		if (!observed_write_namespace(w, &c->pieces[i].facts, err))
			return false;
	if (!observed_write_grants(w, &c->grants.state, err))
		return false;
	for (size_t i = 0; i < c->grants.count; i++)
		if (!observed_write_grant(w, &c->grants.list[i], err))
			return false;
	for (size_t i = 0; c->pbm && i < c->pbm->restore_count; i++)
		if (!observed_write_restore(w, &c->pbm->restores[i], err))
			return false;
	return !c->pbm || !c->pbm->has_backup || observed_write_backup(w, &c->pbm->backup, err);
}

static bool write_streams(const struct collection *c, struct observed_writer *w, struct err *err)
{
	for (size_t i = 0; i < c->piece_count; i++)
		for (size_t j = 0; j < tally_streams(c->pieces[i].tally); j++)
			if (!observed_write_stream(w, tally_stream(c->pieces[i].tally, j), err))
				return false;
	return true;
}

static bool write_anomalies(const struct collection *c, struct observed_writer *w, struct err *err)
{
	struct observed_anomaly anomaly;

	for (size_t i = 0; i < c->piece_count; i++) {
		for (size_t j = 0; j < tally_anomalies(c->pieces[i].tally); j++) {
			tally_anomaly(c->pieces[i].tally, j, first_stream(c, i), &anomaly);
			if (!observed_write_anomaly(w, &anomaly, err))
				return false;
		}
	}
	return true;
}

static bool write_foreign(const struct collection *c, const struct piece *piece, int64_t documents, const char *why,
    struct observed_writer *w, struct err *err)
{
	struct observed_foreign foreign = {.documents = documents};

	if (!documents)
		return true;
	memcpy(foreign.ns, piece->facts.ns, sizeof foreign.ns);
	memcpy(foreign.replica_set, c->open.set_name, sizeof foreign.replica_set);
	snprintf(foreign.why, sizeof foreign.why, "%s", why);
	return observed_write_foreign(w, &foreign, err);
}

static bool write_tail(const struct collection *c, struct observed_writer *w, struct err *err)
{
	struct collection_totals totals = collection_totals(c);
	struct observed_newest newest;

	for (size_t i = 0; i < c->piece_count; i++) {
		struct tally_counts counts = tally_counts(c->pieces[i].tally);

		if (!write_foreign(c, &c->pieces[i], counts.not_ticks, "not a tick", w, err) ||
		    !write_foreign(c, &c->pieces[i], counts.beyond_streams, "too many streams", w, err))
			return false;
	}
	for (size_t i = 0; i < c->piece_count; i++)
		if (tally_newest(c->pieces[i].tally, first_stream(c, i), &newest) &&
		    !observed_write_newest(w, &newest, err))
			return false;
	return observed_write_end(w, totals.documents, totals.anomalies, totals.foreign, totals.truncated, err);
}

bool collection_write(const struct collection *c, const struct record_sink *sink, struct err *err)
{
	CLEANUP(observed_writer) struct observed_writer *w = NULL;

	return observed_writer_new(sink, &c->open, &w, err) && write_head(c, w, err) && write_streams(c, w, err) &&
	       write_anomalies(c, w, err) && write_tail(c, w, err);
}

struct collection_totals collection_totals(const struct collection *c)
{
	struct collection_totals totals = {0};

	for (size_t i = 0; i < c->piece_count; i++) {
		struct tally_counts counts = tally_counts(c->pieces[i].tally);

		totals.documents += counts.documents;
		totals.intact += counts.intact;
		totals.anomalies += counts.anomalies;
		totals.foreign += counts.not_ticks + counts.beyond_streams;
		totals.streams += tally_streams(c->pieces[i].tally);
		totals.truncated = totals.truncated || counts.truncated;
	}
	for (size_t i = 0; i < c->probe_count; i++)
		totals.write_failed = totals.write_failed || !c->probes[i].ok;
	return totals;
}
