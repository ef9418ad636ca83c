#include "net/http.h"

#include "fake_server.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define OK_BODY(text, len) "HTTP/1.1 200 OK\r\nContent-Length: " #len "\r\n\r\n" text
#define BUSY "HTTP/1.1 503 Slow Down\r\nContent-Length: 4\r\n\r\nbusy"

/* A clock whose sleeps cost nothing and are noted. */
struct fake_clock {
	int64_t slept_ms[16];
	int count;
	int64_t extra_ns;
};

static int64_t fake_mono(void *ctx)
{
	return clock_mono_ns(clock_system()) + ((struct fake_clock *)ctx)->extra_ns;
}

static int64_t fake_wall(void *ctx)
{
	(void)ctx;
	return 1700000000000;
}

static bool fake_sleep(void *ctx, int64_t deadline_ns, const volatile int *stop)
{
	struct fake_clock *f = ctx;
	int64_t wait_ns = deadline_ns - fake_mono(f);

	(void)stop;
	f->slept_ms[f->count++] = (wait_ns + 999999) / 1000000;
	f->extra_ns += wait_ns;
	return true;
}

static uint32_t no_jitter(void *ctx)
{
	(void)ctx;
	return UINT32_MAX;
}

static struct fake_server server;
static struct fake_clock slept;
static struct clock fake;
static struct http_client *client;
static char url[64];

static void start(const char *const *answers, size_t count)
{
	struct http_client_options options = {.proxy = "", .clock = &fake, .random = no_jitter};
	struct err err = ERR_INIT;

	signal(SIGPIPE, SIG_IGN);
	slept = (struct fake_clock){0};
	fake = (struct clock){.mono_ns = fake_mono, .wall_ms = fake_wall, .sleep_until = fake_sleep, .ctx = &slept};
	fake_server_start(&server, answers, count);
	snprintf(url, sizeof url, "http://127.13.1.1:%d/path?token=hush", server.port);
	cr_assert(http_client_new(&options, &client, &err));
}

static void stop(char **ret_seen)
{
	http_client_free(client);
	fake_server_stop(&server, ret_seen);
}

/* The delay is computed a moment before it is slept. */
static void slept_about(int which, int64_t ms)
{
	cr_assert(slept.slept_ms[which] > ms - 50 && slept.slept_ms[which] <= ms, "%ld", (long)slept.slept_ms[which]);
}

#define START(...)                                                                                                     \
	do {                                                                                                           \
		static const char *const answers_[] = {__VA_ARGS__};                                                   \
		start(answers_, sizeof answers_ / sizeof answers_[0]);                                                 \
	} while (0)

Test(http, answer_comes_back_with_status_headers_and_body)
{
	HTTP_RESPONSE_CLEANUP struct http_response res = HTTP_RESPONSE_INIT;
	struct http_request req = {.method = "GET", .url = url};
	struct err err = ERR_INIT;
	char *seen;

	START("HTTP/1.1 404 Not Found\r\nX-A:  b \r\nContent-Length: 2\r\n\r\nno");
	cr_assert(http_perform(client, &req, &res, &err), "%s", err.msg);
	stop(&seen);
	cr_assert_eq(res.status, 404);
	cr_assert_str_eq(http_headers_get(&res.headers, "x-a"), "b");
	cr_assert_str_eq(buf_str(&res.body), "no");
	cr_assert(strstr(seen, "GET /path?token=hush HTTP/1.1\r\n"));
	cr_assert_not(strstr(seen, "Expect"));
	free(seen);
}

Test(http, body_and_headers_are_sent_as_given)
{
	HTTP_RESPONSE_CLEANUP struct http_response res = HTTP_RESPONSE_INIT;
	HTTP_HEADERS_CLEANUP struct http_headers headers = HTTP_HEADERS_INIT;
	struct http_request req = {.method = "PUT", .url = url, .headers = &headers, .body = "hello", .body_len = 5};
	struct err err = ERR_INIT;
	char *seen;

	START(OK_BODY("", 0));
	http_headers_add(&headers, "X-One", "1", &err);
	http_headers_add(&headers, "X-Empty", "", &err);
	cr_assert(http_perform(client, &req, &res, &err), "%s", err.msg);
	stop(&seen);
	cr_assert(!strncmp(seen, "PUT /path", 9));
	cr_assert(strstr(seen, "\r\nX-One: 1\r\n"));
	cr_assert(strstr(seen, "\r\nX-Empty:\r\n"), "%s", seen);
	cr_assert(strstr(seen, "\r\nContent-Length: 5\r\n"));
	cr_assert(strstr(seen, "\r\n\r\nhello"));
	free(seen);
}

Test(http, large_body_is_sent_without_asking_first)
{
	static char big[(1 << 20) + 1000];
	HTTP_RESPONSE_CLEANUP struct http_response res = HTTP_RESPONSE_INIT;
	struct http_request req = {.method = "PUT", .url = url, .body = big, .body_len = sizeof big};
	struct err err = ERR_INIT;
	char *seen;

	START(OK_BODY("", 0));
	memset(big, 'x', sizeof big);
	cr_assert(http_perform(client, &req, &res, &err), "%s", err.msg);
	stop(&seen);
	cr_assert_eq(res.status, 200);
	cr_assert(strstr(seen, "Content-Length: 1049576"));
	cr_assert_not(strstr(seen, "Expect"), "a server that does not know it would cost a second");
	free(seen);
}

Test(http, redirects_are_answers_and_are_not_followed)
{
	HTTP_RESPONSE_CLEANUP struct http_response res = HTTP_RESPONSE_INIT;
	struct http_request req = {.method = "GET", .url = url};
	struct err err = ERR_INIT;

	START("HTTP/1.1 301 Moved\r\nLocation: http://127.13.1.2:1/\r\nContent-Length: 0\r\n\r\n");
	cr_assert(http_perform(client, &req, &res, &err), "%s", err.msg);
	stop(NULL);
	cr_assert_eq(res.status, 301);
}

Test(http, idempotent_requests_are_retried_with_growing_delays)
{
	HTTP_RESPONSE_CLEANUP struct http_response res = HTTP_RESPONSE_INIT;
	struct http_request req = {.method = "GET", .url = url};
	struct err err = ERR_INIT;

	START(BUSY, "", "HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n", OK_BODY("done", 4));
	cr_assert(http_perform(client, &req, &res, &err), "%s", err.msg);
	stop(NULL);
	cr_assert_eq(res.status, 200);
	cr_assert_eq(res.attempts, 4);
	cr_assert_str_eq(buf_str(&res.body), "done", "only the last answer's body counts");
	cr_assert_eq(slept.count, 3);
	slept_about(0, 200);
	slept_about(1, 400);
	slept_about(2, 800);
}

Test(http, retry_after_is_honoured_and_a_longer_one_ends_the_retries)
{
	HTTP_RESPONSE_CLEANUP struct http_response res = HTTP_RESPONSE_INIT;
	struct http_request req = {.method = "GET", .url = url, .total_timeout_ms = 7200000};
	struct err err = ERR_INIT;

	START("HTTP/1.1 429 Wait\r\nRetry-After: 3\r\nContent-Length: 0\r\n\r\n",
	    "HTTP/1.1 429 Wait\r\nRetry-After: 3600\r\nContent-Length: 0\r\n\r\n");
	cr_assert(http_perform(client, &req, &res, &err), "%s", err.msg);
	stop(NULL);
	cr_assert_eq(res.status, 429);
	cr_assert_eq(res.attempts, 2);
	cr_assert_eq(slept.count, 1);
	slept_about(0, 3000);
}

Test(http, post_is_sent_once_unless_the_caller_vouches_for_it)
{
	HTTP_RESPONSE_CLEANUP struct http_response res = HTTP_RESPONSE_INIT;
	struct http_request req = {.method = "POST", .url = url, .body = "x", .body_len = 1};
	struct err err = ERR_INIT;

	START(BUSY, "", BUSY, OK_BODY("", 0));
	cr_assert(http_perform(client, &req, &res, &err));
	cr_assert_eq(res.status, 503);
	cr_assert_not(http_perform(client, &req, &res, &err));
	cr_assert_eq(err.code, ERR_NET);
	req.retry.always = true;
	cr_assert(http_perform(client, &req, &res, &err));
	cr_assert_eq(res.status, 200);
	stop(NULL);
}

#define TOO_MANY "HTTP/1.1 429 Too Many\r\nContent-Length: 4\r\nConnection: close\r\n\r\nbusy"

Test(http, what_was_never_read_may_be_sent_again_whatever_the_method)
{
	const char *answers[] = {TOO_MANY, BUSY, OK_BODY("", 0)};
	HTTP_RESPONSE_CLEANUP struct http_response res = HTTP_RESPONSE_INIT;
	struct http_request req = {.method = "POST", .url = url, .body = "x", .body_len = 1, .retry.unsent = true};
	struct err err = ERR_INIT;

	start(answers, 3);
	cr_assert(http_perform(client, &req, &res, &err), "%s", err.msg);
	cr_assert_eq(res.status, 503);
	cr_assert_eq(res.attempts, 2);
	req.url = "http://127.13.1.9:1/";
	cr_assert(!http_perform(client, &req, &res, &err));
	cr_assert(strstr(err.msg, "(5 attempts)"), "%s", err.msg);
	stop(NULL);
}

static bool end_at_third(void *ctx, struct err *err)
{
	return ++*(int *)ctx < 3 || err_set(err, ERR_STATE, "enough");
}

Test(http, whoever_waits_is_called_meanwhile_and_may_end_it)
{
	const char *answers[] = {"<hang>"};
	HTTP_RESPONSE_CLEANUP struct http_response res = HTTP_RESPONSE_INIT;
	int calls = 0;
	struct http_request req = {.method = "GET", .url = url, .on_wait = end_at_third, .on_wait_ctx = &calls};
	struct err err = ERR_INIT;

	start(answers, 1);
	cr_assert(!http_perform(client, &req, &res, &err));
	cr_assert_eq(err.code, ERR_STATE);
	cr_assert_eq(calls, 3);
	stop(NULL);
}

/* Answers each GET and keeps the connection; notes each POST and hangs up on it. */
static void serve_get_and_drop_post(int listener, int noted_fd)
{
	for (;;) {
		int fd = accept(listener, NULL, NULL);
		char text[4096];

		if (fork()) {
			close(fd);
			continue;
		}
		while (read(fd, text, sizeof text) > 0) {
			if (!strncmp(text, "POST", 4)) {
				/* as a server does that is killed after it has done what it was told */
				if (write(noted_fd, "P", 1) != 1)
					_exit(1);
				_exit(0);
			}
			if (write(fd, OK_BODY("", 0), strlen(OK_BODY("", 0))) < 0)
				_exit(1);
		}
		_exit(0);
	}
}

Test(http, post_is_not_sent_twice_over_a_connection_that_was_kept)
{
	struct sockaddr_in addr = {.sin_family = AF_INET};
	socklen_t len = sizeof addr;
	int listener = socket(AF_INET, SOCK_STREAM, 0), noted[2];
	HTTP_RESPONSE_CLEANUP struct http_response res = HTTP_RESPONSE_INIT;
	struct http_request get = {.method = "GET", .url = url}, post = {.method = "POST", .url = url};
	struct err err = ERR_INIT;
	char text[8];
	pid_t pid;

	inet_pton(AF_INET, "127.13.1.3", &addr.sin_addr);
	cr_assert(!bind(listener, (struct sockaddr *)&addr, sizeof addr) && !listen(listener, 8) && !pipe(noted) &&
		  !getsockname(listener, (struct sockaddr *)&addr, &len));
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		signal(SIGCHLD, SIG_IGN);
		serve_get_and_drop_post(listener, noted[1]);
	}
	start(NULL, 0);
	snprintf(url, sizeof url, "http://127.13.1.3:%d/", ntohs(addr.sin_port));
	cr_assert(http_perform(client, &get, &res, &err), "%s", err.msg);
	cr_assert(!http_perform(client, &post, &res, &err));
	cr_assert_eq(read(noted[0], text, sizeof text), 1);
	stop(NULL);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

Test(http, attempts_have_a_bound_and_the_message_tells_it)
{
	HTTP_RESPONSE_CLEANUP struct http_response res = HTTP_RESPONSE_INIT;
	struct http_request req = {.method = "GET", .url = url, .retry.max_attempts = 3};
	struct err err = ERR_INIT;
	char start_text[64];

	START("", "", "", OK_BODY("", 0));
	cr_assert_not(http_perform(client, &req, &res, &err));
	stop(NULL);
	snprintf(start_text, sizeof start_text, "GET 127.13.1.1:%d/path (3 attempts): ", server.port);
	cr_assert(!strncmp(err.msg, start_text, strlen(start_text)), "%s", err.msg);
	cr_assert_not(strstr(err.msg, "hush"));
	cr_assert(*err.hint);
}

Test(http, server_that_is_down_is_a_network_error_with_a_hint)
{
	HTTP_RESPONSE_CLEANUP struct http_response res = HTTP_RESPONSE_INIT;
	struct http_request req = {.method = "GET", .url = "http://127.13.1.9:1/", .retry.max_attempts = 1};
	struct err err = ERR_INIT;

	START(OK_BODY("", 0));
	cr_assert_not(http_perform(client, &req, &res, &err));
	stop(NULL);
	cr_assert_eq(err.code, ERR_NET);
	cr_assert(strstr(err.hint, "server is running"), "%s / %s", err.msg, err.hint);
}

Test(http, body_larger_than_allowed_is_a_limit_error_and_not_retried)
{
	HTTP_RESPONSE_CLEANUP struct http_response res = HTTP_RESPONSE_INIT;
	struct http_request req = {.method = "GET", .url = url, .max_body_bytes = 3};
	struct err err = ERR_INIT;

	START(OK_BODY("four", 4), OK_BODY("abc", 3));
	cr_assert_not(http_perform(client, &req, &res, &err));
	stop(NULL);
	cr_assert_eq(err.code, ERR_LIMIT);
	cr_assert(strstr(err.msg, "3"), "%s", err.msg);
	cr_assert_eq(slept.count, 0);
}

Test(http, truncated_body_is_an_error_not_a_short_answer)
{
	HTTP_RESPONSE_CLEANUP struct http_response res = HTTP_RESPONSE_INIT;
	struct http_request req = {.method = "GET", .url = url, .retry.max_attempts = 1};
	struct err err = ERR_INIT;

	START("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc");
	cr_assert_not(http_perform(client, &req, &res, &err));
	stop(NULL);
	cr_assert_eq(err.code, ERR_NET);
}

Test(http, deadline_covers_all_attempts)
{
	HTTP_RESPONSE_CLEANUP struct http_response res = HTTP_RESPONSE_INIT;
	struct http_request req = {.method = "GET", .url = url, .total_timeout_ms = 200};
	int64_t before = clock_mono_ms(clock_system());
	struct err err = ERR_INIT;

	START("<hang>");
	cr_assert_not(http_perform(client, &req, &res, &err));
	stop(NULL);
	cr_assert_eq(err.code, ERR_TIMEOUT);
	cr_assert_lt(clock_mono_ms(clock_system()) - before, 2000);
}

static bool collect(void *ctx, const char *bytes, size_t len, struct err *err)
{
	return buf_add(ctx, bytes, len, err);
}

static bool enough(void *ctx, const char *bytes, size_t len, struct err *err)
{
	(void)bytes;
	(void)len;
	(void)ctx;
	return err_set(err, ERR_STATE, "enough");
}

Test(http, good_answers_are_streamed_and_others_collected)
{
	HTTP_RESPONSE_CLEANUP struct http_response res = HTTP_RESPONSE_INIT;
	BUF_CLEANUP struct buf stream = BUF_INIT(64);
	struct http_request req = {
	    .method = "GET", .url = url, .total_timeout_ms = -1, .on_body = collect, .on_body_ctx = &stream};
	struct err err = ERR_INIT;

	START("HTTP/1.1 403 No\r\nContent-Length: 4\r\n\r\nwhy?", "<slow>" OK_BODY("a stream", 8));
	cr_assert(http_perform(client, &req, &res, &err));
	cr_assert_str_eq(buf_str(&res.body), "why?");
	cr_assert_eq(stream.len, 0);
	cr_assert(http_perform(client, &req, &res, &err), "%s", err.msg);
	cr_assert_str_eq(buf_str(&stream), "a stream");
	cr_assert_eq(res.body.len, 0);
	stop(NULL);
}

Test(http, nothing_is_sent_again_once_the_stream_has_begun)
{
	HTTP_RESPONSE_CLEANUP struct http_response res = HTTP_RESPONSE_INIT;
	BUF_CLEANUP struct buf stream = BUF_INIT(64);
	struct http_request req = {.method = "GET", .url = url, .on_body = collect, .on_body_ctx = &stream};
	struct err err = ERR_INIT;

	START("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc", OK_BODY("abc", 3));
	cr_assert_not(http_perform(client, &req, &res, &err));
	stop(NULL);
	cr_assert_str_eq(buf_str(&stream), "abc");
	cr_assert_eq(slept.count, 0);
}

Test(http, reader_of_a_stream_can_end_it_with_its_own_error)
{
	HTTP_RESPONSE_CLEANUP struct http_response res = HTTP_RESPONSE_INIT;
	struct http_request req = {.method = "GET", .url = url, .on_body = enough};
	struct err err = ERR_INIT;

	START(OK_BODY("abc", 3), OK_BODY("abc", 3));
	cr_assert_not(http_perform(client, &req, &res, &err));
	stop(NULL);
	cr_assert_eq(err.code, ERR_STATE);
}

static bool number_it(void *ctx, struct http_headers *headers, struct err *err)
{
	int *n = ctx;
	char text[16];

	snprintf(text, sizeof text, "%d", ++*n);
	return http_headers_set(headers, "X-Attempt", text, err);
}

Test(http, headers_are_prepared_anew_for_each_attempt)
{
	HTTP_RESPONSE_CLEANUP struct http_response res = HTTP_RESPONSE_INIT;
	int n = 0;
	struct http_request req = {.method = "GET", .url = url, .prepare = number_it, .prepare_ctx = &n};
	struct err err = ERR_INIT;
	char *seen;

	START(BUSY, OK_BODY("", 0));
	cr_assert(http_perform(client, &req, &res, &err));
	stop(&seen);
	cr_assert(strstr(seen, "X-Attempt: 1\r\n") && strstr(seen, "X-Attempt: 2\r\n"));
	free(seen);
}

/* As soon as the server has the request, which it will never answer. */
static void *stop_when_sent(void *arg)
{
	poll(&(struct pollfd){.fd = server.seen_fd, .events = POLLIN}, 1, 10000);
	*(volatile int *)arg = 15;
	return NULL;
}

Test(http, stop_flag_ends_a_request_that_hangs)
{
	HTTP_RESPONSE_CLEANUP struct http_response res = HTTP_RESPONSE_INIT;
	static volatile int flag;
	struct http_client_options options = {.proxy = "", .stop = &flag};
	CLEANUP(http_client) struct http_client *stoppable = NULL;
	struct http_request req = {.method = "GET", .url = url};
	int64_t before = clock_mono_ms(clock_system());
	struct err err = ERR_INIT;
	pthread_t thread;

	START("<hang>");
	cr_assert(http_client_new(&options, &stoppable, &err));
	pthread_create(&thread, NULL, stop_when_sent, (void *)&flag);
	cr_assert_not(http_perform(stoppable, &req, &res, &err));
	pthread_join(thread, NULL);
	stop(NULL);
	cr_assert_eq(err.code, ERR_INTERRUPTED);
	cr_assert_lt(clock_mono_ms(clock_system()) - before, 2000);
}

Test(http, url_that_cannot_be_sent_is_a_usage_error)
{
	HTTP_RESPONSE_CLEANUP struct http_response res = HTTP_RESPONSE_INIT;
	struct http_request req = {.method = "GET", .url = "file:///etc/passwd"};
	struct err err = ERR_INIT;

	START(OK_BODY("", 0));
	cr_assert_not(http_perform(client, &req, &res, &err));
	stop(NULL);
	cr_assert_eq(err.code, ERR_USAGE);
}

Test(http, backoff_doubles_up_to_its_maximum_and_half_of_it_is_jitter)
{
	const struct http_retry retry = {.first_delay_ms = 200, .max_delay_ms = 1000};

	cr_assert_eq(http_backoff_ms(&retry, 1, 0), 100);
	cr_assert_eq(http_backoff_ms(&retry, 1, UINT32_MAX), 199);
	cr_assert_eq(http_backoff_ms(&retry, 3, 0), 400);
	cr_assert_eq(http_backoff_ms(&retry, 60, UINT32_MAX), 999);
}

Test(http, retry_after_is_read_as_seconds_or_as_a_date)
{
	static const struct {
		const char *value;
		bool good;
		int64_t ms;
	} cases[] = {
	    {"0", true, 0},
	    {"120", true, 120000},
	    {"Tue, 14 Nov 2023 22:13:30 GMT", true, 10000},
	    {"Tue, 14 Nov 2023 22:13:00 GMT", true, 0},
	    {"-1", false, 0},
	    {"soon", false, 0},
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		HTTP_HEADERS_CLEANUP struct http_headers h = HTTP_HEADERS_INIT;
		struct err err = ERR_INIT;
		int64_t ms = 0;

		http_headers_add(&h, "retry-after", cases[i].value, &err);
		cr_expect_eq(http_retry_after_ms(&h, 1700000000000, &ms), cases[i].good, "%s", cases[i].value);
		cr_expect_eq(ms, cases[i].ms, "%s: %ld", cases[i].value, (long)ms);
	}
}
