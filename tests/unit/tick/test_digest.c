#include "tick/digest.h"

#include <criterion/criterion.h>
#include <string.h>

static struct tick_digest of_range(int64_t first, int64_t last)
{
	struct tick_digest d = {0};

	for (int64_t seq = first; seq <= last; seq++)
		tick_digest_add(&d, seq, (uint64_t)seq * 0x9e3779b97f4a7c15);
	return d;
}

Test(digest, blocks_are_cut_every_thousand)
{
	cr_assert(tick_block(1) == 0 && tick_block(1000) == 0 && tick_block(1001) == 1 && tick_block(2000) == 1);
}

Test(digest, of_a_union_is_the_sum_in_any_order)
{
	struct tick_digest all = of_range(1, 1000), a = of_range(1, 400), b = of_range(401, 1000), sum = {0};

	tick_digest_merge(&sum, &b);
	tick_digest_merge(&sum, &a);
	cr_assert(tick_digest_equal(&sum, &all));
	for (int64_t seq = 401; seq <= 1000; seq++)
		tick_digest_remove(&all, seq, (uint64_t)seq * 0x9e3779b97f4a7c15);
	cr_assert(tick_digest_equal(&a, &all));
}

Test(digest, each_single_changed_tick_is_located)
{
	for (int64_t seq = 3001; seq <= 4000; seq++) {
		struct tick_digest expected = of_range(3001, 4000), seen = expected;

		tick_digest_remove(&seen, seq, (uint64_t)seq * 0x9e3779b97f4a7c15);
		tick_digest_add(&seen, seq, 1);
		cr_assert_eq(tick_digest_locate(&expected, &seen), seq - 3000);
	}
}

Test(digest, equal_sets_and_several_changes_are_told_apart)
{
	struct tick_digest expected = of_range(1, 1000), seen = expected;

	cr_assert_eq(tick_digest_locate(&expected, &seen), 0);
	tick_digest_add(&seen, 5, 1);
	tick_digest_add(&seen, 6, 1);
	cr_assert_eq(tick_digest_locate(&expected, &seen), -1);
	seen = expected;
	seen.lane[3]++; /* lane 0 unchanged: not the trace of any one tick */
	cr_assert_eq(tick_digest_locate(&expected, &seen), -1);
	seen = expected;
	for (int i = 0; i < TICK_LANES; i++)
		seen.lane[i]++; /* position 1023 */
	cr_assert_eq(tick_digest_locate(&expected, &seen), -1);
}

Test(digest, the_sum_and_the_number_both_count)
{
	struct tick_digest a = {0}, b = {0}, c = {0};

	tick_digest_add(&a, 1, 2);
	tick_digest_add(&b, 1, 3);
	tick_digest_add(&c, 1025, 2); /* same position bits are possible, the number differs */
	cr_assert_not(tick_digest_equal(&a, &b));
	cr_assert_neq(a.lane[0], c.lane[0]);
}

Test(digest, text_round_trips_and_nothing_else_parses)
{
	struct tick_digest d = of_range(1, 777), back;
	char text[TICK_DIGEST_TEXT_MAX], bad[TICK_DIGEST_TEXT_MAX + 1];

	cr_assert_eq(strlen(tick_digest_format(&d, text)), 176);
	cr_assert(tick_digest_parse(text, &back) && tick_digest_equal(&d, &back));
	memcpy(bad, text, sizeof text);
	bad[175] = '\0';
	cr_assert_not(tick_digest_parse(bad, &back));
	memcpy(bad, text, sizeof text);
	bad[40] = 'G';
	cr_assert_not(tick_digest_parse(bad, &back));
	memcpy(bad, text, sizeof text);
	bad[176] = '0';
	bad[177] = '\0';
	cr_assert_not(tick_digest_parse(bad, &back));
	cr_assert_not(tick_digest_parse("", &back));
}

/* As in vectors.txt, which tests/support/tick_vectors reproduces. */
Test(digest, known_digests_hold)
{
	const char *const expected = "bac3ac35f3523bafbac3ac35f3523baf00000000000000000000000000000000"
				     "0000000000000000000000000000000000000000000000000000000000000000"
				     "000000000000000000000000000000000000000000000000";
	struct tick_digest d = {0};
	char text[TICK_DIGEST_TEXT_MAX];

	tick_digest_add(&d, 2, 0x0123456789abcdef);
	cr_assert_str_eq(tick_digest_format(&d, text), expected);
}
