/* The drill's clock against the clusters'. */
#include "kube/clock.h"
#include "scenarios/drill_run.h"
#include "scenarios/steps/parts.h"

#include <inttypes.h>

#define FRESH_MS 10000

static bool note(struct drill *d, struct kube *k, const char *event, bool *ret_asked, struct err *err)
{
	char offset[24], error[24];
	int64_t offset_ms, error_ms;
	struct err why = ERR_INIT;
	bool known;

	*ret_asked = kube_clock(k, &known, &offset_ms, &error_ms, &why);
	if (!*ret_asked) {
		/* without it the figures take the journal's comparison: no reason to stop */
		if (why.code == ERR_INTERRUPTED)
			*err = why;
		return why.code != ERR_INTERRUPTED;
	}
	if (!known)
		return true;
	snprintf(offset, sizeof offset, "%" PRId64, offset_ms);
	snprintf(error, sizeof error, "%" PRId64, error_ms);
	return drill_event(d, err, event, "offset_ms", offset, "error_ms", error, NULL);
}

bool part_note_clocks(struct drill *d, struct err *err)
{
	bool here = true, there = true;

	/* it takes a second for each, and what destroys looks again at what was seen right before */
	if (d->compared_ms && !drill_is_elsewhere(d) && part_now_ms(d) - d->compared_ms < FRESH_MS)
		return true;
	if ((!drill_is_elsewhere(d) && !note(d, drill_kube(d), "clock", &here, err)) ||
	    (drill_kube_elsewhere(d) && !note(d, drill_kube_elsewhere(d), "clock.target", &there, err)))
		return false;
	d->compared_ms = here && there ? part_now_ms(d) : 0;
	return true;
}
