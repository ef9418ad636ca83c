/*
 * timeline.jsonl: what the drill did and saw (format "psmdb-drill/timeline", version 1; envelope: record.h). Several
 * processes of one machine append to it.
 *
 *   open   format, version, drill (UUID of the run), at, by (program and version), scenario (name),
 *          boot (kernel's boot id: mono_ms of one boot can be compared)
 *   event  at (wall), mono_ms (string; CLOCK_MONOTONIC of the drill's machine), name,
 *          journal {run, n, chain} (the newest journal record that the drill holds on its own disk; absent before
 *          there is one), data {text: text, ...}
 *   head   at, mono_ms, journal {run, n, chain}, acked {"<s>": {"seq": ..., "hi": "T,I"}, ...}: each second while the
 *          journal is followed
 *
 * Event names that the judge understands (others are shown, not judged), and their data:
 *   drill.start {scenario}
 *   step.start, step.end {step, result: ok | failed, detail}
 *   backup.requested {}
 *   backup.finished {backup, state, detail}
 *   bound.pinned {backup, sha256}
 *   disaster {what}: the instant from which nothing of the old database is left to be written to
 *   outage.start, outage.end {why}: writes are expected to stall in between
 *   volumes.gone {}, cluster.requested {} (CR restored), cluster.ready {}, restore.requested {backup}
 *   restore.finished {backup, state: done | error, reported_by, detail}
 *   bucket.recheck {missing, changed, detail}: the backup's files compared with what was pinned, after the restore
 *   versions {mongod, pbm, operator, kasten, ...; note_<part>: a stand-in}
 *   clock {offset_ms, error_ms}: the cluster's wall clock less the drill's
 *   note {text}
 */
#ifndef EVIDENCE_TIMELINE_H
#define EVIDENCE_TIMELINE_H

#include "evidence/record.h"

#define TIMELINE_FORMAT "psmdb-drill/timeline"
#define TIMELINE_VERSION 1
#define TIMELINE_DATA_MAX 32

struct timeline_open {
	struct uuid drill;
	int64_t at_ms;
	char by[64];
	char scenario[64];
	char boot[UUID_TEXT_MAX];
};

struct timeline_pair {
	char key[64];
	char value[1024];
};

struct timeline_journal {
	bool known;
	struct uuid run;
	uint64_t n;
	char chain[RECORD_CHAIN_TEXT_MAX];
};

/* Of a head: the greatest acknowledged tick of a stream, and the greatest hi among its acknowledgements. */
struct timeline_acked {
	uint32_t stream;
	int64_t seq;
	struct optime hi;
};
#define TIMELINE_ACKED_MAX 64

struct timeline_record {
	bool is_head;
	uint64_t n;
	int64_t at_ms;
	int64_t mono_ms;
	char name[64]; /* events */
	struct timeline_journal journal;
	struct timeline_pair data[TIMELINE_DATA_MAX]; /* events */
	size_t data_count;
	struct timeline_acked acked[TIMELINE_ACKED_MAX]; /* heads */
	size_t acked_count;
};

/* Creates the file with its open record; fails if it exists. */
bool timeline_create(const char *path, const struct timeline_open *open, struct err *err);
/* Appends under the file's lock. at_ms and mono_ms are the caller's (one clock, read once). */
bool timeline_append(const char *path, const struct timeline_record *rec, struct err *err);
const char *timeline_data(const struct timeline_record *rec, const char *key); /* NULL if absent */
/* Sets one member of data; a value too long for it is cut, a key too long for it, or one too many, is ERR_LIMIT. */
bool timeline_put(struct timeline_record *rec, const char *key, const char *value, struct err *err);
/* The judge's vocabulary, ended by NULL. */
extern const char *const timeline_event_names[];
bool timeline_event_known(const char *name);
/* The kernel's boot id; "" where there is none. */
void timeline_boot_id(char ret[static UUID_TEXT_MAX]);

struct timeline_reader;
/* Takes records over in any case, also on failure (pass TAKE(records)). */
bool timeline_reader_new(struct record_reader *records, struct timeline_reader **ret, struct err *err);
void timeline_reader_free(struct timeline_reader *r);
CLEANUP_PTR(timeline_reader, struct timeline_reader, timeline_reader_free)
const struct timeline_open *timeline_reader_open_record(const struct timeline_reader *r);
enum record_state timeline_next(struct timeline_reader *r, struct timeline_record *ret, struct err *err);

#endif
