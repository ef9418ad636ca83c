#include "verifier/report_history.h"
#include "verifier/report_checks.h"

#include <stdio.h>
#include <string.h>

struct history *history_new(struct err *err)
{
	struct history *h = calloc(1, sizeof *h);

	return h ? h : (err_nomem(err), NULL);
}

void history_free(struct history *h)
{
	if (!h)
		return;
	free(h->runs);
	free(h->by_scenario);
	free(h->series);
	free(h);
}

bool history_has(const struct history *h, uint64_t device, uint64_t inode)
{
	for (size_t i = 0; i < h->run_count; i++)
		if (h->runs[i].inode == inode && h->runs[i].device == device)
			return true;
	return false;
}

/* The end of a long name tells more than its beginning. */
static void copy_tail(char *to, size_t size, const char *from)
{
	size_t len = strlen(from), cut = 0;

	if (len >= size) {
		cut = len - size + 4;
		while ((from[cut] & 0xc0) == 0x80)
			cut++;
	}
	snprintf(to, size, "%s%s", cut ? "..." : "", from + cut);
}

static void take(struct history_run *r, const struct verdict *v)
{
	r->result = v->result;
	r->judged_at_ms = v->judged_at_ms;
	snprintf(r->scenario, sizeof r->scenario, "%s", v->scenario);
	snprintf(r->title, sizeof r->title, "%s", v->title);
	r->has_rpo = v->has_rpo;
	r->rpo_at_least = v->rpo_at_least;
	r->rpo_ms = v->rpo_ms;
	r->rpo_error_ms = v->rpo_error_ms < 0 ? 0 : v->rpo_error_ms;
	r->max_rpo_ms = v->max_rpo_ms;
	r->has_rto = v->has_rto;
	r->rto_complete = v->rto_complete;
	r->rto_ms = v->rto_ms;
	r->rto_error_ms = v->rto_error_ms < 0 ? 0 : v->rto_error_ms;
	r->max_rto_ms = v->max_rto_ms;
	r->acked = v->acked;
	r->undecided = v->undecided;
	r->has_removal = v->has_removal;
	r->removal_left = v->removal_left;
	for (int c = 0; c < CLASS_COUNT; c++)
		if (tick_class_fails((enum tick_class)c) &&
		    __builtin_add_overflow(r->failing, v->count[c], &r->failing))
			r->failing = INT64_MAX;
	for (size_t i = 0; i < v->reason_count; i++)
		r->reasons[v->reasons[i].code] = true;
	for (size_t i = 0; i < v->version_count && r->version_count < sizeof r->versions / sizeof *r->versions; i++) {
		struct history_version *version = &r->versions[r->version_count++];

		snprintf(version->name, sizeof version->name, "%s", v->versions[i].name);
		snprintf(version->value, sizeof version->value, "%s", v->versions[i].value);
	}
}

static struct history_run *room_for(struct history *h, int64_t judged_at_ms, struct err *err)
{
	if (h->run_count == HISTORY_RUNS_MAX) {
		size_t oldest = 0;

		for (size_t i = 1; i < h->run_count; i++)
			if (h->runs[i].judged_at_ms < h->runs[oldest].judged_at_ms)
				oldest = i;
		h->left_out++;
		return judged_at_ms > h->runs[oldest].judged_at_ms ? &h->runs[oldest] : NULL;
	}
	if (h->run_count == h->run_room) {
		size_t room = h->run_room ? 2 * h->run_room : 64;
		struct history_run *runs = realloc(h->runs, room * sizeof *runs);

		if (!runs)
			return err_nomem(err), NULL;
		h->runs = runs;
		h->run_room = room;
	}
	return &h->runs[h->run_count++];
}

bool history_add(struct history *h, const char *name, const char *link, uint64_t device, uint64_t inode,
    const struct verdict *v, struct err *err)
{
	struct err failed = ERR_INIT;
	struct history_run *r = room_for(h, v->judged_at_ms, &failed);

	if (!r && failed.code != ERR_NONE)
		return err_nomem(err);
	if (!r)
		return true;
	memset(r, 0, sizeof *r);
	copy_tail(r->name, sizeof r->name, name);
	if (strlen(link) < sizeof r->link)
		snprintf(r->link, sizeof r->link, "%s", link);
	r->device = device;
	r->inode = inode;
	take(r, v);
	return true;
}

void history_skip(struct history *h, const char *name, const char *why)
{
	if (h->skipped_count < HISTORY_SKIPPED_MAX) {
		copy_tail(h->skipped[h->skipped_count].name, sizeof h->skipped->name, name);
		snprintf(h->skipped[h->skipped_count].why, sizeof h->skipped->why, "%s", why);
	}
	h->skipped_count++;
}

static int by_time(const void *a, const void *b)
{
	const struct history_run *x = a, *y = b;

	return x->judged_at_ms != y->judged_at_ms ? (x->judged_at_ms > y->judged_at_ms ? 1 : -1)
						  : strcmp(x->name, y->name);
}

static int by_scenario(const void *a, const void *b, void *runs)
{
	size_t x = *(const size_t *)a, y = *(const size_t *)b;
	int order = strcmp(((struct history_run *)runs)[x].scenario, ((struct history_run *)runs)[y].scenario);

	return order ? order : x > y ? 1 : x < y ? -1 : 0;
}

static int by_size(const void *a, const void *b)
{
	const struct history_series *x = a, *y = b;

	return x->count != y->count ? (x->count < y->count ? 1 : -1) : x->first > y->first ? 1 : -1;
}

bool history_finish(struct history *h, struct err *err)
{
	size_t *order = calloc(h->run_count + 1, sizeof *order);
	struct history_series *series = calloc(h->run_count + 1, sizeof *series);

	if (!order || !series) {
		free(order);
		free(series);
		return err_nomem(err);
	}
	h->by_scenario = order;
	h->series = series;
	if (!h->run_count)
		return true;
	qsort(h->runs, h->run_count, sizeof *h->runs, by_time);
	for (size_t i = 0; i < h->run_count; i++)
		order[i] = i;
	qsort_r(order, h->run_count, sizeof *order, by_scenario, h->runs);
	for (size_t i = 0, known = 0; i < h->run_count; i++) {
		if (!i || strcmp(h->runs[order[i]].scenario, h->runs[order[i - 1]].scenario))
			series[h->series_count++].first = i, known = 0;
		h->runs[order[i]].previous = known;
		if (h->runs[order[i]].version_count)
			known = order[i] + 1;
		series[h->series_count - 1].count++;
	}
	qsort(series, h->series_count, sizeof *series, by_size);
	return true;
}

size_t history_count(const struct history *h, enum verdict_result r)
{
	size_t count = 0;

	for (size_t i = 0; i < h->run_count; i++)
		count += h->runs[i].result == r;
	return count;
}

const struct history_run *history_at(const struct history *h, const struct history_series *s, size_t i)
{
	return &h->runs[h->by_scenario[s->first + i]];
}

static const char *figure(struct words *w, bool known, bool at_least, int64_t ms, int64_t error_ms)
{
	struct words value, error;

	if (!known)
		return "-";
	snprintf(w->text, sizeof w->text, "%s%.36s%s%.36s", at_least ? "at least " : "", words_duration(&value, ms),
	    error_ms ? " ± " : "", error_ms ? words_duration(&error, error_ms) : "");
	return w->text;
}

const char *history_rpo(const struct history_run *r, struct words *w)
{
	return figure(w, r->has_rpo, r->rpo_at_least, r->rpo_ms, r->rpo_error_ms);
}

const char *history_rto(const struct history_run *r, struct words *w)
{
	return figure(w, r->has_rto, !r->rto_complete, r->rto_ms, r->rto_error_ms);
}

static void append(char text[static 1024], const char *part)
{
	size_t used = strlen(text);

	snprintf(text + used, 1024 - used, "%s", part);
}

const char *history_reasons(const struct history_run *r, char text[static 1024])
{
	text[0] = '\0';
	for (int c = 0; c < REASON_COUNT; c++) {
		enum verdict_reason_code code = (enum verdict_reason_code)c;

		if (!r->reasons[c] || check_of(code) == CHECK_COUNT)
			continue;
		append(text, text[0] ? " " : "");
		append(text, verdict_reason_text(code));
	}
	return text;
}

const char *history_changes(const struct history *h, const struct history_run *is, char text[static 1024])
{
	const struct history_run *was = is->previous ? &h->runs[is->previous - 1] : NULL;

	text[0] = '\0';
	for (size_t i = 0; i < is->version_count; i++)
		for (size_t k = 0; was && k < was->version_count; k++) {
			const struct history_version *a = &was->versions[k], *b = &is->versions[i];
			char part[224];

			if (strcmp(a->name, b->name) != 0 || !strcmp(a->value, b->value))
				continue;
			snprintf(part, sizeof part, "%s%s %s → %s", text[0] ? ", " : "", b->name, a->value, b->value);
			if (strlen(text) + strlen(part) < 1024)
				append(text, part);
		}
	return text;
}
