#include "verifier/collect_internal.h"

#include <stdio.h>
#include <string.h>

static int32_t first_stream(const struct collection *c, size_t piece)
{
	size_t first = 0;

	for (size_t i = 0; i < piece; i++)
		first += tally_streams(c->pieces[i].tally);
	return (int32_t)first;
}

static bool write_head(const struct collection *c, struct observed_writer *w, struct err *err)
{
	for (size_t i = 0; c->source_count > 1 && i < c->source_count; i++)
		if (!observed_write_set(w, &c->sources[i].facts, err))
			return false;
	for (size_t i = 0; i < c->source_count; i++)
		for (size_t p = 0; p < c->sources[i].probe_count; p++)
			if (!observed_write_probe(w, &c->sources[i].probes[p], err))
				return false;
	for (size_t i = 0; i < c->logins.count; i++)
		if (!observed_write_login(w, &c->logins.items[i], err))
			return false;
	for (size_t i = 0; i < c->piece_count; i++)
		if (!observed_write_namespace(w, &c->pieces[i].facts, err))
			return false;
	if (!observed_write_grants(w, &c->grants.state, err))
		return false;
	for (size_t i = 0; i < c->grants.count; i++)
		if (!observed_write_grant(w, &c->grants.list[i], err))
			return false;
	for (size_t i = 0; i < c->member_count; i++)
		if (!observed_write_member(w, &c->members[i], err))
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

static bool write_foreign(
    const struct piece *piece, int64_t documents, const char *why, struct observed_writer *w, struct err *err)
{
	struct observed_foreign foreign = {.documents = documents};

	if (!documents)
		return true;
	memcpy(foreign.ns, piece->facts.ns, sizeof foreign.ns);
	memcpy(foreign.replica_set, piece->source->open.set_name, sizeof foreign.replica_set);
	snprintf(foreign.why, sizeof foreign.why, "%s", why);
	return observed_write_foreign(w, &foreign, err);
}

static bool write_tail(const struct collection *c, struct observed_writer *w, struct err *err)
{
	struct collection_totals totals = collection_totals(c);
	struct observed_newest newest;

	for (size_t i = 0; i < c->piece_count; i++) {
		struct tally_counts counts = tally_counts(c->pieces[i].tally);

		if (!write_foreign(&c->pieces[i], counts.not_ticks, "not a tick", w, err) ||
		    !write_foreign(&c->pieces[i], counts.beyond_streams, "too many streams", w, err))
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

	return observed_writer_new(sink, &c->sources[0].open, &w, err) && write_head(c, w, err) &&
	       write_streams(c, w, err) && write_anomalies(c, w, err) && write_tail(c, w, err);
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
		totals.orphans += counts.orphans;
		totals.streams += tally_streams(c->pieces[i].tally);
		totals.truncated = totals.truncated || counts.truncated;
	}
	for (size_t i = 0; i < c->source_count; i++)
		for (size_t p = 0; p < c->sources[i].probe_count; p++)
			totals.write_failed = totals.write_failed || !c->sources[i].probes[p].ok;
	return totals;
}
