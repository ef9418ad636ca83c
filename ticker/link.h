/*
 * One writer's line to MongoDB: a client, a session, one outstanding command, and the knowledge of whom it talks to.
 *
 * Before anything is sent the caller asks link_trusted, and link_look if it says no; after a reply,
 * link_went_to_known tells whether it came from the run's cluster. Each insert carries a transaction number of its
 * own, as the driver's retryable writes do: what comes late, after a higher number, the server refuses. But the
 * driver does not repeat it, since it would do so without asking which cluster it has found (seen: a tick of the old
 * run in a replica set made anew at the same address).
 *
 * The driver logs in once a connection and never again. A user that was dropped and made anew is nobody on a connection
 * that was there before, for ever: so a look whose login is refused tries a client of its own, and takes it in the
 * old one's place if it finds the cluster. That begins a session of its own: what is still on its way in the old one
 * is refused only if its tick is there already. A tick that was given up may so land after later ones; it is unknown.
 */
#ifndef TICKER_LINK_H
#define TICKER_LINK_H

#include "base/clock.h"
#include "mongo/client.h"
#include "mongo/reply.h"
#include "tick/tick.h"

struct link;

enum cluster { CLUSTER_SAME, CLUSTER_OTHER, CLUSTER_UNREACHABLE };

/* What a link is made from; outlives it, but for the target's user and password. */
struct link_plan {
	const struct mongo_target *target;
	const char *user_file, *password_file; /* read again when the login is refused; NULL: there are none */
	const struct clock *clock;
	const struct mongo_identity *cluster; /* whom it must be */
	int64_t write_timeout_ms;
};

/* Connects. ns: DB.COLL. */
bool link_open(const struct link_plan *plan, const char *ns, struct link **ret, struct err *err);
void link_free(struct link *link);

/* Asks the server who it is, and logs in again if need be. err says why, unless CLUSTER_SAME. */
enum cluster link_look(struct link *link, struct err *err);
/* Whether the next command will go where the last look found the cluster, as far as can be told without asking. */
bool link_trusted(struct link *link);
void link_distrust(struct link *link);
/* Whether the last insert went to a process that a look has found to be of the cluster. */
bool link_went_to_known(struct link *link);

/*
 * Inserts `count` ticks with w: majority, j: true; returns the driver's error or NULL. What the reply said:
 * link_seen.
 */
const bson_error_t *link_insert(
    struct link *link, const unsigned char (*ticks)[TICK_BSON_BYTES], int count, bool ordered);
const struct reply_seen *link_seen(const struct link *link);
/* Of the last insert; NULL if it was none. */
const bson_error_t *link_error(const struct link *link);
/* The greatest operation time in any reply so far; never zero. */
struct optime link_latest(const struct link *link);

/*
 * The server has documents with these ticks' ids: are they these, byte for byte? Read with majority. ids are
 * consecutive.
 */
enum present { PRESENT_OURS, PRESENT_OTHER, PRESENT_NOT_TOLD };
enum present link_read_back(struct link *link, const unsigned char (*ticks)[TICK_BSON_BYTES], int count);

#endif
