/*
 * Child processes: started with an explicit environment and files, never through a shell; ended with their whole
 * process group.
 *
 * Start them from the main thread only: the child asks the kernel to be killed when the thread that forked it ends
 * (PR_SET_PDEATHSIG), so no child outlives a killed parent.
 */
#ifndef BASE_PROC_H
#define BASE_PROC_H

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"

#include <sys/types.h>

struct proc_spec {
	const char *const *argv;	    /* argv[0] is looked up in PATH if it has no '/' ; ends with NULL */
	const char *const *env_set;	    /* "NAME=value" to add or replace; NULL: none */
	const char *const *env_unset;	    /* names to take out of the inherited environment; NULL: none */
	const char *dir;		    /* working folder; NULL: inherited */
	const char *log_path;		    /* stdout and stderr are appended here; NULL: inherited */
	int stdin_fd, stdout_fd, stderr_fd; /* PROC_INHERIT, PROC_NULL, or an fd; log_path wins over the last two */
	const volatile int *stop;	    /* proc_run alone: as in base/stop.h; NULL: it cannot be interrupted */
	bool only_stdout; /* proc_run alone: stderr goes where stderr_fd says instead of being collected */
	bool own_group;	  /* a process group of its own, so that Ctrl-C on the terminal does not reach it */
};

#define PROC_INHERIT (-1)
#define PROC_NULL (-2)
#define PROC_SPEC_INIT                                                                                                 \
	{                                                                                                              \
		.stdin_fd = PROC_NULL, .stdout_fd = PROC_INHERIT, .stderr_fd = PROC_INHERIT, .own_group = true         \
	}

/* Fails if the program cannot be executed (the child's exec error comes back), with the path and the cause in the
 * message. */
bool proc_start(const struct proc_spec *spec, pid_t *ret_pid, struct err *err);

struct proc_exit {
	bool signaled;
	int status; /* exit status, or the signal's number */
};

/* Reaps without waiting: true and *ret_exit if it has ended. */
bool proc_reap(pid_t pid, struct proc_exit *ret_exit);
/* SIGTERM, up to timeout_ms, then SIGKILL to the group; reaps. */
bool proc_stop(const struct clock *clock, pid_t pid, int64_t timeout_ms, struct proc_exit *ret_exit, struct err *err);
/* "exit status 3" or "signal 9 (Killed)". */
const char *proc_exit_text(const struct proc_exit *ex, char text[static 64]);

/* Runs to the end, collecting at most out->max bytes of stdout and stderr (merged) into out. Kills it at the deadline
 * (ERR_TIMEOUT) and when *stop becomes non-zero (ERR_INTERRUPTED). */
bool proc_run(const struct clock *clock, const struct proc_spec *spec, int64_t timeout_ms, struct buf *out,
    struct proc_exit *ret_exit, struct err *err);

#endif
