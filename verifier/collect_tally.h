/*
 * What the documents of one namespace amount to: streams with their intact sequence intervals and block digests,
 * anomalies, foreign documents, and the newest createdAt. Pure: bytes in, findings out, no database, no clock.
 *
 * The findings do not depend on the order of the documents: what is not intact waits until tally_finish, when all
 * streams are known. Memory grows with the streams, holes, blocks and (bounded) anomalies, not with the documents.
 * Within the bounds every finding is exact; beyond them the counts are, and truncated is set.
 *
 * A stream exists if an intact tick says so, or a damaged one of whose _id, (run, writer, seq) and randomdata two
 * agree: garbage cannot make one.
 *
 * Whose tick a damaged document is:
 *   1. its fields', if randomdata is the one derived from them (then _id is the damage);
 *   2. else its _id's, if that has the prefix of a stream;
 *   3. else its fields', whether their stream is known or not.
 * So each edit of a single field names the tick that was edited. A document without a tick's fields is an anomaly by
 * rule 2 only, else foreign.
 *
 * With homes (tally_homes) each home has streams of its own: intact ticks count where they are, one that is at two homes is in two
 * streams. A damaged document is a duplicate of an intact one at any home, and is said to be of that one's stream; else of the stream
 * at its own home, if there is one, else of another home's.
 */
#ifndef VERIFIER_COLLECT_TALLY_H
#define VERIFIER_COLLECT_TALLY_H

#include "evidence/observed.h"

#define TALLY_HOME_MAX 64

struct tally_limits {
	size_t streams;	  /* more: their ticks are foreign, "too many streams" */
	size_t anomalies; /* with details */
	size_t strangers; /* documents without a tick's fields that are remembered until all streams are known */
	size_t intervals; /* per stream */
};
#define TALLY_LIMITS_DEFAULT                                                                                           \
	{                                                                                                              \
		OBSERVED_STREAMS_MAX, OBSERVED_ANOMALIES_MAX, 16384, OBSERVED_INTERVALS_MAX                            \
	}

struct tally_counts {
	int64_t documents; /* = intact + anomalies + not_ticks + beyond_streams */
	int64_t intact, anomalies;
	int64_t not_ticks, beyond_streams; /* foreign */
	int64_t orphans;		   /* left out: in none of the others */
	bool truncated;
};

struct tally;

/* replica_set: "" behind a mongos. */
bool tally_new(
    const char *ns, const char *replica_set, const struct tally_limits *limits, struct tally **ret, struct err *err);
void tally_free(struct tally *t);
CLEANUP_PTR(tally, struct tally, tally_free)

/* Documents of which owns says false are left out as orphans. */
void tally_owner(struct tally *t, bool (*owns)(void *ctx, const void *bson, size_t len), void *ctx);

/*
 * Before the first document: home gives the index of each one's replica set in names (which stays), -1 where that is not known:
 * its replica set is tally_new's, which is none of the names.
 */
void tally_homes(struct tally *t, int (*home)(void *ctx, const void *bson, size_t len), void *ctx,
    const char (*names)[TALLY_HOME_MAX]);

/* One document as it came from the server. Fails only for want of memory. */
bool tally_add(struct tally *t, const void *bson, size_t len, struct err *err);

/*
 * Forgets all documents, for reading the namespace again from its start; streams stay known (those that are not met
 * again leave no trace). tally_incomplete: more strangers than the limit came before a stream was met that could own
 * some of them; one further pass settles that.
 */
void tally_restart(struct tally *t);
bool tally_incomplete(const struct tally *t);

/* After the last document: decides every waiting one, sorts. Nothing may be added then. */
bool tally_finish(struct tally *t, struct err *err);

/* --- after tally_finish
 * ---------------------------------------------------------------------------------------------------------- */
struct tally_counts tally_counts(const struct tally *t);
size_t tally_streams(const struct tally *t);
const struct observed_stream *tally_stream(const struct tally *t, size_t i); /* sorted by run, writer, replica set */
/* All streams' replica set is tally_new's; those that were apart stay so. */
void tally_forget_homes(struct tally *t);
/*
 * first_stream: what the first stream of this namespace is numbered in the observation. Sorted by stream, seq, _id.
 */
size_t tally_anomalies(const struct tally *t);
void tally_anomaly(const struct tally *t, size_t i, int32_t first_stream, struct observed_anomaly *ret);
/* false: no document has a createdAt between the years 0 and 9999. */
bool tally_newest(const struct tally *t, int32_t first_stream, struct observed_newest *ret);

#endif
