/* What surrounds the documents: options and indexes of a namespace, and PBM's own records. */
#ifndef VERIFIER_COLLECT_META_H
#define VERIFIER_COLLECT_META_H

#include "evidence/observed.h"
#include "verifier/collect_link.h"

#define META_RESTORES_MAX 100

/* exists, options and indexes. ns and documents are the caller's. */
bool meta_namespace(struct link *link, const char *ns, struct observed_namespace *ret, struct err *err);

struct meta_pbm {
	struct observed_restore restores[META_RESTORES_MAX]; /* newest last */
	size_t restore_count;
	struct observed_backup backup; /* of the newest restore */
	bool has_backup;
};
/* ERR_AUTH if the user may not read them. No restores and no such backup is no error. */
bool meta_pbm(struct link *link, struct meta_pbm *ret, struct err *err);

/* The primary's newest operation time: nothing that was read before can be of a later one. */
bool meta_operation_time(struct link *link, struct optime *ret, struct err *err);

/* The primary's majority time: what a read must come after when no probe was written. */
bool meta_majority_time(struct link *link, struct optime *ret, struct err *err);

#endif
