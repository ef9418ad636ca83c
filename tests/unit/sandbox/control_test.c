#include "sandbox/parts/control.h"

#include <criterion/criterion.h>
#include <string.h>

static struct layout layout = {
    .dir = "/tmp/somewhere", .members = 2, .mongod_port = 27017, .ports = 20000, .compression = "s2"};
static struct secrets secrets;

static struct part_set *make_set(void)
{
	struct part_set *set;

	cr_assert(part_set_new(&layout, &secrets, &set, NULL));
	return set;
}

Test(control, every_operation_comes_back_as_it_was_asked)
{
	CLEANUP(part_set) struct part_set *set = make_set();

	for (int op = 0; op < CONTROL_OP_COUNT; op++) {
		BUF_CLEANUP struct buf line = BUF_INIT(CONTROL_REQUEST_MAX);
		struct control_request r;
		struct err err = ERR_INIT;

		cr_assert(control_format((enum control_op)op, (const char *const[]){"mongod", "pbm-agent-1"}, 2, 1234,
		    "wiped", true, &line, NULL));
		cr_assert_eq(line.data[line.len - 1], '\n');
		cr_assert(control_parse(line.data, line.len - 1, set, &r, &err), "%s", err.msg);
		cr_assert_eq((int)r.op, op);
		cr_assert_eq(r.timeout_ms, 1234);
		cr_assert(r.at_once);
		/* s3, mongod-0, mongod-1, pbm-agent-0, pbm-agent-1 */
		cr_assert_eq(r.parts, control_op_takes_parts((enum control_op)op) ? 0x16u : 0u);
		if (op == OP_PHASE)
			cr_assert_eq(r.phase, PHASE_WIPED);
	}
}

Test(control, a_name_a_kind_and_all_name_parts)
{
	CLEANUP(part_set) struct part_set *set = make_set();
	part_mask mask = 0;

	cr_assert(part_set_select(set, "mongod-1", &mask, NULL));
	cr_assert_eq(mask, 4u);
	cr_assert(part_set_select(set, "s3", &mask, NULL));
	cr_assert_eq(mask, 5u);
	cr_assert(part_set_select(set, "all", &mask, NULL));
	cr_assert_eq(mask, 31u);
	cr_assert_eq(part_set_all(set), 31u);
	cr_assert_eq(part_set_kind(set, "pbm-agent"), 24u);
}

Test(control, what_is_no_request_is_refused_with_a_reason)
{
	static const char *const bad[] = {"", "x", "{}", "[]", "null", "{\"op\":1}", "{\"op\":\"explode\"}",
	    "{\"op\":\"start\"}", "{\"op\":\"start\",\"parts\":[]}", "{\"op\":\"start\",\"parts\":\"s3\"}",
	    "{\"op\":\"start\",\"parts\":[1]}", "{\"op\":\"start\",\"parts\":[\"mongod-2\"]}",
	    "{\"op\":\"start\",\"parts\":[\"s3\"],\"timeout_ms\":0}",
	    "{\"op\":\"start\",\"parts\":[\"s3\"],\"timeout_ms\":-1}",
	    "{\"op\":\"start\",\"parts\":[\"s3\"],\"timeout_ms\":1e30}",
	    "{\"op\":\"start\",\"parts\":[\"s3\"],\"timeout_ms\":\"1\"}", "{\"op\":\"phase\"}",
	    "{\"op\":\"phase\",\"phase\":\"new moon\"}", "{\"op\":\"status\"}{}",
	    "{\"op\":\"status\",\"op\":\"shutdown\"}", "{\"op\":\"status\"", "{\"op\":\"sta\\u0000tus\"}"};
	CLEANUP(part_set) struct part_set *set = make_set();

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct control_request r = {.op = OP_WAIT, .parts = 77};
		struct err err = ERR_INIT;

		cr_expect_not(control_parse(bad[i], strlen(bad[i]), set, &r, &err), "%s", bad[i]);
		cr_expect_neq(err.code, ERR_NONE, "%s", bad[i]);
		cr_expect(r.op == OP_WAIT && r.parts == 77, "an output is untouched on failure");
	}
}

Test(control, an_unknown_part_is_answered_with_the_known_ones)
{
	CLEANUP(part_set) struct part_set *set = make_set();
	part_mask mask = 0;
	struct err err = ERR_INIT;

	cr_assert_not(part_set_select(set, "mongos", &mask, &err));
	cr_assert_eq(err.code, ERR_NOT_FOUND);
	cr_assert(strstr(err.hint, "s3, mongod-0, mongod-1, pbm-agent-0, pbm-agent-1"));
}

Test(control, an_error_crosses_the_wire_with_code_message_and_hint)
{
	BUF_CLEANUP struct buf line = BUF_INIT(8192);
	struct err sent = ERR_INIT, got, err = ERR_INIT;

	err_set(&sent, ERR_TIMEOUT, "\"mongod-0\"\n took long");
	err_hint(&sent, "look at it");
	cr_assert(control_answer(&sent, &line, NULL));
	cr_assert(control_parse_answer(line.data, line.len - 1, &got, &err), "%s", err.msg);
	cr_assert_eq(got.code, ERR_TIMEOUT);
	cr_assert_str_eq(got.msg, sent.msg);
	cr_assert_str_eq(got.hint, sent.hint);
}

Test(control, what_is_no_answer_is_refused)
{
	static const char *const bad[] = {
	    "", "{}", "{\"ok\":1}", "{\"ok\":false}", "{\"ok\":false,\"code\":\"IO\"}", "[true]"};
	struct err got;

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		cr_expect_not(control_parse_answer(bad[i], strlen(bad[i]), &got, NULL), "%s", bad[i]);
	cr_assert(control_parse_answer("{\"ok\":true}", 11, &got, NULL));
	cr_assert_eq(got.code, ERR_NONE);
}

Test(control, no_secret_is_in_an_argument_of_a_part)
{
	CLEANUP(part_set) struct part_set *set = NULL;
	struct secrets s = {
	    .password = {"Aadmin", "Bbackup", "Cticker", "Dverifier"}, .s3_access = "Eaccess", .s3_secret = "Fsecret"};
	bool in_environment = false;

	cr_assert(part_set_new(&layout, &s, &set, NULL));
	for (size_t i = 0; i < set->count; i++) {
		const struct part_spec *spec = &set->parts[i].spec;

		for (size_t a = 0; a < spec->argv.count; a++) {
			cr_expect_not(strstr(spec->argv.items[a], "Bbackup") || strstr(spec->argv.items[a], "Fsecret"),
			    "%s", spec->argv.items[a]);
		}
		for (size_t e = 0; e < spec->env_set.count; e++)
			in_environment |= strstr(spec->env_set.items[e], ":Bbackup@") != NULL;
	}
	cr_assert(in_environment, "an agent takes its password from there");
}
