/*
 * journal.jsonl: what the ticker claims (format "psmdb-drill/journal", version 1; envelope: record.h).
 *
 *   open     format, version, run (UUID), at (wall), ticker (version), cluster {kind, id, set},
 *            clock {offset_ms, error_ms} (server less ticker), interval_us, batch, streams [{ns, writer}]
 *   issued   ms, s, seq, lo, createdAt, sum: one tick, before it is sent
 *   issued   ms, s, from, to, lo, digest: 2 to 1,000 ticks of one block of 1,000 (tick/digest.h)
 *   acked    ms, s, seq | from, to, hi, exact: operationTime of that reply; exact only for a single tick
 *   failed   ms, s, seq | from, to, code, reason: proven not to have been executed
 *   unknown  ms, s, seq | from, to, code, reason: it may or may not be there
 *   end      ms, reason, issued, acked, failed, unknown (those still so): totals in ticks, as decimal strings
 *
 * ms: milliseconds since "open" on the ticker's monotonic clock (JSON number). s: index into streams. seq, from, to:
 * decimal strings. lo, hi: "T,I".
 *
 * Lifecycle of a tick (asserted by the reader):  issued -> acked | failed | unknown;  unknown -> acked | unknown.
 * A range lies within one block of 1,000 (tick_block). An outcome may cover a part of an issued range; a tick without
 * outcome at the end is "issued without outcome". Sequences of a stream are issued in order, without
 * gaps, from 1. A tick's own operation time lies in (lo, hi]; it is hi itself if exact.
 */
#ifndef EVIDENCE_JOURNAL_H
#define EVIDENCE_JOURNAL_H

#include "evidence/record.h"
#include "tick/digest.h"
#include "tick/tick.h"

#define JOURNAL_FORMAT "psmdb-drill/journal"
#define JOURNAL_VERSION 1
#define JOURNAL_STREAMS_MAX 64
#define JOURNAL_RANGE_MAX 1000
/*
 * A stream's ticks with a final outcome, and those that were ever unknown, are held as two sets of so many intervals
 * at most: more holes than that are ERR_LIMIT.
 */
#define JOURNAL_INTERVALS_MAX 65536

struct journal_stream {
	char ns[TICK_NS_MAX];
	int32_t writer;
};

struct journal_open {
	struct uuid run;
	int64_t at_ms; /* wall */
	char ticker[32];
	char cluster_kind[24]; /* "replicaSet" or "cluster" */
	char cluster_id[25];
	char set_name[64];
	int64_t clock_offset_ms, clock_error_ms; /* server's wall clock less the ticker's */
	int64_t interval_us;			 /* scheduled time between two ticks of one stream; 0: flat out */
	int64_t batch;
	struct journal_stream streams[JOURNAL_STREAMS_MAX];
	size_t stream_count;
};

enum journal_type { JOURNAL_OPEN, JOURNAL_ISSUED, JOURNAL_ACKED, JOURNAL_FAILED, JOURNAL_UNKNOWN, JOURNAL_END };

struct journal_record {
	enum journal_type type;
	uint64_t n;
	int64_t ms;
	uint32_t stream;
	int64_t first, last;						/* first == last: one tick */
	struct optime lo;						/* issued */
	int64_t created_at_ms;						/* issued, one tick */
	uint64_t sum;							/* issued, one tick */
	struct tick_digest digest;					/* issued; filled for one tick as well */
	struct optime hi;						/* acked */
	bool exact;							/* acked */
	int32_t code;							/* failed, unknown */
	char reason[256];						/* failed, unknown, end */
	int64_t total_issued, total_acked, total_failed, total_unknown; /* end */
};

/*
 * --- writing: composes and chains a line for a sink; the caller serialises
 * ---------------------------------------------------------
 */

struct journal_writer;
/* Writes the open record. The sink must outlive the writer. */
bool journal_writer_new(
    const struct record_sink *sink, const struct journal_open *open, struct journal_writer **ret, struct err *err);
void journal_writer_free(struct journal_writer *w); /* writes nothing */
CLEANUP_PTR(journal_writer, struct journal_writer, journal_writer_free)
/*
 * Any type but OPEN. rec->n is ignored; totals of END are the writer's own counts. A record that breaks the lifecycle
 * is ERR_STATE and is not written; after END nothing is. After a failure of the sink the head has not moved and the
 * same record may be written again.
 */
bool journal_write(struct journal_writer *w, const struct journal_record *rec, struct err *err);
struct record_head journal_writer_head(const struct journal_writer *w);

/*
 * --- reading
 * -------------------------------------------------------------------------------------------------------------------
 */

enum journal_state {
	JOURNAL_RECORD,	  /* ret holds a record (never OPEN: that is journal_reader_open_record) */
	JOURNAL_SEALED,	  /* ended by "end" with right totals and nothing behind it */
	JOURNAL_UNSEALED, /* ended, or torn, without "end": open; its claims stop at the last record */
	JOURNAL_BROKEN,	  /* chain, number, syntax or lifecycle is wrong: err says where */
	JOURNAL_FAILED_TO_READ,
};

struct journal_reader;
/*
 * Takes records over in any case, also on failure (pass TAKE(records)). A file whose first record is no journal's
 * open record: false (ERR_PARSE / ERR_UNSUPPORTED / ERR_BROKEN).
 */
bool journal_reader_new(struct record_reader *records, struct journal_reader **ret, struct err *err);
void journal_reader_free(struct journal_reader *r);
CLEANUP_PTR(journal_reader, struct journal_reader, journal_reader_free)
const struct journal_open *journal_reader_open_record(const struct journal_reader *r);
struct record_head journal_reader_head(const struct journal_reader *r);
/*
 * SEALED, UNSEALED, BROKEN and FAILED_TO_READ are final: asked again, the reader says the same. UNSEALED and SEALED
 * leave err alone.
 */
enum journal_state journal_next(struct journal_reader *r, struct journal_record *ret, struct err *err);
/*
 * Parses the members of one record (not its lifecycle): used by the reader and by followers. open may be NULL for the
 * open record itself.
 */
bool journal_parse(
    const struct record *rec, const struct journal_open *open, struct journal_record *ret, struct err *err);
bool journal_parse_open(const struct record *rec, struct journal_open *ret, struct err *err);
/*
 * Which journal, and how far: from the file's first and last whole lines only. Nothing in between is read or checked.
 */
bool journal_tail(const char *path, struct uuid *ret_run, struct record_head *ret, struct err *err);

#endif
