/*
 * Steps of actions against a scripted API server: what is read once, what a bucket that is away does, what stays the same
 * in a later attempt.
 */
#include "../kube/kube_fake.h"
#include "base/file.h"
#include "sandbox/kasten/depot.h"
#include "sandbox/kasten/names.h"
#include "sandbox/kasten/publish.h"
#include "tests/unit/sandbox_kasten/support.h"

#include <stdlib.h>

static char dir[] = "/tmp/drill-kasten-XXXXXX";
static const struct log quiet = {.least = LOG_ERROR, .program = "test"};
static struct kube_fake fake;
static struct kasten k;
static struct job *job;
static struct err err;

static void begin(const char *const *answers, size_t count)
{
	static const struct {
		enum kasten_kind kind;
		const char *group, *plural, *name;
		bool namespaced;
	} kinds[] = {{KIND_PROFILE, KASTEN_CONFIG_GROUP, "profiles", "Profile", true},
	    {KIND_POINT, KASTEN_APPS_GROUP, "restorepoints", "RestorePoint", true},
	    {KIND_CONTENT, KASTEN_APPS_GROUP, "restorepointcontents", "RestorePointContent", false},
	    {KIND_BLUEPRINT, KANISTER_GROUP, "blueprints", "Blueprint", true},
	    {KIND_SECRET, "", "secrets", "Secret", true}};

	kube_fake_start(&fake, answers, count);
	k = (struct kasten){.kube = fake.kube, .clock = &fake.clock, .log = &quiet};
	cr_assert(mkdtemp(dir));
	cr_assert(store_open(dir, &k.store, &err), "%s", err.msg);
	for (size_t i = 0; i < COUNT(kinds); i++)
		kube_kind_set(&k.kinds[kinds[i].kind], kinds[i].group, *kinds[i].group ? KASTEN_VERSION : "v1",
		    kinds[i].plural, kinds[i].name, kinds[i].namespaced);
}

/* An action of this spec, at the first step of its first attempt. */
static void act(enum job_kind kind, const char *spec)
{
	CLEANUP(json) struct json *object = NULL;
	CLEANUP(json) struct json *inner = tree(spec);

	cr_assert(json_format(
	    &object, &err, "{'metadata':{'name':'a','namespace':'n','uid':'u-1'},'spec':%j}", json_root(inner)));
	cr_assert(job_new(kind, json_root(object), kasten_now(&k), &job, &err), "%s", err.msg);
	cr_assert(job_begin_attempt(job, "check", kasten_now(&k), &err), "%s", err.msg);
}

static void end(char **ret_seen)
{
	job_free(job);
	kube_fake_stop(&fake, ret_seen);
	file_remove_tree(dir, NULL);
}

#define NO_CONTENT                                                                                                     \
	JSON("404 Not Found", "{\"kind\":\"Status\",\"reason\":\"NotFound\",\"details\":{\"name\":\"c\",\"kind\":"     \
			      "\"restorepointcontents\"},\"code\":404}")
#define BLUEPRINT OK("{\"kind\":\"Blueprint\",\"metadata\":{\"name\":\"bp\"},\"actions\":{}}")

/* Else a PUT whose answer was lost leaves an object that every import offers. */
Test(kasten_actions, an_export_that_is_tried_again_writes_to_the_same_name)
{
	CLEANUP(free) char *content = NULL;
	CLEANUP(free) char *point = NULL;

	begin(NULL, 0);
	act(JOB_EXPORT, "{'subject':{'name':'p','namespace':'n'},'receiveString':'r'}");
	cr_assert(export_step(&k, job, &err), "%s", err.msg);
	cr_assert_str_eq(job_step(job), "copy");
	content = strdup(json_text_at(job->root, "names/content"));
	point = strdup(json_text_at(job->root, "names/point"));
	cr_assert(job_fail_attempt(job, kasten_now(&k), "the answer was lost", NULL, &err));
	cr_assert(job_begin_attempt(job, "check", kasten_now(&k), &err));
	cr_assert(export_step(&k, job, &err), "%s", err.msg);
	cr_expect_str_eq(json_text_at(job->root, "names/content"), content);
	cr_expect_str_eq(json_text_at(job->root, "names/point"), point);
	end(NULL);
}

Test(kasten_actions, a_restore_is_tried_again_when_the_bucket_does_not_answer)
{
	const char *answers[] = {
	    OK("{\"metadata\":{\"name\":\"p\"},\"spec\":{\"restorePointContentRef\":{\"name\":\"c\"}}}"),
	    OK("{\"metadata\":{\"name\":\"c\"}}"),
	    OK("{\"metadata\":{\"name\":\"s3\"},\"status\":{\"validation\":\"Success\"},\"spec\":{\"locationSpec\":{"
	       "\"credential\":{\"secret\":{\"name\":\"keys\"}},\"objectStore\":{\"name\":\"b\",\"region\":\"r\","
	       "\"endpoint\":\"http://127.0.0.1:1\"}}}}"),
	    OK("{\"metadata\":{\"name\":\"keys\"},\"data\":{\"aws_access_key_id\":\"QUs=\",\"aws_secret_access_key\":"
	       "\"c2VjcmV0\"}}")};
	CLEANUP(json) struct json *profile = tree("{'spec':{'locationSpec':{'objectStore':{'name':'b'}}}}");
	CLEANUP(json) struct json *reference = tree("{'name':'s3','namespace':''}");
	BUF_CLEANUP struct buf receive = BUF_INIT(RECEIVE_TEXT_MAX);
	CLEANUP(free) char *seen = NULL;

	begin(answers, COUNT(answers));
	cr_assert(depot_receive(json_root(profile), &receive, &err), "%s", err.msg);
	cr_assert(
	    publish_reference(&k, "c", &(struct reference){buf_str(&receive), "c", json_root(reference), false}, &err));
	act(JOB_RESTORE, "{'subject':{'kind':'RestorePoint','name':'p','namespace':'n'},'targetNamespace':'n'}");
	cr_expect(restore_step(&k, job, &err), "%s", err.msg);
	cr_expect_eq(job_state(job), JOB_ATTEMPT_FAILED, "%s: %s", job_state_name(job_state(job)),
	    json_text_at(job->root, "error/cause"));
	end(&seen);
	cr_expect(
	    strstr(seen, "/namespaces/" KASTEN_NAMESPACE "/profiles/s3"), "an empty namespace is Kasten's: %s", seen);
}

static void save_content(const char *text)
{
	CLEANUP(json) struct json *content = tree(text);

	cr_assert(store_put(&k.store, STORE_CONTENTS, "c", json_root(content), &err), "%s", err.msg);
}

Test(kasten_actions, a_retirement_reads_its_content_once)
{
	const char *answers[] = {BLUEPRINT, BLUEPRINT, NO_CONTENT};
	CLEANUP(json) struct json *before = NULL;

	begin(answers, COUNT(answers));
	save_content("{'format':'psmdb-sandbox-kasten-content','version':1,'namespace':'n','objects':[{'group':'g',"
		     "'resource':'r','object':{'metadata':{'name':'x'}}}],'artifacts':[{'object':{'name':'x','group':"
		     "'g','resource':'r','blueprint':'bp'},'artifacts':{'a':1}},{'object':{'name':'y','group':'g',"
		     "'resource':'r','blueprint':'bp'},'artifacts':{'b':2}}]}");
	act(JOB_RETIRE, "{'subject':{'name':'c'}}");
	cr_assert(retire_step(&k, job, &err), "%s", err.msg);
	cr_assert(job->dirty);
	cr_expect_str_eq(json_text_at(job->root, "targets/0/saved/metadata/name"), "x");
	cr_assert(store_remove(&k.store, STORE_CONTENTS, "c", &err));
	cr_assert(json_clone(json_get(job->root, "targets"), &before, &err));

	cr_assert(retire_step(&k, job, &err), "the first: %s", err.msg);
	cr_expect_eq(json_int_at(job->root, "done", -1), 1);
	cr_assert(job_fail_attempt(job, kasten_now(&k), "test", NULL, &err));
	cr_assert(job_begin_attempt(job, "check", kasten_now(&k), &err));
	cr_assert(retire_step(&k, job, &err), "the second attempt: %s", err.msg);
	cr_expect(json_equal(json_get(job->root, "targets"), json_root(before)));
	cr_assert(retire_step(&k, job, &err), "the second: %s", err.msg);
	cr_expect_eq(json_int_at(job->root, "done", -1), 2, "it goes on where the first attempt came to");
	cr_assert(retire_step(&k, job, &err), "the content: %s", err.msg);
	cr_expect_eq(job_state(job), JOB_COMPLETE);
	end(NULL);
}

Test(kasten_actions, a_content_without_a_record_is_let_go)
{
	const char *answers[] = {NO_CONTENT};

	begin(answers, COUNT(answers));
	act(JOB_RETIRE, "{'subject':{'name':'c'}}");
	cr_assert(retire_step(&k, job, &err) && retire_step(&k, job, &err), "%s", err.msg);
	cr_expect_eq(job_state(job), JOB_COMPLETE);
	end(NULL);
}
