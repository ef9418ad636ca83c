/*
 * The API: a request in, an answer out, all state in the store. No sockets, no threads of its own; many threads may call
 * it at once.
 *
 * Beside requests there is one thing to do: sweep, which moves on what takes several steps (namespaces that end, objects
 * whose owners are gone, definitions that are deleted). Call it whenever the store changed; it says whether it changed
 * something itself.
 */
#ifndef API_HANDLER_H
#define API_HANDLER_H

#include "sandbox/api/auth.h"
#include "sandbox/api/http.h"
#include "sandbox/api/store.h"

#include <netinet/in.h>

struct api {
	struct store *store;
	struct auth *auth;			    /* NULL: everybody may do everything */
	struct in_addr service_first, service_last; /* cluster IPs; 0: none are given */
	const char *pod_dir;			    /* logs below it; NULL: none */
	const char *server_address;		    /* "127.0.0.2:6443", for discovery */
};

/* Of whom the server knows the token: from nobody else it reads a body. */
bool api_admits(const struct api *api, const struct api_request *request);
/* Initialises ret; the caller clears it. */
void api_handle(struct api *api, const struct api_request *request, struct api_response *ret);
/* False if something could not be moved on or written; all else was, and the next call tries it again. */
bool api_sweep(struct api *api, bool *ret_changed, struct err *err);
/* Namespaces "default" and "kube-system", once. */
bool api_prepare(struct api *api, struct err *err);

#endif
