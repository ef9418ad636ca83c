#include "sandbox/kubelet/reach.h"

#include "base/cleanup.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

bool reach_port(const char *ip, uint16_t port)
{
	const struct timeval limit = {.tv_usec = 50000};
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
	CLEANUP(fd) int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	return fd >= 0 && inet_pton(AF_INET, ip, &to.sin_addr) == 1 &&
	       !setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) &&
	       !connect(fd, (const struct sockaddr *)&to, sizeof to);
}

bool reach_server(const char *url)
{
	const char *host = strstr(url, "://");
	unsigned port;
	char ip[16];

	if (!host || sscanf(host + 3, "%15[0-9.]:%5u", ip, &port) != 2 || strncmp(ip, "127.", 4) != 0 || port > 65535)
		return true;
	return reach_port(ip, (uint16_t)port);
}
