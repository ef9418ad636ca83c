/*
 * One child process that is not waited for: its output is collected while it runs, and it is killed at its deadline.
 * To be started and polled by the main thread alone (base/proc.h).
 */
#ifndef OPERATOR_CHILD_H
#define OPERATOR_CHILD_H

#include "base/proc.h"

struct child {
	pid_t pid; /* 0: none */
	int fd;	   /* its output; to be polled */
	int64_t deadline_ms;
	bool timed_out;
	struct buf out;
	struct proc_exit exit;
};

#define CHILD_OUTPUT_MAX ((size_t)1 << 20)
#define CHILD_INIT                                                                                                     \
	{                                                                                                              \
		.fd = -1, .out = BUF_INIT(CHILD_OUTPUT_MAX)                                                            \
	}

/* spec's stdout and stderr are overwritten. One child at a time. */
bool child_start(struct child *c, struct proc_spec *spec, const struct clock *clock, int64_t limit_ms, struct err *err);
bool child_running(const struct child *c);
/* Reads what there is. True once: it has ended; out and exit tell how. */
bool child_poll(struct child *c, const struct clock *clock);
/* Kills it and forgets all. */
void child_kill(struct child *c);

#endif
