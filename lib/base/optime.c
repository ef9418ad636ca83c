#include "base/optime.h"

#include "base/num.h"

#include <stdio.h>
#include <string.h>

int optime_cmp(struct optime a, struct optime b)
{
	if (a.t != b.t)
		return a.t < b.t ? -1 : 1;
	if (a.i != b.i)
		return a.i < b.i ? -1 : 1;
	return 0;
}

bool optime_is_zero(struct optime a)
{
	return !a.t && !a.i;
}

struct optime optime_max(struct optime a, struct optime b)
{
	return optime_cmp(a, b) >= 0 ? a : b;
}

struct optime optime_min(struct optime a, struct optime b)
{
	return optime_cmp(a, b) <= 0 ? a : b;
}

const char *optime_format(struct optime op, char text[static OPTIME_TEXT_MAX])
{
	snprintf(text, OPTIME_TEXT_MAX, "%u,%u", op.t, op.i);
	return text;
}

bool optime_parse(const char *text, struct optime *ret)
{
	const char *comma = strchr(text, ',');
	uint64_t t, i;

	if (!comma || !num_parse_u64(text, (size_t)(comma - text), UINT32_MAX, &t) ||
	    !num_parse_u64(comma + 1, strlen(comma + 1), UINT32_MAX, &i))
		return false;
	*ret = (struct optime){(uint32_t)t, (uint32_t)i};
	return true;
}
