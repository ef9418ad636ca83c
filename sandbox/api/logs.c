/* pods/NAME/log: the files that the kubelet writes, "TIME STREAM TEXT" a line. */
#include "sandbox/api/call.h"

#include "base/clock.h"
#include "base/num.h"

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

struct log_stream {
	struct api_stream stream; /* first */
	struct store *store;
	char namespace_[NAME_LEN_MAX + 1], name[NAME_LEN_MAX + 1], uid[64], container[NAME_LEN_MAX + 1], path[4096];
	int fd;
	bool follow, timestamps;
	int64_t since_ms; /* wall; 0: all */
	struct buf line;  /* what has no newline yet */
};

/* One line as it is shown. */
static void show(struct log_stream *l, const char *line, size_t len, struct buf *out)
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
	if (l->since_ms && time_parse(time, &at_ms) && at_ms < l->since_ms)
		return;
	if (l->timestamps) {
		buf_add_str(out, time, NULL);
		buf_add_char(out, ' ', NULL);
	}
	buf_add(out, second + 1, len - (size_t)(second + 1 - line), NULL);
	buf_add_char(out, '\n', NULL);
}

static void take(struct log_stream *l, const char *bytes, size_t len, struct buf *out)
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

static bool ended_for_good(const json_node *pod, const json_node *status)
{
	if (!json_at(status, "state/terminated"))
		return false;
	if (json_is_at(pod, "spec/restartPolicy", "OnFailure"))
		return !json_int_at(status, "state/terminated/exitCode", 0);
	return json_is_at(pod, "spec/restartPolicy", "Never");
}

/* No more will come: the pod or this container of it has ended for good. */
static bool over(struct log_stream *l)
{
	bool done = true;
	struct object *pod;

	db_lock(l->store);
	pod = db_get(l->store, "/pods", l->namespace_, l->name);
	if (pod && !strcmp(pod->uid, l->uid)) {
		const json_node *root = object_root(pod);

		done = json_is_at(root, "status/phase", "Succeeded") || json_is_at(root, "status/phase", "Failed");
		for (const json_node *s = json_first(json_at(root, "status/containerStatuses")); s && !done;
		     s = json_next(s))
			done = json_is_at(s, "name", l->container) && ended_for_good(root, s);
	}
	db_unlock(l->store);
	return done;
}

/* A restart or a rotation has put the file aside, and there is a new one. */
static bool replaced(const struct log_stream *l)
{
	struct stat ours, there;

	return l->fd >= 0 && !fstat(l->fd, &ours) && !stat(l->path, &there) &&
	       (ours.st_ino != there.st_ino || ours.st_dev != there.st_dev);
}

/* False: there is more than fits now. */
static bool read_file(struct log_stream *l, struct buf *out)
{
	char chunk[CHUNK];
	ssize_t got = 0;

	if (l->fd < 0)
		l->fd = open(l->path, O_RDONLY | O_CLOEXEC);
	while (l->fd >= 0 && out->len < ((size_t)1 << 20) && (got = read(l->fd, chunk, sizeof chunk)) > 0)
		take(l, chunk, (size_t)got, out);
	return got <= 0;
}

static bool log_fill(struct api_stream *stream, struct buf *out)
{
	struct log_stream *l = (struct log_stream *)stream;
	/* both before reading: what was written before them is read below */
	bool ended = !l->follow || over(l), next = l->follow && replaced(l);

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

static void log_free(struct api_stream *stream)
{
	struct log_stream *l = (struct log_stream *)stream;

	if (l->fd >= 0)
		close(l->fd);
	buf_clear(&l->line);
	free(l);
}

static bool choose_container(struct call *c, const json_node *pod, char ret[static NAME_LEN_MAX + 1])
{
	const char *asked = query_get(&c->query, "container");
	const json_node *containers = json_at(pod, "spec/containers");

	if (!asked && json_count(containers) > 1) {
		BUF_CLEANUP struct buf names = BUF_INIT(2048);

		for (const json_node *n = json_first(containers); n; n = json_next(n))
			buf_printf(&names, NULL, "%s%s", names.len ? " " : "",
			    json_text_at(n, "name") ? json_text_at(n, "name") : "");
		return status_bad_request(c->response,
		    "a container name must be specified for pod %s, choose one of: [%s]", c->name, buf_str(&names));
	}
	for (const json_node *n = json_first(containers); n; n = json_next(n))
		if (json_text_at(n, "name") && (!asked || json_is_at(n, "name", asked))) {
			snprintf(ret, NAME_LEN_MAX + 1, "%s", json_text_at(n, "name"));
			return true;
		}
	return status_bad_request(c->response, "container %.128s is not valid for pod %s", asked ? asked : "", c->name);
}

/* So that the last lines begin at the right place; small files, read as a whole. */
static void skip_to_tail(struct log_stream *l, int64_t lines)
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

static bool safe(const char *name)
{
	return *name && *name != '.' && !strchr(name, '/');
}

/* Wall time; 0, which is all, for one before the clock's beginning. */
static int64_t seconds_ago(struct call *c, int64_t seconds)
{
	int64_t now_ms = clock_wall_ms(db_clock(c->store));

	return seconds < now_ms / 1000 ? now_ms - seconds * 1000 : 0;
}

static bool begin(struct call *c, const struct object *pod, struct log_stream *l)
{
	const char *tail = query_get(&c->query, "tailLines"), *since = query_get(&c->query, "sinceTime");
	const char *seconds = query_get(&c->query, "sinceSeconds");
	int64_t n;

	if (!choose_container(c, object_root(pod), l->container))
		return false;
	if (!c->api->pod_dir || !safe(pod->namespace_) || !safe(pod->name) || !safe(pod->uid) || !safe(l->container))
		return status_bad_request(c->response, "logs of pod %s are not to be had", c->name);
	snprintf(l->namespace_, sizeof l->namespace_, "%s", pod->namespace_);
	snprintf(l->name, sizeof l->name, "%s", pod->name);
	snprintf(l->uid, sizeof l->uid, "%s", pod->uid);
	snprintf(l->path, sizeof l->path, "%.2000s/%s_%s_%s/%s%s.log", c->api->pod_dir, l->namespace_, l->name, l->uid,
	    l->container, query_flag(&c->query, "previous") ? ".previous" : "");
	l->follow = query_flag(&c->query, "follow");
	l->timestamps = query_flag(&c->query, "timestamps");
	if (since && !time_parse(since, &l->since_ms))
		return status_bad_request(c->response, "sinceTime is no time");
	if (seconds && num_parse_i64(seconds, strlen(seconds), &n) && n > 0)
		l->since_ms = seconds_ago(c, n);
	l->fd = open(l->path, O_RDONLY | O_CLOEXEC);
	if (l->fd < 0 && errno != ENOENT)
		return status_bad_request(
		    c->response, "the log of container \"%s\" in pod \"%s\" cannot be read", l->container, c->name);
	if (l->fd < 0 && query_flag(&c->query, "previous"))
		return status_bad_request(
		    c->response, "previous terminated container \"%s\" in pod \"%s\" not found", l->container, c->name);
	if (l->fd < 0 && !l->follow && !json_at(object_root(pod), "status/containerStatuses/0/state/terminated") &&
	    !json_at(object_root(pod), "status/containerStatuses/0/state/running"))
		return status_bad_request(c->response,
		    "container \"%s\" in pod \"%s\" is waiting to start: ContainerCreating", l->container, c->name);
	if (tail && num_parse_i64(tail, strlen(tail), &n) && n >= 0)
		skip_to_tail(l, n);
	return true;
}

bool call_pod_log(struct call *c)
{
	CLEANUP(object) struct object *pod = NULL;
	struct log_stream *l;
	struct err err = ERR_INIT;

	db_lock(c->store);
	pod = db_get(c->store, c->res.key, c->namespace_, c->name);
	if (pod)
		object_ref(pod);
	db_unlock(c->store);
	if (!pod)
		return status_not_found(c->response, &c->res, c->name);
	l = calloc(1, sizeof *l);
	if (!l)
		return !err_nomem(&err) && status_internal(c->response, &err);
	l->stream = (struct api_stream){log_fill, log_free, -1, POLL_MS};
	l->store = c->store;
	l->fd = -1;
	buf_init(&l->line, LINE_MAX_BYTES);
	if (!begin(c, pod, l)) {
		log_free(&l->stream);
		return false;
	}
	c->response->code = 200;
	c->response->content_type = "text/plain";
	c->response->stream = &l->stream;
	return true;
}
