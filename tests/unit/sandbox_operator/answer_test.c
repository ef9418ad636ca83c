/* Outputs as PBM 2.5.0 gave them. */
#include "sandbox/operator/answer.h"

#include "base/clock.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static int64_t at(const char *text)
{
	int64_t ms = 0;

	cr_assert(time_parse(text, &ms));
	return ms;
}

Test(answer, a_command_that_was_taken_has_a_name)
{
	struct answer a;

	answer_of_command(
	    "{\"name\":\"2026-11-28T05:47:00Z\",\"storage\":\"s3://http://127.82.59.1:21310/drill/pbm\"}\n", &a);
	cr_assert_eq(a.state, ANSWER_NAMED);
	cr_assert_str_eq(a.name, "2026-11-28T05:47:00Z");
	answer_of_command("{\"name\":\"2026-11-28T05:47:39.854760105Z\",\"snapshot\":\"2026-11-28T05:47:00Z\"}", &a);
	cr_assert_str_eq(a.name, "2026-11-28T05:47:39.854760105Z");
}

Test(answer, what_is_no_time_is_no_name)
{
	struct answer a;

	answer_of_command("{\"name\":\"--force\"}", &a);
	cr_assert_eq(a.state, ANSWER_UNREADABLE);
	answer_of_describe("{\"name\":\"../x\",\"status\":\"done\"}", &a);
	cr_assert_eq(a.state, ANSWER_UNREADABLE);
}

Test(answer, refusals_are_told_apart)
{
	static const struct {
		const char *output;
		enum answer_state state;
	} cases[] = {
	    {"{\"Error\":\"get backup metadata: not found\"}", ANSWER_NOT_FOUND},
	    {"{\"Error\":\"backup '2026-01-01T00:00:00Z' not found\"}\n", ANSWER_NOT_FOUND},
	    {"{\"Error\":\"another operation in progress, Snapshot backup\"}", ANSWER_BUSY},
	    {"{\"Error\":\"backup '2026-11-28T05:47:00Z' didn't finish successfully\"}", ANSWER_REFUSED},
	    {"Error: connect to mongodb: timed out\n", ANSWER_UNREADABLE},
	    {"", ANSWER_UNREADABLE},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct answer a;

		answer_of_command(cases[i].output, &a);
		cr_expect_eq(a.state, cases[i].state, "%s", cases[i].output);
		cr_expect(*a.text, "%s", cases[i].output);
	}
}

Test(answer, warnings_in_front_are_skipped)
{
	struct answer a;

	answer_of_describe(
	    "WARNING: MongoDB 6.0 {old} is not [supported]\n{\"name\":\"2026-11-28T05:47:00Z\",\"status\":\"done\","
	    "\"last_transition_ts\":1795844837}",
	    &a);
	cr_assert_eq(a.state, ANSWER_DONE);
	cr_assert_eq(a.transition_ms, 1795844837000);
}

Test(answer, every_status_between_starting_and_the_end_is_running)
{
	static const struct {
		const char *status;
		enum answer_state state;
	} cases[] = {{"starting", ANSWER_STARTING}, {"", ANSWER_STARTING}, {"running", ANSWER_RUNNING},
	    {"dumpDone", ANSWER_RUNNING}, {"something new", ANSWER_RUNNING}, {"done", ANSWER_DONE},
	    {"error", ANSWER_ERROR}};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char output[200];
		struct answer a;

		snprintf(
		    output, sizeof output, "{\"name\":\"2026-11-28T05:47:00Z\",\"status\":\"%s\"}", cases[i].status);
		answer_of_describe(output, &a);
		cr_expect_eq(a.state, cases[i].state, "%s", cases[i].status);
	}
}

Test(answer, an_error_is_one_line)
{
	struct answer a;

	answer_of_describe("{\"name\":\"2026-11-28T05:47:55Z\",\"status\":\"error\",\"error\":\"upload to S3: "
			   "InvalidAccessKeyId: The access key\\n\\tstatus code: 403, host id: \\u001b[31m\"}",
	    &a);
	cr_assert_eq(a.state, ANSWER_ERROR);
	cr_assert(strstr(a.text, "InvalidAccessKeyId: The access key status code: 403"), "%s", a.text);
	cr_assert_null(strpbrk(a.text, "\n\t\x1b"));
}

Test(answer, the_error_of_a_set_stands_in_for_the_whole)
{
	struct answer a;

	answer_of_describe("{\"name\":\"2026-11-28T05:47:55Z\",\"status\":\"error\",\"replsets\":[{\"name\":\"cfg\"},"
			   "{\"name\":\"rs0\",\"error\":\"broken\"}]}",
	    &a);
	cr_assert_str_eq(a.text, "broken");
	cr_assert_str_eq(a.sets, "cfg,rs0");
}

#define LIST                                                                                                           \
	"{\"backups\":{\"type\":\"S3\",\"snapshot\":[{\"name\":\"2026-11-28T05:51:03Z\",\"status\":\"error\","         \
	"\"error\":\"some of pbm-agents were lost during the backup\"},{\"name\":\"2026-11-28T05:47:00Z\","            \
	"\"status\":\"done\"}]}}"

Test(answer, the_list_knows_of_lost_agents)
{
	struct answer a;

	answer_of_backups(LIST, "2026-11-28T05:51:03Z", &a);
	cr_assert_eq(a.state, ANSWER_ERROR);
	cr_assert_str_eq(a.text, "some of pbm-agents were lost during the backup");
	answer_of_backups(LIST, "2026-11-28T05:47:00Z", &a);
	cr_assert_eq(a.state, ANSWER_DONE);
	answer_of_backups(LIST, "2026-11-28T05:47:01Z", &a);
	cr_assert_eq(a.state, ANSWER_NOT_FOUND);
}

Test(answer, the_first_one_since_is_taken)
{
	struct answer a;

	answer_since(LIST, at("2026-11-28T05:40:00Z"), &a);
	cr_assert_str_eq(a.name, "2026-11-28T05:47:00Z");
	answer_since(LIST, at("2026-11-28T05:48:00Z"), &a);
	cr_assert_str_eq(a.name, "2026-11-28T05:51:03Z");
	answer_since(LIST, at("2026-11-28T05:51:04.5Z"), &a);
	cr_assert_eq(a.state, ANSWER_NOT_FOUND);
	answer_since("null\n", 0, &a);
	cr_assert_eq(a.state, ANSWER_NOT_FOUND);
	answer_since("[{\"name\":\"2026-11-28T05:47:39.854760105Z\"}]", at("2026-11-28T05:47:39Z"), &a);
	cr_assert_eq(a.state, ANSWER_NAMED);
}

Test(answer, the_version_is_read)
{
	struct answer a;

	answer_of_version("{\"Version\":\"2.5.0\",\"Platform\":\"linux/amd64\"}", &a);
	cr_assert_eq(a.state, ANSWER_NAMED);
	cr_assert_str_eq(a.name, "2.5.0");
}
