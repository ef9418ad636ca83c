#include "evidence/verdict.h"

#include <criterion/criterion.h>
#include <string.h>

Test(verdict, the_gravest_reason_decides_and_stands_first)
{
	static const struct {
		enum verdict_reason_code codes[3];
		size_t count;
		enum verdict_result result;
		int status;
	} cases[] = {
	    {{0}, 0, VERDICT_PASS, 0},
	    {{REASON_FOREIGN, REASON_TORN}, 2, VERDICT_PASS, 0},
	    {{REASON_FOREIGN, REASON_NO_ANCHOR, REASON_TORN}, 3, VERDICT_INCONCLUSIVE, 4},
	    {{REASON_NO_ANCHOR, REASON_LOST, REASON_LATE}, 3, VERDICT_FAIL, 1},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		VERDICT_CLEANUP struct verdict v;

		verdict_init(&v);
		for (size_t k = 0; k < cases[i].count; k++)
			cr_assert(verdict_add_reason(&v, cases[i].codes[k], NULL, NULL, "%zu", k));
		verdict_settle(&v);
		cr_assert_eq(v.result, cases[i].result);
		cr_assert_eq(verdict_exit_status(v.result), cases[i].status);
		for (size_t k = 1; k < v.reason_count; k++)
			cr_assert_leq(
			    verdict_reason_severity(v.reasons[k - 1].code), verdict_reason_severity(v.reasons[k].code));
		if (i == 3) {
			cr_assert_eq(v.reasons[0].code, REASON_LOST, "the order of finding is kept within a severity");
			cr_assert_eq(v.reasons[1].code, REASON_LATE);
			cr_assert_str_eq(v.reasons[2].message, "0");
		}
	}
}

Test(verdict, an_error_stays_an_error)
{
	VERDICT_CLEANUP struct verdict v;

	verdict_init(&v);
	cr_assert(verdict_add_reason(&v, REASON_LOST, "look", NULL, "x"));
	v.result = VERDICT_ERROR;
	verdict_settle(&v);
	cr_assert_eq(v.result, VERDICT_ERROR);
	cr_assert_eq(verdict_exit_status(v.result), 3);
	cr_assert_str_eq(v.reasons[0].hint, "look");
}

Test(verdict, nothing_judged_yet_is_no_pass)
{
	VERDICT_CLEANUP struct verdict v;

	verdict_init(&v);
	cr_assert_neq(v.result, VERDICT_PASS);
	cr_assert(v.max_rpo_ms == -1 && v.max_rto_ms == -1);
}

Test(verdict, long_messages_are_cut_and_too_many_reasons_refused)
{
	VERDICT_CLEANUP struct verdict v;
	char text[3000];
	struct err err = ERR_INIT;

	memset(text, 'a', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	verdict_init(&v);
	for (int i = 0; i < VERDICT_REASONS_MAX; i++)
		cr_assert(verdict_add_reason(&v, REASON_LOST, text, NULL, "%s", text));
	cr_assert_eq(strlen(v.reasons[9].message), sizeof v.reasons[9].message - 1);
	cr_assert(!verdict_add_reason(&v, REASON_LOST, NULL, &err, "x"));
	cr_assert_eq(err.code, ERR_LIMIT);
}

Test(verdict, texts_are_stable)
{
	cr_assert_str_eq(verdict_result_text(VERDICT_INCONCLUSIVE), "INCONCLUSIVE");
	cr_assert_str_eq(verdict_reason_text(REASON_BOUND_BEFORE_ANCHOR), "BOUND_BEFORE_ANCHOR");
	cr_assert_str_eq(verdict_severity_text(SEVERITY_WARN), "warning");
	cr_assert_str_eq(tick_class_text(CLASS_EXPECTED_LOSS), "expected_loss");
	cr_assert(tick_class_fails(CLASS_LATE) && !tick_class_fails(CLASS_AT_BOUND));
	for (int c = 0; c < CLASS_COUNT; c++)
		cr_assert(tick_class_meaning((enum tick_class)c)[0]);
	for (int c = 0; c < REASON_COUNT; c++)
		cr_assert(verdict_reason_title((enum verdict_reason_code)c)[0]);
}
