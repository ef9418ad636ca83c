#include "evidence/verdict.h"

#include "base/file.h"
#include "base/num.h"
#include "doc/json.h"
#include "evidence/verdict_fields.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 8

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
		return json_need_int(node, f->key, 0, VERDICT_NUMBER_MAX, at, err);
	case NUMBER:
		return json_need_int(node, f->key, -VERDICT_NUMBER_MAX, VERDICT_NUMBER_MAX, at, err);
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

/*
 * An array with at most max elements, and memory for them: calloc(0) may be NULL, so one element more is asked for.
 */
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
	return !*ret_known || json_need_int(node, key, -VERDICT_NUMBER_MAX, VERDICT_NUMBER_MAX, ret_ms, err);
}

static bool get_row(const json_node *node, const struct table *t, void *row, struct err *err)
{
	struct verdict_newest *n = row;

	if (!get_fields(node, t->fields, row, err))
		return false;
	return t->fields != verdict_newest_fields ||
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
	return get_fields(node, verdict_stream_fields, s, err) && get_counts(node, s->count, err) &&
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
	const json_node *point, *restore, *rpo, *rto, *before, *members, *removal;

	v->has_bound = !json_is_null(json_get(root, "restorePoint"));
	if (v->has_bound &&
	    (!json_need_object(root, "restorePoint", &point, err) || !get_fields(point, verdict_bound_fields, v, err) ||
		!get_table(point, &verdict_sets_table, v, err)))
		return err_wrap(err, "restorePoint");
	v->has_restore = !json_is_null(json_get(root, "restore"));
	if (v->has_restore &&
	    (!json_need_object(root, "restore", &restore, err) || !get_fields(restore, verdict_restore_fields, v, err)))
		return err_wrap(err, "restore");
	if (!json_need_object(root, "rpo", &rpo, err) || !get_age(rpo, "valueMs", &v->has_rpo, &v->rpo_ms, err) ||
	    !get_fields(rpo, verdict_rpo_fields, v, err))
		return err_wrap(err, "rpo");
	if (!json_need_object(root, "rto", &rto, err) || !get_age(rto, "valueMs", &v->has_rto, &v->rto_ms, err) ||
	    !get_fields(rto, verdict_rto_fields, v, err) || !get_table(rto, &verdict_phases_table, v, err))
		return err_wrap(err, "rto");
	if (json_get(root, "controls") && !get_table(root, &verdict_controls_table, v, err))
		return err_wrap(err, "controls");
	v->has_before = json_get(root, "before") != NULL;
	if (v->has_before &&
	    (!json_need_object(root, "before", &before, err) || !get_fields(before, verdict_before_fields, v, err)))
		return err_wrap(err, "before");
	v->has_members = json_get(root, "members") != NULL;
	if (v->has_members &&
	    (!json_need_object(root, "members", &members, err) || !get_fields(members, verdict_members_fields, v, err)))
		return err_wrap(err, "members");
	v->has_removal = json_get(root, "removal") != NULL;
	if (v->has_removal &&
	    (!json_need_object(root, "removal", &removal, err) || !get_fields(removal, verdict_removal_fields, v, err)))
		return err_wrap(err, "removal");
	return true;
}

static bool get_head(const json_node *root, struct verdict *v, struct err *err)
{
	const char *format, *result;
	int64_t version;

	if (!json_need_string(root, "format", &format, err) ||
	    !json_need_int(root, "version", 0, VERDICT_NUMBER_MAX, &version, err))
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
	       get_fields(root, verdict_head_fields, v, err);
}

static bool get_verdict(const json_node *root, struct verdict *v, struct err *err)
{
	if (!get_head(root, v, err) || !get_reasons(root, v, err) || !get_counts(root, v->count, err) ||
	    !get_figures(root, v, err) || !get_streams(root, v, err))
		return false;
	for (size_t i = 0; i < VERDICT_TABLES; i++)
		if (!get_table(root, &verdict_tables[i], v, err))
			return false;
	return verdict_check_result(v, err);
}

bool verdict_parse(const char *text, size_t len, struct verdict *ret, struct err *err)
{
	const struct json_limits limits = {.max_bytes = VERDICT_BYTES_MAX, .max_depth = DEPTH_MAX, .unique_keys = true};
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
	BUF_CLEANUP struct buf text = BUF_INIT(VERDICT_BYTES_MAX);

	if (!file_read(path, &text, err))
		return err_wrap(err, "read verdict");
	return verdict_parse(buf_str(&text), text.len, ret, err) || err_wrap(err, "read \"%s\"", path);
}
