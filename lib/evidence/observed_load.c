#include "evidence/observed.h"

#include "base/num.h"

#include <string.h>

#define SAFE_MAX ((int64_t)1 << 53)

struct loader {
	struct observed o;
	bool in_stream;		     /* the last stream may still get intact and block lines */
	int64_t intact, first, last; /* what its line claims */
};

void observed_init(struct observed *o)
{
	*o = (struct observed){.stream_count = 0};
}

void observed_clear(struct observed *o)
{
	for (size_t i = 0; i < o->stream_count; i++) {
		intervals_clear(&o->streams[i].intact);
		free(o->streams[i].blocks);
	}
	free(o->streams);
	free(o->namespaces);
	free(o->granted);
	free(o->members);
	free(o->restores);
	free(o->anomalies);
	free(o->foreign);
	observed_init(o);
}

/* Room for one more zeroed item in a list whose memory grows in powers of two. */
static void *grow(void *items, size_t count, size_t max, size_t size, const char *what, struct err *err)
{
	char *grown = items;

	if (count == max) {
		err_set(err, ERR_LIMIT, "more than %zu %s", max, what);
		return NULL;
	}
	if (!(count & (count - 1))) {
		grown = reallocarray(items, count ? 2 * count : 1, size);
		if (!grown) {
			err_nomem(err);
			return NULL;
		}
	}
	memset(grown + count * size, 0, size);
	return grown;
}

#define ADD(list, count, max, what, err)                                                                               \
	({                                                                                                             \
		void *grown_ = grow((list), (count), (max), sizeof *(list), (what), (err));                            \
		if (grown_)                                                                                            \
			(list) = grown_;                                                                               \
		grown_ ? &(list)[(count)++] : NULL;                                                                    \
	})

#define COPY(node, key, field, err) json_need_copy(node, key, field, sizeof(field), err)

/* An unknown scope would be judged as what it is not. */
static bool load_scope(const json_node *body, struct observed_open *o, struct err *err)
{
	const char *scope;

	if (!json_get(body, "scope"))
		return true;
	if (!json_need_string(body, "scope", &scope, err))
		return false;
	o->describes = !strcmp(scope, OBSERVED_DESCRIBE);
	if (!o->describes)
		return err_set(err, ERR_UNSUPPORTED, "an observation of the scope \"%.32s\"", scope);
	return json_need_optime(body, "until", &o->until, err);
}

static bool load_open(const struct record *rec, struct observed_open *o, struct err *err)
{
	const json_node *body = rec->body, *cluster, *read, *clock;

	return record_check_open(rec, OBSERVED_FORMAT, OBSERVED_VERSION, err) && load_scope(body, o, err) &&
	       json_need_time(body, "at", &o->at_ms, err) && COPY(body, "collector", o->collector, err) &&
	       json_need_object(body, "cluster", &cluster, err) && COPY(cluster, "kind", o->cluster_kind, err) &&
	       COPY(cluster, "id", o->cluster_id, err) && COPY(cluster, "set", o->set_name, err) &&
	       COPY(cluster, "version", o->version, err) && COPY(cluster, "fcv", o->fcv, err) &&
	       json_need_bool(cluster, "sharded", &o->sharded, err) && json_need_object(body, "read", &read, err) &&
	       COPY(read, "concern", o->read_concern, err) && json_need_optime(read, "after", &o->read_after, err) &&
	       COPY(read, "from", o->read_from, err) && json_need_object(body, "clock", &clock, err) &&
	       json_need_int(clock, "offset_ms", -SAFE_MAX, SAFE_MAX, &o->clock_offset_ms, err) &&
	       json_need_int(clock, "error_ms", 0, SAFE_MAX, &o->clock_error_ms, err);
}

static bool load_set(struct loader *l, const json_node *body, struct err *err)
{
	struct observed_set *s = &l->o.sets[l->o.set_count];

	if (l->o.set_count == OBSERVED_SETS_MAX)
		return err_set(err, ERR_LIMIT, "more than %d replica sets", OBSERVED_SETS_MAX);
	if (!COPY(body, "name", s->name, err) || !COPY(body, "role", s->role, err) ||
	    !COPY(body, "shard", s->shard, err) || !COPY(body, "cluster", s->cluster, err) ||
	    !COPY(body, "id", s->id, err) || !COPY(body, "version", s->version, err) ||
	    !json_need_optime(body, "after", &s->read_after, err) || !COPY(body, "from", s->read_from, err))
		return false;
	for (size_t i = 0; i < l->o.set_count; i++)
		if (!strcmp(l->o.sets[i].name, s->name))
			return err_set(err, ERR_BROKEN, "a second record of this replica set");
	l->o.set_count++;
	return true;
}

/* Of a record that has one where several replica sets were read. */
#define COPY_SET(body, field, err) (!json_get(body, "replicaSet") || COPY(body, "replicaSet", field, err))

static bool load_probe(struct loader *l, const json_node *body, struct err *err)
{
	struct observed_probe *p = &l->o.probes[l->o.probe_count];

	if (l->o.probe_count == OBSERVED_PROBES_MAX)
		return err_set(err, ERR_LIMIT, "more than %d probes", OBSERVED_PROBES_MAX);
	l->o.probe_count++;
	return COPY_SET(body, p->replica_set, err) && COPY(body, "name", p->name, err) &&
	       json_need_time(body, "at", &p->at_ms, err) && json_need_bool(body, "ok", &p->ok, err) &&
	       json_need_int(body, "attempts", 0, SAFE_MAX, &p->attempts, err) &&
	       json_need_int(body, "elapsed_ms", 0, SAFE_MAX, &p->elapsed_ms, err) &&
	       COPY(body, "detail", p->detail, err);
}

static bool load_login(struct loader *l, const json_node *body, struct err *err)
{
	struct observed_login *g = &l->o.logins[l->o.login_count];
	int64_t code;

	if (l->o.login_count == OBSERVED_LOGINS_MAX)
		return err_set(err, ERR_LIMIT, "more than %d logins", OBSERVED_LOGINS_MAX);
	l->o.login_count++;
	if (!COPY(body, "user", g->user, err) || !json_need_bool(body, "ok", &g->ok, err) ||
	    !json_need_int(body, "code", INT32_MIN, INT32_MAX, &code, err) || !COPY(body, "detail", g->detail, err))
		return false;
	g->code = (int32_t)code;
	return true;
}

static bool load_namespace(struct loader *l, const json_node *body, struct err *err)
{
	struct observed_namespace *n =
	    ADD(l->o.namespaces, l->o.namespace_count, OBSERVED_NAMESPACES_MAX, "namespaces", err);
	const json_node *list;

	if (!n || !COPY(body, "ns", n->ns, err) || !COPY_SET(body, n->replica_set, err) ||
	    !json_need_bool(body, "exists", &n->exists, err) ||
	    (json_get(body, "orphans") && !json_need_i64(body, "orphans", &n->orphans, err)) ||
	    !json_need_i64(body, "documents", &n->documents, err) || !COPY(body, "options", n->options, err) ||
	    !json_need_array(body, "indexes", &list, err))
		return false;
	if (n->orphans < 0)
		return err_set(err, ERR_PARSE, "%lld orphans", (long long)n->orphans);
	for (const json_node *node = json_first(list); node; node = json_next(node)) {
		const char *text = json_string(node);

		if (n->index_count == OBSERVED_INDEXES_MAX)
			return err_set(err, ERR_LIMIT, "more than %d indexes", OBSERVED_INDEXES_MAX);
		if (!text || strlen(text) >= sizeof n->indexes[0])
			return err_set(err, ERR_PARSE, "an index is no string, or longer than %zu bytes",
			    sizeof n->indexes[0] - 1);
		memcpy(n->indexes[n->index_count++], text, strlen(text) + 1);
	}
	return true;
}

static bool load_grants(struct loader *l, const json_node *body, struct err *err)
{
	if (l->o.has_grants)
		return err_set(err, ERR_BROKEN, "a second record about grants");
	l->o.has_grants = true;
	return json_need_bool(body, "known", &l->o.grants.known, err) && COPY(body, "detail", l->o.grants.detail, err);
}

static bool load_grant(struct loader *l, const json_node *body, struct err *err)
{
	struct observed_grant *g = ADD(l->o.granted, l->o.granted_count, OBSERVED_GRANTS_MAX, "users and roles", err);
	const json_node *list;

	if (!g || !json_need_bool(body, "role", &g->is_role, err) || !COPY(body, "name", g->name, err) ||
	    !json_need_array(body, "roles", &list, err))
		return false;
	if (!l->o.grants.known)
		return err_set(err, ERR_BROKEN, "a user or role where they are not known");
	for (const json_node *node = json_first(list); node; node = json_next(node)) {
		const char *text = json_string(node);

		if (g->role_count == OBSERVED_GRANT_ROLES_MAX)
			return err_set(err, ERR_LIMIT, "more than %d roles", OBSERVED_GRANT_ROLES_MAX);
		if (!text || strlen(text) >= sizeof g->roles[0])
			return err_set(
			    err, ERR_PARSE, "a role is no string, or longer than %zu bytes", sizeof g->roles[0] - 1);
		memcpy(g->roles[g->role_count++], text, strlen(text) + 1);
	}
	return true;
}

static bool load_member(struct loader *l, const json_node *body, struct err *err)
{
	struct observed_member *m = ADD(l->o.members, l->o.member_count, OBSERVED_MEMBERS_MAX, "members", err);

	if (!m || !COPY(body, "replicaSet", m->replica_set, err) || !COPY(body, "host", m->host, err) ||
	    !COPY(body, "state", m->state, err) || !json_need_bool(body, "hidden", &m->hidden, err) ||
	    !COPY(body, "ns", m->ns, err) || !json_need_bool(body, "read", &m->read, err) ||
	    !json_need_bool(body, "equal", &m->equal, err) || !json_need_i64(body, "documents", &m->documents, err) ||
	    !json_need_i64(body, "intact", &m->intact, err) || !json_need_i64(body, "anomalies", &m->anomalies, err) ||
	    !COPY(body, "detail", m->detail, err))
		return false;
	if (m->documents < 0 || m->intact < 0 || m->anomalies < 0 || (m->equal && !m->read))
		return err_set(err, ERR_BROKEN, "a number of documents below 0, or equal without having been read");
	return true;
}

static bool load_restore(struct loader *l, const json_node *body, struct err *err)
{
	struct observed_restore *r = ADD(l->o.restores, l->o.restore_count, OBSERVED_RESTORES_MAX, "restores", err);

	return r && COPY(body, "name", r->name, err) && COPY(body, "opid", r->opid, err) &&
	       COPY(body, "backup", r->backup, err) && COPY(body, "kind", r->type, err) &&
	       COPY(body, "status", r->status, err) && json_need_i64(body, "startTs", &r->start_ts, err) &&
	       json_need_i64(body, "finishTs", &r->finish_ts, err) && COPY(body, "error", r->error, err) &&
	       (!json_get(body, "pitr") || json_need_optime(body, "pitr", &r->pitr, err));
}

static bool load_backup(struct loader *l, const json_node *body, struct err *err)
{
	struct observed_backup *b = &l->o.backup;

	if (l->o.has_backup)
		return err_set(err, ERR_BROKEN, "a second backup record");
	l->o.has_backup = true;
	return COPY(body, "name", b->name, err) && COPY(body, "opid", b->opid, err) &&
	       COPY(body, "status", b->status, err) && json_need_optime(body, "lastWriteTs", &b->last_write, err);
}

static bool load_stream(struct loader *l, const json_node *body, struct err *err)
{
	struct observed_stream *s = ADD(l->o.streams, l->o.stream_count, OBSERVED_STREAMS_MAX, "streams", err);
	int64_t number, writer;

	if (!s)
		return false;
	intervals_init(&s->intact, OBSERVED_INTERVALS_MAX);
	if (!json_need_int(body, "s", 0, OBSERVED_STREAMS_MAX, &number, err) || !COPY(body, "ns", s->ns, err) ||
	    !COPY(body, "replicaSet", s->replica_set, err) || !json_need_uuid(body, "run", &s->run, err) ||
	    !json_need_int(body, "writer", INT32_MIN, INT32_MAX, &writer, err) ||
	    !json_need_i64(body, "intact", &l->intact, err) || !json_need_i64(body, "first", &l->first, err) ||
	    !json_need_i64(body, "last", &l->last, err))
		return false;
	if ((size_t)number != l->o.stream_count - 1)
		return err_set(
		    err, ERR_BROKEN, "stream %lld where %zu is expected", (long long)number, l->o.stream_count - 1);
	s->writer = (int32_t)writer;
	l->in_stream = true;
	return true;
}

static struct observed_stream *current(struct loader *l, const json_node *body, struct err *err)
{
	int64_t number;

	if (!json_need_int(body, "s", 0, OBSERVED_STREAMS_MAX, &number, err))
		return NULL;
	if (!l->in_stream || (size_t)number != l->o.stream_count - 1) {
		err_set(err, ERR_BROKEN, "stream %lld is not the one whose line came last", (long long)number);
		return NULL;
	}
	return &l->o.streams[number];
}

static bool parse_range(const json_node *node, struct interval *ret, struct err *err)
{
	const json_node *from = json_is_array(node) ? json_first(node) : NULL, *to = from ? json_next(from) : NULL;

	if (!json_string(from) || !json_string(to) || json_next(to) ||
	    !num_parse_i64(json_string(from), strlen(json_string(from)), &ret->first) ||
	    !num_parse_i64(json_string(to), strlen(json_string(to)), &ret->last))
		return err_set(err, ERR_PARSE, "a range is not [\"from\",\"to\"]");
	if (ret->first < 1 || ret->last < ret->first || ret->last > TICK_SEQ_MAX)
		return err_set(err, ERR_BROKEN, "range %lld to %lld", (long long)ret->first, (long long)ret->last);
	return true;
}

static bool load_intact(struct loader *l, const json_node *body, struct err *err)
{
	struct observed_stream *s = current(l, body, err);
	const json_node *list;

	if (!s || !json_need_array(body, "ranges", &list, err))
		return false;
	for (const json_node *node = json_first(list); node; node = json_next(node)) {
		struct interval range;

		if (!parse_range(node, &range, err))
			return false;
		if (s->intact.count && range.first <= s->intact.items[s->intact.count - 1].last)
			return err_set(err, ERR_BROKEN, "range %lld to %lld is not behind the one before",
			    (long long)range.first, (long long)range.last);
		if (!intervals_add_range(&s->intact, range.first, range.last, err))
			return false;
	}
	return true;
}

static bool load_block(struct loader *l, const json_node *body, struct err *err)
{
	struct observed_stream *s = current(l, body, err);
	const char *digest;
	struct observed_block *b;
	int64_t block, ticks;

	if (!s || !json_need_i64(body, "block", &block, err) ||
	    !json_need_int(body, "ticks", 1, TICK_BLOCK, &ticks, err) ||
	    !json_need_string(body, "digest", &digest, err))
		return false;
	if (block < 0 || block > tick_block(TICK_SEQ_MAX) ||
	    (s->block_count && block <= s->blocks[s->block_count - 1].block))
		return err_set(err, ERR_BROKEN, "block %lld is not behind the one before", (long long)block);
	b = ADD(s->blocks, s->block_count, SIZE_MAX, "blocks", err);
	if (!b)
		return false;
	s->block_cap = s->block_count;
	b->block = block;
	b->ticks = ticks;
	return tick_digest_parse(digest, &b->digest) ? true : err_set(err, ERR_PARSE, "key \"digest\" is no digest");
}

static bool finish_stream(struct loader *l, struct err *err)
{
	const struct observed_stream *s;
	const struct intervals *set;
	int64_t ticks = 0;

	if (!l->in_stream)
		return true;
	l->in_stream = false;
	s = &l->o.streams[l->o.stream_count - 1];
	set = &s->intact;
	if (l->intact != set->total || l->first != (set->count ? set->items[0].first : 0) ||
	    l->last != (set->count ? set->items[set->count - 1].last : 0))
		return err_set(err, ERR_BROKEN,
		    "stream %zu claims %lld intact ticks from %lld to %lld, but its ranges hold %lld",
		    l->o.stream_count - 1, (long long)l->intact, (long long)l->first, (long long)l->last,
		    (long long)set->total);
	for (size_t i = 0; i < s->block_count; i++) {
		int64_t first = s->blocks[i].block * TICK_BLOCK + 1,
			held = intervals_count_in(set, first, first + TICK_BLOCK - 1);

		if (s->blocks[i].ticks != held)
			return err_set(err, ERR_BROKEN,
			    "stream %zu: block %lld claims %lld ticks, but the ranges hold %lld", l->o.stream_count - 1,
			    (long long)s->blocks[i].block, (long long)s->blocks[i].ticks, (long long)held);
		ticks += held;
	}
	if (ticks != set->total)
		return err_set(err, ERR_BROKEN, "stream %zu: its blocks hold %lld ticks, its ranges %lld",
		    l->o.stream_count - 1, (long long)ticks, (long long)set->total);
	return true;
}

/* The stream that a record may name; -1 if it names none. */
static bool load_reference(const struct loader *l, const json_node *body, int32_t *ret, struct err *err)
{
	int64_t number;

	*ret = -1;
	if (!json_get(body, "s"))
		return true;
	if (!json_need_int(body, "s", 0, OBSERVED_STREAMS_MAX, &number, err))
		return false;
	if ((size_t)number >= l->o.stream_count)
		return err_set(err, ERR_BROKEN, "stream %lld, but there are %zu", (long long)number, l->o.stream_count);
	*ret = (int32_t)number;
	return true;
}

static bool load_anomaly(struct loader *l, const json_node *body, struct err *err)
{
	struct observed_anomaly *a = ADD(l->o.anomalies, l->o.anomaly_count, OBSERVED_ANOMALIES_MAX, "anomalies", err);
	const char *kind;
	int64_t fault;

	if (!a || !json_need_string(body, "kind", &kind, err) || !COPY(body, "ns", a->ns, err) ||
	    !load_reference(l, body, &a->stream, err) || !json_need_i64(body, "seq", &a->seq, err) ||
	    !json_need_int(body, "fault", TICK_INTACT, TICK_BAD_RANDOM, &fault, err) || !COPY(body, "id", a->id, err) ||
	    !COPY(body, "detail", a->detail, err))
		return false;
	a->kind = strcmp(kind, "duplicate") ? OBSERVED_CORRUPT : OBSERVED_DUPLICATE;
	if (a->kind == OBSERVED_CORRUPT && strcmp(kind, "corrupt"))
		return err_set(err, ERR_PARSE, "an anomaly is \"corrupt\" or \"duplicate\"");
	a->fault = (enum tick_fault)fault;
	a->created_at_ms = INT64_MIN;
	return !json_get(body, "createdAt") || json_need_i64(body, "createdAt", &a->created_at_ms, err);
}

static bool load_foreign(struct loader *l, const json_node *body, struct err *err)
{
	struct observed_foreign *f =
	    ADD(l->o.foreign, l->o.foreign_count, OBSERVED_FOREIGN_MAX, "kinds of foreign documents", err);

	if (!f || !COPY(body, "ns", f->ns, err) || !COPY(body, "replicaSet", f->replica_set, err) ||
	    !json_need_i64(body, "documents", &f->documents, err) || !COPY(body, "why", f->why, err))
		return false;
	return f->documents >= 0 ? true : err_set(err, ERR_PARSE, "%lld foreign documents", (long long)f->documents);
}

static bool load_newest(struct loader *l, const json_node *body, struct err *err)
{
	struct observed_newest *n = &l->o.newest[l->o.newest_count];

	if (l->o.newest_count == OBSERVED_NEWEST_MAX)
		return err_set(err, ERR_LIMIT, "more than %d newest documents", OBSERVED_NEWEST_MAX);
	l->o.newest_count++;
	return COPY(body, "ns", n->ns, err) && json_need_i64(body, "createdAt", &n->created_at_ms, err) &&
	       load_reference(l, body, &n->stream, err) && (n->stream < 0 || json_need_i64(body, "seq", &n->seq, err));
}

/* Sums of numbers from outside: what does not fit counts as the greatest number, which no honest total is. */
static int64_t add(int64_t a, int64_t b)
{
	int64_t sum;

	return __builtin_add_overflow(a, b, &sum) ? INT64_MAX : sum;
}

static bool check_totals(const struct observed *o, int64_t intact, struct err *err)
{
	int64_t held = 0, foreign = 0, sum = add(add(o->intact, o->anomalies_total), o->foreign_total);

	for (size_t i = 0; i < o->stream_count; i++)
		held += o->streams[i].intact.total;
	for (size_t i = 0; i < o->foreign_count; i++)
		foreign = add(foreign, o->foreign[i].documents);
	if (intact != held)
		return err_set(err, ERR_BROKEN, "the end claims %lld intact ticks, the streams hold %lld",
		    (long long)intact, (long long)held);
	if (o->truncated ? o->anomalies_total < (int64_t)o->anomaly_count
			 : o->anomalies_total != (int64_t)o->anomaly_count)
		return err_set(err, ERR_BROKEN, "the end claims %lld anomalies, there are records of %zu",
		    (long long)o->anomalies_total, o->anomaly_count);
	if (o->truncated ? o->foreign_total < foreign : o->foreign_total != foreign)
		return err_set(err, ERR_BROKEN, "the end claims %lld foreign documents, the records hold %lld",
		    (long long)o->foreign_total, (long long)foreign);
	if (o->truncated ? o->documents < sum : o->documents != sum)
		return err_set(err, ERR_BROKEN, "the end claims %lld documents, but its parts sum up to %lld",
		    (long long)o->documents, (long long)sum);
	return true;
}

static bool load_end(struct loader *l, const json_node *body, struct err *err)
{
	struct observed *o = &l->o;

	if (!json_need_i64(body, "documents", &o->documents, err) || !json_need_i64(body, "intact", &o->intact, err) ||
	    !json_need_i64(body, "anomalies", &o->anomalies_total, err) ||
	    !json_need_i64(body, "foreign", &o->foreign_total, err) ||
	    !json_need_bool(body, "truncated", &o->truncated, err))
		return false;
	if (o->documents < 0 || o->intact < 0 || o->anomalies_total < 0 || o->foreign_total < 0)
		return err_set(err, ERR_PARSE, "a total below 0");
	if (o->open.describes && o->documents)
		return err_set(
		    err, ERR_BROKEN, "a description claims to have read %lld documents", (long long)o->documents);
	o->ended = true;
	return check_totals(o, o->intact, err);
}

static const struct {
	const char *type;
	bool (*load)(struct loader *l, const json_node *body, struct err *err);
	bool of_stream;
	bool of_documents; /* not in a description */
} types[] = {
    {"set", load_set, false, false},
    {"probe", load_probe, false, false},
    {"login", load_login, false, false},
    {"namespace", load_namespace, false, false},
    {"grants", load_grants, false, false},
    {"grant", load_grant, false, false},
    {"member", load_member, false, true},
    {"restore", load_restore, false, false},
    {"backup", load_backup, false, false},
    {"stream", load_stream, false, true},
    {"intact", load_intact, true, true},
    {"block", load_block, true, true},
    {"anomaly", load_anomaly, false, true},
    {"foreign", load_foreign, false, true},
    {"newest", load_newest, false, true},
    {"end", load_end, false, false},
};

static bool load_known(struct loader *l, size_t type, const struct record *rec, struct err *err)
{
	if (types[type].of_documents && l->o.open.describes)
		return err_set(err, ERR_BROKEN, "a record of type \"%s\" in a description", rec->type);
	return (types[type].of_stream || finish_stream(l, err)) && types[type].load(l, rec->body, err);
}

static bool load_record(struct loader *l, const struct record *rec, struct err *err)
{
	if (rec->n == 1)
		return load_open(rec, &l->o.open, err);
	if (l->o.ended)
		return err_set(err, ERR_BROKEN, "it stands behind the end");
	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		if (!strcmp(types[i].type, rec->type))
			return load_known(l, i, rec, err);
	return err_set(err, ERR_PARSE, "type \"%s\" is not known in an observation", rec->type);
}

static bool broken(uint64_t n, struct err *err)
{
	if (err && (err->code == ERR_PARSE || err->code == ERR_LIMIT))
		err->code = ERR_BROKEN;
	return err_wrap(err, "observation record %llu", (unsigned long long)n);
}

static bool load(struct record_reader *records, struct loader *l, struct err *err)
{
	struct record rec;

	for (;;) {
		switch (record_next(records, &rec, err)) {
		case RECORD_OK:
			if (!load_record(l, &rec, err))
				return broken(rec.n, err);
			break;
		case RECORD_TORN:
			if (l->o.ended)
				return err_set(err, ERR_BROKEN, "observation: a torn line stands behind the end");
			/* fall through */
		case RECORD_END:
			if (!record_reader_head(records).n)
				return err_set(err, ERR_BROKEN, "observation: it holds no whole record");
			return true;
		case RECORD_BROKEN:
		case RECORD_FAILED:
			return err_wrap(err, "observation");
		}
	}
}

static void loader_free(struct loader *l)
{
	observed_clear(&l->o);
	free(l);
}
CLEANUP_PTR(loader, struct loader, loader_free)

bool observed_load(struct record_reader *records, struct observed *ret, struct err *err)
{
	CLEANUP(loader) struct loader *l = calloc(1, sizeof *l);

	if (!l)
		return err_nomem(err);
	if (!load(records, l, err))
		return false;
	*ret = l->o;
	observed_init(&l->o);
	return true;
}
