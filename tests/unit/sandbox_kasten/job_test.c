#include "sandbox/kasten/job.h"
#include "tests/unit/sandbox_kasten/support.h"

#include <signal.h>

#define NOW INT64_C(1700000000000)

static struct job *new_job(void)
{
	CLEANUP(json)
	struct json *object = tree("{'metadata':{'name':'scheduled-x','namespace':'mongo-ns','uid':'u-1','labels':{'"
				   "k10.kasten.io/appName':'mongo-ns'}},"
				   "'spec':{'subject':{'name':'mongo-ns'}}}");
	struct job *j = NULL;

	cr_assert(job_new(JOB_BACKUP, json_root(object), NOW, &j, NULL));
	return j;
}

static const char *status_text(const struct job *j, const char *path)
{
	static struct json *status;

	json_free(status);
	status = NULL;
	cr_assert(job_status(j, &status, NULL));
	return json_text_at(json_root(status), path);
}

Test(kasten_job, a_way_to_complete)
{
	CLEANUP(job) struct job *j = new_job();

	cr_expect_str_eq(status_text(j, "state"), "Pending");
	cr_expect_str_eq(job_label(j, "k10.kasten.io/appName"), "mongo-ns");
	cr_assert(job_begin_attempt(j, "check", NOW, NULL));
	cr_expect_str_eq(status_text(j, "state"), "Running");
	cr_expect_eq(job_attempt(j), 1);
	cr_assert(job_complete(j, NOW + 5000, NULL));
	cr_expect_str_eq(status_text(j, "state"), "Complete");
	cr_expect_str_eq(status_text(j, "startTime"), "2023-11-14T22:13:20.000Z");
	cr_expect_str_eq(status_text(j, "endTime"), "2023-11-14T22:13:25.000Z");
	cr_expect_null(status_text(j, "error/message"));
	cr_expect(job_is_final(j));
}

Test(kasten_job, three_attempts_and_each_has_a_time_of_its_own)
{
	CLEANUP(job) struct job *j = new_job();
	char before[40] = "";

	for (int attempt = 1; attempt <= JOB_ATTEMPTS_MAX; attempt++) {
		cr_assert(job_begin_attempt(j, "check", NOW + attempt * 2000, NULL));
		cr_expect_eq(job_attempt(j), attempt);
		cr_expect_str_neq(json_text_at(j->root, "try/time"), before);
		cr_expect_null(json_at(j->root, "try/run"), "nothing is left of the attempt before");
		snprintf(before, sizeof before, "%s", json_text_at(j->root, "try/time"));
		cr_assert(json_set_int(j->root, "try/run", 1, NULL));
		cr_assert(job_fail_attempt(j, NOW, "it failed", NULL, NULL));
		cr_expect_str_eq(status_text(j, "state"), attempt < JOB_ATTEMPTS_MAX ? "AttemptFailed" : "Failed");
		cr_expect_eq(job_is_final(j), attempt == JOB_ATTEMPTS_MAX);
	}
	cr_expect_str_eq(status_text(j, "error/message"), "it failed");
	cr_expect_str_eq(
	    status_text(j, "error/cause"), "{\"message\":\"it failed\",\"cause\":{\"message\":\"it failed\"}}");
}

Test(kasten_job, what_is_saved_goes_on_as_it_was)
{
	CLEANUP(job) struct job *j = new_job();
	CLEANUP(job) struct job *again = NULL;
	struct json *copy = NULL;

	cr_assert(job_begin_attempt(j, "blueprints", NOW, NULL));
	cr_assert(json_clone(j->root, &copy, NULL));
	cr_assert(job_load(copy, &again, NULL));
	cr_expect_eq(again->kind, JOB_BACKUP);
	cr_expect_eq(job_state(again), JOB_RUNNING);
	cr_expect_eq(job_attempt(again), 1);
	cr_expect_str_eq(job_step(again), "blueprints");
	cr_expect_str_eq(json_text_at(again->root, "try/time"), json_text_at(j->root, "try/time"));
}

Test(kasten_job, a_foreign_record_is_refused)
{
	CLEANUP(json) struct json *other = tree("{'format':'x','version':1}");
	struct job *j = NULL;
	struct err err = ERR_INIT;

	cr_expect_not(job_load(other, &j, &err));
	cr_expect_null(j);
}

Test(kasten_job, final_states_are_never_left, .signal = SIGABRT)
{
	CLEANUP(job) struct job *j = new_job();

	cr_assert(job_fail(j, NOW, "no", NULL, NULL));
	job_begin_attempt(j, "check", NOW, NULL);
}

Test(kasten_job, nothing_completes_that_did_not_run, .signal = SIGABRT)
{
	CLEANUP(job) struct job *j = new_job();

	job_complete(j, NOW, NULL);
}

Test(kasten_job, which_states_are_final)
{
	static const struct {
		const char *name;
		bool final;
	} cases[] = {{"Pending", false}, {"Running", false}, {"AttemptFailed", false}, {"Complete", true},
	    {"Failed", true}, {"Skipped", true}, {"Cancelled", true}, {"complete", false}, {"", false}, {NULL, false}};

	for (size_t i = 0; i < COUNT(cases); i++)
		cr_expect_eq(job_state_is_final(cases[i].name), cases[i].final, "%s", cases[i].name);
}
