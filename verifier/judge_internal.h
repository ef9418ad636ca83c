/*
 * What the files judge*.c share; nobody else includes it.
 *
 *   judge.c             life of the judge, the order of the work at the end, the title
 *   judge_classify.c    the rule: claim x position x presence -> class
 *   judge_seen.c        what was observed of one stream, as disjoint pieces
 *   judge_lane.c        the class of every tick of one stream, as runs
 *   judge_journal.c     one journal, streamed: who claims what, and what became of it
 *   judge_blocks.c      the journal's digests against the observed ones
 *   judge_timeline.c    what the drill did, kept as facts
 *   judge_settle.c      the classes that only the end decides, and the verdict's streams
 *   judge_conditions.c  what the classes and the files themselves mean, as reasons
 *   judge_restore.c     was it the right backup, and what the restore, the probes and the logins say
 *   judge_before.c      what was described before the disaster against what is there now
 *   judge_continuity.c  anchor, coverage, liveness: does the evidence reach across the restore point without a hole
 *   judge_figures.c     restore point, RPO, RTO, newest ticks and what else the verdict shows
 *   judge_pauses.c      interruptions of the drill itself, and what of them is in no figure
 *   judge_members.c     the further members of the replica sets, against the primary
 *   judge_cause.c       one reason for one cause, however many streams it hits
 */
#ifndef VERIFIER_JUDGE_INTERNAL_H
#define VERIFIER_JUDGE_INTERNAL_H

#include "base/cleanup.h"
#include "verifier/judge.h"

/* Makes room for one more item in an array that grows by doubling. */
bool judge_grow(void *items, size_t *cap, size_t count, size_t size, struct err *err);
#define GROW(items, cap, count, err) judge_grow(&(items), &(cap), (count), sizeof *(items), (err))

/*
 * Clock readings come from files: beyond two million years they are cut, so that no sum of a few of them overflows.
 */
#define JUDGE_MS_MAX ((int64_t)1 << 56)
static inline int64_t judge_ms(int64_t ms)
{
	return ms > JUDGE_MS_MAX ? JUDGE_MS_MAX : ms < -JUDGE_MS_MAX ? -JUDGE_MS_MAX : ms;
}

/* --- one reason for one cause
 * ------------------------------------------------------------------------------------------------------ */

struct cause {
	size_t count, shown, used;
	char text[800];
};
/* One more place where it was seen; the first ones are shown, all are counted. */
void cause_add(struct cause *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The reason, if there was any: intro, then the places. */
bool cause_end(const struct cause *c, struct verdict *v, enum verdict_reason_code code, const char *hint,
    const char *intro, struct err *err);

/* --- lane
 * --------------------------------------------------------------------------------------------------------------------------
 */

enum { LANE_PRESENT = 1, LANE_AFTER = 2 };
struct lane_run {
	int64_t first, last;
	uint8_t class, flags;
};
struct lane {
	struct lane_run *runs; /* ascending, disjoint; holes are ticks without a class yet */
	size_t count, cap;
};
void lane_clear(struct lane *lane);
bool lane_has(const struct lane *lane, int64_t seq);
/* first..last must not have a class yet. */
bool lane_put(struct lane *lane, int64_t first, int64_t last, enum tick_class class, uint8_t flags, struct err *err);
/* Another class for those ticks of first..last whose presence is as given. */
bool lane_override(
    struct lane *lane, int64_t first, int64_t last, bool present, enum tick_class class, struct err *err);

/* --- what was observed of one stream
 * ----------------------------------------------------------------------------------------- */

struct seen_piece {
	int64_t first, last;
	int32_t link;		      /* index into the stream's links; -1: none */
	enum judge_presence presence; /* never ABSENT: that is between the pieces */
};
struct seen {
	struct seen_piece *pieces;
	size_t count, cap;
};

/* One observed stream (one replica set) of a journal's stream. */
struct link {
	const struct observed_stream *stream;
	const struct bound_set *set; /* NULL: not known */
	struct optime b1;
	/* digests: the block that the journal is in */
	size_t at_interval, at_block;
	int64_t block;
	struct tick_digest expected;
	int64_t present;
	bool partial;
	/* figures */
	struct optime max_lo; /* over present ticks */
	int64_t acked_present, acked_before;
};

struct pending {
	int64_t first, last;
	struct optime lo;
};
struct gap {
	int64_t from_ms, to_ms; /* the ticker's monotonic clock, since open */
	uint64_t to_n;		/* the record that ended it */
};
/* An absent acked tick astride a coarse restore point. */
struct astride {
	int64_t first, last;
	struct optime hi;
};
struct altered {
	int64_t first, last; /* by digest: present ticks of it are corrupted */
	bool located;
};
struct ack {
	bool known;
	uint64_t n;
	int64_t ms, seq;
	struct optime hi;
};

struct stream {
	struct journal_stream id;
	const struct bound_set
	    *home; /* of several in the bound, the one that was written to directly; NULL: not known */
	struct link *links;
	size_t link_count;
	struct seen seen;
	size_t at_piece;
	struct optime b1; /* greatest of the sets that may hold an absent tick */
	struct lane lane;
	struct pending *pending;
	size_t pending_count, pending_cap;
	struct interval *never; /* gaps in what was issued: a writer never makes them */
	size_t never_count, never_cap;
	struct astride *astride;
	size_t astride_count, astride_cap;
	struct altered *altered;
	size_t altered_count, altered_cap;
	struct gap *gaps;
	size_t gap_count, gap_cap;
	int64_t gap_limit_ms;
	int64_t last_issued, issued, acked;
	bool acked_before, reached;
	bool unread; /* the observation did not read this namespace: absence is not known */
	int64_t before_total, acked_gone;
	struct ack first_ack, last_ack, anchor, lost_first, lost_last;
	struct optime last_hi;
	int64_t digest_checked, digest_unchecked;
	int64_t loose[CLASS_COUNT]; /* without a sequence number */
	int64_t count[CLASS_COUNT], undecided;
};

/* --- the timeline's facts
 * ------------------------------------------------------------------------------------------------------- */

struct mention {
	uint64_t n;
	int64_t mono_ms;
	unsigned char chain[16];
};
struct drill_run {
	struct uuid run;
	struct mention *mentions; /* ascending by n, first sight of each */
	size_t count, cap;
	bool given;	   /* a journal of this run was judged */
	bool contradicted; /* two chain values for one number */
};
struct moment {
	bool known;
	int64_t at_ms, mono_ms;
};
struct request {
	struct moment at;
	struct timeline_journal journal;
};
struct outage {
	int64_t from_ms, to_ms; /* drill's wall clock */
};

/* The run was interrupted, and taken up again. */
struct pause {
	int64_t from_ms; /* drill's wall clock */
	struct moment to;
	bool after_disaster; /* a drill that is interrupted sees no disaster: it is wholly before it or behind it */
};

#define JUDGE_OUTAGES_MAX 256
#define JUDGE_PAUSES_MAX 256
struct timeline_facts {
	bool known, broken;
	char broken_why[512];
	struct timeline_open open;
	struct drill_run *runs;
	size_t run_count, run_cap;
	struct request request, matched, frozen;
	struct timeline_journal disaster_journal; /* what the drill held at the disaster */
	struct moment disaster, volumes_gone, cluster_requested, cluster_ready, restore_requested, restore_finished;
	char restored_backup[128], restore_state[32], reported_by[128], restore_detail[512];
	char pinned_backup[128], pinned_sha256[65]; /* the last one before the disaster */
	struct cause malformed;			    /* events that lack their figures */
	bool rechecked;
	int64_t files_missing, files_changed;
	char recheck_detail[256];
	bool clock_known;
	int64_t clock_offset_ms, clock_error_ms; /* cluster's wall clock less the drill's */
	bool target_known; /* the cluster that was restored into is another one: its wall clock less the drill's */
	int64_t target_offset_ms, target_error_ms;
	struct outage outages[JUDGE_OUTAGES_MAX];
	size_t outage_count;
	bool outage_open;
	struct pause pauses[JUDGE_PAUSES_MAX]; /* more are not taken off the figures */
	size_t pause_count;
	int64_t newest_ms; /* of the record before this one, on the drill's wall clock */
	struct verdict_event *events;
	size_t event_count, event_cap;
	bool events_truncated;
	int64_t first_mono_ms;
	struct {
		char name[64];
		char value[256];
	} versions[32], notes[8];
	size_t version_count, note_count;
};
/* The request that the restored backup answers. */
const struct request *timeline_anchor(const struct timeline_facts *t);
struct drill_run *timeline_run(struct timeline_facts *t, const struct uuid *run);
/* Milliseconds from the disaster to a later moment: monotonic, or wall where the machine was restarted in between. */
int64_t timeline_since_disaster(const struct timeline_facts *t, const struct moment *m);
void timeline_facts_clear(struct timeline_facts *t);

/* --- judge
 * --------------------------------------------------------------------------------------------------------------------------
 */

struct journal {
	struct journal_open open;
	struct stream *streams; /* open.stream_count of them */
	enum journal_state state;
	char why[512];
	struct record_head head;
	uint64_t anchor_n;	 /* 0: not the journal of the request */
	struct drill_run *known; /* as the timeline knows it; NULL: it does not */
	size_t at_mention;
	uint64_t contradicted_n;
	bool ended, failed;
	bool excluded; /* of the restored cluster */
};

struct judge_fault_note {
	enum verdict_reason_code code;
	char message[1024], hint[512];
};

struct judge {
	struct judge_options options;
	const struct bound *bound;
	const struct observed *observed;
	const struct observed *before; /* NULL: no description was given */
	char bound_sha256[65];	       /* of bound.json; empty: not told */
	bool has_data;		       /* the observation is complete: absence is known */
	struct optime b0, b1_all;      /* b1_all: greatest b1 */
	struct timeline_facts timeline;
	struct journal **journals;
	size_t journal_count, journal_cap;
	struct journal *current;
	bool repeated; /* the current journal's run was judged already */
	size_t repeated_count;
	bool *claimed; /* observed streams that belong to a judged journal */
	bool *anomaly_used;
	struct judge_fault_note faults[16];
	size_t fault_count;
	bool finished;
	int64_t rpo_paused_ms, rto_paused_ms; /* what was taken off */
};

/* judge_seen.c */
bool seen_build(struct judge *j, const struct journal *journal, struct stream *s, struct err *err);
void seen_clear(struct seen *seen);
/* Index of the first piece whose last >= seq. from: a guess that costs nothing if it is right. */
size_t seen_find(const struct seen *seen, size_t from, int64_t seq);
bool judge_bound_may_hold(const struct judge *j, const struct bound_set *set, const struct stream *s);
/* Was this replica set of the bound read, directly or through a mongos? */
bool judge_set_was_read(const struct observed *o, const char *set);

/* judge_blocks.c */
bool blocks_issued(struct stream *s, int64_t first, int64_t last, const struct tick_digest *digest, struct err *err);
bool blocks_end(struct stream *s, struct err *err);

/* judge_journal.c */
void journal_free(struct journal *journal);
/* The drill's wall clock at the ticker's monotonic ms. */
int64_t journal_drill_wall_ms(const struct judge *j, const struct journal *journal, int64_t ms);
int64_t stream_gap_limit_ms(const struct journal *journal);

/* For a lost range: the first and the last missing operation by operation time. */
void stream_note_lost(struct stream *s, int64_t first, int64_t last, struct optime hi);

/* judge_settle.c */
bool settle_classes(struct judge *j, struct verdict *v, struct err *err);

/* judge_restore.c */
/* PBM's record of the restore that started last; NULL: none, or one from well before the disaster. */
const struct observed_restore *judge_newest_restore(const struct judge *j);
bool judge_restore_done(const struct judge *j, char *ret_who, size_t size); /* was a success reported, and by whom */
bool restore_add(struct judge *j, struct verdict *v, struct err *err);

/* Each adds reasons or fills figures. */
bool before_add(const struct judge *j, struct verdict *v, struct err *err);
bool conditions_add(struct judge *j, struct verdict *v, struct err *err);
bool continuity_add(struct judge *j, struct verdict *v, struct err *err);
bool figures_fill(struct judge *j, struct verdict *v, struct err *err);
bool thresholds_add(const struct judge *j, struct verdict *v, struct err *err);

/* judge_members.c */
bool members_add(const struct judge *j, struct verdict *v, struct err *err);

/* judge_pauses.c */
int64_t pauses_in_rpo_ms(const struct judge *j);
/* The pauses between the disaster and so many ms behind it. */
int64_t pauses_in_rto_ms(const struct timeline_facts *t, int64_t since_ms);
bool pauses_add(const struct judge *j, struct verdict *v, struct err *err);

bool judge_has_fault(const struct judge *j, enum verdict_reason_code code);
/* The cluster's wall clock less the drill's. false: never compared. */
bool judge_clock(const struct judge *j, int64_t *ret_offset_ms, int64_t *ret_error_ms);
/* Of the cluster that was restored into: the same, unless the timeline knows another one. */
bool judge_target_clock(const struct judge *j, int64_t *ret_offset_ms, int64_t *ret_error_ms);
/* "ns writer N", " on SET" where that is known */
#define STREAM_TEXT_MAX (TICK_NS_MAX + 24 + 68)
const char *stream_text(const struct stream *s, char text[static STREAM_TEXT_MAX]);

#endif
