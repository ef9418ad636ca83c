#include "asked.h"

#include "sandbox/api/server.h"

#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
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

/* Who says "Authorization: no" is not known. */
static bool admits(void *arg, const struct api_request *request)
{
	(void)arg;
	return !request->authorization || strcmp(request->authorization, "no") != 0;
}

/* In the system's time: the server's own timeouts know no other. */
static void begin(void)
{
	const struct store_options options = {0};
	struct server_options listen = {
	    .address = ADDRESS, .idle_s = IDLE_S, .admits = admits, .handle = handle, .arg = &api};
	struct err err = ERR_INIT;

	struct rlimit files;

	/* both ends of each connection are here */
	if (!getrlimit(RLIMIT_NOFILE, &files)) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
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

	send_it(fd, GET_OF("/api/v1/namespaces?watch=1&timeoutSeconds=4"));
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

/* Again and again what, each time before the server takes the connection for idle. False: it was cut in good time. */
static bool trickles(int fd, const char *what)
{
	for (int i = 0; i < 50; i++) {
		if (is_closed_within(fd, 200))
			return false;
		if (send(fd, what, strlen(what), MSG_NOSIGNAL) < 0)
			return false;
	}
	return true;
}

Test(api_server, a_head_that_trickles_is_cut)
{
	int fd = connect_it();

	send_it(fd, "GET /version HTTP/1.1\r\n");
	cr_expect(!trickles(fd, "X: y\r\n"));
	close(fd);
}

#define POST_OF(headers) "POST /api/v1/namespaces/default/configmaps HTTP/1.1\r\nHost: x\r\n" headers "\r\n"

Test(api_server, a_body_that_trickles_is_cut)
{
	int fd = connect_it(), other = connect_it();

	send_it(fd, POST_OF("Content-Length: 1000\r\n"));
	send_it(other, POST_OF("Transfer-Encoding: chunked\r\n"));
	cr_expect(!trickles(fd, " "));
	cr_expect(!trickles(other, "1\r\n \r\n"));
	close(fd);
	close(other);
}

Test(api_server, a_body_that_is_much_too_long_is_answered_before_it_is_read)
{
	int fd = connect_it();

	send_it(fd, POST_OF("Content-Length: 100000000000\r\n"));
	expect_to_read(fd, "413 ");
	close(fd);
}

Test(api_server, whoever_asks_first_is_told_to_send_or_not_to)
{
	int fd = connect_it(), other = connect_it();

	send_it(fd, POST_OF("Content-Length: 4000000\r\nExpect: 100-continue\r\n"));
	expect_to_read(fd, "413 ");
	send_it(other, POST_OF("Content-Length: 2\r\nExpect: 100-continue\r\n"));
	expect_to_read(other, "100 ");
	send_it(other, "{}");
	expect_to_read(other, "422 ");
	close(fd);
	close(other);
}

/* As many bytes as the server takes, at most 64 MiB. */
static size_t pour(int fd, const char *part, size_t len)
{
	size_t sent = 0;

	while (sent < (64u << 20)) {
		ssize_t n = send(fd, part, len, MSG_NOSIGNAL);

		if (n <= 0)
			break;
		sent += (size_t)n;
	}
	return sent;
}

Test(api_server, a_body_without_end_is_cut)
{
	static char chunk[65536 + 9];
	int fd = connect_it();

	memcpy(chunk, "10000\r\n", 7);
	memset(chunk + 7, ' ', 65536);
	memcpy(chunk + 7 + 65536, "\r\n", 2);
	send_it(fd, POST_OF("Transfer-Encoding: chunked\r\n"));
	cr_expect_lt(pour(fd, chunk, sizeof chunk), 40u << 20);
	close(fd);
}

Test(api_server, of_somebody_unknown_no_body_is_waited_for_where_it_is_long)
{
	int fd = connect_it(), other = connect_it();

	send_it(fd, POST_OF("Authorization: no\r\nContent-Length: 3000000\r\nExpect: 100-continue\r\n"));
	expect_to_read(fd, "HTTP/1.1 4");
	send_it(other, POST_OF("Authorization: no\r\nContent-Length: 2\r\n"));
	send_it(other, "{}");
	expect_to_read(other, "HTTP/1.1 400"); /* the handler of this test knows everybody: it sees no body */
	close(fd);
	close(other);
}

Test(api_server, watches_beyond_the_most_are_429)
{
	static int fds[SERVER_STREAMS_MAX];
	int more;

	for (int i = 0; i < SERVER_STREAMS_MAX; i++) {
		fds[i] = connect_it();
		send_it(fds[i], GET_OF("/api/v1/configmaps?watch=1"));
	}
	for (int i = 0; i < SERVER_STREAMS_MAX; i++)
		expect_to_read(fds[i], "200 OK");
	more = connect_it();
	send_it(more, GET_OF("/api/v1/configmaps?watch=1"));
	expect_to_read(more, "\"code\":429");
	send_it(more, GET_OF("/version"));
	expect_to_read(more, "gitVersion");
	for (int i = 0; i < SERVER_STREAMS_MAX; i++)
		close(fds[i]);
	for (int i = 0; i < 100; i++) {
		char text[16] = "";

		send_it(more, GET_OF("/api/v1/configmaps?watch=1&timeoutSeconds=1"));
		cr_assert(recv(more, text, 12, MSG_WAITALL) == 12);
		if (!strncmp(text + 9, "200", 3))
			break;
		expect_to_read(more, "\"code\":429");
		poll(NULL, 0, 100);
		cr_assert_neq(i, 99, "they have gone, and there is no room");
	}
	close(more);
}
