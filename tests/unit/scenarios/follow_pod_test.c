/* A pod's log through a scripted API server: streams that break, pods that go. */
#include "scenarios/follow_pod.h"
#include "scenarios/run_dir.h"

#include "../kube/kube_fake.h"
#include "base/file.h"
#include "sample.h"

#include <stdlib.h>

#define POD(uid, phase)                                                                                                \
	OK("{\"kind\":\"Pod\",\"metadata\":{\"name\":\"ticker\",\"uid\":\"" uid "\"},\"status\":{\"phase\":\"" phase   \
	   "\"}}")
#define GONE                                                                                                           \
	JSON("404 Not Found",                                                                                          \
	    "{\"kind\":\"Status\",\"reason\":\"NotFound\",\"message\":\"gone\",\"details\":{\"name\":"                 \
	    "\"ticker\",\"kind\":\"pods\"}}")
#define AWAY JSON("503 Service Unavailable", "{\"kind\":\"Status\",\"message\":\"starting\"}")

static char dir[] = "/tmp/psmdb-drill-pod-XXXXXX";
static struct kube_fake f;
static struct err err;
static char *log_text[12]; /* answers, by number of ticks */
static struct record_head told;

/* The log of the first so many ticks, as an answer. */
static const char *log_of(int64_t ticks, bool sealed, const char *tail)
{
	struct memory_sink m;
	struct record_sink sink = memory_sink_init(&m);
	CLEANUP(journal_writer) struct journal_writer *w = NULL;
	struct journal_open open = sample_open(1);
	struct journal_record end = end_record();
	BUF_CLEANUP struct buf out = BUF_INIT(1 << 20);
	size_t at = 0;

	cr_assert(journal_writer_new(&sink, &open, &w, NULL));
	for (int64_t seq = 1; seq <= ticks; seq++) {
		struct journal_record a = issued(0, seq, seq), b = acked(0, seq, seq);

		cr_assert(journal_write(w, &a, NULL) && journal_write(w, &b, NULL));
	}
	cr_assert(!sealed || journal_write(w, &end, NULL));
	told = journal_writer_head(w);
	buf_add_str(&out, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n", NULL);
	for (const char *p = m.text.data, *nl; (nl = strchr(p, '\n')); p = nl + 1) {
		buf_add_str(&out, RECORD_LOG_PREFIX, NULL);
		buf_add(&out, p, (size_t)(nl - p) + 1, NULL);
	}
	buf_add_str(&out, tail, NULL);
	buf_clear(&m.text);
	while (log_text[at])
		at++;
	return log_text[at] = strdup(buf_str(&out));
}

static void set_up(void)
{
	cr_assert(mkdtemp(dir));
	cr_assert(run_create(dir, "test", clock_system(), &err), "%s", err.msg);
}

static void tear_down(void)
{
	file_remove_tree(dir, NULL);
	for (size_t i = 0; i < COUNT(log_text); i++)
		free(log_text[i]);
}

TestSuite(follow_pod, .init = set_up, .fini = tear_down);

static bool follow(const char *const *answers, size_t count, struct record_head *ret)
{
	CLEANUP(follower) struct follower *follower = NULL;
	char *seen = NULL;
	bool ok;

	err = (struct err)ERR_INIT;
	kube_fake_start(&f, answers, count);
	{
		const struct follow_pod p = {
		    .kube = f.kube, .namespace_ = "ns", .pod = "ticker", .clock = &f.clock, .unreachable_ms = 20000};

		cr_assert(follower_new(dir, RUN_JOURNAL, &f.clock, &follower, &err), "%s", err.msg);
		ok = follow_pod_run(&p, follower, &err);
		cr_assert(follower_finish(follower, NULL));
	}
	*ret = follower_head(follower);
	kube_fake_stop(&f, &seen);
	cr_assert_null(strstr(seen, "POST ") ? "POST" : NULL);
	free(seen);
	return ok;
}

Test(follow_pod, a_stream_that_breaks_is_read_again_and_repeats_are_dropped)
{
	const char *answers[] = {POD("u", "Running"), log_of(3, false, "@psmdb-drill {\"n\":8,\"type\":\"iss"),
	    POD("u", "Running"), log_of(5, false, ""), POD("u", "Running"), log_of(6, true, "")};
	struct record_head head;

	cr_assert(follow(answers, COUNT(answers), &head), "%s", err.msg);
	cr_assert_eq(head.n, told.n);
	cr_assert_str_eq(head.chain, told.chain);
}

Test(follow_pod, a_pod_that_is_gone_ends_it_with_what_was_copied)
{
	const char *answers[] = {POD("u", "Running"), log_of(3, false, ""), GONE};
	struct record_head head;

	cr_assert(follow(answers, COUNT(answers), &head), "%s", err.msg);
	cr_assert_eq(head.n, told.n);
}

Test(follow_pod, a_pod_of_the_same_name_is_another_one)
{
	const char *answers[] = {POD("u", "Running"), log_of(3, false, ""), POD("v", "Running")};
	struct record_head head;

	cr_assert(follow(answers, COUNT(answers), &head), "%s", err.msg);
	cr_assert_eq(head.n, told.n);
}

Test(follow_pod, a_pod_that_has_ended_is_read_to_its_end_once)
{
	const char *answers[] = {POD("u", "Failed"), log_of(3, false, "")};
	struct record_head head;

	cr_assert(follow(answers, COUNT(answers), &head), "%s", err.msg);
	cr_assert_eq(head.n, told.n);
}

Test(follow_pod, a_server_that_is_away_for_a_while_is_waited_for)
{
	const char *answers[] = {
	    POD("u", "Running"), log_of(3, false, ""), AWAY, AWAY, AWAY, POD("u", "Running"), log_of(4, true, "")};
	struct record_head head;

	cr_assert(follow(answers, COUNT(answers), &head), "%s", err.msg);
	cr_assert_eq(head.n, told.n);
}

Test(follow_pod, a_server_that_stays_away_is_an_error_and_what_was_copied_stays)
{
	const char *answers[] = {POD("u", "Running"), log_of(3, false, "")};
	struct record_head head;

	cr_assert_not(follow(answers, COUNT(answers), &head));
	cr_assert(strstr(err.msg, "cannot be read for 20 s"), "%s", err.msg);
	cr_assert_eq(head.n, told.n);
}

Test(follow_pod, another_journal_in_the_log_is_final)
{
	const char *answers[] = {POD("u", "Running"),
	    log_of(3, false,
		"@psmdb-drill {\"n\":8,\"type\":\"acked\",\"chain\":"
		"\"00000000000000000000000000000000\"}\n"),
	    POD("u", "Running"), log_of(5, true, "")};
	struct record_head head;

	cr_assert_not(follow(answers, COUNT(answers), &head));
	cr_assert_eq(err.code, ERR_BROKEN, "%s", err.msg);
	cr_assert_eq(head.n, 7);
}
