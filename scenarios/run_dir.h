/*
 * The directory of one run: names of its files, its making, and events appended to its timeline.
 *
 * The directory has mode 0700, its files 0600. Nothing here reads a clock of its own.
 */
#ifndef SCENARIOS_RUN_DIR_H
#define SCENARIOS_RUN_DIR_H

#include "base/clock.h"
#include "base/err.h"
#include "evidence/timeline.h"

#include <limits.h>

#define RUN_STATE "state.json"
#define RUN_TIMELINE "timeline.jsonl"
#define RUN_RECEIVE_STRING "receive-string" /* a secret */
#define RUN_JOURNAL "journal.jsonl"
#define RUN_LOGS "logs"
#define RUN_TICKER_LOG "logs/ticker.log"

/* "dir/name"; ERR_LIMIT if that is no path. */
bool run_path(const char *dir, const char *name, char ret[static PATH_MAX], struct err *err);
/* Makes dir (which may exist empty), its timeline and the event drill.start. ERR_EXISTS for a directory that holds
 * anything. */
bool run_create(const char *dir, const char *scenario, const struct clock *clock, struct err *err);
/* at and mono, read once. */
void run_stamp(const struct clock *clock, struct timeline_record *ret);
/* The newest record of the drill's own journal, synced. No journal yet, or an empty one: true and known == false. */
bool run_newest_journal(const char *dir, struct timeline_journal *ret, struct err *err);

/* Is this a name that an event may have: one of timeline.h, or "x-" and letters, digits, '.', '-' or '_'. ERR_USAGE
 * says what is. */
bool run_check_event(const char *name, struct err *err);
/* "key=value" into the event; ERR_USAGE for anything that would not come back as it is. */
bool run_put_pair(struct timeline_record *rec, const char *pair, struct err *err);

/*
 * Holds the run for one process, until *ret_fd is closed or the process ends. ERR_STATE if another one is at work on it.
 */
bool run_lock(const char *dir, int *ret_fd, struct err *err);
/* Removes what a runner that was killed has left half written: one of the two may be a secret. With the lock. */
void run_sweep(const char *dir);
/*
 * A sign of life, at the lock (the directory's own time): from the newest one a run that is taken up again tells how long it was
 * at rest. run_last_sign_ms is of the wall clock; asked before anything is written into the directory. false: not known.
 */
void run_sign(int lock_fd, int64_t now_wall_ms);
bool run_last_sign_ms(int lock_fd, int64_t *ret_wall_ms);

#endif
