#include "base/file.h"
#include "base/cli.h"
#include "base/stop.h"
#include "scenarios/commands.h"
#include "scenarios/follow_pod.h"
#include "scenarios/follower.h"
#include "scenarios/run_dir.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>

/* Waits for bytes, a signal, or what is due. */
static bool wait_input(const struct follower *f, const struct clock *clock, bool *ret_ready, struct err *err)
{
	struct pollfd fds[] = {{.fd = STDIN_FILENO, .events = POLLIN}, {.fd = stop_fd(), .events = POLLIN}};
	int64_t left_ms = (follower_due_ns(f) - clock_mono_ns(clock)) / 1000000 + 1;

	*ret_ready = false;
	if (poll(fds, 2, left_ms > 0 ? (int)(left_ms < 1000 ? left_ms : 1000) : 0) < 0 && errno != EINTR)
		return err_errno(err, ERR_IO, errno, "wait for standard input");
	*ret_ready = fds[0].revents != 0;
	return true;
}

static bool follow(struct follower *f, const struct clock *clock, struct err *err)
{
	char bytes[RECORD_FEED_MAX];
	bool ready;

	while (!*stop_flag()) {
		ssize_t got;

		if (!follower_tick(f, err) || !wait_input(f, clock, &ready, err))
			return false;
		if (!ready)
			continue;
		got = read(STDIN_FILENO, bytes, sizeof bytes);
		if (got < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (got < 0)
			return err_errno(err, ERR_IO, errno, "read standard input");
		if (!got)
			return true;
		if (!follower_feed(f, bytes, (size_t)got, err))
			return false;
	}
	return true;
}

/* Where the log comes from: standard input, or a pod. */
struct source {
	const char *namespace_, *pod, *container, *kubeconfig, *context;
};

#define UNREACHABLE_MS 600000

static bool follow_api(const struct source *s, struct follower *f, const struct clock *clock, struct err *err)
{
	CLEANUP(kube) struct kube *kube = NULL;
	KUBE_CONFIG_CLEANUP struct kube_config config = {0};
	const struct kube_config_options where = {.path = s->kubeconfig, .context = s->context};
	const struct kube_options options = {.clock = clock, .stop = stop_flag(), .stop_fd = stop_fd()};
	struct follow_pod p = {.pod = s->pod,
	    .container = s->container,
	    .clock = clock,
	    .stop = stop_flag(),
	    .unreachable_ms = UNREACHABLE_MS};

	if (!kube_config_load(&where, &config, err) || !kube_new(&config, &options, &kube, err))
		return false;
	p.kube = kube;
	p.namespace_ = s->namespace_ ? s->namespace_ : config.namespace_;
	return follow_pod_run(&p, f, err);
}

static int run(const char *program, const char *dir, const char *journal, const struct source *source)
{
	CLEANUP(follower) struct follower *f = NULL;
	const struct clock *clock = clock_system();
	struct err err = ERR_INIT;
	struct record_head head;
	bool ok;

	/* a file-size limit is to be an error of write, not a signal */
	signal(SIGXFSZ, SIG_IGN);
	if (!stop_install(&err) || !follower_new(dir, journal, clock, &f, &err))
		return err_print(program, &err);
	ok = source->pod ? follow_api(source, f, clock, &err) : follow(f, clock, &err);
	/* what was copied before the fault is evidence all the same */
	if (!follower_finish(f, ok ? &err : NULL) || !ok)
		return err_print(program, &err);
	head = follower_head(f);
	if (*stop_flag())
		return *stop_flag() == SIGINT ? EXIT_INTERRUPTED : EXIT_PASS;
	if (follower_sealed(f))
		return EXIT_PASS;
	fprintf(stderr,
	    "%s: the log ended, but the journal is not sealed: its last record is %llu\n%s: hint: follow the log again "
	    "if its writer still lives\n",
	    program, (unsigned long long)head.n, program);
	return EXIT_INCONCLUSIVE;
}

int cmd_follow(int argc, char **argv)
{
	const char *dir = NULL, *journal = RUN_JOURNAL;
	struct source source = {0};
	const struct opt opts[] = {
	    {.name = "pod",
		.kind = OPT_STRING,
		.ret = &source.pod,
		.arg = "POD",
		.help = "follow this pod's log through the API, in place of standard input"},
	    {.name = "namespace",
		.kind = OPT_STRING,
		.ret = &source.namespace_,
		.arg = "NAMESPACE",
		.help = "the pod's (default: the kubeconfig's)"},
	    {.name = "container",
		.kind = OPT_STRING,
		.ret = &source.container,
		.arg = "NAME",
		.help = "the pod's container (default: the only one)"},
	    {.name = "kubeconfig",
		.kind = OPT_STRING,
		.ret = &source.kubeconfig,
		.arg = "FILE",
		.help = "as for kubectl"},
	    {.name = "context",
		.kind = OPT_STRING,
		.ret = &source.context,
		.arg = "NAME",
		.help = "the kubeconfig's context"},
	    {.name = "run",
		.kind = OPT_STRING,
		.ret = &dir,
		.arg = "DIR",
		.help = "the run directory",
		.required = true},
	    {.name = "journal",
		.kind = OPT_STRING,
		.ret = &journal,
		.arg = "NAME",
		.help = "file name of the copy in the run directory (default: journal.jsonl)"},
	    {.name = NULL},
	};
	const struct opt_command command = {.program = argv[0],
	    .args = "",
	    .about = "Reads a ticker's log, on standard input or with --pod through the API, and copies the journal's "
		     "records out of it, checked by "
		     "number and chain, into the run directory. Other lines go to "
		     "logs/ticker.log. Once a second, and at the first acknowledged tick of every stream, the copy is "
		     "synced and the timeline gets a head: the last "
		     "record's number, chain and newest acknowledged ticks. "
		     "Started again, it goes on behind its last record; repeats are dropped.",
	    .opts = opts,
	    .more =
		"Examples:\n  psmdb-drill follow --run runs/7 --namespace mongo-ns --pod ticker\n"
		"  kubectl logs -f ticker | psmdb-drill follow --run runs/7\n\n"
		"Exit status: 0 the log ended and the journal is sealed, or SIGTERM; 2 usage; 3 error: a record is\n"
		"missing or wrong, or the disk failed; 4 the log ended before the journal did; 130 interrupted.",
	    .max_args = 0};
	struct err err = ERR_INIT;
	int status;

	if (!cli_options(&command, argc, argv, NULL, NULL, &status))
		return status;
	if (!journal[0] || strchr(journal, '/')) {
		err_set(&err, ERR_USAGE, "option \"--journal\": \"%s\" is no file name", journal);
		err_hint(&err, "name a file, without a folder: it lies in the run directory");
		return err_print(argv[0], &err);
	}
	return run(argv[0], dir, journal, &source);
}
