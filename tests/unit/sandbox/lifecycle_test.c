#include "sandbox/parts/lifecycle.h"

#include <criterion/criterion.h>
#include <string.h>

/* Written out again as the contract's drawing has it, so that a slip in the table shows. */
static const struct {
	enum part_state from;
	enum part_event event;
	enum part_state to;
} moves[] = {
    {PART_STOPPED, PART_START, PART_STARTING},
    {PART_STOPPED, PART_END, PART_STOPPED},
    {PART_STOPPED, PART_REFUSE, PART_FAILED},
    {PART_STARTING, PART_PROBED, PART_READY},
    {PART_STARTING, PART_END, PART_STOPPING},
    {PART_STARTING, PART_ENDED, PART_FAILED},
    {PART_READY, PART_END, PART_STOPPING},
    {PART_READY, PART_ENDED, PART_FAILED},
    {PART_STOPPING, PART_END, PART_STOPPING},
    {PART_STOPPING, PART_ENDED, PART_STOPPED},
    {PART_FAILED, PART_START, PART_STARTING},
    {PART_FAILED, PART_END, PART_STOPPED},
    {PART_FAILED, PART_REFUSE, PART_FAILED},
};
#define MOVES (sizeof moves / sizeof *moves)

static bool drawn(enum part_state from, enum part_event event, enum part_state *ret)
{
	for (size_t i = 0; i < MOVES; i++) {
		if (moves[i].from == from && moves[i].event == event) {
			*ret = moves[i].to;
			return true;
		}
	}
	return false;
}

Test(lifecycle, allows_what_is_drawn_and_nothing_else)
{
	for (int s = 0; s < PART_STATES; s++) {
		for (int e = 0; e < PART_EVENTS; e++) {
			enum part_state wanted, next;
			bool expected = drawn((enum part_state)s, (enum part_event)e, &wanted);

			cr_assert_eq(part_next((enum part_state)s, (enum part_event)e, &next), expected, "%s in %s",
			    part_event_name((enum part_event)e), part_state_name((enum part_state)s));
			if (expected)
				cr_assert_eq(next, wanted);
		}
	}
}

Test(lifecycle, values_outside_the_table_are_refused)
{
	enum part_state next = PART_READY;

	cr_assert_not(part_next(PART_STATES, PART_START, &next));
	cr_assert_not(part_next(PART_STOPPED, PART_EVENTS, &next));
	cr_assert_eq(next, PART_READY, "an output is untouched on failure");
}

Test(lifecycle, names_come_back_as_states)
{
	for (int s = 0; s < PART_STATES; s++) {
		enum part_state again;

		cr_assert(part_state_parse(part_state_name((enum part_state)s), &again));
		cr_assert_eq((int)again, s);
	}
	cr_assert_not(part_state_parse("invalid", &(enum part_state){0}));
	cr_assert_not(part_state_parse("", &(enum part_state){0}));
}

Test(lifecycle, a_process_exists_from_start_to_end)
{
	cr_assert(part_state_alive(PART_STARTING) && part_state_alive(PART_READY) && part_state_alive(PART_STOPPING));
	cr_assert_not(part_state_alive(PART_STOPPED) || part_state_alive(PART_FAILED));
}
