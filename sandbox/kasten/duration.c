#include "sandbox/kasten/duration.h"

#include <string.h>

struct unit {
	const char *name;
	double ms;
};

/* Longer names first where one begins with the other. */
static const struct unit units[] = {
    {"ns", 1e-6},
    {"us", 1e-3},
    {"\xc2\xb5s", 1e-3},
    {"\xce\xbcs", 1e-3},
    {"ms", 1},
    {"s", 1e3},
    {"m", 60e3},
    {"h", 3600e3},
};

static const struct unit *take_unit(const char **p)
{
	for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
		size_t len = strlen(units[i].name);

		if (!strncmp(*p, units[i].name, len)) {
			*p += len;
			return &units[i];
		}
	}
	return NULL;
}

static bool take_number(const char **p, double *ret)
{
	double value = 0, place = 1;
	const char *start = *p;
	bool fraction = false;
	int digits = 0;

	for (; (**p >= '0' && **p <= '9') || (**p == '.' && !fraction); (*p)++) {
		if (**p == '.') {
			fraction = true;
			continue;
		}
		if (*p - start > 24)
			return false;
		value = value * 10 + (**p - '0');
		place *= fraction ? 10 : 1;
		digits++;
	}
	*ret = value / place;
	return digits > 0;
}

bool duration_parse(const char *text, int64_t *ret_ms, struct err *err)
{
	const char *p = text;
	double total_ms = 0;
	bool ok = *text != '\0';

	if (!strcmp(text, "0")) {
		*ret_ms = 0;
		return true;
	}
	while (*p && ok) {
		const struct unit *unit = NULL;
		double number = 0;

		ok = take_number(&p, &number) && (unit = take_unit(&p));
		total_ms += ok ? number * unit->ms : 0;
	}
	if (!ok || total_ms > (double)DURATION_MAX_MS) {
		err_set(err, ERR_PARSE, "Failed to parse timeout: \"%.60s\" is no duration", text);
		return err_hint(err, "write it as 360s, 10m or 1h30m; at most 8784h");
	}
	*ret_ms = (int64_t)total_ms;
	return true;
}
