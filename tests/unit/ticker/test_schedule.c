#include "ticker/schedule.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static const int64_t second = 1000000000;

/* A day of ticks whose writer is late by up to 400 ms each time: the last one is due where the first day's arithmetic
 * says. */
Test(schedule, does_not_drift_in_a_day)
{
	struct schedule s;
	int64_t now = 5 * second;

	srandom(1);
	schedule_init(&s, now, 1);
	for (int64_t k = 0; k < 86400; k++) {
		int64_t due = schedule_take(&s, now, 1);

		cr_assert_eq(due, (5 + k) * second);
		now = due + random() % 400000000;
	}
	cr_assert_eq(s.skipped, 0);
}

Test(schedule, odd_rates_do_not_add_up_errors)
{
	static const double rates[] = {0.000277, 0.7, 3, 7.3, 29.97, 199, 1000000.0 / 3};

	for (size_t i = 0; i < sizeof rates / sizeof *rates; i++) {
		struct schedule s;
		int64_t due = 0;

		schedule_init(&s, 0, rates[i]);
		for (int64_t k = 0; k <= 100000; k++)
			due = schedule_take(&s, due, 1);
		cr_assert_float_eq((double)due, 100000 * 1e9 / rates[i], 2, "rate %g: %lld", rates[i], (long long)due);
		cr_assert_eq(s.skipped, 0, "rate %g skipped %lld", rates[i], (long long)s.skipped);
	}
}

Test(schedule, a_stall_skips_what_was_missed_and_makes_no_burst)
{
	struct schedule s;

	schedule_init(&s, 0, 10);
	for (int k = 0; k < 10; k++)
		schedule_take(&s, k * second / 10, 1);
	/* at 5.25 s slot 52 is the present one; 10 to 51 are gone */
	cr_assert_eq(schedule_take(&s, 5 * second + second / 4, 1), 52 * second / 10);
	cr_assert_eq(s.skipped, 42);
	cr_assert_eq(schedule_take(&s, 5 * second + second / 4, 1), 53 * second / 10);
	cr_assert_eq(s.skipped, 42);
}

Test(schedule, being_late_by_less_than_a_period_costs_no_slot)
{
	struct schedule s;

	schedule_init(&s, 0, 10);
	schedule_take(&s, 0, 1);
	cr_assert_eq(schedule_take(&s, 199999999, 1), 100000000);
	cr_assert_eq(s.skipped, 0);
	/* slot 2 is due at 0.2 s, slot 3 at 0.3 s: at that very moment 2 is over */
	cr_assert_eq(schedule_take(&s, 300000000, 1), 300000000);
	cr_assert_eq(s.skipped, 1);
}

Test(schedule, groups_are_skipped_whole)
{
	struct schedule s;

	schedule_init(&s, 0, 1000);
	schedule_take(&s, 0, 10);
	cr_assert_eq(schedule_take(&s, 55000000, 10), 50000000);
	cr_assert_eq(s.skipped, 40);
	cr_assert_eq(s.next, 60);
}

/* Whatever the clock does, a slot is at most one period old when it is taken, and no slot is taken twice. */
Test(schedule, holds_for_any_jumps_of_the_clock)
{
	srandom(3);
	for (int round = 0; round < 200; round++) {
		double rate = 0.01 + (double)(random() % 100000) / 7;
		int count = 1 + (int)(random() % 9);
		int64_t now = 0, before = -1;
		struct schedule s;

		schedule_init(&s, 0, rate);
		for (int i = 0; i < 200; i++) {
			int64_t due = schedule_take(&s, now, count), taken = s.next - count;

			cr_assert_gt(taken, before);
			cr_assert_lt((double)(now - due), (double)count * 1e9 / rate + 2);
			before = s.next - 1;
			now = (due > now ? due : now) + random() % (1 + (int64_t)(3e9 / rate) * count);
		}
		cr_assert_eq(s.next, 200 * count + s.skipped);
	}
}

Test(schedule, flat_out_is_always_due)
{
	struct schedule s;

	schedule_init(&s, 0, 0);
	cr_assert_eq(schedule_take(&s, 77, 1000), 77);
	cr_assert_eq(s.skipped, 0);
}

Test(schedule, batches_keep_to_two_hundred_commands_a_second_and_within_blocks)
{
	static const struct {
		double rate;
		int batch;
	} cases[] = {{0.000277, 1}, {1, 1}, {200, 1}, {200.5, 2}, {2000, 10}, {2001, 11}, {200000, 1000}, {1e6, 1000},
	    {0, 1000}};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		cr_assert_eq(schedule_batch(cases[i].rate), cases[i].batch, "rate %g", cases[i].rate);
	cr_assert_eq(schedule_batch_at(1, 1000), 1000);
	cr_assert_eq(schedule_batch_at(991, 10), 10);
	cr_assert_eq(schedule_batch_at(992, 10), 9);
	cr_assert_eq(schedule_batch_at(1000, 10), 1);
	cr_assert_eq(schedule_batch_at(1001, 1000), 1000);
}
