#include "verifier/collect_meta.h"

#include "base/digest.h"
#include "mongo/bson_util.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of a namespace's options and indexes, so that the record fits into a line even when all of it must be escaped. */
#define TEXT_MAX 5000
#define REPLY_BATCH 1000

static void copy_text(const bson_t *doc, const char *path, char *ret, size_t size)
{
	const char *text = bson_path_utf8(doc, path, NULL);

	snprintf(ret, size, "%.*s", (int)size - 1, text ? text : "");
}

/* --- a small cursor: one command, one batch
 * -------------------------------------------------------------------------------------- */

static bool first_batch(
    struct link *link, const char *db, const bson_t *command, bson_t *ret_reply, bson_iter_t *ret, struct err *err)
{
	bson_iter_t batch;

	if (!link_command(link, db, command, NULL, ret_reply, err))
		return false;
	if (!bson_path(ret_reply, "cursor.firstBatch", &batch) || !BSON_ITER_HOLDS_ARRAY(&batch) ||
	    !bson_iter_recurse(&batch, ret))
		return err_set(err, ERR_REMOTE, "the server's answer lacks \"cursor.firstBatch\"");
	return true;
}

static bool next_document(bson_iter_t *batch, bson_t *ret_view)
{
	const uint8_t *data;
	uint32_t len;

	if (!bson_iter_next(batch) || !BSON_ITER_HOLDS_DOCUMENT(batch))
		return false;
	bson_iter_document(batch, &len, &data);
	return bson_init_static(ret_view, data, len);
}

/* --- a namespace
 * ------------------------------------------------------------------------------------------------------------------ */

static bool read_options(
    struct link *link, const char *db, const char *coll, struct observed_namespace *ns, struct err *err)
{
	BSON_CLEANUP bson_t command = BSON_INITIALIZER;
	BSON_CLEANUP bson_t reply = BSON_INITIALIZER;
	bson_iter_t batch;
	bson_t filter, doc, options;
	char *json, hash[SHA256_TEXT_MAX];

	BSON_APPEND_INT32(&command, "listCollections", 1);
	BSON_APPEND_DOCUMENT_BEGIN(&command, "filter", &filter);
	BSON_APPEND_UTF8(&filter, "name", coll);
	bson_append_document_end(&command, &filter);
	if (!first_batch(link, db, &command, &reply, &batch, err))
		return false;
	ns->exists = next_document(&batch, &doc);
	if (!ns->exists || !bson_path_doc(&doc, "options", &options))
		return true;
	json = bson_as_relaxed_extended_json(&options, NULL);
	if (!json)
		return err_nomem(err);
	if (strlen(json) < sizeof ns->options)
		memcpy(ns->options, json, strlen(json) + 1);
	else
		/* its beginning, to be read, and the hash of it all, to be compared */
		snprintf(ns->options, sizeof ns->options, "%.1900s... sha256:%.16s", json,
		    sha256_text(json, strlen(json), hash));
	bson_free(json);
	return true;
}

/* A long one as its name and a hash: still to be compared, no longer to be read. */
static void shorten(const bson_t *index, const char *json, char *ret, size_t size)
{
	char name[61], hash[SHA256_TEXT_MAX];

	copy_text(index, "name", name, sizeof name);
	snprintf(ret, size, "%s sha256:%.16s", name, sha256_text(json, strlen(json), hash));
}

static int compare_texts(const void *a, const void *b)
{
	return strcmp(a, b);
}

static bool read_indexes(
    struct link *link, const char *db, const char *coll, bool brief, struct observed_namespace *ns, struct err *err)
{
	BSON_CLEANUP bson_t command = BSON_INITIALIZER;
	BSON_CLEANUP bson_t reply = BSON_INITIALIZER;
	bson_iter_t batch;
	size_t total = strlen(ns->options);
	bson_t doc, cursor;

	BSON_APPEND_UTF8(&command, "listIndexes", coll);
	BSON_APPEND_DOCUMENT_BEGIN(&command, "cursor", &cursor);
	BSON_APPEND_INT32(&cursor, "batchSize", REPLY_BATCH);
	bson_append_document_end(&command, &cursor);
	if (!first_batch(link, db, &command, &reply, &batch, err))
		return false;
	ns->index_count = 0;
	while (ns->index_count < OBSERVED_INDEXES_MAX && next_document(&batch, &doc)) {
		char *json = bson_as_relaxed_extended_json(&doc, NULL), *text = ns->indexes[ns->index_count++];

		if (!json)
			return err_nomem(err);
		total += strlen(json);
		if (brief || strlen(json) >= sizeof ns->indexes[0])
			shorten(&doc, json, text, sizeof ns->indexes[0]);
		else
			memcpy(text, json, strlen(json) + 1);
		bson_free(json);
	}
	if (total > TEXT_MAX && !brief)
		return read_indexes(link, db, coll, true, ns, err);
	qsort(ns->indexes, ns->index_count, sizeof ns->indexes[0], compare_texts);
	return true;
}

struct namespace_call {
	const char *ns;
	struct observed_namespace *ret;
};

static bool act_namespace(struct link *link, void *arg, struct err *err)
{
	struct namespace_call *call = arg;
	const char *dot = strchr(call->ns, '.');
	struct observed_namespace *found = calloc(1, sizeof *found);
	char db[TICK_NS_MAX];
	bool ok;

	if (!found)
		return err_nomem(err);
	snprintf(db, sizeof db, "%.*s", (int)(dot - call->ns), call->ns);
	ok = read_options(link, db, dot + 1, found, err) &&
	     (!found->exists || read_indexes(link, db, dot + 1, false, found, err));
	if (ok) {
		call->ret->exists = found->exists;
		call->ret->index_count = found->index_count;
		memcpy(call->ret->options, found->options, sizeof found->options);
		memcpy(call->ret->indexes, found->indexes, sizeof found->indexes);
	}
	free(found);
	return ok || err_wrap(err, "look at \"%s\"", call->ns);
}

bool meta_namespace(struct link *link, const char *ns, struct observed_namespace *ret, struct err *err)
{
	struct namespace_call call = {ns, ret};

	return link_try(link, act_namespace, &call, err);
}

/* --- PBM
 * --------------------------------------------------------------------------------------------------------------------------
 */

/* Names: github.com/percona/percona-backup-mongodb, pbm/restore/types.go (RestoreMeta), pbm/backup/types.go
 * (BackupMeta), pbm/defs (Status). */
static bool is_over(const char *status)
{
	static const char *const over[] = {"done", "partlyDone", "error", "canceled", "cancelled"};

	for (size_t i = 0; i < sizeof over / sizeof *over; i++)
		if (!strcmp(status, over[i]))
			return true;
	return false;
}

static void read_restore(const bson_t *doc, struct observed_restore *ret)
{
	int64_t pitr = 0, last = 0;

	*ret = (struct observed_restore){0};
	copy_text(doc, "name", ret->name, sizeof ret->name);
	copy_text(doc, "opid", ret->opid, sizeof ret->opid);
	copy_text(doc, "backup", ret->backup, sizeof ret->backup);
	copy_text(doc, "type", ret->type, sizeof ret->type);
	copy_text(doc, "status", ret->status, sizeof ret->status);
	copy_text(doc, "error", ret->error, sizeof ret->error);
	bson_path_i64(doc, "start_ts", &ret->start_ts);
	bson_path_i64(doc, "last_transition_ts", &last);
	if (is_over(ret->status))
		ret->finish_ts = last;
	/* whole seconds: everything before (T,0) */
	if (bson_path_i64(doc, "pitr", &pitr) && pitr > 0 && pitr <= UINT32_MAX)
		ret->pitr.t = (uint32_t)pitr;
}

static bool read_restores(struct link *link, struct meta_pbm *pbm, struct err *err)
{
	BSON_CLEANUP bson_t command = BSON_INITIALIZER;
	BSON_CLEANUP bson_t reply = BSON_INITIALIZER;
	bson_iter_t batch;
	bson_t sort, doc;

	BSON_APPEND_UTF8(&command, "find", "pbmRestores");
	BSON_APPEND_DOCUMENT_BEGIN(&command, "sort", &sort);
	BSON_APPEND_INT32(&sort, "start_ts", -1);
	bson_append_document_end(&command, &sort);
	BSON_APPEND_INT32(&command, "limit", META_RESTORES_MAX);
	BSON_APPEND_BOOL(&command, "singleBatch", true);
	BSON_APPEND_INT32(&command, "batchSize", META_RESTORES_MAX);
	if (!first_batch(link, "admin", &command, &reply, &batch, err))
		return false;
	pbm->restore_count = 0;
	while (pbm->restore_count < META_RESTORES_MAX && next_document(&batch, &doc))
		read_restore(&doc, &pbm->restores[pbm->restore_count++]);
	for (size_t i = 0; i < pbm->restore_count / 2; i++) {
		struct observed_restore *a = &pbm->restores[i], *b = &pbm->restores[pbm->restore_count - 1 - i];
		struct observed_restore swap = *a;

		*a = *b;
		*b = swap;
	}
	return true;
}

static bool read_backup(struct link *link, const char *name, struct meta_pbm *pbm, struct err *err)
{
	BSON_CLEANUP bson_t command = BSON_INITIALIZER;
	BSON_CLEANUP bson_t reply = BSON_INITIALIZER;
	bson_iter_t batch;
	bson_t filter, doc;

	BSON_APPEND_UTF8(&command, "find", "pbmBackups");
	BSON_APPEND_DOCUMENT_BEGIN(&command, "filter", &filter);
	BSON_APPEND_UTF8(&filter, "name", name);
	bson_append_document_end(&command, &filter);
	BSON_APPEND_INT32(&command, "limit", 1);
	BSON_APPEND_BOOL(&command, "singleBatch", true);
	if (!first_batch(link, "admin", &command, &reply, &batch, err))
		return false;
	pbm->has_backup = next_document(&batch, &doc);
	pbm->backup = (struct observed_backup){0};
	if (!pbm->has_backup)
		return true;
	copy_text(&doc, "name", pbm->backup.name, sizeof pbm->backup.name);
	copy_text(&doc, "opid", pbm->backup.opid, sizeof pbm->backup.opid);
	copy_text(&doc, "status", pbm->backup.status, sizeof pbm->backup.status);
	bson_path_optime(&doc, "last_write_ts", &pbm->backup.last_write);
	return true;
}

static bool act_pbm(struct link *link, void *arg, struct err *err)
{
	struct meta_pbm *pbm = arg;

	if (!read_restores(link, pbm, err))
		return err_wrap(err, "read \"admin.pbmRestores\"");
	if (!pbm->restore_count || !pbm->restores[pbm->restore_count - 1].backup[0])
		return true;
	return read_backup(link, pbm->restores[pbm->restore_count - 1].backup, pbm, err) ||
	       err_wrap(err, "read \"admin.pbmBackups\"");
}

bool meta_pbm(struct link *link, struct meta_pbm *ret, struct err *err)
{
	memset(ret, 0, sizeof *ret);
	return link_try(link, act_pbm, ret, err);
}

/* --- time
 * -------------------------------------------------------------------------------------------------------------------------
 */

static bool act_operation_time(struct link *link, void *arg, struct err *err)
{
	BSON_CLEANUP bson_t command = BSON_INITIALIZER;
	BSON_CLEANUP bson_t reply;
	bool ok;

	BSON_APPEND_INT32(&command, "hello", 1);
	ok = link_command(link, "admin", &command, NULL, &reply, err);
	return ok && (bson_path_optime(&reply, "operationTime", arg) ||
			 err_set(err, ERR_REMOTE, "the server's answer lacks \"operationTime\""));
}

bool meta_operation_time(struct link *link, struct optime *ret, struct err *err)
{
	return link_try(link, act_operation_time, ret, err);
}

static bool act_majority_time(struct link *link, void *arg, struct err *err)
{
	BSON_CLEANUP bson_t command = BSON_INITIALIZER;
	BSON_CLEANUP bson_t reply;
	struct optime *ret = arg;
	bool ok;

	BSON_APPEND_INT32(&command, "hello", 1);
	ok = link_command(link, "admin", &command, NULL, &reply, err);
	if (!ok)
		return false;
	/* a mongos has no oplog of its own, but says which cluster time it has seen */
	if (!bson_path_optime(&reply, "lastWrite.majorityOpTime.ts", ret) &&
	    !bson_path_optime(&reply, "operationTime", ret))
		return err_set(err, ERR_REMOTE, "the server's answer lacks \"operationTime\"");
	return true;
}

bool meta_majority_time(struct link *link, struct optime *ret, struct err *err)
{
	return link_try(link, act_majority_time, ret, err);
}
