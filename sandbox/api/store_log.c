#include "sandbox/api/store_log.h"

#include "base/file.h"
#include "doc/json_writer.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINE_MAX_BYTES (20u << 20)
#define LINE_DEPTH_MAX                                                                                                 \
	66 /* over the 64 levels of a tree, of which a record is one more: what was written can be read */
#define LONG_BYTES (8u << 20)

struct store_log {
	char path[PATH_MAX], fresh[PATH_MAX];
	int fd, lock_fd, fresh_fd;
	off_t size; /* up to here everything is whole */
	off_t fresh_size;
};

static bool parse_line(const char *line, size_t len, struct json **ret, struct err *err)
{
	const struct json_limits limits = {.max_bytes = LINE_MAX_BYTES, .max_depth = LINE_DEPTH_MAX};

	return json_parse(line, len, &limits, ret, err);
}

static bool read_record(const json_node *root, struct store_record *ret)
{
	*ret = (struct store_record){
	    .version = (uint64_t)json_int_at(root, "rv", 0),
	    .key = json_text_at(root, "as"),
	    .put = json_at(root, "put"),
	    .namespace_ = json_text_at(root, "namespace"),
	    .name = json_text_at(root, "name"),
	};
	if (!ret->version)
		return false;
	if (ret->put)
		return ret->key && json_text_at(ret->put, "metadata/name") && *json_text_at(ret->put, "metadata/name");
	return !ret->key || (ret->namespace_ && ret->name);
}

/* Sets size to the end of the last whole record. */
static bool read_all(struct store_log *log, bool (*on_record)(void *, const struct store_record *, struct err *),
    void *ctx, struct err *err)
{
	__attribute__((cleanup(cleanup_file))) FILE *f = fopen(log->path, "re");
	CLEANUP(free) char *line = NULL;
	size_t cap = 0;
	ssize_t len;

	if (!f)
		return err_errno(err, ERR_IO, errno, "cannot read the store's log \"%s\"", log->path);
	for (int number = 1; (len = getline(&line, &cap, f)) > 0; number++) {
		CLEANUP(json) struct json *doc = NULL;
		struct store_record record;
		struct err why = ERR_INIT;
		bool whole = line[len - 1] == '\n';

		if (!whole)
			break; /* torn by a kill: it was never answered for */
		if (!parse_line(line, (size_t)len, &doc, &why) || !read_record(json_root(doc), &record))
			return err_set(err, ERR_BROKEN, "line %d of the store's log \"%s\" is damaged: %.200s", number,
			    log->path, why.code ? why.msg : "no record");
		if (!on_record(ctx, &record, err))
			return false;
		log->size += len;
	}
	return ferror(f) ? err_set(err, ERR_IO, "cannot read the store's log \"%s\"", log->path) : true;
}

static bool take_lock(struct store_log *log, struct err *err)
{
	char path[PATH_MAX];

	snprintf(path, sizeof path, "%s.lock", log->path);
	log->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (log->lock_fd < 0)
		return err_errno(err, ERR_IO, errno, "cannot open \"%s\"", path);
	if (flock(log->lock_fd, LOCK_EX | LOCK_NB)) {
		err_set(err, ERR_STATE, "the store \"%s\" is in use", log->path);
		return err_hint(err, "another API server runs on this folder; end it first");
	}
	return true;
}

bool store_log_open(const char *path, bool (*on_record)(void *ctx, const struct store_record *record, struct err *err),
    void *ctx, struct store_log **ret, struct err *err)
{
	struct store_log *log = calloc(1, sizeof *log);

	if (!log)
		return err_nomem(err);
	log->fd = log->lock_fd = log->fresh_fd = -1;
	if (strlen(path) + 8 >= sizeof log->path) {
		err_set(err, ERR_LIMIT, "the path \"%.100s...\" is too long", path);
		goto fail;
	}
	snprintf(log->path, sizeof log->path, "%s", path);
	snprintf(log->fresh, sizeof log->fresh, "%s.new", path);
	if (!take_lock(log, err))
		goto fail;
	log->fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (log->fd < 0) {
		err_errno(err, ERR_IO, errno, "cannot open the store's log \"%s\"", path);
		goto fail;
	}
	if (!read_all(log, on_record, ctx, err))
		goto fail;
	if (ftruncate(log->fd, log->size)) {
		err_errno(err, ERR_IO, errno, "cannot cut the torn end of \"%s\"", path);
		goto fail;
	}
	*ret = log;
	return true;
fail:
	store_log_close(log);
	return false;
}

void store_log_close(struct store_log *log)
{
	if (!log)
		return;
	cleanup_fd(&log->fresh_fd);
	cleanup_fd(&log->fd);
	cleanup_fd(&log->lock_fd);
	free(log);
}

/* One write where the system allows it; what could not be written whole is cut off again. */
static bool append(int fd, off_t *size, const struct buf *line, const char *path, struct err *err)
{
	if (fd_write_all(fd, line->data, line->len, err)) {
		*size += (off_t)line->len;
		return true;
	}
	if (ftruncate(fd, *size))
		return err_wrap(err, "the store's log \"%s\" is damaged", path);
	return err_wrap(err, "cannot write the store's log \"%s\"", path);
}

/* The members that every record begins with; the object stays open. */
static void begin_record(struct json_writer *w, struct buf *line, const char *key, uint64_t version)
{
	json_writer_init(w, line);
	json_object(w, NULL);
	json_put_int(w, "rv", (int64_t)version);
	json_put_string(w, "as", key);
}

static bool put_line(struct buf *line, const char *key, const struct object *object, struct err *err)
{
	struct json_writer w;

	begin_record(&w, line, key, object->version);
	json_end_object(&w);
	if (!json_writer_ok(&w, err))
		return false;
	line->len--; /* opened again: the object's text is JSON already */
	return buf_add_str(line, ",\"put\":", err) && buf_add(line, object->text, object->len, err) &&
	       buf_add_str(line, "}\n", err);
}

bool store_log_put(struct store_log *log, const char *key, const struct object *object, struct err *err)
{
	BUF_CLEANUP struct buf line = BUF_INIT(LINE_MAX_BYTES);

	return put_line(&line, key, object, err) && append(log->fd, &log->size, &line, log->path, err);
}

/* Names of roles may hold quotes. */
bool store_log_remove(
    struct store_log *log, const char *key, uint64_t version, const char *namespace_, const char *name, struct err *err)
{
	BUF_CLEANUP struct buf line = BUF_INIT(LINE_MAX_BYTES);
	struct json_writer w;

	begin_record(&w, &line, key, version);
	json_put_string(&w, "namespace", namespace_);
	json_put_string(&w, "name", name);
	json_end_object(&w);
	return json_writer_ok(&w, err) && buf_add_char(&line, '\n', err) &&
	       append(log->fd, &log->size, &line, log->path, err);
}

bool store_log_is_long(const struct store_log *log, size_t live_bytes)
{
	return (uint64_t)log->size > 4 * (uint64_t)live_bytes + LONG_BYTES;
}

bool store_log_rewrite_begin(struct store_log *log, uint64_t version, struct err *err)
{
	BUF_CLEANUP struct buf line = BUF_INIT(4096);

	cleanup_fd(&log->fresh_fd);
	log->fresh_fd = open(log->fresh, O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
	log->fresh_size = 0;
	if (log->fresh_fd < 0)
		return err_errno(err, ERR_IO, errno, "cannot write \"%s\"", log->fresh);
	/* A record without a kind only says how far the versions had come. */
	return buf_printf(&line, err, "{\"format\":\"psmdb-sandbox-store\",\"formatVersion\":1,\"rv\":%llu}\n",
		   (unsigned long long)version) &&
	       append(log->fresh_fd, &log->fresh_size, &line, log->fresh, err);
}

bool store_log_rewrite_put(struct store_log *log, const char *key, const struct object *object, struct err *err)
{
	BUF_CLEANUP struct buf line = BUF_INIT(LINE_MAX_BYTES);

	return put_line(&line, key, object, err) && append(log->fresh_fd, &log->fresh_size, &line, log->fresh, err);
}

void store_log_rewrite_drop(struct store_log *log)
{
	if (log->fresh_fd >= 0)
		unlink(log->fresh);
	cleanup_fd(&log->fresh_fd);
}

bool store_log_rewrite_end(struct store_log *log, struct err *err)
{
	if (rename(log->fresh, log->path))
		return err_errno(err, ERR_IO, errno, "cannot replace \"%s\"", log->path);
	close(log->fd);
	log->fd = log->fresh_fd;
	log->fresh_fd = -1;
	log->size = log->fresh_size;
	return true;
}
