#include "evidence/verdict.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "doc/json_writer.h"
#include "evidence/verdict_fields.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define RANGES_MAX                                                                                                     \
	200000u /* over all streams, each for ranges and for bad: keeps the file far below VERDICT_BYTES_MAX */

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
	json_put_int(w, key,
	    value > VERDICT_NUMBER_MAX	  ? VERDICT_NUMBER_MAX
	    : value < -VERDICT_NUMBER_MAX ? -VERDICT_NUMBER_MAX
					  : value);
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
	const char *rows = verdict_table_rows(t, v);

	json_array(w, t->key);
	for (size_t i = 0; i < verdict_table_count(t, v); i++) {
		const void *row = rows + i * t->row_size;

		json_object(w, NULL);
		put_fields(w, t->fields, row);
		if (t->fields == verdict_newest_fields) {
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
		put_fields(w, verdict_stream_fields, s);
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
		put_fields(w, verdict_bound_fields, v);
		put_table(w, &verdict_sets_table, v);
		json_end_object(w);
	} else {
		json_put_null(w, "restorePoint");
	}
	if (v->has_restore) {
		json_object(w, "restore");
		put_fields(w, verdict_restore_fields, v);
		json_end_object(w);
	} else {
		json_put_null(w, "restore");
	}
	json_object(w, "rpo");
	put_age(w, "valueMs", v->has_rpo, v->rpo_ms);
	put_fields(w, verdict_rpo_fields, v);
	json_end_object(w);
	json_object(w, "rto");
	put_age(w, "valueMs", v->has_rto, v->rto_ms);
	put_fields(w, verdict_rto_fields, v);
	put_table(w, &verdict_phases_table, v);
	json_end_object(w);
	if (v->control_count)
		put_table(w, &verdict_controls_table, v);
	if (v->has_before) {
		json_object(w, "before");
		put_fields(w, verdict_before_fields, v);
		json_end_object(w);
	}
	if (v->has_members) {
		json_object(w, "members");
		put_fields(w, verdict_members_fields, v);
		json_end_object(w);
	}
	if (!v->has_removal)
		return;
	json_object(w, "removal");
	put_fields(w, verdict_removal_fields, v);
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
	put_fields(&w, verdict_head_fields, v);
	put_reasons(&w, v);
	put_counts(&w, v->count);
	put_figures(&w, v);
	for (size_t i = 0; i < VERDICT_TABLES; i++)
		put_table(&w, &verdict_tables[i], v);
	put_streams(&w, v);
	json_end_object(&w);
	return json_writer_ok(&w, err) && buf_add_char(out, '\n', err);
}

bool verdict_write(const struct verdict *v, const char *path, struct err *err)
{
	BUF_CLEANUP struct buf out = BUF_INIT(VERDICT_BYTES_MAX);

	if (!verdict_check_result(v, err) || !verdict_check_sizes(v, err) || !compose(v, &out, err))
		return err_wrap(err, "write verdict \"%s\"", path);
	if (!strcmp(path, "-"))
		return fd_write_all(STDOUT_FILENO, out.data, out.len, err) || err_wrap(err, "write verdict");
	return file_write_atomic(path, out.data, out.len, 0600, err) || err_wrap(err, "write verdict");
}
