#include "verifier/collect_members.h"

#include "mongo/bson_util.h"
#include "verifier/collect_owner.h"
#include "verifier/collect_scan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define URI_MAX 4096
#define HOSTS_MAX 64 /* a replica set has at most 50 members */
#define SELECT_MS 3000
#define CATCH_UP_MS 20000

CLEANUP_PTR(mongoc_uri, mongoc_uri_t, mongoc_uri_destroy)

/* --- the address
 * ----------------------------------------------------------------------------------------------------------------------- */

/* Those that name the set, or choose among its members. */
static bool is_about_choice(const char *option)
{
	static const char *const names[] = {MONGOC_URI_REPLICASET, MONGOC_URI_DIRECTCONNECTION,
	    MONGOC_URI_READPREFERENCE, MONGOC_URI_READPREFERENCETAGS, MONGOC_URI_MAXSTALENESSSECONDS,
	    MONGOC_URI_LOADBALANCED, MONGOC_URI_SRVSERVICENAME, MONGOC_URI_SRVMAXHOSTS, MONGOC_URI_READCONCERNLEVEL,
	    MONGOC_URI_W, MONGOC_URI_JOURNAL, MONGOC_URI_WTIMEOUTMS};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (!strcasecmp(option, names[i]))
			return true;
	return false;
}

static bool add_text(struct buf *out, const char *text, struct err *err)
{
	for (; *text; text++) {
		bool plain = strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~", *text);

		if (plain ? !buf_add_char(out, *text, err) : !buf_printf(out, err, "%%%02X", (unsigned char)*text))
			return false;
	}
	return true;
}

static bool add_option(struct buf *out, bson_iter_t *it, struct err *err)
{
	if (is_about_choice(bson_iter_key(it)))
		return true;
	if (BSON_ITER_HOLDS_UTF8(it))
		return buf_printf(out, err, "&%s=", bson_iter_key(it)) && add_text(out, bson_iter_utf8(it, NULL), err);
	if (BSON_ITER_HOLDS_BOOL(it))
		return buf_printf(out, err, "&%s=%s", bson_iter_key(it), bson_iter_bool(it) ? "true" : "false");
	return !BSON_ITER_HOLDS_NUMBER(it) ||
	       buf_printf(out, err, "&%s=%lld", bson_iter_key(it), (long long)bson_iter_as_int64(it));
}

bool members_uri(const char *uri, const char *host, char *ret, size_t size, struct err *err)
{
	CLEANUP(mongoc_uri) mongoc_uri_t *parsed = mongoc_uri_new(uri);
	BUF_CLEANUP struct buf out = BUF_INIT(URI_MAX);
	const char *source, *mechanism;
	bson_iter_t it;

	if (!parsed)
		return err_set(err, ERR_USAGE, "the address cannot be read");
	source = mongoc_uri_get_auth_source(parsed);
	mechanism = mongoc_uri_get_auth_mechanism(parsed);
	if (!buf_printf(&out, err, "mongodb://%s/?directConnection=true", host) ||
	    (source && (!buf_add_str(&out, "&authSource=", err) || !add_text(&out, source, err))) ||
	    (mechanism && (!buf_add_str(&out, "&authMechanism=", err) || !add_text(&out, mechanism, err))))
		return false;
	if (mongoc_uri_get_options(parsed) && bson_iter_init(&it, mongoc_uri_get_options(parsed)))
		while (bson_iter_next(&it))
			if (!add_option(&out, &it, err))
				return false;
	if (out.len >= size)
		return err_set(err, ERR_LIMIT, "the address of member \"%s\" has more than %zu bytes", host, size - 1);
	memcpy(ret, buf_str(&out), out.len + 1);
	return true;
}

/* --- comparing
 * ------------------------------------------------------------------------------------------------------------------------- */

/* The first tick that is in a and not in b, and how far that goes. */
static bool first_beyond(const struct intervals *a, const struct intervals *b, struct interval *ret)
{
	size_t k = 0;

	for (size_t i = 0; i < a->count; i++) {
		int64_t seq = a->items[i].first;

		for (; k < b->count && b->items[k].last < seq; k++)
			;
		if (k < b->count && b->items[k].first <= seq) {
			if (b->items[k].last >= a->items[i].last)
				continue;
			seq = b->items[k++].last + 1;
		}
		ret->first = seq;
		ret->last =
		    k < b->count && b->items[k].first <= a->items[i].last ? b->items[k].first - 1 : a->items[i].last;
		return true;
	}
	return false;
}

static int compare_ids(const struct observed_stream *a, const struct observed_stream *b)
{
	int order = memcmp(a->run.bytes, b->run.bytes, sizeof a->run.bytes);

	return order ? order : (a->writer > b->writer) - (a->writer < b->writer);
}

static void say(const struct observed_stream *s, struct interval at, const char *what, char *ret, size_t size)
{
	char run[UUID_TEXT_MAX];

	snprintf(ret, size, "%s writer %d of run %s: ticks %lld to %lld %s", s->ns, (int)s->writer,
	    uuid_format(&s->run, run), (long long)at.first, (long long)at.last, what);
}

static bool compare_streams(
    const struct observed_stream *primary, const struct observed_stream *member, char *ret, size_t size)
{
	struct interval at, other;
	bool less = first_beyond(&primary->intact, &member->intact, &at);
	bool more = first_beyond(&member->intact, &primary->intact, &other);

	if (less && (!more || at.first < other.first)) {
		say(primary, at, "are not there, or not intact", ret, size);
		return false;
	}
	if (more) {
		say(member, other, "are intact there, and not on the primary", ret, size);
		return false;
	}
	for (size_t i = 0; i < primary->block_count && i < member->block_count; i++) {
		const struct observed_block *b = &primary->blocks[i];

		if (tick_digest_equal(&b->digest, &member->blocks[i].digest))
			continue;
		at = (struct interval){b->block * TICK_BLOCK + 1, (b->block + 1) * TICK_BLOCK};
		say(primary, at, "are intact in both, and one of them differs", ret, size);
		return false;
	}
	return true;
}

static struct interval all_of(const struct observed_stream *s)
{
	return s->intact.count ? (struct interval){s->intact.items[0].first, s->intact.items[s->intact.count - 1].last}
			       : (struct interval){0, 0};
}

static bool compare_counts(const struct tally *primary, const struct tally *member, char *ret, size_t size)
{
	struct tally_counts a = tally_counts(primary), b = tally_counts(member);

	if (a.documents == b.documents && a.anomalies == b.anomalies && a.not_ticks == b.not_ticks &&
	    a.beyond_streams == b.beyond_streams && a.orphans == b.orphans)
		return true;
	snprintf(ret, size,
	    "%lld documents, %lld of them anomalies and %lld no ticks; on the primary %lld, %lld and %lld",
	    (long long)b.documents, (long long)b.anomalies, (long long)b.not_ticks, (long long)a.documents,
	    (long long)a.anomalies, (long long)a.not_ticks);
	return false;
}

bool members_compare(const struct tally *primary, const struct tally *member, char *ret_text, size_t size)
{
	size_t a = 0, b = 0, a_count = tally_streams(primary), b_count = tally_streams(member);

	while (a < a_count || b < b_count) {
		const struct observed_stream *x = a < a_count ? tally_stream(primary, a) : NULL;
		const struct observed_stream *y = b < b_count ? tally_stream(member, b) : NULL;
		int order = !x ? 1 : !y ? -1 : compare_ids(x, y);

		if (order < 0) {
			say(x, all_of(x), "are not there, nor anything else of this stream", ret_text, size);
			return false;
		}
		if (order > 0) {
			say(y, all_of(y), "are there, and nothing of this stream on the primary", ret_text, size);
			return false;
		}
		if (!compare_streams(x, y, ret_text, size))
			return false;
		a++;
		b++;
	}
	return compare_counts(primary, member, ret_text, size);
}

/* --- who they are
 * ---------------------------------------------------------------------------------------------------------------------- */

struct roster {
	struct {
		char host[300];
		bool hidden;
	} members[HOSTS_MAX];
	size_t count;
};

static bool act_roster(struct link *link, void *arg, struct err *err)
{
	BSON_CLEANUP bson_t command = BSON_INITIALIZER;
	BSON_CLEANUP bson_t reply;
	struct roster *r = arg;
	bson_iter_t list, it;
	bool ok;

	BSON_APPEND_INT32(&command, "replSetGetConfig", 1);
	ok = link_command(link, "admin", &command, NULL, &reply, err);
	if (!ok)
		return false;
	if (!bson_path(&reply, "config.members", &list) || !BSON_ITER_HOLDS_ARRAY(&list) ||
	    !bson_iter_recurse(&list, &it))
		return err_set(err, ERR_REMOTE, "the server's answer lacks \"config.members\"");
	for (r->count = 0; bson_iter_next(&it);) {
		bool arbiter = false, hidden = false;
		const uint8_t *data;
		const char *host;
		uint32_t len;
		bson_t member;

		if (!BSON_ITER_HOLDS_DOCUMENT(&it))
			continue;
		bson_iter_document(&it, &len, &data);
		host = bson_init_static(&member, data, len) ? bson_path_utf8(&member, "host", NULL) : NULL;
		bson_path_bool(&member, "arbiterOnly", &arbiter);
		bson_path_bool(&member, "hidden", &hidden);
		if (!host || arbiter)
			continue;
		if (r->count == HOSTS_MAX || strlen(host) >= sizeof r->members[0].host)
			return err_set(err, ERR_LIMIT, "more than %d members, or one with a long name", HOSTS_MAX);
		snprintf(r->members[r->count].host, sizeof r->members[0].host, "%s", host);
		r->members[r->count++].hidden = hidden;
	}
	return true;
}

/* --- reading one
 * ----------------------------------------------------------------------------------------------------------------------- */

struct call {
	const struct collect_options *o;
	struct collection *c;
	struct source *source;
	struct link link; /* to the member */
	struct optime after;
	struct observed_member about;
};

static bool hello(struct call *call, struct optime *ret_majority, struct err *err)
{
	BSON_CLEANUP bson_t command = BSON_INITIALIZER;
	BSON_CLEANUP bson_t reply;
	bool ok, primary = false, secondary = false;
	const char *set;

	BSON_APPEND_INT32(&command, "hello", 1);
	ok = link_command(&call->link, "admin", &command, NULL, &reply, err);
	if (!ok)
		return false;
	bson_path_bool(&reply, "isWritablePrimary", &primary);
	bson_path_bool(&reply, "secondary", &secondary);
	set = bson_path_utf8(&reply, "setName", NULL);
	if (!set || strcmp(set, call->source->open.set_name) != 0)
		return err_set(err, ERR_STATE, "it is no member of \"%s\" at present", call->source->open.set_name);
	if (!primary && !secondary)
		return err_set(err, ERR_STATE, "it is neither primary nor secondary, and so not to be read");
	*ret_majority = OPTIME_ZERO;
	bson_path_optime(&reply, "lastWrite.majorityOpTime.ts", ret_majority);
	snprintf(call->about.state, sizeof call->about.state, "%s", primary ? "primary" : "secondary");
	return true;
}

/* Whoever is away is not waited for; whoever is behind, for a while. */
static bool greet(struct call *call, struct err *err)
{
	const struct clock *clock = call->link.clock;
	int64_t deadline_ms = clock_mono_ms(clock) + CATCH_UP_MS;
	char wanted[OPTIME_TEXT_MAX], got[OPTIME_TEXT_MAX];
	struct optime majority;

	if (!link_open(&call->link, err) || !hello(call, &majority, err))
		return false;
	while (optime_cmp(majority, call->after) < 0) {
		if (clock_mono_ms(clock) > deadline_ms)
			return err_set(err, ERR_TIMEOUT,
			    "it lags: its majority time is %s after %d s, the primary's was %s",
			    optime_format(majority, got), CATCH_UP_MS / 1000, optime_format(call->after, wanted));
		clock_sleep_until(clock, clock_mono_ns(clock) + LINK_PAUSE_MS * INT64_C(1000000), call->link.stop);
		if (link_stopped(&call->link, err) || !hello(call, &majority, err))
			return false;
	}
	return true;
}

static bool read_again(const struct collect_options *o, const struct piece *piece, struct link *link,
    struct optime after, bool direct, struct tally **ret, struct err *err)
{
	CLEANUP(tally) struct tally *t = NULL;
	struct tally_limits limits = TALLY_LIMITS_DEFAULT;
	struct scan scan = {.ns = piece->facts.ns,
	    .after = after,
	    .direct = direct,
	    .batch_size = o->batch_size,
	    .progress = &o->progress};

	if (!tally_new(piece->facts.ns, piece->source->open.set_name, &limits, &t, err))
		return false;
	if (piece->owner)
		tally_owner(t, owner_owns, piece->owner);
	scan.tally = t;
	if (!scan_run(link, &scan, err))
		return false;
	*ret = TAKE(t);
	return true;
}

static void tell(struct observed_member *about, const char *what, const char *why)
{
	about->read = false;
	snprintf(about->detail, sizeof about->detail, "%s%s", what, why);
}

/* Is the primary still as it was? Else the difference is none of the member's. */
static bool settle_difference(struct call *call, const struct piece *piece, struct err *err)
{
	CLEANUP(tally) struct tally *t = NULL;
	char text[sizeof call->about.detail];

	if (!read_again(call->o, piece, &call->source->link, call->after, false, &t, err))
		return false;
	if (!members_compare(piece->tally, t, text, sizeof text))
		tell(&call->about, "the primary changes while it is read, too; its second reading: ", text);
	return true;
}

static bool look(struct call *call, const struct piece *piece, struct err *err)
{
	struct observed_member *about = &call->about;
	struct err failure = ERR_INIT;
	struct tally_counts counts;
	struct tally *t = NULL;

	memcpy(about->ns, piece->facts.ns, sizeof about->ns);
	if (!read_again(call->o, piece, &call->link, call->after, true, &t, &failure)) {
		if (failure.code == ERR_NOMEM || failure.code == ERR_INTERRUPTED) {
			if (err)
				*err = failure;
			return false;
		}
		tell(about, "", failure.msg);
		return true;
	}
	counts = tally_counts(t);
	about->documents = counts.documents;
	about->intact = counts.intact;
	about->anomalies = counts.anomalies;
	about->read = true;
	about->equal = members_compare(piece->tally, t, about->detail, sizeof about->detail);
	tally_free(t);
	if (counts.truncated || tally_counts(piece->tally).truncated)
		tell(about, "there are more anomalies than can be compared", "");
	about->equal = about->equal && about->read;
	return about->equal || !about->read || settle_difference(call, piece, err);
}

static bool keep(struct collection *c, const struct observed_member *about, struct err *err)
{
	struct observed_member *more;

	if (c->member_count == OBSERVED_MEMBERS_MAX)
		return err_set(err, ERR_LIMIT, "more than %d namespaces on members", OBSERVED_MEMBERS_MAX);
	more = reallocarray(c->members, c->member_count + 1, sizeof *more);
	if (!more)
		return err_nomem(err);
	c->members = more;
	c->members[c->member_count++] = *about;
	return true;
}

static bool read_member(struct call *call, struct err *err)
{
	const struct observed_member begun = call->about;
	struct err failure = ERR_INIT;

	if (link_stopped(&call->link, err))
		return false;
	if (!greet(call, &failure)) {
		if (link_stopped(&call->link, err))
			return false;
		tell(&call->about, "", failure.msg);
		return keep(call->c, &call->about, err);
	}
	for (size_t i = 0; i < call->c->piece_count; i++) {
		struct observed_member about = begun;

		if (call->c->pieces[i].source != call->source)
			continue;
		memcpy(about.state, call->about.state, sizeof about.state);
		call->about = about;
		if (!look(call, &call->c->pieces[i], err) || !keep(call->c, &call->about, err))
			return false;
	}
	return true;
}

static bool read_one(const struct collect_options *o, struct collection *c, struct source *s, const char *host,
    bool hidden, struct optime after, struct err *err)
{
	struct call call = {.o = o, .c = c, .source = s, .link = s->link, .after = after};
	char uri[URI_MAX];
	bool ok;

	memcpy(call.about.replica_set, s->open.set_name, sizeof call.about.replica_set);
	snprintf(call.about.host, sizeof call.about.host, "%s", host);
	call.about.hidden = hidden;
	if (!members_uri(s->link.target.uri, host, uri, sizeof uri, err))
		return false;
	call.link.client = NULL;
	call.link.target.uri = uri;
	call.link.target.select_timeout_ms = SELECT_MS;
	ok = read_member(&call, err);
	link_close(&call.link);
	return ok;
}

static bool read_set(const struct collect_options *o, struct collection *c, struct source *s, struct err *err)
{
	struct roster roster = {.count = 0};
	struct optime after;
	size_t others = 0;
	bool ok;

	if (!s->open.set_name[0]) {
		err_set(err, ERR_USAGE, "behind a mongos the members of a replica set cannot be read one by one");
		return err_hint(err, "give the addresses of the replica sets themselves");
	}
	ok = link_try(&s->link, act_roster, &roster, err) && meta_majority_time(&s->link, &after, err);
	if (ok)
		after = optime_max(after, s->open.read_after);
	for (size_t i = 0; ok && i < roster.count; i++) {
		if (!strcmp(roster.members[i].host, s->open.read_from))
			continue;
		others++;
		ok = read_one(o, c, s, roster.members[i].host, roster.members[i].hidden, after, err);
	}
	if (ok && !others && o->progress.note)
		o->progress.note(o->progress.ctx, "there is no further member to read", s->open.set_name);
	return ok;
}

bool members_read(const struct collect_options *o, struct collection *c, struct err *err)
{
	for (size_t i = 0; i < c->source_count; i++)
		if (!read_set(o, c, &c->sources[i], err))
			return err_wrap(err, "read each member");
	return true;
}
