#include "tick/intervals.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void assert_is(const struct intervals *set, const char *expected)
{
	char text[512] = "";

	for (size_t i = 0; i < set->count; i++)
		sprintf(text + strlen(text), "%s%lld-%lld", i ? " " : "", (long long)set->items[i].first,
		    (long long)set->items[i].last);
	cr_assert_str_eq(text, expected);
}

Test(intervals, numbers_in_order_stay_one_interval)
{
	struct intervals set;
	bool is_new;

	intervals_init(&set, 1);
	for (int64_t seq = 1; seq <= 100000; seq++)
		cr_assert(intervals_add(&set, seq, &is_new, NULL) && is_new);
	assert_is(&set, "1-100000");
	cr_assert_eq(set.total, 100000);
	cr_assert(intervals_add(&set, 500, &is_new, NULL) && !is_new);
	cr_assert_eq(set.total, 100000);
	intervals_clear(&set);
}

Test(intervals, holes_split_and_closing_them_joins)
{
	struct intervals set;

	intervals_init(&set, 100);
	cr_assert(intervals_add(&set, 5, NULL, NULL) && intervals_add(&set, 1, NULL, NULL) &&
		  intervals_add(&set, 3, NULL, NULL));
	assert_is(&set, "1-1 3-3 5-5");
	cr_assert(intervals_add(&set, 4, NULL, NULL));
	assert_is(&set, "1-1 3-5");
	cr_assert(intervals_add(&set, 2, NULL, NULL));
	assert_is(&set, "1-5");
	cr_assert(intervals_add_range(&set, 10, 20, NULL) && intervals_add_range(&set, 30, 40, NULL));
	cr_assert(intervals_add_range(&set, 6, 9, NULL));
	assert_is(&set, "1-20 30-40");
	cr_assert(intervals_add_range(&set, 15, 35, NULL));
	assert_is(&set, "1-40");
	cr_assert(intervals_add_range(&set, 9, 8, NULL));
	assert_is(&set, "1-40");
	cr_assert_eq(set.total, 40);
	intervals_clear(&set);
}

Test(intervals, removing_trims_splits_and_drops)
{
	struct intervals set;

	intervals_init(&set, 100);
	intervals_add_range(&set, 1, 5, NULL);
	intervals_remove(&set, 3, NULL);
	assert_is(&set, "1-2 4-5");
	intervals_remove(&set, 1, NULL);
	intervals_remove(&set, 5, NULL);
	assert_is(&set, "2-2 4-4");
	intervals_remove(&set, 2, NULL);
	intervals_remove(&set, 99, NULL);
	assert_is(&set, "4-4");
	cr_assert_eq(set.total, 1);
	intervals_clear(&set);
	cr_assert(set.count == 0 && set.max == 100);
}

Test(intervals, beyond_the_maximum_nothing_changes)
{
	struct intervals set;
	struct err err = ERR_INIT;

	intervals_init(&set, 2);
	intervals_add_range(&set, 1, 3, NULL);
	intervals_add_range(&set, 7, 9, NULL);
	cr_assert_not(intervals_add(&set, 5, NULL, &err));
	cr_assert_eq(err.code, ERR_LIMIT);
	cr_assert(strstr(err.msg, "2"));
	cr_assert_not(intervals_remove(&set, 2, &err));
	assert_is(&set, "1-3 7-9");
	cr_assert_eq(set.total, 6);
	cr_assert(intervals_add(&set, 4, NULL, NULL)); /* needs no new interval */
	assert_is(&set, "1-4 7-9");
	intervals_clear(&set);
}

Test(intervals, the_ends_of_the_number_range_do_not_overflow)
{
	struct intervals set;

	intervals_init(&set, 4);
	cr_assert(intervals_add(&set, INT64_MAX, NULL, NULL));
	cr_assert(intervals_add(&set, INT64_MAX, NULL, NULL));
	cr_assert(intervals_add(&set, INT64_MIN, NULL, NULL));
	cr_assert(intervals_has(&set, INT64_MAX) && intervals_has(&set, INT64_MIN) && !intervals_has(&set, 0));
	cr_assert_eq(set.count, 2);
	intervals_clear(&set);
}

/* Against a plain bitmap: thousands of random steps, every answer compared. */
Test(intervals, behaves_as_a_bitmap_does)
{
	enum { SIZE = 200 };
	bool bits[SIZE + 2] = {false};
	struct intervals set;

	srandom(7);
	intervals_init(&set, SIZE);
	for (int step = 0; step < 20000; step++) {
		int64_t a = 1 + random() % SIZE, b = 1 + random() % SIZE, first = a < b ? a : b, last = a < b ? b : a;
		int64_t count = 0, total = 0, runs = 0;
		bool is_new;

		switch (random() % 3) {
		case 0:
			cr_assert(intervals_add(&set, a, &is_new, NULL));
			cr_assert_eq(is_new, !bits[a]);
			bits[a] = true;
			break;
		case 1:
			if (last - first < 12) {
				cr_assert(intervals_add_range(&set, first, last, NULL));
				memset(bits + first, true, (size_t)(last - first + 1));
			}
			break;
		default:
			cr_assert(intervals_remove(&set, a, NULL));
			bits[a] = false;
		}
		for (int64_t i = 1; i <= SIZE; i++) {
			total += bits[i];
			count += bits[i] && i >= first && i <= last;
			runs += bits[i] && !bits[i - 1];
		}
		cr_assert_eq(set.total, total);
		cr_assert_eq((int64_t)set.count, runs);
		cr_assert_eq(intervals_count_in(&set, first, last), count);
		cr_assert_eq(intervals_has(&set, b), bits[b]);
	}
	intervals_clear(&set);
}
