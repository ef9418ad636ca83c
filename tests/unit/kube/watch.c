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
	const char *answers[] = {
	    LIST("5", ""), OK(""), LIST("5", ""), OK(""), LIST("5", ""), OK(""), LIST("5", ""), OK("")};
	struct err err = ERR_INIT;
	CLEANUP(json) struct json *last = NULL;
	int calls = 0;

	cr_assert(!wait_with(answers, COUNT(answers), 0, 2500, &calls, &last, &err));
	cr_assert_eq(err.code, ERR_TIMEOUT);
	cr_assert_str_eq(err.msg, "waited 2.5 s for pod \"x/a\" to run");
}
