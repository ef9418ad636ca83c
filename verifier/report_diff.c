#include "verifier/report_diff_internal.h"
#include "verifier/report_checks.h"
#include "verifier/report_words.h"

#include <stdio.h>
#include <string.h>

#define ROWS_MAX 16384 /* far above what two verdicts within their own bounds can ask for */

/* The row stays where it is until the next one is added. */
static struct diff_row *row(struct diff *d, enum diff_part part, const char *name, struct err *err)
{
	struct diff_row *r;

	if (d->row_count == d->row_room) {
		size_t room = d->row_room ? 2 * d->row_room : 128;

		if (room > ROWS_MAX)
			return err_set(err, ERR_LIMIT, "more than %d rows", ROWS_MAX), NULL;
		if (!(r = realloc(d->rows, room * sizeof *r)))
			return err_nomem(err), NULL;
		d->rows = r;
		d->row_room = room;
	}
	r = &d->rows[d->row_count++];
	memset(r, 0, sizeof *r);
	r->part = part;
	snprintf(r->name, sizeof r->name, "%s", name);
	return r;
}

static bool text_row(struct diff *d, enum diff_part part, const char *name, const char *before, const char *after,
    enum diff_tone tone, struct err *err)
{
	struct diff_row *r;

	if (!before[0] && !after[0])
		return true;
	if (!(r = row(d, part, name, err)))
		return false;
	snprintf(r->before, sizeof r->before, "%s", before);
	snprintf(r->after, sizeof r->after, "%s", after);
	r->tone = strcmp(before, after) ? tone : DIFF_SAME;
	return true;
}

static void delta_text(struct diff_row *r)
{
	const char *sign = r->delta < 0 ? "-" : "+";
	struct words value, error;

	if (!r->was.known || !r->is.known || (!r->delta && !r->delta_error))
		return;
	if (r->unit == DIFF_COUNT)
		snprintf(r->note, sizeof r->note, "%s%s", r->delta < 0 ? "" : "+", words_count(&value, r->delta));
	else
		snprintf(r->note, sizeof r->note, "%s%s%s%s", sign, words_distance(&value, r->delta),
		    r->delta_error ? " ± " : "", r->delta_error ? words_duration(&error, r->delta_error) : "");
}

/* judged: more of it is worse. */
static bool figure_row(struct diff *d, enum diff_part part, enum diff_unit unit, const char *name,
    struct diff_figure was, struct diff_figure is, bool judged, struct err *err)
{
	struct diff_row *r;

	if (!was.known && !is.known)
		return true;
	if (!(r = row(d, part, name, err)))
		return false;
	r->unit = unit;
	r->was = was;
	r->is = is;
	r->tone = diff_figures(&was, &is, &r->delta, &r->delta_error);
	if (!judged && (r->tone == DIFF_WORSE || r->tone == DIFF_BETTER))
		r->tone = DIFF_CHANGED;
	diff_figure_text(r->before, &was, unit);
	diff_figure_text(r->after, &is, unit);
	delta_text(r);
	return true;
}

static struct diff_figure exactly(int64_t value)
{
	return (struct diff_figure){.known = true, .value = value};
}

static bool result_row(struct diff *d, struct err *err)
{
	enum verdict_result was = d->before->result, is = d->after->result;

	return text_row(d, DIFF_RESULT, "result", verdict_result_text(was), verdict_result_text(is),
	    diff_rank(is) > diff_rank(was)   ? DIFF_WORSE
	    : diff_rank(is) < diff_rank(was) ? DIFF_BETTER
					     : DIFF_CHANGED,
	    err);
}

static void reason_text(char text[static 64], enum verdict_reason_code code, size_t count)
{
	const char *severity = verdict_severity_text(verdict_reason_severity(code));

	text[0] = '\0';
	if (count == 1)
		snprintf(text, 64, "%s", severity);
	else if (count)
		snprintf(text, 64, "%s, %zu times", severity, count);
}

static bool reason_rows(struct diff *d, struct err *err)
{
	for (int c = 0; c < REASON_COUNT; c++) {
		enum verdict_reason_code code = (enum verdict_reason_code)c;
		size_t was = diff_count_reason(d->before, code), is = diff_count_reason(d->after, code);
		bool decides = check_of(code) != CHECK_COUNT;
		char before[64], after[64];

		if (!was && !is)
			continue;
		reason_text(before, code, was);
		reason_text(after, code, is);
		if (!text_row(d, DIFF_REASONS, verdict_reason_text(code), before, after,
			!decides || (was && is) ? DIFF_CHANGED
			: is			? DIFF_WORSE
						: DIFF_BETTER,
			err))
			return false;
		snprintf(d->rows[d->row_count - 1].note, sizeof d->rows->note, "%s", verdict_reason_title(code));
	}
	return true;
}

static bool limit_row(struct diff *d, const char *name, int64_t was_ms, int64_t is_ms, struct err *err)
{
	struct words was, is;

	return (was_ms < 0 && is_ms < 0) ||
	       text_row(d, DIFF_FIGURES, name, was_ms < 0 ? "none" : words_duration(&was, was_ms),
		   is_ms < 0 ? "none" : words_duration(&is, is_ms), DIFF_CHANGED, err);
}

static bool figure_rows(struct diff *d, struct err *err)
{
	const struct verdict *was = d->before, *is = d->after;

	if (was->has_removal && is->has_removal)
		return figure_row(d, DIFF_FIGURES, DIFF_COUNT, "left behind", exactly(was->removal_left),
			   exactly(is->removal_left), true, err) &&
		       figure_row(d, DIFF_FIGURES, DIFF_COUNT, "kinds not read", exactly(was->removal_kinds_unread),
			   exactly(is->removal_kinds_unread), true, err) &&
		       figure_row(d, DIFF_FIGURES, DIFF_COUNT, "objects looked at", exactly(was->removal_objects),
			   exactly(is->removal_objects), false, err);
	if (was->has_removal || is->has_removal)
		return true;
	return figure_row(d, DIFF_FIGURES, DIFF_MS, "RPO", diff_rpo(was), diff_rpo(is), true, err) &&
	       limit_row(d, "RPO limit", was->max_rpo_ms, is->max_rpo_ms, err) &&
	       figure_row(d, DIFF_FIGURES, DIFF_COUNT, "operations gone",
		   (struct diff_figure){was->has_rpo, was->rpo_at_least, was->rpo_ops, 0},
		   (struct diff_figure){is->has_rpo, is->rpo_at_least, is->rpo_ops, 0}, false, err) &&
	       figure_row(d, DIFF_FIGURES, DIFF_MS, "RTO", diff_rto(was), diff_rto(is), true, err) &&
	       limit_row(d, "RTO limit", was->max_rto_ms, is->max_rto_ms, err) &&
	       text_row(d, DIFF_FIGURES, "RTO seen up to", was->has_rto ? was->rto_until : "",
		   is->has_rto ? is->rto_until : "", DIFF_CHANGED, err);
}

/* The clocks' error is in the one phase that begins on one machine's clock and ends on another's: the first probe. */
static struct diff_figure phase(const struct verdict *v, const char *name)
{
	bool probe_before = false;

	for (size_t i = 0; i < v->phase_count; i++) {
		const struct verdict_phase *p = &v->phases[i];
		bool probe = !strncmp(p->name, "first ", 6);

		if (!strcmp(p->name, name))
			return (struct diff_figure){.known = true,
			    .value = diff_subtract(p->to_ms, p->from_ms),
			    .error = probe && !probe_before ? v->rto_error_ms : 0};
		probe_before |= probe;
	}
	return (struct diff_figure){0};
}

static bool phase_rows(struct diff *d, struct err *err)
{
	for (size_t i = 0; i < d->before->phase_count; i++) {
		const char *name = d->before->phases[i].name;

		if (!figure_row(
			d, DIFF_PHASES, DIFF_MS, name, phase(d->before, name), phase(d->after, name), true, err))
			return false;
	}
	for (size_t i = 0; i < d->after->phase_count; i++) {
		const char *name = d->after->phases[i].name;

		if (!phase(d->before, name).known && !figure_row(d, DIFF_PHASES, DIFF_MS, name, (struct diff_figure){0},
							 phase(d->after, name), true, err))
			return false;
	}
	return true;
}

static bool count_row(struct diff *d, const char *name, int64_t was, int64_t is, bool judged, struct err *err)
{
	return figure_row(d, DIFF_TICKS, DIFF_COUNT, name, exactly(was), exactly(is), judged, err);
}

static bool tick_rows(struct diff *d, struct err *err)
{
	const struct verdict *was = d->before, *is = d->after;

	if (was->has_removal || is->has_removal)
		return true;
	for (int c = 0; c < CLASS_COUNT; c++)
		if (!count_row(d, tick_class_text((enum tick_class)c), was->count[c], is->count[c],
			tick_class_fails((enum tick_class)c), err))
			return false;
	return count_row(d, "issued", was->issued, is->issued, false, err) &&
	       count_row(d, "acknowledged", was->acked, is->acked, false, err) &&
	       count_row(d, "undecided", was->undecided, is->undecided, false, err) &&
	       count_row(d, "not checked against the journal", was->digest_unchecked, is->digest_unchecked, false, err);
}

static const char *check_state(const struct verdict *v, enum report_check check)
{
	return check_applies(v, check) ? check_status_text(check_status(v, check)) : "not asked";
}

static enum diff_tone check_tone(const struct diff *d, enum report_check check)
{
	static const int ranks[] = {0, 2, 1, 1}; /* passed, failed, inconclusive, not judged */
	int was = ranks[check_status(d->before, check)], is = ranks[check_status(d->after, check)];

	if (!check_applies(d->before, check) || !check_applies(d->after, check))
		return DIFF_CHANGED;
	return is > was ? DIFF_WORSE : is < was ? DIFF_BETTER : DIFF_CHANGED;
}

static bool check_rows(struct diff *d, struct err *err)
{
	for (int c = 0; c < CHECK_COUNT; c++) {
		enum report_check check = (enum report_check)c;

		if ((check_applies(d->before, check) || check_applies(d->after, check)) &&
		    !text_row(d, DIFF_CHECKS, check_text(check), check_state(d->before, check),
			check_state(d->after, check), check_tone(d, check), err))
			return false;
	}
	return true;
}

static const char *set_state(const struct verdict *v, const char *name, struct words *ret)
{
	struct words width, ticks;

	for (size_t i = 0; i < v->set_count; i++) {
		const struct verdict_set *s = &v->sets[i];

		if (strcmp(s->name, name))
			continue;
		snprintf(ret->text, sizeof ret->text, "%.40s wide, %.40s",
		    words_duration(&width, ((int64_t)s->b1.t - s->b0.t) * 1000),
		    s->ticks < 0 ? "ticks not known" : words_of(&ticks, s->ticks, "tick"));
		return ret->text;
	}
	return "";
}

static bool set_rows(struct diff *d, struct err *err)
{
	for (int round = 0; round < 2; round++) {
		const struct verdict *v = round ? d->after : d->before;

		for (size_t i = 0; i < v->set_count; i++) {
			struct words was, is;
			char name[288];

			if (round && set_state(d->before, v->sets[i].name, &was)[0])
				continue;
			snprintf(name, sizeof name, "replica set %s", v->sets[i].name);
			if (!text_row(d, DIFF_RESTORE, name, set_state(d->before, v->sets[i].name, &was),
				set_state(d->after, v->sets[i].name, &is), DIFF_CHANGED, err))
				return false;
		}
	}
	return true;
}

static struct diff_figure width(const struct verdict *v)
{
	int64_t ms;

	return (struct diff_figure){.known = v->has_bound,
	    .value = __builtin_mul_overflow(v->torn_width_s, INT64_C(1000), &ms) ? INT64_MAX : ms};
}

static bool restore_rows(struct diff *d, struct err *err)
{
	const struct verdict *was = d->before, *is = d->after;

	return figure_row(d, DIFF_RESTORE, DIFF_MS, "width of the restore point", width(was), width(is), true, err) &&
	       text_row(d, DIFF_RESTORE, "read from", was->bound_source, is->bound_source, DIFF_CHANGED, err) &&
	       text_row(
		   d, DIFF_RESTORE, "exact to the", was->bound_precision, is->bound_precision, DIFF_CHANGED, err) &&
	       text_row(d, DIFF_RESTORE, "restore", was->restore_state, is->restore_state, DIFF_CHANGED, err) &&
	       text_row(d, DIFF_RESTORE, "restore reported by", was->restore_reported_by, is->restore_reported_by,
		   DIFF_CHANGED, err) &&
	       set_rows(d, err);
}

static const char *login_state(const struct verdict *v, const char *user)
{
	for (size_t i = 0; i < v->login_count; i++)
		if (!strcmp(v->logins[i].user, user))
			return v->logins[i].ok ? "works" : "refused";
	return "";
}

static const char *collection_state(const struct verdict *v, const char *ns, struct words *ret)
{
	struct words indexes;

	for (size_t i = 0; i < v->namespace_count; i++) {
		const struct verdict_namespace *n = &v->namespaces[i];

		if (strcmp(n->ns, ns))
			continue;
		if (!n->exists)
			return "missing";
		snprintf(ret->text, sizeof ret->text, "%s", words_count(&indexes, n->indexes));
		snprintf(ret->text + strlen(ret->text), sizeof ret->text - strlen(ret->text), " index%s, options %.40s",
		    n->indexes == 1 ? "" : "es", n->options[0] ? n->options : "none");
		return ret->text;
	}
	return "";
}

static bool database_rows(struct diff *d, struct err *err)
{
	for (int round = 0; round < 2; round++) {
		const struct verdict *v = round ? d->after : d->before;

		for (size_t i = 0; i < v->login_count; i++) {
			const char *user = v->logins[i].user, *was = login_state(d->before, user),
				   *is = login_state(d->after, user);
			char name[288];

			snprintf(name, sizeof name, "login %s", user);
			if (!(round && was[0]) && !text_row(d, DIFF_DATABASE, name, was, is,
						      !strcmp(was, "works") && is[0]   ? DIFF_WORSE
						      : !strcmp(is, "works") && was[0] ? DIFF_BETTER
										       : DIFF_CHANGED,
						      err))
				return false;
		}
		for (size_t i = 0; i < v->namespace_count; i++) {
			struct words w[2];
			const char *ns = v->namespaces[i].ns, *was = collection_state(d->before, ns, &w[0]),
				   *is = collection_state(d->after, ns, &w[1]);

			if (!(round && was[0]) &&
			    !text_row(d, DIFF_DATABASE, ns, was, is,
				!strcmp(is, "missing") && was[0] ? DIFF_WORSE : DIFF_CHANGED, err))
				return false;
		}
	}
	return true;
}

static const char *version_of(const struct verdict *v, const char *name)
{
	for (size_t i = 0; i < v->version_count; i++)
		if (!strcmp(v->versions[i].name, name))
			return v->versions[i].value;
	return "";
}

static bool version_rows(struct diff *d, struct err *err)
{
	for (int round = 0; round < 2; round++) {
		const struct verdict *v = round ? d->after : d->before;

		for (size_t i = 0; i < v->version_count; i++) {
			const char *name = v->versions[i].name, *was = version_of(d->before, name);

			if (!(round && was[0]) &&
			    !text_row(d, DIFF_VERSIONS, name, was, version_of(d->after, name), DIFF_CHANGED, err))
				return false;
		}
	}
	return text_row(d, DIFF_VERSIONS, "PBM of the backup", d->before->pbm_version, d->after->pbm_version,
		   DIFF_CHANGED, err) &&
	       text_row(d, DIFF_VERSIONS, "MongoDB of the backup", d->before->mongodb_version,
		   d->after->mongodb_version, DIFF_CHANGED, err) &&
	       text_row(d, DIFF_VERSIONS, "judge", d->before->judge, d->after->judge, DIFF_CHANGED, err);
}

bool diff_make(const struct verdict *before, const char *before_name, const struct verdict *after,
    const char *after_name, const struct diff_limits *limits, struct diff **ret, struct err *err)
{
	struct diff *d = calloc(1, sizeof *d);

	if (!d)
		return err_nomem(err);
	d->before = before;
	d->after = after;
	d->before_name = before_name;
	d->after_name = after_name;
	if (!result_row(d, err) || !reason_rows(d, err) || !figure_rows(d, err) || !phase_rows(d, err) ||
	    !tick_rows(d, err) || !check_rows(d, err) || !restore_rows(d, err) || !database_rows(d, err) ||
	    !version_rows(d, err)) {
		diff_free(d);
		return err_wrap(err, "compare");
	}
	diff_weigh(d, limits);
	*ret = d;
	return true;
}

void diff_free(struct diff *d)
{
	if (!d)
		return;
	free(d->rows);
	free(d);
}
