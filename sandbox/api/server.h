/*
 * Requests over HTTPS (libmicrohttpd): a thread a connection, so that a watch may wait where it is. A client that has
 * gone is noticed at once, also in a quiet watch. A connection on which nothing comes for SERVER_IDLE_S is cut, and so is
 * one whose next request takes twice that to be whole, however it trickles in; where there are many connections, after
 * SERVER_CROWD_S.
 *
 * A body over API_BODY_MAX is never kept. Up to SERVER_DISCARD_MAX it is read and thrown away, because most clients see an
 * answer only when they have sent theirs; a longer one is answered before it is read (if its length was said), or cut off.
 * The same goes for bodies of those who are not admitted.
 */
#ifndef API_SERVER_H
#define API_SERVER_H

#include "base/cleanup.h"
#include "base/err.h"
#include "sandbox/api/http.h"

#define SERVER_IDLE_S 30
#define SERVER_CONNECTIONS_MAX 1000
#define SERVER_CROWD 750 /* connections */
#define SERVER_CROWD_S 2
#define SERVER_STREAMS_MAX 800 /* further watches and followers are 429 */
#define SERVER_DISCARD_MAX (16u << 20)

struct server;

struct server_options {
	const char *address;
	uint16_t port;
	const char *cert_pem, *key_pem; /* NULL: plain HTTP */
	unsigned idle_s;		/* 0: SERVER_IDLE_S */
	const char *client_ca_pem; /* only clients with a certificate of this authority are answered; NULL: all are */
	/* May this request, of which there is no body yet, have one? It is handled in any case. NULL: it may. */
	bool (*admits)(void *arg, const struct api_request *request);
	/* Called in the connections' threads. ret is not initialised: it begins with api_response_init. */
	void (*handle)(void *arg, const struct api_request *request, struct api_response *ret);
	void *arg; /* must outlive the server */
};

/* ERR_EXISTS: the address is taken. */
bool server_start(const struct server_options *options, struct server **ret, struct err *err);
/* Ends open watches within a second. */
void server_stop(struct server *s);
CLEANUP_PTR(server, struct server, server_stop)

#endif
