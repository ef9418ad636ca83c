/* The further members of a replica set, against the primary whose ticks are judged. */
#include "story.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static struct story s;

static void set_up(void)
{
	story_init(&s);
	s.observed.members = calloc(8, sizeof *s.observed.members);
	cr_assert_not_null(s.observed.members);
}

static void tear_down(void)
{
	story_clear(&s);
}

TestSuite(members, .init = set_up, .fini = tear_down);

static struct observed_member *member(const char *host, const char *ns, bool read, bool equal)
{
	struct observed_member *m = &s.observed.members[s.observed.member_count++];

	*m = (struct observed_member){.read = read, .equal = equal};
	strcpy(m->replica_set, "rs0");
	strcpy(m->host, host);
	strcpy(m->ns, ns);
	strcpy(m->state, "secondary");
	return m;
}

Test(members, all_equal_is_a_pass)
{
	member("b:1", "drill.ticker", true, true);
	member("b:1", "admin.ticker", true, true);
	member("c:1", "drill.ticker", true, true);
	story_expect_pass(&s);
	cr_expect(s.verdict.has_members);
	cr_expect_eq(s.verdict.members_asked, 2);
	cr_expect_eq(s.verdict.members_read, 2);
	cr_expect_eq(s.verdict.members_equal, 2);
}

Test(members, who_did_not_ask_has_none)
{
	story_expect_pass(&s);
	cr_expect_not(s.verdict.has_members);
}

Test(members, one_that_differs_in_one_namespace_fails)
{
	member("b:1", "drill.ticker", true, true);
	strcpy(member("b:1", "admin.ticker", true, false)->detail, "ticks 7 to 9 are not there");
	member("c:1", "drill.ticker", true, true);
	story_expect(&s, REASON_MEMBER_DIFFERS, VERDICT_FAIL);
	cr_expect_not_null(
	    strstr(story_reason(&s, REASON_MEMBER_DIFFERS)->message, "b:1 of \"rs0\", admin.ticker: ticks 7 to 9"));
	cr_expect_no_reason(&s, REASON_MEMBER_NOT_READ);
	cr_expect_eq(s.verdict.members_read, 2);
	cr_expect_eq(s.verdict.members_equal, 1);
}

Test(members, one_that_was_not_read_is_inconclusive)
{
	struct observed_member *m = member("c:1", "", false, false);

	m->hidden = true;
	m->state[0] = '\0';
	strcpy(m->detail, "connection refused");
	member("b:1", "drill.ticker", true, true);
	story_expect(&s, REASON_MEMBER_NOT_READ, VERDICT_INCONCLUSIVE);
	cr_expect_not_null(
	    strstr(story_reason(&s, REASON_MEMBER_NOT_READ)->message, "hidden c:1 of \"rs0\": connection refused"));
	cr_expect_eq(s.verdict.members_asked, 2);
	cr_expect_eq(s.verdict.members_read, 1);
}

Test(members, a_difference_is_told_beside_one_that_was_not_read)
{
	member("b:1", "drill.ticker", true, false);
	member("c:1", "", false, false);
	story_expect(&s, REASON_MEMBER_DIFFERS, VERDICT_FAIL);
	cr_expect_reason(&s, REASON_MEMBER_NOT_READ);
}
