#include "sandbox/parts/probe.h"

#include "base/cleanup.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define ANSWER_LIMIT_MS 2000

void probe_clear(struct probe *probe)
{
	if (probe->fd >= 0)
		close(probe->fd);
	probe->fd = -1;
}

void probe_restart(struct probe *probe, const char *log_path)
{
	struct stat st;

	probe_clear(probe);
	probe->log_offset = stat(log_path, &st) ? 0 : (int64_t)st.st_size;
}

/* Moves log_offset forward but keeps enough of the tail for a text that is cut by the end of what has been written so
 * far. */
static bool step_log(struct probe *probe, const char *text, const char *log_path)
{
	char chunk[16384];
	CLEANUP(fd) int fd = open(log_path, O_RDONLY | O_CLOEXEC);
	size_t keep = strlen(text) - 1;
	ssize_t got;

	if (fd < 0)
		return false;
	while ((got = pread(fd, chunk, sizeof chunk, probe->log_offset)) > 0) {
		if (memmem(chunk, (size_t)got, text, strlen(text)))
			return true;
		if ((size_t)got <= keep)
			return false;
		probe->log_offset += got - (ssize_t)keep;
	}
	return false;
}

static bool begin_http(struct probe *probe, const struct probe_spec *spec)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(spec->port)};
	char request[256];
	int len;

	probe->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (probe->fd < 0 || inet_pton(AF_INET, spec->address, &to.sin_addr) != 1)
		return false;
	/* Loopback answers a connect at once, with yes or no, unless the listener's backlog is full: then the time-out
	 * below bounds it. */
	if (setsockopt(
		probe->fd, SOL_SOCKET, SO_SNDTIMEO, &(struct timeval){.tv_usec = 100000}, sizeof(struct timeval)) ||
	    connect(probe->fd, (struct sockaddr *)&to, sizeof to))
		return false;
	len = snprintf(
	    request, sizeof request, "GET %s HTTP/1.0\r\nHost: %s:%u\r\n\r\n", spec->text, spec->address, spec->port);
	return send(probe->fd, request, (size_t)len, MSG_NOSIGNAL) == len;
}

static bool step_http(struct probe *probe, const struct probe_spec *spec, int64_t now_ms)
{
	char answer[8];
	ssize_t got;

	if (probe->fd < 0) {
		probe->asked_ms = now_ms;
		if (!begin_http(probe, spec))
			probe_clear(probe);
		return false;
	}
	got = recv(probe->fd, answer, sizeof answer, MSG_DONTWAIT);
	if (got < 0 && (errno == EAGAIN || errno == EINTR) && now_ms - probe->asked_ms < ANSWER_LIMIT_MS)
		return false;
	probe_clear(probe);
	return got >= 5 && !memcmp(answer, "HTTP/", 5);
}

bool probe_step(struct probe *probe, const struct probe_spec *spec, const char *log_path, int64_t now_ms)
{
	if (spec->kind == PROBE_LOG)
		return step_log(probe, spec->text, log_path);
	return step_http(probe, spec, now_ms);
}
