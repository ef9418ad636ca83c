/*
 * Addresses of a sandbox: a range 127.A.B.0/24 (A from 64 to 127) of its own, and a block of ten high ports.
 *
 * A range or block that is in use is held by an abstract Unix socket: the kernel frees it with its holder, and its
 * scope is the network namespace, exactly that of the loopback addresses (files in a folder would be neither). Beyond
 * that each port is tried by binding it, which also finds listeners that are no sandbox's: a listener on 0.0.0.0
 * takes its port from every loopback address.
 */
#ifndef PARTS_ADDRESS_H
#define PARTS_ADDRESS_H

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

#define ADDRESS_MAX 16
#define PORTS_PER_BLOCK 10
#define PORTS_GRPC_OFFSET 10000 /* the S3 server listens on each of its ports and on that port plus this one */

/* Range number n (0 .. ADDRESS_RANGES-1) is 127.(64 + n / 256).(n % 256).0/24. */
#define ADDRESS_RANGES (64 * 256)
#define PORT_BLOCK_FIRST 20000
#define PORT_BLOCKS                                                                                                    \
	276 /* so that the last port plus PORTS_GRPC_OFFSET stays below the kernel's ephemeral ports (32768) */

/* "127.A.B.host" */
const char *address_text(int range, int host, char text[static ADDRESS_MAX]);
bool address_range_parse(const char *text, int *ret_range); /* "127.A.B.0/24", only of the ranges above */
const char *address_range_text(int range, char text[static 24]);

/* What is held: abstract sockets; the descriptors are inherited by a forked supervisor and closed on exec. */
struct address_hold {
	int range_fd, ports_fd;
	int range;	/* number */
	uint16_t ports; /* first port of the block */
};

#define ADDRESS_HOLD_INIT                                                                                              \
	{                                                                                                              \
		-1, -1, -1, 0                                                                                          \
	}

struct address_want {
	int hosts_first, hosts; /* the hosts whose main_port must be free */
	uint16_t main_port;
	int ports_host;	     /* the host on which the block's ports must be free */
	int ports;	     /* how many of the block are used */
	int range;	     /* take this range, -1: any, beginning at a place derived from seed */
	uint16_t port_block; /* its first port, 0: any */
	const char *seed;
};

/* ERR_EXISTS names the address and port that is taken. Released by address_release, or by the death of the holder. */
bool address_take(const struct address_want *want, struct address_hold *ret, struct err *err);
void address_release(struct address_hold *hold);
/* True: this address and port can be bound now. */
bool address_port_free(const char *address, uint16_t port, int *ret_errno);

#endif
