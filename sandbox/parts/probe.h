/*
 * Readiness of a process, asked again and again without ever blocking.
 *
 * Two ways: a text in what the process itself has written to its log since its start (cannot be fooled by somebody
 * else's process on the same port), or an HTTP request that must be answered with any status.
 */
#ifndef PARTS_PROBE_H
#define PARTS_PROBE_H

#include <stdbool.h>
#include <stdint.h>

enum probe_kind { PROBE_LOG, PROBE_HTTP };

struct probe_spec {
	enum probe_kind kind;
	char text[128];	  /* PROBE_LOG: what must appear; PROBE_HTTP: the path to GET */
	char address[16]; /* PROBE_HTTP */
	uint16_t port;
};

struct probe {
	int fd; /* a connection under way, or -1 */
	int64_t log_offset;
	int64_t asked_ms;
};

#define PROBE_INIT                                                                                                     \
	{                                                                                                              \
		.fd = -1                                                                                               \
	}

/* Forgets what was seen; the log counts from its present end. */
void probe_restart(struct probe *probe, const char *log_path);
void probe_clear(struct probe *probe);
/* One step; true once ready. */
bool probe_step(struct probe *probe, const struct probe_spec *spec, const char *log_path, int64_t now_ms);

#endif
