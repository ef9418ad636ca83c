#include "evidence/timeline.h"

#include "base/num.h"

#include <string.h>

#define SAFE_MAX ((int64_t)1 << 53)

struct timeline_reader {
	struct record_reader *records;
	struct timeline_open open;
	struct err final_err; /* a record that does not parse: final */
};

static bool parse_open(const struct record *rec, struct timeline_open *ret, struct err *err)
{
	struct timeline_open o = {.at_ms = 0};

	if (!record_check_open(rec, TIMELINE_FORMAT, TIMELINE_VERSION, err))
		return false;
	if (!json_need_uuid(rec->body, "drill", &o.drill, err) || !json_need_time(rec->body, "at", &o.at_ms, err) ||
	    !json_need_copy(rec->body, "by", o.by, sizeof o.by, err) ||
	    !json_need_copy(rec->body, "scenario", o.scenario, sizeof o.scenario, err) ||
	    !json_need_copy(rec->body, "boot", o.boot, sizeof o.boot, err))
		return err_wrap(err, "open record");
	*ret = o;
	return true;
}

static bool read_open(struct record_reader *records, struct timeline_open *ret, struct err *err)
{
	struct record rec;

	switch (record_next(records, &rec, err)) {
	case RECORD_OK:
		return parse_open(&rec, ret, err);
	case RECORD_END:
	case RECORD_TORN:
		return err_set(err, ERR_BROKEN, "it holds no whole record");
	case RECORD_BROKEN:
	case RECORD_FAILED:
		break;
	}
	return false;
}

bool timeline_reader_new(struct record_reader *records, struct timeline_reader **ret, struct err *err)
{
	CLEANUP(timeline_reader) struct timeline_reader *r = calloc(1, sizeof *r);

	if (!r) {
		record_reader_close(records);
		return err_nomem(err);
	}
	r->records = records;
	if (!read_open(records, &r->open, err))
		return err_wrap(err, "timeline");
	*ret = TAKE(r);
	return true;
}

void timeline_reader_free(struct timeline_reader *r)
{
	if (!r)
		return;
	record_reader_close(r->records);
	free(r);
}

const struct timeline_open *timeline_reader_open_record(const struct timeline_reader *r)
{
	return &r->open;
}

static bool parse_journal(const json_node *body, struct timeline_journal *ret, struct err *err)
{
	const json_node *node;
	int64_t n;
	char bytes[16];

	if (!json_get(body, "journal"))
		return true;
	if (!json_need_object(body, "journal", &node, err) || !json_need_uuid(node, "run", &ret->run, err) ||
	    !json_need_int(node, "n", 1, SAFE_MAX, &n, err) ||
	    !json_need_copy(node, "chain", ret->chain, sizeof ret->chain, err))
		return err_wrap(err, "journal");
	if (!hex_decode(ret->chain, sizeof bytes, bytes))
		return err_set(err, ERR_PARSE, "journal: key \"chain\" is not 32 hexadecimal digits");
	ret->n = (uint64_t)n;
	ret->known = true;
	return true;
}

static bool parse_acked(const json_node *body, struct timeline_record *ret, struct err *err)
{
	const json_node *map;

	if (!json_need_object(body, "acked", &map, err))
		return false;
	for (const json_node *node = json_first(map); node; node = json_next(node)) {
		struct timeline_acked *a = &ret->acked[ret->acked_count];
		uint64_t stream;

		if (ret->acked_count == TIMELINE_ACKED_MAX)
			return err_set(err, ERR_LIMIT, "more than %d streams", TIMELINE_ACKED_MAX);
		if (!num_parse_u64(json_key(node), strlen(json_key(node)), TIMELINE_ACKED_MAX - 1, &stream))
			return err_set(err, ERR_PARSE, "acked: a key is no stream number below %d", TIMELINE_ACKED_MAX);
		if (!json_need_i64(node, "seq", &a->seq, err) || !json_need_optime(node, "hi", &a->hi, err))
			return err_wrap(err, "acked stream %llu", (unsigned long long)stream);
		a->stream = (uint32_t)stream;
		ret->acked_count++;
	}
	return true;
}

static bool parse_data(const json_node *body, struct timeline_record *ret, struct err *err)
{
	const json_node *map;

	if (!json_need_copy(body, "name", ret->name, sizeof ret->name, err) ||
	    !json_need_object(body, "data", &map, err))
		return false;
	if (!ret->name[0])
		return err_set(err, ERR_PARSE, "key \"name\" is empty");
	for (const json_node *node = json_first(map); node; node = json_next(node)) {
		const char *value = json_string(node);

		if (!value || strlen(value) >= sizeof ret->data->value)
			return err_set(err, ERR_PARSE, "data \"%.64s\" is no string, or longer than %zu bytes",
			    json_key(node), sizeof ret->data->value - 1);
		if (!timeline_put(ret, json_key(node), value, err))
			return false;
	}
	return true;
}

static bool parse(const struct record *rec, struct timeline_record *ret, struct err *err)
{
	*ret = (struct timeline_record){.n = rec->n, .is_head = !strcmp(rec->type, "head")};
	if (!ret->is_head && strcmp(rec->type, "event"))
		return err_set(
		    err, ERR_PARSE, "type \"%s\" is not known behind the open record of a timeline", rec->type);
	if (!json_need_time(rec->body, "at", &ret->at_ms, err) ||
	    !json_need_i64(rec->body, "mono_ms", &ret->mono_ms, err) || !parse_journal(rec->body, &ret->journal, err))
		return false;
	if (!ret->is_head)
		return parse_data(rec->body, ret, err);
	if (!ret->journal.known)
		return err_set(err, ERR_PARSE, "key \"journal\" is missing");
	return parse_acked(rec->body, ret, err);
}

enum record_state timeline_next(struct timeline_reader *r, struct timeline_record *ret, struct err *err)
{
	enum record_state state;
	struct record rec;

	if (r->final_err.code) {
		if (err)
			*err = r->final_err;
		return RECORD_BROKEN;
	}
	state = record_next(r->records, &rec, err);
	if (state != RECORD_OK)
		return state;
	if (!parse(&rec, ret, &r->final_err)) {
		r->final_err.code = ERR_BROKEN;
		err_wrap(&r->final_err, "timeline record %llu", (unsigned long long)rec.n);
		if (err)
			*err = r->final_err;
		return RECORD_BROKEN;
	}
	return RECORD_OK;
}
