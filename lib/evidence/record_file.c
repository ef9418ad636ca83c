#include "evidence/record.h"

#include "base/file.h"
#include "evidence/record_line.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

struct record_file {
	int fd;
	bool failed;
	off_t size; /* end of the last whole line */
	char path[];
};

bool record_file_create(const char *path, struct record_file **ret, struct err *err)
{
	struct record_file *f = calloc(1, sizeof *f + strlen(path) + 1);

	if (!f)
		return err_nomem(err);
	memcpy(f->path, path, strlen(path) + 1);
	f->fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600);
	if (f->fd < 0) {
		int saved = errno;

		free(f);
		err_errno(err, saved == EEXIST ? ERR_EXISTS : ERR_IO, saved, "create \"%s\"", path);
		return saved == EEXIST && err
			   ? err_hint(err, "evidence is never overwritten: choose another path, or move the file away")
			   : false;
	}
	*ret = f;
	return true;
}

static bool file_line(void *ctx, const char *line, size_t len, struct err *err)
{
	struct record_file *f = ctx;

	if (f->failed)
		return err_set(err, ERR_IO, "write \"%s\": an earlier write failed half-way", f->path);
	if (!fd_write_all(f->fd, line, len, err)) {
		f->failed = ftruncate(f->fd, f->size) != 0;
		return err_wrap(err, "write \"%s\"", f->path);
	}
	f->size += (off_t)len;
	return true;
}

bool record_file_sync(struct record_file *f, struct err *err)
{
	if (fdatasync(f->fd))
		return err_errno(err, ERR_IO, errno, "sync \"%s\"", f->path);
	return true;
}

static bool file_sync(void *ctx, struct err *err)
{
	return record_file_sync(ctx, err);
}

struct record_sink record_file_sink(struct record_file *f)
{
	return (struct record_sink){.write = file_line, .sync = file_sync, .ctx = f};
}

bool record_file_close(struct record_file *f, struct err *err)
{
	bool ok;

	if (!f)
		return true;
	ok = record_file_sync(f, err);
	if (close(f->fd) && ok)
		ok = err_errno(err, ERR_IO, errno, "close \"%s\"", f->path);
	free(f);
	return ok;
}

static bool read_at(int fd, off_t at, char *bytes, size_t len, struct err *err)
{
	while (len) {
		ssize_t got = pread(fd, bytes, len, at);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_errno(err, ERR_IO, errno, "read");
		if (!got)
			return err_set(err, ERR_IO, "read: the file became shorter");
		bytes += got;
		at += got;
		len -= (size_t)got;
	}
	return true;
}

/* The last newline before text[end), or NULL. */
static const char *newline_before(const char *text, size_t end)
{
	return end ? memrchr(text, '\n', end) : NULL;
}

static bool last_record(
    const char *text, size_t len, bool from_start, struct record_head *ret, size_t *ret_end, struct err *err)
{
	const char *end = newline_before(text, len), *begin, *before;
	struct record_envelope last, previous;
	char chain[RECORD_CHAIN_TEXT_MAX];

	if (!end || len - (size_t)(end - text) > RECORD_LINE_MAX)
		return err_set(err, ERR_BROKEN, "it does not end with a whole record");
	begin = newline_before(text, (size_t)(end - text));
	if (!begin && !from_start)
		return err_set(err, ERR_BROKEN, "its last line is longer than %d bytes", RECORD_LINE_MAX);
	begin = begin ? begin + 1 : text;
	if (end - begin >= RECORD_LINE_MAX)
		return err_set(err, ERR_BROKEN, "its last line is longer than %d bytes", RECORD_LINE_MAX);
	if (!record_envelope_parse(begin, (size_t)(end - begin), &last, err)) {
		if (err)
			err->code = ERR_BROKEN;
		return err_wrap(err, "its last line");
	}
	before = begin > text ? newline_before(text, (size_t)(begin - 1 - text)) : NULL;
	if (begin == text && from_start) {
		record_chain_next(NULL, RECORD_CHAIN_ZERO, begin, last.hashed, chain);
		if (last.n != 1 || strcmp(chain, last.chain))
			return err_set(err, ERR_BROKEN, "its only record is not a first one");
	} else if (before || from_start) {
		before = before ? before + 1 : text;
		if (begin - before > RECORD_LINE_MAX ||
		    !record_envelope_parse(before, (size_t)(begin - 1 - before), &previous, NULL))
			return err_set(err, ERR_BROKEN, "the line before its last is no record");
		record_chain_next(NULL, previous.chain, begin, last.hashed, chain);
		if (last.n != previous.n + 1 || strcmp(chain, last.chain))
			return err_set(err, ERR_BROKEN, "its last record, %llu, does not follow from the one before",
			    (unsigned long long)last.n);
	}
	ret->n = last.n;
	memcpy(ret->chain, last.chain, sizeof ret->chain);
	*ret_end = (size_t)(end - text) + 1;
	return true;
}

/* Three lines of the greatest length hold a torn one, the last and the one before. */
static bool find_tail(int fd, struct record_head *ret, int64_t *ret_size, int64_t *ret_end, struct err *err)
{
	char text[3 * RECORD_LINE_MAX];
	struct stat st;
	size_t len, end = 0;

	if (fstat(fd, &st))
		return err_errno(err, ERR_IO, errno, "stat");
	len = st.st_size < (off_t)sizeof text ? (size_t)st.st_size : sizeof text;
	if (!read_at(fd, st.st_size - (off_t)len, text, len, err) ||
	    !last_record(text, len, len == (size_t)st.st_size, ret, &end, err))
		return false;
	*ret_end = st.st_size - (off_t)len + (off_t)end;
	*ret_size = st.st_size;
	return true;
}

bool record_tail(const char *path, struct record_head *ret, int64_t *ret_size, struct err *err)
{
	CLEANUP(fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
	int64_t size = 0, end = 0;

	if (fd < 0)
		return err_errno(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, errno, "open \"%s\"", path);
	if (!find_tail(fd, ret, &size, &end, err))
		return err_wrap(err, "\"%s\"", path);
	if (ret_size)
		*ret_size = end;
	return true;
}

static bool lock(int fd, struct err *err)
{
	while (flock(fd, LOCK_EX))
		if (errno != EINTR)
			return err_errno(err, ERR_IO, errno, "lock");
	return true;
}

static bool append_locked(int fd, const char *type, void (*fill)(struct json_writer *w, void *ctx), void *ctx,
    struct record_line *line, struct err *err)
{
	struct record_head head;
	int64_t size = 0, end = 0;

	if (!find_tail(fd, &head, &size, &end, err))
		return false;
	if (end < size && ftruncate(fd, end))
		return err_errno(err, ERR_IO, errno, "cut off the torn last line");
	fill(record_begin(line, &head, type), ctx);
	if (!record_end(line, &head, err))
		return false;
	if (!fd_write_all(fd, line->line.data, line->line.len, err)) {
		/* what cannot be cut off now is a torn line, which the next writer cuts off */
		if (ftruncate(fd, end))
			err_hint(err, "free some space on the disk");
		return false;
	}
	if (fdatasync(fd))
		return err_errno(err, ERR_IO, errno, "sync");
	return true;
}

bool record_file_append(
    const char *path, const char *type, void (*fill)(struct json_writer *w, void *ctx), void *ctx, struct err *err)
{
	CLEANUP(fd) int fd = open(path, O_RDWR | O_APPEND | O_CLOEXEC);
	struct record_line line;
	bool ok;

	if (fd < 0)
		return err_errno(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, errno, "open \"%s\"", path);
	record_line_init(&line);
	ok = lock(fd, err) && append_locked(fd, type, fill, ctx, &line, err);
	record_line_clear(&line);
	return ok ? true : err_wrap(err, "append to \"%s\"", path);
}
