#include "mongo/reply.h"

#include "mongo/bson_util.h"

#include <stdio.h>
#include <string.h>

static int32_t path_i32(const bson_t *doc, const char *path, int32_t otherwise)
{
	int64_t value;

	return bson_path_i64(doc, path, &value) && value >= INT32_MIN && value <= INT32_MAX ? (int32_t)value
											    : otherwise;
}

static int count_entries(const bson_t *reply, const char *path)
{
	bson_t array;

	return bson_path_doc(reply, path, &array) ? (int)bson_count_keys(&array) : 0;
}

static int count_duplicates(const bson_t *reply)
{
	bson_t array, entry;
	bson_iter_t it;
	int count = 0;

	if (!bson_path_doc(reply, "writeErrors", &array) || !bson_iter_init(&it, &array))
		return 0;
	while (bson_iter_next(&it)) {
		const uint8_t *data;
		uint32_t len;

		if (!BSON_ITER_HOLDS_DOCUMENT(&it))
			continue;
		bson_iter_document(&it, &len, &data);
		if (bson_init_static(&entry, data, len))
			count += path_i32(&entry, "code", 0) == MONGOC_ERROR_DUPLICATE_KEY;
	}
	return count;
}

static bool has_label(const bson_t *reply, const char *label)
{
	bson_t labels;
	bson_iter_t it;

	if (!bson_path_doc(reply, "errorLabels", &labels) || !bson_iter_init(&it, &labels))
		return false;
	while (bson_iter_next(&it))
		if (BSON_ITER_HOLDS_UTF8(&it) && !strcmp(bson_iter_utf8(&it, NULL), label))
			return true;
	return false;
}

static void keep_message(struct reply_seen *seen, const bson_t *reply)
{
	static const char *const paths[] = {"errmsg", "writeErrors.0.errmsg", "writeConcernError.errmsg"};

	for (size_t i = 0; i < sizeof paths / sizeof *paths && !seen->message[0]; i++) {
		const char *text = bson_path_utf8(reply, paths[i], NULL);

		if (text)
			snprintf(seen->message, sizeof seen->message, "%s", text);
	}
}

static void see_reply(struct reply_seen *seen, const bson_t *reply)
{
	int64_t ok = 0;
	bson_t view;

	seen->replies++;
	seen->last_answered = true;
	seen->ok = bson_path_i64(reply, "ok", &ok) && ok == 1;
	seen->has_optime = bson_path_optime(reply, "operationTime", &seen->optime);
	if (bson_path_doc(reply, "retriedStmtIds", &view))
		seen->retried = true;
	seen->code = seen->ok ? 0 : path_i32(reply, "code", 0);
	seen->write_errors = count_entries(reply, "writeErrors");
	seen->duplicate_keys = count_duplicates(reply);
	seen->write_error = path_i32(reply, "writeErrors.0.code", 0);
	seen->write_concern_error = path_i32(reply, "writeConcernError.code", 0);
	seen->n = path_i32(reply, "n", -1);
	seen->no_writes_performed = has_label(reply, "NoWritesPerformed");
	seen->message[0] = '\0';
	keep_message(seen, reply);
}

static void on_started(const mongoc_apm_command_started_t *event)
{
	struct reply_watch *w = mongoc_apm_command_started_get_context(event);

	if (strcmp(mongoc_apm_command_started_get_command_name(event), w->command) != 0)
		return;
	w->seen.attempts++;
	if (w->seen.attempts > 1)
		w->seen.retried = true;
	w->seen.server_id = mongoc_apm_command_started_get_server_id(event);
	w->seen.last_answered = false;
	w->seen.ok = false;
	w->seen.has_optime = false;
}

static void on_reply(struct reply_watch *w, const char *name, const bson_t *reply)
{
	struct optime optime;

	/* a lost connection is reported with a reply of the driver's own making, which has no "ok" */
	if (!reply || !bson_has_field(reply, "ok"))
		return;
	if (bson_path_optime(reply, "operationTime", &optime))
		w->latest = optime_max(w->latest, optime);
	if (!strcmp(name, w->command))
		see_reply(&w->seen, reply);
}

static void on_succeeded(const mongoc_apm_command_succeeded_t *event)
{
	on_reply(mongoc_apm_command_succeeded_get_context(event), mongoc_apm_command_succeeded_get_command_name(event),
	    mongoc_apm_command_succeeded_get_reply(event));
}

static void on_failed(const mongoc_apm_command_failed_t *event)
{
	on_reply(mongoc_apm_command_failed_get_context(event), mongoc_apm_command_failed_get_command_name(event),
	    mongoc_apm_command_failed_get_reply(event));
}

void reply_watch_attach(struct reply_watch *watch, mongoc_client_t *client, const char *command)
{
	mongoc_apm_callbacks_t *callbacks = mongoc_apm_callbacks_new();

	memset(watch, 0, sizeof *watch);
	snprintf(watch->command, sizeof watch->command, "%s", command);
	reply_watch_begin(watch);
	mongoc_apm_set_command_started_cb(callbacks, on_started);
	mongoc_apm_set_command_succeeded_cb(callbacks, on_succeeded);
	mongoc_apm_set_command_failed_cb(callbacks, on_failed);
	mongoc_client_set_apm_callbacks(client, callbacks, watch);
	mongoc_apm_callbacks_destroy(callbacks);
}

void reply_watch_begin(struct reply_watch *watch)
{
	watch->seen = (struct reply_seen){.n = -1};
}
