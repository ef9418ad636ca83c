#include "sandbox/api/server.h"

#include "base/num.h"
#include "sandbox/api/status.h"
#include "sandbox/api/waiting.h"

#include <arpa/inet.h>
#include <errno.h>
#include <gnutls/gnutls.h>
#include <microhttpd.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define CHUNK 65536

struct server {
	struct server_options options;
	struct MHD_Daemon *daemon;
	int stop_fd; /* readable once it ends */
	unsigned idle_s;
	struct waiting *waiting;
	atomic_uint streams;
};

/* One request while it comes in. */
struct exchange {
	char *target; /* as it was sent */
	bool begun;
	struct buf body;
	bool refused, too_large; /* the body is thrown away */
	uint64_t thrown;	 /* of it, bytes */
};

/* An answer that goes on. */
struct going {
	struct server *server;
	struct api_stream *stream;
	int socket;
	struct buf pending;
	size_t sent;
	bool ended;
};

/* --- streams ------------------------------------------------------------------------------------------------------ */

/* True: look again; false: the client has gone, or the server ends. */
static bool wait_more(struct going *g)
{
	struct pollfd fds[] = {{.fd = g->server->stop_fd, .events = POLLIN}, {.fd = g->socket, .events = POLLRDHUP},
	    {.fd = g->stream->fd, .events = POLLIN}};
	int ready = poll(fds, g->stream->fd >= 0 ? 3 : 2, g->stream->poll_ms);

	if (ready < 0)
		return errno == EINTR;
	return !fds[0].revents && !(fds[1].revents & (POLLRDHUP | POLLHUP | POLLERR | POLLNVAL));
}

static ssize_t read_stream(void *cls, uint64_t pos, char *out, size_t max)
{
	struct going *g = cls;
	size_t part;

	(void)pos;
	while (g->sent == g->pending.len) {
		if (g->ended)
			return MHD_CONTENT_READER_END_OF_STREAM;
		buf_reset(&g->pending);
		g->sent = 0;
		g->ended = !g->stream->fill(g->stream, &g->pending);
		if (!g->pending.len && !g->ended && !wait_more(g))
			return MHD_CONTENT_READER_END_OF_STREAM;
	}
	part = g->pending.len - g->sent;
	part = part < max ? part : max;
	memcpy(out, g->pending.data + g->sent, part);
	g->sent += part;
	return (ssize_t)part;
}

static void free_stream(void *cls)
{
	struct going *g = cls;

	g->stream->free(g->stream);
	atomic_fetch_sub(&g->server->streams, 1);
	buf_clear(&g->pending);
	free(g);
}

/* Room for one more; else there is another answer instead. */
static void take_stream(struct server *s, struct api_response *r)
{
	const struct status_details details = {.retry_after_s = 1};

	if (!r->stream || atomic_fetch_add(&s->streams, 1) < SERVER_STREAMS_MAX)
		return;
	atomic_fetch_sub(&s->streams, 1);
	r->stream->free(r->stream);
	r->stream = NULL;
	status_failure(r, 429, "TooManyRequests", &details,
	    "Too many requests: more than %d watches and followed logs are open", SERVER_STREAMS_MAX);
}

/* --- answers ------------------------------------------------------------------------------------------------------ */

static struct MHD_Response *make_response(struct server *s, struct MHD_Connection *connection, struct api_response *r)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	struct MHD_Response *response;
	struct going *g;

	if (!r->stream) {
		response = MHD_create_response_from_buffer(r->body.len, r->body.data, MHD_RESPMEM_MUST_FREE);
		if (response)
			r->body = (struct buf)BUF_INIT(1);
		return response;
	}
	g = calloc(1, sizeof *g);
	if (!g || !info)
		return free(g), NULL;
	*g = (struct going){
	    .server = s, .stream = r->stream, .socket = info->connect_fd, .pending = BUF_INIT(API_ANSWER_MAX)};
	response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, CHUNK, read_stream, g, free_stream);
	if (!response)
		return free(g), NULL;
	r->stream = NULL;
	/* it may be silent for long, and it ends by itself */
	MHD_set_connection_option(connection, MHD_CONNECTION_OPTION_TIMEOUT, 0u);
	return response;
}

static void add_headers(struct MHD_Response *response, const struct api_response *r)
{
	char text[300];

	MHD_add_response_header(response, "Content-Type", r->content_type);
	MHD_add_response_header(response, "Cache-Control", "no-cache, private");
	for (size_t i = 0; i < r->warning_count; i++) {
		size_t n = (size_t)snprintf(text, sizeof text, "299 - \"");

		for (const char *p = r->warnings[i]; *p && n < sizeof text - 4; p++) {
			if (*p == '"' || *p == '\\')
				text[n++] = '\\';
			text[n++] = (unsigned char)*p < 0x20 ? ' ' : *p;
		}
		text[n++] = '"';
		text[n] = '\0';
		MHD_add_response_header(response, "Warning", text);
	}
	if (r->retry_after_s) {
		snprintf(text, sizeof text, "%d", r->retry_after_s);
		MHD_add_response_header(response, "Retry-After", text);
	}
}

static enum MHD_Result respond(struct server *s, struct MHD_Connection *connection, struct api_response *r)
{
	struct MHD_Response *response;
	enum MHD_Result result;

	take_stream(s, r);
	response = make_response(s, connection, r);
	if (!response) {
		if (r->stream)
			atomic_fetch_sub(&s->streams, 1);
		return MHD_NO;
	}
	add_headers(response, r);
	result = MHD_queue_response(connection, (unsigned)r->code, response);
	MHD_destroy_response(response);
	return result;
}

static const char *header(struct MHD_Connection *connection, const char *name)
{
	return MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
}

static void *begin_request(void *cls, const char *uri, struct MHD_Connection *connection)
{
	struct exchange *e = calloc(1, sizeof *e);

	(void)cls;
	(void)connection;
	if (!e)
		return NULL;
	e->target = strdup(uri);
	buf_init(&e->body, API_BODY_MAX);
	return e;
}

static bool is_trusted(const struct server *s, struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info;
	unsigned status = 1;

	if (!s->options.client_ca_pem)
		return true;
	info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
	return info && info->tls_session && !gnutls_certificate_verify_peers2(info->tls_session, &status) && !status;
}

static struct api_request request_of(struct MHD_Connection *connection, const char *method, const struct exchange *e)
{
	return (struct api_request){.method = method,
	    .target = e->target,
	    .authorization = header(connection, "Authorization"),
	    .content_type = header(connection, "Content-Type"),
	    .accept = header(connection, "Accept"),
	    .user_agent = header(connection, "User-Agent"),
	    .body = buf_str(&e->body),
	    .body_len = e->body.len,
	    .body_too_large = e->too_large};
}

static struct visitor *visitor_of(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return info ? info->socket_context : NULL;
}

static enum MHD_Result answer_now(
    struct server *s, struct MHD_Connection *connection, const char *method, const struct exchange *e)
{
	const struct api_request request = request_of(connection, method, e);
	struct api_response response;
	enum MHD_Result result;

	waiting_serve(s->waiting, visitor_of(connection));
	if (is_trusted(s, connection)) {
		s->options.handle(s->options.arg, &request, &response);
	} else {
		api_response_init(&response);
		status_failure(&response, 401, "Unauthorized", NULL, "Unauthorized");
	}
	result = respond(s, connection, &response);
	api_response_clear(&response);
	return result;
}

/* The head is there, and nothing of the body. */
static enum MHD_Result begin_body(
    struct server *s, struct MHD_Connection *connection, const char *method, struct exchange *e)
{
	const struct api_request request = request_of(connection, method, e);
	const char *length = header(connection, "Content-Length");
	uint64_t size = 0;

	e->begun = true;
	if (length && !num_parse_u64(length, strlen(length), UINT64_MAX, &size))
		size = UINT64_MAX;
	e->too_large = size > API_BODY_MAX;
	e->refused = !is_trusted(s, connection) || (s->options.admits && !s->options.admits(s->options.arg, &request));
	/* whoever waits for leave to send is not kept waiting */
	if ((e->too_large || e->refused) && (size > SERVER_DISCARD_MAX || header(connection, "Expect")))
		return answer_now(s, connection, method, e);
	return MHD_YES;
}

static enum MHD_Result take_body(struct exchange *e, const char *part, size_t len)
{
	if (!e->refused && !e->too_large && !buf_add(&e->body, part, len, NULL)) {
		e->too_large = true;
		buf_clear(&e->body);
	}
	if (e->refused || e->too_large)
		e->thrown += len;
	return e->thrown > SERVER_DISCARD_MAX ? MHD_NO : MHD_YES;
}

static enum MHD_Result answer(void *cls, struct MHD_Connection *connection, const char *url, const char *method,
    const char *version, const char *upload, size_t *upload_len, void **con_cls)
{
	struct server *s = cls;
	struct exchange *e = *con_cls;
	size_t len = *upload_len;

	(void)url;
	(void)version;
	if (!e || !e->target)
		return MHD_NO;
	if (!e->begun)
		return begin_body(s, connection, method, e);
	*upload_len = 0;
	return len ? take_body(e, upload, len) : answer_now(s, connection, method, e);
}

static void end_request(
    void *cls, struct MHD_Connection *connection, void **con_cls, enum MHD_RequestTerminationCode code)
{
	struct server *s = cls;
	struct exchange *e = *con_cls;

	(void)code;
	/* a stream has set it to none; the connection goes on */
	MHD_set_connection_option(connection, MHD_CONNECTION_OPTION_TIMEOUT, s->idle_s);
	waiting_again(s->waiting, visitor_of(connection));
	if (!e)
		return;
	buf_clear(&e->body);
	free(e->target);
	free(e);
	*con_cls = NULL;
}

static void come_or_go(
    void *cls, struct MHD_Connection *connection, void **context, enum MHD_ConnectionNotificationCode code)
{
	struct server *s = cls;
	const union MHD_ConnectionInfo *info;

	if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
		waiting_leave(s->waiting, *context);
		*context = NULL;
		return;
	}
	info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	*context = info ? waiting_enter(s->waiting, info->connect_fd) : NULL;
}

static void quiet(void *cls, const char *fmt, va_list ap)
{
	(void)cls;
	(void)fmt;
	(void)ap;
}

bool server_start(const struct server_options *o, struct server **ret, struct err *err)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(o->port)};
	unsigned flags = MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION | MHD_USE_POLL |
			 MHD_USE_ERROR_LOG | (o->cert_pem ? MHD_USE_TLS : 0);
	struct waiting_limits limits = {.crowd = SERVER_CROWD, .crowd_ms = 1000 * SERVER_CROWD_S};
	struct server *s = calloc(1, sizeof *s);

	if (!s)
		return err_nomem(err);
	s->options = *o;
	s->idle_s = o->idle_s ? o->idle_s : SERVER_IDLE_S;
	limits.request_ms = 2000 * (int64_t)s->idle_s;
	s->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (s->stop_fd < 0 || inet_pton(AF_INET, o->address, &at.sin_addr) != 1) {
		err_set(err, ERR_USAGE, "\"%s\" is no address", o->address);
		server_stop(s);
		return false;
	}
	if (!waiting_new(&limits, &s->waiting, err)) {
		server_stop(s);
		return false;
	}
	s->daemon = MHD_start_daemon(flags, o->port, NULL, NULL, answer, s, MHD_OPTION_EXTERNAL_LOGGER, quiet, NULL,
	    MHD_OPTION_SOCK_ADDR, (struct sockaddr *)&at, MHD_OPTION_URI_LOG_CALLBACK, begin_request, s,
	    MHD_OPTION_NOTIFY_COMPLETED, end_request, s, MHD_OPTION_NOTIFY_CONNECTION, come_or_go, s,
	    MHD_OPTION_CONNECTION_LIMIT, (unsigned)SERVER_CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT, s->idle_s,
	    MHD_OPTION_LISTENING_ADDRESS_REUSE, 1u, o->cert_pem ? MHD_OPTION_HTTPS_MEM_CERT : MHD_OPTION_END,
	    o->cert_pem, MHD_OPTION_HTTPS_MEM_KEY, o->key_pem,
	    o->client_ca_pem ? MHD_OPTION_HTTPS_MEM_TRUST : MHD_OPTION_END, o->client_ca_pem, MHD_OPTION_END);
	if (!s->daemon) {
		err_set(err, ERR_EXISTS, "the server cannot listen on %s:%u", o->address, o->port);
		err_hint(err, "see who listens there with \"ss -ltnp 'sport = :%u'\"", o->port);
		server_stop(s);
		return false;
	}
	*ret = s;
	return true;
}

void server_stop(struct server *s)
{
	if (!s)
		return;
	if (s->stop_fd >= 0)
		(void)eventfd_write(s->stop_fd, 1);
	if (s->daemon)
		MHD_stop_daemon(s->daemon);
	waiting_free(s->waiting);
	if (s->stop_fd >= 0)
		close(s->stop_fd);
	free(s);
}
