/*
 * A drill as structures in memory, to be spoilt in one place and judged. story_init tells one without a flaw:
 *
 *   One replica set, one stream (drill.ticker, writer 0). Tick k is issued at ticker's ms 1000k - 100 and
 *   acknowledged
 * at 1000k with operation time (1000 + k, 1), exact, k = 1 to 40. The restore point is (1020,1): ticks 1 to 20 are
 * before it, and there. All clocks agree; wall = 1,000,000 + ms, monotonic = 5,000,000 + ms. The backup is requested
 * at
 * ms 15500, the disaster strikes at ms 40500; the restore ends 60 s later, and is read 4 s after that. Journal
 * records:
 * 1 open, then 2k issued and 2k + 1 acked; 82 is the end.
 */
#ifndef TESTS_JUDGE_STORY_H
#define TESTS_JUDGE_STORY_H

#include "verifier/judge.h"

#define STORY_WALL INT64_C(1000000)
#define STORY_MONO INT64_C(5000000)
#define STORY_TICKS 40

struct story_journal {
	struct journal_open open;
	struct journal_record *records;
	size_t count, cap;
	enum journal_state state;
	struct err why;
	uint64_t salt; /* of its chain values */
};

struct story {
	struct judge_options options;
	struct bound bound;
	struct observed observed, before;
	bool has_before;
	bool no_bound, no_observed, no_timeline;
	char bound_sha256[65]; /* of bound.json; empty: not told */
	struct story_journal journals[4];
	size_t journal_count;
	struct timeline_record *timeline;
	size_t timeline_count, timeline_cap;
	enum record_state timeline_state;
	int64_t unlisted; /* intact ticks that the observation counts and does not list */
	struct verdict verdict;
};

void story_init(struct story *s);
void story_clear(struct story *s);
/* Judges it into s->verdict (again, if need be). */
void story_judge(struct story *s);

struct uuid story_run(int number);
uint64_t story_sum(int64_t seq);
struct record_head story_head(const struct story_journal *j, uint64_t n);

/* One more replica set in the restore point, which ends at b1. */
void story_shard(struct story *s, const char *name, struct optime b1);

/* --- journals: records get their numbers when the story is judged, unless they have one. */
struct story_journal *story_journal(struct story *s, int run); /* an empty one more */
uint32_t story_stream(struct story_journal *j, const char *ns, int32_t writer);
struct journal_record *story_issued(
    struct story_journal *j, uint32_t stream, int64_t ms, int64_t first, int64_t last, struct optime lo);
struct journal_record *story_acked(
    struct story_journal *j, uint32_t stream, int64_t ms, int64_t first, int64_t last, struct optime hi, bool exact);
struct journal_record *story_outcome(
    struct story_journal *j, enum journal_type type, uint32_t stream, int64_t ms, int64_t first, int64_t last);
/* The outcome record of a tick of the flawless story. */
struct journal_record *story_outcome_of(struct story *s, int64_t seq);
/* Leaves records from index on out. */
void story_cut(struct story_journal *j, size_t count);

/* --- observation */
struct observed_stream *story_observe(
    struct story *s, const char *ns, int32_t writer, int run, const char *set, int64_t first, int64_t last);
void story_see(struct observed_stream *o, int64_t first, int64_t last);
void story_unsee(struct observed_stream *o, int64_t seq);
/* The tick is intact, but not what was written. */
void story_alter(struct observed_stream *o, int64_t seq);
void story_anomaly(struct story *s, enum observed_anomaly_kind kind, int32_t stream, int64_t seq);
void story_restore(struct story *s, const char *backup, const char *status);

/* --- timeline: events in any order of calls are judged in the order of ms */
struct timeline_record *story_event(struct story *s, int64_t ms, const char *name);
struct timeline_record *story_event_with(
    struct story *s, int64_t ms, const char *name, const char *key, const char *value);
void story_add(struct timeline_record *rec, const char *key, const char *value); /* one member of data */
struct timeline_record *story_find_event(struct story *s, const char *name);
void story_forget(struct story *s, const char *name); /* all events of that name */
void story_forget_heads(struct story *s, int64_t from_ms);

/* --- the verdict */
const struct verdict_reason *story_reason(const struct story *s, enum verdict_reason_code code);
#define cr_expect_reason(s, code)                                                                                      \
	cr_expect_not_null(story_reason((s), (code)), "%s is missing; %s", verdict_reason_text(code), story_reasons(s))
#define cr_expect_no_reason(s, code) cr_expect_null(story_reason((s), (code)), "%s", story_reasons(s))
/* Judges: is there this reason, with a message and a hint, and this result? Is it a PASS? */
void story_expect(struct story *s, enum verdict_reason_code code, enum verdict_result result);
void story_expect_pass(struct story *s);
/* All codes and messages, for failing assertions. */
const char *story_reasons(const struct story *s);
#define cr_expect_result(s, expected)                                                                                  \
	cr_expect_eq((s)->verdict.result, (expected), "%s instead of %s: %s",                                          \
	    verdict_result_text((s)->verdict.result), verdict_result_text(expected), story_reasons(s))
#define cr_expect_count(s, class, expected)                                                                            \
	cr_expect_eq((s)->verdict.count[class], (expected), "%lld %s instead of %lld: %s",                             \
	    (long long)(s)->verdict.count[class], tick_class_text(class), (long long)(expected), story_reasons(s))

#endif
