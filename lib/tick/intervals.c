#include "tick/intervals.h"

#include <stdlib.h>
#include <string.h>

void intervals_init(struct intervals *set, size_t max)
{
	*set = (struct intervals){.max = max};
}

void intervals_clear(struct intervals *set)
{
	free(set->items);
	intervals_init(set, set->max);
}

size_t intervals_find(const struct intervals *set, int64_t seq)
{
	size_t low = 0, high = set->count;

	if (high && set->items[high - 1].last < seq)
		return high;
	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (set->items[mid].last < seq)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

bool intervals_has(const struct intervals *set, int64_t seq)
{
	size_t i = intervals_find(set, seq);

	return i < set->count && set->items[i].first <= seq;
}

int64_t intervals_count_in(const struct intervals *set, int64_t first, int64_t last)
{
	int64_t count = 0;

	for (size_t i = intervals_find(set, first); i < set->count && set->items[i].first <= last; i++) {
		int64_t from = set->items[i].first > first ? set->items[i].first : first;
		int64_t to = set->items[i].last < last ? set->items[i].last : last;

		count += to - from + 1;
	}
	return count;
}

/* Makes room for one more interval at index i. */
static bool open_slot(struct intervals *set, size_t i, struct err *err)
{
	if (set->count >= set->max)
		return err_set(err, ERR_LIMIT, "more than %zu separate intervals of sequence numbers", set->max);
	if (set->count == set->cap) {
		size_t cap = set->cap ? set->cap * 2 : 8;
		struct interval *items = reallocarray(set->items, cap, sizeof *items);

		if (!items)
			return err_nomem(err);
		set->items = items;
		set->cap = cap;
	}
	memmove(set->items + i + 1, set->items + i, (set->count - i) * sizeof *set->items);
	set->count++;
	return true;
}

static void close_slots(struct intervals *set, size_t i, size_t count)
{
	memmove(set->items + i, set->items + i + count, (set->count - i - count) * sizeof *set->items);
	set->count -= count;
}

bool intervals_add_range(struct intervals *set, int64_t first, int64_t last, struct err *err)
{
	/* the intervals that overlap or touch first..last are i to end - 1, and become one */
	size_t i = intervals_find(set, first > INT64_MIN ? first - 1 : first), end = i;
	struct interval merged = {first, last};
	int64_t covered = 0;

	if (first > last)
		return true;
	for (; end < set->count && (last == INT64_MAX || set->items[end].first <= last + 1); end++) {
		covered += set->items[end].last - set->items[end].first + 1;
		if (set->items[end].first < merged.first)
			merged.first = set->items[end].first;
		if (set->items[end].last > merged.last)
			merged.last = set->items[end].last;
	}
	if (end == i) {
		if (!open_slot(set, i, err))
			return false;
	} else {
		close_slots(set, i + 1, end - i - 1);
	}
	set->items[i] = merged;
	set->total += merged.last - merged.first + 1 - covered;
	return true;
}

bool intervals_add(struct intervals *set, int64_t seq, bool *ret_new, struct err *err)
{
	int64_t before = set->total;

	/* the common case: the next number */
	if (set->count && set->items[set->count - 1].last < seq && set->items[set->count - 1].last + 1 == seq) {
		set->items[set->count - 1].last = seq;
		set->total++;
	} else if (!intervals_add_range(set, seq, seq, err)) {
		return false;
	}
	if (ret_new)
		*ret_new = set->total != before;
	return true;
}

bool intervals_remove(struct intervals *set, int64_t seq, struct err *err)
{
	size_t i = intervals_find(set, seq);
	struct interval *it;

	if (i == set->count || set->items[i].first > seq)
		return true;
	it = &set->items[i];
	if (it->first == it->last) {
		close_slots(set, i, 1);
	} else if (it->first == seq) {
		it->first++;
	} else if (it->last == seq) {
		it->last--;
	} else {
		if (!open_slot(set, i + 1, err))
			return false;
		set->items[i + 1] = (struct interval){seq + 1, set->items[i].last};
		set->items[i].last = seq - 1;
	}
	set->total--;
	return true;
}
