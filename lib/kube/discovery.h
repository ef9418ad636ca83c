/* Inside of this room: what kinds a server has said that it knows, as far as it was asked. */
#ifndef KUBE_DISCOVERY_H
#define KUBE_DISCOVERY_H

#include <stdbool.h>
#include <stddef.h>

struct known_kind;

struct discovery {
	struct known_kind *items;
	size_t count, cap;
	bool all;	  /* every group's preferred version is in, */
	char unread[128]; /* but for this one's, which could not be read */
};

void discovery_clear(struct discovery *d);

#endif
