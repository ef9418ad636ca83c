#include "sandbox/serve.h"

#include "base/cli.h"
#include "base/stop.h"
#include "kube/config.h"
#include "sandbox/kubelet/kubelet.h"
#include "sandbox/parts/address.h"
#include "sandbox/parts/cmd.h"

#include <stdio.h>
#include <string.h>

/* "127.A.B", as given or as the API server's address has it. */
static bool find_range(const char *given, const char *kubeconfig, int *ret, struct err *err)
{
	const struct kube_config_options where = {.path = kubeconfig};
	KUBE_CONFIG_CLEANUP struct kube_config config = {0};
	char text[32];
	int a, b;

	if (!given) {
		if (!kube_config_load(&where, &config, err))
			return false;
		if (sscanf(config.server, "https://127.%d.%d.", &a, &b) != 2)
			return err_set(err, ERR_USAGE, "\"%s\" is no address of a sandbox", config.server) ||
			       err_hint(err, "give --range");
		snprintf(text, sizeof text, "127.%d.%d.0/24", a, b);
	} else {
		snprintf(text, sizeof text, "%s.0/24", given);
	}
	if (address_range_parse(text, ret))
		return true;
	err_set(err, ERR_USAGE, "option \"--range\": \"%s\" is no range of a sandbox", given ? given : text);
	return err_hint(err, "it is 127.A.B with A from 64 to 127");
}

int serve_kubelet(int argc, char **argv)
{
	const char *dir = NULL, *range = NULL;
	int64_t log_port = 0;
	const struct opt opts[] = {
	    CMD_OPT(
		"dir", OPT_STRING, &dir, "DIR", "the sandbox's folder, with system.kubeconfig in it", .required = true),
	    CMD_OPT("range", OPT_STRING, &range, "127.A.B", "addresses of pods (default: the API server's)"),
	    CMD_OPT("log-port", OPT_INT, &log_port, "PORT",
		"where an API server that is not the embedded one reads pods' logs, over HTTPS (default: nowhere)", .min = 1,
		.max = 65535),
	    {0},
	};
	const struct opt_command command = {"psmdb-sandbox serve kubelet", "",
	    "Runs the pods of a sandbox as processes, with the controllers that a cluster has beside a kubelet: "
	    "StatefulSets, Deployments, Endpoints, volumes, service addresses and names. Stays until SIGTERM; the pods "
	    "end with it and are started again by the next one.",
	    opts, cmd_exit_statuses, 0, 0};
	const struct log log = {LOG_INFO, "kubelet", NULL};
	char absolute[LAYOUT_DIR_MAX], kubeconfig[LAYOUT_DIR_MAX + 32];
	struct kubelet_config config = {
	    .dir = absolute, .kubeconfig = kubeconfig, .clock = clock_system(), .log = &log};
	struct err err = ERR_INIT;
	int status;

	if (!cli_options(&command, argc, argv, NULL, NULL, &status))
		return status;
	if (!cmd_dir(dir, absolute, &err) || !stop_install(&err))
		return err_print("psmdb-sandbox", &err);
	snprintf(kubeconfig, sizeof kubeconfig, "%s/system.kubeconfig", absolute);
	config.log_port = (uint16_t)log_port;
	config.stop = stop_flag();
	config.stop_fd = stop_fd();
	if (!find_range(range, kubeconfig, &config.range, &err) || !kubelet_run(&config, &err))
		return err_print("psmdb-sandbox", &err);
	return EXIT_PASS;
}
