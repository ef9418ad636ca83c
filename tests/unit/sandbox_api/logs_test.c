#include "asked.h"

#include "base/file.h"

static char dir[64];

/* Pod "p" whose container "c" said a line ten seconds ago and one just now. */
static void begin(void)
{
	char path[256];
	static const char text[] = "2026-11-28T06:59:50.000Z stdout old\n2026-11-28T07:00:00.000Z stdout new\n";
	struct err err = ERR_INIT;

	start();
	snprintf(dir, sizeof dir, "/tmp/api-logs-XXXXXX");
	cr_assert(mkdtemp(dir));
	api.pod_dir = dir;
	need_code(201, ask("POST", PODS, "{'metadata':{'name':'p'},'spec':{'containers':[{'name':'c','image':'x'}]}}"));
	snprintf(path, sizeof path, "%s/default_p_%s", dir, text_of("metadata/uid"));
	cr_assert(file_make_dirs(path, 0700, &err), "%s", err.msg);
	snprintf(path + strlen(path), sizeof path - strlen(path), "/c.log");
	cr_assert(file_write_atomic(path, text, sizeof text - 1, 0600, &err), "%s", err.msg);
}

static void finish(void)
{
	end();
	file_remove_tree(dir, NULL);
}

TestSuite(api_logs, .init = begin, .fini = finish);

static void expect_log(const char *query, const char *wanted)
{
	BUF_CLEANUP struct buf out = BUF_INIT(65536);
	char target[200];

	snprintf(target, sizeof target, PODS "/p/log%s", query);
	need_code(200, get(target));
	cr_expect(!response.stream->fill(response.stream, &out));
	cr_expect_str_eq(buf_str(&out), wanted, "%s: %s", query, buf_str(&out));
}

Test(api_logs, seconds_say_how_far_back_it_goes)
{
	expect_log("", "old\nnew\n");
	expect_log("?sinceSeconds=5", "new\n");
	expect_log("?sinceSeconds=15", "old\nnew\n");
	expect_log("?sinceTime=2026-11-28T06:59:55Z", "new\n");
}

Test(api_logs, more_seconds_than_there_ever_were_are_all)
{
	expect_log("?sinceSeconds=1795849200", "old\nnew\n");
	expect_log("?sinceSeconds=9223372036854775", "old\nnew\n");
	expect_log("?sinceSeconds=9223372036854775807", "old\nnew\n");
}

Test(api_logs, a_previous_log_that_is_not_there_is_not_waited_for)
{
	static const char *const queries[] = {"?previous=true", "?previous=true&follow=true"};

	for (size_t i = 0; i < 2; i++) {
		char target[200];

		snprintf(target, sizeof target, PODS "/p/log%s", queries[i]);
		need_code(400, get(target));
		expect_text("message", "previous terminated container \"c\" in pod \"p\" not found");
	}
}

Test(api_logs, a_number_that_is_none_is_refused)
{
	expect_log("?tailLines=1", "new\n");
	expect_log("?limitBytes=3", "old");
	need_code(400, get(PODS "/p/log?tailLines=-1"));
	need_code(400, get(PODS "/p/log?limitBytes=x"));
}
