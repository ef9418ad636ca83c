/* kube_be_patient: a server that is away for longer than the retries of a call. */
#include "kube_fake.h"

#include "doc/json_edit.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define UNAUTHORIZED                                                                                                   \
	JSON("401 Unauthorized", "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{},\"status\":\"Failure\","  \
				 "\"message\":\"Unauthorized\",\"reason\":\"Unauthorized\",\"code\":401}\n")

#define AWAY ANSWER("503 Service Unavailable", "text/plain", "apiserver not ready")
#define POD OK("{\"kind\":\"Pod\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"y\",\"namespace\":\"x\"}}")

static void count_away(void *ctx, int64_t away_ms, const char *why)
{
	cr_expect(away_ms >= 0 && *why);
	++*(int *)ctx;
}

static bool patiently(const char *const *answers, size_t count, int *ret_asked, struct err *err)
{
	struct kube_fake f;
	bool ok;

	*ret_asked = 0;
	kube_fake_start(&f, answers, count);
	kube_be_patient(f.kube, 60000, count_away, ret_asked);
	ok = kube_get(f.kube, &f.pods, "x", "y", NULL, err);
	kube_fake_stop(&f, NULL);
	return ok;
}

Test(kube, patience_asks_again_what_only_asks)
{
	const char *answers[] = {AWAY, AWAY, AWAY, AWAY, AWAY, AWAY, AWAY, AWAY, AWAY, POD};
	struct err err = ERR_INIT;
	int asked;

	cr_assert(patiently(answers, COUNT(answers), &asked, &err), "%s", err.msg);
	cr_assert(asked > 0);
}

Test(kube, patience_has_an_end_that_is_told)
{
	const char *answers[] = {AWAY};
	struct err err = ERR_INIT;
	int asked;

	cr_assert_not(patiently(answers, 1, &asked, &err));
	cr_assert(strstr(err.msg, "the API server is away for "), "%s", err.msg);
}

Test(kube, patience_is_not_for_what_makes_something)
{
	const char *answers[] = {AWAY, AWAY, AWAY, AWAY, AWAY, AWAY, AWAY, AWAY, AWAY, POD};
	CLEANUP(json) struct json *pod = NULL;
	struct err err = ERR_INIT;
	struct kube_fake f;
	int asked = 0;
	char *seen;

	cr_assert(json_format(&pod, &err, "{'apiVersion':'v1','kind':'Pod','metadata':{'name':'y'}}"));
	kube_fake_start(&f, answers, COUNT(answers));
	kube_be_patient(f.kube, 60000, count_away, &asked);
	kube_create(f.kube, &f.pods, "x", json_root(pod), NULL, &err);
	kube_fake_stop(&f, &seen);
	/* then it is looked for: that may be asked again */
	cr_assert(strstr(seen, "POST ") && !strstr(strstr(seen, "POST ") + 1, "POST "), "%s", seen);
	free(seen);
}

Test(kube, just_back_a_server_may_not_know_its_callers_yet)
{
	const char *back[] = {AWAY, AWAY, AWAY, AWAY, AWAY, AWAY, UNAUTHORIZED, POD}, *refused[] = {UNAUTHORIZED, POD};
	struct err err = ERR_INIT;
	int asked;

	cr_assert(patiently(back, COUNT(back), &asked, &err) || err.code != ERR_AUTH, "%s", err.msg);
	err = (struct err)ERR_INIT;
	cr_assert_not(patiently(refused, COUNT(refused), &asked, &err));
	cr_assert_eq(err.code, ERR_AUTH, "%s", err.msg);
}

/* In its first round it may have been done, and the answer lost. */
Test(kube, a_deletion_whose_answer_was_lost_is_done)
{
	const char *answers[] = {"", "", "", "", "", "", "",
	    JSON("404 Not Found", "{\"kind\":\"Status\",\"status\":\"Failure\",\"reason\":\"NotFound\",\"code\":404,"
				  "\"details\":{\"name\":\"y\"}}")};
	struct err err = ERR_INIT;
	struct kube_fake f;
	int asked = 0;
	bool ok;

	kube_fake_start(&f, answers, COUNT(answers));
	kube_be_patient(f.kube, 60000, count_away, &asked);
	ok = kube_delete(f.kube, &f.pods, "x", "y", NULL, &err);
	kube_fake_stop(&f, NULL);
	cr_assert(ok && asked > 0, "%s", err.msg);
}

static volatile int stopped;

static void stop_it(void *ctx, int64_t away_ms, const char *why)
{
	(void)ctx;
	(void)away_ms;
	(void)why;
	stopped = 2;
}

Test(kube, patience_that_is_interrupted_says_so)
{
	const char *answers[] = {AWAY, AWAY, AWAY, AWAY, AWAY, AWAY, AWAY};
	struct err err = ERR_INIT;
	struct kube_fake f;
	struct kube *k = NULL;

	kube_fake_start(&f, answers, COUNT(answers));
	cr_assert(
	    kube_new(&f.config, &(struct kube_options){.clock = &f.clock, .stop = &stopped}, &k, &err), "%s", err.msg);
	kube_be_patient(k, 60000, stop_it, NULL);
	cr_assert_not(kube_get(k, &f.pods, "x", "y", NULL, &err));
	cr_assert_eq(err.code, ERR_INTERRUPTED, "%s", err.msg);
	kube_free(k);
	kube_fake_stop(&f, NULL);
}
