/*
 * The database as it is now -> observed.jsonl (evidence/observed.h).
 *
 * One streaming pass over each namespace, read concern majority, on the primary (or through a mongos), causally after
 * the primary's majority time once the probes have passed. Memory: one batch, and what collect_tally.h keeps. Writes
 * nothing to the database but one document in drill.probe.
 *
 * A pass that is broken (lost connection, killed cursor) goes on behind the last batch that was wholly taken, if the same
 * mongod answers and still is what it was (collect_scan.h); else it is started again from the namespace's first document, which
 * a note says. Nothing is counted twice, nothing left out. LINK_ATTEMPTS without a document more, or as many new starts, are
 * the most. Nothing is written before everything has been read: an observation is complete or does not exist.
 *
 * Several addresses are the replica sets of one sharded cluster, each read directly, one after the other: the config
 * server and the shards. What config.chunks says is another shard's is left out and counted (collect_owner.h).
 *
 * One address of a mongos: where each tick lives is asked (collect_home.h), once more behind the reading; if that cannot be told, or has
 * changed, its streams have no replica set, which a note says.
 *
 * Not done here: of a sharded cluster the balancer must have been stopped by the caller; a shard that is read alone has
 * its orphans counted as documents.
 */
#ifndef VERIFIER_COLLECT_H
#define VERIFIER_COLLECT_H

#include "base/clock.h"
#include "evidence/observed.h"
#include "mongo/client.h"

#define COLLECT_SETS_MAX OBSERVED_SETS_MAX
#define COLLECT_NAMESPACES_MAX 64 /* times the replica sets */
#define COLLECT_LOGINS_MAX 64

struct collect_progress {
	void (*report)(
	    void *ctx, const char *ns, int64_t documents, double documents_per_s); /* every two seconds; may be NULL */
	void (*note)(
	    void *ctx, const char *what, const char *detail); /* something was left out or tried again; may be NULL */
	void *ctx;
};

struct collect_options {
	const char *const *uris; /* at most COLLECT_SETS_MAX */
	size_t uri_count;
	const char *user, *password;   /* user NULL: no login */
	const char *const *namespaces; /* "db.collection" */
	size_t namespace_count;
	const struct mongo_credentials *logins; /* further users to try; at most COLLECT_LOGINS_MAX */
	size_t login_count;
	int64_t wait_ms; /* for all probes together */
	bool write_probe;
	bool each_member; /* collect_members.h */
	int64_t batch_size;
	int64_t max_anomalies; /* in all namespaces together, with details */
	bool describe;	       /* reads no document and writes none: a description (evidence/observed.h) */
	struct collect_progress progress;
};

struct collection;

/* namespace with a dot inside and no NUL, 255 bytes at most. */
bool collect_check_namespace(const char *ns, struct err *err);

/* Probes and reads. A failed write probe is recorded, any other failure fails. stop may be NULL. */
bool collect_gather(const struct collect_options *options, const struct clock *clock, const volatile int *stop,
    struct collection **ret, struct err *err);
/* Writes the records, "end" last. */
bool collection_write(const struct collection *c, const struct record_sink *sink, struct err *err);
void collection_free(struct collection *c);
CLEANUP_PTR(collection, struct collection, collection_free)

struct collection_totals {
	int64_t documents, intact, anomalies, foreign, orphans;
	size_t streams;
	bool truncated, write_failed; /* write_failed: the write probe */
};
struct collection_totals collection_totals(const struct collection *c);

#endif
