#include "sandbox/api/log_file.h"

#include "base/clock.h"
#include "base/num.h"
#include "doc/json_edit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHUNK 65536
#define POLL_MS 100
#define LINE_MAX_BYTES (64 << 10)

struct log_file {
	struct api_stream stream; /* first */
	struct log_file_options options;
	int fd;
	int64_t left;	 /* of limit_bytes */
	struct buf line; /* what has no newline yet */
};

/* One line as it is shown. */
static void show(struct log_file *l, const char *line, size_t len, struct buf *out)
{
	const char *blank = memchr(line, ' ', len), *second;
	char time[64];
	int64_t at_ms;

	second = blank ? memchr(blank + 1, ' ', len - (size_t)(blank + 1 - line)) : NULL;
	if (!second || blank - line >= (ptrdiff_t)sizeof time) {
		buf_add(out, line, len, NULL);
		buf_add_char(out, '\n', NULL);
		return;
	}
	snprintf(time, sizeof time, "%.*s", (int)(blank - line), line);
	if (l->options.since_ms && time_parse(time, &at_ms) && at_ms < l->options.since_ms)
		return;
	if (l->options.timestamps) {
		buf_add_str(out, time, NULL);
		buf_add_char(out, ' ', NULL);
	}
	buf_add(out, second + 1, len - (size_t)(second + 1 - line), NULL);
	buf_add_char(out, '\n', NULL);
}

static void take(struct log_file *l, const char *bytes, size_t len, struct buf *out)
{
	while (len) {
		const char *newline = memchr(bytes, '\n', len);
		size_t part = newline ? (size_t)(newline - bytes) : len;

		if (!buf_add(&l->line, bytes, part, NULL))
			buf_reset(&l->line); /* no line of ours is so long */
		if (!newline)
			return;
		show(l, buf_str(&l->line), l->line.len, out);
		buf_reset(&l->line);
		bytes += part + 1;
		len -= part + 1;
	}
}

/* A restart or a rotation has put the file aside, and there is a new one. */
static bool replaced(const struct log_file *l)
{
	struct stat ours, there;

	return l->fd >= 0 && !fstat(l->fd, &ours) && !stat(l->options.path, &there) &&
	       (ours.st_ino != there.st_ino || ours.st_dev != there.st_dev);
}

/* False: there is more than fits now. */
static bool read_file(struct log_file *l, struct buf *out)
{
	char chunk[CHUNK];
	ssize_t got = 0;

	if (l->fd < 0)
		l->fd = open(l->options.path, O_RDONLY | O_CLOEXEC);
	while (l->fd >= 0 && out->len < ((size_t)1 << 20) && (got = read(l->fd, chunk, sizeof chunk)) > 0)
		take(l, chunk, (size_t)got, out);
	return got <= 0;
}

static bool fill_whole(struct api_stream *stream, struct buf *out)
{
	struct log_file *l = (struct log_file *)stream;
	/* both before reading: what was written before them is read below */
	bool ended = !l->options.follow || l->options.over(l->options.arg), next = l->options.follow && replaced(l);

	if (!read_file(l, out))
		return true;
	if (!next)
		return !ended;
	close(l->fd);
	l->fd = -1;
	if (l->line.len)
		take(l, "\n", 1, out);
	return true;
}

/* No more than was asked for. */
static bool log_fill(struct api_stream *stream, struct buf *out)
{
	struct log_file *l = (struct log_file *)stream;
	size_t before = out->len;
	bool more = fill_whole(stream, out);

	if (l->options.limit_bytes < 0)
		return more;
	if ((int64_t)(out->len - before) >= l->left) {
		out->len = before + (size_t)l->left;
		if (out->data)
			out->data[out->len] = '\0';
		l->left = 0;
		return false;
	}
	l->left -= (int64_t)(out->len - before);
	return more;
}

static void log_free(struct api_stream *stream)
{
	struct log_file *l = (struct log_file *)stream;

	if (l->fd >= 0)
		close(l->fd);
	if (l->options.free)
		l->options.free(l->options.arg);
	buf_clear(&l->line);
	free(l);
}

/* So that the last lines begin at the right place; small files, read as a whole. */
static void skip_to_tail(struct log_file *l, int64_t lines)
{
	struct stat st;
	off_t at, found = 0;
	char chunk[CHUNK];
	int64_t left = lines;

	if (l->fd < 0 || fstat(l->fd, &st))
		return;
	at = st.st_size;
	while (at > 0 && !found) {
		off_t from = at > CHUNK ? at - CHUNK : 0;
		ssize_t got = pread(l->fd, chunk, (size_t)(at - from), from);

		for (ssize_t i = got - 1; i >= 0 && !found; i--)
			if (chunk[i] == '\n' && from + i != st.st_size - 1 && --left <= 0)
				found = from + i + 1;
		at = from;
	}
	lseek(l->fd, lines ? found : st.st_size, SEEK_SET);
}

bool log_file_open(const struct log_file_options *options, struct api_stream **ret, struct err *err)
{
	struct log_file *l;
	int fd = open(options->path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 && errno != ENOENT)
		return err_errno(err, ERR_IO, errno, "open \"%s\"", options->path);
	if (fd < 0 && !options->follow)
		return err_set(err, ERR_NOT_FOUND, "there is no \"%s\"", options->path);
	l = calloc(1, sizeof *l);
	if (!l) {
		if (fd >= 0)
			close(fd);
		return err_nomem(err);
	}
	*l = (struct log_file){
	    .stream = {log_fill, log_free, -1, POLL_MS}, .options = *options, .fd = fd, .left = options->limit_bytes};
	buf_init(&l->line, LINE_MAX_BYTES);
	if (options->tail_lines >= 0)
		skip_to_tail(l, options->tail_lines);
	*ret = &l->stream;
	return true;
}

bool log_file_query(const struct query *q, int64_t now_ms, struct log_file_options *ret, struct err *err)
{
	struct log_file_options o = *ret;
	const struct {
		const char *key;
		int64_t *value;
	} numbers[] = {{"tailLines", &o.tail_lines}, {"limitBytes", &o.limit_bytes}};
	const char *since = query_get(q, "sinceTime"), *seconds = query_get(q, "sinceSeconds");
	int64_t n;

	/* what ended is not waited for */
	o.follow = query_flag(q, "follow") && !query_flag(q, "previous");
	o.timestamps = query_flag(q, "timestamps");
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
		const char *text = query_get(q, numbers[i].key);

		*numbers[i].value = -1;
		if (text && (!num_parse_i64(text, strlen(text), numbers[i].value) || *numbers[i].value < 0))
			return err_set(err, ERR_USAGE, "%s \"%.32s\" is no number", numbers[i].key, text);
	}
	if (since && !time_parse(since, &o.since_ms))
		return err_set(err, ERR_USAGE, "sinceTime is no time");
	if (seconds && num_parse_i64(seconds, strlen(seconds), &n) && n > 0)
		/* 0, which is all, for a time before the clock's beginning */
		o.since_ms = n < now_ms / 1000 ? now_ms - n * 1000 : 0;
	*ret = o;
	return true;
}

static bool ended_for_good(const json_node *pod, const json_node *status)
{
	if (!json_at(status, "state/terminated"))
		return false;
	if (json_is_at(pod, "spec/restartPolicy", "OnFailure"))
		return !json_int_at(status, "state/terminated/exitCode", 0);
	return json_is_at(pod, "spec/restartPolicy", "Never");
}

bool log_file_over(const json_node *pod, const char *uid, const char *container)
{
	if (!pod || !json_is_at(pod, "metadata/uid", uid) || json_is_at(pod, "status/phase", "Succeeded") ||
	    json_is_at(pod, "status/phase", "Failed"))
		return true;
	for (const json_node *s = json_first(json_at(pod, "status/containerStatuses")); s; s = json_next(s))
		if (json_is_at(s, "name", container) && ended_for_good(pod, s))
			return true;
	return false;
}

bool log_file_safe(const char *name)
{
	return *name && *name != '.' && !strchr(name, '/');
}
