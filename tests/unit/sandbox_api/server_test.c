#include "asked.h"

#include "sandbox/api/server.h"

#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#define ADDRESS "127.13.1.3"
#define IDLE_S 1

static struct server *server;
static struct sockaddr_in at = {.sin_family = AF_INET};

static void take_port(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	socklen_t len = sizeof at;

	inet_pton(AF_INET, ADDRESS, &at.sin_addr);
	cr_assert(!bind(fd, (struct sockaddr *)&at, len) && !getsockname(fd, (struct sockaddr *)&at, &len));
	close(fd);
}

static void handle(void *arg, const struct api_request *request, struct api_response *ret)
{
	api_handle(arg, request, ret);
}

/* In the system's time: the server's own timeouts know no other. */
static void begin(void)
{
	const struct store_options options = {0};
	struct server_options listen = {.address = ADDRESS, .idle_s = IDLE_S, .handle = handle, .arg = &api};
	struct err err = ERR_INIT;

	signal(SIGPIPE, SIG_IGN);
	cr_assert(db_new(&options, &store, &err), "%s", err.msg);
	api = (struct api){.store = store};
	cr_assert(api_prepare(&api, &err), "%s", err.msg);
	take_port();
	listen.port = ntohs(at.sin_port);
	cr_assert(server_start(&listen, &server, &err), "%s", err.msg);
}

static void finish(void)
{
	server_stop(server);
	db_close(store);
}

TestSuite(api_server, .init = begin, .fini = finish);

static int connect_it(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	cr_assert(fd >= 0 && !connect(fd, (struct sockaddr *)&at, sizeof at));
	return fd;
}

static void send_it(int fd, const char *text)
{
	cr_assert_eq(send(fd, text, strlen(text), 0), (ssize_t)strlen(text));
}

/* Reads until `what` has come. */
static void expect_to_read(int fd, const char *what)
{
	char text[16384];
	size_t len = 0;

	for (text[0] = '\0'; !strstr(text, what);) {
		struct pollfd ready = {.fd = fd, .events = POLLIN};
		ssize_t got = poll(&ready, 1, 10000) == 1 ? recv(fd, text + len, sizeof text - len - 1, 0) : -1;

		cr_assert_gt(got, 0, "waited for \"%s\" behind %s", what, text);
		len += (size_t)got;
		text[len] = '\0';
	}
}

static bool is_closed_within(int fd, int timeout_ms)
{
	struct pollfd ready = {.fd = fd, .events = POLLIN};
	char byte;

	return poll(&ready, 1, timeout_ms) == 1 && recv(fd, &byte, 1, 0) <= 0;
}

#define GET_OF(path) "GET " path " HTTP/1.1\r\nHost: x\r\n\r\n"

Test(api_server, a_watch_outlives_the_idle_time_and_leaves_its_connection_to_it)
{
	int fd = connect_it();

	send_it(fd, GET_OF("/api/v1/namespaces?watch=1&timeoutSeconds=2"));
	expect_to_read(fd, "kube-system");
	expect_to_read(fd, "0\r\n\r\n");
	/* the connection is still good */
	send_it(fd, GET_OF("/version"));
	expect_to_read(fd, "gitVersion");
	cr_expect(is_closed_within(fd, 5000 * IDLE_S));
	close(fd);
}

Test(api_server, a_connection_that_nothing_follows_on_is_closed_after_a_watch)
{
	int fd = connect_it();

	send_it(fd, GET_OF("/api/v1/namespaces?watch=1&timeoutSeconds=1"));
	expect_to_read(fd, "0\r\n\r\n");
	cr_expect(is_closed_within(fd, 5000 * IDLE_S));
	close(fd);
}

Test(api_server, a_slow_sender_is_cut)
{
	int fd = connect_it();

	send_it(fd, "GET /version HTTP/1.1\r\nHost:");
	cr_expect(is_closed_within(fd, 5000 * IDLE_S));
	close(fd);
}
