/*
 * Reading one namespace into a tally.
 *
 * In natural order, with the resume token of each batch ($_requestResumeToken, since 4.4): what is broken off goes on behind the
 * last batch that was wholly taken, on the same connection string but only from the very mongod that gave the token. A record id means
 * nothing elsewhere, nor after a roll-back, which comes with an election: so it must be the same process, elected once, and the same
 * collection. Else, and where the record behind which to go on has been deleted (KeyNotFound), reading starts again from the first
 * document, LINK_ATTEMPTS times at most. A mongos and a server before 4.4 give no tokens.
 */
#ifndef VERIFIER_COLLECT_SCAN_H
#define VERIFIER_COLLECT_SCAN_H

#include "verifier/collect.h"
#include "verifier/collect_link.h"
#include "verifier/collect_tally.h"

/* Who gives record ids their meaning. */
struct scan_source {
	bool known;
	bson_oid_t process, election;
	unsigned char collection[16];
};

struct scan {
	const char *ns;
	struct optime after;
	bool direct; /* one member, which has reached after: the driver has no session for a hidden one */
	int64_t batch_size;
	struct tally *tally;
	const struct collect_progress *progress;
	char from[300]; /* host:port that answered */
	int passes;	/* that came to the end */
	/* scan_run's own */
	struct scan_source source;
	bson_t *token;	/* NULL: start from the first document */
	bool no_tokens; /* the server refused to give any */
	int starts;	/* from the first document, of this pass */
	int64_t left;	/* cursor of a reading that was broken off; 0: none */
};

/* The tally is finished when this returns true. */
bool scan_run(struct link *link, struct scan *scan, struct err *err);

#endif
