#include "base/stop.h"

#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <unistd.h>

#define SAME_SIGNAL_MS 500

static volatile int stopped;
static volatile int64_t stopped_ms;
static int stop_pipe[2] = {-1, -1};

/* All in it may be called from a handler: the system's clock is a bare clock_gettime. */
static void on_signal(int signum)
{
	int saved = errno;
	ssize_t ignored;

	if (stopped) {
		if (clock_mono_ms(clock_system()) - stopped_ms < SAME_SIGNAL_MS)
			return;
		signal(signum, SIG_DFL);
		raise(signum);
	}
	stopped_ms = clock_mono_ms(clock_system());
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
