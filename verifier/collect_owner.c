#include "verifier/collect_owner.h"

#include "base/digest.h"
#include "mongo/bson_util.h"
#include "mongo/config_db.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIELD_MAX 256
#define BOUND_BYTES_MAX 1024
#define HASH_BYTES_MAX 1024

/* One field of a document's key. */
struct value {
	bson_iter_t it;
	bool there;
};

struct range {
	bson_t *min, *max; /* from min up to, and without, max */
	int home;
};

struct owner {
	char fields[OWNER_FIELDS_MAX][FIELD_MAX];
	size_t field_count;
	int hashed;	      /* which of them; -1: none */
	struct range *ranges; /* ascending, disjoint */
	size_t range_count, range_cap;
	int64_t untold;
};

void owner_free(struct owner *o)
{
	if (!o)
		return;
	for (size_t i = 0; i < o->range_count; i++) {
		bson_destroy(o->ranges[i].min);
		bson_destroy(o->ranges[i].max);
	}
	free(o->ranges);
	free(o);
}

/* --- the order of values
 * ---------------------------------------------------------------------------------------------------------------- */

/* https://www.mongodb.com/docs/manual/reference/bson-type-comparison-order/ ; 0: not told */
static int rank(const bson_iter_t *it)
{
	if (!it)
		return 2;
	switch (bson_iter_type(it)) {
	case BSON_TYPE_MINKEY:
		return 1;
	case BSON_TYPE_NULL:
		return 2;
	case BSON_TYPE_INT32:
	case BSON_TYPE_INT64:
	case BSON_TYPE_DOUBLE:
		return 3;
	case BSON_TYPE_UTF8:
		return 4;
	case BSON_TYPE_BINARY:
		return 5;
	case BSON_TYPE_OID:
		return 6;
	case BSON_TYPE_BOOL:
		return 7;
	case BSON_TYPE_DATE_TIME:
		return 8;
	case BSON_TYPE_TIMESTAMP:
		return 9;
	case BSON_TYPE_MAXKEY:
		return 10;
	default:
		return 0;
	}
}

static int order(int64_t a, int64_t b)
{
	return (a > b) - (a < b);
}

static int compare_bytes(const void *a, size_t a_len, const void *b, size_t b_len)
{
	int found = memcmp(a, b, a_len < b_len ? a_len : b_len);

	return found ? found : order((int64_t)a_len, (int64_t)b_len);
}

/* NaN is the least number. */
static int compare_doubles(double a, double b)
{
	if (isnan(a) || isnan(b))
		return isnan(b) - isnan(a);
	return (a > b) - (a < b);
}

/* A whole number and any other, without the double's rounding of the former. */
static int compare_mixed(int64_t a, double b)
{
	if (isnan(b) || b < -0x1p63)
		return 1;
	if (b >= 0x1p63)
		return -1;
	return a != (int64_t)b ? order(a, (int64_t)b) : compare_doubles(trunc(b), b);
}

static int compare_numbers(const bson_iter_t *a, const bson_iter_t *b)
{
	bool a_double = BSON_ITER_HOLDS_DOUBLE(a), b_double = BSON_ITER_HOLDS_DOUBLE(b);

	if (a_double && b_double)
		return compare_doubles(bson_iter_double(a), bson_iter_double(b));
	if (a_double)
		return -compare_mixed(bson_iter_as_int64(b), bson_iter_double(a));
	if (b_double)
		return compare_mixed(bson_iter_as_int64(a), bson_iter_double(b));
	return order(bson_iter_as_int64(a), bson_iter_as_int64(b));
}

static int compare_binary(const bson_iter_t *a, const bson_iter_t *b)
{
	bson_subtype_t a_type, b_type;
	const uint8_t *a_data, *b_data;
	uint32_t a_len, b_len;

	bson_iter_binary(a, &a_type, &a_len, &a_data);
	bson_iter_binary(b, &b_type, &b_len, &b_data);
	if (a_len != b_len)
		return order(a_len, b_len);
	return a_type != b_type ? order(a_type, b_type) : memcmp(a_data, b_data, a_len);
}

static int compare_timestamps(const bson_iter_t *a, const bson_iter_t *b)
{
	uint32_t at, ai, bt, bi;

	bson_iter_timestamp(a, &at, &ai);
	bson_iter_timestamp(b, &bt, &bi);
	return at != bt ? order(at, bt) : order(ai, bi);
}

/* Two of one rank. */
static int compare_alike(const bson_iter_t *a, const bson_iter_t *b, int of)
{
	uint32_t a_len, b_len;
	const char *a_text, *b_text;

	switch (of) {
	case 3:
		return compare_numbers(a, b);
	case 4:
		a_text = bson_iter_utf8(a, &a_len);
		b_text = bson_iter_utf8(b, &b_len);
		return compare_bytes(a_text, a_len, b_text, b_len);
	case 5:
		return compare_binary(a, b);
	case 6:
		return bson_oid_compare(bson_iter_oid(a), bson_iter_oid(b));
	case 7:
		return bson_iter_bool(a) - bson_iter_bool(b);
	case 8:
		return order(bson_iter_date_time(a), bson_iter_date_time(b));
	case 9:
		return compare_timestamps(a, b);
	default:
		return 0;
	}
}

/* --- hashed keys
 * ---------------------------------------------------------------------------------------------------------------------- */

static size_t put_le(unsigned char *to, uint64_t value, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		to[i] = (unsigned char)(value >> 8 * i);
	return bytes;
}

/* As the server hashes it: mongodb/mongo, src/mongo/db/hasher.cpp (BSONElementHasher::hash64, seed 0), and the types'
 * canonical numbers, src/mongo/bson/bsontypes.h. 0: not told. */
static size_t hash_input(const struct value *v, unsigned char in[static HASH_BYTES_MAX])
{
	const bson_iter_t *it = &v->it;
	size_t used = put_le(in, 0, 4);
	const char *text;
	uint32_t len;
	double d;

	if (!v->there)
		return used + put_le(in + used, 5, 4);
	switch (bson_iter_type(it)) {
	case BSON_TYPE_NULL:
		return used + put_le(in + used, 5, 4);
	case BSON_TYPE_INT32:
	case BSON_TYPE_INT64:
		used += put_le(in + used, 10, 4);
		return used + put_le(in + used, (uint64_t)bson_iter_as_int64(it), 8);
	case BSON_TYPE_DOUBLE:
		d = bson_iter_double(it);
		if (!(fabs(d) < 0x1p62))
			return 0;
		used += put_le(in + used, 10, 4);
		return used + put_le(in + used, (uint64_t)(int64_t)d, 8);
	case BSON_TYPE_UTF8:
		text = bson_iter_utf8(it, &len);
		if (len > HASH_BYTES_MAX - 16)
			return 0;
		used += put_le(in + used, 15, 4);
		used += put_le(in + used, len + 1, 4);
		memcpy(in + used, text, len + 1);
		return used + len + 1;
	case BSON_TYPE_OID:
		used += put_le(in + used, 35, 4);
		memcpy(in + used, bson_iter_oid(it)->bytes, 12);
		return used + 12;
	case BSON_TYPE_DATE_TIME:
		used += put_le(in + used, 45, 4);
		return used + put_le(in + used, (uint64_t)bson_iter_date_time(it), 8);
	default:
		return 0;
	}
}

static bool hash_of(const struct value *v, int64_t *ret)
{
	unsigned char in[HASH_BYTES_MAX], digest[MD5_BYTES];
	size_t len = hash_input(v, in);
	uint64_t sum = 0;

	if (!len || !md5_of(in, len, digest))
		return false;
	for (size_t i = 8; i-- > 0;)
		sum = sum << 8 | digest[i];
	*ret = (int64_t)sum;
	return true;
}

static bool can_hash(void)
{
	const struct value nothing = {.there = false};
	int64_t ignored;

	return hash_of(&nothing, &ignored);
}

/* --- ranges
 * ----------------------------------------------------------------------------------------------------------------------------- */

bool owner_new(const bson_t *key, struct owner **ret, char *ret_why, size_t size)
{
	CLEANUP(owner) struct owner *o = calloc(1, sizeof *o);
	bson_iter_t it;

	if (!o || !bson_iter_init(&it, key)) {
		snprintf(ret_why, size, "its shard key cannot be read");
		return false;
	}
	o->hashed = -1;
	while (bson_iter_next(&it)) {
		bool hashed = BSON_ITER_HOLDS_UTF8(&it) && !strcmp(bson_iter_utf8(&it, NULL), "hashed");

		if (hashed ? o->hashed >= 0 || !can_hash()
			   : !BSON_ITER_HOLDS_NUMBER(&it) || bson_iter_as_double(&it) != 1) {
			snprintf(ret_why, size, "its shard key is neither in ascending order nor hashed in one field");
			return false;
		}
		o->hashed = hashed ? (int)o->field_count : o->hashed;
		if (o->field_count == OWNER_FIELDS_MAX || strlen(bson_iter_key(&it)) >= FIELD_MAX) {
			snprintf(ret_why, size, "its shard key has more than %d fields, or one with a long name",
			    OWNER_FIELDS_MAX);
			return false;
		}
		snprintf(o->fields[o->field_count++], FIELD_MAX, "%s", bson_iter_key(&it));
	}
	if (!o->field_count) {
		snprintf(ret_why, size, "its shard key is empty");
		return false;
	}
	*ret = TAKE(o);
	return true;
}

/* A chunk's bound has the key's fields by their full names, in their order. */
static bool check_bound(const struct owner *o, const bson_t *bound)
{
	size_t field = 0;
	bson_iter_t it;

	if (bound->len > BOUND_BYTES_MAX || !bson_iter_init(&it, bound))
		return false;
	for (; bson_iter_next(&it); field++)
		if (field == o->field_count || strcmp(bson_iter_key(&it), o->fields[field]) != 0 || !rank(&it))
			return false;
	return field == o->field_count;
}

bool owner_add_home(struct owner *o, const bson_t *min, const bson_t *max, int home)
{
	struct range *last = o->range_count ? &o->ranges[o->range_count - 1] : NULL;

	if (!check_bound(o, min) || !check_bound(o, max))
		return false;
	if (last && last->home == home && bson_equal(last->max, min)) {
		bson_destroy(last->max);
		last->max = bson_copy(max);
		return true;
	}
	if (o->range_count == OWNER_RANGES_MAX)
		return false;
	if (o->range_count == o->range_cap) {
		size_t cap = o->range_cap ? 2 * o->range_cap : 16;
		struct range *bigger = reallocarray(o->ranges, cap, sizeof *bigger);

		if (!bigger)
			return false;
		o->ranges = bigger;
		o->range_cap = cap;
	}
	o->ranges[o->range_count++] = (struct range){bson_copy(min), bson_copy(max), home};
	return true;
}

bool owner_add(struct owner *o, const bson_t *min, const bson_t *max)
{
	return owner_add_home(o, min, max, 0);
}

bool owner_equal(const struct owner *a, const struct owner *b)
{
	if (a->field_count != b->field_count || a->hashed != b->hashed || a->range_count != b->range_count)
		return false;
	for (size_t i = 0; i < a->field_count; i++)
		if (strcmp(a->fields[i], b->fields[i]) != 0)
			return false;
	for (size_t i = 0; i < a->range_count; i++)
		if (a->ranges[i].home != b->ranges[i].home || !bson_equal(a->ranges[i].min, b->ranges[i].min) ||
		    !bson_equal(a->ranges[i].max, b->ranges[i].max))
			return false;
	return true;
}

struct key {
	struct value values[OWNER_FIELDS_MAX];
	int64_t hash; /* of the hashed one */
};

static int rank_of(const struct value *v)
{
	return rank(v->there ? &v->it : NULL);
}

static bool take_key(const struct owner *o, const bson_t *doc, struct key *ret)
{
	for (size_t i = 0; i < o->field_count; i++) {
		ret->values[i].there = bson_path(doc, o->fields[i], &ret->values[i].it);
		if ((int)i == o->hashed ? !hash_of(&ret->values[i], &ret->hash) : !rank_of(&ret->values[i]))
			return false;
	}
	return true;
}

static int compare_key(const struct owner *o, const struct key *key, const bson_t *bound)
{
	bson_iter_t it;

	bson_iter_init(&it, bound);
	for (size_t i = 0; i < o->field_count && bson_iter_next(&it); i++) {
		bool hashed = (int)i == o->hashed;
		int a = hashed ? 3 : rank_of(&key->values[i]), b = rank(&it);
		int found = a != b   ? a - b
			    : a == 2 ? 0
			    : hashed ? order(key->hash, bson_iter_as_int64(&it))
				     : compare_alike(&key->values[i].it, &it, a);

		if (found)
			return found;
	}
	return 0;
}

/* NULL: in none; *ret_told false: its key cannot be evaluated. */
static const struct range *find_range(const struct owner *o, const void *bytes, size_t len, bool *ret_told)
{
	size_t low = 0, high = o->range_count;
	struct key key;
	bson_t doc;

	*ret_told = bson_init_static(&doc, bytes, len) && take_key(o, &doc, &key);
	if (!*ret_told)
		return NULL;
	/* the last range that begins at or before the key */
	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (compare_key(o, &key, o->ranges[mid].min) >= 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low && compare_key(o, &key, o->ranges[low - 1].max) < 0 ? &o->ranges[low - 1] : NULL;
}

bool owner_owns(void *ctx, const void *bytes, size_t len)
{
	struct owner *o = ctx;
	bool told, owned = find_range(o, bytes, len, &told) != NULL;

	o->untold += !told;
	return owned || !told;
}

int owner_home(const struct owner *o, const void *bytes, size_t len)
{
	bool told;
	const struct range *range = find_range(o, bytes, len, &told);

	return range ? range->home : -1;
}

int64_t owner_untold(const struct owner *o)
{
	return o->untold;
}

/* --- the config server's word
 * ----------------------------------------------------------------------------------------------------------- */

struct call {
	const char *ns, *shard;
	int (*home)(void *ctx, const char *shard); /* all shards' chunks, then */
	void *ctx;
	struct owner *owner;
	char *why;
	size_t size;
};

static bool add_chunk(const struct call *c, const bson_t *chunk, struct owner *o)
{
	const char *shard = bson_path_utf8(chunk, "shard", NULL);
	bson_t min, max;

	return shard && bson_path_doc(chunk, "min", &min) && bson_path_doc(chunk, "max", &max) &&
	       owner_add_home(o, &min, &max, c->home ? c->home(c->ctx, shard) : 0);
}

static bool read_chunks(struct link *l, struct call *c, const bson_t *collection, struct owner *o, struct err *err)
{
	CLEANUP(mongoc_cursor) mongoc_cursor_t *cursor = NULL;
	BSON_CLEANUP bson_t filter = BSON_INITIALIZER, sort = BSON_INITIALIZER;
	const bson_t *chunk;

	if (!config_chunks_filter(collection, c->ns, c->shard, &filter) || !BSON_APPEND_INT32(&sort, "min", 1))
		return err_nomem(err);
	if (!config_find(l->client, "chunks", &filter, &sort, &cursor, err))
		return false;
	while (mongoc_cursor_next(cursor, &chunk)) {
		if (add_chunk(c, chunk, o))
			continue;
		snprintf(c->why, c->size, "a chunk's bounds cannot be evaluated, or there are more than %d ranges",
		    OWNER_RANGES_MAX);
		return true;
	}
	return !link_cursor_failed(l, cursor, "read \"config.chunks\"", err);
}

static bool act_load(struct link *l, void *arg, struct err *err)
{
	struct call *c = arg;
	CLEANUP(owner) struct owner *o = NULL;
	CLEANUP(mongoc_cursor) mongoc_cursor_t *cursor = NULL;
	BSON_CLEANUP bson_t filter = BSON_INITIALIZER;
	const bson_t *collection;
	bson_t key;
	bool dropped = false;

	c->why[0] = '\0';
	BSON_APPEND_UTF8(&filter, "_id", c->ns);
	if (!config_find(l->client, "collections", &filter, NULL, &cursor, err))
		return false;
	if (!mongoc_cursor_next(cursor, &collection))
		return !link_cursor_failed(l, cursor, "read \"config.collections\"", err);
	/* the one chunk of a collection that is unsplittable says on which shard it is */
	bson_path_bool(collection, "dropped", &dropped);
	if (c->home ? dropped : !config_is_sharded(collection))
		return true;
	if (!bson_path_doc(collection, "key", &key)) {
		snprintf(c->why, c->size, "\"config.collections\" has no shard key of it");
		return true;
	}
	if (!owner_new(&key, &o, c->why, c->size))
		return true;
	if (!read_chunks(l, c, collection, o, err))
		return false;
	if (c->home && !o->range_count && !c->why[0])
		snprintf(c->why, c->size, "\"config.chunks\" has no chunk of it");
	if (!c->why[0])
		c->owner = TAKE(o);
	return true;
}

bool owner_load(struct link *config, const char *ns, const char *shard, struct owner **ret, char *ret_why, size_t size,
    struct err *err)
{
	struct call call = {.ns = ns, .shard = shard, .why = ret_why, .size = size};

	if (!link_try(config, act_load, &call, err))
		return false;
	*ret = call.owner;
	return true;
}

bool owner_load_homes(struct link *config, const char *ns, int (*home)(void *ctx, const char *shard), void *ctx,
    struct owner **ret, char *ret_why, size_t size, struct err *err)
{
	struct call call = {.ns = ns, .home = home, .ctx = ctx, .why = ret_why, .size = size};

	if (!link_try(config, act_load, &call, err))
		return false;
	*ret = call.owner;
	return true;
}
