/*
 * The evidence of a flawless drill of any size, for the judge: one stream, a minute of ticks, a backup in the middle, a restore. The judge must
 * find PASS.
 *
 * usage: bench_evidence DIR TICKS RANGE      RANGE: ticks in one record of the journal, 1 to 1,000, divides TICKS / 4
 */
#include "base/file.h"
#include "base/num.h"
#include "evidence/bound.h"
#include "evidence/journal.h"
#include "evidence/observed.h"
#include "evidence/timeline.h"

#include <string.h>

#define NS "drill.ticker"
#define WALL_MS INT64_C(1700000000000)
#define WALL_S 1700000000
#define MONO_MS INT64_C(5000000)
#define SECONDS 60
#define BACKUP "2026-01-01T00:00:20Z"
#define OPID "65bbbbbbbbbbbbbbbbbbbbbb"

struct story {
	const char *dir;
	int64_t ticks, range, cut; /* cut: the last tick of the backup */
	struct uuid run;
	struct timeline_journal heads[SECONDS + 1]; /* the newest record by the end of each second */
	int64_t acked[SECONDS + 1];
};

static const char *path_of(const struct story *s, const char *name, char path[static 4096])
{
	snprintf(path, 4096, "%s/%s", s->dir, name);
	return path;
}

static int64_t ms_of(const struct story *s, int64_t seq)
{
	return seq * SECONDS * 1000 / s->ticks;
}

static struct optime optime_of(const struct story *s, int64_t seq)
{
	return (struct optime){(uint32_t)(WALL_S + ms_of(s, seq) / 1000), (uint32_t)seq + 1};
}

static uint64_t sum_of(int64_t seq)
{
	return (uint64_t)seq * UINT64_C(0x9e3779b97f4a7c15);
}

/* --- journal ------------------------------------------------------------------------------------------------------ */

static bool write_range(struct story *s, struct journal_writer *w, int64_t first, struct err *err)
{
	int64_t last = first + s->range - 1;
	struct journal_record issued = {.type = JOURNAL_ISSUED,
	    .ms = ms_of(s, first),
	    .first = first,
	    .last = last,
	    .lo = optime_of(s, first - 1),
	    .created_at_ms = WALL_MS + ms_of(s, first),
	    .sum = sum_of(first)};
	struct journal_record acked = {.type = JOURNAL_ACKED,
	    .ms = ms_of(s, last),
	    .first = first,
	    .last = last,
	    .hi = optime_of(s, last),
	    .exact = first == last};
	struct record_head head;
	int64_t second = acked.ms / 1000;

	for (int64_t seq = first; s->range > 1 && seq <= last; seq++)
		tick_digest_add(&issued.digest, seq, sum_of(seq));
	if (!journal_write(w, &issued, err) || !journal_write(w, &acked, err))
		return false;
	head = journal_writer_head(w);
	s->heads[second] = (struct timeline_journal){.known = true, .run = s->run, .n = head.n};
	memcpy(s->heads[second].chain, head.chain, sizeof head.chain);
	s->acked[second] = last;
	return true;
}

static bool write_journal(struct story *s, struct err *err)
{
	struct journal_open open = {.run = s->run,
	    .at_ms = WALL_MS,
	    .ticker = "bench",
	    .cluster_kind = "replicaSet",
	    .cluster_id = "65aaaaaaaaaaaaaaaaaaaaaa",
	    .set_name = "rs0",
	    .clock_error_ms = 20,
	    .batch = s->range,
	    .streams = {{NS, 0}},
	    .stream_count = 1};
	struct journal_record end = {.type = JOURNAL_END, .ms = SECONDS * 1000 + 1, .reason = "complete"};
	CLEANUP(journal_writer) struct journal_writer *w = NULL;
	struct record_file *file = NULL;
	struct record_sink sink;
	char path[4096];
	bool ok;

	if (!record_file_create(path_of(s, "journal.jsonl", path), &file, err))
		return false;
	sink = record_file_sink(file);
	ok = journal_writer_new(&sink, &open, &w, err);
	for (int64_t first = 1; ok && first <= s->ticks; first += s->range)
		ok = write_range(s, w, first, err);
	ok = ok && journal_write(w, &end, err);
	return record_file_close(file, ok ? err : NULL) && ok;
}

/* --- timeline ----------------------------------------------------------------------------------------------------- */

static bool add(const struct story *s, int64_t ms, const char *name, const char *key, const char *value,
    const char *key2, const char *value2, struct err *err)
{
	static struct timeline_record rec;
	int64_t second = ms / 1000 < SECONDS ? ms / 1000 - 1 : SECONDS;
	char path[4096];

	rec = (struct timeline_record){.at_ms = WALL_MS + ms, .mono_ms = MONO_MS + ms};
	if (second >= 0)
		rec.journal = s->heads[second];
	if (!name) {
		rec.is_head = true;
		rec.acked[0] = (struct timeline_acked){0, s->acked[second], optime_of(s, s->acked[second])};
		rec.acked_count = 1;
	} else {
		snprintf(rec.name, sizeof rec.name, "%s", name);
	}
	return (!key || timeline_put(&rec, key, value, err)) && (!key2 || timeline_put(&rec, key2, value2, err)) &&
	       timeline_append(path_of(s, "timeline.jsonl", path), &rec, err);
}

static bool write_timeline(const struct story *s, struct err *err)
{
	struct timeline_open open = {.drill = s->run, .at_ms = WALL_MS, .by = "bench", .scenario = "case-1"};
	int64_t from_ms = ms_of(s, s->cut);
	char path[4096];
	bool ok = timeline_create(path_of(s, "timeline.jsonl", path), &open, err) &&
		  add(s, 100, "clock", "offset_ms", "0", "error_ms", "100", err);

	for (int64_t ms = 1500; ok && ms < SECONDS * 1000; ms += 1000) {
		ok = add(s, ms, NULL, NULL, NULL, NULL, NULL, err);
		if (ok && ms == from_ms - 9500)
			ok = add(s, ms + 100, "backup.requested", NULL, NULL, NULL, NULL, err);
		if (ok && ms == from_ms + 2500)
			ok = add(s, ms + 100, "backup.finished", "backup", BACKUP, NULL, NULL, err) &&
			     add(s, ms + 200, "bound.pinned", "backup", BACKUP, NULL, NULL, err);
	}
	return ok && add(s, 61000, "disaster", NULL, NULL, NULL, NULL, err) &&
	       add(s, 62000, "volumes.gone", NULL, NULL, NULL, NULL, err) &&
	       add(s, 63000, "cluster.requested", NULL, NULL, NULL, NULL, err) &&
	       add(s, 80000, "cluster.ready", NULL, NULL, NULL, NULL, err) &&
	       add(s, 81000, "restore.requested", "backup", BACKUP, NULL, NULL, err) &&
	       add(s, 100000, "restore.finished", "backup", BACKUP, "state", "done", err);
}

/* --- bound and observation ---------------------------------------------------------------------------------------- */

static bool write_bound(const struct story *s, struct err *err)
{
	BOUND_CLEANUP struct bound b;
	char path[4096];

	bound_init(&b);
	b.pinned_at_ms = WALL_MS + ms_of(s, s->cut) + 2600;
	strcpy(b.source, "bucket");
	strcpy(b.backup_name, BACKUP);
	strcpy(b.opid, OPID);
	strcpy(b.type, "logical");
	strcpy(b.cluster_figure, "only");
	b.start_ts = WALL_S + 20;
	b.last_transition_ts = WALL_S + 32;
	b.b0 = b.cluster_last_write = optime_of(s, s->cut);
	b.set_count = 1;
	b.sets[0] = (struct bound_set){.name = "rs0", .last_write = b.b0, .b0 = b.b0, .b1 = b.b0};
	memset(b.metadata_sha256, '0', sizeof b.metadata_sha256 - 1);
	return bound_write(&b, path_of(s, "bound.json", path), err);
}

static bool see(const struct story *s, struct observed_stream *o, struct err *err)
{
	o->block_count = (size_t)(tick_block(s->cut) + 1);
	o->blocks = calloc(o->block_count, sizeof *o->blocks);
	if (!o->blocks)
		return err_nomem(err);
	for (int64_t seq = 1; seq <= s->cut; seq++) {
		struct observed_block *block = &o->blocks[tick_block(seq)];

		block->block = tick_block(seq);
		block->ticks++;
		tick_digest_add(&block->digest, seq, sum_of(seq));
	}
	return intervals_add_range(&o->intact, 1, s->cut, err);
}

static bool observe(const struct story *s, struct observed_writer *w, struct err *err)
{
	static const char *const probes[] = {"login", "read", "write"};
	static struct observed_namespace ns = {.ns = NS, .exists = true};
	struct observed_restore restore = {.name = "2026-01-01T00:01:21Z",
	    .opid = "65dddddddddddddddddddddd",
	    .backup = BACKUP,
	    .type = "logical",
	    .status = "done",
	    .start_ts = WALL_S + 82,
	    .finish_ts = WALL_S + 95};
	struct observed_backup backup = {
	    .name = BACKUP, .opid = OPID, .status = "done", .last_write = optime_of(s, s->cut)};
	struct observed_stream stream = {.ns = NS, .replica_set = "rs0", .run = s->run};
	bool ok = true;

	for (int i = 0; ok && i < 3; i++) {
		struct observed_probe p = {.at_ms = WALL_MS + 101000 + i * 100, .ok = true, .attempts = 1};

		strcpy(p.name, probes[i]);
		ok = observed_write_probe(w, &p, err);
	}
	ns.documents = s->cut;
	intervals_init(&stream.intact, OBSERVED_INTERVALS_MAX);
	ok = ok && observed_write_namespace(w, &ns, err) && observed_write_restore(w, &restore, err) &&
	     observed_write_backup(w, &backup, err) && see(s, &stream, err) && observed_write_stream(w, &stream, err) &&
	     observed_write_end(w, s->cut, 0, 0, false, err);
	intervals_clear(&stream.intact);
	free(stream.blocks);
	return ok;
}

static bool write_observed(const struct story *s, struct err *err)
{
	struct observed_open open = {.at_ms = WALL_MS + 102000,
	    .collector = "bench",
	    .cluster_kind = "replicaSet",
	    .cluster_id = "65cccccccccccccccccccccc",
	    .set_name = "rs0",
	    .version = "6.0.5",
	    .fcv = "6.0",
	    .read_concern = "majority",
	    .read_after = {WALL_S + 101, 1},
	    .read_from = "rs0-0:27017"};
	CLEANUP(observed_writer) struct observed_writer *w = NULL;
	struct record_file *file = NULL;
	struct record_sink sink;
	char path[4096];
	bool ok;

	if (!record_file_create(path_of(s, "observed.jsonl", path), &file, err))
		return false;
	sink = record_file_sink(file);
	ok = observed_writer_new(&sink, &open, &w, err) && observe(s, w, err);
	return record_file_close(file, ok ? err : NULL) && ok;
}

int main(int argc, char **argv)
{
	struct story s = {.run = {{0xaa, 1, 2, 3, 4, 5, 0x47, 8, 0x89}}};
	struct err err = ERR_INIT;

	if (argc != 4 || !num_parse_i64(argv[2], strlen(argv[2]), &s.ticks) ||
	    !num_parse_i64(argv[3], strlen(argv[3]), &s.range) || s.range < 1 || s.range > JOURNAL_RANGE_MAX ||
	    s.ticks < 1 || s.ticks % (4 * s.range) || JOURNAL_RANGE_MAX % s.range) {
		fprintf(stderr, "usage: bench_evidence DIR TICKS RANGE\n");
		return EXIT_USAGE;
	}
	s.dir = argv[1];
	s.cut = s.ticks / 2;
	if (!write_journal(&s, &err) || !write_timeline(&s, &err) || !write_bound(&s, &err) ||
	    !write_observed(&s, &err))
		return err_print("bench_evidence", &err);
	return EXIT_PASS;
}
