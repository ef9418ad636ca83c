/*
 * An HTTP endpoint for those who watch a run: /metrics (OpenMetrics) and /healthz (200, or 503 with one line that says why). Read only,
 * without authentication: it tells counts, names of namespaces and of the replica set, and no secret.
 */
#ifndef TICKER_ENDPOINT_H
#define TICKER_ENDPOINT_H

#include "base/cleanup.h"
#include "ticker/metrics.h"

struct endpoint;

/* where: ADDRESS:PORT, numeric, "[::1]:9216" for IPv6, ":9216" for every address. state: asked for each request, from another thread. */
bool endpoint_start(const char *where, void (*state)(void *ctx, struct metrics_state *ret), void *ctx,
    struct endpoint **ret, struct err *err);
void endpoint_stop(struct endpoint *e); /* may be NULL */

#endif
