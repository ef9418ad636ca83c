#include "evidence/timeline.h"

#include "base/file.h"
#include "evidence/record_line.h"

#include <string.h>

const char *const timeline_event_names[] = {
    "drill.start",
    "step.start",
    "step.end",
    "run.resumed",
    "clock.target",
    "backup.requested",
    "backup.finished",
    "bound.pinned",
    "disaster",
    "outage.start",
    "outage.end",
    "volumes.gone",
    "cluster.requested",
    "cluster.ready",
    "restore.requested",
    "restore.finished",
    "bucket.recheck",
    "versions",
    "clock",
    "note",
    NULL,
};

bool timeline_event_known(const char *name)
{
	for (size_t i = 0; timeline_event_names[i]; i++)
		if (!strcmp(timeline_event_names[i], name))
			return true;
	return false;
}

void timeline_boot_id(char ret[static UUID_TEXT_MAX])
{
	BUF_CLEANUP struct buf text = BUF_INIT(256);
	struct uuid boot;

	ret[0] = '\0';
	if (file_read("/proc/sys/kernel/random/boot_id", &text, NULL) && text.len >= UUID_TEXT_MAX - 1) {
		text.data[UUID_TEXT_MAX - 1] = '\0';
		if (uuid_parse(text.data, &boot))
			uuid_format(&boot, ret);
	}
}

const char *timeline_data(const struct timeline_record *rec, const char *key)
{
	for (size_t i = 0; i < rec->data_count; i++)
		if (!strcmp(rec->data[i].key, key))
			return rec->data[i].value;
	return NULL;
}

bool timeline_put(struct timeline_record *rec, const char *key, const char *value, struct err *err)
{
	struct timeline_pair *pair = NULL;

	if (!key[0] || strlen(key) >= sizeof pair->key)
		return err_set(err, ERR_LIMIT, "key \"%.80s\" of an event is empty or longer than %zu bytes", key,
		    sizeof pair->key - 1);
	for (size_t i = 0; i < rec->data_count; i++)
		if (!strcmp(rec->data[i].key, key))
			pair = &rec->data[i];
	if (!pair) {
		if (rec->data_count == TIMELINE_DATA_MAX)
			return err_set(
			    err, ERR_LIMIT, "more than %d values in one event, at \"%s\"", TIMELINE_DATA_MAX, key);
		pair = &rec->data[rec->data_count++];
	}
	snprintf(pair->key, sizeof pair->key, "%s", key);
	snprintf(pair->value, sizeof pair->value, "%s", value);
	return true;
}

bool timeline_create(const char *path, const struct timeline_open *open, struct err *err)
{
	struct record_file *file;
	struct record_line line;
	struct record_head head;
	struct record_sink sink;
	struct json_writer *w;
	bool ok;

	if (!record_file_create(path, &file, err))
		return false;
	sink = record_file_sink(file);
	record_line_init(&line);
	record_head_init(&head);
	w = record_begin(&line, &head, "open");
	json_put_string(w, "format", TIMELINE_FORMAT);
	json_put_int(w, "version", TIMELINE_VERSION);
	json_put_uuid(w, "drill", &open->drill);
	json_put_time(w, "at", open->at_ms);
	record_put_text(w, "by", open->by, sizeof open->by);
	record_put_text(w, "scenario", open->scenario, sizeof open->scenario);
	record_put_text(w, "boot", open->boot, sizeof open->boot);
	ok = record_end(&line, &head, err) && sink.write(sink.ctx, line.line.data, line.line.len, err);
	record_line_clear(&line);
	if (!record_file_close(file, ok ? err : NULL))
		ok = false;
	return ok ? true : err_wrap(err, "timeline");
}

static void put_acked(struct json_writer *w, const struct timeline_record *rec)
{
	json_object(w, "acked");
	for (size_t i = 0; i < rec->acked_count; i++) {
		char stream[16];

		snprintf(stream, sizeof stream, "%u", rec->acked[i].stream);
		json_object(w, stream);
		json_put_i64(w, "seq", rec->acked[i].seq);
		json_put_optime(w, "hi", rec->acked[i].hi);
		json_end_object(w);
	}
	json_end_object(w);
}

static void fill(struct json_writer *w, void *ctx)
{
	const struct timeline_record *rec = ctx;

	json_put_time(w, "at", rec->at_ms);
	json_put_i64(w, "mono_ms", rec->mono_ms);
	if (!rec->is_head)
		record_put_text(w, "name", rec->name, sizeof rec->name);
	if (rec->journal.known) {
		json_object(w, "journal");
		json_put_uuid(w, "run", &rec->journal.run);
		json_put_int(w, "n", (int64_t)rec->journal.n);
		json_put_string(w, "chain", rec->journal.chain);
		json_end_object(w);
	}
	if (rec->is_head) {
		put_acked(w, rec);
		return;
	}
	json_object(w, "data");
	for (size_t i = 0; i < rec->data_count; i++)
		record_put_text(w, rec->data[i].key, rec->data[i].value, sizeof rec->data[i].value);
	json_end_object(w);
}

static bool check(const struct timeline_record *rec, struct err *err)
{
	if (rec->is_head && !rec->journal.known)
		return err_set(err, ERR_STATE, "timeline: a head needs a journal record");
	if (rec->journal.known && (!rec->journal.n || rec->journal.n > RECORD_NUMBER_MAX))
		return err_set(err, ERR_STATE, "timeline: journal record %llu", (unsigned long long)rec->journal.n);
	if (!rec->is_head && !rec->name[0])
		return err_set(err, ERR_STATE, "timeline: an event needs a name");
	if (rec->data_count > TIMELINE_DATA_MAX || rec->acked_count > TIMELINE_ACKED_MAX)
		return err_set(err, ERR_LIMIT, "timeline: more than %d values or %d streams", TIMELINE_DATA_MAX,
		    TIMELINE_ACKED_MAX);
	return true;
}

bool timeline_append(const char *path, const struct timeline_record *rec, struct err *err)
{
	if (!check(rec, err))
		return false;
	if (!record_file_append(path, rec->is_head ? "head" : "event", fill, (void *)rec, err))
		return err_wrap(err, "timeline");
	return true;
}
