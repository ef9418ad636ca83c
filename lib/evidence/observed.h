/*
 * observed.jsonl: what is in the database (format "psmdb-drill/observed", version 1; envelope: record.h). Its size
 * grows with the holes, not with the ticks.
 *
 *   open       format, version, at, collector, cluster {kind, id, set, version, fcv, sharded},
 *              read {concern, after "T,I", from "host:port"}, clock {offset_ms, error_ms};
 *              scope "describe" and until "T,I" of a description (below)
 *   set        name, role ("config" | "shard"), shard, cluster, id, version, after "T,I", from "host:port": one for each
 *              replica set where several were read, each directly; open is about the first one
 *   probe      name ("login" | "read" | "write"), at, ok, attempts, elapsed_ms, detail:
 *              the first success of each after the restore, or the last failure; replicaSet, where several were read
 *   login      user, ok, code, detail: can this user of the secrets log in (credential drift)
 *   namespace  ns, exists, documents, options (relaxed extended JSON, one string), indexes [one string each, sorted];
 *              replicaSet, where several were read; orphans: what a shard does not own was left out and counted
 *   grants     known, detail: could users and roles be read (a record in front of theirs; absent: nobody asked)
 *   grant      role (false: a user), name ("db.name"), roles [one string each, sorted]: what it is granted
 *   member     replicaSet, host, state ("primary" | "secondary" | ""), hidden, ns ("" if it could not be read at all),
 *              read, equal, documents, intact, anomalies, detail: a further member that was read, against the one that
 *              the streams are from; detail: why it was not read, or the first difference
 *   restore    name, opid, backup, kind (PBM's type), status, startTs, finishTs, pitr "T,I" or absent, error:
 *              each of admin.pbmRestores, newest last (at most 100)
 *   backup     name, opid, status, lastWriteTs: the restored backup as admin.pbmBackups knows it
 *   stream     s (from 0; at most OBSERVED_STREAMS_MAX), ns, replicaSet, run, writer, intact, first, last: one for each
 *              replica set that has ticks of the run and writer, behind a mongos, too
 *   intact     s, ranges [["from","to"], ...]: ascending, disjoint; as many lines as needed
 *   block      s, block, ticks, digest: over the intact ticks of that block (tick/digest.h)
 *   anomaly    kind ("corrupt" | "duplicate"), ns, s (absent if no stream), seq, fault, id, createdAt, detail
 *   foreign    ns, replicaSet, documents, why ("not a tick" | "too many streams")
 *   newest     ns, createdAt, s and seq (if it is an intact tick): greatest createdAt of any document
 *   end        documents, intact, anomalies, foreign, truncated (more anomalies or holes than the limits; counts are
 *              right, details are missing)
 *
 * "corrupt": a document that claims the identity (by its fields if randomdata confirms them, else by _id, else by its
 * fields) of a tick of the stream, is not intact, and no intact one with that identity exists.
 * "duplicate": a further document, intact or not, for an identity that has an intact one.
 * intact and block lines follow the line of their stream. Every document read is an intact tick, an anomaly or
 * foreign: documents = intact + anomalies + foreign (>= if truncated).
 * A description ("scope": "describe") says what surrounds the documents and has read none: it holds no stream, anomaly, foreign or
 * newest record, its totals are 0, and as the observation of a restored database it judges nothing. until: the primary's time when all
 * of it had been read.
 * Every block with intact ticks has one block line. Without "end" an observation is incomplete and judges nothing.
 */
#ifndef EVIDENCE_OBSERVED_H
#define EVIDENCE_OBSERVED_H

#include "evidence/record.h"
#include "tick/digest.h"
#include "tick/intervals.h"
#include "tick/tick.h"

#define OBSERVED_FORMAT "psmdb-drill/observed"
#define OBSERVED_VERSION 1
#define OBSERVED_DESCRIBE "describe"
#define OBSERVED_STREAMS_MAX 1024
#define OBSERVED_ANOMALIES_MAX 10000
#define OBSERVED_INTERVALS_MAX 1000000 /* per stream */
#define OBSERVED_NAMESPACES_MAX 1024
#define OBSERVED_MEMBERS_MAX 4096
#define OBSERVED_RESTORES_MAX 100
#define OBSERVED_FOREIGN_MAX 4096
#define OBSERVED_SETS_MAX 32
#define OBSERVED_PROBES_MAX (3 * OBSERVED_SETS_MAX)
#define OBSERVED_LOGINS_MAX 64
#define OBSERVED_NEWEST_MAX 64
#define OBSERVED_GRANTS_MAX 512
#define OBSERVED_GRANT_ROLES_MAX 32

struct observed_open {
	int64_t at_ms;
	char collector[32];
	char cluster_kind[24], cluster_id[25], set_name[64], version[32], fcv[16];
	bool sharded, describes; /* describes: a description */
	char read_concern[16];
	struct optime read_after, until; /* until: of a description */
	char read_from[300];
	int64_t clock_offset_ms, clock_error_ms; /* server's wall clock less the collector's */
};

struct observed_set {
	char name[64], role[8];
	char shard[64];	  /* as the cluster calls it; "" of a config server */
	char cluster[25]; /* clusterId; "" if it was not readable */
	char id[25], version[32];
	struct optime read_after;
	char read_from[300];
};

struct observed_probe {
	char replica_set[64]; /* "" where one was read */
	char name[16];
	int64_t at_ms; /* wall, when it succeeded (or was given up) */
	bool ok;
	int64_t attempts, elapsed_ms;
	char detail[512];
};

struct observed_login {
	char user[256];
	bool ok;
	int32_t code;
	char detail[512];
};

#define OBSERVED_INDEXES_MAX 64
struct observed_namespace {
	char ns[TICK_NS_MAX];
	char replica_set[64]; /* "" where one was read */
	bool exists;
	int64_t documents, orphans;
	char options[2048];
	char indexes[OBSERVED_INDEXES_MAX][512];
	size_t index_count;
};

struct observed_grants {
	bool known;
	char detail[256];
};
struct observed_grant {
	bool is_role;
	char name[192];
	char roles[OBSERVED_GRANT_ROLES_MAX][128];
	size_t role_count;
};

struct observed_member {
	char replica_set[64], host[300], state[16];
	bool hidden;
	char ns[TICK_NS_MAX];
	bool read, equal;
	int64_t documents, intact, anomalies;
	char detail[768];
};

struct observed_restore {
	char name[128], opid[64], backup[128], type[32], status[32];
	int64_t start_ts, finish_ts; /* unix seconds, 0: unknown */
	struct optime pitr;	     /* zero: none */
	char error[1024];
};

struct observed_backup {
	char name[128], opid[64], status[32];
	struct optime last_write;
};

struct observed_block {
	int64_t block;
	int64_t ticks;
	struct tick_digest digest;
};

struct observed_stream {
	char ns[TICK_NS_MAX];
	char replica_set[64]; /* "" behind a mongos that did not tell */
	struct uuid run;
	int32_t writer;
	struct intervals intact;
	struct observed_block *blocks; /* ascending */
	size_t block_count, block_cap;
};

enum observed_anomaly_kind { OBSERVED_CORRUPT, OBSERVED_DUPLICATE };
struct observed_anomaly {
	enum observed_anomaly_kind kind;
	char ns[TICK_NS_MAX];
	int32_t stream; /* -1: none */
	int64_t seq;	/* 0: unknown */
	enum tick_fault fault;
	char id[64];	       /* _id as text */
	int64_t created_at_ms; /* INT64_MIN: absent */
	char detail[256];
};

struct observed_foreign {
	char ns[TICK_NS_MAX];
	char replica_set[64];
	int64_t documents;
	char why[32];
};

struct observed_newest {
	char ns[TICK_NS_MAX];
	int64_t created_at_ms;
	int32_t stream; /* -1: not a tick */
	int64_t seq;
};

/* The whole observation in memory. */
struct observed {
	struct observed_open open;
	struct observed_set sets[OBSERVED_SETS_MAX];
	size_t set_count;
	struct observed_probe probes[OBSERVED_PROBES_MAX];
	size_t probe_count;
	struct observed_login logins[OBSERVED_LOGINS_MAX];
	size_t login_count;
	struct observed_namespace *namespaces;
	size_t namespace_count;
	struct observed_grants grants; /* not known: nobody asked, or was told */
	bool has_grants;
	struct observed_grant *granted;
	size_t granted_count;
	struct observed_member *members; /* those of one host one after the other */
	size_t member_count;
	struct observed_restore *restores; /* newest last */
	size_t restore_count;
	struct observed_backup backup;
	bool has_backup;
	struct observed_stream *streams;
	size_t stream_count;
	struct observed_anomaly *anomalies;
	size_t anomaly_count;
	struct observed_foreign *foreign;
	size_t foreign_count;
	struct observed_newest newest[OBSERVED_NEWEST_MAX];
	size_t newest_count;
	int64_t documents, intact, anomalies_total, foreign_total;
	bool truncated;
	bool ended; /* the end record was there */
};

void observed_init(struct observed *o);
void observed_clear(struct observed *o);
#define OBSERVED_CLEANUP __attribute__((cleanup(observed_clear)))
/*
 * Takes nothing over; *ret need not be initialised, and is untouched on failure. Reads and checks everything
 * (intervals ascending and inside the stream, block counts against intervals, totals of end). false: ERR_BROKEN with
 * the line, or the reader's error. A file without end loads with ended == false.
 */
bool observed_load(struct record_reader *records, struct observed *ret, struct err *err);

/*
 * --- writing, in the order of the table above; all append one or more chained lines to the sink
 * -------------------------------------
 *
 * Texts too long for their field are cut. After a failure of the sink the head has not moved; a call that writes
 * several lines cannot be repeated then. What could not be read back (limits, blocks that do not agree with the
 * intervals, totals) is ERR_STATE or ERR_LIMIT.
 */
struct observed_writer;
bool observed_writer_new(
    const struct record_sink *sink, const struct observed_open *open, struct observed_writer **ret, struct err *err);
void observed_writer_free(struct observed_writer *w);
CLEANUP_PTR(observed_writer, struct observed_writer, observed_writer_free)
bool observed_write_set(struct observed_writer *w, const struct observed_set *s, struct err *err);
bool observed_write_probe(struct observed_writer *w, const struct observed_probe *p, struct err *err);
bool observed_write_login(struct observed_writer *w, const struct observed_login *l, struct err *err);
bool observed_write_namespace(struct observed_writer *w, const struct observed_namespace *n, struct err *err);
bool observed_write_grants(struct observed_writer *w, const struct observed_grants *g, struct err *err);
bool observed_write_grant(struct observed_writer *w, const struct observed_grant *g, struct err *err);
bool observed_write_member(struct observed_writer *w, const struct observed_member *m, struct err *err);
bool observed_write_restore(struct observed_writer *w, const struct observed_restore *r, struct err *err);
bool observed_write_backup(struct observed_writer *w, const struct observed_backup *b, struct err *err);
/* stream, intact and block lines; streams are numbered in the order of these calls. */
bool observed_write_stream(struct observed_writer *w, const struct observed_stream *s, struct err *err);
bool observed_write_anomaly(struct observed_writer *w, const struct observed_anomaly *a, struct err *err);
bool observed_write_foreign(struct observed_writer *w, const struct observed_foreign *f, struct err *err);
bool observed_write_newest(struct observed_writer *w, const struct observed_newest *n, struct err *err);
bool observed_write_end(
    struct observed_writer *w, int64_t documents, int64_t anomalies, int64_t foreign, bool truncated, struct err *err);

#endif
