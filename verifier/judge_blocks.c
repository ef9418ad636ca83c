#include "verifier/judge_internal.h"

#include <string.h>

static bool add_altered(struct stream *s, int64_t first, int64_t last, bool located, struct err *err)
{
	if (!GROW(s->altered, s->altered_cap, s->altered_count, err))
		return false;
	s->altered[s->altered_count++] = (struct altered){first, last, located};
	return true;
}

static bool compare(struct stream *s, struct link *link, const struct observed_block *seen, struct err *err)
{
	int64_t first = link->block * TICK_BLOCK + 1;
	int position;

	/* other ticks in the block than the journal knows of: there is nothing to compare with */
	if (link->partial || !seen || seen->ticks != link->present) {
		s->digest_unchecked += link->present;
		return true;
	}
	s->digest_checked += link->present;
	position = tick_digest_locate(&link->expected, &seen->digest);
	if (!position)
		return true;
	if (position > 0 && intervals_has(&link->stream->intact, first + position - 1))
		return add_altered(s, first + position - 1, first + position - 1, true, err);
	return add_altered(s, first, first + TICK_BLOCK - 1, link->present == 1, err);
}

static bool close_block(struct stream *s, struct link *link, struct err *err)
{
	const struct observed_stream *o = link->stream;
	const struct observed_block *seen = NULL;
	bool good = true;

	if (link->present) {
		while (link->at_block < o->block_count && o->blocks[link->at_block].block < link->block)
			link->at_block++;
		if (link->at_block < o->block_count && o->blocks[link->at_block].block == link->block)
			seen = &o->blocks[link->at_block];
		good = compare(s, link, seen, err);
	}
	memset(&link->expected, 0, sizeof link->expected);
	link->present = 0;
	link->partial = false;
	return good;
}

/* How many of first..last are in the link's intervals; calls come in ascending order. */
static int64_t count_present(struct link *link, int64_t first, int64_t last)
{
	const struct intervals *set = &link->stream->intact;
	int64_t count = 0;

	while (link->at_interval < set->count && set->items[link->at_interval].last < first)
		link->at_interval++;
	for (size_t i = link->at_interval; i < set->count && set->items[i].first <= last; i++) {
		int64_t from = set->items[i].first > first ? set->items[i].first : first;
		int64_t to = set->items[i].last < last ? set->items[i].last : last;

		count += to - from + 1;
	}
	return count;
}

bool blocks_issued(struct stream *s, int64_t first, int64_t last, const struct tick_digest *digest, struct err *err)
{
	for (size_t l = 0; l < s->link_count; l++) {
		struct link *link = &s->links[l];
		int64_t present;

		if (link->block != tick_block(first)) {
			if (!close_block(s, link, err))
				return false;
			link->block = tick_block(first);
		}
		present = count_present(link, first, last);
		link->present += present;
		if (present == last - first + 1)
			tick_digest_merge(&link->expected, digest);
		else if (present)
			link->partial = true;
	}
	return true;
}

bool blocks_end(struct stream *s, struct err *err)
{
	for (size_t l = 0; l < s->link_count; l++)
		if (!close_block(s, &s->links[l], err))
			return false;
	return true;
}
