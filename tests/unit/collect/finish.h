/* Ends a tally, and holds its counts against one another. */
#include "verifier/collect_tally.h"

#include <criterion/criterion.h>

static void finish(struct tally *t)
{
	struct tally_counts c;
	struct err err = ERR_INIT;

	cr_assert(tally_finish(t, &err), "%s", err.msg);
	c = tally_counts(t);
	cr_assert_eq(c.documents, c.intact + c.anomalies + c.not_ticks + c.beyond_streams);
}
