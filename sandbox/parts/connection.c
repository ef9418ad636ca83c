#include "sandbox/parts/connection.h"

#include "base/cleanup.h"
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define ANSWER_MAX (2 * STATE_MAX_BYTES)
#define SUPERVISOR_BACKLOG 16
/* The supervisor answers at its own limit; this is for one that does not answer at all. */
#define GRACE_MS 5000
#define LOCK_TRIES 10

static int open_lock(const char *dir, int flags)
{
	char path[PATH_MAX];

	snprintf(path, sizeof path, "%s/lock", dir);
	return open(path, O_RDWR | O_CLOEXEC | flags, 0600);
}

/* False: "down --purge" removed the file between the open and the lock, and the next one makes another. */
static bool is_the_file(const char *dir, int fd)
{
	struct stat held, named;
	char path[PATH_MAX];

	snprintf(path, sizeof path, "%s/lock", dir);
	return !fstat(fd, &held) && !stat(path, &named) && held.st_ino == named.st_ino && held.st_dev == named.st_dev;
}

bool sandbox_lock(const char *dir, int *ret_fd, struct err *err)
{
	for (int tries = 0; tries < LOCK_TRIES; tries++) {
		CLEANUP(fd) int fd = open_lock(dir, O_CREAT);

		if (fd < 0)
			return err_errno(err, ERR_IO, errno, "open lock of \"%s\"", dir);
		if (flock(fd, LOCK_EX | LOCK_NB))
			break;
		if (!is_the_file(dir, fd))
			continue;
		*ret_fd = fd;
		fd = -1;
		return true;
	}
	err_set(err, ERR_STATE, "a sandbox is already running in \"%s\"", dir);
	return err_hint(err,
	    "see \"psmdb-sandbox parts status --dir %s\", end it with \"psmdb-sandbox parts down --dir %s\"", dir, dir);
}

bool sandbox_locked(const char *dir)
{
	CLEANUP(fd) int fd = open_lock(dir, 0);

	return fd >= 0 && flock(fd, LOCK_SH | LOCK_NB);
}

struct unlocked_arg {
	const char *dir;
};

static bool is_unlocked(void *arg, struct err *err)
{
	struct unlocked_arg *a = arg;

	(void)err;
	return !sandbox_locked(a->dir);
}

bool sandbox_wait_unlocked(const struct clock *clock, const char *dir, int64_t timeout_ms, struct err *err)
{
	struct unlocked_arg arg = {dir};

	return wait_for(clock, "the end of the sandbox's supervisor", timeout_ms, 10, NULL, is_unlocked, &arg, err);
}

/* The socket's address through a descriptor of its folder: 108 bytes are enough for that, however long the folder's
 * path is. */
static bool socket_address(const char *dir, int *ret_dir_fd, struct sockaddr_un *ret, struct err *err)
{
	int fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return err_errno(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, errno, "open folder \"%s\"", dir);
	*ret = (struct sockaddr_un){.sun_family = AF_UNIX};
	snprintf(ret->sun_path, sizeof ret->sun_path, "/proc/self/fd/%d/control.sock", fd);
	*ret_dir_fd = fd;
	return true;
}

bool connection_listen(const char *dir, int *ret_fd, struct err *err)
{
	CLEANUP(fd) int fd = -1;
	CLEANUP(fd) int dir_fd = -1;
	struct sockaddr_un at;

	if (!socket_address(dir, &dir_fd, &at, err))
		return false;
	unlink(at.sun_path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof at) || listen(fd, SUPERVISOR_BACKLOG))
		return err_errno(err, ERR_IO, errno, "listen on \"%s/control.sock\"", dir);
	*ret_fd = fd;
	fd = -1;
	return true;
}

bool connection_pair(int ret_fds[static 2], struct err *err)
{
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds))
		return err_errno(err, ERR_IO, errno, "make a pair of sockets");
	if (fcntl(fds[0], F_SETFL, O_NONBLOCK)) {
		close(fds[0]);
		close(fds[1]);
		return err_errno(err, ERR_IO, errno, "make a pair of sockets");
	}
	ret_fds[0] = fds[0];
	ret_fds[1] = fds[1];
	return true;
}

bool connection_open(
    const char *dir, const struct clock *clock, const volatile int *stop, struct connection *ret, struct err *err)
{
	CLEANUP(fd) int fd = -1;
	CLEANUP(fd) int dir_fd = -1;
	struct sockaddr_un at;

	if (!socket_address(dir, &dir_fd, &at, err))
		return err_hint(err, "make a sandbox with \"psmdb-sandbox parts up --dir %s\"", dir);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_errno(err, ERR_IO, errno, "open a socket");
	if (connect(fd, (struct sockaddr *)&at, sizeof at)) {
		err_set(err, ERR_NOT_FOUND, "no sandbox is running in \"%s\"", dir);
		return err_hint(err, "start it with \"psmdb-sandbox parts up --dir %s\"", dir);
	}
	*ret = (struct connection){.fd = fd, .clock = clock, .stop = stop};
	fd = -1;
	return true;
}

void connection_close(struct connection *c)
{
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
}

static bool read_line(struct connection *c, int64_t deadline_ms, struct buf *out, struct err *err)
{
	for (;;) {
		struct pollfd p = {.fd = c->fd, .events = POLLIN};
		int64_t left = deadline_ms - clock_mono_ms(c->clock);
		char chunk[8192];
		ssize_t got;

		if (c->stop && *c->stop)
			return err_set(err, ERR_INTERRUPTED, "interrupted");
		if (left <= 0)
			return err_set(err, ERR_TIMEOUT, "the supervisor does not answer");
		/* A short wait, because a signal may come between the look at *stop and the poll. */
		if (poll(&p, 1, left < 100 ? (int)left : 100) <= 0)
			continue;
		got = recv(c->fd, chunk, sizeof chunk, 0);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return err_set(err, ERR_CHILD, "the supervisor has ended");
		if (!buf_add(out, chunk, (size_t)got, err))
			return false;
		if (out->data[out->len - 1] == '\n') {
			out->data[--out->len] = '\0';
			return true;
		}
	}
}

bool connection_call(
    struct connection *c, const struct buf *request, int64_t timeout_ms, struct buf *out, struct err *err)
{
	for (size_t at = 0; at < request->len;) {
		ssize_t put = send(c->fd, request->data + at, request->len - at, MSG_NOSIGNAL);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return err_errno(err, ERR_CHILD, errno, "the supervisor has ended");
		at += (size_t)put;
	}
	return read_line(c, clock_mono_ms(c->clock) + timeout_ms + GRACE_MS, out, err);
}

static bool call_for_error(struct connection *c, enum control_op op, const char *const *parts, size_t count,
    int64_t timeout_ms, const char *phase, bool at_once, struct err *err)
{
	BUF_CLEANUP struct buf request = BUF_INIT(CONTROL_REQUEST_MAX);
	BUF_CLEANUP struct buf line = BUF_INIT(ANSWER_MAX);
	struct err answer = ERR_INIT;

	if (!control_format(op, parts, count, timeout_ms, phase, at_once, &request, err) ||
	    !connection_call(c, &request, timeout_ms, &line, err) ||
	    !control_parse_answer(buf_str(&line), line.len, &answer, err))
		return err_wrap(err, "%s", control_op_name(op));
	if (answer.code == ERR_NONE)
		return true;
	*err = answer;
	return false;
}

bool connection_request(struct connection *c, enum control_op op, const char *const *parts, size_t count,
    int64_t timeout_ms, struct err *err)
{
	return call_for_error(c, op, parts, count, timeout_ms, NULL, false, err);
}

bool connection_phase(struct connection *c, enum sandbox_phase phase, struct err *err)
{
	return call_for_error(c, OP_PHASE, NULL, 0, GRACE_MS, phase_name(phase), false, err);
}

bool connection_shutdown(struct connection *c, bool at_once, int64_t timeout_ms, struct err *err)
{
	return call_for_error(c, OP_SHUTDOWN, NULL, 0, timeout_ms, NULL, at_once, err);
}
