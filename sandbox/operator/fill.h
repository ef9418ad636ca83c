/*
 * What the operator writes into Secrets: the five system users with generated passwords where none are given, the key
 * file, the encryption key. Values are random and in no message.
 */
#ifndef OPERATOR_FILL_H
#define OPERATOR_FILL_H

#include "doc/json_edit.h"

#include <stddef.h>

/* X(id, key's stem, user name) in the order in which they are made: the first makes the others */
#define OP_USERS(X)                                                                                                    \
	X(USER_ADMIN, "MONGODB_USER_ADMIN", "userAdmin")                                                               \
	X(CLUSTER_ADMIN, "MONGODB_CLUSTER_ADMIN", "clusterAdmin")                                                      \
	X(CLUSTER_MONITOR, "MONGODB_CLUSTER_MONITOR", "clusterMonitor")                                                \
	X(DATABASE_ADMIN, "MONGODB_DATABASE_ADMIN", "databaseAdmin")                                                   \
	X(BACKUP, "MONGODB_BACKUP", "backup")

enum op_user {
#define X(id, key, name) OP_##id,
	OP_USERS(X)
#undef X
	    OP_USER_COUNT
};

#define OP_CREDENTIAL_MAX 256
struct op_credentials {
	char name[OP_USER_COUNT][OP_CREDENTIAL_MAX];
	char password[OP_USER_COUNT][OP_CREDENTIAL_MAX];
};
void op_credentials_clear(struct op_credentials *c);

typedef bool (*op_random)(void *ret, size_t len, struct err *err); /* base/uuid.h random_bytes, or a test's */

/*
 * The data of a users Secret: secret's (NULL: none) with what is missing filled in. ret_changed: there was something.
 * Keys that it does not know stay.
 */
bool fill_users(const json_node *secret, op_random random, struct json **ret, bool *ret_changed, struct err *err);
/* ERR_NOT_FOUND names the key that the Secret lacks; ERR_PARSE for what is no base64 or no text. */
bool fill_read_users(const json_node *secret, struct op_credentials *ret, struct err *err);
/* len random bytes in base64 as the value of a key (so in base64 once more), as {key: value}. */
bool fill_random(const char *key, size_t len, op_random random, struct json **ret, struct err *err);
/* A value of a Secret as text. */
bool fill_text(const json_node *secret, const char *key, char *ret, size_t size, struct err *err);

#endif
