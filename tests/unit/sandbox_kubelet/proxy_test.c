#include "sandbox/kubelet/proxy.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* A proxy with one route, a server behind it, a client before it; everything in one thread. */
struct stage {
	struct proxy *proxy;
	struct routes routes;
	struct pollfd fds[PROXY_FDS_MAX];
	int server, client, served;
	struct log log;
};

static void turn(struct stage *s)
{
	for (int i = 0; i < 20; i++) {
		size_t n = proxy_poll(s->proxy, s->fds, PROXY_FDS_MAX);

		if (poll(s->fds, (nfds_t)n, 5) > 0)
			proxy_step(s->proxy, s->fds, n);
	}
}

static int listen_any(const char *ip, uint16_t *ret_port)
{
	struct sockaddr_in at = {.sin_family = AF_INET};
	socklen_t len = sizeof at;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	inet_pton(AF_INET, ip, &at.sin_addr);
	cr_assert(fd >= 0 && !bind(fd, (struct sockaddr *)&at, len) && !listen(fd, 8));
	getsockname(fd, (struct sockaddr *)&at, &len);
	*ret_port = ntohs(at.sin_port);
	return fd;
}

static int dial(const struct route_address *to)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(to->port)};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	inet_pton(AF_INET, to->ip, &at.sin_addr);
	cr_assert(!connect(fd, (struct sockaddr *)&at, sizeof at), "%s", strerror(errno));
	fcntl(fd, F_SETFL, O_NONBLOCK);
	return fd;
}

static struct stage *stage_new(bool backend)
{
	struct stage *s = calloc(1, sizeof *s);
	uint16_t port;
	int spare;

	s->log = (struct log){LOG_ERROR, "test", NULL};
	s->served = -1;
	s->proxy = proxy_new(&s->log);
	s->server = listen_any("127.0.0.1", &port);
	s->routes.count = 1;
	snprintf(s->routes.items[0].backends[0].ip, 16, "127.0.0.1");
	s->routes.items[0].backends[0].port = port;
	s->routes.items[0].count = backend;
	/* a port that is free now */
	spare = listen_any("127.0.0.1", &port);
	close(spare);
	snprintf(s->routes.items[0].front.ip, 16, "127.0.0.1");
	s->routes.items[0].front.port = port;
	cr_assert(proxy_update(s->proxy, &s->routes));
	s->client = dial(&s->routes.items[0].front);
	turn(s);
	if (backend) {
		s->served = accept4(s->server, NULL, NULL, SOCK_NONBLOCK);
		cr_assert(s->served >= 0);
	}
	return s;
}

static void stage_free(struct stage *s)
{
	proxy_free(s->proxy);
	close(s->server);
	close(s->client);
	if (s->served >= 0)
		close(s->served);
	free(s);
}

static ssize_t get(int fd, char *text, size_t size)
{
	ssize_t got = recv(fd, text, size - 1, 0);

	text[got > 0 ? got : 0] = '\0';
	return got < 0 ? -errno : got;
}

Test(proxy, relays_both_ways)
{
	struct stage *s = stage_new(true);
	char text[64];

	cr_assert_eq(send(s->client, "hello", 5, 0), 5);
	turn(s);
	cr_assert_eq(get(s->served, text, sizeof text), 5);
	cr_assert_str_eq(text, "hello");
	cr_assert_eq(send(s->served, "answer", 6, 0), 6);
	turn(s);
	get(s->client, text, sizeof text);
	cr_assert_str_eq(text, "answer");
	cr_assert_eq(proxy_links(s->proxy), 1);
	stage_free(s);
}

Test(proxy, half_an_end_is_passed_on_and_the_other_half_lives)
{
	struct stage *s = stage_new(true);
	char text[64];

	shutdown(s->client, SHUT_WR);
	turn(s);
	cr_assert_eq(get(s->served, text, sizeof text), 0);
	cr_assert_eq(send(s->served, "late", 4, 0), 4);
	turn(s);
	get(s->client, text, sizeof text);
	cr_assert_str_eq(text, "late");
	cr_assert_eq(proxy_links(s->proxy), 1);
	shutdown(s->served, SHUT_WR);
	turn(s);
	cr_assert_eq(get(s->client, text, sizeof text), 0);
	cr_assert_eq(proxy_links(s->proxy), 0);
	stage_free(s);
}

Test(proxy, a_slow_reader_gets_everything)
{
	struct stage *s = stage_new(true);
	static char block[65536];
	size_t sent = 0, got = 0, total = 3 << 20;
	int rounds = 0;

	while (got < total && rounds++ < 10000) {
		size_t want = total - sent < sizeof block ? total - sent : sizeof block;
		ssize_t n = want ? send(s->client, block, want, 0) : 0;
		size_t polled = proxy_poll(s->proxy, s->fds, PROXY_FDS_MAX);

		sent += n > 0 ? (size_t)n : 0;
		if (poll(s->fds, (nfds_t)polled, 1) > 0)
			proxy_step(s->proxy, s->fds, polled);
		n = recv(s->served, block, 4096, 0);
		got += n > 0 ? (size_t)n : 0;
	}
	cr_assert_eq(got, total);
	stage_free(s);
}

Test(proxy, a_backend_that_left_is_cut_off_with_a_reset)
{
	struct stage *s = stage_new(true);
	char text[64];

	s->routes.items[0].backends[0].port ^= 1;
	cr_assert(proxy_update(s->proxy, &s->routes));
	cr_assert_eq(proxy_links(s->proxy), 0);
	cr_assert_eq(get(s->client, text, sizeof text), -ECONNRESET);
	cr_assert_eq(get(s->served, text, sizeof text), -ECONNRESET);
	stage_free(s);
}

Test(proxy, a_service_without_backends_refuses)
{
	struct stage *s = stage_new(false);
	char text[64];

	cr_assert_eq(get(s->client, text, sizeof text), -ECONNRESET);
	cr_assert_eq(proxy_links(s->proxy), 0);
	stage_free(s);
}

Test(proxy, a_dead_backend_is_no_backend)
{
	struct stage *s = stage_new(true);
	char text[64];
	int second;

	close(s->server);
	second = dial(&s->routes.items[0].front);
	turn(s);
	cr_assert_eq(get(second, text, sizeof text), -ECONNRESET);
	cr_assert_eq(proxy_links(s->proxy), 1);
	close(second);
	s->server = -1;
	stage_free(s);
}

Test(proxy, a_route_that_is_gone_is_not_listened_on)
{
	struct stage *s = stage_new(true);
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(s->routes.items[0].front.port)};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	s->routes.count = 0;
	cr_assert(proxy_update(s->proxy, &s->routes));
	inet_pton(AF_INET, "127.0.0.1", &at.sin_addr);
	cr_assert(connect(fd, (struct sockaddr *)&at, sizeof at) < 0 && errno == ECONNREFUSED);
	close(fd);
	stage_free(s);
}

Test(proxy, more_connections_than_it_takes_wait_and_none_is_lost)
{
	struct stage *s = stage_new(true);
	static int clients[PROXY_LINKS_MAX + 8];

	for (int i = 0; i < PROXY_LINKS_MAX + 8; i++) {
		clients[i] = dial(&s->routes.items[0].front);
		if (i % 16 == 15)
			turn(s);
	}
	turn(s);
	cr_assert_leq(proxy_links(s->proxy), PROXY_LINKS_MAX);
	for (int i = 0; i < PROXY_LINKS_MAX + 8; i++)
		close(clients[i]);
	stage_free(s);
}
