#include "base/file.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool file_read(const char *path, struct buf *buf, struct err *err)
{
	CLEANUP(fd) int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return err_errno(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, errno, "open \"%s\"", path);
	for (;;) {
		char chunk[65536];
		ssize_t got = read(fd, chunk, sizeof chunk);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_errno(err, ERR_IO, errno, "read \"%s\"", path);
		if (!got)
			return true;
		if (!buf_add(buf, chunk, (size_t)got, err))
			return err_wrap(err, "read \"%s\"", path);
	}
}

bool fd_write_all(int fd, const void *bytes, size_t len, struct err *err)
{
	const char *p = bytes;

	while (len) {
		ssize_t put = write(fd, p, len);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return err_errno(err, ERR_IO, errno, "write");
		p += put;
		len -= (size_t)put;
	}
	return true;
}

static bool sync_parent(const char *path, struct err *err)
{
	char dir[PATH_MAX];
	char *slash;
	CLEANUP(fd) int fd = -1;

	snprintf(dir, sizeof dir, "%s", path);
	slash = strrchr(dir, '/');
	if (!slash)
		snprintf(dir, sizeof dir, ".");
	else if (slash == dir)
		dir[1] = '\0';
	else
		*slash = '\0';
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fsync(fd))
		return err_errno(err, ERR_IO, errno, "sync folder \"%s\"", dir);
	return true;
}

/* /dev/null as a regular file would be the end of a machine, and /dev/stdout is a link. */
bool file_stays(const char *path)
{
	struct stat st;

	return !lstat(path, &st) && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode);
}

int file_open_stays(const char *path, struct err *err)
{
	/* a pipe that nobody reads would be waited for without end */
	int fd = open(path, O_WRONLY | O_TRUNC | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0 || fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK)) {
		err_errno(err, ERR_IO, errno, "open \"%s\"", path);
		if (fd >= 0)
			close(fd);
		return -1;
	}
	return fd;
}

static bool write_in_place(const char *path, const void *bytes, size_t len, struct err *err)
{
	CLEANUP(fd) int fd = file_open_stays(path, err);

	return fd >= 0 && (fd_write_all(fd, bytes, len, err) || err_wrap(err, "write \"%s\"", path));
}

bool file_write_atomic(const char *path, const void *bytes, size_t len, unsigned mode, struct err *err)
{
	char temp[PATH_MAX];
	CLEANUP(fd) int fd = -1;

	if (file_stays(path))
		return write_in_place(path, bytes, len, err);
	if (snprintf(temp, sizeof temp, "%s.XXXXXX", path) >= (int)sizeof temp)
		return err_set(err, ERR_LIMIT, "path \"%s\" is longer than %d bytes", path, PATH_MAX);
	fd = mkostemp(temp, O_CLOEXEC);
	if (fd < 0)
		return err_errno(err, ERR_IO, errno, "create a file beside \"%s\"", path);
	if (!fd_write_all(fd, bytes, len, err)) {
		err_wrap(err, "write \"%s\"", path);
		goto fail;
	}
	if (fchmod(fd, mode) || fsync(fd) || rename(temp, path)) {
		err_errno(err, ERR_IO, errno, "write \"%s\"", path);
		goto fail;
	}
	return sync_parent(path, err);
fail:
	unlink(temp);
	return false;
}

bool file_make_dirs(const char *path, unsigned mode, struct err *err)
{
	char part[PATH_MAX];
	size_t len = strlen(path);

	if (!len || len >= sizeof part)
		return err_set(err, ERR_LIMIT, "path \"%s\" is empty or longer than %d bytes", path, PATH_MAX);
	memcpy(part, path, len + 1);
	for (size_t i = 1; i <= len; i++) {
		if (part[i] != '/' && part[i] != '\0')
			continue;
		part[i] = '\0';
		if (mkdir(part, mode) && errno != EEXIST)
			return err_errno(err, ERR_IO, errno, "create folder \"%s\"", part);
		part[i] = path[i];
	}
	return true;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

bool file_remove_tree(const char *path, struct err *err)
{
	if (nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS) && errno != ENOENT)
		return err_errno(err, ERR_IO, errno, "remove \"%s\"", path);
	return true;
}

bool file_exists(const char *path)
{
	return !access(path, F_OK);
}

bool file_read_secret(const char *path, struct buf *buf, struct err *err)
{
	BUF_CLEANUP struct buf text = BUF_INIT(4096);

	if (!file_read(path, &text, err))
		return err_wrap(err, "read secret");
	if (text.len && text.data[text.len - 1] == '\n')
		text.data[--text.len] = '\0';
	if (!text.len || strlen(text.data) != text.len)
		return err_set(err, ERR_PARSE, "secret file \"%s\" is empty or holds a NUL byte", path);
	return buf_add(buf, text.data, text.len, err);
}
