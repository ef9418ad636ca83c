#include "tick/digest.h"

#include "base/num.h"

#include <stdio.h>
#include <string.h>
#include <xxhash.h>

static uint64_t mix(int64_t seq, uint64_t sum)
{
	unsigned char bytes[16];

	for (int i = 0; i < 8; i++) {
		bytes[i] = (unsigned char)((uint64_t)seq >> (8 * i));
		bytes[8 + i] = (unsigned char)(sum >> (8 * i));
	}
	return XXH3_64bits(bytes, sizeof bytes);
}

static void add(struct tick_digest *d, int64_t seq, uint64_t amount)
{
	uint64_t position = (uint64_t)(seq - 1) % TICK_BLOCK;

	d->lane[0] += amount;
	for (int bit = 0; bit < TICK_LANES - 1; bit++)
		d->lane[1 + bit] += amount & -(position >> bit & 1);
}

void tick_digest_add(struct tick_digest *d, int64_t seq, uint64_t sum)
{
	add(d, seq, mix(seq, sum));
}

void tick_digest_remove(struct tick_digest *d, int64_t seq, uint64_t sum)
{
	add(d, seq, -mix(seq, sum));
}

void tick_digest_merge(struct tick_digest *d, const struct tick_digest *other)
{
	for (int i = 0; i < TICK_LANES; i++)
		d->lane[i] += other->lane[i];
}

bool tick_digest_equal(const struct tick_digest *a, const struct tick_digest *b)
{
	return !memcmp(a->lane, b->lane, sizeof a->lane);
}

int tick_digest_locate(const struct tick_digest *expected, const struct tick_digest *seen)
{
	uint64_t whole = seen->lane[0] - expected->lane[0];
	int position = 0;

	if (tick_digest_equal(expected, seen))
		return 0;
	for (int bit = 0; bit < TICK_LANES - 1; bit++) {
		uint64_t part = seen->lane[1 + bit] - expected->lane[1 + bit];

		if (part && part != whole)
			return -1;
		if (part)
			position |= 1 << bit;
	}
	/* whole == 0: changes that cancel each other out in lane 0 only */
	return whole && position < TICK_BLOCK ? position + 1 : -1;
}

const char *tick_digest_format(const struct tick_digest *d, char text[static TICK_DIGEST_TEXT_MAX])
{
	for (int i = 0; i < TICK_LANES; i++)
		snprintf(text + 16 * i, 17, "%016llx", (unsigned long long)d->lane[i]);
	return text;
}

bool tick_digest_parse(const char *text, struct tick_digest *ret)
{
	struct tick_digest d;

	if (strlen(text) != 16 * TICK_LANES)
		return false;
	for (int i = 0; i < TICK_LANES; i++) {
		char lane[17];

		memcpy(lane, text + 16 * i, 16);
		lane[16] = '\0';
		if (!hex_parse_u64(lane, &d.lane[i]))
			return false;
	}
	*ret = d;
	return true;
}
