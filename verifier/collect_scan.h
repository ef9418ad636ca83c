/* Reading one namespace into a tally. */
#ifndef VERIFIER_COLLECT_SCAN_H
#define VERIFIER_COLLECT_SCAN_H

#include "verifier/collect.h"
#include "verifier/collect_link.h"
#include "verifier/collect_tally.h"

struct scan {
	const char *ns;
	struct optime after;
	int64_t batch_size;
	struct tally *tally;
	const struct collect_progress *progress;
	char from[300]; /* host:port that answered */
	int passes;	/* that came to the end */
};

/* The tally is finished when this returns true. */
bool scan_run(struct link *link, struct scan *scan, struct err *err);

#endif
