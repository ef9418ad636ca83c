#include "verifier/judge.h"

enum judge_position judge_position(struct optime lo, struct optime hi, bool exact, struct optime b0, struct optime b1)
{
	if (optime_cmp(hi, b0) <= 0)
		return POSITION_BEFORE;
	if (optime_cmp(lo, b1) >= 0 || (exact && optime_cmp(hi, b1) > 0))
		return POSITION_AFTER;
	return POSITION_ASTRIDE;
}

struct outcome {
	enum tick_class absent, intact;
};

/* The table of the design, one row a claim, one column a position. */
#define NONE CLASS_COUNT
static const struct outcome table[CLAIM_COUNT][3] = {
    [CLAIM_ACKED] =
	{
	    [POSITION_BEFORE] = {CLASS_LOST, CLASS_OK},
	    [POSITION_AFTER] = {CLASS_EXPECTED_LOSS, CLASS_LATE},
	    [POSITION_ASTRIDE] = {CLASS_AT_BOUND, CLASS_AT_BOUND},
	},
    [CLAIM_OPEN] =
	{
	    [POSITION_BEFORE] = {CLASS_INDETERMINATE, CLASS_RECOVERED},
	    [POSITION_AFTER] = {CLASS_INDETERMINATE, CLASS_LATE},
	    [POSITION_ASTRIDE] = {CLASS_INDETERMINATE, CLASS_RECOVERED},
	},
    [CLAIM_FAILED] =
	{
	    [POSITION_BEFORE] = {CLASS_REFUSED, CLASS_RESURRECTED},
	    [POSITION_AFTER] = {CLASS_REFUSED, CLASS_RESURRECTED},
	    [POSITION_ASTRIDE] = {CLASS_REFUSED, CLASS_RESURRECTED},
	},
    [CLAIM_NEVER] =
	{
	    [POSITION_BEFORE] = {NONE, CLASS_UNEXPECTED},
	    [POSITION_AFTER] = {NONE, CLASS_UNEXPECTED},
	    [POSITION_ASTRIDE] = {NONE, CLASS_UNEXPECTED},
	},
    [CLAIM_BEYOND_REACHED] =
	{
	    [POSITION_BEFORE] = {NONE, CLASS_LATE},
	    [POSITION_AFTER] = {NONE, CLASS_LATE},
	    [POSITION_ASTRIDE] = {NONE, CLASS_LATE},
	},
    [CLAIM_BEYOND] =
	{
	    [POSITION_BEFORE] = {NONE, CLASS_UNJOURNALED},
	    [POSITION_AFTER] = {NONE, CLASS_UNJOURNALED},
	    [POSITION_ASTRIDE] = {NONE, CLASS_UNJOURNALED},
	},
    [CLAIM_OTHER_RUN] =
	{
	    [POSITION_BEFORE] = {NONE, CLASS_FOREIGN},
	    [POSITION_AFTER] = {NONE, CLASS_FOREIGN},
	    [POSITION_ASTRIDE] = {NONE, CLASS_FOREIGN},
	},
};

enum tick_class judge_classify(enum judge_claim claim, enum judge_position position, enum judge_presence presence)
{
	switch (presence) {
	case PRESENCE_CORRUPT:
		return CLASS_CORRUPTED;
	case PRESENCE_DUPLICATE:
		return CLASS_DUPLICATED;
	case PRESENCE_INTACT:
		return table[claim][position].intact;
	case PRESENCE_ABSENT:
		break;
	}
	return table[claim][position].absent;
}
