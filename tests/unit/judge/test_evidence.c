#include "story.h"

#include <criterion/criterion.h>
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
TestSuite(evidence, .init = setup, .fini = teardown);

Test(evidence, a_flawless_drill_passes)
{
	story_judge(&s);
	cr_expect_result(&s, VERDICT_PASS);
	cr_expect_eq(s.verdict.reason_count, 0, "%s", story_reasons(&s));
	cr_expect_count(&s, CLASS_OK, 20);
	cr_expect_count(&s, CLASS_EXPECTED_LOSS, 20);
	cr_expect_eq(s.verdict.digest_checked, 20);
	printf("%s\n", s.verdict.title);
}
