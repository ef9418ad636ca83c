/*
 * Is the drill's copy of the journal enough for a verdict? Asked before the disaster: afterwards nothing more comes.
 *
 * The judge takes a stream for covered (verifier/judge_continuity.c) if one of its acknowledged ticks has hi <= b0, and
 * one has lo >= b1: sent when its writer already held a reply from b1 or later, so that the tick surely lies behind the
 * restore point. An acknowledgement with hi > b1 is not enough, its tick may have been sent before: lo stands in the
 * issued record, and the timeline's heads do not have it. So heads only say whether it is worth looking
 * (coverage_may_be); the answer is in the journal's copy, and only what a head says is on the disk counts. Here b1 is
 * the greatest of all replica sets of the bound: which one holds a tick is known only after the restore. That asks for
 * as much as the judge, or for a tick more.
 *
 * O(1) memory a stream: ticks are issued in order, and what a writer has had in a reply only grows, so the first tick
 * with lo >= b1 divides them.
 */
#ifndef SCENARIOS_COVERAGE_H
#define SCENARIOS_COVERAGE_H

#include "evidence/bound.h"
#include "evidence/journal.h"
#include "scenarios/drill.h"

#define COVERAGE_WHY_MAX 320

struct coverage {
	struct optime b0, b1;
	struct journal_open open;
	struct {
		int64_t since; /* from this tick on lo >= b1; 0: none yet */
		bool before, reached;
	} streams[JOURNAL_STREAMS_MAX];
};

/* --- pure --------------------------------------------------------------------------------------------------------- */

struct optime coverage_b1(const struct bound *b); /* the greatest */
void coverage_init(struct coverage *c, const struct journal_open *open, struct optime b0, struct optime b1);
void coverage_take(struct coverage *c, const struct journal_record *rec); /* in the journal's order */
/* False: why names the first stream that is not covered, and what it lacks. */
bool coverage_reached(const struct coverage *c, char why[static COVERAGE_WHY_MAX]);
/* False: the heads alone show that it is not. True says nothing yet. */
bool coverage_may_be(const struct drill_heads *heads, struct optime b1, char why[static COVERAGE_WHY_MAX]);

/* --- looking ------------------------------------------------------------------------------------------------------ */

/* Reads the copy up to and with record `held`. ERR_BROKEN: it is damaged. */
bool coverage_read(const char *journal_path, uint64_t held, const struct bound *b, bool *ret_reached,
    char why[static COVERAGE_WHY_MAX], struct err *err);
/* The run as it stands now: heads first, the journal only if they do not say no. For each second of a wait. */
bool coverage_now(
    struct drill *d, const struct bound *b, bool *ret_reached, char why[static COVERAGE_WHY_MAX], struct err *err);

#endif
