#include "evidence/bound.h"

#include "base/file.h"
#include "doc/json.h"
#include "doc/json_writer.h"

#include <stdlib.h>
#include <string.h>

#define BOUND_BYTES_MAX ((size_t)64 << 20)
#define KEY_BYTES_MAX 1024 /* S3's own limit */

void bound_init(struct bound *b)
{
	*b = (struct bound){.set_count = 0};
}

void bound_clear(struct bound *b)
{
	for (size_t i = 0; i < b->file_count; i++)
		free(b->files[i].key);
	free(b->files);
	bound_init(b);
}

static bool one_of(const char *text, const char *const *list)
{
	for (; *list; list++)
		if (!strcmp(*list, text))
			return true;
	return false;
}

static bool copy(char *to, size_t size, const char *from, const char *what, struct err *err)
{
	if (strlen(from) >= size)
		return err_set(err, ERR_LIMIT, "%s \"%.64s...\" is longer than %zu bytes", what, from, size - 1);
	memcpy(to, from, strlen(from) + 1);
	return true;
}

/* Grown in powers of two, found from the count alone. */
static bool grow(struct bound *b, struct err *err)
{
	struct bound_file *files;

	if (b->file_count == BOUND_FILES_MAX)
		return err_set(err, ERR_LIMIT, "more than %d files of one backup", BOUND_FILES_MAX);
	if (b->file_count & (b->file_count - 1))
		return true;
	files = reallocarray(b->files, b->file_count ? 2 * b->file_count : 1, sizeof *files);
	if (!files)
		return err_nomem(err);
	b->files = files;
	return true;
}

bool bound_add_file(struct bound *b, const char *key, int64_t bytes, const char *etag, const char *kind,
    const char *replica_set, struct err *err)
{
	static const char *const kinds[] = {"metadata", "data", "oplog", "other", NULL};
	struct bound_file f = {.bytes = bytes};

	if (!key[0] || strlen(key) > KEY_BYTES_MAX)
		return err_set(
		    err, ERR_LIMIT, "file key \"%.64s\" is empty or longer than %d bytes", key, KEY_BYTES_MAX);
	if (bytes < 0)
		return err_set(err, ERR_PARSE, "file \"%.512s\" of %lld bytes", key, (long long)bytes);
	if (!one_of(kind, kinds))
		return err_set(err, ERR_PARSE, "file \"%.512s\": kind \"%.32s\" is not known", key, kind);
	if (!copy(f.etag, sizeof f.etag, etag, "etag", err) || !copy(f.kind, sizeof f.kind, kind, "kind", err) ||
	    !copy(f.replica_set, sizeof f.replica_set, replica_set, "replica set", err) || !grow(b, err))
		return false;
	f.key = strdup(key);
	if (!f.key)
		return err_nomem(err);
	b->files[b->file_count++] = f;
	return true;
}

const struct bound_set *bound_find_set(const struct bound *b, const char *name)
{
	for (size_t i = 0; i < b->set_count; i++)
		if (!strcmp(b->sets[i].name, name))
			return &b->sets[i];
	return NULL;
}

static bool check_set(const struct bound *b, size_t i, struct err *err)
{
	const struct bound_set *set = &b->sets[i];

	if (!set->name[0])
		return err_set(err, ERR_BROKEN, "replica set %zu has no name", i);
	if (bound_find_set(b, set->name) != set)
		return err_set(err, ERR_BROKEN, "replica set \"%s\" stands twice", set->name);
	if (optime_cmp(set->b0, b->b0))
		return err_set(err, ERR_BROKEN, "replica set \"%s\": its b0 is not that of the cluster", set->name);
	if (optime_cmp(set->b0, set->b1) > 0)
		return err_set(err, ERR_BROKEN, "replica set \"%s\": its b0 is later than its b1", set->name);
	return true;
}

/* Where a bound's figures come from decides what they are: one moved by hand is no restore point of that backup. */
static struct optime wanted_b0(const struct bound *b)
{
	struct optime given = b->cluster_last_write;

	if (!strcmp(b->source, "pitr"))
		return (struct optime){b->b0.t, 0};
	if (!b->second_precision)
		return given;
	return given.t ? (struct optime){given.t - 1, UINT32_MAX} : OPTIME_ZERO;
}

static struct optime wanted_b1(const struct bound *b, const struct bound_set *set)
{
	if (!strcmp(b->source, "pitr"))
		return b->b0;
	if (b->second_precision)
		return (struct optime){b->cluster_last_write.t, UINT32_MAX};
	return optime_max(b->b0, set->last_write);
}

static bool check_origin(const struct bound *b, struct err *err)
{
	char got[OPTIME_TEXT_MAX], wanted[OPTIME_TEXT_MAX];
	struct optime b0 = wanted_b0(b);

	if (optime_cmp(b->b0, b0))
		return err_set(err, ERR_BROKEN,
		    "b0 %s does not follow from clusterLastWriteTs, source and precision: %s",
		    optime_format(b->b0, got), optime_format(b0, wanted));
	for (size_t i = 0; i < b->set_count; i++) {
		struct optime b1 = wanted_b1(b, &b->sets[i]);

		if (optime_cmp(b->sets[i].b1, b1))
			return err_set(err, ERR_BROKEN,
			    "replica set \"%s\": b1 %s does not follow from lastWriteTs, source and precision: %s",
			    b->sets[i].name, optime_format(b->sets[i].b1, got), optime_format(b1, wanted));
	}
	return true;
}

static bool check(const struct bound *b, struct err *err)
{
	static const char *const sources[] = {"bucket", "file", "customResource", "pitr", NULL};
	static const char *const figures[] = {"max", "min", "only", NULL};

	if (!one_of(b->source, sources))
		return err_set(err, ERR_BROKEN, "source \"%s\" is not known", b->source);
	if (!one_of(b->cluster_figure, figures))
		return err_set(err, ERR_BROKEN, "clusterFigure \"%s\" is not known", b->cluster_figure);
	if (!b->set_count || b->set_count > BOUND_SETS_MAX)
		return err_set(
		    err, ERR_BROKEN, "%zu replica sets, but 1 to %d are possible", b->set_count, BOUND_SETS_MAX);
	if (!strcmp(b->cluster_figure, "only") && b->set_count != 1)
		return err_set(err, ERR_BROKEN, "clusterFigure \"only\" with %zu replica sets", b->set_count);
	if (optime_is_zero(b->b0))
		return err_set(err, ERR_BROKEN, "b0 is 0,0: there is no restore point");
	for (size_t i = 0; i < b->set_count; i++)
		if (!check_set(b, i, err))
			return false;
	return check_origin(b, err);
}

static void put_backup(struct json_writer *w, const struct bound *b)
{
	json_object(w, "backup");
	json_put_string(w, "name", b->backup_name);
	json_put_string(w, "opid", b->opid);
	json_put_string(w, "type", b->type);
	json_put_string(w, "pbmVersion", b->pbm_version);
	json_put_string(w, "mongodbVersion", b->mongodb_version);
	json_put_string(w, "fcv", b->fcv);
	json_put_i64(w, "startTs", b->start_ts);
	json_put_i64(w, "lastTransitionTs", b->last_transition_ts);
	json_put_string(w, "metadataSha256", b->metadata_sha256);
	json_put_i64(w, "metadataBytes", b->metadata_bytes);
	json_put_string(w, "destination", b->destination);
	json_end_object(w);
}

static void put_lists(struct json_writer *w, const struct bound *b)
{
	json_array(w, "replicaSets");
	for (size_t i = 0; i < b->set_count; i++) {
		json_object(w, NULL);
		json_put_string(w, "name", b->sets[i].name);
		json_put_optime(w, "lastWriteTs", b->sets[i].last_write);
		json_put_optime(w, "b0", b->sets[i].b0);
		json_put_optime(w, "b1", b->sets[i].b1);
		json_end_object(w);
	}
	json_end_array(w);
	json_array(w, "files");
	for (size_t i = 0; i < b->file_count; i++) {
		json_object(w, NULL);
		json_put_string(w, "key", b->files[i].key);
		json_put_i64(w, "bytes", b->files[i].bytes);
		json_put_string(w, "etag", b->files[i].etag);
		json_put_string(w, "kind", b->files[i].kind);
		json_put_string(w, "replicaSet", b->files[i].replica_set);
		json_end_object(w);
	}
	json_end_array(w);
}

bool bound_write(const struct bound *b, const char *path, struct err *err)
{
	BUF_CLEANUP struct buf text = BUF_INIT(BOUND_BYTES_MAX);
	struct json_writer w;
	bool ok;

	if (!check(b, err))
		return err_wrap(err, "bound");
	json_writer_init(&w, &text);
	json_object(&w, NULL);
	json_put_string(&w, "format", BOUND_FORMAT);
	json_put_int(&w, "version", BOUND_VERSION);
	json_put_time(&w, "pinnedAt", b->pinned_at_ms);
	json_put_string(&w, "source", b->source);
	json_put_string(&w, "precision", b->second_precision ? "second" : "operation");
	put_backup(&w, b);
	json_put_optime(&w, "clusterLastWriteTs", b->cluster_last_write);
	json_put_string(&w, "clusterFigure", b->cluster_figure);
	json_put_optime(&w, "b0", b->b0);
	put_lists(&w, b);
	json_end_object(&w);
	ok = json_writer_ok(&w, err) && buf_add_char(&text, '\n', err);
	if (ok)
		ok = !strcmp(path, "-") ? fd_write_all(STDOUT_FILENO, text.data, text.len, err)
					: file_write_atomic(path, text.data, text.len, 0600, err);
	return ok ? true : err_wrap(err, "bound");
}

static bool parse_sets(const json_node *root, struct bound *b, struct err *err)
{
	const json_node *list;

	if (!json_need_array(root, "replicaSets", &list, err))
		return false;
	for (const json_node *node = json_first(list); node; node = json_next(node)) {
		struct bound_set *set = &b->sets[b->set_count];

		if (b->set_count == BOUND_SETS_MAX)
			return err_set(err, ERR_LIMIT, "more than %d replica sets", BOUND_SETS_MAX);
		if (!json_need_copy(node, "name", set->name, sizeof set->name, err) ||
		    !json_need_optime(node, "lastWriteTs", &set->last_write, err) ||
		    !json_need_optime(node, "b0", &set->b0, err) || !json_need_optime(node, "b1", &set->b1, err))
			return err_wrap(err, "replica set %zu", b->set_count);
		b->set_count++;
	}
	return true;
}

static bool parse_files(const json_node *root, struct bound *b, struct err *err)
{
	const json_node *list;

	if (!json_need_array(root, "files", &list, err))
		return false;
	for (const json_node *node = json_first(list); node; node = json_next(node)) {
		const char *key, *etag, *kind, *replica_set;
		int64_t bytes;

		if (!json_need_string(node, "key", &key, err) || !json_need_i64(node, "bytes", &bytes, err) ||
		    !json_need_string(node, "etag", &etag, err) || !json_need_string(node, "kind", &kind, err) ||
		    !json_need_string(node, "replicaSet", &replica_set, err) ||
		    !bound_add_file(b, key, bytes, etag, kind, replica_set, err))
			return err_wrap(err, "file %zu", b->file_count);
	}
	return true;
}

static bool parse_backup(const json_node *root, struct bound *b, struct err *err)
{
	const json_node *node;

	return json_need_object(root, "backup", &node, err) &&
	       json_need_copy(node, "name", b->backup_name, sizeof b->backup_name, err) &&
	       json_need_copy(node, "opid", b->opid, sizeof b->opid, err) &&
	       json_need_copy(node, "type", b->type, sizeof b->type, err) &&
	       json_need_copy(node, "pbmVersion", b->pbm_version, sizeof b->pbm_version, err) &&
	       json_need_copy(node, "mongodbVersion", b->mongodb_version, sizeof b->mongodb_version, err) &&
	       json_need_copy(node, "fcv", b->fcv, sizeof b->fcv, err) &&
	       json_need_i64(node, "startTs", &b->start_ts, err) &&
	       json_need_i64(node, "lastTransitionTs", &b->last_transition_ts, err) &&
	       json_need_copy(node, "metadataSha256", b->metadata_sha256, sizeof b->metadata_sha256, err) &&
	       json_need_i64(node, "metadataBytes", &b->metadata_bytes, err) &&
	       json_need_copy(node, "destination", b->destination, sizeof b->destination, err);
}

static bool parse_format(const json_node *root, struct err *err)
{
	const char *format;
	int64_t version;

	if (!json_need_string(root, "format", &format, err) ||
	    !json_need_int(root, "version", 0, INT32_MAX, &version, err))
		return false;
	if (strcmp(format, BOUND_FORMAT))
		return err_set(
		    err, ERR_UNSUPPORTED, "the file's format is \"%.64s\", wanted was \"%s\"", format, BOUND_FORMAT);
	if (version != BOUND_VERSION)
		return err_set(
		    err, ERR_UNSUPPORTED, "version %lld is not known, only %d", (long long)version, BOUND_VERSION);
	return true;
}

static bool parse_root(const json_node *root, struct bound *b, struct err *err)
{
	const char *precision;

	if (!parse_format(root, err) || !json_need_time(root, "pinnedAt", &b->pinned_at_ms, err) ||
	    !json_need_copy(root, "source", b->source, sizeof b->source, err) ||
	    !json_need_string(root, "precision", &precision, err) || !parse_backup(root, b, err) ||
	    !json_need_optime(root, "clusterLastWriteTs", &b->cluster_last_write, err) ||
	    !json_need_copy(root, "clusterFigure", b->cluster_figure, sizeof b->cluster_figure, err) ||
	    !json_need_optime(root, "b0", &b->b0, err) || !parse_sets(root, b, err) || !parse_files(root, b, err))
		return false;
	b->second_precision = !strcmp(precision, "second");
	if (!b->second_precision && strcmp(precision, "operation"))
		return err_set(err, ERR_PARSE, "precision \"%.32s\" is not known", precision);
	return check(b, err);
}

bool bound_parse(const char *text, size_t len, struct bound *ret, struct err *err)
{
	static const struct json_limits limits = {.max_bytes = BOUND_BYTES_MAX, .max_depth = 8, .unique_keys = true};
	CLEANUP(json) struct json *doc = NULL;
	BOUND_CLEANUP struct bound b;

	bound_init(&b);
	if (!json_parse(text, len, &limits, &doc, err) || !parse_root(json_root(doc), &b, err))
		return err_wrap(err, "bound");
	*ret = b;
	bound_init(&b);
	return true;
}

bool bound_read(const char *path, struct bound *ret, struct err *err)
{
	BUF_CLEANUP struct buf text = BUF_INIT(BOUND_BYTES_MAX);

	if (!file_read(path, &text, err))
		return err_wrap(err, "bound");
	return bound_parse(buf_str(&text), text.len, ret, err) ? true : err_wrap(err, "\"%s\"", path);
}
