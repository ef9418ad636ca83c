/* Who sends a request: bearer tokens from a file, read again when it changes. Every known token may do everything. */
#ifndef API_AUTH_H
#define API_AUTH_H

#include "base/cleanup.h"
#include "base/err.h"

enum auth_result { AUTH_KNOWN, AUTH_ANONYMOUS, AUTH_REFUSED };
#define AUTH_USER_MAX 128
#define AUTH_CONTROLLER "system:sandbox" /* the user of system.kubeconfig */

struct auth;

/* Lines "token,user,uid,groups". The file need not be there yet: then every token is refused. */
bool auth_new(const char *path, struct auth **ret, struct err *err);
void auth_free(struct auth *a);
CLEANUP_PTR(auth, struct auth, auth_free)

/* header: the value of Authorization, or NULL. Anything but a bearer token is no credential at all. Thread-safe. */
enum auth_result auth_check(struct auth *a, const char *header, char ret_user[static AUTH_USER_MAX]);

#endif
