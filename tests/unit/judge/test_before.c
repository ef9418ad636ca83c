/* A description from before the backup, against what is there after the restore. */
#include "story.h"

#include <criterion/criterion.h>
#include <string.h>

static struct story s;
static struct observed_namespace *was, *is;

static void add_grant(struct observed *o, bool is_role, const char *name, const char *role)
{
	struct observed_grant *g = &o->granted[o->granted_count++];

	g->is_role = is_role;
	strcpy(g->name, name);
	strcpy(g->roles[g->role_count++], role);
}

static void tell(struct observed *o)
{
	o->granted = calloc(8, sizeof *o->granted);
	cr_assert_not_null(o->granted);
	o->has_grants = o->grants.known = true;
	add_grant(o, false, "admin.app", "readWrite@shop");
	add_grant(o, true, "admin.pbmAnyAction", "privileges sha256:0123456789abcdef");
	strcpy(o->open.version, "6.0.5");
	strcpy(o->open.fcv, "6.0");
}

static void tell_namespace(struct observed_namespace *n)
{
	n->exists = true;
	strcpy(n->ns, "drill.ticker");
	strcpy(n->options, "{ \"validator\" : { \"seq\" : { \"$gt\" : 0 } } }");
	strcpy(n->indexes[n->index_count++], "{ \"v\" : 2, \"key\" : { \"_id\" : 1 }, \"name\" : \"_id_\" }");
	strcpy(n->indexes[n->index_count++],
	    "{ \"v\" : 2, \"unique\" : true, \"key\" : { \"seq\" : 1, \"run\" : 1 }, \"name\" : \"by_seq\" }");
}

static void setup(void)
{
	story_init(&s);
	observed_init(&s.before);
	s.has_before = s.before.ended = s.before.open.describes = true;
	strcpy(s.before.open.cluster_kind, "replicaSet");
	strcpy(s.before.open.cluster_id, s.journals[0].open.cluster_id);
	s.before.open.until = (struct optime){1015, 1};
	s.before.namespaces = calloc(1, sizeof *s.before.namespaces);
	cr_assert_not_null(s.before.namespaces);
	s.before.namespace_count = 1;
	was = &s.before.namespaces[0];
	is = &s.observed.namespaces[0];
	tell_namespace(was);
	tell_namespace(is);
	tell(&s.before);
	tell(&s.observed);
}

static void teardown(void)
{
	observed_clear(&s.before);
	story_clear(&s);
}

TestSuite(before, .init = setup, .fini = teardown);

static void expect_drift(enum verdict_reason_code code, const char *named)
{
	story_expect(&s, code, VERDICT_FAIL);
	cr_expect_not_null(strstr(story_reason(&s, code)->message, named), "%s", story_reason(&s, code)->message);
}

Test(before, the_same_passes_and_is_judged)
{
	story_expect_pass(&s);
	cr_expect(s.verdict.has_before && s.verdict.schema_judged && s.verdict.roles_judged);
}

Test(before, none_is_not_judged)
{
	s.has_before = false;
	strcpy(is->options, "{ \"capped\" : true }");
	story_expect_pass(&s);
	cr_expect(!s.verdict.has_before && !s.verdict.schema_judged && !s.verdict.roles_judged);
}

Test(before, what_means_the_same_is_no_drift)
{
	strcpy(is->indexes[1], "{ \"key\" : { \"seq\" : 1.0, \"run\" : 1 }, \"name\" : \"by_seq\", \"unique\" : true, "
			       "\"background\" : true, \"ns\" : \"drill.ticker\", \"v\" : 1 }");
	story_expect_pass(&s);
}

Test(before, an_index_that_is_gone_fails)
{
	is->index_count = 1;
	expect_drift(REASON_SCHEMA_DRIFT, "lacks index \"by_seq\"");
}

Test(before, an_index_that_is_new_fails)
{
	was->index_count = 1;
	expect_drift(REASON_SCHEMA_DRIFT, "has index \"by_seq\", which it had not");
}

Test(before, an_index_that_is_unique_no_more_fails)
{
	strcpy(is->indexes[1], "{ \"v\" : 2, \"key\" : { \"seq\" : 1, \"run\" : 1 }, \"name\" : \"by_seq\" }");
	expect_drift(REASON_SCHEMA_DRIFT, "index \"by_seq\" of \"drill.ticker\" is another one: unique");
}

Test(before, an_index_with_its_keys_in_another_order_fails)
{
	strcpy(is->indexes[1],
	    "{ \"v\" : 2, \"unique\" : true, \"key\" : { \"run\" : 1, \"seq\" : 1 }, \"name\" : \"by_seq\" }");
	expect_drift(REASON_SCHEMA_DRIFT, "is another one: key");
}

Test(before, an_index_that_one_side_tells_by_its_hash_is_compared)
{
	strcpy(was->indexes[1], "by_seq sha256:0000000000000000");
	expect_drift(REASON_SCHEMA_DRIFT, "index \"by_seq\"");
	verdict_clear(&s.verdict);
	strcpy(was->indexes[1], "by_seq sha256:41b20a3b6e7f43b7");
	story_expect_pass(&s);
}

Test(before, a_validator_that_is_gone_fails)
{
	strcpy(is->options, "{  }");
	expect_drift(REASON_SCHEMA_DRIFT, "other options: validator");
}

Test(before, a_collection_that_is_capped_now_fails)
{
	strcpy(is->options, "{ \"validator\" : { \"seq\" : { \"$gt\" : 0 } }, \"capped\" : true, \"size\" : 1048576 }");
	expect_drift(REASON_SCHEMA_DRIFT, "other options: capped, size");
}

Test(before, a_collection_that_is_gone_fails)
{
	is->exists = false;
	expect_drift(REASON_SCHEMA_DRIFT, "\"drill.ticker\" is gone");
}

Test(before, a_collection_that_was_not_there_is_none_of_its_business)
{
	was->exists = false;
	story_expect_pass(&s);
}

Test(before, a_role_taken_from_a_user_fails)
{
	s.observed.granted[0].role_count = 0;
	expect_drift(REASON_ROLE_DRIFT, "user \"admin.app\" lacks \"readWrite@shop\"");
}

Test(before, a_role_that_a_user_has_got_fails)
{
	strcpy(s.observed.granted[0].roles[s.observed.granted[0].role_count++], "root@admin");
	expect_drift(REASON_ROLE_DRIFT, "user \"admin.app\" has \"root@admin\"");
}

Test(before, other_privileges_of_a_role_fail)
{
	strcpy(s.observed.granted[1].roles[0], "privileges sha256:ffffffffffffffff");
	expect_drift(REASON_ROLE_DRIFT, "role \"admin.pbmAnyAction\"");
}

Test(before, a_user_that_is_gone_fails_whoever_came_instead)
{
	strcpy(s.observed.granted[0].name, "admin.other");
	expect_drift(REASON_ROLE_DRIFT, "user \"admin.app\" is gone");
	cr_expect_reason(&s, REASON_ROLE_ADDED);
}

Test(before, a_user_that_is_new_is_a_warning)
{
	const struct observed_grant *first = &s.observed.granted[0];
	struct observed_grant *new = &s.observed.granted[s.observed.granted_count++];

	*new = *first;
	strcpy(new->name, "admin.xtra");
	story_expect_pass(&s);
	cr_expect_reason(&s, REASON_ROLE_ADDED);
	cr_expect(s.verdict.roles_judged);
}

Test(before, users_that_could_not_be_read_before_are_not_judged)
{
	s.before.grants.known = false;
	s.before.granted_count = 0;
	story_expect_pass(&s);
	cr_expect(s.verdict.schema_judged && !s.verdict.roles_judged);
}

Test(before, users_that_cannot_be_read_any_more_are_inconclusive)
{
	s.observed.grants.known = false;
	s.observed.granted_count = 0;
	story_expect(&s, REASON_BEFORE_UNUSABLE, VERDICT_INCONCLUSIVE);
	cr_expect(s.verdict.schema_judged && !s.verdict.roles_judged);
}

Test(before, another_version_is_a_warning)
{
	strcpy(s.observed.open.fcv, "7.0");
	story_expect_pass(&s);
	cr_expect_reason(&s, REASON_VERSION_DRIFT);
}

Test(before, a_description_from_after_the_restore_point_is_none)
{
	s.before.open.until = (struct optime){1020, 2};
	is->index_count = 1;
	story_expect(&s, REASON_BEFORE_UNUSABLE, VERDICT_INCONCLUSIVE);
	cr_expect_no_reason(&s, REASON_SCHEMA_DRIFT);
}

Test(before, a_description_of_another_cluster_is_none)
{
	strcpy(s.before.open.cluster_id, "65dddddddddddddddddddddd");
	story_expect(&s, REASON_BEFORE_UNUSABLE, VERDICT_INCONCLUSIVE);
}

Test(before, a_description_that_was_cut_is_none)
{
	s.before.ended = false;
	story_expect(&s, REASON_BEFORE_UNUSABLE, VERDICT_INCONCLUSIVE);
}

Test(before, an_observation_is_no_description)
{
	s.before.open.describes = false;
	story_expect(&s, REASON_BEFORE_UNUSABLE, VERDICT_INCONCLUSIVE);
}

Test(before, a_description_is_no_observation)
{
	s.observed.open.describes = true;
	story_expect(&s, REASON_NO_OBSERVATION, VERDICT_INCONCLUSIVE);
	cr_expect_no_reason(&s, REASON_LOST);
}

Test(before, namespaces_that_were_not_looked_at_again_are_told)
{
	strcpy(was->ns, "drill.other");
	story_expect(&s, REASON_BEFORE_UNUSABLE, VERDICT_INCONCLUSIVE);
}
