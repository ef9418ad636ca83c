/* Any bytes as state.json of a run: refused, or whole enough for resume and cleanup. */
#include "scenarios/run_state.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct run_state s = {.doc = NULL};
	struct err err = ERR_INIT;
	size_t next, steps;

	if (!run_state_parse(&s, (const char *)data, size, &err)) {
		if (err.code == ERR_NONE || s.doc)
			abort();
		return 0;
	}
	steps = json_count(json_at(json_root(s.doc), "steps"));
	next = run_state_next(&s);
	if (next > steps || (next < steps && !strcmp(run_state_step(&s, next), "done")))
		abort();
	for (const json_node *o = json_first(run_state_objects(&s)); o; o = json_next(o)) {
		struct kube_kind kind;

		run_state_kind(o, &kind);
		if (!kind.plural[0] && json_text_at(o, "plural")[0])
			abort();
	}
	if (!run_state_text(&s, "folder") || !run_state_text(&s, "sha256"))
		abort();
	run_state_put(&s, "values/x", "y", NULL);
	run_state_clear(&s);
	return 0;
}
