#include "story.h"

#include <criterion/criterion.h>

#define NOTHING CLASS_COUNT

Test(classify, every_claim_position_and_presence_has_its_class)
{
	/* in words of the design: the class of an absent tick, and of an intact one */
	static const struct {
		enum judge_claim claim;
		enum judge_position position;
		enum tick_class absent, intact;
	} rows[] = {
	    {CLAIM_ACKED, POSITION_BEFORE, CLASS_LOST, CLASS_OK},
	    {CLAIM_ACKED, POSITION_AFTER, CLASS_EXPECTED_LOSS, CLASS_LATE},
	    {CLAIM_ACKED, POSITION_ASTRIDE, CLASS_AT_BOUND, CLASS_AT_BOUND},
	    {CLAIM_OPEN, POSITION_BEFORE, CLASS_INDETERMINATE, CLASS_RECOVERED},
	    {CLAIM_OPEN, POSITION_AFTER, CLASS_INDETERMINATE, CLASS_LATE},
	    {CLAIM_OPEN, POSITION_ASTRIDE, CLASS_INDETERMINATE, CLASS_RECOVERED},
	    {CLAIM_FAILED, POSITION_BEFORE, CLASS_REFUSED, CLASS_RESURRECTED},
	    {CLAIM_FAILED, POSITION_AFTER, CLASS_REFUSED, CLASS_RESURRECTED},
	    {CLAIM_FAILED, POSITION_ASTRIDE, CLASS_REFUSED, CLASS_RESURRECTED},
	    {CLAIM_NEVER, POSITION_BEFORE, NOTHING, CLASS_UNEXPECTED},
	    {CLAIM_NEVER, POSITION_AFTER, NOTHING, CLASS_UNEXPECTED},
	    {CLAIM_NEVER, POSITION_ASTRIDE, NOTHING, CLASS_UNEXPECTED},
	    {CLAIM_BEYOND_REACHED, POSITION_BEFORE, NOTHING, CLASS_LATE},
	    {CLAIM_BEYOND_REACHED, POSITION_AFTER, NOTHING, CLASS_LATE},
	    {CLAIM_BEYOND_REACHED, POSITION_ASTRIDE, NOTHING, CLASS_LATE},
	    {CLAIM_BEYOND, POSITION_BEFORE, NOTHING, CLASS_UNJOURNALED},
	    {CLAIM_BEYOND, POSITION_AFTER, NOTHING, CLASS_UNJOURNALED},
	    {CLAIM_BEYOND, POSITION_ASTRIDE, NOTHING, CLASS_UNJOURNALED},
	    {CLAIM_OTHER_RUN, POSITION_BEFORE, NOTHING, CLASS_FOREIGN},
	    {CLAIM_OTHER_RUN, POSITION_AFTER, NOTHING, CLASS_FOREIGN},
	    {CLAIM_OTHER_RUN, POSITION_ASTRIDE, NOTHING, CLASS_FOREIGN},
	};

	cr_assert_eq(sizeof rows / sizeof *rows, CLAIM_COUNT * 3);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		cr_expect_eq(judge_classify(rows[i].claim, rows[i].position, PRESENCE_ABSENT), rows[i].absent,
		    "row %zu, absent", i);
		cr_expect_eq(judge_classify(rows[i].claim, rows[i].position, PRESENCE_INTACT), rows[i].intact,
		    "row %zu, intact", i);
		/* damage comes first, whatever was claimed */
		cr_expect_eq(judge_classify(rows[i].claim, rows[i].position, PRESENCE_DUPLICATE), CLASS_DUPLICATED);
		cr_expect_eq(judge_classify(rows[i].claim, rows[i].position, PRESENCE_CORRUPT), CLASS_CORRUPTED);
	}
}

Test(classify, a_position_is_decided_at_the_very_edges)
{
	const struct optime b0 = {100, 5}, b1 = {110, 5}, none = OPTIME_MAX;
	static const struct {
		struct optime lo, hi;
		bool exact;
		enum judge_position one, torn; /* b0 == b1; b0 < b1 */
		const char *what;
	} rows[] = {
	    {{100, 4}, {100, 5}, false, POSITION_BEFORE, POSITION_BEFORE, "hi == b0"},
	    {{100, 4}, {100, 5}, true, POSITION_BEFORE, POSITION_BEFORE, "exactly at b0"},
	    {{100, 4}, {100, 6}, false, POSITION_ASTRIDE, POSITION_ASTRIDE, "hi just above b0, not exact"},
	    {{100, 4}, {100, 6}, true, POSITION_AFTER, POSITION_ASTRIDE, "exactly just above b0"},
	    {{100, 5}, {100, 6}, false, POSITION_AFTER, POSITION_ASTRIDE, "lo == b0"},
	    {{101, 1}, {110, 5}, true, POSITION_AFTER, POSITION_ASTRIDE, "exactly at b1"},
	    {{101, 1}, {110, 6}, false, POSITION_AFTER, POSITION_ASTRIDE, "hi just above b1, not exact"},
	    {{101, 1}, {110, 6}, true, POSITION_AFTER, POSITION_AFTER, "exactly just above b1"},
	    {{110, 4}, {110, 6}, false, POSITION_AFTER, POSITION_ASTRIDE, "lo just below b1"},
	    {{110, 5}, {110, 6}, false, POSITION_AFTER, POSITION_AFTER, "lo == b1"},
	    {{1, 1}, {120, 1}, false, POSITION_ASTRIDE, POSITION_ASTRIDE, "all over it"},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		cr_expect_eq(judge_position(rows[i].lo, rows[i].hi, rows[i].exact, b0, b0), rows[i].one,
		    "%s, one instant", rows[i].what);
		cr_expect_eq(judge_position(rows[i].lo, rows[i].hi, rows[i].exact, b0, b1), rows[i].torn, "%s, torn",
		    rows[i].what);
	}
	/* no reply at all, no bound at all */
	cr_expect_eq(judge_position(b0, none, false, b0, b0), POSITION_AFTER);
	cr_expect_eq(judge_position((struct optime){100, 4}, none, false, b0, b0), POSITION_ASTRIDE);
	cr_expect_eq(judge_position(b0, b1, true, OPTIME_ZERO, OPTIME_MAX), POSITION_ASTRIDE);
}
