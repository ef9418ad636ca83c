/* Any bytes as a scenario: read or refused; what was read can be filled in, and its arguments settled or refused. */
#include "scenarios/scenario.h"

#include "scenarios/step.h"
#include "scenarios/step_args.h"

#include <stdlib.h>
#include <string.h>

/* Some names are known, with awkward values. */
static const char *lookup(void *ctx, const char *name)
{
	(void)ctx;
	return *name < 'c' ? "${x}" : *name < 'h' ? "10s" : *name < 'p' ? "\"\\\n7" : NULL;
}

static void try_step(const struct scenario_step *s, bool strict)
{
	CLEANUP(json) struct json *args = NULL;
	struct err err = ERR_INIT;

	if (!scenario_fill(s->args, lookup, NULL, strict, &args, &err) || !step_settle_args(s->def, args, &err)) {
		if (err.code == ERR_NONE)
			abort();
		return;
	}
	for (const struct step_arg *a = s->def->args; a->name; a++) {
		step_int(json_root(args), a->name, 0);
		step_bool(json_root(args), a->name, false);
		step_duration_ms(json_root(args), a->name, 0);
		if (a->kind == ARG_TEXT && json_get(json_root(args), a->name) &&
		    !step_text(json_root(args), a->name, NULL))
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	SCENARIO_CLEANUP struct scenario s = {0};
	struct err err = ERR_INIT;

	if (!scenario_parse((const char *)data, size, &s, &err)) {
		if (err.code == ERR_NONE || s.doc)
			abort();
		return 0;
	}
	if (!s.count || s.count > SCENARIO_STEPS_MAX || !s.name[0])
		abort();
	for (size_t i = 0; i < s.count; i++) {
		try_step(&s.steps[i], false);
		try_step(&s.steps[i], true);
	}
	return 0;
}
