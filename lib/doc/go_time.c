#include "doc/go_time.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

/* The fields of a layout. */
enum field {
	LITERAL,
	LONG_MONTH,
	MONTH,
	NUM_MONTH,
	ZERO_MONTH,
	LONG_WEEKDAY,
	WEEKDAY,
	DAY,
	BLANK_DAY,
	ZERO_DAY,
	HOUR,
	HOUR12,
	ZERO_HOUR12,
	MINUTE,
	ZERO_MINUTE,
	SECOND,
	ZERO_SECOND,
	LONG_YEAR,
	YEAR,
	UPPER_PM,
	LOWER_PM,
	ZONE_NAME,
	ZONE,	    /* Z: a zone or the letter Z */
	NUM_ZONE,   /* always a number */
	FRACTION_0, /* as many digits as the layout has */
	FRACTION_9, /* without zeros at the end */
	YEAR_DAY,
};

struct chunk {
	enum field field;
	const char *text;
	size_t len;
};

static const char *const months[] = {"January", "February", "March", "April", "May", "June", "July", "August",
    "September", "October", "November", "December"};
static const char *const weekdays[] = {"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};

static bool begins(const char *text, const char *with)
{
	return !strncmp(text, with, strlen(with));
}

/* Fields whose text alone names them; longer ones stand before those that they begin with. */
static const struct {
	const char *text;
	enum field field;
	bool not_before_lower_case;
} fixed[] = {
    {"January", LONG_MONTH, false},
    {"Jan", MONTH, true},
    {"Monday", LONG_WEEKDAY, false},
    {"Mon", WEEKDAY, true},
    {"MST", ZONE_NAME, false},
    {"002", YEAR_DAY, false},
    {"01", ZERO_MONTH, false},
    {"02", ZERO_DAY, false},
    {"03", ZERO_HOUR12, false},
    {"04", ZERO_MINUTE, false},
    {"05", ZERO_SECOND, false},
    {"06", YEAR, false},
    {"15", HOUR, false},
    {"1", NUM_MONTH, false},
    {"2006", LONG_YEAR, false},
    {"2", DAY, false},
    {"__2", YEAR_DAY, false},
    {"_2", BLANK_DAY, false},
    {"3", HOUR12, false},
    {"4", MINUTE, false},
    {"5", SECOND, false},
    {"PM", UPPER_PM, false},
    {"pm", LOWER_PM, false},
    {"-070000", NUM_ZONE, false},
    {"-07:00:00", NUM_ZONE, false},
    {"-0700", NUM_ZONE, false},
    {"-07:00", NUM_ZONE, false},
    {"-07", NUM_ZONE, false},
    {"Z070000", ZONE, false},
    {"Z07:00:00", ZONE, false},
    {"Z0700", ZONE, false},
    {"Z07:00", ZONE, false},
    {"Z07", ZONE, false},
};

static size_t fraction_len(const char *layout)
{
	size_t len = 1;

	if ((layout[0] != '.' && layout[0] != ',') || (layout[1] != '0' && layout[1] != '9'))
		return 0;
	while (layout[len] == layout[1])
		len++;
	return isdigit((unsigned char)layout[len]) ? 0 : len;
}

static bool field_at(const char *layout, struct chunk *ret)
{
	size_t len = fraction_len(layout);

	if (len) {
		*ret = (struct chunk){layout[1] == '0' ? FRACTION_0 : FRACTION_9, layout, len};
		return true;
	}
	if (begins(layout, "_2006"))
		return false; /* a '_' and a year */
	for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++) {
		len = strlen(fixed[i].text);
		if (begins(layout, fixed[i].text) &&
		    !(fixed[i].not_before_lower_case && islower((unsigned char)layout[len]))) {
			*ret = (struct chunk){fixed[i].field, layout, len};
			return true;
		}
	}
	return false;
}

/* The next literal or field; false at the end. */
static bool next_chunk(const char **layout, struct chunk *ret)
{
	const char *at = *layout;
	struct chunk chunk;

	if (!*at)
		return false;
	while (*at && !field_at(at, &chunk))
		at++;
	if (at > *layout)
		chunk = (struct chunk){LITERAL, *layout, (size_t)(at - *layout)};
	*layout += chunk.len;
	*ret = chunk;
	return true;
}

/* --- formatting -------------------------------------------------------------------------------------------------- */

static bool format_fraction(const struct chunk *chunk, int32_t ns, struct buf *out, struct err *err)
{
	size_t digits = chunk->len - 1 < 9 ? chunk->len - 1 : 9;
	char text[16];

	snprintf(text, sizeof text, "%09d", (int)ns);
	if (chunk->field == FRACTION_9)
		while (digits && text[digits - 1] == '0')
			digits--;
	if (!digits)
		return true;
	return buf_add(out, chunk->text, 1, err) && buf_add(out, text, digits, err);
}

static bool format_chunk(const struct chunk *chunk, const struct tm *tm, int32_t ns, struct buf *out, struct err *err)
{
	int hour12 = tm->tm_hour % 12 ? tm->tm_hour % 12 : 12;

	switch (chunk->field) {
	case LITERAL:
		return buf_add(out, chunk->text, chunk->len, err);
	case LONG_MONTH:
		return buf_add_str(out, months[tm->tm_mon], err);
	case MONTH:
		return buf_add(out, months[tm->tm_mon], 3, err);
	case NUM_MONTH:
		return buf_printf(out, err, "%d", tm->tm_mon + 1);
	case ZERO_MONTH:
		return buf_printf(out, err, "%02d", tm->tm_mon + 1);
	case LONG_WEEKDAY:
		return buf_add_str(out, weekdays[tm->tm_wday], err);
	case WEEKDAY:
		return buf_add(out, weekdays[tm->tm_wday], 3, err);
	case DAY:
		return buf_printf(out, err, "%d", tm->tm_mday);
	case BLANK_DAY:
		return buf_printf(out, err, "%2d", tm->tm_mday);
	case ZERO_DAY:
		return buf_printf(out, err, "%02d", tm->tm_mday);
	case HOUR:
		return buf_printf(out, err, "%02d", tm->tm_hour);
	case HOUR12:
		return buf_printf(out, err, "%d", hour12);
	case ZERO_HOUR12:
		return buf_printf(out, err, "%02d", hour12);
	case MINUTE:
		return buf_printf(out, err, "%d", tm->tm_min);
	case ZERO_MINUTE:
		return buf_printf(out, err, "%02d", tm->tm_min);
	case SECOND:
		return buf_printf(out, err, "%d", tm->tm_sec);
	case ZERO_SECOND:
		return buf_printf(out, err, "%02d", tm->tm_sec);
	case LONG_YEAR:
		return buf_printf(out, err, "%04d", tm->tm_year + 1900);
	case YEAR:
		return buf_printf(out, err, "%02d", (tm->tm_year + 1900) % 100);
	case UPPER_PM:
		return buf_add_str(out, tm->tm_hour >= 12 ? "PM" : "AM", err);
	case LOWER_PM:
		return buf_add_str(out, tm->tm_hour >= 12 ? "pm" : "am", err);
	case ZONE_NAME:
		return buf_add_str(out, "UTC", err);
	case ZONE:
		return buf_add_char(out, 'Z', err);
	case NUM_ZONE:
		for (size_t i = 0; i < chunk->len; i++)
			if (!buf_add_char(out, i == 0 ? '+' : chunk->text[i] == '7' ? '0' : chunk->text[i], err))
				return false;
		return true;
	case FRACTION_0:
	case FRACTION_9:
		return format_fraction(chunk, ns, out, err);
	case YEAR_DAY:
		return buf_printf(out, err, *chunk->text == '0' ? "%03d" : "%3d", tm->tm_yday + 1);
	}
	return false;
}

bool go_time_format(const char *layout, struct go_time time, struct buf *out, struct err *err)
{
	time_t seconds = (time_t)time.s;
	struct chunk chunk;
	struct tm tm;

	if (!gmtime_r(&seconds, &tm) || tm.tm_year < -1900 || tm.tm_year > 8099)
		return err_set(err, ERR_LIMIT, "a time outside the years 0 to 9999");
	while (next_chunk(&layout, &chunk))
		if (!format_chunk(&chunk, &tm, time.ns, out, err))
			return false;
	return true;
}

/* --- parsing ----------------------------------------------------------------------------------------------------- */

struct parsing {
	const char *text;
	struct tm tm;
	int32_t ns;
	int offset_s;
	bool pm_set, pm;
};

/* A number of min to max digits between low and high. */
static bool read_number(struct parsing *p, int min, int max, int low, int high, int *ret)
{
	int value = 0, count = 0;

	while (count < max && isdigit((unsigned char)*p->text)) {
		value = value * 10 + (*p->text++ - '0');
		count++;
	}
	if (count < min || value < low || value > high)
		return false;
	*ret = value;
	return true;
}

static bool read_name(struct parsing *p, const char *const *names, int count, bool whole, int *ret)
{
	for (int i = 0; i < count; i++) {
		size_t len = whole ? strlen(names[i]) : 3;

		if (!strncasecmp(p->text, names[i], len)) {
			p->text += len;
			*ret = i;
			return true;
		}
	}
	return false;
}

/* [.,] and at most max digits; those behind the ninth count nothing. */
static bool read_fraction(struct parsing *p, size_t max)
{
	int32_t ns = 0, scale = 100000000;

	if ((*p->text != '.' && *p->text != ',') || !isdigit((unsigned char)p->text[1]))
		return false;
	for (p->text++; max-- && isdigit((unsigned char)*p->text); p->text++) {
		ns += scale * (*p->text - '0');
		scale /= 10;
	}
	p->ns = ns;
	return true;
}

static bool read_zone(struct parsing *p, const struct chunk *chunk)
{
	int parts[3] = {0}, count = 0, sign;

	if (chunk->field == ZONE && *p->text == 'Z') {
		p->text++;
		return true;
	}
	if (*p->text != '+' && *p->text != '-')
		return false;
	sign = *p->text++ == '-' ? -1 : 1;
	for (size_t i = 1; i < chunk->len; i += 2) {
		if (chunk->text[i] == ':') {
			if (*p->text++ != ':')
				return false;
			i++;
		}
		if (!read_number(p, 2, 2, 0, count ? 59 : 24, &parts[count]))
			return false;
		count++;
	}
	p->offset_s = sign * (parts[0] * 3600 + parts[1] * 60 + parts[2]);
	return true;
}

static bool read_second(struct parsing *p, int min, const char *layout_rest)
{
	struct chunk next;

	if (!read_number(p, min, 2, 0, 59, &p->tm.tm_sec))
		return false;
	/* Go takes a fraction behind the seconds also where the layout has none. */
	if (!next_chunk(&layout_rest, &next) || (next.field != FRACTION_0 && next.field != FRACTION_9))
		read_fraction(p, SIZE_MAX);
	return true;
}

static bool read_fraction_0(struct parsing *p, const struct chunk *chunk)
{
	const char *before = p->text;

	return read_fraction(p, chunk->len - 1) && (size_t)(p->text - before) == chunk->len;
}

static bool read_month(struct parsing *p, int min)
{
	if (!read_number(p, min, 2, 1, 12, &p->tm.tm_mon))
		return false;
	p->tm.tm_mon--;
	return true;
}

static bool read_year(struct parsing *p, bool whole)
{
	int year = 0;

	if (!read_number(p, whole ? 4 : 2, whole ? 4 : 2, 0, 9999, &year))
		return false;
	if (!whole)
		year += year >= 69 ? 1900 : 2000;
	p->tm.tm_year = year - 1900;
	return true;
}

static bool read_pm(struct parsing *p, bool upper)
{
	char first = upper ? 'P' : 'p', other = upper ? 'A' : 'a', second = upper ? 'M' : 'm';

	if ((*p->text != first && *p->text != other) || p->text[1] != second)
		return false;
	p->pm_set = true;
	p->pm = *p->text == first;
	p->text += 2;
	return true;
}

static bool read_literal(struct parsing *p, const struct chunk *chunk)
{
	if (strncmp(p->text, chunk->text, chunk->len) != 0)
		return false;
	p->text += chunk->len;
	return true;
}

static bool read_utc(struct parsing *p)
{
	if (!begins(p->text, "UTC") && !begins(p->text, "GMT"))
		return false;
	p->text += 3;
	return true;
}

static bool read_chunk(struct parsing *p, const struct chunk *chunk, const char *layout_rest)
{
	struct tm *tm = &p->tm;
	int ignored;

	switch (chunk->field) {
	case LITERAL:
		return read_literal(p, chunk);
	case LONG_MONTH:
	case MONTH:
		return read_name(p, months, 12, chunk->field == LONG_MONTH, &tm->tm_mon);
	case NUM_MONTH:
	case ZERO_MONTH:
		return read_month(p, chunk->field == ZERO_MONTH ? 2 : 1);
	case LONG_WEEKDAY:
	case WEEKDAY:
		return read_name(p, weekdays, 7, chunk->field == LONG_WEEKDAY, &ignored);
	case BLANK_DAY:
		p->text += *p->text == ' ';
		return read_number(p, 1, 2, 1, 31, &tm->tm_mday);
	case DAY:
	case ZERO_DAY:
		return read_number(p, chunk->field == ZERO_DAY ? 2 : 1, 2, 1, 31, &tm->tm_mday);
	case HOUR:
		return read_number(p, 1, 2, 0, 23, &tm->tm_hour);
	case HOUR12:
	case ZERO_HOUR12:
		return read_number(p, chunk->field == ZERO_HOUR12 ? 2 : 1, 2, 0, 12, &tm->tm_hour);
	case MINUTE:
	case ZERO_MINUTE:
		return read_number(p, chunk->field == ZERO_MINUTE ? 2 : 1, 2, 0, 59, &tm->tm_min);
	case SECOND:
	case ZERO_SECOND:
		return read_second(p, chunk->field == ZERO_SECOND ? 2 : 1, layout_rest);
	case LONG_YEAR:
	case YEAR:
		return read_year(p, chunk->field == LONG_YEAR);
	case UPPER_PM:
	case LOWER_PM:
		return read_pm(p, chunk->field == UPPER_PM);
	case ZONE_NAME:
		return read_utc(p);
	case ZONE:
	case NUM_ZONE:
		return read_zone(p, chunk);
	case FRACTION_0:
		return read_fraction_0(p, chunk);
	case FRACTION_9:
		read_fraction(p, SIZE_MAX); /* may be left out */
		return true;
	case YEAR_DAY:
		break;
	}
	return false;
}

/* What was read is a day that exists. */
static bool finish(struct parsing *p, struct go_time *ret)
{
	struct tm tm = p->tm;
	time_t seconds;

	if (p->pm_set)
		tm.tm_hour = tm.tm_hour % 12 + (p->pm ? 12 : 0);
	p->tm.tm_hour = tm.tm_hour;
	seconds = timegm(&tm);
	if (tm.tm_mday != p->tm.tm_mday || tm.tm_mon != p->tm.tm_mon)
		return false;
	*ret = (struct go_time){.s = (int64_t)seconds - p->offset_s, .ns = p->ns};
	return true;
}

bool go_time_parse(const char *layout, const char *text, struct go_time *ret, struct err *err)
{
	struct parsing p = {.text = text, .tm = {.tm_mday = 1, .tm_year = -1900}};
	const char *rest = layout;
	struct chunk chunk;

	while (next_chunk(&rest, &chunk))
		if (!read_chunk(&p, &chunk, rest))
			return err_set(
			    err, ERR_PARSE, "the text \"%.64s\" does not fit the layout \"%.64s\"", text, layout);
	if (*p.text)
		return err_set(err, ERR_PARSE, "the text \"%.64s\" is longer than the layout \"%.64s\"", text, layout);
	if (!finish(&p, ret))
		return err_set(err, ERR_PARSE, "the text \"%.64s\" is no day that exists", text);
	return true;
}
