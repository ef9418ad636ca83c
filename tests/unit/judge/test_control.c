/* The negative control: what is made wrong on purpose is found, and a judge that does not find it gives no PASS. */
#include "story.h"
#include "verifier/control.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static struct story s;

static void setup(void)
{
	story_init(&s);
}

static void teardown(void)
{
	story_clear(&s);
}

TestSuite(control, .init = setup, .fini = teardown);

/* As psmdb-verify judge does it. */
static void with_control(struct verdict *v, bool blind_to_data, bool blind_to_bound)
{
	VERDICT_CLEANUP struct verdict spoilt, moved;
	struct bound pinned = s.bound;
	struct control c;
	struct err err = ERR_INIT;

	verdict_init(&spoilt);
	verdict_init(&moved);
	story_judge(&s);
	*v = s.verdict;
	verdict_init(&s.verdict);
	cr_assert(control_spoil(v, &s.observed, &c, &err), "%s", err.msg);
	if (blind_to_data)
		cr_assert(control_mend(&c, &err));
	story_judge(&s);
	spoilt = s.verdict;
	verdict_init(&s.verdict);
	if (!blind_to_data)
		cr_assert(control_mend(&c, &err), "%s", err.msg);
	if (!blind_to_bound)
		control_move_bound(&s.bound);
	story_judge(&s);
	moved = s.verdict;
	verdict_init(&s.verdict);
	s.bound = pinned;
	cr_assert(control_judge(v, &c, &spoilt, &moved, &err), "%s", err.msg);
}

Test(control, each_is_found_and_the_pass_stays)
{
	VERDICT_CLEANUP struct verdict v;

	with_control(&v, false, false);
	cr_expect_eq(v.result, VERDICT_PASS, "%s", v.title);
	cr_assert_eq(v.control_count, 3);
	for (size_t i = 0; i < v.control_count; i++)
		cr_expect(v.controls[i].found, "%s: %s", v.controls[i].name, v.controls[i].detail);
	cr_expect(strstr(v.controls[0].detail, "tick 20 must be lost"), "%s", v.controls[0].detail);
	cr_expect(strstr(v.controls[1].detail, "tick 21 must be late"), "%s", v.controls[1].detail);
	story_judge(&s);
	cr_expect_result(&s, VERDICT_PASS);
	cr_expect_eq(s.verdict.digest_checked, 20, "the evidence is as it was");
}

Test(control, a_judge_that_does_not_see_the_data_gives_no_pass)
{
	VERDICT_CLEANUP struct verdict v;

	with_control(&v, true, false);
	cr_expect_eq(v.result, VERDICT_INCONCLUSIVE);
	cr_assert(v.reason_count == 1 && v.reasons[0].code == REASON_CONTROL_PASSED);
	cr_expect(strstr(v.reasons[0].message, "a tick taken out") && strstr(v.reasons[0].message, "a tick put in"),
	    "%s", v.reasons[0].message);
	cr_expect(!strncmp(v.title, "INCONCLUSIVE: ", 14), "%s", v.title);
}

Test(control, nor_does_one_that_does_not_see_the_restore_point)
{
	VERDICT_CLEANUP struct verdict v;

	with_control(&v, false, true);
	cr_expect_eq(v.result, VERDICT_INCONCLUSIVE);
	cr_expect(strstr(v.reasons[0].message, "a later restore point"), "%s", v.reasons[0].message);
	cr_expect(v.controls[0].found && v.controls[1].found && !v.controls[2].found);
}

Test(control, without_a_tick_to_take_there_is_no_pass)
{
	VERDICT_CLEANUP struct verdict v, none;
	struct control c;
	struct err err = ERR_INIT;

	verdict_init(&none);
	story_judge(&s);
	v = s.verdict;
	verdict_init(&s.verdict);
	cr_assert(control_spoil(&none, &s.observed, &c, &err));
	cr_assert(control_judge(&v, &c, &none, &none, &err));
	cr_expect_eq(v.result, VERDICT_INCONCLUSIVE);
	cr_expect(strstr(v.reasons[0].message, "there is no such tick"), "%s", v.reasons[0].message);
}

/* Both changes in one block, and its digest is left out of the comparison until they are undone. */
Test(control, nothing_else_is_found)
{
	struct control c;
	struct err err = ERR_INIT;

	story_judge(&s);
	cr_assert(control_spoil(&s.verdict, &s.observed, &c, &err));
	story_judge(&s);
	cr_expect_count(&s, CLASS_LOST, 1);
	cr_expect_count(&s, CLASS_LATE, 1);
	cr_expect_count(&s, CLASS_CORRUPTED, 0);
	cr_expect_count(&s, CLASS_OK, 19);
	cr_assert(control_mend(&c, &err));
	cr_expect_eq(s.observed.streams[0].intact.total, 20);
}
