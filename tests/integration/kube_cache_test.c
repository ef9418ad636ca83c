/*
 * Caches of lib/kube in threads of their own, against a server that changes all the time, ends and cuts its watches,
 * forgets versions and is overloaded now and then. A plain program, because the thread sanitizer is to see it.
 */
#include "kube/watch.h"
#include "tests/support/tap.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#define PODS 10
#define STEP_MS 5
/* nothing changes any more from here on */
#define LAST_VERSION 500

/* --- the server: what is at each version is a matter of arithmetic ------------------------------------------------ */

static bool is_deletion(int version)
{
	return version / PODS % 5 == 4;
}

/* The version of a pod's last change up to then; 0: it was never there, or is gone. */
static int version_of(int pod, int now)
{
	int last = now - (now - pod % PODS + PODS) % PODS;

	return last <= 0 || is_deletion(last) ? 0 : last;
}

static int now_version(int64_t began_ms)
{
	int64_t version = (clock_mono_ms(clock_system()) - began_ms) / STEP_MS + 1;

	return version < LAST_VERSION ? (int)version : LAST_VERSION;
}

static void say(int fd, const char *text)
{
	for (size_t len = strlen(text); len;) {
		ssize_t put = send(fd, text, len, MSG_NOSIGNAL);

		if (put <= 0)
			_exit(0);
		text += put;
		len -= (size_t)put;
	}
}

static void say_chunk(int fd, const char *text)
{
	char size[16];

	snprintf(size, sizeof size, "%zx\r\n", strlen(text));
	say(fd, size);
	say(fd, text);
	say(fd, "\r\n");
}

static void object_text(int pod, int version, char text[static 256])
{
	snprintf(text, 256,
	    "{\"metadata\":{\"name\":\"p%d\",\"namespace\":\"x\",\"resourceVersion\":\"%d\"},\"value\":%d}", pod,
	    version, version);
}

static void serve_list(int fd, int64_t began_ms)
{
	int now = now_version(began_ms);
	char text[256];
	bool more = false;

	say(fd, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
	snprintf(text, sizeof text, "{\"metadata\":{\"resourceVersion\":\"%d\"},\"items\":[", now);
	say(fd, text);
	for (int pod = 0; pod < PODS; pod++) {
		if (!version_of(pod, now))
			continue;
		object_text(pod, version_of(pod, now), text);
		say(fd, more ? "," : "");
		say(fd, text);
		more = true;
	}
	say(fd, "]}");
}

static void serve_watch(int fd, int64_t began_ms, int from, int number)
{
	int64_t until_ms = clock_mono_ms(clock_system()) + 150;
	char object[256], event[512];

	say(fd, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
	/* not at the end, where a list would put right what the events did wrong */
	if (number % 5 == 3 && now_version(began_ms) < LAST_VERSION - 100) {
		say_chunk(
		    fd, "{\"type\":\"ERROR\",\"object\":{\"kind\":\"Status\",\"reason\":\"Expired\",\"code\":410}}\n");
		say(fd, "0\r\n\r\n");
		return;
	}
	while (clock_mono_ms(clock_system()) < until_ms || from < now_version(began_ms)) {
		if (from == now_version(began_ms)) {
			poll(NULL, 0, 2);
			continue;
		}
		from++;
		object_text(from % PODS, from, object);
		snprintf(event, sizeof event, "{\"type\":\"%s\",\"object\":%s}\n",
		    is_deletion(from) ? "DELETED" : "MODIFIED", object);
		say_chunk(fd, event);
	}
	if (number % 5 == 1) { /* cut within an event */
		say_chunk(fd, "{\"type\":\"MODI");
		return;
	}
	say(fd, "0\r\n\r\n");
}

static void serve_one(int fd, int64_t began_ms, int number)
{
	char head[4096] = "";
	const char *from;

	for (size_t len = 0; len < sizeof head - 1 && !strstr(head, "\r\n\r\n");) {
		ssize_t got = read(fd, head + len, sizeof head - 1 - len);

		if (got <= 0)
			_exit(0);
		len += (size_t)got;
	}
	from = strstr(head, "resourceVersion=");
	if (number % 7 == 6)
		say(fd, "HTTP/1.1 503 Busy\r\nConnection: close\r\n\r\nbusy");
	else if (strstr(head, "watch=1") && from)
		serve_watch(fd, began_ms, atoi(from + 16), number);
	else
		serve_list(fd, began_ms);
	_exit(0);
}

static void serve(int listener)
{
	int64_t began_ms = clock_mono_ms(clock_system());

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGCHLD, SIG_IGN);
	for (int number = 0;; number++) {
		int fd = accept(listener, NULL, NULL);

		if (fd < 0)
			continue;
		if (!fork())
			serve_one(fd, began_ms, number);
		close(fd);
	}
}

static pid_t start_server(int *ret_port)
{
	struct sockaddr_in addr = {.sin_family = AF_INET};
	socklen_t len = sizeof addr;
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	pid_t pid;

	inet_pton(AF_INET, "127.17.2.1", &addr.sin_addr);
	if (listener < 0 || bind(listener, (struct sockaddr *)&addr, sizeof addr) || listen(listener, 64) ||
	    getsockname(listener, (struct sockaddr *)&addr, &len))
		return -1;
	*ret_port = ntohs(addr.sin_port);
	pid = fork();
	if (!pid)
		serve(listener);
	close(listener);
	return pid;
}

/* --- readers ----------------------------------------------------------------------------------------------------- */

struct reader {
	struct kube_cache *cache;
	volatile int stop;
	int lists, disorder;
};

static bool in_order(const json_node *list)
{
	const char *before = "";

	for (const json_node *item = json_first(json_at(list, "items")); item; item = json_next(item)) {
		if (strcmp(before, kube_name(item)) >= 0 || json_int_at(item, "value", -1) != atoi(kube_version(item)))
			return false;
		before = kube_name(item);
	}
	return true;
}

static void *read_on(void *ctx)
{
	struct reader *r = ctx;

	while (!__atomic_load_n(&r->stop, __ATOMIC_RELAXED)) {
		CLEANUP(json) struct json *list = NULL;
		CLEANUP(json) struct json *one = NULL;
		struct err err = ERR_INIT;

		if (kube_cache_list(r->cache, &list, &err) && !in_order(json_root(list)))
			r->disorder++;
		kube_cache_get(r->cache, "x", "p3", &one, &err);
		kube_cache_healthy(r->cache, &err);
		r->lists++;
		poll(NULL, 0, 1);
	}
	return NULL;
}

static bool is_final(struct kube_cache *c)
{
	CLEANUP(json) struct json *list = NULL;
	struct err err = ERR_INIT;
	size_t expected = 0;

	if (!kube_cache_synced(c) || !kube_cache_list(c, &list, &err))
		return false;
	for (int pod = 0; pod < PODS; pod++) {
		CLEANUP(json) struct json *one = NULL;
		char name[8];
		int version = version_of(pod, LAST_VERSION);

		snprintf(name, sizeof name, "p%d", pod);
		if (kube_cache_get(c, "x", name, &one, &err) != (version > 0) ||
		    (one && json_int_at(json_root(one), "value", -1) != version))
			return false;
		expected += version > 0;
	}
	return json_count(json_at(json_root(list), "items")) == expected;
}

static bool await_final(struct kube_cache *watched, struct kube_cache *polled, int notify_fd)
{
	int64_t until_ms = clock_mono_ms(clock_system()) + 60000;

	while (clock_mono_ms(clock_system()) < until_ms) {
		struct pollfd p = {.fd = notify_fd, .events = POLLIN};

		if (is_final(watched) && is_final(polled))
			return true;
		if (poll(&p, 1, 500) > 0)
			kube_notify_drain(notify_fd);
	}
	return false;
}

static void test(struct tap *tap, const struct kube_config *config)
{
	struct kube_kind watched_kind, polled_kind;
	struct kube_cache *watched = NULL, *polled = NULL;
	struct reader readers[2] = {0};
	pthread_t threads[2];
	struct err err = ERR_INIT;
	int notify_fd = kube_notify_new();
	int64_t began_ms;

	kube_kind_set(&watched_kind, "", "v1", "pods", "Pod", true);
	polled_kind = watched_kind;
	polled_kind.verbs &= ~(unsigned)KUBE_WATCH;
	if (!tap_ok(tap,
		kube_cache_new(config, NULL, &watched_kind, "x", NULL, notify_fd, &watched, &err) &&
		    kube_cache_new(config, NULL, &polled_kind, NULL, NULL, notify_fd, &polled, &err),
		"caches start", "%s", err.msg))
		exit(1);
	readers[0].cache = watched;
	readers[1].cache = polled;
	for (int i = 0; i < 2; i++)
		pthread_create(&threads[i], NULL, read_on, &readers[i]);
	tap_ok(tap, await_final(watched, polled, notify_fd), "both end up with what is there", "not within 60 s");
	for (int i = 0; i < 2; i++) {
		__atomic_store_n(&readers[i].stop, 1, __ATOMIC_RELAXED);
		pthread_join(threads[i], NULL);
	}
	tap_ok(tap, !readers[0].disorder && !readers[1].disorder && readers[0].lists > 10,
	    "whoever reads meanwhile sees whole objects in order", "%d and %d times not, of %d", readers[0].disorder,
	    readers[1].disorder, readers[0].lists);
	began_ms = clock_mono_ms(clock_system());
	kube_cache_free(watched);
	kube_cache_free(polled);
	tap_ok(tap, clock_mono_ms(clock_system()) - began_ms < 2000, "a cache ends within a second", "after %lld ms",
	    (long long)(clock_mono_ms(clock_system()) - began_ms));
	close(notify_fd);
}

int main(void)
{
	struct kube_config config = {0};
	struct tap tap = {0};
	int port;
	pid_t server = start_server(&port);

	signal(SIGPIPE, SIG_IGN);
	if (server < 0) {
		perror("server");
		return 1;
	}
	snprintf(config.server, sizeof config.server, "http://127.17.2.1:%d", port);
	test(&tap, &config);
	kill(server, SIGKILL);
	waitpid(server, NULL, 0);
	return tap_done(&tap);
}
