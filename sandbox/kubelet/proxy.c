#include "sandbox/kubelet/proxy.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PIPE_BYTES 65536

/* One direction: what was read from one end and not written to the other. */
struct flow {
	char *bytes;
	size_t start, end;
	bool ended;  /* nothing more will be read */
	bool passed; /* and the other side was told */
};

struct link {
	int ends[2]; /* client, backend */
	bool connecting;
	struct route_address front, backend;
	struct flow flows[2]; /* read from ends[i] */
	size_t polled[2];     /* places in the poll array, plus one; 0: not polled */
};

struct listener {
	int fd; /* -1: could not be bound */
	struct route route;
	size_t next;
	size_t polled;
	bool complained;
};

struct proxy {
	const struct log *log;
	struct listener listeners[ROUTES_MAX];
	size_t listener_count;
	struct link *links[PROXY_LINKS_MAX];
	size_t link_count;
};

struct proxy *proxy_new(const struct log *log)
{
	struct proxy *p = calloc(1, sizeof *p);

	if (p)
		p->log = log;
	return p;
}

static void link_free(struct link *l)
{
	for (int i = 0; i < 2; i++) {
		if (l->ends[i] >= 0)
			close(l->ends[i]);
		free(l->flows[i].bytes);
	}
	free(l);
}

/* A reset instead of an end: the other side must not take it for a complete conversation. */
static void link_cut(struct proxy *p, size_t i)
{
	const struct linger reset = {.l_onoff = 1, .l_linger = 0};
	struct link *l = p->links[i];

	for (int e = 0; e < 2; e++)
		if (l->ends[e] >= 0)
			setsockopt(l->ends[e], SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
	link_free(l);
	p->links[i] = p->links[--p->link_count];
}

static void link_end(struct proxy *p, size_t i)
{
	link_free(p->links[i]);
	p->links[i] = p->links[--p->link_count];
}

void proxy_free(struct proxy *p)
{
	if (!p)
		return;
	while (p->link_count)
		link_cut(p, 0);
	for (size_t i = 0; i < p->listener_count; i++)
		if (p->listeners[i].fd >= 0)
			close(p->listeners[i].fd);
	free(p);
}

size_t proxy_links(const struct proxy *p)
{
	return p->link_count;
}

static bool same_address(const struct route_address *a, const struct route_address *b)
{
	return a->port == b->port && !strcmp(a->ip, b->ip);
}

static bool to_sockaddr(const struct route_address *a, struct sockaddr_in *ret)
{
	*ret = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(a->port)};
	return inet_pton(AF_INET, a->ip, &ret->sin_addr) == 1;
}

/* --- listeners --------------------------------------------------------------------------------------------------- */

static int listen_on(const struct route_address *front)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), on = 1, failed;
	struct sockaddr_in at;

	if (fd >= 0 && to_sockaddr(front, &at) && !setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) &&
	    !bind(fd, (const struct sockaddr *)&at, sizeof at) && !listen(fd, 64))
		return fd;
	failed = errno;
	if (fd >= 0)
		close(fd);
	errno = failed;
	return -1;
}

static bool listener_open(struct proxy *p, struct listener *l)
{
	char where[32];

	if (l->fd >= 0)
		return true;
	l->fd = listen_on(&l->route.front);
	if (l->fd >= 0)
		return true;
	if (!l->complained) {
		snprintf(where, sizeof where, "%s:%u", l->route.front.ip, l->route.front.port);
		log_line(p->log, LOG_WARN, "service address cannot be listened on", "address", where, "error",
		    strerror(errno), NULL);
	}
	l->complained = true;
	return false;
}

static const struct route *find_route(const struct routes *routes, const struct route_address *front)
{
	for (size_t i = 0; i < routes->count; i++)
		if (same_address(&routes->items[i].front, front))
			return &routes->items[i];
	return NULL;
}

static struct listener *find_listener(struct proxy *p, const struct route_address *front)
{
	for (size_t i = 0; i < p->listener_count; i++)
		if (same_address(&p->listeners[i].route.front, front))
			return &p->listeners[i];
	return NULL;
}

static bool has_backend(const struct route *route, const struct route_address *backend)
{
	for (size_t i = 0; route && i < route->count; i++)
		if (same_address(&route->backends[i], backend))
			return true;
	return false;
}

bool proxy_update(struct proxy *p, const struct routes *routes)
{
	bool all = true;

	for (size_t i = 0; i < p->listener_count;) {
		if (find_route(routes, &p->listeners[i].route.front)) {
			i++;
			continue;
		}
		if (p->listeners[i].fd >= 0)
			close(p->listeners[i].fd);
		p->listeners[i] = p->listeners[--p->listener_count];
	}
	for (size_t i = 0; i < routes->count; i++) {
		struct listener *l = find_listener(p, &routes->items[i].front);

		if (!l && p->listener_count == ROUTES_MAX)
			return false;
		if (!l) {
			l = &p->listeners[p->listener_count++];
			*l = (struct listener){.fd = -1};
		}
		l->route = routes->items[i];
		all &= listener_open(p, l);
	}
	for (size_t i = 0; i < p->link_count;) {
		if (has_backend(find_route(routes, &p->links[i]->front), &p->links[i]->backend))
			i++;
		else
			link_cut(p, i);
	}
	return all;
}

/* --- connections ------------------------------------------------------------------------------------------------- */

static void refuse(int client)
{
	const struct linger reset = {.l_onoff = 1, .l_linger = 0};

	setsockopt(client, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
	close(client);
}

static struct link *link_new(int client, const struct listener *l, const struct route_address *backend)
{
	struct link *link = calloc(1, sizeof *link);

	if (!link)
		return NULL;
	*link = (struct link){.ends = {client, -1}, .connecting = true, .front = l->route.front, .backend = *backend};
	link->flows[0].bytes = malloc(PIPE_BYTES);
	link->flows[1].bytes = malloc(PIPE_BYTES);
	link->ends[1] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (link->flows[0].bytes && link->flows[1].bytes && link->ends[1] >= 0)
		return link;
	link->ends[0] = -1; /* the caller's still */
	link_free(link);
	return NULL;
}

static bool begin_connect(struct link *link)
{
	struct sockaddr_in to;
	int on = 1;

	for (int e = 0; e < 2; e++)
		setsockopt(link->ends[e], IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	return to_sockaddr(&link->backend, &to) && (!connect(link->ends[1], (const struct sockaddr *)&to, sizeof to) ||
						       errno == EINPROGRESS || errno == EINTR);
}

static void accept_one(struct proxy *p, struct listener *l)
{
	int client = accept4(l->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	const struct route_address *backend;
	struct link *link;

	if (client < 0)
		return;
	if (!l->route.count) {
		refuse(client);
		return;
	}
	backend = &l->route.backends[l->next++ % l->route.count];
	link = link_new(client, l, backend);
	if (!link) {
		refuse(client);
		return;
	}
	p->links[p->link_count++] = link;
	if (!begin_connect(link))
		link_cut(p, p->link_count - 1);
}

/* False: the connection is broken. */
static bool flow_read(struct flow *f, int from)
{
	ssize_t got;

	if (f->ended || f->end == PIPE_BYTES)
		return true;
	got = recv(from, f->bytes + f->end, PIPE_BYTES - f->end, 0);
	if (got < 0)
		return errno == EAGAIN || errno == EINTR;
	f->ended = got == 0;
	f->end += (size_t)got;
	return true;
}

static bool flow_write(struct flow *f, int to)
{
	while (f->start < f->end) {
		ssize_t put = send(to, f->bytes + f->start, f->end - f->start, MSG_NOSIGNAL);

		if (put < 0)
			return errno == EAGAIN || errno == EINTR;
		f->start += (size_t)put;
	}
	f->start = f->end = 0;
	if (f->ended && !f->passed) {
		f->passed = true;
		return !shutdown(to, SHUT_WR) || errno == ENOTCONN;
	}
	return true;
}

static bool connected(struct link *l)
{
	socklen_t len = sizeof(int);
	int failed = 0;

	l->connecting = false;
	return !getsockopt(l->ends[1], SOL_SOCKET, SO_ERROR, &failed, &len) && !failed;
}

static bool link_step(struct link *l, const short events[2])
{
	if (l->connecting && (!(events[1] & (POLLOUT | POLLERR | POLLHUP)) || !connected(l)))
		return !events[1];
	for (int i = 0; i < 2; i++)
		if ((events[i] & (POLLIN | POLLHUP | POLLERR)) && !flow_read(&l->flows[i], l->ends[i]))
			return false;
	for (int i = 0; i < 2; i++)
		if (!flow_write(&l->flows[i], l->ends[1 - i]))
			return false;
	return true;
}

static bool link_over(const struct link *l)
{
	return l->flows[0].passed && l->flows[1].passed;
}

static short wanted_events(const struct link *l, int i)
{
	short events = 0;

	if (l->connecting)
		return i == 1 ? POLLOUT : 0;
	if (!l->flows[i].ended && l->flows[i].end < PIPE_BYTES)
		events |= POLLIN;
	if (l->flows[1 - i].start < l->flows[1 - i].end)
		events |= POLLOUT;
	return events;
}

size_t proxy_poll(struct proxy *p, struct pollfd *fds, size_t max)
{
	size_t n = 0;

	for (size_t i = 0; i < p->listener_count; i++) {
		struct listener *l = &p->listeners[i];

		l->polled = 0;
		if (l->fd < 0 || p->link_count == PROXY_LINKS_MAX || n == max)
			continue;
		fds[n++] = (struct pollfd){.fd = l->fd, .events = POLLIN};
		l->polled = n;
	}
	for (size_t i = 0; i < p->link_count; i++) {
		for (int e = 0; e < 2; e++) {
			short events = wanted_events(p->links[i], e);

			p->links[i]->polled[e] = 0;
			/* an end that nothing is wanted from would wake the loop by its hang-up again and again */
			if (!events || n == max)
				continue;
			fds[n++] = (struct pollfd){.fd = p->links[i]->ends[e], .events = events};
			p->links[i]->polled[e] = n;
		}
	}
	return n;
}

static short seen(const struct pollfd *fds, size_t count, size_t polled)
{
	return polled && polled <= count ? fds[polled - 1].revents : 0;
}

void proxy_step(struct proxy *p, const struct pollfd *fds, size_t count)
{
	/* backwards: an ended link's place is taken by the last one, which was looked at already */
	for (size_t i = p->link_count; i-- > 0;) {
		struct link *l = p->links[i];
		short events[2] = {seen(fds, count, l->polled[0]), seen(fds, count, l->polled[1])};

		if (!events[0] && !events[1])
			continue;
		if (!link_step(l, events))
			link_cut(p, i);
		else if (link_over(l))
			link_end(p, i);
	}
	for (size_t i = 0; i < p->listener_count; i++)
		if (seen(fds, count, p->listeners[i].polled) & POLLIN && p->link_count < PROXY_LINKS_MAX)
			accept_one(p, &p->listeners[i]);
}
