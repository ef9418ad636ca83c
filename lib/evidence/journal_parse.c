#include "evidence/journal.h"

#include <string.h>

#define SAFE_MAX ((int64_t)1 << 53)

static const char *const type_names[] = {
    [JOURNAL_OPEN] = "open",
    [JOURNAL_ISSUED] = "issued",
    [JOURNAL_ACKED] = "acked",
    [JOURNAL_FAILED] = "failed",
    [JOURNAL_UNKNOWN] = "unknown",
    [JOURNAL_END] = "end",
};

static bool parse_type(const char *text, enum journal_type *ret)
{
	for (size_t i = 0; i < sizeof type_names / sizeof *type_names; i++) {
		if (!strcmp(type_names[i], text)) {
			*ret = (enum journal_type)i;
			return true;
		}
	}
	return false;
}

static bool parse_stream(const json_node *node, struct journal_stream *ret, struct err *err)
{
	int64_t writer;

	if (!json_need_copy(node, "ns", ret->ns, sizeof ret->ns, err) ||
	    !json_need_int(node, "writer", INT32_MIN, INT32_MAX, &writer, err))
		return false;
	if (!ret->ns[0])
		return err_set(err, ERR_PARSE, "key \"ns\" is empty");
	ret->writer = (int32_t)writer;
	return true;
}

static bool parse_streams(const json_node *body, struct journal_open *ret, struct err *err)
{
	const json_node *list;

	if (!json_need_array(body, "streams", &list, err))
		return false;
	for (const json_node *node = json_first(list); node; node = json_next(node)) {
		struct journal_stream *s = &ret->streams[ret->stream_count];

		if (ret->stream_count == JOURNAL_STREAMS_MAX)
			return err_set(err, ERR_LIMIT, "more than %d streams", JOURNAL_STREAMS_MAX);
		if (!parse_stream(node, s, err))
			return err_wrap(err, "stream %zu", ret->stream_count);
		for (size_t i = 0; i < ret->stream_count; i++)
			if (ret->streams[i].writer == s->writer && !strcmp(ret->streams[i].ns, s->ns))
				return err_set(
				    err, ERR_PARSE, "stream %zu is the same as stream %zu", ret->stream_count, i);
		ret->stream_count++;
	}
	return ret->stream_count ? true : err_set(err, ERR_PARSE, "no streams");
}

bool journal_parse_open(const struct record *rec, struct journal_open *ret, struct err *err)
{
	const json_node *body = rec->body, *cluster, *clock;
	struct journal_open o = {.stream_count = 0};

	if (!record_check_open(rec, JOURNAL_FORMAT, JOURNAL_VERSION, err))
		return false;
	if (!json_need_uuid(body, "run", &o.run, err) || !json_need_time(body, "at", &o.at_ms, err) ||
	    !json_need_copy(body, "ticker", o.ticker, sizeof o.ticker, err) ||
	    !json_need_object(body, "cluster", &cluster, err) ||
	    !json_need_copy(cluster, "kind", o.cluster_kind, sizeof o.cluster_kind, err) ||
	    !json_need_copy(cluster, "id", o.cluster_id, sizeof o.cluster_id, err) ||
	    !json_need_copy(cluster, "set", o.set_name, sizeof o.set_name, err) ||
	    !json_need_object(body, "clock", &clock, err) ||
	    !json_need_int(clock, "offset_ms", -SAFE_MAX, SAFE_MAX, &o.clock_offset_ms, err) ||
	    !json_need_int(clock, "error_ms", 0, SAFE_MAX, &o.clock_error_ms, err) ||
	    !json_need_int(body, "interval_us", 0, SAFE_MAX, &o.interval_us, err) ||
	    !json_need_int(body, "batch", 0, JOURNAL_RANGE_MAX, &o.batch, err) || !parse_streams(body, &o, err))
		return err_wrap(err, "open record");
	*ret = o;
	return true;
}

static bool check_ticks(
    struct journal_record *rec, int64_t stream, const struct journal_open *open, bool range, struct err *err)
{
	if (stream < 0 || (uint64_t)stream >= open->stream_count)
		return err_set(err, ERR_PARSE, "stream %lld, but there are %zu", (long long)stream, open->stream_count);
	rec->stream = (uint32_t)stream;
	if (rec->first < 1 || rec->last > TICK_SEQ_MAX || (range ? rec->last <= rec->first : rec->last != rec->first))
		return err_set(err, ERR_PARSE, "ticks %lld to %lld are no range from 1 to %lld", (long long)rec->first,
		    (long long)rec->last, (long long)TICK_SEQ_MAX);
	if (tick_block(rec->first) != tick_block(rec->last))
		return err_set(err, ERR_PARSE, "ticks %lld to %lld are not of one block of %d", (long long)rec->first,
		    (long long)rec->last, TICK_BLOCK);
	return true;
}

static void digest_of_one(struct journal_record *rec)
{
	rec->digest = (struct tick_digest){{0}};
	tick_digest_add(&rec->digest, rec->first, rec->sum);
}

/* The two types that come by the million, without a tree. false: parse_tree decides. */
static bool parse_flat(const struct json_flat *flat, const struct journal_open *open, struct journal_record *rec)
{
	bool range;
	int64_t s;

	if ((rec->type != JOURNAL_ISSUED && rec->type != JOURNAL_ACKED) ||
	    !json_flat_int(flat, "ms", 0, SAFE_MAX, &rec->ms) || !json_flat_int(flat, "s", 0, UINT32_MAX, &s))
		return false;
	range = !json_flat_i64(flat, "seq", &rec->first);
	rec->last = rec->first;
	if (range && (json_flat_get(flat, "seq") || !json_flat_i64(flat, "from", &rec->first) ||
			 !json_flat_i64(flat, "to", &rec->last)))
		return false;
	if (!check_ticks(rec, s, open, range, NULL))
		return false;
	if (rec->type == JOURNAL_ACKED)
		return json_flat_optime(flat, "hi", &rec->hi) && json_flat_bool(flat, "exact", &rec->exact) &&
		       !(range && rec->exact);
	if (!json_flat_optime(flat, "lo", &rec->lo))
		return false;
	if (range) {
		char text[TICK_DIGEST_TEXT_MAX];

		return json_flat_copy(flat, "digest", text, sizeof text) && tick_digest_parse(text, &rec->digest);
	}
	if (!json_flat_time(flat, "createdAt", &rec->created_at_ms) || !json_flat_u64_hex(flat, "sum", &rec->sum))
		return false;
	digest_of_one(rec);
	return true;
}

static bool parse_issued(const json_node *body, bool range, struct journal_record *rec, struct err *err)
{
	const char *text;

	if (!json_need_optime(body, "lo", &rec->lo, err))
		return false;
	if (range) {
		if (!json_need_string(body, "digest", &text, err))
			return false;
		return tick_digest_parse(text, &rec->digest) ? true
							     : err_set(err, ERR_PARSE, "key \"digest\" is no digest");
	}
	if (!json_need_time(body, "createdAt", &rec->created_at_ms, err) ||
	    !json_need_u64_hex(body, "sum", &rec->sum, err))
		return false;
	digest_of_one(rec);
	return true;
}

static bool parse_outcome(const json_node *body, bool range, struct journal_record *rec, struct err *err)
{
	int64_t code;

	if (rec->type == JOURNAL_ACKED) {
		if (!json_need_optime(body, "hi", &rec->hi, err) || !json_need_bool(body, "exact", &rec->exact, err))
			return false;
		if (range && rec->exact)
			return err_set(err, ERR_PARSE, "\"exact\" for more than one tick");
		return true;
	}
	if (!json_need_int(body, "code", INT32_MIN, INT32_MAX, &code, err))
		return false;
	rec->code = (int32_t)code;
	return json_need_copy(body, "reason", rec->reason, sizeof rec->reason, err);
}

static bool parse_end(const json_node *body, struct journal_record *rec, struct err *err)
{
	return json_need_copy(body, "reason", rec->reason, sizeof rec->reason, err) &&
	       json_need_i64(body, "issued", &rec->total_issued, err) &&
	       json_need_i64(body, "acked", &rec->total_acked, err) &&
	       json_need_i64(body, "failed", &rec->total_failed, err) &&
	       json_need_i64(body, "unknown", &rec->total_unknown, err);
}

static bool parse_tree(
    const json_node *body, const struct journal_open *open, struct journal_record *rec, struct err *err)
{
	bool range = !json_get(body, "seq");
	int64_t s;

	if (!json_need_int(body, "ms", 0, SAFE_MAX, &rec->ms, err))
		return false;
	if (rec->type == JOURNAL_END)
		return parse_end(body, rec, err);
	if (!json_need_int(body, "s", 0, UINT32_MAX, &s, err))
		return false;
	if (range) {
		if (!json_need_i64(body, "from", &rec->first, err) || !json_need_i64(body, "to", &rec->last, err))
			return false;
	} else {
		if (!json_need_i64(body, "seq", &rec->first, err))
			return false;
		rec->last = rec->first;
	}
	if (!check_ticks(rec, s, open, range, err))
		return false;
	return rec->type == JOURNAL_ISSUED ? parse_issued(body, range, rec, err) : parse_outcome(body, range, rec, err);
}

static bool parse_text(
    const struct record *rec, const struct journal_open *open, struct journal_record *out, struct err *err)
{
	static const struct json_limits limits = {.max_bytes = RECORD_LINE_MAX, .max_depth = 8, .unique_keys = true};
	CLEANUP(json) struct json *doc = NULL;

	return json_parse(rec->line, rec->line_len, &limits, &doc, err) && parse_tree(json_root(doc), open, out, err);
}

bool journal_parse(
    const struct record *rec, const struct journal_open *open, struct journal_record *ret, struct err *err)
{
	struct journal_record out = {.n = rec->n};
	struct journal_open ignored;

	if (!parse_type(rec->type, &out.type))
		return err_set(err, ERR_PARSE, "record %llu: type \"%s\" is not known in a journal",
		    (unsigned long long)rec->n, rec->type);
	if (out.type == JOURNAL_OPEN) {
		if (!journal_parse_open(rec, &ignored, err))
			return err_wrap(err, "record %llu", (unsigned long long)rec->n);
	} else if (!open) {
		return err_set(err, ERR_PARSE, "record %llu: \"%s\" without an open record", (unsigned long long)rec->n,
		    rec->type);
	} else if (!(rec->flat && parse_flat(rec->flat, open, &out))) {
		out = (struct journal_record){.n = rec->n, .type = out.type};
		if (!(rec->body ? parse_tree(rec->body, open, &out, err) : parse_text(rec, open, &out, err)))
			return err_wrap(err, "record %llu", (unsigned long long)rec->n);
	}
	*ret = out;
	return true;
}
