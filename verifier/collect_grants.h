/*
 * Users and the roles of one's own, with what each is granted: no password, no credential, no restriction of addresses.
 *
 * Who collects may not always see others (viewUser); then whoever of the further logins may is asked, since a Secret of users has one
 * that may. At most OBSERVED_GRANTS_MAX: with more, none is told.
 */
#ifndef VERIFIER_COLLECT_GRANTS_H
#define VERIFIER_COLLECT_GRANTS_H

#include "evidence/observed.h"
#include "verifier/collect_link.h"

struct grants {
	struct observed_grants state;
	struct observed_grant *list; /* users, then roles, each by name */
	size_t count;
};
void grants_clear(struct grants *g);

/* Never fails but for memory or the stop flag: what cannot be seen is not known, with the reason. */
bool grants_read(
    struct link *link, const struct mongo_credentials *logins, size_t login_count, struct grants *ret, struct err *err);

#endif
