#include "scenarios/steps/steps.h"

#include <string.h>

const struct step_def *const step_defs[] = {
    &step_apply,
    &step_delete,
    &step_wait,
    &step_annotate,
    &step_pause,
    &step_note,
    NULL,
};

const struct step_def *step_find(const char *verb)
{
	for (const struct step_def *const *d = step_defs; *d; d++)
		if (!strcmp((*d)->verb, verb))
			return *d;
	return NULL;
}
