/*
 * A replica set and its users out of running mongods: plain hosts and credentials in, so that a supervised sandbox and
 * an operator use the same. Each step looks first, so that it can be done again after an interruption or a restart.
 */
#ifndef PARTS_CLUSTER_H
#define PARTS_CLUSTER_H

#include "base/clock.h"
#include "base/err.h"

#include <stddef.h>

struct cluster {
	const char *set_name;
	const char *const *hosts; /* "127.0.0.11:27017", a loopback address each */
	int members;
	bool config_server; /* the set holds a sharded cluster's metadata */
	const struct clock *clock;
	const volatile int *stop;  /* NULL: cannot be interrupted */
	int64_t timeout_ms;	   /* of each step */
	int64_t select_timeout_ms; /* until a member counts as unreachable; 0: 3 s */
};

struct cluster_user {
	const char *name, *password;
	const char *roles; /* a JSON array of role names or {role, db} */
};

struct cluster_users {
	const char *const *roles; /* {createRole, privileges, roles} in JSON */
	size_t role_count;
	const struct cluster_user *users; /* the first one makes the others */
	size_t user_count;
};

/* Through the localhost exception: it holds on every loopback address until the first user exists. */
bool cluster_initiate(const struct cluster *c, struct err *err);
/* Once there is a primary, and before there is a user: from then on a primary is given up after 5 s without a sign of it. */
bool cluster_calm(const struct cluster *c, int primary, struct err *err);
/* One look at each member: false without an error if none says that it is the primary. */
bool cluster_find_primary(const struct cluster *c, int *ret_member);
bool cluster_wait_primary(const struct cluster *c, int *ret_member, struct err *err);
/* Has this member a replica set configuration? ERR_NET and the like if it does not answer. */
bool cluster_is_initiated(const struct cluster *c, int member, bool *ret, struct err *err);
/* Majority-written and known to every member when this returns. primary: from cluster_wait_primary. */
bool cluster_make_users(const struct cluster *c, int primary, const struct cluster_users *users, struct err *err);
/* Can this user log in at this member? ERR_AUTH: no. */
bool cluster_login(const struct cluster *c, int member, const char *user, const char *password,
    char ret_version[static 32], struct err *err);

#endif
