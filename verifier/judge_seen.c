#include "verifier/judge_internal.h"

#include <string.h>

void seen_clear(struct seen *seen)
{
	free(seen->pieces);
	*seen = (struct seen){0};
}

size_t seen_find(const struct seen *seen, size_t from, int64_t seq)
{
	size_t low = 0, high = seen->count;

	if (from <= seen->count && (from == 0 || seen->pieces[from - 1].last < seq)) {
		/* in order: at most a few pieces ahead */
		for (int i = 0; i < 4; i++, from++)
			if (from == seen->count || seen->pieces[from].last >= seq)
				return from;
		low = from;
	}
	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (seen->pieces[mid].last < seq)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static bool in_admin(const char *ns)
{
	return !strncmp(ns, "admin.", 6);
}

bool judge_bound_may_hold(const struct judge *j, const struct bound_set *set, const struct stream *s)
{
	if (j->bound->set_count == 1)
		return true;
	for (size_t i = 0; i < s->link_count; i++)
		if (s->links[i].set == set)
			return true;
	if (s->home)
		return s->home == set;
	return !bound_find_set(j->bound, "cfg") || in_admin(s->id.ns) == !strcmp(set->name, "cfg");
}

/* Which of the bound's sets an observed stream lives in. */
static const struct bound_set *find_set(const struct judge *j, const struct observed_stream *o)
{
	if (!j->bound)
		return NULL;
	if (j->bound->set_count == 1)
		return &j->bound->sets[0];
	if (o->replica_set[0])
		return bound_find_set(j->bound, o->replica_set);
	return in_admin(o->ns) ? bound_find_set(j->bound, "cfg") : NULL;
}

static bool add_links(struct judge *j, const struct journal *journal, struct stream *s, struct err *err)
{
	size_t cap = 0;

	for (size_t i = 0; i < j->observed->stream_count; i++) {
		const struct observed_stream *o = &j->observed->streams[i];

		if (o->writer != s->id.writer || !uuid_equal(&o->run, &journal->open.run) || strcmp(o->ns, s->id.ns))
			continue;
		if (!GROW(s->links, cap, s->link_count, err))
			return false;
		s->links[s->link_count++] = (struct link){.stream = o, .set = find_set(j, o), .block = -1};
		j->claimed[i] = true;
	}
	return true;
}

static void set_bounds(const struct judge *j, struct stream *s)
{
	s->b1 = j->b1_all;
	if (j->bound && j->bound->set_count > 1) {
		s->b1 = j->b0;
		for (size_t i = 0; i < j->bound->set_count; i++)
			if (judge_bound_may_hold(j, &j->bound->sets[i], s))
				s->b1 = optime_max(s->b1, j->bound->sets[i].b1);
	}
	for (size_t i = 0; i < s->link_count; i++)
		s->links[i].b1 = s->links[i].set ? s->links[i].set->b1 : s->b1;
}

struct special {
	int64_t seq;
	int32_t link;
	enum judge_presence presence;
};

static int special_cmp(const void *a, const void *b)
{
	const struct special *x = a, *y = b;

	if (x->seq != y->seq)
		return x->seq < y->seq ? -1 : 1;
	return (int)y->presence - (int)x->presence; /* corrupt comes first and wins */
}

/* The anomalies of this stream that name a tick, ascending. */
static bool gather(struct judge *j, struct stream *s, struct special **ret, size_t *ret_count, struct err *err)
{
	struct special *specials = NULL;
	size_t count = 0, cap = 0;

	for (size_t i = 0; i < j->observed->anomaly_count; i++) {
		const struct observed_anomaly *a = &j->observed->anomalies[i];
		bool corrupt = a->kind == OBSERVED_CORRUPT;

		for (size_t l = 0; a->stream >= 0 && l < s->link_count; l++) {
			if (s->links[l].stream != &j->observed->streams[a->stream])
				continue;
			j->anomaly_used[i] = true;
			if (a->seq < 1) {
				s->loose[corrupt ? CLASS_CORRUPTED : CLASS_DUPLICATED]++;
				continue;
			}
			if (!GROW(specials, cap, count, err)) {
				free(specials);
				return false;
			}
			specials[count++] =
			    (struct special){a->seq, (int32_t)l, corrupt ? PRESENCE_CORRUPT : PRESENCE_DUPLICATE};
		}
	}
	if (count)
		qsort(specials, count, sizeof *specials, special_cmp);
	*ret = specials;
	*ret_count = count;
	return true;
}

static bool put_piece(struct seen *seen, struct seen_piece piece, struct err *err)
{
	struct seen_piece *tail = seen->count ? &seen->pieces[seen->count - 1] : NULL;

	if (tail && tail->last + 1 == piece.first && tail->link == piece.link && tail->presence == piece.presence) {
		tail->last = piece.last;
		return true;
	}
	if (!GROW(seen->pieces, seen->cap, seen->count, err))
		return false;
	seen->pieces[seen->count++] = piece;
	return true;
}

/* What is at seq, and up to where nothing changes. The links' cursors stand at their first interval with last >= seq.
 */
static struct seen_piece look(const struct stream *s, int64_t seq)
{
	struct seen_piece piece = {.first = seq, .last = INT64_MAX, .link = -1, .presence = PRESENCE_ABSENT};

	for (size_t l = 0; l < s->link_count; l++) {
		const struct intervals *set = &s->links[l].stream->intact;
		const struct interval *it = set->items + s->links[l].at_interval;
		int64_t end;

		if (s->links[l].at_interval == set->count)
			continue;
		end = it->first <= seq ? it->last : it->first - 1;
		if (end < piece.last)
			piece.last = end;
		if (it->first > seq)
			continue;
		piece.presence = piece.presence == PRESENCE_ABSENT ? PRESENCE_INTACT : PRESENCE_DUPLICATE;
		if (piece.link < 0)
			piece.link = (int32_t)l;
	}
	return piece;
}

static bool sweep(struct stream *s, const struct special *specials, size_t special_count, struct err *err)
{
	size_t at = 0;

	for (int64_t seq = 1;;) {
		struct seen_piece piece;

		for (size_t l = 0; l < s->link_count; l++) {
			const struct intervals *set = &s->links[l].stream->intact;

			while (s->links[l].at_interval < set->count && set->items[s->links[l].at_interval].last < seq)
				s->links[l].at_interval++;
		}
		while (at < special_count && specials[at].seq < seq)
			at++;
		piece = look(s, seq);
		if (at < special_count && specials[at].seq == seq) {
			piece.last = seq;
			piece.presence = specials[at].presence;
			piece.link = piece.link < 0 ? specials[at].link : piece.link;
		} else if (at < special_count && specials[at].seq <= piece.last) {
			piece.last = specials[at].seq - 1;
		}
		if (piece.presence != PRESENCE_ABSENT && !put_piece(&s->seen, piece, err))
			return false;
		if (piece.last == INT64_MAX)
			break;
		seq = piece.last + 1;
	}
	for (size_t l = 0; l < s->link_count; l++)
		s->links[l].at_interval = 0;
	return true;
}

/* Each namespace that was asked for has a record, be it that it does not exist. */
static bool was_read(const struct observed *o, const char *ns)
{
	for (size_t i = 0; i < o->namespace_count; i++)
		if (!strcmp(o->namespaces[i].ns, ns))
			return true;
	for (size_t i = 0; i < o->stream_count; i++)
		if (!strcmp(o->streams[i].ns, ns))
			return true;
	return false;
}

bool judge_set_was_read(const struct observed *o, const char *set)
{
	bool read = !o->open.set_name[0] || !strcmp(o->open.set_name, set);

	for (size_t i = 0; i < o->set_count && !read; i++)
		read = !strcmp(o->sets[i].name, set);
	/* or something was found there */
	for (size_t i = 0; i < o->stream_count && !read; i++)
		read = !strcmp(o->streams[i].replica_set, set);
	return read;
}

/* Absence is known only if each set was read that may hold it. */
static bool all_read(const struct judge *j, const struct stream *s)
{
	for (size_t i = 0; j->bound && j->bound->set_count > 1 && i < j->bound->set_count; i++)
		if (judge_bound_may_hold(j, &j->bound->sets[i], s) &&
		    !judge_set_was_read(j->observed, j->bound->sets[i].name))
			return false;
	return was_read(j->observed, s->id.ns);
}

/* A ticker that was given a replica set, and no mongos, wrote to that set. */
static const struct bound_set *find_home(const struct judge *j, const struct journal *journal)
{
	if (!j->bound || j->bound->set_count < 2 || strcmp(journal->open.cluster_kind, "replicaSet") != 0)
		return NULL;
	return bound_find_set(j->bound, journal->open.set_name);
}

bool seen_build(struct judge *j, const struct journal *journal, struct stream *s, struct err *err)
{
	CLEANUP(free) struct special *specials = NULL;
	size_t count = 0;

	s->home = find_home(j, journal);
	if (j->has_data && !add_links(j, journal, s, err))
		return false;
	set_bounds(j, s);
	s->unread = j->has_data && !all_read(j, s);
	if (!j->has_data || s->unread)
		return true;
	return gather(j, s, &specials, &count, err) && sweep(s, specials, count, err);
}
