/* A scripted HTTP server in a child process: each connection gets the next answer of the script, byte for byte, and its
 * request is kept. */
#ifndef FAKE_SERVER_H
#define FAKE_SERVER_H

#include <stddef.h>
#include <sys/types.h>

struct fake_server {
	pid_t pid;
	int port;
	int seen_fd; /* what clients sent, all connections one after the other */
};

/* "": close at once. "<hang>": read and never answer. Text behind "<slow>" is sent in two halves, 300 ms apart. After
 * the last answer connections are refused. */
void fake_server_start(struct fake_server *s, const char *const *answers, size_t count);
/* Ends it; *ret_seen (may be NULL) is malloc'd. */
void fake_server_stop(struct fake_server *s, char **ret_seen);

#endif
