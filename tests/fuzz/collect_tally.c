/*
 * Documents from outside into the tally: no crash, no read past an end, totals that add up, and the same findings in
 * the opposite order.
 *
 * Input: pieces of [kind][number][argument bytes...]. kind picks an intact tick, a tick with one byte or one field
 * changed, or raw bytes. Once with all documents at one home, once with homes that their bytes decide.
 */
#include "verifier/collect_tally.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PIECES_MAX 256
#define BYTES_MAX 200

struct piece {
	unsigned char *bytes; /* allocated to the byte */
	size_t len;
};

static size_t read_piece(const uint8_t *data, size_t size, struct piece *ret)
{
	unsigned char bytes[BYTES_MAX];
	struct uuid run = {{data[0] >> 6, 1, 2, 3, 4, 5, 0x46, 7, 0x88}};
	struct tick_stream stream;
	size_t used = 4, len = TICK_BSON_BYTES;

	tick_stream_init(&stream, &run, "drill.ticker", data[0] >> 4 & 3);
	tick_build(&stream, data[1] + 1, data[2], bytes);
	switch (data[0] & 15) {
	case 0:
	case 1:
	case 2:
		bytes[data[2] % TICK_BSON_BYTES] ^= data[3];
		break;
	case 3:
		len = data[3] % TICK_BSON_BYTES;
		break;
	case 4:
		len = size - used < BYTES_MAX ? size - used : BYTES_MAX;
		memcpy(bytes, data + used, len);
		used += len;
		break;
	default:
		break;
	}
	/* a server sends no document whose length is not its own */
	if (len < 5)
		len = 5;
	bytes[0] = (unsigned char)len;
	bytes[1] = bytes[2] = bytes[3] = 0;
	ret->bytes = malloc(len);
	ret->len = len;
	if (!ret->bytes)
		abort();
	memcpy(ret->bytes, bytes, len);
	return used;
}

static const char homes[3][TALLY_HOME_MAX] = {"rs1", "cfg", "rs0"};

static int home_of(void *ctx, const void *bson, size_t len)
{
	const unsigned char *bytes = bson;

	(void)ctx;
	return (bytes[len - 1] ^ bytes[len / 2]) % 4 - 1;
}

static struct tally *tally_all(const struct piece *pieces, size_t count, bool with_homes, bool backwards)
{
	static const struct tally_limits limits = {8, PIECES_MAX, PIECES_MAX, 1000};
	struct tally_counts c;
	struct tally *t;

	if (!tally_new("drill.ticker", with_homes ? "" : "rs0", &limits, &t, NULL))
		abort();
	if (with_homes)
		tally_homes(t, home_of, NULL, homes);
	for (size_t i = 0; i < count; i++) {
		const struct piece *p = &pieces[backwards ? count - 1 - i : i];

		if (!tally_add(t, p->bytes, p->len, NULL))
			abort();
	}
	if (!tally_finish(t, NULL))
		abort();
	c = tally_counts(t);
	if (c.documents != c.intact + c.anomalies + c.not_ticks + c.beyond_streams)
		abort();
	return t;
}

static void compare(const struct tally *a, const struct tally *b)
{
	struct tally_counts x = tally_counts(a), y = tally_counts(b);

	/* beyond the limit it is the first streams that are kept */
	if (x.beyond_streams || y.beyond_streams || tally_streams(a) == 8)
		return;
	if (x.intact != y.intact || x.anomalies != y.anomalies || x.not_ticks != y.not_ticks ||
	    tally_streams(a) != tally_streams(b))
		abort();
	for (size_t i = 0; i < tally_anomalies(a); i++) {
		struct observed_anomaly s, r;

		tally_anomaly(a, i, 0, &s);
		tally_anomaly(b, i, 0, &r);
		if (s.stream != r.stream || s.seq != r.seq)
			abort();
	}
	for (size_t i = 0; i < tally_streams(a); i++)
		if (tally_stream(a, i)->intact.total != tally_stream(b, i)->intact.total ||
		    strcmp(tally_stream(a, i)->replica_set, tally_stream(b, i)->replica_set) != 0)
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct piece pieces[PIECES_MAX];
	size_t count = 0;

	while (size >= 4 && count < PIECES_MAX) {
		size_t used = read_piece(data, size, &pieces[count++]);

		data += used;
		size -= used;
	}
	for (int with_homes = 0; with_homes < 2; with_homes++) {
		struct tally *forward = tally_all(pieces, count, with_homes, false);
		struct tally *backward = tally_all(pieces, count, with_homes, true);

		compare(forward, backward);
		tally_free(forward);
		tally_free(backward);
	}
	for (size_t i = 0; i < count; i++)
		free(pieces[i].bytes);
	return 0;
}
