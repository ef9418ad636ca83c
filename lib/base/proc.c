#include "base/proc.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static bool same_name(const char *assignment, const char *name)
{
	size_t len = strcspn(name, "=");

	return !strncmp(assignment, name, len) && assignment[len] == '=';
}

static bool listed(const char *assignment, const char *const *names)
{
	for (; names && *names; names++)
		if (same_name(assignment, *names))
			return true;
	return false;
}

static char **make_env(const struct proc_spec *spec)
{
	size_t inherited = 0, added = 0, used = 0;
	char **env;

	while (environ && environ[inherited])
		inherited++;
	while (spec->env_set && spec->env_set[added])
		added++;
	env = calloc(inherited + added + 1, sizeof *env);
	if (!env)
		return NULL;
	for (size_t i = 0; i < inherited; i++)
		if (!listed(environ[i], spec->env_set) && !listed(environ[i], spec->env_unset))
			env[used++] = environ[i];
	for (size_t i = 0; i < added; i++)
		env[used++] = (char *)(uintptr_t)spec->env_set[i];
	return env;
}

struct child_fds {
	int in, out, err;
};

static int open_or(int fd, int flags)
{
	if (fd == PROC_NULL)
		return open("/dev/null", flags | O_CLOEXEC);
	return fd;
}

/* Only async-signal-safe calls: the parent may have threads. Never returns. */
static void child(const struct proc_spec *spec, char **env, const struct child_fds *fds, int report, pid_t parent)
{
	sigset_t none;
	int failed;

	if (spec->own_group)
		setpgid(0, 0);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	signal(SIGHUP, SIG_DFL);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(127);
	if ((fds->in >= 0 && dup2(fds->in, 0) < 0) || (fds->out >= 0 && dup2(fds->out, 1) < 0) ||
	    (fds->err >= 0 && dup2(fds->err, 2) < 0) || (spec->dir && chdir(spec->dir)))
		goto fail;
	execvpe(spec->argv[0], (char *const *)(uintptr_t)spec->argv, env);
fail:
	failed = errno;
	if (write(report, &failed, sizeof failed) < 0)
		_exit(126);
	_exit(127);
}

static bool await_exec(int report, pid_t pid, const char *path, struct err *err)
{
	int failed;
	ssize_t got;

	do {
		got = read(report, &failed, sizeof failed);
	} while (got < 0 && errno == EINTR);
	if (got != (ssize_t)sizeof failed)
		return true;
	waitpid(pid, NULL, 0);
	return err_errno(err, failed == ENOENT ? ERR_NOT_FOUND : ERR_CHILD, failed, "start \"%s\"", path);
}

bool proc_start(const struct proc_spec *spec, pid_t *ret_pid, struct err *err)
{
	struct child_fds fds = {spec->stdin_fd, spec->stdout_fd, spec->stderr_fd};
	CLEANUP(free) char **env = make_env(spec);
	CLEANUP(fd) int log_fd = -1;
	CLEANUP(fd) int null_in = -1;
	CLEANUP(fd) int null_out = -1;
	CLEANUP(fd) int report_read = -1;
	int report[2];
	pid_t pid, parent = getpid();

	if (!env)
		return err_nomem(err);
	if (spec->log_path) {
		log_fd = open(spec->log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
		if (log_fd < 0)
			return err_errno(err, ERR_IO, errno, "open log \"%s\"", spec->log_path);
		fds.out = fds.err = log_fd;
	}
	if (fds.in == PROC_NULL)
		fds.in = null_in = open_or(PROC_NULL, O_RDONLY);
	if (fds.out == PROC_NULL || fds.err == PROC_NULL) {
		null_out = open_or(PROC_NULL, O_WRONLY);
		fds.out = fds.out == PROC_NULL ? null_out : fds.out;
		fds.err = fds.err == PROC_NULL ? null_out : fds.err;
	}
	if (pipe2(report, O_CLOEXEC))
		return err_errno(err, ERR_IO, errno, "start \"%s\": create a pipe", spec->argv[0]);
	report_read = report[0];
	pid = fork();
	if (pid == 0)
		child(spec, env, &fds, report[1], parent);
	close(report[1]);
	if (pid < 0)
		return err_errno(err, ERR_CHILD, errno, "start \"%s\": fork", spec->argv[0]);
	if (spec->own_group)
		setpgid(pid, pid);
	if (!await_exec(report_read, pid, spec->argv[0], err))
		return false;
	*ret_pid = pid;
	return true;
}

static void fill_exit(int status, struct proc_exit *ret)
{
	ret->signaled = WIFSIGNALED(status);
	ret->status = ret->signaled ? WTERMSIG(status) : WEXITSTATUS(status);
}

bool proc_reap(pid_t pid, struct proc_exit *ret_exit)
{
	int status;

	if (waitpid(pid, &status, WNOHANG) != pid)
		return false;
	fill_exit(status, ret_exit);
	return true;
}

static void kill_group(pid_t pid, int signum)
{
	if (kill(-pid, signum))
		kill(pid, signum);
}

bool proc_stop(const struct clock *clock, pid_t pid, int64_t timeout_ms, struct proc_exit *ret_exit, struct err *err)
{
	int64_t deadline = clock_mono_ns(clock) + timeout_ms * 1000000;
	int status;

	kill_group(pid, SIGTERM);
	while (clock_mono_ns(clock) < deadline) {
		if (proc_reap(pid, ret_exit))
			return true;
		clock_sleep_until(clock, clock_mono_ns(clock) + 5000000, NULL);
	}
	kill_group(pid, SIGKILL);
	if (waitpid(pid, &status, 0) != pid)
		return err_errno(err, ERR_CHILD, errno, "wait for process %d", (int)pid);
	fill_exit(status, ret_exit);
	return true;
}

const char *proc_exit_text(const struct proc_exit *ex, char text[static 64])
{
	if (ex->signaled)
		snprintf(text, 64, "signal %d (%s)", ex->status, strsignal(ex->status));
	else
		snprintf(text, 64, "exit status %d", ex->status);
	return text;
}

/* Reads until the pipe closes or the deadline; what does not fit into out is read and dropped, so that the child never
 * blocks. */
static bool drain(
    const struct clock *clock, int fd, int64_t deadline, const volatile int *stop, struct buf *out, struct err *err)
{
	for (;;) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		int64_t left = (deadline - clock_mono_ns(clock)) / 1000000;
		char chunk[4096];
		ssize_t got;

		if (stop && *stop)
			return err_set(err, ERR_INTERRUPTED, "interrupted");
		if (left <= 0)
			return err_set(err, ERR_TIMEOUT, "still running at its time limit");
		/* Short, because a signal may come between the look at *stop and the poll. */
		if (poll(&p, 1, left > 100 ? 100 : (int)left) <= 0)
			continue;
		got = read(fd, chunk, sizeof chunk);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return true;
		if ((size_t)got <= out->max - out->len && !buf_add(out, chunk, (size_t)got, err))
			return false;
	}
}

bool proc_run(const struct clock *clock, const struct proc_spec *spec, int64_t timeout_ms, struct buf *out,
    struct proc_exit *ret_exit, struct err *err)
{
	int64_t deadline = clock_mono_ns(clock) + timeout_ms * 1000000;
	struct proc_spec piped = *spec;
	struct proc_exit ignored;
	int pipes[2], status;
	bool ok, started;
	pid_t pid;

	if (pipe2(pipes, O_CLOEXEC))
		return err_errno(err, ERR_IO, errno, "run \"%s\": create a pipe", spec->argv[0]);
	piped.log_path = NULL;
	piped.stdout_fd = pipes[1];
	piped.stderr_fd = spec->only_stdout ? spec->stderr_fd : pipes[1];
	started = proc_start(&piped, &pid, err);
	close(pipes[1]);
	if (!started) {
		close(pipes[0]);
		return false;
	}
	ok = drain(clock, pipes[0], deadline, spec->stop, out, err);
	close(pipes[0]);
	if (!ok) {
		proc_stop(clock, pid, 2000, &ignored, NULL);
		return err_wrap(err, "run \"%s\" (limit %.0f s)", spec->argv[0], (double)timeout_ms / 1000.0);
	}
	if (waitpid(pid, &status, 0) != pid)
		return err_errno(err, ERR_CHILD, errno, "wait for \"%s\"", spec->argv[0]);
	fill_exit(status, ret_exit);
	return true;
}
