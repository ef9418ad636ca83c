/* Whole files and lines, with bounds. Every message quotes the path. */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include "base/buf.h"
#include "base/err.h"

#include <stddef.h>

/* Reads a whole file; ERR_LIMIT if it is larger than buf->max. */
bool file_read(const char *path, struct buf *buf, struct err *err);
/* Replaces a file: temporary file beside it, fsync, rename, fsync of the folder. Nobody ever sees half of it. What is no
 * regular file (a device, a pipe, a link) is written to as it is, never replaced. */
bool file_write_atomic(const char *path, const void *bytes, size_t len, unsigned mode, struct err *err);
/* Is this what is never replaced: a device, a pipe, a link? And opened for writing: -1 with err. */
bool file_stays(const char *path);
int file_open_stays(const char *path, struct err *err);
/* mkdir -p with this mode for each folder made. */
bool file_make_dirs(const char *path, unsigned mode, struct err *err);
/* rm -rf that never follows a link. A missing path is no error. */
bool file_remove_tree(const char *path, struct err *err);
bool file_exists(const char *path);
/* Writes all of it, through EINTR and short writes. */
bool fd_write_all(int fd, const void *bytes, size_t len, struct err *err);
/*
 * A secret from a file: one trailing newline is taken off; empty, or over 4 KiB, is an error. The value is never in a
 * message.
 */
bool file_read_secret(const char *path, struct buf *buf, struct err *err);

#endif
