/*
 * The gate between the streams and the journal: one record at a time, and no tick passes before its "issued" record
 * is where it must be (on disk for a file, written to the pipe for stdout). Streams that wait at the same moment
 * share one fdatasync.
 *
 * The first failure sticks: every later call fails with it, so nothing is sent that is not journaled. After gate_seal
 * nothing more is written. All calls may come from any thread.
 */
#ifndef TICKER_GATE_H
#define TICKER_GATE_H

#include "base/clock.h"
#include "evidence/journal.h"

struct gate;

/*
 * path "-": stdout, with the line prefix. Otherwise a new file (ERR_EXISTS). Records count their milliseconds from
 * here.
 */
bool gate_open(
    const char *path, const struct clock *clock, const struct journal_open *open, struct gate **ret, struct err *err);
void gate_free(struct gate *gate);

/* Returns when the record is safe. rec->ms is set here. */
bool gate_issue(struct gate *gate, struct journal_record *rec, struct err *err);
/*
 * An outcome: written in order, safe with the next issue or the seal. was_unknown: these ticks were noted as unknown
 * before.
 */
bool gate_note(struct gate *gate, struct journal_record *rec, bool was_unknown, struct err *err);
/*
 * Writes "end" and closes. ERR_TIMEOUT if another thread is stuck in a write or a sync for longer than timeout_ms
 * (nobody reads stdout, a disk hangs):
 * the journal stays open then.
 */
bool gate_seal(struct gate *gate, const char *reason, int64_t timeout_ms, struct err *err);

struct gate_totals {
	int64_t issued, acked, failed, unknown; /* ticks; unknown: those in doubt now */
};
/* Never waits for a write. */
struct gate_totals gate_totals(struct gate *gate);

#endif
