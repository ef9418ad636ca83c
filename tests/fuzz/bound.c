/* Any bytes as a bound; what is accepted keeps its invariants. */
#include "evidence/bound.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	BOUND_CLEANUP struct bound b;
	struct err err = ERR_INIT;

	bound_init(&b);
	if (!bound_parse((const char *)data, size, &b, &err))
		return 0;
	if (!b.set_count || optime_is_zero(b.b0))
		abort();
	for (size_t i = 0; i < b.set_count; i++)
		if (optime_cmp(b.sets[i].b0, b.sets[i].b1) > 0 || optime_cmp(b.sets[i].b0, b.b0) ||
		    bound_find_set(&b, b.sets[i].name) != &b.sets[i])
			abort();
	return 0;
}
