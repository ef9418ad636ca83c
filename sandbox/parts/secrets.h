/*
 * The sandbox's secrets: made once at random, kept one a file (0600) in DIR/secrets, and read again by every start
 * and every wipe's re-creation, as a cluster's secrets survive it. Passwords hold characters that break careless URIs
 * and shells, on purpose.
 */
#ifndef PARTS_SECRETS_H
#define PARTS_SECRETS_H

#include "sandbox/parts/layout.h"

#define SECRET_MAX 128

/* X(id, user name) */
#define SECRET_USERS(X)                                                                                                \
	X(ADMIN, "admin")	/* root */                                                                             \
	X(BACKUP, "backup")	/* PBM's */                                                                            \
	X(TICKER, "ticker")	/* inserts and finds ticks, nothing else */                                            \
	X(VERIFIER, "verifier") /* reads everything, writes drill.probe */

enum secret_user {
#define X(id, name) USER_##id,
	SECRET_USERS(X)
#undef X
	    SECRET_USER_COUNT
};

struct secrets {
	char password[SECRET_USER_COUNT][SECRET_MAX];
	char s3_access[SECRET_MAX];
	char s3_secret[SECRET_MAX];
};

const char *secret_user_name(enum secret_user user);
/* The path of one secret's file; what is "user" or "password". */
struct layout_path secret_user_file(const struct layout *l, enum secret_user user, const char *what);
struct layout_path secret_s3_file(const struct layout *l, const char *what); /* "access-key" or "secret-key" */

/* Reads them; makes those files that are missing, DIR/keyfile and DIR/s3.json among them. */
bool secrets_ensure(const struct layout *l, struct secrets *ret, struct err *err);
bool secrets_load(const struct layout *l, struct secrets *ret, struct err *err); /* ERR_NOT_FOUND for a missing file */
void secrets_clear(struct secrets *s);
/* Percent-encodes everything but unreserved characters. */
bool uri_encode(struct buf *out, const char *text, struct err *err);

#endif
