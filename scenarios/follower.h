/*
 * Keeps the drill's own copy of a ticker's journal, out of a followed pod log, and says in the timeline each second
 * how far it is.
 *
 * Owns dir/journal.jsonl (locked: one follower a journal), dir/logs/ticker.log (lines that are no records).
 * Guarantees: what is in the journal is an unbroken chain from record 1; a head in the timeline names a record that
 * is on the disk already; repeats are dropped by number, so that a log may be read from any earlier place again; a
 * torn last line of an earlier follower is cut off. Memory is bounded whatever comes. It does not read the log
 * itself, and does not check the lifecycle of ticks: the judge does.
 *
 * Fed with bytes and a clock: the caller waits for either, at most until follower_due_ns.
 */
#ifndef SCENARIOS_FOLLOWER_H
#define SCENARIOS_FOLLOWER_H

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/err.h"
#include "evidence/timeline.h"

#define FOLLOWER_LOG_BYTES_MAX                                                                                         \
	((int64_t)64 << 20) /* ticker.log; what comes later is dropped, and a last line says so */

struct follower;
/* journal_name: file below dir. The timeline must be there. ERR_STATE: another follower holds the journal; ERR_BROKEN:
 * it is damaged. */
bool follower_new(
    const char *dir, const char *journal_name, const struct clock *clock, struct follower **ret, struct err *err);
void follower_free(struct follower *f); /* closes; what follower_finish did not sync is not promised */
CLEANUP_PTR(follower, struct follower, follower_free)

/*
 * Copies the records that these bytes complete. ERR_BROKEN (a gap, a wrong chain, another journal, a record behind
 * the end) and ERR_IO are final: everything before the fault is kept, and nothing more is taken.
 */
bool follower_feed(struct follower *f, const char *bytes, size_t len, struct err *err);
/* What is fed from now on comes from an earlier place of the log: a line that was begun is forgotten. */
bool follower_again(struct follower *f, struct err *err);
/*
 * Does what is due: once a second, and when each stream has its first acknowledged tick, a sync and, as soon as there is a record, a
 * head in the timeline.
 */
bool follower_tick(struct follower *f, struct err *err);
int64_t follower_due_ns(const struct follower *f); /* monotonic */
/* Syncs and writes a last head, also after a failed feed. */
bool follower_finish(struct follower *f, struct err *err);

struct record_head follower_head(const struct follower *f); /* the last record that is in the file */
bool follower_sealed(const struct follower *f);		    /* the journal's end was copied */
/* The newest acknowledged tick of a stream; seq 0: none. */
bool follower_acked(const struct follower *f, uint32_t stream, struct timeline_acked *ret);

#endif
