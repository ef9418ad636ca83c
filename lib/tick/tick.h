/*
 * The tick: one small document whose every byte but createdAt follows from (run, namespace, writer, seq), so that
 * writer and verifier agree without talking, and any change shows. docs/formats.md describes it for other
 * implementations.
 *
 * BSON, fields in this order:
 *   _id         ObjectId   6 bytes: first 6 bytes of XXH3-128 (canonical) over stream key; 6 bytes: seq, big endian
 *   createdAt   UTC datetime, ms
 *   randomdata  string, 32 lower-case hex digits: XXH3-128 (canonical, big endian) over stream key and seq
 *   run         binary subtype 4, 16 bytes
 *   writer      int32
 *   seq         int64, from 1
 *   sum         int64: XXH3-64, seed 0, over all bytes of the document before the sum element (length prefix of the
 *               complete document included)
 *
 * stream key = run (16 bytes) · writer (4 bytes, little endian) · namespace (its bytes, no NUL); for randomdata
 * followed by seq (8 bytes, little endian).
 */
#ifndef TICK_TICK_H
#define TICK_TICK_H

#include "base/uuid.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TICK_NS_MAX 256
#define TICK_SEQ_MAX ((int64_t)1 << 47)
#define TICK_BSON_BYTES 154 /* every tick has this size: asserted in tick.c */

/* Identity of a sequence: one process (run), one namespace, one writer. */
struct tick_stream {
	struct uuid run;
	int32_t writer;
	char ns[TICK_NS_MAX];
	unsigned char prefix[6]; /* of _id; set by tick_stream_init */
};

void tick_stream_init(struct tick_stream *stream, const struct uuid *run, const char *ns, int32_t writer);

/* Writes the document; returns its sum. */
uint64_t tick_build(
    const struct tick_stream *stream, int64_t seq, int64_t created_at_ms, unsigned char ret[static TICK_BSON_BYTES]);

/* What a document says of itself, whether intact or not. */
enum tick_fault {
	TICK_INTACT = 0,
	TICK_NOT_A_TICK =
	    1, /* lacks the fields by which a tick is recognised (run: 16-byte UUID, writer int32, seq int64) */
	TICK_BAD_SHAPE = 2,  /* other fields, order, types or size */
	TICK_BAD_SUM = 3,    /* bytes do not agree with sum */
	TICK_BAD_ID = 4,     /* _id is not the derived one, sum agrees */
	TICK_BAD_RANDOM = 5, /* randomdata is not the derived one, sum agrees */
};
const char *tick_fault_text(enum tick_fault fault);

struct tick_view {
	unsigned char id[12];
	bool has_id; /* _id is an ObjectId */
	struct uuid run;
	int32_t writer;
	int64_t seq;
	int64_t created_at_ms; /* INT64_MIN if absent */
	uint64_t sum;
};

/*
 * Reads one BSON document of len bytes from outside. stream is the caller's cache: *stream is (re)initialised when
 * the document's run or writer differ from it (ns is the collection's namespace), so that runs of documents of one
 * stream cost no derivation of the prefix. Never reads past len. For TICK_NOT_A_TICK the view holds only id and
 * created_at_ms, where present.
 */
enum tick_fault tick_check(
    const void *bson, size_t len, const char *ns, struct tick_stream *stream, struct tick_view *ret);

/* seq out of an _id whose first six bytes are the stream's prefix; 0 if they are not. */
int64_t tick_id_seq(const struct tick_stream *stream, const unsigned char id[static 12]);

#endif
