#include "tick/tick.h"

#include <assert.h>
#include <endian.h>
#include <string.h>

/* collect checks each document of a collection while a cursor delivers it: calls into the library would cost half as
 * much as the hashes */
#define XXH_INLINE_ALL
#include <xxhash.h>

/* Where each field's value lies. */
enum {
	AT_ID = 9,
	AT_CREATED = 32,
	AT_RANDOM = 56,
	AT_RUN = 99,
	AT_WRITER = 123,
	AT_SEQ = 132,
	AT_SUM_ELEMENT = 140,
	AT_SUM = 145,
	ID_BYTES = 12,
	PREFIX_BYTES = 6,
	RANDOM_DIGITS = 32,
	RUN_BYTES = 16,
};

/* A tick with every value zero: what is left are the bytes that all ticks share. */
static const unsigned char layout[TICK_BSON_BYTES + 1] = "\x9a\0\0\0"
							 "\x07_id\0\0\0\0\0\0\0\0\0\0\0\0\0"
							 "\x09"
							 "createdAt\0\0\0\0\0\0\0\0\0"
							 "\x02randomdata\0\x21\0\0\0"
							 "00000000000000000000000000000000\0"
							 "\x05run\0\x10\0\0\0\x04\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
							 "\x10writer\0\0\0\0\0"
							 "\x12seq\0\0\0\0\0\0\0\0\0"
							 "\x12sum\0\0\0\0\0\0\0\0\0";

static_assert(AT_SUM + 8 + 1 == TICK_BSON_BYTES, "the sum is the last element");
static_assert(AT_SUM_ELEMENT == AT_SEQ + 8, "the sum covers all before it");

static uint32_t get_le32(const unsigned char *p)
{
	uint32_t value;

	memcpy(&value, p, sizeof value);
	return le32toh(value);
}

static uint64_t get_le64(const unsigned char *p)
{
	uint64_t value;

	memcpy(&value, p, sizeof value);
	return le64toh(value);
}

static void put_le32(unsigned char *p, uint32_t value)
{
	value = htole32(value);
	memcpy(p, &value, sizeof value);
}

static void put_le64(unsigned char *p, uint64_t value)
{
	value = htole64(value);
	memcpy(p, &value, sizeof value);
}

/* Eight hex digits at once: each nibble into its own byte, then '0' or 'a' - 10 on top. */
static void put_hex32(unsigned char *p, uint32_t value)
{
	uint64_t x = value, over_nine;

	x = (x << 16 | x) & 0x0000ffff0000ffff;
	x = (x << 8 | x) & 0x00ff00ff00ff00ff;
	x = (x << 4 | x) & 0x0f0f0f0f0f0f0f0f;
	over_nine = (x + 0x0606060606060606) >> 4 & 0x0101010101010101;
	x = htobe64(x + 0x3030303030303030 + over_nine * ('a' - 10 - '0'));
	memcpy(p, &x, sizeof x);
}

/* The stream key, with room for a sequence number behind it. */
struct key {
	unsigned char bytes[RUN_BYTES + 4 + TICK_NS_MAX + 8];
	size_t len;
};

static void stream_key(const struct tick_stream *stream, struct key *ret)
{
	size_t ns_len = strlen(stream->ns);

	memcpy(ret->bytes, stream->run.bytes, RUN_BYTES);
	put_le32(ret->bytes + RUN_BYTES, (uint32_t)stream->writer);
	memcpy(ret->bytes + RUN_BYTES + 4, stream->ns, ns_len);
	ret->len = RUN_BYTES + 4 + ns_len;
}

void tick_stream_init(struct tick_stream *stream, const struct uuid *run, const char *ns, int32_t writer)
{
	XXH128_canonical_t hash;
	size_t len = strlen(ns);
	struct key key;

	/* MongoDB's limit is 255 bytes: a longer name cannot come from a server */
	if (len >= sizeof stream->ns)
		len = sizeof stream->ns - 1;
	stream->run = *run;
	stream->writer = writer;
	memmove(stream->ns, ns, len);
	stream->ns[len] = '\0';
	stream_key(stream, &key);
	XXH128_canonicalFromHash(&hash, XXH3_128bits(key.bytes, key.len));
	memcpy(stream->prefix, hash.digest, PREFIX_BYTES);
}

static void derive_id(const struct tick_stream *stream, int64_t seq, unsigned char ret[static ID_BYTES])
{
	uint64_t big = htobe64((uint64_t)seq << 16);

	memcpy(ret, stream->prefix, PREFIX_BYTES);
	memcpy(ret + PREFIX_BYTES, &big, ID_BYTES - PREFIX_BYTES);
}

static void derive_random(const struct tick_stream *stream, int64_t seq, unsigned char ret[static RANDOM_DIGITS])
{
	XXH128_hash_t hash;
	struct key key;

	stream_key(stream, &key);
	put_le64(key.bytes + key.len, (uint64_t)seq);
	hash = XXH3_128bits(key.bytes, key.len + 8);
	/* the canonical form is the higher half first, each big endian */
	put_hex32(ret, (uint32_t)(hash.high64 >> 32));
	put_hex32(ret + 8, (uint32_t)hash.high64);
	put_hex32(ret + 16, (uint32_t)(hash.low64 >> 32));
	put_hex32(ret + 24, (uint32_t)hash.low64);
}

uint64_t tick_build(
    const struct tick_stream *stream, int64_t seq, int64_t created_at_ms, unsigned char ret[static TICK_BSON_BYTES])
{
	uint64_t sum;

	memcpy(ret, layout, TICK_BSON_BYTES);
	derive_id(stream, seq, ret + AT_ID);
	put_le64(ret + AT_CREATED, (uint64_t)created_at_ms);
	derive_random(stream, seq, ret + AT_RANDOM);
	memcpy(ret + AT_RUN, stream->run.bytes, RUN_BYTES);
	put_le32(ret + AT_WRITER, (uint32_t)stream->writer);
	put_le64(ret + AT_SEQ, (uint64_t)seq);
	sum = XXH3_64bits(ret, AT_SUM_ELEMENT);
	put_le64(ret + AT_SUM, sum);
	return sum;
}

const char *tick_fault_text(enum tick_fault fault)
{
	switch (fault) {
	case TICK_INTACT:
		return "intact";
	case TICK_NOT_A_TICK:
		return "not a tick";
	case TICK_BAD_SHAPE:
		return "fields differ from a tick's";
	case TICK_BAD_SUM:
		return "bytes do not agree with the sum";
	case TICK_BAD_ID:
		return "_id is not the derived one";
	case TICK_BAD_RANDOM:
		return "randomdata is not the derived one";
	}
	return "unknown fault";
}

/* Bytes of the value of this type at p, SIZE_MAX if it is cut or its type unknown. */
static size_t value_bytes(unsigned char type, const unsigned char *p, size_t left)
{
	size_t extra = 0;
	const unsigned char *nul;
	uint64_t len;

	switch (type) {
	case 0x06: /* undefined, null, min key, max key */
	case 0x0a:
	case 0x7f:
	case 0xff:
		return 0;
	case 0x08:
		return left < 1 ? SIZE_MAX : 1;
	case 0x10:
		return left < 4 ? SIZE_MAX : 4;
	case 0x01: /* double, date, timestamp, int64 */
	case 0x09:
	case 0x11:
	case 0x12:
		return left < 8 ? SIZE_MAX : 8;
	case 0x07:
		return left < 12 ? SIZE_MAX : 12;
	case 0x13:
		return left < 16 ? SIZE_MAX : 16;
	case 0x0b: /* two C strings */
		nul = memchr(p, 0, left);
		nul = nul ? memchr(nul + 1, 0, left - (size_t)(nul + 1 - p)) : NULL;
		return nul ? (size_t)(nul + 1 - p) : SIZE_MAX;
	case 0x02: /* length of what follows it */
	case 0x0d:
	case 0x0e:
		extra = 4;
		break;
	case 0x05:
		extra = 5;
		break;
	case 0x0c:
		extra = 16;
		break;
	case 0x03: /* length that counts itself */
	case 0x04:
	case 0x0f:
		break;
	default:
		return SIZE_MAX;
	}
	if (left < 4)
		return SIZE_MAX;
	len = (uint64_t)get_le32(p) + extra;
	return len < 4 || len > left ? SIZE_MAX : (size_t)len;
}

struct found {
	bool run, writer, seq, sum;
};

static void take_field(
    struct tick_view *view, struct found *found, unsigned char type, const char *name, const unsigned char *value)
{
	if (type == 0x07 && !view->has_id && !strcmp(name, "_id")) {
		memcpy(view->id, value, ID_BYTES);
		view->has_id = true;
	} else if (type == 0x09 && view->created_at_ms == INT64_MIN && !strcmp(name, "createdAt")) {
		view->created_at_ms = (int64_t)get_le64(value);
	} else if (type == 0x05 && !found->run && !strcmp(name, "run") && get_le32(value) == RUN_BYTES &&
		   value[4] == 4) {
		memcpy(view->run.bytes, value + 5, RUN_BYTES);
		found->run = true;
	} else if (type == 0x10 && !found->writer && !strcmp(name, "writer")) {
		view->writer = (int32_t)get_le32(value);
		found->writer = true;
	} else if (type == 0x12 && !found->seq && !strcmp(name, "seq")) {
		view->seq = (int64_t)get_le64(value);
		found->seq = true;
	} else if (type == 0x12 && !found->sum && !strcmp(name, "sum")) {
		view->sum = get_le64(value);
		found->sum = true;
	}
}

/* A document of another layout: what it says of itself, as far as it can be read. */
static enum tick_fault classify(const unsigned char *p, size_t len, struct tick_view *ret)
{
	struct tick_view view = {.created_at_ms = INT64_MIN};
	struct tick_view known;
	struct found found = {0};
	size_t at = 4;

	while (at < len && p[at]) {
		const unsigned char *name = p + at + 1, *nul = memchr(name, 0, len - at - 1);
		size_t value, size;

		if (!nul)
			break;
		value = (size_t)(nul + 1 - p);
		size = value_bytes(p[at], p + value, len - value);
		if (size == SIZE_MAX)
			break;
		take_field(&view, &found, p[at], (const char *)name, p + value);
		at = value + size;
	}
	if (found.run && found.writer && found.seq) {
		*ret = view;
		return TICK_BAD_SHAPE;
	}
	known = (struct tick_view){.has_id = view.has_id, .created_at_ms = view.created_at_ms};
	memcpy(known.id, view.id, ID_BYTES);
	*ret = known;
	return TICK_NOT_A_TICK;
}

static bool has_layout(const unsigned char *p, size_t len)
{
	/* from the end of one value to the start of the next; constant sizes, so that they become a few compares */
#define SAME(from, to) (!memcmp(p + (from), layout + (from), (to) - (from)))
	return len == TICK_BSON_BYTES && SAME(0, AT_ID) && SAME(AT_ID + ID_BYTES, AT_CREATED) &&
	       SAME(AT_CREATED + 8, AT_RANDOM) && SAME(AT_RANDOM + RANDOM_DIGITS, AT_RUN) &&
	       SAME(AT_RUN + RUN_BYTES, AT_WRITER) && SAME(AT_WRITER + 4, AT_SEQ) && SAME(AT_SUM_ELEMENT, AT_SUM) &&
	       p[TICK_BSON_BYTES - 1] == 0;
#undef SAME
}

enum tick_fault tick_check(
    const void *bson, size_t len, const char *ns, struct tick_stream *stream, struct tick_view *ret)
{
	const unsigned char *p = bson;
	unsigned char id[ID_BYTES];
	unsigned char random[RANDOM_DIGITS];

	if (!has_layout(p, len))
		return classify(p, len, ret);
	memcpy(ret->id, p + AT_ID, ID_BYTES);
	ret->has_id = true;
	memcpy(ret->run.bytes, p + AT_RUN, RUN_BYTES);
	ret->writer = (int32_t)get_le32(p + AT_WRITER);
	ret->seq = (int64_t)get_le64(p + AT_SEQ);
	ret->created_at_ms = (int64_t)get_le64(p + AT_CREATED);
	ret->sum = get_le64(p + AT_SUM);
	if (XXH3_64bits(p, AT_SUM_ELEMENT) != ret->sum)
		return TICK_BAD_SUM;
	if (stream->writer != ret->writer || !uuid_equal(&stream->run, &ret->run) || strcmp(stream->ns, ns))
		tick_stream_init(stream, &ret->run, ns, ret->writer);
	if (ret->seq < 1 || ret->seq > TICK_SEQ_MAX)
		return TICK_BAD_ID;
	derive_id(stream, ret->seq, id);
	if (memcmp(id, ret->id, ID_BYTES))
		return TICK_BAD_ID;
	derive_random(stream, ret->seq, random);
	return memcmp(random, p + AT_RANDOM, RANDOM_DIGITS) ? TICK_BAD_RANDOM : TICK_INTACT;
}

int64_t tick_id_seq(const struct tick_stream *stream, const unsigned char id[static 12])
{
	uint64_t seq = 0;

	if (memcmp(id, stream->prefix, PREFIX_BYTES))
		return 0;
	for (int i = 0; i < 6; i++)
		seq = seq << 8 | id[PREFIX_BYTES + i];
	return seq <= (uint64_t)TICK_SEQ_MAX ? (int64_t)seq : 0;
}
