/*
 * A sandbox brought up and taken down: lock, addresses, secrets, the supervisor as a daemon (or in the foreground),
 * the set-up. What the commands up and down do.
 */
#ifndef PARTS_LAUNCH_H
#define PARTS_LAUNCH_H

#include "sandbox/parts/setup.h"

enum launch_api { LAUNCH_API_AS_BEFORE /* or embedded */, LAUNCH_API_EMBEDDED, LAUNCH_API_REAL };

struct launch {
	char dir[LAYOUT_DIR_MAX]; /* exists, absolute, links resolved */
	bool control_plane;	  /* API server, kubelet and Kasten in place of a replica set */
	enum launch_api api;	  /* of a control plane */
	int members;		  /* 0: as before, or 3 */
	uint16_t mongod_port;	  /* 0: as before, or 27017 */
	const char *compression;  /* NULL: as before, or "s2" */
	const char
	    *bucket_of; /* another sandbox's folder, as dir: no S3 server of one's own; NULL: as before, or none */
	bool foreground;
	int64_t timeout_ms;
	const struct clock *clock;
	const volatile int *stop;
	void (*progress)(void *arg, const char *what, int64_t elapsed_ms);
	void *progress_arg;
	/* A control plane's: what must be on the disk before the parts start, and what is done once they can be. */
	bool (*prepare)(void *arg, const struct layout *l, struct err *err);
	bool (*set_up)(void *arg, const struct setup *setup, struct connection *c, struct err *err);
	void *arg;
};

/*
 * Returns when the sandbox is ready (foreground: when it has ended in order). On failure no process is left; the
 * files stay, for their logs, except when a first start was interrupted (ERR_INTERRUPTED): then none of them stays
 * either. A folder that has been a sandbox before is started again with its addresses, secrets and data.
 */
bool launch_up(const struct launch *launch, struct err *err);
/* Ends the supervisor, or the left-over processes of one that was killed. at_once: SIGKILL. */
bool launch_down(const char *dir, const struct clock *clock, bool at_once, int64_t timeout_ms, struct err *err);

#endif
