#include "verifier/report_diff_internal.h"
#include "verifier/report_words.h"

#include <stdio.h>

const char *diff_tone_text(enum diff_tone t)
{
	static const char *const texts[] = {
#define X(name, text) text,
	    DIFF_TONES(X)
#undef X
	};

	return texts[t];
}

const char *diff_part_key(enum diff_part p)
{
	static const char *const keys[] = {
#define X(name, key, heading) key,
	    DIFF_PARTS(X)
#undef X
	};

	return keys[p];
}

const char *diff_part_heading(enum diff_part p)
{
	static const char *const headings[] = {
#define X(name, key, heading) heading,
	    DIFF_PARTS(X)
#undef X
	};

	return headings[p];
}

static int64_t add(int64_t a, int64_t b)
{
	int64_t sum;

	return __builtin_add_overflow(a, b, &sum) ? (b < 0 ? INT64_MIN : INT64_MAX) : sum;
}

int64_t diff_subtract(int64_t a, int64_t b)
{
	int64_t d;

	return __builtin_sub_overflow(a, b, &d) ? (b < 0 ? INT64_MAX : INT64_MIN) : d;
}

static int64_t not_negative(int64_t n)
{
	return n < 0 ? 0 : n;
}

enum diff_tone diff_figures(
    const struct diff_figure *was, const struct diff_figure *is, int64_t *ret_delta, int64_t *ret_error)
{
	int64_t delta, error;
	bool more, less;

	if (!was->known || !is->known)
		return was->known == is->known ? DIFF_SAME : DIFF_NOT_KNOWN;
	delta = diff_subtract(is->value, was->value);
	error = add(not_negative(was->error), not_negative(is->error));
	*ret_delta = delta;
	*ret_error = error;
	more = delta > error;
	less = delta < -error;
	/* a lower limit is only below what is known to be more */
	if (was->at_least || is->at_least)
		return more && !was->at_least ? DIFF_WORSE : less && !is->at_least ? DIFF_BETTER : DIFF_NOT_KNOWN;
	if (more || less)
		return more ? DIFF_WORSE : DIFF_BETTER;
	return delta || error ? DIFF_NOT_MEASURABLE : DIFF_SAME;
}

void diff_figure_text(char text[static 288], const struct diff_figure *f, enum diff_unit unit)
{
	struct words value, error;

	if (!f->known)
		snprintf(text, 288, "unknown");
	else if (unit == DIFF_COUNT)
		snprintf(text, 288, "%s", words_count(&value, f->value));
	else
		snprintf(text, 288, "%s%s%s%s", f->at_least ? "at least " : "", words_duration(&value, f->value),
		    f->error > 0 ? " ± " : "", f->error > 0 ? words_duration(&error, f->error) : "");
}

struct diff_figure diff_rpo(const struct verdict *v)
{
	return (struct diff_figure){v->has_rpo, v->rpo_at_least, v->rpo_ms, v->rpo_error_ms};
}

struct diff_figure diff_rto(const struct verdict *v)
{
	return (struct diff_figure){v->has_rto, !v->rto_complete, v->rto_ms, v->rto_error_ms};
}

int64_t diff_least(const struct diff_figure *f)
{
	return diff_subtract(f->value, not_negative(f->error));
}

int64_t diff_most(const struct diff_figure *f)
{
	return not_negative(add(f->value, not_negative(f->error)));
}
