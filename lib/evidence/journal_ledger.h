/*
 * Inside this room: each tick's lifecycle (journal.h), asserted on every move by writer and reader alike. Memory
 * grows with the holes, not with the ticks.
 */
#ifndef EVIDENCE_JOURNAL_LEDGER_H
#define EVIDENCE_JOURNAL_LEDGER_H

#include "evidence/journal.h"
#include "tick/intervals.h"

struct journal_ledger_stream {
	int64_t issued;		  /* the last one */
	struct intervals final;	  /* acked or failed */
	struct intervals doubted; /* unknown at some time */
};

struct journal_ledger {
	struct journal_ledger_stream streams[JOURNAL_STREAMS_MAX];
	size_t stream_count;
	int64_t issued, acked, failed, unknown; /* ticks; unknown: at present */
};

void journal_ledger_init(struct journal_ledger *l, size_t stream_count);
void journal_ledger_clear(struct journal_ledger *l);
/*
 * May this record come now? ISSUED and outcomes only. ERR_STATE says why not; ERR_LIMIT: too many holes. Changes
 * nothing.
 */
bool journal_ledger_check(const struct journal_ledger *l, const struct journal_record *rec, struct err *err);
/* After a check; fails only without memory. */
bool journal_ledger_apply(struct journal_ledger *l, const struct journal_record *rec, struct err *err);

#endif
