#include "sample.h"

#include "evidence/observed.h"

#define COUNT(list) (sizeof(list) / sizeof *(list))

static struct observed_open sample_observed(void)
{
	struct observed_open open = {.at_ms = SAMPLE_T0,
	    .collector = "psmdb-verify 0.1.0",
	    .cluster_kind = "replicaSet",
	    .cluster_id = "65f0a1b2c3d4e5f601234567",
	    .set_name = "rs0",
	    .version = "6.0.5",
	    .fcv = "6.0",
	    .read_concern = "majority",
	    .read_after = {1700000100, 1},
	    .read_from = "127.0.0.1:27017",
	    .clock_offset_ms = -12,
	    .clock_error_ms = 3};

	return open;
}

/* Every second tick of 1..2*intervals, so that each is an interval of its own. */
static void holes(struct observed_stream *s, int64_t count)
{
	*s = (struct observed_stream){.ns = "drill.ticker", .replica_set = "rs0", .writer = 3};
	uuid_parse("5f1c2a34-9d0e-4b7a-8c11-2233445566ff", &s->run);
	intervals_init(&s->intact, OBSERVED_INTERVALS_MAX);
	s->blocks = calloc((size_t)count / 500 + 1, sizeof *s->blocks);
	for (int64_t i = 0; i < count; i++) {
		int64_t seq = 2 * i + 1;
		struct observed_block *b = &s->blocks[tick_block(seq)];

		cr_assert(intervals_add(&s->intact, seq, NULL, NULL));
		b->block = tick_block(seq);
		b->ticks++;
		tick_digest_add(&b->digest, seq, (uint64_t)seq * 77);
		s->block_count = (size_t)b->block + 1;
	}
}

static void stream_clear(struct observed_stream *s)
{
	intervals_clear(&s->intact);
	free(s->blocks);
}

static void write_sample(struct memory_sink *m, int64_t ticks)
{
	struct record_sink sink = memory_sink_init(m);
	const struct observed_open open = sample_observed();
	CLEANUP(observed_writer) struct observed_writer *w = NULL;
	struct observed_stream s, none = {.ns = "admin.ticker"};
	struct err err = ERR_INIT;
	bool ok;

	holes(&s, ticks);
	ok = observed_writer_new(&sink, &open, &w, &err) &&
	     observed_write_set(w,
		 &(struct observed_set){.name = "rs0",
		     .role = "shard",
		     .shard = "s0",
		     .cluster = "65f0a1b2c3d4e5f601234568",
		     .read_after = {7, 8}},
		 &err) &&
	     observed_write_set(w, &(struct observed_set){.name = "cfg", .role = "config"}, &err) &&
	     observed_write_probe(w,
		 &(struct observed_probe){.replica_set = "rs0",
		     .name = "login",
		     .at_ms = SAMPLE_T0,
		     .ok = true,
		     .attempts = 3,
		     .elapsed_ms = 20},
		 &err) &&
	     observed_write_login(w,
		 &(struct observed_login){.user = "databaseAdmin", .code = 18, .detail = "Authentication failed."},
		 &err) &&
	     observed_write_namespace(w,
		 &(struct observed_namespace){.ns = "drill.ticker",
		     .replica_set = "rs0",
		     .orphans = 6,
		     .exists = true,
		     .documents = ticks,
		     .options = "{}",
		     .indexes = {"{\"_id\":1}", "x"},
		     .index_count = 2},
		 &err) &&
	     observed_write_grants(w, &(struct observed_grants){.known = true}, &err) &&
	     observed_write_grant(w,
		 &(struct observed_grant){.name = "admin.app", .roles = {"read@a", "read@b"}, .role_count = 2}, &err) &&
	     observed_write_member(w,
		 &(struct observed_member){.replica_set = "rs0",
		     .host = "h:1",
		     .state = "secondary",
		     .hidden = true,
		     .ns = "drill.ticker",
		     .read = true,
		     .documents = 4,
		     .intact = 3,
		     .anomalies = 1,
		     .detail = "d"},
		 &err) &&
	     observed_write_restore(
		 w, &(struct observed_restore){.name = "r", .backup = "b", .status = "done", .pitr = {5, 0}}, &err) &&
	     observed_write_restore(
		 w, &(struct observed_restore){.name = "r2", .backup = "b", .status = "error", .error = "no"}, &err) &&
	     observed_write_backup(
		 w, &(struct observed_backup){.name = "b", .status = "done", .last_write = {9, 9}}, &err) &&
	     observed_write_stream(w, &s, &err) && observed_write_stream(w, &none, &err) &&
	     observed_write_anomaly(w,
		 &(struct observed_anomaly){.kind = OBSERVED_CORRUPT,
		     .ns = "drill.ticker",
		     .stream = 0,
		     .seq = 2,
		     .fault = TICK_BAD_SUM,
		     .id = "i",
		     .created_at_ms = -5},
		 &err) &&
	     observed_write_anomaly(w,
		 &(struct observed_anomaly){.kind = OBSERVED_DUPLICATE,
		     .ns = "drill.ticker",
		     .stream = -1,
		     .fault = TICK_INTACT,
		     .created_at_ms = INT64_MIN},
		 &err) &&
	     observed_write_foreign(
		 w, &(struct observed_foreign){.ns = "drill.ticker", .documents = 4, .why = "not a tick"}, &err) &&
	     observed_write_newest(w,
		 &(struct observed_newest){.ns = "drill.ticker", .created_at_ms = SAMPLE_T0, .stream = 0, .seq = 3},
		 &err) &&
	     observed_write_newest(
		 w, &(struct observed_newest){.ns = "admin.ticker", .created_at_ms = INT64_MAX, .stream = -1}, &err) &&
	     observed_write_end(w, ticks + 6, 2, 4, false, &err);
	cr_assert(ok, "%s", err.msg);
	stream_clear(&s);
}

static bool load(const char *text, size_t len, struct observed *ret, struct err *err)
{
	CLEANUP(record_reader) struct record_reader *r = NULL;

	cr_assert(record_reader_memory(text, len, false, &r, NULL));
	return observed_load(r, ret, err);
}

Test(observed, comes_back_as_it_was_written)
{
	enum { TICKS = 5000 };
	OBSERVED_CLEANUP struct observed o;
	const struct observed_open want = sample_observed();
	struct observed_stream s;
	struct memory_sink m;
	struct err err = ERR_INIT;

	observed_init(&o);
	write_sample(&m, TICKS);
	holes(&s, TICKS);
	cr_assert(load(m.text.data, m.text.len, &o, &err), "%s", err.msg);
	cr_assert(o.ended && !memcmp(&o.open, &want, sizeof want));
	cr_assert(o.probe_count == 1 && o.probes[0].attempts == 3 && o.login_count == 1 && o.logins[0].code == 18 &&
		  !o.logins[0].ok);
	cr_assert(o.set_count == 2 && !strcmp(o.sets[0].shard, "s0") && o.sets[0].read_after.i == 8 &&
		  !strcmp(o.sets[1].role, "config") && !strcmp(o.probes[0].replica_set, "rs0") &&
		  !strcmp(o.namespaces[0].replica_set, "rs0") && o.namespaces[0].orphans == 6);
	cr_assert(o.namespace_count == 1 && o.namespaces[0].index_count == 2 &&
		  !strcmp(o.namespaces[0].indexes[0], "{\"_id\":1}"));
	cr_assert(o.member_count == 1 && o.members[0].hidden && o.members[0].read && !o.members[0].equal &&
		  o.members[0].documents == 4 && o.members[0].intact == 3 && o.members[0].anomalies == 1 &&
		  !strcmp(o.members[0].host, "h:1") && !strcmp(o.members[0].detail, "d"));
	cr_assert(o.restore_count == 2 && o.restores[0].pitr.t == 5 && optime_is_zero(o.restores[1].pitr) &&
		  !strcmp(o.restores[1].error, "no"));
	cr_assert(o.has_grants && o.grants.known && o.granted_count == 1 && o.granted[0].role_count == 2 &&
		  !strcmp(o.granted[0].roles[1], "read@b"));
	cr_assert(o.has_backup && o.backup.last_write.i == 9);
	cr_assert_eq(o.stream_count, 2);
	cr_assert(o.streams[0].writer == 3 && uuid_equal(&o.streams[0].run, &s.run) &&
		  o.streams[0].intact.count == s.intact.count);
	cr_assert(!memcmp(o.streams[0].intact.items, s.intact.items, s.intact.count * sizeof *s.intact.items));
	cr_assert(o.streams[0].block_count == s.block_count &&
		  !memcmp(o.streams[0].blocks, s.blocks, s.block_count * sizeof *s.blocks));
	cr_assert(o.streams[1].intact.total == 0 && o.streams[1].block_count == 0);
	cr_assert(o.anomaly_count == 2 && o.anomalies[0].created_at_ms == -5 && o.anomalies[0].fault == TICK_BAD_SUM &&
		  o.anomalies[1].stream == -1 && o.anomalies[1].created_at_ms == INT64_MIN &&
		  o.anomalies[1].kind == OBSERVED_DUPLICATE);
	cr_assert(
	    o.foreign_count == 1 && o.foreign[0].documents == 4 && o.newest_count == 2 && o.newest[1].stream == -1);
	cr_assert(o.documents == TICKS + 6 && o.intact == TICKS && o.anomalies_total == 2 && o.foreign_total == 4 &&
		  !o.truncated);
	stream_clear(&s);
	buf_clear(&m.text);
}

Test(observed, without_its_end_it_loads_as_not_ended)
{
	struct memory_sink m;
	size_t last;

	write_sample(&m, 10);
	for (last = m.text.len - 1; m.text.data[last - 1] != '\n'; last--)
		;
	for (size_t len = last; len < m.text.len; len += 40) {
		OBSERVED_CLEANUP struct observed o;

		observed_init(&o);
		cr_assert(load(m.text.data, len, &o, NULL));
		cr_assert(!o.ended && o.stream_count == 2);
	}
	buf_clear(&m.text);
}

/* One line is replaced by another, the chain is made right again: only the content can be wrong. */
static void rechain(const struct memory_sink *m, const char *from, const char *to, struct buf *out)
{
	struct record_line line;
	struct record_head head;
	bool found = false;

	record_line_init(&line);
	record_head_init(&head);
	for (const char *p = m->text.data, *end; (end = strchr(p, '\n')); p = end + 1) {
		const char *at = from[0] ? memmem(p, (size_t)(end - p), from, strlen(from)) : NULL,
			   *tail = memmem(p, (size_t)(end - p), ",\"chain\":", 9);

		record_begin(&line, &head, "x");
		buf_reset(&line.line);
		if (at && !found) {
			found = true;
			buf_add(&line.line, p, (size_t)(at - p), NULL);
			buf_add_str(&line.line, to, NULL);
			buf_add(&line.line, at + strlen(from), (size_t)(tail - at) - strlen(from), NULL);
		} else {
			buf_add(&line.line, p, (size_t)(tail - p), NULL);
		}
		cr_assert(record_end(&line, &head, NULL));
		buf_add(out, line.line.data, line.line.len, NULL);
	}
	cr_assert(found, "%s", from);
	record_line_clear(&line);
}

Test(observed, what_contradicts_itself_is_broken_and_named)
{
	static const struct {
		const char *from, *to, *says;
	} cases[] = {
	    {"\"intact\":\"10\",\"first\"", "\"intact\":\"11\",\"first\"", "claims 11 intact ticks"},
	    {"\"first\":\"1\"", "\"first\":\"2\"", "from 2 to 19"},
	    {"\"last\":\"19\"", "\"last\":\"20\"", "to 20"},
	    {"[\"3\",\"3\"]", "[\"1\",\"1\"]", "range 1 to 1 is not behind"},
	    {"[\"3\",\"3\"]", "[\"4\",\"3\"]", "range 4 to 3"},
	    {"[\"3\",\"3\"]", "[\"3\",\"4\"]", "hold 11"},
	    {"[\"1\",\"1\"]", "[\"0\",\"1\"]", "range 0 to 1"},
	    {"[\"3\",\"3\"]", "[3,3]", "[\"from\",\"to\"]"},
	    {"[\"3\",\"3\"]", "[\"3\"]", "[\"from\",\"to\"]"},
	    {"\"ticks\":10", "\"ticks\":9", "block 0 claims 9 ticks"},
	    {"\"block\":\"0\"", "\"block\":\"1\"", "block 1 claims 10"},
	    {"\"block\":\"0\"", "\"block\":\"-1\"", "block -1"},
	    {"\"type\":\"block\"", "\"type\":\"brick\"", "\"brick\""},
	    {"\"type\":\"block\"", "\"type\":\"intact\",\"ranges\":[]", "its blocks hold 0 ticks"},
	    {"\"type\":\"block\",\"s\":0", "\"type\":\"block\",\"s\":1", "not the one whose line came last"},
	    {"\"type\":\"stream\",\"s\":1", "\"type\":\"stream\",\"s\":2", "stream 2 where 1 is expected"},
	    {"\"ns\":\"drill.ticker\",\"s\":0", "\"ns\":\"drill.ticker\",\"s\":2", "stream 2, but there are 2"},
	    {"\"fault\":3", "\"fault\":9", "fault"},
	    {"\"kind\":\"corrupt\"", "\"kind\":\"odd\"", "corrupt"},
	    {"\"documents\":\"16\"", "\"documents\":\"17\"", "claims 17 documents"},
	    {"\"anomalies\":\"2\"", "\"anomalies\":\"1\"", "claims 1 anomalies"},
	    {"\"foreign\":\"4\"", "\"foreign\":\"5\"", "claims 5 foreign"},
	    {"\"foreign\":\"4\"", "\"foreign\":\"9223372036854775807\"", "foreign"},
	    {"\"intact\":\"10\",\"anomalies\"", "\"intact\":\"9\",\"anomalies\"", "claims 9 intact"},
	    {"\"documents\":\"16\"", "\"documents\":\"-16\"", "below 0"},
	    {"\"type\":\"newest\"", "\"type\":\"backup\"", ""},
	    {"\"name\":\"cfg\"", "\"name\":\"rs0\"", "second record of this replica set"},
	    {"\"after\":\"7,8\"", "\"after\":\"7\"", "after"},
	    {"\"orphans\":\"6\"", "\"orphans\":\"-6\"", "-6 orphans"},
	    {"\"replicaSet\":\"rs0\",\"name\"", "\"replicaSet\":7,\"name\"", "replicaSet"},
	    {"\"read\":true,\"equal\":false", "\"read\":false,\"equal\":true", "equal without having been read"},
	    {"\"documents\":\"4\",\"intact\"", "\"documents\":\"-4\",\"intact\"", "below 0"},
	    {"\"hidden\":true", "\"hidden\":1", "hidden"},
	};
	struct memory_sink m;

	write_sample(&m, 10);
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct buf text = BUF_INIT(1 << 20);
		struct observed o;
		struct err err = ERR_INIT;

		rechain(&m, cases[i].from, cases[i].to, &text);
		cr_assert(!load(text.data, text.len, &o, &err), "%s", cases[i].to);
		cr_assert(strstr(err.msg, cases[i].says) && strstr(err.msg, "record "), "%s: %s", cases[i].to, err.msg);
		cr_assert_eq(err.code, ERR_BROKEN, "%s", err.msg);
		buf_clear(&text);
	}
	buf_clear(&m.text);
}

Test(observed, the_writer_refuses_what_the_reader_would)
{
	struct memory_sink m;
	struct record_sink sink = memory_sink_init(&m);
	const struct observed_open open = sample_observed();
	CLEANUP(observed_writer) struct observed_writer *w = NULL;
	struct observed_stream s;
	struct err err = ERR_INIT;

	cr_assert(observed_writer_new(&sink, &open, &w, NULL));
	holes(&s, 700);
	s.blocks[1].ticks--;
	cr_assert(!observed_write_stream(w, &s, &err));
	cr_assert(strstr(err.msg, "block 1"), "%s", err.msg);
	s.blocks[1].ticks++;
	s.block_count = 1;
	cr_assert(!observed_write_stream(w, &s, &err));
	cr_assert(!observed_write_anomaly(w, &(struct observed_anomaly){.stream = 0}, &err));
	cr_assert(!observed_write_newest(w, &(struct observed_newest){.stream = 0}, &err));
	cr_assert(!observed_write_end(w, 5, 1, 1, false, &err));
	cr_assert(observed_write_end(w, 5, 1, 1, true, &err), "%s", err.msg);
	cr_assert(!observed_write_probe(w, &(struct observed_probe){.name = "read"}, &err));
	stream_clear(&s);
	buf_clear(&m.text);
}

Test(observed, a_failing_sink_fails_the_call_until_none_fails)
{
	for (int n = 1;; n++) {
		struct memory_sink m;
		struct record_sink sink = memory_sink_init(&m);
		const struct observed_open open = sample_observed();
		CLEANUP(observed_writer) struct observed_writer *w = NULL;
		struct observed_stream s;
		struct err err = ERR_INIT;
		OBSERVED_CLEANUP struct observed o;
		bool ok;

		observed_init(&o);
		holes(&s, 3000);
		m.fail_at = n;
		ok = observed_writer_new(&sink, &open, &w, &err) && observed_write_stream(w, &s, &err) &&
		     observed_write_end(w, 3000, 0, 0, false, &err);
		cr_assert_eq(ok, m.calls < n);
		cr_assert(ok || err.code == ERR_IO, "%s", err.msg);
		if (!ok && m.text.len)
			cr_assert(!load(m.text.data, m.text.len, &o, &err) || !o.ended,
			    "half an observation is never an ended one");
		stream_clear(&s);
		buf_clear(&m.text);
		if (ok)
			break;
		cr_assert_lt(n, 100);
	}
}

/* --- descriptions */

static bool describe(struct memory_sink *m, bool with_stream, int64_t documents, struct err *err)
{
	struct record_sink sink = memory_sink_init(m);
	struct observed_open open = sample_observed();
	CLEANUP(observed_writer) struct observed_writer *w = NULL;
	struct observed_stream none = {.ns = "admin.ticker"};

	open.describes = true;
	open.until = (struct optime){1700000200, 1};
	return observed_writer_new(&sink, &open, &w, err) && (!with_stream || observed_write_stream(w, &none, err)) &&
	       observed_write_end(w, documents, 0, documents, false, err);
}

Test(observed, a_description_is_known_as_one)
{
	OBSERVED_CLEANUP struct observed o;
	struct memory_sink m;
	struct err err = ERR_INIT;

	observed_init(&o);
	cr_assert(describe(&m, false, 0, &err), "%s", err.msg);
	cr_assert(load(m.text.data, m.text.len, &o, &err), "%s", err.msg);
	cr_expect(o.open.describes && o.open.until.t == 1700000200 && o.ended);
	buf_clear(&m.text);
}

Test(observed, a_description_holds_no_documents)
{
	OBSERVED_CLEANUP struct observed o;
	struct memory_sink m;
	struct err err = ERR_INIT;

	observed_init(&o);
	cr_expect(!describe(&m, true, 0, &err) && err.code == ERR_STATE);
	buf_clear(&m.text);
	cr_assert(describe(&m, false, 3, &err) || true);
	cr_expect(!load(m.text.data, m.text.len, &o, &err) && err.code == ERR_BROKEN, "%s", err.msg);
	buf_clear(&m.text);
}
