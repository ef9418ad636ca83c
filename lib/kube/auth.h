/*
 * Inside of this room: who a client says it is. Makes the Authorization field anew for each attempt, from a token, a
 * file that rotates, or an exec plugin; holds the client certificate that a plugin gave.
 */
#ifndef KUBE_AUTH_H
#define KUBE_AUTH_H

#include "kube/exec.h"
#include "net/headers.h"

#include <sys/stat.h>

struct kube_auth {
	const struct kube_config *config;
	const struct clock *clock;
	const volatile int *stop;
	char *token;	  /* of the file */
	struct stat seen; /* of the file when it was read */
	struct kube_credential plugin;
};

void kube_auth_init(
    struct kube_auth *a, const struct kube_config *config, const struct clock *clock, const volatile int *stop);
void kube_auth_clear(struct kube_auth *a);

/* Reads what is not known yet, or changed. */
bool kube_auth_fresh(struct kube_auth *a, struct err *err);
/* After a 401: true if there may be something newer to try. */
bool kube_auth_forget(struct kube_auth *a);
/* http_prepare; ctx is the struct kube_auth. */
bool kube_auth_prepare(void *ctx, struct http_headers *headers, struct err *err);
/* Neither token nor certificate. */
bool kube_auth_anonymous(const struct kube_auth *a);

#endif
