/*
 * Requests over HTTPS (libmicrohttpd): a thread a connection, so that a watch may wait where it is. A client that has
 * gone is noticed at once, also in a quiet watch; a slow sender is cut after SERVER_IDLE_S, and so is a connection on
 * which nothing more is asked.
 */
#ifndef API_SERVER_H
#define API_SERVER_H

#include "base/cleanup.h"
#include "base/err.h"
#include "sandbox/api/http.h"

#define SERVER_IDLE_S 30
#define SERVER_CONNECTIONS_MAX 1000

struct server;

struct server_options {
	const char *address;
	uint16_t port;
	const char *cert_pem, *key_pem; /* NULL: plain HTTP */
	unsigned idle_s;		/* 0: SERVER_IDLE_S */
	const char *client_ca_pem; /* only clients with a certificate of this authority are answered; NULL: all are */
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
