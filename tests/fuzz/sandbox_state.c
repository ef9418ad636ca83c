/* A state file: refused or understood; what is understood can be written and read again, and is the same. */
#include "sandbox/parts/state.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct state *state = calloc(1, sizeof *state), *again = calloc(1, sizeof *again);
	BUF_CLEANUP struct buf text = BUF_INIT(STATE_MAX_BYTES);

	if (!state || !again)
		abort();
	if (state_parse((const char *)data, size, "/tmp/somewhere", state, NULL)) {
		if (state->count > LAYOUT_PARTS_MAX || state->layout.members > LAYOUT_MEMBERS_MAX)
			abort();
		if (state_format(&state->layout, NULL, state->phase, 0, 0, &text, NULL) &&
		    (!state_parse(buf_str(&text), text.len, "/tmp/somewhere", again, NULL) ||
			memcmp(&state->layout, &again->layout, sizeof state->layout) != 0))
			abort();
	}
	free(state);
	free(again);
	return 0;
}
