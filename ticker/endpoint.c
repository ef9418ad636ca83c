#include "ticker/endpoint.h"

#include "base/num.h"

#include <errno.h>
#include <microhttpd.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>

#define CONNECTIONS 16
#define PATIENCE_S 10
#define TEXT_MAX 65536

struct endpoint {
	void (*state)(void *ctx, struct metrics_state *ret);
	void *ctx;
	struct MHD_Daemon *daemon;
};

static enum MHD_Result answer(
    struct MHD_Connection *connection, unsigned status, const char *type, const char *text, size_t len)
{
	struct MHD_Response *r = MHD_create_response_from_buffer(len, (void *)text, MHD_RESPMEM_MUST_COPY);
	enum MHD_Result done = MHD_NO;

	if (r && MHD_add_response_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, type) == MHD_YES)
		done = MHD_queue_response(connection, status, r);
	if (r)
		MHD_destroy_response(r);
	return done;
}

static enum MHD_Result say(struct MHD_Connection *connection, unsigned status, const char *text)
{
	return answer(connection, status, "text/plain; charset=utf-8", text, strlen(text));
}

static enum MHD_Result health(struct endpoint *e, struct MHD_Connection *connection)
{
	struct metrics_state state;
	char why[512];

	e->state(e->ctx, &state);
	if (metrics_healthy(&state, why, sizeof why - 1))
		return say(connection, MHD_HTTP_OK, "ok\n");
	strcat(why, "\n");
	return say(connection, MHD_HTTP_SERVICE_UNAVAILABLE, why);
}

static enum MHD_Result metrics(struct endpoint *e, struct MHD_Connection *connection)
{
	BUF_CLEANUP struct buf out = BUF_INIT(TEXT_MAX);
	struct metrics_state state;
	struct err err = ERR_INIT;

	e->state(e->ctx, &state);
	if (!metrics_text(&state, &out, &err))
		return say(connection, MHD_HTTP_INTERNAL_SERVER_ERROR, "the figures do not fit\n");
	return answer(connection, MHD_HTTP_OK, "application/openmetrics-text; version=1.0.0; charset=utf-8",
	    buf_str(&out), out.len);
}

static enum MHD_Result handle(void *ctx, struct MHD_Connection *connection, const char *url, const char *method,
    const char *version, const char *upload, size_t *upload_len, void **request)
{
	static int seen;
	struct endpoint *e = ctx;

	(void)version;
	(void)upload;
	/* the first call is for the head alone; a body is not read */
	if (!*request && !*upload_len) {
		*request = &seen;
		return MHD_YES;
	}
	if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
		return say(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "only GET\n");
	if (!strcmp(url, "/metrics"))
		return metrics(e, connection);
	if (!strcmp(url, "/healthz"))
		return health(e, connection);
	return say(connection, MHD_HTTP_NOT_FOUND, "there is /metrics and /healthz\n");
}

/* "[::1]:9216", "127.0.0.1:9216", ":9216" */
static bool resolve(const char *where, struct addrinfo **ret, struct err *err)
{
	const struct addrinfo hints = {
	    .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE, .ai_socktype = SOCK_STREAM};
	const char *colon = strrchr(where, ':'), *host = where;
	size_t len = colon ? (size_t)(colon - where) : 0;
	char text[64];
	uint64_t port;

	if (len > 1 && host[0] == '[' && host[len - 1] == ']')
		host++, len -= 2;
	if (colon && len < sizeof text && num_parse_u64(colon + 1, strlen(colon + 1), UINT16_MAX, &port) && port) {
		memcpy(text, host, len);
		text[len] = '\0';
		if (!getaddrinfo(len ? text : NULL, colon + 1, &hints, ret))
			return true;
	}
	err_set(err, ERR_USAGE, "--listen \"%.80s\" is not ADDRESS:PORT", where);
	return err_hint(err, "give a numeric address and a port of 1 to 65535, such as 127.0.0.1:9216");
}

bool endpoint_start(const char *where, void (*state)(void *ctx, struct metrics_state *ret), void *ctx,
    struct endpoint **ret, struct err *err)
{
	struct endpoint *e = calloc(1, sizeof *e);
	struct addrinfo *at = NULL;

	if (!e)
		return err_nomem(err);
	*e = (struct endpoint){state, ctx, NULL};
	if (!resolve(where, &at, err)) {
		free(e);
		return false;
	}
	errno = 0;
	e->daemon =
	    MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD | (at->ai_family == AF_INET6 ? MHD_USE_DUAL_STACK : 0), 0,
		NULL, NULL, handle, e, MHD_OPTION_SOCK_ADDR, at->ai_addr, MHD_OPTION_CONNECTION_LIMIT,
		(unsigned)CONNECTIONS, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)PATIENCE_S,
		MHD_OPTION_LISTENING_ADDRESS_REUSE, 1u, MHD_OPTION_END);
	freeaddrinfo(at);
	if (e->daemon) {
		*ret = e;
		return true;
	}
	err_errno(err, ERR_IO, errno ? errno : EADDRINUSE, "listen on \"%.80s\"", where);
	free(e);
	return err_hint(err, "is the port in use, or below 1024? give another --listen");
}

void endpoint_stop(struct endpoint *e)
{
	if (!e)
		return;
	MHD_stop_daemon(e->daemon);
	free(e);
}
