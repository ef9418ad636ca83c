/*
 * Keeps one replica set: initiates it when all of its members answer, makes the system users, follows the primary, and
 * looks whether the users can log in. In a thread of its own, so that a slow or dead mongod holds nothing else up.
 *
 * The main thread says what it wants and reads what was seen; a change wakes it by its eventfd. All of it can be done
 * again at any moment: a keeper that is new looks first.
 */
#ifndef OPERATOR_KEEPER_H
#define OPERATOR_KEEPER_H

#include "base/clock.h"
#include "sandbox/operator/cr.h"
#include "sandbox/operator/fill.h"
#include "sandbox/parts/cluster.h"

#include <stdatomic.h>

#define KEEPER_HOST_MAX 72

struct keeper_want {
	char set_name[64];
	char hosts[CR_MEMBERS_MAX][KEEPER_HOST_MAX]; /* "127.0.0.11:27017" */
	int members;				     /* 0: nothing yet, and what was seen is forgotten */
	bool config_server;
	char router[KEEPER_HOST_MAX]; /* a mongos that this set is to be added to as a shard; "": none */
	struct op_credentials users;
};

struct keeper_seen {
	bool initialized;	       /* configuration, primary and users were there */
	bool settled;		       /* there is a primary, and the users can log in at it */
	bool shard;		       /* the router knows it */
	char primary[KEEPER_HOST_MAX]; /* "": none known */
	char version[32];	       /* of the primary's server */
	char trouble[400];	       /* why not; for the log */
};

struct keeper;
/* notify_fd: an eventfd. running: counts living keepers' threads. */
bool keeper_new(const struct clock *clock, int notify_fd, atomic_int *running, struct keeper **ret, struct err *err);
/* Ends it soon, without waiting; the thread frees everything. NULL is fine. */
void keeper_release(struct keeper *k);
void keeper_set(struct keeper *k, const struct keeper_want *want);
void keeper_look(struct keeper *k, struct keeper_seen *ret);
/* Something has happened to the users (a restore): the next look logs in, too. */
void keeper_check_login(struct keeper *k);

/* The five users with the operator's roles, as cluster_make_users takes them; users points into itself and credentials. */
void keeper_users(const struct op_credentials *credentials, struct cluster_user list[static OP_USER_COUNT],
    struct cluster_users *ret);

#endif
