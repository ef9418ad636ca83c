/* Both ends of DIR/control.sock. A path longer than a socket address allows is fine: it is reached through the opened
 * folder. */
#ifndef PARTS_CONNECTION_H
#define PARTS_CONNECTION_H

#include "base/clock.h"
#include "sandbox/parts/control.h"

/* DIR/lock, held by whoever supervises (or is about to). ERR_STATE: somebody else does. */
bool sandbox_lock(const char *dir, int *ret_fd, struct err *err);
/* True: a supervisor holds the lock. */
bool sandbox_locked(const char *dir);
/* Waits until nobody holds it. */
bool sandbox_wait_unlocked(const struct clock *clock, const char *dir, int64_t timeout_ms, struct err *err);

bool connection_listen(const char *dir, int *ret_fd, struct err *err);

/* Both ends of a connection without a listener: the supervisor's (non-blocking), the client's. */
bool connection_pair(int ret_fds[static 2], struct err *err);

struct connection {
	int fd;
	const struct clock *clock;
	const volatile int *stop; /* as in base/stop.h; NULL: cannot be interrupted */
};

/* ERR_NOT_FOUND: no sandbox runs there. */
bool connection_open(
    const char *dir, const struct clock *clock, const volatile int *stop, struct connection *ret, struct err *err);
void connection_close(struct connection *c);
/* Sends a request line and returns the answer line in out, without its newline. */
bool connection_call(
    struct connection *c, const struct buf *request, int64_t timeout_ms, struct buf *out, struct err *err);
/* The same for requests about parts (parts NULL: none), with the answer as the error. */
bool connection_request(struct connection *c, enum control_op op, const char *const *parts, size_t count,
    int64_t timeout_ms, struct err *err);
bool connection_phase(struct connection *c, enum sandbox_phase phase, struct err *err);
bool connection_shutdown(struct connection *c, bool at_once, int64_t timeout_ms, struct err *err);

#endif
