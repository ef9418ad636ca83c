/*
 * Runs a program and says what it cost. From a small process of its own, since a child's peak of memory is at least that of whoever forks it.
 *
 * usage: bench_cost FILE PROGRAM [ARGUMENT...]      writes into FILE: seconds, user CPU seconds, system CPU seconds, peak resident KiB;
 *                                                   exit status: the program's, 128 + N after signal N
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double seconds(struct timeval t)
{
	return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

int main(int argc, char **argv)
{
	struct timespec begin, end;
	struct rusage use;
	FILE *out;
	pid_t pid;
	int status;

	if (argc < 3) {
		fprintf(stderr, "usage: bench_cost FILE PROGRAM [ARGUMENT...]\n");
		return 2;
	}
	clock_gettime(CLOCK_MONOTONIC, &begin);
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGTERM);
		execv(argv[2], argv + 2);
		perror(argv[2]);
		_exit(127);
	}
	if (pid < 0 || wait4(pid, &status, 0, &use) != pid) {
		perror("bench_cost");
		return 3;
	}
	clock_gettime(CLOCK_MONOTONIC, &end);
	out = fopen(argv[1], "we");
	if (!out ||
	    fprintf(out, "%.4f %.4f %.4f %ld\n",
		(double)(end.tv_sec - begin.tv_sec) + (double)(end.tv_nsec - begin.tv_nsec) / 1e9,
		seconds(use.ru_utime), seconds(use.ru_stime), use.ru_maxrss) < 0 ||
	    fclose(out)) {
		perror(argv[1]);
		return 3;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
