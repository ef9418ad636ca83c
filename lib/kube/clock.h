/* The server's wall clock against this machine's. */
#ifndef KUBE_CLOCK_H
#define KUBE_CLOCK_H

#include "kube/client.h"

/*
 * The server's clock less the client's, in ms, +- error. By the Date of several answers, which counts whole seconds: each says that the
 * server was within that second between request and answer, and all of them together say it to about an eighth of a second. Takes
 * about a second. *ret_known false: the answers have no Date. Servers behind one address whose clocks differ make the error larger.
 */
bool kube_clock(struct kube *k, bool *ret_known, int64_t *ret_offset_ms, int64_t *ret_error_ms, struct err *err);

#endif
