#include "base/stop.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

/* How a process ends that gets a second SIGINT so long after the first. */
static int status_after(useconds_t pause_us)
{
	pid_t pid = fork();
	int status = -1;

	if (!pid) {
		if (!stop_install(NULL))
			_exit(2);
		raise(SIGINT);
		usleep(pause_us);
		raise(SIGINT);
		_exit(*stop_flag() == SIGINT ? 0 : 3);
	}
	cr_assert(pid > 0 && waitpid(pid, &status, 0) == pid);
	return status;
}

Test(stop, a_signal_sent_twice_at_once_is_one)
{
	int status = status_after(1000);

	cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status %d", status);
}

Test(stop, a_second_one_later_kills)
{
	int status = status_after(700000);

	cr_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGINT, "status %d", status);
}
