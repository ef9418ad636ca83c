/* Ticks and what can happen to them, made with libbson alone: not with the code under test. */
#ifndef TESTS_SUPPORT_TICK_DAMAGE_H
#define TESTS_SUPPORT_TICK_DAMAGE_H

#include "tick/tick.h"

#include <bson/bson.h>
#include <string.h>
#include <xxhash.h>

enum damage {
	SEQ_EDITED,
	SEQ_OF_ANOTHER_TYPE,
	WRITER_EDITED,
	RUN_EDITED,
	RUN_MISSING,
	ID_REPLACED,
	ID_REPLACED_SUM_MENDED,
	ID_OF_A_LATER_TICK,
	ID_IS_A_NUMBER,
	CREATED_AT_EDITED,
	CREATED_AT_OF_ANOTHER_TYPE,
	RANDOM_EDITED,
	RANDOM_EDITED_SUM_MENDED,
	RANDOM_IS_SHORT,
	EXTRA_FIELD,
	SUM_MISSING,
	SUM_EDITED,
	DAMAGES,
};

/* What tick.h documents: the sum is the hash of all bytes before its element, which is the document's last 14 bytes
 * with the end. */
static inline void mend_sum(bson_t *doc)
{
	unsigned char bytes[1024];
	uint64_t sum;
	bson_iter_t it;

	memcpy(bytes, bson_get_data(doc), doc->len);
	sum = XXH3_64bits(bytes, doc->len - 14);
	if (bson_iter_init_find(&it, doc, "sum"))
		bson_iter_overwrite_int64(&it, (int64_t)sum);
}

static inline void damage_id(enum damage how, const bson_iter_t *it, bson_t *out)
{
	bson_oid_t oid;

	bson_oid_copy(bson_iter_oid(it), &oid);
	switch (how) {
	case ID_REPLACED:
	case ID_REPLACED_SUM_MENDED:
		oid.bytes[0] = (uint8_t)~oid.bytes[0];
		break;
	case ID_OF_A_LATER_TICK:
		oid.bytes[8] = 9;
		break;
	case ID_IS_A_NUMBER:
		BSON_APPEND_INT32(out, "_id", oid.bytes[10] << 8 | oid.bytes[11]);
		return;
	default:
		break;
	}
	BSON_APPEND_OID(out, "_id", &oid);
}

static inline void damage_run(enum damage how, const bson_iter_t *it, bson_t *out)
{
	const uint8_t *bytes;
	uint8_t run[16];
	uint32_t len;

	bson_iter_binary(it, NULL, &len, &bytes);
	memcpy(run, bytes, sizeof run);
	if (how == RUN_EDITED)
		run[15] ^= 1;
	if (how != RUN_MISSING)
		BSON_APPEND_BINARY(out, "run", BSON_SUBTYPE_UUID, run, sizeof run);
}

static inline void damage_field(enum damage how, const bson_iter_t *it, bson_t *out)
{
	const char *key = bson_iter_key(it);

	if (!strcmp(key, "_id"))
		damage_id(how, it, out);
	else if (!strcmp(key, "run"))
		damage_run(how, it, out);
	else if (!strcmp(key, "seq") && how == SEQ_EDITED)
		BSON_APPEND_INT64(out, "seq", bson_iter_int64(it) + 2);
	else if (!strcmp(key, "seq") && how == SEQ_OF_ANOTHER_TYPE)
		BSON_APPEND_UTF8(out, "seq", "5");
	else if (!strcmp(key, "writer") && how == WRITER_EDITED)
		BSON_APPEND_INT32(out, "writer", bson_iter_int32(it) + 1);
	else if (!strcmp(key, "createdAt") && how == CREATED_AT_EDITED)
		BSON_APPEND_DATE_TIME(out, "createdAt", bson_iter_date_time(it) + 1000);
	else if (!strcmp(key, "createdAt") && how == CREATED_AT_OF_ANOTHER_TYPE)
		BSON_APPEND_INT64(out, "createdAt", bson_iter_date_time(it));
	else if (!strcmp(key, "randomdata") && (how == RANDOM_EDITED || how == RANDOM_EDITED_SUM_MENDED))
		BSON_APPEND_UTF8(out, "randomdata", "00000000000000000000000000000000");
	else if (!strcmp(key, "randomdata") && how == RANDOM_IS_SHORT)
		BSON_APPEND_UTF8(out, "randomdata", "0");
	else if (!strcmp(key, "sum") && how == SUM_EDITED)
		BSON_APPEND_INT64(out, "sum", bson_iter_int64(it) ^ 1);
	else if (strcmp(key, "sum") != 0 || how != SUM_MISSING)
		bson_append_iter(out, key, -1, it);
}

/* out is initialised here. */
static inline void damage_tick(enum damage how, const unsigned char *tick, bson_t *out)
{
	bson_t doc;
	bson_iter_t it;

	bson_init(out);
	bson_init_static(&doc, tick, TICK_BSON_BYTES);
	bson_iter_init(&it, &doc);
	while (bson_iter_next(&it))
		damage_field(how, &it, out);
	if (how == EXTRA_FIELD)
		BSON_APPEND_BOOL(out, "checked", true);
	if (how == RANDOM_EDITED_SUM_MENDED || how == ID_REPLACED_SUM_MENDED)
		mend_sum(out);
}

#endif
