#include "tests/unit/report/samples.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BASE_S INT64_C(1795413480) /* 2026-11-23T05:58:00Z */
#define COPY(field, ...) (memset(field, 0, sizeof(field)), snprintf(field, sizeof(field), __VA_ARGS__))

static void *rows(size_t count, size_t size)
{
	void *p = calloc(count, size);

	assert(p);
	return p;
}

static void reason(struct verdict *v, enum verdict_reason_code code, const char *message, const char *hint)
{
	struct err err = ERR_INIT;
	bool ok = verdict_add_reason(v, code, hint, &err, "%s", message);

	assert(ok);
	(void)ok;
}

static struct uuid uuid(const char *text)
{
	struct uuid u;
	bool ok = uuid_parse(text, &u);

	assert(ok);
	(void)ok;
	return u;
}

static bool is_bad(enum tick_class c)
{
	return tick_class_fails(c) || c == CLASS_AT_BOUND || c == CLASS_INDETERMINATE || c == CLASS_UNJOURNALED;
}

/* Appends a run of ticks to a stream made with room for VERDICT_RANGES_MAX of them. */
static void add_run(struct verdict_stream *s, int64_t count, enum tick_class class)
{
	int64_t first = s->range_count ? s->ranges[s->range_count - 1].last + 1 : 1;
	struct verdict_range r = {.first = first, .last = first + count - 1, .class = class};

	s->ranges[s->range_count++] = r;
	if (is_bad(class))
		s->bad[s->bad_count++] = r;
	s->count[class] += count;
	s->issued += class == CLASS_UNJOURNALED || class == CLASS_UNEXPECTED ? 0 : count;
	s->first = 1;
	s->last = r.last;
}

static struct verdict_stream *add_stream(struct verdict *v, const char *ns, int32_t writer, const char *set)
{
	struct verdict_stream *s = &v->streams[v->stream_count++];

	s->run = uuid("6f1de2a4-9c57-4b0e-8a51-3f0b7c2d9e10");
	COPY(s->ns, "%s", ns);
	COPY(s->replica_set, "%s", set);
	s->writer = writer;
	s->ranges = rows(VERDICT_RANGES_MAX, sizeof *s->ranges);
	s->bad = rows(VERDICT_RANGES_MAX, sizeof *s->bad);
	return s;
}

static void add_up(struct verdict *v)
{
	for (size_t i = 0; i < v->stream_count; i++) {
		v->issued += v->streams[i].issued;
		for (int c = 0; c < CLASS_COUNT; c++)
			v->count[c] += v->streams[i].count[c];
	}
	v->acked = v->count[CLASS_OK] + v->count[CLASS_EXPECTED_LOSS] + v->count[CLASS_AT_BOUND] +
		   v->count[CLASS_LOST] + v->count[CLASS_LATE];
	v->undecided = v->count[CLASS_AT_BOUND] + v->count[CLASS_INDETERMINATE];
	v->digest_checked = v->count[CLASS_OK];
}

static void event(struct verdict *v, int64_t since_ms, const char *name, const char *text)
{
	struct verdict_event *e = &v->events[v->event_count++];

	e->at_ms = (BASE_S - 90) * 1000 + since_ms;
	e->since_ms = since_ms;
	COPY(e->name, "%s", name);
	COPY(e->text, "%s", text);
}

static void phase(struct verdict *v, const char *name, int64_t from_ms, int64_t to_ms)
{
	struct verdict_phase *p = &v->phases[v->phase_count++];

	COPY(p->name, "%s", name);
	p->from_ms = from_ms;
	p->to_ms = to_ms;
}

static void input(
    struct verdict *v, const char *kind, const char *name, const char *state, int64_t bytes, uint64_t records)
{
	struct verdict_input *in = &v->inputs[v->input_count++];

	COPY(in->kind, "%s", kind);
	COPY(in->name, "%s", name);
	COPY(in->state, "%s", state);
	in->bytes = bytes;
	in->records = records;
	for (size_t i = 0; i < 64; i++)
		in->sha256[i] = "0123456789abcdef"[(i * 7 + v->input_count * 5 + i * i) % 16];
	if (records)
		COPY(in->chain, "%.32s", in->sha256 + 9);
}

static void version(struct verdict *v, const char *name, const char *value)
{
	COPY(v->versions[v->version_count].name, "%s", name);
	COPY(v->versions[v->version_count].value, "%s", value);
	v->version_count++;
}

static void login(struct verdict *v, const char *user, bool ok, const char *detail)
{
	COPY(v->logins[v->login_count].user, "%s", user);
	COPY(v->logins[v->login_count].detail, "%s", detail);
	v->logins[v->login_count++].ok = ok;
}

static void head(struct verdict *v, const char *scenario)
{
	v->judged_at_ms = (BASE_S + 420) * 1000 + 512;
	COPY(v->judge, "psmdb-verify 0.1.0");
	COPY(v->scenario, "%s", scenario);
	v->drill = uuid("0d5c6f2e-41b7-4d0a-9e63-5f2c8a7b1d34");
	v->has_drill = true;
	v->max_rpo_ms = v->max_rto_ms = -1;
	v->streams = rows(8, sizeof *v->streams);
	v->events = rows(VERDICT_EVENTS_MAX, sizeof *v->events);
	v->logins = rows(8, sizeof *v->logins);
	v->newest = rows(4, sizeof *v->newest);
	v->namespaces = rows(4, sizeof *v->namespaces);
	COPY(v->cluster_before, "replicaSet 692293c4a1f0");
	COPY(v->cluster_after, "replicaSet 6922951b77d2");
}

static void restore_point(struct verdict *v)
{
	v->has_bound = true;
	COPY(v->backup_name, "2026-11-23T05:57:52Z");
	COPY(v->backup_opid, "692293d0c4e1b2a3f4050607");
	COPY(v->bound_source, "bucket");
	COPY(v->bound_precision, "operation");
	COPY(v->pbm_version, "2.5.0");
	COPY(v->mongodb_version, "6.0.5");
	v->b0 = (struct optime){(uint32_t)BASE_S, 3};
	COPY(v->sets[0].name, "rs0");
	v->sets[0].b0 = v->sets[0].b1 = v->b0;
	v->sets[0].ticks = 1016;
	v->set_count = 1;
	v->has_restore = true;
	COPY(v->restore_state, "done");
	COPY(v->restore_reported_by, "PBM (admin.pbmRestores)");
	COPY(v->restored_backup, "%s", v->backup_name);
	COPY(v->restored_opid, "%s", v->backup_opid);
}

static void story(struct verdict *v)
{
	event(v, 0, "drill.start", "scenario case-1");
	event(v, 1204, "step.start", "ticker");
	event(v, 80113, "backup.requested", "policy psmdb-backup");
	event(v, 92467, "backup.finished", "2026-11-23T05:57:52Z ready");
	event(v, 93020, "bound.pinned", "1795413480,3 from the bucket");
	event(v, 214005, "disaster", "psmdb, ticker pod and 3 volumes deleted");
	event(v, 217110, "volumes.gone", "3 of 3");
	event(v, 217340, "cluster.requested", "psmdb my-cluster restored from the restore point");
	event(v, 241900, "cluster.ready", "3 of 3 members");
	event(v, 242004, "restore.requested", "psmdb-restore of 2026-11-23T05:57:52Z");
	event(v, 253870, "restore.finished", "done");
	event(v, 255010, "bucket.recheck", "24 of 24 files unchanged");
	v->has_rpo = true;
	v->rpo_ms = 124005;
	v->rpo_error_ms = 21;
	v->has_rto = v->rto_complete = true;
	v->rto_ms = 41236;
	COPY(v->rto_until, "first majority write");
	phase(v, "volumes gone", 0, 3105);
	phase(v, "cluster requested", 3105, 3335);
	phase(v, "cluster ready", 3335, 27895);
	phase(v, "restore requested", 27895, 27999);
	phase(v, "restore finished", 27999, 39865);
	phase(v, "first login", 39865, 40112);
	phase(v, "first majority read", 40112, 40310);
	phase(v, "first majority write", 40310, 41236);
	v->max_rpo_ms = 300000;
	v->max_rto_ms = 600000;
}

static void database(struct verdict *v)
{
	COPY(v->newest[0].ns, "admin.ticker");
	v->newest[0].created_at_ms = BASE_S * 1000 - 412;
	v->newest[0].seq = 508;
	v->newest[0].has_age_at_backup = v->newest[0].has_age_at_disaster = true;
	v->newest[0].age_at_backup_ms = 412;
	v->newest[0].age_at_disaster_ms = 124417;
	v->newest_count = 1;
	login(v, "backup", true, "");
	login(v, "clusterAdmin", true, "");
	login(v, "databaseAdmin", true, "");
	COPY(v->namespaces[0].ns, "admin.ticker");
	COPY(v->namespaces[1].ns, "drill.ticker");
	v->namespaces[0].exists = v->namespaces[1].exists = true;
	v->namespaces[0].documents = v->namespaces[1].documents = 508;
	v->namespaces[0].indexes = v->namespaces[1].indexes = 1;
	COPY(v->namespaces[1].options, "{ }");
	v->namespace_count = 2;
}

static void evidence(struct verdict *v)
{
	input(v, "journal", "journal.jsonl", "sealed", 402117, 2561);
	input(v, "timeline", "timeline.jsonl", "sealed", 118204, 372);
	input(v, "bound", "bound.json", "complete", 5120, 0);
	input(v, "observed", "observed.jsonl", "complete", 4711, 29);
	version(v, "mongod", "6.0.5");
	version(v, "pbm", "2.5.0");
	version(v, "operator", "1.14.0");
	version(v, "kasten", "7.0.5");
}

static void finish(struct verdict *v, const char *title)
{
	verdict_settle(v);
	COPY(v->title, "%s", title);
}

static void control(struct verdict *v, const char *name, const char *detail)
{
	struct verdict_control *c = &v->controls[v->control_count++];

	COPY(c->name, "%s", name);
	COPY(c->detail, "%s", detail);
	c->found = true;
}

static void make_pass(struct verdict *v)
{
	struct verdict_stream *s;

	head(v, "case-1");
	restore_point(v);
	story(v);
	database(v);
	evidence(v);
	s = add_stream(v, "admin.ticker", 0, "rs0");
	add_run(s, 508, CLASS_OK);
	add_run(s, 124, CLASS_EXPECTED_LOSS);
	s = add_stream(v, "drill.ticker", 0, "rs0");
	add_run(s, 508, CLASS_OK);
	add_run(s, 123, CLASS_EXPECTED_LOSS);
	add_run(s, 1, CLASS_INDETERMINATE);
	add_up(v);
	v->max_undecided = 4;
	v->rpo_ops = v->count[CLASS_EXPECTED_LOSS];
	control(v, "a tick taken out", "admin.ticker writer 0 tick 508 must be lost, and nothing else is");
	control(v, "a later restore point", "247 ticks of the expected loss must be lost");
	reason(
	    v, REASON_ENVIRONMENT, "the mongos service leads to the current primary: no mongos binary was found", "");
	v->has_before = v->schema_judged = v->roles_judged = true;
	finish(v, "PASS: 1,016 of 1,016 acknowledged operations before the restore point are there");
}

static void make_silent_loss(struct verdict *v)
{
	struct verdict_stream *s;

	head(v, "case-1");
	restore_point(v);
	story(v);
	database(v);
	evidence(v);
	s = add_stream(v, "admin.ticker", 0, "rs0");
	add_run(s, 470, CLASS_OK);
	add_run(s, 38, CLASS_LOST);
	add_run(s, 124, CLASS_EXPECTED_LOSS);
	s = add_stream(v, "drill.ticker", 0, "rs0");
	add_run(s, 361, CLASS_OK);
	add_run(s, 1, CLASS_CORRUPTED);
	add_run(s, 109, CLASS_OK);
	add_run(s, 37, CLASS_LOST);
	add_run(s, 123, CLASS_EXPECTED_LOSS);
	add_run(s, 1, CLASS_INDETERMINATE);
	add_up(v);
	v->max_undecided = 4;
	v->rpo_ops = v->count[CLASS_EXPECTED_LOSS] + v->count[CLASS_LOST];
	v->max_rpo_ms = 120000;
	v->newest[0].seq = 470;
	v->newest[0].created_at_ms -= 38000;
	v->newest[0].age_at_backup_ms += 38000;
	v->newest[0].age_at_disaster_ms += 38000;
	v->logins[2].ok = false;
	COPY(v->logins[2].detail, "code 18: Authentication failed.");
	reason(v, REASON_LOST,
	    "75 of 1,016 operations that were acknowledged up to operation time 1795413480,3 are not in the restored "
	    "database; the first is number 471 of "
	    "admin.ticker, the last number 508",
	    "treat this backup as bad: restore an older one, and compare the oplog files in the bucket with the list "
	    "in bound.json");
	reason(v, REASON_SILENT_LOSS,
	    "PBM (admin.pbmRestores) says \"done\" for 2026-11-23T05:57:52Z, while 75 acknowledged operations are "
	    "missing",
	    "do not trust the restore's status alone; look at the PBM agents' logs of the oplog replay");
	reason(
	    v, REASON_CORRUPTED, "1 tick of drill.ticker has a sum that does not agree with its bytes: number 362", "");
	reason(v, REASON_RPO_EXCEEDED, "the loss is 2 min 4 s, the limit is 2 min 0 s",
	    "back up more often, or allow more with --max-rpo");
	reason(v, REASON_LOGIN_DRIFT, "1 of 3 users of the secrets cannot log in: databaseAdmin",
	    "the secret and the backup are from different times: restore the secret, or set the password again");
	reason(v, REASON_DIGEST_PARTIAL, "12 ticks were checked by their own sum only", "");
	v->has_before = v->schema_judged = v->roles_judged = true;
	finish(v, "FAIL: 75 of 1,016 acknowledged operations before the restore point are missing");
}

static void make_inconclusive(struct verdict *v)
{
	struct verdict_stream *s;

	head(v, "case-2");
	restore_point(v);
	story(v);
	v->rpo_at_least = true;
	v->rto_complete = false;
	COPY(v->rto_until, "restore finished");
	v->phase_count = 5;
	memset(&v->phases[5], 0, sizeof v->phases - 5 * sizeof v->phases[0]);
	v->rto_ms = 39865;
	v->sets[0].ticks = 1016;
	v->sets[0].b1 = (struct optime){(uint32_t)BASE_S + 7, 12};
	v->sets[1] = v->sets[0];
	v->sets[1].b1 = v->b0;
	v->sets[1].ticks = 0;
	COPY(v->sets[1].name, "rs1");
	COPY(v->sets[2].name, "cfg");
	v->sets[2].b0 = v->sets[2].b1 = v->b0;
	v->sets[2].ticks = -1;
	v->set_count = 3;
	v->torn_width_s = 7;
	s = add_stream(v, "admin.ticker", 0, "cfg");
	add_run(s, 508, CLASS_OK);
	add_run(s, 7, CLASS_AT_BOUND);
	add_run(s, 60, CLASS_EXPECTED_LOSS);
	s = add_stream(v, "drill.ticker", 0, "rs0");
	add_run(s, 508, CLASS_OK);
	add_run(s, 9, CLASS_INDETERMINATE);
	add_run(s, 41, CLASS_UNJOURNALED);
	add_up(v);
	v->rpo_ops = v->count[CLASS_EXPECTED_LOSS];
	evidence(v);
	COPY(v->inputs[0].state, "open");
	reason(v, REASON_SHARD_UNCOVERED, "replica set \"rs1\" of the backup has no tick",
	    "shard drill.ticker so that every shard gets ticks (set-up step \"shard ticks\")");
	reason(v, REASON_UNJOURNALED, "41 ticks beyond the end of the open journal are present",
	    "follow the journal up to the disaster");
	reason(v, REASON_UNDECIDED, "16 ticks are undecided, 0 are allowed", "allow some with --max-undecided");
	reason(v, REASON_TORN, "the replica sets of the backup are up to 7 s apart", "");
	reason(v, REASON_OPEN_JOURNAL, "its last record is number 1,191", "");
	v->has_members = true;
	v->members_asked = 4;
	v->members_read = 3;
	v->members_equal = 3;
	reason(v, REASON_MEMBER_NOT_READ,
	    "a member that was to be compared with the primary was not: hidden db-2:27017 of \"rs0\": connection "
	    "refused",
	    "let every member be up, and nothing write meanwhile, and collect again");
	finish(v, "INCONCLUSIVE: the evidence does not say whether everything is there");
}

static void make_removal(struct verdict *v)
{
	head(v, "uninstall");
	v->has_removal = true;
	v->removal_kinds = 57;
	v->removal_kinds_unread = 1;
	v->removal_objects = 1234;
	v->removal_left = 2;
	reason(v, REASON_LEFT_BEHIND, "2 left: PersistentVolume pvc-1, Policy kasten-io/mongo-drill",
	    "see who holds or makes it, delete it, and look again");
	reason(v, REASON_NOT_LOOKED_AT, "1 not listed; the first: leases: forbidden",
	    "with the right to list every kind look again");
	reason(v, REASON_BACKUPS_KEPT, "s3://drill/pbm/2026-11-23T05:58:00Z", "they are the last copy of the data");
	finish(v, "FAIL: 2 objects of \"mongo-ns\" are left");
}

static void make_error(struct verdict *v)
{
	head(v, "case-1");
	event(v, 0, "drill.start", "scenario case-1");
	event(v, 80113, "backup.requested", "policy psmdb-backup");
	event(v, 680113, "step.end", "backup: failed");
	v->result = VERDICT_ERROR;
	COPY(v->title, "ERROR: the backup did not finish within 10 min");
}

static void make_huge(struct verdict *v)
{
	static const enum tick_class classes[] = {
	    CLASS_OK, CLASS_LOST, CLASS_OK, CLASS_RECOVERED, CLASS_OK, CLASS_INDETERMINATE, CLASS_OK, CLASS_DUPLICATED};

	head(v, "case-1");
	restore_point(v);
	story(v);
	evidence(v);
	while (v->event_count < VERDICT_EVENTS_MAX)
		event(v, 256000 + (int64_t)v->event_count * 10, "note", "one more");
	v->events_truncated = true;
	for (int32_t w = 0; w < 8; w++) {
		struct verdict_stream *s = add_stream(v, "drill.ticker", w, w % 2 ? "rs1" : "rs0");

		for (size_t i = 0; i < VERDICT_RANGES_MAX; i++)
			add_run(s, i % 2 ? 1 : 497 + w,
			    i < 1700 ? classes[i % 8]
			    : i % 2  ? CLASS_REFUSED
				     : CLASS_EXPECTED_LOSS);
		s->ranges_truncated = s->bad_truncated = w == 3;
	}
	add_up(v);
	reason(v, REASON_LOST, "1,704 operations that were acknowledged up to operation time 1795413480,3 are missing",
	    "");
	reason(v, REASON_DUPLICATED, "1,696 ticks are present more than once", "");
	reason(v, REASON_UNDECIDED, "1,696 ticks are undecided, 0 are allowed", "");
	finish(v, "FAIL: 1,704 acknowledged operations before the restore point are missing");
}

#define HOSTILE                                                                                                        \
	"</script><b>x</b>]]>&amp;\"'`|*_[a](http://evil.example)<!--@team #1 {}%s\\ \033[31mred\007 "                 \
	"\r\n::error::owned ##[set-env]"                                                                               \
	"\xe2\x80\xae"                                                                                                 \
	"evil\xe2\x80\xac \xff\xfe\xc0\xaf \xef\xbf\xbf www.evil.example \t end"

/* Cuts in the middle of a character if that is where the field ends, as snprintf does. */
static void cut(char *field, size_t size, const char *text)
{
	size_t len = strlen(text);

	len = len < size ? len : size - 1;
	memcpy(field, text, len);
	field[len] = '\0';
}

static void make_hostile(struct verdict *v)
{
	struct verdict_stream *s;

	head(v, "");
	cut(v->scenario, sizeof v->scenario, HOSTILE);
	restore_point(v);
	story(v);
	database(v);
	evidence(v);
	COPY(v->judge, "0.1.0<\"'&");
	cut(v->backup_name, sizeof(v->backup_name), HOSTILE);
	cut(v->backup_opid, sizeof(v->backup_opid), HOSTILE);
	cut(v->bound_source, sizeof(v->bound_source), HOSTILE);
	cut(v->sets[0].name, sizeof(v->sets[0].name), HOSTILE);
	cut(v->restore_state, sizeof(v->restore_state), HOSTILE);
	cut(v->restore_reported_by, sizeof(v->restore_reported_by), HOSTILE);
	cut(v->restore_detail, sizeof(v->restore_detail), HOSTILE);
	cut(v->events[3].text, sizeof(v->events[3].text), HOSTILE);
	cut(v->events[4].name, sizeof(v->events[4].name), HOSTILE);
	cut(v->phases[2].name, sizeof(v->phases[2].name), HOSTILE);
	cut(v->rto_until, sizeof(v->rto_until), HOSTILE);
	cut(v->newest[0].ns, sizeof(v->newest[0].ns), HOSTILE);
	v->newest[0].created_at_ms = INT64_MIN;
	v->newest[0].age_at_backup_ms = INT64_MIN;
	cut(v->logins[0].user, sizeof(v->logins[0].user), HOSTILE);
	cut(v->logins[0].detail, sizeof(v->logins[0].detail), HOSTILE);
	v->logins[0].ok = false;
	cut(v->namespaces[0].ns, sizeof(v->namespaces[0].ns), HOSTILE);
	cut(v->namespaces[0].options, sizeof(v->namespaces[0].options), HOSTILE);
	cut(v->inputs[0].name, sizeof(v->inputs[0].name), HOSTILE);
	cut(v->versions[0].name, sizeof(v->versions[0].name), HOSTILE);
	cut(v->versions[0].value, sizeof(v->versions[0].value), HOSTILE);
	cut(v->cluster_after, sizeof(v->cluster_after), HOSTILE);
	s = add_stream(v, HOSTILE, -1, "rs<0>");
	add_run(s, 3, CLASS_OK);
	add_run(s, 1, CLASS_LOST);
	add_run(s, 2, CLASS_EXPECTED_LOSS);
	s = add_stream(v, HOSTILE, -1, "rs<0>"); /* the very same name again */
	add_run(s, 3, CLASS_OK);
	s->ranges[0].last = s->last = INT64_MAX;
	add_up(v);
	reason(v, REASON_LOST, HOSTILE, HOSTILE);
	reason(v, REASON_SCHEMA_DRIFT, HOSTILE, HOSTILE);
	v->has_before = v->schema_judged = true;
	reason(v, REASON_LOGIN_DRIFT, HOSTILE, "");
	finish(v, "");
	cut(v->title, sizeof v->title, HOSTILE);
}

const struct sample samples[] = {
#define X(name, shows) {#name, make_##name},
    SAMPLES(X)
#undef X
};
const size_t sample_count = sizeof samples / sizeof *samples;

void sample_make(const char *name, struct verdict *ret)
{
	verdict_init(ret);
	for (size_t i = 0; i < sample_count; i++) {
		if (!strcmp(samples[i].name, name)) {
			samples[i].make(ret);
			return;
		}
	}
	abort();
}
