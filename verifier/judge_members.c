#include "verifier/judge_internal.h"

#include <string.h>

/* The records of one member stand one after the other, one for each namespace. */
static bool same_member(const struct observed_member *a, const struct observed_member *b)
{
	return !strcmp(a->host, b->host) && !strcmp(a->replica_set, b->replica_set);
}

static void count(const struct observed *o, struct verdict *v)
{
	for (size_t i = 0; i < o->member_count;) {
		const struct observed_member *first = &o->members[i];
		bool read = true, equal = true;

		for (; i < o->member_count && same_member(first, &o->members[i]); i++) {
			read = read && o->members[i].read;
			equal = equal && o->members[i].equal;
		}
		v->members_asked++;
		v->members_read += read;
		v->members_equal += equal;
	}
	v->has_members = v->members_asked > 0;
}

static void place(struct cause *c, const struct observed_member *m)
{
	cause_add(c, "%s%s%s%s of \"%s\"%s%s: %s", m->hidden ? "hidden " : "", m->state, m->state[0] ? " " : "",
	    m->host, m->replica_set, m->ns[0] ? ", " : "", m->ns, m->detail[0] ? m->detail : "no detail was given");
}

bool members_add(const struct judge *j, struct verdict *v, struct err *err)
{
	struct cause differs = {0}, unread = {0};

	if (!j->observed)
		return true;
	count(j->observed, v);
	for (size_t i = 0; i < j->observed->member_count; i++) {
		const struct observed_member *m = &j->observed->members[i];

		if (!m->read)
			place(&unread, m);
		else if (!m->equal)
			place(&differs, m);
	}
	return cause_end(&differs, v, REASON_MEMBER_DIFFERS,
		   "a client that reads from this member gets other data, and an election may make it the primary: "
		   "take it "
		   "out and let it sync anew",
		   "a member of a replica set does not hold what the primary holds: ", err) &&
	       cause_end(&unread, v, REASON_MEMBER_NOT_READ,
		   "let every member be up, and nothing write meanwhile, and collect again",
		   "a member that was to be compared with the primary was not: ", err);
}
