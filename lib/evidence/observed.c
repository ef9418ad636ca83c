#include "evidence/observed.h"

#include "evidence/record_line.h"

#include <string.h>

/* [ "a","b" ] of two 64-bit numbers, and room for the members around the list */
#define RANGE_BYTES_MAX 48
#define RANGES_ROOM 512

struct observed_writer {
	struct record_sink sink;
	struct record_head head;
	struct record_line line;
	int32_t streams;
	int64_t intact;
	bool ended, describes;
};

static struct json_writer *begin(struct observed_writer *w, const char *type)
{
	return record_begin(&w->line, &w->head, type);
}

/* The head moves only when the line is in the sink. */
static bool send(struct observed_writer *w, struct err *err)
{
	struct record_head head = w->head;

	if (w->ended)
		return err_set(err, ERR_STATE, "observation: it is ended, nothing can follow");
	if (!record_end(&w->line, &head, err) || !w->sink.write(w->sink.ctx, w->line.line.data, w->line.line.len, err))
		return err_wrap(err, "observation");
	w->head = head;
	return true;
}

static void put_open(struct json_writer *j, const struct observed_open *o)
{
	json_put_string(j, "format", OBSERVED_FORMAT);
	json_put_int(j, "version", OBSERVED_VERSION);
	if (o->describes) {
		json_put_string(j, "scope", OBSERVED_DESCRIBE);
		json_put_optime(j, "until", o->until);
	}
	json_put_time(j, "at", o->at_ms);
	record_put_text(j, "collector", o->collector, sizeof o->collector);
	json_object(j, "cluster");
	record_put_text(j, "kind", o->cluster_kind, sizeof o->cluster_kind);
	record_put_text(j, "id", o->cluster_id, sizeof o->cluster_id);
	record_put_text(j, "set", o->set_name, sizeof o->set_name);
	record_put_text(j, "version", o->version, sizeof o->version);
	record_put_text(j, "fcv", o->fcv, sizeof o->fcv);
	json_put_bool(j, "sharded", o->sharded);
	json_end_object(j);
	json_object(j, "read");
	record_put_text(j, "concern", o->read_concern, sizeof o->read_concern);
	json_put_optime(j, "after", o->read_after);
	record_put_text(j, "from", o->read_from, sizeof o->read_from);
	json_end_object(j);
	json_object(j, "clock");
	json_put_int(j, "offset_ms", o->clock_offset_ms);
	json_put_int(j, "error_ms", o->clock_error_ms);
	json_end_object(j);
}

bool observed_writer_new(
    const struct record_sink *sink, const struct observed_open *open, struct observed_writer **ret, struct err *err)
{
	CLEANUP(observed_writer) struct observed_writer *w = calloc(1, sizeof *w);

	if (!w)
		return err_nomem(err);
	w->sink = *sink;
	w->describes = open->describes;
	record_head_init(&w->head);
	record_line_init(&w->line);
	put_open(begin(w, "open"), open);
	if (!send(w, err))
		return false;
	*ret = TAKE(w);
	return true;
}

void observed_writer_free(struct observed_writer *w)
{
	if (!w)
		return;
	record_line_clear(&w->line);
	free(w);
}

bool observed_write_set(struct observed_writer *w, const struct observed_set *s, struct err *err)
{
	struct json_writer *j = begin(w, "set");

	record_put_text(j, "name", s->name, sizeof s->name);
	record_put_text(j, "role", s->role, sizeof s->role);
	record_put_text(j, "shard", s->shard, sizeof s->shard);
	record_put_text(j, "cluster", s->cluster, sizeof s->cluster);
	record_put_text(j, "id", s->id, sizeof s->id);
	record_put_text(j, "version", s->version, sizeof s->version);
	json_put_optime(j, "after", s->read_after);
	record_put_text(j, "from", s->read_from, sizeof s->read_from);
	return send(w, err);
}

static void put_set(struct json_writer *j, const char *replica_set, size_t size)
{
	if (replica_set[0])
		record_put_text(j, "replicaSet", replica_set, size);
}

bool observed_write_probe(struct observed_writer *w, const struct observed_probe *p, struct err *err)
{
	struct json_writer *j = begin(w, "probe");

	put_set(j, p->replica_set, sizeof p->replica_set);
	record_put_text(j, "name", p->name, sizeof p->name);
	json_put_time(j, "at", p->at_ms);
	json_put_bool(j, "ok", p->ok);
	json_put_int(j, "attempts", p->attempts);
	json_put_int(j, "elapsed_ms", p->elapsed_ms);
	record_put_text(j, "detail", p->detail, sizeof p->detail);
	return send(w, err);
}

bool observed_write_login(struct observed_writer *w, const struct observed_login *l, struct err *err)
{
	struct json_writer *j = begin(w, "login");

	record_put_text(j, "user", l->user, sizeof l->user);
	json_put_bool(j, "ok", l->ok);
	json_put_int(j, "code", l->code);
	record_put_text(j, "detail", l->detail, sizeof l->detail);
	return send(w, err);
}

bool observed_write_namespace(struct observed_writer *w, const struct observed_namespace *n, struct err *err)
{
	struct json_writer *j = begin(w, "namespace");

	record_put_text(j, "ns", n->ns, sizeof n->ns);
	put_set(j, n->replica_set, sizeof n->replica_set);
	json_put_bool(j, "exists", n->exists);
	json_put_i64(j, "documents", n->documents);
	if (n->orphans)
		json_put_i64(j, "orphans", n->orphans);
	record_put_text(j, "options", n->options, sizeof n->options);
	json_array(j, "indexes");
	for (size_t i = 0; i < n->index_count; i++)
		record_put_text(j, NULL, n->indexes[i], sizeof n->indexes[i]);
	json_end_array(j);
	return send(w, err);
}

bool observed_write_grants(struct observed_writer *w, const struct observed_grants *g, struct err *err)
{
	struct json_writer *j = begin(w, "grants");

	json_put_bool(j, "known", g->known);
	record_put_text(j, "detail", g->detail, sizeof g->detail);
	return send(w, err);
}

bool observed_write_grant(struct observed_writer *w, const struct observed_grant *g, struct err *err)
{
	struct json_writer *j = begin(w, "grant");

	json_put_bool(j, "role", g->is_role);
	record_put_text(j, "name", g->name, sizeof g->name);
	json_array(j, "roles");
	for (size_t i = 0; i < g->role_count; i++)
		record_put_text(j, NULL, g->roles[i], sizeof g->roles[i]);
	json_end_array(j);
	return send(w, err);
}

bool observed_write_member(struct observed_writer *w, const struct observed_member *m, struct err *err)
{
	struct json_writer *j = begin(w, "member");

	record_put_text(j, "replicaSet", m->replica_set, sizeof m->replica_set);
	record_put_text(j, "host", m->host, sizeof m->host);
	record_put_text(j, "state", m->state, sizeof m->state);
	json_put_bool(j, "hidden", m->hidden);
	record_put_text(j, "ns", m->ns, sizeof m->ns);
	json_put_bool(j, "read", m->read);
	json_put_bool(j, "equal", m->equal);
	json_put_i64(j, "documents", m->documents);
	json_put_i64(j, "intact", m->intact);
	json_put_i64(j, "anomalies", m->anomalies);
	record_put_text(j, "detail", m->detail, sizeof m->detail);
	return send(w, err);
}

bool observed_write_restore(struct observed_writer *w, const struct observed_restore *r, struct err *err)
{
	struct json_writer *j = begin(w, "restore");

	record_put_text(j, "name", r->name, sizeof r->name);
	record_put_text(j, "opid", r->opid, sizeof r->opid);
	record_put_text(j, "backup", r->backup, sizeof r->backup);
	record_put_text(j, "kind", r->type, sizeof r->type);
	record_put_text(j, "status", r->status, sizeof r->status);
	json_put_i64(j, "startTs", r->start_ts);
	json_put_i64(j, "finishTs", r->finish_ts);
	if (!optime_is_zero(r->pitr))
		json_put_optime(j, "pitr", r->pitr);
	record_put_text(j, "error", r->error, sizeof r->error);
	return send(w, err);
}

bool observed_write_backup(struct observed_writer *w, const struct observed_backup *b, struct err *err)
{
	struct json_writer *j = begin(w, "backup");

	record_put_text(j, "name", b->name, sizeof b->name);
	record_put_text(j, "opid", b->opid, sizeof b->opid);
	record_put_text(j, "status", b->status, sizeof b->status);
	json_put_optime(j, "lastWriteTs", b->last_write);
	return send(w, err);
}

static bool check_stream(const struct observed_writer *w, const struct observed_stream *s, struct err *err)
{
	int64_t ticks = 0;

	if (w->describes)
		return err_set(err, ERR_STATE, "observation: a description has no streams");
	if (w->streams == OBSERVED_STREAMS_MAX)
		return err_set(err, ERR_LIMIT, "observation: more than %d streams", OBSERVED_STREAMS_MAX);
	if (s->intact.count > OBSERVED_INTERVALS_MAX)
		return err_set(
		    err, ERR_LIMIT, "observation: more than %d intervals in one stream", OBSERVED_INTERVALS_MAX);
	for (size_t i = 0; i < s->block_count; i++) {
		const struct observed_block *b = &s->blocks[i];
		int64_t first = b->block * TICK_BLOCK + 1;

		if ((i && b->block <= b[-1].block) ||
		    b->ticks != intervals_count_in(&s->intact, first, first + TICK_BLOCK - 1))
			return err_set(err, ERR_STATE,
			    "observation: block %lld of \"%s\" does not agree with the intervals", (long long)b->block,
			    s->ns);
		ticks += b->ticks;
	}
	if (ticks != s->intact.total)
		return err_set(err, ERR_STATE, "observation: blocks of \"%s\" hold %lld ticks, the intervals %lld",
		    s->ns, (long long)ticks, (long long)s->intact.total);
	return true;
}

static bool write_ranges(struct observed_writer *w, const struct intervals *set, struct err *err)
{
	for (size_t i = 0; i < set->count;) {
		struct json_writer *j = begin(w, "intact");

		json_put_int(j, "s", w->streams);
		json_array(j, "ranges");
		for (; i < set->count && w->line.line.len + RANGE_BYTES_MAX + RANGES_ROOM < RECORD_LINE_MAX; i++) {
			json_array(j, NULL);
			json_put_i64(j, NULL, set->items[i].first);
			json_put_i64(j, NULL, set->items[i].last);
			json_end_array(j);
		}
		json_end_array(j);
		if (!send(w, err))
			return false;
	}
	return true;
}

static bool write_block(struct observed_writer *w, const struct observed_block *b, struct err *err)
{
	struct json_writer *j = begin(w, "block");
	char digest[TICK_DIGEST_TEXT_MAX];

	json_put_int(j, "s", w->streams);
	json_put_i64(j, "block", b->block);
	json_put_int(j, "ticks", b->ticks);
	json_put_string(j, "digest", tick_digest_format(&b->digest, digest));
	return send(w, err);
}

bool observed_write_stream(struct observed_writer *w, const struct observed_stream *s, struct err *err)
{
	struct json_writer *j;

	if (!check_stream(w, s, err))
		return false;
	j = begin(w, "stream");
	json_put_int(j, "s", w->streams);
	record_put_text(j, "ns", s->ns, sizeof s->ns);
	record_put_text(j, "replicaSet", s->replica_set, sizeof s->replica_set);
	json_put_uuid(j, "run", &s->run);
	json_put_int(j, "writer", s->writer);
	json_put_i64(j, "intact", s->intact.total);
	json_put_i64(j, "first", s->intact.count ? s->intact.items[0].first : 0);
	json_put_i64(j, "last", s->intact.count ? s->intact.items[s->intact.count - 1].last : 0);
	if (!send(w, err) || !write_ranges(w, &s->intact, err))
		return false;
	for (size_t i = 0; i < s->block_count; i++)
		if (!write_block(w, &s->blocks[i], err))
			return false;
	w->streams++;
	w->intact += s->intact.total;
	return true;
}

bool observed_write_anomaly(struct observed_writer *w, const struct observed_anomaly *a, struct err *err)
{
	struct json_writer *j;

	if (a->stream >= w->streams)
		return err_set(
		    err, ERR_STATE, "observation: an anomaly of stream %d, but there are %d", a->stream, w->streams);
	j = begin(w, "anomaly");
	json_put_string(j, "kind", a->kind == OBSERVED_CORRUPT ? "corrupt" : "duplicate");
	record_put_text(j, "ns", a->ns, sizeof a->ns);
	if (a->stream >= 0)
		json_put_int(j, "s", a->stream);
	json_put_i64(j, "seq", a->seq);
	json_put_int(j, "fault", a->fault);
	record_put_text(j, "id", a->id, sizeof a->id);
	if (a->created_at_ms != INT64_MIN)
		json_put_i64(j, "createdAt", a->created_at_ms);
	record_put_text(j, "detail", a->detail, sizeof a->detail);
	return send(w, err);
}

bool observed_write_foreign(struct observed_writer *w, const struct observed_foreign *f, struct err *err)
{
	struct json_writer *j = begin(w, "foreign");

	record_put_text(j, "ns", f->ns, sizeof f->ns);
	record_put_text(j, "replicaSet", f->replica_set, sizeof f->replica_set);
	json_put_i64(j, "documents", f->documents);
	record_put_text(j, "why", f->why, sizeof f->why);
	return send(w, err);
}

bool observed_write_newest(struct observed_writer *w, const struct observed_newest *n, struct err *err)
{
	struct json_writer *j;

	if (n->stream >= w->streams)
		return err_set(
		    err, ERR_STATE, "observation: a newest tick of stream %d, but there are %d", n->stream, w->streams);
	j = begin(w, "newest");
	record_put_text(j, "ns", n->ns, sizeof n->ns);
	json_put_i64(j, "createdAt", n->created_at_ms);
	if (n->stream >= 0) {
		json_put_int(j, "s", n->stream);
		json_put_i64(j, "seq", n->seq);
	}
	return send(w, err);
}

bool observed_write_end(
    struct observed_writer *w, int64_t documents, int64_t anomalies, int64_t foreign, bool truncated, struct err *err)
{
	struct json_writer *j;
	int64_t sum = w->intact + anomalies + foreign;

	if (truncated ? documents < sum : documents != sum)
		return err_set(err, ERR_STATE,
		    "observation: %lld documents, but %lld intact, %lld anomalies and %lld foreign",
		    (long long)documents, (long long)w->intact, (long long)anomalies, (long long)foreign);
	j = begin(w, "end");
	json_put_i64(j, "documents", documents);
	json_put_i64(j, "intact", w->intact);
	json_put_i64(j, "anomalies", anomalies);
	json_put_i64(j, "foreign", foreign);
	json_put_bool(j, "truncated", truncated);
	if (!send(w, err))
		return false;
	w->ended = true;
	return true;
}
