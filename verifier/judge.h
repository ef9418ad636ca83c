/*
 * The judge: evidence in, verdict out. Pure: no clock, no file, no output; the same evidence gives the same verdict.
 * Every failure (memory, misuse) comes back as an error and never as a verdict.
 *
 * Order of the calls: judge_new; the timeline, if there is one (open, records, end); each journal (begin, records,
 * end) in any order; judge_finish once. Memory grows with the holes of the data, the runs of one class, outstanding
 * and astride ticks, and (bounded) with the seconds of the timeline; not with the ticks.
 *
 * What is decided here where docs/architecture.md leaves a choice:
 *   - Where the replica set of a tick is not known (it is absent, or was read behind a mongos) and the bound has
 * several, b1 is the greatest of those sets that may hold the namespace. With a set named "cfg" in the bound,
 * namespaces of "admin" live there and no others do, unless they were seen elsewhere.
 *   - A tick that is intact in two replica sets is duplicated.
 *   - indeterminate ticks after the restore point are not counted as undecided: whether they were executed or not,
 *   they
 * must be absent, and they are. So the tick that is outstanding when the database dies does not spoil a run.
 *   - Block digests are compared where every tick of the block is known to the journal and each range of it is wholly
 * there or wholly absent. A block that also holds ticks that were never issued is not compared (those fail as
 * unexpected; the others are counted as unchecked). Where one tick differs, it is corrupted; where the one cannot be
 * told, all present ticks of the block are, and the reason says so.
 *   - corrupted and duplicated documents of other runs, or of no stream that can be told, count too: altered data is
 * altered data.
 *   - No bound: every tick is astride. No complete observation: no tick has a class.
 *   - A journal of the restored cluster (its identity is the observed one) is not judged, and its ticks are foreign,
 *   if
 * the journal that the backup's request names has another identity, or, restored in place, if it began after
 * restore.finished by its clock and by what the drill followed.
 *   - A journal whose run the timeline knows, but that was not given: JOURNAL_CUT, its ticks are unjournaled.
 *   - A threshold must be met by the whole interval: RPO fails if its middle + error is over it.
 *   - A journal is broken, too, where hi is not above lo, or where a stream's acknowledgements go back in time.
 *   - Absence is not judged in a namespace that the observation did not read (NO_OBSERVATION).
 *   - PBM's record of a restore counts against the drill up to 60 s before the disaster (two clocks), and for it only
 * if it started after the disaster.
 *   - One cause is one reason: streams, replica sets, records are listed in it.
 */
#ifndef VERIFIER_JUDGE_H
#define VERIFIER_JUDGE_H

#include "evidence/bound.h"
#include "evidence/journal.h"
#include "evidence/observed.h"
#include "evidence/timeline.h"
#include "evidence/verdict.h"

#define JUDGE_JOURNALS_MAX 256

struct judge_options {
	/*
	 * Undecided ticks (at_bound, and indeterminate ones not after the restore point) that a PASS may have. -1: as
	 * many as the restore point itself explains: for each (namespace, writer) the command in flight at it, if
	 * commands carry several ticks, and, where b0 < b1, the ticks scheduled in (b1.t - b0.t + 1) seconds. That is
	 * 0
	 * for single ticks and an exact restore point.
	 */
	int64_t max_undecided;
	int64_t max_rpo_ms, max_rto_ms; /* -1: no threshold */
};
#define JUDGE_OPTIONS_DEFAULT                                                                                          \
	{                                                                                                              \
		.max_undecided = -1, .max_rpo_ms = -1, .max_rto_ms = -1                                                \
	}

struct judge;
/* bound and observed may be NULL (there is none); they must outlive the judge. */
bool judge_new(const struct judge_options *options, const struct bound *bound, const struct observed *observed,
    struct judge **ret, struct err *err);
void judge_free(struct judge *j);
CLEANUP_PTR(judge, struct judge, judge_free)

/*
 * A description from before the restore point, which must outlive the judge; without it indexes, options, users and roles are not
 * judged. Of another cluster, or made after the restore point: BEFORE_UNUSABLE, and nothing is compared.
 */
void judge_before(struct judge *j, const struct observed *before);

/* SHA-256 of bound.json's bytes as 64 hex digits, to be compared with what the timeline noted when it was pinned. */
void judge_bound_sha256(struct judge *j, const char *hex);

/* A file that is there and cannot be used: becomes a reason with this code and what->msg. NO_BOUND, OBSERVATION_BROKEN,
 * TIMELINE_BROKEN and JOURNAL_BROKEN stand for the file's absence too. */
bool judge_fault(struct judge *j, enum verdict_reason_code code, const struct err *what, struct err *err);

bool judge_timeline_open(struct judge *j, const struct timeline_open *open, struct err *err);
bool judge_timeline(struct judge *j, const struct timeline_record *rec, struct err *err);
/* state: how record reading ended (END, TORN or BROKEN); why: the reader's error for BROKEN. */
bool judge_timeline_end(struct judge *j, enum record_state state, const struct err *why, struct err *err);

bool judge_journal_begin(struct judge *j, const struct journal_open *open, struct err *err);
/* head: number and chain value of this very record, compared with what the timeline noted; NULL: not compared. Records
 * that break the lifecycle make the journal broken. */
bool judge_journal_record(
    struct judge *j, const struct journal_record *rec, const struct record_head *head, struct err *err);
/* state: SEALED, UNSEALED or BROKEN (why says where). head: of the last good record. */
bool judge_journal_end(
    struct judge *j, enum journal_state state, const struct err *why, const struct record_head *head, struct err *err);

/* Fills everything of the verdict but judged_at_ms, judge and inputs. *ret must be empty (verdict_init). */
bool judge_finish(struct judge *j, struct verdict *ret, struct err *err);

/* --- the rule itself (judge_classify.c)
 * -------------------------------------------------------------------------------------------- */

enum judge_position { POSITION_BEFORE, POSITION_AFTER, POSITION_ASTRIDE };
/* A tick's own time lies in (lo, hi], and is hi if exact; lo < hi. hi is OPTIME_MAX where there was no reply. */
enum judge_position judge_position(struct optime lo, struct optime hi, bool exact, struct optime b0, struct optime b1);

enum judge_claim {
	CLAIM_ACKED,
	CLAIM_OPEN, /* unknown, or issued without outcome */
	CLAIM_FAILED,
	CLAIM_NEVER,	      /* never issued, within the journal's claims */
	CLAIM_BEYOND_REACHED, /* beyond an open journal whose last ack is at or after b1 */
	CLAIM_BEYOND,	      /* beyond an open journal that does not reach so far; or the journal is missing */
	CLAIM_OTHER_RUN,
	CLAIM_COUNT
};
enum judge_presence { PRESENCE_ABSENT, PRESENCE_INTACT, PRESENCE_DUPLICATE, PRESENCE_CORRUPT };
/* The class of one tick; CLASS_COUNT: there is no such tick (never claimed and absent). */
enum tick_class judge_classify(enum judge_claim claim, enum judge_position position, enum judge_presence presence);

#endif
