/*
 * What the reply of one command said, seen through command monitoring: the driver's session only keeps the greatest
 * operation time that it has met, and its results do not show retries. Attach one reply_watch to a client before its
 * first use; the client (and so the watch) belongs to one thread.
 *
 * Usage: reply_watch_begin(w); run ONE logical operation; then look at w->seen.
 */
#ifndef MONGO_REPLY_H
#define MONGO_REPLY_H

#include "base/optime.h"

#include <mongoc/mongoc.h>
#include <stdbool.h>
#include <stdint.h>

struct reply_seen {
	int attempts;	    /* commands of the watched name that were sent since begin */
	int replies;	    /* of which answered by the server (ok or not) */
	bool last_answered; /* the last one sent was answered */
	bool retried;	    /* a reply carried retriedStmtIds, or attempts > 1 */
	bool has_optime;
	struct optime optime;	     /* operationTime of the last reply */
	bool ok;		     /* the last reply's ok:1 */
	int32_t code;		     /* the last reply's top-level error code, 0 if none */
	int32_t write_error;	     /* code of its first writeErrors entry, 0 if none */
	int32_t write_errors;	     /* how many */
	int duplicate_keys;	     /* how many of them are code 11000 */
	int32_t write_concern_error; /* code of writeConcernError, 0 if none */
	int32_t n;		     /* its n, -1 if absent */
	uint32_t server_id;	     /* the driver's number of the server that the last one was sent to */
	bool no_writes_performed;    /* errorLabels hold NoWritesPerformed */
	char message[256];	     /* errmsg of the first error */
};

struct reply_watch {
	char command[32]; /* the command's name, e.g. "insert" */
	struct reply_seen seen;
	struct optime latest; /* greatest operationTime in any reply (of any command) this client has had */
};

/* Sets the client's APM callbacks; watch must outlive the client. */
void reply_watch_attach(struct reply_watch *watch, mongoc_client_t *client, const char *command);
void reply_watch_begin(struct reply_watch *watch);

#endif
