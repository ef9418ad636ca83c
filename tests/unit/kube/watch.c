#include "kube_fake.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EVENT(type, name, version)                                                                                     \
	"{\"type\":\"" type "\",\"object\":{\"kind\":\"Pod\",\"metadata\":{\"name\":\"" name                           \
	"\",\"resourceVersion\":\"" version "\"}}}\n"

struct seen {
	char text[512];
	int stop_after;
};

static bool note(void *ctx, enum kube_event event, const json_node *object, struct err *err)
{
	struct seen *s = ctx;
	size_t len = strlen(s->text);
	const char *name = kube_name(object);

	(void)err;
	snprintf(s->text + len, sizeof s->text - len, "%d:%s:%s ", (int)event, name ? name : "", kube_version(object));
	return !s->stop_after || --s->stop_after;
}

static bool watch(const char *answer, struct seen *seen, struct err *err)
{
	struct kube_fake f;
	bool ok;

	kube_fake_start(&f, &answer, 1);
	ok = kube_watch(f.kube, &f.pods, "x", NULL, "5", 2000, note, seen, err);
	kube_fake_stop(&f, NULL);
	return ok;
}

Test(kube, watch_hands_on_each_event)
{
	struct seen seen = {0};
	struct err err = ERR_INIT;

	cr_assert(watch("<slow>" OK(EVENT("ADDED", "a", "6") EVENT("MODIFIED", "a", "7") EVENT("NEW", "q", "8")
				EVENT("DELETED", "a", "9") "{\"type\":\"BOOKMARK\",\"object\":{\"metadata\":"
							   "{\"resourceVersion\":\"12\"}}}\n"),
		      &seen, &err),
	    "%s", err.msg);
	cr_assert_str_eq(seen.text, "0:a:6 1:a:7 2:a:9 3::12 ");
}

Test(kube, watch_from_too_long_ago_is_gone)
{
	struct seen seen = {0};
	struct err err = ERR_INIT;

	cr_assert(!watch(OK("{\"type\":\"ERROR\",\"object\":{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{},"
			    "\"status\":\"Failure\",\"message\":\"too old resource version: 966 "
			    "(967)\",\"reason\":\"Expired\",\"code\":410}}\n"),
	    &seen, &err));
	cr_assert_eq(err.code, ERR_GONE);
}

Test(kube, watch_that_ends_within_an_event_is_an_error)
{
	struct seen seen = {0};
	struct err err = ERR_INIT;

	cr_assert(!watch(OK(EVENT("ADDED", "a", "6") "{\"type\":\"ADD"), &seen, &err));
	cr_assert_eq(err.code, ERR_NET);
	cr_assert_str_eq(seen.text, "0:a:6 ");
}

Test(kube, watch_that_is_cut_is_an_error)
{
	struct seen seen = {0};
	struct err err = ERR_INIT;

	cr_assert(!watch("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n\n\r\n", &seen, &err));
	cr_assert_eq(err.code, ERR_NET, "%s", err.msg);
}

Test(kube, watch_is_ended_by_who_is_called_back)
{
	struct seen seen = {.stop_after = 1};
	struct err err = ERR_INIT;

	cr_assert(watch(OK(EVENT("ADDED", "a", "6") EVENT("ADDED", "b", "7")), &seen, &err), "%s", err.msg);
	cr_assert_str_eq(seen.text, "0:a:6 ");
	cr_assert_eq(err.code, ERR_NONE);
}

/* --- waiting ----------------------------------------------------------------------------------------------------- */

#define LIST(version, items)                                                                                           \
	OK("{\"kind\":\"PodList\",\"metadata\":{\"resourceVersion\":\"" version "\"},\"items\":[" items "]}")
#define POD(version, phase)                                                                                            \
	"{\"metadata\":{\"name\":\"a\",\"resourceVersion\":\"" version "\"},\"status\":{\"phase\":\"" phase "\"}}"
#define BUSY ANSWER("503 Service Unavailable", "text/plain", "away\n")

static bool is_running(void *ctx, const json_node *object, struct err *err)
{
	int *calls = ctx;

	++*calls;
	if (json_is_at(object, "status/phase", "Failed"))
		err_set(err, ERR_STATE, "it failed");
	return json_is_at(object, "status/phase", "Running");
}

static bool wait_with(const char *const *answers, size_t count, unsigned without, int64_t timeout_ms, int *calls,
    struct json **last, struct err *err)
{
	struct kube_fake f;
	struct kube_wait wait = {"pod \"x/a\" to run", timeout_ms, 5000, is_running, calls};
	bool ok;

	kube_fake_start(&f, answers, count);
	f.pods.verbs &= ~without;
	ok = kube_wait(f.kube, &f.pods, "x", "a", &wait, last, err);
	kube_fake_stop(&f, NULL);
	return ok;
}

Test(kube, wait_sees_the_change_in_a_watch)
{
	const char *answers[] = {
	    LIST("5", POD("4", "Pending")), OK("{\"type\":\"MODIFIED\",\"object\":" POD("6", "Running") "}\n")};
	struct err err = ERR_INIT;
	CLEANUP(json) struct json *last = NULL;
	int calls = 0;

	cr_assert(wait_with(answers, COUNT(answers), 0, 10000, &calls, &last, &err), "%s", err.msg);
	cr_assert_eq(calls, 2);
	cr_assert_str_eq(kube_version(json_root(last)), "6");
}

Test(kube, wait_lasts_through_an_absence_and_a_gap)
{
	const char *answers[] = {BUSY, LIST("5", ""), "", BUSY, LIST("5", POD("4", "Pending")),
	    OK("{\"type\":\"ERROR\",\"object\":{\"kind\":\"Status\",\"message\":\"too "
	       "old\",\"reason\":\"Expired\",\"code\":410}}\n"),
	    LIST("9", POD("8", "Running"))};
	struct err err = ERR_INIT;
	CLEANUP(json) struct json *last = NULL;
	int calls = 0;

	cr_assert(wait_with(answers, COUNT(answers), 0, 60000, &calls, &last, &err), "%s", err.msg);
	cr_assert_eq(calls, 3);
}

Test(kube, wait_polls_what_cannot_be_watched)
{
	const char *answers[] = {
	    JSON("404 Not Found", "{\"kind\":\"Status\",\"reason\":\"NotFound\",\"details\":{\"name\":"
				  "\"a\",\"kind\":\"pods\"},\"code\":404}"),
	    OK(POD("4", "Pending")), OK(POD("5", "Running"))};
	struct err err = ERR_INIT;
	CLEANUP(json) struct json *last = NULL;
	int calls = 0;

	cr_assert(wait_with(answers, COUNT(answers), KUBE_WATCH, 60000, &calls, &last, &err), "%s", err.msg);
	cr_assert_eq(calls, 3);
}

Test(kube, wait_gives_up_with_the_error_of_who_judges)
{
	const char *answers[] = {LIST("5", POD("4", "Failed"))};
	struct err err = ERR_INIT;
	CLEANUP(json) struct json *last = NULL;
	int calls = 0;

	cr_assert(!wait_with(answers, COUNT(answers), 0, 10000, &calls, &last, &err));
	cr_assert_eq(err.code, ERR_STATE);
	cr_assert_not_null(last);
}

Test(kube, wait_says_since_when_the_server_is_away)
{
	const char *answers[] = {LIST("5", POD("4", "Pending")), ""};
	struct err err = ERR_INIT;
	CLEANUP(json) struct json *last = NULL;
	int calls = 0;

	cr_assert(!wait_with(answers, COUNT(answers), 0, 60000, &calls, &last, &err));
	cr_assert_eq(err.code, ERR_NET);
	cr_assert(strstr(err.msg, "wait for pod \"x/a\" to run: the API server is away since 20"), "%s", err.msg);
	cr_assert(strstr(err.msg, "(limit 5 s)"), "%s", err.msg);
	cr_assert_not_null(last);
}

Test(kube, wait_ends_at_its_deadline)
{
	const char *answers[40];
	struct err err = ERR_INIT;
	CLEANUP(json) struct json *last = NULL;
	int calls = 0;

	/* more than it asks for, however short its pauses are */
	for (size_t i = 0; i < COUNT(answers); i++)
		answers[i] = i % 2 ? OK("") : LIST("5", "");
	cr_assert(!wait_with(answers, COUNT(answers), 0, 2500, &calls, &last, &err));
	cr_assert_eq(err.code, ERR_TIMEOUT);
	/* the last request has what is left of the time, and may be cut off by it: then that is told, too */
	cr_assert(!strncmp(err.msg, "waited 2.5 s for pod \"x/a\" to run", 33), "%s", err.msg);
}

/* --- logs -------------------------------------------------------------------------------------------------------- */

static bool collect(void *ctx, const char *bytes, size_t len, struct err *err)
{
	return buf_add(ctx, bytes, len, err) && !memmem(bytes, len, "stop", 4);
}

static bool logs(
    const char *answer, const struct kube_log_options *options, struct buf *text, char **seen, struct err *err)
{
	struct kube_fake f;
	bool ok;

	*err = (struct err)ERR_INIT;
	kube_fake_start(&f, &answer, 1);
	ok = kube_logs(f.kube, "x", "a", options, collect, text, err);
	kube_fake_stop(&f, seen);
	return ok;
}

Test(kube, logs_are_asked_for_as_told_and_read_to_their_end)
{
	BUF_CLEANUP struct buf text = BUF_INIT(1024);
	struct kube_log_options options = {"c", true, true, "2026-11-28T08:00:00Z", 5, 0};
	struct err err;
	CLEANUP(free) char *seen = NULL;

	cr_assert(
	    logs("<slow>" ANSWER("200 OK", "text/plain", "one\ntwo\n"), &options, &text, &seen, &err), "%s", err.msg);
	cr_assert_str_eq(buf_str(&text), "one\ntwo\n");
	cr_assert(strstr(seen, "/pods/a/log?container=c&follow=true&previous=true&sinceTime=2026-11-28T08%3A00%3A00Z&"
			       "tailLines=5 "),
	    "%s", seen);
}

Test(kube, log_that_is_followed_ends_in_silence)
{
	BUF_CLEANUP struct buf text = BUF_INIT(1024);
	struct kube_log_options options = {.follow = true, .tail_lines = -1, .idle_ms = 300};
	struct err err;

	cr_assert(logs("<hang>", &options, &text, NULL, &err), "%s", err.msg);
	options.follow = false;
	cr_assert(!logs("<hang>", &options, &text, NULL, &err));
	cr_assert_eq(err.code, ERR_TIMEOUT);
	cr_assert_str_eq(err.msg, "logs of pod \"x/a\": no byte within 0.3 s");
}

Test(kube, log_is_ended_by_its_reader_and_by_refusal)
{
	BUF_CLEANUP struct buf text = BUF_INIT(1024);
	struct kube_log_options options = {.tail_lines = -1};
	struct err err;

	cr_assert(logs(ANSWER("200 OK", "text/plain", "stop"), &options, &text, NULL, &err), "%s", err.msg);
	cr_assert(
	    !logs(JSON("400 Bad Request", "{\"kind\":\"Status\",\"message\":\"container \\\"c\\\" in pod \\\"a\\\" is "
					  "waiting to start: ErrImagePull\",\"reason\":\"BadRequest\",\"code\":400}"),
		&options, &text, NULL, &err));
	cr_assert_eq(err.code, ERR_REMOTE);
	cr_assert(strstr(err.msg, "waiting to start: ErrImagePull"), "%s", err.msg);
}

static bool ask_within(void *ctx, const json_node *object, struct err *err)
{
	struct kube_fake *f = ctx;
	struct kube_log_options options = {.tail_lines = -1};
	struct json *other = NULL;
	struct err refused = ERR_INIT;

	if (!json_is_at(object, "status/phase", "Running"))
		return false;
	/* the verbs may be used, a second stream may not */
	cr_assert(kube_get(f->kube, &f->pods, "x", "b", &other, err), "%s", err->msg);
	json_free(other);
	cr_assert(!kube_logs(f->kube, "x", "a", &options, collect, NULL, &refused));
	cr_assert_eq(refused.code, ERR_STATE);
	return true;
}

Test(kube, what_a_watch_calls_may_send_requests)
{
	const char *answers[] = {LIST("5", POD("4", "Pending")),
	    OK("{\"type\":\"MODIFIED\",\"object\":" POD("6", "Running") "}\n"), OK("{}")};
	struct kube_fake f;
	struct kube_wait wait = {"pod \"x/a\" to run", 10000, 5000, ask_within, &f};
	struct err err = ERR_INIT;

	kube_fake_start(&f, answers, COUNT(answers));
	cr_assert(kube_wait(f.kube, &f.pods, "x", "a", &wait, NULL, &err), "%s", err.msg);
	kube_fake_stop(&f, NULL);
}
