/*
 * From running nothing to a sandbox in use: the steps that need MongoDB and PBM, done over a connection to the
 * supervisor by the program that asks. Each step is safe to repeat.
 */
#ifndef PARTS_SETUP_H
#define PARTS_SETUP_H

#include "sandbox/parts/connection.h"

struct setup {
	const struct layout *layout;
	const struct secrets *secrets;
	const struct clock *clock;
	const volatile int *stop; /* NULL: cannot be interrupted */
	int64_t timeout_ms;	  /* of the whole */
	/* Told after each step: what was done, and the time since the beginning. May be NULL. */
	void (*progress)(void *arg, const char *what, int64_t elapsed_ms);
	void *progress_arg;
};

/*
 * S3 and mongods ready, replica set, users, agents ready, PBM configured, its backup list read from the bucket. The
 * phase goes from "starting" to "ready". After a wipe this is the re-creation: the same names, users, key file and
 * PBM configuration around empty databases.
 */
bool setup_run(const struct setup *setup, struct connection *c, struct err *err);
/* The disaster: every mongod and agent killed at once, their data folders removed. S3 lives. The phase becomes "wiped".
 */
bool setup_wipe(const struct setup *setup, struct connection *c, struct err *err);

#endif
