/*
 * A PerconaServerMongoDB as the operator understands it: checked, defaults filled in, sizes made safe. Plain data that
 * points into the object, which must outlive it.
 */
#ifndef OPERATOR_CR_H
#define OPERATOR_CR_H

#include "doc/json_edit.h"
#include "sandbox/operator/names.h"

#define CR_SETS_MAX 4 /* config servers and three shards */
#define CR_MEMBERS_MAX 7

/* What runs on this machine for what the object asks for. */
enum cr_topology {
	CR_REPLSET,  /* sharding is off: replica sets, each with its Service */
	CR_SHARDED,  /* config servers, shards, mongos */
	CR_SET_ALONE /* sharding is on, but there is no mongos program: one replica set behind the Service of mongos */
};

struct cr_set {
	char name[64];
	int size;
	bool config_server;
	const json_node *volume; /* volumeSpec, or NULL */
};

struct cr {
	const json_node *object;
	const char *name, *namespace_, *uid;
	int64_t generation;
	bool deleting, paused, unmanaged, unsafe, backups;
	enum cr_topology topology;
	struct cr_set sets[CR_SETS_MAX]; /* config servers first */
	int set_count;
	int mongos_size; /* 0 unless CR_SHARDED */
	const char *image, *backup_image;
	char users_secret[OP_NAME_MAX], internal_secret[OP_NAME_MAX], keyfile_secret[OP_NAME_MAX],
	    encryption_secret[OP_NAME_MAX];
};

/* have_mongos: there is a program to run as mongos. ERR_STATE "wrong psmdb options: ..." for what the operator refuses. */
bool cr_read(const json_node *object, bool have_mongos, struct cr *ret, struct err *err);
int cr_members(const struct cr *cr); /* of all sets together */
/* The sentence for OP_NOTE_ANNOTATION; NULL if all is as the object asks for. */
const char *cr_note(const struct cr *cr);
/* Where clients connect, as status.host has it. */
void cr_host(const struct cr *cr, char ret[static OP_NAME_MAX]);

#endif
