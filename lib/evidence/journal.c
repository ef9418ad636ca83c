#include "evidence/journal.h"

#include "evidence/journal_ledger.h"
#include "evidence/record_line.h"

#include <string.h>

struct journal_writer {
	struct record_sink sink;
	struct record_head head;
	struct record_line line;
	struct journal_ledger ledger;
	bool ended;
};

static void put_open(struct json_writer *w, const struct journal_open *o)
{
	json_put_string(w, "format", JOURNAL_FORMAT);
	json_put_int(w, "version", JOURNAL_VERSION);
	json_put_uuid(w, "run", &o->run);
	json_put_time(w, "at", o->at_ms);
	record_put_text(w, "ticker", o->ticker, sizeof o->ticker);
	json_object(w, "cluster");
	record_put_text(w, "kind", o->cluster_kind, sizeof o->cluster_kind);
	record_put_text(w, "id", o->cluster_id, sizeof o->cluster_id);
	record_put_text(w, "set", o->set_name, sizeof o->set_name);
	json_end_object(w);
	json_object(w, "clock");
	json_put_int(w, "offset_ms", o->clock_offset_ms);
	json_put_int(w, "error_ms", o->clock_error_ms);
	json_end_object(w);
	json_put_int(w, "interval_us", o->interval_us);
	json_put_int(w, "batch", o->batch);
	json_array(w, "streams");
	for (size_t i = 0; i < o->stream_count; i++) {
		json_object(w, NULL);
		record_put_text(w, "ns", o->streams[i].ns, sizeof o->streams[i].ns);
		json_put_int(w, "writer", o->streams[i].writer);
		json_end_object(w);
	}
	json_end_array(w);
}

static void put_ticks(struct json_writer *w, const struct journal_record *rec)
{
	json_put_int(w, "ms", rec->ms);
	json_put_int(w, "s", rec->stream);
	if (rec->first == rec->last) {
		json_put_i64(w, "seq", rec->first);
	} else {
		json_put_i64(w, "from", rec->first);
		json_put_i64(w, "to", rec->last);
	}
}

static void put_issued(struct json_writer *w, const struct journal_record *rec)
{
	char digest[TICK_DIGEST_TEXT_MAX];

	put_ticks(w, rec);
	json_put_optime(w, "lo", rec->lo);
	if (rec->first == rec->last) {
		json_put_time(w, "createdAt", rec->created_at_ms);
		json_put_u64_hex(w, "sum", rec->sum);
	} else {
		json_put_string(w, "digest", tick_digest_format(&rec->digest, digest));
	}
}

static void put_outcome(struct json_writer *w, const struct journal_record *rec)
{
	put_ticks(w, rec);
	if (rec->type == JOURNAL_ACKED) {
		json_put_optime(w, "hi", rec->hi);
		json_put_bool(w, "exact", rec->exact);
	} else {
		json_put_int(w, "code", rec->code);
		record_put_text(w, "reason", rec->reason, sizeof rec->reason);
	}
}

static void put_end(struct json_writer *w, const struct journal_record *rec, const struct journal_ledger *l)
{
	json_put_int(w, "ms", rec->ms);
	record_put_text(w, "reason", rec->reason, sizeof rec->reason);
	json_put_i64(w, "issued", l->issued);
	json_put_i64(w, "acked", l->acked);
	json_put_i64(w, "failed", l->failed);
	json_put_i64(w, "unknown", l->unknown);
}

/* The head moves only when the line is in the sink. */
static bool send(struct journal_writer *w, struct err *err)
{
	struct record_head head = w->head;

	if (!record_end(&w->line, &head, err) || !w->sink.write(w->sink.ctx, w->line.line.data, w->line.line.len, err))
		return err_wrap(err, "journal");
	w->head = head;
	return true;
}

bool journal_writer_new(
    const struct record_sink *sink, const struct journal_open *open, struct journal_writer **ret, struct err *err)
{
	CLEANUP(journal_writer) struct journal_writer *w = NULL;

	if (!open->stream_count || open->stream_count > JOURNAL_STREAMS_MAX)
		return err_set(err, ERR_LIMIT, "journal: %zu streams, but 1 to %d are possible", open->stream_count,
		    JOURNAL_STREAMS_MAX);
	w = calloc(1, sizeof *w);
	if (!w)
		return err_nomem(err);
	w->sink = *sink;
	record_head_init(&w->head);
	record_line_init(&w->line);
	journal_ledger_init(&w->ledger, open->stream_count);
	put_open(record_begin(&w->line, &w->head, "open"), open);
	if (!send(w, err))
		return false;
	*ret = TAKE(w);
	return true;
}

void journal_writer_free(struct journal_writer *w)
{
	if (!w)
		return;
	record_line_clear(&w->line);
	journal_ledger_clear(&w->ledger);
	free(w);
}

struct record_head journal_writer_head(const struct journal_writer *w)
{
	return w->head;
}

bool journal_write(struct journal_writer *w, const struct journal_record *rec, struct err *err)
{
	if (w->ended)
		return err_set(err, ERR_STATE, "journal: it is ended, nothing can follow");
	if (rec->type != JOURNAL_END && !journal_ledger_check(&w->ledger, rec, err))
		return err_wrap(err, "journal");
	if (rec->type == JOURNAL_ACKED && rec->exact && rec->first != rec->last)
		return err_set(err, ERR_STATE,
		    "journal: acked %lld to %lld cannot be exact: one time for several ticks", (long long)rec->first,
		    (long long)rec->last);
	switch (rec->type) {
	case JOURNAL_OPEN:
		return err_set(err, ERR_STATE, "journal: it is open already");
	case JOURNAL_ISSUED:
		put_issued(record_begin(&w->line, &w->head, "issued"), rec);
		break;
	case JOURNAL_ACKED:
		put_outcome(record_begin(&w->line, &w->head, "acked"), rec);
		break;
	case JOURNAL_FAILED:
		put_outcome(record_begin(&w->line, &w->head, "failed"), rec);
		break;
	case JOURNAL_UNKNOWN:
		put_outcome(record_begin(&w->line, &w->head, "unknown"), rec);
		break;
	case JOURNAL_END:
		put_end(record_begin(&w->line, &w->head, "end"), rec, &w->ledger);
		break;
	}
	if (!send(w, err))
		return false;
	w->ended = rec->type == JOURNAL_END;
	if (!w->ended && !journal_ledger_apply(&w->ledger, rec, err)) {
		/* the record is out, but its outcome cannot be remembered: a later record could break the lifecycle
		 * unseen */
		w->ended = true;
		return err_wrap(err, "journal");
	}
	return true;
}
