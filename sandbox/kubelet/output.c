#include "sandbox/kubelet/output.h"

#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define CHUNK 65536
#define CHUNKS 4

static const char *const streams[2] = {"stdout", "stderr"};

const char *output_time(int64_t wall_ns, char text[static OUTPUT_TIME_MAX])
{
	time_t seconds = wall_ns / 1000000000;
	struct tm tm;
	size_t len;

	gmtime_r(&seconds, &tm);
	len = strftime(text, OUTPUT_TIME_MAX, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(text + len, OUTPUT_TIME_MAX - len, ".%09dZ", (int)(wall_ns % 1000000000));
	return text;
}

static bool put_line(const char *time, const char *stream, const struct buf *line, struct buf *out, struct err *err)
{
	return buf_printf(out, err, "%s %s ", time, stream) && buf_add(out, buf_str(line), line->len, err) &&
	       buf_add_char(out, '\n', err);
}

bool output_lines(struct buf *partial, const char *bytes, size_t len, bool last, const char *time, const char *stream,
    struct buf *out, struct err *err)
{
	while (len) {
		const char *newline = memchr(bytes, '\n', len);
		size_t take = newline ? (size_t)(newline - bytes) : len;
		size_t room = OUTPUT_LINE_MAX - partial->len;
		bool whole = newline && take <= room;

		if (take > room)
			take = room;
		if (!buf_add(partial, bytes, take, err))
			return false;
		bytes += take + whole;
		len -= take + whole;
		if (whole || (len && partial->len == OUTPUT_LINE_MAX)) {
			if (!put_line(time, stream, partial, out, err))
				return false;
			buf_reset(partial);
		}
	}
	if (last && partial->len) {
		if (!put_line(time, stream, partial, out, err))
			return false;
		buf_reset(partial);
	}
	return true;
}

void output_init(struct output *o)
{
	o->file = o->pipes[0] = o->pipes[1] = -1;
	for (int i = 0; i < 2; i++)
		buf_init(&o->partial[i], OUTPUT_LINE_MAX);
}

static bool open_file(struct output *o, struct err *err)
{
	o->file = open(o->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	o->bytes = 0;
	return o->file >= 0 || err_errno(err, ERR_IO, errno, "open log \"%s\"", o->path);
}

bool output_open(struct output *o, const char *path, const char *previous, int ret_fds[static 2], struct err *err)
{
	int first[2], second[2];

	snprintf(o->path, sizeof o->path, "%s", path);
	if (file_exists(path) && rename(path, previous))
		return err_errno(err, ERR_IO, errno, "put log \"%s\" aside", path);
	if (!open_file(o, err))
		return false;
	if (pipe2(first, O_CLOEXEC))
		return err_errno(err, ERR_IO, errno, "create a pipe");
	if (pipe2(second, O_CLOEXEC)) {
		close(first[0]);
		close(first[1]);
		return err_errno(err, ERR_IO, errno, "create a pipe");
	}
	o->pipes[0] = first[0];
	o->pipes[1] = second[0];
	/* only our ends: the process expects to be held up when nobody reads */
	fcntl(first[0], F_SETFL, O_NONBLOCK);
	fcntl(second[0], F_SETFL, O_NONBLOCK);
	ret_fds[0] = first[1];
	ret_fds[1] = second[1];
	return true;
}

static void write_lines(struct output *o, const struct buf *lines)
{
	char aside[PATH_MAX + 16];

	if (o->file < 0 || !lines->len)
		return;
	if (o->bytes + (int64_t)lines->len > OUTPUT_FILE_MAX) {
		close(o->file);
		snprintf(aside, sizeof aside, "%s.rotated", o->path);
		rename(o->path, aside);
		if (!open_file(o, NULL))
			return;
	}
	/* a full disk must not end the pods: their output is lost then, and nothing else */
	if (fd_write_all(o->file, lines->data, lines->len, NULL))
		o->bytes += (int64_t)lines->len;
}

/* False: the stream has ended. */
static bool read_stream(struct output *o, int i, int64_t wall_ns)
{
	char chunk[CHUNK], time[OUTPUT_TIME_MAX];
	ssize_t got = 0;

	output_time(wall_ns, time);
	for (int n = 0; n < CHUNKS; n++) {
		BUF_CLEANUP struct buf lines = BUF_INIT(64 * CHUNK); /* a chunk of newlines alone */

		got = read(o->pipes[i], chunk, sizeof chunk);
		if (got < 0 && (errno == EAGAIN || errno == EINTR))
			return true;
		output_lines(
		    &o->partial[i], chunk, got > 0 ? (size_t)got : 0, got <= 0, time, streams[i], &lines, NULL);
		write_lines(o, &lines);
		if (got <= 0)
			break;
	}
	return got > 0;
}

bool output_read(struct output *o, int64_t wall_ns)
{
	for (int i = 0; i < 2; i++) {
		if (o->pipes[i] >= 0 && !read_stream(o, i, wall_ns)) {
			close(o->pipes[i]);
			o->pipes[i] = -1;
		}
	}
	return o->pipes[0] >= 0 || o->pipes[1] >= 0;
}

void output_close(struct output *o, int64_t wall_ns)
{
	char time[OUTPUT_TIME_MAX];

	/* grandchildren may hold the pipe open: one more look, and that is all */
	output_read(o, wall_ns);
	output_time(wall_ns, time);
	for (int i = 0; i < 2; i++) {
		BUF_CLEANUP struct buf lines = BUF_INIT(2 * OUTPUT_LINE_MAX);

		output_lines(&o->partial[i], "", 0, true, time, streams[i], &lines, NULL);
		write_lines(o, &lines);
		buf_clear(&o->partial[i]);
		if (o->pipes[i] >= 0)
			close(o->pipes[i]);
	}
	if (o->file >= 0)
		close(o->file);
	output_init(o);
}
