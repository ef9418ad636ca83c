#include "verifier/report_checks.h"
#include "verifier/report_diff_internal.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int diff_rank(enum verdict_result r)
{
	return r == VERDICT_PASS ? 0 : r == VERDICT_INCONCLUSIVE ? 1 : 2;
}

size_t diff_count_reason(const struct verdict *v, enum verdict_reason_code code)
{
	size_t count = 0;

	for (size_t i = 0; i < v->reason_count; i++)
		count += v->reasons[i].code == code;
	return count;
}

__attribute__((format(printf, 3, 4))) static void say(
    struct diff_sentences *list, const char *what, const char *fmt, ...)
{
	struct diff_sentence *s = &list->items[list->count];
	va_list ap;

	if (list->count == DIFF_SENTENCES_MAX)
		return;
	list->count++;
	snprintf(s->what, sizeof s->what, "%s", what);
	va_start(ap, fmt);
	vsnprintf(s->text, sizeof s->text, fmt, ap);
	va_end(ap);
}

static bool data_judged(const struct verdict *v)
{
	return v->has_removal ? v->removal_kinds > 0 : check_status(v, CHECK_DATA) != CHECK_NOT_JUDGED;
}

static void note_differences(struct diff *d)
{
	const struct verdict *was = d->before, *is = d->after;

	if (strcmp(was->scenario, is->scenario))
		say(&d->notes, "scenario", "the scenarios differ: %s and %s",
		    was->scenario[0] ? was->scenario : "(none)", is->scenario[0] ? is->scenario : "(none)");
	/* a restored cluster has a new identity: a drill after a drill begins with it */
	if (was->cluster_before[0] && is->cluster_before[0] && strcmp(was->cluster_before, is->cluster_before) &&
	    strcmp(was->cluster_after, is->cluster_before))
		say(&d->notes, "cluster", "the clusters differ: %s and %s", was->cluster_before, is->cluster_before);
	if (was->has_drill && is->has_drill && uuid_equal(&was->drill, &is->drill))
		say(&d->notes, "same-drill", "both verdicts are of one drill");
	if (was->judged_at_ms > is->judged_at_ms)
		say(&d->notes, "order", "the second verdict is older than the first");
}

static void compare_growth(
    struct diff *d, const char *name, const char *what, struct diff_figure was, struct diff_figure is, double percent)
{
	double most = (double)diff_most(&was), least = (double)diff_least(&is), allowed = most * (1 + percent / 100);
	char before[288], after[288];

	if (percent < 0)
		return;
	diff_figure_text(before, &was, DIFF_MS);
	diff_figure_text(after, &is, DIFF_MS);
	if (!was.known || !is.known || was.at_least || (is.at_least && least <= allowed))
		say(&d->incomparable, what,
		    "whether the %s grew by more than %.6g %% is not known: it was %s, and is %s", name, percent,
		    before, after);
	else if (least > allowed)
		say(&d->worse, what, "the %s grew by more than %.6g %%, beyond both errors: it was %s, and is %s", name,
		    percent, before, after);
}

static void find_worse(struct diff *d, const struct diff_limits *limits)
{
	const struct verdict *was = d->before, *is = d->after;

	if (diff_rank(is->result) > diff_rank(was->result))
		say(&d->worse, "result", "the result was %s, and is %s", verdict_result_text(was->result),
		    verdict_result_text(is->result));
	for (int c = 0; c < REASON_COUNT; c++) {
		enum verdict_reason_code code = (enum verdict_reason_code)c;

		if (verdict_reason_severity(code) == SEVERITY_FAIL && !diff_count_reason(was, code) &&
		    diff_count_reason(is, code))
			say(&d->worse, "reason", "a new reason to fail: %s (%s)", verdict_reason_text(code),
			    verdict_reason_title(code));
	}
	for (int c = 0; c < CLASS_COUNT; c++)
		if (tick_class_fails((enum tick_class)c) && is->count[c] > was->count[c])
			say(&d->worse, "ticks", "more ticks are %s: %" PRId64 " were, and %" PRId64 " are",
			    tick_class_text((enum tick_class)c), was->count[c], is->count[c]);
	if (is->has_removal && is->removal_left > was->removal_left)
		say(&d->worse, "removal", "more is left behind: it was %" PRId64 ", and is %" PRId64, was->removal_left,
		    is->removal_left);
	if (!is->has_removal) {
		compare_growth(d, "RPO", "rpo-growth", diff_rpo(was), diff_rpo(is), limits->rpo_growth);
		compare_growth(d, "RTO", "rto-growth", diff_rto(was), diff_rto(is), limits->rto_growth);
	}
}

void diff_weigh(struct diff *d, const struct diff_limits *limits)
{
	const struct verdict *was = d->before, *is = d->after;

	note_differences(d);
	if (was->has_removal != is->has_removal) {
		say(&d->incomparable, "kind", "the %s is of a removal, the %s of a restore",
		    was->has_removal ? "first" : "second", was->has_removal ? "second" : "first");
		return;
	}
	if (!data_judged(was)) {
		say(&d->incomparable, "data", "in the first run no data were judged (%s)",
		    verdict_result_text(was->result));
		return;
	}
	if (!data_judged(is))
		say(&d->incomparable, "data", "in the second run no data were judged (%s)",
		    verdict_result_text(is->result));
	find_worse(d, limits);
}

int diff_exit_status(const struct diff *d)
{
	return d->worse.count ? EXIT_FAIL : d->incomparable.count ? EXIT_INCONCLUSIVE : EXIT_PASS;
}
