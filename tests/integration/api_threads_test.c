/*
 * The embedded API server and everybody who is at it at once, in one process and for the thread sanitizer to see: those who
 * write, list in pages, watch and go in the middle, send slowly or without a token; the sweep; tokens that change; and its
 * end while all of them are there. Plain HTTP, because the sanitizer knows nothing of the TLS library's inside.
 */
#include "base/file.h"
#include "sandbox/api/handler.h"
#include "sandbox/api/server.h"
#include "tests/support/tap.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define ADDRESS "127.13.1.4"
#define CMS "/api/v1/namespaces/default/configmaps"
#define EACH 4	   /* threads of each kind of client */
#define ENOUGH 400 /* times each kind has done what it does */
#define LONGEST_S 60
#define TOKENS "0123456789abcdef,admin,1,\n"

struct place {
	struct sockaddr_in at;
	char tokens[64];
	struct store *store;
	struct api api;
	struct server *server;
	int sweep_stop; /* eventfd */
	pthread_t sweeper;
};

struct role {
	const char *name;
	void (*once)(const struct role *role, int number);
	const struct place *place;
	atomic_bool *stop;
	atomic_uint done, failed;
};

/* --- a small client ---------------------------------------------------------------------------------------------- */

static int connect_to(const struct place *p)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	const struct timeval limit = {.tv_sec = 20};

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
	if (fd >= 0 && connect(fd, (const struct sockaddr *)&p->at, sizeof p->at)) {
		close(fd);
		return -1;
	}
	return fd;
}

static bool __attribute__((format(printf, 2, 3))) say(int fd, const char *fmt, ...)
{
	char text[4096];
	va_list args;
	int len;

	va_start(args, fmt);
	len = vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	return send(fd, text, (size_t)len, MSG_NOSIGNAL) == len;
}

/* The code of an answer that ends with its connection; 0: there was none. What fits of it is in text. */
static int whole_answer(int fd, char *text, size_t size)
{
	size_t len = 0;
	ssize_t got;

	while (len < size - 1 && (got = recv(fd, text + len, size - 1 - len, 0)) > 0)
		len += (size_t)got;
	text[len] = '\0';
	close(fd);
	return strncmp(text, "HTTP/1.1 ", 9) ? 0 : atoi(text + 9);
}

static int ask(const struct place *p, const char *method, const char *target, const char *body, char *text, size_t size)
{
	int fd = connect_to(p);

	if (fd < 0)
		return 0;
	say(fd,
	    "%s %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer 0123456789abcdef\r\nContent-Type: "
	    "%s\r\nContent-Length: %zu\r\n\r\n%s",
	    method, target, strcmp(method, "PATCH") ? "application/json" : "application/merge-patch+json", strlen(body),
	    body);
	return whole_answer(fd, text, size);
}

static void expect(const struct role *role, bool holds)
{
	struct role *counted = (struct role *)role;

	/* the server's end takes answers along */
	if (!holds && !*role->stop)
		atomic_fetch_add(&counted->failed, 1);
}

/* --- what clients do --------------------------------------------------------------------------------------------- */

static void write_once(const struct role *role, int number)
{
	char text[8192], target[128], body[256];

	snprintf(body, sizeof body, "{\"metadata\":{\"name\":\"w%d\",\"finalizers\":[\"a/b\"]}}", number);
	expect(role, ask(role->place, "POST", CMS, body, text, sizeof text) == 201);
	snprintf(target, sizeof target, CMS "/w%d", number);
	expect(role, ask(role->place, "PATCH", target, "{\"data\":{\"a\":\"b\"}}", text, sizeof text) == 200);
	expect(role, ask(role->place, "DELETE", target, "", text, sizeof text) == 200);
	expect(
	    role, ask(role->place, "PATCH", target, "{\"metadata\":{\"finalizers\":null}}", text, sizeof text) == 200);
	snprintf(body, sizeof body, "{\"data\":{\"by\":\"%d %u\"}}", number, role->done);
	expect(role, ask(role->place, "PATCH", CMS "/shared", body, text, sizeof text) == 200);
}

static void list_once(const struct role *role, int number)
{
	char text[65536], target[1024] = CMS "?limit=3", *token, *end;

	(void)number;
	for (int pages = 0; pages < 100; pages++) {
		int code = ask(role->place, "GET", target, "", text, sizeof text);

		expect(role, code == 200 || code == 410);
		token = strstr(text, "\"continue\":\"");
		end = token ? strchr(token + 12, '"') : NULL;
		if (!end)
			break;
		*end = '\0';
		snprintf(target, sizeof target, CMS "?limit=3&continue=%.900s", token + 12);
	}
}

static void watch_once(const struct role *role, int number)
{
	int fd = connect_to(role->place);
	char text[2048];

	if (fd < 0)
		return;
	say(fd, "GET %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer 0123456789abcdef\r\n\r\n",
	    number % 2 ? "/api/v1/configmaps?watch=1" : CMS "?watch=1&timeoutSeconds=1&allowWatchBookmarks=true");
	for (int i = 0; i < 20; i++)
		if (recv(fd, text, sizeof text, 0) <= 0)
			break;
	close(fd);
}

static void intrude_once(const struct role *role, int number)
{
	int fd = connect_to(role->place);
	char text[2048];

	if (fd < 0)
		return;
	if (number % 2) {
		say(fd, "POST " CMS " HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer x\r\n"
			"Content-Length: 2\r\n\r\n{}");
		expect(role, whole_answer(fd, text, sizeof text) == 401);
		return;
	}
	/* slower than the server has patience */
	for (int i = 0; i < 40 && !*role->stop && say(fd, i ? "X: y\r\n" : "GET / HTTP/1.1\r\n"); i++)
		poll(NULL, 0, 100);
	close(fd);
}

static void change_tokens_once(const struct role *role, int number)
{
	char path[96], text[128];
	struct err err = ERR_INIT;
	FILE *f;

	snprintf(path, sizeof path, "%s.%d", role->place->tokens, number);
	snprintf(text, sizeof text, TOKENS "other%u,other,2,\n", role->done);
	f = fopen(path, "we");
	expect(role, f && fputs(text, f) >= 0);
	if (f)
		fclose(f);
	expect(role, !rename(path, role->place->tokens));
	(void)err;
	poll(NULL, 0, 5);
}

/* --- the server -------------------------------------------------------------------------------------------------- */

static void handle(void *arg, const struct api_request *request, struct api_response *ret)
{
	api_handle(arg, request, ret);
}

static bool admits(void *arg, const struct api_request *request)
{
	return api_admits(arg, request);
}

static void *sweep(void *arg)
{
	struct place *p = arg;
	struct store_watcher watcher = {.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
	struct pollfd fds[] = {{.fd = p->sweep_stop, .events = POLLIN}, {.fd = watcher.fd, .events = POLLIN}};
	struct err err = ERR_INIT;
	eventfd_t ignored;
	bool changed;

	db_watch(p->store, &watcher);
	while (poll(fds, 2, -1) > 0 && !fds[0].revents) {
		(void)eventfd_read(watcher.fd, &ignored);
		api_sweep(&p->api, &changed, &err);
	}
	db_unwatch(p->store, &watcher);
	close(watcher.fd);
	return NULL;
}

static bool begin(struct place *p, struct err *err)
{
	const struct store_options options = {.history = 200};
	struct server_options listen = {
	    .address = ADDRESS, .idle_s = 1, .admits = admits, .handle = handle, .arg = &p->api};
	socklen_t len = sizeof p->at;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	p->at = (struct sockaddr_in){.sin_family = AF_INET};
	inet_pton(AF_INET, ADDRESS, &p->at.sin_addr);
	if (bind(fd, (struct sockaddr *)&p->at, len) || getsockname(fd, (struct sockaddr *)&p->at, &len)) {
		close(fd);
		return err_set(err, ERR_IO, "no port of " ADDRESS " is free");
	}
	close(fd);
	listen.port = ntohs(p->at.sin_port);
	p->sweep_stop = eventfd(0, EFD_CLOEXEC);
	p->api = (struct api){.server_address = ADDRESS};
	if (!auth_new(p->tokens, &p->api.auth, err) || !db_new(&options, &p->store, err))
		return false;
	p->api.store = p->store;
	return api_prepare(&p->api, err) && !pthread_create(&p->sweeper, NULL, sweep, p) &&
	       server_start(&listen, &p->server, err);
}

static void end_sweep_and_store(struct place *p)
{
	(void)eventfd_write(p->sweep_stop, 1);
	pthread_join(p->sweeper, NULL);
	close(p->sweep_stop);
	db_close(p->store);
	auth_free(p->api.auth);
}

/* --- all of them at once ----------------------------------------------------------------------------------------- */

struct worker {
	pthread_t thread;
	struct role *role;
	int number;
};

static void *work(void *arg)
{
	struct worker *w = arg;

	while (!*w->role->stop) {
		w->role->once(w->role, w->number);
		atomic_fetch_add(&w->role->done, 1);
	}
	return NULL;
}

static bool all_have_done(struct role *roles, size_t count, unsigned times)
{
	for (size_t i = 0; i < count; i++)
		if (atomic_load(&roles[i].done) < times)
			return false;
	return true;
}

static void play(struct tap *tap, struct place *p, unsigned times, const char *sentence)
{
	static atomic_bool stop;
	struct role roles[] = {{"writers", write_once, p, &stop, 0, 0}, {"listers", list_once, p, &stop, 0, 0},
	    {"watchers", watch_once, p, &stop, 0, 0}, {"intruders", intrude_once, p, &stop, 0, 0},
	    {"tokens", change_tokens_once, p, &stop, 0, 0}};
	enum { ROLES = sizeof roles / sizeof *roles };
	struct worker workers[ROLES * EACH];
	char text[8192];
	bool ok, good = true;

	atomic_store(&stop, false);
	ok = ask(p, "POST", CMS, "{\"metadata\":{\"name\":\"shared\"}}", text, sizeof text) == 201;
	for (size_t i = 0; i < ROLES * EACH; i++) {
		workers[i] = (struct worker){.role = &roles[i / EACH], .number = (int)i};
		ok = ok && !pthread_create(&workers[i].thread, NULL, work, &workers[i]);
	}
	for (int i = 0; i < 10 * LONGEST_S && !all_have_done(roles, ROLES, times); i++)
		poll(NULL, 0, 100);
	good = all_have_done(roles, ROLES, times);
	atomic_store(&stop, true);
	server_stop(p->server);
	for (size_t i = 0; i < ROLES * EACH; i++)
		pthread_join(workers[i].thread, NULL);
	for (size_t i = 0; i < ROLES; i++)
		good = good && !roles[i].failed;
	tap_ok(tap, ok && good, sentence,
	    "done and failed: writers %u %u, listers %u %u, watchers %u %u, intruders %u %u, tokens %u %u",
	    roles[0].done, roles[0].failed, roles[1].done, roles[1].failed, roles[2].done, roles[2].failed,
	    roles[3].done, roles[3].failed, roles[4].done, roles[4].failed);
}

static bool round_of(struct tap *tap, const char *dir, unsigned times, const char *sentence)
{
	struct place p = {0};
	struct err err = ERR_INIT;
	FILE *f;

	snprintf(p.tokens, sizeof p.tokens, "%s/tokens.csv", dir);
	f = fopen(p.tokens, "we");
	if (f) {
		fputs(TOKENS, f);
		fclose(f);
	}
	if (!tap_ok(tap, begin(&p, &err), "a server starts", "%s", err.msg))
		return false;
	play(tap, &p, times, sentence);
	end_sweep_and_store(&p);
	return true;
}

int main(void)
{
	struct tap tap = {0};
	char dir[] = "/tmp/drill-threads-XXXXXX";

	signal(SIGPIPE, SIG_IGN);
	if (!mkdtemp(dir))
		return 1;
	if (round_of(&tap, dir, ENOUGH, "many clients are served at once, and the server ends while they are there"))
		round_of(&tap, dir, 0, "it ends as soon as it has begun");
	file_remove_tree(dir, NULL);
	return tap_done(&tap);
}
