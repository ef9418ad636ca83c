/*
 * What may be claimed of the ticks of one command, from what its reply said. Pure.
 *
 * A claim is made only if the reply proves it: "acked" with the write concern met, "failed" if one attempt was sent
 * and its reply shows that these documents were not executed. All else is "unknown". Ordered inserts only, for
 * outcome_of_first: what follows a refused document was not executed.
 */
#ifndef TICKER_OUTCOME_H
#define TICKER_OUTCOME_H

#include "mongo/reply.h"

struct outcome {
	/* the first `acked` documents, then the next `failed`, then `unknown`; their sum is the command's count */
	int acked, failed, unknown;
	bool exact;	  /* the one tick's operation time is the reply's */
	int32_t code;	  /* of what was not acked, 0 if nobody gave one */
	char reason[256]; /* the same in words */
};

/* driver: the driver's error, NULL if it reported success. */
void outcome_of_first(const struct reply_seen *seen, const bson_error_t *driver, int count, struct outcome *ret);

/* The same documents sent again, unordered. */
enum outcome_again {
	AGAIN_UNKNOWN,	/* still in doubt */
	AGAIN_INSERTED, /* all were written just now, write concern met */
	AGAIN_PRESENT, /* for some the server has a document with this _id, write concern met: they must be read back */
};
enum outcome_again outcome_of_again(const struct reply_seen *seen, const bson_error_t *driver, int count);

/* Codes of refusals that come before execution, whatever happened elsewhere. */
bool outcome_code_proves_refusal(int32_t code);
/* The login may be worth nothing any more. */
bool outcome_code_is_of_login(int32_t code);

#endif
