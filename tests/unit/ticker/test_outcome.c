#include "ticker/outcome.h"

#include <criterion/criterion.h>
#include <string.h>

static struct reply_seen success(int count)
{
	return (struct reply_seen){
	    .attempts = 1, .replies = 1, .last_answered = true, .ok = true, .has_optime = true, .n = count};
}

static struct reply_seen refusal(int32_t code)
{
	return (struct reply_seen){.attempts = 1,
	    .replies = 1,
	    .last_answered = true,
	    .has_optime = true,
	    .n = -1,
	    .code = code,
	    .message = "no"};
}

static const bson_error_t driver_error = {
    .domain = MONGOC_ERROR_STREAM, .code = MONGOC_ERROR_STREAM_SOCKET, .message = "socket gone"};

static struct outcome first(const struct reply_seen *seen, const bson_error_t *driver, int count)
{
	struct outcome o;

	outcome_of_first(seen, driver, count, &o);
	cr_assert_eq(o.acked + o.failed + o.unknown, count);
	cr_assert(o.acked >= 0 && o.failed >= 0 && o.unknown >= 0);
	return o;
}

Test(outcome, one_document_and_one_clean_reply_are_exact)
{
	struct reply_seen seen = success(1);
	struct outcome o = first(&seen, NULL, 1);

	cr_assert(o.acked == 1 && o.exact);
}

Test(outcome, a_batch_is_acked_but_never_exact)
{
	struct reply_seen seen = success(1000);
	struct outcome o = first(&seen, NULL, 1000);

	cr_assert(o.acked == 1000 && !o.exact);
}

Test(outcome, a_repeated_command_is_never_exact)
{
	struct reply_seen twice = success(1), noted = success(1);

	twice.attempts = 2;
	twice.retried = true;
	cr_assert(first(&twice, NULL, 1).acked == 1 && !first(&twice, NULL, 1).exact);
	noted.retried = true; /* retriedStmtIds in the reply of the only attempt */
	cr_assert(first(&noted, NULL, 1).acked == 1 && !first(&noted, NULL, 1).exact);
}

Test(outcome, without_an_operation_time_nothing_is_acked)
{
	struct reply_seen seen = success(1);

	seen.has_optime = false;
	cr_assert_eq(first(&seen, NULL, 1).unknown, 1);
}

Test(outcome, any_write_concern_error_is_a_doubt)
{
	struct reply_seen seen = success(1);
	struct outcome o;

	seen.write_concern_error = 64;
	strcpy(seen.message, "waiting for replication timed out");
	o = first(&seen, NULL, 1);
	cr_assert(o.unknown == 1 && o.code == 64);
	cr_assert_str_eq(o.reason, "waiting for replication timed out");
	/* and with a refused document in the same reply nothing is claimed either */
	seen.write_errors = 1;
	seen.write_error = 121;
	seen.n = 0;
	cr_assert_eq(first(&seen, NULL, 5).unknown, 5);
}

Test(outcome, a_lost_connection_is_a_doubt_with_the_drivers_words)
{
	struct reply_seen seen = {.attempts = 1, .n = -1}, never = {.n = -1};
	struct outcome o = first(&seen, &driver_error, 3);

	cr_assert(o.unknown == 3 && o.code == 0);
	cr_assert_str_eq(o.reason, "socket gone");
	cr_assert_eq(first(&never, &driver_error, 3).unknown, 3);
	cr_assert_eq(first(&never, NULL, 3).unknown, 3);
}

/* Each code with what a single attempt that was refused as a whole with it may claim. */
Test(outcome, only_refusals_before_execution_are_failed)
{
	static const struct {
		int32_t code;
		bool failed;
	} cases[] = {{13, true}, {2, true}, {73, true}, {121, true}, {371, true}, {391, true}, {40415, true},
	    {11000, false}, {50, false}, {64, false}, {91, false}, {112, false}, {189, false}, {225, false},
	    {251, false}, {262, false}, {10107, false}, {11600, false}, {11602, false}, {13435, false}, {6, false},
	    {7, false}, {89, false}, {0, false}, {8, false}};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct reply_seen seen = refusal(cases[i].code), again = seen;
		struct outcome o = first(&seen, &driver_error, 4);

		cr_assert_eq(o.failed, cases[i].failed ? 4 : 0, "code %d", cases[i].code);
		cr_assert_eq(o.code, cases[i].code);
		/* the same refusal after a repetition proves nothing: the first may have been executed */
		again.attempts = 2;
		again.retried = true;
		cr_assert_eq(first(&again, &driver_error, 4).unknown, 4, "code %d", cases[i].code);
	}
}

Test(outcome, an_ordered_batch_is_cut_at_the_refused_document)
{
	struct reply_seen seen = success(30);
	struct outcome o;

	seen.write_errors = 1;
	seen.write_error = 121;
	o = first(&seen, &driver_error, 100);
	cr_assert(o.acked == 30 && o.failed == 70 && o.unknown == 0 && o.code == 121);
	seen.write_error = 11000; /* somebody has that _id: perhaps we */
	o = first(&seen, &driver_error, 100);
	cr_assert(o.acked == 30 && o.failed == 0 && o.unknown == 70);
	seen.retried = true;
	cr_assert_eq(first(&seen, &driver_error, 100).unknown, 100);
}

Test(outcome, numbers_that_do_not_add_up_are_a_doubt)
{
	struct reply_seen few = success(3), many = success(7), many_refused = success(5);

	cr_assert_eq(first(&few, NULL, 5).unknown, 5);
	cr_assert_eq(first(&many, NULL, 5).unknown, 5);
	many_refused.write_errors = 1;
	many_refused.write_error = 121;
	cr_assert_eq(first(&many_refused, NULL, 5).unknown, 5);
	many_refused.n = -1;
	cr_assert_eq(first(&many_refused, NULL, 5).unknown, 5);
	many_refused.n = 2;
	many_refused.write_errors = 2; /* cannot be, if ordered */
	cr_assert_eq(first(&many_refused, NULL, 5).unknown, 5);
}

Test(outcome, sent_again_is_inserted_present_or_still_in_doubt)
{
	struct reply_seen seen = success(5);

	cr_assert_eq(outcome_of_again(&seen, NULL, 5), AGAIN_INSERTED);
	cr_assert_eq(outcome_of_again(&seen, NULL, 6), AGAIN_UNKNOWN);
	cr_assert_eq(outcome_of_again(&seen, &driver_error, 5), AGAIN_UNKNOWN);
	seen.n = 2;
	seen.write_errors = seen.duplicate_keys = 3;
	seen.write_error = 11000;
	cr_assert_eq(outcome_of_again(&seen, &driver_error, 5), AGAIN_PRESENT);
	seen.duplicate_keys = 2; /* one of them is something else */
	cr_assert_eq(outcome_of_again(&seen, &driver_error, 5), AGAIN_UNKNOWN);
	seen.duplicate_keys = 3;
	seen.write_concern_error = 64;
	cr_assert_eq(outcome_of_again(&seen, &driver_error, 5), AGAIN_UNKNOWN);
	seen = refusal(13);
	cr_assert_eq(outcome_of_again(&seen, &driver_error, 5), AGAIN_UNKNOWN);
}

Test(outcome, a_refusal_of_the_login_is_told_from_others)
{
	cr_assert(outcome_code_is_of_login(13) && outcome_code_is_of_login(391));
	cr_assert(!outcome_code_is_of_login(121) && !outcome_code_is_of_login(0) && !outcome_code_is_of_login(10107));
}
