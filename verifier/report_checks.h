/*
 * The checks behind a verdict, one line each, for the reports that list them (text, JUnit, HTML, Markdown). Every
 * failing or inconclusive reason belongs to exactly one check, so that none can be left out. A check without a reason
 * has passed, unless the evidence that it needs is itself missing or damaged, or the drill ended in an error: then it
 * was not judged, and is never shown as passed.
 */
#ifndef VERIFIER_REPORT_CHECKS_H
#define VERIFIER_REPORT_CHECKS_H

#include "evidence/verdict.h"

/* X(name, what it asks, evidence it needs) */
#define REPORT_CHECKS(X)                                                                                               \
	X(JOURNAL, "journal", "the ticker's journal is whole", 0)                                                      \
	X(TIMELINE, "timeline", "the drill's timeline is whole and names the disaster", 0)                             \
	X(BOUND, "restore point", "a restore point was pinned before the disaster", 0)                                 \
	X(OBSERVATION, "observation", "the restored database was read completely", 0)                                  \
	X(ANCHOR, "anchor", "the backup holds what was acknowledged before it was requested",                          \
	    NEEDS_JOURNAL | NEEDS_TIMELINE | NEEDS_BOUND)                                                              \
	X(IDENTITY, "identity", "what was restored is what was pinned", NEEDS_BOUND | NEEDS_OBSERVATION)               \
	X(RESTORE, "restore", "the restore ended well, from unchanged files", NEEDS_OBSERVATION)                       \
	X(COVERAGE, "coverage", "ticks lie on both sides of the restore point, on each replica set",                   \
	    NEEDS_JOURNAL | NEEDS_BOUND | NEEDS_OBSERVATION)                                                           \
	X(LIVENESS, "liveness", "the ticker was alive until the disaster", NEEDS_JOURNAL | NEEDS_TIMELINE)             \
	X(DATA, "data", "no tick is lost, late, altered, repeated or invented",                                        \
	    NEEDS_JOURNAL | NEEDS_BOUND | NEEDS_OBSERVATION)                                                           \
	X(UNDECIDED, "undecided", "few enough ticks are undecided", NEEDS_JOURNAL | NEEDS_BOUND | NEEDS_OBSERVATION)   \
	X(PROBES, "probes", "the restored database serves reads and writes", NEEDS_OBSERVATION)                        \
	X(LOGINS, "logins", "the users of the secrets can log in", NEEDS_OBSERVATION)                                  \
	X(SCHEMA, "indexes", "indexes and options are what they were before", NEEDS_OBSERVATION)                       \
	X(ROLES, "roles", "users and roles are what they were before", NEEDS_OBSERVATION)                              \
	X(MEMBERS, "members", "every member of a replica set holds what its primary holds", NEEDS_OBSERVATION)         \
	X(RPO, "RPO", "the loss is within its limit", NEEDS_TIMELINE | NEEDS_BOUND)                                    \
	X(RTO, "RTO", "the recovery is within its limit", NEEDS_TIMELINE | NEEDS_OBSERVATION)                          \
	X(CONTROL, "control", "the judge finds what is made wrong on purpose", 0)                                      \
	X(REMOVAL, "removal", "nothing of the installation is left, and everything was looked at", 0)
enum report_check {
#define X(name, text, asks, needs) CHECK_##name,
	REPORT_CHECKS(X)
#undef X
	    CHECK_COUNT
};

enum check_status { CHECK_PASSED, CHECK_FAILED, CHECK_INCONCLUSIVE, CHECK_NOT_JUDGED };

const char *check_text(enum report_check check);
const char *check_asks(enum report_check check);
const char *check_status_text(enum check_status status); /* "passed", "failed", "inconclusive", "not judged" */
/* CHECK_COUNT for warnings and infos. */
enum report_check check_of(enum verdict_reason_code code);
enum check_status check_status(const struct verdict *v, enum report_check check);
/* false: it does not apply (no threshold was set, no user was tried, it is about a removal) and is not listed. */
bool check_applies(const struct verdict *v, enum report_check check);
/* Nothing from before was given that it could be compared with: listed as not judged, but no fault of the evidence. */
bool check_is_optional(const struct verdict *v, enum report_check check);
/* Integrity of one stream: its failing classes, and whether it was judged at all. */
enum check_status stream_status(const struct verdict *v, const struct verdict_stream *s);

#endif
