/*
 * psmdb-sandbox parts against the real mongod, PBM and S3 server. Each test has a folder of its own, and looks behind
 * the program's back: at /proc for processes, at sockets for ports, at the disk for files.
 */
#include "base/file.h"
#include "base/proc.h"
#include "mongo/client.h"
#include "sandbox/parts/leftovers.h"
#include "sandbox/parts/state.h"

#include <criterion/criterion.h>
#include <arpa/inet.h>
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define ARGS_MAX 16
#define DOCUMENTS 200

static char base[PATH_MAX];
static struct buf said = BUF_INIT(1 << 20);

static void set_up(void)
{
	const char *tmp = getenv("TMPDIR");

	snprintf(base, sizeof base, "%s/psmdb-parts-XXXXXX", tmp && *tmp ? tmp : "/tmp");
	cr_assert(mkdtemp(base));
	mongo_init();
}

static struct proc_spec spec_of(const char *argv[static ARGS_MAX], const char *command, const char *dir,
    const char *const *more, const char *const *env)
{
	struct proc_spec spec = PROC_SPEC_INIT;
	int n = 0;

	argv[n++] = PSMDB_SANDBOX;
	argv[n++] = "parts";
	argv[n++] = command;
	argv[n++] = "--dir";
	argv[n++] = dir;
	for (; more && *more; more++)
		argv[n++] = *more;
	argv[n] = NULL;
	spec.argv = argv;
	spec.env_set = env;
	return spec;
}

#define MORE(...) ((const char *const[]){__VA_ARGS__, NULL})

static int run_env(const char *command, const char *dir, const char *const *more, const char *const *env)
{
	const char *argv[ARGS_MAX];
	struct proc_spec spec = spec_of(argv, command, dir, more, env);
	struct proc_exit ex;
	struct err err = ERR_INIT;

	buf_reset(&said);
	cr_assert(proc_run(clock_system(), &spec, 150000, &said, &ex, &err), "%s", err.msg);
	cr_assert_not(ex.signaled);
	return ex.status;
}

static int run(const char *command, const char *dir, const char *const *more)
{
	return run_env(command, dir, more, NULL);
}

#define RUN_OK(...) cr_assert_eq(run(__VA_ARGS__), 0, "%s", buf_str(&said))

static const char *dir_of(const char *name, char ret[static PATH_MAX])
{
	snprintf(ret, PATH_MAX, "%.1000s/%s", base, name);
	return ret;
}

/* Everything else that runs with the folder in its command line, by looking at each process of the machine. */
static int count_processes(const char *dir)
{
	DIR *d = opendir("/proc");
	struct dirent *e;
	int count = 0;

	cr_assert(d);
	while ((e = readdir(d))) {
		BUF_CLEANUP struct buf text = BUF_INIT(1 << 20);
		char path[300];

		snprintf(path, sizeof path, "/proc/%s/cmdline", e->d_name);
		if (e->d_name[0] < '0' || e->d_name[0] > '9' || atoi(e->d_name) == getpid() ||
		    !file_read(path, &text, NULL))
			continue;
		if (text.len && memmem(text.data, text.len, dir, strlen(dir))) {
			count++;
			continue;
		}
		buf_reset(&text);
		/* An agent's command line names nothing: its environment does. */
		snprintf(path, sizeof path, "/proc/%s/environ", e->d_name);
		if (file_read(path, &text, NULL) && text.len) {
			char home[PATH_MAX];

			snprintf(home, sizeof home, "HOME=%.1000s", dir);
			if (memmem(text.data, text.len, home, strlen(home)))
				count++;
		}
	}
	closedir(d);
	return count;
}

static bool no_process(void *arg, struct err *err)
{
	(void)err;
	return !count_processes(arg);
}

#define EXPECT_NO_PROCESS(dir)                                                                                         \
	cr_expect(wait_for(clock_system(), "no process", 3000, 20, NULL, no_process, (void *)(uintptr_t)(dir), NULL),  \
	    "%d processes of %s are left", count_processes(dir), dir)

static void tear_down(void)
{
	DIR *d = opendir(base);
	struct dirent *e;

	while (d && (e = readdir(d))) {
		char dir[PATH_MAX];

		if (e->d_name[0] != '.' && e->d_type == DT_DIR)
			run("down", dir_of(e->d_name, dir), MORE("--purge"));
	}
	if (d)
		closedir(d);
	file_remove_tree(base, NULL);
	buf_clear(&said);
	mongo_cleanup();
}

TestSuite(parts, .init = set_up, .fini = tear_down, .timeout = 280);

static struct state *load(const char *dir)
{
	struct state *state = malloc(sizeof *state);
	struct err err = ERR_INIT;

	cr_assert(state && state_load(dir, state, &err), "%s", err.msg);
	return state;
}

static void expect_ports_free(const struct layout *l)
{
	char address[ADDRESS_MAX];
	int errnum;

	for (int i = 0; i < l->members; i++)
		cr_expect(
		    address_port_free(layout_member_address(l, i, address), l->mongod_port, &errnum), "%s", address);
	cr_expect(address_port_free(layout_s3_address(l, address), (uint16_t)(l->ports + S3_PORT), &errnum));
}

static mongoc_client_t *connect_as(const struct layout *l, enum secret_user user, int socket_timeout_ms)
{
	BUF_CLEANUP struct buf uri = BUF_INIT(4096);
	struct mongo_target target = {
	    .app_name = "parts_test", .user = secret_user_name(user), .socket_timeout_ms = socket_timeout_ms};
	mongoc_client_t *client;
	struct secrets secrets;
	struct err err = ERR_INIT;

	cr_assert(layout_uri(l, &uri, &err) && secrets_load(l, &secrets, &err), "%s", err.msg);
	target.uri = buf_str(&uri);
	target.password = secrets.password[user];
	cr_assert(mongo_client_new(&target, &client, &err), "%s", err.msg);
	return client;
}

/* As the ticker: its least privilege must be enough. */
static void insert(const struct layout *l, const char *db, int from, int count)
{
	CLEANUP(mongoc_client) mongoc_client_t *client = connect_as(l, USER_TICKER, 0);
	mongoc_collection_t *c = mongoc_client_get_collection(client, db, "ticker");
	mongoc_write_concern_t *majority = mongoc_write_concern_new();
	bson_error_t error;

	mongoc_write_concern_set_w(majority, MONGOC_WRITE_CONCERN_W_MAJORITY);
	mongoc_collection_set_write_concern(c, majority);
	for (int i = from; i < from + count; i++) {
		bson_t *doc = BCON_NEW("_id", BCON_INT32(i));

		cr_assert(mongoc_collection_insert_one(c, doc, NULL, NULL, &error), "%s", error.message);
		bson_destroy(doc);
	}
	mongoc_write_concern_destroy(majority);
	mongoc_collection_destroy(c);
}

/* As the verifier. */
static int64_t count(const struct layout *l, const char *db)
{
	CLEANUP(mongoc_client) mongoc_client_t *client = connect_as(l, USER_VERIFIER, 0);
	mongoc_collection_t *c = mongoc_client_get_collection(client, db, "ticker");
	bson_t filter = BSON_INITIALIZER;
	bson_error_t error;
	int64_t n = mongoc_collection_count_documents(c, &filter, NULL, NULL, NULL, &error);

	cr_assert(n >= 0, "%s", error.message);
	mongoc_collection_destroy(c);
	return n;
}

static void may_not(const struct layout *l, enum secret_user user, const char *db, const char *collection)
{
	CLEANUP(mongoc_client) mongoc_client_t *client = connect_as(l, user, 0);
	mongoc_collection_t *c = mongoc_client_get_collection(client, db, collection);
	bson_t *doc = BCON_NEW("_id", BCON_INT32(-1));
	bson_error_t error;

	cr_expect_not(mongoc_collection_insert_one(c, doc, NULL, NULL, &error), "%s may write %s.%s",
	    secret_user_name(user), db, collection);
	cr_expect_eq(error.code, 13);
	bson_destroy(doc);
	mongoc_collection_destroy(c);
}

static void expect_no_secret_in(const char *path, const struct secrets *s)
{
	BUF_CLEANUP struct buf text = BUF_INIT(64 << 20);

	if (!file_read(path, &text, NULL) || !text.len)
		return;
	for (int i = 0; i < SECRET_USER_COUNT; i++) {
		/* The random end of it: an encoded or escaped form holds that unchanged. */
		const char *end = s->password[i] + strlen(s->password[i]) - 16;

		cr_expect_not(memmem(text.data, text.len, end, 16), "%s holds the password of %s", path,
		    secret_user_name((enum secret_user)i));
	}
	cr_expect_not(memmem(text.data, text.len, s->s3_secret, strlen(s->s3_secret)), "%s holds the S3 secret", path);
}

static void expect_secrets_kept(const struct state *state)
{
	struct secrets s;
	char path[PATH_MAX];
	struct dirent *e;
	DIR *d;

	cr_assert(secrets_load(&state->layout, &s, NULL));
	d = opendir(layout_file(&state->layout, "logs").text);
	cr_assert(d);
	while ((e = readdir(d))) {
		snprintf(path, sizeof path, "%.1000s/logs/%s", state->layout.dir, e->d_name);
		expect_no_secret_in(path, &s);
	}
	closedir(d);
	expect_no_secret_in(layout_file(&state->layout, "state.json").text, &s);
	for (size_t i = 0; i < state->count; i++) {
		snprintf(path, sizeof path, "/proc/%d/cmdline", (int)state->processes[i].pid);
		expect_no_secret_in(path, &s);
	}
}

#define NOT_FOR_PARTS "somebody-elses-password"

static void expect_environment_clean(const struct state *state)
{
	for (size_t i = 0; i < state->count; i++) {
		BUF_CLEANUP struct buf text = BUF_INIT(1 << 20);
		char path[64];

		snprintf(path, sizeof path, "/proc/%d/environ", (int)state->processes[i].pid);
		cr_assert(file_read(path, &text, NULL) && text.len, "%s", path);
		cr_expect_not(
		    memmem(text.data, text.len, NOT_FOR_PARTS, strlen(NOT_FOR_PARTS)), "%s", state->processes[i].name);
	}
}

/* The S3 server's logger puts its process number at the end of its files' names. */
static void expect_no_log_in_tmp(pid_t s3)
{
	DIR *d = opendir("/tmp");
	struct dirent *e;
	char end[24];

	cr_assert(d);
	snprintf(end, sizeof end, ".%d", (int)s3);
	while ((e = readdir(d))) {
		const char *last = strrchr(e->d_name, '.');

		cr_expect_not(!strncmp(e->d_name, "weed.", 5) && last && !strcmp(last, end), "/tmp/%s", e->d_name);
	}
	closedir(d);
}

/* Three members frozen at once: no majority, no answer, and nothing lost. */
static void freeze_and_thaw(const char *dir, const struct layout *l)
{
	CLEANUP(mongoc_client) mongoc_client_t *client = connect_as(l, USER_VERIFIER, 1000);
	bson_t *ping = BCON_NEW("ping", BCON_INT32(1));
	bson_t reply;
	struct err err = ERR_INIT;

	cr_assert(mongo_command(client, "admin", ping, &reply, &err), "%s", err.msg);
	bson_destroy(&reply);
	RUN_OK("freeze", dir, MORE("mongod"));
	cr_expect_not(mongo_command(client, "admin", ping, &reply, &err));
	bson_destroy(&reply);
	RUN_OK("thaw", dir, MORE("mongod"));
	cr_expect_eq((int)count(l, "drill"), DOCUMENTS);
	bson_destroy(ping);
}

static pid_t supervisor_of(const char *dir)
{
	BUF_CLEANUP struct buf text = BUF_INIT(STATE_MAX_BYTES);
	char path[PATH_MAX];
	const char *at;

	snprintf(path, sizeof path, "%.1000s/state.json", dir);
	cr_assert(file_read(path, &text, NULL));
	at = strstr(buf_str(&text), "\"supervisor\":");
	return at ? (pid_t)atoi(at + strlen("\"supervisor\":")) : 0;
}

static pid_t pid_of(const char *dir, const char *part)
{
	CLEANUP(free) struct state *state = load(dir);

	for (size_t i = 0; i < state->count; i++)
		if (!strcmp(state->processes[i].name, part))
			return state->processes[i].pid;
	return 0;
}

struct restarted_arg {
	const char *dir;
	pid_t before;
};

static bool agent_is_back(void *arg, struct err *err)
{
	struct restarted_arg *a = arg;
	pid_t now = pid_of(a->dir, "pbm-agent-1");

	(void)err;
	return now && now != a->before && run("status", a->dir, NULL) == 0;
}

static void an_agent_that_dies_comes_back(const char *dir)
{
	struct restarted_arg arg = {dir, pid_of(dir, "pbm-agent-1")};

	cr_assert_eq(kill(arg.before, SIGKILL), 0);
	cr_expect(wait_for(clock_system(), "a new agent", 15000, 50, NULL, agent_is_back, &arg, NULL));
}

Test(parts, a_backup_survives_the_disaster_and_a_killed_supervisor_leaves_nothing_behind)
{
	CLEANUP(free) struct state *state = NULL;
	char dir[PATH_MAX], backup[64];

	dir_of("story", dir);
	setenv("MONGODB_PASSWORD", NOT_FOR_PARTS, 1);
	RUN_OK("up", dir, NULL);
	state = load(dir);
	expect_environment_clean(state);
	expect_no_log_in_tmp(pid_of(dir, "s3"));
	cr_expect_eq(run("status", dir, NULL), 0);
	insert(&state->layout, "drill", 0, DOCUMENTS);
	insert(&state->layout, "admin", 0, 1);
	may_not(&state->layout, USER_TICKER, "drill", "other");
	may_not(&state->layout, USER_VERIFIER, "drill", "ticker");
	freeze_and_thaw(dir, &state->layout);
	an_agent_that_dies_comes_back(dir);

	cr_assert_eq(run("create", dir, NULL), 3);
	RUN_OK("backup", dir, NULL);
	snprintf(backup, sizeof backup, "%.*s", (int)strcspn(buf_str(&said), "\n"), buf_str(&said));
	insert(&state->layout, "drill", DOCUMENTS, 10);
	RUN_OK("wipe", dir, NULL);
	cr_expect_not(file_exists(layout_file(&state->layout, "mongod-0/data").text));
	cr_expect_eq(run("status", dir, NULL), 3);
	RUN_OK("create", dir, NULL);
	cr_expect_eq((int)count(&state->layout, "drill"), 0);
	RUN_OK("restore", dir, MORE(backup));
	cr_expect_eq((int)count(&state->layout, "drill"), DOCUMENTS);
	cr_expect_eq((int)count(&state->layout, "admin"), 1);
	cr_expect_eq(run("restore", dir, MORE("2001-01-01T00:00:00Z")), 3);
	expect_secrets_kept(state);

	cr_assert_eq(kill(supervisor_of(dir), SIGKILL), 0);
	EXPECT_NO_PROCESS(dir);
	cr_expect_eq(run("status", dir, NULL), 3);
	RUN_OK("up", dir, NULL);
	cr_expect_eq((int)count(&state->layout, "drill"), DOCUMENTS);
	RUN_OK("down", dir, NULL);
	EXPECT_NO_PROCESS(dir);
	expect_ports_free(&state->layout);
	RUN_OK("down", dir, MORE("--purge"));
	cr_expect_not(file_exists(dir));
}

Test(parts, two_sandboxes_run_side_by_side)
{
	CLEANUP(free) struct state *a = NULL;
	CLEANUP(free) struct state *b = NULL;
	/* Longer than a socket address may be. */
	char one[PATH_MAX], two[PATH_MAX];
	pid_t first;

	dir_of("one", one);
	dir_of(
	    "a-folder-with-a-name-that-is-longer-than-the-hundred-and-eight-bytes-of-a-socket-address-and-blanks in it",
	    two);
	first = fork();
	if (!first)
		_exit(run("up", one, MORE("--members", "1")));
	RUN_OK("up", two, MORE("--members", "1", "--pbm-compression", "zstd"));
	cr_assert_eq(waitpid(first, &(int){0}, 0), first);
	RUN_OK("status", one, NULL);
	a = load(one);
	b = load(two);
	cr_expect_neq(a->layout.range, b->layout.range);
	cr_expect_neq(a->layout.ports, b->layout.ports);
	insert(&a->layout, "drill", 0, 3);
	cr_expect_eq((int)count(&b->layout, "drill"), 0);
	cr_expect_eq(run("up", one, NULL), 3);
	cr_expect(strstr(buf_str(&said), "already running") != NULL);
	RUN_OK("down", one, MORE("--purge"));
	cr_expect_eq((int)count(&b->layout, "drill"), 0);
	RUN_OK("down", two, MORE("--purge"));
	cr_expect_not(file_exists(one) || file_exists(two));
}

Test(parts, a_mongod_that_dies_at_once_is_named_with_its_exit_status)
{
	char dir[PATH_MAX];

	dir_of("dies", dir);
	cr_expect_eq(run_env("up", dir, MORE("--members", "1"), MORE("PSMDB_DRILL_MONGOD=/bin/false")), 3);
	cr_expect(strstr(buf_str(&said), "\"mongod-0\" ended with exit status 1"), "%s", buf_str(&said));
	EXPECT_NO_PROCESS(dir);
}

Test(parts, a_mongod_that_is_refused_its_options_is_quoted)
{
	char dir[PATH_MAX], script[PATH_MAX], text[PATH_MAX + 100], variable[PATH_MAX + 100], mongod[PATH_MAX];
	struct err err = ERR_INIT;

	cr_assert(binary_find(BINARY_MONGOD, mongod, &err), "%s", err.msg);
	dir_of("quoted", dir);
	dir_of("bad-mongod", script);
	snprintf(text, sizeof text, "#!/bin/sh\nexec '%s' \"$@\" --storageEngine fountain\n", mongod);
	cr_assert(file_write_atomic(script, text, strlen(text), 0700, &err), "%s", err.msg);
	snprintf(variable, sizeof variable, "PSMDB_DRILL_MONGOD=%s", script);
	cr_expect_eq(run_env("up", dir, MORE("--members", "1"), MORE(variable)), 3);
	cr_expect(strstr(buf_str(&said), "fountain"), "%s", buf_str(&said));
	cr_expect(strstr(buf_str(&said), "logs/mongod-0.log"), "%s", buf_str(&said));
	EXPECT_NO_PROCESS(dir);
}

Test(parts, a_part_that_is_not_installed_is_named_with_the_mend)
{
	char dir[PATH_MAX], cache[PATH_MAX + 32];
	const char *const *env;

	dir_of("missing", dir);
	snprintf(cache, sizeof cache, "PSMDB_DRILL_CACHE=%s/nothing", base);
	env = MORE(cache, "PATH=/nonexistent",
	    "PSMDB_DRILL_MONGOD=", "PSMDB_DRILL_WEED=", "PSMDB_DRILL_PBM=", "PSMDB_DRILL_PBM_AGENT=");
	cr_expect_eq(run_env("up", dir, NULL, env), 3);
	cr_expect(strstr(buf_str(&said), "\"mongod\" is neither") && strstr(buf_str(&said), "scripts/setup"), "%s",
	    buf_str(&said));
	cr_expect_not(file_exists(dir));
}

Test(parts, a_taken_port_is_named)
{
	CLEANUP(free) struct state *state = NULL;
	struct sockaddr_in at = {.sin_family = AF_INET};
	char dir[PATH_MAX], address[ADDRESS_MAX], port[64];
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	/* A range belongs to a sandbox for its life: the second start needs the very same address. */
	dir_of("taken", dir);
	cr_expect_eq(run_env("up", dir, MORE("--members", "1"), MORE("PSMDB_DRILL_MONGOD=/bin/false")), 3);
	state = load(dir);
	layout_member_address(&state->layout, 0, address);
	at.sin_port = htons(state->layout.mongod_port);
	cr_assert(inet_pton(AF_INET, address, &at.sin_addr) == 1 && !bind(fd, (struct sockaddr *)&at, sizeof at) &&
		  !listen(fd, 1));
	cr_expect_eq(run("up", dir, NULL), 3);
	snprintf(port, sizeof port, "port %u of address %s is taken", state->layout.mongod_port, address);
	cr_expect(strstr(buf_str(&said), port), "%s", buf_str(&said));
	close(fd);
	EXPECT_NO_PROCESS(dir);
}

static int interrupt_after(const char *dir, const char *const *more, int64_t after_ms, int signum)
{
	const char *argv[ARGS_MAX];
	struct proc_spec spec = spec_of(argv, "up", dir, more, NULL);
	int64_t deadline = clock_mono_ns(clock_system()) + after_ms * 1000000;
	struct err err = ERR_INIT;
	int status;
	pid_t pid;

	spec.stdout_fd = spec.stderr_fd = PROC_NULL;
	cr_assert(proc_start(&spec, &pid, &err), "%s", err.msg);
	clock_sleep_until(clock_system(), deadline, NULL);
	kill(pid, signum);
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

Test(parts, an_interrupted_start_leaves_nothing)
{
	static const int64_t moments_ms[] = {300, 900, 1600, 3000};
	char dir[PATH_MAX];

	dir_of("interrupted", dir);
	for (size_t i = 0; i < sizeof moments_ms / sizeof *moments_ms; i++) {
		int status = interrupt_after(dir, NULL, moments_ms[i], SIGINT);

		/* on a slow machine the first one comes before the program has its handlers: then the signal ends it */
		cr_expect(
		    status == 130 || (!i && status == 1000 + SIGINT), "after %d ms: %d", (int)moments_ms[i], status);
		EXPECT_NO_PROCESS(dir);
		cr_expect_not(file_exists(dir), "after %d ms", (int)moments_ms[i]);
	}
	cr_expect_eq(interrupt_after(dir, MORE("--foreground"), 1600, SIGINT), 130);
	EXPECT_NO_PROCESS(dir);
	cr_expect_not(file_exists(dir));
}

Test(parts, a_start_whose_caller_is_killed_leaves_no_process)
{
	char dir[PATH_MAX];

	dir_of("abandoned", dir);
	cr_expect_eq(interrupt_after(dir, MORE("--members", "1"), 1200, SIGKILL), 1000 + SIGKILL);
	EXPECT_NO_PROCESS(dir);
	cr_expect_eq(interrupt_after(dir, MORE("--members", "1", "--foreground"), 1200, SIGKILL), 1000 + SIGKILL);
	EXPECT_NO_PROCESS(dir);
}
