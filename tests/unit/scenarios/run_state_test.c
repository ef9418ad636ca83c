#include "scenarios/run_state.h"

#include "base/file.h"

#include <criterion/criterion.h>
#include <string.h>
#include <sys/stat.h>

#define T0 INT64_C(1795867200000)

static char dir[] = "/tmp/psmdb-drill-state-XXXXXX";
static struct err err;

static void set_up(void)
{
	cr_assert(mkdtemp(dir));
	err = (struct err)ERR_INIT;
}

static void tear_down(void)
{
	file_remove_tree(dir, NULL);
}

TestSuite(run_state, .init = set_up, .fini = tear_down);

static struct run_state fresh(size_t steps)
{
	struct run_state s;

	cr_assert(run_state_new(&s, dir, "case-1", "/folder", "abc", steps, &err), "%s", err.msg);
	return s;
}

static struct run_state again(void)
{
	struct run_state s;

	cr_assert(run_state_load(&s, dir, &err), "%s", err.msg);
	return s;
}

static struct json *object(const char *name, const char *uid)
{
	struct json *doc = NULL;

	cr_assert(json_format(&doc, &err, "{'metadata':{'name':%s,'namespace':'ns','uid':%s}}", name, uid));
	return doc;
}

Test(run_state, what_was_saved_is_read_again)
{
	struct run_state s = fresh(3), r;
	CLEANUP(json) struct json *pod = object("ticker", "u-1");
	struct kube_kind pods, back;
	struct stat st;

	kube_kind_set(&pods, "", "v1", "pods", "Pod", true);
	cr_assert(run_state_put(&s, "values/backup", "b\"1\n", &err));
	cr_assert(run_state_step_set(&s, 0, "done", NULL, T0, &err));
	cr_assert(run_state_step_set(&s, 1, "failed", "because", T0, &err));
	cr_assert(run_state_created(&s, &pods, json_root(pod), 1, false, &err));
	run_state_clear(&s);
	r = again();
	cr_assert_str_eq(run_state_text(&r, "values/backup"), "b\"1\n");
	cr_assert_str_eq(run_state_text(&r, "scenario"), "case-1");
	cr_assert_str_eq(run_state_text(&r, "folder"), "/folder");
	cr_assert_str_eq(run_state_step(&r, 1), "failed");
	cr_assert_str_eq(run_state_text(&r, "steps/1/error"), "because");
	cr_assert_eq(json_count(run_state_objects(&r)), 1);
	run_state_kind(json_first(run_state_objects(&r)), &back);
	cr_assert_str_eq(back.plural, "pods");
	cr_assert(back.namespaced);
	cr_assert(!stat(r.path, &st) && (st.st_mode & 0777) == 0600, "nobody else reads it");
	run_state_clear(&r);
}

Test(run_state, a_run_goes_on_with_the_first_step_that_is_not_done)
{
	struct run_state s = fresh(3);
	static const char *const unfinished[] = {"pending", "running", "failed"};

	cr_assert_eq(run_state_next(&s), 0);
	cr_assert(run_state_step_set(&s, 0, "done", NULL, T0, &err));
	for (size_t i = 0; i < 3; i++) {
		cr_assert(run_state_step_set(&s, 1, unfinished[i], NULL, T0, &err));
		cr_assert_eq(run_state_next(&s), 1, "%s", unfinished[i]);
	}
	cr_assert(
	    run_state_step_set(&s, 1, "done", NULL, T0, &err) && run_state_step_set(&s, 2, "done", NULL, T0, &err));
	cr_assert_eq(run_state_next(&s), 3);
	run_state_clear(&s);
}

Test(run_state, a_step_that_succeeds_later_keeps_no_error)
{
	struct run_state s = fresh(1);

	cr_assert(run_state_step_set(&s, 0, "failed", "because", T0, &err));
	cr_assert(run_state_step_set(&s, 0, "running", NULL, T0, &err));
	cr_assert_null(run_state_text(&s, "steps/0/error"));
	cr_assert_not(run_state_step_set(&s, 1, "done", NULL, T0, &err), "there is no second step");
	run_state_clear(&s);
}

Test(run_state, an_object_is_recorded_once_and_never_without_a_uid)
{
	struct run_state s = fresh(1);
	CLEANUP(json) struct json *a = object("a", "u"), *b = object("b", "u"), *none = object("c", NULL);
	struct kube_kind pods;

	kube_kind_set(&pods, "", "v1", "pods", "Pod", true);
	cr_assert(run_state_created(&s, &pods, json_root(a), 0, false, &err));
	cr_assert(run_state_created(&s, &pods, json_root(b), 0, false, &err));
	cr_assert_eq(json_count(run_state_objects(&s)), 1);
	cr_assert_not(run_state_created(&s, &pods, json_root(none), 0, false, &err));
	cr_assert_eq(err.code, ERR_REMOTE);
	run_state_clear(&s);
}

Test(run_state, a_directory_without_a_state_is_no_run)
{
	struct run_state s;

	cr_assert_not(run_state_load(&s, dir, &err));
	cr_assert_eq(err.code, ERR_NOT_FOUND);
	cr_assert(strstr(err.msg, "is no run of a scenario"));
}

#define GOOD                                                                                                           \
	"'format':'psmdb-drill/state','version':1,'scenario':'a','folder':'/','sha256':'0','options':{},"              \
	"'parameters':{},'values':{}"

Test(run_state, a_damaged_state_is_refused_and_not_followed)
{
	static const char *const bad[] = {"", "{", "[]", "null", "{}", "{'format':'psmdb-drill/state','version':2}",
	    "{" GOOD "}", "{" GOOD ",'seen':[],'steps':{},'objects':[]}",
	    "{" GOOD ",'seen':{},'steps':[],'objects':[]}",
	    "{" GOOD ",'seen':[{'object':'a'}],'steps':[],'objects':[]}",
	    "{" GOOD ",'seen':[],'steps':[{}],'objects':[]}",
	    "{" GOOD ",'seen':[],'steps':[{'state':'over'}],'objects':[]}",
	    "{" GOOD ",'seen':[],'steps':[7],'objects':[]}", "{" GOOD ",'seen':[],'steps':[],'objects':[{}]}",
	    "{" GOOD ",'seen':[],'steps':[],'objects':[{'plural':'pods','name':'a','uid':7}]}",
	    "{" GOOD ",'seen':[],'steps':[],'objects':[],'objects':[]}"};
	struct run_state s;
	char path[PATH_MAX];

	snprintf(path, sizeof path, "%s/state.json", dir);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		char text[1024];

		snprintf(text, sizeof text, "%s", bad[i]);
		for (char *p = text; *p; p++)
			*p = *p == '\'' ? '"' : *p;
		cr_assert(file_write_atomic(path, text, strlen(text), 0600, NULL));
		err = (struct err)ERR_INIT;
		cr_assert_not(run_state_load(&s, dir, &err), "taken: %s", text);
		cr_assert(strstr(err.msg, "state.json"), "%s", err.msg);
	}
}
