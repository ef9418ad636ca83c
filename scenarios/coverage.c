#include "scenarios/coverage.h"

#include "scenarios/run_dir.h"

#include <stdio.h>
#include <stdlib.h>

struct optime coverage_b1(const struct bound *b)
{
	struct optime b1 = b->b0;

	for (size_t i = 0; i < b->set_count; i++)
		b1 = optime_max(b1, b->sets[i].b1);
	return b1;
}

void coverage_init(struct coverage *c, const struct journal_open *open, struct optime b0, struct optime b1)
{
	*c = (struct coverage){.b0 = b0, .b1 = b1, .open = *open};
}

void coverage_take(struct coverage *c, const struct journal_record *rec)
{
	int64_t *since = &c->streams[rec->stream].since;

	if (rec->type == JOURNAL_ISSUED) {
		/* a ticker whose lo goes back is no reason to believe less strictly */
		if (optime_cmp(rec->lo, c->b1) < 0)
			*since = 0;
		else if (!*since)
			*since = rec->first;
	} else if (rec->type == JOURNAL_ACKED) {
		c->streams[rec->stream].before |= optime_cmp(rec->hi, c->b0) <= 0;
		c->streams[rec->stream].reached |= *since && rec->last >= *since;
	}
}

bool coverage_reached(const struct coverage *c, char why[static COVERAGE_WHY_MAX])
{
	char b0[OPTIME_TEXT_MAX], b1[OPTIME_TEXT_MAX];

	if (!c->open.stream_count) {
		snprintf(why, COVERAGE_WHY_MAX, "the journal has no streams");
		return false;
	}
	for (size_t i = 0; i < c->open.stream_count; i++) {
		const struct journal_stream *s = &c->open.streams[i];

		if (!c->streams[i].before)
			snprintf(why, COVERAGE_WHY_MAX,
			    "writer %d of %.200s has no tick that was acknowledged at or before the restore point %s",
			    (int)s->writer, s->ns, optime_format(c->b0, b0));
		else if (!c->streams[i].reached)
			snprintf(why, COVERAGE_WHY_MAX,
			    "writer %d of %.200s has no acknowledged tick yet that was surely written after the "
			    "restore point %s",
			    (int)s->writer, s->ns, optime_format(c->b1, b1));
		else
			continue;
		return false;
	}
	return true;
}

bool coverage_may_be(const struct drill_heads *heads, struct optime b1, char why[static COVERAGE_WHY_MAX])
{
	char b1_text[OPTIME_TEXT_MAX], hi[OPTIME_TEXT_MAX];

	if (!heads->known || !heads->streams)
		snprintf(why, COVERAGE_WHY_MAX, "no tick has been copied yet");
	else if (heads->acked < heads->streams)
		snprintf(why, COVERAGE_WHY_MAX, "%zu of %zu streams have an acknowledged tick", heads->acked,
		    heads->streams);
	else if (optime_cmp(heads->least_hi, b1) <= 0)
		snprintf(why, COVERAGE_WHY_MAX, "the last acknowledged tick is from %s, the restore point from %s",
		    optime_format(heads->least_hi, hi), optime_format(b1, b1_text));
	else
		return true;
	return false;
}

bool coverage_read(const char *journal_path, uint64_t held, const struct bound *b, bool *ret_reached,
    char why[static COVERAGE_WHY_MAX], struct err *err)
{
	CLEANUP(record_reader) struct record_reader *records = NULL;
	CLEANUP(journal_reader) struct journal_reader *reader = NULL;
	CLEANUP(free) struct coverage *c = malloc(sizeof *c);
	enum journal_state state;
	struct journal_record rec;

	if (!c)
		return err_nomem(err);
	if (!record_reader_open(journal_path, false, &records, err) || !journal_reader_new(TAKE(records), &reader, err))
		return false;
	coverage_init(c, journal_reader_open_record(reader), b->b0, coverage_b1(b));
	while ((state = journal_next(reader, &rec, err)) == JOURNAL_RECORD && rec.n <= held)
		coverage_take(c, &rec);
	if (state == JOURNAL_BROKEN || state == JOURNAL_FAILED_TO_READ)
		return err_wrap(err, "the drill's copy of the journal");
	*ret_reached = coverage_reached(c, why);
	return true;
}

bool coverage_now(
    struct drill *d, const struct bound *b, bool *ret_reached, char why[static COVERAGE_WHY_MAX], struct err *err)
{
	struct drill_heads heads;

	if (!drill_heads(d, &heads, err))
		return false;
	if (!coverage_may_be(&heads, coverage_b1(b), why)) {
		*ret_reached = false;
		return true;
	}
	return coverage_read(drill_path(d, RUN_JOURNAL), heads.n, b, ret_reached, why, err);
}
