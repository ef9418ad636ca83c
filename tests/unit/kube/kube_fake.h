/* A client of a scripted API server (tests/unit/net/fake_server.h) whose pauses cost nothing. */
#ifndef KUBE_FAKE_H
#define KUBE_FAKE_H

#include "../net/fake_server.h"
#include "kube/watch.h"

#define ANSWER(status, type, body) "HTTP/1.1 " status "\r\nContent-Type: " type "\r\nConnection: close\r\n\r\n" body
#define JSON(status, body) ANSWER(status, "application/json", body)
#define OK(body) JSON("200 OK", body)
#define COUNT(list) (sizeof(list) / sizeof *(list))

struct kube_fake {
	struct fake_server server;
	struct kube_config config;
	struct clock clock;
	int64_t skipped_ns; /* of pauses */
	struct kube *kube;
	struct kube_kind pods, psmdb;
};

void kube_fake_start(struct kube_fake *f, const char *const *answers, size_t count);
/* Ends both; *ret_seen (may be NULL) is what was sent, malloc'd. */
void kube_fake_stop(struct kube_fake *f, char **ret_seen);

#endif
