/*
 * The keys of verdict.json as tables, from which it is written and read, so that the two cannot drift apart. What
 * every key means stands in docs/verdict.schema.json. Private to verdict_json.c and verdict_parse.c.
 */
#ifndef EVIDENCE_VERDICT_FIELDS_H
#define EVIDENCE_VERDICT_FIELDS_H

#include "evidence/verdict.h"

#define VERDICT_BYTES_MAX (64u << 20)
#define VERDICT_NUMBER_MAX INT64_C(9007199254740991)

enum field_kind {
	TEXT,	   /* char[size] */
	FLAG,	   /* bool */
	I64,	   /* int64_t, a decimal string */
	I64_KNOWN, /* the same; -1 is null */
	U64,	   /* uint64_t, a decimal string */
	I32,	   /* int32_t, a number */
	NUMBER,	   /* int64_t, a number: milliseconds, or a count that stays small */
	LIMIT,	   /* the same; -1 is null */
	WALL,	   /* int64_t, RFC 3339; null for what has no such text (INT64_MIN) */
	OPTIME,	   /* struct optime, "T,I" */
	UUID,	   /* struct uuid */
	FIELDS_END,
};

struct field {
	const char *key;
	enum field_kind kind;
	size_t offset, size;
};

/* An array of rows in struct verdict. in_place: the rows are in the struct itself; else behind a pointer. */
struct table {
	const char *key;
	const struct field *fields;
	size_t rows, count; /* offsets in struct verdict */
	size_t row_size, max;
	bool in_place;
};

/* Each ends with a NULL key. */
extern const struct field verdict_head_fields[], verdict_bound_fields[], verdict_restore_fields[], verdict_rpo_fields[],
    verdict_rto_fields[], verdict_removal_fields[], verdict_before_fields[], verdict_members_fields[],
    verdict_stream_fields[], verdict_newest_fields[];
extern const struct table verdict_sets_table, verdict_phases_table, verdict_controls_table;
extern const struct table verdict_tables[]; /* the others, in the order of the file */
#define VERDICT_TABLES 6

const void *verdict_table_rows(const struct table *t, const struct verdict *v);
size_t verdict_table_count(const struct table *t, const struct verdict *v);
/* A result that its reasons do not bear out is never written, and never shown. */
bool verdict_check_result(const struct verdict *v, struct err *err);
bool verdict_check_sizes(const struct verdict *v, struct err *err);

#endif
