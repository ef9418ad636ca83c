/* The drill's clock against the clusters'. */
#include "kube/clock.h"
#include "scenarios/drill_run.h"
#include "scenarios/steps/parts.h"

#include <inttypes.h>

#define FRESH_MS 10000

static bool note(struct drill *d, struct kube *k, const char *event, struct err *err)
{
	char offset[24], error[24];
	int64_t offset_ms, error_ms;
	struct err why = ERR_INIT;
	bool known;

	if (!kube_clock(k, &known, &offset_ms, &error_ms, &why)) {
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
	/* it takes a second for each, and the disaster looks again at what was proven right before */
	if (d->compared_ms && !drill_is_elsewhere(d) && part_now_ms(d) - d->compared_ms < FRESH_MS)
		return true;
	if ((!drill_is_elsewhere(d) && !note(d, drill_kube(d), "clock", err)) ||
	    (drill_kube_elsewhere(d) && !note(d, drill_kube_elsewhere(d), "clock.target", err)))
		return false;
	d->compared_ms = part_now_ms(d);
	return true;
}
