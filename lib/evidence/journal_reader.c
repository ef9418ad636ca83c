#include "evidence/journal.h"

#include "base/file.h"
#include "evidence/journal_ledger.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

struct journal_reader {
	struct record_reader *records;
	struct journal_open open;
	struct journal_ledger ledger;
	bool ended;
	enum journal_state final; /* JOURNAL_RECORD: not reached */
	struct err final_err;
};

static bool read_open(struct record_reader *records, struct journal_open *ret, struct err *err)
{
	struct record rec;

	switch (record_next(records, &rec, err)) {
	case RECORD_OK:
		return journal_parse_open(&rec, ret, err);
	case RECORD_END:
	case RECORD_TORN:
		return err_set(err, ERR_BROKEN, "it holds no whole record");
	case RECORD_BROKEN:
	case RECORD_FAILED:
		break;
	}
	return false;
}

bool journal_reader_new(struct record_reader *records, struct journal_reader **ret, struct err *err)
{
	CLEANUP(journal_reader) struct journal_reader *r = calloc(1, sizeof *r);

	if (!r) {
		record_reader_close(records);
		return err_nomem(err);
	}
	r->records = records;
	if (!read_open(records, &r->open, err))
		return err_wrap(err, "journal");
	journal_ledger_init(&r->ledger, r->open.stream_count);
	*ret = TAKE(r);
	return true;
}

void journal_reader_free(struct journal_reader *r)
{
	if (!r)
		return;
	record_reader_close(r->records);
	journal_ledger_clear(&r->ledger);
	free(r);
}

const struct journal_open *journal_reader_open_record(const struct journal_reader *r)
{
	return &r->open;
}

struct record_head journal_reader_head(const struct journal_reader *r)
{
	return record_reader_head(r->records);
}

static bool check_end(const struct journal_ledger *l, const struct journal_record *rec, struct err *err)
{
	const struct {
		const char *what;
		int64_t claimed, counted;
	} totals[] = {
	    {"issued", rec->total_issued, l->issued},
	    {"acked", rec->total_acked, l->acked},
	    {"failed", rec->total_failed, l->failed},
	    {"unknown", rec->total_unknown, l->unknown},
	};

	for (size_t i = 0; i < sizeof totals / sizeof *totals; i++)
		if (totals[i].claimed != totals[i].counted)
			return err_set(err, ERR_BROKEN,
			    "record %llu: the end claims %lld ticks %s, but the records hold %lld",
			    (unsigned long long)rec->n, (long long)totals[i].claimed, totals[i].what,
			    (long long)totals[i].counted);
	return true;
}

static bool accept(struct journal_reader *r, const struct record *rec, struct journal_record *ret, struct err *err)
{
	struct journal_record out;

	if (r->ended)
		return err_set(err, ERR_BROKEN, "record %llu stands behind the end", (unsigned long long)rec->n);
	if (!journal_parse(rec, &r->open, &out, err))
		return false;
	if (out.type == JOURNAL_OPEN)
		return err_set(err, ERR_BROKEN, "record %llu is a second open record", (unsigned long long)rec->n);
	if (out.type == JOURNAL_END) {
		if (!check_end(&r->ledger, &out, err))
			return false;
		r->ended = true;
	} else if (!journal_ledger_check(&r->ledger, &out, err) || !journal_ledger_apply(&r->ledger, &out, err)) {
		return err_wrap(err, "record %llu", (unsigned long long)rec->n);
	}
	*ret = out;
	return true;
}

/* ERR_LIMIT stays what it is: the journal may be right, this reader cannot hold it. */
static enum journal_state finish(struct journal_reader *r, enum journal_state state, struct err *err)
{
	if (r->final_err.code) {
		if (state == JOURNAL_BROKEN && r->final_err.code != ERR_LIMIT)
			r->final_err.code = ERR_BROKEN;
		err_wrap(&r->final_err, "journal");
		if (err)
			*err = r->final_err;
	}
	r->final = state;
	return state;
}

enum journal_state journal_next(struct journal_reader *r, struct journal_record *ret, struct err *err)
{
	struct err *e = &r->final_err;
	struct record rec;

	if (r->final != JOURNAL_RECORD) {
		if (err && e->code)
			*err = *e;
		return r->final;
	}
	switch (record_next_flat(r->records, &rec, e)) {
	case RECORD_OK:
		if (accept(r, &rec, ret, e))
			return JOURNAL_RECORD;
		return finish(r, e->code == ERR_NOMEM ? JOURNAL_FAILED_TO_READ : JOURNAL_BROKEN, err);
	case RECORD_END:
		return finish(r, r->ended ? JOURNAL_SEALED : JOURNAL_UNSEALED, err);
	case RECORD_TORN:
		if (!r->ended)
			return finish(r, JOURNAL_UNSEALED, err);
		err_set(e, ERR_BROKEN, "a torn line stands behind the end");
		return finish(r, JOURNAL_BROKEN, err);
	case RECORD_BROKEN:
		return finish(r, JOURNAL_BROKEN, err);
	case RECORD_FAILED:
		break;
	}
	return finish(r, JOURNAL_FAILED_TO_READ, err);
}

bool journal_tail(const char *path, struct uuid *ret_run, struct record_head *ret, struct err *err)
{
	CLEANUP(record_reader) struct record_reader *records = NULL;
	struct journal_open open;
	struct record_head head;

	if (!record_tail(path, &head, NULL, err) || !record_reader_open(path, false, &records, err))
		return false;
	if (!read_open(records, &open, err))
		return err_wrap(err, "\"%s\"", path);
	*ret_run = open.run;
	*ret = head;
	return true;
}
