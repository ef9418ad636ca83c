/*
 * verdict.json, written and read from the same tables of fields, so that the two cannot drift apart. What every key
 * means stands in docs/verdict.schema.json.
 */
#include "evidence/verdict.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/num.h"
#include "base/text.h"
#include "doc/json.h"
#include "doc/json_writer.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define BYTES_MAX (64u << 20)
#define DEPTH_MAX 8
#define ROWS_MAX 1000	   /* logins, namespaces, newest */
#define RANGES_MAX 200000u /* over all streams, each for ranges and for bad: keeps the file far below BYTES_MAX */
#define NUMBER_MAX INT64_C(9007199254740991)

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

#define FIELD(type, member, key, kind)                                                                                 \
	{                                                                                                              \
		key, kind, offsetof(type, member), sizeof(((type *)0)->member)                                         \
	}
#define LAST_FIELD                                                                                                     \
	{                                                                                                              \
		NULL, FIELDS_END, 0, 0                                                                                 \
	}

static const struct field head_fields[] = {
    FIELD(struct verdict, title, "title", TEXT),
    FIELD(struct verdict, judged_at_ms, "judgedAt", WALL),
    FIELD(struct verdict, judge, "judge", TEXT),
    FIELD(struct verdict, scenario, "scenario", TEXT),
    FIELD(struct verdict, issued, "issued", I64),
    FIELD(struct verdict, acked, "acked", I64),
    FIELD(struct verdict, undecided, "undecided", I64),
    FIELD(struct verdict, max_undecided, "maxUndecided", I64),
    FIELD(struct verdict, digest_checked, "digestChecked", I64),
    FIELD(struct verdict, digest_unchecked, "digestUnchecked", I64),
    FIELD(struct verdict, cluster_before, "clusterBefore", TEXT),
    FIELD(struct verdict, cluster_after, "clusterAfter", TEXT),
    FIELD(struct verdict, events_truncated, "eventsTruncated", FLAG),
    LAST_FIELD,
};

static const struct field bound_fields[] = {
    FIELD(struct verdict, backup_name, "backup", TEXT),
    FIELD(struct verdict, backup_opid, "opid", TEXT),
    FIELD(struct verdict, bound_source, "source", TEXT),
    FIELD(struct verdict, bound_precision, "precision", TEXT),
    FIELD(struct verdict, pbm_version, "pbmVersion", TEXT),
    FIELD(struct verdict, mongodb_version, "mongodbVersion", TEXT),
    FIELD(struct verdict, b0, "b0", OPTIME),
    FIELD(struct verdict, torn_width_s, "tornWidthSeconds", NUMBER),
    LAST_FIELD,
};

static const struct field set_fields[] = {
    FIELD(struct verdict_set, name, "name", TEXT),
    FIELD(struct verdict_set, b0, "b0", OPTIME),
    FIELD(struct verdict_set, b1, "b1", OPTIME),
    FIELD(struct verdict_set, ticks, "ticks", I64_KNOWN),
    LAST_FIELD,
};

static const struct field restore_fields[] = {
    FIELD(struct verdict, restore_state, "state", TEXT),
    FIELD(struct verdict, restore_reported_by, "reportedBy", TEXT),
    FIELD(struct verdict, restored_backup, "backup", TEXT),
    FIELD(struct verdict, restored_opid, "opid", TEXT),
    FIELD(struct verdict, restore_detail, "detail", TEXT),
    LAST_FIELD,
};

static const struct field rpo_fields[] = {
    FIELD(struct verdict, rpo_at_least, "atLeast", FLAG),
    FIELD(struct verdict, rpo_error_ms, "errorMs", NUMBER),
    FIELD(struct verdict, rpo_ops, "operations", I64),
    FIELD(struct verdict, max_rpo_ms, "maxMs", LIMIT),
    LAST_FIELD,
};

static const struct field rto_fields[] = {
    FIELD(struct verdict, rto_complete, "complete", FLAG),
    FIELD(struct verdict, rto_until, "until", TEXT),
    FIELD(struct verdict, max_rto_ms, "maxMs", LIMIT),
    LAST_FIELD,
};

static const struct field phase_fields[] = {
    FIELD(struct verdict_phase, name, "name", TEXT),
    FIELD(struct verdict_phase, from_ms, "fromMs", NUMBER),
    FIELD(struct verdict_phase, to_ms, "toMs", NUMBER),
    LAST_FIELD,
};

static const struct field stream_fields[] = {
    FIELD(struct verdict_stream, run, "run", UUID),
    FIELD(struct verdict_stream, ns, "ns", TEXT),
    FIELD(struct verdict_stream, writer, "writer", I32),
    FIELD(struct verdict_stream, replica_set, "replicaSet", TEXT),
    FIELD(struct verdict_stream, issued, "issued", I64),
    FIELD(struct verdict_stream, first, "first", I64),
    FIELD(struct verdict_stream, last, "last", I64),
    LAST_FIELD,
};

static const struct field login_fields[] = {
    FIELD(struct verdict_login, user, "user", TEXT),
    FIELD(struct verdict_login, ok, "ok", FLAG),
    FIELD(struct verdict_login, detail, "detail", TEXT),
    LAST_FIELD,
};

static const struct field namespace_fields[] = {
    FIELD(struct verdict_namespace, ns, "ns", TEXT),
    FIELD(struct verdict_namespace, exists, "exists", FLAG),
    FIELD(struct verdict_namespace, documents, "documents", I64),
    FIELD(struct verdict_namespace, indexes, "indexes", NUMBER),
    FIELD(struct verdict_namespace, options, "options", TEXT),
    LAST_FIELD,
};

static const struct field newest_fields[] = {
    FIELD(struct verdict_newest, ns, "ns", TEXT),
    FIELD(struct verdict_newest, created_at_ms, "createdAt", WALL),
    FIELD(struct verdict_newest, seq, "seq", I64),
    LAST_FIELD,
};

static const struct field event_fields[] = {
    FIELD(struct verdict_event, at_ms, "at", WALL),
    FIELD(struct verdict_event, since_ms, "sinceMs", NUMBER),
    FIELD(struct verdict_event, name, "name", TEXT),
    FIELD(struct verdict_event, text, "text", TEXT),
    LAST_FIELD,
};

static const struct field input_fields[] = {
    FIELD(struct verdict_input, kind, "kind", TEXT),
    FIELD(struct verdict_input, name, "name", TEXT),
    FIELD(struct verdict_input, sha256, "sha256", TEXT),
    FIELD(struct verdict_input, bytes, "bytes", I64),
    FIELD(struct verdict_input, records, "records", U64),
    FIELD(struct verdict_input, chain, "chain", TEXT),
    FIELD(struct verdict_input, state, "state", TEXT),
    LAST_FIELD,
};

typedef __typeof__(((struct verdict *)0)->versions[0]) version_row;
static const struct field version_fields[] = {
    FIELD(version_row, name, "name", TEXT),
    FIELD(version_row, value, "value", TEXT),
    LAST_FIELD,
};

/* An array of rows in struct verdict. in_place: the rows are in the struct itself; else behind a pointer. */
struct table {
	const char *key;
	const struct field *fields;
	size_t rows, count; /* offsets in struct verdict */
	size_t row_size, max;
	bool in_place;
};

#define TABLE(key, fields, rows, count, type, max, in_place)                                                           \
	{                                                                                                              \
		key, fields, offsetof(struct verdict, rows), offsetof(struct verdict, count), sizeof(type), max,       \
		    in_place                                                                                           \
	}
#define FIXED(rows) (sizeof(((struct verdict *)0)->rows) / sizeof(((struct verdict *)0)->rows[0]))

static const struct table sets_table =
    TABLE("replicaSets", set_fields, sets, set_count, struct verdict_set, FIXED(sets), true);
static const struct table phases_table =
    TABLE("phases", phase_fields, phases, phase_count, struct verdict_phase, FIXED(phases), true);
static const struct table plain_tables[] = {
    TABLE("newest", newest_fields, newest, newest_count, struct verdict_newest, ROWS_MAX, false),
    TABLE("logins", login_fields, logins, login_count, struct verdict_login, ROWS_MAX, false),
    TABLE("namespaces", namespace_fields, namespaces, namespace_count, struct verdict_namespace, ROWS_MAX, false),
    TABLE("events", event_fields, events, event_count, struct verdict_event, VERDICT_EVENTS_MAX, false),
    TABLE("inputs", input_fields, inputs, input_count, struct verdict_input, FIXED(inputs), true),
    TABLE("versions", version_fields, versions, version_count, version_row, FIXED(versions), true),
};
#define PLAIN_TABLES (sizeof plain_tables / sizeof *plain_tables)

static const void *table_rows(const struct table *t, const struct verdict *v)
{
	const char *at = (const char *)v + t->rows;

	return t->in_place ? (const void *)at : *(const void *const *)(const void *)at;
}

static size_t table_count(const struct table *t, const struct verdict *v)
{
	return *(const size_t *)(const void *)((const char *)v + t->count);
}

/* A result that its reasons do not bear out is never written, and never shown. */
static bool check_result(const struct verdict *v, struct err *err)
{
	size_t fails = 0, open = 0;

	for (size_t i = 0; i < v->reason_count; i++) {
		fails += verdict_reason_severity(v->reasons[i].code) == SEVERITY_FAIL;
		open += verdict_reason_severity(v->reasons[i].code) == SEVERITY_INCONCLUSIVE;
	}
	if ((v->result == VERDICT_PASS && (fails || open)) || (v->result == VERDICT_FAIL && !fails) ||
	    (v->result == VERDICT_INCONCLUSIVE && (fails || !open)))
		return err_set(err, ERR_BROKEN,
		    "verdict %s with %zu failing and %zu inconclusive reasons contradicts itself",
		    verdict_result_text(v->result), fails, open);
	return true;
}

static bool check_sizes(const struct verdict *v, struct err *err)
{
	for (size_t i = 0; i < PLAIN_TABLES; i++)
		if (table_count(&plain_tables[i], v) > plain_tables[i].max)
			return err_set(
			    err, ERR_LIMIT, "verdict with more than %zu %s", plain_tables[i].max, plain_tables[i].key);
	if (v->reason_count > VERDICT_REASONS_MAX)
		return err_set(err, ERR_LIMIT, "verdict with more than %d reasons", VERDICT_REASONS_MAX);
	if (v->stream_count > VERDICT_STREAMS_MAX)
		return err_set(err, ERR_LIMIT, "verdict with more than %d streams", VERDICT_STREAMS_MAX);
	if (v->set_count > sets_table.max || v->phase_count > phases_table.max)
		return err_set(err, ERR_LIMIT, "verdict with more than %zu replica sets or %zu phases", sets_table.max,
		    phases_table.max);
	return true;
}

/* --- writing
 * -------------------------------------------------------------------------------------------------------------------
 */

/* A byte that is no UTF-8 grows to three when the writer replaces it; the field must still hold the text when it is
 * read again. */
static void put_text(struct json_writer *w, const char *key, const char *text, size_t size)
{
	size_t len = strnlen(text, size), room = size - 1, used = 0;

	while (used < len) {
		uint32_t code;
		size_t n = text_utf8_len(text + used, len - used, &code), cost = n ? n : 3;

		if (cost > room)
			break;
		room -= cost;
		used += n ? n : 1;
	}
	json_put_string_n(w, key, text, used);
}

static void put_number(struct json_writer *w, const char *key, int64_t value)
{
	json_put_int(w, key, value > NUMBER_MAX ? NUMBER_MAX : value < -NUMBER_MAX ? -NUMBER_MAX : value);
}

static void put_wall(struct json_writer *w, const char *key, int64_t wall_ms)
{
	char text[TIME_TEXT_MAX];
	int64_t again;

	if (time_parse(time_format(wall_ms, text), &again))
		json_put_string(w, key, text);
	else
		json_put_null(w, key);
}

static void put_field(struct json_writer *w, const struct field *f, const void *at)
{
	char text[24];

	switch (f->kind) {
	case TEXT:
		put_text(w, f->key, at, f->size);
		break;
	case FLAG:
		json_put_bool(w, f->key, *(const bool *)at);
		break;
	case I64:
		json_put_i64(w, f->key, *(const int64_t *)at);
		break;
	case I64_KNOWN:
		if (*(const int64_t *)at == -1)
			json_put_null(w, f->key);
		else
			json_put_i64(w, f->key, *(const int64_t *)at);
		break;
	case U64:
		snprintf(text, sizeof text, "%" PRIu64, *(const uint64_t *)at);
		json_put_string(w, f->key, text);
		break;
	case I32:
		json_put_int(w, f->key, *(const int32_t *)at);
		break;
	case NUMBER:
		put_number(w, f->key, *(const int64_t *)at);
		break;
	case LIMIT:
		if (*(const int64_t *)at == -1)
			json_put_null(w, f->key);
		else
			put_number(w, f->key, *(const int64_t *)at);
		break;
	case WALL:
		put_wall(w, f->key, *(const int64_t *)at);
		break;
	case OPTIME:
		json_put_optime(w, f->key, *(const struct optime *)at);
		break;
	case UUID:
		json_put_uuid(w, f->key, at);
		break;
	case FIELDS_END:
		break;
	}
}

static void put_fields(struct json_writer *w, const struct field *fields, const void *base)
{
	for (const struct field *f = fields; f->key; f++)
		put_field(w, f, (const char *)base + f->offset);
}

static void put_age(struct json_writer *w, const char *key, bool known, int64_t age_ms)
{
	if (known)
		put_number(w, key, age_ms);
	else
		json_put_null(w, key);
}

static void put_table(struct json_writer *w, const struct table *t, const struct verdict *v)
{
	const char *rows = table_rows(t, v);

	json_array(w, t->key);
	for (size_t i = 0; i < table_count(t, v); i++) {
		const void *row = rows + i * t->row_size;

		json_object(w, NULL);
		put_fields(w, t->fields, row);
		if (t->fields == newest_fields) {
			const struct verdict_newest *n = row;

			put_age(w, "ageAtBackupMs", n->has_age_at_backup, n->age_at_backup_ms);
			put_age(w, "ageAtDisasterMs", n->has_age_at_disaster, n->age_at_disaster_ms);
		}
		json_end_object(w);
	}
	json_end_array(w);
}

static void put_reasons(struct json_writer *w, const struct verdict *v)
{
	json_array(w, "reasons");
	for (size_t i = 0; i < v->reason_count; i++) {
		const struct verdict_reason *r = &v->reasons[i];

		json_object(w, NULL);
		json_put_string(w, "code", verdict_reason_text(r->code));
		json_put_string(w, "severity", verdict_severity_text(verdict_reason_severity(r->code)));
		json_put_string(w, "title", verdict_reason_title(r->code));
		put_text(w, "message", r->message, sizeof r->message);
		put_text(w, "hint", r->hint, sizeof r->hint);
		json_end_object(w);
	}
	json_end_array(w);
}

static void put_counts(struct json_writer *w, const int64_t count[static CLASS_COUNT])
{
	json_object(w, "counts");
	for (int c = 0; c < CLASS_COUNT; c++)
		json_put_i64(w, tick_class_text((enum tick_class)c), count[c]);
	json_end_object(w);
}

static void put_ranges(struct json_writer *w, const char *key, const struct verdict_range *ranges, size_t count)
{
	json_array(w, key);
	for (size_t i = 0; i < count; i++) {
		json_array(w, NULL);
		json_put_i64(w, NULL, ranges[i].first);
		json_put_i64(w, NULL, ranges[i].last);
		json_put_string(w, NULL, tick_class_text(ranges[i].class));
		json_end_array(w);
	}
	json_end_array(w);
}

/* How many ranges of each stream are written: as many as there are, unless all of them together would be too many. */
static size_t ranges_each(const struct verdict *v)
{
	size_t ranges = 0, bad = 0;

	for (size_t i = 0; i < v->stream_count; i++) {
		ranges += v->streams[i].range_count;
		bad += v->streams[i].bad_count;
	}
	return ranges <= RANGES_MAX && bad <= RANGES_MAX ? VERDICT_RANGES_MAX : RANGES_MAX / v->stream_count;
}

static void put_streams(struct json_writer *w, const struct verdict *v)
{
	size_t most = ranges_each(v);

	json_array(w, "streams");
	for (size_t i = 0; i < v->stream_count; i++) {
		const struct verdict_stream *s = &v->streams[i];

		json_object(w, NULL);
		put_fields(w, stream_fields, s);
		put_counts(w, s->count);
		put_ranges(w, "ranges", s->ranges, s->range_count < most ? s->range_count : most);
		json_put_bool(w, "rangesTruncated", s->ranges_truncated || s->range_count > most);
		put_ranges(w, "bad", s->bad, s->bad_count < most ? s->bad_count : most);
		json_put_bool(w, "badTruncated", s->bad_truncated || s->bad_count > most);
		json_end_object(w);
	}
	json_end_array(w);
}

static void put_figures(struct json_writer *w, const struct verdict *v)
{
	if (v->has_bound) {
		json_object(w, "restorePoint");
		put_fields(w, bound_fields, v);
		put_table(w, &sets_table, v);
		json_end_object(w);
	} else {
		json_put_null(w, "restorePoint");
	}
	if (v->has_restore) {
		json_object(w, "restore");
		put_fields(w, restore_fields, v);
		json_end_object(w);
	} else {
		json_put_null(w, "restore");
	}
	json_object(w, "rpo");
	put_age(w, "valueMs", v->has_rpo, v->rpo_ms);
	put_fields(w, rpo_fields, v);
	json_end_object(w);
	json_object(w, "rto");
	put_age(w, "valueMs", v->has_rto, v->rto_ms);
	put_fields(w, rto_fields, v);
	put_table(w, &phases_table, v);
	json_end_object(w);
}

static bool compose(const struct verdict *v, struct buf *out, struct err *err)
{
	struct json_writer w;

	json_writer_init(&w, out);
	json_object(&w, NULL);
	json_put_string(&w, "format", VERDICT_FORMAT);
	json_put_int(&w, "version", VERDICT_VERSION);
	json_put_string(&w, "result", verdict_result_text(v->result));
	if (v->has_drill)
		json_put_uuid(&w, "drill", &v->drill);
	else
		json_put_null(&w, "drill");
	put_fields(&w, head_fields, v);
	put_reasons(&w, v);
	put_counts(&w, v->count);
	put_figures(&w, v);
	for (size_t i = 0; i < PLAIN_TABLES; i++)
		put_table(&w, &plain_tables[i], v);
	put_streams(&w, v);
	json_end_object(&w);
	return json_writer_ok(&w, err) && buf_add_char(out, '\n', err);
}

bool verdict_write(const struct verdict *v, const char *path, struct err *err)
{
	BUF_CLEANUP struct buf out = BUF_INIT(BYTES_MAX);

	if (!check_result(v, err) || !check_sizes(v, err) || !compose(v, &out, err))
		return err_wrap(err, "write verdict \"%s\"", path);
	if (!strcmp(path, "-"))
		return fd_write_all(STDOUT_FILENO, out.data, out.len, err) || err_wrap(err, "write verdict");
	return file_write_atomic(path, out.data, out.len, 0600, err) || err_wrap(err, "write verdict");
}

/* --- reading
 * -------------------------------------------------------------------------------------------------------------------
 */

static bool get_u64(const json_node *node, const char *key, uint64_t *ret, struct err *err)
{
	const char *text;

	if (!json_need_string(node, key, &text, err))
		return false;
	if (!num_parse_u64(text, strlen(text), UINT64_MAX, ret))
		return err_set(err, ERR_PARSE, "key \"%s\" is not a decimal 64-bit number in a string", key);
	return true;
}

static bool get_i32(const json_node *node, const char *key, int32_t *ret, struct err *err)
{
	int64_t value;

	if (!json_need_int(node, key, INT32_MIN, INT32_MAX, &value, err))
		return false;
	*ret = (int32_t)value;
	return true;
}

static bool get_field(const json_node *node, const struct field *f, void *at, struct err *err)
{
	bool null = json_is_null(json_get(node, f->key));

	switch (f->kind) {
	case TEXT:
		return json_need_copy(node, f->key, at, f->size, err);
	case FLAG:
		return json_need_bool(node, f->key, at, err);
	case I64_KNOWN:
		if (null) {
			*(int64_t *)at = -1;
			return true;
		}
		/* fall through */
	case I64:
		return json_need_i64(node, f->key, at, err);
	case U64:
		return get_u64(node, f->key, at, err);
	case I32:
		return get_i32(node, f->key, at, err);
	case LIMIT:
		if (null) {
			*(int64_t *)at = -1;
			return true;
		}
		return json_need_int(node, f->key, 0, NUMBER_MAX, at, err);
	case NUMBER:
		return json_need_int(node, f->key, -NUMBER_MAX, NUMBER_MAX, at, err);
	case WALL:
		if (null) {
			*(int64_t *)at = INT64_MIN;
			return true;
		}
		return json_need_time(node, f->key, at, err);
	case OPTIME:
		return json_need_optime(node, f->key, at, err);
	case UUID:
		return json_need_uuid(node, f->key, at, err);
	case FIELDS_END:
		break;
	}
	return true;
}

static bool get_fields(const json_node *node, const struct field *fields, void *base, struct err *err)
{
	for (const struct field *f = fields; f->key; f++)
		if (!get_field(node, f, (char *)base + f->offset, err))
			return false;
	return true;
}

/* An array with at most max elements, and memory for them: calloc(0) may be NULL, so one element more is asked for. */
static bool get_array(
    const json_node *node, const char *key, size_t max, const json_node **ret, size_t *ret_count, struct err *err)
{
	const json_node *array;
	size_t count;

	if (!json_need_array(node, key, &array, err))
		return false;
	count = json_count(array);
	if (count > max)
		return err_set(err, ERR_LIMIT, "key \"%s\" has more than %zu elements", key, max);
	*ret = array;
	*ret_count = count;
	return true;
}

static bool get_age(const json_node *node, const char *key, bool *ret_known, int64_t *ret_ms, struct err *err)
{
	*ret_known = !json_is_null(json_get(node, key));
	return !*ret_known || json_need_int(node, key, -NUMBER_MAX, NUMBER_MAX, ret_ms, err);
}

static bool get_row(const json_node *node, const struct table *t, void *row, struct err *err)
{
	struct verdict_newest *n = row;

	if (!get_fields(node, t->fields, row, err))
		return false;
	return t->fields != newest_fields ||
	       (get_age(node, "ageAtBackupMs", &n->has_age_at_backup, &n->age_at_backup_ms, err) &&
		   get_age(node, "ageAtDisasterMs", &n->has_age_at_disaster, &n->age_at_disaster_ms, err));
}

static bool get_table(const json_node *node, const struct table *t, struct verdict *v, struct err *err)
{
	char *place = (char *)v + t->rows, *rows = place;
	const json_node *array;
	size_t count, i = 0;

	if (!get_array(node, t->key, t->max, &array, &count, err))
		return false;
	if (!t->in_place) {
		rows = calloc(count + 1, t->row_size);
		if (!rows)
			return err_nomem(err);
		*(void **)(void *)place = rows; /* verdict_clear frees it from here on */
	}
	*(size_t *)(void *)((char *)v + t->count) = count;
	for (const json_node *row = json_first(array); row; row = json_next(row), i++)
		if (!get_row(row, t, rows + i * t->row_size, err))
			return err_wrap(err, "%s %zu", t->key, i);
	return true;
}

static bool get_reason(const json_node *node, struct verdict_reason *r, struct err *err)
{
	const char *code;

	if (!json_need_string(node, "code", &code, err))
		return false;
	for (int c = 0; c < REASON_COUNT; c++) {
		if (strcmp(code, verdict_reason_text((enum verdict_reason_code)c)) != 0)
			continue;
		r->code = (enum verdict_reason_code)c;
		return json_need_copy(node, "message", r->message, sizeof r->message, err) &&
		       json_need_copy(node, "hint", r->hint, sizeof r->hint, err);
	}
	err_set(err, ERR_UNSUPPORTED, "reason \"%.64s\" is not known", code);
	return err_hint(err, "read it with the version of psmdb-verify that wrote it, or a newer one");
}

static bool get_reasons(const json_node *root, struct verdict *v, struct err *err)
{
	const json_node *array;
	size_t count, i = 0;

	if (!get_array(root, "reasons", VERDICT_REASONS_MAX, &array, &count, err))
		return false;
	v->reasons = calloc(count + 1, sizeof *v->reasons);
	if (!v->reasons)
		return err_nomem(err);
	v->reason_count = count;
	for (const json_node *row = json_first(array); row; row = json_next(row), i++)
		if (!get_reason(row, &v->reasons[i], err))
			return err_wrap(err, "reasons %zu", i);
	return true;
}

static bool get_counts(const json_node *node, int64_t ret[static CLASS_COUNT], struct err *err)
{
	const json_node *counts;

	if (!json_need_object(node, "counts", &counts, err))
		return false;
	for (int c = 0; c < CLASS_COUNT; c++)
		if (!json_need_i64(counts, tick_class_text((enum tick_class)c), &ret[c], err))
			return err_wrap(err, "counts");
	return true;
}

static bool element_i64(const json_node *node, int64_t *ret)
{
	const char *text = node ? json_string(node) : NULL;

	return text && num_parse_i64(text, strlen(text), ret);
}

static bool get_range(const json_node *node, struct verdict_range *ret)
{
	const json_node *first = json_is_array(node) ? json_first(node) : NULL;
	const json_node *last = first ? json_next(first) : NULL, *class = last ? json_next(last) : NULL;
	const char *text = class ? json_string(class) : NULL;

	if (!text || json_next(class) || !element_i64(first, &ret->first) || !element_i64(last, &ret->last) ||
	    ret->first > ret->last)
		return false;
	for (int c = 0; c < CLASS_COUNT; c++) {
		if (!strcmp(text, tick_class_text((enum tick_class)c))) {
			ret->class = (enum tick_class)c;
			return true;
		}
	}
	return false;
}

static bool get_ranges(
    const json_node *node, const char *key, struct verdict_range **ret, size_t *ret_count, struct err *err)
{
	const json_node *array;
	size_t count, i = 0;

	if (!get_array(node, key, VERDICT_RANGES_MAX, &array, &count, err))
		return false;
	*ret = calloc(count + 1, sizeof **ret);
	if (!*ret)
		return err_nomem(err);
	*ret_count = count;
	for (const json_node *row = json_first(array); row; row = json_next(row), i++) {
		if (!get_range(row, &(*ret)[i]))
			return err_set(err, ERR_PARSE, "%s %zu is not [\"first\", \"last\", \"class\"]", key, i);
		if (i && (*ret)[i].first <= (*ret)[i - 1].last)
			return err_set(err, ERR_PARSE, "%s %zu does not lie behind the range before it", key, i);
	}
	return true;
}

static bool get_stream(const json_node *node, struct verdict_stream *s, struct err *err)
{
	return get_fields(node, stream_fields, s, err) && get_counts(node, s->count, err) &&
	       get_ranges(node, "ranges", &s->ranges, &s->range_count, err) &&
	       json_need_bool(node, "rangesTruncated", &s->ranges_truncated, err) &&
	       get_ranges(node, "bad", &s->bad, &s->bad_count, err) &&
	       json_need_bool(node, "badTruncated", &s->bad_truncated, err);
}

static bool get_streams(const json_node *root, struct verdict *v, struct err *err)
{
	const json_node *array;
	size_t count, i = 0;

	if (!get_array(root, "streams", VERDICT_STREAMS_MAX, &array, &count, err))
		return false;
	v->streams = calloc(count + 1, sizeof *v->streams);
	if (!v->streams)
		return err_nomem(err);
	v->stream_count = count;
	for (const json_node *row = json_first(array); row; row = json_next(row), i++)
		if (!get_stream(row, &v->streams[i], err))
			return err_wrap(err, "streams %zu", i);
	return true;
}

static bool get_figures(const json_node *root, struct verdict *v, struct err *err)
{
	const json_node *point, *restore, *rpo, *rto;

	v->has_bound = !json_is_null(json_get(root, "restorePoint"));
	if (v->has_bound && (!json_need_object(root, "restorePoint", &point, err) ||
				!get_fields(point, bound_fields, v, err) || !get_table(point, &sets_table, v, err)))
		return err_wrap(err, "restorePoint");
	v->has_restore = !json_is_null(json_get(root, "restore"));
	if (v->has_restore &&
	    (!json_need_object(root, "restore", &restore, err) || !get_fields(restore, restore_fields, v, err)))
		return err_wrap(err, "restore");
	if (!json_need_object(root, "rpo", &rpo, err) || !get_age(rpo, "valueMs", &v->has_rpo, &v->rpo_ms, err) ||
	    !get_fields(rpo, rpo_fields, v, err))
		return err_wrap(err, "rpo");
	if (!json_need_object(root, "rto", &rto, err) || !get_age(rto, "valueMs", &v->has_rto, &v->rto_ms, err) ||
	    !get_fields(rto, rto_fields, v, err) || !get_table(rto, &phases_table, v, err))
		return err_wrap(err, "rto");
	return true;
}

static bool get_head(const json_node *root, struct verdict *v, struct err *err)
{
	const char *format, *result;
	int64_t version;

	if (!json_need_string(root, "format", &format, err) ||
	    !json_need_int(root, "version", 0, NUMBER_MAX, &version, err))
		return false;
	if (strcmp(format, VERDICT_FORMAT) != 0 || version != VERDICT_VERSION) {
		err_set(err, ERR_UNSUPPORTED,
		    "format \"%.64s\" version %" PRId64 " is not " VERDICT_FORMAT " version %d", format, version,
		    VERDICT_VERSION);
		return err_hint(err, "name the verdict.json that \"psmdb-verify judge\" wrote");
	}
	if (!json_need_string(root, "result", &result, err))
		return false;
	for (v->result = VERDICT_PASS; strcmp(result, verdict_result_text(v->result)) != 0; v->result++)
		if (v->result == VERDICT_ERROR)
			return err_set(err, ERR_PARSE, "result \"%.64s\" is not known", result);
	v->has_drill = !json_is_null(json_get(root, "drill"));
	return (!v->has_drill || json_need_uuid(root, "drill", &v->drill, err)) &&
	       get_fields(root, head_fields, v, err);
}

static bool get_verdict(const json_node *root, struct verdict *v, struct err *err)
{
	if (!get_head(root, v, err) || !get_reasons(root, v, err) || !get_counts(root, v->count, err) ||
	    !get_figures(root, v, err) || !get_streams(root, v, err))
		return false;
	for (size_t i = 0; i < PLAIN_TABLES; i++)
		if (!get_table(root, &plain_tables[i], v, err))
			return false;
	return check_result(v, err);
}

bool verdict_parse(const char *text, size_t len, struct verdict *ret, struct err *err)
{
	const struct json_limits limits = {.max_bytes = BYTES_MAX, .max_depth = DEPTH_MAX, .unique_keys = true};
	CLEANUP(json) struct json *doc = NULL;
	struct verdict v;

	if (!json_parse(text, len, &limits, &doc, err))
		return err_wrap(err, "verdict");
	verdict_init(&v);
	if (!get_verdict(json_root(doc), &v, err)) {
		verdict_clear(&v);
		return err_wrap(err, "verdict");
	}
	*ret = v;
	return true;
}

bool verdict_read(const char *path, struct verdict *ret, struct err *err)
{
	BUF_CLEANUP struct buf text = BUF_INIT(BYTES_MAX);

	if (!file_read(path, &text, err))
		return err_wrap(err, "read verdict");
	return verdict_parse(buf_str(&text), text.len, ret, err) || err_wrap(err, "read \"%s\"", path);
}
