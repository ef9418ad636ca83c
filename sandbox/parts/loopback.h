/*
 * What a real API server does not take, and the sandbox's way around it: Endpoints with addresses in the loopback range,
 * which all of the sandbox's are. The operator writes the address into an annotation then, and the kubelet reads it from
 * there. Pure, and in a header alone: both sides share nothing else of it.
 */
#ifndef PARTS_LOOPBACK_H
#define PARTS_LOOPBACK_H

#include "base/err.h"

#include <string.h>

/* Below metadata/annotations in a path; its value is "ADDRESS", "" for none at the moment. */
#define LOOPBACK_BACKEND "psmdb-sandbox~1backend"

/* Of a call that writes Endpoints: it was refused for this reason, with kube-apiserver's own words. */
static inline bool loopback_refused(const struct err *err)
{
	return err->code == ERR_REMOTE && strstr(err->msg, "loopback range");
}

#endif
