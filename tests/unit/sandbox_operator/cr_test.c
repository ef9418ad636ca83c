#include "sandbox/operator/cr.h"

#include <criterion/criterion.h>
#include <string.h>

#define HEAD                                                                                                           \
	"{'metadata':{'name':'my-cluster-name','namespace':'mongo-ns','uid':'u1','generation':3},'spec':{'image':'i',"

static struct json *doc;
static struct cr cr;
static struct err err;

static bool take(const char *pattern, bool have_mongos)
{
	json_free(doc);
	doc = NULL;
	err = (struct err)ERR_INIT;
	cr_assert(json_format(&doc, &err, pattern), "%s", err.msg);
	return cr_read(json_root(doc), have_mongos, &cr, &err);
}

static void tear_down(void)
{
	json_free(doc);
	doc = NULL;
}

TestSuite(cr, .fini = tear_down);

Test(cr, sizes_that_no_election_survives_are_mended)
{
	static const struct {
		const char *pattern;
		int size;
	} cases[] = {
	    {HEAD "'replsets':[{'name':'rs0','size':1}]}}", 3},
	    {HEAD "'replsets':[{'name':'rs0','size':2}]}}", 3},
	    {HEAD "'replsets':[{'name':'rs0','size':3}]}}", 3},
	    {HEAD "'replsets':[{'name':'rs0','size':4}]}}", 5},
	    {HEAD "'allowUnsafeConfigurations':true,'replsets':[{'name':'rs0','size':1}]}}", 1},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		cr_assert(take(cases[i].pattern, false), "%s", err.msg);
		cr_expect_eq(cr.sets[0].size, cases[i].size, "%s", cases[i].pattern);
	}
}

#define SHARDED                                                                                                        \
	HEAD "'replsets':[{'name':'rs0','size':3}],'sharding':{'enabled':true,'configsvrReplSet':{'size':3},"          \
	     "'mongos':{'size':3}}}}"

Test(cr, with_a_mongos_program_config_servers_come_first)
{
	char host[OP_NAME_MAX];

	cr_assert(take(SHARDED, true), "%s", err.msg);
	cr_assert_eq(cr.topology, CR_SHARDED);
	cr_assert_eq(cr.set_count, 2);
	cr_assert_str_eq(cr.sets[0].name, "cfg");
	cr_assert(cr.sets[0].config_server);
	cr_assert_eq(cr.mongos_size, 3);
	cr_assert_eq(cr_members(&cr), 6);
	cr_assert_null(cr_note(&cr));
	cr_host(&cr, host);
	cr_assert_str_eq(host, "my-cluster-name-mongos.mongo-ns.svc.cluster.local");
}

Test(cr, without_one_the_set_stands_alone_and_a_note_says_so)
{
	char host[OP_NAME_MAX];

	cr_assert(take(SHARDED, false), "%s", err.msg);
	cr_assert_eq(cr.topology, CR_SET_ALONE);
	cr_assert_eq(cr.set_count, 1);
	cr_assert_str_eq(cr.sets[0].name, "rs0");
	cr_assert_eq(cr.mongos_size, 0);
	cr_assert(strstr(cr_note(&cr), "mongos"));
	cr_host(&cr, host);
	cr_assert_str_eq(host, "my-cluster-name-mongos.mongo-ns.svc.cluster.local");
}

Test(cr, without_sharding_the_set_has_its_own_service)
{
	char host[OP_NAME_MAX];

	cr_assert(take(HEAD "'replsets':[{'name':'rs0','size':3}]}}", false), "%s", err.msg);
	cr_host(&cr, host);
	cr_assert_str_eq(host, "my-cluster-name-rs0.mongo-ns.svc.cluster.local");
	cr_assert_str_eq(cr.users_secret, "percona-server-mongodb-users");
	cr_assert_str_eq(cr.internal_secret, "internal-my-cluster-name-users");
	cr_assert_str_eq(cr.keyfile_secret, "my-cluster-name-mongodb-keyfile");
	cr_assert_str_eq(cr.encryption_secret, "my-cluster-name-mongodb-encryption-key");
}

Test(cr, wrong_options_are_refused_with_a_reason)
{
	static const struct {
		const char *pattern, *text;
	} cases[] = {
	    {HEAD "'replsets':[]}}", "at least one replica set"},
	    {HEAD "'replsets':[{'name':'cfg'}]}}", "cfg is reserved"},
	    {HEAD "'replsets':[{'name':'rs0'},{'name':'rs0'}]}}", "two replsets are called 'rs0'"},
	    {HEAD "'replsets':[{'name':'Rs 0'}]}}", "bad name of a replset 'Rs 0'"},
	    {HEAD "'replsets':[{'name':'rs0','size':99}]}}", "1 to 7 members"},
	    {HEAD "'replsets':[{'name':'a'},{'name':'b'},{'name':'c'},{'name':'d'},{'name':'e'}]}}", "at most three"},
	    {HEAD "'replsets':[{'name':'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'}]}}", "50 characters"},
	    {HEAD "'replsets':[{'name':'a'},{'name':'b'}],'sharding':{'enabled':true}}}", "one replica set only"},
	    {HEAD "'backup':{'enabled':true},'replsets':[{'name':'rs0'}]}}", "backup.image"},
	    {HEAD "'secrets':{'users':'../x'},'replsets':[{'name':'rs0'}]}}", "bad name of a secret"},
	    {"{'metadata':{'name':'c','namespace':'n','uid':'u'},'spec':{'replsets':[{'name':'rs0'}]}}", ".spec.image"},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		cr_expect_not(take(cases[i].pattern, false), "%s", cases[i].pattern);
		cr_expect(strstr(err.msg, cases[i].text) && strstr(err.msg, "wrong psmdb options"), "%s", err.msg);
	}
}
