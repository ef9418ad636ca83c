/*
 * verdict.json: what the judge found (format "psmdb-drill/verdict", version 1; JSON Schema:
 * docs/verdict.schema.json). Everything that any report shows is in here, ready to be shown:
 * reports format, they compute nothing.
 */
#ifndef EVIDENCE_VERDICT_H
#define EVIDENCE_VERDICT_H

#include "base/cleanup.h"
#include "base/err.h"
#include "base/optime.h"
#include "base/uuid.h"
#include "tick/tick.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VERDICT_FORMAT "psmdb-drill/verdict"
#define VERDICT_VERSION 1

/* X(name, text, exit status) */
#define VERDICT_RESULTS(X)                                                                                             \
	X(PASS, "PASS", EXIT_PASS)                                                                                     \
	X(FAIL, "FAIL", EXIT_FAIL)                                                                                     \
	X(INCONCLUSIVE, "INCONCLUSIVE", EXIT_INCONCLUSIVE)                                                             \
	X(ERROR, "ERROR", EXIT_ERROR)
enum verdict_result {
#define X(name, text, status) VERDICT_##name,
	VERDICT_RESULTS(X)
#undef X
};

/*
 * Every tick is in exactly one class. X(name, text, fails, what it means)
 */
#define TICK_CLASSES(X)                                                                                                \
	X(OK, "ok", false, "acknowledged before the restore point and intact")                                         \
	X(EXPECTED_LOSS, "expected_loss", false, "acknowledged after the restore point and absent: the RPO")           \
	X(AT_BOUND, "at_bound", false, "acknowledged astride the restore point: may be there or not")                  \
	X(RECOVERED, "recovered", false, "not known to be acknowledged, and present")                                  \
	X(INDETERMINATE, "indeterminate", false, "not known to be acknowledged, and absent")                           \
	X(REFUSED, "refused", false, "refused by the database, and absent")                                            \
	X(UNJOURNALED, "unjournaled", false, "present beyond the end of an open journal")                              \
	X(FOREIGN, "foreign", false, "a document of another run, or no tick at all")                                   \
	X(LOST, "lost", true, "acknowledged before the restore point and absent")                                      \
	X(LATE, "late", true, "written after the restore point and present")                                           \
	X(RESURRECTED, "resurrected", true, "refused by the database, and present")                                    \
	X(UNEXPECTED, "unexpected", true, "never issued, and present")                                                 \
	X(DUPLICATED, "duplicated", true, "present more than once")                                                    \
	X(CORRUPTED, "corrupted", true, "present, but its bytes are not what was written")
enum tick_class {
#define X(name, text, fails, meaning) CLASS_##name,
	TICK_CLASSES(X)
#undef X
	    CLASS_COUNT
};
const char *tick_class_text(enum tick_class c);
const char *tick_class_meaning(enum tick_class c);
bool tick_class_fails(enum tick_class c);

/*
 * Reasons have stable codes. X(code, severity, title). FAIL and INCONCLUSIVE reasons make the result; WARN and INFO
 * do not.
 */
enum verdict_severity { SEVERITY_FAIL, SEVERITY_INCONCLUSIVE, SEVERITY_WARN, SEVERITY_INFO };
#define VERDICT_REASONS(X)                                                                                             \
	X(LOST, FAIL, "acknowledged operations are missing")                                                           \
	X(LATE, FAIL, "operations from after the restore point are present")                                           \
	X(RESURRECTED, FAIL, "refused operations are present")                                                         \
	X(UNEXPECTED, FAIL, "documents that were never issued are present")                                            \
	X(DUPLICATED, FAIL, "ticks are present more than once")                                                        \
	X(CORRUPTED, FAIL, "ticks were altered")                                                                       \
	X(BOUND_BEFORE_ANCHOR, FAIL,                                                                                   \
	    "the backup ends before the last operation that was acknowledged before it was requested")                 \
	X(WRONG_BACKUP, FAIL, "what was restored is not what was pinned")                                              \
	X(RESTORE_FAILED, FAIL, "the restore itself failed")                                                           \
	X(SILENT_LOSS, FAIL, "the restore was reported as a success, and operations are missing")                      \
	X(BACKUP_FILES_CHANGED, FAIL, "files of the backup are gone or were changed since it was pinned")              \
	X(RPO_EXCEEDED, FAIL, "the loss is longer than allowed")                                                       \
	X(RTO_EXCEEDED, FAIL, "the recovery took longer than allowed")                                                 \
	X(LOGIN_DRIFT, FAIL, "users of the secrets cannot log in")                                                     \
	X(SCHEMA_DRIFT, FAIL, "indexes or options of collections are not what they were before")                       \
	X(ROLE_DRIFT, FAIL, "users or roles are not what they were before")                                            \
	X(PROBE_FAILED, FAIL, "the restored database does not serve reads or writes")                                  \
	X(MEMBER_DIFFERS, FAIL, "a member of a replica set holds other data than the primary")                         \
	X(LEFT_BEHIND, FAIL, "something of what was to be removed is left")                                            \
	X(NO_JOURNAL, INCONCLUSIVE, "there is no journal: what was acknowledged is not known")                         \
	X(JOURNAL_BROKEN, INCONCLUSIVE, "the journal is damaged")                                                      \
	X(JOURNAL_CUT, INCONCLUSIVE, "the journal ends before the record that the timeline saw last")                  \
	X(NO_BOUND, INCONCLUSIVE, "there is no pinned restore point")                                                  \
	X(NO_TIMELINE, INCONCLUSIVE, "there is no timeline: anchor and liveness cannot be checked")                    \
	X(TIMELINE_BROKEN, INCONCLUSIVE, "the timeline is damaged")                                                    \
	X(NO_OBSERVATION, INCONCLUSIVE, "there is no complete observation of the restored database")                   \
	X(OBSERVATION_BROKEN, INCONCLUSIVE, "the observation is damaged")                                              \
	X(NO_ANCHOR, INCONCLUSIVE,                                                                                     \
	    "no tick was acknowledged before the backup was requested, or that moment is not known")                   \
	X(NO_DISASTER, INCONCLUSIVE, "the timeline does not say when the disaster was")                                \
	X(NO_COVERAGE, INCONCLUSIVE, "the evidence does not reach across the restore point")                           \
	X(SHARD_UNCOVERED, INCONCLUSIVE, "a replica set of the backup has no tick")                                    \
	X(STALLED, INCONCLUSIVE, "the ticker stalled before the disaster")                                             \
	X(UNDECIDED, INCONCLUSIVE, "more undecided ticks than allowed")                                                \
	X(UNJOURNALED, INCONCLUSIVE, "ticks beyond the end of an open journal are present")                            \
	X(IDENTITY_UNKNOWN, INCONCLUSIVE, "what was restored cannot be compared with what was pinned")                 \
	X(RESTORE_UNKNOWN, INCONCLUSIVE, "the restore's end is not known")                                             \
	X(RPO_PAUSED, INCONCLUSIVE, "whether the loss is longer than allowed depends on an interruption of the drill") \
	X(RTO_PAUSED, INCONCLUSIVE,                                                                                    \
	    "whether the recovery took longer than allowed depends on an interruption of the drill")                   \
	X(BEFORE_UNUSABLE, INCONCLUSIVE, "what the cluster was like before cannot be compared")                        \
	X(DETAILS_TRUNCATED, INCONCLUSIVE, "the observation lists less than it counted")                               \
	X(MEMBER_NOT_READ, INCONCLUSIVE, "a member of a replica set could not be compared with the primary")           \
	X(NOT_LOOKED_AT, INCONCLUSIVE, "whether something is left could not be seen everywhere")                       \
	X(CONTROL_PASSED, INCONCLUSIVE, "the judge did not find what was made wrong on purpose")                       \
	X(DRILL_STOPPED, INCONCLUSIVE, "the drill could not go on")                                                    \
	X(TORN, WARN, "the replica sets of the backup are not at one instant")                                         \
	X(ROLE_ADDED, WARN, "users or roles are there that were not before")                                           \
	X(VERSION_DRIFT, WARN, "the server is of another version than before")                                         \
	X(ENVIRONMENT, WARN, "a part of the environment was a stand-in")                                               \
	X(BACKUPS_KEPT, INFO, "backups stay in the bucket")                                                            \
	X(PAUSED, INFO, "the drill was interrupted in the disaster or the recovery: that time is in no figure")        \
	X(FOREIGN, INFO, "documents of other runs, or that are no ticks")                                              \
	X(ORPHANS, INFO, "documents on shards that do not own them were left out")                                     \
	X(DIGEST_PARTIAL, WARN, "some ticks could be checked by their own sum only, not against the journal")          \
	X(OPEN_JOURNAL, INFO, "the journal was not sealed: its claims stop at its last record")
enum verdict_reason_code {
#define X(code, severity, title) REASON_##code,
	VERDICT_REASONS(X)
#undef X
	    REASON_COUNT
};
const char *verdict_reason_text(enum verdict_reason_code c); /* "LOST" */
const char *verdict_reason_title(enum verdict_reason_code c);
enum verdict_severity verdict_reason_severity(enum verdict_reason_code c);
const char *verdict_severity_text(enum verdict_severity s); /* "fail", "inconclusive", "warning", "info" */

struct verdict_reason {
	enum verdict_reason_code code;
	char message[1024]; /* with the numbers, their units and what they were compared with */
	char hint[512];	    /* what to do next */
};

/* A run of ticks of one class; lists are bounded, counts are not. */
struct verdict_range {
	int64_t first, last;
	enum tick_class class;
};

struct verdict_stream {
	struct uuid run;
	char ns[TICK_NS_MAX];
	int32_t writer;
	char replica_set[64]; /* "" if not known */
	int64_t count[CLASS_COUNT];
	int64_t issued;
	int64_t first, last; /* sequence numbers met in journal or data */
	struct verdict_range
	    *ranges; /* all ticks as runs of one class, ascending; at most VERDICT_RANGES_MAX, then truncated */
	size_t range_count;
	bool
	    ranges_truncated; /* the tail of the lane is not listed; failing classes are listed first-come in bad[] all the same */
	struct verdict_range *bad; /* runs of failing, undecided or unjournaled classes; at most VERDICT_RANGES_MAX */
	size_t bad_count;
	bool bad_truncated;
};
#define VERDICT_RANGES_MAX 2000
#define VERDICT_STREAMS_MAX 1024

struct verdict_phase {
	char name[64];
	int64_t from_ms, to_ms; /* since the disaster, drill's monotonic clock (probes: wall clock) */
};

struct verdict_event {
	int64_t at_ms;	  /* wall */
	int64_t since_ms; /* monotonic, since the first event of the timeline */
	char name[64];
	char text[512];
};

struct verdict_set {
	char name[64];
	struct optime b0, b1;
	int64_t ticks; /* evidence: acknowledged ticks known to live there; -1: not known */
};

struct verdict_input {
	char kind[16];	/* journal, timeline, bound, observed */
	char name[256]; /* file name without folder */
	char sha256[65];
	int64_t bytes;
	uint64_t records; /* 0 for bound */
	char chain[33];	  /* last chain value, "" for bound */
	char state[24];	  /* sealed, open, broken, absent, complete, incomplete */
};

struct verdict_login {
	char user[256];
	bool ok;
	char detail[512];
};

struct verdict_namespace {
	char ns[TICK_NS_MAX];
	bool exists;
	int64_t documents;
	int64_t indexes;
	char options[2048];
};

struct verdict_newest {
	char ns[TICK_NS_MAX];
	int64_t created_at_ms;
	int64_t seq; /* 0: not a tick of this run */
	bool has_age_at_backup, has_age_at_disaster;
	/*
	 * Wall clocks: they inform, they do not judge. At the backup: to the end of the restore point's second, so an
	 * upper bound.
	 */
	int64_t age_at_backup_ms, age_at_disaster_ms;
};

struct verdict {
	enum verdict_result result;
	int64_t judged_at_ms;
	char judge[32]; /* version */
	struct uuid drill;
	bool has_drill;
	char scenario[64];
	char title
	    [256]; /* one sentence: "PASS: 512 of 512 acknowledged operations before the restore point are there" */

	struct verdict_reason *reasons; /* failing first, then inconclusive, warnings, infos */
	size_t reason_count;

	int64_t count[CLASS_COUNT]; /* sums over the streams; foreign counts documents */
	int64_t issued, acked;
	struct verdict_stream *streams;
	size_t stream_count;

	/* the restore point */
	bool has_bound;
	char backup_name[128], backup_opid[64], bound_source[24], bound_precision[16], pbm_version[32],
	    mongodb_version[32];
	struct optime b0;
	struct verdict_set sets[64];
	size_t set_count;
	int64_t torn_width_s; /* greatest b1.t - b0.t; 0: exact */

	/* what was restored, and who says so */
	bool has_restore;
	char restore_state[32], restore_reported_by[128], restored_backup[128], restored_opid[64], restore_detail[512];

	/* RPO: the disaster's instant - b0 in cluster time */
	bool has_rpo;
	bool rpo_at_least;    /* the journal is open: at least so much */
	int64_t rpo_ms;	      /* middle of the interval */
	int64_t rpo_error_ms; /* +- */
	int64_t rpo_ops;      /* acknowledged operations after the restore point that are gone (lost ones included) */
	int64_t max_rpo_ms;   /* -1: no threshold */

	/* RTO */
	bool has_rto;
	int64_t rto_ms;	      /* disaster to first majority write (or to the last phase that is known) */
	int64_t rto_error_ms; /* +-, where its end is told by another cluster's clock; else 0 */
	bool rto_complete;    /* all the way to a majority write */
	char rto_until[64];   /* name of the last phase */
	struct verdict_phase phases[16];
	size_t phase_count;
	int64_t max_rto_ms; /* -1: no threshold */

	/* of a PASS: what was made wrong on purpose, and whether this judge found it */
	struct verdict_control {
		char name[64], detail[256];
		bool found;
	} controls[8];
	size_t control_count;

	/* a description from before the disaster was given, and could be compared; users and roles only if both sides know them */
	bool has_before, schema_judged, roles_judged;

	/* of the further members of the replica sets, where each was asked for: how many, and of these read, and equal */
	bool has_members;
	int64_t members_asked, members_read, members_equal;

	/* of an installation, instead of a restore: what was looked through afterwards */
	bool has_removal;
	int64_t removal_kinds, removal_kinds_unread; /* kinds that were listed; that could not be */
	int64_t removal_objects, removal_left;	     /* objects looked at; those of the installation that are left */

	int64_t undecided, max_undecided;
	int64_t digest_checked,
	    digest_unchecked; /* present ticks checked against the journal's digests, or only by their own sum */

	struct verdict_newest *newest;
	size_t newest_count;
	struct verdict_login *logins;
	size_t login_count;
	struct verdict_namespace *namespaces;
	size_t namespace_count;
	struct verdict_event *events; /* the timeline, at most VERDICT_EVENTS_MAX */
	size_t event_count;
	bool events_truncated;
	struct verdict_input inputs[32];
	size_t input_count;
	struct {
		char name[64];
		char value[256];
	} versions[32];
	size_t version_count;
	char cluster_before[64], cluster_after[64]; /* identities: "replicaSet 65…" */
};
#define VERDICT_EVENTS_MAX 500
#define VERDICT_REASONS_MAX 256

void verdict_init(struct verdict *v);
void verdict_clear(struct verdict *v);
#define VERDICT_CLEANUP __attribute__((cleanup(verdict_clear)))
/*
 * Sets the result from the reasons: FAIL before INCONCLUSIVE before PASS; PASS needs no reason of the first two
 * severities. ERROR is only set by the caller.
 */
void verdict_settle(struct verdict *v);
bool verdict_add_reason(struct verdict *v, enum verdict_reason_code code, const char *hint, struct err *err,
    const char *fmt, ...) __attribute__((format(printf, 5, 6)));
bool verdict_write(const struct verdict *v, const char *path, struct err *err); /* atomically; "-": stdout */
bool verdict_read(const char *path, struct verdict *ret, struct err *err);
bool verdict_parse(const char *text, size_t len, struct verdict *ret, struct err *err);
const char *verdict_result_text(enum verdict_result r);
int verdict_exit_status(enum verdict_result r);

#endif
