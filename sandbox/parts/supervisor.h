/*
 * The daemon around a set of parts: one thread, one poll loop over signals, the control socket and its connections.
 * Holds the sandbox's lock and addresses for as long as it lives, and keeps state.json true. Knows processes, not
 * MongoDB: what makes a replica set of them is done by the program that asks (setup.h).
 *
 * However it ends, no child outlives it. A signal (INT, TERM, HUP) ends it in order; a second one at once.
 */
#ifndef PARTS_SUPERVISOR_H
#define PARTS_SUPERVISOR_H

#include "base/clock.h"
#include "base/log.h"
#include "sandbox/parts/control.h"

#define SUPERVISOR_CONNECTIONS_MAX 16

struct supervisor_config {
	struct part_set *set;
	int listen_fd; /* listening, non-blocking; the supervisor closes it */
	int lease_fd;  /* a connection that exists from the beginning and has the lease; non-blocking; the supervisor
			  closes it */
	const struct clock *clock;
	const struct log *log;
	pid_t setup_pid; /* a child of the caller that sets up (foreground); reaped here, and its failure ends the
			    supervisor. 0: none */
};

enum supervisor_end {
	END_SHUTDOWN, /* asked to */
	END_SIGNAL,
	END_LEASE, /* whoever was setting up went away */
};

struct supervisor_result {
	enum supervisor_end end;
	enum sandbox_phase phase; /* when it ended */
	struct proc_exit setup;	  /* of setup_pid, if it ended */
	bool setup_ended;
};

/* Blocks SIGCHLD, SIGINT, SIGTERM and SIGHUP for good. Returns when no part has a process any more. */
bool supervisor_run(const struct supervisor_config *config, struct supervisor_result *ret, struct err *err);

#endif
