#include "fake_server.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define SEEN_MAX 8192

/* Reads a whole request: the head, and as much body as its Content-Length says. */
static void read_request(int fd, int seen_fd)
{
	static char text[4 << 20];
	size_t len = 0;

	while (len < sizeof text - 1) {
		ssize_t got = read(fd, text + len, sizeof text - 1 - len);
		char *end, *length;

		if (got <= 0)
			break;
		/* the test reads this only at the end: no more than a pipe holds */
		if (len < SEEN_MAX && write(seen_fd, text + len, (size_t)(got < SEEN_MAX ? got : SEEN_MAX)) < 0)
			_exit(2);
		len += (size_t)got;
		text[len] = '\0';
		end = strstr(text, "\r\n\r\n");
		if (!end)
			continue;
		length = strcasestr(text, "content-length:");
		if (!length || length > end || len >= (size_t)(end + 4 - text) + strtoul(length + 15, NULL, 10))
			break;
	}
}

static void send_all(int fd, const char *text, size_t len)
{
	while (len) {
		ssize_t put = send(fd, text, len, MSG_NOSIGNAL);

		if (put <= 0)
			return;
		text += put;
		len -= (size_t)put;
	}
}

static void serve(int listener, int seen_fd, const char *const *answers, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		int fd = accept(listener, NULL, NULL);
		const char *answer = answers[i];
		size_t len = strlen(answer);

		if (fd < 0)
			_exit(1);
		if (*answer)
			read_request(fd, seen_fd);
		if (!strcmp(answer, "<hang>")) {
			for (;;)
				pause();
		}
		if (!strncmp(answer, "<slow>", 6)) {
			answer += 6;
			len -= 6;
			send_all(fd, answer, len / 2);
			/* a pause that a client which hangs up cuts short */
			poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, 300);
			send_all(fd, answer + len / 2, len - len / 2);
		} else {
			send_all(fd, answer, len);
		}
		shutdown(fd, SHUT_WR);
		close(fd);
	}
	close(listener);
	close(seen_fd);
	_exit(0);
}

void fake_server_start(struct fake_server *s, const char *const *answers, size_t count)
{
	struct sockaddr_in addr = {.sin_family = AF_INET};
	socklen_t len = sizeof addr;
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), pipe_fds[2];

	inet_pton(AF_INET, "127.13.1.1", &addr.sin_addr);
	cr_assert(!bind(listener, (struct sockaddr *)&addr, sizeof addr));
	cr_assert(!listen(listener, 16));
	cr_assert(!getsockname(listener, (struct sockaddr *)&addr, &len));
	cr_assert(!pipe(pipe_fds));
	s->port = ntohs(addr.sin_port);
	s->seen_fd = pipe_fds[0];
	s->pid = fork();
	cr_assert(s->pid >= 0);
	if (!s->pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(pipe_fds[0]);
		serve(listener, pipe_fds[1], answers, count);
	}
	close(listener);
	close(pipe_fds[1]);
}

void fake_server_stop(struct fake_server *s, char **ret_seen)
{
	char *text = calloc(1, 1 << 20);
	size_t len = 0;
	ssize_t got;

	kill(s->pid, SIGKILL);
	waitpid(s->pid, NULL, 0);
	while ((got = read(s->seen_fd, text + len, (1 << 20) - 1 - len)) > 0)
		len += (size_t)got;
	close(s->seen_fd);
	if (ret_seen)
		*ret_seen = text;
	else
		free(text);
}
