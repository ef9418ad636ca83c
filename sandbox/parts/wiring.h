/*
 * A supervised sandbox's replica set and PBM, as cluster.h and pbm.h want them: hosts of its layout, users of its
 * secrets, its S3 server.
 */
#ifndef PARTS_WIRING_H
#define PARTS_WIRING_H

#include "sandbox/parts/cluster.h"
#include "sandbox/parts/layout.h"
#include "sandbox/parts/pbm.h"
#include "sandbox/parts/secrets.h"

struct wiring {
	struct cluster cluster;
	struct cluster_users users; /* admin, backup, ticker, verifier */
	struct pbm pbm;
	struct pbm_storage storage;
	/* what the pointers above lead to, beside layout and secrets */
	char host_text[LAYOUT_MEMBERS_MAX][32];
	const char *hosts[LAYOUT_MEMBERS_MAX];
	struct cluster_user user_list[SECRET_USER_COUNT];
	struct layout_path log_path;
	char endpoint[64];
};

/* It points into itself, the layout and the secrets: it must not be moved, and they must outlive it. */
void wiring_init(struct wiring *w, const struct layout *l, const struct secrets *s, const struct clock *clock,
    const volatile int *stop);

#endif
