/*
 * Digests of sets of ticks: additive (mod 2^64), so that the digest of a union of disjoint sets is the sum of theirs,
 * in any order.
 *
 * Sequences are cut into blocks of 1,000: block = (seq - 1) / 1000, position p = (seq - 1) % 1000. A digest of a set
 * within one block has 11 lanes: lane 0 sums mix(seq, sum) over all ticks, lane 1 + b over those whose position has
 * bit b set (b = 0..9). When exactly one tick of a block was changed, the lanes that differ spell its position.
 *
 * mix(seq, sum) = XXH3-64, seed 0, over seq (8 bytes little endian) · sum (8 bytes little endian).
 * Text form: 11 x 16 hex digits.
 */
#ifndef TICK_DIGEST_H
#define TICK_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TICK_BLOCK 1000
#define TICK_LANES 11
#define TICK_DIGEST_TEXT_MAX (TICK_LANES * 16 + 1)

struct tick_digest {
	uint64_t lane[TICK_LANES];
};

static inline int64_t tick_block(int64_t seq)
{
	return (seq - 1) / TICK_BLOCK;
}

void tick_digest_add(struct tick_digest *d, int64_t seq, uint64_t sum);
void tick_digest_remove(struct tick_digest *d, int64_t seq, uint64_t sum);
void tick_digest_merge(struct tick_digest *d, const struct tick_digest *other);
bool tick_digest_equal(const struct tick_digest *a, const struct tick_digest *b);
/*
 * Compares what was seen with what was expected over the same set of ticks of one block. Equal: 0. One changed tick:
 * its position + 1 (1..1000). More, or not to be told: -1.
 */
int tick_digest_locate(const struct tick_digest *expected, const struct tick_digest *seen);
const char *tick_digest_format(const struct tick_digest *d, char text[static TICK_DIGEST_TEXT_MAX]);
bool tick_digest_parse(const char *text, struct tick_digest *ret);

#endif
