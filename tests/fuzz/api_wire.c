/*
 * What a client sends to the embedded API server, byte by byte over a socket, as many requests as it holds; the client
 * says that this was all, and reads until the server closes. What begins an answer is one of HTTP.
 */
#include "sandbox/api/handler.h"
#include "sandbox/api/server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#define ADDRESS "127.13.1.5"
#define FRESH_AFTER 2000 /* inputs: what they make is thrown away */
#define ANSWER_S 20

static struct {
	struct store *store;
	struct api api;
	struct server *server;
	struct sockaddr_in at;
	int inputs;
} place;

static void handle(void *arg, const struct api_request *request, struct api_response *ret)
{
	api_handle(arg, request, ret);
}

static bool admits(void *arg, const struct api_request *request)
{
	return api_admits(arg, request);
}

static struct auth *known(void)
{
	static const char tokens[] = "the-token,admin,1,\n";
	struct auth *auth;
	struct err err = ERR_INIT;
	char path[64];
	int fd = memfd_create("tokens", MFD_CLOEXEC);

	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	if (fd < 0 || write(fd, tokens, sizeof tokens - 1) < 0 || !auth_new(path, &auth, &err))
		abort();
	return auth;
}

static bool take_port(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	socklen_t len = sizeof place.at;
	bool ok;

	place.at = (struct sockaddr_in){.sin_family = AF_INET};
	inet_pton(AF_INET, ADDRESS, &place.at.sin_addr);
	ok = !bind(fd, (struct sockaddr *)&place.at, len) && !getsockname(fd, (struct sockaddr *)&place.at, &len);
	close(fd);
	return ok;
}

static void begin(void)
{
	static struct auth *auth;
	const struct store_options options = {.history = 50};
	struct server_options listen = {.address = ADDRESS, .admits = admits, .handle = handle, .arg = &place.api};
	struct err err = ERR_INIT;

	signal(SIGPIPE, SIG_IGN);
	auth = auth ? auth : known();
	if (!db_new(&options, &place.store, &err))
		abort();
	place.api = (struct api){.store = place.store, .auth = auth, .server_address = ADDRESS};
	if (!api_prepare(&place.api, &err) || !take_port())
		abort();
	listen.port = ntohs(place.at.sin_port);
	if (!server_start(&listen, &place.server, &err))
		abort();
}

static void begin_anew_now_and_then(void)
{
	if (place.inputs++ % FRESH_AFTER)
		return;
	server_stop(place.server);
	db_close(place.store);
	begin();
}

static void send_all(int fd, const uint8_t *data, size_t size)
{
	while (size) {
		ssize_t n = send(fd, data, size, MSG_NOSIGNAL);

		if (n <= 0)
			return; /* it was cut off */
		data += n;
		size -= (size_t)n;
	}
	shutdown(fd, SHUT_WR);
}

/* Threads of the server are at work when an input has ended: what they hold then is no leak. */
const char *__asan_default_options(void);

const char *__asan_default_options(void)
{
	return "detect_leaks=0";
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct timeval limit = {.tv_sec = ANSWER_S};
	char text[65536], head[10] = "";
	size_t len = 0;
	ssize_t got;
	int fd;

	begin_anew_now_and_then();
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
	if (connect(fd, (struct sockaddr *)&place.at, sizeof place.at))
		abort(); /* it serves nobody any more */
	send_all(fd, data, size);
	while ((got = recv(fd, text, sizeof text, 0)) > 0)
		for (ssize_t i = 0; i < got && len < sizeof head - 1; i++)
			head[len++] = text[i];
	if (got < 0 && errno == EAGAIN)
		abort(); /* it neither answers nor closes */
	if (len && strncmp(head, "HTTP/1.", len < 7 ? len : 7) != 0)
		abort();
	close(fd);
	return 0;
}
