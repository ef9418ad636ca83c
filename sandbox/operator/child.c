#include "sandbox/operator/child.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

bool child_start(struct child *c, struct proc_spec *spec, const struct clock *clock, int64_t limit_ms, struct err *err)
{
	int fds[2];
	bool ok;

	child_kill(c);
	if (pipe2(fds, O_CLOEXEC))
		return err_errno(err, ERR_IO, errno, "make a pipe");
	spec->stdout_fd = spec->stderr_fd = fds[1];
	ok = proc_start(spec, &c->pid, err);
	close(fds[1]);
	if (!ok) {
		close(fds[0]);
		c->pid = 0;
		return false;
	}
	fcntl(fds[0], F_SETFL, O_NONBLOCK);
	c->fd = fds[0];
	c->deadline_ms = clock_mono_ms(clock) + limit_ms;
	c->timed_out = false;
	buf_reset(&c->out);
	return true;
}

bool child_running(const struct child *c)
{
	return c->pid > 0;
}

/* What is beyond the maximum is read and dropped, so that the child never waits for us. */
static void read_output(struct child *c)
{
	char bytes[8192];
	ssize_t n;

	while (c->fd >= 0 && (n = read(c->fd, bytes, sizeof bytes)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return;
		buf_add(&c->out, bytes, (size_t)n, NULL);
	}
}

bool child_poll(struct child *c, const struct clock *clock)
{
	if (!child_running(c))
		return false;
	read_output(c);
	if (!c->timed_out && clock_mono_ms(clock) >= c->deadline_ms) {
		c->timed_out = true;
		kill(-c->pid, SIGKILL);
	}
	if (!proc_reap(c->pid, &c->exit))
		return false;
	read_output(c);
	close(c->fd);
	c->fd = -1;
	c->pid = 0;
	return true;
}

void child_kill(struct child *c)
{
	if (child_running(c)) {
		kill(-c->pid, SIGKILL);
		while (waitpid(c->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	if (c->fd >= 0)
		close(c->fd);
	if (c->out.data)
		explicit_bzero(c->out.data, c->out.len);
	buf_clear(&c->out);
	c->fd = -1;
	c->pid = 0;
}
