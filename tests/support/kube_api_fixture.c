#include "tests/support/kube_api_fixture.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/proc.h"

#include <stdio.h>
#include <stdlib.h>

bool kube_api_fixture_start(struct kube_api_fixture **ret, char *ret_why, size_t size)
{
	const char *given = getenv("PSMDB_TEST_KUBECONFIG");
	struct kube_api_fixture *f = calloc(1, sizeof *f);

	if (!f)
		return false;
	snprintf(f->dir, sizeof f->dir, "/tmp/drill-kube-XXXXXX");
	if (!mkdtemp(f->dir)) {
		free(f);
		snprintf(ret_why, size, "no folder for it in /tmp");
		return false;
	}
	if (given) {
		snprintf(f->kubeconfig, sizeof f->kubeconfig, "%s", given);
		*ret = f;
		return true;
	}
	snprintf(ret_why, size, "no API server: PSMDB_TEST_KUBECONFIG is not set");
	kube_api_fixture_stop(f, false);
	return false;
}

void kube_api_fixture_stop(struct kube_api_fixture *f, bool keep)
{
	struct proc_exit ex;

	if (!f)
		return;
	if (f->pid)
		proc_stop(clock_system(), f->pid, 5000, &ex, NULL);
	if (keep)
		printf("# see %s\n", f->dir);
	else
		file_remove_tree(f->dir, NULL);
	free(f);
}
