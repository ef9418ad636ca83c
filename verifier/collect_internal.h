/* What collect.c gathers and collect_write.c writes; nobody else includes it. */
#ifndef VERIFIER_COLLECT_INTERNAL_H
#define VERIFIER_COLLECT_INTERNAL_H

#include "verifier/collect_grants.h"
#include "verifier/collect_home.h"
#include "verifier/collect_meta.h"
#include "verifier/collect_owner.h"
#include "verifier/collect_source.h"
#include "verifier/collect_tally.h"

/* One namespace of one source, read. */
struct piece {
	const struct source *source;
	struct observed_namespace facts;
	struct tally *tally;
	struct owner *owner; /* NULL: nothing is left out */
	struct homes *homes; /* NULL: not behind a mongos, or not known */
};

struct collection {
	struct source *sources;
	size_t source_count;
	struct logins logins;
	struct piece *pieces;
	size_t piece_count;
	struct observed_member *members;
	size_t member_count;
	struct meta_pbm *pbm; /* NULL: not readable */
	struct grants grants; /* of the config server, if there are several */
};

#endif
