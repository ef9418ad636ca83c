/*
 * An API server for a test: the one whose kubeconfig PSMDB_TEST_KUBECONFIG names (an empty one, with the custom kinds of sandbox/crds), else
 * the sandbox's embedded server, started for it.
 */
#ifndef TESTS_SUPPORT_KUBE_API_FIXTURE_H
#define TESTS_SUPPORT_KUBE_API_FIXTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct kube_api_fixture {
	char dir[200]; /* for the test's own files, too; 0700 */
	char kubeconfig[256];
	pid_t pid; /* 0: not ours */
};

/* False with why the test is to be skipped. */
bool kube_api_fixture_start(struct kube_api_fixture **ret, char *ret_why, size_t size);
/* keep: leave the folder, and say where it is. */
void kube_api_fixture_stop(struct kube_api_fixture *f, bool keep);

#endif
