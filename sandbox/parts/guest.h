/*
 * A sandbox that uses the bucket of another one (its host) and has no S3 server of its own: "another cluster".
 *
 * The guest takes endpoint and keys over when it starts. It leaves its name with the host, in HOST/guests/, so that the host is not
 * ended under it. Beyond the bucket the two share nothing.
 */
#ifndef PARTS_GUEST_H
#define PARTS_GUEST_H

#include "sandbox/parts/secrets.h"
#include "sandbox/parts/state.h"

/*
 * The host's plan, if it has a bucket of its own, is up and serves it. NOT_FOUND, STATE name the host and say how it is
 * brought up.
 */
bool guest_host(const char *host_dir, struct layout *ret, struct err *err);
/* Takes over where the host's bucket is (into l) and its keys (into DIR/secrets), and leaves the name. */
bool guest_borrow(struct layout *l, const struct layout *host, struct err *err);
/*
 * False: a guest is up, or on its way, that uses this sandbox's bucket; it is named. Names of those that are down, or by
 * their own state another one's guest, are removed.
 */
bool guest_none(const char *host_dir, struct err *err);

#endif
