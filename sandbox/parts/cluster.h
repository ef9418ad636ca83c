/* A replica set and its users out of N running mongods. Each step looks first, so that it can be done again after an
 * interruption or a restart. */
#ifndef PARTS_CLUSTER_H
#define PARTS_CLUSTER_H

#include "base/clock.h"
#include "sandbox/parts/layout.h"
#include "sandbox/parts/secrets.h"

struct cluster {
	const struct layout *layout;
	const struct secrets *secrets;
	const struct clock *clock;
	const volatile int *stop; /* NULL: cannot be interrupted */
	int64_t timeout_ms;	  /* of each step */
};

/* Through the localhost exception: it holds on every loopback address until the first user exists. */
bool cluster_initiate(const struct cluster *c, struct err *err);
bool cluster_wait_primary(const struct cluster *c, int *ret_member, struct err *err);
/* The roles and users of secrets.h, majority-written and known to every member when this returns. primary: from
 * cluster_wait_primary. */
bool cluster_make_users(const struct cluster *c, int primary, struct err *err);

#endif
