/* psmdb-sandbox serve kasten: the process around kasten.h. */
#include "base/cli.h"
#include "base/stop.h"
#include "sandbox/kasten/kasten.h"
#include "sandbox/parts/cmd.h"
#include "sandbox/serve.h"

#include <poll.h>

#define NAME "psmdb-sandbox serve kasten"
#define CALL_TIMEOUT_MS 5000

static void wait_until(const struct kasten *k, int64_t next_ms)
{
	struct pollfd fd = {.fd = stop_fd(), .events = POLLIN};
	int64_t left = next_ms - kasten_now(k);

	if (left > 0)
		poll(&fd, 1, left > 1000 ? 1000 : (int)left);
}

static void loop(struct kasten *k)
{
	log_line(k->log, LOG_INFO, "ready", NULL);
	while (!*stop_flag()) {
		int64_t next_ms;

		kasten_tick(k, &next_ms);
		wait_until(k, next_ms);
	}
}

static bool serve(const char *kubeconfig, const char *store, int64_t poll_max_ms, struct err *err)
{
	const struct log log = {.least = LOG_INFO, .program = "kasten"};
	const struct kube_config_options where = {.path = kubeconfig};
	KUBE_CONFIG_CLEANUP struct kube_config config = {0};
	CLEANUP(kube) struct kube *kube = NULL;
	struct kube_options options = {.timeout_ms = CALL_TIMEOUT_MS, .manager = "kasten"};
	struct kasten k = {.clock = clock_system(), .log = &log, .poll_max_ms = poll_max_ms};
	bool ok;

	if (!stop_install(err) || !kube_config_load(&where, &config, err))
		return false;
	options.stop = stop_flag();
	options.stop_fd = stop_fd();
	if (!kube_new(&config, &options, &kube, err))
		return false;
	k.kube = kube;
	k.stop = stop_flag();
	k.stop_fd = stop_fd();
	ok = kasten_open(&k, store, err);
	if (ok)
		loop(&k);
	kasten_close(&k);
	return ok;
}

int serve_kasten(int argc, char **argv)
{
	const char *kubeconfig = NULL, *store = NULL;
	int64_t poll_max_ms = 100;
	const struct opt opts[] = {
	    CMD_OPT("kubeconfig", OPT_STRING, &kubeconfig, "FILE", "the API server to work with", .required = true),
	    CMD_OPT("store", OPT_STRING, &store, "DIR", "where restore points and actions under way are kept",
		.required = true),
	    CMD_OPT("poll-max", OPT_DURATION, &poll_max_ms, "TIME",
		"longest pause between two looks of a blueprint's Wait; Kanister's own is 10s (default: 100ms)",
		.min = 100, .max = 10000),
	    {0},
	};
	const struct opt_command command = {NAME, "",
	    "Stands in for Kasten K10 with Kanister: validates profiles and policies, runs policies with the "
	    "blueprints "
	    "that objects name, keeps restore points, exports and imports them, restores them.",
	    opts, cmd_exit_statuses, 0, 0};
	struct err err = ERR_INIT;
	int status;

	if (!cli_options(&command, argc, argv, NULL, NULL, &status))
		return status;
	return serve(kubeconfig, store, poll_max_ms, &err) ? EXIT_PASS : err_print(NAME, &err);
}
