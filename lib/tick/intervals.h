/*
 * A set of sequence numbers as sorted, disjoint, non-adjacent closed intervals. Appending in order is O(1), anywhere
 * else O(log n + n) in the number of intervals, which grows with the holes, not with the numbers. A maximum bounds
 * the memory: beyond it ERR_LIMIT, set unchanged.
 */
#ifndef TICK_INTERVALS_H
#define TICK_INTERVALS_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct interval {
	int64_t first, last; /* both included */
};

struct intervals {
	struct interval *items;
	size_t count, cap, max;
	int64_t total; /* numbers in the set */
};

void intervals_init(struct intervals *set, size_t max);
void intervals_clear(struct intervals *set);
/* *ret_new (may be NULL): false if seq was in it already. */
bool intervals_add(struct intervals *set, int64_t seq, bool *ret_new, struct err *err);
/* Adds first..last; those already in it stay. */
bool intervals_add_range(struct intervals *set, int64_t first, int64_t last, struct err *err);
bool intervals_remove(struct intervals *set, int64_t seq, struct err *err);
bool intervals_has(const struct intervals *set, int64_t seq);
/* How many numbers of first..last are in the set. */
int64_t intervals_count_in(const struct intervals *set, int64_t first, int64_t last);
/* Index of the first interval whose last >= seq; set->count if none. */
size_t intervals_find(const struct intervals *set, int64_t seq);

#endif
