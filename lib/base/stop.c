#include "base/stop.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <time.h>
#include <unistd.h>

#define SAME_SIGNAL_MS 500

static volatile int stopped;
static volatile int64_t stopped_ms;
static int stop_pipe[2] = {-1, -1};

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void on_signal(int signum)
{
	int saved = errno;
	ssize_t ignored;

	if (stopped) {
		if (now_ms() - stopped_ms < SAME_SIGNAL_MS)
			return;
		signal(signum, SIG_DFL);
		raise(signum);
	}
	stopped_ms = now_ms();
	stopped = signum;
	ignored = write(stop_pipe[1], "", 1);
	(void)ignored;
	errno = saved;
}

bool stop_install(struct err *err)
{
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
	struct sigaction act = {.sa_handler = on_signal};

	if (stop_pipe[0] < 0 && pipe2(stop_pipe, O_CLOEXEC | O_NONBLOCK))
		return err_errno(err, ERR_IO, errno, "create a pipe for signals");
	sigemptyset(&act.sa_mask);
	for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
		if (sigaction(signals[i], &act, NULL))
			return err_errno(err, ERR_IO, errno, "install a signal handler");
	act.sa_handler = SIG_IGN;
	sigaction(SIGPIPE, &act, NULL);
	return true;
}

const volatile int *stop_flag(void)
{
	return &stopped;
}

int stop_fd(void)
{
	return stop_pipe[0];
}
