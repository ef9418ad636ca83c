#include "sandbox/operator/status.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static struct json *doc, *status;
static struct cr cr;
static struct err err;
static struct cluster_seen seen;

static void take(const char *more, bool have_mongos)
{
	char pattern[1000];

	json_free(doc);
	doc = NULL;
	snprintf(pattern, sizeof pattern,
	    "{'metadata':{'name':'c','namespace':'n','uid':'u','generation':2%s},'spec':{'image':'i','replsets':[{'"
	    "name':'rs0',"
	    "'size':3}],'sharding':{'enabled':true,'mongos':{'size':2}}}}",
	    more);
	cr_assert(json_format(&doc, &err, pattern), "%s", err.msg);
	cr_assert(cr_read(json_root(doc), have_mongos, &cr, &err), "%s", err.msg);
}

static void set_up(void)
{
	take("", false);
	seen = (struct cluster_seen){
	    .sets = {{3, 3, true, false, true}}, .host = true, .mongo_version = "6.0.5", .backup_version = "2.5.0"};
}

static void tear_down(void)
{
	json_free(doc);
	json_free(status);
	doc = status = NULL;
}

TestSuite(status, .init = set_up, .fini = tear_down);

static void make(const json_node *old)
{
	struct json *new = NULL;

	cr_assert(status_make(&cr, &seen, old, 1795844837123, &new, &err), "%s", err.msg);
	json_free(status);
	status = new;
}

Test(status, ready_takes_pods_primary_logins_and_a_host)
{
	static const struct {
		const char *what;
		struct set_seen set;
		bool host, rollout;
		enum cluster_state state;
	} cases[] = {
	    {"all is well", {3, 3, true, false, true}, true, false, CLUSTER_READY},
	    {"a pod is not ready", {3, 2, true, false, true}, true, false, CLUSTER_INITIALIZING},
	    {"users cannot log in", {3, 3, true, false, false}, true, false, CLUSTER_INITIALIZING},
	    {"no mongos Service: a restore", {3, 3, true, false, true}, false, false, CLUSTER_INITIALIZING},
	    {"a StatefulSet is going", {3, 3, true, false, true}, true, true, CLUSTER_INITIALIZING},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		seen.sets[0] = cases[i].set;
		seen.host = cases[i].host;
		seen.rollout = cases[i].rollout;
		cr_expect_eq(status_state(&cr, &seen), cases[i].state, "%s", cases[i].what);
	}
}

Test(status, deletion_comes_before_readiness_and_errors_before_deletion)
{
	take(",'deletionTimestamp':'2026-11-28T05:47:00Z'", false);
	cr_assert_eq(status_state(&cr, &seen), CLUSTER_STOPPING);
	seen.error = "x";
	cr_assert_eq(status_state(&cr, &seen), CLUSTER_ERROR);
}

Test(status, a_ready_cluster_looks_as_on_a_real_one)
{
	const json_node *s;

	make(NULL);
	s = json_root(status);
	cr_expect(json_is_at(s, "state", "ready"));
	cr_expect(json_is_at(s, "host", "c-mongos.n.svc.cluster.local"));
	cr_expect_eq(json_int_at(s, "size", -1), 3);
	cr_expect_eq(json_int_at(s, "ready", -1), 3);
	cr_expect_eq(json_int_at(s, "observedGeneration", -1), 2);
	cr_expect(json_bool_at(s, "replsets/rs0/initialized", false));
	cr_expect_null(json_at(s, "replsets/rs0/added_as_shard"));
	cr_expect(json_is_at(s, "replsets/rs0/status", "ready"));
	cr_expect_eq(json_int_at(s, "mongos/size", -1), 0);
	cr_expect(json_is_at(s, "mongoVersion", "6.0.5"));
	cr_expect(json_is_at(s, "conditions/0/type", "ready"));
	cr_expect(json_is_at(s, "conditions/0/reason", "RSReady"));
	cr_expect(json_is_at(s, "conditions/0/message", "rs0: ready"));
	cr_expect(json_is_at(s, "conditions/0/lastTransitionTime", "2026-11-28T05:47:17Z"));
}

Test(status, the_host_is_gone_during_a_restore)
{
	seen.host = false;
	make(NULL);
	cr_assert_null(json_at(json_root(status), "host"));
	cr_assert(json_is_at(json_root(status), "state", "initializing"));
}

Test(status, the_same_state_adds_no_condition)
{
	struct json *first;

	make(NULL);
	first = status;
	status = NULL;
	make(json_root(first));
	cr_assert(json_equal(json_root(first), json_root(status)));
	json_free(first);
}

Test(status, twenty_conditions_are_kept)
{
	for (int i = 0; i < 50; i++) {
		seen.host = i % 2;
		make(status ? json_root(status) : NULL);
	}
	cr_assert_eq(json_count(json_at(json_root(status), "conditions")), 20);
	cr_assert(json_is_at(json_root(status), "conditions/19/type", "ready"));
	cr_assert(json_is_at(json_root(status), "conditions/18/type", "initializing"));
}

Test(status, an_error_leaves_the_rest_as_it_was)
{
	make(NULL);
	seen.error = "wrong";
	seen.sets[0].ready = 0;
	make(json_root(status));
	cr_expect(json_is_at(json_root(status), "state", "error"));
	cr_expect(json_is_at(json_root(status), "message", "Error: wrong"));
	cr_expect_eq(json_int_at(json_root(status), "ready", -1), 3);
	seen.error = NULL;
	make(json_root(status));
	cr_expect_null(json_at(json_root(status), "message"));
}

Test(status, a_version_once_known_stays)
{
	make(NULL);
	seen.mongo_version = "";
	make(json_root(status));
	cr_assert(json_is_at(json_root(status), "mongoVersion", "6.0.5"));
}

Test(status, shards_and_routers_count)
{
	take("", true);
	seen.sets[1] = seen.sets[0];
	cr_assert_eq(status_state(&cr, &seen), CLUSTER_INITIALIZING);
	seen.sets[1].added_as_shard = true;
	cr_assert_eq(status_state(&cr, &seen), CLUSTER_READY);
	seen.mongos_pods = 2;
	seen.mongos_ready = 1;
	cr_assert_eq(status_state(&cr, &seen), CLUSTER_INITIALIZING);
	seen.mongos_ready = 2;
	make(NULL);
	cr_assert_eq(json_int_at(json_root(status), "size", -1), 8);
	cr_assert(json_bool_at(json_root(status), "replsets/rs0/added_as_shard", false));
}
