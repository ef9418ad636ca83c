#include "tests/support/kube_api_fixture.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/proc.h"
#include "doc/yaml.h"
#include "kube/client.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ADDRESS "127.0.0.1"
#define READY_MS 10000

static int free_port(void)
{
	struct sockaddr_in at = {.sin_family = AF_INET};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), port = 0;
	socklen_t len = sizeof at;

	inet_pton(AF_INET, ADDRESS, &at.sin_addr);
	if (fd >= 0 && !bind(fd, (struct sockaddr *)&at, len) && !getsockname(fd, (struct sockaddr *)&at, &len))
		port = ntohs(at.sin_port);
	if (fd >= 0)
		close(fd);
	return port;
}

static bool start_server(struct kube_api_fixture *f, struct err *err)
{
	char port[16], log[300];
	const char *const argv[] = {
	    PSMDB_SANDBOX, "serve", "api", "--dir", f->dir, "--address", ADDRESS, "--port", port, NULL};
	struct proc_spec spec = PROC_SPEC_INIT;

	snprintf(port, sizeof port, "%d", free_port());
	snprintf(log, sizeof log, "%s/api.log", f->dir);
	snprintf(f->kubeconfig, sizeof f->kubeconfig, "%s/kubeconfig", f->dir);
	spec.argv = argv;
	spec.log_path = log;
	return proc_start(&spec, &f->pid, err);
}

static bool answers(void *arg, struct err *err)
{
	struct kube_api_fixture *f = arg;
	const struct kube_config_options where = {.path = f->kubeconfig};
	const struct kube_options options = {.timeout_ms = 500};
	KUBE_CONFIG_CLEANUP struct kube_config config = {0};
	CLEANUP(kube) struct kube *kube = NULL;
	CLEANUP(json) struct json *version = NULL;
	struct err ignored = ERR_INIT;

	(void)err;
	return file_exists(f->kubeconfig) && kube_config_load(&where, &config, &ignored) &&
	       kube_new(&config, &options, &kube, &ignored) && kube_get_raw(kube, "/version", &version, &ignored);
}

static bool apply_file(struct kube *kube, const char *path, struct err *err)
{
	const struct yaml_limits limits = YAML_LIMITS_DEFAULT;
	struct yaml_docs docs = {0};
	bool ok = yaml_read(path, &limits, &docs, err);

	for (size_t i = 0; ok && i < docs.count; i++)
		ok = kube_apply(kube, NULL, json_root(docs.items[i]), true, false, NULL, err);
	yaml_docs_clear(&docs);
	return ok;
}

/* The custom kinds of a sandbox. */
static bool apply_kinds(struct kube_api_fixture *f, struct err *err)
{
	const struct kube_config_options where = {.path = f->kubeconfig};
	KUBE_CONFIG_CLEANUP struct kube_config config = {0};
	CLEANUP(kube) struct kube *kube = NULL;
	DIR *folder = opendir(CRDS);
	struct dirent *entry;
	bool ok = kube_config_load(&where, &config, err) && kube_new(&config, NULL, &kube, err);

	while (ok && folder && (entry = readdir(folder))) {
		char path[PATH_MAX];

		if (!strstr(entry->d_name, ".yaml"))
			continue;
		snprintf(path, sizeof path, "%s/%s", CRDS, entry->d_name);
		ok = apply_file(kube, path, err);
	}
	if (folder)
		closedir(folder);
	return ok;
}

bool kube_api_fixture_start(struct kube_api_fixture **ret, char *ret_why, size_t size)
{
	const char *given = getenv("PSMDB_TEST_KUBECONFIG");
	struct kube_api_fixture *f = calloc(1, sizeof *f);
	struct err err = ERR_INIT;

	if (!f)
		return false;
	snprintf(f->dir, sizeof f->dir, "/tmp/drill-kube-XXXXXX");
	if (!mkdtemp(f->dir)) {
		free(f);
		snprintf(ret_why, size, "no folder for it in /tmp");
		return false;
	}
	if (given)
		snprintf(f->kubeconfig, sizeof f->kubeconfig, "%s", given);
	if (given || (start_server(f, &err) &&
			 wait_for(clock_system(), "the API server", READY_MS, 20, NULL, answers, f, &err) &&
			 apply_kinds(f, &err))) {
		*ret = f;
		return true;
	}
	snprintf(ret_why, size, "%s", err.msg);
	kube_api_fixture_stop(f, true);
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
