/* The operator's process: options, the loop, the end. */
#include "sandbox/operator/operator.h"
#include "sandbox/serve.h"

#include "base/cli.h"
#include "base/stop.h"
#include "mongo/client.h"
#include "sandbox/parts/binaries.h"
#include "sandbox/parts/cmd.h"
#include "sandbox/parts/set.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RESYNC_MS 5000 /* the real one's RESYNC_PERIOD */
#define AGAIN_MS 100
#define DOWN_MS 1000
#define VERSION_LIMIT_MS 10000
#define END_LIMIT_MS 1500

static void find_pbm(struct operator* op)
{
	const char *argv[] = {op->pbm_binary, "version", "--out", "json", NULL};
	BUF_CLEANUP struct buf out = BUF_INIT(65536);
	struct proc_spec spec = PROC_SPEC_INIT;
	struct proc_exit ex;
	struct answer answer;
	struct err err = ERR_INIT;

	spec.argv = argv;
	spec.stop = op->stop;
	if (!binary_find(BINARY_PBM, op->pbm_binary, &err) ||
	    !proc_run(op->clock, &spec, VERSION_LIMIT_MS, &out, &ex, &err)) {
		log_line(op->log, LOG_ERROR, "no pbm: backups and restores will fail", "error", err.msg, NULL);
		return;
	}
	answer_of_version(buf_str(&out), &answer);
	if (answer.state == ANSWER_NAMED)
		snprintf(op->pbm_version, sizeof op->pbm_version, "%s", answer.name);
	log_line(op->log, LOG_INFO, "pbm", "version", op->pbm_version, "path", op->pbm_binary, NULL);
}

/* Jobs whose object is gone. */
static void drop_orphans(struct operator* op)
{
	static const enum space_kind kinds[] = {SPACE_BACKUP, SPACE_RESTORE};

	for (int i = 0; i < OPERATOR_CLUSTERS_MAX; i++) {
		struct pbm_job *job = &op->clusters[i].job;
		bool found = job->order.kind == JOB_FREE;

		for (size_t k = 0; k < sizeof kinds / sizeof *kinds && !found; k++)
			for (const json_node *o = space_first(&op->space, kinds[k]); o && !found; o = json_next(o))
				found = !strcmp(kube_uid(o), job->order.uid);
		if (!found)
			pbm_job_free(job);
	}
}

/* Clusters go first: a restore finds mongos gone then, and a backup the cluster's state of this pass at the latest in the next. */
static bool reconcile(struct operator* op, struct err *err)
{
	if (!space_look(&op->space, err))
		return false;
	drop_orphans(op);
	return clusters_reconcile(op, err) && restores_reconcile(op, err) && backups_reconcile(op, err);
}

static int wait_ms(const struct operator* op, int64_t resync_at_ms)
{
	int64_t now_ms = clock_mono_ms(op->clock), until = resync_at_ms;

	for (int i = 0; i < OPERATOR_CLUSTERS_MAX; i++) {
		int64_t due = pbm_job_due_ms(&op->clusters[i].job);

		/* a child that closed its output early is still to be reaped */
		if (child_running(&op->clusters[i].job.child) && due > now_ms + AGAIN_MS)
			due = now_ms + AGAIN_MS;
		if (due < until)
			until = due;
	}
	return until <= now_ms ? 1 : (int)(until - now_ms);
}

/* Until something may have changed; false: until the end. */
static bool wait_for_news(struct operator* op, int64_t resync_at_ms)
{
	struct pollfd fds[2 + OPERATOR_CLUSTERS_MAX] = {
	    {.fd = stop_fd(), .events = POLLIN}, {.fd = op->space.notify_fd, .events = POLLIN}};
	nfds_t count = 2;

	for (int i = 0; i < OPERATOR_CLUSTERS_MAX; i++)
		if (op->clusters[i].job.child.fd >= 0)
			fds[count++] = (struct pollfd){.fd = op->clusters[i].job.child.fd, .events = POLLIN};
	poll(fds, count, wait_ms(op, resync_at_ms));
	return !*op->stop;
}

static void run(struct operator* op)
{
	int64_t resync_at_ms = 0;
	bool ready = false;

	while (wait_for_news(op, resync_at_ms)) {
		bool due = clock_mono_ms(op->clock) >= resync_at_ms;
		struct pollfd news = {.fd = op->space.notify_fd, .events = POLLIN};
		struct err err = ERR_INIT;

		due |= poll(&news, 1, 0) > 0;
		due |= jobs_tick(op);
		if (!due)
			continue;
		kube_notify_drain(op->space.notify_fd);
		resync_at_ms = clock_mono_ms(op->clock) + (ready ? RESYNC_MS : AGAIN_MS);
		if (!space_synced(&op->space))
			continue;
		if (!ready)
			log_line(op->log, LOG_INFO, "ready", "namespace", op->space.namespace_, NULL);
		ready = true;
		if (!reconcile(op, &err)) {
			if (err.code != ERR_INTERRUPTED)
				log_line(op->log, LOG_ERROR, "reconcile", "error", err.msg, NULL);
			resync_at_ms = clock_mono_ms(op->clock) + DOWN_MS;
		} else if (op->space.again) {
			resync_at_ms = clock_mono_ms(op->clock) + AGAIN_MS;
		}
	}
}

static bool no_keepers(void *arg, struct err *err)
{
	(void)err;
	return !atomic_load(&((struct operator*)arg)->keepers_running);
}

/* A keeper may be in the middle of a slow answer of a mongod: what it does is done again by the next start. */
static void end(struct operator* op)
{
	for (int i = 0; i < OPERATOR_CLUSTERS_MAX; i++)
		operator_cluster_free(&op->clusters[i]);
	if (!wait_for(op->clock, "keepers", END_LIMIT_MS, 20, NULL, no_keepers, op, NULL))
		_exit(EXIT_PASS);
	space_close(&op->space);
}

static bool serve(const char *kubeconfig, const char *namespace_, struct err *err)
{
	const struct kube_config_options where = {.path = kubeconfig};
	const struct log log = {LOG_INFO, "operator", NULL};
	const char *mongos = getenv("PSMDB_SANDBOX_MONGOS");
	KUBE_CONFIG_CLEANUP struct kube_config config = {0};
	struct operator* op = calloc(1, sizeof *op);
	struct kube_options options;
	bool ok;

	if (!op)
		return err_nomem(err);
	op->clock = clock_system();
	op->log = &log;
	op->stop = stop_flag();
	op->have_mongos = mongos && !strcmp(mongos, "yes");
	for (int i = 0; i < OPERATOR_CLUSTERS_MAX; i++)
		op->clusters[i].job = (struct pbm_job)JOB_INIT;
	options = (struct kube_options){
	    .clock = op->clock, .stop = op->stop, .stop_fd = stop_fd(), .timeout_ms = 10000, .manager = OP_MANAGER};
	mongo_init();
	ok = kube_config_load(&where, &config, err) && space_open(&op->space, &config, &options, namespace_, &log, err);
	if (ok) {
		find_pbm(op);
		run(op);
		end(op);
	}
	free(op);
	mongo_cleanup();
	return ok;
}

int serve_operator(int argc, char **argv)
{
	const char *kubeconfig = NULL, *namespace_ = NULL;
	const struct opt opts[] = {
	    CMD_OPT("kubeconfig", OPT_STRING, &kubeconfig, "FILE", "how to reach the API server", .required = true),
	    CMD_OPT("namespace", OPT_STRING, &namespace_, "NAME", "the namespace to look after", .required = true),
	    {0},
	};
	const struct opt_command command = {"psmdb-sandbox serve operator", "",
	    "Plays Percona's operator for MongoDB, version " OP_VERSION ", in one namespace: psmdb, psmdb-backup and "
	    "psmdb-restore, around real mongods and PBM. Stays until SIGTERM.",
	    opts, cmd_exit_statuses, 0, 0};
	struct err err = ERR_INIT;
	int status;

	if (!cli_options(&command, argc, argv, NULL, NULL, &status))
		return status;
	if (!op_name_valid(namespace_)) {
		err_set(&err, ERR_USAGE, "option \"--namespace\": \"%.60s\" is no namespace's name", namespace_);
		err_hint(&err, "give the operator's own namespace");
		return err_print("psmdb-sandbox", &err);
	}
	return stop_install(&err) && serve(kubeconfig, namespace_, &err) ? EXIT_PASS : err_print("psmdb-sandbox", &err);
}
