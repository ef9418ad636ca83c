#include "sandbox/parts/address.h"

#include "base/digest.h"
#include "base/num.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define RANGES_TRIED 64

const char *address_text(int range, int host, char text[static ADDRESS_MAX])
{
	snprintf(text, ADDRESS_MAX, "127.%u.%u.%u", (64u + (unsigned)range / 256u) & 0xff, (unsigned)range & 0xff,
	    (unsigned)host & 0xff);
	return text;
}

const char *address_range_text(int range, char text[static 24])
{
	char address[ADDRESS_MAX];

	snprintf(text, 24, "%s/24", address_text(range, 0, address));
	return text;
}

bool address_range_parse(const char *text, int *ret_range)
{
	unsigned a, b;
	char again[24];
	int range;

	if (sscanf(text, "127.%3u.%3u.0/24", &a, &b) != 2 || a < 64 || a > 127 || b > 255)
		return false;
	range = (int)((a - 64) * 256 + b);
	if (strcmp(text, address_range_text(range, again)) != 0)
		return false;
	*ret_range = range;
	return true;
}

bool address_port_free(const char *address, uint16_t port, int *ret_errno)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
	bool ok;

	if (fd < 0) {
		*ret_errno = errno;
		return false;
	}
	/* As the servers do: connections of an earlier server in TIME_WAIT do not count. */
	ok = inet_pton(AF_INET, address, &at.sin_addr) == 1 &&
	     !setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) &&
	     !bind(fd, (struct sockaddr *)&at, sizeof at) && !listen(fd, 1);
	*ret_errno = ok ? 0 : errno;
	close(fd);
	return ok;
}

static bool need_port(const char *address, uint16_t port, struct err *err)
{
	int errnum;

	if (address_port_free(address, port, &errnum))
		return true;
	err_errno(err, ERR_EXISTS, errnum, "port %u of address %s is taken", port, address);
	return err_hint(
	    err, "see who listens there with \"ss -ltnp 'sport = :%u'\" (0.0.0.0 takes it from all addresses)", port);
}

/* -1: somebody holds it. */
static int hold_name(const char *kind, int number)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	int len = snprintf(at.sun_path + 1, sizeof at.sun_path - 1, "psmdb-drill/sandbox/%s/%d", kind, number);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd >= 0 &&
	    bind(fd, (struct sockaddr *)&at, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)len))) {
		close(fd);
		return -1;
	}
	return fd;
}

static bool range_free(const struct address_want *want, int range, struct err *err)
{
	char address[ADDRESS_MAX];

	for (int host = want->hosts_first; host < want->hosts_first + want->hosts; host++)
		if (!need_port(address_text(range, host, address), want->main_port, err))
			return false;
	return true;
}

static bool try_range(const struct address_want *want, int range, struct address_hold *hold, struct err *err)
{
	char text[24];

	hold->range_fd = hold_name("range", range);
	if (hold->range_fd < 0)
		return err_set(
		    err, ERR_EXISTS, "addresses %s are in use by another sandbox", address_range_text(range, text));
	if (!range_free(want, range, err)) {
		close(hold->range_fd);
		hold->range_fd = -1;
		return false;
	}
	hold->range = range;
	return true;
}

/* The S3 server also listens on 127.0.0.1, whatever address it is given. */
static bool block_free(const struct address_want *want, int range, uint16_t first, struct err *err)
{
	char address[ADDRESS_MAX];

	address_text(range, want->ports_host, address);
	for (int i = 0; i < want->ports; i++) {
		uint16_t port = (uint16_t)(first + i), grpc = (uint16_t)(port + PORTS_GRPC_OFFSET);

		if (!need_port(address, port, err) || !need_port(address, grpc, err) ||
		    !need_port("127.0.0.1", port, err) || !need_port("127.0.0.1", grpc, err))
			return false;
	}
	return true;
}

static bool try_block(const struct address_want *want, uint16_t first, struct address_hold *hold, struct err *err)
{
	hold->ports_fd = hold_name("ports", first);
	if (hold->ports_fd < 0)
		return err_set(err, ERR_EXISTS, "ports %u to %u are in use by another sandbox", first,
		    first + PORTS_PER_BLOCK - 1);
	if (!block_free(want, hold->range, first, err)) {
		close(hold->ports_fd);
		hold->ports_fd = -1;
		return false;
	}
	hold->ports = first;
	return true;
}

static uint32_t seed_number(const char *seed)
{
	unsigned char digest[SHA256_BYTES];

	sha256_of(seed, strlen(seed), digest);
	return (uint32_t)digest[0] << 24 | (uint32_t)digest[1] << 16 | (uint32_t)digest[2] << 8 | digest[3];
}

static bool take_range(const struct address_want *want, uint32_t seed, struct address_hold *hold, struct err *err)
{
	struct err first = ERR_INIT;

	if (want->range >= 0)
		return try_range(want, want->range, hold, err);
	for (uint32_t i = 0; i < RANGES_TRIED; i++) {
		struct err each = ERR_INIT;

		if (try_range(want, (int)((seed + i) % ADDRESS_RANGES), hold, &each))
			return true;
		if (!i)
			first = each;
	}
	*err = first;
	return err_wrap(err, "none of %d ranges of loopback addresses is free", RANGES_TRIED);
}

static bool take_block(const struct address_want *want, uint32_t seed, struct address_hold *hold, struct err *err)
{
	struct err first = ERR_INIT;

	if (want->port_block)
		return try_block(want, want->port_block, hold, err);
	for (uint32_t i = 0; i < PORT_BLOCKS; i++) {
		struct err each = ERR_INIT;

		if (try_block(
			want, (uint16_t)(PORT_BLOCK_FIRST + (seed + i) % PORT_BLOCKS * PORTS_PER_BLOCK), hold, &each))
			return true;
		if (!i)
			first = each;
	}
	*err = first;
	return err_wrap(err, "none of %d blocks of ports is free", PORT_BLOCKS);
}

bool address_take(const struct address_want *want, struct address_hold *ret, struct err *err)
{
	struct address_hold hold = ADDRESS_HOLD_INIT;
	uint32_t seed = seed_number(want->seed);

	if (!take_range(want, seed, &hold, err))
		return false;
	if (want->ports && !take_block(want, seed, &hold, err)) {
		address_release(&hold);
		return false;
	}
	*ret = hold;
	return true;
}

void address_release(struct address_hold *hold)
{
	if (hold->range_fd >= 0)
		close(hold->range_fd);
	if (hold->ports_fd >= 0)
		close(hold->ports_fd);
	*hold = (struct address_hold)ADDRESS_HOLD_INIT;
}
