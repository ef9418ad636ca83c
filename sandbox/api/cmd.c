/* psmdb-sandbox serve api */
#include "base/cli.h"
#include "base/file.h"
#include "base/log.h"
#include "base/stop.h"
#include "sandbox/api/credentials.h"
#include "sandbox/api/handler.h"
#include "sandbox/api/server.h"
#include "sandbox/serve.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#define PROGRAM "psmdb-sandbox api"
#define FILES_ENOUGH (4 * SERVER_CONNECTIONS_MAX)
#define PEM_MAX 16384
#define COALESCE_MS 20 /* changes often come together */
#define SWEEP_RETRY_MS 1000

static bool range_parse(const char *text, struct api *api)
{
	char first[INET_ADDRSTRLEN], last[INET_ADDRSTRLEN];

	return sscanf(text, "%15[0-9.]-%15[0-9.]", first, last) == 2 &&
	       inet_pton(AF_INET, first, &api->service_first) == 1 && inet_pton(AF_INET, last, &api->service_last) == 1;
}

/* How long to wait for the next one, as poll has it: not at all while it moves something, for a change if it does not. */
static int sweep_once(struct api *api, const struct log *log, struct err *said)
{
	struct err err = ERR_INIT;
	bool changed;

	if (api_sweep(api, &changed, &err)) {
		*said = err;
		return changed ? 0 : -1;
	}
	/* The requests are served all the same, and a full disk may have room again. */
	if (strcmp(err.msg, said->msg) != 0)
		log_line(log, LOG_WARN, "sweep failed", "error", err.msg, NULL);
	*said = err;
	return SWEEP_RETRY_MS;
}

/* Where 1,024 is the habit, they would be used up before the most connections are there: one each, and the store's and logs'. */
static void take_files(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) || files.rlim_cur >= FILES_ENOUGH)
		return;
	files.rlim_cur = files.rlim_max < FILES_ENOUGH ? files.rlim_max : FILES_ENOUGH;
	(void)setrlimit(RLIMIT_NOFILE, &files);
}

/* Until a signal: after each change what takes several steps is moved on. */
static bool sweep_until_stopped(struct api *api, const struct log *log, struct err *err)
{
	struct store_watcher watcher = {.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
	struct pollfd fds[] = {{.fd = stop_fd(), .events = POLLIN}, {.fd = watcher.fd, .events = POLLIN}};
	struct err said = ERR_INIT;
	int wait_ms = 0;
	bool ok = true;
	eventfd_t ignored;

	if (watcher.fd < 0)
		return err_errno(err, ERR_IO, errno, "watch the store");
	db_watch(api->store, &watcher);
	while (ok && !*stop_flag()) {
		if (poll(fds, 2, wait_ms) < 0 && errno != EINTR)
			ok = err_errno(err, ERR_IO, errno, "poll");
		if (fds[1].revents) {
			(void)eventfd_read(watcher.fd, &ignored);
			poll(fds, 1, COALESCE_MS);
		}
		if (ok)
			wait_ms = sweep_once(api, log, &said);
	}
	db_unwatch(api->store, &watcher);
	close(watcher.fd);
	return ok;
}

static void handle(void *arg, const struct api_request *request, struct api_response *ret)
{
	api_handle(arg, request, ret);
}

static bool admits(void *arg, const struct api_request *request)
{
	return api_admits(arg, request);
}

struct serve_args {
	const char *dir, *address, *range;
	int64_t port;
};

static bool read_pem(const char *dir, const char *rest, struct buf *out, struct err *err)
{
	char path[PATH_MAX];

	return (snprintf(path, sizeof path, "%s/%s", dir, rest) < PATH_MAX ||
		   err_set(err, ERR_LIMIT, "too long a path")) &&
	       file_read(path, out, err);
}

static bool serve(const struct serve_args *a, struct err *err)
{
	const struct log log = {.least = LOG_INFO, .program = PROGRAM};
	BUF_CLEANUP struct buf cert = BUF_INIT(PEM_MAX), key = BUF_INIT(PEM_MAX);
	CLEANUP(auth) struct auth *auth = NULL;
	CLEANUP(store) struct store *store = NULL;
	CLEANUP(server) struct server *server = NULL;
	char path[PATH_MAX], pods[PATH_MAX], at[64];
	struct store_options options = {.path = path};
	struct api api = {.server_address = at, .pod_dir = pods};
	struct server_options listen = {
	    .address = a->address, .port = (uint16_t)a->port, .admits = admits, .handle = handle, .arg = &api};

	snprintf(at, sizeof at, "%s:%d", a->address, (int)a->port);
	if (a->range && !range_parse(a->range, &api))
		return err_set(
		    err, ERR_USAGE, "option \"--service-range\": \"%.64s\" is not ADDRESS-ADDRESS", a->range);
	if (snprintf(pods, sizeof pods, "%s/pods", a->dir) >= PATH_MAX ||
	    snprintf(path, sizeof path, "%s/" API_TOKENS, a->dir) >= PATH_MAX)
		return err_set(err, ERR_LIMIT, "folder \"%.100s...\" has too long a path", a->dir);
	if (!api_credentials_ensure(a->dir, a->address, (uint16_t)a->port, err) ||
	    !read_pem(a->dir, API_TLS_CERT, &cert, err) || !read_pem(a->dir, API_TLS_KEY, &key, err) ||
	    !auth_new(path, &auth, err))
		return false;
	snprintf(path, sizeof path, "%s/api/store.jsonl", a->dir);
	if (!db_new(&options, &store, err))
		return false;
	api.store = store;
	api.auth = auth;
	listen.cert_pem = buf_str(&cert);
	listen.key_pem = buf_str(&key);
	if (!api_prepare(&api, err) || !server_start(&listen, &server, err))
		return false;
	log_line(&log, LOG_INFO, "ready", "msg", "ready", "address", at, NULL);
	return sweep_until_stopped(&api, &log, err);
}

int serve_api(int argc, char **argv)
{
	struct serve_args a = {0};
	const struct opt opts[] = {
	    {.name = "dir",
		.kind = OPT_STRING,
		.ret = &a.dir,
		.arg = "DIR",
		.help = "the sandbox's folder",
		.required = true},
	    {.name = "address",
		.kind = OPT_STRING,
		.ret = &a.address,
		.arg = "ADDRESS",
		.help = "where to listen",
		.required = true},
	    {.name = "port",
		.kind = OPT_INT,
		.ret = &a.port,
		.arg = "PORT",
		.help = "the port",
		.min = 1,
		.max = 65535,
		.required = true},
	    {.name = "service-range",
		.kind = OPT_STRING,
		.ret = &a.range,
		.arg = "FIRST-LAST",
		.help = "addresses that services get (default: none)"},
	    {.name = NULL},
	};
	const struct opt_command command = {.program = argv[0],
	    .args = "",
	    .about = "The embedded Kubernetes API server. Objects are kept in DIR/api/store.jsonl; tokens are read "
		     "from DIR/api/tokens.csv, again "
		     "when that changes; every known token may do everything.",
	    .opts = opts,
	    .more = "Exit status: 0 ended by SIGTERM, 2 usage, 3 error."};
	struct err err = ERR_INIT;
	int status;

	if (!cli_options(&command, argc, argv, NULL, NULL, &status))
		return status;
	take_files();
	if (!stop_install(&err) || !serve(&a, &err))
		return err_print(PROGRAM, &err);
	return EXIT_PASS;
}
