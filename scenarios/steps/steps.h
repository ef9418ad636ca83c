/* All verbs; the table in steps.c is in the order of the documentation. */
#ifndef SCENARIOS_STEPS_STEPS_H
#define SCENARIOS_STEPS_STEPS_H

#include "scenarios/step.h"

extern const struct step_def step_apply, step_delete, step_wait, step_annotate, step_pause, step_note;

/* "3 minutes" for describe: "90s", "15m" as written, or the default. */
#define STEP_ARG(n, k, ...)                                                                                            \
	{                                                                                                              \
		.name = (n), .kind = (k), __VA_ARGS__                                                                  \
	}

#endif
