/*
 * The negative control. A PASS counts only if the same judge, with the same evidence but for one thing that is known to be wrong,
 * says FAIL and names that very thing:
 *   - the observation without one acknowledged tick from before the restore point (must be lost), and with one from after it that was
 *     absent (must be late);
 *   - the restore point moved beyond all ticks (all of the expected loss must be lost).
 * Otherwise the verdict becomes INCONCLUSIVE (CONTROL_PASSED): a judge that cannot fail has proved nothing.
 */
#ifndef VERIFIER_CONTROL_H
#define VERIFIER_CONTROL_H

#include "evidence/bound.h"
#include "evidence/observed.h"
#include "evidence/verdict.h"

struct control_change {
	struct observed_stream *stream; /* NULL: none was made */
	struct observed_block *block;	/* not compared meanwhile: its digest would still be the true one */
	int64_t seq, block_ticks;
};
struct control {
	struct control_change removed, added;
};

/*
 * Makes the observation wrong, by what the verdict says of it. No tick that could be taken or put: *ret has no such change, and
 * control_judge does not find it. observed must not be used for anything else before control_mend.
 */
bool control_spoil(const struct verdict *pass, struct observed *observed, struct control *ret, struct err *err);
bool control_mend(struct control *c, struct err *err);
/* Moves it, in place. */
void control_move_bound(struct bound *b);

/* Whether each was found, into v (controls); the reason and the result, if one was not. */
bool control_judge(struct verdict *v, const struct control *c, const struct verdict *of_observation,
    const struct verdict *of_bound, struct err *err);

#endif
