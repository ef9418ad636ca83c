#include "verifier/judge_internal.h"

#include <string.h>

bool judge_grow(void *items, size_t *cap, size_t count, size_t size, struct err *err)
{
	void *array, *grown;
	size_t more;

	if (count < *cap)
		return true;
	more = *cap ? *cap * 2 : 8;
	memcpy(&array, items, sizeof array);
	grown = reallocarray(array, more, size);
	if (!grown)
		return err_nomem(err);
	memcpy(items, &grown, sizeof grown);
	*cap = more;
	return true;
}

void lane_clear(struct lane *lane)
{
	free(lane->runs);
	*lane = (struct lane){0};
}

static bool insert(struct lane *lane, size_t at, struct lane_run run, struct err *err)
{
	if (!GROW(lane->runs, lane->cap, lane->count, err))
		return false;
	memmove(lane->runs + at + 1, lane->runs + at, (lane->count - at) * sizeof run);
	lane->runs[at] = run;
	lane->count++;
	return true;
}

/* Index of the first run whose last >= seq. */
static size_t find(const struct lane *lane, int64_t seq)
{
	size_t low = 0, high = lane->count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (lane->runs[mid].last < seq)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

bool lane_has(const struct lane *lane, int64_t seq)
{
	size_t i = find(lane, seq);

	return i < lane->count && lane->runs[i].first <= seq;
}

static bool joins(const struct lane_run *a, const struct lane_run *b)
{
	return a->last + 1 == b->first && a->class == b->class && a->flags == b->flags;
}

bool lane_put(struct lane *lane, int64_t first, int64_t last, enum tick_class class, uint8_t flags, struct err *err)
{
	struct lane_run run = {first, last, (uint8_t) class, flags};
	size_t at = lane->count;

	if (at && lane->runs[at - 1].last >= first)
		at = find(lane, first);
	if (at && joins(&lane->runs[at - 1], &run)) {
		lane->runs[at - 1].last = last;
		if (at < lane->count && joins(&lane->runs[at - 1], &lane->runs[at])) {
			lane->runs[at - 1].last = lane->runs[at].last;
			memmove(lane->runs + at, lane->runs + at + 1, (lane->count - at - 1) * sizeof run);
			lane->count--;
		}
		return true;
	}
	if (at < lane->count && joins(&run, &lane->runs[at])) {
		lane->runs[at].first = first;
		return true;
	}
	return insert(lane, at, run, err);
}

bool lane_override(struct lane *lane, int64_t first, int64_t last, bool present, enum tick_class class, struct err *err)
{
	for (size_t i = find(lane, first); i < lane->count && lane->runs[i].first <= last; i++) {
		struct lane_run run = lane->runs[i];

		if (((run.flags & LANE_PRESENT) != 0) != present || run.class == class)
			continue;
		if (run.first < first) {
			lane->runs[i].last = first - 1;
			run.first = first;
			if (!insert(lane, ++i, run, err))
				return false;
		}
		if (run.last > last) {
			struct lane_run rest = run;

			rest.first = last + 1;
			if (!insert(lane, i + 1, rest, err))
				return false;
			lane->runs[i].last = last;
		}
		lane->runs[i].class = (uint8_t) class;
	}
	return true;
}
