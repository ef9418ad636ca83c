/*
 * The collector's one connection: made again when it is lost, tried again where that is harmless. One thread.
 *
 * Bounds: LINK_ATTEMPTS for what a lost connection, a failover or a killed cursor broke; one more with a new login
 * for
 * "no permission" (code 13), which a server may answer for a moment after a restore although user and password have
 * not
 * changed.
 */
#ifndef VERIFIER_COLLECT_LINK_H
#define VERIFIER_COLLECT_LINK_H

#include "base/clock.h"
#include "mongo/client.h"
#include "mongo/reply.h"

#define LINK_ATTEMPTS 4
#define LINK_PAUSE_MS 250

struct link {
	struct mongo_target target; /* borrowed texts */
	const struct clock *clock;
	const volatile int *stop;		      /* NULL: never */
	void (*retrying)(void *ctx, const char *why); /* before link_try acts again; may be NULL */
	void *ctx;
	mongoc_client_t *client;  /* NULL before link_open */
	struct reply_watch watch; /* of "update" */
	int32_t code;		  /* server's code of the last failure handed to link_fail, 0 if it had none */
	bool progress; /* set by an act that fails, but will go on where it was: link_try counts from 1 again */
};

/* Replaces the client by a new one; the next operation connects and logs in. */
bool link_open(struct link *l, struct err *err);
void link_close(struct link *l);

/* Keeps the server's code and turns the driver's error into err. Returns false. */
bool link_fail(struct link *l, const bson_error_t *error, const bson_t *reply, const char *what, struct err *err);
/* Has this cursor ended because of an error? Then as link_fail. */
bool link_cursor_failed(struct link *l, mongoc_cursor_t *cursor, const char *what, struct err *err);
/* A command on the primary with these options (may be NULL); ret_reply is initialised in every case. */
bool link_command(
    struct link *l, const char *db, const bson_t *command, const bson_t *opts, bson_t *ret_reply, struct err *err);
/* ERR_INTERRUPTED once the stop flag is set. */
bool link_stopped(const struct link *l, struct err *err);

/* Is this failure, the last that was handed to link_fail, one of those that pass by? */
bool link_passes_by(const struct link *l, const struct err *err);

/*
 * Runs act until it succeeds, fails for good, or the attempts are used up. act starts over each time; one that goes on instead sets
 * progress when it has got further, and bounds itself how often it starts over.
 */
bool link_try(struct link *l, bool (*act)(struct link *l, void *arg, struct err *err), void *arg, struct err *err);

#endif
