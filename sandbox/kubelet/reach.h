/* Whether somebody listens. */
#ifndef KUBELET_REACH_H
#define KUBELET_REACH_H

#include <stdbool.h>
#include <stdint.h>

/* Loopback answers a connect at once, with yes or no, unless the listener's backlog is full: false after 50 ms then. */
bool reach_port(const char *ip, uint16_t port);
/* "https://127.1.2.2:6443/...": the same; true for anything but an address on the loopback with a port. */
bool reach_server(const char *url);

#endif
